//! Measurements for `benches/cluster.py`, which starts the server and prints what is asked for beside what was found: nodes
//! that share the work, with validators that wait and ask nothing, and receivers that take everything at once.

use std::collections::{BTreeMap, HashSet};
use std::fmt::Write as _;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::sync::Semaphore;
use tokio::time::{Instant, sleep};

use super::bench::{START, failed, passed, subscription, wanted};
use crate::domain::{
    AttemptResult, Class, Durability, IntegrationId, Location, Next, NodeIdentity, Observed,
    Policy, PostgresAddress, PostgresHost, PostgresTls, Report, Schedule, Subject, Timestamp,
};
use crate::store::{
    Attempt, Began, Capacity, Finished, NotificationContext, Opening, PendingDelivery, Site, Store,
    SubjectRun, Wanted,
};

/// Time for which a validator waits.
const VALIDATION: Duration = Duration::from_millis(50);
/// Runs and messages of a node at once.
const AT_ONCE: usize = 64;
/// Integrations: more than all nodes validate at once.
const INTEGRATIONS: usize = 2048;
/// Seconds of the schedule that go by in one, so that enough is due.
const HASTE: u32 = 12;
/// Time until measuring begins, and for which it goes on.
const WARM_UP: Duration = Duration::from_secs(2);
const MEASURED: Duration = Duration::from_secs(6);
/// Time after which nothing more is to be done.
const IDLE: Duration = Duration::from_secs(1);
/// Lease of runs and messages, by the hasty clock.
const LEASE: Duration = Duration::from_hours(1);
/// Time between two looks of a node at what is due, as the planner's.
const ROUND: Duration = Duration::from_millis(50);
/// Time between two heartbeats of a node.
const BEAT: Duration = Duration::from_secs(3);
/// Changes of each integration that receivers are notified of.
const CHANGES: usize = 6;

fn setting(name: &str) -> Option<String> {
    std::env::vars().find(|(found, _)| found == name).map(|(_, value)| value)
}

fn location() -> Location {
    let port = setting("REVALIDATED_BENCH_PORT").expect("benches/cluster.py starts a server");
    Location::Postgres(Arc::new(PostgresAddress {
        hosts: vec![PostgresHost { name: "127.0.0.1".to_owned(), port: port.parse().unwrap() }],
        user: "keeper".to_owned(),
        database: "state".to_owned(),
        password: None,
        tls: PostgresTls::Off,
        durability: Durability::Crash,
        node: String::new(),
    }))
}

fn context(now: Timestamp) -> NotificationContext {
    NotificationContext {
        subscriptions: [subscription("a")].into(),
        outage_min: 1_000_000,
        now,
        ..NotificationContext::default()
    }
}

/// Clock that goes faster than time does.
#[derive(Clone, Copy)]
struct Hasty(Instant);

impl Hasty {
    fn now(self) -> Timestamp {
        START.plus(self.0.elapsed().saturating_mul(HASTE))
    }
}

/// Nodes on one database, with times that operations took.
struct Nodes {
    stores: Vec<Store>,
    clock: Hasty,
    took: Arc<Mutex<BTreeMap<&'static str, Vec<Duration>>>>,
    done: Arc<AtomicUsize>,
}

fn every_second(name: &str) -> Wanted {
    Wanted { schedule: Schedule::parse("* * * * * *", "UTC").unwrap(), ..wanted(name) }
}

impl Nodes {
    async fn open(count: usize) -> Self {
        let clock = Hasty(Instant::now());
        let all: Vec<_> =
            (0..INTEGRATIONS).map(|number| every_second(&format!("i{number:04}"))).collect();
        let mut stores = Vec::new();
        for number in 0..count {
            let node = NodeIdentity { name: format!("n{number}"), ..NodeIdentity::default() };
            let opening = Opening { node, ..Opening::default() };
            let store = Store::open_as(&location(), &opening).await.unwrap();
            let synced = store.sync(all.clone().into(), true, context(clock.now())).await.unwrap();
            assert_eq!(synced.waits_for, None);
            let beating = store.clone();
            let _beats: tokio::task::JoinHandle<()> = tokio::spawn(async move {
                loop {
                    sleep(BEAT).await;
                    beating.beat().await.ok();
                }
            });
            stores.push(store);
        }
        Self { stores, clock, took: Arc::default(), done: Arc::default() }
    }

