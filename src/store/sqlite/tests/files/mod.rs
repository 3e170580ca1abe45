//! The file: made, locked, refused, shared; and the threads that serve it.

mod backup;
mod condition;
mod control;
mod older;
mod outside;
mod restore;
mod writer;

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::mpsc;

use rusqlite::{OpenFlags, StatementStatus, named_params};
use tempfile::TempDir;

use super::super::connect::read_only;
use super::super::migrations::APPLICATION_ID;
use super::super::{Control, Store, View};
use super::*;

struct Place {
    folder: TempDir,
}

impl Place {
    fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap() }
    }

    fn path(&self) -> PathBuf {
        self.folder.path().join("state.db")
    }

    fn open(&self) -> Store {
        Store::open(&self.path()).unwrap()
    }

    /// Why neither the daemon nor a reader opens it; that this leaves the file as it is.
    fn refusal(&self) -> String {
        let before = fs::read(self.path()).unwrap();
        let refused = Store::open(&self.path()).unwrap_err().to_string();
        assert_eq!(View::open(&self.path()).unwrap_err().to_string(), refused);
        assert_eq!(fs::read(self.path()).unwrap(), before);
        refused
    }
}

fn context() -> NotificationContext {
    let subscription = Subscription {
        receiver: "a".to_owned(),
        events: vec!["integration*".to_owned(), "integration.status.*".to_owned()],
        ..Subscription::default()
    };
    NotificationContext {
        subscriptions: [subscription].into(),
        now: START,
        ..NotificationContext::default()
    }
}

async fn closed(place: &Place) {
    let store = place.open();
    store.sync(vec![wanted("one")].into(), true, context()).await.unwrap();
    store.close().await.unwrap();
}

fn insert(tx: &Connection, epoch: &str) -> Result<(), StoreError> {
    tx.execute("UPDATE meta SET epoch = epoch || ?1", [epoch])?;
    Ok(())
}

fn epoch(path: &Path) -> String {
    let conn = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY).unwrap();
    conn.query_row("SELECT epoch FROM meta", [], |row| row.get(0)).unwrap()
}

