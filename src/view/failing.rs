//! Integrations that fail: why, since when, who was notified of it, and who works on it.

use serde::Serialize;

use super::integration::Acknowledgement;
use super::notifications::{Mute, Outage};
use super::situation::{acknowledgement, open_silences};
use crate::domain::{Class, Drift, ReportStatus, Status, Timestamp};
use crate::store::{
    DeliveryState, IntegrationRow, NoticeRow, NoticeState, OutageRow, RunRow, SilenceRow,
    StatusRow, StoreError, StoredTest, View,
};

/// The most failing integrations whose details are read.
const DETAILED_MAX: usize = 100;

/// Evidence about an integration that fails.
#[derive(Debug)]
pub(crate) struct FailingRow {
    /// Integration in an error status.
    pub(crate) row: IntegrationRow,
    /// Receivers of its incident, or of the outage that it belongs to.
    pub(crate) notices: Vec<NoticeRow>,
    /// Outage that its failure belongs to.
    pub(crate) outage: Option<OutageRow>,
    /// Acknowledgement of its failure that is open.
    pub(crate) acknowledgement: Option<SilenceRow>,
}

impl FailingRow {
    /// Reads the evidence about those of `statuses` that fail: those that are not acknowledged first, then the
    /// latest; at most a number of them.
    ///
    /// # Errors
    ///
    /// Fails when the store cannot be read.
    pub(crate) async fn read(
        view: &View,
        statuses: &[StatusRow],
        now: Timestamp,
    ) -> Result<Vec<Self>, StoreError> {
        let open = open_silences(view, now).await?;
        let mut all = Vec::new();
        let failing = statuses.iter().filter(|row| row.status.is_error());
        for status in failing.take(DETAILED_MAX) {
            let Some(row) = view.integration(&status.name).await? else { continue };
            if !row.status.is_error() {
                continue;
            }
            let mut notices = Vec::new();
            for incident in row.incident_id.iter().chain(&row.outage_id) {
                notices.extend(view.notices(incident).await?);
            }
            let outage = match &row.outage_id {
                Some(id) => view.outage(id).await?,
                None => None,
            };
            let acknowledgement = acknowledgement(&open, row.id).cloned();
            all.push(Self { row, notices, outage, acknowledgement });
        }
        all.sort_by_key(|one| {
            let since = one.row.failing_since().map_or(i64::MIN, |at| at.0);
            (one.acknowledgement.is_some(), std::cmp::Reverse(since))
        });
        Ok(all)
    }

    /// Returns the run of the configuration whose failure led to the status.
    pub(crate) fn run(&self) -> Option<&RunRow> {
        let is_beside = matches!(self.row.status, Status::EditError | Status::MigrateError);
        let candidate = self.row.candidate.as_ref().filter(|_| is_beside);
        match candidate {
            Some(candidate) => candidate.last_run.as_ref(),
            None => self.row.last_run.as_ref(),
        }
    }

    /// Returns the tests of that run that failed; those that only warned when none did.
    pub(crate) fn problems(&self) -> Vec<&StoredTest> {
        let of = |status| {
            let tests = self.run().map_or(&[][..], |run| &run.report.tests).iter();
            tests.filter(|test| test.status == status).collect::<Vec<_>>()
        };
        let failed = of(ReportStatus::Failed);
        if failed.is_empty() { of(ReportStatus::Warning) } else { failed }
    }
}

/// An integration that fails, or could not be brought to its configuration.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub(crate) struct Failing<'a> {
    /// Name of the integration.
    pub(crate) name: &'a str,
    /// Status of the integration.
    pub(crate) status: Status,
    /// Details of the failure; none of those beyond a hundred.
    pub(crate) details: Option<Details<'a>>,
}

/// Details of a failure.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub(crate) struct Details<'a> {
    #[serde(rename = "type")]
    kind: &'a str,
    since: Option<Timestamp>,
    problems: Vec<FailedTest<'a>>,
    drift: &'a [Drift],
    outage: Option<Outage<'a>>,
    notified: Vec<Notified<'a>>,
    muted: Option<Mute<'a>>,
    acknowledgement: Option<Acknowledgement<'a>>,
    next_run_at: Option<Timestamp>,
}

/// Test that failed, and the way to repair it.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
struct FailedTest<'a> {
    test: &'a str,
    message: Option<&'a str>,
    class: Option<Class>,
    remediation: Option<&'a str>,
}

/// Receiver of the incident.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
struct Notified<'a> {
    receiver: &'a str,
    state: Notice,
    at: Option<Timestamp>,
}

