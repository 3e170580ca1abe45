//! Hand-made rows for tests of this floor and those above, with hostile text where others write.

use std::time::Duration;

use super::explanation::Explanation;
use super::failing::FailingRow;
pub(crate) use super::grant_samples::grants;
pub(crate) use super::message_samples::{deliveries, notices, receivers};
pub(crate) use super::report_samples::{monthly, timeline, timelines};
use super::request::RequestedRun;
use super::situation::Situation;
use super::validation::Validated;
use crate::domain::{
    Cause, Class, Counters, Drift, Evidence, FactKind, Factor, FactorKind, Finding, Flips,
    IntegrationId, Look, NodeIdentity, Outcome, OwnFault, Past, Policy, Report, ReportStatus,
    RunId, Schedule, Selection, SharedCause, Siblings, Sight, Status, Subject, Test, TestResult,
    Timestamp,
};
use crate::platforms::{AutoBootstrap, Platform};
use crate::store::{
    Act, AuditRow, Backup, BrokenRule, CandidateRow, Condition, Contents, IntegrationRow,
    KnownNode, MuteRow, NodeRow, OutageRow, OwnFaultRow, ProcessId, Requested, RestorePlan, RunRow,
    SilenceRow, Space, StatusRow, StoredReport, TableSize, TargetRow, Took, TransitionRow, Trigger,
};

const TESTS: &[Test] =
    &[Test::always("Connect to host", ""), Test::preflight("Role does not exist", "")];

pub(crate) fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

/// Present of the samples.
pub(crate) fn now() -> Timestamp {
    at("2026-11-23T10:00:00Z")
}

pub(crate) fn report() -> Report {
    let result = |name, outcome| TestResult { test: Test::always(name, ""), outcome };
    let finding = Finding::new(Class::Unreachable, "Unable\nto connect to host.")
        .fix("Open port 5439.")
        .because("refused\u{1b}[31m");
    Report {
        tests: vec![
            result("Host is given", Outcome::Passed(None)),
            result("Connect to host", Outcome::Failed(finding)),
            result("Create role", Outcome::Skipped("Not run.".to_owned())),
        ],
    }
}

pub(crate) fn validated() -> Validated {
    Validated {
        name: "lake".to_owned(),
        kind: "Redshift",
        report: report(),
        duration: Duration::from_millis(812),
    }
}

pub(crate) fn run() -> RunRow {
    RunRow {
        id: RunId(912),
        subject: Subject::Active,
        trigger: Trigger::Confirm,
        started_at: at("2026-11-23T09:56:40Z"),
        duration: Duration::from_millis(812),
        status: ReportStatus::Failed,
        class: Some(Class::Unreachable),
        rule: "a transient failure \u{9b}".to_owned(),
        report: StoredReport::from(&report()),
        drift: vec![Drift {
            kind: FactKind::ServerVersion,
            of: "h".to_owned(),
            lost: vec!["1.2\u{9b}".to_owned()],
            gained: vec!["1.3".to_owned()],
        }],
        took: Took([Some(3), Some(809), None].map(|ms| ms.map(Duration::from_millis)).to_vec()),
        evidence: evidence().weighed(&Policy::default()),
    }
}

fn look(text: &str, class: Class) -> Look {
    Look { at: at(text), seen: Sight::Failed { class, is_certain: true }, node: None }
}

/// Three looks at what cannot be reached, and siblings.
fn evidence() -> Evidence {
    let looks = ["2026-11-23T08:00:00Z", "2026-11-23T08:00:30Z", "2026-11-23T08:02:00Z"];
    let factor = Factor { kind: FactorKind::Host, value: "db\u{1b}".to_owned() };
    let siblings = Sight::Siblings(Siblings { factor, failing: 3 });
    let siblings = Look { at: at("2026-11-23T08:02:00Z"), seen: siblings, node: None };
    let looks = looks.iter().map(|at| look(at, Class::Unreachable)).chain([siblings]).collect();
    let counters = Counters { failures: 3, passes: 0 };
    Evidence { counters, looks, is_failing: true, past: Past::Usual }
}

pub(crate) fn integration() -> IntegrationRow {
    IntegrationRow {
        id: IntegrationId(5),
        name: "lake".to_owned(),
        kind: "Redshift".to_owned(),
        auto_bootstrap: Some(true),
        labels: [("team".to_owned(), "data".to_owned())].into(),
        status: Status::RecurringValidationError,
        pending: None,
        first_failure_at: Some(at("2026-11-23T08:00:00Z")),
        candidate: None,
        config_shown: r#"{"host":"h\u001b[31m","okta":{"password":"[REDACTED]"},"port":5439}"#
            .to_owned(),
        cron: "*/15 * * * *".to_owned(),
        zone: "Europe/Berlin".to_owned(),
        next_run_at: Some(at("2026-11-23T10:05:00Z")),
        trigger: Trigger::Confirm,
        lease_until: None,
        evidence: evidence(),
        sequence: 17,
        incident_id: Some("inc-1".to_owned()),
        incident_since: Some(at("2026-11-23T08:00:00Z")),
        last_run: Some(run()),
        notified: Status::RecurringValidationError,
        mute: None,
        flips: Flips::default(),
        flapping_since: None,
        flapping_until: None,
        outage_id: None,
        own_fault: None,
        expires: Some((at("2026-12-03T10:00:00Z"), "the token ci\u{9b}".to_owned())),
        fingerprint_at: Some(at("2026-11-23T07:45:00Z")),
    }
}

