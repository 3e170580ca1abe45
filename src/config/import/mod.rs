//! Import: integrations from files of other programs, as a drop-in that the daemon can read.
//!
//! Each kind of file has a module that makes entries from it. Secrets are never copied: a variable of the
//! environment and a file stay what they are, and everything else becomes the reference to a credential. What no key
//! has a use for is named.

mod adapters;
mod airflow;
mod answers;
mod bigquery;
mod connections;
mod csv;
mod databricks;
mod dbt;
mod draft;
mod drop_in;
mod made;
mod redshift;
mod snowflake;
mod source;
mod synapse;
#[cfg(test)]
mod tests;
mod trino;

use self::draft::Context;
use self::made::Made;
use super::files;
use crate::input::Faults;

pub(crate) use self::draft::{Needed, Place};
pub(crate) use self::made::{Import, Previous};
pub(crate) use self::source::{Form, Source};

/// Most integrations that one file can have.
const ENTRIES_MAX: usize = 10_000;

/// Makes the integrations; faults go to `faults`.
pub(super) fn read(source: &Source, faults: &Faults) -> Made {
    let mut made = Made::default();
    let text = source.text.clone().or_else(|| files::text(&source.file, faults));
    let Some(text) = text else { return made };
    let context = Context { variables: &source.variables, faults };
    match source.form {
        Form::Csv => {
            made.entries = csv::read(&text, &source.file, source.template.as_deref(), faults);
            return made;
        }
        Form::Answers => answers::read(source, &text, context, &mut made),
        Form::Dbt => dbt::read(source, &text, context, &mut made),
        Form::Databricks => connections::databricks(source, &text, context, &mut made),
        Form::Snowflake => connections::snowflake(source, &text, context, &mut made),
        Form::Airflow => airflow::read(source, &text, context, &mut made),
    }
    let shown = source.shown();
    if made.entries.is_empty() && faults.count() == 0 {
        let why = made.notes.join(" ");
        context.fault(&shown, "", format!("there is nothing to import. {why}").trim_end());
    } else if ENTRIES_MAX < made.entries.len() {
        let message = format!("more than {ENTRIES_MAX} integrations; split the file");
        context.fault(&shown, "", message);
    }
    made
}
