//! Child process in a group of its own, so that Ctrl-C at a terminal ends the demo alone, which ends its children in order.

use std::io;
use std::os::unix::process::CommandExt as _;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use tokio::time::{Instant, sleep};

/// Interval at which an end is awaited.
const LOOK: Duration = Duration::from_millis(50);

/// Child process, killed when this value is dropped.
#[derive(Debug)]
pub(super) struct Process(Child);

impl Process {
    /// Starts a program in a group of its own.
    pub(super) fn start(mut command: Command) -> io::Result<Self> {
        // What may be set by a service manager is about this process alone.
        command.env_remove("NOTIFY_SOCKET").env_remove("RUST_LOG");
        command.process_group(0).stdin(Stdio::null()).spawn().map(Self)
    }

    /// Returns the number of the process.
    pub(super) fn id(&self) -> u32 {
        self.0.id()
    }

    /// Returns its exit status once it has ended.
    pub(super) fn ended(&mut self) -> io::Result<Option<ExitStatus>> {
        self.0.try_wait()
    }

    /// Ends it at once, as `kill -9` does.
    pub(super) fn kill(mut self) -> io::Result<()> {
        self.0.kill()?;
        self.0.wait().map(|_status| ())
    }

    /// Asks it to end by a signal, and kills it when it has not after `limit`.
    pub(super) async fn stop(mut self, signal: Signal, limit: Duration) -> io::Result<()> {
        if self.ended()?.is_some() {
            return Ok(());
        }
        if let Some(pid) = i32::try_from(self.id()).ok().and_then(Pid::from_raw) {
            kill_process(pid, signal)?;
        }
        let deadline = Instant::now() + limit;
        while self.ended()?.is_none() {
            if deadline <= Instant::now() {
                return self.kill();
            }
            sleep(LOOK).await;
        }
        Ok(())
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // It has ended, or is ended here; an error cannot be reported any more.
        if matches!(self.0.try_wait(), Ok(None)) {
            self.0.kill().ok();
            self.0.wait().ok();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sleeping(script: &str) -> Process {
        let mut command = Command::new("sh");
        command.args(["-c", script]);
        Process::start(command).unwrap()
    }

    #[tokio::test]
    async fn process_ends_when_it_is_asked_and_is_killed_when_it_does_not() {
        let mut asked = sleeping("sleep 100");
        assert_eq!(asked.ended().unwrap(), None);
        asked.stop(Signal::TERM, Duration::from_secs(30)).await.unwrap();
        let deaf = sleeping("trap '' TERM; while :; do sleep 1; done");
        deaf.stop(Signal::TERM, Duration::from_millis(200)).await.unwrap();
    }

    #[test]
    fn process_is_killed_on_drop() {
        let process = sleeping("exec sleep 100");
        let pid = Pid::from_raw(i32::try_from(process.id()).unwrap()).unwrap();
        drop(process);
        assert!(rustix::process::test_kill_process(pid).is_err());
    }
}
