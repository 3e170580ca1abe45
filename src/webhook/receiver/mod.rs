//! Receivers of events as the configuration defines them.

mod access;
mod heartbeat;
mod read;
mod secret;
mod timing;
mod url;

use std::fmt;
use std::time::Duration;

use reqwest::Url;

pub(crate) use self::access::Access;
pub(crate) use self::heartbeat::Heartbeat;
pub(crate) use self::read::SEND_FROM;
pub(super) use self::secret::learn_url;
pub(super) use self::url::parse_url;
use crate::domain::Format;
use crate::domain::{Pool, RetryPolicy, SecretRef, Subscription};
use crate::net::address::Allow;

/// Webhook receiver as configured.
#[derive(Clone)]
pub(crate) struct Receiver {
    /// Unique name of the receiver.
    pub(crate) name: String,
    /// URL that messages are sent to.
    pub(crate) target: Target,
    /// Format of its messages.
    pub(crate) format: Format,
    /// Signing secrets, one signature each; empty only for formats without signatures.
    pub(crate) secrets: Vec<SecretRef>,
    /// Integration key of a `PagerDuty` service.
    pub(crate) routing_key: Option<SecretRef>,
    /// Events and integrations that it subscribes to.
    pub(crate) subscription: Subscription,
    /// Time limit of an attempt in all.
    pub(crate) timeout: Duration,
    /// Time limit of its connection, with name resolution and TLS.
    pub(crate) connect_timeout: Duration,
    /// Schedule of retries after a failed attempt.
    pub(crate) retry: RetryPolicy,
    /// Time that every attempt must have failed until it is disabled.
    pub(crate) disable_after: Duration,
    /// Number of concurrent requests.
    pub(crate) concurrency: usize,
    /// Nodes that may send to it.
    pub(crate) send_from: Pool,
    /// Addresses and hosts that are allowed besides public ones.
    pub(crate) allow: Allow,
    /// Way to it, and the credentials that it is shown.
    pub(crate) access: Access,
    /// Simulated receiver that replaces the network.
    #[cfg(test)]
    pub(crate) wire: Option<super::Wire>,
}

/// URL of a receiver, which may contain a token and is therefore never printed.
#[derive(Clone)]
pub(crate) enum Target {
    /// URL in the configuration itself.
    Fixed(Url),
    /// Reference to a URL that is kept as a secret and read at every attempt.
    Kept(SecretRef),
}

impl Receiver {
    /// Returns scheme and host of its URL; none when that is kept as a secret. Its path may be a secret too.
    pub(crate) fn origin(&self) -> Option<String> {
        match &self.target {
            Target::Fixed(url) => Some(url.origin().ascii_serialization()),
            Target::Kept(_) => None,
        }
    }

    /// Returns true when its URL stands in the configuration itself and may be a secret.
    pub(crate) fn has_secret_url(&self) -> bool {
        match &self.target {
            Target::Fixed(url) => !secret::secret_parts(url).is_empty(),
            Target::Kept(_) => false,
        }
    }
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
