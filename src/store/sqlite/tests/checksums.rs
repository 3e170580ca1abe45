//! Rows that do not fit their checksums are noticed, and no statement leaves one behind.

use std::fs;
use std::path::Path;

use super::super::checksum::{SUMMED, Summed, misfits, mix, put_on, take_off};
use super::super::connect::open_at_rest;
use super::super::migrations::APPLICATION_ID;
use super::super::{condition, row};
use super::*;
use crate::domain::{DeliveryId, IntegrationId};

/// Id of the integration `one`.
const ONE: IntegrationId = IntegrationId(1);

/// A database with rows in every table that has checksums: a run that fails and one that passes, events that are
/// delivered, failed and pending.
fn eventful() -> Bench {
    let mut bench = Bench::enabled();
    bench.sync(&[wanted("one"), wanted("two")]);
    bench.fail(Subject::Active, Class::Denied);
    let sent = bench.claim(&[("a", 9)]);
    for (place, sent) in sent.iter().enumerate() {
        bench.attempt(sent, if place == 0 { Next::Delivered } else { Next::Failed });
    }
    bench.pass(Subject::Active);
    bench
}

/// Changes what is stored as damage does: no trigger and no check sees it.
fn damage(conn: &Connection, sql: &str) {
    let names = SUMMED.iter().flat_map(|summed| summed.triggers().map(|(name, _)| name));
    let triggers: Vec<_> = SUMMED.iter().flat_map(Summed::triggers).collect();
    conn.execute_batch("PRAGMA ignore_check_constraints = ON").unwrap();
    for name in names {
        conn.execute_batch(&format!("DROP TRIGGER {name}")).unwrap();
    }
    assert_ne!(conn.execute(sql, []).unwrap(), 0, "{sql}");
    for (_, trigger) in &triggers {
        conn.execute_batch(trigger).unwrap();
    }
    conn.execute_batch("PRAGMA ignore_check_constraints = OFF").unwrap();
}

#[test]
fn change_of_any_column_is_noticed() {
    let bench = eventful();
    bench.conn.pragma_update(None, "foreign_keys", false).unwrap();
    assert!(misfits(&bench.conn, true, i64::MAX).unwrap().is_empty());
    for summed in SUMMED {
        let table = summed.table;
        let sql = format!("SELECT name FROM pragma_table_info('{table}') WHERE name <> 'checksum'");
        let mut statement = bench.conn.prepare(&sql).unwrap();
        let names = statement.query_map([], |row| row.get::<_, String>(0)).unwrap();
        let mut names = names.map(Result::unwrap).collect::<Vec<_>>();
        for column in names.iter().chain([&"checksum".to_owned()]) {
            let other = format!(
                "UPDATE {table} SET {column} = CASE typeof({column}) WHEN 'text' THEN {column} || '!'
                 WHEN 'null' THEN 1000 ELSE {column} + 1000 END WHERE rowid = (SELECT max(rowid) FROM {table})"
            );
            bench.conn.execute_batch("SAVEPOINT sound").unwrap();
            damage(&bench.conn, &other);
            let found = misfits(&bench.conn, true, i64::MAX).unwrap();
            assert_eq!(found.len(), 1, "{table}.{column}: {found:?}");
            assert!(found[0].starts_with(&format!("rows of {table} that do not fit")), "{found:?}");
            bench.conn.execute_batch("ROLLBACK TO sound; RELEASE sound").unwrap();
        }
        names.sort_unstable();
        let mut columns = summed.columns();
        columns.sort_unstable();
        assert_eq!(columns, names, "every column of {table} is part of its checksum");
    }
}

