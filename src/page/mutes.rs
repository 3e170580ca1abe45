//! Mutes that cover integrations now: acknowledgements, silences, maintenance windows.

use crate::domain::{IntegrationId, Maintenance, Selection, Timestamp};
use crate::store::{SilenceRow, StatusRow};
use crate::view::SilenceState;

/// Everything that mutes messages at an instant.
#[derive(Clone, Debug)]
pub(crate) struct Mutes<'a>(Vec<Open<'a>>);

/// Mute that is open.
#[derive(Clone, Debug)]
struct Open<'a> {
    of: Scope<'a>,
    cover: Cover,
}

/// Integrations that a mute covers.
#[derive(Clone, Copy, Debug)]
enum Scope<'a> {
    One(IntegrationId),
    Selected(&'a Selection),
}

/// Mute that covers an integration.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Cover {
    /// Kind of the mute in a word: `acknowledged`, `silenced`, `maintenance`.
    pub(crate) word: &'static str,
    /// Instant at which it ends.
    pub(crate) until: Timestamp,
    /// Author or name, and comment.
    pub(crate) by: String,
}

impl<'a> Mutes<'a> {
    /// Mutes that are open at an instant, the one that a person looks for first at the end: an
    /// acknowledgement, else the one that lasts longest.
    pub(crate) fn at(
        silences: &'a [SilenceRow],
        maintenance: &'a [Maintenance],
        now: Timestamp,
    ) -> Self {
        let open = silences.iter().filter(|one| one.state(now) == SilenceState::Open);
        let silences = open.map(|one| {
            let (of, word) = match &one.acknowledged {
                Some((id, _)) => (Scope::One(*id), "acknowledged"),
                None => (Scope::Selected(&one.selection), "silenced"),
            };
            let by = signed(&one.author, &one.comment);
            Open { of, cover: Cover { word, until: one.until, by } }
        });
        let windows = maintenance.iter().filter_map(|window| {
            let (word, by) = ("maintenance", format!("window {}", window.name));
            let cover = Cover { word, until: window.open_until(now)?, by };
            Some(Open { of: Scope::Selected(&window.selection), cover })
        });
        let mut all: Vec<_> = silences.chain(windows).collect();
        all.sort_by_key(|one| (matches!(one.of, Scope::One(_)), one.cover.until));
        Self(all)
    }

    /// Returns the mute of an integration that a person looks for first.
    pub(crate) fn of(&self, row: &StatusRow) -> Option<&Cover> {
        let about = row.about();
        let covering = self.0.iter().rev().find(|one| match one.of {
            Scope::One(id) => id == row.id,
            Scope::Selected(selection) => selection.fits(about),
        });
        covering.map(|one| &one.cover)
    }

    /// Returns true when messages about an integration are muted, or wait.
    pub(crate) fn is_muted(&self, row: &StatusRow) -> bool {
        row.is_muted || self.of(row).is_some()
    }
}

/// Returns author and comment in a clause: `by anna: new key`.
pub(crate) fn signed(author: &str, comment: &str) -> String {
    let by = if author.is_empty() { String::new() } else { format!("by {author}") };
    match (by.is_empty(), comment.is_empty()) {
        (_, true) => by,
        (true, false) => comment.to_owned(),
        (false, false) => format!("{by}: {comment}"),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::domain::Schedule;
    use crate::view::samples;

    fn window(cron: &str) -> Maintenance {
        Maintenance {
            name: "nightly".to_owned(),
            schedule: Schedule::parse(cron, "UTC").unwrap(),
            duration: Duration::from_hours(1),
            selection: Selection::default(),
        }
    }

    #[test]
    fn acknowledgement_comes_before_what_lasts_longer() {
        let now = samples::now();
        let [silence, acknowledgement, ended, _] = samples::silences();
        let row = samples::status();
        let (open, closed) = (window("0 10 * * *"), window("0 22 * * *"));
        let until = acknowledgement.until.minus(Duration::from_hours(1));
        let acknowledgement = SilenceRow { until, ..acknowledgement };
        let table = [
            (vec![], vec![], None),
            (vec![ended], vec![closed], None),
            (vec![silence.clone()], vec![], Some(("silenced", "by anna: moving\u{1b}"))),
            (
                vec![acknowledgement.clone(), silence],
                vec![open.clone()],
                Some(("acknowledged", "by anna")),
            ),
            (vec![], vec![open], Some(("maintenance", "window nightly"))),
        ];
        for (silences, maintenance, expected) in table {
            let mutes = Mutes::at(&silences, &maintenance, now);
            let found = mutes.of(&row).map(|cover| (cover.word, cover.by.as_str()));
            assert_eq!(found, expected);
            assert_eq!(mutes.is_muted(&row), expected.is_some());
        }
        let other = StatusRow { id: IntegrationId(6), ..samples::status() };
        assert_eq!(Mutes::at(&[acknowledgement], &[], now).of(&other), None);
    }

    #[test]
    fn message_that_waits_is_muted_whatever_covers_it() {
        let row = StatusRow { is_muted: true, ..samples::status() };
        assert!(Mutes::at(&[], &[], samples::now()).is_muted(&row));
    }

    #[test]
    fn author_and_comment_are_one_clause() {
        let table =
            [("", "", ""), ("anna", "", "by anna"), ("", "x", "x"), ("anna", "x", "by anna: x")];
        for (author, comment, expected) in table {
            assert_eq!(signed(author, comment), expected);
        }
    }
}
