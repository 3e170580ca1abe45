//! Report of a month: sums of all integrations, and tables of platforms, labels and integrations.

mod choice;

use std::time::Duration;

use jiff::tz::TimeZone;

pub(crate) use choice::{Choice, Months, PATH, selection};

use crate::domain::{Status, Timestamp, duration_text};
use crate::http::{Kind, Parameter, TEXT_MAX};
use crate::page::address::Pairs;
use crate::page::text::counted;
use crate::page::viewer::Viewer;
use crate::view::{Expires, Figures, Group, Line, MonthlyReport, hours};

/// Parameters of the page.
pub(crate) const REPORT: &[Parameter] = &[
    Parameter::once("month", Kind::Month, "Month of the report; the present one without it."),
    Parameter::once("zone", Kind::Text, "Zone that months begin in; that of `tz` without it."),
    Parameter::repeated("type", Kind::Text, "Only integrations of one of these platforms."),
    Parameter::repeated("label", Kind::Label, "Only integrations with all of these labels."),
    Parameter::once("after", Kind::Integer(0, i64::MAX), "Rows of the tables before the page."),
];

/// Number of rows of a table on a page.
const ROWS_MAX: usize = 500;

/// Report of a month as it is shown.
#[derive(Clone, Debug)]
pub(crate) struct Monthly {
    /// Sentence about the time that is reported.
    pub(crate) period: String,
    /// Sentence about what is not kept any more.
    pub(crate) kept: Option<String>,
    /// Sums of all integrations: name and value.
    pub(crate) facts: Vec<(&'static str, String)>,
    /// Next expiry of all integrations.
    pub(crate) expires: Option<ExpiryCell>,
    /// Tables that have rows.
    pub(crate) sections: Vec<Section>,
    /// Number of rows before those of the next page; none on the last one.
    pub(crate) next: Option<usize>,
}

/// Table of a report.
#[derive(Clone, Debug)]
pub(crate) struct Section {
    /// Id of the heading.
    pub(crate) id: &'static str,
    /// Heading of the table.
    pub(crate) heading: &'static str,
    /// Heading of the first column.
    pub(crate) first: &'static str,
    /// Heading of the second column.
    pub(crate) second: &'static str,
    /// Number of rows on all pages, in words.
    pub(crate) number: String,
    /// Rows of the page.
    pub(crate) rows: Vec<ReportRow>,
}

/// Row of a report.
#[derive(Clone, Debug)]
pub(crate) struct ReportRow {
    /// Name of the integration, platform or label.
    pub(crate) name: String,
    /// Link to the integration, or to the report of the platform or label; empty for none.
    pub(crate) href: String,
    /// Status of an integration that is not in use; empty for others.
    pub(crate) note: &'static str,
    /// Platform of the integration, or number of integrations.
    pub(crate) second: String,
    /// Time in use, enabled, in an error status and unknown, and the share of enabled time.
    pub(crate) times: [String; 5],
    /// Number of incidents that began.
    pub(crate) incidents: u32,
    /// Number of incidents that lasted at the end.
    pub(crate) open: u32,
    /// Mean times to recover and to acknowledge.
    pub(crate) means: [String; 2],
    /// Next expiry of the row, as far as is known.
    pub(crate) expires: Option<ExpiryCell>,
}

/// Next expiry, as a cell of a table.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct ExpiryCell {
    /// Instant in UTC, for programs.
    pub(crate) utc: String,
    /// Date in the zone of the report.
    pub(crate) day: String,
    /// Object that expires, with its integration where the row has several.
    pub(crate) what: String,
}

/// Means to print the rows of a report.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Printer<'a> {
    /// Viewer of the page.
    pub(crate) viewer: &'a Viewer,
    /// Pairs of the address.
    pub(crate) pairs: &'a Pairs,
    /// Zone of the report.
    pub(crate) zone: &'a TimeZone,
    /// Number of rows on the pages before.
    pub(crate) first: usize,
}

