//! Events by their numbers: catching up, and the stream that nothing is lost of.

use std::time::Duration;

use axum::body::Body;
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse as _, Response};
use tokio::sync::mpsc;
use tokio::time::{Instant, timeout};

use super::asked::{Asked, FOR, items, unread};
use super::route::{Handled, Reply};
use crate::http::{
    ALIVE, Answer, BadParameter, Code, JSON, Kind, Parameter, Problem, RETRY, event, written,
};
use crate::store::{EventRow, Events};
use crate::view::StoredEvent;

/// Position in the order of events.
const AFTER: Parameter = Parameter::once(
    "after",
    Kind::Position,
    "Position after which events are wanted: `0`, a number, `<epoch>.<number>`, or the `webhook-id` of the last one.",
);
/// Parameters of catching up.
pub(super) const CATCH_UP: &[Parameter] =
    &[AFTER, Parameter::once("limit", Kind::Integer(1, 1000), "Events of a page; 100 without it.")];
/// Parameters of the stream.
pub(super) const STREAM: &[Parameter] = &[AFTER, FOR];
/// Events that a stream reads at once.
const AT_ONCE: u32 = 100;
/// Time between two looks for events that another process has stored.
const LOOK: Duration = Duration::from_secs(2);
/// Time between two signs of life.
const ALIVE_EVERY: Duration = Duration::from_secs(15);

/// Handler of `GET /api/v1/events`: stored events in the order of their numbers.
pub(super) async fn list(asked: Asked) -> Handled {
    let after = position(&asked, asked.query.text("after")).await?;
    let read = asked.api.view.events(after, asked.limit()).await.map_err(unread)?;
    refuse_gaps(&read)?;
    let last = read.rows.last().map(|row| row.number);
    let next = last.filter(|last| *last < read.latest).filter(|_| is_full(&asked, &read));
    let next = next.map(|last| format!("{}.{last}", read.epoch));
    let mut shown = Vec::with_capacity(read.rows.len());
    for row in &read.rows {
        if is_visible(&asked, row).await? {
            shown.extend(StoredEvent::new(row));
        }
    }
    Ok(items(&asked, shown, next)?.into())
}

fn is_full(asked: &Asked, read: &Events) -> bool {
    usize::try_from(asked.limit()).is_ok_and(|limit| limit <= read.rows.len())
}

/// Handler of `GET /api/v1/events/{id}`: the body of an event, byte for byte.
pub(super) async fn show(asked: Asked) -> Handled {
    let id = asked.part("id");
    let unknown =
        || Problem::new(Code::NotFound, format!("no event {} is kept", crate::input::quoted(id)));
    let row = asked.api.view.event(id).await.map_err(unread)?.ok_or_else(unknown)?;
    if is_visible(&asked, &row).await? {
        return Ok(Answer::new(JSON, row.body).into());
    }
    Err(unknown())
}

/// Returns true when the caller may see an event: those about no integration are for callers that see all.
async fn is_visible(asked: &Asked, row: &EventRow) -> Result<bool, Problem> {
    if asked.sees_all() {
        return Ok(true);
    }
    let Some(name) = &row.integration else { return Ok(false) };
    let found = asked.api.view.integration(name).await.map_err(unread)?;
    Ok(found.is_some_and(|row| asked.caller.sees(&row.labels)))
}

/// Returns the number after which events are wanted.
async fn position(asked: &Asked, text: Option<&str>) -> Result<i64, Problem> {
    let Some(text) = text else { return Ok(0) };
    let wrong = |problem: String| Problem::parameters(vec![BadParameter::new("after", problem)]);
    let view = &asked.api.view;
    if text.starts_with("evt_") {
        let found = view.event(text).await.map_err(unread)?;
        let Some(row) = found else {
            let read = view.events(i64::MAX, 1).await.map_err(unread)?;
            return Err(gone("this event is not kept any more", &read));
        };
        return Ok(row.number);
    }
    let (epoch, number) = match text.rsplit_once('.') {
        Some((epoch, number)) => (Some(epoch), number),
        None => (None, text),
    };
    let is_plain = !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit());
    let Some(number) = number.parse().ok().filter(|_| is_plain) else {
        let text = crate::input::quoted(text);
        return Err(wrong(format!("{text} is not a number, `<epoch>.<number>` or a `webhook-id`")));
    };
    if let Some(epoch) = epoch {
        let read = view.events(i64::MAX, 1).await.map_err(unread)?;
        if epoch != read.epoch {
            return Err(gone("the position belongs to another database", &read));
        }
    }
    Ok(number)
}