/// Notification of an incident, for one receiver.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub(crate) enum Notice {
    /// The receiver has taken it.
    Delivered,
    /// It is tried, or waits for another one.
    Pending,
    /// Every attempt failed: the receiver knows nothing.
    Dead,
    /// The receiver waits for its time (`after`, `hours`).
    Waiting,
}

impl From<&NoticeRow> for Notice {
    fn from(row: &NoticeRow) -> Self {
        match (row.state, row.delivery) {
            (NoticeState::Waiting, _) => Self::Waiting,
            (NoticeState::Dead, _) | (NoticeState::Sent, Some(DeliveryState::Failed)) => Self::Dead,
            (NoticeState::Sent, Some(DeliveryState::Pending)) => Self::Pending,
            // A delivery that is no longer kept ended long ago.
            (NoticeState::Sent, Some(DeliveryState::Delivered) | None) => Self::Delivered,
        }
    }
}

impl<'a> From<&'a FailingRow> for Details<'a> {
    fn from(failing: &'a FailingRow) -> Self {
        let FailingRow { row, notices, outage, acknowledgement } = failing;
        let problem = |test: &'a StoredTest| FailedTest {
            test: &test.name,
            message: test.message.as_deref(),
            class: test.class,
            remediation: test.remediation.as_deref(),
        };
        let notified = |notice: &'a NoticeRow| {
            let at = notice.ended_at.or(notice.due_at);
            Notified { receiver: &notice.receiver, state: notice.into(), at }
        };
        Self {
            kind: &row.kind,
            since: row.failing_since(),
            problems: failing.problems().into_iter().map(problem).collect(),
            drift: failing.run().map_or(&[][..], |run| &run.drift),
            outage: outage.as_ref().map(Outage::from),
            notified: notices.iter().map(notified).collect(),
            muted: row.mute.as_ref().map(Mute::from),
            acknowledgement: acknowledgement.as_ref().map(Acknowledgement::from),
            next_run_at: row.next_run_at,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::view::samples;

    #[test]
    fn cause_repair_receivers_and_acknowledgement_are_shown() {
        let failing = samples::failing();
        let json = serde_json::to_value(Details::from(&failing)).unwrap();
        let expected = serde_json::json!({
            "type": "Redshift", "since": "2026-11-23T08:00:00Z",
            "problems": [{
                "test": "Connect to host", "message": "Unable\nto connect to host.",
                "class": "unreachable", "remediation": "Open port 5439.",
            }],
            "drift": json["drift"], "outage": null,
            "notified": [
                { "receiver": "audit", "state": "pending", "at": "2026-11-23T10:00:30Z" },
                { "receiver": "night", "state": "waiting", "at": "2026-11-23T10:15:00Z" },
                { "receiver": "on-call", "state": "delivered", "at": "2026-11-23T08:00:10Z" },
            ],
            "muted": null,
            "acknowledgement": json["acknowledgement"],
            "nextRunAt": "2026-11-23T10:05:00Z",
        });
        assert_eq!(json, expected);
        assert_eq!(json["acknowledgement"]["author"], "anna");
        assert_eq!(json["drift"][0]["gained"], serde_json::json!(["1.3"]));
    }

    #[test]
    fn failed_edit_is_explained_by_the_new_configuration() {
        let failing = FailingRow { row: samples::edited(), ..samples::failing() };
        assert_eq!(failing.run().map(|run| run.id), Some(crate::domain::RunId(911)));
        let json = serde_json::to_value(Details::from(&failing)).unwrap();
        assert_eq!(json["since"], "2026-11-23T09:00:00Z");
    }

    #[test]
    fn each_state_of_a_notification_has_a_name() {
        use DeliveryState::{Delivered, Failed, Pending};
        let state = |state, delivery| {
            let [row, ..] = samples::notices();
            Notice::from(&NoticeRow { state, delivery, ..row })
        };
        let table = [
            (NoticeState::Sent, Some(Delivered), Notice::Delivered),
            (NoticeState::Sent, None, Notice::Delivered),
            (NoticeState::Sent, Some(Pending), Notice::Pending),
            (NoticeState::Sent, Some(Failed), Notice::Dead),
            (NoticeState::Dead, Some(Delivered), Notice::Dead),
            (NoticeState::Waiting, None, Notice::Waiting),
        ];
        for (known, delivery, expected) in table {
            assert_eq!(state(known, delivery), expected, "{known:?} {delivery:?}");
        }
    }
}
