//! Fleets of integrations for the overview: forty-one as a person runs them, and thousands.

use std::time::Duration;

use crate::daemon::BackupState;
use crate::domain::{
    Class, Factor, FactorKind, IntegrationId, Maintenance, ReportStatus, Schedule, Selection as Of,
    Status,
};
use crate::page::overview::{Reads, Selection};
use crate::page::strip::samples::marks;
use crate::store::{
    Attributed, ExpiryRow, Mark, SharingRow, SilenceRow, StatusRow, TargetRow, TransitionRow,
};
use crate::view::{FailingRow, samples};

/// Integrations with everything that the overview reads of them.
pub(super) struct Fleet {
    pub(super) rows: Vec<StatusRow>,
    pub(super) silences: Vec<SilenceRow>,
    pub(super) maintenance: Vec<Maintenance>,
    strips: Vec<String>,
}

const NAMES: &[(&str, &[&str])] = &[
    (
        "Native S3",
        &[
            "demo-customers",
            "demo-invoices",
            "demo-orders",
            "lake-curated",
            "lake-governed",
            "lake-landing",
            "ml-features",
            "raw-clicks",
            "raw-events",
            "raw-orders",
            "raw-users",
        ],
    ),
    ("Azure Synapse Analytics", &["syn-finance", "syn-reporting", "syn-sandbox"]),
    ("Databricks", &["uc-finance", "uc-marketing", "uc-ml", "uc-prod", "uc-stage", "uc-test"]),
    ("Google BigQuery", &["bq-ads", "bq-core", "bq-eu", "bq-lab"]),
    ("Redshift", &["redshift-legacy", "redshift-prod", "redshift-stage", "redshift-us"]),
    (
        "Snowflake",
        &[
            "snow-analytics",
            "snow-eu",
            "snow-finance",
            "snow-hr",
            "snow-lab",
            "snow-marketing",
            "snow-ops",
            "snow-risk",
            "snow-test",
            "snow-us",
        ],
    ),
    ("Trino", &["trino-adhoc", "trino-bi", "trino-etl"]),
];

fn mark(status: ReportStatus, class: Option<Class>) -> Mark {
    let base = marks("p").remove(0);
    Mark { status, class, ..base }
}

fn row(number: usize, name: &str, kind: &str) -> StatusRow {
    let now = samples::now();
    let minutes = u64::try_from(number % 13 + 1).unwrap();
    StatusRow {
        id: IntegrationId(i64::try_from(number).unwrap()),
        name: name.to_owned(),
        kind: kind.to_owned(),
        labels: [("team".to_owned(), ["data", "fin"][number % 2].to_owned())].into(),
        status: Status::Enabled,
        last_run: Some(mark(ReportStatus::Passed, None)),
        failing_since: None,
        last_passed_at: Some(now.minus(Duration::from_mins(minutes))),
        next_run_at: Some(now.plus(Duration::from_mins(minutes / 2 + 1))),
        lease_until: None,
        expires: None,
        is_muted: false,
        is_flapping: false,
        outage_id: None,
    }
}

impl Fleet {
    /// Forty-one integrations, six of which fail by four causes.
    pub(super) fn of_forty() -> Self {
        let (mut rows, mut number) = (Vec::new(), 0);
        for (kind, names) in NAMES {
            for name in *names {
                number += 1;
                rows.push(row(number, name, kind));
            }
        }
        let day = Duration::from_hours(24);
        let mut strips = vec!["p".repeat(90); rows.len()];
        for (row, strip) in rows.iter_mut().zip(&mut strips) {
            match row.name.as_str() {
                "snow-analytics" | "snow-finance" | "snow-marketing" => {
                    fail(row, 35);
                    row.outage_id = Some("out_1".to_owned());
                    *strip = format!("{}ffff", "p".repeat(86));
                }
                "uc-finance" | "demo-orders" => {
                    fail(row, 119);
                    *strip = format!("{}{}", "p".repeat(80), "f".repeat(10));
                }
                "syn-reporting" => row.status = Status::EditError,
                "bq-core" => {
                    row.last_run = Some(mark(ReportStatus::Warning, Some(Class::Expired)));
                    row.expires = Some((samples::now().plus(day * 6), "the key".to_owned()));
                    *strip = format!("{}{}", "p".repeat(70), "w".repeat(20));
                }
                "trino-adhoc" => {
                    row.last_run = Some(mark(ReportStatus::Failed, Some(Class::Unreachable)));
                    *strip = format!("{}lsf", "p".repeat(60));
                }
                "redshift-legacy" => {
                    row.status = Status::Disabled;
                    row.next_run_at = None;
                    *strip = "p".repeat(40);
                }
                "ml-features" => *strip = "p".repeat(38),
                "uc-ml" => {
                    row.expires = Some((samples::now().plus(day * 21), "the secret".to_owned()));
                    *strip = "ppppppppf".repeat(10);
                }
                _ => {}
            }
        }
        rows.sort_by(|one, two| one.name.cmp(&two.name));
        let acknowledged = rows.iter().find(|row| row.name == "demo-orders").map(|row| row.id);
        let acknowledged = acknowledged.map(|id| (id, "demo-orders".to_owned()));
        let [silence, ..] = samples::silences();
        let comment = "the bucket is being restored".to_owned();
        let silences = vec![SilenceRow { acknowledged, comment, ..silence }];
        Self { rows, silences, maintenance: vec![window()], strips }
    }

