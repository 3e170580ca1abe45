//! Command lines that mute integrations.

use std::time::Duration;

use clap::{ArgGroup, Args, Subcommand, ValueEnum};

use super::common::{Change, Json, Source};
use super::fitting::Fitting;
use crate::domain::{MUTE_MAX, Timestamp, duration_text, one_line};
use crate::input;

/// Shortest duration of a mute.
const MUTE_MIN: Duration = Duration::from_secs(1);
/// The longest comment, in characters.
const COMMENT_MAX: usize = 300;

/// Arguments of the command `silences`.
#[derive(Args, Debug)]
#[command(args_conflicts_with_subcommands = true)]
pub(in crate::cli) struct Silences {
    /// Change to make, if any.
    #[command(subcommand)]
    pub(in crate::cli) action: Option<SilenceAction>,
    /// Also list those that have ended
    #[arg(long)]
    pub(in crate::cli) ended: bool,
    /// Only those that cover this integration
    #[arg(long, value_name = "NAME")]
    pub(in crate::cli) integration: Option<String>,
    /// Only those of this person
    #[arg(long, value_name = "NAME")]
    pub(in crate::cli) author: Option<String>,
    /// Order of the list
    #[arg(long, value_enum, value_name = "KEY", default_value_t)]
    pub(in crate::cli) sort: SilenceSort,
    /// Database to read from.
    #[command(flatten)]
    pub(in crate::cli) source: Source,
    /// Choice between text and JSON.
    #[command(flatten)]
    pub(in crate::cli) form: Json,
}

/// Order of a list of silences.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, ValueEnum)]
pub(in crate::cli) enum SilenceSort {
    /// Number, the earliest first
    #[default]
    Id,
    /// Beginning, the earliest first
    From,
    /// End, the earliest first
    Until,
}

/// Arguments of the command `silences add` and `silences end`.
#[derive(Debug, Subcommand)]
pub(in crate::cli) enum SilenceAction {
    /// Mute some integrations; at the end receivers are notified of what differs from what they know
    Add(Silence),
    /// End a silence or an acknowledgement now; receivers are notified of what differs
    End(EndSilence),
}

/// Arguments of the command `silences add`.
#[derive(Args, Debug)]
#[command(group(ArgGroup::new("about").args(["integration", "kind", "label", "all"])
          .required(true).multiple(true)))]
pub(in crate::cli) struct Silence {
    /// Integrations that it covers.
    #[command(flatten)]
    pub(in crate::cli) fitting: Fitting,
    /// Every integration, whatever its name
    #[arg(long, conflicts_with_all = ["integration", "kind", "label"])]
    pub(in crate::cli) all: bool,
    /// Beginning as an instant ahead, RFC 3339, for work that is planned [default: now]
    #[arg(long, value_name = "RFC3339")]
    pub(in crate::cli) from: Option<Timestamp>,
    /// Duration of the mute, and its reason.
    #[command(flatten)]
    pub(in crate::cli) span: Span,
    /// Do not ask, even when no integration matches
    #[arg(long)]
    pub(in crate::cli) yes: bool,
    /// Person, database and form of the output.
    #[command(flatten)]
    pub(in crate::cli) change: Change,
}

/// Duration of a mute, and its reason.
#[derive(Args, Debug)]
#[command(group(ArgGroup::new("end").args(["during", "until"]).required(true)))]
pub(in crate::cli) struct Span {
    /// Duration from its beginning, such as `2h` or `1d 12h`; 31 days at most
    #[arg(long = "for", value_name = "DURATION", value_parser = mute)]
    pub(in crate::cli) during: Option<Duration>,
    /// End as an instant, RFC 3339; 31 days after its beginning at most
    #[arg(long, value_name = "RFC3339")]
    pub(in crate::cli) until: Option<Timestamp>,
    /// Reason, shown wherever the mute is listed
    #[arg(long, value_name = "TEXT", default_value = "", hide_default_value = true,
          value_parser = comment)]
    pub(in crate::cli) comment: String,
}

/// Arguments of the command `silences end`.
#[derive(Args, Debug)]
pub(in crate::cli) struct EndSilence {
    /// Id, as `silences` shows it
    pub(in crate::cli) id: i64,
    /// Person, database and form of the output.
    #[command(flatten)]
    pub(in crate::cli) change: Change,
}

/// Arguments of the command `acknowledge`.
#[derive(Args, Debug)]
pub(in crate::cli) struct Acknowledge {
    /// Name of an integration that is failing
    pub(in crate::cli) name: String,
    /// Duration of the mute, and its reason.
    #[command(flatten)]
    pub(in crate::cli) span: Span,
    /// Person, database and form of the output.
    #[command(flatten)]
    pub(in crate::cli) change: Change,
}

/// Parses the duration of a mute.
fn mute(text: &str) -> Result<Duration, String> {
    let given = input::duration(text).filter(|given| (MUTE_MIN..=MUTE_MAX).contains(given));
    given.ok_or_else(|| {
        let (min, max) = (duration_text(MUTE_MIN), duration_text(MUTE_MAX));
        format!("expected a duration from {min} to {max} such as 2h or 1d 12h")
    })
}

/// Why, on one line.
fn comment(text: &str) -> Result<String, String> {
    if text.chars().nth(COMMENT_MAX).is_some() {
        return Err(format!("expected at most {COMMENT_MAX} characters"));
    }
    Ok(one_line(text, COMMENT_MAX))
}

#[cfg(test)]
mod tests {
    use super::super::{Arguments, Command};
    use super::*;
    use clap::Parser;

    fn read(words: &[&str]) -> Result<Command, clap::Error> {
        let all = std::iter::once("revalidated").chain(words.iter().copied());
        Arguments::try_parse_from(all).map(|read| read.command.unwrap())
    }

    #[test]
    fn selection_and_duration_are_required() {
        let long = "x".repeat(301);
        let table: [(&[&str], &str); 12] = [
            (&["--all"], "--for <DURATION>"),
            (&["--for", "2h"], "--integration <GLOB>"),
            (&["--all", "--for", "2h", "--until", "1970-01-01T00:00:01Z"], "cannot be used with"),
            (&["--all", "--for", "2h", "--type", "Trino"], "cannot be used with"),
            (&["--all", "--for", "soon"], "a duration from 1s to 31d such as 2h or 1d 12h"),
            (&["--all", "--for", "32d"], "a duration from 1s to 31d"),
            (&["--all", "--for", "0s"], "a duration from 1s to 31d"),
            (&["--all", "--until", "noon"], "invalid value 'noon'"),
            (&["--label", "team", "--for", "2h"], "such as team=data"),
            (&["--label", "=data", "--for", "2h"], "a name before `=`"),
            (&["--integration", "", "--for", "2h"], "1 to 200 characters"),
            (&["--all", "--for", "2h", "--comment", &long], "at most 300 characters"),
        ];
        for (rest, expected) in table {
            let error = read(&[&["silences", "add"], rest].concat()).unwrap_err();
            assert!(error.to_string().contains(expected), "{rest:?}: {error}");
            assert_eq!(error.exit_code(), 2, "{rest:?}");
        }
    }

    #[test]
    fn duration_is_read_as_in_the_configuration_and_comment_is_one_line() {
        let line = ["acknowledge", "lake", "--for", "1w 2d", "--comment", "moving\n\u{1b}house "];
        let Command::Acknowledge(read) = read(&line).unwrap() else { panic!("another command") };
        assert_eq!(read.span.during, Some(Duration::from_hours(9 * 24)));
        assert_eq!(read.span.comment, "moving house");
    }
}
