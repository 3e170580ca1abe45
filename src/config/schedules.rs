//! Reads schedules with a cache: thousands of integrations share a few.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use crate::domain::{Schedule, ScheduleError, Timestamp};
use crate::input::{Reader, nearest, quoted};

/// Valid cron expression for checking a zone alone, so that both faults of a table are found.
const ANY_CRON: &str = "@daily";
/// Valid zone for checking a cron expression alone.
const ANY_ZONE: &str = "UTC";
/// Nicknames of cron expressions.
const NICKNAMES: [&str; 6] = ["@yearly", "@annually", "@monthly", "@weekly", "@daily", "@hourly"];

/// Fields of a cron expression without seconds, with the number of values that each can have.
const FIELDS: [(&str, u32); 5] =
    [("minute", 60), ("hour", 24), ("day of the month", 31), ("month", 12), ("day of the week", 7)];
/// Number of instants that a warning shows.
const SHOWN: usize = 3;

/// Cache of the schedules read so far; a clone has the same one, for another thread.
#[derive(Clone, Debug)]
pub(super) struct Schedules {
    now: Timestamp,
    known: Arc<Mutex<Known>>,
}

/// Schedules by expression and zone, or sentences that say why there is none.
type Known = HashMap<String, HashMap<String, Result<Schedule, String>>>;

/// Schedule of a table; a part is none when it is missing or wrong.
#[derive(Clone, Debug)]
pub(super) struct When {
    /// Cron expression, known to be valid.
    pub(super) cron: Option<String>,
    /// IANA time zone, known to be valid.
    pub(super) zone: Option<String>,
}

impl Schedules {
    /// Creates an empty cache; warnings show instants after `now`.
    pub(super) fn new(now: Timestamp) -> Self {
        Self { now, known: Arc::default() }
    }

    /// Reads `schedule` and `zone`.
    pub(super) fn read(&mut self, reader: &mut Reader<'_>) -> When {
        let cron = self.read_cron(reader, "schedule");
        let zone = reader.string("zone").filter(|zone| {
            let problem = self.get(ANY_CRON, zone).err();
            problem.inspect(|problem| reader.fault("zone", problem.clone())).is_none()
        });
        if let Some(cron) = &cron {
            self.warn_of_caveat(reader, cron, zone.as_deref().unwrap_or(ANY_ZONE));
        }
        When { cron, zone }
    }

    /// Warns of an expression that comes due at other instants than a reader may think.
    fn warn_of_caveat(&mut self, reader: &Reader<'_>, cron: &str, zone: &str) {
        let Some(caveat) = caveat(cron) else { return };
        let Ok(schedule) = self.get(cron, zone) else { return };
        let next =
            std::iter::successors(schedule.next_after(self.now), |at| schedule.next_after(*at));
        let next: Vec<_> = next.take(SHOWN).map(|at| schedule.local(at)).collect();
        reader.warn("schedule", format!("{} {caveat}; next: {}", quoted(cron), next.join(", ")));
    }

    /// Reads the cron expression `key`.
    pub(super) fn read_cron(
        &mut self,
        reader: &mut Reader<'_>,
        key: &'static str,
    ) -> Option<String> {
        reader.string(key).filter(|cron| {
            let problem = self.get(cron, ANY_ZONE).err();
            problem.inspect(|problem| reader.fault(key, problem.clone())).is_none()
        })
    }

    /// Returns the schedule, or a sentence that says why there is none.
    pub(super) fn get(&mut self, cron: &str, zone: &str) -> Result<Schedule, String> {
        let mut all = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = all.get(cron).and_then(|zones| zones.get(zone)) {
            return known.clone();
        }
        let schedule = Schedule::parse(cron, zone).map_err(|error| schedule_problem(&error));
        let zones = all.entry(cron.to_owned()).or_default();
        zones.entry(zone.to_owned()).or_insert(schedule).clone()
    }
}

/// Returns a sentence about a faulty schedule, with the nearest valid word.
pub(crate) fn schedule_problem(error: &ScheduleError) -> String {
    match error {
        ScheduleError::Zone(zone) => {
            let names: Vec<_> =
                jiff::tz::db().available().map(|name| name.as_str().to_owned()).collect();
            let near = nearest(zone, names.iter().map(String::as_str));
            format!("{} is not an IANA time zone{}", quoted(zone), hint(near))
        }
        ScheduleError::Cron { expression, reason } => {
            let fields = expression.split_whitespace().count();
            let reason = if expression.starts_with('@') {
                let near = nearest(expression, NICKNAMES.into_iter());
                format!("there is no such nickname{}", hint(near))
            } else if matches!(fields, 5 | 6) {
                reason.trim_end_matches('.').to_owned()
            } else {
                format!("expected 5 fields, or 6 with the seconds first, found {fields}")
            };
            format!("{} is not a cron expression: {reason}", quoted(expression))
        }
        ScheduleError::Never(expression) => format!("{} never comes due", quoted(expression)),
    }
}

