//! Signals that steer a daemon: SIGHUP reloads, SIGTERM and SIGINT stop it.

use std::io;
use std::path::Path;

use tokio::signal::unix::{Signal, SignalKind, signal};

use super::control::Control;

/// Signals from the moment this was made.
pub(crate) struct Signals {
    hangup: Signal,
    interrupt: Signal,
    terminate: Signal,
}

impl Signals {
    /// Receives the signals from now on, so that none ends the process by itself.
    ///
    /// # Errors
    ///
    /// Fails when a handler cannot be set.
    pub(crate) fn new() -> io::Result<Self> {
        Ok(Self {
            hangup: signal(SignalKind::hangup())?,
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
        })
    }

    /// Waits for a request to stop; requests to reload are kept meanwhile.
    pub(crate) async fn asked_to_stop(&mut self) {
        tokio::select! {
            _ = self.terminate.recv() => (),
            _ = self.interrupt.recv() => (),
        }
    }

    /// Waits for a request to stop, and reloads `config` at every SIGHUP meanwhile.
    pub(crate) async fn stop(mut self, control: &Control, config: Option<&Path>) {
        let reloads = async {
            loop {
                self.hangup.recv().await;
                control.reload(config).await;
            }
        };
        // A reload that hangs does not keep the daemon from stopping.
        tokio::select! {
            _ = self.terminate.recv() => (),
            _ = self.interrupt.recv() => (),
            () = reloads => (),
        }
    }
}
