//! Admission control: a bounded number of connections, of which those without a request make way for new ones.
//!
//! A client that connects and stays silent costs nothing, and so a thousand of them shut out all others if the first
//! ones were kept. Those of the peer with the most are closed first, the oldest of them.

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::{Instant, timeout};
use tokio_util::sync::{CancellationToken, WaitForCancellationFuture};

use super::peer::Counted;

/// Number of connections at the same time, streams not counted.
pub(super) const CONNECTIONS_MAX: usize = 64;
/// Number of streams at the same time.
pub(super) const STREAMS_MAX: usize = 64;
/// Time limit for the head of a request, and again for its body.
pub(super) const READ_MAX: Duration = Duration::from_secs(10);
/// Time limit of a request until its answer begins.
pub(super) const REQUEST_MAX: Duration = Duration::from_secs(30);
/// Lifetime of a connection, unless it is a stream.
pub(super) const LIFETIME_MAX: Duration = Duration::from_mins(2);
/// Wait before it is looked again for a connection that can make way.
const LOOK: Duration = Duration::from_secs(1);

/// Connections of one server.
#[derive(Debug, Default)]
pub(super) struct Admission {
    table: Mutex<Table>,
    freed: Notify,
}

#[derive(Debug, Default)]
struct Table {
    next: u64,
    entries: BTreeMap<u64, Entry>,
}

#[derive(Debug)]
struct Entry {
    counted: Counted,
    state: State,
    cut: CancellationToken,
}

/// State of a connection.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum State {
    /// No request has come since it was accepted.
    Silent,
    /// The last request has been answered.
    Idle,
    /// The head of another request has begun to come.
    Head(Instant),
    /// The body of a request is coming.
    Body,
    /// A request has been under way since then.
    Busy(Instant),
    /// The answer goes on for as long as the client wants it.
    Stream,
}

/// Order in which connections make way.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum MakesWay {
    First,
    Second,
    Last,
    Never,
}

/// Admission of one connection, which ends when this is dropped.
#[derive(Debug)]
pub(super) struct Ticket {
    admission: Arc<Admission>,
    id: u64,
    accepted: Instant,
    cut: CancellationToken,
}

/// Age of a connection, by which it is closed.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Age {
    /// Young enough for another request.
    Young,
    /// Old enough to be closed after the request that is under way.
    Old,
    /// Too old for anything.
    Over,
}

/// Request that is under way until this is dropped.
#[derive(Debug)]
pub(super) struct Busy(Arc<Ticket>);

/// Means by which a handler says that its answer goes on without an end; in the extensions of each request.
#[derive(Clone, Debug)]
pub(crate) struct Streaming(pub(super) Arc<Ticket>);

impl Streaming {
    /// Exempts the answer to this request from all limits of time and from the number of connections; false
    /// while there are as many streams as there may be.
    #[must_use]
    pub(crate) fn begin(&self) -> bool {
        self.0.stream()
    }

    /// Closes the connection, with all that its reader has not taken yet.
    pub(crate) fn cut(&self) {
        self.0.cut.cancel();
    }
}

impl Admission {
    /// Admits a connection, as soon as there is a place for it.
    pub(super) async fn admit(self: &Arc<Self>, counted: Counted) -> Ticket {
        loop {
            let freed = self.freed.notified();
            if let Some(ticket) = self.try_admit(counted) {
                return ticket;
            }
            // A request under way may be over by then.
            let _freed_or_not = timeout(LOOK, freed).await;
        }
    }

    fn try_admit(self: &Arc<Self>, counted: Counted) -> Option<Ticket> {
        let now = Instant::now();
        let mut table = self.table();
        let is_full = CONNECTIONS_MAX <= table.count(|state| state != State::Stream);
        if is_full {
            let victim = table.victim(now)?;
            if let Some(entry) = table.entries.remove(&victim) {
                entry.cut.cancel();
            }
        }
        let (id, cut) = (table.next, CancellationToken::new());
        table.next += 1;
        let entry = Entry { counted, state: State::Silent, cut: cut.clone() };
        table.entries.insert(id, entry);
        drop(table);
        Some(Ticket { admission: Arc::clone(self), id, accepted: now, cut })
    }

