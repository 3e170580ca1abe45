//! Rows that the overview is about: what the filters fit, its parts, and the hundred that are listed (keyset
//! paging by name). Everything is counted over all that fits; details are read for what is listed only.

use std::collections::BTreeMap;

use super::asked::{Asked, Show};
use crate::domain::{IntegrationId, Timestamp};
use crate::page::look::Look;
use crate::page::mutes::Mutes;
use crate::store::StatusRow;

/// Number of rows on a page.
const ROWS_MAX: usize = 100;
/// Number of causes of which the details are read.
const CAUSES_MAX: usize = 8;

/// Rows that are shown.
#[derive(Clone, Debug)]
pub(crate) struct Selection<'a> {
    /// Rows that the filters fit, by name.
    pub(crate) matching: Vec<&'a StatusRow>,
    /// Number of rows of each part.
    pub(crate) counts: [(Show, usize); 4],
    /// Groups of the page with their rows.
    pub(crate) groups: Vec<Group<'a>>,
    /// Name of the last row, when there are more.
    pub(crate) next: Option<&'a str>,
    /// Causes of failures, the most urgent first.
    pub(crate) causes: Vec<Cause<'a>>,
    /// Number of causes beyond those, and of their integrations.
    pub(crate) more: (usize, usize),
}

/// Group of rows, of one platform or of all.
#[derive(Clone, Debug)]
pub(crate) struct Group<'a> {
    /// Platform of the group; none for a list in another order.
    pub(crate) kind: Option<&'a str>,
    /// Number of its rows on all pages.
    pub(crate) number: usize,
    /// Number of those that fail.
    pub(crate) failing: usize,
    /// False when its rows are folded.
    pub(crate) is_open: bool,
    /// Rows on this page.
    pub(crate) rows: Vec<&'a StatusRow>,
}

/// Integrations that fail by one cause.
#[derive(Clone, Debug)]
pub(crate) struct Cause<'a> {
    /// Outage that they share; none for one by itself.
    pub(crate) outage: Option<&'a str>,
    /// Integrations that fail by it, by name.
    pub(crate) rows: Vec<&'a StatusRow>,
    is_acknowledged: bool,
}

impl Cause<'_> {
    /// Returns the instant since when the first of them fails.
    pub(crate) fn since(&self) -> Option<Timestamp> {
        self.rows.iter().filter_map(|row| row.failing_since).min()
    }
}

impl<'a> Selection<'a> {
    /// Selects from the rows that a caller may see, which are sorted by name.
    pub(crate) fn of(
        rows: impl Iterator<Item = &'a StatusRow>,
        asked: &Asked,
        mutes: &Mutes<'_>,
        now: Timestamp,
    ) -> Self {
        let matching: Vec<_> = rows.filter(|row| asked.filter.fits(row, now)).collect();
        let fits = |show: Show, row: &StatusRow| match show {
            Show::All => true,
            Show::Failing => row.status.is_error(),
            Show::Attention => Look::of_row(row).wants_attention(),
            Show::Muted => mutes.is_muted(row),
        };
        let count = |show| (show, matching.iter().filter(|row| fits(show, row)).count());
        let mut listed: Vec<_> =
            matching.iter().copied().filter(|row| fits(asked.show, row)).collect();
        if let Some(order) = asked.order {
            listed.sort_by(|one, two| order.compare(one, two));
        }
        let (groups, next) = Paging::of(asked, listed).page();
        let mut causes = causes(&matching, mutes);
        let beyond = causes.split_off(causes.len().min(CAUSES_MAX));
        let more = (beyond.len(), beyond.iter().map(|cause| cause.rows.len()).sum());
        Self { counts: Show::ALL.map(count), groups, next, causes, more, matching }
    }

    /// Returns the integrations that are listed.
    pub(crate) fn listed(&self) -> Vec<IntegrationId> {
        self.groups.iter().flat_map(|group| group.rows.iter().map(|row| row.id)).collect()
    }

    /// Returns the number of rows in a part.
    pub(crate) fn count(&self, show: Show) -> usize {
        self.counts.iter().find(|(one, _)| *one == show).map_or(0, |(_, count)| *count)
    }
}

/// Groups that are cut into pages.
struct Paging<'a, 'b> {
    groups: Vec<Group<'a>>,
    after: Option<&'b str>,
    left: usize,
    last: Option<&'a str>,
}

