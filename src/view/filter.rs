//! Filter of integrations and their order, the same in the interface and on the page.

use std::cmp::Ordering;
use std::collections::BTreeSet;
use std::time::Duration;

use crate::domain::{IntegrationId, Selection, Status, Timestamp};
use crate::http::{Kind, Parameter, Query};
use crate::store::{Cursor, Listed, Page, StatusRow, StoreError, View};

/// Published names of the statuses.
const STATUSES: &[&str] = &[
    "createError",
    "creating",
    "deleted",
    "deleteError",
    "deleting",
    "disabled",
    "editing",
    "editError",
    "enabled",
    "migrateError",
    "migrating",
    "recurringValidationError",
];

/// Parameters by which a filter is given.
pub(crate) const FILTERS: &[Parameter] = &[
    Parameter::repeated(
        "status",
        Kind::Words(STATUSES),
        "Only integrations in one of these statuses.",
    ),
    Parameter::repeated("type", Kind::Text, "Only integrations of one of these platforms."),
    Parameter::repeated("label", Kind::Label, "Only integrations with all of these labels."),
    Parameter::once(
        "q",
        Kind::Text,
        "Only integrations that have each of these words in their name, platform, status or labels, or, for callers that may read those, in their host, principal or a message of their latest run.",
    ),
    Parameter::once("failing", Kind::Flag, "Only integrations in an error status, or in none."),
    Parameter::once("muted", Kind::Flag, "Only integrations whose messages wait, or do not."),
    Parameter::once("flapping", Kind::Flag, "Only integrations that flap, or do not."),
    Parameter::once(
        "outage",
        Kind::Text,
        "Only integrations of this outage; `any` for all outages.",
    ),
    Parameter::once(
        "expiresWithin",
        Kind::Duration,
        "Only integrations of which something ends in this time.",
    ),
    Parameter::once(
        "sort",
        Kind::Words(&["name", "since", "next", "expires"]),
        "Order of the list.",
    ),
];

/// Filter of integrations; takes all when empty.
#[derive(Clone, Debug, Default)]
pub(crate) struct Filter {
    statuses: Vec<Status>,
    selection: Selection,
    words: Vec<Word>,
    is_failing: Option<bool>,
    is_muted: Option<bool>,
    is_flapping: Option<bool>,
    outage: Option<String>,
    expires_within: Option<Duration>,
    /// Order of the list.
    pub(crate) order: Order,
}

/// Word of a search, in lower case, with the integrations that mention it where no list shows it.
#[derive(Clone, Debug)]
struct Word {
    text: String,
    mentioned_by: BTreeSet<IntegrationId>,
}

/// Order of integrations; those without the instant stand last, and equal ones by name.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(crate) enum Order {
    /// In the order of names.
    #[default]
    Name,
    /// Those that have failed longest first.
    Since,
    /// Those that are due soonest first.
    Next,
    /// Those that end soonest first.
    Expires,
}

/// Place of a row in an order: the instant that it goes by, and its name.
pub(crate) type Place = (i64, String);

impl Filter {
    /// Filter that a query gives by [`FILTERS`].
    pub(crate) fn of(query: &Query) -> Self {
        let owned = |name| query.all(name).map(str::to_owned).collect();
        Self {
            statuses: query.all("status").filter_map(|name| name.parse().ok()).collect(),
            selection: Selection {
                integrations: Vec::new(),
                types: owned("type"),
                labels: query.labels("label"),
            },
            words: query.text("q").map(words).unwrap_or_default(),
            is_failing: query.flag("failing"),
            is_muted: query.flag("muted"),
            is_flapping: query.flag("flapping"),
            outage: query.text("outage").map(str::to_owned),
            expires_within: query.duration("expiresWithin"),
            order: match query.text("sort") {
                Some("since") => Order::Since,
                Some("next") => Order::Next,
                Some("expires") => Order::Expires,
                Some(_) | None => Order::Name,
            },
        }
    }

