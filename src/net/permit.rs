//! Permits of runs, which a run gives back while it waits before another attempt.
//!
//! A host that refuses connections makes each run wait for its own further attempts. Were the permits kept
//! meanwhile, few runs that wait would keep thousands from their first attempt. The runtime's semaphore is first come,
//! first served: a run that comes back would wait behind those thousands, until its time limit.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::oneshot;
use tokio::time::sleep;

/// Most runs that wait without permits, each of which is in memory; further ones keep theirs.
const RESTING_MAX: usize = 1024;

/// Number of runs that wait without permits.
static RESTING: AtomicUsize = AtomicUsize::new(0);

tokio::task_local! {
    /// Permits of the run that a task does.
    static GRANTED: Granted;
}

/// Permits of one run.
#[derive(Debug)]
struct Granted {
    permits: Mutex<Vec<Permit>>,
    /// Number of guards by which the run keeps them.
    kept: AtomicUsize,
}

/// Semaphore that serves those first that come back for a permit that they had.
#[derive(Debug)]
pub(crate) struct Semaphore(Mutex<State>);

#[derive(Debug)]
struct State {
    free: usize,
    returning: VecDeque<oneshot::Sender<Permit>>,
    new: VecDeque<oneshot::Sender<Permit>>,
}

/// Permit of one run, given back when it is dropped.
#[derive(Debug)]
pub(crate) struct Permit(Option<Arc<Semaphore>>);

/// Place in the queue for a permit.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Turn {
    /// Behind all others that wait.
    New,
    /// Behind those that come back, too.
    Returning,
}

impl Semaphore {
    /// Returns so many permits.
    pub(crate) fn new(free: usize) -> Arc<Self> {
        let (returning, new) = (VecDeque::new(), VecDeque::new());
        Arc::new(Self(Mutex::new(State { free, returning, new })))
    }

    /// Returns a permit, if one is free.
    pub(crate) fn try_take(self: &Arc<Self>) -> Option<Permit> {
        let mut state = self.state();
        state.free = state.free.checked_sub(1)?;
        Some(Permit(Some(Arc::clone(self))))
    }

    /// Returns a permit as soon as there is one.
    pub(crate) async fn take(self: &Arc<Self>) -> Permit {
        self.take_in(Turn::New).await
    }

    async fn take_in(self: &Arc<Self>, turn: Turn) -> Permit {
        loop {
            match self.take_or_queue(turn) {
                Ok(permit) => return permit,
                Err(queued) => {
                    if let Ok(permit) = queued.await {
                        return permit;
                    }
                }
            }
        }
    }

    /// Returns a permit, or where one will arrive.
    fn take_or_queue(self: &Arc<Self>, turn: Turn) -> Result<Permit, oneshot::Receiver<Permit>> {
        let mut state = self.state();
        if let Some(free) = state.free.checked_sub(1) {
            state.free = free;
            return Ok(Permit(Some(Arc::clone(self))));
        }
        let (sender, queued) = oneshot::channel();
        match turn {
            Turn::New => state.new.push_back(sender),
            Turn::Returning => state.returning.push_back(sender),
        }
        Err(queued)
    }

    /// Gives a permit to the next in the queue that still waits.
    fn give_back(self: &Arc<Self>) {
        let mut state = self.state();
        let mut permit = Permit(Some(Arc::clone(self)));
        while let Some(next) = state.returning.pop_front().or_else(|| state.new.pop_front()) {
            match next.send(permit) {
                Ok(()) => return,
                Err(refused) => permit = refused,
            }
        }
        permit.0 = None;
        state.free += 1;
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        if let Some(semaphore) = self.0.take() {
            semaphore.give_back();
        }
    }
}

/// Does `work`, the run that `permits` belong to, in the order in which they were taken.
pub(crate) async fn holding<T>(permits: Vec<Permit>, work: impl Future<Output = T>) -> T {
    GRANTED.scope(Granted { permits: Mutex::new(permits), kept: AtomicUsize::new(0) }, work).await
}

