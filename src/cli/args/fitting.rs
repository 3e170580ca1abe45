//! Choice of integrations by name, platform and label.

use clap::Args;

/// The longest name, pattern or value, in characters.
const PATTERN_MAX: usize = 200;

/// Choice of integrations; without any of its options, all of them.
#[derive(Args, Clone, Debug, Default)]
pub(in crate::cli) struct Fitting {
    /// Integrations by name, `*` for any text; may be given several times
    #[arg(long, value_name = "GLOB", value_parser = pattern)]
    pub(in crate::cli) integration: Vec<String>,
    /// Integrations of this platform, as `catalog` names it; may be given several times
    #[arg(long = "type", value_name = "TYPE", value_parser = pattern)]
    pub(in crate::cli) kind: Vec<String>,
    /// Integrations with this label, `*` in the value for any text; several must all match
    #[arg(long, value_name = "KEY=VALUE", value_parser = label)]
    pub(in crate::cli) label: Vec<(String, String)>,
}

/// Parses a text to compare with.
fn pattern(text: &str) -> Result<String, String> {
    let fits = (1..=PATTERN_MAX).contains(&text.chars().count());
    fits.then(|| text.to_owned()).ok_or_else(|| format!("expected 1 to {PATTERN_MAX} characters"))
}

/// Parses a label with the value to compare with.
fn label(text: &str) -> Result<(String, String), String> {
    let (key, value) = pattern(text)?
        .split_once('=')
        .map(|(key, value)| (key.to_owned(), value.to_owned()))
        .ok_or("expected a label with its value, such as team=data")?;
    if key.is_empty() { Err("expected a name before `=`".to_owned()) } else { Ok((key, value)) }
}
