//! One attempt to deliver one message.

use std::error::Error;
use std::time::Duration;

use reqwest::header::{CONTENT_TYPE, HeaderMap, RETRY_AFTER};
use reqwest::{Client, Response, StatusCode, redirect};
use tokio::time::Instant;

use super::receiver::Receiver;
use super::sign::{Key, KeyError, signatures};
use super::text::{cut, one_line, redacted};
use crate::domain::{AttemptResult, Secret, SecretRef, Timestamp, duration_text};
use crate::net::address::{GuardedResolver, Refused, host_permitted};
use crate::net::tls::{self, TlsError};
use crate::secrets::{self, SecretError};

/// The most that is read of an answer, in bytes.
const ANSWER_BYTES_MAX: usize = 16 * 1024;
/// The most that is kept of an answer or an error, in bytes.
const DETAIL_BYTES_MAX: usize = 1024;
/// How long an idle connection is kept.
const IDLE_MAX: Duration = Duration::from_secs(30);
/// Who sends.
const USER_AGENT: &str = concat!("revalidated/", env!("CARGO_PKG_VERSION"));

/// Why nothing can be sent, or nothing came back.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SendError {
    /// The URL's host is an address that is not open.
    #[error("the address is refused")]
    Address(#[from] Refused),
    /// No TLS.
    #[error("connections cannot be secured")]
    Tls(#[from] TlsError),
    /// The HTTP client cannot be built.
    #[error("no HTTP client can be made")]
    Client(#[source] reqwest::Error),
    /// A secret cannot be read; nothing is sent unsigned.
    #[error("not sent, since it cannot be signed")]
    Secret(#[from] SecretError),
    /// A secret was read and is no key.
    #[error("not sent, since it cannot be signed with the secret in {place}")]
    Key {
        /// Where the secret is kept.
        place: String,
        /// What is wrong with it.
        source: KeyError,
    },
    /// No answer.
    #[error("{0}")]
    NoAnswer(String),
}

/// What is sent.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Message<'m> {
    /// The event's id, the same in every attempt and for every receiver.
    pub(crate) id: &'m str,
    /// JSON, sent as it stands.
    pub(crate) body: &'m str,
}

/// What came of an attempt.
#[derive(Debug)]
pub(crate) struct Sent {
    /// What the delivery's next step is decided by.
    pub(crate) result: AttemptResult,
    /// How long it took in all.
    pub(crate) duration: Duration,
    /// The beginning of the answer, or the error: one line of at most 1 KiB, without secrets.
    pub(crate) detail: String,
}

/// Sends to one receiver.
#[derive(Debug)]
pub(crate) struct Sender {
    client: Client,
    receiver: Receiver,
}

impl Sender {
    /// A sender to `receiver`, with connections of its own.
    ///
    /// # Errors
    ///
    /// Fails when the receiver's address is refused or its certificate authorities cannot be read.
    pub(crate) fn new(receiver: Receiver) -> Result<Self, SendError> {
        host_permitted(receiver.url.host_str().unwrap_or_default(), &receiver.allow)?;
        let client = client(&receiver)?;
        Ok(Self { client, receiver })
    }

    /// To whom this sends.
    pub(crate) const fn receiver(&self) -> &Receiver {
        &self.receiver
    }

    /// Sends `message` once, signed for the instant `now` with every secret as it is kept by now.
    ///
    /// The answer's status decides, so a receiver that breaks off after its status is still heard.
    pub(crate) async fn send(&self, message: &Message<'_>, now: Timestamp) -> Sent {
        let began = Instant::now();
        let (result, detail) = match self.attempt(message, now).await {
            Ok(answered) => answered,
            Err(error) => (AttemptResult::Unreachable, chain(&error)),
        };
        Sent { result, duration: began.elapsed(), detail: cut(detail, DETAIL_BYTES_MAX) }
    }

    async fn attempt(
        &self,
        message: &Message<'_>,
        now: Timestamp,
    ) -> Result<(AttemptResult, String), SendError> {
        let (secrets, keys) = self.keys()?;
        let at = now.unix_seconds();
        let request = self
            .client
            .post(self.receiver.url.clone())
            .header(CONTENT_TYPE, "application/json")
            .header("webhook-id", message.id)
            .header("webhook-timestamp", at)
            .header("webhook-signature", signatures(&keys, message.id, at, message.body))
            .body(message.body.to_owned());
        let response = request.send().await.map_err(|error| self.no_answer(&error))?;
        let status = response.status();
        let hint = hint(status, response.headers(), now);
        let hint = hint.map(|hint| hint.min(self.receiver.retry.hint_max));
        let answer = one_line(&String::from_utf8_lossy(&beginning(response).await));
        let answer = self.without_secrets(answer, &secrets);
        let detail = match (status.is_redirection(), answer.is_empty()) {
            (true, true) => "redirects are not followed".to_owned(),
            (true, false) => format!("redirects are not followed: {answer}"),
            (false, _) => answer,
        };
        Ok((AttemptResult::Answered { code: status.as_u16(), hint }, detail))
    }

    fn keys(&self) -> Result<(Vec<Secret>, Vec<Key>), SendError> {
        let (mut values, mut keys) = (Vec::new(), Vec::new());
        for reference in &self.receiver.secrets {
            let value = secrets::resolve(reference)?;
            let key = Key::parse(&value)
                .map_err(|source| SendError::Key { place: place(reference), source })?;
            values.push(value);
            keys.push(key);
        }
        Ok((values, keys))
    }

    /// Receivers echo what they were sent, and their error pages the URL.
    fn without_secrets(&self, answer: String, secrets: &[Secret]) -> String {
        let keys = secrets.iter().map(|secret| {
            let text = secret.expose();
            text.strip_prefix(super::sign::PREFIX).unwrap_or(text)
        });
        let hidden: Vec<_> = keys.chain(self.receiver.url.query()).collect();
        redacted(answer, &hidden)
    }

    fn no_answer(&self, error: &reqwest::Error) -> SendError {
        let Receiver { timeout, connect_timeout, .. } = &self.receiver;
        SendError::NoAnswer(match (error.is_timeout(), error.is_connect()) {
            (true, true) => format!("no connection within {}", duration_text(*connect_timeout)),
            (true, false) => format!("no answer within {}", duration_text(*timeout)),
            (false, true) => format!("no connection: {}", root(error)),
            (false, false) => format!("no answer: {}", root(error)),
        })
    }
}

#[expect(clippy::disallowed_methods, reason = "net::http is not there yet; these are its limits")]
fn client(receiver: &Receiver) -> Result<Client, SendError> {
    let tls = tls::client_config(receiver.ca_file.as_deref())?;
    // HTTP/1.1: a connection that fell silent is given up with its request. Over HTTP/2 it would be
    // shared by the attempts after it, and all of them would fail.
    Client::builder()
        .tls_backend_preconfigured(tls)
        .http1_only()
        .dns_resolver(GuardedResolver::new(receiver.allow.clone()))
        .redirect(redirect::Policy::none())
        .no_proxy()
        .referer(false)
        .connect_timeout(receiver.connect_timeout)
        .timeout(receiver.timeout)
        .pool_max_idle_per_host(receiver.concurrency)
        .pool_idle_timeout(IDLE_MAX)
        .user_agent(USER_AGENT)
        .build()
        .map_err(SendError::Client)
}

/// The beginning of the answer's body, as far as it came.
async fn beginning(mut response: Response) -> Vec<u8> {
    let mut body = Vec::new();
    while let Ok(Some(chunk)) = response.chunk().await {
        let room = ANSWER_BYTES_MAX.saturating_sub(body.len());
        body.extend(chunk.iter().take(room));
        if body.len() == ANSWER_BYTES_MAX {
            break;
        }
    }
    body
}

/// The wait that a receiver asks for, where asking has a meaning.
fn hint(status: StatusCode, headers: &HeaderMap, now: Timestamp) -> Option<Duration> {
    if !matches!(status, StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE) {
        return None;
    }
    let text = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()) {
        return Some(Duration::from_secs(text.parse().unwrap_or(u64::MAX)));
    }
    let date = jiff::fmt::rfc2822::DateTimeParser::new().parse_timestamp(text).ok()?;
    Some(Timestamp::from_jiff(date).since(now))
}

/// Where a secret is kept, for messages.
fn place(reference: &SecretRef) -> String {
    match reference {
        SecretRef::Literal(_) => "the configuration".to_owned(),
        SecretRef::File(path) => format!("file {}", path.display()),
        SecretRef::Env(name) => format!("environment variable {name}"),
        SecretRef::Credential(name) => format!("credential {name}"),
    }
}

/// The error with its sources, on one line.
fn chain(error: &dyn Error) -> String {
    let causes = std::iter::successors(Some(error), |&error| error.source());
    let texts: Vec<_> = causes.map(|error| one_line(&error.to_string())).collect();
    texts.join(": ")
}

/// What an HTTP error comes down to: the layers above only repeat that a request failed, and the
/// uppermost shows its URL.
fn root(error: &reqwest::Error) -> String {
    let sources = std::iter::successors(error.source(), |&error| error.source());
    sources.last().map_or_else(
        || "the request cannot be made".to_owned(),
        |error| one_line(&error.to_string()),
    )
}
