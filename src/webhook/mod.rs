//! Webhook client: renders, signs and sends one message in one attempt (Standard Webhooks 1.0.0).
//!
//! Which events a receiver gets and when an attempt is retried is decided in `domain` and `store`.
//! Here a stored event is rendered in the receiver's format, from the typed event of `domain`.

#[cfg(test)]
mod credentials;
#[cfg(test)]
mod echo;
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

pub(crate) use receiver::{Heartbeat, Receiver, SEND_FROM};
pub(crate) use send::{Beat, HeartbeatSender, Message, SendError, Sender};
#[cfg(test)]
pub(crate) use simulated::{Post, Wire};
