//! What is special about an integration: messages that are held, flapping, outages, faults of ours.

use anyhow::Context as _;

use super::Trouble;
use super::print::{Screen, Tone, ago, ahead, counted, instant, sanitise, status_word, toned};
use crate::daemon::Assembly;
use crate::domain::{About, Factor, Policy, Timestamp, duration_text};
use crate::store::{HoldRow, IntegrationRow, OutageRow, OwnFaultRow, SilenceRow, View, each_page};

/// What its row does not say.
#[derive(Debug, Default)]
pub(super) struct Special {
    /// What holds messages about it now, whether or not there is one; the longest first. Without the
    /// configuration no maintenance is known.
    pub(super) in_force: Vec<HoldRow>,
    /// How many flips are let pass, when the configuration is known.
    pub(super) policy: Option<Policy>,
    /// The outage that its failure belongs to.
    pub(super) outage: Option<OutageRow>,
    /// What it may have in common with others, and with how many it has.
    pub(super) factors: Vec<(Factor, u32)>,
}

impl Special {
    /// Reads it from the store and from the configuration, if that is known.
    pub(super) async fn read(
        view: &View,
        assembly: Option<&Assembly>,
        row: &IntegrationRow,
        now: Timestamp,
    ) -> Result<Self, Trouble> {
        let reading = "reading the store";
        let about = About { name: &row.name, kind: &row.kind, labels: &row.labels };
        let mut in_force = Vec::new();
        let hold = |one: SilenceRow| {
            let by = || format!("{} {}", one.kind(), one.id);
            one.covers(row.id, about).then(|| HoldRow { by: by(), until: one.until })
        };
        each_page(
            async |page| view.silences(false, now, page).await,
            |rows| in_force.extend(rows.into_iter().filter_map(hold)),
        )
        .await
        .context(reading)?;
        let windows = assembly.map(|assembly| assembly.maintenance.iter());
        for window in windows.into_iter().flatten() {
            let until = window.open_until(now).filter(|_| window.selection.fits(about));
            let by = || format!("maintenance `{}`", window.name);
            in_force.extend(until.map(|until| HoldRow { by: by(), until }));
        }
        let calm = row.flapping_until.filter(|until| now < *until);
        in_force.extend(calm.map(|until| HoldRow { by: "flapping".to_owned(), until }));
        in_force.sort_by_key(|hold| std::cmp::Reverse(hold.until));
        let outage = match &row.outage_id {
            Some(id) => view.outage(id).await.context(reading)?,
            None => None,
        };
        let configured = assembly.and_then(|assembly| assembly.integrations.get(&row.name));
        Ok(Self {
            in_force,
            policy: configured.map(|one| one.policy),
            outage,
            factors: view.factors(row.id).await.context(reading)?,
        })
    }

    /// What there is to say of `row`, by name.
    pub(super) fn facts(
        &self,
        row: &IntegrationRow,
        screen: Screen,
    ) -> Vec<(&'static str, String)> {
        let until = |hold: &HoldRow| {
            let (at, left) = (instant(Some(hold.until)), ahead(screen.now, hold.until));
            format!("{} until {at} ({left})", sanitise(&hold.by))
        };
        let held = row.hold.as_ref();
        let in_force: Vec<_> = self.in_force.iter().map(until).collect();
        let is_news = !in_force.is_empty() && held.map(until).as_slice() != in_force.as_slice();
        let told = (row.told != row.status).then(|| status_word(row.told));
        let facts = [
            ("Told", told),
            ("Held", held.map(|hold| format!("by {}", until(hold)))),
            ("In force", is_news.then(|| in_force.join("; "))),
            ("Flips", self.flips(row, screen.now)),
            ("Flapping", flapping(row, screen)),
            ("Outage", self.outage.as_ref().map(|outage| outage_text(outage, screen))),
            ("Ours", row.own_fault.map(|fault| format!("{}, so the status stays", fault.as_str()))),
            ("Shared", self.shared()),
        ];
        facts.into_iter().filter_map(|(name, value)| Some((name, value?))).collect()
    }

    /// The flips that count towards flapping, and how many may.
    fn flips(&self, row: &IntegrationRow, now: Timestamp) -> Option<String> {
        let count = counting(row, self.policy.as_ref(), now).len();
        let limits = self.policy.map_or_else(String::new, |policy| {
            let window = duration_text(policy.flap_window);
            format!(" within {window}; {} are let pass", policy.flap_flips)
        });
        (0 < count).then(|| format!("{count} told{limits}"))
    }

    fn shared(&self) -> Option<String> {
        let shared = self.factors.iter().filter(|(_, others)| 0 < *others);
        let text = shared.map(|(factor, others)| {
            let others = counted(usize::try_from(*others).unwrap_or(usize::MAX), "other");
            format!("{} with {others}", factor_text(factor))
        });
        let texts: Vec<_> = text.collect();
        (!texts.is_empty()).then(|| texts.join(", "))
    }
}

