//! Sources of an import, by the arguments of its command.

use std::collections::BTreeMap;
use std::path::PathBuf;

use super::super::args::{Import, ImportAction, ImportImmuta, ImportInto};
use super::super::error::CommandError;
use crate::config::{Form, Source};

/// Returns the drop-in that the command makes.
pub(super) const fn into(args: &Import) -> &ImportInto {
    match &args.action {
        None => &args.into,
        Some(ImportAction::Csv(args)) => &args.into,
        Some(ImportAction::Immuta(args)) => &args.into,
        Some(ImportAction::Dbt(args)) => &args.into,
        Some(ImportAction::DatabricksCli(args)) => &args.into,
        Some(ImportAction::SnowflakeCli(args)) => &args.into,
        Some(ImportAction::Airflow(args)) => &args.into,
    }
}

/// Returns the source of a file that the command names, or that its program uses by default.
///
/// # Errors
///
/// Says where a file was looked for.
pub(super) fn of_file(args: &Import) -> Result<Source, CommandError> {
    let variables = variables();
    let into = into(args);
    let default = |given: &Option<PathBuf>, places: Vec<PathBuf>| match given {
        Some(file) => Ok(file.clone()),
        None => first(places),
    };
    let made = |form, command: &str, file: PathBuf| Source {
        form,
        command: command.to_owned(),
        file,
        text: None,
        template: into.template.clone(),
        only: None,
        target: None,
        stem: None,
        variables: variables.clone(),
    };
    Ok(match &args.action {
        None | Some(ImportAction::Immuta(_)) => {
            made(Form::Answers, "import", args.file.clone().unwrap_or_default())
        }
        Some(ImportAction::Csv(args)) => made(Form::Csv, "import csv", args.file.clone()),
        Some(ImportAction::Dbt(args)) => {
            let file = default(&args.file, of_dbt(&variables))?;
            let (only, target) = (args.profile.clone(), args.target.clone());
            Source { only, target, stem: Some("dbt"), ..made(Form::Dbt, "import dbt", file) }
        }
        Some(ImportAction::DatabricksCli(args)) => {
            let file = default(&args.file, of_databricks(&variables))?;
            let made = made(Form::Databricks, "import databricks-cli", file);
            Source { only: args.profile.clone(), stem: Some("databricks-cli"), ..made }
        }
        Some(ImportAction::SnowflakeCli(args)) => {
            let file = default(&args.file, of_snowflake(&variables))?;
            let made = made(Form::Snowflake, "import snowflake-cli", file);
            Source { only: args.connection.clone(), stem: Some("snowflake-cli"), ..made }
        }
        Some(ImportAction::Airflow(args)) => {
            let made = made(Form::Airflow, "import airflow", args.file.clone());
            Source { only: args.connection.clone(), stem: Some("airflow"), ..made }
        }
    })
}

/// Returns the source of answers that a tenant gave.
pub(super) fn fetched(args: &ImportImmuta, text: String) -> Source {
    Source {
        form: Form::Answers,
        command: "import immuta".to_owned(),
        file: PathBuf::from(&args.url),
        text: Some(text),
        template: args.into.template.clone(),
        only: None,
        target: None,
        stem: Some("immuta"),
        variables: BTreeMap::new(),
    }
}

/// Returns the environment of this command, as far as it is text.
fn variables() -> BTreeMap<String, String> {
    let all = std::env::vars_os();
    all.filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
        .collect()
}

fn first(places: Vec<PathBuf>) -> Result<PathBuf, CommandError> {
    let looked: Vec<_> = places.iter().map(|path| path.display().to_string()).collect();
    let found = places.into_iter().find(|path| path.exists());
    found.ok_or_else(|| {
        CommandError::Usage(format!(
            "none of these files is there; name one: {}",
            looked.join(", ")
        ))
    })
}

fn home(variables: &BTreeMap<String, String>) -> PathBuf {
    variables.get("HOME").map_or_else(|| PathBuf::from("/root"), PathBuf::from)
}

fn of_dbt(variables: &BTreeMap<String, String>) -> Vec<PathBuf> {
    let folders = variables.get("DBT_PROFILES_DIR").map(PathBuf::from).into_iter();
    let folders = folders.chain([PathBuf::from("."), home(variables).join(".dbt")]);
    folders.map(|folder| folder.join("profiles.yml")).collect()
}

fn of_databricks(variables: &BTreeMap<String, String>) -> Vec<PathBuf> {
    let named = variables.get("DATABRICKS_CONFIG_FILE").map(PathBuf::from).into_iter();
    named.chain([home(variables).join(".databrickscfg")]).collect()
}

fn of_snowflake(variables: &BTreeMap<String, String>) -> Vec<PathBuf> {
    let named = variables.get("SNOWFLAKE_HOME").map(PathBuf::from).into_iter();
    let home = home(variables);
    let folders = named.chain([home.join(".snowflake"), home.join(".config/snowflake")]);
    let both = |folder: PathBuf| ["connections.toml", "config.toml"].map(|name| folder.join(name));
    folders.flat_map(both).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn default_files_are_those_of_the_programs() {
        let of = |names: &[&str]| -> BTreeMap<String, String> {
            names.iter().map(|name| ((*name).to_owned(), format!("/{name}"))).collect()
        };
        let paths = |found: Vec<PathBuf>| -> Vec<String> {
            found.iter().map(|path| path.display().to_string()).collect()
        };
        let all = of(&["HOME", "DBT_PROFILES_DIR", "DATABRICKS_CONFIG_FILE", "SNOWFLAKE_HOME"]);
        let dbt = ["/DBT_PROFILES_DIR/profiles.yml", "./profiles.yml", "/HOME/.dbt/profiles.yml"];
        assert_eq!(paths(of_dbt(&all)), dbt);
        assert_eq!(paths(of_databricks(&all)), ["/DATABRICKS_CONFIG_FILE", "/HOME/.databrickscfg"]);
        assert_eq!(paths(of_snowflake(&of(&["HOME"])))[0], "/HOME/.snowflake/connections.toml");
        let none = first(vec![PathBuf::from("/nowhere/a")]).unwrap_err().to_string();
        assert!(none.contains("/nowhere/a"), "{none}");
    }
}
