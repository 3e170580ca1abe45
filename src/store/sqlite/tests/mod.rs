//! Tests of the engine, on databases in memory where no file is needed.

mod awake;
mod checksums;
mod deliveries;
mod files;
mod fingerprint;
mod invariants;
mod known;
mod lists;
mod migration;
mod pages;
mod plans;
mod property;
mod receivers;
mod runs;
mod surplus;

use std::collections::BTreeMap;
use std::time::Duration;

use rusqlite::{Connection, TransactionBehavior};

use invariants::{check_invariants, check_migrated};

use super::migrations::migrate;
use super::page::Page;
use super::{Attempt, Began, Begun, Finished, PendingDelivery, Recorded, StoreError};
use super::{IntegrationRow, NotificationContext, Retention, Synced, Wanted};
use super::{Lease, checksum, history, integration, outbox, prepared, random, run, sync};
use crate::domain::{
    AttemptResult, Class, Finding, Format, Next, Observed, Outcome, Policy, Pool, Report, Schedule,
    Status, Subject, Subscription, Test, TestResult, Timestamp, Timing,
};
use crate::store::SubjectRun;

const LEASE: Duration = Duration::from_mins(2);
/// Incarnation of the node that all leases belong to.
const OWNER: i64 = 7;
/// Start of every test: 2026-11-23 10:00:00 UTC.
const START: Timestamp = Timestamp(1_795_428_000_000);

/// A database in memory, with a clock and two receivers that want everything.
struct Bench {
    conn: Connection,
    now: Timestamp,
    receivers: Vec<&'static str>,
    format: Format,
    timing: Timing,
    disable_after: Duration,
    kept_max: u32,
    disabled: Option<super::Disabled>,
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
            format: Format::default(),
            timing: Timing::default(),
            disable_after: Duration::MAX,
            kept_max: 100,
            disabled: None,
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

    fn context(&self) -> NotificationContext {
        let subscription = |receiver: &&str| Subscription {
            receiver: (*receiver).to_owned(),
            events: vec!["*".to_owned(), "integration.status.*".to_owned()],
            format: self.format,
            timing: self.timing.clone(),
            ..Subscription::default()
        };
        NotificationContext {
            subscriptions: self.receivers.iter().map(subscription).collect(),
            outage_min: 3,
            now: self.now,
            ..NotificationContext::default()
        }
    }

    fn write<T>(
        &mut self,
        work: impl FnOnce(&Connection) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let tx = self.conn.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let done = work(&tx)?;
        tx.commit()?;
        let misfits = checksum::misfits(&self.conn, true, i64::MAX)?;
        assert!(misfits.is_empty(), "{misfits:?}");
        Ok(done)
    }

    fn sync(&mut self, wanted: &[Wanted]) -> Synced {
        let context = self.context();
        let configured = wanted.to_vec().into();
        self.write(|tx| sync::sync(tx, &configured, false, &context)).unwrap()
    }

    fn row(&self, name: &str) -> IntegrationRow {
        integration::integration(&self.conn, name).unwrap().unwrap()
    }

    fn status(&self, name: &str) -> Status {
        self.row(name).status
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
            other @ (Began::NotDue
            | Began::Running
            | Began::NotInUse
            | Began::HostFull
            | Began::Waits) => panic!("{other:?}"),
        }
    }

    fn record(&mut self, begun: Begun, runs: Vec<SubjectRun>) -> Recorded {
        self.try_record(finished(begun, runs, self.now)).unwrap()
    }

    fn try_record(&mut self, finished: Finished) -> Result<Recorded, StoreError> {
        let (prepared, context) = (prepared::Prepared::new(finished).unwrap(), self.context());
        self.write(|tx| run::record(tx, &prepared, &context))
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
            other @ (Began::NotDue
            | Began::Running
            | Began::NotInUse
            | Began::HostFull
            | Began::Waits) => panic!("{other:?}"),
        };
        let subject = begun.subjects()[0];
        self.record(begun, vec![found(subject, report)])
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

    fn claim(&mut self, permits: &[(&str, u32)]) -> Vec<PendingDelivery> {
        let permits = permits.iter().map(|&(name, most)| (name.to_owned(), most)).collect();
        let now = self.now;
        let claim = outbox::Claim { owner: OWNER, until: now.plus(LEASE) };
        self.write(|tx| outbox::claim(tx, &permits, claim, now)).unwrap()
    }

    fn attempt(&mut self, sent: &PendingDelivery, next: Next) {
        let result = match next {
            Next::Delivered => AttemptResult::Answered { code: 204, hint: None },
            Next::Gone => AttemptResult::Answered { code: 410, hint: None },
            Next::RetryAfter(_) | Next::Probe { .. } | Next::Failed => AttemptResult::Unreachable,
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
            awake: Duration::from_millis(self.now.0.unsigned_abs()),
            is_trusted: true,
            kept_max: self.kept_max,
        };
        let context = self.context();
        self.disabled = self.write(|tx| outbox::record_attempt(tx, &attempt, &context)).unwrap();
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
        formerly: None,
        id: None,
        kind: "Redshift".to_owned(),
        auto_bootstrap: Some(false),
        labels: BTreeMap::from([("team".to_owned(), "data".to_owned())]),
        disabled: false,
        schedule: schedule(),
        config: r#"{"host":"one"}"#.to_owned(),
        config_shown: r#"{"host":"one"}"#.to_owned(),
        catalog_version: 1,
        factors: Vec::new(),
        run_on: Pool::default(),
    }
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
        node: None,
    }
}