impl<'a, 'b> Paging<'a, 'b> {
    fn of(asked: &'b Asked, listed: Vec<&'a StatusRow>) -> Self {
        let is_known = |after: &&str| listed.iter().any(|row| row.name == *after);
        let after = asked.after.as_deref().filter(is_known);
        let group = |kind: Option<&'a str>, rows: Vec<&'a StatusRow>| Group {
            kind,
            number: rows.len(),
            failing: rows.iter().filter(|row| row.status.is_error()).count(),
            is_open: kind.is_none_or(|kind| !asked.closed.iter().any(|closed| closed == kind)),
            rows,
        };
        let groups = if asked.order.is_some() {
            vec![group(None, listed)]
        } else {
            let mut kinds: BTreeMap<&str, Vec<_>> = BTreeMap::new();
            for row in listed {
                kinds.entry(&row.kind).or_default().push(row);
            }
            kinds.into_iter().map(|(kind, rows)| group(Some(kind), rows)).collect()
        };
        Self { groups, after, left: ROWS_MAX, last: None }
    }

    /// Returns the groups of the page, and the name of its last row when there is another page.
    fn page(mut self) -> (Vec<Group<'a>>, Option<&'a str>) {
        let mut page: Vec<Group<'a>> = Vec::new();
        for mut group in std::mem::take(&mut self.groups) {
            if !group.is_open {
                group.rows.clear();
                if self.after.is_none() {
                    page.push(group);
                }
                continue;
            }
            let Some(rows) = self.rest(group.rows) else { continue };
            if self.left < rows.len() {
                group.rows = rows.into_iter().take(self.left).collect();
                self.last = group.rows.last().map_or(self.last, |row| Some(row.name.as_str()));
                page.extend((!group.rows.is_empty()).then_some(group));
                return (page, self.last);
            }
            self.left -= rows.len();
            self.last = rows.last().map(|row| row.name.as_str());
            group.rows = rows;
            page.push(group);
        }
        (page, None)
    }

