//! The thread that answers whoever asks over HTTP.

use std::io;
use std::thread;

use tokio::runtime::{Builder, Handle};
use tokio::task::JoinHandle;
use tokio_util::sync::{CancellationToken, DropGuard};

/// Thread with a runtime of its own, which ends when this value is dropped.
///
/// However much is asked, the threads that make runs wait for none of it: the system gives each its share of the
/// processors.
#[derive(Debug)]
pub(crate) struct Thread {
    runtime: Handle,
    /// Ends the thread; never read, only dropped.
    _end: DropGuard,
}

impl Thread {
    /// Starts the thread.
    ///
    /// # Errors
    ///
    /// Fails when the system refuses a thread, or descriptors for its runtime.
    pub(crate) fn start() -> io::Result<Self> {
        let runtime = Builder::new_current_thread().enable_all().build()?;
        let (handle, end) = (runtime.handle().clone(), CancellationToken::new());
        let ended = end.clone();
        thread::Builder::new()
            .name("http".to_owned())
            .spawn(move || runtime.block_on(ended.cancelled()))?;
        Ok(Self { runtime: handle, _end: end.drop_guard() })
    }

    /// Runs a task on the thread.
    pub(crate) fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) -> JoinHandle<()> {
        self.runtime.spawn(task)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn task_runs_on_the_thread_and_is_dropped_with_it() {
        let own = Thread::start().unwrap();
        let (name, named) = tokio::sync::oneshot::channel();
        let task = own.spawn(async move {
            name.send(thread::current().name().map(str::to_owned)).unwrap();
            std::future::pending::<()>().await;
        });
        assert_eq!(named.await.unwrap().as_deref(), Some("http"));
        drop(own);
        assert!(task.await.unwrap_err().is_cancelled());
    }
}
