//! Report of a month, for governance: how long each integration was enabled, its incidents, and what expires.
//!
//! All of it follows from stored status changes and acknowledgements. An incident lasts from the change into an
//! error status to the next change into `enabled`, or to the end of its use; statuses in flight neither open
//! nor end one. Incidents count in the month of their beginning, recoveries and acknowledgements in theirs,
//! so that the report of a month that is over stays the same. Time that retention cut is counted apart.

mod figures;
mod month;
mod sum;

use std::collections::BTreeMap;

use serde::Serialize;

pub(crate) use figures::{Figures, hours};
pub(crate) use month::{Month, Span};

use crate::domain::{Status, Timestamp};
use crate::store::{StoreError, TimelineRow, View};
use sum::Sum;

/// Report of a month.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub(crate) struct MonthlyReport<'a> {
    /// Month that is reported, as `2026-11`.
    pub(crate) month: Month,
    /// IANA zone in which the month begins and ends.
    pub(crate) zone: &'a str,
    /// First instant of the month.
    pub(crate) from: Timestamp,
    /// End of the month, or the present while the month lasts.
    pub(crate) until: Timestamp,
    /// True when the month is over.
    pub(crate) is_over: bool,
    /// Instant since which the history of all integrations is whole, when retention cut a part of the month.
    pub(crate) kept_since: Option<Timestamp>,
    /// Integrations that were in use in the month, by name.
    pub(crate) integrations: Vec<Line<'a>>,
    /// Sums of the integrations of each platform, by its name.
    pub(crate) platforms: Vec<Group<'a>>,
    /// Sums of the integrations with each label, by `key=value`.
    pub(crate) labels: Vec<Group<'a>>,
    /// Sums of all integrations.
    pub(crate) total: Figures,
}

/// Integration in a report.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub(crate) struct Line<'a> {
    /// Number of the integration.
    pub(crate) id: i64,
    /// Name of the integration.
    pub(crate) name: &'a str,
    /// Published name of its platform.
    #[serde(rename = "type")]
    pub(crate) kind: &'a str,
    /// Labels of the integration, by key.
    pub(crate) labels: &'a BTreeMap<String, String>,
    /// Present status of the integration.
    pub(crate) status: Status,
    /// True while it is in use at present.
    pub(crate) in_use: bool,
    /// Figures of the month.
    pub(crate) figures: Figures,
    /// Next expiry, as far as is known at present.
    pub(crate) expires: Option<Expires<'a>>,
}

/// Integrations that have something in common.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub(crate) struct Group<'a> {
    /// Name of the platform, or label as `key=value`.
    pub(crate) name: String,
    /// Number of integrations in it.
    pub(crate) integrations: usize,
    /// Sums over the integrations.
    pub(crate) figures: Figures,
    /// Next expiry of one of the integrations, as far as is known at present.
    pub(crate) expires: Option<Expires<'a>>,
}

/// Next expiry of a credential or certificate.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(crate) struct Expires<'a> {
    /// Instant of the expiry.
    pub(crate) at: Timestamp,
    /// Object that expires, as a noun.
    pub(crate) what: &'a str,
    /// Name of the integration.
    pub(crate) integration: &'a str,
}

impl MonthlyReport<'_> {
    /// Reads the timelines that the report of `month` needs.
    ///
    /// # Errors
    ///
    /// Fails when the store cannot be read.
    pub(crate) async fn read(view: &View, span: Span) -> Result<Vec<TimelineRow>, StoreError> {
        view.timelines(span.from, span.until).await
    }
}

impl<'a> MonthlyReport<'a> {
    /// Report of a month about these integrations.
    pub(crate) fn new(month: Month, zone: &'a str, span: Span, rows: &'a [TimelineRow]) -> Self {
        let sums = rows.iter().map(|row| (row, Sum::of(row, span)));
        let sums: Vec<_> = sums.filter(|(_, sum)| sum.has_existed()).collect();
        let line = |&(row, sum): &(&'a TimelineRow, Sum)| Line {
            id: row.integration.id.0,
            name: &row.integration.name,
            kind: &row.integration.kind,
            labels: &row.integration.labels,
            status: row.status,
            in_use: row.status.is_in_use(),
            figures: sum.figures(),
            expires: expires(row),
        };
        let lost = sums.iter().filter_map(|(row, _)| row.lost_at);
        let labels = |row: &TimelineRow| {
            let labels = row.integration.labels.iter();
            labels.map(|(key, value)| format!("{key}={value}")).collect()
        };
        Self {
            month,
            zone,
            from: span.from,
            until: span.until,
            is_over: span.is_over,
            kept_since: lost.filter(|at| span.from < *at).max().map(|at| at.min(span.until)),
            integrations: sums.iter().map(line).collect(),
            platforms: groups(&sums, |row| vec![row.integration.kind.clone()]),
            labels: groups(&sums, labels),
            total: sums.iter().fold(Sum::default(), |all, (_, sum)| all.plus(*sum)).figures(),
        }
    }
}