    /// Ten thousand integrations, the given number of which fail by one cause.
    pub(super) fn of_thousands(failing: usize) -> Self {
        let kinds = NAMES.len();
        let mut rows: Vec<_> = (0..10_000)
            .map(|at| row(at, &format!("{}-{at:05}", NAMES[at % kinds].1[0]), NAMES[at % kinds].0))
            .collect();
        for row in rows.iter_mut().filter(|row| row.kind == "Snowflake").take(failing) {
            fail(row, 12);
            row.outage_id = Some("out_1".to_owned());
        }
        for row in rows.iter_mut().filter(|row| row.kind == "Trino").take(12) {
            fail(row, 30);
        }
        rows.sort_by(|one, two| one.name.cmp(&two.name));
        let strips = vec!["ppppppppppwwpppppppppplppppppppppffpppppppppp".repeat(2); 7];
        Self { rows, silences: Vec::new(), maintenance: Vec::new(), strips }
    }

    /// Rows of the store for what is selected.
    pub(super) fn reads(&self, selection: &Selection<'_>) -> Reads {
        let strip = |id: &IntegrationId| {
            let at = usize::try_from(id.0 + 40).unwrap() % self.strips.len();
            (*id, marks(&self.strips[at]))
        };
        let failing = selection.causes.iter().map(|cause| {
            let first = cause.rows[0];
            let row = crate::store::IntegrationRow {
                id: first.id,
                name: first.name.clone(),
                ..samples::integration()
            };
            (first.id, FailingRow { row, ..samples::failing() })
        });
        let [change, _] = samples::transitions();
        let target = self.rows.first().map(target);
        Reads {
            strips: selection.listed().iter().map(strip).collect(),
            failing: failing.collect(),
            outages: samples::troubled()
                .1
                .outage
                .map(|one| (one.id.clone(), one))
                .into_iter()
                .collect(),
            receivers: samples::receivers().into(),
            faults: Vec::new(),
            is_refused: false,
            expiries: self.rows.iter().filter_map(expiry).collect(),
            latest: target
                .map(|integration| Attributed::<TransitionRow> { integration, row: change }),
            runs: Some(214),
            lateness: Some(Duration::from_millis(80)),
            backup: Some(BackupState { newest_at: Some(samples::now()), has_failed: false }),
        }
    }
}

fn fail(row: &mut StatusRow, minutes: u64) {
    row.status = Status::RecurringValidationError;
    row.failing_since = Some(samples::now().minus(Duration::from_mins(minutes)));
    row.last_run = Some(mark(ReportStatus::Failed, Some(Class::Denied)));
}

fn target(row: &StatusRow) -> TargetRow {
    let StatusRow { id, name, kind, labels, .. } = row.clone();
    TargetRow { id, name, kind, labels }
}

fn expiry(row: &StatusRow) -> Option<ExpiryRow> {
    let (at, what) = row.expires.clone()?;
    Some(ExpiryRow { integration: target(row), at, what })
}

/// Two expiries of the sample integration.
pub(super) fn expiries() -> Vec<ExpiryRow> {
    let expiry = |days: u64, what: &str| {
        let at = samples::now().plus(Duration::from_hours(24 * days));
        ExpiryRow { integration: samples::target(), at, what: what.to_owned() }
    };
    vec![expiry(3, "the token ci"), expiry(40, "the certificate of db.internal")]
}

/// Factors of the sample integration with others that share them.
pub(super) fn sharing() -> Vec<SharingRow> {
    let row = |kind, value: &str, others, failing| SharingRow {
        factor: Factor { kind, value: value.to_owned() },
        others,
        failing,
        named: vec![(IntegrationId(8), "uc-prod".to_owned())],
    };
    vec![row(FactorKind::Host, "db.internal", 0, 0), row(FactorKind::Principal, "login", 2, 0)]
}

/// Maintenance window that is closed.
pub(super) fn window() -> Maintenance {
    Maintenance {
        name: "weekend".to_owned(),
        schedule: Schedule::parse("0 12 * * 6", "Europe/Berlin").unwrap(),
        duration: Duration::from_hours(4),
        selection: Of::default(),
    }
}
