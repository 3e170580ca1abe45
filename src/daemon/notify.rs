//! Notifications to systemd; without systemd all of them do nothing.
//!
//! The socket of the service manager blocks while its queue is full, which an async worker must not
//! wait for, and a lost `READY=1` would end the service. So messages go through a short queue to a
//! detached thread, which sends them in order.

use std::fmt::Write as _;
use std::io;
use std::sync::LazyLock;
use std::sync::mpsc::{SyncSender, sync_channel};
use std::thread;

use sd_notify::NotifyState;
use tracing::warn;

/// Time that the service manager is asked to wait for a start, in microseconds: 15 minutes.
const START_MAX_USEC: u32 = 15 * 60 * 1_000_000;
/// Messages that may wait for the service manager.
const MESSAGES_MAX: usize = 16;

/// Queue of the process.
static QUEUE: LazyLock<io::Result<Queue>> = LazyLock::new(|| {
    Queue::start(|message| {
        // The assignments are complete; the library only adds the last newline.
        if let Err(error) = sd_notify::notify(&[NotifyState::Custom(message.trim_end())]) {
            warn!("systemd could not be notified: {error}");
        }
    })
});

/// Asks for time: a large database may be copied and verified before the service is up.
pub(super) fn opening() {
    send(&[NotifyState::ExtendTimeoutUsec(START_MAX_USEC)]);
}

/// Reports that the service is up; `status` is shown by `systemctl status`.
pub(super) fn ready(status: &str) {
    // A newline would begin another assignment.
    let status = status.replace(['\n', '\r'], " ");
    send(&[NotifyState::Ready, NotifyState::Status(&status)]);
}

/// Reports the state of the service, which `systemctl status` shows.
pub(super) fn status(status: &str) {
    let status = status.replace(['\n', '\r'], " ");
    send(&[NotifyState::Status(&status)]);
}

/// Reports that a reload has begun; [`ready`] ends it.
pub(super) fn reloading() {
    match NotifyState::monotonic_usec_now() {
        Ok(now) => send(&[NotifyState::Reloading, now]),
        Err(error) => warn!("the monotonic clock cannot be read: {error}"),
    }
}

/// Reports that the service is going down.
pub(super) fn stopping() {
    send(&[NotifyState::Stopping, NotifyState::Status("draining")]);
}

/// Reports that the daemon still makes progress.
pub(super) fn watchdog() {
    send(&[NotifyState::Watchdog]);
}

fn send(states: &[NotifyState<'_>]) {
    match &*QUEUE {
        Ok(queue) => {
            if !queue.push(message(states)) {
                warn!("systemd does not read its notifications; one was dropped");
            }
        }
        Err(error) => warn!("systemd could not be notified: {error}"),
    }
}

/// Returns the datagram for `states`: an assignment a line.
fn message(states: &[NotifyState<'_>]) -> String {
    let mut text = String::new();
    for state in states {
        // Writing to a string cannot fail.
        let _complete = writeln!(text, "{state}");
    }
    text
}

/// Bounded queue of messages.
#[derive(Debug)]
struct Queue(SyncSender<String>);

impl Queue {
    /// Starts a detached thread that hands each message to `deliver`, which may block.
    ///
    /// # Errors
    ///
    /// Fails when the system refuses a thread.
    fn start(deliver: impl Fn(&str) + Send + 'static) -> io::Result<Self> {
        let (sender, messages) = sync_channel::<String>(MESSAGES_MAX);
        thread::Builder::new().name("notify".to_owned()).spawn(move || {
            for message in messages {
                deliver(&message);
            }
        })?;
        Ok(Self(sender))
    }

    /// Queues `message` without blocking. Returns false when there is no place.
    fn push(&self, message: String) -> bool {
        self.0.try_send(message).is_ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::mpsc;

    #[test]
    fn message_has_one_assignment_a_line() {
        let states = [NotifyState::Ready, NotifyState::Status("7 integrations")];
        assert_eq!(message(&states), "READY=1\nSTATUS=7 integrations\n");
    }

    #[test]
    fn manager_that_reads_nothing_blocks_no_sender_and_gets_the_rest_in_order() {
        let (release, released) = mpsc::channel::<()>();
        let (sent, seen) = mpsc::channel();
        let queue = Queue::start(move |message| {
            assert!(released.recv().is_err());
            sent.send(message.to_owned()).unwrap();
        })
        .unwrap();
        // One more than fits may be on its way.
        let taken = (0..MESSAGES_MAX + 5).filter(|number| queue.push(number.to_string())).count();
        assert!((MESSAGES_MAX..=MESSAGES_MAX + 1).contains(&taken), "{taken}");
        drop((release, queue));
        let arrived: Vec<_> = seen.iter().collect();
        assert_eq!(arrived.len(), taken);
        assert!(arrived.is_sorted_by_key(|text| text.parse::<usize>().unwrap()), "{arrived:?}");
    }
}