    /// Looks for the words in hosts, principals and messages too, for callers that may read those.
    ///
    /// # Errors
    ///
    /// Fails when the store cannot be read.
    pub(crate) async fn mentioning(mut self, view: &View) -> Result<Self, StoreError> {
        if self.words.is_empty() {
            return Ok(self);
        }
        let texts = self.words.iter().map(|word| word.text.clone()).collect();
        let found = view.mentions(texts).await?;
        for (word, ids) in self.words.iter_mut().zip(found) {
            word.mentioned_by = ids;
        }
        Ok(self)
    }

    /// Reads a page of the integrations that it takes and `sees` lets pass, in its order.
    ///
    /// # Errors
    ///
    /// Fails when the store cannot be read, or the page follows one of another list or database.
    pub(crate) async fn page(
        &self,
        view: &View,
        page: Page,
        now: Timestamp,
        sees: impl Fn(&StatusRow) -> bool,
    ) -> Result<Listed<StatusRow>, StoreError> {
        let takes = |row: &StatusRow| sees(row) && self.fits(row, now);
        let epoch = view.epoch().await?;
        let limit = usize::try_from(page.limit).unwrap_or(usize::MAX);
        let mut rows = match self.order {
            Order::Name | Order::Next => self.order.first(view, page, takes).await?,
            Order::Since | Order::Expires => {
                let after = page.after.map(|cursor| cursor.place(&epoch)).transpose()?;
                let follows = |row: &StatusRow| {
                    after.as_ref().is_none_or(|place| *place < self.order.place(row))
                };
                let mut rows = view.all_statuses().await?;
                rows.retain(|row| takes(row) && follows(row));
                rows.sort_by_cached_key(|row| self.order.place(row));
                rows
            }
        };
        let more = limit < rows.len();
        rows.truncate(limit);
        let last = rows.last().filter(|_| more);
        let next = last.map(|row| Cursor::at(self.order.place(row), &epoch));
        Ok(Listed { rows, next })
    }

    /// Returns true when it takes the integration.
    pub(crate) fn fits(&self, row: &StatusRow, now: Timestamp) -> bool {
        let is = |wanted: Option<bool>, found: bool| wanted.is_none_or(|wanted| wanted == found);
        let outage = row.outage_id.as_deref();
        (self.statuses.is_empty() || self.statuses.contains(&row.status))
            && self.selection.fits(row.about())
            && self
                .words
                .iter()
                .all(|word| word.mentioned_by.contains(&row.id) || has(row, &word.text))
            && is(self.is_failing, row.status.is_error())
            && is(self.is_muted, row.is_muted)
            && is(self.is_flapping, row.is_flapping)
            && self.outage.as_deref().is_none_or(|id| match id {
                "any" => outage.is_some(),
                id => outage == Some(id),
            })
            && self.expires_within.is_none_or(|within| {
                row.expires.as_ref().is_some_and(|(at, _)| *at <= now.plus(within))
            })
    }
}

/// Returns the words of a search.
fn words(text: &str) -> Vec<Word> {
    let word = |text: &str| Word { text: text.to_lowercase(), mentioned_by: BTreeSet::new() };
    text.split_whitespace().map(word).collect()
}

/// Returns true when name, platform, status or a label of the integration has the text, in lower case.
fn has(row: &StatusRow, text: &str) -> bool {
    let has = |within: &str| within.to_lowercase().contains(text);
    has(&row.name)
        || has(&row.kind)
        || has(row.status.as_str())
        || row.labels.iter().any(|(key, value)| has(&format!("{key}={value}")))
}

impl Order {
    /// Returns the place of a row.
    pub(crate) fn place(self, row: &StatusRow) -> Place {
        let instant = match self {
            Self::Name => Some(Timestamp(0)),
            Self::Since => row.failing_since,
            Self::Next => row.next_run_at,
            Self::Expires => row.expires.as_ref().map(|(at, _)| *at),
        };
        (instant.map_or(i64::MAX, |at| at.0), row.name.clone())
    }

