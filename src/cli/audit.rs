//! `audit`: who changed something by a command, newest first.

use anyhow::Context as _;

use super::args::{Audit, Global};
use super::error::CommandError;
use super::print::{Answer, Column, Screen, Table, Tone, sanitise, toned};
use super::read;
use crate::store::{AuditFilter, AuditRow, Listed};
use crate::view::Audited;

/// Lists the entries that match.
pub(super) async fn answer(
    global: &Global,
    args: Audit,
    screen: Screen,
) -> Result<Answer, CommandError> {
    let view = read::view(global, &args.source).await?;
    let filter = AuditFilter {
        author: args.author,
        act: args.act,
        target: args.target,
        since: args.since.map(|moment| moment.from(screen.now)),
        until: args.until.map(|moment| moment.from(screen.now)),
    };
    let read = async |page| view.audit(filter.clone(), page).await;
    let Listed { rows, next } = read::rows(args.limit, args.after, read).await?;
    let answer = if args.form.json {
        let shapes: Vec<_> = rows.iter().map(Audited::from).collect();
        Answer::json(&shapes)?
    } else if args.csv {
        Answer { is_json: true, ..Answer::good(csv(&rows)?) }
    } else {
        Answer::good(text(&rows, screen))
    };
    Ok(answer.with_next(next.as_ref()))
}

/// Lays out one line for each entry, and a last one that counts them.
pub(super) fn text(rows: &[AuditRow], screen: Screen) -> String {
    if rows.is_empty() {
        return "No entries.\n".to_owned();
    }
    let columns = [
        Column::whole("AT"),
        Column::name("BY"),
        Column::whole("COMMAND"),
        Column::text("ABOUT"),
        Column::text("COMMENT").dropped(1),
    ];
    let mut table = Table::new(screen, columns);
    let cell = |text: &str| {
        if text.is_empty() { toned("-", Tone::Quiet) } else { sanitise(text).into_owned() }
    };
    for row in rows {
        table.row([
            screen.instant(Some(row.at)),
            cell(&row.author),
            row.act.as_str().to_owned(),
            cell(&row.target),
            cell(&row.comment),
        ]);
    }
    let entries =
        if rows.len() == 1 { "1 entry".to_owned() } else { format!("{} entries", rows.len()) };
    let mut authors: Vec<_> = rows.iter().map(|row| row.author.as_str()).collect();
    authors.sort_unstable();
    authors.dedup();
    let authors = match authors.len() {
        1 => "1 person".to_owned(),
        more => format!("{more} people"),
    };
    format!("{}\n{entries} of {authors}.\n", table.text())
}

/// Returns comma-separated values with a line of names (RFC 4180); instants are in UTC.
fn csv(rows: &[AuditRow]) -> anyhow::Result<String> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    writer.write_record(["at", "author", "command", "target", "comment"])?;
    for row in rows {
        let at = row.at.to_string();
        let fields = [&row.author, row.act.as_str(), &row.target, &row.comment];
        let fields = fields.map(|text| sanitise(text).into_owned());
        writer.write_record(std::iter::once(&at).chain(&fields))?;
    }
    let bytes = writer.into_inner().context("writing the table")?;
    String::from_utf8(bytes).context("writing the table")
}

#[cfg(test)]
mod tests {
    use super::super::samples::{audit, plain, screen};
    use super::*;

    #[test]
    fn each_entry_is_a_line_and_the_last_line_counts() {
        let expected = "\
AT                    BY    COMMAND       ABOUT           COMMENT
2026-11-23T09:30:00Z  bert  silences end  3: types Trino  -
2026-11-23T09:00:00Z  anna  silences add  3: types Trino  moving\\u{1b}, \"today\"

2 entries of 2 people.
";
        assert_eq!(plain(&text(&audit(), screen())), expected);
        assert_eq!(text(&[], screen()), "No entries.\n");
        let shown = text(&audit()[..1], screen());
        assert!(shown.ends_with("\n1 entry of 1 person.\n"), "{shown}");
    }

    #[test]
    fn spreadsheet_gets_quoted_values() {
        let expected = "\
at,author,command,target,comment
2026-11-23T09:30:00Z,bert,silences end,3: types Trino,
2026-11-23T09:00:00Z,anna,silences add,3: types Trino,\"moving\\u{1b}, \"\"today\"\"\"
";
        assert_eq!(csv(&audit()).unwrap(), expected);
    }
}
