//! Silences, acknowledgements and maintenance windows in lists.

use crate::domain::{Maintenance, duration_text};
use crate::page::moment::Moment;
use crate::page::text::counted;
use crate::page::viewer::Viewer;
use crate::page::words;
use crate::store::{SilenceRow, TargetRow};
use crate::view::{SilenceState, covered};

/// Silence or acknowledgement in a list.
#[derive(Clone, Debug)]
pub(crate) struct SilenceItem {
    /// Number of the silence.
    pub(crate) id: i64,
    /// Kind of the mute in a word.
    pub(crate) kind: &'static str,
    /// State in a word.
    pub(crate) state: &'static str,
    /// Integration that is acknowledged, with its link.
    pub(crate) integration: Option<(String, String)>,
    /// Selection in words, of a silence.
    pub(crate) selection: String,
    /// Number of integrations that it covers, in words.
    pub(crate) covers: String,
    /// Name of its author.
    pub(crate) author: String,
    /// Comment of its author.
    pub(crate) comment: String,
    /// Begin of the silence.
    pub(crate) from: Moment,
    /// End of the silence.
    pub(crate) until: Moment,
    /// True while it can be ended.
    pub(crate) is_endable: bool,
}

/// Maintenance window in a list.
#[derive(Clone, Debug)]
pub(crate) struct WindowItem {
    /// Name of the window.
    pub(crate) name: String,
    /// Integrations that it covers, in words.
    pub(crate) selection: String,
    /// Schedule in words, with its zone and duration.
    pub(crate) schedule: String,
    /// End of the window, while it is open.
    pub(crate) until: Option<Moment>,
    /// Instant at which it opens next.
    pub(crate) next: Option<Moment>,
}

impl SilenceItem {
    /// Entry of a silence, given the integrations that it may cover.
    pub(crate) fn new(row: &SilenceRow, targets: &[TargetRow], viewer: &Viewer) -> Self {
        let now = viewer.present.now;
        let state = row.state(now);
        let integration = row.acknowledged.as_ref();
        Self {
            id: row.id,
            kind: row.kind(),
            state: state.as_str(),
            integration: integration
                .map(|(id, name)| (name.clone(), viewer.integration(name, id.0))),
            selection: if integration.is_some() {
                String::new()
            } else {
                row.selection.to_string()
            },
            covers: covered(row, targets, now)
                .map_or_else(String::new, |count| counted(count, "integration")),
            author: row.author.clone(),
            comment: row.comment.clone(),
            from: viewer.present.clock(row.from),
            until: viewer.present.clock(row.ended_at.unwrap_or(row.until)),
            is_endable: state != SilenceState::Ended,
        }
    }
}

impl WindowItem {
    /// Entry of a window.
    pub(crate) fn new(window: &Maintenance, viewer: &Viewer) -> Self {
        let (schedule, now) = (&window.schedule, viewer.present.now);
        let clock = |at| viewer.present.clock(at);
        Self {
            name: window.name.clone(),
            selection: window.selection.to_string(),
            schedule: format!(
                "{}, {}, for {}",
                words::schedule(schedule.text()),
                schedule.zone(),
                duration_text(window.duration)
            ),
            until: window.open_until(now).map(clock),
            next: schedule.next_after(now).map(clock),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::domain::{Schedule, Selection};
    use crate::page::viewer::Access;
    use crate::page::viewer::samples::viewer;
    use crate::view::samples;

    #[test]
    fn silence_says_what_it_covers_and_until_when() {
        let shown = samples::silences()
            .map(|row| SilenceItem::new(&row, &[samples::target()], &viewer(Access::Read)));
        let lines = shown.each_ref().map(|item| {
            format!("{} {} {} {}", item.kind, item.state, item.covers, item.until.text)
        });
        let expected = [
            "silence open 1 integration 12:00",
            "acknowledgement open 1 integration 12:00",
            "silence ended  09:30",
            "silence ended  09:59",
        ];
        assert_eq!(lines, expected);
        assert_eq!(shown[0].selection, "integrations la*, labels team=data");
        assert_eq!(shown[1].integration, Some(("lake".to_owned(), "/i/lake".to_owned())));
        assert!(shown[0].is_endable && !shown[2].is_endable);
    }

    #[test]
    fn window_says_when_it_is_open_and_opens_next() {
        let window = Maintenance {
            name: "weekend".to_owned(),
            schedule: Schedule::parse("0 9 * * *", "UTC").unwrap(),
            duration: Duration::from_hours(2),
            selection: Selection::default(),
        };
        let item = WindowItem::new(&window, &viewer(Access::Read));
        assert_eq!(item.schedule, "daily at 09:00, UTC, for 2h");
        assert_eq!(item.until.map(|at| at.text), Some("11:00".to_owned()));
        assert_eq!(item.next.map(|at| at.text), Some("24 Nov 09:00".to_owned()));
        assert_eq!(item.selection, "everything");
    }
}
