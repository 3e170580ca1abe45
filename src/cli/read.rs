//! Reading the store beside a running daemon, and naming integrations.

use std::path::PathBuf;

use anyhow::Context as _;

use super::Trouble;
use super::args::{Global, Source};
use super::print::sanitise;
use crate::daemon::{self, Assembly};
use crate::input::nearest;
use crate::store::{IntegrationRow, View};

/// Opens the database that the command line or the configuration names.
pub(super) fn view(global: &Global, source: &Source) -> Result<View, Trouble> {
    Ok(View::open(&path(global, source)?).context("opening the store")?)
}

/// The same, with the configuration when it is that which names the database.
pub(super) fn both(global: &Global, source: &Source) -> Result<(View, Option<Assembly>), Trouble> {
    if source.store.is_some() {
        return Ok((view(global, source)?, None));
    }
    let assembly = daemon::open(global.config.as_deref())?;
    let view = View::open(&assembly.settings.store).context("opening the store")?;
    Ok((view, Some(assembly)))
}

/// The database that the command line or the configuration names.
pub(super) fn path(global: &Global, source: &Source) -> Result<PathBuf, Trouble> {
    Ok(match &source.store {
        Some(path) => path.clone(),
        None => daemon::open(global.config.as_deref())?.settings.store,
    })
}

/// The integration of this name; an unknown one is a mistake on the command line.
pub(super) async fn integration(view: &View, name: &str) -> Result<IntegrationRow, Trouble> {
    if let Some(row) = view.integration(name).await.context("reading the store")? {
        return Ok(row);
    }
    let rows = view.integrations(false).await.context("reading the store")?;
    let known: Vec<_> = rows.iter().map(|row| row.name.as_str()).collect();
    Err(unknown(name, &known))
}

/// What to say when no integration has this name.
pub(super) fn unknown(name: &str, known: &[&str]) -> Trouble {
    let hint = match nearest(name, known.iter().copied()) {
        Some(near) => format!("; did you mean `{}`?", sanitise(near)),
        None => "; `revalidated list` shows them all".to_owned(),
    };
    Trouble::Usage(format!("no integration is named `{}`{hint}", sanitise(name)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unknown_name_comes_with_the_nearest_one() {
        let said = |name| unknown(name, &["lake", "warehouse"]).to_string();
        assert_eq!(
            said("warehose"),
            "no integration is named `warehose`; did you mean `warehouse`?"
        );
        assert_eq!(
            said("\u{1b}zzz"),
            "no integration is named `\\u{1b}zzz`; `revalidated list` shows them all"
        );
    }
}
