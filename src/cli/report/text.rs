//! Report of a month as tables for a terminal.

use super::super::print::{Column, Screen, Table, Tone, counted, sanitise, toned};
use super::cells::{day, duration, hours};
use crate::view::{Expires, Figures, Group, Line, MonthlyReport};

/// Lays out a table for each kind of lines, and a last line with the sums.
pub(in crate::cli) fn tables(report: &MonthlyReport<'_>, screen: Screen) -> String {
    let heading = heading(report, screen);
    if report.integrations.is_empty() {
        return format!("{heading}\nNo integration was in use.\n");
    }
    let mut lines = table(screen, "INTEGRATION", "TYPE");
    for line in &report.integrations {
        let Line { name, kind, figures, expires, .. } = line;
        add(&mut lines, [name, kind], figures, (*expires, screen));
    }
    let groups = |name: &'static str, groups: &[Group<'_>]| {
        let mut table = table(screen, name, "INTEGRATIONS");
        for group in groups {
            let Group { name, integrations, figures, expires } = group;
            add(&mut table, [name, &integrations.to_string()], figures, (*expires, screen));
        }
        if groups.is_empty() { String::new() } else { format!("\n{}", table.text()) }
    };
    let (platforms, labels) =
        (groups("PLATFORM", &report.platforms), groups("LABEL", &report.labels));
    format!("{heading}\n{}{platforms}{labels}\n{}\n", lines.text(), sum(report))
}

/// Returns the lines above the tables: the month, and what is not known of it.
fn heading(report: &MonthlyReport<'_>, screen: Screen) -> String {
    let (month, zone) = (report.month, report.zone);
    let so_far = if report.is_over {
        String::new()
    } else {
        format!(" so far, until {}", screen.instant(Some(report.until)))
    };
    let kept = report.kept_since.map_or_else(String::new, |since| {
        let since = screen.instant(Some(since));
        format!(
            "Some status changes before {since} are no longer kept; where they are missing, the time is \
             unknown.\n"
        )
    });
    format!("Report of {month} in {}{so_far}\n{kept}", sanitise(zone))
}

fn table(screen: Screen, first: &'static str, second: &'static str) -> Table {
    let columns = [
        Column::name(first),
        Column::whole(second).dropped(3),
        Column::whole("IN USE").dropped(4),
        Column::whole("ENABLED"),
        Column::whole("FAILING").dropped(5),
        Column::whole("UNKNOWN").dropped(1),
        Column::whole("INCIDENTS"),
        Column::whole("RECOVERED IN").dropped(6),
        Column::whole("ACKNOWLEDGED IN").dropped(2),
        Column::text("EXPIRES"),
    ];
    Table::new(screen, columns)
}

/// Adds a line; the last argument is the next expiry, and the screen that it is shown on.
fn add(
    table: &mut Table,
    [first, second]: [&str; 2],
    figures: &Figures,
    expires: (Option<Expires<'_>>, Screen),
) {
    let (next, screen) = expires;
    let time = |millis: u64| match millis {
        0 => dash(),
        millis => format!("{}h", hours(millis, 1)),
    };
    let share = figures.enabled_percent().map_or_else(dash, |percent| percent + "%");
    table.row([
        sanitise(first).into_owned(),
        sanitise(second).into_owned(),
        time(figures.in_use_ms),
        share,
        time(figures.failing_ms),
        time(figures.unknown_ms),
        incidents(figures),
        mean(figures.mean_time_to_recover_ms, figures.recovered),
        mean(figures.mean_time_to_acknowledge_ms, figures.acknowledged),
        next.map_or_else(dash, |next| expiry(next, screen)),
    ]);
}

fn dash() -> String {
    toned("-", Tone::Quiet)
}

/// Returns the number of incidents that began, and of those that last.
fn incidents(figures: &Figures) -> String {
    match (figures.incidents, figures.open_at_end) {
        (0, 0) => dash(),
        (began, 0) => began.to_string(),
        (began, open) => format!("{began}, {}", toned(&format!("{open} open"), Tone::Bad)),
    }
}

/// Returns a mean time with the number of which it is the mean.
fn mean(millis: Option<u64>, count: u32) -> String {
    match millis {
        Some(millis) => format!("{} ({count})", duration(millis)),
        None if 0 < count => format!("unknown ({count})"),
        None => dash(),
    }
}

fn expiry(next: Expires<'_>, screen: Screen) -> String {
    let Expires { at, what, integration: _ } = next;
    format!("{} {}", day(at, screen), sanitise(what))
}

/// Returns the sentence about all integrations.
fn sum(report: &MonthlyReport<'_>) -> String {
    let total = &report.total;
    let all = counted(report.integrations.len(), "integration");
    let share = total.enabled_percent().map(|percent| percent + "% enabled");
    let began = counted(usize::try_from(total.incidents).unwrap_or(usize::MAX), "incident");
    let open = (0 < total.open_at_end).then(|| format!("{} open", total.open_at_end));
    let recovered = total.mean_time_to_recover_ms;
    let recovered = recovered.map(|mean| format!("recovered in {} on average", duration(mean)));
    let acknowledged = total.mean_time_to_acknowledge_ms;
    let acknowledged = acknowledged.map(|mean| format!("acknowledged in {}", duration(mean)));
    let parts = [share, Some(began), open, recovered, acknowledged];
    let parts: Vec<_> = parts.into_iter().flatten().collect();
    format!("{all}: {}.", parts.join(", "))
}

#[cfg(test)]
mod tests {
    use super::super::super::samples::{monthly, plain, screen, timelines};
    use super::*;

    #[test]
    fn tables_have_a_line_for_each_integration_platform_and_label() {
        let expected = "\
Report of 2026-11 in UTC so far, until 2026-11-23T10:00:00Z
Some status changes before 2026-11-05T00:00:00Z are no longer kept; where they are missing, the time is unknown.

INTEGRATION  TYPE      IN USE  ENABLED  FAILING  UNKNOWN  INCIDENTS  RECOVERED IN  ACKNOWLEDGED IN  EXPIRES
lake         Redshift  442.0h  99.66%   1.5h     96.0h    1          1h 30m (1)    30m (1)          2026-12-03 the token ci\\u{9b}
mart\\u{1b}   Trino     538.0h  99.62%   2.0h     -        1, 1 open  -             -                -

PLATFORM  INTEGRATIONS  IN USE  ENABLED  FAILING  UNKNOWN  INCIDENTS  RECOVERED IN  ACKNOWLEDGED IN  EXPIRES
Redshift  1             442.0h  99.66%   1.5h     96.0h    1          1h 30m (1)    30m (1)          2026-12-03 the token ci\\u{9b}
Trino     1             538.0h  99.62%   2.0h     -        1, 1 open  -             -                -

LABEL      INTEGRATIONS  IN USE  ENABLED  FAILING  UNKNOWN  INCIDENTS  RECOVERED IN  ACKNOWLEDGED IN  EXPIRES
team=data  2             980.0h  99.64%   3.5h     96.0h    2, 1 open  1h 30m (1)    30m (1)          2026-12-03 the token ci\\u{9b}

2 integrations: 99.64% enabled, 2 incidents, 1 open, recovered in 1h 30m on average, acknowledged in 30m.
";
        assert_eq!(plain(&tables(&monthly(&timelines()), screen())), expected);
    }

    #[test]
    fn month_without_integrations_is_a_sentence() {
        let expected = "Report of 2026-11 in UTC so far, until 2026-11-23T10:00:00Z\n\nNo integration was in use.\n";
        assert_eq!(tables(&monthly(&[]), screen()), expected);
    }
}
