//! What receivers are told, as types.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::selection::matches;
use super::{
    About, Class, Drift, Selection, Status, Timestamp, Transition, UnknownName, ValidationResults,
};

/// The version of the body's shape; a shape once published stays.
pub(crate) const SCHEMA_VERSION: u32 = 1;

/// What kind of thing a receiver is told.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub(crate) enum EventType {
    /// `enabled` to `recurringValidationError`.
    ValidationFailed,
    /// Back to `enabled`, closing an incident.
    ValidationRecovered,
    /// Every other transition.
    StatusChanged,
    /// There is a new warning while the status stays.
    ValidationWarning,
    /// It fails and works again so often that messages are held until it is calm.
    FlappingStarted,
    /// It has been calm for long enough.
    FlappingEnded,
    /// Several integrations fail by one shared cause.
    Outage,
    /// They work again.
    OutageResolved,
    /// Something on the daemon's own side keeps it from telling what works.
    DaemonDegraded,
    /// It no longer does.
    DaemonRecovered,
    /// A receiver is no longer sent anything.
    ReceiverDisabled,
    /// A receiver is tried out.
    WebhookPing,
}

impl EventType {
    /// Every type.
    pub(crate) const ALL: [Self; 12] = [
        Self::ValidationFailed,
        Self::ValidationRecovered,
        Self::StatusChanged,
        Self::ValidationWarning,
        Self::FlappingStarted,
        Self::FlappingEnded,
        Self::Outage,
        Self::OutageResolved,
        Self::DaemonDegraded,
        Self::DaemonRecovered,
        Self::ReceiverDisabled,
        Self::WebhookPing,
    ];

    /// The name on the wire and in the database.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::ValidationFailed => "integration.validation.failed",
            Self::ValidationRecovered => "integration.validation.recovered",
            Self::StatusChanged => "integration.status.changed",
            Self::ValidationWarning => "integration.validation.warning",
            Self::FlappingStarted => "integration.flapping.started",
            Self::FlappingEnded => "integration.flapping.ended",
            Self::Outage => "integrations.outage",
            Self::OutageResolved => "integrations.outage.resolved",
            Self::DaemonDegraded => "daemon.degraded",
            Self::DaemonRecovered => "daemon.recovered",
            Self::ReceiverDisabled => "receiver.disabled",
            Self::WebhookPing => "webhook.ping",
        }
    }

    /// The type of the event that tells of `transition`, given whether an incident is open.
    #[must_use]
    pub(crate) fn of(transition: Transition, incident_open: bool) -> Self {
        match (transition.to, incident_open) {
            (Status::RecurringValidationError, _) => Self::ValidationFailed,
            (Status::Enabled, true) => Self::ValidationRecovered,
            _ => Self::StatusChanged,
        }
    }
}

#[cfg(test)]
impl schemars::JsonSchema for EventType {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "EventType".into()
    }

    fn json_schema(_generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({ "type": "string", "enum": Self::ALL.map(Self::as_str) })
    }
}

impl std::str::FromStr for EventType {
    type Err = UnknownName;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        let found = Self::ALL.into_iter().find(|kind| kind.as_str() == name);
        found.ok_or_else(|| UnknownName(name.to_owned()))
    }
}

/// A receiver's name with what it wants to be told of.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(crate) struct Subscription {
    /// Which receiver.
    pub(crate) receiver: String,
    /// Event types, `*` standing for any text.
    pub(crate) events: Vec<String>,
    /// Which integrations it wants to be told about.
    pub(crate) selection: Selection,
    /// It wants to be told of each integration besides the outage that integrations share.
    pub(crate) individual: bool,
}

impl Subscription {
    /// True when the receiver is to be told of `kind` about this integration.
    #[must_use]
    pub(crate) fn wants(&self, kind: EventType, about: About<'_>) -> bool {
        self.wants_kind(kind) && self.selection.fits(about)
    }

    /// True when the receiver is to be told of `kind` about some integration, or, when `kind` is about
    /// none, at all.
    #[must_use]
    pub(crate) fn wants_kind(&self, kind: EventType) -> bool {
        self.events.iter().any(|pattern| matches(pattern, kind.as_str()))
    }

    /// True when the receiver is told of an outage in place of what it does to each integration.
    #[must_use]
    pub(crate) fn is_grouped(&self) -> bool {
        !self.individual && self.wants_kind(EventType::Outage)
    }
}

/// The body of a webhook, format `standard`.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema), schemars(rename = "EventOf{Data}"))]
pub(crate) struct Event<Data = EventData> {
    /// What happened.
    #[serde(rename = "type")]
    #[cfg_attr(test, schemars(with = "EventType"))]
    pub(crate) kind: &'static str,
    /// When it happened.
    pub(crate) timestamp: Timestamp,
    /// The rest.
    pub(crate) data: Data,
}

/// The payload of an event about one integration.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(crate) struct EventData {
    /// Version of this shape.
    pub(crate) schema_version: u32,
    /// The store's random id, renewed when it is restored from a copy.
    pub(crate) epoch: String,
    /// Counts this integration's events without gaps, from 1.
    pub(crate) sequence: i64,
    /// The same for a failure and its recovery.
    pub(crate) incident_id: Option<String>,
    /// Which integration.
    pub(crate) integration: IntegrationRef,
    /// Status now.
    pub(crate) status: Status,
    /// Status before.
    pub(crate) previous_status: Option<Status>,
    /// The latest results, exactly as published.
    pub(crate) validation_results: Option<ValidationResults>,
    /// What differs, per test: at a failure from the latest good run, at a recovery from the latest
    /// failed one, otherwise from the run before.
    pub(crate) changes: Vec<Change>,
    /// What a failing run saw otherwise than the last passing one, of what it got to look at: a hint
    /// at the cause.
    pub(crate) drift: Vec<Drift>,
    /// The run that caused this, if one did.
    pub(crate) run: Option<RunRef>,
    /// When the open or just closed incident began.
    pub(crate) failing_since: Option<Timestamp>,
    /// How long it lasted, on recovery.
    pub(crate) outage_ms: Option<i64>,
    /// The shared cause it belongs to.
    pub(crate) group: Option<String>,
}

