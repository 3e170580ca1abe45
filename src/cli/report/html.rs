//! Report of a month as one document that needs nothing else: to be opened in a browser, sent and printed.

use anyhow::Context as _;
use askama::Template;

use super::super::print::{Screen, counted, sanitise};
use super::cells::{day, duration, hours};
use crate::view::{Expires, Figures, Group, Line, MonthlyReport};

/// Text of the document; everything in it is escaped by the template.
#[derive(Template)]
#[template(path = "report.html", config = "src/cli/report/askama.toml")]
struct Document {
    month: String,
    period: String,
    kept: Option<String>,
    facts: Vec<(&'static str, String)>,
    sections: Vec<Section>,
    made: String,
}

/// Table of the document.
struct Section {
    id: &'static str,
    heading: &'static str,
    first: &'static str,
    second: &'static str,
    rows: Vec<Row>,
}

/// Cells of a line of a table.
struct Row {
    first: String,
    second: String,
    in_use: String,
    enabled: String,
    failing: String,
    unknown: String,
    incidents: u32,
    open: u32,
    is_failing: bool,
    recovered: String,
    acknowledged: String,
    expires: String,
}

/// Returns the text of the document.
pub(super) fn text(report: &MonthlyReport<'_>, screen: Screen) -> anyhow::Result<String> {
    let (from, until) = (screen.instant(Some(report.from)), screen.instant(Some(report.until)));
    let so_far = if report.is_over { "" } else { ", so far" };
    let document = Document {
        month: report.month.to_string(),
        period: format!("From {from} to {until} ({}){so_far}.", sanitise(report.zone)),
        kept: report.kept_since.map(|since| {
            let since = screen.instant(Some(since));
            format!(
                "Some status changes before {since} are no longer kept; where they are missing, \
                     the time is unknown."
            )
        }),
        facts: facts(report),
        sections: sections(report, screen),
        made: screen.instant(Some(screen.now)),
    };
    document.render().context("writing the report")
}

fn facts(report: &MonthlyReport<'_>) -> Vec<(&'static str, String)> {
    let total = &report.total;
    vec![
        ("In use", counted(report.integrations.len(), "integration")),
        ("Enabled", percent(total)),
        ("Incidents", total.incidents.to_string()),
        ("Still open", total.open_at_end.to_string()),
        ("Mean time to recover", mean(total.mean_time_to_recover_ms)),
        ("Mean time to acknowledge", mean(total.mean_time_to_acknowledge_ms)),
    ]
}

fn sections(report: &MonthlyReport<'_>, screen: Screen) -> Vec<Section> {
    let line = |line: &Line<'_>| row([line.name, line.kind], &line.figures, line.expires, screen);
    let group = |group: &Group<'_>| {
        row([&group.name, &group.integrations.to_string()], &group.figures, group.expires, screen)
    };
    let all = [
        Section {
            id: "platforms",
            heading: "Platforms",
            first: "Platform",
            second: "Integrations",
            rows: report.platforms.iter().map(group).collect(),
        },
        Section {
            id: "labels",
            heading: "Labels",
            first: "Label",
            second: "Integrations",
            rows: report.labels.iter().map(group).collect(),
        },
        Section {
            id: "integrations",
            heading: "Integrations",
            first: "Integration",
            second: "Platform",
            rows: report.integrations.iter().map(line).collect(),
        },
    ];
    all.into_iter().filter(|section| !section.rows.is_empty()).collect()
}

fn row(
    [first, second]: [&str; 2],
    figures: &Figures,
    expires: Option<Expires<'_>>,
    screen: Screen,
) -> Row {
    let time = |millis: u64| if millis == 0 { "–".to_owned() } else { hours(millis, 1) + " h" };
    let next = |next: Expires<'_>| {
        let (what, day) = (sanitise(next.what), day(next.at, screen));
        let of = sanitise(next.integration);
        if of == first { format!("{day} {what}") } else { format!("{day} {what} ({of})") }
    };
    Row {
        first: sanitise(first).into_owned(),
        second: sanitise(second).into_owned(),
        in_use: time(figures.in_use_ms),
        enabled: percent(figures),
        failing: time(figures.failing_ms),
        unknown: time(figures.unknown_ms),
        incidents: figures.incidents,
        open: figures.open_at_end,
        is_failing: 0 < figures.open_at_end,
        recovered: mean(figures.mean_time_to_recover_ms),
        acknowledged: mean(figures.mean_time_to_acknowledge_ms),
        expires: expires.map_or_else(|| "–".to_owned(), next),
    }
}

fn percent(figures: &Figures) -> String {
    figures.enabled_percent().map_or_else(|| "–".to_owned(), |percent| percent + " %")
}

fn mean(millis: Option<u64>) -> String {
    millis.map_or_else(|| "–".to_owned(), duration)
}

#[cfg(test)]
mod tests {
    use super::super::super::samples::{monthly, screen, timelines};
    use super::*;

    #[test]
    fn document_has_every_line_and_needs_nothing_else() {
        let mut rows = timelines();
        rows[1].integration.name = "<script>alert(1)</script>\u{1b}".to_owned();
        let shown = text(&monthly(&rows), screen()).unwrap();
        for part in [
            "<h1>Integrations in 2026-11</h1>",
            "From 2026-11-01T00:00:00Z to 2026-11-23T10:00:00Z (UTC), so far.",
            "Some status changes before 2026-11-05T00:00:00Z are no longer kept",
            "<dt>Mean time to recover</dt><dd>1h 30m</dd>",
            r#"<th scope="row">lake</th><td>Redshift</td><td class="number">442.0 h</td>"#,
            r#"<td class="number bad">1</td>"#,
            r#"<th scope="row">team=data</th><td>2</td>"#,
            r"2026-12-03 the token ci\u{9b} (lake)</td>",
        ] {
            assert!(shown.contains(part), "{part} is not in:\n{shown}");
        }
        assert!(!shown.contains("<script") && !shown.contains('\u{1b}'), "{shown}");
        assert!(!shown.contains("http"), "it loads nothing: {shown}");
        assert_eq!(shown.matches("<tr>").count(), 3 + 2 + 1 + 2, "{shown}");
    }

    #[test]
    fn month_without_integrations_has_no_table() {
        let shown = text(&monthly(&[]), screen()).unwrap();
        assert!(shown.contains("<p>No integration was in use.</p>"), "{shown}");
        assert!(!shown.contains("<table"), "{shown}");
    }
}
