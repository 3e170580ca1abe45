//! `next`: when a cron expression comes due, by the daemon's own arithmetic.

use jiff::tz::TimeZone;

use super::args::Next;
use super::error::CommandError;
use super::print::{Answer, Column, Screen, Table};
use crate::config::schedule_problem;
use crate::domain::{Schedule, Timestamp};
use crate::view::{Instant, instants};

/// Lists the upcoming instants.
pub(super) fn answer(args: &Next, screen: Screen) -> Result<Answer, CommandError> {
    let zone = screen.zone.and_then(TimeZone::iana_name).unwrap_or("UTC");
    let schedule = Schedule::parse(&args.cron, zone)
        .map_err(|error| CommandError::Usage(schedule_problem(&error)))?;
    let first = args.after.unwrap_or(screen.now);
    let number = usize::try_from(args.number).unwrap_or(usize::MAX);
    let upcoming: Vec<_> =
        instants(first, |after| schedule.next_after(after)).take(number).collect();
    if args.form.json {
        return Ok(Answer::json(&upcoming)?);
    }
    let upcoming: Vec<_> = upcoming.into_iter().map(|at| Instant::new(&schedule, at)).collect();
    Ok(Answer::good(table(&upcoming, screen)))
}

/// Lays out instants in UTC and in the zone of their schedule.
#[must_use]
pub(super) fn table(instants: &[Instant], screen: Screen) -> String {
    let mut table = Table::new(screen, [Column::whole("UTC"), Column::whole("LOCAL")]);
    for Instant { utc, local } in instants {
        // The spread of an integration has parts of a second, as `local` has none.
        table.row([Timestamp(utc.unix_seconds() * 1000).to_string(), local.clone()]);
    }
    table.text()
}

#[cfg(test)]
mod tests {
    use super::super::args::Json;
    use super::super::samples;
    use super::*;

    fn next(cron: &str, tz: &str, json: bool) -> Result<Answer, CommandError> {
        let args = Next {
            cron: cron.to_owned(),
            after: Some(samples::at("2026-10-24T08:00:00Z")),
            number: 2,
            form: Json { json },
        };
        let zone: &TimeZone = Box::leak(Box::new(TimeZone::get(tz).unwrap()));
        answer(&args, Screen { zone: Some(zone), ..samples::screen() })
    }

    #[test]
    fn instants_are_shown_in_utc_and_in_the_zone() {
        let expected = "\
UTC                   LOCAL
2026-10-25T08:30:00Z  2026-10-25 09:30:00 CET
2026-10-26T08:30:00Z  2026-10-26 09:30:00 CET
";
        assert_eq!(next("30 9 * * *", "Europe/Berlin", false).unwrap().text, expected);
    }

    #[test]
    fn json_is_a_plain_array() {
        let text = next("30 9 * * *", "Europe/Berlin", true).unwrap().text;
        let json: serde_json::Value = serde_json::from_str(&text).unwrap();
        let expected = serde_json::json!(["2026-10-25T08:30:00Z", "2026-10-26T08:30:00Z"]);
        assert_eq!(json, expected);
    }

    #[test]
    fn invalid_expression_is_a_usage_error() {
        for (cron, said) in [
            ("0 0 30 2 *", "\"0 0 30 2 *\" never comes due"),
            (
                "@hourl",
                "\"@hourl\" is not a cron expression: there is no such nickname; did you mean `@hourly`?",
            ),
            (
                "* *",
                "\"* *\" is not a cron expression: expected 5 fields, or 6 with the seconds first, found 2",
            ),
            ("\u{1b}", "\"\\u{1b}\" is not a cron expression"),
        ] {
            let error = next(cron, "UTC", false).unwrap_err();
            assert!(
                matches!(&error, CommandError::Usage(text) if text.starts_with(said)),
                "{error:?}"
            );
        }
    }
}