#[tokio::test]
async fn a_new_file_is_private_and_complete() {
    let place = Place::new();
    let store = place.open();
    for name in ["state.db", "state.db.lock", "state.db-wal", "state.db-shm"] {
        let mode = fs::metadata(place.folder.path().join(name)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{name}");
    }
    let settings = |tx: &Connection| {
        let pragma = |name: &str| tx.pragma_query_value(None, name, |row| row.get::<_, i64>(0));
        let names = ["synchronous", "foreign_keys", "trusted_schema", "cell_size_check"];
        Ok((names.map(|name| pragma(name).unwrap()), pragma("busy_timeout")?))
    };
    let found = store.writer.write(move |tx| settings(tx)).await.unwrap();
    assert_eq!(found, ([2, 1, 0, 1], 5000));
    store.close().await.unwrap();
    assert!(!place.folder.path().join("state.db.new").exists());
}

#[tokio::test]
async fn stored_rows_are_there_after_a_restart() {
    let place = Place::new();
    closed(&place).await;
    let before = epoch(&place.path());
    let store = place.open();
    let due = store.view().due(START, 9).await.unwrap();
    assert_eq!(due[0].name, "one");
    let Began::Run(begun) = store.begin(due[0].id, LEASE, START).await.unwrap() else {
        panic!("it is due")
    };
    let done = finished(begun, vec![found(Subject::Candidate, passed())], START);
    let recorded = store.record(done, context()).await.unwrap();
    assert!(matches!(recorded, Recorded::Stored { transition: Some(_), .. }));
    store.close().await.unwrap();
    let view = View::open(&place.path()).unwrap();
    let row = view.integration("one").await.unwrap().unwrap();
    assert_eq!((row.status, row.sequence), (Status::Enabled, 0));
    assert_eq!(view.transitions(row.id, Page::first(9)).await.unwrap().rows.len(), 2);
    assert_eq!(view.runs(row.id, Page::first(9)).await.unwrap().rows.len(), 1);
    assert_eq!(view.next_delivery_at(vec!["a".to_owned()]).await.unwrap(), Some(START));
    assert_eq!(epoch(&place.path()), before, "the same database");
}

#[tokio::test]
async fn a_claim_finds_what_an_attempt_queued_before_it_makes_due() {
    let place = Place::new();
    let store = place.open();
    store.sync(vec![wanted("one")].into(), true, context()).await.unwrap();
    store
        .sync(vec![Wanted { disabled: true, ..wanted("one") }].into(), true, context())
        .await
        .unwrap();
    let permits = || BTreeMap::from([("a".to_owned(), 8)]);
    let first = store.claim(permits(), LEASE, START).await.unwrap();
    assert_eq!(first.len(), 1);
    let attempt = Attempt {
        delivery: first[0].id,
        token: first[0].token,
        started_at: START,
        duration: Duration::ZERO,
        result: AttemptResult::Answered { code: 204, hint: None },
        detail: String::new(),
        next: Next::Delivered,
        disable_after: Duration::MAX,
        awake: Duration::ZERO,
        is_trusted: true,
        kept_max: 100,
    };
    let recorded = store.record_attempt(attempt, context()).await.unwrap();
    let second = store.claim(permits(), LEASE, START).await.unwrap();
    assert_eq!(second.len(), 1);
    assert!(second[0].body.contains(r#""transition":2"#));
    recorded.await.unwrap();
}

#[tokio::test]
async fn a_kept_statement_is_planned_once_whatever_it_is_given() {
    let place = Place::new();
    let planned_anew = |tx: &Connection| {
        let mut claim = tx.prepare_cached(outbox::CLAIM)?;
        for number in 1..9 {
            let receiver = number.to_string();
            let params = named_params! {":receiver": receiver, ":now": number, ":permits": number};
            claim.query(params)?.next()?;
        }
        Ok(claim.get_status(StatementStatus::RePrepare))
    };
    assert_eq!(place.open().writer.write(move |tx| planned_anew(tx)).await.unwrap(), 0);
}

#[tokio::test]
async fn start_frees_the_leases_of_the_former_life_only() {
    let place = Place::new();
    closed(&place).await;
    let conn = Connection::open(place.path()).unwrap();
    checksum::register(&conn).unwrap();
    let lease = |owner: &str| {
        for table in ["integration", "delivery"] {
            let sql = format!(
                "UPDATE {table} SET lease_until_ms = 9e15, lease_token = 1, lease_owner = {owner}"
            );
            conn.execute(&sql, []).unwrap();
        }
        checksum::seal(&conn).unwrap();
    };
    let leased = async || {
        let store = place.open();
        let due = store.view().due(START, 9).await.unwrap().len();
        let permits = BTreeMap::from([("a".to_owned(), 1)]);
        let claimed = store.claim(permits, LEASE, START).await.unwrap().len();
        store.close().await.unwrap();
        (due, claimed)
    };
    lease("(SELECT incarnation FROM node)");
    assert_eq!(leased().await, (1, 1), "its former life has ended");
    lease("(SELECT incarnation + 1 FROM node)");
    assert_eq!(leased().await, (0, 0), "another node may live");
}

#[tokio::test]
async fn answered_write_outlives_the_process() {
    let (place, later) = (Place::new(), Place::new());
    let store = place.open();
    store.sync(vec![wanted("one")].into(), true, context()).await.unwrap();
    // What a process leaves behind that is killed now.
    for name in ["state.db", "state.db-wal"] {
        fs::copy(place.folder.path().join(name), later.folder.path().join(name)).unwrap();
    }
    let view = later.open().view();
    assert_eq!(view.integrations(Page::first(9)).await.unwrap().rows[0].status, Status::Creating);
}

#[tokio::test]
async fn a_second_daemon_is_refused_until_the_first_has_closed() {
    let place = Place::new();
    let first = place.open();
    let refused = Store::open(&place.path()).unwrap_err().to_string();
    let path = place.path().display().to_string();
    let expected = format!("{path}: in use by another daemon, which holds the lock {path}.lock");
    assert_eq!(refused, expected);
    first.close().await.unwrap();
    place.open().close().await.unwrap();
}

#[tokio::test]
async fn second_daemon_is_refused_by_whatever_name_it_reaches_the_file() {
    let place = Place::new();
    let store = place.open();
    let link = place.folder.path().join("link.db");
    std::os::unix::fs::symlink(place.path(), &link).unwrap();
    assert!(matches!(Store::open(&link), Err(StoreError::InUse { .. })), "symbolic link");
    fs::remove_file(place.folder.path().join("state.db.lock")).unwrap();
    assert!(matches!(Store::open(&place.path()), Err(StoreError::InUse { .. })), "no lock file");
    let other = tempfile::tempdir_in(place.folder.path()).unwrap();
    let hard = other.path().join("hard.db");
    fs::hard_link(place.path(), &hard).unwrap();
    assert!(matches!(Store::open(&hard), Err(StoreError::InUse { .. })), "hard link");
    assert!(
        Control::open(&hard, "anna").unwrap_err().to_string().contains("has 2 names (hard links)")
    );
    store.close().await.unwrap();
    let refused = Store::open(&place.path()).unwrap_err().to_string();
    assert!(refused.contains("has 2 names (hard links)"), "{refused}");
    fs::remove_file(&hard).unwrap();
    Store::open(&link).unwrap().close().await.unwrap();
    fs::remove_file(place.path()).unwrap();
    let refused = Store::open(&link).unwrap_err().to_string();
    assert!(refused.contains("is a link that leads to no file"), "{refused}");
}

#[tokio::test]
async fn database_is_in_use_while_a_daemon_has_it_open() {
    use super::super::place::is_in_use;
    let place = Place::new();
    assert_eq!(is_in_use(&place.path()), None);
    let store = place.open();
    assert_eq!(is_in_use(&place.path()), Some(true));
    store.close().await.unwrap();
    assert_eq!(is_in_use(&place.path()), Some(false));
}

#[tokio::test]
async fn replaced_log_is_noticed_and_ends_the_writing() {
    let place = Place::new();
    let store = place.open();
    store.check_files().unwrap();
    fs::remove_file(place.folder.path().join("state.db-wal")).unwrap();
    let noticed = store.check_files().unwrap_err();
    let why = std::error::Error::source(&noticed).unwrap().to_string();
    assert!(why.contains("state.db-wal was removed or replaced"), "{why}");
    store.sync(vec![wanted("one")].into(), false, context()).await.unwrap_err();
}

#[tokio::test]
async fn a_newer_file_is_refused_and_left_as_it_is() {
    let place = Place::new();
    closed(&place).await;
    Connection::open(place.path()).unwrap().pragma_update(None, "user_version", 99).unwrap();
    let newest = super::super::migrations::MIGRATIONS.last().unwrap().0;
    let expected = format!("database schema 99 is newer than {newest}");
    assert!(place.refusal().starts_with(&expected));
    let refused = Store::open(&place.path());
    assert!(matches!(refused, Err(StoreError::Newer { found: 99, known, .. }) if known == newest));
}

#[tokio::test]
async fn file_of_another_program_is_refused_and_left_as_it_is() {
    let place = Place::new();
    let path = place.path().display().to_string();
    fs::write(place.path(), "not a database, but long enough to have a header ".repeat(99))
        .unwrap();
    let damaged = "is not a database or is damaged, and was left as it is; restore a copy";
    assert_eq!(place.refusal(), format!("{path}: {damaged}"));
    fs::write(place.path(), "").unwrap();
    let empty = "is empty: restore a copy, or remove it to start anew";
    assert_eq!(place.refusal(), format!("{path}: {empty}"));
    fs::remove_file(place.path()).unwrap();
    let other = Connection::open(place.path()).unwrap();
    other.execute_batch("CREATE TABLE song (id); PRAGMA application_id = 7").unwrap();
    drop(other);
    assert_eq!(place.refusal(), format!("{path}: is a database of another program"));
}

#[tokio::test]
async fn a_missing_file_is_made_by_the_daemon_alone() {
    let place = Place::new();
    let path = place.path().display().to_string();
    let refused = View::open(&place.path()).unwrap_err().to_string();
    let expected = "there is no database here; the daemon creates it when it first starts";
    assert_eq!(refused, format!("{path}: {expected}"));
    assert!(!place.path().exists());
    fs::write(place.folder.path().join("state.db-wal"), "x").unwrap();
    let refused = Store::open(&place.path()).unwrap_err().to_string();
    assert!(refused.contains("is missing, but its log"), "{refused}");
    let nowhere = place.folder.path().join("no/state.db");
    let refused = Store::open(&nowhere).unwrap_err().to_string();
    assert!(refused.ends_with("there is no such folder; create it"));
    let file = place.folder.path().join("file");
    fs::write(&file, "").unwrap();
    let refused = Store::open(&file.join("sub/state.db")).unwrap_err().to_string();
    assert!(refused.contains("this folder may not be entered: Not a directory"), "{refused}");
}

#[tokio::test]
async fn a_draft_left_by_a_crash_is_replaced() {
    let place = Place::new();
    fs::write(place.folder.path().join("state.db.new"), "half").unwrap();
    closed(&place).await;
    let conn = Connection::open(place.path()).unwrap();
    let owner: i32 = conn.pragma_query_value(None, "application_id", |row| row.get(0)).unwrap();
    assert_eq!(owner, APPLICATION_ID);
}

#[tokio::test]
async fn a_reader_sees_what_the_writer_commits_and_cannot_write() {
    let place = Place::new();
    let store = place.open();
    let beside = View::open(&place.path()).unwrap();
    assert!(beside.integrations(Page::first(9)).await.unwrap().rows.is_empty());
    store.sync(vec![wanted("one")].into(), true, context()).await.unwrap();
    assert_eq!(beside.integrations(Page::first(9)).await.unwrap().rows.len(), 1);
    let write = |tx: &Connection| Ok(tx.execute("UPDATE meta SET epoch = 'x'", [])?);
    assert!(beside.readers.read(move |tx| write(tx)).await.is_err());
    store.close().await.unwrap();
    assert_eq!(beside.integrations(Page::first(9)).await.unwrap().rows.len(), 1);
}

#[tokio::test]
async fn a_file_without_its_log_is_read_as_unchanging() {
    let folder = tempfile::tempdir().unwrap();
    let place = Place { folder: tempfile::tempdir_in(folder.path()).unwrap() };
    closed(&place).await;
    let odd = place.folder.path().join("100%?#.db");
    fs::rename(place.path(), &odd).unwrap();
    let conn = read_only(&odd, true).unwrap();
    assert_eq!(integration::living(&conn, &Page::first(9)).unwrap().rows.len(), 1);
    assert!(!place.folder.path().join("100%?#.db-wal").exists());
}

#[tokio::test]
async fn nothing_is_answered_as_stored_in_a_file_that_was_removed_or_replaced() {
    let place = Place::new();
    let store = place.open();
    let sync = async || store.sync(vec![wanted("one")].into(), false, context()).await;
    sync().await.unwrap();
    let aside = place.folder.path().join("aside");
    fs::rename(place.path(), &aside).unwrap();
    let refused = sync().await.unwrap_err();
    let why = std::error::Error::source(&refused).unwrap().to_string();
    assert!(why.contains("state.db was removed or replaced while in use; put it back"), "{why}");
    fs::write(place.path(), "another").unwrap();
    sync().await.unwrap_err();
    fs::rename(&aside, place.path()).unwrap();
    sync().await.unwrap();
    store.close().await.unwrap();
}
