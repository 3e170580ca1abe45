//! Arguments of the commands that print files which are part of the program: completions, samples and schemas.

use clap::{Args, ValueEnum};

use super::common::Json;

/// Arguments of the command `completions`.
#[derive(Args, Clone, Copy, Debug)]
pub(in crate::cli) struct Completions {
    /// Shell that the script is for
    #[arg(value_enum)]
    pub(in crate::cli) shell: Shell,
}

/// Shell that can be taught to complete command lines.
#[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum)]
pub(in crate::cli) enum Shell {
    /// Bourne-again shell, 4.4 or newer
    Bash,
    /// Z shell, any version
    Zsh,
    /// Friendly interactive shell, fish
    Fish,
}

impl Shell {
    /// Returns the name of the shell.
    pub(in crate::cli) const fn name(self) -> &'static str {
        match self {
            Self::Bash => "bash",
            Self::Zsh => "zsh",
            Self::Fish => "fish",
        }
    }
}

/// Arguments of the command `sample`.
#[derive(Args, Debug)]
pub(in crate::cli) struct Sample {
    /// Platform by its type or a word of it, such as `Redshift` or `s3`
    pub(in crate::cli) platform: String,
}

/// Arguments of the command `schema`.
#[derive(Args, Clone, Copy, Debug)]
pub(in crate::cli) struct Schema {
    /// Subject of the schema
    #[arg(value_enum)]
    pub(in crate::cli) of: SchemaOf,
}

/// Subject of a schema.
#[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum)]
pub(in crate::cli) enum SchemaOf {
    /// Configuration files, for editors
    Config,
    /// Messages to receivers in the format `standard`
    Event,
    /// Interface over HTTP, as OpenAPI document
    Openapi,
    /// JSON of the commands
    Commands,
}

/// Arguments of the command `version`.
#[derive(Args, Clone, Copy, Debug)]
pub(in crate::cli) struct Version {
    /// Choice between text and JSON.
    #[command(flatten)]
    pub(in crate::cli) form: Json,
}
