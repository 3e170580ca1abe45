//! Moves of everything between the engines: nothing is lost, nothing is done twice, and one of both is the store.

mod interrupted;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::types::Value as SqlValue;
use rusqlite::{Connection, OpenFlags};
use tempfile::TempDir;

use super::bench::{Bench, LEASE, START, failed, passed, wanted, warned};
use super::server::Database;
use crate::domain::{
    Class, Expiry, ExpiryKind, Fact, FactKind, Factor, FactorKind, Location, Next, Observed,
    OwnFault, Timestamp,
};
use crate::store::forms::tables::{TABLES, Table};
use crate::store::postgres::host_name;
use crate::store::{
    Moved, NewSilence, Store, StoreError, SubjectRun, View, Wanted, to_file, to_server,
};

const AT: Timestamp = Timestamp(START.0 + 86_400_000);

/// A store in which most tables have rows: an outage, a failure with messages that wait for a receiver, a silence.
async fn story(mut bench: Bench) -> Bench {
    let host = Factor { kind: FactorKind::Host, value: "db".to_owned() };
    let shared = ["n0", "n1", "n2"];
    let all = shared.map(|name| Wanted { factors: vec![host.clone()], ..wanted(name) });
    bench.sync(&[&all[..], &[wanted("one"), wanted("gone")]].concat()).await;
    for name in ["one", "n1", "n2", "gone"] {
        bench.run_of(name, passed()).await;
    }
    let fact = Fact { kind: FactKind::Grant, of: "db".to_owned() };
    let expiry = Expiry { kind: ExpiryKind::Token, of: "t".to_owned(), at: Timestamp(AT.0 * 2) };
    let facts = [(fact, ["read".to_owned()].into())].into();
    let observed = Observed { facts, expiries: [expiry].into(), ..Observed::default() };
    bench.wait_until_due("n0").await;
    let begun = bench.begun("n0").await;
    let subject = begun.subjects()[0];
    let run = SubjectRun { subject, report: passed(), observed, own_fault: None };
    bench.record_run(begun, run).await;
    for _ in 0..9 {
        for name in shared {
            bench.run_of(name, failed(Class::Unreachable)).await;
        }
    }
    assert!(bench.row("n0").await.outage_id.is_some());
    bench.deliver("a").await;
    bench.run_of("one", failed(Class::Denied)).await;
    bench.run_of("one", passed()).await;
    let sent = bench.claim("a", 1).await;
    bench.attempt(&sent[0], Next::RetryAfter(Duration::from_mins(1))).await;
    let until = bench.now.plus(Duration::from_hours(9));
    let silence = NewSilence { until, comment: "moving".to_owned(), ..NewSilence::default() };
    bench.control().await.silence(&silence, bench.now).await.unwrap();
    bench.control().await.disable("b", bench.now).await.unwrap();
    bench.run_of("one", warned("it expires")).await;
    bench.store.degrade(OwnFault::Network, "cut".to_owned(), bench.context()).await.unwrap();
    bench.store.save_awake(Duration::from_hours(3), Some(bench.now)).await.unwrap();
    bench.sync(&[&all[..], &[wanted("one")]].concat()).await;
    // A run and a message are under way when the daemon stops.
    bench.wait_until_due("one").await;
    bench.begun("one").await;
    bench
}

fn folder() -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("state.db");
    (folder, path)
}

/// Makes the story in a file.
async fn file() -> (TempDir, PathBuf, Timestamp) {
    let (bench, (folder, path)) = (story(Bench::sqlite().await).await, folder());
    let closed = bench.closed().await;
    std::fs::copy(closed.location.file().unwrap(), &path).unwrap();
    (folder, path, closed.now)
}

