//! Runs in a list, and one run with all that its tests said.

use crate::domain::{Class, Facts, ReportStatus, Subject, duration_text};
use crate::page::integration::{Change, LookItem, Results, changes, run_href, word};
use crate::page::moment::Moment;
use crate::page::viewer::Viewer;
use crate::page::words;
use crate::store::{Attributed, RunRow, TargetRow};
use crate::view::Evidence;

/// Run in a list.
#[derive(Clone, Debug)]
pub(crate) struct RunItem {
    /// Number of the run.
    pub(crate) id: i64,
    /// Link to its page.
    pub(crate) href: String,
    /// Name of the integration.
    pub(crate) name: String,
    /// Link to the integration's page.
    pub(crate) name_href: String,
    /// Instant of its beginning.
    pub(crate) at: Moment,
    /// Result in a word.
    pub(crate) result: &'static str,
    /// Name of its symbol.
    pub(crate) icon: &'static str,
    /// Class of its colour.
    pub(crate) tone: &'static str,
    /// Class of the failure; empty for none.
    pub(crate) class: &'static str,
    /// Duration of the run in words.
    pub(crate) took: String,
    /// Reason for which it ran.
    pub(crate) trigger: &'static str,
    /// Rule of its verdict; in public, the class in words.
    pub(crate) rule: String,
}

/// Page of a run.
#[derive(Clone, Debug)]
pub(crate) struct RunPage {
    /// Run as in a list.
    pub(crate) item: RunItem,
    /// Configuration that it validated, in words.
    pub(crate) configuration: &'static str,
    /// Results of its tests.
    pub(crate) results: Vec<Results>,
    /// Differences from the last run that passed.
    pub(crate) changes: Vec<Change>,
    /// Evidence behind the verdict as a sentence; empty where nothing was in doubt, and in public.
    pub(crate) evidence: String,
    /// Looks that the verdict rests on.
    pub(crate) looks: Vec<LookItem>,
}

impl RunItem {
    /// Run of an integration.
    pub(crate) fn new(run: &Attributed<RunRow>, viewer: &Viewer) -> Self {
        Self::of(&run.integration, &run.row, viewer)
    }

    fn of(target: &TargetRow, run: &RunRow, viewer: &Viewer) -> Self {
        let (icon, tone) = match run.status {
            ReportStatus::Passed => ("ok", "ok"),
            ReportStatus::Failed => ("bad", "bad"),
            ReportStatus::Warning => ("warn", "warn"),
            ReportStatus::Skipped => ("skip", "off"),
        };
        let class = run.class;
        let rule = if viewer.is_public() {
            class.map_or("", words::class).to_owned()
        } else {
            run.rule.clone()
        };
        Self {
            id: run.id.0,
            href: run_href(&target.name, target.id.0, run.id.0, viewer),
            name: target.name.clone(),
            name_href: viewer.integration(&target.name, target.id.0),
            at: viewer.present.exact(run.started_at),
            result: word(run.status),
            icon,
            tone,
            class: class.map_or("", Class::as_str),
            took: duration_text(run.duration),
            trigger: run.trigger.as_str(),
            rule,
        }
    }
}

impl RunPage {
    /// Page of a run of an integration.
    pub(crate) fn new(target: &TargetRow, run: &RunRow, viewer: &Viewer) -> Self {
        let evidence = Evidence::of_run(run).filter(|_| !viewer.is_public());
        let looks = evidence.iter().flat_map(|found| &found.looks);
        let configuration = match run.subject {
            Subject::Active => "the configuration in force",
            Subject::Candidate => "the new configuration",
        };
        Self {
            item: RunItem::of(target, run, viewer),
            configuration,
            results: vec![Results::of(run, "Tests", viewer)],
            changes: if viewer.is_public() { Vec::new() } else { changes(run, &Facts::new()) },
            looks: looks.map(|look| LookItem::of(look, viewer)).collect(),
            evidence: evidence.map(|found| found.sentence).unwrap_or_default(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::page::viewer::Access;
    use crate::page::viewer::samples::viewer;
    use crate::view::samples;

    #[test]
    fn run_in_a_list_leads_to_its_page() {
        let run = Attributed { integration: samples::target(), row: samples::run() };
        let item = RunItem::new(&run, &viewer(Access::Read));
        assert_eq!((item.href.as_str(), item.name_href.as_str()), ("/i/lake/runs/912", "/i/lake"));
        assert_eq!((item.result, item.class, item.trigger), ("failed", "unreachable", "confirm"));
        assert_eq!((item.took.as_str(), item.at.text.as_str()), ("812ms", "09:56:40"));
    }

    #[test]
    fn public_run_has_no_rule_and_no_changes() {
        let page = RunPage::new(&samples::target(), &samples::run(), &viewer(Access::Public));
        assert_eq!(page.item.rule, "The platform cannot be reached.");
        assert!(page.changes.is_empty() && page.looks.is_empty() && page.evidence.is_empty());
        let page = RunPage::new(&samples::target(), &samples::run(), &viewer(Access::Read));
        assert_eq!((page.changes.len(), page.configuration), (2, "the configuration in force"));
        assert_eq!(page.evidence, "What was seen weighs 100 of the 100 that a failure needs.");
        let looks: Vec<_> = page.looks.iter().map(|look| (&*look.seen, look.weight)).collect();
        let siblings = "3 others with the same host db\u{1b} fail too";
        let unreachable = ("unreachable", 25);
        assert_eq!(looks, [unreachable, unreachable, unreachable, (siblings, 25)]);
    }

    #[test]
    fn run_without_doubt_has_no_evidence() {
        let run = RunRow { evidence: Vec::new(), ..samples::run() };
        let page = RunPage::new(&samples::target(), &run, &viewer(Access::Read));
        assert!(page.looks.is_empty() && page.evidence.is_empty());
    }
}
