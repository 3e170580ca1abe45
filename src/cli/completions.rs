//! `completions`: scripts by which a shell completes command lines.
//!
//! A script calls the program back at each TAB, by a variable of the environment. So it completes what this program
//! has, and the names of integrations and receivers in its database as far as the user may read that; without it, nothing
//! is completed and nothing is printed.

use std::ffi::OsString;
use std::path::PathBuf;

use anyhow::{Context as _, anyhow};
use clap::{Arg, Command, CommandFactory};
use clap_complete::env::Shells;
use clap_complete::{ArgValueCandidates, CompleteEnv, CompletionCandidate};

use super::args::{Arguments, Completions};
use super::error::CommandError;
use super::print::Answer;
use super::read;
use crate::config;
use crate::domain::{EventType, Location};
use crate::platforms::PLATFORMS;
use crate::store::{ReceiverRow, View, each_page};

/// Variable by which a script calls the program back, with the name of the shell.
const VARIABLE: &str = "REVALIDATED_COMPLETE";
/// Name of the program, as the shell finds it.
const PROGRAM: &str = "revalidated";

/// Commands whose argument `name` is none of an integration.
const RECEIVER_COMMANDS: [&str; 2] = ["enable", "disable"];
/// Arguments that name integrations, by their ids.
const INTEGRATION_ARGUMENTS: [&str; 3] = ["name", "names", "integration"];

/// Prints the script for a shell.
pub(super) fn answer(args: Completions) -> Result<Answer, CommandError> {
    let shells = Shells::builtins();
    let shell = shells.completer(args.shell.name());
    let shell = shell.ok_or_else(|| anyhow!("no completions for {}", args.shell.name()))?;
    let mut script = Vec::new();
    shell
        .write_registration(VARIABLE, PROGRAM, PROGRAM, PROGRAM, &mut script)
        .context("writing the script")?;
    let script = String::from_utf8(script).context("writing the script")?;
    Ok(Answer { is_json: true, ..Answer::good(script) })
}

/// Prints completions when a script has called the program for them; returns true then.
pub(super) fn complete() -> clap::error::Result<bool> {
    let folder = std::env::current_dir().ok();
    let environment = CompleteEnv::with_factory(command).var(VARIABLE);
    environment.try_complete(std::env::args_os(), folder.as_deref())
}

/// Returns the command line with candidates for names.
fn command() -> Command {
    with_candidates(Arguments::command())
}

fn with_candidates(command: Command) -> Command {
    let names_receivers = RECEIVER_COMMANDS.contains(&command.get_name());
    let has_names = command.get_name() != "token";
    command
        .mut_args(|arg| if has_names { named(arg, names_receivers) } else { arg })
        .mut_subcommands(with_candidates)
}

fn named(arg: Arg, names_receivers: bool) -> Arg {
    let id = arg.get_id().as_str();
    if id == "receiver" || names_receivers && id == "name" {
        return arg.add(ArgValueCandidates::new(|| names(Named::Receivers)));
    }
    if INTEGRATION_ARGUMENTS.contains(&id) {
        return arg.add(ArgValueCandidates::new(|| names(Named::Integrations)));
    }
    if id == "platform" || arg.get_long() == Some("type") {
        return arg.add(ArgValueCandidates::new(platforms));
    }
    if arg.get_long() == Some("event") {
        return arg.add(ArgValueCandidates::new(events));
    }
    arg
}

/// Rows that are known by name.
#[derive(Clone, Copy, Debug)]
enum Named {
    /// Integrations in the database.
    Integrations,
    /// Receivers in the database.
    Receivers,
}

/// Returns the names in the database of the command line that is completed; none when it cannot be read.
fn names(named: Named) -> Vec<CompletionCandidate> {
    let words: Vec<_> = std::env::args_os().collect();
    let found = database(&words).and_then(|location| read_names(&location, named));
    found.unwrap_or_default().into_iter().map(CompletionCandidate::new).collect()
}

