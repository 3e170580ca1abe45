//! The event name of the product that the interface comes from. Only the name is published, not
//! the body under it, so the body stays that of `standard`; and there is none for a recovery.

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

/// What the original calls a failure.
const NAME: &str = "nativeIntegrationValidationFailed";

/// A stored event, its payload untouched.
#[derive(Deserialize)]
struct Stored<'a> {
    timestamp: String,
    #[serde(borrow)]
    data: &'a RawValue,
}

/// The event under the other name.
#[derive(Debug, Serialize)]
pub(super) struct Native<'a> {
    #[serde(rename = "type")]
    kind: &'static str,
    timestamp: String,
    data: &'a RawValue,
}

/// The stored event `body` of a failure.
///
/// # Errors
///
/// Fails when `body` is no stored event.
pub(super) fn event(body: &str) -> serde_json::Result<Native<'_>> {
    let Stored { timestamp, data } = serde_json::from_str(body)?;
    Ok(Native { kind: NAME, timestamp, data })
}