/// The flips that were told within the window of `policy`; all that are kept without one.
pub(super) fn counting(
    row: &IntegrationRow,
    policy: Option<&Policy>,
    now: Timestamp,
) -> Vec<Timestamp> {
    let after = policy.map(|policy| now.minus(policy.flap_window));
    let flips = row.flips.0.iter().copied();
    flips.filter(|at| after.is_none_or(|after| after < *at)).collect()
}

fn flapping(row: &IntegrationRow, screen: Screen) -> Option<String> {
    let since = row.flapping_since?;
    let calm = row.flapping_until.map(|until| {
        let (at, left) = (instant(Some(until)), ahead(screen.now, until));
        format!("; calm at {at} ({left}) without another flip")
    });
    let (at, age) = (instant(Some(since)), ago(screen.now, since));
    Some(format!("since {at} ({age}){}", calm.unwrap_or_default()))
}

fn outage_text(outage: &OutageRow, screen: Screen) -> String {
    let (at, age) = (instant(Some(outage.since)), ago(screen.now, outage.since));
    format!("{} of {} since {at} ({age})", sanitise(&outage.id), factor_text(&outage.factor))
}

fn factor_text(factor: &Factor) -> String {
    format!("{} {}", factor.kind.as_str(), sanitise(&factor.value))
}

/// What is special about it in a few words, for lists.
pub(super) fn words(row: &IntegrationRow) -> String {
    let words = [
        row.hold.is_some().then_some("held"),
        row.flapping_since.is_some().then_some("flapping"),
        row.outage_id.is_some().then_some("outage"),
        row.own_fault.is_some().then_some("ours"),
    ];
    let words: Vec<_> = words.into_iter().flatten().collect();
    if words.is_empty() {
        return toned("-", Tone::Quiet);
    }
    toned(&words.join(", "), Tone::Caution)
}

/// A line for everything that is wrong on the daemon's own side.
pub(super) fn degraded(faults: &[OwnFaultRow], screen: Screen) -> String {
    let line = |row: &OwnFaultRow| {
        let (at, age) = (instant(Some(row.since)), ago(screen.now, row.since));
        let (word, fault) = (toned("degraded", Tone::Bad), row.fault.as_str());
        let message = sanitise(row.message.trim_end_matches('.'));
        let effect = "no status changes by it";
        format!("The daemon is {word} since {at} ({age}), {fault}: {message}; {effect}.\n")
    };
    faults.iter().map(line).collect()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::super::samples::{faults, integration, plain, screen, troubled};
    use super::*;

    /// Facts as lines without colours.
    fn lines(row: &IntegrationRow, special: &Special) -> String {
        let facts = special.facts(row, screen()).into_iter();
        let lines: Vec<_> = facts.map(|(name, value)| format!("{name}: {value}\n")).collect();
        plain(&lines.concat())
    }

    #[test]
    fn everything_special_is_a_line() {
        let (row, special) = troubled();
        let expected = "\
Told: enabled
Held: by silence 3 until 2026-11-23T12:00:00Z (in 2h)
In force: silence 3 until 2026-11-23T12:00:00Z (in 2h); flapping until 2026-11-23T10:20:00Z (in 20m)
Flips: 1 told within 6h; 3 are let pass
Flapping: since 2026-11-23T09:00:00Z (1h ago); calm at 2026-11-23T10:20:00Z (in 20m) without another flip
Outage: out_1 of host db\\u{1b} since 2026-11-23T08:00:00Z (2h ago)
Ours: network, so the status stays
Shared: host db\\u{1b} with 3 others
";
        assert_eq!(lines(&row, &special), expected);
        assert_eq!(lines(&integration(), &Special::default()), "");
    }

    #[test]
    fn what_is_in_force_is_told_unless_it_is_what_holds_already() {
        let (row, mut special) = troubled();
        special.in_force.truncate(1);
        let in_force =
            |row: &IntegrationRow, special: &Special| lines(row, special).contains("In force: ");
        assert!(!in_force(&row, &special));
        assert!(in_force(&IntegrationRow { hold: None, ..row.clone() }, &special));
        special.in_force.clear();
        assert!(!in_force(&row, &special), "it has just ended, and is soon let go");
    }

    #[test]
    fn flips_are_counted_as_far_as_the_policy_is_known() {
        let (row, mut special) = troubled();
        special.policy = Some(Policy { flap_window: Duration::from_hours(8), ..Policy::default() });
        assert_eq!(special.flips(&row, screen().now).unwrap(), "2 told within 8h; 3 are let pass");
        special.policy = None;
        assert_eq!(special.flips(&row, screen().now).unwrap(), "2 told");
    }

    #[test]
    fn a_list_has_a_few_words() {
        assert_eq!(plain(&words(&troubled().0)), "held, flapping, outage, ours");
        assert_eq!(plain(&words(&integration())), "-");
    }

    #[test]
    fn a_fault_of_the_daemon_is_a_sentence() {
        let expected = "The daemon is degraded since 2026-11-23T09:00:00Z (1h ago), network: no \
                        canary answers\\u{1b}; no status changes by it.\n";
        assert_eq!(plain(&degraded(&faults(), screen())), expected);
        assert_eq!(degraded(&[], screen()), "");
    }
}
