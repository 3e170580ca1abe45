//! Faults on the daemon's own side, noticed in the runs of a daemon.

use std::sync::Mutex;

use super::*;
use crate::domain::{Class, Finding, OwnFault};
use crate::net::observe;

/// Start of the tests: 2026-11-23 10:00:00 UTC.
const START: Timestamp = Timestamp(1_795_428_000_000);

/// Answer of a platform, and the skew of the clocks of two servers, in milliseconds.
#[derive(Clone, Copy, Debug)]
struct Answers {
    class: Option<Class>,
    skew: i64,
}

#[derive(Debug)]
struct Answering(Arc<Mutex<Answers>>);

impl Validator for Answering {
    fn identity(&self) -> Identity {
        Identity::default()
    }

    fn validate<'a>(&'a self, run: &'a RunContext) -> BoxFuture<'a, Validated> {
        Box::pin(async {
            let Answers { class, skew } = *self.0.lock().unwrap();
            for host in ["a", "b"] {
                observe::clock(host, Timestamp(run.now.0 + skew));
            }
            let failed = |class| Outcome::Failed(Finding::new(class, "no"));
            let outcome = class.map_or(Outcome::Passed(None), failed);
            Report { tests: vec![TestResult { test: CATALOG[0], outcome }] }.into()
        })
    }
}

/// A daemon with one integration that is enabled, and its platform.
struct Ward {
    bench: Bench,
    answers: Arc<Mutex<Answers>>,
}

impl Ward {
    async fn new(own: Own) -> Self {
        let answers = Arc::new(Mutex::new(Answers { class: None, skew: 0 }));
        let validator = Arc::new(Answering(Arc::clone(&answers)));
        let clock = Clock::starting_at(START);
        let bench = Bench::at(clock, "0 * * * *", Vec::new(), validator).await;
        let other = Bench::with(Arc::new(Hangs)).await.shared.active();
        let active = std::mem::replace(&mut *bench.shared.active.write().unwrap(), other);
        let mut active = Arc::into_inner(active).unwrap();
        active.own = own;
        bench.shared.put_in_force(active);
        let ward = Self { bench, answers };
        ward.run(None, 0).await;
        ward
    }

    /// An hour later, a run that is answered so; the status after it, the class of the run, and what
    /// lasts.
    async fn run(&self, class: Option<Class>, skew: i64) -> (Status, Option<Class>, Vec<OwnFault>) {
        *self.answers.lock().unwrap() = Answers { class, skew };
        tokio::time::advance(Duration::from_hours(1)).await;
        let Bench { shared, id, .. } = &self.bench;
        validate::step(shared, *id, &CancellationToken::new()).await.unwrap();
        let row = shared.view.integration("one").await.unwrap().unwrap();
        let faults = shared.view.own_faults().await.unwrap();
        let lasting = faults.into_iter().map(|row| row.fault).collect();
        (row.status, row.last_run.unwrap().class, lasting)
    }
}

fn own(canaries: &[&str]) -> Own {
    Own {
        canaries: canaries.iter().map(|&one| one.to_owned()).collect(),
        clock_skew: Duration::from_mins(5),
        disk_free_mib: 0,
    }
}

#[tokio::test(start_paused = true)]
async fn unreachable_platform_is_a_local_fault_when_no_canary_answers() {
    // No server listens there, and that is known at once.
    let ward = Ward::new(own(&["127.0.0.1:1"])).await;
    for _ in 0..4 {
        let found = ward.run(Some(Class::Unreachable), 0).await;
        assert_eq!(found, (Status::Enabled, Some(Class::Local), vec![OwnFault::Network]));
    }
    let found = ward.run(Some(Class::Missing), 0).await;
    let failed = (Status::RecurringValidationError, Some(Class::Missing), Vec::new());
    assert_eq!(found, failed, "an answer is an answer");
}

#[tokio::test(start_paused = true)]
async fn failure_is_the_platforms_when_a_canary_answers() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let canary = listener.local_addr().unwrap().to_string();
    let ward = Ward::new(own(&[&canary])).await;
    for _ in 0..3 {
        ward.run(Some(Class::Unreachable), 0).await;
    }
    let found = ward.run(Some(Class::Unreachable), 0).await;
    let failed = (Status::RecurringValidationError, Some(Class::Unreachable), Vec::new());
    assert_eq!(found, failed);
}

#[tokio::test(start_paused = true)]
async fn a_wrong_clock_is_not_blamed_on_credentials() {
    let ward = Ward::new(own(&[])).await;
    let hour = 3_600_000;
    let found = ward.run(Some(Class::Denied), hour).await;
    assert_eq!(found, (Status::Enabled, Some(Class::Local), vec![OwnFault::Clock]));
    let found = ward.run(Some(Class::Expired), -hour).await;
    assert_eq!(found, (Status::Enabled, Some(Class::Local), vec![OwnFault::Clock]));
    let found = ward.run(Some(Class::Denied), 1000).await;
    let failed = (Status::RecurringValidationError, Some(Class::Denied), Vec::new());
    assert_eq!(found, failed);
}
