//! Stored events about no single integration, as the forms read them.

use std::time::Duration;

use serde::Deserialize;

use super::told::{Line, NAME_MAX, TEXT_MAX};
use crate::domain::{
    DisabledReason, Factor, OutageMember, OwnFault, Status, Timestamp, duration_text, one_line,
};

/// The payload of an event about no integration.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Notice {
    receiver: Option<String>,
    reason: Option<DisabledReason>,
    message: Option<String>,
    owed: Option<u32>,
}

/// The payload of an event about an outage.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Outage {
    /// The same at its end.
    #[serde(rename = "outageId")]
    pub(super) id: String,
    /// What they have in common.
    pub(super) factor: Factor,
    /// Since when.
    pub(super) since: Timestamp,
    #[serde(rename = "outageMs")]
    lasted_ms: Option<i64>,
    integrations: Vec<OutageMember>,
    unlisted: usize,
}

/// The payload of an event about the daemon.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Trouble {
    /// What is wrong.
    pub(super) fault: OwnFault,
    message: String,
    /// Since when.
    pub(super) since: Timestamp,
    lasted_ms: Option<i64>,
}

impl Outage {
    /// How many integrations it is about.
    pub(super) fn size(&self) -> usize {
        self.integrations.len().saturating_add(self.unlisted)
    }

    /// Its members in lines, at most `most`.
    pub(super) fn lines(&self, most: usize) -> Vec<Line> {
        let line = |member| member_line(member, self.lasted_ms.is_some());
        self.integrations.iter().take(most).map(line).collect()
    }

    /// The news in one line: `25 integrations fail by one cause: host db.example.com`.
    pub(super) fn summary(&self) -> String {
        let Factor { kind, value } = &self.factor;
        let (count, kind) = (self.size(), kind.as_str());
        let value = one_line(value, NAME_MAX);
        match self.lasted_ms {
            None => format!("{count} integrations fail by one cause: {kind} {value}"),
            lasted => {
                let still = self.integrations.iter();
                let still = still.filter(|one| one.status == Status::RecurringValidationError);
                let still = match still.count() {
                    0 => String::new(),
                    still => format!(", {still} of {count} still fail by themselves"),
                };
                format!("outage of {kind} {value} is over{}{still}", after(lasted))
            }
        }
    }
}

impl Trouble {
    /// The news in one line: `revalidated cannot tell what works (network): ...`.
    pub(super) fn summary(&self) -> String {
        let (fault, message) = (self.fault.as_str(), one_line(&self.message, TEXT_MAX));
        match self.lasted_ms {
            None => format!("revalidated cannot tell what works ({fault}): {message}"),
            lasted => format!("revalidated can tell again what works ({fault}){}", after(lasted)),
        }
    }
}

impl Notice {
    /// The news in one line: `on-call: no longer told of anything, since it answered 410 Gone`.
    pub(super) fn summary(&self) -> String {
        let name = one_line(self.receiver.as_deref().unwrap_or("revalidated"), NAME_MAX);
        if let Some(reason) = self.reason {
            let owed = self.owed.unwrap_or(0);
            let why = reason.told();
            return format!("{name}: this receiver is disabled, since {why}; {owed} wait for it");
        }
        let message = self.message.as_deref().unwrap_or_default();
        format!("{name}: {}", one_line(message, TEXT_MAX))
    }
}

/// A member of an outage in a line, while it lasts or after it.
fn member_line(member: &OutageMember, over: bool) -> Line {
    let name = one_line(&member.integration.name, NAME_MAX);
    let kind = one_line(&member.integration.kind, NAME_MAX);
    let now = match (member.status, over) {
        (Status::Enabled, false) => "fails, to be confirmed",
        (status, _) => status.as_str(),
    };
    Line { head: format!("{name} ({kind}): {now}"), message: None, remedy: None }
}

/// ` after 5m`, or nothing.
pub(super) fn after(lasted_ms: Option<i64>) -> String {
    let lasted = lasted_ms.and_then(|ms| u64::try_from(ms).ok());
    lasted.map_or(String::new(), |ms| {
        format!(" after {}", duration_text(Duration::from_secs(ms / 1000)))
    })
}