#[test]
fn damaged_row_is_not_read() {
    type Read = fn(&Bench) -> Result<(), StoreError>;
    let reads: &[(&str, &str, Read)] = &[
        ("a decision", "integration", |b| row::load(&b.conn, ONE).map(drop)),
        ("a status", "integration", |b| integration::integration(&b.conn, "one").map(drop)),
        ("a list", "integration", |b| integration::statuses(&b.conn, &Page::first(9)).map(drop)),
        ("targets", "integration", |b| integration::targets(&b.conn, &Page::first(9)).map(drop)),
        ("the configuration", "integration", |b| {
            sync::sync(&b.conn, &vec![wanted("one")].into(), false, &b.context()).map(drop)
        }),
        ("events", "event", |b| history::events(&b.conn, 0, 9).map(drop)),
        ("transitions", "transition", |b| {
            history::transitions(&b.conn, ONE, &Page::first(9)).map(drop)
        }),
        ("deliveries", "delivery", |b| {
            history::delivery(&b.conn, DeliveryId(b.count("delivery"))).map(drop)
        }),
        ("deliveries with their events", "event", |b| {
            let sql = "SELECT max(delivery.id) FROM delivery JOIN event ON event.id = event_id
                       WHERE event.number = (SELECT max(number) FROM event)";
            let id = b.conn.query_row(sql, [], |row| row.get(0).map(DeliveryId))?;
            history::delivery(&b.conn, id).map(drop)
        }),
    ];
    for (what, table, read) in reads {
        let bench = eventful();
        read(&bench).unwrap();
        let column = SUMMED.iter().find(|summed| summed.table == *table).unwrap();
        let column = column.columns().into_iter().find(|name| name.ends_with("at_ms")).unwrap();
        damage(&bench.conn, &format!("UPDATE {table} SET {column} = coalesce({column}, 0) + 1"));
        let error = read(&bench).unwrap_err();
        assert!(error.is_damage(), "{what}: {error:?}");
    }
}

#[test]
fn damaged_delivery_is_not_sent() {
    for damaged in [
        "UPDATE delivery SET attempts = attempts + 1 WHERE state = 'pending'",
        "UPDATE event SET body = replace(body, 'one', 'onf')",
    ] {
        let mut bench = eventful();
        bench.wait(Duration::from_hours(1));
        damage(&bench.conn, damaged);
        let claim = outbox::Claim { owner: OWNER, until: bench.now.plus(LEASE) };
        let permits = [("a".to_owned(), 9), ("b".to_owned(), 9)].into();
        let error = outbox::claim(&bench.conn, &permits, claim, bench.now).unwrap_err();
        assert!(error.is_damage(), "{damaged}: {error:?}");
    }
}

#[test]
fn damaged_row_stays_damaged_when_it_is_written() {
    let bench = eventful();
    damage(&bench.conn, "UPDATE integration SET failures = failures + 1 WHERE name = 'one'");
    damage(&bench.conn, "UPDATE delivery SET attempts = 7 WHERE id = 1");
    let found = || misfits(&bench.conn, true, i64::MAX).unwrap();
    assert_eq!(found().len(), 2);
    for writes in [
        "UPDATE integration SET cron = '@daily', labels = '{}'",
        "UPDATE delivery SET earlier = earlier + 1",
    ] {
        bench.conn.execute(writes, []).unwrap();
        assert_eq!(found().len(), 2, "{writes}");
    }
    let began = run::begin(&bench.conn, ONE, lease(bench.now), bench.now.plus(LEASE * 99));
    assert!(matches!(began, Ok(Began::Run(_))));
    assert_eq!(found().len(), 2, "a lease");
}

#[test]
fn checksums_are_verified_before_tables_are_changed_and_made_anew_after() {
    let bench = eventful();
    migrated_again(&bench.conn).unwrap();
    assert!(misfits(&bench.conn, true, i64::MAX).unwrap().is_empty());
    damage(&bench.conn, "UPDATE transition SET at_ms = 1");
    let error = migrated_again(&bench.conn).unwrap_err();
    assert!(error.is_damage(), "{error:?}");
    bench.conn.execute_batch("DROP TRIGGER event_updated").unwrap();
    let found = misfits(&bench.conn, true, i64::MAX).unwrap();
    assert_eq!(found[0], "checksums of event are not kept as they should be");
    assert_eq!(found.len(), 2);
}

fn migrated_again(conn: &Connection) -> Result<(), StoreError> {
    take_off(conn)?;
    conn.execute_batch(
        "ALTER TABLE event ADD COLUMN more TEXT; ALTER TABLE event DROP COLUMN more",
    )?;
    put_on(conn)
}

