//! Tests of the engine, on databases in memory where no file is needed.

mod deliveries;
mod files;
mod fingerprint;
mod holds;
mod invariants;
mod life;
mod migration;
mod outages;
mod pages;
mod plans;
mod property;
mod receivers;
mod runs;
mod surplus;

use std::collections::BTreeMap;
use std::time::Duration;

use rusqlite::{Connection, TransactionBehavior};

use invariants::check_invariants;

use super::migrations::migrate;
use super::page::Page;
use super::{Attempt, Began, Begun, Finished, PendingDelivery, Recorded, StoreError, SubjectRun};
use super::{IntegrationRow, NotificationContext, Retention, Synced, Wanted};
use super::{
    Lease, Released, history, integration, outbox, prepared, queue, random, release, run, sync,
};
use crate::domain::{
    AttemptResult, Class, Finding, IntegrationId, Maintenance, Next, Observed, Outcome, Policy,
    Report, Schedule, Selection, Status, Subject, Subscription, Test, TestResult, Timestamp,
};

const LEASE: Duration = Duration::from_mins(2);
/// The incarnation that holds all leases here.
const OWNER: i64 = 7;
/// Start of every test: 2026-11-23 10:00:00 UTC.
const START: Timestamp = Timestamp(1_795_428_000_000);

/// A database in memory, with a clock and two receivers that want everything.
struct Bench {
    conn: Connection,
    now: Timestamp,
    receivers: Vec<&'static str>,
    disable_after: Duration,
    kept_max: u32,
    disabled: Option<super::Disabled>,
    maintenance: Vec<Maintenance>,
}

impl Bench {
    fn new() -> Self {
        let mut conn = Connection::open_in_memory().unwrap();
        conn.pragma_update(None, "foreign_keys", true).unwrap();
        migrate(&mut conn).unwrap();
        Self {
            conn,
            now: START,
            receivers: vec!["a", "b"],
            disable_after: Duration::MAX,
            kept_max: 100,
            disabled: None,
            maintenance: Vec::new(),
        }
    }

    /// With one integration `one` that is enabled and due.
    fn enabled() -> Self {
        let mut bench = Self::new();
        bench.sync(&[wanted("one")]);
        bench.pass(Subject::Candidate);
        bench.wait_until_due();
        bench
    }

    fn tell(&self) -> NotificationContext {
        let subscription = |receiver: &&str| {
            // Three have names that say what is special about them.
            let events = if *receiver == "few" { "integration.*" } else { "*" };
            let only = (*receiver == "late").then(|| "n5".to_owned());
            Subscription {
                receiver: (*receiver).to_owned(),
                events: vec![events.to_owned()],
                selection: Selection {
                    integrations: only.into_iter().collect(),
                    ..Selection::default()
                },
                individual: *receiver == "each",
            }
        };
        NotificationContext {
            subscriptions: self.receivers.iter().map(subscription).collect(),
            maintenance: self.maintenance.clone().into(),
            outage_min: 3,
            now: self.now,
        }
    }

    fn write<T>(
        &mut self,
        work: impl FnOnce(&Connection) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let tx = self.conn.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let done = work(&tx)?;
        tx.commit()?;
        Ok(done)
    }

    fn sync(&mut self, wanted: &[Wanted]) -> Synced {
        let tell = self.tell();
        self.write(|tx| sync::sync(tx, wanted, false, &tell)).unwrap()
    }

    fn start_up(&mut self, wanted: &[Wanted]) -> Synced {
        let tell = self.tell();
        self.write(|tx| sync::sync(tx, wanted, true, &tell)).unwrap()
    }

    fn row(&self, name: &str) -> IntegrationRow {
        integration::integration(&self.conn, name).unwrap().unwrap()
    }

    fn status(&self, name: &str) -> Status {
        self.row(name).status
    }

    /// The configuration that passed last.
    fn active_config(&self, name: &str) -> String {
        super::configuration::active(&self.conn, self.row(name).id).unwrap().unwrap().1
    }