    fn timer(&self) -> Timer {
        Timer { took: Arc::clone(&self.took), done: Arc::clone(&self.done) }
    }

    /// Measures for a while, or until nothing more is done, and prints the rate with the times of the slowest of a
    /// hundred.
    #[expect(clippy::print_stdout, reason = "for benches/cluster.py, which reads it")]
    async fn measure(&self, what: &str, limit: Duration) {
        self.took.lock().unwrap().clear();
        let (before, begun) = (self.done.load(Ordering::Relaxed), Instant::now());
        println!("begin {what} {}", self.stores.len());
        let (mut done, mut took) = (0, Duration::from_millis(1));
        while begun.elapsed() < limit && begun.elapsed() < took + IDLE {
            sleep(Duration::from_millis(10)).await;
            let now = self.done.load(Ordering::Relaxed) - before;
            if done < now {
                (done, took) = (now, begun.elapsed());
            }
        }
        let rate = u128::try_from(done).unwrap() * 1000 / took.as_millis();
        let mut slow = String::new();
        for (name, mut all) in std::mem::take(&mut *self.took.lock().unwrap()) {
            all.sort_unstable();
            let place = (all.len() * 99 / 100).min(all.len().saturating_sub(1));
            write!(slow, " {name}_p99_ms={}", all[place].as_millis()).unwrap();
        }
        println!("end {what} {} done={done} rate={rate}{slow}", self.stores.len());
    }

    async fn close(self) {
        for store in self.stores {
            store.close().await.unwrap();
        }
    }
}

#[derive(Clone)]
struct Timer {
    took: Arc<Mutex<BTreeMap<&'static str, Vec<Duration>>>>,
    done: Arc<AtomicUsize>,
}

impl Timer {
    async fn time<T>(&self, name: &'static str, work: impl Future<Output = T>) -> T {
        let begun = Instant::now();
        let done = work.await;
        self.took.lock().unwrap().entry(name).or_default().push(begun.elapsed());
        done
    }
}

async fn run(
    store: &Store,
    id: IntegrationId,
    clock: Hasty,
    report: Report,
    timer: &Timer,
) -> bool {
    let site = Site { host: "", most: usize::MAX };
    let claimed = timer.time("claim", store.begin_at(id, site, LEASE, clock.now())).await.unwrap();
    let Began::Run(begun) = claimed else { return false };
    sleep(VALIDATION).await;
    let finished = Finished {
        begun,
        runs: vec![SubjectRun {
            subject: Subject::Active,
            report,
            observed: Observed::default(),
            own_fault: None,
        }],
        started_at: clock.now(),
        duration: VALIDATION,
        policy: Policy { flap_flips: 0, ..Policy::default() },
        schedule: Schedule::parse("* * * * * *", "UTC").unwrap(),
        node: None,
    };
    timer.time("record", store.record(finished, context(clock.now()))).await.unwrap();
    timer.done.fetch_add(1, Ordering::Relaxed);
    true
}

/// Plans and runs as a node does, until the returned task is ended.
fn node(store: Store, clock: Hasty, timer: Timer) -> tokio::task::JoinHandle<()> {
    tokio::spawn(async move {
        let (permits, on_the_way) = (Arc::new(Semaphore::new(AT_ONCE)), Arc::default());
        loop {
            let due = store.view().due(clock.now(), 4096).await.unwrap();
            for one in due {
                let on_the_way: Arc<Mutex<HashSet<IntegrationId>>> = Arc::clone(&on_the_way);
                if !on_the_way.lock().unwrap().insert(one.id) {
                    continue;
                }
                let (store, timer, permits) = (store.clone(), timer.clone(), Arc::clone(&permits));
                tokio::spawn(async move {
                    let permit = permits.acquire_owned().await.unwrap();
                    run(&store, one.id, clock, passed(), &timer).await;
                    on_the_way.lock().unwrap().remove(&one.id);
                    drop(permit);
                });
            }
            sleep(ROUND).await;
        }
    })
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "a measurement for benches/cluster.py"]
async fn runs_that_nodes_record() {
    let count = setting("REVALIDATED_BENCH_NODES").unwrap().parse().unwrap();
    let nodes = Nodes::open(count).await;
    let start = |store: &Store| node(store.clone(), nodes.clock, nodes.timer());
    let tasks: Vec<_> = nodes.stores.iter().map(start).collect();
    sleep(WARM_UP).await;
    nodes.measure("runs", MEASURED).await;
    for task in tasks {
        task.abort();
    }
}

