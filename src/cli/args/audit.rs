//! Command line that reads the audit trail.

use clap::Args;
use clap::builder::{PossibleValuesParser, TypedValueParser};

use super::common::{Json, Moment, Source};
use crate::store::{Act, Cursor};

/// Arguments of the command `audit`.
#[derive(Args, Debug)]
pub(in crate::cli) struct Audit {
    /// Only by this person
    #[arg(long, value_name = "NAME")]
    pub(in crate::cli) author: Option<String>,
    /// Only by this command
    #[arg(long = "command", value_name = "COMMAND", value_parser = acts())]
    pub(in crate::cli) act: Option<Act>,
    /// Only about what this text is a part of, such as the name of an integration or receiver
    #[arg(long = "about", value_name = "TEXT")]
    pub(in crate::cli) target: Option<String>,
    /// Only at or after this instant: RFC 3339, or an age such as `2h`
    #[arg(long, value_name = "WHEN")]
    pub(in crate::cli) since: Option<Moment>,
    /// Only before this instant: RFC 3339, or an age such as `30m`
    #[arg(long, value_name = "WHEN")]
    pub(in crate::cli) until: Option<Moment>,
    /// Number of entries at most
    #[arg(short = 'n', long, value_name = "N", default_value_t = 50,
          value_parser = clap::value_parser!(u32).range(1..=100_000))]
    pub(in crate::cli) limit: u32,
    /// Go on where the page ended that named this cursor
    #[arg(long, value_name = "CURSOR")]
    pub(in crate::cli) after: Option<Cursor>,
    /// Print comma-separated values, for spreadsheets
    #[arg(long, conflicts_with = "json")]
    pub(in crate::cli) csv: bool,
    /// Database to read from.
    #[command(flatten)]
    pub(in crate::cli) source: Source,
    /// Choice between text and JSON.
    #[command(flatten)]
    pub(in crate::cli) form: Json,
}

/// Returns the parser of an act.
fn acts() -> impl TypedValueParser<Value = Act> {
    let names: Vec<_> = Act::ALL.iter().map(|act| act.as_str()).collect();
    PossibleValuesParser::new(names).try_map(|name| name.parse::<Act>())
}

#[cfg(test)]
mod tests {
    use super::super::{Arguments, Command};
    use super::*;
    use clap::{CommandFactory, Parser};

    #[test]
    fn each_act_is_a_command_that_takes_an_author() {
        for act in Act::ALL {
            let mut command = Arguments::command();
            command.build();
            let mut found = &command;
            for word in act.as_str().split(' ') {
                found = found.find_subcommand(word).unwrap_or_else(|| panic!("{}", act.as_str()));
            }
            let mut arguments = found.get_arguments();
            assert!(arguments.any(|one| one.get_id() == "given"), "{}", act.as_str());
        }
    }

    #[test]
    fn filters_of_the_trail_are_read() {
        let read = |rest: &[&str]| {
            let words = ["revalidated", "audit"].iter().chain(rest);
            match Arguments::try_parse_from(words).map(|read| read.command) {
                Ok(Some(Command::Audit(audit))) => Ok(audit),
                Ok(other) => panic!("{other:?}"),
                Err(error) => Err(error.to_string()),
            }
        };
        let audit = read(&["--command", "receivers enable", "--since", "2h", "-n", "7"]).unwrap();
        assert_eq!((audit.act, audit.limit), (Some(Act::EnableReceiver), 7));
        let table: [(&[&str], &str); 3] = [
            (&["--csv", "--json"], "cannot be used with"),
            (&["--command", "list"], "invalid value 'list'"),
            (&["-n", "0"], "invalid value '0'"),
        ];
        for (rest, expected) in table {
            let error = read(rest).unwrap_err();
            assert!(error.contains(expected), "{rest:?}: {error}");
        }
    }
}
