//! Overview: what is broken and by which cause, every integration with its latest runs, and what is to come.
//!
//! [`Selection`] says which rows are shown, [`Reads`] reads their details, [`Overview`] is the value that the
//! template prints.

mod asked;
mod cause;
mod headline;
mod reads;
mod row;
mod selection;
mod side;
mod tile;

pub(crate) use asked::Asked;
pub(crate) use cause::message;
pub(crate) use reads::Reads;
pub(crate) use row::{Left, Row};
pub(crate) use selection::Selection;
pub(crate) use side::{ExpiryItem, ReceiverItem};

use self::asked::Show;
use self::cause::{CauseItem, Details};
use self::headline::{DaemonState, Headline};
use self::selection::Group;
use self::side::MutedItem;
use self::tile::Tile;
use super::address::Pairs;
use super::look::Look;
use super::moment::Moment;
use super::mutes::Mutes;
use super::text::{counted, grouped, took};
use super::viewer::Viewer;
use crate::daemon::BackupState;
use crate::view::Order;

/// Number of expiries that are listed.
const EXPIRIES_MAX: usize = 5;
/// Number of labels to choose from.
const LABELS_MAX: usize = 200;

/// Overview as it is shown.
#[derive(Clone, Debug)]
pub(crate) struct Overview {
    /// Sentences about everything that the filters fit.
    pub(crate) headline: Headline,
    /// Number of integrations that fail.
    pub(crate) failing: usize,
    /// Latest change of a status: instant, name, link.
    pub(crate) latest: Option<(Moment, String, String)>,
    /// Number of runs within the last hour.
    pub(crate) runs: Option<String>,
    /// Lateness that 99 % of the latest runs stay within.
    pub(crate) lateness: Option<String>,
    /// State of the latest backup, to those who see the receivers as well.
    pub(crate) backup: Option<BackupFact>,
    /// Sentence about the latest change, for those who listen.
    pub(crate) say: String,
    /// Tiles of the platforms.
    pub(crate) tiles: Vec<Tile>,
    /// Entries of what fails now.
    pub(crate) causes: Vec<CauseItem>,
    /// Number of integrations and causes, in words.
    pub(crate) causes_title: String,
    /// Number of causes that are not listed, in words.
    pub(crate) more: Option<String>,
    /// Link to the integrations that fail.
    pub(crate) failing_href: String,
    /// Form of the filters.
    pub(crate) form: Form,
    /// Groups of rows on the page.
    pub(crate) groups: Vec<GroupItem>,
    /// Link to the next page.
    pub(crate) next: Option<String>,
    /// Link to the first page, from another one.
    pub(crate) first: Option<String>,
    /// Expiries of the next ninety days.
    pub(crate) expiries: Vec<ExpiryItem>,
    /// Receivers; none where they are not shown.
    pub(crate) receivers: Option<Vec<ReceiverItem>>,
    /// Muted integrations, at most a few.
    pub(crate) muted: Vec<MutedItem>,
    /// Link to all expiries.
    pub(crate) expiry_href: String,
    /// Link to all receivers.
    pub(crate) receivers_href: String,
    /// Link to all silences.
    pub(crate) silences_href: String,
}

/// Latest backup as it is shown.
#[derive(Clone, Debug)]
pub(crate) struct BackupFact {
    /// Age of the newest backup; none without one.
    pub(crate) at: Option<Moment>,
    /// Result in words: what is to be known beside the age.
    pub(crate) text: &'static str,
    /// Class of its colour.
    pub(crate) tone: &'static str,
}

impl BackupFact {
    fn of(state: BackupState, viewer: &Viewer) -> Self {
        let BackupState { newest_at, has_failed } = state;
        let (text, tone) = match (newest_at, has_failed) {
            (_, true) => ("the latest attempt failed", "bad"),
            (None, false) => ("none yet", "warn"),
            (Some(_), false) => ("verified", "ok"),
        };
        Self { at: newest_at.map(|at| viewer.present.ago(at)), text, tone }
    }
}

