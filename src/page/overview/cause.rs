//! Failing now: one entry per cause, with since when, names, message and the remediation.

use super::selection::Cause;
use crate::page::moment::Moment;
use crate::page::mutes::Cover;
use crate::page::text::{counted, grouped};
use crate::page::viewer::Viewer;
use crate::page::words;
use crate::store::{OutageRow, StatusRow, StoredTest};
use crate::view::FailingRow;

/// Number of names that an entry lists.
const NAMES_MAX: usize = 4;

/// Cause as it is shown.
#[derive(Clone, Debug)]
pub(crate) struct CauseItem {
    /// Title of a shared cause; empty for one integration, whose name is the title.
    pub(crate) title: String,
    /// Platform of a single integration.
    pub(crate) kind: String,
    /// Names of integrations with links.
    pub(crate) names: Vec<(String, String)>,
    /// Link to the rest of them, with their number.
    pub(crate) rest: Option<(String, String)>,
    /// Since when the first of them fails.
    pub(crate) since: Option<(Moment, Moment)>,
    /// Message of the test that failed.
    pub(crate) message: String,
    /// Remediation of the failure.
    pub(crate) fix: Option<String>,
    /// Mute of the failure, with the instant at which it ends.
    pub(crate) handled: Option<(String, Moment)>,
}

/// Details of a cause, read from the store.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Details<'a> {
    /// Evidence about the first of its integrations.
    pub(crate) failing: Option<&'a FailingRow>,
    /// Outage that they share.
    pub(crate) outage: Option<&'a OutageRow>,
    /// Mute that covers the first of them.
    pub(crate) cover: Option<&'a Cover>,
}

impl CauseItem {
    /// Entry of a cause.
    pub(crate) fn new(cause: &Cause<'_>, details: Details<'_>, viewer: &Viewer) -> Self {
        let rows = &cause.rows;
        let shown = if cause.outage.is_some() { NAMES_MAX } else { 1 };
        let link = |row: &&StatusRow| (row.name.clone(), viewer.integration(&row.name, row.id.0));
        let kind = rows.first().map(|row| row.kind.clone()).unwrap_or_default();
        let is_one_kind = rows.iter().all(|row| row.kind == kind);
        let title = cause.outage.map(|_| {
            let noun =
                if is_one_kind { format!("{kind} integration") } else { "integration".to_owned() };
            let fail = if rows.len() == 1 { "fails" } else { "fail" };
            let by = details.outage.map_or_else(String::new, |outage| {
                format!(": {}", words::factor(&outage.factor, viewer.is_public()))
            });
            format!("{} {fail} by one cause{by}", counted(rows.len(), &noun))
        });
        let more = rows.len().saturating_sub(shown);
        let rest = cause.outage.filter(|_| 0 < more).map(|outage| {
            let href = viewer.list("/", "outage", outage);
            (href, format!("and {} more", grouped(more)))
        });
        let problems = details.failing.map(FailingRow::problems).unwrap_or_default();
        let problem = problems.first().copied();
        let since = cause.since();
        Self {
            title: title.unwrap_or_default(),
            kind,
            names: rows.iter().take(shown).map(link).collect(),
            rest,
            since: since.map(|at| (viewer.present.clock(at), viewer.present.lasting(at))),
            message: problem.map_or_else(String::new, |test| message(test, viewer.is_public())),
            fix: problem.and_then(|test| test.remediation.clone()).filter(|_| !viewer.is_public()),
            handled: details.cover.map(|cover| handled(cover, viewer)),
        }
    }
}

/// Returns the mute of a failure in words, with the instant at which it ends.
fn handled(cover: &Cover, viewer: &Viewer) -> (String, Moment) {
    let by = if viewer.is_public() { String::new() } else { format!(" {}", cover.by) };
    (format!("{}{by} until", cover.word), viewer.present.clock(cover.until))
}

/// Returns the message of a test; in public, its class in words.
pub(crate) fn message(test: &StoredTest, is_public: bool) -> String {
    if is_public {
        return test.class.map_or("", words::class).to_owned();
    }
    test.message.clone().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::page::mutes::Mutes;
    use crate::page::overview::asked::Asked;
    use crate::page::overview::selection::Selection;
    use crate::page::viewer::Access;
    use crate::page::viewer::samples::viewer;
    use crate::view::samples;

    fn item(rows: &[StatusRow], access: Access) -> CauseItem {
        let (asked, now) = (Asked::read("").unwrap(), samples::now());
        let selection = Selection::of(rows.iter(), &asked, &Mutes::at(&[], &[], now), now);
        let failing = samples::failing();
        let outage = samples::troubled().1.outage;
        let outage = outage.as_ref().filter(|_| selection.causes[0].outage.is_some());
        let until = samples::at("2026-11-23T18:00:00Z");
        let cover = Cover { word: "acknowledged", until, by: "by anna".to_owned() };
        let details = Details { failing: Some(&failing), outage, cover: Some(&cover) };
        CauseItem::new(&selection.causes[0], details, &viewer(access))
    }

    #[test]
    fn shared_cause_names_the_factor_and_a_few_integrations() {
        let row = |at: usize| StatusRow {
            name: format!("n{at}"),
            outage_id: Some("out_1".to_owned()),
            ..samples::status()
        };
        let rows: Vec<_> = (0..9).map(row).collect();
        let shown = item(&rows, Access::Read);
        assert_eq!(shown.title, "9 Redshift integrations fail by one cause: the host db\u{1b}");
        assert_eq!(shown.names.len(), NAMES_MAX);
        assert_eq!(shown.rest, Some(("/?outage=out_1".to_owned(), "and 5 more".to_owned())));
        let mut mixed = rows;
        mixed[3].kind = "Trino".to_owned();
        let shown = item(&mixed, Access::Public);
        assert_eq!(shown.title, "9 integrations fail by one cause: a host");
    }

    #[test]
    fn single_failure_has_message_remediation_and_acknowledgement() {
        let shown = item(&[samples::status()], Access::Read);
        assert_eq!((shown.title.as_str(), shown.kind.as_str()), ("", "Redshift"));
        assert_eq!(shown.names, [("lake".to_owned(), "/i/lake".to_owned())]);
        assert_eq!(shown.message, "Unable\nto connect to host.");
        assert_eq!(shown.fix.as_deref(), Some("Open port 5439."));
        let (words, until) = shown.handled.unwrap();
        assert_eq!((words.as_str(), until.text.as_str()), ("acknowledged by anna until", "18:00"));
        let (since, lasting) = shown.since.unwrap();
        assert_eq!((since.text.as_str(), lasting.text.as_str()), ("08:00", "2h"));
    }

    #[test]
    fn public_view_has_the_class_in_place_of_the_message() {
        let shown = item(&[samples::status()], Access::Public);
        assert_eq!(shown.message, "The platform cannot be reached.");
        assert_eq!(shown.fix, None);
        assert_eq!(shown.handled.unwrap().0, "acknowledged until");
    }
}