impl Monthly {
    /// Page of the report of a month.
    pub(crate) fn new(report: &MonthlyReport<'_>, printer: Printer<'_>) -> Self {
        let instant = |at| printer.written(at, "%Y-%m-%d %H:%M");
        let (from, until) = (instant(report.from), instant(report.until));
        let so_far = if report.is_over { "" } else { ", so far" };
        let kept = |since| {
            let since = instant(since);
            format!(
                "Some status changes before {since} are no longer kept; where they are missing, \
                 the time is unknown."
            )
        };
        let lengths = [report.platforms.len(), report.labels.len(), report.integrations.len()];
        let last = printer.first.saturating_add(ROWS_MAX);
        let next = report.platforms.iter().filter_map(|group| group.expires).min();
        Self {
            period: format!("From {from} to {until} in {}{so_far}.", report.zone),
            kept: report.kept_since.map(kept),
            facts: facts(report),
            expires: next.map(|next| printer.expiry(next, "")),
            sections: printer.sections(report),
            next: lengths.iter().any(|length| last < *length).then_some(last),
        }
    }
}

/// Returns the sums of all integrations.
fn facts(report: &MonthlyReport<'_>) -> Vec<(&'static str, String)> {
    let total = &report.total;
    vec![
        ("In use", counted(report.integrations.len(), "integration")),
        ("Enabled", percent(total)),
        ("Hours enabled", time(total.enabled_ms)),
        ("Incidents", total.incidents.to_string()),
        ("Still open", total.open_at_end.to_string()),
        ("Mean time to recover", mean(total.mean_time_to_recover_ms)),
        ("Mean time to acknowledge", mean(total.mean_time_to_acknowledge_ms)),
    ]
}

impl Printer<'_> {
    fn written(&self, at: Timestamp, form: &str) -> String {
        at.to_jiff().to_zoned(self.zone.clone()).strftime(form).to_string()
    }

    /// Returns the tables that have rows on the page.
    fn sections(&self, report: &MonthlyReport<'_>) -> Vec<Section> {
        let groups = |groups: &[Group<'_>], key: &'static str| {
            self.part(groups).iter().map(|group| self.group(group, key)).collect::<Vec<_>>()
        };
        let lines = self.part(&report.integrations).iter().map(|line| self.line(line));
        let section = |[id, heading, first, second]: [&'static str; 4], number, rows| Section {
            id,
            heading,
            first,
            second,
            number,
            rows,
        };
        let all = [
            section(
                ["platforms", "Platforms", "Platform", "Integrations"],
                counted(report.platforms.len(), "platform"),
                groups(&report.platforms, "type"),
            ),
            section(
                ["labels", "Labels", "Label", "Integrations"],
                counted(report.labels.len(), "label"),
                groups(&report.labels, "label"),
            ),
            section(
                ["integrations", "Integrations", "Integration", "Platform"],
                counted(report.integrations.len(), "integration"),
                lines.collect(),
            ),
        ];
        all.into_iter().filter(|section| !section.rows.is_empty()).collect()
    }

    /// Returns the rows of the page.
    fn part<'r, T>(&self, rows: &'r [T]) -> &'r [T] {
        let rest = rows.get(self.first..).unwrap_or_default();
        rest.get(..ROWS_MAX).unwrap_or(rest)
    }

    fn line(&self, line: &Line<'_>) -> ReportRow {
        let note = if line.in_use { "" } else { line.status.as_str() };
        let href = if line.status == Status::Deleted {
            String::new()
        } else {
            self.viewer.integration(line.name, line.id)
        };
        ReportRow { href, note, ..self.row([line.name, line.kind], &line.figures, line.expires) }
    }

    /// Returns the row of a platform or label; `key` is the parameter that chooses it.
    fn group(&self, group: &Group<'_>, key: &'static str) -> ReportRow {
        let Group { name, integrations, figures, expires } = group;
        let pairs = self.pairs.without("after");
        let is_chosen = pairs.all(key).any(|chosen| chosen == name);
        let href = if is_chosen || TEXT_MAX < name.chars().count() {
            String::new()
        } else if key == "label" {
            pairs.plus(key, name).at(PATH)
        } else {
            pairs.with(key, name).at(PATH)
        };
        ReportRow { href, ..self.row([name, &integrations.to_string()], figures, *expires) }
    }

    fn row(
        &self,
        [name, second]: [&str; 2],
        figures: &Figures,
        expires: Option<Expires<'_>>,
    ) -> ReportRow {
        ReportRow {
            name: name.to_owned(),
            href: String::new(),
            note: "",
            second: second.to_owned(),
            times: [
                time(figures.in_use_ms),
                time(figures.enabled_ms),
                percent(figures),
                time(figures.failing_ms),
                time(figures.unknown_ms),
            ],
            incidents: figures.incidents,
            open: figures.open_at_end,
            means: [
                mean(figures.mean_time_to_recover_ms),
                mean(figures.mean_time_to_acknowledge_ms),
            ],
            expires: expires.map(|next| self.expiry(next, name)),
        }
    }

    /// Returns the next expiry of the integration or group of this name.
    fn expiry(&self, next: Expires<'_>, name: &str) -> ExpiryCell {
        let Expires { at, what, integration } = next;
        ExpiryCell {
            utc: at.to_string(),
            day: self.written(at, "%Y-%m-%d"),
            what: if integration == name {
                what.to_owned()
            } else {
                format!("{what} ({integration})")
            },
        }
    }
}

