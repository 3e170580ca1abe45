//! Reads status changes from the daemon's database, as any other process could.

use std::collections::BTreeMap;
use std::path::PathBuf;

use crate::domain::Status;
use crate::store::{IntegrationRow, PAGE_MAX, Page, StoreError, StoredTest, TransitionRow, View};

/// The most changes per integration that are told; the story has four.
const CHANGES_MAX: u32 = 100;

/// Among how many runs the one that caused a change is looked for.
const RUNS_MAX: u32 = 50;

/// A status change, with the results that caused it.
#[derive(Debug)]
pub(super) struct Flip {
    /// Which integration.
    pub(super) name: String,
    /// Status before; none at creation.
    pub(super) from: Option<Status>,
    /// Status now.
    pub(super) to: Status,
    /// The results of the run that caused it.
    pub(super) tests: Vec<StoredTest>,
}

/// Remembers what was told.
#[derive(Debug)]
pub(super) struct Watch {
    path: PathBuf,
    view: Option<View>,
    told: BTreeMap<String, usize>,
}

impl Watch {
    /// Watches the database at `path`, which may be about to be created.
    pub(super) fn new(path: PathBuf) -> Self {
        Self { path, view: None, told: BTreeMap::new() }
    }

    /// What changed since the last call, oldest first per integration.
    ///
    /// # Errors
    ///
    /// Fails when the database cannot be read, or is not there yet.
    pub(super) async fn flips(&mut self) -> Result<Vec<Flip>, StoreError> {
        let view = match &self.view {
            Some(view) => view.clone(),
            None => self.view.insert(View::open(&self.path)?).clone(),
        };
        let mut flips = Vec::new();
        for row in view.integrations(Page::first(PAGE_MAX)).await?.rows {
            let rows = view.transitions(row.id, Page::first(CHANGES_MAX)).await?.rows;
            let told = self.told.entry(row.name.clone()).or_default();
            let fresh = rows.len().saturating_sub(*told);
            for change in rows.iter().take(fresh).rev() {
                flips.push(flip(&view, &row, change).await?);
            }
            *told = rows.len();
        }
        Ok(flips)
    }
}

async fn flip(
    view: &View,
    row: &IntegrationRow,
    change: &TransitionRow,
) -> Result<Flip, StoreError> {
    let runs = match change.run {
        Some(_) => view.runs(row.id, Page::first(RUNS_MAX)).await?.rows,
        None => Vec::new(),
    };
    let cause = runs.into_iter().find(|run| Some(run.id) == change.run);
    Ok(Flip {
        name: row.name.clone(),
        from: change.from,
        to: change.to,
        tests: cause.map(|run| run.report.tests).unwrap_or_default(),
    })
}
