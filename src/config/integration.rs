//! Reads `[[integration]]` tables: the keys that all platforms have in common.

use std::collections::BTreeMap;

use super::entry::Entry;
use super::schedules::Schedules;
use super::settings::{Defaults, Evidence, GivenChecks};
use crate::domain::{CommonChecks, Policy, Schedule, is_unseen};
use crate::input::{Faults, Reader, quoted};

/// Length limit of a name, in characters.
const NAME_MAX: usize = 128;
/// Number of labels that one integration can have.
const LABELS_MAX: usize = 64;
/// Length limit of a label's value, in characters.
const LABEL_MAX: usize = 256;

/// Integration of which everything but its platform's part has been read.
///
/// A faulty value is missing here and is among the faults; the platform's part is still read then, so
/// that all faults are reported together.
#[derive(Debug)]
pub(crate) struct Integration {
    /// Table of the integration, with its path.
    pub(crate) entry: Entry,
    /// Published name of the platform.
    pub(crate) kind: Option<String>,
    /// Value of `autoBootstrap`, where given.
    pub(crate) auto_bootstrap: Option<bool>,
    /// Keys that the daemon itself uses; none when one of them is faulty.
    pub(crate) plan: Option<Plan>,
}

/// Keys of an integration that the daemon itself uses.
#[derive(Clone, Debug)]
pub(crate) struct Plan {
    /// Unique name of the integration.
    pub(crate) name: String,
    /// True when it is not validated at all.
    pub(crate) disabled: bool,
    /// Schedule of its validation runs.
    pub(crate) schedule: Schedule,
    /// Policy of its verdicts: the evidence that each needs.
    pub(crate) policy: Policy,
    /// Tests of all platforms, added to those of its own.
    pub(crate) checks: CommonChecks,
    /// Labels, chosen by the user.
    pub(crate) labels: BTreeMap<String, String>,
}

impl Integration {
    /// Reads the table of `entry`; faults go to `faults`.
    pub(super) fn read(
        entry: Entry,
        defaults: &Defaults,
        schedules: &mut Schedules,
        faults: &Faults,
    ) -> Self {
        let Some(mut reader) = entry.reader(faults) else {
            return Self { entry, kind: None, auto_bootstrap: None, plan: None };
        };
        let name = reader.required_string("name").filter(|name| {
            let problem = name_problem(name);
            let report =
                |problem| reader.fault("name", format!("{problem}, found {}", quoted(name)));
            problem.map(report).is_none()
        });
        let kind = reader.required_string("type");
        let auto_bootstrap = reader.boolean("autoBootstrap");
        let disabled = reader.boolean("disabled").unwrap_or(false);
        let when = schedules.read(&mut reader);
        let evidence = Evidence::read(&mut reader);
        let checks = GivenChecks::read(&mut reader);
        let labels = labels(&mut reader);
        reader.required("config").and_then(|()| reader.table("config"));
        reader.finish();
        let cron = when.cron.as_deref().unwrap_or(defaults.schedule.text());
        let zone = when.zone.as_deref().unwrap_or(defaults.schedule.zone());
        let schedule = schedules.get(cron, zone).ok();
        let plan = name.zip(schedule).map(|(name, schedule)| Plan {
            name,
            disabled,
            schedule,
            policy: evidence.or(defaults.policy),
            checks: checks.or(&defaults.checks),
            labels,
        });
        Self { entry, kind, auto_bootstrap, plan }
    }
}

fn labels(reader: &mut Reader<'_>) -> BTreeMap<String, String> {
    let labels = reader.string_map("labels").unwrap_or_default();
    if LABELS_MAX < labels.len() {
        reader.fault("labels", format!("has {} entries; {LABELS_MAX} are allowed", labels.len()));
    }
    for (name, text) in &labels {
        if let Some(problem) = name_problem(name) {
            reader.fault("labels", format!("the name {} {problem}", quoted(name)));
        }
        if LABEL_MAX < text.chars().count() || text.chars().any(is_unseen) {
            let problem = format!("must be at most {LABEL_MAX} printable characters");
            reader.fault("labels", format!("{} {problem}", quoted(name)));
        }
    }
    labels
}

/// Returns the rule that a name breaks, if it breaks one.
fn name_problem(name: &str) -> Option<&'static str> {
    if name.is_empty() || NAME_MAX < name.chars().count() {
        Some("must be 1 to 128 characters long")
    } else if name.chars().any(is_unseen) {
        Some("must hold printable characters only")
    } else if name.trim() != name {
        Some("must not begin or end with a space")
    } else {
        None
    }
}