/// Returns every row of every table but those about nodes, and without leases.
fn dump(path: &Path) -> BTreeMap<String, Vec<String>> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY;
    let conn = Connection::open_with_flags(path, flags).unwrap();
    let sql = "SELECT name FROM sqlite_schema WHERE type = 'table' AND name <> 'node'";
    let mut names = conn.prepare(sql).unwrap();
    let names = names.query_map([], |row| row.get::<_, String>(0)).unwrap();
    let rows = |name: &str| {
        let mut rows = conn.prepare(&format!("SELECT * FROM {name}")).unwrap();
        let columns: Vec<_> = rows.column_names().map(str::to_owned).collect();
        let row = |row: &rusqlite::Row<'_>| {
            let of = |(at, column): (usize, &String)| {
                // The lease of what was under way is freed, and is part of the checksum.
                let is_left = column.starts_with("lease_") || column == "checksum";
                // Only what is pending is due.
                let has_ended = || row.get::<_, String>("state").unwrap() != "pending";
                let is_left = is_left || name == "delivery" && column == "due_at_ms" && has_ended();
                let value = if is_left { SqlValue::Null } else { row.get(at).unwrap() };
                format!("{column}={value:?}")
            };
            Ok(columns.iter().enumerate().map(of).collect::<Vec<_>>().join(" "))
        };
        let mut rows: Vec<_> = rows.query_map([], row).unwrap().map(Result::unwrap).collect();
        rows.sort();
        rows
    };
    names.map(Result::unwrap).map(|name| (name.clone(), rows(&name))).collect()
}

async fn moved(path: &Path, database: &Database) -> Result<Moved, StoreError> {
    to_server(path, &database.address(), AT).await
}

async fn back(database: &Database, path: &Path) -> Result<Moved, StoreError> {
    to_file(&database.address(), path, AT).await
}

/// Returns why neither a daemon nor a command can open a store.
async fn refusal(location: &Location) -> String {
    let refused = Store::open(location).await.unwrap_err().to_string();
    assert_eq!(View::open(location).await.unwrap_err().to_string(), refused);
    refused
}

#[tokio::test]
async fn file_is_moved_to_a_server_and_back_with_every_row() {
    let ((_folder, path, _now), database) = (file().await, Database::create());
    let before = dump(&path);
    let done = moved(&path, &database).await.unwrap();
    let rows: BTreeMap<_, _> = done.rows.iter().copied().collect();
    for table in TABLES {
        let expected = u64::try_from(before[table.name].len()).unwrap();
        assert_eq!(rows[table.name], expected, "{}", table.name);
        assert_ne!(expected, 0, "the story has no row of {}", table.name);
    }
    let address = database.address().to_string();
    let refused = refusal(&path.clone().into()).await;
    let expected =
        format!("{}: this database was moved to {address} on {AT}: name that by", path.display());
    assert!(refused.starts_with(&expected), "{refused}");
    assert!(!refused.contains("pw-conformance"), "{refused}");

    let (_other, second) = folder();
    back(&database, &second).await.unwrap();
    let after = dump(&second);
    assert_eq!(before.keys().collect::<Vec<_>>(), after.keys().collect::<Vec<_>>());
    for (name, rows) in &before {
        assert_eq!(&after[name], rows, "{name}");
    }
    let refused = refusal(&database.location()).await;
    let place = format!("{} of {}", second.canonicalize().unwrap().display(), host_name());
    let expected = format!("{address}: this database was moved to {place} on {AT}");
    assert_eq!(refused, expected);
    let problem = moved(&second, &database).await.unwrap_err().to_string();
    assert_eq!(problem, format!("{expected}; remove its schema revalidated before another move"));
    // The session that was refused ends when its task is polled, which the next line keeps from it.
    tokio::time::sleep(Duration::from_millis(500)).await;
    database.administer("DROP SCHEMA revalidated CASCADE");
    moved(&second, &database).await.unwrap();
    Store::open(&database.location()).await.unwrap();
}