fn time(millis: u64) -> String {
    if millis == 0 { "–".to_owned() } else { hours(millis, 1) + " h" }
}

fn percent(figures: &Figures) -> String {
    figures.enabled_percent().map_or_else(|| "–".to_owned(), |percent| percent + " %")
}

fn mean(millis: Option<u64>) -> String {
    let text = |millis: u64| duration_text(Duration::from_secs(millis / 1000));
    millis.map_or_else(|| "–".to_owned(), text)
}

#[cfg(test)]
pub(crate) mod samples {
    pub(crate) use super::choice::samples::choice;
    use super::*;
    use crate::store::TimelineRow;
    use crate::view::samples::monthly;

    /// Page of the sample month for these integrations.
    pub(crate) fn report(rows: &[TimelineRow], viewer: &Viewer, text: &str) -> Monthly {
        let pairs = Pairs::parse(text);
        let first = pairs.get("after").map_or(0, |after| after.parse().unwrap());
        let printer = Printer { viewer, pairs: &pairs, zone: &TimeZone::UTC, first };
        Monthly::new(&monthly(rows), printer)
    }
}

#[cfg(test)]
mod tests {
    use super::samples::report;
    use super::*;
    use crate::domain::IntegrationId;
    use crate::page::viewer::Access;
    use crate::page::viewer::samples::viewer;
    use crate::store::{TargetRow, TimelineRow};
    use crate::view::samples::{now, target, timeline, timelines};

    fn shown(rows: &[TimelineRow], text: &str) -> Monthly {
        report(rows, &viewer(Access::Read), text)
    }

    /// Returns the cells of a row in their order.
    fn cells(row: &ReportRow) -> String {
        let expires = row.expires.as_ref();
        let expires =
            expires.map_or("–".to_owned(), |next| format!("{} {}", next.day, next.what));
        format!(
            "{} {} {}| {} | {} {} | {} | {expires}",
            row.name,
            row.note,
            row.second,
            row.times.join(" "),
            row.incidents,
            row.open,
            row.means.join(" "),
        )
    }

