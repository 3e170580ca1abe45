//! One attempt to deliver one message.
//!
//! Sends once, without retries: the retry policy is `domain`'s. The answer is bounded and redacted
//! before it is stored.

mod access;
mod answer;
mod error;
mod heartbeat;
mod pool;
#[cfg(test)]
mod tests;

use std::sync::Arc;
use std::time::Duration;

use reqwest::dns::Resolve;
use reqwest::header::CONTENT_TYPE;
use reqwest::{Client, Url};
use tokio::time::Instant;

use self::access::shown;
use self::answer::{DETAIL_BYTES_MAX, beginning, hint};
pub(crate) use self::error::SendError;
use self::error::{Limits, chain, no_answer, place};
pub(crate) use self::heartbeat::{Beat, HeartbeatSender};
use self::pool::Pool;
use super::format::{Rendered, Stored, render};
use super::receiver::{Access, Receiver, Target, learn_url, parse_url};
use super::sign::{Key, PREFIX, signatures};
use super::text::cut;
use crate::domain::{AttemptResult, Format, Redactor, Subscription, Timestamp};
use crate::net::address::{Allow, host_permitted};
use crate::net::http::{HttpError, HttpOptions, Proxy};
use crate::net::resolve::GuardedResolver;
use crate::secrets;

/// Message that is sent.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Message<'m> {
    /// Id of the event, the same in every attempt and for every receiver.
    pub(crate) id: &'m str,
    /// Body of the event as stored.
    pub(crate) body: &'m str,
    /// Body of the event that began the incident for the receiver, when that was another one.
    pub(crate) began: Option<&'m str>,
    /// Format in which the incident began; none for the receiver's present one.
    pub(crate) format: Option<Format>,
}

/// Outcome of an attempt.
#[derive(Debug)]
pub(crate) struct Sent {
    /// Result that decides the next step of the delivery.
    pub(crate) result: AttemptResult,
    /// Duration of the whole attempt.
    pub(crate) duration: Duration,
    /// Beginning of the answer, or the error: one line of at most 1 KiB, without secrets.
    pub(crate) detail: String,
}

/// Client of one receiver.
#[derive(Debug)]
pub(crate) struct Sender {
    transport: Transport,
    receiver: Receiver,
    /// Secrets that were ever sent to the receiver and are removed from its answers.
    redactor: Redactor,
}

/// Transport that messages are sent over.
#[derive(Debug)]
enum Transport {
    /// HTTP over the network.
    Http(Box<Pool>),
    /// Simulated receiver without a network.
    #[cfg(test)]
    Simulated(super::Wire),
}

impl Sender {
    /// Returns the events that the receiver subscribes to.
    pub(crate) const fn subscription(&self) -> &Subscription {
        &self.receiver.subscription
    }

    /// Returns scheme and host of the receiver's URL; none when that is kept as a secret.
    pub(crate) fn origin(&self) -> Option<String> {
        self.receiver.origin()
    }

    /// Returns a client of `receiver`, with connections of its own.
    ///
    /// # Errors
    ///
    /// Fails when the receiver's address is refused or its certificate authorities cannot be read.
    pub(crate) fn new(receiver: Receiver) -> Result<Self, SendError> {
        let resolver = GuardedResolver::new(receiver.allow.clone());
        Self::resolving(receiver, resolver)
    }

    /// Returns the same with another resolver.
    ///
    /// # Errors
    ///
    /// Fails like [`Sender::new`].
    pub(super) fn resolving(
        receiver: Receiver,
        resolver: GuardedResolver,
    ) -> Result<Self, SendError> {
        if let Target::Fixed(url) = &receiver.target {
            host_permitted(url.host_str().unwrap_or_default(), &receiver.allow)?;
        }
        #[cfg(test)]
        if let Some(wire) = receiver.wire.clone() {
            let redactor = Redactor::default();
            return Ok(Self { transport: Transport::Simulated(wire), receiver, redactor });
        }
        let transport = Transport::Http(Box::new(pool(&receiver, resolver)?));
        Ok(Self { transport, receiver, redactor: Redactor::default() })
    }

    /// Returns the receiver that this sends to.
    pub(crate) const fn receiver(&self) -> &Receiver {
        &self.receiver
    }

    /// Sends `message` once, signed for the instant `now` with the current value of every secret.
    ///
    /// The status of the answer decides, even when the receiver closes the connection after it.
    pub(crate) async fn send(&self, message: &Message<'_>, now: Timestamp) -> Sent {
        let began = Instant::now();
        let (result, detail) = match self.attempt(message, now).await {
            Ok(answered) => answered,
            Err(error @ SendError::Format(_)) => (AttemptResult::Unsendable, chain(&error)),
            Err(error) => (AttemptResult::Unreachable, chain(&error)),
        };
        Sent { result, duration: began.elapsed(), detail: cut(detail, DETAIL_BYTES_MAX) }
    }

    /// Reads everything that a message needs, without sending one; returns what cannot be used. What cannot be
    /// read is left out.
    pub(crate) async fn examine(&self) -> Vec<String> {
        let (keys, url) = (self.keys().await.err(), self.url().await.err());
        let shown = shown(&self.receiver.access, &self.redactor).await;
        let connected = match (&shown, &self.transport) {
            (Ok(shown), Transport::Http(pool)) => pool.examine(&shown.way).await.err(),
            #[cfg(test)]
            (Ok(_), Transport::Simulated(_)) => None,
            (Err(_), _) => None,
        };
        let found = [keys, url, shown.err(), connected.map(SendError::Client)];
        found
            .into_iter()
            .flatten()
            .filter(SendError::is_of_what_was_read)
            .map(|error| chain(&error))
            .collect()
    }