/// Starts a daemon, and lets it work off everything: returns what it does.
async fn go_on(mut bench: Bench) -> Vec<String> {
    let host = Factor { kind: FactorKind::Host, value: "db".to_owned() };
    let all = ["n0", "n1", "n2"].map(|name| Wanted { factors: vec![host.clone()], ..wanted(name) });
    let all = [&all[..], &[wanted("one")]].concat();
    let mut said = Vec::new();
    let due = bench.view().due(bench.now, 99).await.unwrap();
    said.extend(due.iter().map(|due| format!("due {}", due.name)));
    let synced = bench.store.sync(all.into(), true, bench.context()).await.unwrap();
    said.push(format!("synced {:?}", synced.transitions));
    for name in ["n0", "n1", "n2", "one"] {
        let row = bench.row(name).await;
        said.push(format!("{row:?}"));
    }
    said.push(format!("{:?}", bench.view().next_release_at().await.unwrap()));
    said.push(format!("{:?}", bench.view().own_faults().await.unwrap()));
    let events = bench.view().events(0, 1000).await.unwrap();
    said.extend(events.rows.iter().map(|event| format!("{event:?}")));
    let mut line = |body: &serde_json::Value| {
        said.push(format!(
            "{} {} {}",
            body["type"], body["data"]["sequence"], body["data"]["status"]
        ));
    };
    assert!(bench.claim("b", 9).await.is_empty(), "it is disabled");
    bench.wait(Duration::from_mins(2));
    bench.deliver("a").await.iter().for_each(&mut line);
    bench.control().await.enable("b", bench.now).await.unwrap();
    bench.deliver("b").await.iter().for_each(&mut line);
    bench.wait(Duration::from_hours(10));
    bench.store.restore(OwnFault::Network, bench.context()).await.unwrap();
    bench.store.release(99, bench.context()).await.unwrap();
    for name in ["n0", "n1", "n2", "one"] {
        bench.run_of(name, passed()).await;
    }
    bench.run_of("one", failed(Class::Denied)).await;
    bench.store.release(99, bench.context()).await.unwrap();
    bench.deliver("a").await.iter().for_each(&mut line);
    bench.deliver("b").await.iter().for_each(&mut line);
    let numbers = bench.view().events(0, 1000).await.unwrap().rows;
    said.extend(numbers.iter().map(|event| format!("{} {:?}", event.number, event.kind)));
    said
}

#[tokio::test]
async fn moved_store_goes_on_as_its_file_would() {
    let ((folder, path, now), database) = (file().await, Database::create());
    let copy = folder.path().join("copy.db");
    std::fs::copy(&path, &copy).unwrap();
    moved(&path, &database).await.unwrap();
    let (second, third) = (Database::create(), folder.path().join("third.db"));
    let fourth = folder.path().join("fourth.db");
    std::fs::copy(&copy, &fourth).unwrap();
    moved(&fourth, &second).await.unwrap();
    back(&second, &third).await.unwrap();
    let expected = go_on(Bench::open(copy.into(), now).await).await;
    let on_server = go_on(Bench::open(database.location(), now).await).await;
    assert_eq!(on_server, expected);
    assert_eq!(go_on(Bench::open(third.into(), now).await).await, expected);
    assert!(expected.iter().any(|line| line.contains("integrations.outage")), "{expected:#?}");
}

#[tokio::test]
async fn ids_go_on_after_those_that_were_given_before_the_move() {
    let ((_folder, path, now), database) = (file().await, Database::create());
    let conn = Connection::open(&path).unwrap();
    for (table, latest) in [("integration", 40), ("event", 900), ("delivery", 3000), ("silence", 7)]
    {
        let sql = "UPDATE sqlite_sequence SET seq = ?1 WHERE name = ?2";
        assert_eq!(conn.execute(sql, (latest, table)).unwrap(), 1);
    }
    drop(conn);
    moved(&path, &database).await.unwrap();
    let mut bench = Bench::open(database.location(), now).await;
    let next = |id: i64| format!("{id}");
    let silence = NewSilence { until: AT.plus(LEASE), ..NewSilence::default() };
    let id = bench.control().await.silence(&silence, bench.now).await.unwrap();
    assert_eq!(id.to_string(), next(8));
    let all = ["n0", "n1", "n2", "one", "new"].map(wanted);
    bench.sync(&all).await;
    assert_eq!(bench.id("new").await.0, 41);
    bench.run_of("new", passed()).await;
    let events = bench.view().events(900, 10).await.unwrap().rows;
    assert_eq!(events[0].number, 901);
}

