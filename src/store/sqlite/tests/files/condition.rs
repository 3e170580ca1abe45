//! Condition and compaction of a database, beside the daemon and without it.

use super::*;
use crate::store::sqlite::checksum::{register, seal};
use crate::store::sqlite::migrations::MIGRATIONS;
use crate::store::sqlite::{compact, examine};

async fn filled(place: &Place) -> Store {
    let store = place.open();
    let names: Vec<_> = (0..60).map(|number| wanted(&format!("n{number}"))).collect();
    store.sync(names.into(), true, context()).await.unwrap();
    store
}

#[tokio::test]
async fn sound_database_shows_its_tables_beside_the_daemon() {
    let place = Place::new();
    let store = filled(&place).await;
    for is_full in [false, true] {
        let found = examine(&place.path(), is_full).unwrap();
        assert!(found.is_sound(), "{found:?}");
        assert_eq!(found.contents.unwrap().rows["integration"], 60);
        assert!(found.tables.iter().any(|table| table.name == "event" && 4096 <= table.bytes));
        assert!(found.tables.is_sorted_by(|one, other| other.bytes <= one.bytes));
        assert!(0 < found.space.log_bytes && 0 < found.space.bytes);
        assert_eq!(found.oldest_at, Some(START));
    }
    store.close().await.unwrap();
}

/// The page of an index of a part that has no rows, replaced by that of another index or table.
#[tokio::test]
async fn wrong_page_of_a_partial_index_is_found() {
    let place = Place::new();
    filled(&place).await.close().await.unwrap();
    let sound = fs::read(place.path()).unwrap();
    let conn = Connection::open(place.path()).unwrap();
    let page_of = |name: &str| {
        let sql = "SELECT rootpage FROM sqlite_schema WHERE name = ?1";
        let number: u32 = conn.query_row(sql, [name], |row| row.get(0)).unwrap();
        let number = usize::try_from(number).unwrap();
        (number - 1) * 4096..number * 4096
    };
    for source in ["integration_name", "integration_due", "silence", "meta"] {
        for index in ["integration_suspect", "delivery_due", "outage_open"] {
            let mut damaged = sound.clone();
            damaged[page_of(index)].copy_from_slice(&sound[page_of(source)]);
            fs::write(place.path(), &damaged).unwrap();
            let is_same = sound == damaged;
            assert_eq!(
                examine(&place.path(), true).unwrap().is_sound(),
                is_same,
                "{source} {index}"
            );
        }
    }
}

#[tokio::test]
async fn rules_that_rows_break_are_named_with_their_number() {
    let place = Place::new();
    filled(&place).await.close().await.unwrap();
    let conn = Connection::open(place.path()).unwrap();
    register(&conn).unwrap();
    let table = [
        (
            "UPDATE delivery SET due_at_ms = NULL WHERE id IN (SELECT id FROM delivery LIMIT 2)",
            "of the pending deliveries of one queue, the first and only it is due",
            2,
        ),
        (
            "UPDATE integration SET next_run_at_ms = NULL WHERE id = 3",
            "integrations that are validated are due some time, and no others are",
            1,
        ),
        (
            "INSERT INTO event (id, integration_id, sequence, type, created_at_ms, body)
             SELECT 'evt_x', integration_id, sequence + 2, type, created_at_ms, body FROM event
             WHERE integration_id = 4 LIMIT 1",
            "events of an integration are numbered without gaps",
            1,
        ),
    ];
    for (sql, rule, rows) in table {
        conn.execute(sql, []).unwrap();
        seal(&conn).unwrap();
        let found = examine(&place.path(), false).unwrap();
        let broken = found.broken.iter().find(|one| one.rule == rule).map_or(0, |one| one.rows);
        assert_eq!(broken, rows, "{rule}: {found:?}");
    }
    conn.execute_batch("PRAGMA foreign_keys = OFF; DELETE FROM event WHERE number = 1").unwrap();
    let found = examine(&place.path(), false).unwrap();
    assert!(found.damage[0].contains("rows of delivery that refer to rows of event"), "{found:?}");
    assert!(found.contents.is_none() && !found.is_sound());
}

#[tokio::test]
async fn free_pages_are_given_back_beside_the_daemon() {
    let place = Place::new();
    let store = filled(&place).await;
    let fill = |tx: &Connection| -> Result<(), StoreError> {
        tx.execute_batch(
            "CREATE TABLE big (id INTEGER PRIMARY KEY, text TEXT);
             WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 500)
             INSERT INTO big (text) SELECT hex(randomblob(2000)) FROM n;
             DELETE FROM big;",
        )?;
        Ok(())
    };
    store.writer.write(fill).await.unwrap();
    let done = compact(&place.path()).unwrap();
    assert!(400 * 4096 < done.before.free_bytes, "{done:?}");
    assert_eq!((done.after.free_bytes, done.is_rewritten), (0, false));
    assert!(done.after.bytes + done.before.free_bytes <= done.before.bytes + 4096, "{done:?}");
    store.sync(vec![wanted("n0")].into(), false, context()).await.unwrap();
    store.close().await.unwrap();
    assert!(examine(&place.path(), true).unwrap().is_sound());
    assert!(fs::metadata(place.path()).unwrap().len() <= done.after.bytes + 40 * 4096);
}

#[tokio::test]
async fn database_of_an_earlier_version_is_written_anew_without_the_daemon() {
    let place = Place::new();
    older::old(&place, MIGRATIONS.last().unwrap().0);
    let store = place.open();
    let refused = compact(&place.path()).unwrap_err().to_string();
    assert!(refused.contains("stop the daemon first"), "{refused}");
    store.close().await.unwrap();
    let done = compact(&place.path()).unwrap();
    assert!(done.is_rewritten && done.after.free_bytes == 0, "{done:?}");
    let store = place.open();
    assert!(!compact(&place.path()).unwrap().is_rewritten, "from now on beside the daemon");
    store.close().await.unwrap();
    assert!(examine(&place.path(), true).unwrap().is_sound());
}