/// Returns the database that a command line names, by itself or by its configuration.
fn database(words: &[OsString]) -> Option<Location> {
    if let Some(path) = option(words, "--store") {
        return Some(path.into());
    }
    let variable = || config::environment().remove("REVALIDATED_CONFIG").map(PathBuf::from);
    config::store_location(option(words, "--config").or_else(variable).as_deref())
}

/// Returns the value of an option, as two words or as one.
fn option(words: &[OsString], name: &str) -> Option<PathBuf> {
    let mut words = words.iter();
    while let Some(word) = words.next() {
        if word == name {
            return words.next().map(PathBuf::from);
        }
        let value = word.to_str().and_then(|word| word.strip_prefix(name)?.strip_prefix('='));
        if let Some(value) = value {
            return Some(PathBuf::from(value));
        }
    }
    None
}

fn read_names(location: &Location, which: Named) -> Option<Vec<String>> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().ok()?;
    runtime.block_on(async {
        let view = View::open(location).await.ok()?;
        match which {
            Named::Integrations => {
                let rows = read::targets(&view).await.ok()?;
                Some(rows.into_iter().map(|row| row.name).collect())
            }
            Named::Receivers => {
                let mut names = Vec::new();
                let take =
                    |rows: Vec<ReceiverRow>| names.extend(rows.into_iter().map(|row| row.name));
                each_page(async |page| view.receivers(page).await, take).await.ok()?;
                Some(names)
            }
        }
    })
}

fn platforms() -> Vec<CompletionCandidate> {
    PLATFORMS.iter().map(|platform| CompletionCandidate::new(platform.kind)).collect()
}

fn events() -> Vec<CompletionCandidate> {
    EventType::ALL.iter().map(|event| CompletionCandidate::new(event.as_str())).collect()
}

#[cfg(test)]
mod tests {
    use super::super::args::Shell;
    use super::*;

    #[test]
    fn every_script_calls_the_program_back() {
        for shell in [Shell::Bash, Shell::Zsh, Shell::Fish] {
            let script = answer(Completions { shell }).unwrap().text;
            let call = format!("{VARIABLE}=");
            assert!(script.contains(&call) && script.contains(PROGRAM), "{shell:?}: {script}");
        }
    }

    #[test]
    fn database_is_that_of_the_command_line() {
        let database = |line: &str| {
            let words: Vec<_> = line.split(' ').map(OsString::from).collect();
            Some(database(&words)?.to_string())
        };
        let folder = tempfile::tempdir().unwrap();
        let config = folder.path().join("r.toml");
        std::fs::write(&config, "[store]\npath = \"/own.db\"\n[[integration\n").unwrap();
        let config = config.display();
        assert_eq!(database("-- r show --store /a.db x"), Some("/a.db".into()));
        assert_eq!(database("-- r --store=/a.db show"), Some("/a.db".into()));
        assert_eq!(database(&format!("-- r --config {config} show")), Some("/own.db".into()));
        assert_eq!(database(&format!("-- r show --config={config} ")), Some("/own.db".into()));
        assert!(
            read_names(&PathBuf::from("/no/such.db").into(), Named::Receivers).is_none(),
            "without a word"
        );
    }

    #[test]
    fn arguments_that_name_something_have_candidates() {
        let of = |path: &[&str], id: &str| {
            let mut command = command();
            for name in path {
                command = command.find_subcommand(name).unwrap().clone();
            }
            let found = command.get_arguments().find(|arg| arg.get_id() == id).unwrap().clone();
            found.get::<ArgValueCandidates>().is_some()
        };
        for (path, id) in [
            (&["show"][..], "name"),
            (&["revalidate"], "names"),
            (&["silences", "add"], "integration"),
            (&["receivers", "enable"], "name"),
            (&["webhook", "test"], "receiver"),
            (&["sample"], "platform"),
        ] {
            assert!(of(path, id), "{path:?} {id}");
        }
        assert!(!of(&["token"], "name"), "a token has no name before it is made");
        assert!(platforms().len() == PLATFORMS.len() && events().len() == EventType::ALL.len());
    }
}
