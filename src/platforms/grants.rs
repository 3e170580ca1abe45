//! Grants that an integration needs (least privilege): a table beside each platform's catalog of tests, filled with
//! the names of a configuration.
//!
//! The guide of a platform has the same table, and the remediation of a finding names the same grants, so that a
//! report says which of them is missing.

use super::form::{Form, is_named};
use crate::domain::{Class, Fact, FactKind, Finding, Observed, Outcome, Report, Test};

/// Words of a finding that names a grant without knowing that it is missing.
pub(crate) const UNVERIFIED: &str = "could not be verified";

/// Grant that tests need, with places for the names of a configuration.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Grant {
    /// Statement, rule or permission; a name in capitals between `<` and `>` is a place. Empty for none.
    pub(crate) template: &'static str,
    /// Form of the template.
    pub(crate) form: Form,
    /// Tests that do not pass without it.
    pub(crate) tests: &'static [Test],
    /// Reason of the need, as a clause that begins with "to" or a noun.
    pub(crate) why: &'static str,
    /// Situation in which alone it is needed, as a clause; empty for always.
    pub(crate) only: &'static str,
}

impl Grant {
    /// Returns a grant that is always needed.
    pub(crate) const fn of(
        form: Form,
        template: &'static str,
        tests: &'static [Test],
        why: &'static str,
    ) -> Self {
        Self { template, form, tests, why, only: "" }
    }

    /// Limits the need to a situation, as a clause that begins with "where" or "while".
    #[must_use]
    pub(crate) const fn only(self, only: &'static str) -> Self {
        Self { only, ..self }
    }

    /// Returns the entry of tests that need no grant.
    pub(crate) const fn none(tests: &'static [Test], why: &'static str) -> Self {
        Self::of(Form::Nothing, "", tests, why)
    }
}

/// Names of a configuration, by the places that they fill. A place without a name is not configured, and the
/// grants with it are not needed; one with several makes a grant of each.
#[derive(Clone, Debug, Default)]
pub(crate) struct Names(Vec<(&'static str, Vec<String>)>);

impl Names {
    /// Adds the name of a place.
    #[must_use]
    pub(crate) fn with(self, place: &'static str, name: impl Into<String>) -> Self {
        self.all(place, [name.into()])
    }

    /// Adds the name of a place, where there is one.
    #[must_use]
    pub(crate) fn maybe(self, place: &'static str, name: Option<String>) -> Self {
        self.all(place, name)
    }

    /// Adds all names of a place.
    #[must_use]
    pub(crate) fn all(
        mut self,
        place: &'static str,
        names: impl IntoIterator<Item = String>,
    ) -> Self {
        self.0.push((place, names.into_iter().collect()));
        self
    }

    /// Returns the names of a place.
    pub(crate) fn of(&self, place: &str) -> &[String] {
        let found = self.0.iter().find(|(name, _)| *name == place);
        found.map_or(&[], |(_, names)| names.as_slice())
    }

    /// Returns `template` with its places filled, once for each combination of names.
    fn fill(&self, template: &str) -> Vec<String> {
        let Some((before, place, after)) = place(template) else {
            return vec![template.to_owned()];
        };
        let rest = self.fill(after);
        let names = self.of(place).iter();
        names.flat_map(|name| rest.iter().map(move |rest| [before, name, rest].concat())).collect()
    }
}

/// Returns what a run saw of its principal: the name, or another part that `of` names.
pub(crate) fn principal<'o>(observed: &'o Observed, of: &str) -> Option<&'o str> {
    let fact = Fact { kind: FactKind::Principal, of: of.to_owned() };
    let value = observed.facts.get(&fact)?.iter().next()?;
    Some(value.as_str()).filter(|value| !value.is_empty())
}

