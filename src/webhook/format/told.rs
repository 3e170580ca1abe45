//! A stored event as the forms read it, and the sentences that they have in common.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::value::RawValue;

use super::notice::{Notice, Outage, Trouble, after};
use crate::domain::{Change, Drift, EventType, ReportStatus, Timestamp, one_line};

/// The most changes that a message for people lists.
pub(super) const CHANGES_MAX: usize = 8;
/// The longest name, in characters.
pub(super) const NAME_MAX: usize = 100;
/// The longest text of a change, in characters.
pub(super) const TEXT_MAX: usize = 500;

/// What of a stored event is shown to people.
#[derive(Debug)]
pub(super) struct Told {
    /// Its type.
    pub(super) kind: String,
    /// When it happened.
    pub(super) timestamp: Timestamp,
    /// The rest.
    pub(super) data: Payload,
}

/// What it is about.
#[derive(Debug)]
pub(super) enum Payload {
    /// An integration.
    Integration(Box<Data>),
    /// Several integrations that fail by one cause.
    Outage(Outage),
    /// The daemon itself.
    Trouble(Trouble),
    /// A receiver.
    Notice(Notice),
}

/// An event whose payload has not been read yet.
#[derive(Deserialize)]
struct Unread<'a> {
    #[serde(rename = "type")]
    kind: String,
    timestamp: Timestamp,
    #[serde(borrow)]
    data: &'a RawValue,
}

/// What is alarmed and called off again.
#[derive(Debug)]
pub(super) struct Alarm {
    /// The same for both.
    pub(super) key: String,
    /// What kind of alarm it is.
    pub(super) name: &'static str,
    /// What has failed.
    pub(super) source: String,
    /// What kind of thing that is.
    pub(super) component: String,
    /// Since when.
    pub(super) since: Timestamp,
    /// Its labels.
    pub(super) labels: BTreeMap<String, String>,
}

/// The payload of an event about an integration.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Data {
    /// The same for a failure and its recovery.
    pub(super) incident_id: Option<String>,
    /// Which integration.
    pub(super) integration: Integration,
    /// Status now.
    pub(super) status: String,
    /// Status before.
    pub(super) previous_status: Option<String>,
    /// What differs, per test.
    pub(super) changes: Vec<Change>,
    /// What a failing run saw otherwise; events from before an update have none.
    #[serde(default)]
    drift: Vec<Drift>,
    /// When the incident began.
    pub(super) failing_since: Option<Timestamp>,
    /// How long it lasted.
    pub(super) outage_ms: Option<i64>,
}

/// Which integration.
#[derive(Debug, Deserialize)]
pub(super) struct Integration {
    /// Its name.
    pub(super) name: String,
    /// Its platform.
    #[serde(rename = "type")]
    pub(super) kind: String,
    /// Its labels.
    pub(super) labels: BTreeMap<String, String>,
}

/// What happened, for those who only distinguish this much.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Tone {
    /// It fails.
    Bad,
    /// It works again.
    Good,
    /// It works, with a reservation.
    Warning,
    /// Something else.
    Neutral,
}

/// One change in bounded lines.
#[derive(Debug, Eq, PartialEq)]
pub(super) struct Line {
    /// Which test, and its result.
    pub(super) head: String,
    /// Why.
    pub(super) message: Option<String>,
    /// How to mend it.
    pub(super) remedy: Option<String>,
}

impl Line {
    /// Test, result and reason in one line.
    pub(super) fn text(&self) -> String {
        let message = self.message.as_ref().map_or(String::new(), |why| format!(" – {why}"));
        format!("{}{message}", self.head)
    }
}

impl Told {
    /// Reads a stored event.
    ///
    /// # Errors
    ///
    /// Fails when `body` is none.
    pub(super) fn read(body: &str) -> serde_json::Result<Self> {
        let Unread { kind, timestamp, data } = serde_json::from_str(body)?;
        let data = match kind.parse() {
            Ok(EventType::Outage | EventType::OutageResolved) => {
                Payload::Outage(serde_json::from_str(data.get())?)
            }
            Ok(EventType::DaemonDegraded | EventType::DaemonRecovered) => {
                Payload::Trouble(serde_json::from_str(data.get())?)
            }
            Ok(EventType::ReceiverDisabled | EventType::WebhookPing) => {
                Payload::Notice(serde_json::from_str(data.get())?)
            }
            Ok(
                EventType::ValidationFailed
                | EventType::ValidationRecovered
                | EventType::StatusChanged
                | EventType::ValidationWarning
                | EventType::FlappingStarted
                | EventType::FlappingEnded,
            )
            | Err(_) => Payload::Integration(serde_json::from_str(data.get())?),
        };
        Ok(Self { kind, timestamp, data })
    }

    /// What is told about an integration, if it is about one.
    pub(super) fn about_integration(&self) -> Option<&Data> {
        match &self.data {
            Payload::Integration(data) => Some(data),
            Payload::Outage(_) | Payload::Trouble(_) | Payload::Notice(_) => None,
        }
    }

    /// What is alarmed or called off, if that is what it tells.
    pub(super) fn alarm(&self) -> Option<Alarm> {
        match &self.data {
            Payload::Integration(data) => Some(Alarm {
                key: data.incident_id.clone()?,
                name: "IntegrationValidationFailed",
                source: data.name(),
                component: data.integration.kind.clone(),
                since: data.failing_since.unwrap_or(self.timestamp),
                labels: data.integration.labels.clone(),
            }),
            Payload::Outage(outage) => Some(Alarm {
                key: outage.id.clone(),
                name: "IntegrationsOutage",
                source: one_line(&outage.factor.value, NAME_MAX),
                component: outage.factor.kind.as_str().to_owned(),
                since: outage.since,
                labels: BTreeMap::new(),
            }),
            Payload::Trouble(trouble) => Some(Alarm {
                key: format!("revalidated-{}-{}", trouble.fault.as_str(), trouble.since.0),
                name: "RevalidatedDegraded",
                source: "revalidated".to_owned(),
                component: trouble.fault.as_str().to_owned(),
                since: trouble.since,
                labels: BTreeMap::new(),
            }),
            Payload::Notice(_) => None,
        }
    }

