//! Configuration that was kept in the store, back to a validator.

use std::sync::Arc;

use serde_json::Value as Json;

use super::integration::find;
use crate::input::{Fault, Faults, Reader, Value};
use crate::platforms::{Platform, Validator};

/// A configuration that was kept in the store.
#[derive(Debug)]
pub(crate) enum Stored {
    /// It can be validated.
    Ready(Box<dyn Validator>),
    /// It held a secret itself, and the store keeps none.
    SecretGone,
    /// This version cannot read it; why.
    Unreadable(Vec<Fault>),
}

/// Reads a configuration that the store kept (see [`Wanted::config`](crate::store::Wanted::config)).
pub(crate) fn parse_stored(
    kind: &str,
    config: &str,
    auto_bootstrap: bool,
    platforms: &'static [Platform],
) -> Stored {
    let origin: Arc<str> = "stored configuration".into();
    let fault = |message: String| {
        let (origin, path) = (origin.to_string(), String::new());
        Stored::Unreadable(vec![Fault { origin, path, message }])
    };
    let Some(platform) = find(platforms, kind) else {
        return fault(format!("platform `{kind}` is not part of this binary"));
    };
    let json: Json = match serde_json::from_str(config) {
        Ok(json) => json,
        Err(error) => return fault(error.to_string()),
    };
    let faults = Faults::default();
    let value = Value::from_json(&json, &origin);
    let reader = Reader::new(&value, "config", &faults);
    let validator = reader.and_then(|reader| (platform.parse)(reader, auto_bootstrap));
    if !faults.literals().is_empty() {
        return Stored::SecretGone;
    }
    match validator.filter(|_| faults.count() == 0) {
        Some(validator) => Stored::Ready(validator),
        None => Stored::Unreadable(faults.into_parts().0),
    }
}
