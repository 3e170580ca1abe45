//! Asks before something is sent that cannot be taken back.

use std::io::{IsTerminal as _, stdin};

use anyhow::Context as _;

use super::error::{CommandError, print_error};

/// Goes on after `--yes`, or after a yes at a terminal that was shown `plan`.
///
/// # Errors
///
/// Ends the command without either.
pub(super) fn confirmed(yes: bool, plan: &str) -> Result<(), CommandError> {
    if yes {
        return Ok(());
    }
    print_error(&format!("{plan}\n"));
    if !stdin().is_terminal() {
        return Err(CommandError::Usage("nothing was changed; add --yes to go on".to_owned()));
    }
    print_error("Go on? [y/N] ");
    let mut line = String::new();
    stdin().read_line(&mut line).context("reading the answer")?;
    if is_yes(&line) {
        return Ok(());
    }
    Err(CommandError::Usage("nothing was changed".to_owned()))
}

fn is_yes(line: &str) -> bool {
    matches!(line.trim().to_lowercase().as_str(), "y" | "yes")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_yes_confirms() {
        let table = [("y\n", true), ("YES\n", true), ("\n", false), ("no\n", false), ("yy", false)];
        for (line, expected) in table {
            assert_eq!(is_yes(line), expected, "{line:?}");
        }
    }
}
