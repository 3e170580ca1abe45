//! Databases of older and newer versions, and those that a crash left behind.

use super::backup::names;
use super::*;
use crate::store::sqlite::checksum::{put_on, register};
use crate::store::sqlite::migrations::MIGRATIONS;
use crate::store::sqlite::tests::migration::version_1;
use crate::store::{DeliveryFilter, NodeNote, ProcessId, migration_copies, problems};

/// Databases that daemons made, with runs, status changes, events and deliveries, by their versions. One is added in the change
/// after the one that makes a new version, by its daemon.
const STORES: [(u32, &str); 21] = [
    (1, include_str!("../../../../../tests/stores/v1.sql")),
    (2, include_str!("../../../../../tests/stores/v2.sql")),
    (3, include_str!("../../../../../tests/stores/v3.sql")),
    (4, include_str!("../../../../../tests/stores/v4.sql")),
    (5, include_str!("../../../../../tests/stores/v5.sql")),
    (6, include_str!("../../../../../tests/stores/v6.sql")),
    (7, include_str!("../../../../../tests/stores/v7.sql")),
    (8, include_str!("../../../../../tests/stores/v8.sql")),
    (9, include_str!("../../../../../tests/stores/v9.sql")),
    (10, include_str!("../../../../../tests/stores/v10.sql")),
    (11, include_str!("../../../../../tests/stores/v11.sql")),
    (12, include_str!("../../../../../tests/stores/v12.sql")),
    (13, include_str!("../../../../../tests/stores/v13.sql")),
    (14, include_str!("../../../../../tests/stores/v14.sql")),
    (15, include_str!("../../../../../tests/stores/v15.sql")),
    (16, include_str!("../../../../../tests/stores/v16.sql")),
    (17, include_str!("../../../../../tests/stores/v17.sql")),
    (18, include_str!("../../../../../tests/stores/v18.sql")),
    (19, include_str!("../../../../../tests/stores/v19.sql")),
    (20, include_str!("../../../../../tests/stores/v20.sql")),
    (21, include_str!("../../../../../tests/stores/v21.sql")),
];

/// Makes a database as version `version` left it.
pub(super) fn old(place: &Place, version: u32) {
    let conn = Connection::open(place.path()).unwrap();
    for (_, sql) in MIGRATIONS.iter().take_while(|(number, _)| *number <= version) {
        conn.execute_batch(sql).unwrap();
    }
    if version == MIGRATIONS.last().unwrap().0 {
        register(&conn).unwrap();
        put_on(&conn).unwrap();
    }
    conn.execute("INSERT OR IGNORE INTO meta (one, epoch) VALUES (1, 'old')", []).unwrap();
    conn.pragma_update(None, "application_id", APPLICATION_ID).unwrap();
    conn.pragma_update(None, "user_version", version).unwrap();
}

fn copies(place: &Place) -> Vec<u32> {
    migration_copies(&place.path()).iter().map(|copy| copy.version).collect()
}

#[tokio::test]
async fn older_database_is_copied_before_it_is_migrated() {
    let newest = MIGRATIONS.last().unwrap().0;
    let place = Place::new();
    old(&place, newest - 1);
    place.open().close().await.unwrap();
    assert_eq!(copies(&place), [newest - 1]);
    let copy = &migration_copies(&place.path())[0].path;
    let conn = Connection::open_with_flags(copy, OpenFlags::SQLITE_OPEN_READ_ONLY).unwrap();
    let version: u32 = conn.pragma_query_value(None, "user_version", |row| row.get(0)).unwrap();
    assert_eq!((version, epoch(copy).as_str()), (newest - 1, "old"));
    assert_eq!(fs::metadata(copy).unwrap().permissions().mode() & 0o777, 0o600);
    place.open().close().await.unwrap();
    assert_eq!(copies(&place).len(), 1, "there is nothing to migrate any more");
}

#[tokio::test]
async fn two_copies_stay_and_none_is_made_when_that_is_asked_for() {
    let place = Place::new();
    for (version, day) in [(3, 1), (4, 2), (5, 3)] {
        let name = format!("state.db.v{version}-2026010{day}T000000Z");
        fs::write(place.folder.path().join(name), "").unwrap();
    }
    fs::write(place.folder.path().join("state.db.v6-later"), "").unwrap();
    old(&place, 6);
    Store::open_without_copy(&place.path()).unwrap().close().await.unwrap();
    assert_eq!(copies(&place), [5, 4, 3]);
    fs::remove_file(place.path()).unwrap();
    old(&place, 6);
    place.open().close().await.unwrap();
    assert_eq!(copies(&place), [6, 5]);
    assert!(names(place.folder.path()).contains(&"state.db.v6-later".to_owned()));
}

#[tokio::test]
async fn damaged_database_is_not_migrated() {
    let place = Place::new();
    old(&place, 6);
    let mut bytes = fs::read(place.path()).unwrap();
    bytes[4096 * 3..4096 * 3 + 12].fill(0x55);
    fs::write(place.path(), &bytes).unwrap();
    let refused = Store::open(&place.path()).unwrap_err();
    assert!(refused.is_damage(), "{refused:?}");
    assert_eq!(fs::read(place.path()).unwrap(), bytes, "it is left as it is");
    assert!(copies(&place).is_empty());
}

