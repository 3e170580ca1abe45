//! Row of the table: one integration with its strip, its times and what is special about it.

use std::time::Duration;

use crate::domain::{ReportStatus, Timestamp};
use crate::page::address;
use crate::page::look::Look;
use crate::page::moment::Moment;
use crate::page::mutes::Cover;
use crate::page::strip::Strip;
use crate::page::text::brief;
use crate::page::viewer::Viewer;
use crate::page::words;
use crate::store::{Mark, StatusRow};

/// Time within which an expiry is shown.
pub(super) const EXPIRY_SHOWN: Duration = Duration::from_hours(24 * 90);
/// Time before an expiry from which on it is marked, and from which on urgently so.
const EXPIRY_MARKED: [Duration; 2] = [Duration::from_hours(24 * 30), Duration::from_hours(24 * 7)];

/// Integration in the table.
#[derive(Clone, Debug)]
pub(crate) struct Row {
    /// Number of the integration.
    pub(crate) id: i64,
    /// Name of the integration.
    pub(crate) name: String,
    /// Link to its page.
    pub(crate) href: String,
    /// Shape and tone of its status.
    pub(crate) look: Look,
    /// Name of its status as published.
    pub(crate) status: &'static str,
    /// Special things about it.
    pub(crate) tags: Vec<Tag>,
    /// Strip of its latest runs.
    pub(crate) strip: Strip,
    /// Link to its runs.
    pub(crate) runs_href: String,
    /// Address of the strip's data, for the script.
    pub(crate) strip_href: String,
    /// When it passed last.
    pub(crate) passed: Option<Moment>,
    /// When it runs next.
    pub(crate) next: Option<Moment>,
    /// True while a run is under way.
    pub(crate) is_running: bool,
    /// Time to its next expiry, with its tone.
    pub(crate) expires: Option<Left>,
}

/// Something special in a few words.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Tag {
    /// Words of the tag.
    pub(crate) text: String,
    /// Letter of its tone.
    pub(crate) tone: &'static str,
    /// Instant at which it ends.
    pub(crate) until: Option<Moment>,
}

/// Time that is left before an expiry.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Left {
    /// Time in words, or that it is over.
    pub(crate) text: String,
    /// Class of its colour.
    pub(crate) tone: &'static str,
    /// Letter of its mark.
    pub(crate) letter: &'static str,
}

impl Left {
    /// Returns the time that is left from now to an expiry.
    pub(crate) fn until(at: Timestamp, now: Timestamp) -> Self {
        let [marked, urgent] = EXPIRY_MARKED;
        let (tone, letter) = match at.since(now) {
            left if left <= urgent => ("bad", "b"),
            left if left <= marked => ("warn", "w"),
            _ => ("soft", "o"),
        };
        let text = if at <= now { "over".to_owned() } else { brief(at.since(now)) };
        Self { text, tone, letter }
    }
}

impl Row {
    /// Row of an integration, given its latest runs and the mute that covers it.
    pub(crate) fn new(
        row: &StatusRow,
        marks: &[Mark],
        cover: Option<&Cover>,
        viewer: &Viewer,
    ) -> Self {
        let now = viewer.present.now;
        let href = viewer.integration(&row.name, row.id.0);
        let runs_href = if viewer.is_public() {
            href.clone()
        } else {
            viewer.list("/runs", "integration", &row.name)
        };
        let soon = |at: &Timestamp| *at <= now.plus(EXPIRY_SHOWN);
        let expires = row.expires.as_ref().map(|(at, _)| *at).filter(soon);
        Self {
            id: row.id.0,
            name: row.name.clone(),
            look: Look::of_row(row),
            status: row.status.as_str(),
            tags: tags(row, cover, viewer),
            strip: Strip::of(marks),
            strip_href: format!("/fragment/strip{}", strip_of(row)),
            passed: row.last_passed_at.map(|at| viewer.present.ago(at)),
            next: row.next_run_at.map(|at| viewer.present.ahead(at)),
            is_running: row.lease_until.is_some_and(|until| now < until),
            expires: expires.map(|at| Left::until(at, now)),
            href,
            runs_href,
        }
    }
}

/// Returns the end of a path for an integration, under any folder.
fn strip_of(row: &StatusRow) -> String {
    let path = address::integration(&row.name, row.id.0);
    path.trim_start_matches("/i").to_owned()
}

