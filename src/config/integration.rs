//! What every integration says, whatever its platform.

use std::collections::BTreeMap;

use super::Entry;
use super::schedules::Schedules;
use super::settings::{Defaults, Evidence, Sought};
use crate::domain::{Lookout, Policy, Schedule, is_unseen};
use crate::input::{Faults, Reader, quoted};

/// The longest name, in characters.
const NAME_MAX: usize = 128;
/// The most labels of one integration.
const LABELS_MAX: usize = 64;
/// The longest value of a label, in characters.
const LABEL_MAX: usize = 256;

/// An integration of which everything but its platform's part has been read.
///
/// What is wrong is missing here and stands among the faults; the platform's part is still worth
/// looking at then, so that all faults come out together.
#[derive(Debug)]
pub(crate) struct Integration {
    /// The whole table and where it stands.
    pub(crate) entry: Entry,
    /// The platform's published name.
    pub(crate) kind: Option<String>,
    /// As configured.
    pub(crate) auto_bootstrap: Option<bool>,
    /// What the daemon itself needs to know.
    pub(crate) plan: Option<Plan>,
}

/// What the daemon itself needs to know of an integration.
#[derive(Clone, Debug)]
pub(crate) struct Plan {
    /// Its unique name.
    pub(crate) name: String,
    /// Force disabled.
    pub(crate) disabled: bool,
    /// When it is due.
    pub(crate) schedule: Schedule,
    /// How much evidence a verdict needs.
    pub(crate) policy: Policy,
    /// What is looked out for besides the platform's tests.
    pub(crate) lookout: Lookout,
    /// Free words.
    pub(crate) labels: BTreeMap<String, String>,
}

impl Integration {
    /// Reads the table at `entry`.
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
            let told = |problem| reader.fault("name", format!("{problem}, found {}", quoted(name)));
            problem.map(told).is_none()
        });
        let kind = reader.required_string("type");
        let auto_bootstrap = reader.boolean("autoBootstrap");
        let disabled = reader.boolean("disabled").unwrap_or(false);
        let when = schedules.read(&mut reader);
        let evidence = Evidence::read(&mut reader);
        let sought = Sought::read(&mut reader);
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
            lookout: sought.or(&defaults.lookout),
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

/// What is wrong with a name, if anything.
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
