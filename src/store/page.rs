//! Keyset paging: a page begins after the key of the last row before it, never at an offset.
//!
//! A row that is inserted or deleted meanwhile neither repeats nor hides another one, and the tenth page
//! costs as much as the first. Keys are only valid in the database that gave them.

use std::fmt;
use std::str::FromStr;

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};

use super::error::StoreError;

/// The most rows of one page.
pub(crate) const PAGE_MAX: u32 = 1000;

/// Position in a list: the key of the last row of a page, in one database.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub(crate) struct Cursor {
    /// Key of that row in the order of the list.
    pub(super) key: Key,
    /// Random id of the database.
    pub(super) epoch: String,
}

/// Key by which a list is ordered.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Key {
    /// Number of a row.
    Id(i64),
    /// Name of a row.
    Name(String),
    /// Numbers of the latest run and of the latest transition, for the list that merges both.
    Both(i64, i64),
    /// Instant of a row in milliseconds, and its number.
    At(i64, i64),
    /// Instant of an expiry in milliseconds, number of its integration, and object.
    Expiry(i64, i64, String),
    /// Beginning of an outage in milliseconds, and its id.
    Outage(i64, String),
    /// Instant and name of a row, for lists that are put in order after they are read.
    Place(i64, String),
}

/// Text that is not a cursor.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("not a cursor; take the one that a page ended with")]
pub(crate) struct NotACursor;

impl Cursor {
    /// Cursor at a place of a list that is put in order after it is read, in the database of `epoch`.
    pub(crate) fn at(place: (i64, String), epoch: &str) -> Self {
        Self { key: Key::Place(place.0, place.1), epoch: epoch.to_owned() }
    }

    /// Returns the place that it stands for.
    ///
    /// # Errors
    ///
    /// Fails when it belongs to another database or another list.
    pub(crate) fn place(self, epoch: &str) -> Result<(i64, String), StoreError> {
        match self.key {
            Key::Place(instant, name) if self.epoch == epoch => Ok((instant, name)),
            Key::Place(..)
            | Key::Id(_)
            | Key::Name(_)
            | Key::Both(..)
            | Key::At(..)
            | Key::Expiry(..)
            | Key::Outage(..) => Err(StoreError::WrongCursor),
        }
    }
}

impl fmt::Display for Cursor {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let bytes = serde_json::to_vec(self).map_err(|_never| fmt::Error)?;
        formatter.write_str(&BASE64_URL_SAFE_NO_PAD.encode(bytes))
    }
}

impl FromStr for Cursor {
    type Err = NotACursor;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let bytes = BASE64_URL_SAFE_NO_PAD.decode(text).map_err(|_wrong| NotACursor)?;
        serde_json::from_slice(&bytes).map_err(|_wrong| NotACursor)
    }
}

/// Part of a list to read.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Page {
    /// End of the page before; none for the first one.
    pub(crate) after: Option<Cursor>,
    /// Number of rows at most.
    pub(crate) limit: u32,
}

impl Page {
    /// First page of `limit` rows.
    #[must_use]
    pub(crate) const fn first(limit: u32) -> Self {
        Self { after: None, limit }
    }

    /// Page of the same size that follows the one that ended at `cursor`.
    #[must_use]
    pub(crate) const fn after(cursor: Cursor, limit: u32) -> Self {
        Self { after: Some(cursor), limit }
    }

    /// Returns the number of rows on it.
    pub(super) fn size(&self) -> u32 {
        self.limit.clamp(1, PAGE_MAX)
    }
}

/// Rows of a page, and where the next one begins.
#[derive(Clone, Debug)]
pub(crate) struct Listed<T> {
    /// Rows in the order of the list.
    pub(crate) rows: Vec<T>,
    /// End of this page when there is another one.
    pub(crate) next: Option<Cursor>,
}

impl<T> Listed<T> {
    /// Returns the page after this one, of the largest size.
    #[must_use]
    pub(crate) fn following(&self) -> Option<Page> {
        self.next.clone().map(|cursor| Page::after(cursor, PAGE_MAX))
    }
}

/// Reads a list to its end, page by page, and hands each page to `take`.
///
/// # Errors
///
/// Fails when a page cannot be read; pages before it were taken.
pub(crate) async fn each_page<T, E>(
    read: impl AsyncFn(Page) -> Result<Listed<T>, E>,
    mut take: impl FnMut(Vec<T>),
) -> Result<(), E> {
    let mut page = Some(Page::first(PAGE_MAX));
    while let Some(asked) = page {
        let listed = read(asked).await?;
        page = listed.following();
        take(listed.rows);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::input::fuzz::fuzz;

    #[test]
    fn cursors_survive_their_text_form() {
        let name = || "lake \u{1f30a}/%".to_owned();
        let keys = [
            Key::Id(7),
            Key::Name(name()),
            Key::Both(i64::MAX, 0),
            Key::At(-1, 7),
            Key::Expiry(1, 2, name()),
            Key::Outage(1, name()),
            Key::Place(-1, name()),
        ];
        for key in keys {
            let cursor = Cursor { key, epoch: "e1".to_owned() };
            let text = cursor.to_string();
            assert!(text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte)));
            assert_eq!(text.parse(), Ok(cursor));
        }
    }

    #[test]
    fn fuzz_cursors_are_read_or_refused() {
        let cursor = |key| Cursor { key, epoch: "0192-e1".to_owned() }.to_string().into_bytes();
        let seeds = [cursor(Key::Id(7)), cursor(Key::Expiry(1, 2, "lake".to_owned()))];
        fuzz(&seeds, |bytes| {
            let text = String::from_utf8_lossy(bytes);
            if let Ok(read) = text.parse::<Cursor>() {
                assert_eq!(read.to_string().parse(), Ok(read));
            }
            // What is within, broken before it is encoded.
            let inner = BASE64_URL_SAFE_NO_PAD.encode(bytes);
            let _read = inner.parse::<Cursor>();
        });
    }

    #[test]
    fn text_that_is_no_cursor_is_refused() {
        for text in ["", "7", "e30", "eyJrZXkiOnsiaWQiOiI3In19", "\u{1b}"] {
            assert_eq!(text.parse::<Cursor>(), Err(NotACursor), "{text}");
        }
    }

    #[tokio::test]
    async fn a_list_is_read_to_its_end() {
        let read = async |page: Page| {
            let from = match page.after {
                Some(Cursor { key: Key::Id(id), .. }) => id,
                _ => 0,
            };
            let next = (from < 2).then(|| Cursor { key: Key::Id(from + 1), epoch: String::new() });
            Ok::<_, NotACursor>(Listed { rows: vec![from], next })
        };
        let mut all = Vec::new();
        each_page(read, |rows| all.extend(rows)).await.unwrap();
        assert_eq!(all, [0, 1, 2]);
    }
}
