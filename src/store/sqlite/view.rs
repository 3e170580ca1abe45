//! View: reads on connections of their own, each from one consistent state.

use std::io;
use std::path::Path;

use super::page::{Listed, Page};
use super::{
    DeliveryFilter, DeliveryRow, Due, Events, HistoryRow, IntegrationRow, OutageRow, OwnFaultRow,
    ReceiverRow, Retention, RunRow, SilenceRow, StandingRow, StoreError, Surplus, TargetRow,
    TransitionRow, history, integration, mute, open, outage, own_fault, queue, reader, receiver,
    silence, surplus,
};
use crate::domain::{Factor, IntegrationId, Timestamp};

/// Reads, on connections of its own; also beside a running daemon. Clone it freely.
#[derive(Clone, Debug)]
pub(crate) struct View {
    pub(super) readers: reader::Readers,
}

/// Returns the error for a database whose thread cannot be started.
pub(super) fn no_thread(path: &Path, error: &io::Error) -> StoreError {
    let problem = format!("no thread can be started for it: {error}");
    StoreError::File { path: path.to_owned(), problem }
}

impl View {
    /// Opens an existing database for reading only, beside a daemon or without one.
    pub(crate) fn open(path: &Path) -> Result<Self, StoreError> {
        let connections = (0..reader::READERS).map(|_| open::open_to_read(path));
        let connections = connections.collect::<Result<_, _>>()?;
        let readers = reader::Readers::start(connections);
        Ok(Self { readers: readers.map_err(|error| no_thread(path, &error))? })
    }

    /// Opens the database for reads from outside: on connections of their own, so that nothing else waits
    /// for them, and bounded in number and time.
    pub(crate) fn outside(path: &Path) -> Result<Self, StoreError> {
        let connections = (0..reader::OUTSIDE_READERS).map(|_| open::open_to_read(path));
        let connections = connections.collect::<Result<_, _>>()?;
        let (waiting_max, limit) = (reader::OUTSIDE_QUEUE_MAX, reader::OUTSIDE_WAIT);
        let readers = reader::Readers::start_bounded(connections, waiting_max, limit);
        Ok(Self { readers: readers.map_err(|error| no_thread(path, &error))? })
    }

    /// Rows that are due at `now` and not leased, longest overdue first.
    pub(crate) async fn due(&self, now: Timestamp, limit: u32) -> Result<Vec<Due>, StoreError> {
        self.readers.read(move |tx| queue::due(tx, now, limit)).await
    }

    /// The earliest instant after `after` at which a run becomes due, or a lease runs out.
    pub(crate) async fn next_due_at(
        &self,
        after: Timestamp,
    ) -> Result<Option<Timestamp>, StoreError> {
        self.readers.read(move |tx| queue::next_due_at(tx, after)).await
    }

    /// The earliest instant at which a delivery to one of `receivers` that need not wait for
    /// another becomes due, or its lease runs out.
    ///
    /// Name those that may be sent something now: what a busy receiver is owed, or one that is no
    /// longer configured, is due all the time.
    pub(crate) async fn next_delivery_at(
        &self,
        receivers: Vec<String>,
    ) -> Result<Option<Timestamp>, StoreError> {
        self.readers.read(move |tx| queue::next_delivery_at(tx, &receivers)).await
    }

    /// The earliest instant at which something that is held may be told, or an outage be over.
    pub(crate) async fn next_release_at(&self) -> Result<Option<Timestamp>, StoreError> {
        self.readers.read(|tx| mute::next_at(tx)).await
    }

    /// Reads a page of the silences and acknowledgements that are open at `now`, by id; with
    /// `ended`, the others too.
    pub(crate) async fn silences(
        &self,
        ended: bool,
        now: Timestamp,
        page: Page,
    ) -> Result<Listed<SilenceRow>, StoreError> {
        self.readers.read(move |tx| silence::list(tx, ended, now, &page)).await
    }

    /// Reads the silence or acknowledgement of this id, open or ended.
    pub(crate) async fn silence(&self, id: i64) -> Result<Option<SilenceRow>, StoreError> {
        self.readers.read(move |tx| silence::find(tx, id)).await
    }

