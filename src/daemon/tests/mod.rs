//! Tests of the loops by themselves, on a store and validators of the tests.

mod checks;
mod health;
mod heartbeat;
mod life;

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;

use super::active::{self, Active};
use super::clock::{Clock, Watch};
use super::error::DaemonError;
use super::health::Health;
use super::loops::{Loops, asked_or_ended};
use super::shared::Shared;
use super::{deliver, prune, validate};
use crate::config::{self, Backups, Limits, Own};
use crate::domain::{
    CommonChecks, DisabledReason, IntegrationId, NodeIdentity, Outcome, Policy, Pool, Report,
    Schedule, Status, Subscription, Test, TestResult, Timestamp,
};
use crate::input::{Faults, Reader, Value};
use crate::platforms::{BoxFuture, Identity, RunContext, Validated, Validator};
use crate::store::{
    Control, DeliveryFilter, DeliveryState, NotificationContext, Page, ReceiverRow, Retention,
    Store, Wanted,
};
use crate::webhook::{Receiver, Sender};
const SOON: Duration = Duration::from_secs(20);
static CATALOG: &[Test] = &[Test::always("only", "")];

/// A platform that never answers and has no limits of its own.
#[derive(Debug)]
struct Hangs;

impl Validator for Hangs {
    fn identity(&self) -> Identity {
        Identity::default()
    }

    fn validate<'a>(&'a self, _run: &'a RunContext) -> BoxFuture<'a, Validated> {
        Box::pin(std::future::pending())
    }
}

fn wanted() -> Wanted {
    wanted_at("0 0 1 1 *")
}

fn wanted_at(cron: &str) -> Wanted {
    Wanted {
        name: "one".to_owned(),
        formerly: None,
        id: None,
        kind: "Redshift".to_owned(),
        auto_bootstrap: None,
        labels: BTreeMap::new(),
        disabled: false,
        schedule: Schedule::parse(cron, "UTC").unwrap(),
        config: "{}".to_owned(),
        config_shown: "{}".to_owned(),
        catalog_version: 1,
        factors: Vec::new(),
        run_on: Pool::default(),
    }
}

const RETENTION: Retention = Retention {
    history: Duration::from_hours(1),
    deliveries: Duration::from_hours(1),
    runs_per_integration: 9,
    deliveries_max: 9,
    events_max: 9,
    batch: 9,
};

fn fixed(store: &Path) -> active::Fixed {
    active::Fixed {
        store: store.into(),
        node: NodeIdentity::default(),
        log: config::Log { format: config::LogFormat::Auto, filter: String::new() },
        metrics: config::Metrics { listen: None },
        listen: Vec::new(),
        socket_mode: 0,
        has_certificate: false,
        has_page: false,
    }
}

/// A daemon without signals and jobs.
struct Bench {
    shared: Arc<Shared>,
    id: IntegrationId,
    folder: tempfile::TempDir,
}

impl Bench {
    fn clock_watch(&self) -> Watch {
        Watch::new(self.shared.clock.now(), tokio::time::Instant::now())
    }

    async fn with(validator: Arc<dyn Validator>) -> Self {
        Self::notifying(Vec::new(), validator).await
    }

    async fn notifying(receivers: Vec<Receiver>, validator: Arc<dyn Validator>) -> Self {
        Self::at(Clock::default(), "0 0 1 1 *", receivers, validator).await
    }

    async fn at(
        clock: Clock,
        cron: &str,
        receivers: Vec<Receiver>,
        validator: Arc<dyn Validator>,
    ) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(&folder.path().join("state.db").into()).await.unwrap();
        let (wanted, schedule) = (wanted_at(cron), wanted_at(cron).schedule);
        let subscriptions: Arc<[_]> =
            receivers.iter().map(|one| one.subscription.clone()).collect();
        let context = NotificationContext {
            subscriptions: Arc::clone(&subscriptions),
            now: clock.now(),
            ..NotificationContext::default()
        };
        let id = store.sync(vec![wanted].into(), true, context).await.unwrap().ids["one"];
        let second = Duration::from_secs(1);
        let limits = Limits { runs: 1, runs_per_host: 1, test: second, run: Duration::ZERO };
        let permits = active::Permits::of(limits, None);
        let watched = active::Watched {
            validator,
            auto_bootstrap: false,
            catalog: CATALOG,
            schedule: schedule.clone(),
            policy: Policy::default(),
            host_name: String::new(),
            checks: CommonChecks::default(),
            run_on: Pool::default(),
            host: permits.at(""),
            config: "{}".to_owned(),
            earlier: Vec::new(),
        };
        let active = Active {
            watched: BTreeMap::from([(id, watched)]),
            peers: Arc::default(),
            receivers: receivers
                .into_iter()
                .map(|one| (one.name.clone(), Arc::new(Sender::new(one).unwrap())))
                .collect(),
            subscriptions,
            maintenance: Arc::new([]),
            outage_min: 3,
            placed: Vec::new(),
            own: Own { canaries: Vec::new(), clock_skew: Duration::from_mins(5), disk_free_mib: 0 },
            limits,
            refused_pauses: Arc::from([second]),
            retention: RETENTION,
            attempts_max: 9,
            prune_at: schedule,
            backups: Backups { at: None, dir: folder.path().to_owned(), keep: 1 },
            heartbeat: None,
            permits,
            drain: second,
            fixed: fixed(folder.path()),
            http: Arc::default(),
        };
        let outside = store.view();
        Self {
            shared: Arc::new(Shared::new(store, outside, clock, active, Health::default())),
            id,
            folder,
        }
    }
}

