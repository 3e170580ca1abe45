//! Receivers as configured.

mod read;
mod url;

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use reqwest::Url;

pub(super) use self::url::parse_url;
use super::format::Format;
use crate::domain::{RetryPolicy, SecretRef, Subscription};
use crate::net::address::Allow;

/// Somebody who is told of events.
#[derive(Clone)]
pub(crate) struct Receiver {
    /// Its unique name.
    pub(crate) name: String,
    /// Where it listens.
    pub(crate) target: Target,
    /// The form of its messages.
    pub(crate) format: Format,
    /// What its messages are signed with, one signature each; empty only for forms without.
    pub(crate) secrets: Vec<SecretRef>,
    /// `PagerDuty`'s key of the service that is alarmed.
    pub(crate) routing_key: Option<SecretRef>,
    /// What it wants to be told of.
    pub(crate) subscription: Subscription,
    /// The longest an attempt may take in all.
    pub(crate) timeout: Duration,
    /// The longest its connection may take.
    pub(crate) connect_timeout: Duration,
    /// When it is tried again.
    pub(crate) retry: RetryPolicy,
    /// How long every attempt must fail to disable it.
    pub(crate) disable_after: Duration,
    /// The most requests at once.
    pub(crate) concurrency: usize,
    /// What it may reach besides public addresses.
    pub(crate) allow: Allow,
    /// Certificate authorities to trust instead of the operating system's.
    pub(crate) ca_file: Option<PathBuf>,
    /// Whom a simulation puts in its place.
    #[cfg(test)]
    pub(crate) wire: Option<super::Wire>,
}

/// The URL of a receiver, which may hold a token and is therefore never printed.
#[derive(Clone)]
pub(crate) enum Target {
    /// It stands in the configuration.
    Fixed(Url),
    /// It is kept like other secrets, and read at every attempt.
    Kept(SecretRef),
}

impl fmt::Debug for Receiver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let host = match &self.target {
            Target::Fixed(url) => url.host_str().unwrap_or_default(),
            Target::Kept(_) => "kept as a secret",
        };
        f.debug_struct("Receiver")
            .field("name", &self.name)
            .field("host", &host)
            .finish_non_exhaustive()
    }
}
