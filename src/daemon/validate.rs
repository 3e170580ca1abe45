//! Validation of one integration, from the lease of the row to the committed result.

use std::future::poll_fn;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use tokio::time::{Instant, sleep, timeout};
use tokio_util::sync::CancellationToken;
use tracing::{error, warn};

use super::active::{Active, Watched};
use super::assemble::{Stored, parse_stored};
use super::health;
use super::shared::Shared;
use super::summary::Summary;
use crate::blocking;
use crate::domain::{
    Class, Finding, IntegrationId, Observed, Outcome, Redactor, Report, ReportStatus, Subject,
    Test, TestResult,
};
use crate::net::observe;
use crate::platforms::{LogIns, Mode, PLATFORMS, RunContext, Validated, Validator};
use crate::secrets;
use crate::store::{Began, Begun, Finished, Recorded, Site, StoreError, SubjectRun, Trigger};

/// Time after its limit at which a validation that does not end is stopped; less than the lease leaves
/// after two of them.
const LIMIT_MARGIN: Duration = Duration::from_secs(10);
/// Time between two tries to give the lease of a run back.
const STORE_PAUSE: Duration = Duration::from_secs(1);
/// Longest wait for the files that a previous configuration names.
const PARSE_TIMEOUT: Duration = Duration::from_secs(5);

/// Outcome of a look at a row that was due.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Step {
    /// It was validated, or there was nothing to do.
    Done,
    /// It stays due, and is not to be tried again at once.
    Deferred,
}

/// Reads the row of `id` and, if it is due, validates it and records the report; a run that is aborted
/// stays due.
pub(super) async fn step(
    shared: &Shared,
    id: IntegrationId,
    abort: &CancellationToken,
) -> Result<Step, StoreError> {
    let open = shared.reloading.read().await;
    let active = shared.active();
    let Some(watched) = active.watched.get(&id) else {
        return Ok(Step::Done);
    };
    let site = Site { host: &watched.host_name, most: active.limits.runs_per_host };
    let begun = match shared.store.begin_at(id, site, active.lease(), shared.clock.now()).await? {
        Began::Run(begun) => begun,
        Began::NotDue | Began::Running | Began::NotInUse => return Ok(Step::Done),
        Began::HostFull | Began::Waits => return Ok(Step::Deferred),
    };
    drop(open);
    validated(shared, &active, begun, abort).await.map(|()| Step::Done)
}

/// Validates a run that was begun, and records its report. One during which this node was not heard of for too long is
/// ended: others may begin it by then.
async fn validated(
    shared: &Shared,
    active: &Active,
    begun: Begun,
    abort: &CancellationToken,
) -> Result<(), StoreError> {
    let Some(watched) = active.watched.get(&begun.id) else { return Ok(()) };
    let started_at = shared.clock.now();
    let clock = Instant::now();
    let (runs, log_ins) = tokio::select! {
        biased;
        () = abort.cancelled() => return shared.store.give_back(begun).await,
        () = shared.store.unheard() => {
            warn!(integration = begun.name, "{}: the run is ended, since others may begin it", begun.name);
            return give_back(shared, begun, active.lease(), abort).await;
        }
        () = shared.health.cut_off() => return shared.store.give_back(begun).await,
        done = validate_all(shared, active, watched, &begun) => done,
    };
    let finished = Finished {
        begun,
        runs,
        started_at,
        duration: clock.elapsed(),
        policy: watched.policy,
        schedule: watched.schedule.clone(),
        node: shared.store.vantage(),
    };
    let summaries: Vec<_> = finished.runs.iter().map(|run| Summary::of(&finished, run)).collect();
    let Some(recorded) = record(shared, finished, active.lease(), abort).await? else {
        return Ok(());
    };
    let Some(summary) = summaries.into_iter().nth(index(&recorded)) else { return Ok(()) };
    summary.log(&recorded);
    summary.count(&shared.metrics, &recorded);
    match recorded {
        // Warnings and daemon faults are notified without a transition.
        Recorded::Stored { transition, .. } => {
            for run in &log_ins {
                run.stored();
            }
            if transition.is_some() || summary.result != ReportStatus::Passed {
                shared.wake_delivery();
            }
        }
        Recorded::Overtaken => shared.end_removals().await?,
    }
    Ok(())
}

/// Returns the place of the run that decided.
const fn index(recorded: &Recorded) -> usize {
    match recorded {
        Recorded::Stored { index, .. } => *index,
        Recorded::Overtaken => 0,
    }
}

