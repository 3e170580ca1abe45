//! Report of a month as comma-separated values (RFC 4180): a line for each integration, platform and label,
//! and one for all.

use anyhow::Context as _;

use super::super::print::sanitise;
use super::cells::hours;
use crate::view::{Expires, Figures, Group, Line, MonthlyReport};

const COLUMNS: [&str; 18] = [
    "line",
    "name",
    "type",
    "labels",
    "in_use_hours",
    "enabled_hours",
    "enabled_percent",
    "failing_hours",
    "unknown_hours",
    "incidents",
    "open_at_start",
    "open_at_end",
    "recovered",
    "mean_hours_to_recover",
    "acknowledged",
    "mean_hours_to_acknowledge",
    "expires_at",
    "expires",
];

/// Returns the lines below one of names; instants are in UTC.
pub(super) fn text(report: &MonthlyReport<'_>) -> anyhow::Result<String> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    writer.write_record(COLUMNS)?;
    for line in &report.integrations {
        let Line { name, kind, labels, figures, expires, .. } = line;
        let labels: Vec<_> = labels.iter().map(|(key, value)| format!("{key}={value}")).collect();
        let first = ["integration", name, kind, &labels.join(", ")];
        writer.write_record(first.map(owned).into_iter().chain(rest(figures, *expires)))?;
    }
    let of = |kind: &str, groups: &[Group<'_>]| -> Vec<_> {
        let line = |group: &Group<'_>| {
            let first = [kind, group.name.as_str(), "", ""].map(owned);
            first.into_iter().chain(rest(&group.figures, group.expires)).collect::<Vec<_>>()
        };
        groups.iter().map(line).collect()
    };
    for line in of("platform", &report.platforms).into_iter().chain(of("label", &report.labels)) {
        writer.write_record(line)?;
    }
    let first = ["total", "", "", ""].map(owned);
    writer.write_record(first.into_iter().chain(rest(&report.total, None)))?;
    let bytes = writer.into_inner().context("writing the table")?;
    String::from_utf8(bytes).context("writing the table")
}

fn owned(text: &str) -> String {
    sanitise(text).into_owned()
}

/// Returns the cells of the figures and of the next expiry; empty ones where nothing is known.
fn rest(figures: &Figures, expires: Option<Expires<'_>>) -> [String; 14] {
    let two = |millis: u64| hours(millis, 2);
    let mean = |millis: Option<u64>| millis.map_or_else(String::new, two);
    let (at, what) = match expires {
        Some(next) => (next.at.to_string(), owned(next.what)),
        None => Default::default(),
    };
    [
        two(figures.in_use_ms),
        two(figures.enabled_ms),
        figures.enabled_percent().unwrap_or_default(),
        two(figures.failing_ms),
        two(figures.unknown_ms),
        figures.incidents.to_string(),
        figures.open_at_start.to_string(),
        figures.open_at_end.to_string(),
        figures.recovered.to_string(),
        mean(figures.mean_time_to_recover_ms),
        figures.acknowledged.to_string(),
        mean(figures.mean_time_to_acknowledge_ms),
        at,
        what,
    ]
}

#[cfg(test)]
mod tests {
    use super::super::super::samples::{monthly, timelines};
    use super::*;

    #[test]
    fn spreadsheet_gets_a_line_for_each_integration_platform_and_label_and_for_all() {
        let expected = "\
line,name,type,labels,in_use_hours,enabled_hours,enabled_percent,failing_hours,unknown_hours,incidents,open_at_start,open_at_end,recovered,mean_hours_to_recover,acknowledged,mean_hours_to_acknowledge,expires_at,expires
integration,lake,Redshift,team=data,442.00,440.50,99.66,1.50,96.00,1,0,0,1,1.50,1,0.50,2026-12-03T10:00:00Z,the token ci\\u{9b}
integration,mart\\u{1b},Trino,team=data,538.00,536.00,99.62,2.00,0.00,1,0,1,0,,0,,,
platform,Redshift,,,442.00,440.50,99.66,1.50,96.00,1,0,0,1,1.50,1,0.50,2026-12-03T10:00:00Z,the token ci\\u{9b}
platform,Trino,,,538.00,536.00,99.62,2.00,0.00,1,0,1,0,,0,,,
label,team=data,,,980.00,976.50,99.64,3.50,96.00,2,0,1,1,1.50,1,0.50,2026-12-03T10:00:00Z,the token ci\\u{9b}
total,,,,980.00,976.50,99.64,3.50,96.00,2,0,1,1,1.50,1,0.50,,
";
        assert_eq!(text(&monthly(&timelines())).unwrap(), expected);
    }
}