/// Returns the first place of a template, with the text before and after it.
fn place(template: &str) -> Option<(&str, &str, &str)> {
    let mut begin = 0;
    loop {
        let (before, rest) = template.get(begin..)?.split_once('<')?;
        let at = begin + before.len();
        if let Some((name, after)) = rest.split_once('>')
            && !name.is_empty()
            && name.chars().all(|letter| letter.is_ascii_uppercase() || letter == ' ')
        {
            return Some((template.get(..at)?, name, after));
        }
        begin = at + 1;
    }
}

/// Grant that an integration needs, with its names.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Need {
    /// Entry of the platform's table.
    pub(crate) grant: Grant,
    /// Statement, rule or permission.
    pub(crate) text: String,
}

impl Need {
    /// Returns true where `finding` names this grant.
    pub(crate) fn is_named(&self, finding: &Finding) -> bool {
        is_named(self.grant.form, &self.text, finding)
    }
}

/// Returns the grants of `table` that an integration with these names needs.
pub(crate) fn needs(table: &[Grant], names: &Names) -> Vec<Need> {
    let filled = table.iter().filter(|grant| grant.form != Form::Nothing).flat_map(|grant| {
        let texts = names.fill(grant.template).into_iter();
        texts.map(|text| Need { grant: *grant, text })
    });
    let mut all: Vec<Need> = Vec::new();
    for need in filled {
        if !all.contains(&need) {
            all.push(need);
        }
    }
    all
}

/// State of a grant by a run.
#[derive(Clone, Copy, Debug, Eq, PartialEq, strum::IntoStaticStr)]
#[strum(serialize_all = "camelCase", const_into_str)]
pub(crate) enum State {
    /// A test passed that needs it.
    Present,
    /// A test names it as missing.
    Missing,
    /// A test that needs it was refused and names no grant, or could not verify this one.
    Suspect,
    /// No test that needs it was answered.
    Unknown,
}

impl State {
    /// Returns the word of the state.
    pub(crate) const fn as_str(self) -> &'static str {
        self.into_str()
    }
}

/// Returns the state of each need by `report`, with the finding that it follows from.
pub(crate) fn judged<'r>(
    needs: &[Need],
    report: &'r Report,
) -> Vec<(State, Option<(Test, &'r Finding)>)> {
    needs.iter().map(|need| judge(need, needs, report)).collect()
}

fn judge<'r>(
    need: &Need,
    all: &[Need],
    report: &'r Report,
) -> (State, Option<(Test, &'r Finding)>) {
    let mut state = (State::Unknown, None);
    for result in report.tests.iter().filter(|result| need.grant.tests.contains(&result.test)) {
        let found = match &result.outcome {
            Outcome::Passed(_) => State::Present,
            Outcome::Skipped(_) => continue,
            Outcome::Warning(finding) | Outcome::Failed(finding) => {
                let of_test = |one: &&Need| one.grant.tests.contains(&result.test);
                let is_unsure = finding.message.contains(UNVERIFIED);
                if need.is_named(finding) {
                    let state = if is_unsure { State::Suspect } else { State::Missing };
                    return (state, Some((result.test, finding)));
                }
                let is_other = all.iter().filter(of_test).any(|one| one.is_named(finding));
                let is_refused = finding.class == Class::Denied && !finding.refuses_log_in;
                match (&result.outcome, is_refused && !is_other) {
                    (Outcome::Warning(_), false) => State::Present,
                    (_, true) => State::Suspect,
                    (_, false) => continue,
                }
            }
        };
        let is_stronger = state.0 == State::Unknown || found == State::Present;
        if is_stronger {
            state = (found, result.outcome.finding().map(|finding| (result.test, finding)));
        }
    }
    // What is needed in a situation alone is neither proved nor suspected by a test of others.
    if need.grant.only.is_empty() { state } else { (State::Unknown, None) }
}

/// Right that the principal has beyond its needs.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Extra {
    /// Right, with its object.
    pub(crate) what: String,
    /// Statement that takes it away, where one is known.
    pub(crate) revoke: Option<String>,
}

