//! Backups: complete, verified and beside a daemon that goes on.

use std::fs::File;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::SystemTime;

use super::super::super::copy::Draft;
use super::*;
use crate::store::sqlite::make_backup;
use crate::store::sqlite::migrations::MIGRATIONS;
use crate::store::{Backup, Manner, NewBackup};

pub(super) const THOROUGH: Manner = Manner { is_compact: false, is_thorough: true };
const COMPACT: Manner = Manner { is_compact: true, is_thorough: true };

pub(super) fn new(to: PathBuf, manner: Manner) -> NewBackup {
    NewBackup { to, keep: 2, manner, now: START }
}

fn made(place: &Place, to: &Path, manner: Manner) -> Result<Backup, StoreError> {
    make_backup(&place.path(), &new(to.to_owned(), manner), &|| false)
}

pub(super) fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).unwrap();
    let mut names: Vec<_> =
        entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

#[tokio::test]
async fn backup_beside_a_daemon_has_all_that_was_committed() {
    let place = Place::new();
    let store = place.open();
    store.sync(vec![wanted("one")].into(), true, context()).await.unwrap();
    for (name, manner) in
        [("quick.db", Manner::default()), ("thorough.db", THOROUGH), ("compact.db", COMPACT)]
    {
        let to = place.folder.path().join(name);
        let found = made(&place, &to, manner).unwrap();
        assert_eq!((found.path.as_path(), found.bytes), (&*to, to.metadata().unwrap().len()));
        assert_eq!(to.metadata().unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(found.contents.epoch, epoch(&place.path()));
        assert_eq!((found.contents.schema, found.contents.rows["integration"]), (newest(), 1));
        assert!(found.contents.rows["integration"] < found.contents.total());
        let view = View::open(&to).unwrap();
        assert!(view.integration("one").await.unwrap().is_some(), "{name}");
    }
    store.sync(vec![wanted("one"), wanted("two")].into(), true, context()).await.unwrap();
    store.close().await.unwrap();
    let names = names(place.folder.path());
    assert!(!names.iter().any(|name| name.contains(".part")), "{names:?}");
}

fn newest() -> u32 {
    MIGRATIONS.last().unwrap().0
}

#[tokio::test]
async fn backup_is_written_over_no_file_and_needs_its_folder() {
    let place = Place::new();
    closed(&place).await;
    let to = place.folder.path().join("backup.db");
    fs::write(&to, "precious").unwrap();
    let refused = made(&place, &to, THOROUGH).unwrap_err().to_string();
    assert!(refused.ends_with("exists already; a backup is written over no file"), "{refused}");
    assert_eq!(fs::read(&to).unwrap(), b"precious");
    let draft = Draft::new(place.folder.path()).unwrap();
    let refused = draft.publish(&to).unwrap_err().to_string();
    assert!(refused.ends_with("exists already, and is left as it is"), "{refused}");
    assert_eq!(fs::read(&to).unwrap(), b"precious");
    let refused = made(&place, &place.path(), THOROUGH).unwrap_err().to_string();
    assert!(refused.contains("exists already"), "{refused}");
    for (to, expected) in [("none/backup.db", "create it"), ("none/", "create it")] {
        let refused = made(&place, &place.folder.path().join(to), THOROUGH).unwrap_err();
        assert!(refused.to_string().ends_with(expected), "{refused}");
    }
    let nowhere = Place::new();
    let refused = made(&nowhere, &nowhere.folder.path().join("b.db"), THOROUGH).unwrap_err();
    assert!(refused.to_string().contains("there is no database here"), "{refused}");
    assert!(names(nowhere.folder.path()).is_empty());
}

#[tokio::test]
async fn folder_keeps_the_newest_backups() {
    let place = Place::new();
    closed(&place).await;
    let folder = tempfile::tempdir().unwrap();
    let short = epoch(&place.path())[..8].to_owned();
    let named = |minutes: u32| format!("state-20261123T10{minutes:02}00Z-{short}.db");
    for minutes in 0..4 {
        let now = START.plus(Duration::from_mins(u64::from(minutes)));
        let order = NewBackup { now, ..new(folder.path().to_owned(), Manner::default()) };
        let made = make_backup(&place.path(), &order, &|| false).unwrap();
        assert_eq!(made.path, folder.path().join(named(minutes)));
        let removed = minutes.checked_sub(2).map(|old| folder.path().join(named(old)));
        assert_eq!(made.removed, Vec::from_iter(removed));
    }
    assert_eq!(names(folder.path()), [named(2), named(3)]);
}

#[tokio::test]
async fn backup_under_constant_writes_is_one_state_and_keeps_no_writer_waiting() {
    let place = Place::new();
    let store = place.open();
    let fill = |tx: &Connection| -> Result<(), StoreError> {
        tx.execute_batch(
            "CREATE TABLE one (id INTEGER PRIMARY KEY, text TEXT);
             CREATE TABLE other (id INTEGER PRIMARY KEY, text TEXT);
             WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 4000)
             INSERT INTO one (text) SELECT hex(randomblob(500)) FROM n;
             INSERT INTO other (text) SELECT text FROM one;",
        )?;
        Ok(())
    };
    store.writer.write(fill).await.unwrap();
    let both = |tx: &Connection| -> Result<(), StoreError> {
        tx.execute_batch(
            "INSERT INTO one (text) VALUES ('x'); INSERT INTO other (text) VALUES ('x');",
        )?;
        Ok(())
    };
    let is_over = std::sync::Arc::new(AtomicBool::new(false));
    let (path, to) = (place.path(), place.folder.path().join("backup.db"));
    let over = std::sync::Arc::clone(&is_over);
    let copying = tokio::task::spawn_blocking(move || {
        let made = make_backup(&path, &new(to, THOROUGH), &|| false);
        over.store(true, Ordering::SeqCst);
        made
    });
    let mut writes = 0;
    while !is_over.load(Ordering::SeqCst) {
        store.writer.write(both).await.unwrap();
        writes += 1;
    }
    let rows = copying.await.unwrap().unwrap().contents.rows;
    assert!(1 < writes, "nothing was written meanwhile");
    assert_eq!(rows["one"], rows["other"], "both tables are of one instant");
    assert!((4000..4000 + writes).contains(&rows["one"]), "{rows:?} after {writes}");
    store.close().await.unwrap();
}

