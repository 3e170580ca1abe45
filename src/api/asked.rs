//! Request as handlers see it: parameters, query, body and caller, all checked.

use std::sync::Arc;
use std::time::Duration;

use axum::http::HeaderMap;
use axum::http::header::LINK;
use bytes::Bytes;
use serde::de::DeserializeOwned;
use tokio::sync::mpsc;
use tokio::time::{Instant, timeout};

use super::state::Api;
use crate::domain::{IntegrationId, Timestamp};
use crate::http::{Answer, Caller, Code, Kind, Parameter, Problem, Query, Refusal, Streaming};
use crate::store::{Cursor, IntegrationRow, Listed, Page, StatusRow, StoreError};

/// Rows of a page unless the query says otherwise.
const LIMIT: u32 = 100;

/// Time that the reader of a stream may take until its buffer has a place again.
const SLOW_MAX: Duration = Duration::from_secs(10);

/// Time after which a stream ends.
pub(super) const FOR: Parameter = Parameter::once(
    "for",
    Kind::Duration,
    "Time after which the stream ends, such as `55s`; `0s` sends what there is. Without it the stream goes on.",
);
/// Parameters of every list.
pub(super) const PAGE: &[Parameter] = &[
    Parameter::once("limit", Kind::Integer(1, 1000), "Rows of a page; 100 without it."),
    Parameter::once("after", Kind::Cursor, "Cursor of a page: the `next` of the page before."),
];

/// Request, checked against its route.
pub(super) struct Asked {
    /// State of the interface.
    pub(super) api: Arc<Api>,
    /// Person or program that asks.
    pub(super) caller: Caller,
    /// Parameters of the path, by name.
    pub(super) path: Vec<(String, String)>,
    /// Parameters of the query.
    pub(super) query: Query,
    /// Path of the request as it was sent, for links.
    pub(super) target: String,
    /// Means to answer for longer than requests may take; none beside a server.
    pub(super) streaming: Option<Streaming>,
    /// Headers of the request.
    pub(super) headers: HeaderMap,
    /// Body of the request; empty without one.
    pub(super) body: Vec<u8>,
}

impl Asked {
    /// Returns the present instant.
    pub(super) fn now(&self) -> Timestamp {
        self.api.control.now()
    }

    /// Returns a parameter of the path; the router gives each that the path names.
    pub(super) fn part(&self, name: &str) -> &str {
        let found = self.path.iter().find(|(other, _)| other == name);
        found.map_or("", |(_, value)| value)
    }

    /// Returns a parameter of the path as a number.
    ///
    /// # Errors
    ///
    /// Fails when it is none.
    pub(super) fn number(&self, name: &str) -> Result<i64, Problem> {
        let text = self.part(name);
        let is_plain = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        let number = text.parse().ok().filter(|_| is_plain);
        number.ok_or_else(|| {
            let problem = format!("{} is not a number", crate::input::quoted(text));
            Problem::parameters(vec![crate::http::BadParameter::new(name, problem)])
        })
    }

    /// Returns the body read as `T`; an empty one as `{}`.
    ///
    /// # Errors
    ///
    /// Fails with the reason when it is not JSON or has another shape.
    pub(super) fn body<T: DeserializeOwned>(&self) -> Result<T, Problem> {
        let body = if self.body.is_empty() { b"{}" } else { self.body.as_slice() };
        // An array would be read as the members in their order.
        if body.trim_ascii_start().first() != Some(&b'{') {
            return Err(Problem::new(Code::BadBody, "the body is no JSON object"));
        }
        serde_json::from_slice(body).map_err(|error| Problem::new(Code::BadBody, error.to_string()))
    }

    /// Returns the page that the query asks for.
    ///
    /// # Errors
    ///
    /// Fails when the cursor is none.
    pub(super) fn page(&self) -> Result<Page, Problem> {
        Ok(Page { after: self.cursor()?, limit: self.limit() })
    }

    /// Returns the number of rows that the query asks for.
    pub(super) fn limit(&self) -> u32 {
        self.query.integer("limit").unwrap_or(LIMIT)
    }

    fn cursor(&self) -> Result<Option<Cursor>, Problem> {
        let cursor = self.query.text("after").map(str::parse).transpose();
        // To its caller one that cannot be read is as good as one of another database.
        cursor.map_err(|_unread| unread(StoreError::WrongCursor))
    }

    /// Returns true when the caller may see everything.
    pub(super) fn sees_all(&self) -> bool {
        self.caller.labels.is_empty()
    }

    /// Refuses callers that may see a part of the integrations only.
    ///
    /// # Errors
    ///
    /// Fails for such a caller.
    pub(super) fn whole(&self) -> Result<(), Problem> {
        if self.sees_all() { Ok(()) } else { Err(Refusal::Labels.problem()) }
    }

