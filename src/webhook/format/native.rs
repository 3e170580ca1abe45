//! The event name of the product that the interface comes from. Only the name is published, not
//! the body under it, so the body stays that of `standard`; and there is none for a recovery.

use serde::Serialize;
use serde_json::value::RawValue;

use crate::domain::{Event, Timestamp};

/// The original product's name for a failure.
const NAME: &str = "nativeIntegrationValidationFailed";

/// The event under the other name.
#[derive(Debug, Serialize)]
pub(super) struct Native<'a> {
    #[serde(rename = "type")]
    kind: &'static str,
    timestamp: Timestamp,
    data: &'a RawValue,
}

/// Returns the failure `event` under the original product's name, with its payload `data` as stored.
pub(super) const fn event<'a>(event: &Event, data: &'a RawValue) -> Native<'a> {
    Native { kind: NAME, timestamp: event.timestamp, data }
}