/// How an event names its integration.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(crate) struct IntegrationRef {
    /// Its id.
    pub(crate) id: i64,
    /// Its name in the configuration.
    pub(crate) name: String,
    /// Its platform's published name.
    #[serde(rename = "type")]
    pub(crate) kind: String,
    /// Its labels.
    pub(crate) labels: BTreeMap<String, String>,
}

/// How an event names its run.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(crate) struct RunRef {
    /// Its id.
    pub(crate) id: i64,
    /// `schedule`, `confirm`, `startup` or `change`.
    pub(crate) trigger: String,
    /// When it began.
    pub(crate) started_at: Timestamp,
    /// How long it took.
    pub(crate) duration_ms: i64,
}

/// One test whose result differs from the run before.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(crate) struct Change {
    /// Which test.
    pub(crate) test: String,
    /// Its result before, if it had one.
    pub(crate) from: Option<super::ReportStatus>,
    /// Its result now.
    pub(crate) to: super::ReportStatus,
    /// Why.
    pub(crate) message: Option<String>,
    /// Whether trying again can help.
    pub(crate) class: Option<Class>,
    /// How to mend it.
    pub(crate) remediation: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{Cause, DaemonTrouble, OutageNotice, ReceiverDisabled, WebhookPing};

    /// The body of a webhook, format `standard`; `type` says which of these it is.
    #[derive(Serialize, schemars::JsonSchema)]
    #[serde(untagged)]
    #[schemars(rename = "Event")]
    #[expect(dead_code, reason = "only its shape is looked at")]
    enum Published {
        Outage(Event<OutageNotice>),
        DaemonTrouble(Event<DaemonTrouble>),
        Integration(Box<Event>),
        ReceiverDisabled(Event<ReceiverDisabled>),
        WebhookPing(Event<WebhookPing>),
    }

    #[test]
    fn the_readme_tells_every_type() {
        let readme = include_str!("../../README.md");
        for kind in EventType::ALL {
            assert!(readme.contains(&format!("\n| `{}` | ", kind.as_str())), "{kind:?}");
        }
    }

    #[test]
    fn the_published_schema_is_that_of_the_types() {
        let settings = schemars::generate::SchemaSettings::draft2020_12().for_serialize();
        let schema = settings.into_generator().into_root_schema_for::<Published>();
        let found = format!("{}\n", serde_json::to_string_pretty(&schema).unwrap());
        let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
        let file = format!("event.v{SCHEMA_VERSION}.schema.json");
        let published = std::fs::read_to_string(root.join("schemas").join(&file));
        if published.unwrap_or_default() != found {
            std::fs::write(root.join("target").join(&file), found).unwrap();
            panic!("schemas/{file} differs; what the types say is in target/{file}");
        }
    }

    #[test]
    fn subscriptions_choose_by_event_name_platform_and_labels() {
        let labels = BTreeMap::from([("team".to_owned(), "data-eu".to_owned())]);
        let about = About { name: "prod-lake", kind: "Native S3", labels: &labels };
        let list = |patterns: &[&str]| patterns.iter().map(|&one| one.to_owned()).collect();
        let wants = |events: &[&str], integrations: &[&str], types: &[&str], label: &str| {
            let labels =
                label.split_once('=').map(|(key, value)| (key.to_owned(), value.to_owned()));
            let subscription = Subscription {
                receiver: "r".to_owned(),
                events: list(events),
                selection: Selection {
                    integrations: list(integrations),
                    types: list(types),
                    labels: labels.into_iter().collect(),
                },
                individual: false,
            };
            subscription.wants(EventType::ValidationFailed, about)
        };
        let table = [
            (wants(&["*"], &[], &[], ""), true),
            (wants(&["integration.*"], &[], &[], ""), true),
            (wants(&["*.failed"], &[], &[], ""), true),
            (wants(&["integration.validation.failed"], &[], &[], ""), true),
            (wants(&["integration.validation.recovered"], &[], &[], ""), false),
            (wants(&["*.recovered", "*.failed"], &[], &[], ""), true),
            (wants(&[], &[], &[], ""), false),
            (wants(&["*"], &["prod-*"], &[], ""), true),
            (wants(&["*"], &["test-*"], &[], ""), false),
            (wants(&["*"], &["prod-lake"], &["Redshift"], ""), false),
            (wants(&["*"], &[], &["Redshift", "Native S3"], ""), true),
            (wants(&["*"], &[], &[], "team=data-*"), true),
            (wants(&["*"], &[], &[], "team=data"), false),
            (wants(&["*"], &[], &[], "tier=1"), false),
        ];
        for (number, (found, expected)) in table.into_iter().enumerate() {
            assert_eq!(found, expected, "case {number}");
        }
    }

    #[test]
    fn a_return_to_enabled_is_a_recovery_only_out_of_an_incident() {
        let to = |to| Transition { from: Status::Editing, to, cause: Cause::CandidatePassed };
        assert_eq!(EventType::of(to(Status::Enabled), true), EventType::ValidationRecovered);
        assert_eq!(EventType::of(to(Status::Enabled), false), EventType::StatusChanged);
        let failed = EventType::of(to(Status::RecurringValidationError), false);
        assert_eq!(failed, EventType::ValidationFailed);
    }
}
