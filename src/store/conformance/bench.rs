//! An engine with a clock, a configuration and two receivers.

use std::collections::BTreeMap;
use std::time::Duration;

use tempfile::TempDir;

#[cfg(feature = "postgres")]
use super::server::Database;
#[cfg(feature = "postgres")]
use crate::domain::NodeIdentity;
use crate::domain::{
    AttemptResult, Class, EventType, Finding, IntegrationId, Location, Next, Observed, Outcome,
    Policy, Pool, Report, Schedule, Selection, Status, Subject, Subscription, Test, TestResult,
    Timestamp,
};
use crate::store::{
    Attempt, Began, Begun, Control, Disabled, Finished, IntegrationRow, NotificationContext, Page,
    PendingDelivery, Recorded, Store, SubjectRun, Synced, View, Wanted,
};
#[cfg(feature = "postgres")]
use crate::store::{Opening, StoreError};

pub(super) const LEASE: Duration = Duration::from_mins(2);
/// Start of every test: 2026-11-23 10:00:00 UTC.
pub(super) const START: Timestamp = Timestamp(1_795_428_000_000);

/// A fresh database of one engine, opened for a daemon.
pub(super) struct Bench {
    pub(super) store: Store,
    pub(super) now: Timestamp,
    pub(super) receivers: Vec<&'static str>,
    /// The most attempts of one delivery that are kept.
    pub(super) kept_max: u32,
    location: Location,
    place: Place,
}

/// Database that no daemon uses.
#[cfg(feature = "postgres")]
pub(super) struct Closed {
    pub(super) location: Location,
    pub(super) now: Timestamp,
    _place: Place,
}

/// Place of a database, which goes with the bench.
enum Place {
    #[expect(dead_code, reason = "it is deleted with the bench")]
    Folder(TempDir),
    #[cfg(feature = "postgres")]
    Server(Database),
}

/// Returns the run that must have begun.
pub(super) fn run(outcome: Began) -> Begun {
    match outcome {
        Began::Run(begun) => begun,
        other @ (Began::NotDue
        | Began::Running
        | Began::NotInUse
        | Began::HostFull
        | Began::Waits) => panic!("{other:?}"),
    }
}

