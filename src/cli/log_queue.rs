//! Bounded queue between the code that logs and the stream that takes the lines.
//!
//! Logging never blocks: a pipe that nothing reads, or a journal that hangs, stops a thread of the queue's
//! own. Lines beyond the bound are dropped and counted, and the count is logged once the stream takes
//! lines again.

use std::io::{self, Write};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, OnceLock, PoisonError};
use std::thread;
use std::time::Duration;

use tracing_subscriber::fmt::MakeWriter;

/// Queue of the process's log, once logging has been started.
static QUEUE: OnceLock<LogQueue> = OnceLock::new();

/// Bytes of lines that may wait.
const BYTES_MAX: usize = 1024 * 1024;

/// Stream that takes whole lines, and may block.
pub(super) type Sink = Box<dyn FnMut(&[u8]) -> io::Result<()> + Send>;

/// Handle of a queue; its clones are the same queue.
#[derive(Clone, Debug, Default)]
pub(super) struct LogQueue(Arc<Shared>);

#[derive(Debug, Default)]
struct Shared {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct State {
    lines: Vec<Vec<u8>>,
    /// Bytes of the lines that wait and of those that are being written.
    bytes: usize,
    /// Number of lines dropped since lines were last written.
    dropped: u64,
    /// True while lines are being written.
    writing: bool,
    /// True while the thread waits for the next line.
    idle: bool,
    /// Number of callers that wait until all is written.
    flushing: usize,
}

/// Starts the queue of the process's log.
///
/// # Errors
///
/// Fails when the system refuses a thread.
pub(super) fn queue(sink: Sink) -> io::Result<LogQueue> {
    let queue = LogQueue::start(sink)?;
    Ok(QUEUE.get_or_init(|| queue).clone())
}

/// Waits until every line of the process's log is written, at most `limit`.
pub(super) fn flush(limit: Duration) {
    if let Some(queue) = QUEUE.get() {
        queue.flush(limit);
    }
}

/// True unless lines of the process's log wait to be read.
pub(super) fn is_read() -> bool {
    QUEUE.get().is_none_or(LogQueue::is_empty)
}

impl LogQueue {
    /// Starts a detached thread that writes queued lines to `sink`.
    ///
    /// # Errors
    ///
    /// Fails when the system refuses a thread.
    pub(super) fn start(mut sink: Sink) -> io::Result<Self> {
        let queue = Self::default();
        let writer = queue.clone();
        thread::Builder::new().name("log".to_owned()).spawn(move || {
            loop {
                let lines = writer.take();
                for line in &lines {
                    // A closed stream takes no report of that either.
                    let _gone = sink(line);
                }
                let dropped = writer.written(&lines);
                if 0 < dropped {
                    tracing::warn!(
                        dropped,
                        "{dropped} log lines were dropped: nothing read the log"
                    );
                }
            }
        })?;
        Ok(queue)
    }

    /// Queues `line`, or counts it when there is no place.
    pub(super) fn push(&self, line: &[u8]) {
        let mut state = self.state();
        if BYTES_MAX.saturating_sub(state.bytes) < line.len() {
            state.dropped = state.dropped.saturating_add(1);
            return;
        }
        state.bytes += line.len();
        state.lines.push(line.to_owned());
        let is_asleep = std::mem::take(&mut state.idle);
        drop(state);
        if is_asleep {
            self.0.changed.notify_all();
        }
    }

    /// Waits until every line is written, at most `limit`.
    fn flush(&self, limit: Duration) {
        let mut state = self.state();
        state.flushing = state.flushing.saturating_add(1);
        let is_busy = |state: &mut State| state.writing || !state.lines.is_empty();
        let waited = self.0.changed.wait_timeout_while(state, limit, is_busy);
        let (mut state, _) = waited.unwrap_or_else(PoisonError::into_inner);
        state.flushing = state.flushing.saturating_sub(1);
    }

    /// True when every line is written.
    fn is_empty(&self) -> bool {
        let state = self.state();
        !state.writing && state.lines.is_empty()
    }

    /// Waits for lines and takes all there are.
    fn take(&self) -> Vec<Vec<u8>> {
        let mut state = self.state();
        state.idle = state.lines.is_empty();
        let is_empty = |state: &mut State| state.lines.is_empty();
        let waited = self.0.changed.wait_while(state, is_empty);
        let mut state = waited.unwrap_or_else(PoisonError::into_inner);
        state.writing = true;
        std::mem::take(&mut state.lines)
    }

    /// Notes that `lines` are written. Returns the number of lines dropped before that.
    fn written(&self, lines: &[Vec<u8>]) -> u64 {
        let mut state = self.state();
        state.writing = false;
        state.bytes = state.bytes.saturating_sub(lines.iter().map(Vec::len).sum());
        let dropped = std::mem::take(&mut state.dropped);
        let is_awaited = 0 < state.flushing;
        drop(state);
        if is_awaited {
            self.0.changed.notify_all();
        }
        dropped
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Writer of one event, which arrives in one piece.
pub(super) struct Line(LogQueue);

impl Write for Line {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.push(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'w> MakeWriter<'w> for LogQueue {
    type Writer = Line;

    fn make_writer(&'w self) -> Line {
        Line(self.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::mpsc;
    use tokio::time::Instant;

    #[test]
    fn blocked_stream_does_not_block_logging_and_dropped_lines_are_counted() {
        let (open, opened) = mpsc::channel::<()>();
        let (sent, seen) = mpsc::channel();
        let sink = move |line: &[u8]| {
            let _opened = opened.recv();
            let _sent = sent.send(line.to_owned());
            Ok(())
        };
        let queue = LogQueue::start(Box::new(sink)).unwrap();
        let line = [7; 1024];
        // One more than fits may be on its way to the stream.
        for _ in 0..BYTES_MAX / line.len() + 100 {
            queue.push(&line);
        }
        let start = Instant::now();
        queue.flush(Duration::from_millis(20));
        assert!(start.elapsed() < Duration::from_secs(5));
        let dropped = queue.state().dropped;
        assert!((99..=100).contains(&dropped), "{dropped}");
        drop(open);
        queue.flush(Duration::from_secs(10));
        assert_eq!(
            seen.try_iter().count(),
            BYTES_MAX / line.len() + 100 - usize::try_from(dropped).unwrap()
        );
        assert_eq!(queue.state().dropped, 0);
    }
}
