//! Beside the table: what expires next, the receivers, and what is muted.

use std::collections::BTreeSet;

use super::row::{EXPIRY_SHOWN, Left};
use crate::domain::IntegrationId;
use crate::page::moment::Moment;
use crate::page::mutes::Mutes;
use crate::page::text::grouped;
use crate::page::viewer::Viewer;
use crate::store::{ExpiryRow, ReceiverRow, StatusRow};
use crate::view::ReceiverState;

/// Number of entries of each list.
const ENTRIES_MAX: usize = 5;
/// First and last place on the axis of expiries.
const AXIS: (u64, u64) = (10, 274);

/// Expiry in a list.
#[derive(Clone, Debug)]
pub(crate) struct ExpiryItem {
    /// Object that expires, as a noun.
    pub(crate) what: String,
    /// Name of the integration that uses it.
    pub(crate) name: String,
    /// Link to its page.
    pub(crate) href: String,
    /// Time that is left.
    pub(crate) left: Left,
    /// Instant of the expiry.
    pub(crate) at: Moment,
    /// Place on the axis.
    pub(crate) place: u64,
}

/// Receiver in a list.
#[derive(Clone, Debug)]
pub(crate) struct ReceiverItem {
    /// Name of the receiver.
    pub(crate) name: String,
    /// Link to its page.
    pub(crate) href: String,
    /// Name of its symbol.
    pub(crate) icon: &'static str,
    /// Class of its colour.
    pub(crate) tone: &'static str,
    /// State of the receiver in a word.
    pub(crate) state: &'static str,
    /// Number of its pending messages in words.
    pub(crate) pending: String,
    /// Number of its pending messages.
    pub(crate) waiting: usize,
    /// Reason of the state, before an instant.
    pub(crate) note: String,
    /// Instant of the note.
    pub(crate) at: Option<Moment>,
}

/// Muted integration in a list.
#[derive(Clone, Debug)]
pub(crate) struct MutedItem {
    /// Name of the integration.
    pub(crate) name: String,
    /// Link to its page.
    pub(crate) href: String,
    /// Instant at which the mute ends.
    pub(crate) until: Option<Moment>,
    /// Kind of the mute, with author and comment.
    pub(crate) by: String,
}

impl ExpiryItem {
    /// Entry of an expiry; in public it names the integration alone.
    pub(crate) fn new(row: &ExpiryRow, viewer: &Viewer) -> Self {
        let now = viewer.present.now;
        let integration = &row.integration;
        let (first, last) = AXIS;
        let span = EXPIRY_SHOWN.as_secs().max(1);
        let left = row.at.since(now).as_secs().min(span);
        Self {
            what: if viewer.is_public() { String::new() } else { row.what.clone() },
            name: integration.name.clone(),
            href: viewer.integration(&integration.name, integration.id.0),
            left: Left::until(row.at, now),
            at: viewer.present.clock(row.at),
            place: first + left * (last - first) / span,
        }
    }

    /// Returns the entries of the integrations that are selected.
    pub(crate) fn all(rows: &[ExpiryRow], matching: &[&StatusRow], viewer: &Viewer) -> Vec<Self> {
        let ids: BTreeSet<IntegrationId> = matching.iter().map(|row| row.id).collect();
        let fits = |row: &&ExpiryRow| ids.contains(&row.integration.id);
        rows.iter().filter(fits).map(|row| Self::new(row, viewer)).collect()
    }
}

impl ReceiverItem {
    /// Entry of a receiver.
    pub(crate) fn new(row: &ReceiverRow, viewer: &Viewer) -> Self {
        let state = ReceiverState::from(row);
        let (icon, tone) = match state {
            ReceiverState::Enabled => ("ok", "ok"),
            ReceiverState::Failing => ("warn", "warn"),
            ReceiverState::Disabled | ReceiverState::Removed => ("off", "off"),
        };
        let present = &viewer.present;
        let (note, at) = match (state, row.disabled) {
            (ReceiverState::Enabled, _) => match row.last_success_at {
                Some(at) => ("notified".to_owned(), Some(present.ago(at))),
                None => ("not notified yet".to_owned(), None),
            },
            (ReceiverState::Failing, _) => (
                "does not take messages since".to_owned(),
                row.failing_since.map(|at| present.clock(at)),
            ),
            (ReceiverState::Disabled, Some((reason, at))) => {
                (format!("disabled ({}) since", reason.as_str()), Some(present.clock(at)))
            }
            (ReceiverState::Disabled, None) => ("disabled".to_owned(), None),
            (ReceiverState::Removed, _) => ("no longer configured".to_owned(), None),
        };
        let pending = usize::try_from(row.pending).unwrap_or(usize::MAX);
        Self {
            name: row.name.clone(),
            href: viewer.to("/receivers", &row.name),
            icon,
            tone,
            state: state.as_str(),
            pending: format!("{} pending", grouped(pending)),
            waiting: pending,
            note,
            at,
        }
    }
}

