//! Configurations that were put in force: receivers are notified once of all that each of them changed.

use std::collections::BTreeMap;

use serde_json::Value as Json;

use super::checker::Checker;
use super::plan::Spec;

/// Part of an integration's configuration that plans change.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Configured {
    edition: u32,
    is_disabled: bool,
    team: String,
    schedule: String,
    is_renamed: bool,
}

impl From<&Spec> for Configured {
    fn from(spec: &Spec) -> Self {
        let schedule = format!("{:?}", (spec.schedule.text(), spec.schedule.zone()));
        // An edit of what is disabled is taken over when it is enabled again.
        let edition = if spec.disabled { 0 } else { spec.edition };
        Self {
            edition,
            is_disabled: spec.disabled,
            team: spec.team.as_str().to_owned(),
            schedule,
            is_renamed: spec.is_renamed,
        }
    }
}

impl Checker {
    /// Takes over the configuration that an event announces; returns true when its counts are those of the
    /// differences.
    pub(super) fn configured(&mut self, data: &Json) -> bool {
        let (old, new) = (std::mem::take(&mut self.configured), self.present());
        let added = new.keys().filter(|number| !old.contains_key(number)).count();
        let removed = old.keys().filter(|number| !new.contains_key(number)).count();
        let is_changed = |(number, one): &(&usize, &Configured)| {
            old.get(number).is_some_and(|former| former != *one)
        };
        let changed = new.iter().filter(is_changed).count();
        self.configured = new;
        let counts = ["added", "changed", "removed"].map(|key| data[key]["count"].as_u64());
        counts == [added, changed, removed].map(|count| u64::try_from(count).ok())
    }

    /// Checks after a reload that its changes were announced.
    pub(super) fn reloaded(&mut self) {
        let present = self.present();
        if self.configured != present {
            self.violated(format!("{present:?} is in force, announced was {:?}", self.configured));
        }
    }

    fn present(&self) -> BTreeMap<usize, Configured> {
        let present = self.specs.iter().enumerate().filter(|(_, spec)| spec.present);
        present.map(|(number, spec)| (number, spec.into())).collect()
    }
}
