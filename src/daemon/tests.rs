//! The loops by themselves, on a store and validators of the tests.

use super::*;
use crate::config::Limits;
use crate::domain::{IntegrationId, Policy, Report, Schedule, Status, Test, Timestamp};
use crate::platforms::{BoxFuture, Identity, RunContext, Validator};
use crate::store::{Retention, Wanted};
use std::collections::{BTreeMap, HashMap};

const SOON: Duration = Duration::from_secs(20);
static CATALOG: &[Test] = &[Test::always("only", "")];

/// A platform that never answers and has no limits of its own.
#[derive(Debug)]
struct Hangs;

impl Validator for Hangs {
    fn identity(&self) -> Identity {
        Identity::default()
    }

    fn validate<'a>(&'a self, _run: &'a RunContext) -> BoxFuture<'a, Report> {
        Box::pin(std::future::pending())
    }
}

/// A daemon without signals, jobs and receivers.
struct Bench {
    shared: Arc<Shared>,
    id: IntegrationId,
    _folder: tempfile::TempDir,
}

impl Bench {
    async fn with(validator: Arc<dyn Validator>) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(&folder.path().join("state.db")).unwrap();
        let schedule = Schedule::parse("0 0 1 1 *", "UTC").unwrap();
        let wanted = Wanted {
            name: "one".to_owned(),
            kind: "Redshift".to_owned(),
            auto_bootstrap: None,
            labels: BTreeMap::new(),
            disabled: false,
            schedule: schedule.clone(),
            config: "{}".to_owned(),
            config_shown: "{}".to_owned(),
            catalog_version: 1,
        };
        let clock = Clock::default();
        let tell = Tell { subscriptions: Arc::new([]), now: clock.now() };
        let id = store.sync(vec![wanted], true, tell).await.unwrap().ids["one"];
        let second = Duration::from_secs(1);
        let limits = Limits { runs: 1, runs_per_host: 1, test: second, run: Duration::ZERO };
        let room = active::Room::of(limits, None);
        let watched = active::Watched {
            validator,
            auto_bootstrap: false,
            catalog: CATALOG,
            schedule: schedule.clone(),
            policy: Policy::default(),
            host: room.at(""),
            config: "{}".to_owned(),
            earlier: Vec::new(),
        };
        let active = Active {
            watched: HashMap::from([(id, watched)]),
            peers: Arc::new([]),
            receivers: BTreeMap::new(),
            subscriptions: Arc::new([]),
            limits,
            retention: Retention { history: second, deliveries: second, batch: 9 },
            prune_at: schedule,
            room,
            drain: second,
            fixed: (
                folder.path().to_owned(),
                crate::config::Log {
                    format: crate::config::LogFormat::Auto,
                    filter: String::new(),
                },
            ),
        };
        Self { shared: Arc::new(Shared::new(store, clock, active)), id, _folder: folder }
    }
}

#[tokio::test]
async fn loops_whose_store_is_gone_end_so_that_the_daemon_does() {
    let bench = Bench::with(Arc::new(Hangs)).await;
    bench.shared.store.clone().close().await.unwrap();
    let token = CancellationToken::new;
    let mut loops = Loops::start(&bench.shared, &token(), &token());
    let ended = timeout(SOON, loops.ended_early()).await.unwrap();
    assert!(matches!(ended, DaemonError::Ended(_)), "{ended}");
}

#[tokio::test]
async fn a_validation_that_ignores_its_limit_is_stopped_and_told() {
    let bench = Bench::with(Arc::new(Hangs)).await;
    let abort = CancellationToken::new();
    let step = validate::step(&bench.shared, bench.id, &abort);
    timeout(SOON, step).await.expect("stopped").unwrap();
    let row = bench.shared.view.integration("one").await.unwrap().unwrap();
    let run = row.last_run.unwrap();
    assert_eq!((row.status, row.lease_until), (Status::Creating, None));
    let message = run.report.tests[0].message.clone().unwrap();
    assert!(message.starts_with("The validation did not end within its limit"), "{message}");
    assert!(Timestamp(0) < row.next_run_at.unwrap(), "and it is planned again");
}