impl MutedItem {
    /// Returns the entries of the integrations that are muted, at most a few.
    pub(crate) fn all(matching: &[&StatusRow], mutes: &Mutes<'_>, viewer: &Viewer) -> Vec<Self> {
        let silent = matching.iter().filter(|row| mutes.is_muted(row));
        let item = |row: &&StatusRow| {
            let cover = mutes.of(row);
            let by = match cover {
                Some(cover) if viewer.is_public() => cover.word.to_owned(),
                Some(cover) => format!("{} {}", cover.word, cover.by),
                None if row.is_flapping => "flapping".to_owned(),
                None => "a message waits".to_owned(),
            };
            Self {
                name: row.name.clone(),
                href: viewer.integration(&row.name, row.id.0),
                until: cover.map(|cover| viewer.present.clock(cover.until)),
                by,
            }
        };
        silent.take(ENTRIES_MAX).map(item).collect()
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::page::viewer::Access;
    use crate::page::viewer::samples::viewer;
    use crate::view::samples;

    fn expiry(days: u64) -> ExpiryRow {
        let at = samples::now().plus(Duration::from_hours(24 * days));
        ExpiryRow { integration: samples::target(), at, what: "the key of db.internal".to_owned() }
    }

    #[test]
    fn expiries_stand_on_an_axis_of_ninety_days() {
        let places = [0, 45, 90, 900]
            .map(|days| ExpiryItem::new(&expiry(days), &viewer(Access::Read)).place);
        assert_eq!(places, [10, 142, 274, 274]);
        let shown = ExpiryItem::new(&expiry(6), &viewer(Access::Read));
        assert_eq!(
            (shown.what.as_str(), shown.left.text.as_str()),
            ("the key of db.internal", "6 d")
        );
        assert_eq!(ExpiryItem::new(&expiry(6), &viewer(Access::Public)).what, "");
    }

    #[test]
    fn expiries_of_other_integrations_are_left_out() {
        let row = samples::status();
        let count =
            |rows: &[&StatusRow]| ExpiryItem::all(&[expiry(6)], rows, &viewer(Access::Read)).len();
        assert_eq!((count(&[&row]), count(&[])), (1, 0));
    }

    #[test]
    fn receivers_say_their_state_and_since_when() {
        let [audit, on_call, old] = samples::receivers();
        let failing = ReceiverRow {
            failing_since: Some(samples::at("2026-11-23T09:00:00Z")),
            ..audit.clone()
        };
        let new = ReceiverRow { last_success_at: None, ..audit.clone() };
        let table = [
            (audit, "enabled", "notified", "1m ago", "0 pending"),
            (new, "enabled", "not notified yet", "", "0 pending"),
            (failing, "failing", "does not take messages since", "09:00", "0 pending"),
            (on_call, "disabled", "disabled (gone) since", "09:00", "2 pending"),
            (old, "removed", "no longer configured", "", "0 pending"),
        ];
        for (row, state, note, at, pending) in table {
            let item = ReceiverItem::new(&row, &viewer(Access::Read));
            let found = item.at.map_or_else(String::new, |at| at.text);
            assert_eq!((item.state, item.note.as_str(), found.as_str()), (state, note, at));
            assert_eq!(item.pending, pending);
        }
    }

    #[test]
    fn muted_integrations_name_author_and_comment_unless_in_public() {
        let [silence, ..] = samples::silences();
        let silences = [silence];
        let mutes = Mutes::at(&silences, &[], samples::now());
        let row = samples::status();
        let shown = |access| MutedItem::all(&[&row], &mutes, &viewer(access)).remove(0);
        let item = shown(Access::Read);
        assert_eq!(item.by, "silenced by anna: moving\u{1b}");
        assert_eq!(item.until.map(|until| until.text), Some("12:00".to_owned()));
        assert_eq!(shown(Access::Public).by, "silenced");
        let waiting = StatusRow { is_muted: true, is_flapping: true, ..row };
        let none = Mutes::at(&[], &[], samples::now());
        let items = MutedItem::all(&[&waiting], &none, &viewer(Access::Read));
        assert_eq!(items.first().map(|item| item.by.as_str()), Some("flapping"));
    }
}