    /// Exempts the answer from the time that requests may take.
    ///
    /// # Errors
    ///
    /// Fails while too many such answers are under way.
    pub(super) fn stream(&self) -> Result<(), Problem> {
        if self.streaming.as_ref().is_none_or(Streaming::begin) {
            return Ok(());
        }
        Err(Problem::new(Code::Unavailable, "too many streams are open").retry_after(10))
    }

    /// Returns the instant at which the stream is to end, if its caller has named a time.
    pub(super) fn end(&self) -> Option<Instant> {
        Instant::now().checked_add(self.query.duration("for")?)
    }

    /// Writes a part of a stream; false when its reader is gone, or has been closed for being too slow.
    pub(super) async fn write(&self, sender: &mpsc::Sender<Bytes>, part: Bytes) -> bool {
        let Ok(sent) = timeout(SLOW_MAX, sender.send(part)).await else {
            // Parts in its buffer would hold the connection, and its place, for as long as the reader is stopped.
            if let Some(streaming) = &self.streaming {
                streaming.cut();
            }
            return false;
        };
        sent.is_ok()
    }

    /// Reads all integrations that the caller may see, in short, by name.
    ///
    /// # Errors
    ///
    /// Fails when the store cannot be read.
    pub(super) async fn statuses(&self) -> Result<Vec<StatusRow>, Problem> {
        let mut all = self.api.view.all_statuses().await.map_err(unread)?;
        all.retain(|row| self.caller.sees(&row.labels));
        Ok(all)
    }

    /// Reads the integration that the path names: by its name, or by its id when none is so named.
    ///
    /// # Errors
    ///
    /// Fails when there is none that the caller may see.
    pub(super) async fn integration(&self) -> Result<IntegrationRow, Problem> {
        let name = self.part("name");
        let mut found = self.api.view.integration(name).await.map_err(unread)?;
        if found.is_none()
            && let Ok(id) = name.parse().map(IntegrationId)
        {
            found = self.api.view.integration_of(id).await.map_err(unread)?;
        }
        let found = found.filter(|row| self.caller.sees(&row.labels));
        let unknown = || format!("no integration is named {}", crate::input::quoted(name));
        found.ok_or_else(|| Problem::new(Code::NotFound, unknown()))
    }
}

/// Returns the problem of a failed read.
pub(super) fn unread(error: StoreError) -> Problem {
    match error {
        StoreError::WrongCursor => {
            let detail = "the cursor is of another list or database; begin again without `after`";
            Problem::new(Code::CursorGone, detail)
        }
        StoreError::Busy => {
            Problem::new(Code::Unavailable, "too many reads at once").retry_after(1)
        }
        error @ (StoreError::Engine(_)
        | StoreError::File { .. }
        | StoreError::Server { .. }
        | StoreError::Damaged { .. }
        | StoreError::InUse { .. }
        | StoreError::Occupied { .. }
        | StoreError::Inconsistent { .. }
        | StoreError::Document { .. }
        | StoreError::Newer { .. }
        | StoreError::TooSlow
        | StoreError::Commit(_)
        | StoreError::Random
        | StoreError::Undecided
        | StoreError::Stopped) => {
            tracing::warn!("the interface could not read the store: {error}");
            Problem::new(Code::Unavailable, "the store cannot be read now").retry_after(1)
        }
    }
}

/// Returns a value as the body of an answer.
///
/// # Errors
///
/// Fails when the value has keys that are no text, which none has.
pub(super) fn json(value: &impl serde::Serialize) -> Result<Answer, Problem> {
    Answer::json(value).ok_or_else(|| Problem::new(Code::Internal, "the answer cannot be written"))
}

/// Page of a list, with the cursor of the next one.
#[derive(serde::Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(super) struct Items<T> {
    items: Vec<T>,
    next: Option<String>,
}

/// Returns a page of values as the body of an answer, with a link to the next one.
///
/// # Errors
///
/// Fails as [`json`] does.
pub(super) fn listed<'r, R, T: serde::Serialize>(
    asked: &Asked,
    rows: &'r Listed<R>,
    shape: impl Fn(&'r R) -> T,
) -> Result<Answer, Problem> {
    let next = rows.next.as_ref().map(ToString::to_string);
    items(asked, rows.rows.iter().map(shape).collect(), next)
}

/// Returns values as the body of an answer, with a link to the page at `next`.
///
/// # Errors
///
/// Fails as [`json`] does.
pub(super) fn items<T: serde::Serialize>(
    asked: &Asked,
    items: Vec<T>,
    next: Option<String>,
) -> Result<Answer, Problem> {
    let link = next.as_ref().map(|next| {
        let rest = asked.query.without(&["after"]);
        let and = if rest.is_empty() { "" } else { "&" };
        format!("<{}?{rest}{and}after={next}>; rel=\"next\"", asked.target)
    });
    let answer = json(&Items { items, next })?;
    Ok(match link {
        Some(link) => answer.with_header(LINK, &link),
        None => answer,
    })
}