/// Returns the next expiry of an integration that is not deleted.
fn expires(row: &TimelineRow) -> Option<Expires<'_>> {
    let known = row.expires.as_ref().filter(|_| row.status != Status::Deleted);
    known.map(|(at, what)| Expires { at: *at, what, integration: &row.integration.name })
}

/// Returns the sums of integrations by the names of the groups that each belongs to.
fn groups<'a>(
    sums: &[(&'a TimelineRow, Sum)],
    names: impl Fn(&TimelineRow) -> Vec<String>,
) -> Vec<Group<'a>> {
    let mut groups: BTreeMap<String, (usize, Sum, Option<Expires<'a>>)> = BTreeMap::new();
    for (row, sum) in sums {
        for name in names(row) {
            let (count, all, next) = groups.entry(name).or_default();
            *count += 1;
            *all = all.plus(*sum);
            *next = next.iter().copied().chain(expires(row)).min();
        }
    }
    let group = |(name, (integrations, sum, expires)): (String, (usize, Sum, _))| Group {
        name,
        integrations,
        figures: sum.figures(),
        expires,
    };
    groups.into_iter().map(group).collect()
}

#[cfg(test)]
mod tests {
    use crate::view::samples;

    #[test]
    fn report_has_integrations_and_their_sums_by_platform_and_label() {
        let rows = samples::timelines();
        let report = samples::monthly(&rows);
        let names: Vec<_> = report.integrations.iter().map(|line| line.name).collect();
        assert_eq!(names, ["lake", "mart\u{1b}"], "what was deleted before is left out");
        let json = serde_json::to_value(&report).unwrap();
        assert_eq!((&json["month"], &json["zone"]), (&"2026-11".into(), &"UTC".into()));
        assert_eq!(
            (&json["from"], &json["isOver"]),
            (&"2026-11-01T00:00:00Z".into(), &false.into())
        );
        assert_eq!(json["until"], "2026-11-23T10:00:00Z");
        assert_eq!(json["keptSince"], "2026-11-05T00:00:00Z");
        let lake = &json["integrations"][0];
        assert_eq!((&lake["type"], &lake["inUse"]), (&"Redshift".into(), &true.into()));
        let expires = serde_json::json!({
            "at": "2026-12-03T10:00:00Z", "what": "the token ci\u{9b}", "integration": "lake",
        });
        assert_eq!(lake["expires"], expires);
        let platforms = json["platforms"].as_array().unwrap();
        let platforms: Vec<_> = platforms
            .iter()
            .map(|one| (one["name"].as_str().unwrap(), &one["integrations"]))
            .collect();
        assert_eq!(platforms, [("Redshift", &1.into()), ("Trino", &1.into())]);
        let [label] = &report.labels[..] else { panic!("{:?}", report.labels) };
        assert_eq!((label.name.as_str(), label.integrations), ("team=data", 2));
        assert_eq!(label.figures, report.total);
        assert_eq!(label.expires.map(|next| next.integration), Some("lake"));
        let total = &json["total"];
        assert_eq!((&total["incidents"], &total["recovered"]), (&2.into(), &1.into()));
        assert_eq!(total["meanTimeToRecoverMs"], 5_400_000);
        assert_eq!(total["meanTimeToAcknowledgeMs"], 1_800_000);
    }

    #[test]
    fn history_that_is_whole_has_no_beginning() {
        let mut rows = samples::timelines();
        for row in &mut rows {
            row.lost_at = row.lost_at.map(|_| samples::at("2026-10-31T23:59:59Z"));
        }
        let report = samples::monthly(&rows);
        assert_eq!(report.kept_since, None);
        assert_eq!(report.total.unknown_ms, 0);
    }
}