/// Guard by which a run keeps its permits while it has what other runs wait for, a turn or a lock: those wait with
/// permits, so that the run could wait for them and they for the run.
#[derive(Debug)]
pub(crate) struct Kept(());

impl Kept {
    /// Keeps the permits of the run that this task does.
    pub(crate) fn new() -> Self {
        GRANTED.try_with(|granted| granted.kept.fetch_add(1, Ordering::Relaxed)).ok();
        Self(())
    }
}

impl Drop for Kept {
    fn drop(&mut self) {
        let one_less = |kept: usize| kept.checked_sub(1);
        let order = Ordering::Relaxed;
        GRANTED.try_with(|granted| granted.kept.fetch_update(order, order, one_less).ok()).ok();
    }
}

/// Waits before another attempt. The permits of the run are given back meanwhile, and are taken again after it
/// before any run that has not begun.
pub(crate) async fn rest(wait: Duration) {
    let Some((semaphores, _resting)) = GRANTED.try_with(lent).ok().flatten() else {
        return sleep(wait).await;
    };
    sleep(wait).await;
    let mut taken = Vec::with_capacity(semaphores.len());
    for semaphore in &semaphores {
        taken.push(semaphore.take_in(Turn::Returning).await);
    }
    GRANTED.with(|granted| *granted.permits() = taken);
}

/// Gives the permits back; returns where they are to be taken again. None where there are none or they are kept, or
/// where too many runs have done the same.
fn lent(granted: &Granted) -> Option<(Vec<Arc<Semaphore>>, Resting)> {
    let mut permits = granted.permits();
    if permits.is_empty() || 0 < granted.kept.load(Ordering::Relaxed) {
        return None;
    }
    let resting = Resting::new(&RESTING)?;
    let semaphores = permits.drain(..).filter_map(|permit| permit.0.clone()).collect();
    Some((semaphores, resting))
}