#[tokio::test]
async fn loops_end_when_the_store_is_gone() {
    let bench = Bench::with(Arc::new(Hangs)).await;
    bench.shared.store.clone().close().await.unwrap();
    let token = CancellationToken::new;
    let mut loops = Loops::start(&bench.shared, bench.clock_watch(), &token(), &token());
    let ended = timeout(SOON, loops.ended_early()).await.unwrap();
    assert!(matches!(ended, DaemonError::Ended(_)), "{ended}");
}

#[tokio::test]
async fn loop_that_ends_after_a_request_to_stop_is_no_failure() {
    for _ in 0..64 {
        asked_or_ended(async {}, async { DaemonError::Ended("outbox") }).await.unwrap();
    }
    let ended = async { DaemonError::Ended("outbox") };
    asked_or_ended(std::future::pending(), ended).await.unwrap_err();
}

#[tokio::test]
async fn surplus_is_deleted_in_one_round_of_several_batches() {
    let bench = Bench::with(Arc::new(Hangs)).await;
    let shared = &bench.shared;
    let one = |number| Wanted { name: format!("{number}"), ..wanted() };
    let context = shared.context(&shared.active());
    shared.store.sync((0..40).map(one).collect::<Vec<_>>().into(), false, context).await.unwrap();
    let latest = shared.view.events(0, 100).await.unwrap().latest;
    let pruned = prune::round(shared, &CancellationToken::new()).await.unwrap();
    let left = shared.view.events(0, 100).await.unwrap();
    assert_eq!((left.rows.len(), left.latest, left.is_behind), (9, latest, true));
    assert_eq!(left.rows[0].number, latest - 8);
    assert_eq!(i64::try_from(pruned.rows).unwrap(), latest - 9);
    let again = prune::round(shared, &CancellationToken::new()).await.unwrap();
    assert_eq!(again.rows, 0);
}

#[tokio::test]
async fn a_validation_that_ignores_its_limit_is_stopped_and_reported() {
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
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
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
            let end = "X\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";
            stream.write_all(format!("HTTP/1.1 {code} {end}").as_bytes()).await.unwrap();
        }
    });
    url
}

fn receiver(name: &str, url: &str) -> Receiver {
    let table = serde_json::json!({
        "name": name, "url": url, "format": "slack", "allow": ["127.0.0.1"],
        "events": ["*", "integration.status.*"],
    });
    let (value, faults) = (Value::from_json(&table, &"test".into()), Faults::default());
    Receiver::parse(Reader::new(&value, "receiver[0]", &faults).unwrap()).unwrap()
}

#[tokio::test]
async fn gone_receiver_is_sent_nothing_until_a_command_enables_it() {
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
    let path = active.fixed.store.file().unwrap().join("state.db");
    shared.put_in_force(active);
    // Removes the integration, of which both are notified.
    let context = NotificationContext {
        subscriptions,
        now: shared.clock.now(),
        ..NotificationContext::default()
    };
    shared.store.sync(Vec::new().into(), false, context).await.unwrap();
    let stop = CancellationToken::new();
    let outbox = tokio::spawn(deliver::deliver(Arc::clone(shared), stop.clone(), stop.clone()));
    let wait = async |wanted: fn(&ReceiverRow, &ReceiverRow) -> bool| {
        loop {
            let rows = shared.view.receivers(Page::first(9)).await.unwrap().rows;
            if wanted(&rows[0], &rows[1]) {
                return rows;
            }
            sleep(Duration::from_millis(5)).await;
        }
    };
    let disabled = wait(|gone, other| gone.disabled.is_some() && other.pending == 0);
    let rows = timeout(SOON, disabled).await.expect("disabled");
    assert_eq!(rows[0].disabled.unwrap().0, DisabledReason::Gone);
    assert!(0 < rows[0].pending, "what it did not take stays pending");
    let mut control = Control::open(&path.into(), "anna").await.unwrap();
    control.enable("gone", shared.clock.now()).await.unwrap();
    timeout(SOON, wait(|gone, _| gone.pending == 0)).await.expect("the backlog");
    stop.cancel();
    timeout(SOON, outbox).await.unwrap().unwrap();
}

