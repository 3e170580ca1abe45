//! Arguments of the command `rehearse`.

use std::str::FromStr;

use clap::Args;

use super::common::Json;
use crate::daemon::NextValue;

/// Arguments of the command `rehearse`.
#[derive(Args, Debug)]
pub(in crate::cli) struct Rehearse {
    /// Name of the integration
    pub(in crate::cli) name: String,
    /// Key of its configuration and the file with its next value, such as
    /// `config.password=/run/secrets/next`; once for each key that is rotated
    #[arg(long = "with", value_name = "KEY=FILE", required = true)]
    pub(in crate::cli) with: Vec<Given>,
    /// Choice between text and JSON.
    #[command(flatten)]
    pub(in crate::cli) form: Json,
}

/// Key with its file, as it is given on the command line.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(in crate::cli) struct Given(pub(in crate::cli) NextValue);

impl FromStr for Given {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let expected =
            "expected a key and a file, such as config.password=/run/secrets/next".to_owned();
        match text.split_once('=') {
            Some((key, file)) if !key.is_empty() && !file.is_empty() => {
                Ok(Self(NextValue { key: key.to_owned(), file: file.into() }))
            }
            Some(_) | None => Err(expected),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn key_ends_at_the_first_equals_sign() {
        let Given(value) = "config.password=/run/a=b".parse().unwrap();
        assert_eq!(
            (value.key.as_str(), value.file.to_str()),
            ("config.password", Some("/run/a=b"))
        );
        for text in ["config.password", "=/run/a", "config.password=", ""] {
            assert!(text.parse::<Given>().unwrap_err().starts_with("expected a key"), "{text}");
        }
    }
}
