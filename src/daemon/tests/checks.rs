//! Checks of every run, with a clock that moves and the messages that follow.

use std::sync::Mutex;

use super::*;
use crate::domain::{
    Class, Drift, EventType, Expiry, ExpiryKind, Fact, FactCollector, FactKind, Finding, Observed,
};
use crate::store::DeliveryRow;

const DAY: Duration = Duration::from_hours(24);
/// Start of the tests: 2026-11-23 10:00:00 UTC.
const START: Timestamp = Timestamp(1_795_428_000_000);

/// Answers of a platform at the moment.
#[derive(Clone, Debug)]
struct Shows {
    /// The ends of two tokens.
    ends: [Timestamp; 2],
    grants: Vec<&'static str>,
    works: bool,
}

#[derive(Debug)]
struct Shown(Arc<Mutex<Shows>>);

impl Validator for Shown {
    fn identity(&self) -> Identity {
        Identity::default()
    }

    fn validate<'a>(&'a self, _run: &'a RunContext) -> BoxFuture<'a, Validated> {
        Box::pin(async {
            let shows = self.0.lock().unwrap().clone();
            let mut facts = FactCollector::default();
            for grant in shows.grants {
                let fact = Fact { kind: FactKind::Grant, of: "db".to_owned() };
                facts.add(fact, grant.to_owned());
            }
            let expiry = |(of, at): (&str, Timestamp)| Expiry {
                kind: ExpiryKind::Token,
                of: of.to_owned(),
                at,
            };
            let observed = Observed {
                facts: facts.take(),
                expiries: ["one", "two"].into_iter().zip(shows.ends).map(expiry).collect(),
                ..Observed::default()
            };
            let refused = || Outcome::Failed(Finding::new(Class::Denied, "no"));
            let outcome = if shows.works { Outcome::Passed(None) } else { refused() };
            let tests = vec![TestResult { test: Test::always("only", ""), outcome }];
            Validated { report: Report { tests }, observed }
        })
    }
}

/// A daemon that validates every hour, the platform, and a receiver that subscribes to everything.
struct Watch {
    bench: Bench,
    shows: Arc<Mutex<Shows>>,
}

impl Watch {
    async fn new() -> Self {
        let shows = Shows { ends: [START.plus(DAY * 400); 2], grants: vec!["READ"], works: true };
        let shows = Arc::new(Mutex::new(shows));
        let validator = Arc::new(Shown(Arc::clone(&shows)));
        let receivers = vec![receiver("all", "http://127.0.0.1:9/")];
        let bench = Bench::at(Clock::starting_at(START), "0 * * * *", receivers, validator).await;
        let watch = Self { bench, shows };
        watch.run().await;
        watch
    }

    /// Lets an hour pass, and validates.
    async fn run(&self) {
        tokio::time::advance(Duration::from_hours(1)).await;
        let Bench { shared, id, .. } = &self.bench;
        validate::step(shared, *id, &CancellationToken::new()).await.unwrap();
    }

    /// The messages of `kind`, oldest first.
    async fn sent(&self, kind: EventType) -> Vec<DeliveryRow> {
        let (filter, page) = (DeliveryFilter::default(), Page::first(1000));
        let mut all = self.bench.shared.view.deliveries(filter, page).await.unwrap().rows;
        all.retain(|delivery| delivery.kind == kind);
        all.reverse();
        all
    }

    /// The message of test `name` in the latest results.
    async fn said(&self, name: &str) -> Option<String> {
        let row = self.bench.shared.view.integration("one").await.unwrap().unwrap();
        let report = row.last_run.unwrap().report;
        let test = report.tests.into_iter().find(|test| test.name.ends_with(name)).unwrap();
        test.message
    }
}

#[tokio::test(start_paused = true)]
async fn one_message_is_sent_for_each_threshold_before_an_expiry() {
    let watch = Watch::new().await;
    let end = START.plus(DAY * 32);
    watch.shows.lock().unwrap().ends[0] = end;
    let mut at = Vec::new();
    let mut said = Vec::new();
    for _ in 0..(33 * 24) {
        watch.run().await;
        let sent = watch.sent(EventType::ValidationWarning).await;
        if at.len() < sent.len() {
            assert_eq!(sent.len(), at.len() + 1);
            at.push(end.since(watch.bench.shared.clock.now()).as_secs().div_ceil(86_400));
            said.extend(watch.said("credential expiry").await);
        }
    }
    assert_eq!(at, [30, 14, 7, 1, 0], "the days that were left");
    assert!(
        said[1].starts_with("The token one expires at 2026-12-25T10:00:00Z, in 14d"),
        "{said:?}"
    );
    // It is renewed, and another one comes close.
    watch.shows.lock().unwrap().ends = [START.plus(DAY * 400), START.plus(DAY * 40)];
    watch.run().await;
    watch.run().await;
    let sent = watch.sent(EventType::ValidationWarning).await;
    assert_eq!(sent.len(), at.len() + 1);
    assert!(watch.sent(EventType::ValidationFailed).await.is_empty());
}

#[tokio::test(start_paused = true)]
async fn lost_grants_are_notified_once_and_a_failure_names_the_drift() {
    let watch = Watch::new().await;
    watch.run().await;
    assert!(watch.sent(EventType::ValidationWarning).await.is_empty());
    watch.shows.lock().unwrap().grants = vec!["LIST", "WRITE"];
    watch.run().await;
    let expected =
        "Since the last passing run, grants of db: lost READ and gained LIST, WRITE.".to_owned();
    assert_eq!(watch.said("drift").await, Some(expected));
    watch.run().await;
    assert_eq!(watch.said("drift").await, None, "it has been notified");
    assert_eq!(watch.sent(EventType::ValidationWarning).await.len(), 1);
    {
        let mut shows = watch.shows.lock().unwrap();
        (shows.grants, shows.works) = (vec!["LIST"], false);
    }
    watch.run().await;
    let row = watch.bench.shared.view.integration("one").await.unwrap().unwrap();
    let texts: Vec<_> = row.last_run.unwrap().drift.iter().map(Drift::text).collect();
    assert_eq!(texts, ["grants of db: lost WRITE"]);
    assert_eq!(watch.sent(EventType::ValidationFailed).await.len(), 1);
    // As it failed, its facts are not those that the next run is compared with.
    watch.shows.lock().unwrap().works = true;
    watch.run().await;
    let expected = "Since the last passing run, grants of db: lost WRITE.".to_owned();
    assert_eq!(watch.said("drift").await, Some(expected));
}
