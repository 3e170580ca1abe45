//! Difference between a configuration and what is in force (dry run): what a reload would change.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;
use serde_json::Value as Json;

use super::renames::renames;
use super::sync::{Stored, Wanted};
use crate::domain::{About, EventType, Status, Subscription};

/// Change that a reload would make to an integration or a receiver.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd, Serialize, strum::IntoStaticStr)]
#[strum(serialize_all = "camelCase", const_into_str)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(crate) enum ChangeKind {
    /// It is new in the configuration.
    Added,
    /// It is another one than before.
    Changed,
    /// It goes on under another name.
    Renamed,
    /// It is no longer validated, and keeps its place.
    Disabled,
    /// It is no longer in the configuration.
    Removed,
}

/// Change that a reload would make to one integration.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(crate) struct IntegrationChange {
    /// Name in the configuration.
    pub(crate) name: String,
    /// Kind of the change.
    pub(crate) change: ChangeKind,
    /// Name until now, where that is another one.
    pub(crate) formerly: Option<String>,
    /// Keys whose values differ, as paths such as `config.host`.
    pub(crate) keys: Vec<String>,
    /// True when its open incident ends by the change.
    pub(crate) ends_incident: bool,
}

/// Change that a reload would make to one receiver.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(crate) struct ReceiverChange {
    /// Name in the configuration.
    pub(crate) name: String,
    /// Kind of the change; none when only the integrations differ that it selects.
    pub(crate) change: Option<ChangeKind>,
    /// Keys whose values differ, as paths such as `tls.certificate`.
    pub(crate) keys: Vec<String>,
    /// Types of events that it begins to be sent.
    pub(crate) begins_events: Vec<&'static str>,
    /// Types of events that it is no longer sent.
    pub(crate) stops_events: Vec<&'static str>,
    /// Integrations, of those that stay, of which it begins to be notified.
    pub(crate) begins_integrations: Vec<String>,
    /// Integrations, of those that stay, of which it is no longer notified.
    pub(crate) stops_integrations: Vec<String>,
    /// Number of pending messages that its format has no place for, so that they are passed over.
    pub(crate) passed_over: u32,
}

/// Everything that a reload would change.
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(crate) struct Difference {
    /// Reason for which the reload would be refused.
    pub(crate) refused: Option<String>,
    /// Integrations that a reload would change.
    pub(crate) integrations: Vec<IntegrationChange>,
    /// Receivers that change, or that other integrations are selected by.
    pub(crate) receivers: Vec<ReceiverChange>,
}

/// Receiver of a configuration, as far as differences are shown.
#[derive(Clone, Debug)]
pub(crate) struct Described {
    /// Subscription of the receiver, if it can be read.
    pub(crate) subscription: Option<Subscription>,
    /// Table of the receiver without its secrets.
    pub(crate) table: Json,
    /// Number of pending messages that its format has no place for.
    pub(crate) passed_over: u32,
}

/// Integration before and after a reload.
#[derive(Clone, Copy, Debug)]
struct Pair<'a> {
    /// Row that it goes on with; none when it is new.
    old: Option<&'a Stored>,
    new: &'a Wanted,
}

impl Difference {
    /// Returns the difference between `wanted` and the rows `stored` by name, and between the receivers `before`
    /// and `after` by name.
    pub(crate) fn between(
        stored: &BTreeMap<String, Stored>,
        wanted: &[Wanted],
        before: &BTreeMap<String, Described>,
        after: &BTreeMap<String, Described>,
    ) -> Self {
        let pairs = pairs(stored, wanted);
        let mut integrations: Vec<_> = pairs.iter().filter_map(|pair| integration(*pair)).collect();
        let kept = pairs.iter().filter_map(|pair| Some(pair.old?.row.name.as_str()));
        let kept: BTreeSet<_> = kept.collect();
        let gone = stored.values().filter(|old| {
            !kept.contains(old.row.name.as_str()) && old.row.status != Status::Deleting
        });
        integrations.extend(gone.map(|old| IntegrationChange {
            name: old.row.name.clone(),
            change: ChangeKind::Removed,
            formerly: None,
            keys: Vec::new(),
            ends_incident: old.row.incident.is_some(),
        }));
        let names: BTreeSet<_> = before.keys().chain(after.keys()).collect();
        let change = |name: &String| receiver(name, before.get(name), after.get(name), &pairs);
        let receivers = names.into_iter().filter_map(change).collect();
        Self { refused: None, integrations, receivers }
    }

