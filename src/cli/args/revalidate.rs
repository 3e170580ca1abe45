//! Command line that asks the daemon for runs.

use std::time::Duration;

use clap::{ArgGroup, Args};

use super::common::Change;
use super::fitting::Fitting;
use crate::domain::duration_text;
use crate::input;

/// Shortest wait for results.
const WAIT_MIN: Duration = Duration::from_secs(1);
/// Longest wait for results.
const WAIT_MAX: Duration = Duration::from_hours(24);

/// Arguments of the command `revalidate`.
#[derive(Args, Debug)]
#[command(group(ArgGroup::new("which").args(["names", "integration", "kind", "label", "failing"])
          .required(true).multiple(true)))]
pub(in crate::cli) struct Revalidate {
    /// Integrations by their names
    #[arg(value_name = "NAME", num_args = 0..=1000,
          conflicts_with_all = ["integration", "kind", "label", "failing"])]
    pub(in crate::cli) names: Vec<String>,
    /// Those in a status that says that something failed
    #[arg(long)]
    pub(in crate::cli) failing: bool,
    /// Choice of the integrations.
    #[command(flatten)]
    pub(in crate::cli) fitting: Fitting,
    /// Wait so long for the results, such as `60s`, and show them
    #[arg(long, value_name = "DURATION", value_parser = wait)]
    pub(in crate::cli) wait: Option<Duration>,
    /// Person, database and form of the output.
    #[command(flatten)]
    pub(in crate::cli) change: Change,
}

/// Parses the longest wait for results.
fn wait(text: &str) -> Result<Duration, String> {
    let given = input::duration(text).filter(|given| (WAIT_MIN..=WAIT_MAX).contains(given));
    given.ok_or_else(|| {
        let (min, max) = (duration_text(WAIT_MIN), duration_text(WAIT_MAX));
        format!("expected a duration from {min} to {max} such as 60s")
    })
}

#[cfg(test)]
mod tests {
    use super::super::{Arguments, Command};
    use super::*;
    use clap::Parser;

    #[test]
    fn integrations_are_named_or_chosen() {
        let read = |rest: &str| {
            let words = ["revalidated", "revalidate"].into_iter().chain(rest.split_whitespace());
            Arguments::try_parse_from(words).map(|read| read.command.unwrap())
        };
        let Ok(Command::Revalidate(named)) = read("lake mart --wait 1m") else { panic!("refused") };
        assert_eq!(named.names, ["lake", "mart"]);
        assert_eq!(named.wait, Some(Duration::from_mins(1)));
        let chosen = read("--failing --label team=data --type Trino");
        assert!(matches!(chosen, Ok(Command::Revalidate(chosen)) if chosen.failing));
        let table = [
            ("", "required arguments"),
            ("lake --failing", "cannot be used with"),
            ("lake --label team=data", "cannot be used with"),
            ("lake --wait soon", "a duration from 1s to 1d such as 60s"),
            ("lake --wait 0s", "a duration from 1s to 1d such as 60s"),
        ];
        for (rest, expected) in table {
            let error = read(rest).unwrap_err().to_string();
            assert!(error.contains(expected), "{rest}: {error}");
        }
    }
}
