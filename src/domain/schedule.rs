//! Schedule arithmetic: cron expressions in a time zone, with a deterministic spread.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use croner::Cron;
use croner::parser::{CronParser, Seconds, Year};
use jiff::tz::TimeZone;

use super::{IntegrationId, Timestamp};

/// Longest spread of a schedule.
pub(crate) const SPREAD_MAX: Duration = Duration::from_mins(5);
/// Shortest spread of a schedule whose period is long: thousands that run once a minute load a machine all the time,
/// and not for a few seconds of each minute.
const SPREAD_MIN: Duration = Duration::from_secs(30);
/// Period from which [`SPREAD_MIN`] applies; whoever asks for shorter ones wants to know at once.
const SPREAD_MIN_FROM: Duration = Duration::from_mins(1);
/// Clock rollback that repeats no run, whatever the schedule.
const REACH_MIN: Duration = Duration::from_hours(1);

/// Cron expression in an IANA time zone; a clone is cheap and shares everything.
#[derive(Clone)]
pub(crate) struct Schedule {
    cron: Arc<Cron>,
    zone: TimeZone,
    text: Arc<str>,
    zone_name: Arc<str>,
}

/// Shows what is configured: the tables that follow from it have hundreds of lines.
impl fmt::Debug for Schedule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Schedule({} {})", self.text, self.zone_name)
    }
}

/// Error of a schedule that cannot be used.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ScheduleError {
    /// The expression is not cron.
    #[error("`{expression}` is not a cron expression: {reason}")]
    Cron {
        /// Cron expression as configured.
        expression: String,
        /// Error of the parser.
        reason: String,
    },
    /// The expression names a date that never comes.
    #[error("`{0}` never comes due")]
    Never(String),
    /// The zone is not in the time zone database.
    #[error("`{0}` is not an IANA time zone")]
    Zone(String),
}

impl Schedule {
    /// Reads a cron expression of 5 or 6 fields (seconds first), or a nickname such as `@hourly`,
    /// in the IANA zone `zone`.
    ///
    /// # Errors
    ///
    /// Fails when either is invalid, or when the expression never comes due.
    pub(crate) fn parse(expression: &str, zone: &str) -> Result<Self, ScheduleError> {
        let timezone =
            TimeZone::get(zone).map_err(|_unknown| ScheduleError::Zone(zone.to_owned()))?;
        let parser =
            CronParser::builder().seconds(Seconds::Optional).year(Year::Disallowed).build();
        let cron = parser.parse(expression).map_err(|error| ScheduleError::Cron {
            expression: expression.to_owned(),
            reason: error.to_string(),
        })?;
        let schedule = Self {
            cron: cron.into(),
            zone: timezone,
            text: expression.into(),
            zone_name: zone.into(),
        };
        if schedule.next_after(Timestamp(0)).is_none() {
            return Err(ScheduleError::Never(expression.to_owned()));
        }
        Ok(schedule)
    }

    /// Returns the expression as configured.
    pub(crate) fn text(&self) -> &str {
        &self.text
    }

    /// Returns the zone as configured.
    pub(crate) fn zone(&self) -> &str {
        &self.zone_name
    }

    /// Returns the first instant of the schedule after `after`, if there is one.
    pub(crate) fn next_after(&self, after: Timestamp) -> Option<Timestamp> {
        let from = after.to_jiff().to_zoned(self.zone.clone());
        let next = self.cron.find_next_occurrence(&from, false).ok()?;
        Some(Timestamp::from_jiff(next.timestamp()))
    }

    /// Returns `instant` in the schedule's own zone, for people.
    pub(crate) fn local(&self, instant: Timestamp) -> String {
        instant.in_zone(self.zone.clone())
    }

    /// Returns the next instant at which the integration `id` is due: the schedule's first whose spread
    /// lies after `now`.
    ///
    /// The spread is a stable share of a tenth of the time between two instants, thirty seconds at least where
    /// that is a minute or more, five minutes at most: integrations on one schedule do not start together.
    pub(crate) fn next_due(&self, id: IntegrationId, now: Timestamp) -> Option<Timestamp> {
        let offset = self.spread_of(id, now);
        Some(self.next_after(now.minus(offset))?.plus(offset))
    }

    /// Returns `planned`, unless it lies more than two due instants and an hour ahead of `now`: then the
    /// clock was rolled back far after the planning, and the next due instant replaces it. A smaller
    /// rollback repeats no run.
    pub(crate) fn clamp_to_schedule(
        &self,
        id: IntegrationId,
        planned: Timestamp,
        now: Timestamp,
    ) -> Option<Timestamp> {
        if planned <= now.plus(REACH_MIN) {
            return Some(planned);
        }
        let next = self.next_due(id, now)?;
        let second = self.next_due(id, next);
        Some(if second.is_some_and(|second| second < planned) { next } else { planned })
    }