/// An integration whose edit has failed.
pub(crate) fn edited() -> IntegrationRow {
    let passing = RunRow { status: ReportStatus::Passed, class: None, drift: Vec::new(), ..run() };
    let failing = RunRow {
        id: RunId(911),
        subject: Subject::Candidate,
        rule: "a definitive failure (denied) counts at once".to_owned(),
        drift: Vec::new(),
        ..run()
    };
    IntegrationRow {
        status: Status::EditError,
        pending: Some(Status::EditError),
        first_failure_at: None,
        incident_since: Some(at("2026-11-23T09:00:00Z")),
        evidence: Evidence { counters: Counters { failures: 0, passes: 7 }, ..Evidence::default() },
        last_run: Some(passing),
        candidate: Some(CandidateRow {
            config_shown: r#"{"host":"other"}"#.to_owned(),
            last_run: Some(failing),
            evidence: Evidence {
                counters: Counters { failures: 2, passes: 0 },
                looks: vec![look("2026-11-23T09:00:00Z", Class::Denied)],
                is_failing: true,
                ..Evidence::default()
            },
            failing_since: Some(at("2026-11-23T09:00:00Z")),
        }),
        notified: Status::EditError,
        ..integration()
    }
}

pub(crate) fn target() -> TargetRow {
    let IntegrationRow { id, name, kind, labels, .. } = integration();
    TargetRow { id, name, kind, labels }
}

/// The integration of [`integration`] as lists of thousands show it.
pub(crate) fn status() -> StatusRow {
    StatusRow::from(&integration())
}

/// An integration in trouble of every kind.
pub(crate) fn troubled() -> (IntegrationRow, Situation) {
    let factor = |value: &str| Factor { kind: FactorKind::Host, value: value.to_owned() };
    let hold = |by: &str, until| MuteRow { by: by.to_owned(), until: at(until) };
    let silence = hold("silence 3", "2026-11-23T12:00:00Z");
    let row = IntegrationRow {
        notified: Status::Enabled,
        mute: Some(silence.clone()),
        flips: Flips(vec![at("2026-11-23T03:00:00Z"), at("2026-11-23T09:00:00Z")]),
        flapping_since: Some(at("2026-11-23T09:00:00Z")),
        flapping_until: Some(at("2026-11-23T10:20:00Z")),
        outage_id: Some("out_1".to_owned()),
        own_fault: Some(OwnFault::Network),
        ..integration()
    };
    let since = at("2026-11-23T08:00:00Z");
    let situation = Situation {
        mutes: vec![silence, hold("flapping", "2026-11-23T10:20:00Z")],
        acknowledgement: None,
        policy: Some(Policy::default()),
        outage: Some(OutageRow {
            id: "out_1".to_owned(),
            factor: factor("db\u{1b}"),
            cause: SharedCause::Unreached,
            since,
            ended_at: None,
            members: 4,
        }),
        factors: vec![(factor("db\u{1b}"), 3), (factor("alone"), 0)],
    };
    (row, situation)
}

pub(crate) fn faults() -> [OwnFaultRow; 1] {
    let (since, message) = (at("2026-11-23T09:00:00Z"), "no canary answers\u{1b}.".to_owned());
    [OwnFaultRow { fault: OwnFault::Network, since, message, node: None }]
}

pub(crate) fn transitions() -> [TransitionRow; 2] {
    let flipped = TransitionRow {
        id: 40,
        from: Some(Status::Enabled),
        to: Status::RecurringValidationError,
        cause: Some(Cause::ActiveFailed),
        at: at("2026-11-23T09:56:40Z"),
        run: Some(RunId(912)),
        incident_id: Some("inc-1".to_owned()),
    };
    let created = TransitionRow {
        id: 1,
        from: None,
        to: Status::Creating,
        cause: None,
        at: at("2026-11-23T06:00:00Z"),
        run: None,
        incident_id: None,
    };
    [flipped, created]
}

pub(crate) fn platform(kind: &'static str) -> Platform {
    Platform {
        kind,
        version: 1,
        catalog: TESTS,
        grants: &[],
        auto_bootstrap: AutoBootstrap::Any,
        operations: &[],
        sample: "",
        parse: |_, _| None,
    }
}

pub(crate) fn explanation() -> Explanation {
    let row = integration();
    let schedule = Schedule::parse(&row.cron, &row.zone).ok();
    let (runs, situation) = (vec![run()], Situation::default());
    Explanation { row, runs, situation, faults: Vec::new(), schedule }
}

