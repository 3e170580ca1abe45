//! Event name of the original product, whose published interface this daemon implements. Only the
//! name of a failure is published: the body stays that of `standard`, and a recovery has no name.

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
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    test: bool,
}

/// Returns the failure `event` under the original product's name, with its payload `data` as stored.
pub(super) const fn event<'a>(event: &Event, data: &'a RawValue) -> Native<'a> {
    Native { kind: NAME, timestamp: event.timestamp, data, test: event.is_test }
}