/// Records a finished run; none when it could not be stored and is to be repeated.
async fn record(
    shared: &Shared,
    finished: Finished,
    lease: Duration,
    abort: &CancellationToken,
) -> Result<Option<Recorded>, StoreError> {
    let begun = finished.begun.clone();
    match shared.store.record(finished, shared.context(&shared.active())).await {
        Ok(recorded) => Ok(Some(recorded)),
        Err(StoreError::Stopped) => Err(StoreError::Stopped),
        Err(error) => {
            shared.store_failed("a run could not be stored and is repeated", &error);
            give_back(shared, begun, lease, abort).await.map(|()| None)
        }
    }
}

/// Gives the lease of a run that could not be stored back as soon as the store takes it, so that the run is
/// repeated then and not when the lease ends; gives up with the lease.
async fn give_back(
    shared: &Shared,
    begun: Begun,
    lease: Duration,
    abort: &CancellationToken,
) -> Result<(), StoreError> {
    let failed_at = Instant::now();
    loop {
        if abort.run_until_cancelled(sleep(STORE_PAUSE)).await.is_none() {
            return Ok(());
        }
        match shared.store.give_back(begun.clone()).await {
            Err(StoreError::Stopped) => return Err(StoreError::Stopped),
            Err(error) if failed_at.elapsed() < lease => {
                shared.store_failed("a lease could not be given back", &error);
            }
            Ok(()) | Err(_) => return Ok(()),
        }
    }
}

/// Validates the configurations that the status asks for; a candidate that passes ends it, since
/// the active configuration is then no longer of interest. Returns the log-ins of each run as well.
async fn validate_all(
    shared: &Shared,
    active: &Active,
    watched: &Watched,
    begun: &Begun,
) -> (Vec<SubjectRun>, Vec<LogIns>) {
    let mut runs = Vec::with_capacity(2);
    let mut all_log_ins = Vec::with_capacity(2);
    for &subject in begun.subjects() {
        if subject == Subject::Active && begun.active_config.is_none() && !runs.is_empty() {
            // It never passed, so there is no previous configuration to go on with.
            break;
        }
        let now = shared.clock.now();
        let text = match subject {
            Subject::Active => begun.active_config.as_deref().unwrap_or(&watched.config),
            Subject::Candidate => &watched.config,
        };
        let reader = format!("{} {}", begun.name, subject.as_str());
        let log_ins = LogIns::of(&shared.log_ins, &active.refused_pauses, now)
            .by(&reader, text)
            .asked((begun.trigger == Trigger::Request).then_some(begun.due_at));
        let (mut report, observed) = match validator_for(watched, begun, subject).await {
            Ok(validator) => {
                let context = RunContext {
                    name: begun.name.clone(),
                    mode: Mode::Recurring,
                    everyone: Arc::clone(&active.peers),
                    test_limit: active.limits.test,
                    run_limit: active.limits.run,
                    now,
                    redactor: Redactor::default(),
                    log_ins: log_ins.clone(),
                };
                guarded(validator, context, watched.catalog).await
            }
            Err(reason) => (nothing_ran(watched.catalog, &reason), Observed::default()),
        };
        let run = health::Run { host: &watched.host_name, started_at: now, observed: &observed };
        let own_fault = health::assess(shared, active, run, &mut report).await;
        // A new configuration may well be granted other things than the one before.
        let before = begun.fingerprint.as_ref().filter(|_| subject == Subject::Active);
        watched.checks.complete(&mut report, &observed, before, now);
        let is_good = matches!(report.status(), ReportStatus::Passed | ReportStatus::Warning);
        runs.push(SubjectRun { subject, report, observed, own_fault });
        all_log_ins.push(log_ins);
        // It may take more than one passing run until it is in force.
        let is_enough = watched.policy.recovery_runs.is_none_or(|runs| runs <= 1);
        if subject == Subject::Candidate && is_good && is_enough {
            break;
        }
    }
    (runs, all_log_ins)
}

