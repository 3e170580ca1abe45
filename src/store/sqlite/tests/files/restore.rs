//! Restores: a backup in place of the database, with a new epoch.

use super::backup::{THOROUGH, names, new};
use super::*;
use crate::store::sqlite::migrations::MIGRATIONS;
use crate::store::sqlite::{Restore, make_backup};
use crate::store::{AuditFilter, NewBackup};

/// Makes a backup of the database, with a message that is pending in it.
async fn backed_up(place: &Place) -> PathBuf {
    let store = place.open();
    store.sync(vec![wanted("one")].into(), true, context()).await.unwrap();
    let to = place.folder.path().join("backup.db");
    let order = NewBackup { now: START, ..new(to.clone(), THOROUGH) };
    make_backup(&place.path(), &order, &|| false).unwrap();
    store.close().await.unwrap();
    to
}

async fn claimed(store: &Store) -> Vec<PendingDelivery> {
    store.claim(BTreeMap::from([("a".to_owned(), 8)]), LEASE, START).await.unwrap()
}

#[tokio::test]
async fn restored_database_sends_what_was_pending_and_has_a_new_epoch() {
    let place = Place::new();
    let from = backed_up(&place).await;
    let store = place.open();
    let sent = claimed(&store).await;
    assert_eq!(sent.len(), 1);
    store.sync(vec![wanted("one"), wanted("two")].into(), true, context()).await.unwrap();
    store.close().await.unwrap();
    let (former, bytes) = (epoch(&place.path()), fs::read(place.path()).unwrap());

    let restore = Restore::prepare(&place.path(), &from, "anna", START).unwrap();
    let plan = restore.plan().clone();
    assert_eq!(plan.pending, [("a".to_owned(), 1)]);
    assert_eq!((plan.contents.epoch.as_str(), plan.contents.rows["integration"]), (&*former, 1));
    assert_ne!(plan.epoch, former);
    assert_eq!(plan.latest_at, Some(START));
    assert_eq!(fs::read(place.path()).unwrap(), bytes, "nothing has been changed");
    assert_eq!(restore.apply().unwrap(), plan);

    let aside = place.folder.path().join("state.db.before-restore-20261123T100000Z");
    assert_eq!(plan.aside.as_deref(), Some(&*aside));
    assert_eq!(fs::read(&aside).unwrap(), bytes, "the former one is kept as it was");
    let mode = fs::metadata(place.path()).unwrap().permissions().mode();
    assert_eq!((epoch(&place.path()), mode & 0o777), (plan.epoch, 0o600));
    let store = place.open();
    let view = store.view();
    assert!(view.integration("two").await.unwrap().is_none());
    let again = claimed(&store).await;
    assert_eq!(again[0].event_id, sent[0].event_id, "under its old id");
    let trail = view.audit(AuditFilter::default(), Page::first(9)).await.unwrap().rows;
    assert_eq!((trail[0].act.as_str(), trail[0].author.as_str()), ("restore", "anna"));
    store.close().await.unwrap();
    let leftovers = names(place.folder.path());
    assert!(!leftovers.iter().any(|name| name.contains("restoring")), "{leftovers:?}");
}

#[tokio::test]
async fn restore_is_refused_while_a_daemon_runs_and_keeps_daemons_out() {
    let place = Place::new();
    let from = backed_up(&place).await;
    let prepare = || Restore::prepare(&place.path(), &from, "anna", START);
    let store = place.open();
    let refused = prepare().unwrap_err();
    assert!(matches!(refused, StoreError::InUse { .. }), "{refused:?}");
    assert!(refused.to_string().ends_with("stop it first (systemctl stop revalidated)"));
    let running = Restore::prepare(&from, &place.path(), "anna", START).unwrap_err().to_string();
    assert!(running.contains("make a backup of it first"), "{running}");
    store.close().await.unwrap();
    let restore = prepare().unwrap();
    assert!(matches!(Store::open(&place.path()), Err(StoreError::InUse { .. })));
    drop(restore);
    place.open().close().await.unwrap();
}