    fn table(&self) -> MutexGuard<'_, Table> {
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Table {
    fn count(&self, is_counted: impl Fn(State) -> bool) -> usize {
        self.entries.values().filter(|entry| is_counted(entry.state)).count()
    }

    /// Returns the connection that makes way, if one can: of the peer with the most such, the oldest.
    fn victim(&self, now: Instant) -> Option<u64> {
        [MakesWay::First, MakesWay::Second, MakesWay::Last].into_iter().find_map(|turn| {
            let mut peers: BTreeMap<Counted, (usize, u64)> = BTreeMap::new();
            let takes_turn = |entry: &Entry| entry.state.makes_way(now) == turn;
            for (id, entry) in self.entries.iter().filter(|(_, entry)| takes_turn(entry)) {
                peers.entry(entry.counted).or_insert((0, *id)).0 += 1;
            }
            let most =
                peers.into_values().max_by_key(|(number, oldest)| (*number, Reverse(*oldest)));
            most.map(|(_, oldest)| oldest)
        })
    }
}

impl State {
    fn makes_way(self, now: Instant) -> MakesWay {
        match self {
            Self::Silent | Self::Head(_) => MakesWay::First,
            Self::Idle | Self::Body => MakesWay::Second,
            Self::Busy(since) if REQUEST_MAX < now.duration_since(since) => MakesWay::Last,
            Self::Busy(_) | Self::Stream => MakesWay::Never,
        }
    }
}

impl Ticket {
    /// Notes that bytes have come, which begin a request where none is under way.
    pub(super) fn read(&self) {
        if let Some(entry) = self.admission.table().entries.get_mut(&self.id)
            && entry.state == State::Idle
        {
            entry.state = State::Head(Instant::now());
        }
    }

    /// Notes that the head of a request is complete.
    pub(super) fn receive(&self) {
        self.set(State::Body);
    }

    /// Notes that a request is under way.
    pub(super) fn begin(self: &Arc<Self>) -> Busy {
        self.set(State::Busy(Instant::now()));
        Busy(Arc::clone(self))
    }

    /// Completes when the connection is to make way.
    pub(super) fn cut(&self) -> WaitForCancellationFuture<'_> {
        self.cut.cancelled()
    }

    /// Returns true while its answer goes on without an end.
    pub(super) fn is_stream(&self) -> bool {
        let table = self.admission.table();
        table.entries.get(&self.id).is_some_and(|entry| entry.state == State::Stream)
    }

    /// Returns the age of the connection; one whose head takes too long is over.
    pub(super) fn age(&self) -> Age {
        let state = self.admission.table().entries.get(&self.id).map(|entry| entry.state);
        let age = self.accepted.elapsed();
        let head = match state {
            Some(State::Silent) => age,
            Some(State::Head(since)) => since.elapsed(),
            Some(State::Stream) => return Age::Young,
            Some(State::Idle | State::Body | State::Busy(_)) | None => Duration::ZERO,
        };
        if LIFETIME_MAX <= age || READ_MAX <= head {
            Age::Over
        } else if LIFETIME_MAX <= age + REQUEST_MAX {
            Age::Old
        } else {
            Age::Young
        }
    }

    fn stream(&self) -> bool {
        let mut table = self.admission.table();
        let is_full = STREAMS_MAX <= table.count(|state| state == State::Stream);
        let Some(entry) = table.entries.get_mut(&self.id) else { return false };
        if entry.state == State::Stream {
            return true;
        }
        if is_full {
            return false;
        }
        entry.state = State::Stream;
        drop(table);
        self.admission.freed.notify_one();
        true
    }

    fn set(&self, state: State) {
        if let Some(entry) = self.admission.table().entries.get_mut(&self.id) {
            entry.state = state;
        }
    }
}

impl Drop for Ticket {
    fn drop(&mut self) {
        self.admission.table().entries.remove(&self.id);
        self.admission.freed.notify_one();
    }
}

