//! A database in memory that a simulation crashes at will: the same statements and transactions, served
//! by tasks on the simulation's own clock instead of threads.
//!
//! A journal of what was written, kept by triggers and rolled back with the rest, lets a checker see
//! every row that is inserted, and every integration and delivery that changes, in order.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rusqlite::{Connection, ErrorCode, ffi, named_params};
use serde::Deserialize;
use tokio::sync::mpsc;

use super::checksum::{misfits, seal};
use super::connect::harden;
use super::integrity::problems;
use super::migrations::migrate;
use super::open::begin_life;
use super::reader::{self, Question, Readers};
use super::writer::{self, Command, Group, Message, Writer, run_each};
use super::{Store, View};
use crate::domain::Timestamp;

/// Fate of a group of writes.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Fate {
    /// It is committed and answered.
    Kept,
    /// The disk is full: nothing of it is written, and its callers get the error.
    Refused,
    /// The machine crashes before the commit.
    Lost,
    /// The machine crashes after the commit and before any answer.
    Unanswered,
}

/// Disk that a database in memory lies on.
pub(crate) trait Disk: Send + Sync {
    /// Returns the duration of a commit.
    fn wait(&self) -> Duration;
    /// Decides about a group that has written `entries`; also when it has written nothing.
    fn decide(&self, entries: &[Entry]) -> Fate;
    /// Notes what is in the database now for good.
    fn committed(&self, entries: Vec<Entry>);
    /// Notes that the machine has crashed; nothing more is served.
    fn crashed(&self);
}

/// A row that was written; names are those of the columns.
#[derive(Clone, Debug, Deserialize)]
#[serde(tag = "table", rename_all = "camelCase")]
pub(crate) enum Entry {
    /// An integration, new or changed.
    Integration(Box<IntegrationEntry>),
    /// Run that is new.
    Run {
        id: i64,
        integration: i64,
        subject: String,
        started: i64,
        status: String,
        class: Option<String>,
    },
    /// Transition that is new.
    Transition {
        integration: i64,
        from: Option<String>,
        to: String,
        cause: Option<String>,
        run: Option<i64>,
    },
    /// Event that is new.
    Event { id: String, integration: Option<i64>, sequence: i64, kind: String, body: String },
    /// A delivery, new or changed.
    Delivery { event: String, receiver: String, state: String },
}

/// A row of an integration that was written; names are those of the columns.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct IntegrationEntry {
    pub(crate) id: i64,
    pub(crate) name: String,
    pub(crate) status: String,
    pub(crate) pending: Option<String>,
    pub(crate) next: Option<i64>,
    pub(crate) trigger: String,
    pub(crate) lease: Option<i64>,
    pub(crate) failures: u32,
    pub(crate) passes: u32,
    pub(crate) shown: Option<i64>,
    pub(crate) evidence: Option<String>,
    pub(crate) candidate_failures: u32,
    pub(crate) candidate_passes: u32,
    pub(crate) candidate_shown: Option<i64>,
    pub(crate) candidate_evidence: Option<String>,
    pub(crate) sequence: i64,
    pub(crate) incident: Option<String>,
    pub(crate) notified: String,
    pub(crate) mute: Option<i64>,
    pub(crate) flips: String,
    pub(crate) suspect: Option<i64>,
    pub(crate) suspect_class: Option<String>,
}

/// Columns that the journal notes of a table's new rows, by their names in [`Entry`].
const NOTED: &[(&str, &str)] = &[
    (
        "integration",
        "'id', new.id, 'name', new.name, 'status', new.status, 'next', new.next_run_at_ms,
         'trigger', new.next_trigger, 'lease', new.lease_until_ms, 'failures', new.failures,
         'passes', new.passes, 'sequence', new.sequence, 'notified', new.notified_status,
         'mute', new.muted_until_ms, 'pending', new.pending_status, 'shown', new.last_run_id,
         'candidate_failures', new.candidate_failures, 'candidate_passes', new.candidate_passes,
         'candidate_shown', new.candidate_run_id, 'incident', new.incident_id,
         'evidence', new.evidence, 'candidate_evidence', new.candidate_evidence,
         'flips', new.flips, 'suspect', new.suspect_since_ms, 'suspect_class', new.suspect_class",
    ),
    (
        "run",
        "'id', new.id, 'integration', new.integration_id, 'subject', new.subject,
         'started', new.started_at_ms, 'status', new.status, 'class', new.class",
    ),
    (
        "transition",
        "'integration', new.integration_id, 'from', new.from_status, 'to', new.to_status,
         'cause', new.cause, 'run', new.run_id",
    ),
    (
        "event",
        "'id', new.id, 'integration', new.integration_id, 'sequence', new.sequence,
         'kind', new.type, 'body', new.body",
    ),
    ("delivery", "'event', new.event_id, 'receiver', new.receiver, 'state', new.state"),
];

/// The tables whose changed rows are noted too.
const CHANGING: [&str; 2] = ["integration", "delivery"];

/// Returns the statements that keep the journal. The tables are the migrations' own.
fn keeping() -> String {
    let trigger = |table: &str, event: &str, noted: &str| {
        let name = event.split(' ').next().unwrap();
        format!(
            "CREATE TEMP TRIGGER {table}_{name} AFTER {event} ON main.{table} BEGIN
                INSERT INTO journal VALUES (json_object('table', '{table}', {noted}));
             END;"
        )
    };
    let made = NOTED.iter().map(|(table, noted)| trigger(table, "INSERT", noted));
    let changing = NOTED.iter().filter(|(table, _)| CHANGING.contains(table));
    let changed = changing.map(|(table, noted)| {
        let columns =
            noted.split("new.").skip(1).map(|rest| rest.split([',', ' ']).next().unwrap());
        let event = format!("UPDATE OF {}", columns.collect::<Vec<_>>().join(", "));
        trigger(table, &event, noted)
    });
    let triggers: String = made.chain(changed).collect();
    format!("CREATE TEMP TABLE journal (entry TEXT NOT NULL); {triggers}")
}