    /// What happened, roughly.
    pub(super) fn tone(&self) -> Tone {
        let is_error = |data: &Data| data.status.ends_with("Error");
        match self.kind.as_str() {
            "integration.validation.failed"
            | "integration.flapping.started"
            | "integrations.outage"
            | "daemon.degraded"
            | "receiver.disabled" => Tone::Bad,
            "integration.validation.recovered"
            | "integrations.outage.resolved"
            | "daemon.recovered" => Tone::Good,
            "integration.flapping.ended" if !self.about_integration().is_some_and(is_error) => {
                Tone::Good
            }
            "integration.validation.warning" => Tone::Warning,
            _ if self.about_integration().is_some_and(is_error) => Tone::Bad,
            _ => Tone::Neutral,
        }
    }

    /// Short words for the line below a message: platform and status, where there are any.
    pub(super) fn facts(&self) -> Vec<String> {
        match &self.data {
            Payload::Integration(data) => {
                vec![one_line(&data.integration.kind, NAME_MAX), data.status.clone()]
            }
            Payload::Outage(outage) => vec![outage.factor.kind.as_str().to_owned()],
            Payload::Trouble(_) | Payload::Notice(_) => vec!["revalidated".to_owned()],
        }
    }

    /// The news in one line: `lake: validation failed: NoSuchBucket: ...`.
    pub(super) fn summary(&self) -> String {
        match &self.data {
            Payload::Integration(data) => self.summary_of(data),
            Payload::Outage(outage) => outage.summary(),
            Payload::Trouble(trouble) => trouble.summary(),
            Payload::Notice(notice) => notice.summary(),
        }
    }

    fn summary_of(&self, data: &Data) -> String {
        let name = data.name();
        let Data { status, previous_status, outage_ms, .. } = data;
        let reason = self.lines().into_iter().find_map(|line| line.message);
        let reason = reason.map_or(String::new(), |reason| format!(": {reason}"));
        match self.kind.as_str() {
            "integration.validation.failed" => format!("{name}: validation failed{reason}"),
            "integration.validation.recovered" => {
                format!("{name}: validation passes again{}", after(*outage_ms))
            }
            "integration.flapping.started" => {
                format!("{name}: fails and passes by turns; messages wait until it is calm")
            }
            "integration.flapping.ended" => format!("{name}: calm again, {status}{reason}"),
            "integration.validation.warning" => format!("{name}: warnings changed{reason}"),
            _ => {
                let before = previous_status.as_deref().unwrap_or("new");
                let reason = if self.tone() == Tone::Bad { reason } else { String::new() };
                format!("{name}: {before} \u{2192} {status}{reason}")
            }
        }
    }

    /// The changes worth telling people, worst first; at most [`CHANGES_MAX`].
    pub(super) fn lines(&self) -> Vec<Line> {
        let rank = |status| match status {
            ReportStatus::Failed => 0,
            ReportStatus::Warning => 1,
            ReportStatus::Passed => 2,
            ReportStatus::Skipped => 3,
        };
        let mut changes: Vec<_> = self.changes().iter().collect();
        changes.sort_by_key(|change| rank(change.to));
        let told = changes.into_iter().filter(|change| is_told(change));
        match &self.data {
            Payload::Outage(outage) => outage.lines(CHANGES_MAX),
            Payload::Integration(_) | Payload::Trouble(_) | Payload::Notice(_) => {
                told.take(CHANGES_MAX).map(line).collect()
            }
        }
    }

    /// How many changes [`Told::lines`] leaves out.
    pub(super) fn unsaid(&self) -> usize {
        let told = match &self.data {
            Payload::Outage(outage) => outage.size(),
            Payload::Integration(_) | Payload::Trouble(_) | Payload::Notice(_) => {
                self.changes().iter().filter(|change| is_told(change)).count()
            }
        };
        told.saturating_sub(CHANGES_MAX)
    }

    /// What else is new since the last passing run, in one line, where there is anything.
    pub(super) fn hint(&self) -> Option<String> {
        let drift = self.about_integration().map_or(&[][..], |data| &data.drift);
        let texts: Vec<_> = drift.iter().map(Drift::text).collect();
        let hint = format!("Since the last passing run: {}", texts.join("; "));
        (!texts.is_empty()).then(|| one_line(&hint, TEXT_MAX))
    }

    fn changes(&self) -> &[Change] {
        self.about_integration().map_or(&[], |data| &data.changes)
    }
}

impl Data {
    /// The integration's name in one line.
    pub(super) fn name(&self) -> String {
        one_line(&self.integration.name, NAME_MAX)
    }
}

/// What was not run, and what was not run before and is well now, is no news to people.
fn is_told(change: &Change) -> bool {
    match change.to {
        ReportStatus::Failed | ReportStatus::Warning => true,
        ReportStatus::Passed => change.from != Some(ReportStatus::Skipped),
        ReportStatus::Skipped => false,
    }
}

fn line(change: &Change) -> Line {
    let bounded = |text: &String| one_line(text, TEXT_MAX);
    Line {
        head: format!("{}: {}", change.to.as_str(), one_line(&change.test, NAME_MAX)),
        message: change.message.as_ref().map(bounded),
        remedy: change.remediation.as_ref().map(bounded),
    }
}
