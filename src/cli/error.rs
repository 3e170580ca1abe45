//! Errors of commands: their text on standard error, and their exit status.

use std::io::Write as _;

use super::log_queue;
use super::print::{End, counted, sanitise};
use crate::config::Faulty;
use crate::input::Fault;
use crate::store::StoreError;

/// Reason for which a command has no answer.
#[derive(Debug, thiserror::Error)]
pub(super) enum CommandError {
    /// The command line names something that does not exist.
    #[error("{0}")]
    Usage(String),
    /// The configuration cannot be used.
    #[error("the configuration has faults")]
    Configuration(#[from] Faulty),
    /// Error that has an exit status of its own, with its causes.
    #[error("{1}")]
    Ended(End, anyhow::Error),
    /// Any other error, with its causes.
    #[error(transparent)]
    Other(#[from] anyhow::Error),
}

impl End {
    /// Returns the exit status after an error of the store.
    pub(super) fn of(error: &StoreError) -> Self {
        match error {
            StoreError::InUse { .. } => Self::InUse,
            StoreError::Occupied { .. } => Self::Configuration,
            StoreError::Newer { .. } => Self::Newer,
            error if error.is_damage() => Self::Damaged,
            StoreError::Engine(_)
            | StoreError::File { .. }
            | StoreError::Server { .. }
            | StoreError::Damaged { .. }
            | StoreError::Inconsistent { .. }
            | StoreError::Document { .. }
            | StoreError::Busy
            | StoreError::TooSlow
            | StoreError::WrongCursor
            | StoreError::Commit(_)
            | StoreError::Random
            | StoreError::Undecided
            | StoreError::Stopped => Self::Failure,
        }
    }
}

impl CommandError {
    /// Returns the error of a command for one of the store met while `doing` something; the exit status says of
    /// which kind it is.
    pub(super) fn of_store(error: StoreError, doing: &'static str) -> Self {
        let end = End::of(&error);
        Self::Ended(end, anyhow::Error::new(error).context(doing))
    }

    /// Text for standard error, with the line end.
    pub(super) fn text(&self) -> String {
        match self {
            Self::Usage(message) => format!("revalidated: {message}\n"),
            Self::Configuration(faulty) => summary(faulty),
            Self::Ended(_, error) | Self::Other(error) => {
                format!("revalidated: {}\n", sanitise(&format!("{error:#}")))
            }
        }
    }

    /// Exit status of the program.
    pub(super) const fn end(&self) -> End {
        match self {
            Self::Usage(_) => End::Usage,
            Self::Configuration(_) => End::Configuration,
            Self::Ended(end, _) => *end,
            Self::Other(_) => End::Failure,
        }
    }
}

/// Returns one line per warning and per fault, then the number of faults.
fn summary(Faulty { faults, warnings }: &Faulty) -> String {
    let (lines, unwise) = (fault_lines(faults, ""), fault_lines(warnings, "warning: "));
    let count = counted(faults.len(), "fault");
    format!("{unwise}{lines}revalidated: {count} in the configuration\n")
}

/// Returns one sanitised line per fault or warning.
pub(super) fn fault_lines(faults: &[Fault], prefix: &str) -> String {
    let line = |fault: &Fault| [prefix, &sanitise(&fault.to_string()), "\n"].concat();
    faults.iter().map(line).collect()
}

/// Writes to standard error; when that is closed, or is a pipe that nothing reads the log from, there is
/// no other place.
pub(super) fn print_error(text: &str) {
    if log_queue::is_read() {
        anstream::stderr().write_all(text.as_bytes()).unwrap_or_default();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fault(path: &str, message: &str) -> Fault {
        Fault { origin: "a.toml:3".to_owned(), path: path.to_owned(), message: message.to_owned() }
    }

    #[test]
    fn error_is_printed_once_with_its_causes() {
        let error = anyhow::anyhow!("disk\nfull").context("writing").context("keeping the result");
        let error = CommandError::Other(error);
        assert_eq!(error.text(), "revalidated: keeping the result: writing: disk\\nfull\n");
        assert_eq!(error.end(), End::Failure);
    }

    #[test]
    fn configuration_faults_are_printed_one_per_line_with_a_count() {
        let faults = vec![fault("integration[0].type", "is \u{1b}[2J"), fault("", "unreadable")];
        let expected = "a.toml:3: integration[0].type: is \\u{1b}[2J\na.toml:3: unreadable\n\
                        revalidated: 2 faults in the configuration\n";
        let error = CommandError::Configuration(Faulty { faults, warnings: Vec::new() });
        assert_eq!((error.text().as_str(), error.end()), (expected, End::Configuration));
        assert_eq!(fault_lines(&[fault("x", "y")], "warning: "), "warning: a.toml:3: x: y\n");
    }

    #[test]
    fn unknown_name_is_a_usage_error() {
        let error = CommandError::Usage("no such name".to_owned());
        assert_eq!(error.text(), "revalidated: no such name\n");
        assert_eq!(error.end(), End::Usage);
    }
}
