//! Notifications to systemd; without systemd all of them do nothing.

use std::io;

use sd_notify::NotifyState;
use tracing::warn;

/// The service is up; `status` is shown by `systemctl status`.
pub(super) fn ready(status: &str) {
    send(&[NotifyState::Ready, NotifyState::Status(status)]);
}

/// A reload has begun; [`ready`] ends it.
pub(super) fn reloading() {
    match NotifyState::monotonic_usec_now() {
        Ok(now) => send(&[NotifyState::Reloading, now]),
        Err(error) => warn!("the monotonic clock cannot be read: {error}"),
    }
}

/// The service is going down.
pub(super) fn stopping() {
    send(&[NotifyState::Stopping, NotifyState::Status("draining")]);
}

/// The daemon still makes progress.
pub(super) fn watchdog() {
    send(&[NotifyState::Watchdog]);
}

fn send(states: &[NotifyState<'_>]) {
    let sent: io::Result<()> = sd_notify::notify(states);
    if let Err(error) = sent {
        warn!("systemd could not be notified: {error}");
    }
}