    fn try_begin(&mut self) -> Began {
        self.try_begin_of("one")
    }

    fn try_begin_of(&mut self, name: &str) -> Began {
        let (id, now) = (self.row(name).id, self.now);
        self.write(|tx| run::begin(tx, id, lease(now), now)).unwrap()
    }

    fn begin(&mut self) -> Begun {
        match self.try_begin() {
            Began::Run(begun) => begun,
            other @ (Began::NotDue | Began::Running | Began::NotInUse) => panic!("{other:?}"),
        }
    }

    fn record(&mut self, begun: Begun, runs: Vec<SubjectRun>) -> Recorded {
        self.try_record(finished(begun, runs, self.now)).unwrap()
    }

    fn try_record(&mut self, finished: Finished) -> Result<Recorded, StoreError> {
        let (prepared, tell) = (prepared::Prepared::new(finished).unwrap(), self.tell());
        self.write(|tx| run::record(tx, &prepared, &tell))
    }

    /// Runs `one` as soon as it is due.
    fn run(&mut self, runs: Vec<SubjectRun>) -> Recorded {
        self.wait_until_due();
        let begun = self.begin();
        self.record(begun, runs)
    }

    /// Runs `name` now, or when it is due.
    fn run_of(&mut self, name: &str, report: Report) -> Recorded {
        self.now = self.now.max(self.row(name).next_run_at.unwrap());
        let begun = match self.try_begin_of(name) {
            Began::Run(begun) => begun,
            other @ (Began::NotDue | Began::Running | Began::NotInUse) => panic!("{other:?}"),
        };
        let subject = begun.status.subjects()[0];
        self.record(begun, vec![found(subject, report)])
    }

    /// Makes `name` due, whatever its schedule says.
    fn due_now(&mut self, name: &str) {
        let sql = "UPDATE integration SET next_run_at_ms = ?1 WHERE name = ?2";
        self.conn.execute(sql, (self.now.0, name)).unwrap();
    }

    fn release(&mut self) -> Released {
        let tell = self.tell();
        self.write(|tx| release::release(tx, 100, &tell)).unwrap()
    }

    /// The types of the events about an integration from number `from` on.
    fn notified(&self, name: &str, from: i64) -> Vec<String> {
        let of = |event: &serde_json::Value| {
            event["data"]["integration"]["name"] == name
                && from <= event["data"]["sequence"].as_i64().unwrap()
        };
        let events = self.events().into_iter().filter(of);
        events.map(|event| event["type"].as_str().unwrap().to_owned()).collect()
    }

    /// Returns the events queued for a receiver or sent to it: types and numbers, in their order.
    fn pending(&self, receiver: &str) -> Vec<(String, i64)> {
        let sql = "SELECT type, event.sequence FROM delivery JOIN event ON event.id = event_id
                   WHERE receiver = ?1 ORDER BY number";
        let mut statement = self.conn.prepare(sql).unwrap();
        let rows = statement.query_map([receiver], |row| Ok((row.get(0)?, row.get(1)?)));
        rows.unwrap().map(Result::unwrap).collect()
    }

    fn pass(&mut self, subject: Subject) -> Recorded {
        self.run(vec![found(subject, passed())])
    }

    fn fail(&mut self, subject: Subject, class: Class) -> Recorded {
        self.run(vec![found(subject, failed(class))])
    }

    fn wait_until_due(&mut self) {
        self.now = self.now.max(self.row("one").next_run_at.unwrap());
    }

    fn wait(&mut self, wait: Duration) {
        self.now = self.now.plus(wait);
    }

    fn claim(&mut self, room: &[(&str, u32)]) -> Vec<PendingDelivery> {
        let room = room.iter().map(|&(name, room)| (name.to_owned(), room)).collect();
        let now = self.now;
        let claim = outbox::Claim { owner: OWNER, until: now.plus(LEASE) };
        self.write(|tx| outbox::claim(tx, &room, claim, now)).unwrap()
    }

