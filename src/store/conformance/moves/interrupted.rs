//! Moves that end at any step: one of both is the store, and the same command ends the move.

use std::path::Path;
use std::time::Duration;

use super::{AT, back, dump, file, folder, moved, refusal};
use crate::store::conformance::server::Database;
use crate::store::forms::tables::TABLES;
use crate::store::postgres::{Arriving, Committed, Departing, Departure, host_name};
use crate::store::sqlite::{MovedMark, Source, Target};
use crate::store::{Store, View};

/// Carries everything up to the mark of the file; returns both ends with the token.
async fn until_marked(path: &Path, database: &Database) -> (Source, Arriving, String) {
    let (mut source, token) = (Source::open(path).unwrap(), "0123456789abcdef".to_owned());
    let arriving = Arriving::begin(&database.address()).await.unwrap();
    source.begin().unwrap();
    for table in TABLES {
        let mut reading = source.reading(table).unwrap();
        let mut batches = reading.batches().unwrap();
        loop {
            let rows = batches.next().unwrap();
            if rows.is_empty() {
                break;
            }
            arriving.put(table, &rows).await.unwrap();
        }
    }
    arriving.finish(&source.numbers().unwrap(), &token).await.unwrap();
    let to = database.address().to_string();
    let mark = MovedMark { token: token.clone(), to, at: AT, is_done: false };
    source.set_mark(mark).unwrap();
    (source, arriving, token)
}

#[tokio::test]
async fn move_that_ends_before_its_commit_leaves_the_file_as_the_store() {
    let ((_folder, path, _now), database) = (file().await, Database::create());
    let (source, arriving, _token) = until_marked(&path, &database).await;
    drop((source, arriving));
    let refused = refusal(&path.clone().into()).await;
    let address = database.address().to_string();
    let expected = format!(
        "{}: a move of this database to {address} was interrupted on {AT}: call `revalidated store move --to {address}` \
         again, which finds out which of both is the store",
        path.display()
    );
    assert_eq!(refused, expected);
    let other = Database::create();
    assert_eq!(moved(&path, &other).await.unwrap_err().to_string(), expected);
    let done = moved(&path, &database).await.unwrap();
    assert!(!done.is_resumed && 0 < done.total());
    drop(Store::open(&database.location()).await.unwrap());
}

#[tokio::test]
async fn move_that_ends_after_its_commit_is_ended_by_the_same_command() {
    let ((_folder, path, _now), database) = (file().await, Database::create());
    let before = dump(&path);
    let (source, arriving, token) = until_marked(&path, &database).await;
    assert_eq!(arriving.commit(&token).await.unwrap(), Committed::Yes);
    drop(source);
    drop(Store::open(&database.location()).await.unwrap());
    let done = moved(&path, &database).await.unwrap();
    assert!(done.is_resumed);
    let refused = moved(&path, &database).await.unwrap_err().to_string();
    assert!(refused.contains("this database was moved to postgres://"), "{refused}");
    tokio::time::sleep(Duration::from_millis(10)).await;
    assert!(!before["run"].is_empty());
}

#[tokio::test]
async fn commit_that_is_under_way_is_waited_for() {
    let ((_folder, path, _now), database) = (file().await, Database::create());
    let (source, arriving, token) = until_marked(&path, &database).await;
    drop(source);
    let committed = async {
        tokio::time::sleep(Duration::from_millis(500)).await;
        arriving.commit(&token).await.unwrap()
    };
    let (committed, done) = tokio::join!(committed, moved(&path, &database));
    assert_eq!((committed, done.unwrap().is_resumed), (Committed::Yes, true));
}

/// Carries everything into a new file, up to the commit; returns what has to be committed.
async fn until_complete(database: &Database, path: &Path) -> (Departing, Target, Departure) {
    let target = Target::open(path).unwrap();
    let departing = Departing::begin(&database.address()).await.unwrap();
    let writing = target.begin().unwrap();
    for table in TABLES {
        departing.open(table).await.unwrap();
        loop {
            let rows = departing.next(table).await.unwrap();
            if rows.is_empty() {
                break;
            }
            writing.put(table, &rows).unwrap();
        }
    }
    let token = "fedcba9876543210".to_owned();
    writing.finish(&target, &token, &departing.numbers().await.unwrap()).unwrap();
    let (to, machine) = (target.path().display().to_string(), host_name());
    (departing, target, Departure { token, to, machine, at: AT })
}

#[tokio::test]
async fn move_back_that_is_interrupted_is_ended_by_the_same_command() {
    for is_committed in [false, true] {
        let ((folder, path, _now), database) = (file().await, Database::create());
        moved(&path, &database).await.unwrap();
        let new = folder.path().canonicalize().unwrap().join("new.db");
        let (departing, target, departure) = until_complete(&database, &new).await;
        if is_committed {
            assert_eq!(departing.commit(&departure).await.unwrap(), Committed::Yes);
        } else {
            drop(departing);
        }
        drop(target);
        // Only where everything is opens; the daemon begins no empty database in the place of the new file.
        let refused = Store::open(&new.clone().into()).await.unwrap_err().to_string();
        assert!(
            refused.contains("new.db: is missing, since a move to it was interrupted"),
            "{refused}"
        );
        assert_eq!(View::open(&database.location()).await.is_ok(), !is_committed);
        let elsewhere = folder.path().join("elsewhere.db");
        if is_committed {
            let refused = back(&database, &elsewhere).await.unwrap_err().to_string();
            assert!(refused.contains("this database was moved to "), "{refused}");
        }
        let done = back(&database, &new).await.unwrap();
        assert_eq!(done.is_resumed, is_committed);
        drop(Store::open(&new.clone().into()).await.unwrap());
        assert!(View::open(&database.location()).await.is_err());
        let names = std::fs::read_dir(folder.path()).unwrap().flatten();
        let left = names.filter(|one| one.file_name().to_string_lossy().contains(".moving"));
        assert_eq!(left.count(), 0);
    }
}

#[tokio::test]
async fn node_that_was_cut_off_meanwhile_finds_that_the_database_was_left() {
    let (database, (_folder, path)) = (Database::create(), folder());
    let store = Store::open(&database.location()).await.unwrap();
    database.administer("UPDATE revalidated.node SET beat_at_ms = beat_at_ms - 30000");
    back(&database, &path).await.unwrap();
    let refused = store.beat().await.unwrap_err().to_string();
    assert!(refused.contains("this database was moved to "), "{refused}");
}
