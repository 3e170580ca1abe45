//! Rehearsal of a rotation (dry run): a run with the present credential and one with the next, side by side.

use std::collections::BTreeSet;
use std::time::Duration;

use serde::Serialize;

use super::run::{Detail, details};
use super::time::millis;
use crate::domain::{
    Expiry, ExpiryKind, Fact, FactKind, Facts, Finding, Observed, Outcome, Report, ReportStatus,
    TestResult, ValidationResults,
};
use crate::store::StoredReport;

/// Most values of one difference that are listed on either side.
const VALUES_MAX: usize = 10;

/// Run with one of the credentials.
#[derive(Debug)]
pub(crate) struct Trial {
    /// Outcomes of all tests.
    pub(crate) report: Report,
    /// Facts and expiries that it saw.
    pub(crate) observed: Observed,
    /// Time that it took.
    pub(crate) duration: Duration,
}

/// Runs with both credentials.
#[derive(Debug)]
pub(crate) struct Rehearsal {
    /// Name of the integration.
    pub(crate) name: String,
    /// Published name of its platform.
    pub(crate) kind: &'static str,
    /// Keys that are to be rotated.
    pub(crate) keys: Vec<String>,
    /// Run with the present credential.
    pub(crate) now: Trial,
    /// Run with the next credential.
    pub(crate) next: Trial,
}

/// Test with both results.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(crate) struct Compared {
    /// Name of the test.
    pub(crate) name: &'static str,
    /// Result with the present credential.
    pub(crate) now: ReportStatus,
    /// Result with the next credential.
    pub(crate) next: ReportStatus,
}

/// Difference between what the runs saw.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(crate) struct Difference {
    /// Noun of what differs, such as `principal` or `grants of db`.
    pub(crate) what: String,
    /// Values that only the run with the present credential saw.
    pub(crate) now: Vec<String>,
    /// Values that only the run with the next credential saw.
    pub(crate) next: Vec<String>,
}