    async fn attempt(
        &self,
        message: &Message<'_>,
        now: Timestamp,
    ) -> Result<(AttemptResult, String), SendError> {
        let routing_key = &self.receiver.routing_key;
        let format = self.format(message);
        let keys = self.keys().await?;
        let url = self.url().await?;
        #[cfg_attr(
            not(test),
            expect(
                clippy::infallible_destructuring_match,
                reason = "tests have another transport"
            )
        )]
        let pool = match &self.transport {
            Transport::Http(pool) => pool,
            #[cfg(test)]
            Transport::Simulated(wire) => return Ok((wire.0.post(message).await, String::new())),
        };
        let shown = shown(&self.receiver.access, &self.redactor).await?;
        let key = match routing_key {
            Some(reference) => Some(secrets::resolve(reference).await?),
            None => None,
        };
        if let Some(key) = &key {
            self.redactor.learn(key);
        }
        let Message { id, body, began, .. } = *message;
        let Rendered { content_type, body } =
            render(format, &Stored { id, body, began, at: now }, key.as_ref())?;
        let at = now.unix_seconds();
        let signatures = format.is_signed().then(|| signatures(&keys, message.id, at, &body));
        let build = |client: &Client| {
            let request = client
                .post(url.clone())
                .header(CONTENT_TYPE, content_type)
                .header("webhook-id", message.id)
                .header("webhook-timestamp", at)
                .headers(shown.headers.clone());
            let request = match &signatures {
                Some(signatures) => request.header("webhook-signature", signatures),
                None => request,
            };
            request.body(body.clone())
        };
        let response = pool.send(build, &shown.way).await?;
        let Receiver { timeout, connect_timeout, .. } = self.receiver;
        let limits = Limits { timeout, connect_timeout };
        let response = response.map_err(|error| no_answer(&error, limits, &self.redactor))?;
        let status = response.status();
        let hint = hint(status, response.headers(), now);
        let hint = hint.map(|hint| hint.min(self.receiver.retry.hint_max));
        let answer = beginning(response).await;
        let answer = self.redactor.line(&String::from_utf8_lossy(&answer), DETAIL_BYTES_MAX);
        let detail = match (status.is_redirection(), answer.is_empty()) {
            (true, true) => "redirects are not followed".to_owned(),
            (true, false) => format!("redirects are not followed: {answer}"),
            (false, _) => answer,
        };
        Ok((AttemptResult::Answered { code: status.as_u16(), hint }, detail))
    }

    /// Returns the format of `message`: that in which its incident began, unless the receiver no longer has
    /// what that one needs.
    fn format(&self, message: &Message<'_>) -> Format {
        let Receiver { format, routing_key, secrets, .. } = &self.receiver;
        let has_all = |began: &Format| {
            (*began != Format::PagerDuty || routing_key.is_some())
                && (!began.is_signed() || !secrets.is_empty())
        };
        message.format.filter(has_all).unwrap_or(*format)
    }

    async fn keys(&self) -> Result<Vec<Key>, SendError> {
        let mut keys = Vec::new();
        for reference in &self.receiver.secrets {
            let value = secrets::resolve(reference).await?;
            let key = Key::parse(&value)
                .map_err(|source| SendError::Key { place: place(reference), source })?;
            // The prefix is the same for all secrets, and is none.
            let text = value.expose();
            self.redactor.learn_text(text.strip_prefix(PREFIX).unwrap_or(text));
            keys.push(key);
        }
        Ok(keys)
    }

    async fn url(&self) -> Result<Url, SendError> {
        url(&self.receiver.target, &self.receiver.allow, &self.redactor).await
    }
}

/// Returns the URL that requests are sent to now; `redactor` learns it.
async fn url(target: &Target, allow: &Allow, redactor: &Redactor) -> Result<Url, SendError> {
    let url = match target {
        Target::Fixed(url) => url.clone(),
        Target::Kept(reference) => {
            let text = secrets::resolve(reference).await.map_err(SendError::NoUrl)?;
            parse_url(text.expose(), allow)
                .map_err(|fault| SendError::Url { place: place(reference), fault })?
        }
    };
    learn_url(redactor, &url);
    Ok(url)
}

fn pool(receiver: &Receiver, resolver: GuardedResolver) -> Result<Pool, HttpError> {
    Pool::new(HttpOptions {
        connect_timeout: receiver.connect_timeout,
        total_timeout: receiver.timeout,
        idle_connections_max: receiver.concurrency,
        ..way_of(&receiver.access, resolver)
    })
}

/// Returns the options of connections on this way, without their limits.
fn way_of(access: &Access, resolver: GuardedResolver) -> HttpOptions {
    let resolver: Arc<dyn Resolve> = Arc::new(resolver);
    let proxy = access.proxy.as_ref();
    HttpOptions {
        ca_file: access.ca_file.clone(),
        // A proxy looks up the receiver's name by itself, and its own address is configured.
        resolver: proxy.is_none().then_some(resolver),
        proxy: proxy.map(|proxy| Proxy { url: proxy.url.clone(), credentials: None }),
        ..HttpOptions::default()
    }
}
