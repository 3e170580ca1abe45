//! Simulated machine of a node: its clocks, its way to the server, and what goes wrong in its transactions.
//!
//! There is one per thread: a node of a simulation has its runtime, and with it all its tasks, on one. Tokio's clock is
//! paused there, and goes on by itself only while no session is lent: the server works in real time, which does not
//! count.

use std::borrow::Cow;
use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::sync::mpsc;
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::Instant;

use super::postgres::Hazard;
use crate::domain::Timestamp;

/// Times that other tasks have their turn before a machine counts as idle.
const YIELDS: u32 = 4;

/// Accident of a transaction.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Trick {
    /// The transaction has no accident.
    None,
    /// The transaction stays open for so many milliseconds of real time before it is committed.
    Lingers(u32),
    /// The session ends before the commit.
    LostBefore,
    /// The session ends after the commit and before its answer.
    LostAfter,
}

/// Machine of a node.
pub(crate) struct Machine {
    began: Instant,
    /// Time since its start at `began`, with what it has slept since.
    booted: Cell<Duration>,
    /// Instant that its wall clock showed when it was started.
    wall: Cell<Timestamp>,
    is_cut: Cell<bool>,
    lent: Cell<u32>,
    /// Keeps tokio's clock from going on by itself until it is dropped.
    standstill: RefCell<Option<mpsc::Sender<()>>>,
    idle: Notify,
    hazard: Option<Hazard>,
    tricks: RefCell<Box<dyn FnMut() -> Trick>>,
}

thread_local! {
    static MACHINE: RefCell<Option<Rc<Machine>>> = const { RefCell::new(None) };
}

impl Machine {
    /// Makes the machine of this thread, on a runtime of its own; it was started `booted` ago, when its wall clock showed
    /// `wall`.
    pub(crate) fn begin(
        booted: Duration,
        wall: Timestamp,
        hazard: Option<Hazard>,
        tricks: Box<dyn FnMut() -> Trick>,
    ) -> Rc<Self> {
        let machine = Rc::new(Self {
            began: Instant::now(),
            booted: Cell::new(booted),
            wall: Cell::new(wall),
            is_cut: Cell::new(false),
            lent: Cell::new(0),
            standstill: RefCell::default(),
            idle: Notify::new(),
            hazard,
            tricks: RefCell::new(tricks),
        });
        MACHINE.with(|own| own.replace(Some(Rc::clone(&machine))));
        machine
    }

    /// Returns the time since the machine was started.
    pub(crate) fn since_boot(&self) -> Duration {
        self.booted.get() + self.began.elapsed()
    }

    /// Lets time pass in which no timer of the machine goes on.
    pub(crate) fn sleep(&self, time: Duration) {
        self.booted.set(self.booted.get() + time);
    }

    /// Sets its wall clock by milliseconds.
    pub(crate) fn skew(&self, millis: i64) {
        self.wall.set(Timestamp(self.wall.get().0 + millis));
    }

    /// Cuts the machine from the server, or ends that.
    pub(crate) fn cut(&self, is_cut: bool) {
        self.is_cut.set(is_cut);
    }

    /// Waits until no session is lent, and those that were dropped are closed: they may have locked rows.
    pub(crate) async fn idle(&self) {
        loop {
            while self.lent.get() != 0 {
                self.idle.notified().await;
            }
            for _ in 0..YIELDS {
                tokio::task::yield_now().await;
            }
            if self.lent.get() == 0 {
                return;
            }
        }
    }
}

fn own<T>(look: impl FnOnce(&Machine) -> T) -> Option<T> {
    let machine = MACHINE.try_with(|own| own.borrow().clone()).ok().flatten();
    machine.map(|machine| look(&machine))
}

/// Returns the time since the machine of this thread was started; none without one.
pub(super) fn since_boot() -> Option<Duration> {
    own(Machine::since_boot)
}

/// Returns the instant that the wall clock of the machine of this thread shows; none without one.
pub(crate) fn wall() -> Option<Timestamp> {
    own(|machine| machine.wall.get().plus(machine.since_boot()))
}

/// Returns true when a hazard was planted in the node of this thread.
pub(in crate::store) fn is_planted(hazard: Hazard) -> bool {
    own(|machine| machine.hazard == Some(hazard)).unwrap_or(false)
}

/// Returns true when the machine of this thread is cut from the server.
pub(in crate::store) fn is_cut() -> bool {
    own(|machine| machine.is_cut.get()).unwrap_or(false)
}

/// Returns the statements that commit a transaction, with its accident.
pub(in crate::store) fn commit(sql: &str) -> Cow<'_, str> {
    const END: &str = "SELECT pg_terminate_backend(pg_backend_pid())";
    let trick = own(|machine| (machine.tricks.borrow_mut())()).unwrap_or(Trick::None);
    match trick {
        Trick::None => sql.into(),
        Trick::Lingers(millis) => format!("SELECT pg_sleep({millis} / 1000.0); {sql}").into(),
        Trick::LostBefore => format!("{END}; {sql}").into(),
        Trick::LostAfter => format!("{sql}; {END}").into(),
    }
}

/// Session that is lent, or is about to be, by the machine of this thread: its clock stands still meanwhile.
#[derive(Debug)]
pub(in crate::store) struct Busy(());

impl Busy {
    pub(in crate::store) fn begin() -> Self {
        own(|machine| {
            let lent = machine.lent.get();
            machine.lent.set(lent + 1);
            if lent == 0 {
                let (ends, ended) = mpsc::channel::<()>();
                // A blocking task keeps a paused clock from going on by itself.
                drop(tokio::task::spawn_blocking(move || ended.recv()));
                machine.standstill.replace(Some(ends));
            }
        });
        Self(())
    }
}

impl Drop for Busy {
    fn drop(&mut self) {
        own(|machine| {
            let lent = machine.lent.get().saturating_sub(1);
            machine.lent.set(lent);
            if lent == 0 {
                drop(machine.standstill.take());
                machine.idle.notify_one();
            }
        });
    }
}