    #[test]
    fn report_has_sums_and_a_row_for_each_platform_label_and_integration() {
        let report = shown(&timelines(), "");
        assert_eq!(report.period, "From 2026-11-01 00:00 to 2026-11-23 10:00 in UTC, so far.");
        assert!(report.kept.unwrap().starts_with("Some status changes before 2026-11-05 00:00"));
        let facts: Vec<_> = report.facts.iter().map(|(_, value)| value.as_str()).collect();
        assert_eq!(facts, ["2 integrations", "99.64 %", "976.5 h", "2", "1", "1h 30m", "30m"]);
        let expires = report.expires.unwrap();
        assert_eq!(
            (expires.day.as_str(), expires.utc.as_str()),
            ("2026-12-03", "2026-12-03T10:00:00Z")
        );
        let rows: Vec<_> = report.sections.iter().flat_map(|one| &one.rows).map(cells).collect();
        let (lake, mart) = (
            "442.0 h 440.5 h 99.66 % 1.5 h 96.0 h | 1 0 | 1h 30m 30m | 2026-12-03 the token ci\u{9b}",
            "538.0 h 536.0 h 99.62 % 2.0 h – | 1 1 | – – | –",
        );
        let expected = [
            format!("Redshift  1| {lake} (lake)"),
            format!("Trino  1| {mart}"),
            "team=data  2| 980.0 h 976.5 h 99.64 % 3.5 h 96.0 h | 2 1 | 1h 30m 30m | \
             2026-12-03 the token ci\u{9b} (lake)"
                .to_owned(),
            format!("lake  Redshift| {lake}"),
            format!("mart\u{1b}  Trino| {mart}"),
        ];
        assert_eq!(rows, expected);
    }

    #[test]
    fn rows_lead_to_integrations_and_to_reports_of_their_own() {
        let mut rows = timelines();
        rows[0].status = Status::Disabled;
        rows[1].status = Status::Deleted;
        rows[1].integration.labels = [("note".to_owned(), "x".repeat(TEXT_MAX))].into();
        let links = |text: &str| {
            let report = shown(&rows, text);
            let rows = report.sections.iter().flat_map(|section| section.rows.clone());
            rows.map(|row| format!("{}{}", row.href, row.note)).collect::<Vec<_>>()
        };
        let all = [
            "/report?month=2026-11&type=Redshift",
            "/report?month=2026-11&type=Trino",
            "",
            "/report?month=2026-11&label=team%3Ddata",
            "/i/lakedisabled",
            "deleted",
        ];
        assert_eq!(links("month=2026-11&after=0"), all);
        let narrowed = links("type=Redshift&label=team%3Ddata&label=tier%3D1");
        assert_eq!(narrowed[..2], ["", "/report?label=team%3Ddata&label=tier%3D1&type=Trino"]);
        assert_eq!(narrowed[3], "", "it is chosen");
    }

    #[test]
    fn month_that_is_over_and_whole_is_neither_so_far_nor_cut() {
        let rows = [TimelineRow { otherwise: Some(Status::Enabled), ..timeline() }];
        let month: crate::view::Month = "2026-10".parse().unwrap();
        let berlin = TimeZone::get("Europe/Berlin").unwrap();
        let span = month.span(&berlin, now()).unwrap();
        let report = MonthlyReport::new(month, "Europe/Berlin", span, &rows);
        let (viewer, pairs) = (viewer(Access::Read), Pairs::default());
        let printer = Printer { viewer: &viewer, pairs: &pairs, zone: &berlin, first: 0 };
        let report = Monthly::new(&report, printer);
        let expected = "From 2026-10-01 00:00 to 2026-11-01 00:00 in Europe/Berlin.";
        assert_eq!((report.period.as_str(), report.kept), (expected, None));
        assert_eq!((report.expires, report.next), (None, None));
        assert_eq!(report.facts[2].1, "745.0 h", "summer time ends");
    }

    #[test]
    fn tables_of_many_rows_are_cut_into_pages_and_sums_are_not() {
        let row = |number: usize| TimelineRow {
            integration: TargetRow {
                id: IntegrationId(i64::try_from(number).unwrap()),
                name: format!("n{number:05}"),
                ..target()
            },
            otherwise: Some(Status::Enabled),
            ..timeline()
        };
        let rows: Vec<_> = (0..1200).map(row).collect();
        let table =
            [("", 500, Some(500)), ("after=500", 500, Some(1000)), ("after=1000", 200, None)];
        for (text, number, next) in table {
            let report = shown(&rows, text);
            let last = report.sections.last().unwrap();
            assert_eq!((last.rows.len(), last.number.as_str()), (number, "1,200 integrations"));
            assert_eq!((report.next, report.facts[0].1.as_str()), (next, "1,200 integrations"));
        }
        assert!(shown(&rows, "after=1200").sections.is_empty());
    }
}