#[tokio::test]
async fn unsound_backup_changes_nothing() {
    let place = Place::new();
    let from = backed_up(&place).await;
    let before = fs::read(place.path()).unwrap();
    let sound = fs::read(&from).unwrap();
    let mut damaged = sound.clone();
    damaged[4096 * 3..4096 * 3 + 12].fill(0x55);
    let table: [(&[u8], &str); 4] = [
        (&damaged, "damaged"),
        (&sound[..sound.len() / 2], "damaged"),
        (b"", "is empty"),
        (b"no database at all, but long enough to be looked at by the engine", "is not a database"),
    ];
    for (content, expected) in table {
        fs::write(&from, content).unwrap();
        let refused = Restore::prepare(&place.path(), &from, "anna", START).unwrap_err();
        assert!(refused.to_string().contains(expected), "{refused}");
        assert!(refused.is_damage(), "{refused:?}");
        assert_eq!(fs::read(place.path()).unwrap(), before);
        let files = names(place.folder.path());
        assert!(!files.iter().any(|name| name.contains("restor")), "{files:?}");
    }
    let none = place.folder.path().join("none.db");
    let refused = Restore::prepare(&place.path(), &none, "anna", START).unwrap_err().to_string();
    assert!(refused.contains("there is no database here"), "{refused}");
}

#[tokio::test]
async fn damaged_database_is_set_aside_with_its_log() {
    let place = Place::new();
    let from = backed_up(&place).await;
    let parts = [("state.db", "broken"), ("state.db-wal", "log"), ("state.db-shm", "index")];
    for (name, content) in parts {
        fs::write(place.folder.path().join(name), content).unwrap();
    }
    Restore::prepare(&place.path(), &from, "anna", START).unwrap().apply().unwrap();
    for (part, content) in [("", "broken"), ("-wal", "log"), ("-shm", "index")] {
        let name = format!("state.db.before-restore-20261123T100000Z{part}");
        assert_eq!(fs::read_to_string(place.folder.path().join(name)).unwrap(), content);
    }
    let again = Restore::prepare(&place.path(), &from, "anna", START).unwrap();
    let refused = again.apply().unwrap_err().to_string();
    assert!(refused.contains("exists already"), "in the same second: {refused}");
    place.open().close().await.unwrap();
}

#[tokio::test]
async fn restore_needs_no_database_and_migrates_an_older_backup() {
    let place = Place::new();
    let from = place.folder.path().join("backup.db");
    let conn = Connection::open(&from).unwrap();
    conn.execute_batch(MIGRATIONS[0].1).unwrap();
    conn.execute("INSERT INTO meta (one, epoch) VALUES (1, 'old')", []).unwrap();
    conn.pragma_update(None, "application_id", APPLICATION_ID).unwrap();
    conn.pragma_update(None, "user_version", 1).unwrap();
    drop(conn);
    let plan = Restore::prepare(&place.path(), &from, "anna", START).unwrap().apply().unwrap();
    assert_eq!((plan.aside, plan.contents.schema, plan.latest_at), (None, 1, None));
    let view = View::open(&place.path()).unwrap();
    assert_eq!(view.events(0, 9).await.unwrap().epoch, plan.epoch);
}

#[tokio::test]
async fn start_refuses_an_interrupted_restore_until_it_is_repeated() {
    let place = Place::new();
    let from = backed_up(&place).await;
    fs::rename(place.path(), place.folder.path().join("state.db.before-restore-x")).unwrap();
    // A process that is killed does not delete its draft.
    fs::write(place.folder.path().join("state.db.restoring"), "").unwrap();
    let refused = Store::open(&place.path()).unwrap_err();
    assert!(refused.to_string().contains("run `revalidated restore` again"), "{refused}");
    assert!(refused.is_damage() && !place.path().exists());
    Restore::prepare(&place.path(), &from, "anna", START).unwrap().apply().unwrap();
    place.open().close().await.unwrap();
}
