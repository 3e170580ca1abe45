//! Alertmanager's API v2 (`POST /api/v2/alerts`): a failure fires an alert, a recovery resolves it.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::Serialize;

use super::alarm::{Alarm, Severity};
use super::text::{self, Line};
use crate::domain::{Event, Timestamp};

/// Time for which an alert fires after it was last sent. It is sent again long before; a daemon that is stopped
/// for days does not resolve an alert that may still be true, and one that never returns does not page for ever.
const FIRING_MAX: Duration = Duration::from_hours(24 * 7);

/// Alert as the API takes it.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Alert {
    labels: BTreeMap<String, String>,
    annotations: BTreeMap<&'static str, String>,
    starts_at: Timestamp,
    ends_at: Timestamp,
    /// Link to the page, under the name that Alertmanager has for the alert's source.
    #[serde(rename = "generatorURL", skip_serializing_if = "Option::is_none")]
    generator_url: Option<String>,
}

/// Returns the alert for `event`, as of the instant `at`; none for one that neither fires nor ends. Its labels,
/// by which Alertmanager knows it, are those of the event that `began` it.
pub(super) fn alert(event: &Event, began: &Event, at: Timestamp) -> Option<Alert> {
    let alarm = Alarm::of(event)?;
    let ends_at = match Severity::of(event) {
        Severity::Failure => at.max(event.timestamp).plus(FIRING_MAX),
        Severity::Recovery => event.timestamp,
        Severity::Warning | Severity::Notice => return None,
    };
    let mut annotations = BTreeMap::from([("summary", text::summary(event))]);
    let lines = text::lines(event);
    let description: Vec<_> = lines.iter().map(Line::text).collect();
    if !description.is_empty() {
        annotations.insert("description", description.join("\n"));
    }
    let remediation: Vec<_> = lines.into_iter().filter_map(|line| line.remediation).collect();
    if !remediation.is_empty() {
        annotations.insert("remediation", remediation.join("\n"));
    }
    annotations.extend(text::drift(event).map(|drift| ("drift", drift)));
    let starts_at = alarm.since.min(ends_at);
    let generator_url = text::page(event).map(str::to_owned);
    Some(Alert { labels: labels(began)?, annotations, starts_at, ends_at, generator_url })
}

fn labels(began: &Event) -> Option<BTreeMap<String, String>> {
    let alarm = Alarm::of(began)?;
    let mut labels: BTreeMap<_, _> =
        alarm.labels.iter().map(|(name, value)| (label_name(name), value.clone())).collect();
    // An integration has a label of its own; every other source has a common one.
    let (what, source) = match text::about_integration(began) {
        Some(data) => ("integration", data.integration.name.as_str()),
        None => ("source", alarm.source.as_str()),
    };
    let own = [
        ("alertname", alarm.name),
        (what, source),
        ("type", alarm.component.as_str()),
        ("severity", "critical"),
    ];
    labels.extend(own.map(|(name, value)| (name.to_owned(), value.to_owned())));
    // An alert of a sample is another one than any that has happened.
    labels.extend(began.is_test.then(|| ("test".to_owned(), "true".to_owned())));
    Some(labels)
}

/// Returns the name of the alert's label for the label `name`, another one for each name: letters, digits and
/// `_` stay; a name with anything else is escaped as Prometheus does, with `U__` before it, `__` for `_`,
/// and the code point in hexadecimal between two `_` for the rest.
fn label_name(name: &str) -> String {
    const ESCAPED: &str = "U__";
    let is_plain = |c: char| c.is_ascii_alphanumeric();
    if name.chars().all(|c| is_plain(c) || c == '_') && !name.starts_with(ESCAPED) {
        return format!("label_{name}");
    }
    let escaped = name.chars().map(|c| match c {
        '_' => "__".to_owned(),
        c if is_plain(c) => c.to_string(),
        c => format!("_{:x}_", u32::from(c)),
    });
    format!("label_{ESCAPED}{}", escaped.collect::<String>())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::{prop_assert, prop_assert_ne, proptest};

    use super::*;
    use crate::domain::{Payload, samples};

    fn event(name: &str) -> Event {
        let (_, body) = samples().into_iter().find(|(found, _)| *found == name).unwrap();
        serde_json::from_str(&body).unwrap()
    }

    #[test]
    fn labels_that_differ_in_one_sign_have_names_of_their_own() {
        let names = ["a.b", "a_b", "a-b", "a__b", "a b", "U__a_2e_b", "a_2e_b", "a", "\u{e4}"];
        let found: BTreeSet<_> = names.iter().map(|name| label_name(name)).collect();
        assert_eq!(found.len(), names.len(), "{found:?}");
        assert_eq!(label_name("cost_center"), "label_cost_center");
        assert_eq!(label_name("a.b_c"), "label_U__a_2e_b__c");
    }

    proptest! {
        #[test]
        fn two_labels_never_have_one_name(one in "[aU_.\u{e4}2e]{0,6}", other in "[aU_.\u{e4}2e]{0,6}") {
            let found = label_name(&one);
            prop_assert!(found.chars().all(|c| c.is_ascii_alphanumeric() || c == '_'), "{found}");
            if one != other {
                prop_assert_ne!(found, label_name(&other));
            }
        }
    }

    #[test]
    fn alert_is_resolved_under_the_labels_with_which_it_fired() {
        let (failed, mut recovered) = (event("failed"), event("recovered"));
        let Payload::Integration(data) = &mut recovered.data else { panic!("of an integration") };
        data.integration.name = "renamed".to_owned();
        data.integration.labels = BTreeMap::from([("team".to_owned(), "other".to_owned())]);
        let fired = alert(&failed, &failed, failed.timestamp).unwrap();
        let ended = alert(&recovered, &failed, recovered.timestamp).unwrap();
        assert_eq!(fired.labels, ended.labels);
        assert_ne!(
            alert(&recovered, &recovered, recovered.timestamp).unwrap().labels,
            fired.labels
        );
    }

    #[test]
    fn alert_that_is_sent_again_fires_for_longer() {
        let failed = event("failed");
        let later = failed.timestamp.plus(Duration::from_hours(24 * 30));
        let again = alert(&failed, &failed, later).unwrap();
        assert_eq!(again.ends_at, later.plus(FIRING_MAX));
        assert_eq!(again.starts_at, alert(&failed, &failed, failed.timestamp).unwrap().starts_at);
    }
}