    /// Returns true when nothing would change.
    pub(crate) fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// Returns each integration of a configuration with the row that it goes on with.
fn pairs<'a>(stored: &'a BTreeMap<String, Stored>, wanted: &'a [Wanted]) -> Vec<Pair<'a>> {
    let used = stored.iter().map(|(name, one)| (name.as_str(), one.formerly.as_deref()));
    let renames = renames(wanted, &used.collect());
    let taken: BTreeSet<_> = renames.values().copied().collect();
    let row = |one: &Wanted| match renames.get(one.name.as_str()) {
        Some(former) => stored.get(*former),
        None => stored.get(&one.name).filter(|_| !taken.contains(one.name.as_str())),
    };
    wanted.iter().map(|new| Pair { old: row(new), new }).collect()
}

fn integration(Pair { old, new }: Pair<'_>) -> Option<IntegrationChange> {
    let name = new.name.clone();
    let Some(old) = old.filter(|old| old.row.status != Status::Deleting) else {
        let change = ChangeKind::Added;
        return Some(IntegrationChange {
            name,
            change,
            formerly: None,
            keys: Vec::new(),
            ends_incident: false,
        });
    };
    let formerly = (old.row.name != new.name).then(|| old.row.name.clone());
    let keys = changed_keys(old, new);
    let is_disabled = new.disabled && old.row.status != Status::Disabled;
    let change = match (&formerly, is_disabled) {
        (_, true) => ChangeKind::Disabled,
        (Some(_), false) => ChangeKind::Renamed,
        (None, false) if keys.is_empty() => return None,
        (None, false) => ChangeKind::Changed,
    };
    let ends_incident = old.row.incident.is_some() && (is_disabled || formerly.is_some());
    Some(IntegrationChange { name, change, formerly, keys, ends_incident })
}

fn changed_keys(old: &Stored, new: &Wanted) -> Vec<String> {
    let mut keys = Vec::new();
    let parsed = |text: &str| serde_json::from_str::<Json>(text).unwrap_or_default();
    let newest = old.candidate_config.as_ref().or(old.active_config.as_ref());
    let pairs = [
        ("type", old.row.kind != new.kind),
        ("autoBootstrap", old.auto_bootstrap != new.auto_bootstrap),
        ("disabled", (old.row.status == Status::Disabled) != new.disabled),
        ("schedule", old.row.cron != new.schedule.text()),
        ("zone", old.row.zone != new.schedule.zone()),
        ("run_on", old.pool.as_ref().is_some_and(|pool| *pool != new.run_on.text())),
    ];
    keys.extend(pairs.into_iter().filter(|(_, differs)| *differs).map(|(key, _)| key.to_owned()));
    let labels =
        |labels: &BTreeMap<String, String>| serde_json::to_value(labels).unwrap_or_default();
    differing(&labels(&old.row.labels), &labels(&new.labels), "labels", &mut keys);
    let config = newest.map_or(Json::Null, |text| parsed(text));
    differing(&config, &parsed(&new.config), "config", &mut keys);
    keys
}

/// Adds the paths of the values in which two documents differ. A reference to a secret is one value.
fn differing(old: &Json, new: &Json, path: &str, keys: &mut Vec<String>) {
    let is_reference = |json: &Json| {
        let kinds = ["file", "env", "credential"];
        json.as_object()
            .is_some_and(|one| one.len() == 1 && kinds.iter().any(|kind| one.contains_key(*kind)))
    };
    if old == new {
        return;
    }
    let (Some(one), Some(two)) = (old.as_object(), new.as_object()) else {
        keys.push(path.to_owned());
        return;
    };
    if is_reference(old) || is_reference(new) {
        keys.push(path.to_owned());
        return;
    }
    let names: BTreeSet<_> = one.keys().chain(two.keys()).collect();
    for name in names {
        let value =
            |from: &serde_json::Map<String, Json>| from.get(name).cloned().unwrap_or_default();
        let path = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
        differing(&value(one), &value(two), &path, keys);
    }
}

fn receiver(
    name: &str,
    old: Option<&Described>,
    new: Option<&Described>,
    integrations: &[Pair<'_>],
) -> Option<ReceiverChange> {
    let mut keys = Vec::new();
    if let (Some(old), Some(new)) = (old, new) {
        differing(&old.table, &new.table, "", &mut keys);
    }
    let change = match (old, new) {
        (None, _) => Some(ChangeKind::Added),
        (_, None) => Some(ChangeKind::Removed),
        (Some(_), Some(_)) if keys.is_empty() => None,
        (Some(_), Some(_)) => Some(ChangeKind::Changed),
    };
    let subscription = |of: Option<&Described>| of.and_then(|one| one.subscription.clone());
    let (before, after) = (subscription(old), subscription(new));
    let mut change = ReceiverChange {
        name: name.to_owned(),
        change,
        keys,
        begins_events: Vec::new(),
        stops_events: Vec::new(),
        begins_integrations: Vec::new(),
        stops_integrations: Vec::new(),
        passed_over: new.map_or(0, |new| new.passed_over),
    };
    // Of a receiver that is new or gone, nothing needs to be said besides.
    if let (Some(before), Some(after)) = (before, after) {
        hearing(&mut change, &before, &after, integrations);
    }
    let is_same = change.change.is_none()
        && change.begins_integrations.is_empty()
        && change.stops_integrations.is_empty();
    (!is_same).then_some(change)
}

/// Adds what a receiver begins and stops to be sent.
fn hearing(
    change: &mut ReceiverChange,
    before: &Subscription,
    after: &Subscription,
    integrations: &[Pair<'_>],
) {
    for &kind in EventType::ALL {
        match (before.wants_kind(kind), after.wants_kind(kind)) {
            (false, true) => change.begins_events.push(kind.as_str()),
            (true, false) => change.stops_events.push(kind.as_str()),
            (true, true) | (false, false) => {}
        }
    }
    for Pair { old, new } in integrations {
        let Some(old) = old else { continue };
        let about = About { name: &new.name, kind: &new.kind, labels: &new.labels };
        match (before.selection.fits(old.row.about()), after.selection.fits(about)) {
            (false, true) => change.begins_integrations.push(new.name.clone()),
            (true, false) => change.stops_integrations.push(new.name.clone()),
            (true, true) | (false, false) => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::row::Incident;
    use super::super::tests::bench::Bench;
    use super::super::tests::samples::wanted;
    use super::*;
    use crate::domain::{Selection, Timestamp};

    /// Returns the rows of integrations as they are stored; those of `failing` have an incident.
    fn stored(all: &[Wanted], failing: &[&str]) -> BTreeMap<String, Stored> {
        let mut bench = Bench::new();
        bench.sync(all);
        let named = |one: &Wanted| {
            let mut stored = bench.stored(&one.name).clone();
            let since = Timestamp(0);
            let incident = Incident { id: "inc_1".to_owned(), since, is_notified: true };
            stored.row.incident = failing.contains(&one.name.as_str()).then_some(incident);
            (one.name.clone(), stored)
        };
        all.iter().map(named).collect()
    }

    /// Writes the changes of integrations one a line.
    fn lines(stored: &BTreeMap<String, Stored>, wanted: &[Wanted]) -> Vec<String> {
        let none = BTreeMap::new();
        let difference = Difference::between(stored, wanted, &none, &none);
        let line = |one: &IntegrationChange| {
            let formerly = one.formerly.as_ref().map(|name| format!(" < {name}"));
            let ends = if one.ends_incident { " ends" } else { "" };
            let (name, change, keys) = (&one.name, one.change.into_str(), one.keys.join(" "));
            format!("{change} {name}{}: {keys}{ends}", formerly.unwrap_or_default())
        };
        difference.integrations.iter().map(line).collect()
    }

    #[test]
    fn changed_integrations_are_listed_with_their_keys_and_the_incidents_that_end() {
        let stored = stored(&[wanted("a"), wanted("b"), wanted("c"), wanted("d")], &["b", "c"]);
        let config = r#"{"host":"two","port":1,"password":{"env":"P"}}"#.to_owned();
        let edited = Wanted {
            config,
            labels: [("team".to_owned(), "x".to_owned())].into(),
            auto_bootstrap: None,
            ..wanted("a")
        };
        let disabled = Wanted { disabled: true, ..wanted("b") };
        let renamed = Wanted { formerly: Some("c".to_owned()), ..wanted("e") };
        let found = lines(&stored, &[edited, disabled, renamed, wanted("new")]);
        let expected = [
            "changed a: autoBootstrap labels.team config.host config.password config.port",
            "disabled b: disabled ends",
            "renamed e < c:  ends",
            "added new: ",
            "removed d: ",
        ];
        assert_eq!(found, expected);
        let same = [wanted("a"), wanted("b"), wanted("c"), wanted("d")];
        assert_eq!(lines(&stored, &same), [""; 0]);
    }

    fn described(events: &[&str], team: &str, format: &str) -> Described {
        let selection = Selection {
            labels: [("team".to_owned(), team.to_owned())].into(),
            ..Selection::default()
        };
        let events = events.iter().map(|&event| event.to_owned()).collect();
        let subscription = Subscription { events, selection, ..Subscription::default() };
        let table = json!({ "format": format, "secrets": [{ "file": "/s" }] });
        Described { subscription: Some(subscription), table, passed_over: 3 }
    }

    #[test]
    fn receiver_shows_what_it_begins_and_stops_to_be_sent() {
        let of_team = |name: &str, team: &str| Wanted {
            labels: [("team".to_owned(), team.to_owned())].into(),
            ..wanted(name)
        };
        let stored = stored(&[wanted("a"), wanted("b"), of_team("c", "x")], &[]);
        let integrations = [wanted("a"), of_team("b", "ml"), of_team("c", "ml")];
        let of = |name: &str, one: Described| BTreeMap::from([(name.to_owned(), one)]);
        let events = ["integration.validation.failed", "daemon.degraded"];
        let change = |before: BTreeMap<_, _>, after: BTreeMap<_, _>| {
            Difference::between(&stored, &integrations, &before, &after).receivers
        };
        let before = of("r", described(&events, "data", "standard"));
        let after = of("r", described(&events[..1], "ml", "slack"));
        let found = &change(before.clone(), after)[0];
        assert_eq!(
            (found.change, &found.keys),
            (Some(ChangeKind::Changed), &vec!["format".to_owned()])
        );
        assert_eq!(
            (&found.begins_events, &found.stops_events),
            (&vec![], &vec!["daemon.degraded"])
        );
        assert_eq!(
            (&found.begins_integrations, &found.stops_integrations),
            (&vec!["c".to_owned()], &vec!["a".to_owned()])
        );
        assert_eq!(found.passed_over, 3);
        let labels_only = &change(before.clone(), before.clone())[0];
        assert_eq!(
            (labels_only.change, &labels_only.stops_integrations),
            (None, &vec!["b".to_owned()])
        );
        let none = BTreeMap::new();
        assert_eq!(change(none.clone(), before.clone())[0].change, Some(ChangeKind::Added));
        assert_eq!(change(before, none)[0].change, Some(ChangeKind::Removed));
    }
}
