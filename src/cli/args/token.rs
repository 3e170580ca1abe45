//! Arguments of the command `token`.

use clap::{Args, ValueEnum};

use crate::domain::Scope;

/// Arguments of the command `token`.
#[derive(Args, Debug)]
pub(in crate::cli) struct Token {
    /// Name of the token, which is noted with what its callers do
    #[arg(value_parser = named)]
    pub(in crate::cli) name: String,
    /// Permission of its callers
    #[arg(long, value_enum, value_name = "SCOPE", default_value_t)]
    pub(in crate::cli) scope: TokenScope,
}

/// Permission of the callers of a token.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, ValueEnum)]
pub(in crate::cli) enum TokenScope {
    /// Read the metrics alone
    Metrics,
    /// Read everything there is
    #[default]
    Read,
    /// Read everything, and act
    Act,
}

impl From<TokenScope> for Scope {
    fn from(scope: TokenScope) -> Self {
        match scope {
            TokenScope::Metrics => Self::Metrics,
            TokenScope::Read => Self::Read,
            TokenScope::Act => Self::Act,
        }
    }
}

/// Accepts the names that the configuration accepts.
fn named(text: &str) -> Result<String, String> {
    crate::input::name_problem(text)
        .map_or_else(|| Ok(text.to_owned()), |problem| Err(problem.to_owned()))
}
