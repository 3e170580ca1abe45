//! Reads status changes through the daemon's own view for others.

use std::collections::BTreeMap;

use crate::domain::Status;
use crate::store::{IntegrationRow, PAGE_MAX, Page, StoreError, StoredTest, TransitionRow, View};

/// Number of changes per integration that are shown; the story has four.
const CHANGES_MAX: u32 = 100;

/// Number of runs among which the cause of a change is searched.
const RUNS_MAX: u32 = 50;

/// Status change, with the results that caused it.
#[derive(Debug)]
pub(super) struct StatusChange {
    /// Name of the integration.
    pub(super) name: String,
    /// Status before; none at creation.
    pub(super) from: Option<Status>,
    /// Status after the change.
    pub(super) to: Status,
    /// Results of the run that caused it.
    pub(super) tests: Vec<StoredTest>,
}

/// Reader that returns each change once.
#[derive(Debug)]
pub(super) struct Watch {
    view: View,
    shown: BTreeMap<String, usize>,
}

impl Watch {
    /// Returns a reader of what `view` shows, from the beginning.
    pub(super) fn new(view: View) -> Self {
        Self { view, shown: BTreeMap::new() }
    }

    /// Returns the changes since the last call, oldest first per integration.
    ///
    /// # Errors
    ///
    /// Fails when the database cannot be read.
    pub(super) async fn changes(&mut self) -> Result<Vec<StatusChange>, StoreError> {
        let view = self.view.clone();
        let mut changes = Vec::new();
        for row in view.integrations(Page::first(PAGE_MAX)).await?.rows {
            let rows = view.transitions(row.id, Page::first(CHANGES_MAX)).await?.rows;
            let shown = self.shown.entry(row.name.clone()).or_default();
            let fresh = rows.len().saturating_sub(*shown);
            for change in rows.iter().take(fresh).rev() {
                changes.push(status_change(&view, &row, change).await?);
            }
            *shown = rows.len();
        }
        Ok(changes)
    }
}

async fn status_change(
    view: &View,
    row: &IntegrationRow,
    change: &TransitionRow,
) -> Result<StatusChange, StoreError> {
    let runs = match change.run {
        Some(_) => view.runs(row.id, Page::first(RUNS_MAX)).await?.rows,
        None => Vec::new(),
    };
    let cause = runs.into_iter().find(|run| Some(run.id) == change.run);
    Ok(StatusChange {
        name: row.name.clone(),
        from: change.from,
        to: change.to,
        tests: cause.map(|run| run.report.tests).unwrap_or_default(),
    })
}