impl Bench {
    pub(super) async fn sqlite() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let location = Location::File(folder.path().join("state.db"));
        Self::at(location, Place::Folder(folder)).await
    }

    #[cfg(feature = "postgres")]
    pub(super) async fn postgres() -> Self {
        let database = Database::create();
        Self::at(database.location(), Place::Server(database)).await
    }

    /// On a server without TLS, by a proxy that listens on `port`.
    #[cfg(feature = "postgres")]
    pub(super) async fn through(database: Database, port: u16) -> Self {
        Self::at(database.location_by(port), Place::Server(database)).await
    }

    #[cfg(feature = "postgres")]
    pub(super) fn database(&self) -> &Database {
        match &self.place {
            Place::Server(database) => database,
            Place::Folder(_) => panic!("it is no server"),
        }
    }

    async fn at(location: Location, place: Place) -> Self {
        let store = Store::open(&location).await.unwrap();
        Self { store, now: START, receivers: vec!["a", "b"], kept_max: 100, location, place }
    }

    /// With one integration `one` that is enabled and due.
    pub(super) async fn enabled(mut self) -> Self {
        self.sync(&[wanted("one")]).await;
        self.run(passed()).await;
        self.now = self.row("one").await.next_run_at.unwrap();
        self
    }

    /// Stops the daemon and starts another one on the same database.
    pub(super) async fn restart(self) -> Self {
        let Self { store, now, receivers, kept_max, location, place } = self;
        store.close().await.unwrap();
        let store = Store::open(&location).await.unwrap();
        Self { store, now, receivers, kept_max, location, place }
    }

    /// Opens the database as another node does.
    #[cfg(feature = "postgres")]
    pub(super) async fn node(&self, name: &str) -> Result<Store, StoreError> {
        self.node_in(name, BTreeMap::new()).await
    }

    /// Opens the database as a node with labels does.
    #[cfg(feature = "postgres")]
    pub(super) async fn node_in(
        &self,
        name: &str,
        labels: BTreeMap<String, String>,
    ) -> Result<Store, StoreError> {
        let node = NodeIdentity { name: name.to_owned(), labels };
        self.opened(&Opening { node, ..Opening::default() }).await
    }

    /// Opens the database under these circumstances.
    #[cfg(feature = "postgres")]
    pub(super) async fn opened(&self, opening: &Opening) -> Result<Store, StoreError> {
        Store::open_as(&self.location, opening).await
    }

    /// Stops the daemon in good order.
    #[cfg(feature = "postgres")]
    pub(super) async fn closed(self) -> Closed {
        let Self { store, now, location, place, .. } = self;
        store.close().await.unwrap();
        Closed { location, now, _place: place }
    }

    /// Starts a daemon on a database that is there.
    #[cfg(feature = "postgres")]
    pub(super) async fn open(location: Location, now: Timestamp) -> Self {
        let place = Place::Folder(tempfile::tempdir().unwrap());
        Self { now, ..Self::at(location, place).await }
    }

    /// Returns a bench with a database of its own, of the same engine.
    pub(super) async fn another(&self) -> Self {
        match self.place {
            Place::Folder(_) => Self::sqlite().await,
            #[cfg(feature = "postgres")]
            Place::Server(_) => Self::postgres().await,
        }
    }

    pub(super) fn view(&self) -> View {
        self.store.view()
    }

    /// View for reads from outside, on connections of its own.
    pub(super) async fn outside(&self) -> View {
        View::outside(&self.location).await.unwrap()
    }

    pub(super) async fn control(&self) -> Control {
        Control::open(&self.location, "anna").await.unwrap()
    }

    pub(super) fn context(&self) -> NotificationContext {
        NotificationContext {
            subscriptions: self.receivers.iter().map(|name| subscription(name)).collect(),
            outage_min: 3,
            page: None,
            now: self.now,
            ..NotificationContext::default()
        }
    }

    pub(super) async fn sync(&self, wanted: &[Wanted]) -> Synced {
        self.store.sync(wanted.to_vec().into(), false, self.context()).await.unwrap()
    }

    pub(super) async fn row(&self, name: &str) -> IntegrationRow {
        self.view().integration(name).await.unwrap().unwrap()
    }

    pub(super) async fn id(&self, name: &str) -> IntegrationId {
        self.row(name).await.id
    }

    pub(super) async fn status(&self, name: &str) -> Status {
        self.row(name).await.status
    }

    pub(super) async fn begin(&self, name: &str) -> Began {
        self.store.begin(self.id(name).await, LEASE, self.now).await.unwrap()
    }

    pub(super) async fn begun(&self, name: &str) -> Begun {
        run(self.begin(name).await)
    }

    pub(super) async fn record(&self, begun: Begun, report: Report) -> Recorded {
        let subject = begun.subjects().first().copied().unwrap_or(Subject::Active);
        let observed = Observed::default();
        self.record_run(begun, SubjectRun { subject, report, observed, own_fault: None }).await
    }

    pub(super) async fn record_run(&self, begun: Begun, run: SubjectRun) -> Recorded {
        let finished = Finished {
            begun,
            runs: vec![run],
            started_at: self.now,
            duration: Duration::from_millis(812),
            policy: Policy::default(),
            schedule: schedule(),
            node: None,
        };
        self.store.record(finished, self.context()).await.unwrap()
    }

    /// Runs `one` when it is due.
    pub(super) async fn run(&mut self, report: Report) -> Recorded {
        self.run_of("one", report).await
    }

    /// Runs `name` now, or when it is due.
    pub(super) async fn run_of(&mut self, name: &str, report: Report) -> Recorded {
        // As a daemon does: one that is not heard of for long begins nothing.
        self.store.beat().await.ok();
        self.wait_until_due(name).await;
        let begun = self.begun(name).await;
        self.record(begun, report).await
    }

    pub(super) async fn wait_until_due(&mut self, name: &str) {
        self.now = self.now.max(self.row(name).await.next_run_at.unwrap());
    }

    pub(super) async fn claim(&self, receiver: &str, permits: u32) -> Vec<PendingDelivery> {
        let permits = BTreeMap::from([(receiver.to_owned(), permits)]);
        self.store.claim(permits, LEASE, self.now).await.unwrap()
    }

    pub(super) async fn attempt(&self, sent: &PendingDelivery, next: Next) -> Option<Disabled> {
        let code = match next {
            Next::Delivered => 204,
            Next::Gone => 410,
            Next::RetryAfter(_) | Next::Probe { .. } | Next::Failed => 500,
        };
        let attempt = Attempt {
            delivery: sent.id,
            token: sent.token,
            started_at: self.now,
            duration: Duration::ZERO,
            result: AttemptResult::Answered { code, hint: None },
            detail: "an answer".to_owned(),
            next,
            disable_after: Duration::MAX,
            awake: Duration::ZERO,
            is_trusted: true,
            kept_max: self.kept_max,
        };
        let queued = self.store.record_attempt(attempt, self.context()).await.unwrap();
        queued.await.unwrap()
    }

    /// Delivers to a receiver until nothing is left; returns the bodies in their order.
    pub(super) async fn deliver(&self, receiver: &str) -> Vec<serde_json::Value> {
        let mut bodies = Vec::new();
        while let [first] = self.claim(receiver, 1).await.as_slice() {
            bodies.push(serde_json::from_str(&first.body).unwrap());
            self.attempt(first, Next::Delivered).await;
        }
        bodies
    }

    /// The types of all events but applied configurations, in the order of their numbers.
    pub(super) async fn kinds(&self) -> Vec<String> {
        let events = self.view().events(0, 1000).await.unwrap();
        let kinds = events.rows.iter().map(|event| event.kind);
        let kinds = kinds.filter(|kind| *kind != EventType::ConfigurationApplied);
        kinds.map(|kind| kind.as_str().to_owned()).collect()
    }

    pub(super) fn wait(&mut self, wait: Duration) {
        self.now = self.now.plus(wait);
    }
}