/// Returns the validator of the configured integration, or, while an edit or a migration has failed, of
/// the previous configuration: from before a reload, or as the store kept it.
async fn validator_for(
    watched: &Watched,
    begun: &Begun,
    subject: Subject,
) -> Result<Arc<dyn Validator>, String> {
    let kept_apart = begun.subjects().len() > 1;
    if subject == Subject::Candidate || !kept_apart {
        return Ok(Arc::clone(&watched.validator));
    }
    let stored = begun.active_config.as_deref().unwrap_or_default();
    if let Some((_, validator)) = watched.earlier.iter().find(|(config, _)| config == stored) {
        return Ok(Arc::clone(validator));
    }
    let (kind, config) = (begun.kind.clone(), stored.to_owned());
    let auto_bootstrap = watched.auto_bootstrap;
    let parse = move || parse_stored(&kind, &config, auto_bootstrap, PLATFORMS);
    let key = format!("previous configuration of {}", begun.name);
    // That of a platform which is not known names no file that could hang.
    let is_known = PLATFORMS.iter().any(|platform| platform.kind == begun.kind);
    let parsed =
        if is_known { blocking::run(&key, PARSE_TIMEOUT, parse).await } else { Ok(parse()) };
    let parsed =
        parsed.map_err(|error| format!("The previous configuration cannot be read: {error}."))?;
    match parsed {
        Stored::Ready(validator) => Ok(Arc::from(validator)),
        Stored::SecretGone => Err("The previous configuration held a secret itself, which is \
            never stored, so it cannot be validated after a restart."
            .to_owned()),
        Stored::Unreadable(faults) => {
            let faults: Vec<_> = faults.iter().map(ToString::to_string).collect();
            Err(format!("The previous configuration cannot be read: {}.", faults.join("; ")))
        }
    }
}

/// Runs the validator so that a panic in it is an outcome like any other; so is a run that
/// exceeds its time limit. The observations of the run are returned with its report.
pub(super) async fn guarded(
    validator: Arc<dyn Validator>,
    context: RunContext,
    catalog: &'static [Test],
) -> (Report, Observed) {
    let limit = context.run_limit.saturating_add(LIMIT_MARGIN);
    let work = observe::observed(async { validator.validate(&context).await });
    let work = secrets::of_run(work);
    let nothing_ran = |message| (nothing_ran(catalog, message), Observed::default());
    match timeout(limit, caught(work)).await {
        Ok(Some((Validated { report, mut observed }, by_net))) => {
            observed.merge(by_net);
            (report, observed)
        }
        Err(_elapsed) => {
            error!("a validation did not end within its limit and was stopped");
            let message = "The validation did not end within its limit because of a fault in \
                revalidated.";
            nothing_ran(message)
        }
        Ok(None) => {
            error!("a validation stopped with a panic");
            let message = "The validation stopped because of a fault in revalidated.";
            nothing_ran(message)
        }
    }
}

/// Runs `work`; none when it panics. Nothing of it is used after that.
async fn caught<T>(work: impl Future<Output = T>) -> Option<T> {
    let mut work = pin!(work);
    poll_fn(|task| {
        let polled = catch_unwind(AssertUnwindSafe(|| work.as_mut().poll(task)));
        polled.map_or(Poll::Ready(None), |polled| polled.map(Some))
    })
    .await
}

/// Returns a report that says nothing about the platform: the first test fails by a fault of the daemon, the
/// others are skipped.
pub(super) fn nothing_ran(catalog: &'static [Test], reason: &str) -> Report {
    let outcome = |place| match place {
        0 => Outcome::Failed(Finding::new(Class::Local, reason)),
        _ => Outcome::Skipped(format!("Not run. {reason}")),
    };
    let tests = catalog.iter().enumerate();
    Report {
        tests: tests.map(|(place, &test)| TestResult { test, outcome: outcome(place) }).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::platforms::testing::context;
    use crate::platforms::{BoxFuture, Identity};

    const CATALOG: &[Test] = &[Test::always("first", ""), Test::always("second", "")];

    /// Behaviour that no validator should have.
    #[derive(Debug)]
    enum Faulty {
        Panics,
        PanicsLater,
        Hangs,
    }

    impl Validator for Faulty {
        fn identity(&self) -> Identity {
            Identity::default()
        }

        fn validate<'a>(&'a self, _run: &'a RunContext) -> BoxFuture<'a, Validated> {
            match self {
                Self::Panics => panic!("at once"),
                Self::PanicsLater => Box::pin(async {
                    tokio::task::yield_now().await;
                    panic!("on its way")
                }),
                Self::Hangs => Box::pin(std::future::pending()),
            }
        }
    }

    #[tokio::test(start_paused = true)]
    async fn defect_of_a_validator_is_a_local_failure() {
        let table = [
            (Faulty::Panics, "The validation stopped because"),
            (Faulty::PanicsLater, "The validation stopped because"),
            (Faulty::Hangs, "The validation did not end within its limit because"),
        ];
        for (faulty, start) in table {
            let (report, observed) =
                guarded(Arc::new(faulty), context(Mode::Recurring), CATALOG).await;
            assert_eq!((report.class(), observed), (Some(Class::Local), Observed::default()));
            let message = report.tests[0].outcome.message().unwrap();
            assert!(message.starts_with(start), "{message}");
            assert_eq!(report.tests[1].outcome.status(), ReportStatus::Skipped);
        }
    }
}