/// Returns the special things about an integration, the most important first.
fn tags(row: &StatusRow, cover: Option<&Cover>, viewer: &Viewer) -> Vec<Tag> {
    let tag = |text: &str, tone| Tag { text: text.to_owned(), tone, until: None };
    let look = Look::of_row(row);
    let mut tags = Vec::new();
    let covered = cover.map(|cover| Tag {
        text: format!("{} until", cover.word),
        tone: "",
        until: Some(viewer.present.clock(cover.until)),
    });
    tags.extend(covered.or_else(|| row.is_muted.then(|| tag("muted", ""))));
    tags.extend(
        words::status(row.status)
            .map(|text| tag(text, if look == Look::Refused { "b" } else { "" })),
    );
    if look == Look::Unconfirmed {
        tags.push(tag("not confirmed yet", "w"));
    }
    if row.outage_id.is_some() && row.status.is_error() {
        tags.push(tag("outage", "b"));
    }
    if row.is_flapping {
        tags.push(tag("flapping", "w"));
    }
    let run = row.last_run.as_ref();
    if look == Look::Attention && run.is_some_and(|run| run.status == ReportStatus::Warning) {
        let [marked, _] = EXPIRY_MARKED;
        let now = viewer.present.now;
        let ends = row.expires.as_ref().filter(|(at, _)| *at <= now.plus(marked));
        let text = ends.map(|(at, _)| format!("ends in {}", brief(at.since(now))));
        tags.push(tag(&text.unwrap_or_else(|| "warned".to_owned()), "w"));
    }
    tags
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Status;
    use crate::page::strip::samples::marks;
    use crate::page::viewer::Access;
    use crate::page::viewer::samples::viewer;
    use crate::store::Mark;
    use crate::view::samples;

    fn row(change: impl FnOnce(&mut StatusRow)) -> StatusRow {
        let mut row = StatusRow { expires: None, ..samples::status() };
        change(&mut row);
        row
    }

    /// Tags of a row as texts with their tones.
    fn shown(row: &StatusRow, cover: Option<&Cover>) -> Vec<String> {
        let tags = Row::new(row, &[], cover, &viewer(Access::Read)).tags;
        let text = |tag: Tag| {
            let until = tag.until.map_or_else(String::new, |until| format!(" {}", until.text));
            format!("{}{until} [{}]", tag.text, tag.tone)
        };
        tags.into_iter().map(text).collect()
    }

    #[test]
    fn special_things_are_tags() {
        let warned = |row: &mut StatusRow| {
            row.status = Status::Enabled;
            let run = row.last_run.unwrap();
            row.last_run = Some(Mark { status: ReportStatus::Warning, class: None, ..run });
        };
        let in_days = |days: u64| {
            let at = samples::now().plus(Duration::from_hours(24 * days));
            Some((at, "the key".to_owned()))
        };
        let table = [
            (row(|_| ()), vec![]),
            (row(|row| row.status = Status::EditError), vec!["new configuration refused [b]"]),
            (row(|row| row.status = Status::Creating), vec!["new []"]),
            (row(|row| row.status = Status::Enabled), vec!["not confirmed yet [w]"]),
            (row(|row| row.outage_id = Some("out_1".to_owned())), vec!["outage [b]"]),
            (row(|row| row.is_flapping = true), vec!["flapping [w]"]),
            (row(|row| row.is_muted = true), vec!["muted []"]),
            (row(warned), vec!["warned [w]"]),
            (
                row(|row| {
                    warned(row);
                    row.expires = in_days(6);
                }),
                vec!["ends in 6 d [w]"],
            ),
            (
                row(|row| {
                    warned(row);
                    row.expires = in_days(60);
                }),
                vec!["warned [w]"],
            ),
        ];
        for (row, expected) in table {
            assert_eq!(shown(&row, None), expected, "{row:?}");
        }
        let until = samples::at("2026-11-23T18:00:00Z");
        let cover = Cover { word: "acknowledged", until, by: String::new() };
        let muted = row(|row| row.is_muted = true);
        assert_eq!(shown(&muted, Some(&cover)), ["acknowledged until 18:00 []"]);
    }

    #[test]
    fn row_has_times_strip_and_links() {
        let row = StatusRow { name: "a/b".to_owned(), ..samples::status() };
        let shown = Row::new(&row, &marks("pf"), None, &viewer(Access::Read));
        assert_eq!(shown.href, "/i/a%2Fb");
        assert_eq!(shown.runs_href, "/runs?integration=a%2Fb");
        assert_eq!(shown.strip_href, "/fragment/strip/a%2Fb");
        assert_eq!(shown.passed.map(|at| at.text), Some("2h 15m ago".to_owned()));
        assert_eq!(shown.next.map(|at| at.text), Some("5m".to_owned()));
        assert_eq!(shown.strip.label, "Last 2 runs: 1 passed, 1 failed");
        let left = Left { text: "10 d".to_owned(), tone: "warn", letter: "w" };
        assert_eq!(shown.expires, Some(left));
        let public = Row::new(&row, &[], None, &viewer(Access::Public));
        assert_eq!(public.runs_href, "/i/a%2Fb", "runs are not public");
    }

    #[test]
    fn time_that_is_left_has_a_tone() {
        let now = samples::now();
        let table =
            [(0, "over", "bad"), (7, "7 d", "bad"), (30, "30 d", "warn"), (31, "31 d", "soft")];
        for (days, text, tone) in table {
            let left = Left::until(now.plus(Duration::from_hours(24 * days)), now);
            assert_eq!((left.text.as_str(), left.tone), (text, tone));
        }
    }
}
