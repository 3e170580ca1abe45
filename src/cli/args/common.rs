//! Arguments that several commands share.

use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use clap::Args;

use crate::config::schedule_problem;
use crate::domain::{Schedule, Timestamp, one_line};
use crate::input;

/// Length of the longest name of a person, in characters.
const AUTHOR_MAX: usize = 100;

/// The choice between text and JSON.
#[derive(Args, Clone, Copy, Debug)]
pub(in crate::cli) struct Json {
    /// Print JSON, for programs
    #[arg(long)]
    pub(in crate::cli) json: bool,
}

/// Database of the daemon.
#[derive(Args, Clone, Debug)]
pub(in crate::cli) struct Source {
    /// Database to use, instead of the one that the configuration names
    #[arg(long, value_name = "FILE", value_parser = file)]
    pub(in crate::cli) store: Option<PathBuf>,
}

/// Arguments of the command `explain`, and part of others.
#[derive(Args, Debug)]
pub(in crate::cli) struct Named {
    /// Name of the integration
    pub(in crate::cli) name: String,
    /// Database to read from.
    #[command(flatten)]
    pub(in crate::cli) source: Source,
    /// Choice between text and JSON.
    #[command(flatten)]
    pub(in crate::cli) form: Json,
}

/// Arguments of each command that changes something in the store.
#[derive(Args, Clone, Debug)]
pub(in crate::cli) struct Change {
    /// Person who does it.
    #[command(flatten)]
    pub(in crate::cli) by: Author,
    /// Database to write to.
    #[command(flatten)]
    pub(in crate::cli) source: Source,
    /// Choice between text and JSON.
    #[command(flatten)]
    pub(in crate::cli) form: Json,
}

/// Person who changes something, as the audit trail names them.
#[derive(Args, Clone, Debug)]
pub(in crate::cli) struct Author {
    /// Name under which the audit trail keeps this [default: the user who runs the command]
    #[arg(
        long = "author",
        value_name = "NAME",
        env = "REVALIDATED_AUTHOR",
        hide_env = true,
        hide_env_values = true
    )]
    given: Option<String>,
    /// User who called `sudo`
    #[arg(long = "sudo-user", env = "SUDO_USER", hide = true)]
    before_sudo: Option<String>,
    /// User who has logged in
    #[arg(long = "login-user", env = "USER", hide = true)]
    login: Option<String>,
}

impl Author {
    /// Returns the name, or the number of the user when no name is known.
    pub(in crate::cli) fn name(&self) -> String {
        let names = [&self.given, &self.before_sudo, &self.login].into_iter().flatten();
        let mut names =
            names.map(|name| one_line(name, AUTHOR_MAX)).filter(|name| !name.is_empty());
        names.next().unwrap_or_else(|| match rustix::process::getuid().as_raw() {
            0 => "root".to_owned(),
            number => format!("user {number}"),
        })
    }
}

/// Parses the path of a database; a URL could contain a password, which everyone on the machine would see.
pub(super) fn file(path: &str) -> Result<PathBuf, String> {
    if path.contains("://") {
        let named = "a file is expected; a database on a server is named by [store] url of the configuration";
        return Err(named.to_owned());
    }
    Ok(PathBuf::from(path))
}

/// Parses a zone by its IANA name; `local` is that of this machine.
pub(super) fn zone(name: &str) -> Result<jiff::tz::TimeZone, String> {
    if name == "local" {
        return Ok(jiff::tz::TimeZone::system());
    }
    Schedule::parse("@daily", name).map_err(|error| schedule_problem(&error))?;
    jiff::tz::TimeZone::get(name).map_err(|error| error.to_string())
}

/// An instant as it is given on the command line.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(in crate::cli) enum Moment {
    /// Instant, in absolute terms.
    At(Timestamp),
    /// Age, counted back from now.
    Ago(Duration),
}

impl Moment {
    /// The instant, counted from `now`.
    pub(in crate::cli) fn from(self, now: Timestamp) -> Timestamp {
        match self {
            Self::At(instant) => instant,
            Self::Ago(age) => now.minus(age),
        }
    }
}

impl FromStr for Moment {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if let Ok(instant) = text.parse() {
            return Ok(Self::At(instant));
        }
        input::duration(text).map(Self::Ago).ok_or_else(|| {
            "expected an instant such as 2026-11-23T10:00:00Z or an age such as 2h or 1d".to_owned()
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn author_is_the_first_name_that_is_known() {
        let author = |given: Option<&str>, before_sudo: Option<&str>, login: Option<&str>| {
            let owned = |name: Option<&str>| name.map(str::to_owned);
            Author { given: owned(given), before_sudo: owned(before_sudo), login: owned(login) }
                .name()
        };
        assert_eq!(author(Some("anna"), Some("bert"), Some("root")), "anna");
        assert_eq!(author(None, Some("bert"), Some("root")), "bert");
        assert_eq!(author(Some(" \u{1b}"), Some(""), Some("ro\not")), "ro ot");
        let unknown = author(None, None, None);
        assert!(unknown == "root" || unknown.starts_with("user "), "{unknown}");
    }

    #[test]
    fn database_on_a_server_is_named_by_the_configuration_alone() {
        assert_eq!(file("/s/state.db"), Ok(PathBuf::from("/s/state.db")));
        assert!(file("postgres://a@db/b").unwrap_err().contains("[store] url"));
    }

    #[test]
    fn moment_is_an_instant_or_an_age_of_any_unit_of_durations() {
        let now: Timestamp = "2026-11-23T10:00:00Z".parse().unwrap();
        let table = [
            ("2026-11-20T08:00:00Z", "2026-11-20T08:00:00Z"),
            ("2h", "2026-11-23T08:00:00Z"),
            ("1d", "2026-11-22T10:00:00Z"),
            ("1d 12h", "2026-11-21T22:00:00Z"),
        ];
        for (text, expected) in table {
            let expected: Timestamp = expected.parse().unwrap();
            assert_eq!(text.parse::<Moment>().unwrap().from(now), expected, "{text}");
        }
        for text in ["", "yesterday", "-2h", "2"] {
            assert!(text.parse::<Moment>().unwrap_err().contains("such as 2h or 1d"), "{text}");
        }
    }
}