#[tokio::test]
async fn files_and_databases_that_cannot_be_moved_are_refused() {
    let ((folder, path, _now), database) = (file().await, Database::create());
    let said = async |path: &Path, database: &Database| {
        moved(path, database).await.unwrap_err().to_string()
    };
    let missing = said(&folder.path().join("x.db"), &database).await;
    assert!(missing.ends_with("x.db: there is no database here to be moved"), "{missing}");

    let store = Store::open(&path.clone().into()).await.unwrap();
    let used = said(&path, &database).await;
    assert!(
        used.ends_with("a daemon uses it; stop it first (systemctl stop revalidated)"),
        "{used}"
    );
    store.close().await.unwrap();

    let copy = folder.path().join("copy.db");
    std::fs::copy(&path, &copy).unwrap();
    Connection::open(&copy).unwrap().execute_batch("PRAGMA user_version = 21").unwrap();
    let old = said(&copy, &database).await;
    assert!(old.contains("schema 21 is old; start the daemon of this version on it once"), "{old}");

    std::fs::copy(&path, &copy).unwrap();
    let conn = Connection::open(&copy).unwrap();
    conn.execute_batch("DROP TRIGGER event_updated; UPDATE event SET body = '{}' WHERE number = 2")
        .unwrap();
    drop(conn);
    let damaged = said(&copy, &database).await;
    assert!(damaged.contains("copy.db: is damaged, and was left as it is: "), "{damaged}");

    let taken = Database::create();
    let store = Store::open(&taken.location()).await.unwrap();
    let full = said(&path, &taken).await;
    assert!(full.contains("there is a store here already; move into an empty database"), "{full}");
    let new = folder.path().join("new.db");
    let alive = back(&taken, &new).await.unwrap_err();
    assert!(alive.is_taken(), "{alive}");
    assert!(alive.to_string().contains(" is alive ("), "{alive}");
    store.close().await.unwrap();
    let there = back(&taken, &path).await.unwrap_err().to_string();
    assert!(there.ends_with("state.db: exists already, and is left as it is"), "{there}");
    let none = back(&database, &new).await.unwrap_err().to_string();
    assert!(none.ends_with("there is no store here to be moved"), "{none}");

    // Nothing of all that has changed either.
    drop(Store::open(&path.into()).await.unwrap());
    back(&taken, &new).await.unwrap();
}

/// Columns that are not moved, each for its reason: leases are freed, checksums and lanes are the engine's own.
const LEFT: &[(&str, &[&str])] = &[
    ("integration", &["lease_owner", "lease_token", "lease_until_ms", "checksum"]),
    ("delivery", &["lease_owner", "lease_token", "lease_until_ms", "checksum"]),
    ("event", &["checksum"]),
    ("transition", &["checksum"]),
];
/// Tables of the server that are not moved by name: what they keep is the server's, or in another table of the file.
const OWN: [&str; 10] = [
    "absence",
    "clock",
    "config_part",
    "commits",
    "contradiction",
    "gate",
    "lane",
    "meta",
    "node",
    "work",
];

fn left(table: &Table) -> Vec<String> {
    let own = LEFT.iter().find(|(name, _)| *name == table.name);
    let own = own.map_or(&[][..], |(_, columns)| columns);
    let mut all: Vec<_> = table.columns.iter().map(|column| column.name.to_owned()).collect();
    all.extend(own.iter().map(|&name| name.to_owned()));
    all.sort();
    all
}

#[tokio::test]
async fn every_column_of_a_file_is_moved_or_stays_for_a_reason() {
    let (_folder, path, _now) = file().await;
    let conn = Connection::open(&path).unwrap();
    for table in TABLES {
        let sql = format!("SELECT name FROM pragma_table_info('{}') ORDER BY name", table.name);
        let mut names = conn.prepare(&sql).unwrap();
        let names = names.query_map([], |row| row.get::<_, String>(0)).unwrap();
        let mut found: Vec<_> = names.map(Result::unwrap).collect();
        found.sort();
        assert_eq!(found, left(table), "{}", table.name);
    }
    let known: Vec<_> = TABLES.iter().map(|table| table.name).collect();
    let others: Vec<_> = dump(&path).into_keys().filter(|name| !known.contains(&&**name)).collect();
    assert_eq!(others, ["factor_count", "meta", "sqlite_sequence"], "counts are kept by triggers");
}

#[tokio::test]
async fn every_table_of_a_server_is_moved_or_its_own() {
    let database = Database::create();
    Store::open(&database.location()).await.unwrap().close().await.unwrap();
    let sql = "SELECT table_name FROM information_schema.tables WHERE table_schema = 'revalidated'";
    let found = database.ask(sql);
    let mut found: Vec<_> = found.lines().map(str::trim).filter(|name| !name.is_empty()).collect();
    found.sort_unstable();
    let mut known: Vec<_> = TABLES.iter().map(|table| table.name).chain(OWN).collect();
    known.sort_unstable();
    assert_eq!(found, known);
}
