//! Arguments of the command `import`.

use std::path::PathBuf;

use clap::{Args, Subcommand};

/// Arguments of the command `import`.
#[derive(Args, Debug)]
#[command(args_conflicts_with_subcommands = true, subcommand_negates_reqs = true)]
pub(in crate::cli) struct Import {
    /// Source of the integrations, where they are no answers in a file.
    #[command(subcommand)]
    pub(in crate::cli) action: Option<ImportAction>,
    /// Answers of `GET /integrations`, as JSON or YAML
    #[arg(required = true)]
    pub(in crate::cli) file: Option<PathBuf>,
    /// Drop-in that is made.
    #[command(flatten)]
    pub(in crate::cli) into: ImportInto,
}

/// Sources of integrations besides a file of answers.
#[derive(Debug, Subcommand)]
pub(in crate::cli) enum ImportAction {
    /// Make a drop-in from comma-separated values, a column for each key and a line for each integration
    ///
    /// The first line names the keys: `name`, `type`, `schedule`, `labels.team`, `config.host` and so on. An
    /// empty cell is a missing key, `true` and `false` are booleans, and a cell such as
    /// `{ credential = "name" }` is a reference to a secret.
    Csv(ImportFile),
    /// Make a drop-in from the integrations of an Immuta tenant
    ///
    /// Ids are kept. Secrets are not answered: each becomes the reference to a credential.
    Immuta(ImportImmuta),
    /// Make a drop-in from the profiles of dbt
    ///
    /// One target of each profile is taken: its default, or `--target`. `env_var` stays a reference to the variable;
    /// other secrets become references to credentials, and are not copied.
    Dbt(ImportDbt),
    /// Make a drop-in from the profiles of the Databricks command line
    DatabricksCli(ImportProfiles),
    /// Make a drop-in from the connections of the Snowflake command line
    SnowflakeCli(ImportConnections),
    /// Make a drop-in from connections that `airflow connections export --file-format json` wrote
    Airflow(ImportAirflow),
}

/// Drop-in that an import makes.
#[derive(Args, Clone, Debug)]
pub(in crate::cli) struct ImportInto {
    /// Template of all integrations without one of their own
    #[arg(long, value_name = "NAME")]
    pub(in crate::cli) template: Option<String>,
    /// Drop-in to write [default: named like the source, in `integrations.d` beside the main file]
    #[arg(long, value_name = "FILE")]
    pub(in crate::cli) output: Option<PathBuf>,
    /// Write the drop-in anew when it is there already
    #[arg(long)]
    pub(in crate::cli) replace: bool,
    /// Write nothing; show the drop-in as a difference from the one that is there
    #[arg(long)]
    pub(in crate::cli) dry_run: bool,
}

/// Arguments of an import from one file.
#[derive(Args, Debug)]
pub(in crate::cli) struct ImportFile {
    /// File with the integrations
    pub(in crate::cli) file: PathBuf,
    /// Drop-in that is made.
    #[command(flatten)]
    pub(in crate::cli) into: ImportInto,
}

/// Arguments of the command `import immuta`.
#[derive(Args, Debug)]
pub(in crate::cli) struct ImportImmuta {
    /// Address of the tenant, such as `https://example.hosted.immutacloud.com`
    #[arg(long)]
    pub(in crate::cli) url: String,
    /// File with the API key
    #[arg(long, value_name = "FILE")]
    pub(in crate::cli) token: PathBuf,
    /// PEM file of the certificate authorities to trust instead of the system's
    #[arg(long, value_name = "FILE")]
    pub(in crate::cli) ca: Option<PathBuf>,
    /// Drop-in that is made.
    #[command(flatten)]
    pub(in crate::cli) into: ImportInto,
}

/// Arguments of the command `import dbt`.
#[derive(Args, Debug)]
pub(in crate::cli) struct ImportDbt {
    /// Profiles [default: `profiles.yml` in `DBT_PROFILES_DIR`, in this folder, or in `~/.dbt`]
    pub(in crate::cli) file: Option<PathBuf>,
    /// Profile that alone is taken
    #[arg(long, value_name = "NAME")]
    pub(in crate::cli) profile: Option<String>,
    /// Target to take, instead of each profile's default
    #[arg(long, value_name = "NAME")]
    pub(in crate::cli) target: Option<String>,
    /// Drop-in that is made.
    #[command(flatten)]
    pub(in crate::cli) into: ImportInto,
}

/// Arguments of the command `import databricks-cli`.
#[derive(Args, Debug)]
pub(in crate::cli) struct ImportProfiles {
    /// Profiles [default: `DATABRICKS_CONFIG_FILE`, or `~/.databrickscfg`]
    pub(in crate::cli) file: Option<PathBuf>,
    /// Profile that alone is taken
    #[arg(long, value_name = "NAME")]
    pub(in crate::cli) profile: Option<String>,
    /// Drop-in that is made.
    #[command(flatten)]
    pub(in crate::cli) into: ImportInto,
}

/// Arguments of the command `import snowflake-cli`.
#[derive(Args, Debug)]
pub(in crate::cli) struct ImportConnections {
    /// Connections [default: `connections.toml` or `config.toml` in `SNOWFLAKE_HOME`, `~/.snowflake` or
    /// `~/.config/snowflake`]
    pub(in crate::cli) file: Option<PathBuf>,
    /// Connection that alone is taken
    #[arg(long, value_name = "NAME")]
    pub(in crate::cli) connection: Option<String>,
    /// Drop-in that is made.
    #[command(flatten)]
    pub(in crate::cli) into: ImportInto,
}

/// Arguments of the command `import airflow`.
#[derive(Args, Debug)]
pub(in crate::cli) struct ImportAirflow {
    /// File with the connections
    pub(in crate::cli) file: PathBuf,
    /// Connection that alone is taken
    #[arg(long, value_name = "NAME")]
    pub(in crate::cli) connection: Option<String>,
    /// Drop-in that is made.
    #[command(flatten)]
    pub(in crate::cli) into: ImportInto,
}
