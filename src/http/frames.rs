//! Bodies that are made while they are sent, and the frames of server-sent events.

use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll};

use axum::body::Body;
use bytes::Bytes;
use http_body::Frame;
use tokio::sync::mpsc;

/// Frames that may wait for a reader; one that is slower is closed or waited for, as its writer decides.
const WAITING_MAX: usize = 64;

/// Body that a task makes while it is sent.
struct Frames(mpsc::Receiver<Bytes>);

impl http_body::Body for Frames {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        self.0.poll_recv(context).map(|bytes| bytes.map(|bytes| Ok(Frame::data(bytes))))
    }
}

/// Returns a body and the end into which its parts are written; it ends when that is dropped.
pub(crate) fn written() -> (mpsc::Sender<Bytes>, Body) {
    let (sender, receiver) = mpsc::channel(WAITING_MAX);
    (sender, Body::new(Frames(receiver)))
}

/// Returns one event of a stream; a line break in the data begins another line of it.
pub(crate) fn event(id: Option<&str>, name: &str, data: &str) -> Bytes {
    let mut text = String::with_capacity(data.len() + 64);
    if let Some(id) = id {
        text.push_str("id: ");
        text.push_str(id);
        text.push('\n');
    }
    text.push_str("event: ");
    text.push_str(name);
    for line in data.split('\n') {
        text.push_str("\ndata: ");
        text.push_str(line.trim_end_matches('\r'));
    }
    text.push_str("\n\n");
    text.into()
}

/// Beginning of a stream: the pause before a reader that lost it comes back, in milliseconds.
pub(crate) const RETRY: Bytes = Bytes::from_static(b"retry: 2000\n\n");
/// Sign that the stream is alive, which readers pass over.
pub(crate) const ALIVE: Bytes = Bytes::from_static(b": alive\n\n");

#[cfg(test)]
mod tests {
    use axum::body::to_bytes;

    use super::*;

    #[test]
    fn event_has_its_number_name_and_lines() {
        let expected = "id: e.7\nevent: integration.failed\ndata: {\ndata: }\n\n";
        assert_eq!(event(Some("e.7"), "integration.failed", "{\r\n}"), expected);
        assert_eq!(event(None, "reset", ""), "event: reset\ndata: \n\n");
    }

    #[tokio::test]
    async fn body_is_what_was_written_until_the_writer_is_gone() {
        let (sender, body) = written();
        let writing = tokio::spawn(async move {
            for part in ["a", "b", "c"] {
                sender.send(Bytes::from_static(part.as_bytes())).await.unwrap();
            }
        });
        assert_eq!(to_bytes(body, 10).await.unwrap(), "abc");
        writing.await.unwrap();
    }
}
