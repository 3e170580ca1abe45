//! One receiver: from its table in the configuration, and from what the store keeps of that.

use std::sync::Arc;

use serde_json::Value as Json;

use super::redact::{References, redact};
use crate::config::Entry;
use crate::domain::{REDACTED, Subscription};
use crate::input::{Faults, Reader, Value, join};
use crate::webhook::Receiver;

/// Receiver with its table as the store keeps it.
#[derive(Debug)]
pub(super) struct Read {
    /// Receiver as messages are sent to it.
    pub(super) receiver: Receiver,
    /// Table as JSON: references as they are, and neither secrets nor a URL that may be one.
    pub(super) table: String,
}

/// Reads the table of a receiver; none when it has a fault.
pub(super) fn receiver(entry: &Entry, faults: &Faults) -> Option<Read> {
    let own = Faults::default();
    let receiver = entry.reader(&own).and_then(Receiver::parse);
    let mut secrets = own.secret_paths();
    faults.absorb(own);
    let receiver = receiver?;
    if receiver.has_secret_url() {
        secrets.insert(join(&entry.path, "url"));
    }
    let table = redact(&entry.value, &entry.path, &secrets, References::Keep).to_string();
    Some(Read { receiver, table })
}

/// Reads a receiver from what the store keeps of its table.
///
/// # Errors
///
/// Fails with the reason when a secret went with the configuration, or when this version cannot read it.
pub(in crate::daemon) fn stored_receiver(table: &str) -> Result<Receiver, String> {
    let origin: Arc<str> = "stored configuration".into();
    let json = serde_json::from_str(table).map_err(|error| error.to_string())?;
    let value = Value::from_json(&json, &origin);
    let faults = Faults::default();
    let receiver = Reader::new(&value, "receiver", &faults).and_then(Receiver::parse);
    let usable = receiver.filter(|_| faults.count() == 0 && faults.literals().is_empty());
    usable.ok_or_else(|| {
        let (faults, _) = faults.into_parts();
        let first = faults.first().map(|fault| format!("{}: {}", fault.path, fault.message));
        first.unwrap_or_else(|| "a secret in it is gone with the configuration".to_owned())
    })
}

/// Reads the subscription of a receiver from what the store keeps of its table, without what was removed there.
pub(in crate::daemon) fn stored_subscription(table: &str) -> Option<Subscription> {
    let mut json = serde_json::from_str(table).ok()?;
    restore(&mut json);
    stored_receiver(&json.to_string()).ok().map(|receiver| receiver.subscription)
}

/// Puts references, which are never followed, in the place of what was removed.
fn restore(json: &mut Json) {
    match json {
        Json::String(text) if text == REDACTED => *json = serde_json::json!({ "env": REDACTED }),
        Json::Array(items) => items.iter_mut().for_each(restore),
        Json::Object(entries) => entries.values_mut().for_each(restore),
        Json::String(_) | Json::Null | Json::Bool(_) | Json::Number(_) => {}
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn kept(table: &Json) -> (String, Vec<String>) {
        let value = Value::from_json(table, &"f:1".into());
        let faults = Faults::default();
        let entry = Entry { value, path: "receiver[0]".to_owned() };
        let read = receiver(&entry, &faults).unwrap();
        (read.table, faults.into_parts().0.iter().map(ToString::to_string).collect())
    }

    #[test]
    fn receiver_is_kept_without_its_secrets_and_goes_on_when_it_has_none() {
        let table = json!({
            "name": "chat", "url": "https://hooks.example.com/revalidated",
            "secrets": [{ "file": "/secret" }], "events": ["integration.validation.*"],
            "headers": { "X-Api-Key": { "env": "KEY" } },
        });
        let (text, faults) = kept(&table);
        assert_eq!(faults, [""; 0]);
        assert_eq!(serde_json::from_str::<Json>(&text).unwrap(), table);
        let receiver = stored_receiver(&text).unwrap();
        assert!(receiver.subscription.wants_kind(crate::domain::EventType::ValidationFailed));
    }

    #[test]
    fn secret_in_the_table_is_not_kept_and_its_receiver_does_not_go_on() {
        let secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
        let table = json!({
            "name": "chat", "secrets": [secret], "types": ["Redshift"], "bearer": "hunter2",
            "url": "https://hooks.example.com/services/T0000/B0000/Zx81QpLm0s9dKe73HtWbYc",
            "headers": { "X-Tenant": "hunter2" },
        });
        let (text, _) = kept(&table);
        for shown in [secret, "hunter2", "Zx81QpLm0s9dKe73HtWbYc"] {
            assert!(!text.contains(shown), "{text}");
        }
        let reason = stored_receiver(&text).unwrap_err();
        assert!(reason.contains("receiver."), "{reason}");
        assert_eq!(stored_subscription(&text).unwrap().selection.types, ["Redshift"]);
    }
}
