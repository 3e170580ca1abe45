//! From configuration to validators: the one place that knows both.

mod assembly;
mod filters;
#[cfg(test)]
mod fuzz;
mod integration;
mod next;
mod placement;
mod receiver;
mod redact;
mod stored;
#[cfg(test)]
mod tests;

pub(crate) use assembly::{Assembly, open, open_partly, open_with};
pub(crate) use integration::Assembled;
pub(super) use integration::find;
pub(crate) use next::{NextError, NextValue, next};
pub(super) use receiver::{stored_receiver, stored_subscription};
pub(super) use stored::{Stored, parse_stored};
