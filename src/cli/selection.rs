//! Choice of integrations on the command line, as the selection that it means.

use super::args::Fitting;
use super::error::CommandError;
use super::print::sanitise;
use crate::domain::Selection;
use crate::input::nearest;
use crate::platforms::PLATFORMS;

/// Returns the selection of these integrations; types must be known, since a wrong one would fit nothing.
pub(super) fn selection(args: &Fitting) -> Result<Selection, CommandError> {
    let known = || PLATFORMS.iter().map(|platform| platform.kind);
    if let Some(kind) = args.kind.iter().find(|kind| !known().any(|one| one == kind.as_str())) {
        let hint = match nearest(kind, known()) {
            Some(near) => format!("did you mean `{near}`?"),
            None => format!("there are {}", known().collect::<Vec<_>>().join(", ")),
        };
        return Err(CommandError::Usage(format!(
            "no platform is called `{}`; {hint}",
            sanitise(kind)
        )));
    }
    let mut selection = Selection {
        integrations: args.integration.clone(),
        types: args.kind.clone(),
        ..Selection::default()
    };
    for (key, value) in &args.label {
        if selection.labels.insert(key.clone(), value.clone()).is_some() {
            let message = format!("the label `{}` is given twice", sanitise(key));
            return Err(CommandError::Usage(message));
        }
    }
    Ok(selection)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fitting(integrations: &[&str], types: &[&str], labels: &[(&str, &str)]) -> Fitting {
        let owned = |texts: &[&str]| texts.iter().map(|&text| text.to_owned()).collect();
        Fitting {
            integration: owned(integrations),
            kind: owned(types),
            label: labels.iter().map(|&(key, to)| (key.to_owned(), to.to_owned())).collect(),
        }
    }

    fn said(result: Result<Selection, CommandError>) -> String {
        match result.unwrap_err() {
            CommandError::Usage(message) => message,
            other @ (CommandError::Configuration(_)
            | CommandError::Ended(..)
            | CommandError::Other(_)) => {
                panic!("{other:?}")
            }
        }
    }

    #[test]
    fn selection_names_known_types_and_each_label_once() {
        let chosen = selection(&fitting(&["a*"], &["Redshift"], &[("team", "d*")])).unwrap();
        assert_eq!(chosen.to_string(), "integrations a*, types Redshift, labels team=d*");
        let near = said(selection(&fitting(&[], &["Redshit\u{1b}"], &[])));
        let expected = "no platform is called `Redshit\\u{1b}`; did you mean `Redshift`?";
        assert_eq!(near, expected);
        let none = said(selection(&fitting(&[], &["zzz"], &[])));
        assert!(none.starts_with("no platform is called `zzz`; there are "), "{none}");
        let twice = said(selection(&fitting(&[], &[], &[("team", "a"), ("team", "b")])));
        assert_eq!(twice, "the label `team` is given twice");
    }
}