#[tokio::test]
async fn downgrade_is_refused_with_both_versions_and_the_copy_to_restore() {
    let place = Place::new();
    closed(&place).await;
    let newest = MIGRATIONS.last().unwrap().0;
    Connection::open(place.path()).unwrap().pragma_update(None, "user_version", 99).unwrap();
    let refused = place.refusal();
    let begin = format!(
        "database schema 99 is newer than {newest}, the newest this version knows; install"
    );
    assert!(refused.starts_with(&begin) && refused.ends_with("restore a backup"), "{refused}");
    for name in
        [format!("state.db.v{newest}-20260102T000000Z"), "state.db.v98-20260103T000000Z".to_owned()]
    {
        fs::write(place.folder.path().join(name), "").unwrap();
    }
    let refused = place.refusal();
    let end = format!("state.db.v{newest}-20260102T000000Z");
    assert!(refused.contains("revalidated restore ") && refused.ends_with(&end), "{refused}");
}

#[tokio::test]
async fn database_is_verified_at_the_start_after_a_crash_alone() {
    let place = Place::new();
    let process = ProcessId { pid: 7, born: 1 };
    let store = place.open();
    assert!(!store.was_verified(), "it is new");
    store.note(NodeNote::Started(process, START)).await.unwrap();
    store.close().await.unwrap();
    let store = place.open();
    assert!(store.was_verified(), "no note says that the daemon stopped");
    store.note(NodeNote::Stopped(START)).await.unwrap();
    store.close().await.unwrap();
    let store = place.open();
    assert!(!store.was_verified());
    store.note(NodeNote::Started(process, START)).await.unwrap();
    store.close().await.unwrap();
    let sound = fs::read(place.path()).unwrap();
    let mut refusals = 0;
    for page in (1..sound.len() / 4096).step_by(3) {
        let mut bytes = sound.clone();
        bytes[page * 4096..page * 4096 + 12].fill(0x55);
        fs::write(place.path(), &bytes).unwrap();
        if let Err(refused) = Store::open(&place.path()) {
            assert!(refused.is_damage(), "{refused:?}");
            assert_eq!(fs::read(place.path()).unwrap(), bytes, "it is left as it is");
            refusals += 1;
        }
    }
    assert!(5 < refusals, "{refusals}");
}

/// Lines of the tables that a migration keeps as they are.
fn kept(path: &Path) -> Vec<String> {
    const SQL: [&str; 4] = [
        "SELECT 'integration', id, name, status FROM integration ORDER BY id",
        "SELECT 'transition', integration_id, from_status, to_status FROM transition ORDER BY id",
        "SELECT 'event', id, type, sequence FROM event ORDER BY id",
        "SELECT 'delivery', event_id, receiver, state FROM delivery ORDER BY id",
    ];
    let conn = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY).unwrap();
    let mut lines = Vec::new();
    for sql in SQL {
        let mut statement = conn.prepare(sql).unwrap();
        let mut rows = statement.query([]).unwrap();
        while let Some(row) = rows.next().unwrap() {
            let cells = (0..4).map(|cell| format!("{:?}", row.get_ref(cell).unwrap()));
            lines.push(cells.collect::<Vec<_>>().join(" "));
        }
    }
    lines
}

/// Opens the database as the daemon does and checks that all its content is there.
async fn upgraded(place: &Place, version: u32) {
    let before = kept(&place.path());
    let store = place.open();
    let view = store.view();
    let names = before.iter().filter(|line| line.starts_with("Text([105, 110, 116")).count();
    assert!(0 < names, "{before:?}");
    let rows = view.integrations(Page::first(99)).await.unwrap().rows;
    assert!(!rows.is_empty() && rows.len() <= names, "{version}: {rows:?}");
    for row in rows {
        view.history(row.id, Page::first(9)).await.unwrap();
    }
    assert!(!view.events(0, 99).await.unwrap().rows.is_empty());
    view.deliveries(DeliveryFilter::default(), Page::first(99)).await.unwrap();
    store.close().await.unwrap();
    assert_eq!(kept(&place.path()), before, "{version}");
    assert_eq!(problems(&place.path(), true).unwrap(), [""; 0], "{version}");
    check_migrated(&Connection::open(place.path()).unwrap());
    assert_eq!(copies(place), [version]);
    assert_eq!(kept(&migration_copies(&place.path())[0].path), before, "{version}");
}

#[tokio::test]
async fn databases_of_earlier_daemons_are_migrated_with_their_content() {
    let newest = MIGRATIONS.last().unwrap().0;
    let versions: Vec<_> = STORES.iter().map(|(version, _)| *version).collect();
    let last = versions[versions.len() - 1];
    assert!(versions.iter().copied().eq(1..=last) && newest - 1 <= last, "{versions:?}");
    for (version, sql) in STORES.into_iter().filter(|(version, _)| *version < newest) {
        let place = Place::new();
        Connection::open(place.path()).unwrap().execute_batch(sql).unwrap();
        upgraded(&place, version).await;
    }
}

#[tokio::test]
async fn database_of_every_version_since_the_first_is_migrated_with_its_content() {
    for (version, _) in &MIGRATIONS[..MIGRATIONS.len() - 1] {
        let place = Place::new();
        let conn = version_1();
        conn.pragma_update(None, "foreign_keys", false).unwrap();
        for (_, sql) in MIGRATIONS.iter().skip(1).take_while(|(number, _)| number <= version) {
            conn.execute_batch(sql).unwrap();
        }
        conn.pragma_update(None, "user_version", version).unwrap();
        conn.pragma_update(None, "application_id", APPLICATION_ID).unwrap();
        conn.execute("VACUUM INTO ?1", [place.path().to_str().unwrap()]).unwrap();
        upgraded(&place, *version).await;
    }
}