    /// Returns the delay of the integration `id` after an instant of the schedule around `now`.
    pub(crate) fn spread_of(&self, id: IntegrationId, now: Timestamp) -> Duration {
        let period = self.period(now);
        let least = if period < SPREAD_MIN_FROM { Duration::ZERO } else { SPREAD_MIN };
        spread(id, (period / 10).clamp(least, SPREAD_MAX))
    }

    /// Returns the time between the next two instants after `now`; zero when there are none.
    pub(crate) fn period(&self, now: Timestamp) -> Duration {
        let period = self.next_after(now).and_then(|first| {
            let second = self.next_after(first)?;
            Some(second.since(first))
        });
        period.unwrap_or_default()
    }
}

/// Returns a fixed delay within `window`, so that the runs of an integration stay evenly spaced.
fn spread(id: IntegrationId, window: Duration) -> Duration {
    let hash = id.0.unsigned_abs().wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 48;
    window.saturating_mul(u32::try_from(hash).unwrap_or(0)) / 0x1_0000
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::{
        ProptestConfig, Strategy, prop_assert, prop_assert_eq, prop_oneof, proptest,
    };
    use proptest::sample;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    #[test]
    fn both_cron_forms_and_nicknames_are_read() {
        let next = |expression| {
            let schedule = Schedule::parse(expression, "UTC").unwrap();
            schedule.next_after(at("2026-11-23T10:20:30Z")).unwrap().to_string()
        };
        assert_eq!(next("*/15 * * * *"), "2026-11-23T10:30:00Z");
        assert_eq!(next("*/15 * * * * *"), "2026-11-23T10:20:45Z");
        assert_eq!(next("@hourly"), "2026-11-23T11:00:00Z");
        assert_eq!(next("0 9 * * 7"), "2026-11-29T09:00:00Z");
    }

    #[test]
    fn faults_say_which_part_is_wrong() {
        let fault = |expression, zone| Schedule::parse(expression, zone).unwrap_err().to_string();
        assert!(fault("61 * * * *", "UTC").starts_with("`61 * * * *` is not a cron expression: "));
        assert_eq!(fault("0 0 30 2 *", "UTC"), "`0 0 30 2 *` never comes due");
        assert_eq!(fault("@hourly", "Europe/Berlim"), "`Europe/Berlim` is not an IANA time zone");
        assert!(fault("* * * * * * *", "UTC").contains("not a cron expression"));
    }

    #[test]
    fn a_daily_job_keeps_its_wall_clock_time_over_the_change() {
        let schedule = Schedule::parse("30 9 * * *", "Europe/Berlin").unwrap();
        let first = schedule.next_after(at("2026-10-24T00:00:00Z")).unwrap();
        let second = schedule.next_after(first).unwrap();
        assert_eq!(first.to_string(), "2026-10-24T07:30:00Z");
        assert_eq!(second.to_string(), "2026-10-25T08:30:00Z");
        assert_eq!(schedule.local(second), "2026-10-25 09:30:00 CET");
    }

    #[test]
    fn a_daily_job_in_an_hour_that_is_left_out_at_midnight_is_made_up_for_on_the_next_day() {
        let schedule = Schedule::parse("0 23 * * *", "America/Godthab").unwrap();
        let first = schedule.next_after(at("2029-03-23T12:00:00Z")).unwrap();
        let made_up = schedule.next_after(first).unwrap();
        let local = |instant| schedule.local(instant)[..16].to_owned();
        assert_eq!(
            (local(first).as_str(), local(made_up).as_str()),
            ("2029-03-23 23:00", "2029-03-25 00:00")
        );
        assert_eq!(local(schedule.next_after(made_up).unwrap()), "2029-03-25 23:00");
    }

    #[test]
    fn a_spread_is_a_tenth_of_the_period_within_bounds() {
        for (cron, most) in [
            ("*/10 * * * * *", 1_000),
            ("* * * * *", 30_000),
            ("*/5 * * * *", 30_000),
            ("*/20 * * * *", 120_000),
            ("0 * * * *", 300_000),
        ] {
            let schedule = Schedule::parse(cron, "UTC").unwrap();
            let spread = |id| schedule.spread_of(IntegrationId(id), Timestamp(0)).as_millis();
            let found = (1..2000).map(spread).max().unwrap();
            assert!(most * 99 / 100 < found && found < most, "{cron}: {found} ms");
        }
    }

    #[test]
    fn due_instants_are_spread_and_none_is_left_out() {
        let schedule = Schedule::parse("0 * * * *", "UTC").unwrap();
        let mut offsets = std::collections::BTreeSet::new();
        for id in (1..200).map(IntegrationId) {
            let mut now = at("2026-11-23T10:00:00Z");
            let mut dues = Vec::new();
            for _ in 0..3 {
                now = schedule.next_due(id, now).unwrap();
                dues.push(now);
            }
            let offset = dues[0].0 % 3_600_000;
            assert!(offset < 300_000, "{id:?}: {offset}");
            assert_eq!(dues[1].0 - dues[0].0, 3_600_000);
            assert_eq!(dues[2].0 - dues[1].0, 3_600_000);
            offsets.insert(offset);
        }
        assert!(150 < offsets.len());
    }

    /// A case on which independent libraries agree.
    #[derive(serde::Deserialize)]
    struct Agreed {
        tz: String,
        expr: String,
        after: String,
        expected: Vec<String>,
    }

    #[test]
    fn instants_around_clock_changes_are_those_on_which_independent_libraries_agree() {
        let cases = include_str!("../../tests/contract/cron_dst_cases.json");
        let cases: Vec<Agreed> = serde_json::from_str(cases).unwrap();
        assert!(100 < cases.len());
        for Agreed { tz, expr, after, expected } in cases {
            let schedule = Schedule::parse(&expr, &tz).unwrap();
            let mut now = at(&after);
            for expected in expected {
                now = schedule.next_after(now).unwrap();
                assert_eq!(now, at(&expected), "{expr} in {tz} after {after}");
            }
        }
    }

    /// A schedule with the longest time between two of its instants, when no clock is changed.
    /// With a star for the hour, an instant that a change leaves out is not made up for: that is
    /// cron's own rule, and the time doubles.
    fn regular() -> impl Strategy<Value = (String, Duration)> {
        let (minutes, hours) = (Duration::from_mins, Duration::from_hours);
        prop_oneof![
            sample::select(vec![1_u64, 2, 5, 10, 15, 20, 30])
                .prop_map(move |n| (format!("*/{n} * * * *"), minutes(n))),
            (0_u64..60).prop_map(move |m| (format!("{m} * * * *"), hours(1))),
            (0_u64..60, sample::select(vec![2_u64, 3, 4, 6, 8, 12]))
                .prop_map(move |(m, n)| (format!("{m} */{n} * * *"), hours(2 * n))),
            (0_u64..60, 0_u64..24).prop_map(move |(m, h)| (format!("{m} {h} * * *"), hours(24))),
            (0_u64..60, 0_u64..24, 0_u64..7)
                .prop_map(move |(m, h, d)| (format!("{m} {h} * * {d}"), hours(24 * 7))),
            (0_u64..60, 0_u64..60, 0_u64..24)
                .prop_map(move |(s, m, h)| (format!("{s} {m} {h} * * *"), hours(24))),
        ]
    }

    /// The hour and minute of a daily expression; of another one, no time at all.
    fn at_time(expression: &str) -> String {
        let fields: Vec<_> = expression.split(' ').rev().collect();
        let number = |place: usize| fields[place].parse::<u8>().ok();
        let time = number(3).zip(number(4));
        time.map_or(String::new(), |(hour, minute)| format!("{hour:02}:{minute:02}"))
    }

    fn zones() -> impl Strategy<Value = String> {
        let names: Vec<_> = jiff::tz::db().available().map(|name| name.to_string()).collect();
        assert!(300 < names.len(), "only {} zones", names.len());
        sample::select(names)
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 512, ..ProptestConfig::default() })]

        #[test]
        fn every_instant_comes_once_and_none_is_late(
            (expression, longest) in regular(),
            zone in zones(),
            start in 1_577_836_800_000_i64..2_051_222_400_000,
            id in 1_i64..100_000,
        ) {
            // The clocks of the world were and will be changed by three hours at most in these years.
            let change = Duration::from_hours(3);
            let schedule = Schedule::parse(&expression, &zone).unwrap();
            let id = IntegrationId(id);
            let (mut instant, mut due) = (Timestamp(start), Timestamp(start));
            let mut days = Vec::new();
            for _ in 0..40 {
                let (next, next_due) =
                    (schedule.next_after(instant).unwrap(), schedule.next_due(id, due).unwrap());
                prop_assert!(instant < next && due < next_due, "time goes on");
                prop_assert!(next.since(instant) <= longest + change, "{instant} to {next}");
                prop_assert!(
                    next_due.since(due) <= longest + change + SPREAD_MAX,
                    "due at {due}, then at {next_due}"
                );
                prop_assert_eq!(schedule.next_after(Timestamp(next.0 - 1)), Some(next));
                let local = schedule.local(next);
                // One that a change of the clock leaves out is made up for, on the next day at times.
                if local[11..16] == at_time(&expression) {
                    days.push(local[..10].to_owned());
                }
                (instant, due) = (next, next_due);
            }
            if longest == Duration::from_hours(24) && !expression.contains("*/") {
                let before = days.len();
                days.dedup();
                prop_assert_eq!(days.len(), before, "a day has two instants");
            }
        }
    }
}