/// Rights beyond the needs, as far as the platform shows them.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(crate) struct Surplus {
    /// Rights that no test needs.
    pub(crate) found: Vec<Extra>,
    /// Sentences that say what the platform does not show, or why it could not be asked.
    pub(crate) unseen: Vec<String>,
}

impl Surplus {
    /// Returns the answer of a platform that shows nothing, with the reason.
    pub(crate) fn unseen(reason: impl Into<String>) -> Self {
        Self { found: Vec::new(), unseen: vec![reason.into()] }
    }

    /// Adds a right, with the statement that takes it away.
    pub(crate) fn add(&mut self, what: impl Into<String>, revoke: Option<String>) {
        self.found.push(Extra { what: what.into(), revoke });
    }
}

/// Returns the section of a guide about the grants of `table`.
#[cfg(test)]
pub(crate) fn guide(table: &[Grant]) -> String {
    let row = |grant: &Grant| {
        let shown = match grant.form {
            Form::Nothing => "none".to_owned(),
            Form::Sql
            | Form::Policy
            | Form::Caller
            | Form::Trust
            | Form::Rules
            | Form::Permission
            | Form::Command => format!("`{}`", grant.template),
        };
        let only = if grant.only.is_empty() { "" } else { ", only " };
        let tests: Vec<_> = grant.tests.iter().map(|test| test.name).collect();
        format!("| {shown} | {}{only}{} | {} |\n", grant.why, grant.only, tests.join("; "))
    };
    let rows: String = table.iter().map(row).collect();
    format!("| grant | needed | by the tests |\n|---|---|---|\n{rows}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::TestResult;
    use crate::platforms::PLATFORMS;
    use crate::platforms::testing::folder_of;
    use std::path::Path;

    const LOG_IN: Test = Test::always("log in", "");
    const READ: Test = Test::always("read", "");
    const LIST: Test = Test::always("list", "");
    const TABLE: &[Grant] = &[
        Grant::none(&[LOG_IN], "a user"),
        Grant::of(Form::Sql, "GRANT SELECT ON <TABLE> TO <USER>;", &[READ], "to read"),
        Grant::of(Form::Sql, "GRANT ROLE <ROLE> TO <USER>;", &[READ, LIST], "to act"),
        Grant::of(Form::Sql, "GRANT LIST TO <USER>;", &[LIST], "to list").only("where it is new"),
    ];

    fn names() -> Names {
        let tables = ["a", "b"].map(str::to_owned);
        Names::default().all("TABLE", tables).with("USER", "u").maybe("ROLE", Some("r".to_owned()))
    }

    fn report(outcomes: [Outcome; 3]) -> Report {
        let tests = [LOG_IN, READ, LIST].into_iter().zip(outcomes);
        Report { tests: tests.map(|(test, outcome)| TestResult { test, outcome }).collect() }
    }

    #[test]
    fn needs_are_filled_with_each_name_and_left_out_without_one() {
        let texts = |names: &Names| -> Vec<String> {
            needs(TABLE, names).into_iter().map(|need| need.text).collect()
        };
        let grants = ["GRANT SELECT ON a TO u;", "GRANT SELECT ON b TO u;"];
        let rest = ["GRANT ROLE r TO u;", "GRANT LIST TO u;"];
        assert_eq!(texts(&names()), [grants, rest].concat());
        let without = Names::default().with("USER", "u").maybe("ROLE", None);
        assert_eq!(texts(&without), ["GRANT LIST TO u;"]);
        let twice =
            Names::default().all("TABLE", ["a".to_owned(), "a".to_owned()]).with("USER", "u");
        assert_eq!(texts(&twice), ["GRANT SELECT ON a TO u;", "GRANT LIST TO u;"]);
    }

    #[test]
    fn only_names_in_capitals_are_places() {
        let filled = |template| Names::default().with("A B", "<X>").fill(template);
        for (template, expected) in [
            ("no place", "no place"),
            ("<A B>;", "<X>;"),
            ("PASSWORD '<password>' <A B>", "PASSWORD '<password>' <X>"),
            ("a < b <A B><A B>", "a < b <X><X>"),
            ("<", "<"),
        ] {
            assert_eq!(filled(template), [expected], "{template}");
        }
        assert_eq!(filled("<Z>"), [""; 0]);
    }

    #[test]
    fn state_follows_from_the_tests_that_need_the_grant() {
        use State::{Missing, Present, Suspect, Unknown};
        let passed = || Outcome::Passed(None);
        let skipped = || Outcome::Skipped("Not run.".to_owned());
        let refused = |fix: &str| Outcome::Failed(Finding::new(Class::Denied, "no").fix(fix));
        let away = || Outcome::Failed(Finding::new(Class::Unreachable, "no answer"));
        let unsure = Finding::new(Class::Denied, "It could not be verified: GRANT ROLE r TO u;");
        let unsure = Outcome::Warning(unsure);
        let warned = |fix: &str| Outcome::Warning(Finding::new(Class::Denied, "w").fix(fix));
        let slow = Outcome::Warning(Finding::new(Class::Unavailable, "slow"));
        let log_in = Outcome::Failed(Finding::new(Class::Denied, "no").refusing_log_in());
        let table = [
            ([passed(), passed(), passed()], [Present, Present, Present, Unknown]),
            ([log_in, skipped(), skipped()], [Unknown; 4]),
            (
                [passed(), refused("GRANT SELECT ON b TO u;"), passed()],
                [Unknown, Missing, Present, Unknown],
            ),
            ([passed(), refused("Ask."), refused("Ask.")], [Suspect, Suspect, Suspect, Unknown]),
            ([passed(), away(), skipped()], [Unknown; 4]),
            ([passed(), passed(), unsure], [Present, Present, Suspect, Unknown]),
            ([passed(), slow, skipped()], [Present, Present, Present, Unknown]),
            (
                [passed(), passed(), warned("GRANT LIST TO u;")],
                [Present, Present, Present, Missing],
            ),
            (
                [passed(), refused("GRANT ROLE r TO u;"), passed()],
                [Unknown, Unknown, Missing, Unknown],
            ),
        ];
        let needs = needs(TABLE, &names());
        for (outcomes, expected) in table {
            let report = report(outcomes);
            let states = judged(&needs, &report).into_iter().map(|(state, _)| state);
            assert_eq!(states.collect::<Vec<_>>(), expected, "{report:?}");
        }
        let report = report([passed(), refused("GRANT SELECT ON b TO u;"), passed()]);
        let (_, because) = judged(&needs, &report)[1];
        assert_eq!(because.unwrap().0, READ);
    }

    #[test]
    fn every_test_of_a_catalog_has_its_grants_or_none() {
        for platform in PLATFORMS {
            let tests: Vec<_> = platform.grants.iter().flat_map(|grant| grant.tests).collect();
            for test in platform.catalog {
                assert!(tests.contains(&test), "{}: {}", platform.kind, test.name);
            }
            for test in tests {
                assert!(platform.catalog.contains(test), "{}: {}", platform.kind, test.name);
            }
        }
    }

    #[test]
    fn guides_have_the_tables_of_grants() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        let mut missing = Vec::new();
        for platform in PLATFORMS {
            let name = folder_of(platform.kind);
            let path = root.join(format!("docs/platforms/{name}.md"));
            let section = guide(platform.grants);
            if !std::fs::read_to_string(path).unwrap().contains(&section) {
                std::fs::write(root.join(format!("target/grants-{name}.md")), section).unwrap();
                missing.push(name);
            }
        }
        assert!(missing.is_empty(), "guides without target/grants-*.md: {missing:?}");
    }
}
