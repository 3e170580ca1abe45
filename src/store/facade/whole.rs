//! Reads of whole lists, page by page.

use super::View;
use crate::domain::Timestamp;
use crate::store::{
    Listed, PAGE_MAX, Page, ReceiverRow, SilenceRow, StatusRow, StoreError, TargetRow,
};

/// Rows of a list that is read page by page, and the page that follows.
struct Pages<T> {
    rows: Vec<T>,
    next: Option<Page>,
}

impl<T> Pages<T> {
    fn first() -> Self {
        Self { rows: Vec::new(), next: Some(Page::first(PAGE_MAX)) }
    }

    fn add(&mut self, listed: Listed<T>) {
        self.next = listed.following();
        self.rows.extend(listed.rows);
    }
}

impl View {
    /// Reads statuses and conditions of all integrations that are not deleted, by name.
    pub(crate) async fn all_statuses(&self) -> Result<Vec<StatusRow>, StoreError> {
        let mut pages = Pages::first();
        while let Some(page) = pages.next.take() {
            pages.add(self.statuses(page).await?);
        }
        Ok(pages.rows)
    }

    /// Reads what selections may fit: all integrations that are not deleted, by name.
    pub(crate) async fn all_targets(&self) -> Result<Vec<TargetRow>, StoreError> {
        let mut pages = Pages::first();
        while let Some(page) = pages.next.take() {
            pages.add(self.targets(page).await?);
        }
        Ok(pages.rows)
    }

    /// Reads all receivers that are, or were, configured, by name.
    pub(crate) async fn all_receivers(&self) -> Result<Vec<ReceiverRow>, StoreError> {
        let mut pages = Pages::first();
        while let Some(page) = pages.next.take() {
            pages.add(self.receivers(page).await?);
        }
        Ok(pages.rows)
    }

    /// Reads all silences and acknowledgements that are open at `now` or planned, by id.
    pub(crate) async fn all_silences(&self, now: Timestamp) -> Result<Vec<SilenceRow>, StoreError> {
        let mut pages = Pages::first();
        while let Some(page) = pages.next.take() {
            pages.add(self.silences(false, now, page).await?);
        }
        Ok(pages.rows)
    }
}
