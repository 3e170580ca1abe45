//! Failovers from a primary to its standby: what is lost is noticed, and with a synchronous one nothing is.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use crate::domain::{Durability, PostgresAddress, PostgresHost, PostgresTls, Secret, SecretRef};
use crate::store::conformance::server::{Database, run, script};
use crate::store::postgres::{Store, View};
use crate::store::{Loss, Opening, StoreError};

/// Time within which a standby receives what its primary has, or notices that it may not.
const SOON: Duration = Duration::from_secs(20);

/// Primary with a standby, both with a folder of their own.
struct Pair {
    primary: PathBuf,
    standby: PathBuf,
    ports: [u16; 2],
}

fn folder(name: &str) -> PathBuf {
    tempfile::Builder::new().prefix(name).tempdir().unwrap().keep()
}

/// Starts a server that ends with this process; returns its port.
fn started(command: &mut Command) -> u16 {
    let owner = std::process::id().to_string();
    let said = run(command.args(["--owner", &owner, "--remove"]), "");
    said.lines().find_map(|line| line.strip_prefix("port=")).unwrap().parse().unwrap()
}

fn sql(folder: &Path, statements: &str) -> String {
    run(&mut script("sql", folder), statements).trim().to_owned()
}

impl Pair {
    fn start() -> Self {
        let (primary, standby) = (folder("revalidated-primary-"), folder("revalidated-standby-"));
        let first =
            started(script("start", &primary).args(["--no-tls", "--set", "log_statement=none"]));
        sql(&primary, "CREATE ROLE revalidated LOGIN PASSWORD 'pw'");
        sql(&primary, "CREATE DATABASE state OWNER revalidated");
        let second = started(script("standby", &standby).arg(&primary));
        let pair = Self { primary, standby, ports: [first, second] };
        pair.wait("SELECT count(*) FROM pg_stat_replication WHERE state = 'streaming'", "1");
        pair
    }

    /// Lets commits wait for the standby.
    fn synchronise(&self) {
        sql(&self.primary, "ALTER SYSTEM SET synchronous_standby_names = '*'");
        sql(&self.primary, "SELECT pg_reload_conf()");
        self.wait("SELECT count(*) FROM pg_stat_replication WHERE sync_state = 'sync'", "1");
    }

    /// Cuts the standby off.
    fn detach(&self) {
        run(&mut script("detach", &self.standby), "");
        self.wait("SELECT count(*) FROM pg_stat_replication", "0");
    }

    /// Kills the primary, and promotes the standby.
    fn fail_over(&self) {
        run(&mut script("stop", &self.primary), "");
        run(&mut script("promote", &self.standby), "");
    }

    fn wait(&self, query: &str, expected: &str) {
        let begun = tokio::time::Instant::now();
        while sql(&self.primary, query) != expected {
            assert!(begun.elapsed() < SOON, "{query}");
            std::thread::sleep(Duration::from_millis(100));
        }
    }

    fn address(&self, durability: Durability) -> Arc<PostgresAddress> {
        let host = |port| PostgresHost { name: "127.0.0.1".to_owned(), port };
        Arc::new(PostgresAddress {
            hosts: self.ports.map(host).to_vec(),
            user: "revalidated".to_owned(),
            database: "state".to_owned(),
            password: Some(SecretRef::Literal(Secret::new("pw".to_owned()))),
            tls: PostgresTls::Off,
            durability,
            node: String::new(),
        })
    }

    async fn open(&self, durability: Durability) -> Result<Store, StoreError> {
        Store::open(&self.address(durability), &Opening::default()).await
    }
}

async fn epoch(store: &Store) -> String {
    store.view().epoch().await.unwrap()
}

