//! Command line that makes the report of a month.

use clap::{Args, ValueEnum};
use jiff::tz::TimeZone;

use super::common::{Json, Source, zone};
use super::fitting::Fitting;
use crate::view::Month;

/// Arguments of the command `report`.
#[derive(Args, Debug)]
pub(in crate::cli) struct Report {
    /// Month to report, such as `2026-11` [default: the present one, so far]
    #[arg(long, value_name = "MONTH")]
    pub(in crate::cli) month: Option<Month>,
    /// Zone in which the month begins and ends: an IANA name, or `local` [default: that of --tz, else UTC]
    #[arg(long = "zone", id = "month_zone", value_name = "ZONE", value_parser = zone)]
    pub(in crate::cli) zone: Option<TimeZone>,
    /// Choice of the integrations to report.
    #[command(flatten)]
    pub(in crate::cli) fitting: Fitting,
    /// Form of the report
    #[arg(long, value_enum, value_name = "FORMAT", default_value_t, conflicts_with = "json")]
    pub(in crate::cli) format: ReportFormat,
    /// Database to read from.
    #[command(flatten)]
    pub(in crate::cli) source: Source,
    /// Choice between text and JSON.
    #[command(flatten)]
    pub(in crate::cli) form: Json,
}

/// Form of a report.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, ValueEnum)]
pub(in crate::cli) enum ReportFormat {
    /// Tables for a terminal
    #[default]
    Text,
    /// Comma-separated values, for spreadsheets
    Csv,
    /// Document for a browser, to be read, sent and printed
    Html,
    /// Values for programs, as with --json
    Json,
}

#[cfg(test)]
mod tests {
    use super::super::{Arguments, Command};
    use super::*;
    use clap::Parser;

    #[test]
    fn month_zone_and_form_are_read() {
        let read = |rest: &str| {
            let words = ["revalidated", "report"].into_iter().chain(rest.split_whitespace());
            match Arguments::try_parse_from(words).map(|read| read.command) {
                Ok(Some(Command::Report(report))) => Ok(report),
                Ok(other) => panic!("{other:?}"),
                Err(error) => Err(error.to_string()),
            }
        };
        let report = read("--month 2026-11 --zone Europe/Berlin --format csv").unwrap();
        assert_eq!(report.month.map(|month| month.to_string()).as_deref(), Some("2026-11"));
        assert_eq!(report.zone.unwrap().iana_name(), Some("Europe/Berlin"));
        assert_eq!((report.format, report.form.json), (ReportFormat::Csv, false));
        let report = read("--label team=data --json").unwrap();
        assert_eq!((report.month, report.format), (None, ReportFormat::Text));
        let table = [
            ("--month 2026-13", "expected a month such as 2026-11"),
            ("--zone Berlin", "did you mean `Europe/Berlin`?"),
            ("--format html --json", "cannot be used with"),
            ("--format pdf", "text, csv, html, json"),
        ];
        for (rest, expected) in table {
            let error = read(rest).unwrap_err();
            assert!(error.contains(expected), "{rest}: {error}");
        }
    }
}
