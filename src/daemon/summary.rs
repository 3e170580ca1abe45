//! Summary of a run: its line in the log, and what metrics count of it.

use std::time::Duration;

use tracing::{info, warn};

use crate::domain::{Class, Report, ReportStatus, Status, Transition};
use crate::http::{Metrics, Outcome as Ran};
use crate::store::{Finished, Recorded, SubjectRun};

/// Log line of a run.
pub(super) struct Summary {
    integration: String,
    platform: String,
    pub(super) result: ReportStatus,
    class: Option<Class>,
    message: Option<String>,
    duration_ms: u64,
    late_ms: u64,
    /// True when nothing was sent, because what was refused before has not changed.
    is_repeat: bool,
}

impl Summary {
    pub(super) fn of(finished: &Finished, run: &SubjectRun) -> Self {
        let report = &run.report;
        let result = report.status();
        let first = |report: &Report| {
            let tests = report.tests.iter();
            let wrong = tests.map(|test| &test.outcome).find(|outcome| outcome.finding().is_some());
            wrong.and_then(|outcome| outcome.message().map(str::to_owned))
        };
        let millis = |time: Duration| u64::try_from(time.as_millis()).unwrap_or(u64::MAX);
        Self {
            integration: finished.begun.name.clone(),
            platform: finished.begun.kind.clone(),
            result,
            class: report.class(),
            message: first(report),
            duration_ms: millis(finished.duration),
            late_ms: millis(finished.started_at.since(finished.begun.due_at)),
            is_repeat: run.observed.is_repeat,
        }
    }

    pub(super) fn count(&self, metrics: &Metrics, recorded: &Recorded) {
        if matches!(recorded, Recorded::Stored { .. }) {
            let asked = Some(()).filter(|()| !self.is_repeat);
            metrics.ran(Ran {
                result: asked.map_or(ReportStatus::Skipped, |()| self.result),
                class: asked.and(self.class),
                duration: Duration::from_millis(self.duration_ms),
                lateness: Duration::from_millis(self.late_ms),
            });
        }
    }

    pub(super) fn log(&self, recorded: &Recorded) {
        let Self { integration, platform, result, message, duration_ms, late_ms, .. } = self;
        let outcome = match message {
            Some(message) => format!("{}: {message}", result.as_str()),
            None => result.as_str().to_owned(),
        };
        let (run, verdict, rule, transition, next_run_at) = match recorded {
            Recorded::Stored { run, verdict, rule, transition, next_run_at, .. } => {
                let next = next_run_at.map_or_else(|| "never".to_owned(), |at| at.to_string());
                (run.0, verdict.as_str(), rule, transition, next)
            }
            Recorded::Overtaken => {
                info!(
                    integration,
                    platform, "{integration}: a change overtook the run, its result is dropped"
                );
                return;
            }
        };
        match result {
            ReportStatus::Passed | ReportStatus::Warning => info!(
                integration,
                platform,
                run,
                duration_ms,
                late_ms,
                next_run_at,
                result = result.as_str(),
                "{integration}: validation {outcome}"
            ),
            ReportStatus::Failed | ReportStatus::Skipped => warn!(
                integration,
                platform,
                run,
                duration_ms,
                late_ms,
                next_run_at,
                result = result.as_str(),
                verdict,
                rule,
                "{integration}: validation {outcome}"
            ),
        }
        match transition {
            Some(Transition { from, to: Status::Enabled, .. }) => {
                let to = Status::Enabled;
                info!(integration, platform, run, %from, %to, "{integration}: {from} -> {to}");
            }
            Some(Transition { from, to, .. }) => {
                warn!(integration, platform, run, %from, %to, "{integration}: {from} -> {to}");
            }
            None => (),
        }
    }
}