    /// Compares two rows by their places.
    pub(crate) fn compare(self, one: &StatusRow, two: &StatusRow) -> Ordering {
        self.place(one).cmp(&self.place(two))
    }

    /// Reads the first rows that `takes` lets pass, more than `page` shows where there are more; the store has them in
    /// this order.
    async fn first(
        self,
        view: &View,
        page: Page,
        takes: impl Fn(&StatusRow) -> bool,
    ) -> Result<Vec<StatusRow>, StoreError> {
        let limit = page.limit.saturating_add(1);
        let wanted = usize::try_from(limit).unwrap_or(usize::MAX);
        let (mut rows, mut seen) = (Vec::new(), BTreeSet::new());
        let mut part = Some(Page { limit, ..page });
        while let Some(page) = part {
            let listed = match self {
                Self::Next => view.statuses_by_next_run(page).await?,
                Self::Name | Self::Since | Self::Expires => view.statuses(page).await?,
            };
            part = listed.following();
            // One that runs between two parts comes once more, at its new place.
            rows.extend(listed.rows.into_iter().filter(|row| takes(row) && seen.insert(row.id)));
            if wanted <= rows.len() {
                break;
            }
        }
        Ok(rows)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::view::samples;

    fn filter(query: &str) -> Filter {
        Filter::of(&Query::read(query, FILTERS).unwrap())
    }

    #[test]
    fn every_status_has_its_published_name() {
        let names: Vec<_> = Status::ALL.iter().map(|status| status.as_str()).collect();
        assert_eq!(names, STATUSES);
    }

    #[test]
    fn each_parameter_narrows_the_list() {
        let now = samples::now();
        let mut row = samples::status();
        row.labels = BTreeMap::from([("team".to_owned(), "data".to_owned())]);
        row.expires = Some((now.plus(Duration::from_hours(24)), "token".to_owned()));
        row.outage_id = Some("out_1".to_owned());
        row.is_flapping = true;
        let fits = [
            "",
            "status=enabled&status=recurringValidationError",
            "type=Redshift",
            "label=team=data",
            "label=team=*",
            "q=LAK",
            "q=redsh",
            "q=team%3Dda",
            "q=recurringvalidation",
            "q=lak+data++redshift",
            "q=+",
            "failing=true",
            "muted=false",
            "flapping=true",
            "outage=any",
            "outage=out_1",
            "expiresWithin=2d",
            "sort=since",
        ];
        for query in fits {
            assert!(filter(query).fits(&row, now), "{query}");
        }
        let others = [
            "status=enabled",
            "type=S3",
            "label=team=ops",
            "label=team=data&label=tier=1",
            "q=warehouse",
            "q=lake+warehouse",
            "failing=false",
            "muted=true",
            "flapping=false",
            "outage=out_2",
            "expiresWithin=1h",
        ];
        for query in others {
            assert!(!filter(query).fits(&row, now), "{query}");
        }
    }

    #[test]
    fn rows_without_the_instant_stand_last_and_equal_ones_by_name() {
        let row = |name: &str, since| StatusRow {
            name: name.to_owned(),
            failing_since: since,
            ..samples::status()
        };
        let mut rows = [
            row("b", None),
            row("c", Some(Timestamp(2))),
            row("a", None),
            row("d", Some(Timestamp(1))),
        ];
        rows.sort_by(|one, two| Order::Since.compare(one, two));
        let names = rows.each_ref().map(|row| row.name.as_str());
        assert_eq!(names, ["d", "c", "a", "b"]);
        rows.sort_by(|one, two| filter("").order.compare(one, two));
        assert_eq!(rows.map(|row| row.name), ["a", "b", "c", "d"]);
    }
}