    /// What is wrong on the daemon's own side.
    pub(crate) async fn own_faults(&self) -> Result<Vec<OwnFaultRow>, StoreError> {
        self.readers.read(|tx| own_fault::all(tx)).await
    }

    /// The outage of this id.
    pub(crate) async fn outage(&self, id: &str) -> Result<Option<OutageRow>, StoreError> {
        let id = id.to_owned();
        self.readers.read(move |tx| outage::find(tx, &id)).await
    }

    /// What an integration may have in common with others, the most telling first, and with how many
    /// it has.
    pub(crate) async fn factors(
        &self,
        id: IntegrationId,
    ) -> Result<Vec<(Factor, u32)>, StoreError> {
        self.readers.read(move |tx| integration::factors(tx, id)).await
    }

    /// Reads a page of the integrations that are not deleted, by name.
    pub(crate) async fn integrations(
        &self,
        page: Page,
    ) -> Result<Listed<IntegrationRow>, StoreError> {
        self.readers.read(move |tx| integration::living(tx, &page)).await
    }

    /// Reads a page of the integrations that are deleted, by id.
    pub(crate) async fn deleted_integrations(
        &self,
        page: Page,
    ) -> Result<Listed<IntegrationRow>, StoreError> {
        self.readers.read(move |tx| integration::deleted(tx, &page)).await
    }

    /// Reads a page of what selections may fit: the integrations that are not deleted, by name.
    pub(crate) async fn targets(&self, page: Page) -> Result<Listed<TargetRow>, StoreError> {
        self.readers.read(move |tx| integration::targets(tx, &page)).await
    }

    /// Reads a page of statuses and conditions of the integrations that are not deleted, by name.
    pub(crate) async fn standings(&self, page: Page) -> Result<Listed<StandingRow>, StoreError> {
        self.readers.read(move |tx| integration::standings(tx, &page)).await
    }

    /// The integration of this name; a deleted one only when no other has the name.
    pub(crate) async fn integration(
        &self,
        name: &str,
    ) -> Result<Option<IntegrationRow>, StoreError> {
        let name = name.to_owned();
        self.readers.read(move |tx| integration::integration(tx, &name)).await
    }

    /// Reads a page of the runs, newest first.
    pub(crate) async fn runs(
        &self,
        id: IntegrationId,
        page: Page,
    ) -> Result<Listed<RunRow>, StoreError> {
        self.readers.read(move |tx| history::runs(tx, id, &page)).await
    }

    /// Reads a page of the transitions, newest first.
    pub(crate) async fn transitions(
        &self,
        id: IntegrationId,
        page: Page,
    ) -> Result<Listed<TransitionRow>, StoreError> {
        self.readers.read(move |tx| history::transitions(tx, id, &page)).await
    }

    /// Reads a page of runs and transitions as one list, newest first.
    pub(crate) async fn history(
        &self,
        id: IntegrationId,
        page: Page,
    ) -> Result<Listed<HistoryRow>, StoreError> {
        self.readers.read(move |tx| history::history(tx, id, &page)).await
    }

    /// Reads a page of the receivers that are, or were, configured, by name.
    pub(crate) async fn receivers(&self, page: Page) -> Result<Listed<ReceiverRow>, StoreError> {
        self.readers.read(move |tx| receiver::receivers(tx, &page)).await
    }

    /// The events after number `after` in their order, at most `limit`.
    #[cfg_attr(not(test), expect(dead_code, reason = "`GET /events` comes with the interface"))]
    pub(crate) async fn events(&self, after: i64, limit: u32) -> Result<Events, StoreError> {
        self.readers.read(move |tx| history::events(tx, after, limit)).await
    }

    /// Rows that are too many, oldest first; look again once they are gone.
    pub(crate) async fn surplus(&self, retention: Retention) -> Result<Surplus, StoreError> {
        self.readers.read(move |tx| surplus::find(tx, retention)).await
    }

    /// Reads a page of the deliveries that match, newest first.
    pub(crate) async fn deliveries(
        &self,
        filter: DeliveryFilter,
        page: Page,
    ) -> Result<Listed<DeliveryRow>, StoreError> {
        self.readers.read(move |tx| history::deliveries(tx, &filter, &page)).await
    }
}