pub(super) fn first_page() -> Page {
    Page::first(100)
}

/// Subscription to everything but configurations, which only `all` hears of; of the receiver `late` to one
/// integration only.
pub(super) fn subscription(receiver: &str) -> Subscription {
    let only = (receiver == "late").then(|| "n5".to_owned());
    let first = if receiver == "all" { "*" } else { "integration*" };
    Subscription {
        receiver: receiver.to_owned(),
        events: [first, "daemon.*", "receiver.*", "integration.status.*"]
            .map(str::to_owned)
            .to_vec(),
        selection: Selection { integrations: only.into_iter().collect(), ..Selection::default() },
        ..Subscription::default()
    }
}

pub(super) fn schedule() -> Schedule {
    Schedule::parse("0 * * * *", "UTC").unwrap()
}

pub(super) fn wanted(name: &str) -> Wanted {
    Wanted {
        name: name.to_owned(),
        formerly: None,
        id: None,
        kind: "Redshift".to_owned(),
        auto_bootstrap: None,
        labels: BTreeMap::from([("team".to_owned(), "data".to_owned())]),
        disabled: false,
        schedule: schedule(),
        config: r#"{"host":"one"}"#.to_owned(),
        config_shown: r#"{"host":"one"}"#.to_owned(),
        catalog_version: 1,
        factors: Vec::new(),
        run_on: Pool::default(),
    }
}

pub(super) fn warned(message: &str) -> Report {
    report(Outcome::Warning(Finding::new(Class::Denied, message)))
}

fn report(outcome: Outcome) -> Report {
    Report { tests: vec![TestResult { test: Test::always("Connect", ""), outcome }] }
}

pub(super) fn passed() -> Report {
    report(Outcome::Passed(None))
}

pub(super) fn failed(class: Class) -> Report {
    report(Outcome::Failed(Finding::new(class, "no").fix("GRANT it")))
}
