//! The loops by themselves, on a store and validators of the tests.

use super::*;
use crate::config::Limits;
use crate::domain::{DisabledReason, Subscription};
use crate::domain::{IntegrationId, Policy, Report, Schedule, Status, Test, Timestamp};
use crate::input::{Faults, Reader, Value};
use crate::platforms::{BoxFuture, Identity, RunContext, Validator};
use crate::store::{Control, ReceiverRow, Retention, Wanted};
use crate::webhook::{Receiver, Sender};
use std::collections::{BTreeMap, HashMap};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

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

/// Answers every request on a port of its own with the next of `codes`, the last one for ever.
async fn answering(codes: &'static [u16]) -> String {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    tokio::spawn(async move {
        let mut codes = codes.iter().copied().peekable();
        while let Ok((mut stream, _)) = listener.accept().await {
            let code = *codes.peek().unwrap();
            if 1 < codes.len() {
                codes.next();
            }
            let mut request = [0; 8 * 1024];
            let _read = stream.read(&mut request).await.unwrap();
            let answer =
                format!("HTTP/1.1 {code} X\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
            stream.write_all(answer.as_bytes()).await.unwrap();
        }
    });
    url
}

fn receiver(name: &str, url: &str) -> Receiver {
    let table = serde_json::json!({
        "name": name, "url": url, "format": "slack", "allow": ["127.0.0.1"],
    });
    let value = Value::from_json(&table, &"test".into());
    let faults = Faults::default();
    Receiver::parse(Reader::new(&value, "receiver[0]", &faults).unwrap()).unwrap()
}

#[tokio::test]
async fn a_receiver_that_is_gone_is_left_alone_until_a_command_beside_the_daemon_enables_it() {
    let bench = Bench::with(Arc::new(Hangs)).await;
    let shared = &bench.shared;
    let receivers = [
        receiver("gone", &answering(&[410, 200]).await),
        receiver("other", &answering(&[200]).await),
    ];
    let subscriptions: Arc<[Subscription]> =
        receivers.iter().map(|one| one.subscription.clone()).collect();
    let other = Bench::with(Arc::new(Hangs)).await.shared.active();
    let own = std::mem::replace(&mut *shared.active.write().unwrap(), other);
    let mut active = Arc::into_inner(own).unwrap();
    active.receivers = receivers
        .into_iter()
        .map(|one| (one.name.clone(), Arc::new(Sender::new(one).unwrap())))
        .collect();
    active.subscriptions = Arc::clone(&subscriptions);
    let path = active.fixed.0.join("state.db");
    shared.put_in_force(active);
    // Removes the integration, which both are told.
    let tell = Tell { subscriptions, now: shared.clock.now() };
    shared.store.sync(Vec::new(), false, tell).await.unwrap();
    let stop = CancellationToken::new();
    let outbox = tokio::spawn(deliver::deliver(Arc::clone(shared), stop.clone(), stop.clone()));
    let wait = async |wanted: fn(&ReceiverRow, &ReceiverRow) -> bool| {
        loop {
            let rows = shared.view.receivers().await.unwrap();
            if wanted(&rows[0], &rows[1]) {
                return rows;
            }
            sleep(Duration::from_millis(5)).await;
        }
    };
    let disabled = wait(|gone, other| gone.disabled.is_some() && other.owed == 0);
    let rows = timeout(SOON, disabled).await.expect("disabled");
    assert_eq!(rows[0].disabled.unwrap().0, DisabledReason::Gone);
    assert!(0 < rows[0].owed, "what it did not take stays owed");
    Control::open(&path).unwrap().enable("gone", shared.clock.now()).unwrap();
    timeout(SOON, wait(|gone, _| gone.owed == 0)).await.expect("the backlog");
    stop.cancel();
    timeout(SOON, outbox).await.unwrap().unwrap();
}
