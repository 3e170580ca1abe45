//! Output of a monitoring plugin: a line with a state, a message and figures, then long text.
//!
//! A `|` ends the text and begins the figures, and a new line ends a message, so both are taken out of what
//! others wrote. Nagios reads at most 4 KiB.

use std::time::Duration;

use crate::domain::one_line;

/// Most bytes of the whole output.
const BYTES_MAX: usize = 4096;
/// Most characters of the message.
const MESSAGE_MAX: usize = 512;
/// Most characters of a line of the long text.
const LINE_MAX: usize = 1024;

/// State of a service, as plugins give it.
#[derive(Clone, Copy, Debug, Eq, PartialEq, strum::IntoStaticStr)]
#[strum(serialize_all = "UPPERCASE", const_into_str)]
pub(in crate::cli) enum State {
    /// State of an integration that passes.
    Ok,
    /// Something warns, or a failure is not confirmed.
    Warning,
    /// State of an integration that fails.
    Critical,
    /// Nothing could be found out, or the command line is wrong.
    Unknown,
}

impl State {
    /// Returns the exit status of a plugin.
    pub(in crate::cli) const fn code(self) -> u8 {
        match self {
            Self::Ok => 0,
            Self::Warning => 1,
            Self::Critical => 2,
            Self::Unknown => 3,
        }
    }
}

/// Figures about an integration.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Figures {
    /// Duration of the run.
    pub(super) duration: Option<Duration>,
    /// Duration from which it is too long, where that is known.
    pub(super) duration_max: Option<Duration>,
    /// Number of consecutive failing runs.
    pub(super) failures: Option<u32>,
    /// Number of them that makes a failure where they are counted.
    pub(super) failures_max: u32,
    /// Time until the first expiry, where one is known; zero once it has passed.
    pub(super) expiry: Option<Duration>,
}

/// State of an integration with its reasons.
#[derive(Debug)]
pub(super) struct Found {
    /// State of the service.
    pub(super) state: State,
    /// Reason for the state.
    pub(super) message: String,
    /// Lines with details, the most important first.
    pub(super) details: Vec<String>,
    /// Figures about the integration.
    pub(super) figures: Figures,
}

/// Returns the output about `name`, with the line end.
pub(super) fn text(name: &str, found: &Found) -> String {
    let state: &str = found.state.into_str();
    let (name, message) = (clean(name, MESSAGE_MAX), clean(&found.message, MESSAGE_MAX));
    let figures = figures(&found.figures);
    let bar = if figures.is_empty() { "" } else { " | " };
    let mut text = format!("REVALIDATED {state} - {name}: {message}{bar}{figures}\n");
    for line in &found.details {
        let line = clean(line, LINE_MAX);
        if BYTES_MAX < text.len() + line.len() + 1 {
            break;
        }
        text.push_str(&line);
        text.push('\n');
    }
    text
}

/// Returns one line without the character that begins figures.
pub(super) fn clean(text: &str, chars_max: usize) -> String {
    one_line(text, chars_max).replace('|', "/")
}

fn figures(figures: &Figures) -> String {
    let Figures { duration, duration_max, failures, failures_max, expiry } = figures;
    let most = duration_max.map_or(String::new(), |most| format!(";;{}", most.as_secs()));
    let duration = duration.map(|took| format!("duration={:.3}s{most}", took.as_secs_f64()));
    let failures = failures.map(|count| format!("failures={count};1;{failures_max}"));
    let expiry = expiry.map(|left| format!("expiry={}s", left.as_secs()));
    let all: Vec<_> = [duration, failures, expiry].into_iter().flatten().collect();
    all.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    const FIGURES: Figures = Figures {
        duration: Some(Duration::from_millis(312)),
        duration_max: Some(Duration::from_secs(30)),
        failures: Some(8),
        failures_max: 3,
        expiry: Some(Duration::from_hours(2640)),
    };

    fn found(message: &str, details: &[&str], figures: Figures) -> Found {
        let details = details.iter().map(|&line| line.to_owned()).collect();
        Found { state: State::Critical, message: message.to_owned(), details, figures }
    }

    #[test]
    fn first_line_has_state_message_and_figures_and_details_follow() {
        let expected = "REVALIDATED CRITICAL - uc-finance: no such catalog | duration=0.312s;;30 \
                        failures=8;1;3 expiry=9504000s\nfailed: catalog\n";
        assert_eq!(
            text("uc-finance", &found("no such catalog", &["failed: catalog"], FIGURES)),
            expected
        );
        let none = found("no such catalog", &[], Figures::default());
        assert_eq!(text("a", &none), "REVALIDATED CRITICAL - a: no such catalog\n");
    }

    #[test]
    fn text_of_others_cannot_end_the_line_nor_begin_figures() {
        let evil = "down\nREVALIDATED OK | up=1\u{1b}[2J\u{202e}\r\n";
        let shown = text(evil, &found(evil, &[evil], FIGURES));
        let lines: Vec<_> = shown.lines().collect();
        assert_eq!(lines.len(), 2, "{shown}");
        assert_eq!(lines[0].matches('|').count(), 1, "{shown}");
        assert!(
            lines[0].starts_with("REVALIDATED CRITICAL - down REVALIDATED OK / up=1"),
            "{shown}"
        );
        assert!(
            !lines[1].contains('|') && !shown.contains(['\u{1b}', '\u{202e}', '\r']),
            "{shown}"
        );
    }

    #[test]
    fn output_is_at_most_4_kib_whatever_it_is_made_of() {
        let long = "ü€😀 ".repeat(2000);
        let details: Vec<_> = std::iter::repeat_n(long.as_str(), 200).collect();
        let shown = text(&long, &found(&long, &details, FIGURES));
        assert!(shown.len() <= BYTES_MAX, "{}", shown.len());
        assert!(shown.lines().next().unwrap().contains(" | duration="), "figures are kept");
    }

    #[test]
    fn states_have_the_exit_statuses_of_plugins() {
        let codes = [State::Ok, State::Warning, State::Critical, State::Unknown].map(State::code);
        assert_eq!(codes, [0, 1, 2, 3]);
    }
}
