//! Why: class and rule in words, the first problem, its remediation, and what changed since it last passed.

use crate::domain::{Fact, Facts};
use crate::page::address;
use crate::page::look::Look;
use crate::page::moment::Moment;
use crate::page::overview::message;
use crate::page::viewer::Viewer;
use crate::page::words;
use crate::store::RunRow;
use crate::view::FailingRow;

/// Reason of a status, as it is shown.
#[derive(Clone, Debug)]
pub(crate) struct Why {
    /// Rule of the verdict; in public, the class.
    pub(crate) rule: String,
    /// Number of the run, its instant and its page.
    pub(crate) run: (i64, Moment, String),
    /// First problem as a sentence.
    pub(crate) lead: String,
    /// Remediation of the problem.
    pub(crate) fix: Option<String>,
    /// When it passed last, the base of the differences.
    pub(crate) passed: Option<Moment>,
    /// Differences from it, by kind.
    pub(crate) changes: Vec<Change>,
}

/// Value of a fact that was lost or gained.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Change {
    /// Kind of the fact.
    pub(crate) kind: &'static str,
    /// Sign of the change.
    pub(crate) sign: &'static str,
    /// Word of the change, for those who listen.
    pub(crate) word: &'static str,
    /// Class of the line.
    pub(crate) style: &'static str,
    /// Object of the fact, and values.
    pub(crate) text: String,
}

impl Why {
    /// Returns the reason; none while there is nothing to explain.
    pub(crate) fn of(
        failing: &FailingRow,
        look: Look,
        passed: &Facts,
        viewer: &Viewer,
    ) -> Option<Self> {
        let explained = match look {
            Look::Failing | Look::Refused | Look::Attention | Look::Unconfirmed => true,
            Look::InFlight | Look::Enabled | Look::Disabled => false,
        };
        let run = failing.run().filter(|_| explained)?;
        let problems = failing.problems();
        let problem = problems.first().copied()?;
        let class = run.class.map_or("", words::class);
        let is_public = viewer.is_public();
        let row = &failing.row;
        Some(Self {
            rule: if is_public { class.to_owned() } else { run.rule.clone() },
            run: (
                run.id.0,
                viewer.present.exact(run.started_at),
                run_href(&row.name, row.id.0, run.id.0, viewer),
            ),
            lead: message(problem, is_public),
            fix: problem.remediation.clone().filter(|_| !is_public),
            passed: row.fingerprint_at.map(|at| viewer.present.exact(at)),
            changes: if is_public { Vec::new() } else { changes(run, passed) },
        })
    }
}

/// Returns the link to the page of a run.
pub(crate) fn run_href(name: &str, id: i64, run: i64, viewer: &Viewer) -> String {
    let path = address::integration(name, id);
    viewer.link(&format!("{path}/runs/{run}"))
}

/// Returns what a run lost, gained and still has since the last one that passed, whose facts are given.
pub(crate) fn changes(run: &RunRow, passed: &Facts) -> Vec<Change> {
    let mut changes = Vec::new();
    for drift in &run.drift {
        let fact = Fact { kind: drift.kind, of: drift.of.clone() };
        let before = passed.get(&fact).into_iter().flatten();
        let same: Vec<_> = before.filter(|value| !drift.lost.contains(value)).cloned().collect();
        // A list that was cut does not say what is lost.
        let is_whole = !drift.lost.iter().any(|value| value.starts_with("and "));
        let same = if is_whole { same } else { Vec::new() };
        let sides = [
            ("−", "lost", "d", &drift.lost),
            ("+", "gained", "a", &drift.gained),
            ("=", "the same", "", &same),
        ];
        for (sign, word, style, values) in sides {
            if values.is_empty() {
                continue;
            }
            let of = if drift.of.is_empty() { String::new() } else { format!("{}: ", drift.of) };
            let text = format!("{of}{}", values.join(", "));
            changes.push(Change { kind: words::fact(drift.kind), sign, word, style, text });
        }
    }
    changes
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::FactKind;
    use crate::page::viewer::Access;
    use crate::page::viewer::samples::viewer;
    use crate::view::samples;

    #[test]
    fn reason_has_rule_problem_remediation_and_changes() {
        let failing = samples::failing();
        let why = Why::of(&failing, Look::Failing, &Facts::new(), &viewer(Access::Read)).unwrap();
        assert_eq!(why.rule, "a transient failure \u{9b}");
        let (id, at, href) = &why.run;
        assert_eq!((*id, at.text.as_str(), href.as_str()), (912, "09:56:40", "/i/lake/runs/912"));
        assert_eq!(why.lead, "Unable\nto connect to host.");
        assert_eq!(why.fix.as_deref(), Some("Open port 5439."));
        let changes: Vec<_> = why
            .changes
            .iter()
            .map(|one| format!("{} {} {}", one.kind, one.sign, one.text))
            .collect();
        assert_eq!(changes, ["version − h: 1.2\u{9b}", "version + h: 1.3"]);
    }

    #[test]
    fn facts_that_both_runs_have_are_shown_beside_the_changes() {
        let fact = Fact { kind: FactKind::ServerVersion, of: "h".to_owned() };
        let values = ["1.2\u{9b}", "patch 7"].map(str::to_owned);
        let passed = Facts::from([(fact, values.into())]);
        let signs = |run: &RunRow| {
            let changes = changes(run, &passed);
            changes.iter().map(|one| format!("{} {}", one.sign, one.text)).collect::<Vec<_>>()
        };
        let mut run = samples::run();
        assert_eq!(signs(&run), ["− h: 1.2\u{9b}", "+ h: 1.3", "= h: patch 7"]);
        run.drift[0].lost.push("and 3 more".to_owned());
        assert_eq!(signs(&run).len(), 2, "a list that was cut does not say what is the same");
    }

    #[test]
    fn refused_edit_is_explained_by_the_new_configuration() {
        let failing = FailingRow { row: samples::edited(), ..samples::failing() };
        let why = Why::of(&failing, Look::Refused, &Facts::new(), &viewer(Access::Read)).unwrap();
        assert_eq!(
            (why.run.0, why.rule.as_str()),
            (911, "a definitive failure (denied) counts at once")
        );
    }

    #[test]
    fn nothing_is_explained_while_all_is_well() {
        let failing = samples::failing();
        for look in [Look::Enabled, Look::Disabled, Look::InFlight] {
            assert!(
                Why::of(&failing, look, &Facts::new(), &viewer(Access::Read)).is_none(),
                "{look:?}"
            );
        }
    }

    #[test]
    fn public_reason_is_the_class_alone() {
        let why =
            Why::of(&samples::failing(), Look::Failing, &Facts::new(), &viewer(Access::Public))
                .unwrap();
        let said = "The platform cannot be reached.";
        assert_eq!((why.rule.as_str(), why.lead.as_str()), (said, said));
        assert!(why.fix.is_none() && why.changes.is_empty());
    }
}