/// Returns what is easily misread in a valid expression.
fn caveat(cron: &str) -> Option<String> {
    let fields: Vec<_> = cron.split_whitespace().collect();
    // Seconds, where they are given, come first.
    let fields = fields.get(fields.len().checked_sub(FIELDS.len())?..)?;
    let wide = fields.iter().zip(FIELDS).find_map(|(field, (name, values))| {
        let step = field.split(',').find_map(|part| part.strip_prefix("*/"))?;
        let is_wide = step.parse::<u32>().is_ok_and(|step| values <= step);
        is_wide.then(|| format!("steps over every {name} but the first"))
    });
    let is_limited =
        |place: usize| fields.get(place).is_some_and(|field| !field.starts_with(['*', '?']));
    let either = is_limited(2) && is_limited(4);
    let either = either.then(|| {
        "comes due when the day of the month or the day of the week fits, not only when both do"
            .to_owned()
    });
    wide.or(either)
}

fn hint(near: Option<&str>) -> String {
    near.map_or(String::new(), |near| format!("; did you mean `{near}`?"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn expression_that_is_easily_misread_gets_a_caveat() {
        let both = "comes due when the day of the month or the day of the week fits, not only when both \
                    do";
        let table = [
            ("*/61 * * * *", Some("steps over every minute but the first")),
            ("0 */24 * * *", Some("steps over every hour but the first")),
            ("30 0,*/25 * * * *", None),
            ("30 0 */25 * * *", Some("steps over every hour but the first")),
            ("0 9 1 * 1", Some(both)),
            ("0 0 9 1 * MON", Some(both)),
            ("0 9 1 * *", None),
            ("0 9 * * 1-5", None),
            ("0 9 ? * 1", None),
            ("*/15 * * * *", None),
            ("@daily", None),
        ];
        for (cron, expected) in table {
            assert_eq!(caveat(cron).as_deref(), expected, "{cron}");
        }
    }

    /// Reads the keys of a table at the first instant of 2026; returns its faults and warnings.
    fn read(lines: &str) -> (Vec<String>, Vec<String>) {
        let value = super::super::format::Format::Toml.parse(lines, "f").unwrap();
        let faults = crate::input::Faults::default();
        let mut schedules = Schedules::new("2026-01-01T00:00:00Z".parse().unwrap());
        let mut reader = Reader::new(&value, "", &faults).unwrap();
        schedules.read(&mut reader);
        let (faults, warnings) = faults.into_parts();
        let texts =
            |found: Vec<crate::input::Fault>| found.iter().map(ToString::to_string).collect();
        (texts(faults), texts(warnings))
    }

    #[test]
    fn warning_of_a_caveat_shows_the_next_three_instants_in_the_zone() {
        let (faults, warnings) = read("schedule = \"0 9 1 * MON\"\nzone = \"Europe/Berlin\"\n");
        assert_eq!(faults, [""; 0]);
        let expected = "f:1: schedule: \"0 9 1 * MON\" comes due when the day of the month or the day of \
                        the week fits, not only when both do; next: 2026-01-01 09:00:00 CET, 2026-01-05 \
                        09:00:00 CET, 2026-01-12 09:00:00 CET";
        assert_eq!(warnings, [expected]);
        let (_, warnings) = read("schedule = \"*/61 * * * *\"\n");
        let expected = "f:1: schedule: \"*/61 * * * *\" steps over every minute but the first; next: \
                        2026-01-01 01:00:00 UTC, 2026-01-01 02:00:00 UTC, 2026-01-01 03:00:00 UTC";
        assert_eq!(warnings, [expected]);
    }

    #[test]
    fn expression_that_means_what_it_says_is_read_without_a_word() {
        for cron in ["*/15 * * * *", "@hourly", "0 9 * * 1-5", "0 30 9 1 * *"] {
            let (faults, warnings) = read(&format!("schedule = \"{cron}\"\n"));
            assert_eq!((faults, warnings), (vec![], vec![]), "{cron}");
        }
        let (faults, warnings) = read("schedule = \"*/61 * *\"\nzone = \"Mars\"\n");
        assert_eq!((faults.len(), warnings.len()), (2, 0), "a fault is no caveat");
    }

    #[test]
    fn every_nickname_is_a_valid_expression() {
        for nickname in NICKNAMES {
            Schedule::parse(nickname, ANY_ZONE).unwrap();
        }
    }
}
