//! A stored event as the forms read it, and the sentences that they have in common.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::Deserialize;

use crate::domain::{Change, ReportStatus, Timestamp, duration_text, one_line};

/// The most changes that a message for people lists.
pub(super) const CHANGES_MAX: usize = 8;
/// The longest name, in characters.
const NAME_MAX: usize = 100;
/// The longest text of a change, in characters.
const TEXT_MAX: usize = 500;

/// What of a stored event is shown to people.
#[derive(Debug, Deserialize)]
pub(super) struct Told {
    /// Its type.
    #[serde(rename = "type")]
    pub(super) kind: String,
    /// When it happened.
    pub(super) timestamp: Timestamp,
    /// The rest.
    pub(super) data: Data,
}

/// The payload.
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
    /// What happened, roughly.
    pub(super) fn tone(&self) -> Tone {
        match self.kind.as_str() {
            "integration.validation.failed" => Tone::Bad,
            "integration.validation.recovered" => Tone::Good,
            "integration.validation.warning" => Tone::Warning,
            _ if self.data.status.ends_with("Error") => Tone::Bad,
            _ => Tone::Neutral,
        }
    }

    /// The integration's name in one line.
    pub(super) fn name(&self) -> String {
        one_line(&self.data.integration.name, NAME_MAX)
    }

    /// The news in one line: `lake: validation failed: NoSuchBucket: ...`.
    pub(super) fn summary(&self) -> String {
        let name = self.name();
        let Data { status, previous_status, outage_ms, .. } = &self.data;
        let reason = self.lines().into_iter().find_map(|line| line.message);
        let reason = reason.map_or(String::new(), |reason| format!(": {reason}"));
        match self.kind.as_str() {
            "integration.validation.failed" => format!("{name}: validation failed{reason}"),
            "integration.validation.recovered" => {
                let lasted = outage_ms.and_then(|ms| u64::try_from(ms).ok());
                let lasted = lasted.map_or(String::new(), |ms| {
                    format!(" after {}", duration_text(Duration::from_secs(ms / 1000)))
                });
                format!("{name}: validation passes again{lasted}")
            }
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
        let mut changes: Vec<_> = self.data.changes.iter().collect();
        changes.sort_by_key(|change| rank(change.to));
        let told = changes.into_iter().filter(|change| change.to != ReportStatus::Skipped);
        told.take(CHANGES_MAX).map(line).collect()
    }

    /// How many changes [`Told::lines`] leaves out.
    pub(super) fn unsaid(&self) -> usize {
        let changes = &self.data.changes;
        let told = changes.iter().filter(|change| change.to != ReportStatus::Skipped).count();
        told.saturating_sub(CHANGES_MAX)
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