impl Granted {
    fn permits(&self) -> MutexGuard<'_, Vec<Permit>> {
        self.permits.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Guard that counts one run that waits without permits.
struct Resting(&'static AtomicUsize);

impl Resting {
    fn new(count: &'static AtomicUsize) -> Option<Self> {
        let one = Self(count);
        (count.fetch_add(1, Ordering::Relaxed) < RESTING_MAX).then_some(one)
    }
}

impl Drop for Resting {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    use tokio::time::Instant;

    /// Number of permits that are free.
    fn free(permits: &Semaphore) -> usize {
        permits.state().free
    }

    async fn others_run() {
        for _ in 0..10 {
            tokio::task::yield_now().await;
        }
    }

    #[tokio::test]
    async fn permit_that_is_dropped_goes_to_the_next_that_waits() {
        let permits = Semaphore::new(2);
        let [first, second] = [permits.take().await, permits.take().await];
        assert!(permits.try_take().is_none());
        let all = Arc::clone(&permits);
        let third = tokio::spawn(async move { all.take().await });
        others_run().await;
        assert!(!third.is_finished());
        drop(first);
        let third = third.await.unwrap();
        assert_eq!(free(&permits), 0, "it went from hand to hand");
        drop((second, third));
        assert_eq!(free(&permits), 2);
    }

    #[tokio::test]
    async fn run_that_comes_back_is_served_before_runs_that_wait_longer() {
        let permits = Semaphore::new(1);
        let granted = permits.take().await;
        let (order, mut served) = tokio::sync::mpsc::unbounded_channel();
        for (name, turn) in [
            ("first", Turn::New),
            ("second", Turn::New),
            ("back", Turn::Returning),
            ("later back", Turn::Returning),
        ] {
            let (permits, order) = (Arc::clone(&permits), order.clone());
            tokio::spawn(async move {
                let _permit = permits.take_in(turn).await;
                order.send(name).unwrap();
            });
            others_run().await;
        }
        drop((granted, order));
        let mut names = Vec::new();
        while let Some(name) = served.recv().await {
            names.push(name);
        }
        assert_eq!(names, ["back", "later back", "first", "second"]);
        assert_eq!(free(&permits), 1);
    }

    #[tokio::test]
    async fn permit_of_a_run_that_stops_waiting_goes_to_another() {
        let permits = Semaphore::new(1);
        let granted = permits.take().await;
        let mut gone = Box::pin(permits.take_in(Turn::Returning));
        assert!(futures_now(&mut gone).await.is_none());
        let mut next = Box::pin(permits.take());
        assert!(futures_now(&mut next).await.is_none());
        // It is dropped before it was given one, and then with one in its hand.
        drop(gone);
        drop(granted);
        assert_eq!(free(&permits), 0);
        drop(next);
        assert_eq!(free(&permits), 1, "it is free again");
    }

    /// Polls `work` a single time.
    async fn futures_now<T>(work: &mut (impl Future<Output = T> + Unpin)) -> Option<T> {
        tokio::time::timeout(Duration::ZERO, work).await.ok()
    }

    #[tokio::test(start_paused = true)]
    async fn run_that_waits_for_its_next_attempt_has_no_permit() {
        let [host, all] = [Semaphore::new(1), Semaphore::new(1)];
        let start = Instant::now();
        let runs = (0..20).map(|_| {
            let (host, all) = (Arc::clone(&host), Arc::clone(&all));
            tokio::spawn(async move {
                let permits = vec![host.take().await, all.take().await];
                let work = async {
                    for _ in 0..2 {
                        // An attempt, and the wait after it.
                        sleep(Duration::from_millis(10)).await;
                        rest(Duration::from_secs(1)).await;
                        assert_eq!((free(&host), free(&all)), (0, 0), "it has them again");
                    }
                };
                holding(permits, work).await;
            })
        });
        for run in runs.collect::<Vec<_>>() {
            run.await.unwrap();
        }
        assert!(start.elapsed() < Duration::from_secs(4), "{:?}", start.elapsed());
        assert_eq!((free(&host), free(&all)), (1, 1));
    }

    /// Runs that share a lock wait for it with their permits: the one that has it must not wait for theirs.
    #[tokio::test(start_paused = true)]
    async fn run_that_has_what_others_wait_for_keeps_its_permit() {
        let (permits, shared) = (Semaphore::new(2), Arc::new(tokio::sync::Mutex::new(())));
        let start = Instant::now();
        let runs = (0..6).map(|_| {
            let (permits, shared) = (Arc::clone(&permits), Arc::clone(&shared));
            tokio::spawn(async move {
                let work = async {
                    let lock = shared.lock().await;
                    let kept = Kept::new();
                    rest(Duration::from_secs(1)).await;
                    drop((lock, kept));
                    rest(Duration::from_secs(1)).await;
                };
                holding(vec![permits.take().await], work).await;
            })
        });
        for run in runs.collect::<Vec<_>>() {
            run.await.unwrap();
        }
        assert!(start.elapsed() <= Duration::from_secs(8), "{:?}", start.elapsed());
        assert_eq!(free(&permits), 2);
    }

    #[tokio::test(start_paused = true)]
    async fn run_that_is_ended_while_it_waits_leaves_its_permit_to_others() {
        let permits = Semaphore::new(1);
        let run = holding(vec![permits.take().await], rest(Duration::from_mins(1)));
        let ended = tokio::time::timeout(Duration::from_secs(1), run).await;
        assert!(ended.is_err());
        assert_eq!(free(&permits), 1);
    }

    #[tokio::test(start_paused = true)]
    async fn wait_without_permits_is_a_wait() {
        let start = Instant::now();
        rest(Duration::from_secs(2)).await;
        assert_eq!(start.elapsed(), Duration::from_secs(2));
    }

    #[test]
    fn no_more_runs_wait_without_permits_than_are_kept_in_memory() {
        static COUNT: AtomicUsize = AtomicUsize::new(0);
        let all: Vec<_> = (0..=RESTING_MAX).map_while(|_| Resting::new(&COUNT)).collect();
        assert_eq!(all.len(), RESTING_MAX);
        drop(all);
        assert_eq!(COUNT.load(Ordering::Relaxed), 0);
    }
}