/// Form of the filters.
#[derive(Clone, Debug)]
pub(crate) struct Form {
    /// Text that is searched for.
    pub(crate) text: String,
    /// Pairs that the form keeps.
    pub(crate) kept: Vec<(String, String)>,
    /// Buttons of the parts: link, word, number, and whether it is chosen.
    pub(crate) parts: Vec<(String, &'static str, String, bool)>,
    /// Labels to choose from: value, word, and whether it is chosen; several that are chosen are one.
    pub(crate) labels: Vec<(String, String, bool)>,
    /// Orders to choose from: value, word, and whether it is chosen.
    pub(crate) orders: Vec<(&'static str, &'static str, bool)>,
    /// Filters that are set: words, and the link without each.
    pub(crate) set: Vec<(String, String)>,
    /// Link without any filter, when one is set.
    pub(crate) clear: Option<String>,
}

/// Group of rows as it is shown.
#[derive(Clone, Debug)]
pub(crate) struct GroupItem {
    /// Platform of the group; empty for a list in another order.
    pub(crate) kind: String,
    /// Number of its rows in words.
    pub(crate) text: String,
    /// Link that folds or opens it.
    pub(crate) href: String,
    /// False when its rows are folded.
    pub(crate) is_open: bool,
    /// Rows of the group.
    pub(crate) rows: Vec<Row>,
}

impl Overview {
    /// Overview of the rows that are selected.
    pub(crate) fn new(
        selection: &Selection<'_>,
        asked: &Asked,
        mutes: &Mutes<'_>,
        reads: &Reads,
        viewer: &Viewer,
    ) -> Self {
        let shows_receivers = !viewer.is_public() && !viewer.is_limited;
        let receivers = if shows_receivers { reads.receivers.as_slice() } else { &[] };
        let daemon = DaemonState { faults: &reads.faults, is_refused: reads.is_refused, receivers };
        let failing = selection.count(Show::Failing);
        let causes = selection.causes.iter().map(|cause| {
            let first = cause.rows.first();
            let details = Details {
                failing: first.and_then(|row| reads.failing.get(&row.id)),
                outage: cause.outage.and_then(|id| reads.outages.get(id)),
                cover: first.and_then(|row| mutes.of(row)),
            };
            CauseItem::new(cause, details, viewer)
        });
        let number = selection.causes.len() + selection.more.0;
        let (causes_beyond, integrations_beyond) = selection.more;
        let more = (0 < causes_beyond).then(|| {
            let integrations = counted(integrations_beyond, "integration");
            format!("{} more, {integrations}", counted(causes_beyond, "cause"))
        });
        let place = asked.pairs.without("after");
        let latest = reads.latest.as_ref().map(|change| {
            let target = &change.integration;
            let href = viewer.integration(&target.name, target.id.0);
            (viewer.present.clock(change.row.at), target.name.clone(), href)
        });
        let say = reads.latest.as_ref().map(|change| {
            format!("{} is {}", change.integration.name, Look::of(change.row.to, None).word())
        });
        let group = |group: &Group<'_>| item(group, reads, mutes, asked, viewer);
        let expiries = ExpiryItem::all(&reads.expiries, &selection.matching, viewer);
        Self {
            headline: Headline::of(selection, &daemon, asked.is_narrowed()),
            failing,
            latest,
            runs: reads.runs.map(|runs| grouped(usize::try_from(runs).unwrap_or(usize::MAX))),
            lateness: reads.lateness.map(took),
            backup: reads
                .backup
                .filter(|_| shows_receivers)
                .map(|state| BackupFact::of(state, viewer)),
            say: say.unwrap_or_default(),
            tiles: Tile::all(selection, asked),
            causes: causes.collect(),
            causes_title: causes_title(failing, number),
            more,
            failing_href: place.with("show", Show::Failing.value()).at("/"),
            form: Form::new(selection, asked),
            groups: selection.groups.iter().map(group).collect(),
            next: selection.next.map(|name| place.with("after", name).at("/")),
            first: asked.after.as_ref().map(|_| place.at("/")),
            expiries,
            receivers: shows_receivers.then(|| {
                reads.receivers.iter().map(|row| ReceiverItem::new(row, viewer)).collect()
            }),
            muted: MutedItem::all(&selection.matching, mutes, viewer),
            expiry_href: viewer.link("/expiry"),
            receivers_href: viewer.link("/receivers"),
            silences_href: viewer.link("/silences"),
        }
    }

