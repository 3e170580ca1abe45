//! Narrator: short, dated lines for people; colour only on a terminal.

use std::fmt;
use std::io::{self, Write};
use std::time::Duration;

use anstyle::{AnsiColor, Style};
use jiff::tz::TimeZone;

use super::receiver::{Body, Received};
use super::watch::StatusChange;
use crate::daemon::Clock;
use crate::domain::{ReportStatus, Status, duration_text, is_unseen};
use crate::store::StoredTest;

/// Length limit of a text of others, in characters.
const SHOWN_CHARS_MAX: usize = 400;

/// Style of good news.
const GOOD: Style = AnsiColor::Green.on_default();
/// Style of bad news.
const BAD: Style = AnsiColor::Red.on_default();
/// Style of the demo's own actions.
const ACT: Style = AnsiColor::Cyan.on_default();
/// Style of everything else.
const PLAIN: Style = Style::new();

/// Writer of the narration.
pub(super) struct Narrator<W> {
    out: W,
    clock: Clock,
    zone: TimeZone,
}

impl<W: Write> Narrator<W> {
    /// Returns a narrator that dates lines by `clock`, in the time zone of this machine.
    pub(super) fn new(out: W, clock: Clock) -> Self {
        Self { out, clock, zone: TimeZone::system() }
    }

    /// Writes a line without a date.
    pub(super) fn head(&mut self, text: impl fmt::Display) -> io::Result<()> {
        writeln!(self.out, "{text}")?;
        self.out.flush()
    }

    /// Writes what the demo does or is about to do.
    pub(super) fn act(&mut self, text: impl fmt::Display) -> io::Result<()> {
        self.line(ACT, text)
    }

    /// Writes a fact that is neither good nor bad.
    pub(super) fn say(&mut self, text: impl fmt::Display) -> io::Result<()> {
        self.line(PLAIN, text)
    }

    /// Writes a status change, with the tests that failed.
    pub(super) fn change(&mut self, change: &StatusChange) -> io::Result<()> {
        let (name, to) = (shown(&change.name), change.to);
        let style = match to {
            Status::Enabled => GOOD,
            Status::RecurringValidationError
            | Status::CreateError
            | Status::EditError
            | Status::MigrateError
            | Status::DeleteError => BAD,
            Status::Creating
            | Status::Deleted
            | Status::Deleting
            | Status::Disabled
            | Status::Editing
            | Status::Migrating => PLAIN,
        };
        match change.from {
            Some(from) => self.line(style, format_args!("{name}: {from} -> {to}"))?,
            None => self.line(style, format_args!("{name}: {to}"))?,
        }
        let failed = change.tests.iter().filter(|test| test.status == ReportStatus::Failed);
        for test in failed {
            self.test(test)?;
        }
        Ok(())
    }

    /// Writes a webhook that was received, verified or refused.
    pub(super) fn webhook(&mut self, received: &Received) -> io::Result<()> {
        let id = shown(&received.id);
        match &received.body {
            Ok(Body { kind, data }) => {
                let (kind, name) = (shown(kind), shown(&data.integration.name));
                let repeated = if received.repeated { ", a repeat" } else { "" };
                let outage = data.outage_ms.map(|lasted| Duration::from_secs(lasted / 1000));
                let outage = outage
                    .map(|lasted| format!(", outage of {}", duration_text(lasted)))
                    .unwrap_or_default();
                self.say(format_args!(
                    "webhook received: {kind} {name} #{} {id}, signature verified{outage}{repeated}",
                    data.sequence,
                ))
            }
            Err(refusal) => self.line(BAD, format_args!("webhook refused: {id}: {refusal}")),
        }
    }

    fn test(&mut self, test: &StoredTest) -> io::Result<()> {
        self.detail("failed", Some(&test.name))?;
        self.detail("message", test.message.as_deref())?;
        self.detail("fix", test.remediation.as_deref())
    }

    fn detail(&mut self, label: &str, text: Option<&str>) -> io::Result<()> {
        let Some(text) = text else { return Ok(()) };
        writeln!(self.out, "          {label:<8} {}", shown(text))?;
        self.out.flush()
    }

    fn line(&mut self, style: Style, text: impl fmt::Display) -> io::Result<()> {
        let now = self.clock.now().to_jiff().to_zoned(self.zone.clone());
        writeln!(self.out, "{}  {style}{text}{style:#}", now.strftime("%H:%M:%S"))?;
        self.out.flush()
    }
}

/// Returns text of others, bounded and without control characters of a terminal.
fn shown(text: &str) -> String {
    let harmless = |c: char| if is_unseen(c) { '\u{FFFD}' } else { c };
    let mut shown: String = text.chars().take(SHOWN_CHARS_MAX).map(harmless).collect();
    if text.chars().nth(SHOWN_CHARS_MAX).is_some() {
        shown.push_str(" ...");
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::demo::receiver::Refusal;

    fn narrated(narrate: impl FnOnce(&mut Narrator<Vec<u8>>) -> io::Result<()>) -> String {
        let mut narrator = Narrator::new(Vec::new(), Clock::default());
        narrate(&mut narrator).unwrap();
        String::from_utf8(narrator.out).unwrap()
    }

    #[test]
    fn status_change_lists_failed_tests_with_their_remediation() {
        let test = |name: &str, status| StoredTest {
            name: name.to_owned(),
            status,
            message: Some("gone".to_owned()),
            class: None,
            remediation: Some("create it".to_owned()),
            evidence: Some("a raw error".to_owned()),
        };
        let change = StatusChange {
            name: "orders".to_owned(),
            from: Some(Status::Enabled),
            to: Status::RecurringValidationError,
            tests: vec![
                test("one", ReportStatus::Passed),
                test("two", ReportStatus::Failed),
                test("three", ReportStatus::Skipped),
            ],
        };
        let lines = narrated(|narrator| narrator.change(&change));
        assert!(lines.contains("orders: enabled -> recurringValidationError"), "{lines}");
        let details: Vec<_> = lines.lines().skip(1).map(str::trim).collect();
        assert_eq!(details, ["failed   two", "message  gone", "fix      create it"]);
    }

    #[test]
    fn webhook_is_shown_with_its_verification() {
        let body = r#"{"type":"integration.validation.recovered","data":{"sequence":3,
            "integration":{"name":"orders"},"status":"enabled","outageMs":6789}}"#;
        let mut received = Received {
            id: "evt_1".to_owned(),
            repeated: false,
            body: Ok(serde_json::from_str(body).unwrap()),
        };
        let text = narrated(|narrator| narrator.webhook(&received));
        let expected = "webhook received: integration.validation.recovered orders #3 evt_1, \
                        signature verified, outage of 6s";
        assert!(text.contains(expected), "{text}");
        received.repeated = true;
        assert!(narrated(|narrator| narrator.webhook(&received)).contains(", a repeat"));
        received.body = Err(Refusal::Signature);
        let text = narrated(|narrator| narrator.webhook(&received));
        assert!(text.contains("webhook refused: evt_1: no signature fits the body"), "{text}");
    }

    #[test]
    fn text_of_others_cannot_control_or_flood_the_terminal() {
        assert_eq!(shown("a\x1b[31m\nb\u{202E}c\u{9b}"), "a\u{FFFD}[31m\u{FFFD}b\u{FFFD}c\u{FFFD}");
        let long = shown(&"x".repeat(SHOWN_CHARS_MAX + 1));
        assert_eq!(long, format!("{} ...", "x".repeat(SHOWN_CHARS_MAX)));
    }
}