#[tokio::test]
async fn damaged_database_gives_no_backup() {
    let place = Place::new();
    closed(&place).await;
    let sound = fs::read(place.path()).unwrap();
    let to = place.folder.path().join("backup.db");
    let mut refused = 0;
    for page in (1..sound.len() / 4096).step_by(3) {
        let mut bytes = sound.clone();
        // The beginning of a page has its type and the number of its cells.
        bytes[page * 4096..page * 4096 + 12].fill(0x55);
        fs::write(place.path(), &bytes).unwrap();
        match made(&place, &to, THOROUGH) {
            Ok(_) => fs::remove_file(&to).unwrap(),
            Err(error) => {
                assert!(error.is_damage(), "{error:?}");
                assert!(!to.exists());
                refused += 1;
            }
        }
        assert_eq!(fs::read(place.path()).unwrap(), bytes, "the file is left as it is");
    }
    assert!(5 < refused, "{refused}");
    assert!(!names(place.folder.path()).iter().any(|name| name.contains(".part")));
}

#[tokio::test]
async fn stopped_backup_leaves_no_draft() {
    let place = Place::new();
    closed(&place).await;
    let asked = AtomicU32::new(0);
    let is_stopped = || 0 < asked.fetch_add(1, Ordering::SeqCst);
    let to = place.folder.path().join("backup.db");
    let before = names(place.folder.path());
    let order = new(to, Manner::default());
    // A small database is copied in one step, so that the first look is the last.
    let stopped = make_backup(&place.path(), &order, &|| is_stopped() || is_stopped());
    assert!(matches!(stopped, Err(StoreError::Stopped)), "{stopped:?}");
    assert_eq!(names(place.folder.path()), before);
}

#[test]
fn leftovers_of_killed_processes_are_deleted() {
    let folder = tempfile::tempdir().unwrap();
    let age = |name: &str, minutes| {
        let file = File::create(folder.path().join(name)).unwrap();
        let at = SystemTime::UNIX_EPOCH + Duration::from_mins(minutes);
        if 0 < minutes {
            file.set_modified(at).unwrap();
        }
        file
    };
    drop(age(".revalidated-0123.part", 9));
    drop(age("mine.part", 9));
    let locked = age(".revalidated-4567.part", 9);
    locked.lock().unwrap();
    drop(age(".revalidated-89ab.part", 0));
    drop(Draft::new(folder.path()).unwrap());
    let expected = [".revalidated-4567.part", ".revalidated-89ab.part", "mine.part"];
    assert_eq!(names(folder.path()), expected);
}

#[test]
fn database_of_an_older_version_is_copied_as_it_is() {
    let place = Place::new();
    let conn = Connection::open(place.path()).unwrap();
    conn.execute_batch(MIGRATIONS[0].1).unwrap();
    conn.execute("INSERT INTO meta (one, epoch) VALUES (1, 'old')", []).unwrap();
    conn.pragma_update(None, "user_version", 1).unwrap();
    let to = place.folder.path().join("backup.db");
    let error = made(&place, &to, THOROUGH).unwrap_err().to_string();
    assert!(error.contains("a database of another program"), "{error}");
    conn.pragma_update(None, "application_id", APPLICATION_ID).unwrap();
    let contents = made(&place, &to, THOROUGH).unwrap().contents;
    assert_eq!((contents.schema, contents.epoch.as_str()), (1, "old"));
    conn.pragma_update(None, "user_version", newest() + 1).unwrap();
    let error = made(&place, &to.with_extension("new"), THOROUGH).unwrap_err();
    assert!(matches!(error, StoreError::Newer { .. }), "{error:?}");
}
