//! Runs that a person asked for, with their results.

use serde::Serialize;

use super::run::Run;
use crate::domain::{ReportStatus, Status, Timestamp};
use crate::store::{Requested, RunRow};

/// Run that a person asked for, as it is then.
#[derive(Clone, Debug)]
pub(crate) struct RequestedRun {
    /// Name of the integration.
    pub(crate) name: String,
    /// Published name of its platform.
    pub(crate) kind: String,
    /// Status of the integration, after the run when it has ended.
    pub(crate) status: Status,
    /// Result of asking for it.
    pub(crate) requested: Requested,
    /// Instant of the request.
    pub(crate) at: Timestamp,
    /// Runs that answer the request, one for each configuration that was validated; none until they are
    /// stored.
    pub(crate) runs: Vec<RunRow>,
}

impl RequestedRun {
    /// Returns true when there are results and all of them passed, warnings allowed.
    pub(crate) fn has_passed(&self) -> bool {
        let is_good = |run: &RunRow| match run.status {
            ReportStatus::Passed | ReportStatus::Warning => true,
            ReportStatus::Failed | ReportStatus::Skipped => false,
        };
        !self.runs.is_empty() && self.runs.iter().all(is_good)
    }
}

/// Run that a person asked for, as programs get it.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub(crate) struct Revalidated<'a> {
    name: &'a str,
    #[serde(rename = "type")]
    kind: &'a str,
    status: Status,
    requested_at: Timestamp,
    state: RequestState,
    /// True when all runs passed; null while there are none.
    passed: Option<bool>,
    runs: Vec<Run<'a>>,
}

/// State of a request.
#[derive(Clone, Copy, Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
enum RequestState {
    /// The run is due.
    Due,
    /// The run follows one that is under way.
    AfterRun,
    /// Nothing runs in the status that the integration has.
    NotValidated,
    /// The results are stored.
    Done,
}

impl<'a> From<&'a RequestedRun> for Revalidated<'a> {
    fn from(run: &'a RequestedRun) -> Self {
        let RequestedRun { name, kind, status, requested, at, runs } = run;
        let state = match requested {
            Requested::NotValidated(_) => RequestState::NotValidated,
            Requested::Due | Requested::AfterRun if !runs.is_empty() => RequestState::Done,
            Requested::Due => RequestState::Due,
            Requested::AfterRun => RequestState::AfterRun,
        };
        Self {
            name,
            kind,
            status: *status,
            requested_at: *at,
            state,
            passed: (!runs.is_empty()).then(|| run.has_passed()),
            runs: runs.iter().map(|run| Run::from(run).with_results(run)).collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::view::samples;

    #[test]
    fn request_has_passed_only_when_every_run_has() {
        let passed = RunRow { status: ReportStatus::Passed, ..samples::run() };
        let warned = RunRow { status: ReportStatus::Warning, ..samples::run() };
        let table = [
            (vec![], "due", None),
            (vec![passed.clone()], "done", Some(true)),
            (vec![passed.clone(), warned], "done", Some(true)),
            (vec![passed, samples::run()], "done", Some(false)),
        ];
        for (runs, state, expected) in table {
            let run = RequestedRun { runs, ..samples::requested() };
            let json = serde_json::to_value(Revalidated::from(&run)).unwrap();
            assert_eq!((&json["state"], &json["passed"]), (&state.into(), &expected.into()));
            assert_eq!(run.has_passed(), expected == Some(true));
        }
    }

    #[test]
    fn state_says_what_is_waited_for() {
        let state = |requested| {
            let run = RequestedRun { requested, ..samples::requested() };
            serde_json::to_value(Revalidated::from(&run)).unwrap()["state"].clone()
        };
        assert_eq!(state(Requested::AfterRun), "afterRun");
        assert_eq!(state(Requested::NotValidated(Status::Disabled)), "notValidated");
    }
}