fn attempt(sent: &PendingDelivery, now: Timestamp) -> Attempt {
    Attempt {
        delivery: sent.id,
        token: sent.token,
        started_at: now,
        duration: Duration::ZERO,
        result: AttemptResult::Answered { code: 204, hint: None },
        detail: String::new(),
        next: Next::Delivered,
        disable_after: Duration::MAX,
        awake: Duration::ZERO,
        is_trusted: true,
        kept_max: 5,
    }
}

/// Claims and records messages as a node does, until the returned task is ended.
fn sender(store: Store, clock: Hasty, timer: Timer, nodes: usize) -> tokio::task::JoinHandle<()> {
    tokio::spawn(async move {
        let permits = Arc::new(Semaphore::new(AT_ONCE));
        let most = u32::try_from(AT_ONCE * nodes).unwrap();
        loop {
            let free = u32::try_from(permits.available_permits()).unwrap();
            let capacity = BTreeMap::from([("a".to_owned(), Capacity { free, most })]);
            let claim = store.claim_within(capacity, LEASE, clock.now());
            let claimed = timer.time("claim", claim).await.unwrap();
            if claimed.is_empty() {
                sleep(Duration::from_millis(5)).await;
            }
            for one in claimed {
                let (store, timer) = (store.clone(), timer.clone());
                let permit = Arc::clone(&permits).acquire_owned().await.unwrap();
                tokio::spawn(async move {
                    let attempt = attempt(&one, clock.now());
                    let recorded = store.record_attempt(attempt, context(clock.now()));
                    let recorded = async { recorded.await.unwrap().await.unwrap() };
                    timer.time("record", Box::pin(recorded)).await;
                    timer.done.fetch_add(1, Ordering::Relaxed);
                    drop(permit);
                });
            }
        }
    })
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "a measurement for benches/cluster.py"]
async fn deliveries_that_nodes_record() {
    let count: usize = setting("REVALIDATED_BENCH_NODES").unwrap().parse().unwrap();
    let nodes = Nodes::open(count).await;
    let (store, timer) = (&nodes.stores[0], nodes.timer());
    let mut ids = Vec::new();
    while ids.len() < INTEGRATIONS {
        ids = store.view().due(nodes.clock.now(), 4096).await.unwrap();
        sleep(ROUND).await;
    }
    // Every integration is enabled, and fails and recovers in turn.
    for change in 0..=CHANGES {
        let permits = Arc::new(Semaphore::new(AT_ONCE * 4));
        let mut tasks = tokio::task::JoinSet::new();
        for id in ids.iter().map(|one| one.id) {
            let (store, timer, clock) = (store.clone(), timer.clone(), nodes.clock);
            let permit = Arc::clone(&permits).acquire_owned().await.unwrap();
            tasks.spawn(async move {
                let report = || if change % 2 == 0 { passed() } else { failed(Class::Denied) };
                while !run(&store, id, clock, report(), &timer).await {
                    sleep(ROUND).await;
                }
                drop(permit);
            });
        }
        while tasks.join_next().await.is_some() {}
    }
    let clock = nodes.clock;
    let start = |store: &Store| sender(store.clone(), clock, nodes.timer(), count);
    let tasks: Vec<_> = nodes.stores.iter().map(start).collect();
    nodes.measure("deliveries", Duration::from_mins(1)).await;
    for task in tasks {
        task.abort();
    }
    nodes.close().await;
}