/// A statement that writes only columns which no trigger follows has to keep the checksum itself, and any other must
/// leave that to the trigger.
#[test]
fn every_update_of_a_row_keeps_its_checksum() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/src/store/sqlite");
    let mut seen = 0;
    for entry in fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
        let is_source = entry.extension().is_some_and(|end| end == "rs")
            && !["simulated.rs", "checksum.rs"].iter().any(|name| entry.ends_with(name));
        let text = if is_source { fs::read_to_string(&entry).unwrap() } else { continue };
        for summed in SUMMED {
            let start = format!("UPDATE {} SET", summed.table);
            for statement in text.split(&start).skip(1) {
                let written = statement.split("WHERE").next().unwrap();
                let sets = |column: &&str| written.contains(&format!("{column} ="));
                let is_followed =
                    written.contains("cold_columns!") || summed.followed().iter().any(sets);
                let by_itself = written.contains("moved!");
                assert_ne!(is_followed, by_itself, "{}: {start}{written}", entry.display());
                seen += 1;
            }
        }
    }
    assert!(20 < seen, "{seen} statements were found");
}

/// Everything that the tables with checksums hold, as text; none when it cannot be read.
fn rows_of(path: &Path) -> Option<Vec<String>> {
    let conn = open_at_rest(path).ok()?;
    let mut rows_found = Vec::new();
    for summed in SUMMED {
        let columns = summed.columns().join(", ");
        let mut statement =
            conn.prepare(&format!("SELECT {columns} FROM {} NOT INDEXED", summed.table)).ok()?;
        let width = statement.column_count();
        let mut rows = statement.raw_query();
        while let Some(row) = rows.next().ok()? {
            let cells = (0..width).map(|place| format!("{:?}", row.get_ref(place).unwrap()));
            rows_found.push(cells.collect::<Vec<_>>().join("|"));
        }
    }
    Some(rows_found)
}

/// A flipped bit is noticed, or it changes nothing that is kept: of 160 bits, every other one lies in a page of a table
/// that has checksums.
#[test]
fn single_flipped_bit_is_noticed_or_changes_nothing() {
    let given = std::env::vars().find(|(name, _)| name == "REVALIDATED_SEED");
    let seed: u64 = given.map_or(1, |(_, seed)| seed.parse().unwrap());
    let folder = tempfile::tempdir().unwrap();
    let (path, copy) = (folder.path().join("state.db"), folder.path().join("copy.db"));
    let bench = eventful();
    bench.conn.pragma_update(None, "application_id", APPLICATION_ID).unwrap();
    bench.conn.execute("VACUUM INTO ?1", [path.to_str().unwrap()]).unwrap();
    let (sound, mut bytes) = (rows_of(&path).unwrap(), fs::read(&path).unwrap());
    let pages = pages_with_checksums(&path);
    let (mut noticed, mut by_checksum_alone) = (0, 0);
    for round in 0..160 {
        let random = |salt: u64, below: usize| {
            let number = mix(mix(seed).wrapping_add(round * 4 + salt));
            usize::try_from(number).unwrap() % below
        };
        let anywhere = random(0, bytes.len());
        let in_rows = pages[random(1, pages.len())] * 4096 + random(2, 4096);
        let (at, bit) = (if round % 2 == 0 { anywhere } else { in_rows }, 1 << random(3, 8));
        bytes[at] ^= bit;
        fs::write(&copy, &bytes).unwrap();
        let found = condition::examine(&copy, true);
        if found.as_ref().is_ok_and(crate::store::condition::Condition::is_sound) {
            assert_eq!(
                rows_of(&copy).as_ref(),
                Some(&sound),
                "seed {seed}: bit {bit} of byte {at}"
            );
        } else {
            noticed += 1;
            let damage = found.map_or(Vec::new(), |found| found.damage);
            by_checksum_alone += u32::from(damage.iter().any(|line| line.contains("checksums")));
        }
        bytes[at] ^= bit;
    }
    assert!(
        15 < noticed && 3 < by_checksum_alone,
        "{noticed} noticed, {by_checksum_alone} by checksums"
    );
}

fn pages_with_checksums(path: &Path) -> Vec<usize> {
    const SQL: &str = "
        SELECT pageno - 1 FROM dbstat
        WHERE name IN ('integration', 'event', 'delivery', 'transition') ORDER BY 1";
    let conn = open_at_rest(path).unwrap();
    let mut statement = conn.prepare(SQL).unwrap();
    let pages = statement.query_map([], |row| row.get::<_, i64>(0)).unwrap();
    pages.map(|page| usize::try_from(page.unwrap()).unwrap()).collect()
}
