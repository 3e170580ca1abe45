//! Life of the daemon as commands beside it see it: the node's row, and the files that it stands on.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::oneshot;
use tokio::time::{Instant, sleep};
use tokio_util::sync::CancellationToken;
use tracing::{error, warn};

use super::absent;
use super::health;
use super::others::Known;
use super::process;
use super::shared::Shared;
use super::text::chain;
use crate::domain::{NodeIdentity, OwnFault, Reload, duration_text};
use crate::store::{Beat, NodeNote, Opening, Store, StoreError};

/// Time between two looks at the files of the database.
const LOOK: Duration = Duration::from_secs(2);
/// Time for which a configuration is refused before receivers are notified: people are at it until then.
const REFUSED_LONG: Duration = Duration::from_mins(10);
/// Time between two notes that the process lives.
const BEAT: Duration = Duration::from_secs(30);
/// Time for which a database that has lost commits is a fault.
const LOSS_SHOWN: Duration = Duration::from_hours(1);
/// Time between a heartbeat that has failed and the next one.
const AGAIN: Duration = Duration::from_secs(1);
/// Time between two heartbeats at a server.
const SERVER_BEAT: Duration = Duration::from_secs(5);

/// Returns the circumstances under which this process opens its store.
pub(super) fn opening(is_copied: bool, node: &NodeIdentity) -> Opening {
    Opening {
        is_copied,
        node: node.clone(),
        process: process::own(),
        machine: process::machine(),
        is_alive: |other| !process::is_gone(other),
    }
}

/// Writes down that this process serves the database now.
pub(super) async fn begin(shared: &Shared) {
    let Some(own) = process::own() else {
        return warn!(
            "/proc cannot be read, so that `revalidated reload` does not find this daemon"
        );
    };
    note(shared, NodeNote::Started(own, shared.clock.now())).await;
    store_latest(shared).await;
}

/// Writes down that it stops in good order.
pub(super) async fn end(shared: &Shared) {
    note(shared, NodeNote::Stopped(shared.clock.now())).await;
}

/// Takes over the outcome of a start or reload.
pub(super) async fn reloaded(shared: &Shared, reload: Reload) {
    shared.latest.set(reload);
    store_latest(shared).await;
}

/// Does `work`, and says meanwhile that this node is alive: a start may take longer than a node may be silent.
pub(super) async fn meanwhile<T>(store: &Store, work: impl Future<Output = T>) -> T {
    tokio::select! {
        done = work => done,
        never = beat_forever(store) => never,
    }
}

/// Says that this node is alive, and never ends.
async fn beat_forever<T>(store: &Store) -> T {
    // Nodes that start together wait for each other's first heartbeat.
    let mut wait = if store.is_shared() { Duration::ZERO } else { SERVER_BEAT };
    loop {
        sleep(wait).await;
        wait = SERVER_BEAT;
        if let Err(error) = store.beat().await {
            warn!("the database cannot be used: {}", chain(&error));
        }
    }
}

/// Watches the files of the database or says to its server that this node is alive, and notes that the process lives,
/// until `stop`. Sends the reason to `lost`, and ends, when another daemon has taken over.
pub(super) async fn watch(
    shared: Arc<Shared>,
    stop: CancellationToken,
    lost: oneshot::Sender<StoreError>,
) {
    let look = if shared.store.is_shared() { SERVER_BEAT } else { LOOK };
    let (mut beaten, mut known, mut wait) = (Instant::now(), Known::default(), look);
    let mut losses = Losses { since: beaten, unstored: None, is_clock_behind: false };
    while stop.run_until_cancelled(sleep(wait)).await.is_some() {
        match shared.store.beat().await {
            Ok(beat) => {
                shared.store_reached();
                known.heed(&shared, &beat).await;
                losses.look(&shared, &beat).await;
                absent::look(&shared, &shared.active()).await;
                wait = beat.look_in.map_or(look, |next| next.min(look));
            }
            Err(error) if error.is_taken() => {
                // Without a receiver the daemon stops already.
                let _stops = lost.send(error);
                return;
            }
            Err(error) => {
                shared.store_failed("the database cannot be used", &error);
                // Nothing is written after a loss of commits until a heartbeat has noticed.
                wait = AGAIN.min(look);
                continue;
            }
        }
        store_latest(&shared).await;
        notify_of_refusal(&shared).await;
        if BEAT <= beaten.elapsed() {
            beaten = Instant::now();
            note(&shared, NodeNote::Seen(shared.clock.now())).await;
            let context = shared.context(&shared.active());
            if let Err(error) = shared.store.end_faults_of_dead(context).await {
                shared.store_failed("faults of other nodes cannot be ended", &error);
            }
        }
    }
}

/// Findings of heartbeats about the database.
struct Losses {
    /// Start of this process, or the latest loss.
    since: Instant,
    /// Sentence of a loss that is not stored yet.
    unstored: Option<String>,
    /// True while the clock of the database is behind, which was logged.
    is_clock_behind: bool,
}

impl Losses {
    /// Opens the fault of a database that has lost commits, and closes it after a while; logs a clock that is behind.
    async fn look(&mut self, shared: &Shared, beat: &Beat) {
        if let Some(loss) = beat.lost {
            error!("{loss}");
            // One that lasts is about another loss.
            health::end(shared, OwnFault::Store).await;
            self.since = Instant::now();
            self.unstored = Some(loss.to_string());
        }
        if let Some(message) = self.unstored.take() {
            health::begin(shared, OwnFault::Store, message.clone()).await;
            let is_stored = shared.health.faults().contains(&OwnFault::Store);
            self.unstored = (!is_stored).then_some(message);
        } else if LOSS_SHOWN <= self.since.elapsed() {
            health::end(shared, OwnFault::Store).await;
        }
        let behind = Duration::from_millis(u64::try_from(beat.clock_behind_ms).unwrap_or(0));
        let is_behind = shared.active().own.clock_skew < behind;
        if is_behind && !self.is_clock_behind {
            let behind = duration_text(behind);
            warn!("the clock of the database is {behind} behind the latest instant that it showed");
        }
        self.is_clock_behind = is_behind;
    }
}

/// Opens the fault of a configuration that has been refused for long, and closes it once one is in force.
async fn notify_of_refusal(shared: &Shared) {
    match (shared.latest.refused_since(), shared.latest.refused()) {
        (Some(since), Some(reason)) if REFUSED_LONG <= since.elapsed() => {
            health::begin(shared, OwnFault::Configuration, reason).await;
        }
        (Some(_), _) => {}
        (None, _) => health::end(shared, OwnFault::Configuration).await,
    }
}

async fn store_latest(shared: &Shared) {
    let Some(reload) = shared.latest.unstored() else { return };
    let number = reload.number;
    match shared.store.note(NodeNote::Reloaded(Box::new(reload))).await {
        Ok(()) => shared.latest.stored(number),
        Err(error) => shared.store_failed("the outcome of a reload cannot be stored", &error),
    }
}

async fn note(shared: &Shared, note: NodeNote) {
    if let Err(error) = shared.store.note(note).await {
        warn!("the life of the daemon cannot be written down: {}", chain(&error));
    }
}