/// Conclusion of a rehearsal.
#[derive(Debug, Eq, PartialEq)]
enum Conclusion {
    /// Every test passes, warnings allowed.
    Passes,
    /// Nothing fails but what fails in the same way with the present credential.
    PassesAsNow(Vec<&'static str>),
    /// It could not be tried; no test said that the credential is wrong.
    Untried(Vec<&'static str>),
    /// These tests fail with it.
    Fails(Vec<&'static str>),
}

impl Rehearsal {
    /// Returns the tests with both results, in the order of the catalog.
    pub(crate) fn tests(&self) -> Vec<Compared> {
        let compared = |next: &TestResult| {
            let now = self.outcome_now(next).map_or(ReportStatus::Skipped, Outcome::status);
            Compared { name: next.test.name, now, next: next.outcome.status() }
        };
        self.next.report.tests.iter().map(compared).collect()
    }

    /// Returns what the runs saw that is not the same. What a failing run with the next credential did not come to
    /// see is no difference.
    pub(crate) fn differences(&self) -> Vec<Difference> {
        let (now, next) = (&self.now.observed, &self.next.observed);
        let has_failed = self.next.report.status() == ReportStatus::Failed;
        let facts = now.facts.keys().chain(next.facts.keys()).collect::<BTreeSet<_>>().into_iter();
        let facts = facts.filter_map(|fact| {
            let is_unseen = has_failed && !next.facts.contains_key(fact);
            let values = |facts: &Facts| facts.get(fact).cloned().unwrap_or_default();
            let fact = Some(fact).filter(|_| !is_unseen)?;
            Difference::of(noun(fact)?, &values(&now.facts), &values(&next.facts))
        });
        let expiries = |observed: &Observed| -> BTreeSet<String> {
            let own = |expiry: &&Expiry| expiry.kind != ExpiryKind::ServerCertificate;
            let text = |expiry: &Expiry| format!("{} at {}", expiry.noun(), expiry.at);
            observed.expiries.iter().filter(own).map(text).collect()
        };
        let expiry = Difference::of("expiry".to_owned(), &expiries(now), &expiries(next));
        facts.chain(expiry.filter(|one| !has_failed || !one.next.is_empty())).collect()
    }

    /// True when the next credential passes all that the present one passes.
    pub(crate) fn is_good(&self) -> bool {
        match self.conclusion() {
            Conclusion::Passes | Conclusion::PassesAsNow(_) => true,
            Conclusion::Untried(_) | Conclusion::Fails(_) => false,
        }
    }

    /// Returns the conclusion as a sentence without a period, with the remediation of the first test that fails.
    pub(crate) fn summary(&self) -> String {
        match self.conclusion() {
            Conclusion::Passes => {
                let warned = self.names(ReportStatus::Warning);
                let warned = match warned.as_slice() {
                    [] => String::new(),
                    warned => format!(" (with a warning: {})", warned.join(", ")),
                };
                format!("the next credential passes all tests{warned}; rotate it")
            }
            Conclusion::PassesAsNow(alike) => format!(
                "the next credential passes all tests that the present one passes (with both fails: \
                 {}); rotate it",
                alike.join(", ")
            ),
            Conclusion::Untried(tests) => format!(
                "the next credential could not be tried, which says nothing about it ({}); \
                 rehearse again before you rotate it",
                tests.join(", ")
            ),
            Conclusion::Fails(tests) => {
                let fix = tests.first().and_then(|name| self.remediation(name));
                let fix = fix
                    .map_or(String::new(), |fix| format!(". Fix: {}", fix.trim_end_matches('.')));
                format!("the next credential fails {}; do not rotate it{fix}", tests.join(", "))
            }
        }
    }

    /// Returns the names of the tests with this result of the next credential.
    fn names(&self, status: ReportStatus) -> Vec<&'static str> {
        let tests = self.next.report.tests.iter();
        tests.filter(|one| one.outcome.status() == status).map(|one| one.test.name).collect()
    }

    /// Returns the remediation of the test of this name with the next credential.
    fn remediation(&self, name: &str) -> Option<&str> {
        let mut tests = self.next.report.tests.iter();
        let found = tests.find(|one| one.test.name == name)?;
        found.outcome.finding()?.remediation.as_deref()
    }

    fn outcome_now(&self, next: &TestResult) -> Option<&Outcome> {
        let mut tests = self.now.report.tests.iter();
        tests.find(|now| now.test == next.test).map(|now| &now.outcome)
    }

    fn conclusion(&self) -> Conclusion {
        let failed = |one: &TestResult| match &one.outcome {
            Outcome::Failed(finding) => {
                let now = self.outcome_now(one).filter(|now| now.status() == ReportStatus::Failed);
                let now = now.and_then(Outcome::finding);
                Some((one.test.name, is_alike(now, finding), finding.counts_at_once()))
            }
            Outcome::Passed(_) | Outcome::Warning(_) | Outcome::Skipped(_) => None,
        };
        let failed: Vec<_> = self.next.report.tests.iter().filter_map(failed).collect();
        let names = |all: Vec<&(&'static str, bool, bool)>| all.iter().map(|one| one.0).collect();
        let (alike, others): (Vec<_>, Vec<_>) = failed.iter().partition(|(_, alike, _)| *alike);
        let is_lost = |one: &Compared| {
            one.next == ReportStatus::Skipped
                && matches!(one.now, ReportStatus::Passed | ReportStatus::Warning)
        };
        let lost: Vec<_> = self.tests().into_iter().filter(is_lost).map(|one| one.name).collect();
        if others.is_empty() {
            return match (alike.is_empty(), lost.is_empty()) {
                (true, _) if self.next.report.status() == ReportStatus::Skipped => {
                    Conclusion::Untried(self.names(ReportStatus::Skipped))
                }
                (true, true) => Conclusion::Passes,
                (false, true) => Conclusion::PassesAsNow(names(alike)),
                (_, false) => Conclusion::Untried(lost),
            };
        }
        let (refused, untried): (Vec<_>, Vec<_>) =
            others.into_iter().partition(|(_, _, is_definitive)| *is_definitive);
        if refused.is_empty() {
            Conclusion::Untried(names(untried))
        } else {
            Conclusion::Fails(names(refused))
        }
    }
}

/// True for a failure that has nothing to do with the credential: the platform says the same to both.
fn is_alike(now: Option<&Finding>, next: &Finding) -> bool {
    now.is_some_and(|now| {
        let is_verdict = next.class.is_definitive() && !next.refuses_log_in;
        is_verdict && now.class == next.class && now.message == next.message
    })
}

/// Returns the noun of a fact that follows the credential; none for others.
fn noun(fact: &Fact) -> Option<String> {
    let kind = match fact.kind {
        FactKind::Principal => "principal",
        FactKind::Grant => "grants",
        FactKind::Claim => "claims",
        FactKind::Address | FactKind::Certificate | FactKind::ServerVersion | FactKind::Latency => {
            return None;
        }
    };
    Some(if fact.of.is_empty() { kind.to_owned() } else { format!("{kind} of {}", fact.of) })
}

impl Difference {
    /// Returns the difference of two sets, if there is one.
    fn of(what: String, now: &BTreeSet<String>, next: &BTreeSet<String>) -> Option<Self> {
        let only = |one: &BTreeSet<String>, other: &BTreeSet<String>| -> Vec<String> {
            let values: Vec<_> = one.difference(other).cloned().collect();
            let more = values.len().saturating_sub(VALUES_MAX);
            let more = (0 < more).then(|| format!("and {more} more"));
            values.into_iter().take(VALUES_MAX).chain(more).collect()
        };
        (now != next).then(|| Self { what, now: only(now, next), next: only(next, now) })
    }
}

/// Run with one of the credentials, as programs get it.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
struct Side<'a> {
    validation_results: ValidationResults,
    details: Vec<Detail<'a>>,
    duration_ms: u64,
}

/// Rehearsal as programs get it.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(crate) struct Rehearsed<'a> {
    name: &'a str,
    #[serde(rename = "type")]
    kind: &'a str,
    keys: &'a [String],
    rotate: bool,
    summary: String,
    tests: Vec<Compared>,
    differences: Vec<Difference>,
    now: Side<'a>,
    next: Side<'a>,
}

impl<'a> Rehearsed<'a> {
    /// Shows `rehearsal`, of whose reports `now` and `next` are the stored forms.
    pub(crate) fn new(
        rehearsal: &'a Rehearsal,
        now: &'a StoredReport,
        next: &'a StoredReport,
    ) -> Self {
        let side = |trial: &Trial, stored: &'a StoredReport| Side {
            validation_results: ValidationResults::from(&trial.report),
            details: details(stored),
            duration_ms: millis(trial.duration),
        };
        Self {
            name: &rehearsal.name,
            kind: rehearsal.kind,
            keys: &rehearsal.keys,
            rotate: rehearsal.is_good(),
            summary: rehearsal.summary(),
            tests: rehearsal.tests(),
            differences: rehearsal.differences(),
            now: side(&rehearsal.now, now),
            next: side(&rehearsal.next, next),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{Class, Test};
    use crate::view::samples;

    const TESTS: [Test; 3] =
        [Test::always("log in", ""), Test::always("read", ""), Test::always("list", "")];

    fn failed(class: Class, message: &str) -> Outcome {
        Outcome::Failed(Finding::new(class, message))
    }

    fn refused() -> Outcome {
        let finding = Finding::new(Class::Denied, "no").fix("Correct it.");
        Outcome::Failed(finding.refusing_log_in())
    }

    fn passed() -> Outcome {
        Outcome::Passed(None)
    }

    fn skipped() -> Outcome {
        Outcome::Skipped("Not run.".to_owned())
    }

    fn rehearsal(now: [Outcome; 3], next: [Outcome; 3]) -> Rehearsal {
        let trial = |outcomes: [Outcome; 3]| {
            let results = TESTS.into_iter().zip(outcomes);
            let tests = results.map(|(test, outcome)| TestResult { test, outcome }).collect();
            Trial {
                report: Report { tests },
                observed: Observed::default(),
                duration: Duration::from_millis(7),
            }
        };
        let (now, next) = (trial(now), trial(next));
        let keys = vec!["config.password".to_owned()];
        Rehearsal { name: "lake".to_owned(), kind: "Redshift", keys, now, next }
    }

    /// Outcomes with the present credential and with the next, whether the next is good, and words of the
    /// summary.
    type Trials = ([Outcome; 3], [Outcome; 3], bool, &'static str);

    fn assert_summaries<const N: usize>(table: [Trials; N]) {
        for (now, next, is_good, summary) in table {
            let found = rehearsal(now, next);
            assert!(found.summary().contains(summary), "{summary}: {}", found.summary());
            assert_eq!(found.is_good(), is_good, "{}", found.summary());
        }
    }

    #[test]
    fn next_credential_is_good_when_it_passes_what_the_present_one_passes() {
        let all = || [passed(), passed(), passed()];
        let warned = || Outcome::Warning(Finding::new(Class::Denied, "w"));
        let gone = || failed(Class::Missing, "gone");
        assert_summaries([
            (all(), all(), true, "all tests; rotate"),
            (
                [passed(), passed(), skipped()],
                [passed(), warned(), skipped()],
                true,
                "(with a warning: read)",
            ),
            ([refused(), skipped(), skipped()], all(), true, "all tests; rotate"),
            (
                [passed(), gone(), passed()],
                [passed(), gone(), passed()],
                true,
                "with both fails: read",
            ),
        ]);
    }

    #[test]
    fn next_credential_that_fails_more_is_not_good() {
        let all = || [passed(), passed(), passed()];
        let refused = || [refused(), skipped(), skipped()];
        let other = || failed(Class::Missing, "other");
        let gone = || failed(Class::Missing, "gone");
        let fix = "fails log in; do not rotate it. Fix: Correct it";
        assert_summaries([
            ([passed(), gone(), passed()], [passed(), other(), passed()], false, "fails read"),
            (all(), [passed(), passed(), failed(Class::Denied, "no")], false, "fails list"),
            (all(), refused(), false, fix),
            (refused(), refused(), false, fix),
        ]);
    }

    #[test]
    fn next_credential_that_could_not_be_tried_is_not_good() {
        let all = || [passed(), passed(), passed()];
        let away = || failed(Class::Unreachable, "no answer");
        let by_gateway = Outcome::Failed(Finding::new(Class::Denied, "a page").doubtful());
        let untried = "could not be tried";
        assert_summaries([
            ([away(), skipped(), skipped()], [away(), skipped(), skipped()], false, untried),
            (all(), [by_gateway, skipped(), skipped()], false, untried),
            (all(), [passed(), away(), skipped()], false, untried),
            (all(), [passed(), passed(), skipped()], false, untried),
            ([skipped(), skipped(), skipped()], [skipped(), skipped(), skipped()], false, untried),
        ]);
    }

    #[test]
    fn differences_are_of_principals_grants_claims_and_expiries() {
        let mut found = rehearsal([passed(), passed(), passed()], [passed(), passed(), passed()]);
        let mut see = |kind, of: &str, now: &str, next: &str| {
            let fact = Fact { kind, of: of.to_owned() };
            let set = |text: &str| text.split_whitespace().map(str::to_owned).collect();
            found.now.observed.facts.insert(fact.clone(), set(now));
            found.next.observed.facts.insert(fact, set(next));
        };
        see(FactKind::Principal, "db", "a", "b");
        see(FactKind::Grant, "db", "SELECT USAGE", "SELECT");
        see(FactKind::Claim, "token", "same", "same");
        see(FactKind::Address, "h", "10.0.0.1", "10.0.0.2");
        let expiry =
            |of: &str, kind, at: &str| Expiry { kind, of: of.to_owned(), at: samples::at(at) };
        let first = expiry("t", ExpiryKind::Token, "2026-12-01T00:00:00Z");
        found.now.observed.expiries.insert(first);
        let server = expiry("h", ExpiryKind::ServerCertificate, "2026-12-01T00:00:00Z");
        found.next.observed.expiries.insert(server);
        let difference = |what: &str, now: &[&str], next: &[&str]| {
            let owned = |all: &[&str]| all.iter().map(|&one| one.to_owned()).collect();
            Difference { what: what.to_owned(), now: owned(now), next: owned(next) }
        };
        let expected = [
            difference("principal of db", &["a"], &["b"]),
            difference("grants of db", &["USAGE"], &[]),
            difference("expiry", &["the token t at 2026-12-01T00:00:00Z"], &[]),
        ];
        assert_eq!(found.differences(), expected);
        let place = found.next.report.tests.last_mut().unwrap();
        place.outcome = failed(Class::Denied, "no");
        let fact = Fact { kind: FactKind::Principal, of: "db".to_owned() };
        found.next.observed.facts.remove(&fact);
        assert_eq!(found.differences(), [difference("grants of db", &["USAGE"], &[])]);
        let many: BTreeSet<_> = (0..20).map(|number| format!("{number:02}")).collect();
        let long = Difference::of("grants".to_owned(), &many, &BTreeSet::new()).unwrap();
        assert_eq!((long.now.len(), long.now[10].as_str()), (11, "and 10 more"));
    }

    #[test]
    fn json_has_both_sides_and_the_conclusion() {
        let found = rehearsal([passed(), passed(), passed()], [refused(), skipped(), skipped()]);
        let stored = |trial: &Trial| StoredReport::from(&trial.report);
        let (now, next) = (stored(&found.now), stored(&found.next));
        let json = serde_json::to_value(Rehearsed::new(&found, &now, &next)).unwrap();
        assert_eq!((&json["rotate"], &json["type"]), (&false.into(), &"Redshift".into()));
        let first = serde_json::json!({ "name": "log in", "now": "passed", "next": "failed" });
        assert_eq!(json["tests"][0], first);
        assert_eq!(json["next"]["details"][0]["class"], "denied");
        assert_eq!(json["now"]["validationResults"]["status"], "passed");
        assert_eq!(json["keys"], serde_json::json!(["config.password"]));
    }
}