/// A platform on which all is well.
#[derive(Debug)]
struct Passes;

impl Validator for Passes {
    fn identity(&self) -> Identity {
        Identity::default()
    }

    fn validate<'a>(&'a self, _run: &'a RunContext) -> BoxFuture<'a, Validated> {
        let test = Test::always("only", "");
        let tests = vec![TestResult { test, outcome: Outcome::Passed(None) }];
        Box::pin(std::future::ready(Report { tests }.into()))
    }
}

/// A receiver of the same name that answers every request, or none; and how many it was sent.
async fn counted(name: &str, answers: bool, concurrency: usize) -> (Receiver, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let table = serde_json::json!({
        "name": name,
        "url": format!("http://{}/", listener.local_addr().unwrap()),
        "secrets": ["whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"],
        "allow": ["127.0.0.1"],
        "events": ["integration*", "integration.status.*"],
        "timeout": "1m",
        "concurrency": concurrency,
    });
    let requests = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&requests);
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            count.fetch_add(1, Ordering::SeqCst);
            tokio::spawn(async move {
                let answer = b"HTTP/1.1 204 No Content\r\nconnection: close\r\n\r\n";
                let _read = stream.read(&mut [0; 8192]).await;
                if answers {
                    let _sent = stream.write_all(answer).await;
                    let _rest = tokio::io::copy(&mut stream, &mut tokio::io::sink()).await;
                } else {
                    std::future::pending::<()>().await;
                }
            });
        }
    });
    let value = Value::from_json(&table, &"test".into());
    let read = Receiver::parse(Reader::new(&value, "receiver[0]", &Faults::default()).unwrap());
    (read.unwrap(), requests)
}

#[tokio::test]
async fn a_receiver_that_hangs_delays_no_other_and_no_validation() {
    const EVENTS: usize = 40;
    let (hangs, asked) = counted("hangs", false, 2).await;
    let (fine, answered) = counted("fine", true, 3).await;
    let bench = Bench::notifying(vec![hangs, fine], Arc::new(Passes)).await;
    let (shared, token) = (Arc::clone(&bench.shared), CancellationToken::new);
    let (stop, abort) = (token(), token());
    let outbox = tokio::spawn(deliver::deliver(Arc::clone(&shared), stop.clone(), abort.clone()));
    let active = shared.active();
    let named = |number| Wanted { name: format!("more-{number}"), ..wanted() };
    let more: Vec<_> = (2..EVENTS).map(named).chain([wanted()]).collect();
    let context = shared.context(&active);
    shared.log_changes(&shared.store.sync(more.into(), false, context).await.unwrap());
    shared.wake_delivery();
    // The last event is that of a validation, while all that the one receiver may be sent hangs.
    while asked.load(Ordering::SeqCst) < 2 {
        tokio::task::yield_now().await;
    }
    timeout(SOON, validate::step(&shared, bench.id, &abort)).await.expect("not held up").unwrap();
    let delivered = async |name: &str| {
        let receiver = Some(name.to_owned());
        let state = Some(DeliveryState::Delivered);
        let filter = DeliveryFilter { state, receiver, ..DeliveryFilter::default() };
        shared.view.deliveries(filter, Page::first(100)).await.unwrap().rows.len()
    };
    let all = async {
        while delivered("fine").await < EVENTS {
            sleep(Duration::from_millis(5)).await;
        }
    };
    timeout(SOON, all).await.expect("not held up");
    assert_eq!(answered.load(Ordering::SeqCst), EVENTS);
    assert_eq!((asked.load(Ordering::SeqCst), delivered("hangs").await), (2, 0), "as it may");
    stop.cancel();
    abort.cancel();
    timeout(SOON, outbox).await.expect("ends").unwrap();
}
