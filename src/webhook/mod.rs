//! Sends signed messages to receivers: one attempt at a time, and no policy.
//!
//! What a message says and when it is tried again is decided elsewhere; here it is only put into the
//! form that the receiver asks for. Wire format: Standard Webhooks 1.0.0, unless it says otherwise.

mod format;
#[cfg(test)]
mod interop;
mod ping;
#[cfg(test)]
mod rebinding;
mod receiver;
mod send;
mod sign;
#[cfg(test)]
mod simulated;
#[cfg(test)]
mod testing;
mod text;

pub(crate) use receiver::Receiver;
pub(crate) use send::{Message, SendError, Sender};
#[cfg(test)]
pub(crate) use simulated::{Post, Wire};