impl Drop for Busy {
    fn drop(&mut self) {
        self.0.set(State::Idle);
        self.0.admission.freed.notify_one();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Admits as many connections as there may be, of the users with these uids in turn.
    async fn full(admission: &Arc<Admission>, uids: &[u32]) -> Vec<Arc<Ticket>> {
        let mut tickets = Vec::new();
        for uid in uids.iter().cycle().take(CONNECTIONS_MAX) {
            tickets.push(Arc::new(admission.admit(Counted::Uid(Some(*uid))).await));
        }
        tickets
    }

    fn cut(tickets: &[Arc<Ticket>]) -> Vec<usize> {
        let all = tickets.iter().enumerate();
        all.filter(|(_, ticket)| ticket.cut.is_cancelled()).map(|(index, _)| index).collect()
    }

    #[tokio::test]
    async fn oldest_silent_connection_of_the_peer_with_the_most_makes_way() {
        let admission = Arc::<Admission>::default();
        let tickets = full(&admission, &[1, 2, 2]).await;
        let _newcomer = admission.admit(Counted::Uid(Some(1))).await;
        assert_eq!(cut(&tickets), [1]);
        let _another = admission.admit(Counted::Uid(Some(1))).await;
        assert_eq!(cut(&tickets), [1, 2]);
        assert_eq!(admission.table().entries.len(), CONNECTIONS_MAX);
    }

    #[tokio::test]
    async fn silent_connections_make_way_before_idle_ones() {
        let admission = Arc::<Admission>::default();
        let tickets = full(&admission, &[1]).await;
        for ticket in tickets.iter().take(CONNECTIONS_MAX - 1) {
            drop(ticket.begin());
        }
        let _newcomer = Arc::new(admission.admit(Counted::Uid(Some(2))).await).begin();
        assert_eq!(cut(&tickets), [CONNECTIONS_MAX - 1]);
        let _another = Arc::new(admission.admit(Counted::Uid(Some(2))).await).begin();
        assert_eq!(cut(&tickets), [0, CONNECTIONS_MAX - 1]);
    }

    #[tokio::test(start_paused = true)]
    async fn requests_under_way_are_waited_for_until_they_take_too_long() {
        let admission = Arc::<Admission>::default();
        let tickets = full(&admission, &[1]).await;
        let mut busy: Vec<_> = tickets.iter().map(Ticket::begin).collect();
        let begun = Instant::now();
        let wait = timeout(REQUEST_MAX / 2, admission.admit(Counted::Uid(None))).await;
        assert!(wait.is_err() && cut(&tickets).is_empty());
        busy.remove(7);
        let _newcomer = Arc::new(admission.admit(Counted::Uid(None)).await).begin();
        assert_eq!(cut(&tickets), [7]);
        let _later = admission.admit(Counted::Uid(None)).await;
        assert!(REQUEST_MAX < begun.elapsed() && begun.elapsed() < REQUEST_MAX * 2);
        assert_eq!(cut(&tickets), [0, 7]);
    }

    #[tokio::test(start_paused = true)]
    async fn streams_take_no_place_and_no_end_but_their_number_is_bounded() {
        let admission = Arc::<Admission>::default();
        let mut streams = Vec::new();
        for _ in 0..STREAMS_MAX {
            let ticket = Arc::new(admission.admit(Counted::Uid(None)).await);
            let busy = ticket.begin();
            assert!(Streaming(Arc::clone(&ticket)).begin());
            streams.push((ticket, busy));
        }
        let tickets = full(&admission, &[1]).await;
        assert!(cut(&tickets).is_empty());
        let busy = tickets[0].begin();
        assert!(!Streaming(Arc::clone(&tickets[0])).begin(), "there are as many as there may be");
        tokio::time::advance(LIFETIME_MAX * 9).await;
        assert!(streams.iter().all(|(ticket, _)| ticket.age() == Age::Young));
        assert_eq!(tickets[0].age(), Age::Over);
        let (ticket, ended) = streams.swap_remove(0);
        Streaming(Arc::clone(&ticket)).cut();
        assert!(ticket.cut.is_cancelled() && !streams[0].0.cut.is_cancelled());
        drop(ended);
        assert_eq!(ticket.age(), Age::Over, "its answer has ended");
        assert!(Streaming(Arc::clone(&tickets[0])).begin());
        drop(busy);
    }

    #[tokio::test(start_paused = true)]
    async fn connection_grows_old_before_it_is_over() {
        let admission = Arc::<Admission>::default();
        let ticket = Arc::new(admission.admit(Counted::Uid(None)).await);
        drop(ticket.begin());
        let mut ages = Vec::new();
        for _ in 0..=4 {
            ages.push(ticket.age());
            tokio::time::advance(REQUEST_MAX).await;
        }
        assert_eq!(ages, [Age::Young, Age::Young, Age::Young, Age::Old, Age::Over]);
        drop(ticket);
        assert!(admission.table().entries.is_empty());
    }

    #[tokio::test(start_paused = true)]
    async fn head_has_its_time_and_waiting_for_one_has_more() {
        let admission = Arc::<Admission>::default();
        let ticket = Arc::new(admission.admit(Counted::Uid(None)).await);
        let age_after = async |wait: Duration| {
            tokio::time::advance(wait).await;
            ticket.age()
        };
        let (moment, almost) =
            (Duration::from_millis(1), READ_MAX.saturating_sub(Duration::from_millis(1)));
        assert_eq!(age_after(almost).await, Age::Young);
        assert_eq!(age_after(moment).await, Age::Over, "it is silent");
        ticket.receive();
        assert_eq!(age_after(READ_MAX).await, Age::Young, "its body has a limit of its own");
        let busy = ticket.begin();
        ticket.read();
        assert_eq!(age_after(READ_MAX).await, Age::Young, "the bytes belong to its request");
        drop(busy);
        assert_eq!(age_after(READ_MAX).await, Age::Young, "it is idle");
        ticket.read();
        assert_eq!(age_after(almost).await, Age::Young);
        ticket.read();
        assert_eq!(age_after(moment).await, Age::Over, "more bytes give it no more time");
    }
}
