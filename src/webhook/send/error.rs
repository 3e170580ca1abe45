//! Errors of an attempt, without secrets.

use std::error::Error;
use std::time::Duration;

use http::HeaderName;

use super::answer::DETAIL_BYTES_MAX;
use crate::domain::{Redactor, SecretRef, duration_text, one_line};
use crate::net::address::RefusedAddress;
use crate::net::http::HttpError;
use crate::secrets::SecretError;
use crate::webhook::format::FormatError;
use crate::webhook::sign::KeyError;

/// Error of an attempt that got no answer.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SendError {
    /// The URL's host is an address that is not allowed.
    #[error("the address is refused")]
    Address(#[from] RefusedAddress),
    /// The HTTP client cannot be built.
    #[error("no HTTP client can be made")]
    Client(#[from] HttpError),
    /// A secret cannot be read; nothing is sent unsigned.
    #[error("not sent, since it cannot be signed")]
    Secret(#[from] SecretError),
    /// A credential that the receiver asks for cannot be read.
    #[error("not sent, since a credential of the receiver is missing")]
    Credential(#[source] SecretError),
    /// The URL is kept as a secret that cannot be read.
    #[error("not sent, since its URL cannot be read")]
    NoUrl(#[source] SecretError),
    /// A credential was read that no header can hold.
    #[error(
        "not sent, since the header `{name}` cannot hold what is in {place}: printable ASCII on one line"
    )]
    Header {
        /// Name of the header.
        name: HeaderName,
        /// Place where the value is kept.
        place: String,
    },
    /// A secret was read and is no key.
    #[error("not sent, since it cannot be signed with the secret in {place}")]
    Key {
        /// Place where the secret is kept.
        place: String,
        /// Reason why it is no key.
        source: KeyError,
    },
    /// The URL that is kept as a secret cannot be sent to.
    #[error("not sent, since the URL in {place} {fault}")]
    Url {
        /// Place where the URL is kept.
        place: String,
        /// Rule that the URL breaks, without the URL.
        fault: String,
    },
    /// The event cannot be rendered in the receiver's format.
    #[error("not sent, since it cannot be rendered in the receiver's format")]
    Format(#[from] FormatError),
    /// No id can be generated for a message.
    #[error("the system gives no random numbers")]
    Random,
    /// A message cannot be written.
    #[error("the message cannot be written")]
    Message(#[from] serde_json::Error),
    /// No answer came, for this reason.
    #[error("{0}")]
    NoAnswer(String),
}

impl SendError {
    /// Returns true for the error of something that could be read; a secret that cannot is found elsewhere.
    pub(super) const fn is_of_what_was_read(&self) -> bool {
        !matches!(self, Self::Secret(_) | Self::Credential(_) | Self::NoUrl(_))
    }
}

/// Returns the place where a secret is kept, for messages.
pub(super) fn place(reference: &SecretRef) -> String {
    match reference {
        SecretRef::Literal(_) => "the configuration".to_owned(),
        SecretRef::File(path) => format!("file {}", path.display()),
        SecretRef::Env(name) => format!("environment variable {name}"),
        SecretRef::Credential(name) => format!("credential {name}"),
    }
}

/// Returns the error with its sources, on one line.
pub(super) fn chain(error: &dyn Error) -> String {
    let causes = std::iter::successors(Some(error), |&error| error.source());
    let texts: Vec<_> =
        causes.map(|error| one_line(&error.to_string(), DETAIL_BYTES_MAX)).collect();
    texts.join(": ")
}

/// Time limits of one request.
#[derive(Clone, Copy, Debug)]
pub(super) struct Limits {
    /// Limit of the request in all.
    pub(super) timeout: Duration,
    /// Limit of its connection.
    pub(super) connect_timeout: Duration,
}

/// Returns the error of a request to which no answer came within `limits`.
pub(super) fn no_answer(error: &reqwest::Error, limits: Limits, redactor: &Redactor) -> SendError {
    let Limits { timeout, connect_timeout } = limits;
    SendError::NoAnswer(match (error.is_timeout(), error.is_connect()) {
        (true, true) => format!("no connection within {}", duration_text(connect_timeout)),
        (true, false) => format!("no answer within {}", duration_text(timeout)),
        (false, true) => format!("no connection: {}", cause(error, redactor)),
        (false, false) => format!("no answer: {}", cause(error, redactor)),
    })
}

/// Returns what an HTTP error comes down to: the layers above only repeat that a request failed, and the
/// uppermost shows its URL.
fn cause(error: &reqwest::Error, redactor: &Redactor) -> String {
    let sources = std::iter::successors(error.source(), |&error| error.source());
    sources.last().map_or_else(
        || "the request cannot be made".to_owned(),
        |error| redactor.line(&error.to_string(), DETAIL_BYTES_MAX),
    )
}