/// Entries of the audit trail, the latest first.
pub(crate) fn audit() -> [AuditRow; 2] {
    let made = AuditRow {
        id: 1,
        at: at("2026-11-23T09:00:00Z"),
        act: Act::Silence,
        author: "anna".to_owned(),
        target: "3: types Trino".to_owned(),
        comment: "moving\u{1b}, \"today\"".to_owned(),
    };
    let ended = AuditRow {
        id: 2,
        at: at("2026-11-23T09:30:00Z"),
        act: Act::EndSilence,
        author: "bert".to_owned(),
        comment: String::new(),
        ..made.clone()
    };
    [ended, made]
}

/// Nodes of a database: one is alive, one is gone.
pub(crate) fn nodes() -> [KnownNode; 2] {
    let labels = [("region".to_owned(), "eu".to_owned())].into();
    let alive = KnownNode {
        identity: NodeIdentity { name: "a".to_owned(), labels },
        version: Some("0.1.0".to_owned()),
        address: Some("10.0.0.5".to_owned()),
        is_alive: Some(true),
        generation: Some(12),
        waits_for: None,
        drain: None,
        row: NodeRow {
            process: Some(ProcessId { pid: 812, born: 1 }),
            started_at: Some(at("2026-11-23T09:00:00Z")),
            seen_at: Some(at("2026-11-23T09:59:58Z")),
            ..NodeRow::default()
        },
    };
    let row = NodeRow {
        started_at: Some(at("2026-11-22T10:00:00Z")),
        seen_at: Some(at("2026-11-23T09:00:00Z")),
        ..alive.row.clone()
    };
    let gone = KnownNode {
        identity: NodeIdentity { name: "b\u{1b}".to_owned(), ..NodeIdentity::default() },
        version: None,
        address: Some("10.0.0.6".to_owned()),
        is_alive: Some(false),
        generation: None,
        waits_for: None,
        drain: None,
        row,
    };
    [alive, gone]
}

/// A backup in a folder, for which an older one was deleted.
pub(crate) fn backup() -> Backup {
    let rows = [("event", 12_000), ("run", 345)].map(|(table, rows)| (table.to_owned(), rows));
    let epoch = "1a2b3c4d-0000".to_owned();
    Backup {
        path: "/b/state-20261123T100000Z-1a2b3c4d.db".into(),
        bytes: 1_572_864,
        contents: Contents { schema: 17, epoch, rows: rows.into() },
        removed: vec!["/b/state-old.db".into()],
    }
}

/// A condition of a database with a broken rule.
pub(crate) fn condition() -> Condition {
    let table = |name: &str, bytes| TableSize { name: name.to_owned(), bytes };
    Condition {
        damage: Vec::new(),
        broken: vec![BrokenRule { rule: "the latest status change ends at the status", rows: 2 }],
        contents: Some(backup().contents),
        tables: vec![table("event", 1_048_576), table("run", 8192)],
        space: Space { bytes: 1_572_864, free_bytes: 524_288, log_bytes: 4096 },
        oldest_at: Some(at("2026-11-23T09:00:00Z")),
    }
}

/// A restore of that backup in place of a database.
pub(crate) fn restore() -> RestorePlan {
    RestorePlan {
        from: "/b/state.db".into(),
        store: "/s/state.db".into(),
        aside: Some("/s/state.db.before-restore-20261123T100000Z".into()),
        contents: backup().contents,
        epoch: "9f8e7d6c-0000".to_owned(),
        latest_at: Some(at("2026-11-23T09:00:00Z")),
        pending: vec![("chat".to_owned(), 7), ("on-\u{1b}call".to_owned(), 30)],
    }
}

/// A run that was asked for and has not begun.
pub(crate) fn requested() -> RequestedRun {
    let IntegrationRow { name, kind, status, .. } = integration();
    let requested = Requested::Due;
    RequestedRun { name, kind, status, requested, at: now(), runs: Vec::new() }
}

/// An integration that fails, on which a person works.
pub(crate) fn failing() -> FailingRow {
    let [_, acknowledgement, ..] = silences();
    FailingRow {
        row: integration(),
        notices: notices().into(),
        outage: None,
        acknowledgement: Some(acknowledgement),
    }
}

pub(crate) fn silences() -> [SilenceRow; 4] {
    let silence = |id, selection| SilenceRow {
        id,
        acknowledged: None,
        selection,
        author: "anna".to_owned(),
        comment: String::new(),
        created_at: at("2026-11-23T09:00:00Z"),
        from: at("2026-11-23T09:00:00Z"),
        until: at("2026-11-23T12:00:00Z"),
        ended_at: None,
    };
    let lakes = Selection {
        integrations: vec!["la*".to_owned()],
        labels: [("team".to_owned(), "data".to_owned())].into(),
        ..Selection::default()
    };
    let trino = Selection { types: vec!["Trino".to_owned()], ..Selection::default() };
    let acknowledged = Some((IntegrationId(5), "lake".to_owned()));
    let comment = "moving\u{1b}".to_owned();
    let ended_at = Some(at("2026-11-23T09:30:00Z"));
    [
        SilenceRow { comment, ..silence(1, lakes) },
        SilenceRow { acknowledged, ..silence(2, Selection::default()) },
        SilenceRow { ended_at, ..silence(3, trino) },
        SilenceRow { until: at("2026-11-23T09:59:00Z"), ..silence(4, Selection::default()) },
    ]
}