    /// Returns the expiries that are listed, soonest first.
    pub(crate) fn next_expiries(&self) -> &[ExpiryItem] {
        self.expiries.get(..self.expiries.len().min(EXPIRIES_MAX)).unwrap_or_default()
    }
}

/// Returns the title of so many causes of failing integrations.
fn causes_title(failing: usize, causes: usize) -> String {
    format!("{} by {}", counted(failing, "integration"), counted(causes, "cause"))
}

/// Returns a group as it is shown.
fn item(
    group: &Group<'_>,
    reads: &Reads,
    mutes: &Mutes<'_>,
    asked: &Asked,
    viewer: &Viewer,
) -> GroupItem {
    let kind = group.kind.unwrap_or_default();
    let pairs = asked.pairs.without("after");
    let pairs =
        if group.is_open { pairs.plus("closed", kind) } else { pairs.minus("closed", kind) };
    let failing = match group.failing {
        0 => String::new(),
        failing => format!(", {} failing", grouped(failing)),
    };
    let rows = group.rows.iter().map(|row| {
        let marks = reads.strips.get(&row.id).map_or(&[][..], Vec::as_slice);
        Row::new(row, marks, mutes.of(row), viewer)
    });
    GroupItem {
        kind: kind.to_owned(),
        text: format!("{}{failing}", grouped(group.number)),
        href: pairs.at("/"),
        is_open: group.is_open,
        rows: rows.collect(),
    }
}

impl Form {
    fn new(selection: &Selection<'_>, asked: &Asked) -> Self {
        let pairs = asked.pairs.without("after");
        let part = |(show, count): (Show, usize)| {
            let href = pairs.with("show", show.value()).at("/");
            (href, show.word(), grouped(count), show == asked.show)
        };
        let mut labels: Vec<_> = selection
            .matching
            .iter()
            .flat_map(|row| row.labels.iter().map(|(key, value)| format!("{key}={value}")))
            .collect();
        labels.sort_unstable();
        labels.dedup();
        labels.truncate(LABELS_MAX);
        let chosen: Vec<_> = pairs.all("label").collect();
        let several = (1 < chosen.len()).then(|| (chosen.join("\n"), chosen.join(", "), true));
        let labels = labels.into_iter().map(|label| {
            let is_chosen = chosen == [label.as_str()];
            (label.clone(), label, is_chosen)
        });
        let orders = [
            ("", "By platform", None),
            ("since", "Failing first", Some(Order::Since)),
            ("expires", "Expires next", Some(Order::Expires)),
            ("next", "Next run", Some(Order::Next)),
            ("name", "By name", Some(Order::Name)),
        ];
        let orders = orders.map(|(value, word, order)| (value, word, order == asked.order));
        let set = asked.narrowing().map(|(name, value)| {
            let words = format!("{name}: {value}");
            (words, pairs.minus(name, value).at("/"))
        });
        Self {
            text: pairs.get("q").unwrap_or_default().to_owned(),
            kept: pairs.fields(&["q", "label", "sort"]),
            parts: selection.counts.map(part).into(),
            labels: several.into_iter().chain(labels).collect(),
            orders: orders.into(),
            set: set.collect(),
            clear: asked.is_narrowed().then(|| cleared(&pairs)),
        }
    }
}

/// Returns the link without any filter.
fn cleared(pairs: &Pairs) -> String {
    pairs.kept().at("/")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Timestamp;
    use crate::page::viewer::Access;
    use crate::page::viewer::samples::viewer;

    #[test]
    fn latest_backup_has_its_age_and_result() {
        let viewer = viewer(Access::Read);
        let fact = |hours: Option<i64>, has_failed| {
            let ago = |hours| Timestamp(viewer.present.now.0 - hours * 3_600_000);
            let fact =
                BackupFact::of(BackupState { newest_at: hours.map(ago), has_failed }, &viewer);
            (fact.at.map_or_else(String::new, |at| at.text), fact.text, fact.tone)
        };
        let failed = "the latest attempt failed";
        assert_eq!(fact(Some(5), false), ("5h ago".to_owned(), "verified", "ok"));
        assert_eq!(fact(Some(53), true), ("2 d ago".to_owned(), failed, "bad"));
        assert_eq!(fact(None, true), (String::new(), failed, "bad"));
        assert_eq!(fact(None, false), (String::new(), "none yet", "warn"));
    }
}