    fn attempt(&mut self, sent: &PendingDelivery, next: Next) {
        let result = match next {
            Next::Delivered => AttemptResult::Answered { code: 204, hint: None },
            Next::Gone => AttemptResult::Answered { code: 410, hint: None },
            Next::RetryAfter(_) | Next::Failed => AttemptResult::Unreachable,
        };
        let attempt = Attempt {
            delivery: sent.id,
            token: sent.token,
            started_at: self.now,
            duration: Duration::ZERO,
            result,
            detail: "said so".to_owned(),
            next,
            disable_after: self.disable_after,
            kept_max: self.kept_max,
        };
        let tell = self.tell();
        self.disabled = self.write(|tx| outbox::record_attempt(tx, &attempt, &tell)).unwrap();
    }

    fn count(&self, sql: &str) -> i64 {
        self.conn.query_row(&format!("SELECT count(*) FROM {sql}"), [], |row| row.get(0)).unwrap()
    }

    /// The bodies of all events, oldest first.
    fn events(&self) -> Vec<serde_json::Value> {
        let mut statement = self.conn.prepare("SELECT body FROM event ORDER BY rowid").unwrap();
        let rows = statement.query_map([], |row| row.get::<_, String>(0)).unwrap();
        rows.map(|body| serde_json::from_str(&body.unwrap()).unwrap()).collect()
    }

    fn last_event(&self) -> serde_json::Value {
        self.events().pop().unwrap()
    }
}

/// Returns a fresh lease.
fn lease(now: Timestamp) -> Lease {
    Lease { owner: OWNER, token: random::number().unwrap(), until: now.plus(LEASE) }
}

/// Keeps everything for `age`, however much it is.
fn kept_for(age: Duration, batch: u32) -> Retention {
    Retention {
        history: age,
        deliveries: age,
        runs_per_integration: u32::MAX,
        deliveries_max: u32::MAX,
        events_max: u32::MAX,
        batch,
    }
}

fn schedule() -> Schedule {
    Schedule::parse("0 * * * *", "UTC").unwrap()
}

fn wanted(name: &str) -> Wanted {
    Wanted {
        name: name.to_owned(),
        kind: "Redshift".to_owned(),
        auto_bootstrap: Some(false),
        labels: BTreeMap::from([("team".to_owned(), "data".to_owned())]),
        disabled: false,
        schedule: schedule(),
        config: r#"{"host":"one"}"#.to_owned(),
        config_shown: r#"{"host":"one"}"#.to_owned(),
        catalog_version: 1,
        factors: Vec::new(),
    }
}

fn with_config(config: &str) -> Wanted {
    Wanted { config: config.to_owned(), ..wanted("one") }
}

fn report(outcomes: Vec<Outcome>) -> Report {
    let tests = [Test::always("first", ""), Test::always("second", "")];
    let results = tests.into_iter().zip(outcomes);
    Report { tests: results.map(|(test, outcome)| TestResult { test, outcome }).collect() }
}

fn passed() -> Report {
    report(vec![Outcome::Passed(None), Outcome::Passed(None)])
}

fn failed(class: Class) -> Report {
    let finding = Finding::new(class, "no").fix("GRANT it");
    report(vec![Outcome::Passed(None), Outcome::Failed(finding)])
}

fn warned(message: &str) -> Report {
    let finding = Finding::new(Class::Denied, message);
    report(vec![Outcome::Passed(None), Outcome::Warning(finding)])
}

fn found(subject: Subject, report: Report) -> SubjectRun {
    SubjectRun { subject, report, observed: Observed::default(), own_fault: None }
}

fn finished(begun: Begun, runs: Vec<SubjectRun>, started_at: Timestamp) -> Finished {
    Finished {
        begun,
        runs,
        started_at,
        duration: Duration::from_millis(812),
        policy: Policy::default(),
        schedule: schedule(),
    }
}
