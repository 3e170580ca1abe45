//! Records that are exported, each with its kind.

use serde::Serialize;

use super::across::{AttributedRun, AttributedTransition};
use super::delivery::Delivery;
use super::event::StoredEvent;

/// Record of an export, one in each line.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(tag = "record", rename_all = "lowercase")]
pub(crate) enum Exported<'a> {
    /// Run with its results.
    Run(AttributedRun<'a>),
    /// Change from one status to another.
    Transition(AttributedTransition<'a>),
    /// Event with the body that receivers get.
    Event(StoredEvent<'a>),
    /// Delivery with its attempts.
    Delivery(Delivery<'a>),
}