    /// Returns the rows of a group that follow those of the page before; none when all were on it.
    fn rest(&mut self, mut rows: Vec<&'a StatusRow>) -> Option<Vec<&'a StatusRow>> {
        if let Some(after) = self.after {
            let at = rows.iter().position(|row| row.name == after)?;
            self.after = None;
            rows.drain(..=at);
        }
        (!rows.is_empty()).then_some(rows)
    }
}

/// Returns the causes of failures: outages, and integrations by themselves; those that a person works on last.
fn causes<'a>(matching: &[&'a StatusRow], mutes: &Mutes<'_>) -> Vec<Cause<'a>> {
    let mut causes: Vec<Cause<'a>> = Vec::new();
    let mut outages: BTreeMap<&str, usize> = BTreeMap::new();
    for &row in matching.iter().filter(|row| row.status.is_error()) {
        let outage = row.outage_id.as_deref();
        let known = outage.and_then(|id| outages.get(id)).and_then(|at| causes.get_mut(*at));
        if let Some(cause) = known {
            cause.rows.push(row);
            continue;
        }
        outages.extend(outage.map(|id| (id, causes.len())));
        let is_acknowledged = mutes.of(row).is_some_and(|cover| cover.word == "acknowledged");
        causes.push(Cause { outage, rows: vec![row], is_acknowledged });
    }
    causes.sort_by_key(|cause| {
        let since = cause.since().map_or(i64::MIN, |at| at.0);
        let is_alone = cause.rows.len() < 2;
        (cause.is_acknowledged, is_alone, std::cmp::Reverse(since))
    });
    causes
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{ReportStatus, Status};
    use crate::store::Mark;
    use crate::view::samples;

    fn row(number: usize, kind: &str, status: Status) -> StatusRow {
        StatusRow {
            id: IntegrationId(i64::try_from(number).unwrap()),
            name: format!("n{number:05}"),
            kind: kind.to_owned(),
            status,
            last_run: None,
            ..samples::status()
        }
    }

    fn select<'a>(rows: &'a [StatusRow], query: &str) -> Selection<'a> {
        let asked = Asked::read(query).unwrap();
        Selection::of(rows.iter(), &asked, &Mutes::at(&[], &[], samples::now()), samples::now())
    }

    /// Groups of a page as `kind:number`, with a `-` for folded ones.
    fn groups(selection: &Selection<'_>) -> Vec<String> {
        let text = |group: &Group<'_>| {
            let fold = if group.is_open { "" } else { "-" };
            format!("{fold}{}:{}", group.kind.unwrap_or("*"), group.rows.len())
        };
        selection.groups.iter().map(text).collect()
    }

    #[test]
    fn pages_follow_each_other_without_a_gap() {
        let kinds = ["Redshift", "Snowflake", "Trino"];
        let rows: Vec<_> = (0..250).map(|at| row(at, kinds[at / 100], Status::Enabled)).collect();
        for order in ["", "sort=name"] {
            let (mut names, mut after, mut pages) = (Vec::new(), String::new(), 0);
            loop {
                let selection = select(&rows, &format!("{order}&after={after}"));
                let page = selection.groups.iter().flat_map(|group| group.rows.clone());
                names.extend(page.map(|row| row.name.clone()));
                pages += 1;
                let Some(next) = selection.next else { break };
                after = next.to_owned();
            }
            assert_eq!(pages, 3, "{order}");
            let expected: Vec<_> = rows.iter().map(|row| row.name.clone()).collect();
            assert_eq!(names, expected, "{order}");
        }
        let gone = select(&rows, "after=gone");
        assert_eq!(groups(&gone), ["Redshift:100"], "it begins anew");
    }

    #[test]
    fn folded_groups_give_their_place_to_others() {
        let kinds = ["Redshift", "Snowflake", "Trino"];
        let rows: Vec<_> = (0..150).map(|at| row(at, kinds[at / 50], Status::Enabled)).collect();
        let selection = select(&rows, "closed=Redshift");
        assert_eq!(groups(&selection), ["-Redshift:0", "Snowflake:50", "Trino:50"]);
        assert_eq!((selection.next, selection.groups[0].number), (None, 50));
        let all = select(&rows, "");
        assert_eq!(
            (groups(&all), all.next),
            (vec!["Redshift:50".into(), "Snowflake:50".into()], Some("n00099"))
        );
        let second = select(&rows, "after=n00099&closed=Redshift");
        assert_eq!(groups(&second), ["Trino:50"]);
    }

    #[test]
    fn parts_are_counted_over_everything_that_fits() {
        let mut rows = vec![
            row(0, "Trino", Status::RecurringValidationError),
            row(1, "Trino", Status::EditError),
            row(2, "Redshift", Status::Enabled),
            row(3, "Trino", Status::Enabled),
        ];
        rows[2].is_muted = true;
        let run = samples::status().last_run.unwrap();
        rows[3].last_run = Some(Mark { status: ReportStatus::Warning, ..run });
        let counts = |query: &str| select(&rows, query).counts.map(|(_, count)| count);
        assert_eq!(counts(""), [4, 2, 1, 1]);
        assert_eq!(counts("show=failing"), [4, 2, 1, 1]);
        assert_eq!(counts("type=Trino"), [3, 2, 1, 0]);
        assert_eq!(counts("failing=true")[0], counts("")[1], "the filter and the part agree");
        assert_eq!(groups(&select(&rows, "show=failing")), ["Trino:2"]);
        assert_eq!(groups(&select(&rows, "show=attention&sort=name")), ["*:1"]);
        assert_eq!(groups(&select(&rows, "show=muted")), ["Redshift:1"]);
    }

    #[test]
    fn failures_by_one_outage_are_one_cause_and_acknowledged_ones_come_last() {
        let failing = |number: usize, outage: Option<&str>, since: i64| StatusRow {
            outage_id: outage.map(str::to_owned),
            failing_since: Some(Timestamp(since)),
            ..row(number, "Trino", Status::RecurringValidationError)
        };
        let rows = [
            failing(0, Some("out_1"), 5),
            failing(1, None, 9),
            failing(2, Some("out_1"), 3),
            failing(5, None, 99),
        ];
        let [_, acknowledgement, ..] = samples::silences();
        let silences = [acknowledgement];
        let mutes = Mutes::at(&silences, &[], samples::now());
        let asked = Asked::read("").unwrap();
        let selection = Selection::of(rows.iter(), &asked, &mutes, samples::now());
        let ids = |cause: &Cause<'_>| cause.rows.iter().map(|row| row.id.0).collect::<Vec<_>>();
        let causes: Vec<_> = selection.causes.iter().map(ids).collect();
        assert_eq!(causes, [vec![0, 2], vec![1], vec![5]]);
        assert_eq!(selection.causes[0].since(), Some(Timestamp(3)));
        assert_eq!(selection.causes[0].outage, Some("out_1"));
    }

    #[test]
    fn causes_beyond_a_few_are_counted_only() {
        let rows: Vec<_> =
            (0..20).map(|at| row(at, "Trino", Status::RecurringValidationError)).collect();
        let selection = select(&rows, "");
        assert_eq!((selection.causes.len(), selection.more), (CAUSES_MAX, (12, 12)));
    }
}