async fn beats(store: &Store, number: usize) {
    for _ in 0..number {
        assert_eq!(store.beat().await.unwrap().lost, None);
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test]
async fn failover_to_a_lagging_standby_is_noticed_and_gives_a_new_epoch() {
    let pair = Pair::start();
    let refused = pair.open(Durability::Failover).await.unwrap_err().to_string();
    assert!(
        refused.contains("store.durability is \"failover\", but a failover can forget"),
        "{refused}"
    );
    let store = pair.open(Durability::Crash).await.unwrap();
    beats(&store, 2).await;
    let query = "SELECT count(*) FROM pg_stat_replication WHERE replay_lsn = pg_current_wal_lsn()";
    pair.wait(query, "1");
    let before = epoch(&store).await;
    pair.detach();
    beats(&store, 3).await;
    pair.fail_over();
    let loss = store.beat().await.unwrap().lost.unwrap();
    assert!(loss.from < loss.until, "{loss:?}");
    let after = epoch(&store).await;
    assert_ne!(after, before);
    beats(&store, 2).await;
    assert_eq!(epoch(&store).await, after);
    store.close().await.unwrap();
}

#[tokio::test]
async fn failover_to_a_synchronous_standby_loses_nothing() {
    let pair = Pair::start();
    pair.synchronise();
    let store = pair.open(Durability::Failover).await.unwrap();
    let before = epoch(&store).await;
    for _ in 0..5 {
        beats(&store, 1).await;
        store.save_awake(Duration::from_hours(1), None).await.unwrap();
    }
    pair.fail_over();
    beats(&store, 2).await;
    assert_eq!(epoch(&store).await, before);
    assert_eq!(store.view().awake().await.unwrap(), Duration::from_hours(1));
}

#[tokio::test]
async fn loss_that_another_node_noticed_is_known_and_the_epoch_stays() {
    let database = Database::create();
    let address = database.address();
    let store = Store::open(&address, &Opening::default()).await.unwrap();
    beats(&store, 3).await;
    let before = epoch(&store).await;
    database
        .administer("UPDATE revalidated.clock SET losses = 1, lost_from_ms = 5, lost_until_ms = 9");
    let lost = store.beat().await.unwrap().lost.unwrap();
    assert_eq!((lost.from.0, lost.until.0), (5, 9));
    assert_eq!(epoch(&store).await, before);
    beats(&store, 1).await;

    // A second loss, of the note about the first as well.
    database.administer("UPDATE revalidated.clock SET losses = 0");
    database.administer("UPDATE revalidated.node SET beat = beat - 2");
    assert!(store.beat().await.unwrap().lost.is_some());
    assert_ne!(epoch(&store).await, before);
    beats(&store, 1).await;
    // One that starts afterwards has lost nothing.
    store.close().await.unwrap();
    let store = Store::open(&address, &Opening::default()).await.unwrap();
    beats(&store, 1).await;
}

#[tokio::test]
async fn clock_of_the_database_never_goes_back() {
    let database = Database::create();
    let store = Store::open(&database.address(), &Opening::default()).await.unwrap();
    assert_eq!(store.beat().await.unwrap().clock_behind_ms, 0);
    database.administer("UPDATE revalidated.clock SET high_ms = high_ms + 60000");
    let behind = store.beat().await.unwrap().clock_behind_ms;
    assert!((50_000..=60_000).contains(&behind), "{behind}");
    let seen = store.view().nodes().await.unwrap()[0].row.seen_at.unwrap();
    assert_eq!(store.view().nodes().await.unwrap()[0].is_alive, Some(true));
    store.beat().await.unwrap();
    assert!(seen <= store.view().nodes().await.unwrap()[0].row.seen_at.unwrap());
}

#[tokio::test]
async fn too_many_connections_are_counted() {
    let database = Database::create();
    let store = Store::open(&database.address(), &Opening::default()).await.unwrap();
    let limit = format!("ALTER DATABASE {} CONNECTION LIMIT 0", database.name());
    database.administer(&limit);
    database.ending()();
    let refused = store.beat().await.unwrap_err().to_string();
    assert_eq!(refused, "database operation failed");
    let reason = store.beat().await.unwrap_err().unreachable().unwrap();
    let expected = format!(
        "localhost:{} refuses connections (53300): 1 node needs up to 10, max_connections leaves 397",
        database.port()
    );
    assert_eq!(reason, expected);
    let view = View::open(&database.address()).await.unwrap_err().unreachable().unwrap();
    assert!(view.ends_with("refuses connections (53300)"), "{view}");
}

#[test]
fn loss_is_said_with_its_interval() {
    let at = |ms: i64| crate::domain::Timestamp(1_795_428_000_000 + ms);
    let expected = "the database lost what was written between 2026-11-23T10:00:03.1Z and 2026-11-23T10:00:03.9Z; \
                    receivers may know events that are gone; sequences go on under a new epoch";
    assert_eq!(Loss { from: at(3100), until: at(3900) }.to_string(), expected);
}