/// Refuses a position after which events have been deleted.
fn refuse_gaps(read: &Events) -> Result<(), Problem> {
    if read.is_behind {
        return Err(gone("events after this position are not kept any more", read));
    }
    Ok(())
}

/// Returns the problem of a position that cannot be gone on from, with what can be.
fn gone(detail: &str, read: &Events) -> Problem {
    let detail = format!("{detail}; read `/integrations`, then go on from `latest`");
    let place = |number: i64| format!("{}.{number}", read.epoch);
    Problem::new(Code::EventsGone, detail)
        .with("oldest", place(read.pruned))
        .with("latest", place(read.latest))
}

/// Handler of `GET /api/v1/events/stream`: events as they are stored, from a position on.
pub(super) async fn stream(asked: Asked) -> Handled {
    let header = asked.headers.get("last-event-id");
    let header = header.map(|value| value.to_str().unwrap_or_default().to_owned());
    // A reader that comes back says where it was; without a position only what is new is sent.
    let given = header.filter(|text| !text.is_empty());
    let given = given.or_else(|| asked.query.text("after").map(str::to_owned));
    let after = match &given {
        Some(text) => position(&asked, Some(text)).await?,
        None => asked.api.view.events(i64::MAX, 1).await.map_err(unread)?.latest,
    };
    let read = asked.api.view.events(after, AT_ONCE).await.map_err(unread)?;
    refuse_gaps(&read)?;
    asked.stream()?;
    let (sender, body) = written();
    let writer = Writer { end: asked.end(), asked, sender, after, alive: Instant::now() };
    tokio::spawn(writer.run(read));
    Ok(Reply::Streamed(streamed(body)))
}

/// Returns the response of a stream of server-sent events.
pub(super) fn streamed(body: Body) -> Response {
    let mut response = body.into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/event-stream"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("private, no-cache"));
    headers.insert("x-accel-buffering", HeaderValue::from_static("no"));
    response
}

/// Writes events into a stream, in a task of its own that no other waits for.
struct Writer {
    asked: Asked,
    sender: mpsc::Sender<bytes::Bytes>,
    after: i64,
    alive: Instant,
    end: Option<Instant>,
}

impl Writer {
    /// Writes until the reader is gone, too slow, needs events that are no longer kept, or has everything
    /// when its time is over.
    async fn run(mut self, mut read: Events) {
        let mut changes = self.asked.api.changes.clone();
        if !self.write(RETRY).await {
            return;
        }
        loop {
            changes.mark_unchanged();
            if read.is_behind || !self.send(&read).await {
                return;
            }
            if read.rows.is_empty() {
                let left = self.end.map(|end| end.saturating_duration_since(Instant::now()));
                if left.is_some_and(|left| left.is_zero()) {
                    return;
                }
                let wait = left.map_or(LOOK, |left| left.min(LOOK));
                let stopped = tokio::select! {
                    woken = timeout(wait, changes.changed()) => matches!(woken, Ok(Err(_))),
                    () = self.sender.closed() => true,
                };
                let is_silent = ALIVE_EVERY <= self.alive.elapsed();
                if stopped || (is_silent && !self.write(ALIVE).await) {
                    return;
                }
            }
            match self.asked.api.view.events(self.after, AT_ONCE).await {
                Ok(more) => read = more,
                Err(_unreadable) => return,
            }
        }
    }

    async fn send(&mut self, read: &Events) -> bool {
        for row in &read.rows {
            self.after = row.number;
            match is_visible(&self.asked, row).await {
                Ok(true) => {}
                Ok(false) => continue,
                Err(_unreadable) => return false,
            }
            let id = format!("{}.{}", read.epoch, row.number);
            if !self.write(event(Some(&id), row.kind.as_str(), &row.body)).await {
                return false;
            }
        }
        true
    }

    async fn write(&mut self, bytes: bytes::Bytes) -> bool {
        self.alive = Instant::now();
        self.asked.write(&self.sender, bytes).await
    }
}