/// A database that outlives the daemons that use it, one after the other.
#[derive(Clone)]
pub(crate) struct Memory(Arc<Mutex<Connection>>);

impl Memory {
    /// An empty one at the newest schema.
    pub(crate) fn new() -> Self {
        let mut conn = Connection::open_in_memory().unwrap();
        harden(&conn).unwrap();
        migrate(&mut conn).unwrap();
        conn.execute_batch(&keeping()).unwrap();
        Self(Arc::new(Mutex::new(conn)))
    }

    /// Opens it for a daemon on the current runtime, as [`Store::open`] does with a file.
    pub(crate) fn open(&self, disk: Arc<dyn Disk>) -> crate::store::Store {
        let problems = problems(&self.conn(), false).unwrap();
        assert!(problems.is_empty(), "{problems:?}");
        let owner = begin_life(&mut self.conn()).unwrap();
        disk.committed(journal(&self.conn()));
        let (queue, waiting) = mpsc::channel(writer::QUEUE_MAX);
        tokio::spawn(write(self.clone(), waiting, disk));
        let writer = Writer::served_by(queue);
        let (queue, waiting) = async_channel::bounded(reader::QUEUE_MAX);
        tokio::spawn(read(self.clone(), waiting));
        let readers = Readers::served_by(queue);
        let view = View { watch: readers.clone(), readers };
        crate::store::Store::Sqlite(Store { writer, owner, view, place: None, is_verified: false })
    }

    /// Returns the integrations that should have begun a run before `before`, and have not been leased
    /// since.
    pub(crate) fn overdue(&self, before: Timestamp) -> Vec<i64> {
        const SQL: &str = "
            SELECT id FROM integration
            WHERE next_run_at_ms < :before AND (lease_until_ms IS NULL OR lease_until_ms < :before)
            ORDER BY id";
        let conn = self.conn();
        let mut statement = conn.prepare_cached(SQL).unwrap();
        let params = named_params! {":before": before.0};
        let found = statement.query_map(params, |row| row.get(0)).unwrap();
        found.collect::<Result<_, _>>().unwrap()
    }

    /// Plants a defect; returns what it wrote.
    pub(crate) fn spoil(&self, sql: &str) -> Vec<Entry> {
        let conn = self.conn();
        conn.execute_batch(sql).unwrap();
        // The defect is that of a program, not of a disk.
        seal(&conn).unwrap();
        journal(&conn)
    }

    fn conn(&self) -> MutexGuard<'_, Connection> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Takes what was written since this was last asked.
fn journal(conn: &Connection) -> Vec<Entry> {
    let entries = entries(conn);
    if !entries.is_empty() {
        conn.execute("DELETE FROM journal", []).unwrap();
    }
    entries
}

fn entries(conn: &Connection) -> Vec<Entry> {
    let mut statement = conn.prepare_cached("SELECT entry FROM journal ORDER BY rowid").unwrap();
    let texts = statement.query_map([], |row| row.get::<_, String>(0)).unwrap();
    texts.map(|text| serde_json::from_str(&text.unwrap()).unwrap()).collect()
}

/// Answers questions as the reading threads do.
async fn read(memory: Memory, waiting: async_channel::Receiver<Question>) {
    while let Ok(question) = waiting.recv().await {
        question(&mut memory.conn());
    }
}

/// Writes as the writing thread does, until the disk lets the machine crash.
async fn write(memory: Memory, mut waiting: mpsc::Receiver<Message>, disk: Arc<dyn Disk>) {
    while let Some(first) = waiting.recv().await {
        let mut group = Group::of(first, &mut waiting);
        if !group.closing.is_empty() {
            waiting.close();
        }
        let wait = disk.wait();
        if !wait.is_zero() {
            tokio::time::sleep(wait).await;
        }
        match commit(&memory, &mut group.commands, &*disk) {
            Fate::Kept => answer(group.commands, &Ok(())),
            Fate::Refused => {
                let full =
                    ffi::Error { code: ErrorCode::DiskFull, extended_code: ffi::SQLITE_FULL };
                answer(group.commands, &Err(Arc::new(rusqlite::Error::SqliteFailure(full, None))));
            }
            Fate::Lost | Fate::Unanswered => {
                disk.crashed();
                // The machine is gone, and whoever waits for an answer goes with it.
                std::future::pending::<()>().await;
            }
        }
        for ended in group.closing {
            ended.send(Ok(())).ok();
        }
    }
}

fn answer(group: Vec<Box<dyn Command>>, ended: &Result<(), Arc<rusqlite::Error>>) {
    for command in group {
        command.answer(ended.clone());
    }
}

fn commit(memory: &Memory, group: &mut [Box<dyn Command>], disk: &dyn Disk) -> Fate {
    let conn = memory.conn();
    let tx = run_each(&conn, group).unwrap();
    let written = entries(&tx);
    // Of what a transaction writes the most is new; all of it is verified when a daemon starts.
    let misfits = if written.is_empty() { Vec::new() } else { misfits(&tx, false, 8).unwrap() };
    assert!(misfits.is_empty(), "{misfits:?}");
    let fate = disk.decide(&written);
    match fate {
        Fate::Kept | Fate::Unanswered => {
            if !written.is_empty() {
                tx.execute("DELETE FROM journal", []).unwrap();
            }
            tx.commit().unwrap();
            disk.committed(written);
        }
        Fate::Refused | Fate::Lost => tx.rollback().unwrap(),
    }
    fate
}
