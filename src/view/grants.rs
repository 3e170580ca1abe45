//! Grants that an integration needs, with what a run says of each: least privilege, as far as it can be seen.

use serde::Serialize;

use crate::domain::{Report, Test};
use crate::platforms::{Document, Names, Need, State, Surplus, documents, judged};

/// Grants that an integration needs, and, after a run, their states.
#[derive(Debug)]
pub(crate) struct Grants {
    /// Name of the integration.
    pub(crate) name: String,
    /// Published name of its platform.
    pub(crate) kind: &'static str,
    /// Names of its configuration.
    pub(crate) names: Names,
    /// Grants in the order of the platform's table.
    pub(crate) needs: Vec<Need>,
    /// Run by which they are judged; none without a connection.
    pub(crate) run: Option<Looked>,
}

/// Run that looked for the grants.
#[derive(Debug)]
pub(crate) struct Looked {
    /// Outcomes of all tests.
    pub(crate) report: Report,
    /// Rights beyond the needs.
    pub(crate) surplus: Surplus,
}

/// Grant with its state.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(crate) struct GrantState {
    /// Statement, rule or permission.
    pub(crate) grant: String,
    /// Form of it: `sql`, `policy`, `caller` and `trust` (policies of AWS about a role), `rules`, `permission` or
    /// `command`.
    pub(crate) form: &'static str,
    /// Reason of the need.
    pub(crate) why: &'static str,
    /// Situation in which alone it is needed.
    pub(crate) only: Option<&'static str>,
    /// Names of the tests that need it.
    pub(crate) tests: Vec<&'static str>,
    /// `present`, `missing`, `suspect` (a test that needs it was refused and names no grant, or could not verify it) or `unknown`; none without a
    /// run.
    pub(crate) state: Option<&'static str>,
    /// Name and message of the test that says so.
    pub(crate) because: Option<String>,
}

/// All grants of one form as one text.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
struct Whole {
    heading: &'static str,
    text: String,
}

impl From<Document> for Whole {
    fn from(Document { form, text }: Document) -> Self {
        Self { heading: form.heading(), text }
    }
}

/// Right beyond the needs.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
struct ExtraRight<'a> {
    what: &'a str,
    revoke: Option<&'a str>,
}

/// Grants as programs get them.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(crate) struct Granted<'a> {
    name: &'a str,
    #[serde(rename = "type")]
    kind: &'a str,
    needs: Vec<GrantState>,
    documents: Vec<Whole>,
    /// Rights that no test needs; none without a run.
    surplus: Option<Vec<ExtraRight<'a>>>,
    /// Sentences about what the platform does not show.
    unseen: &'a [String],
}

impl Grants {
    /// Returns the grants with their states.
    pub(crate) fn states(&self) -> Vec<GrantState> {
        let judged = self.run.as_ref().map(|run| judged(&self.needs, &run.report));
        let state = |(place, need): (usize, &Need)| {
            let found = judged.as_ref().and_then(|all| all.get(place));
            let because = found.and_then(|(_, because)| because.as_ref());
            GrantState {
                grant: need.text.clone(),
                form: need.grant.form.as_str(),
                why: need.grant.why,
                only: Some(need.grant.only).filter(|only| !only.is_empty()),
                tests: need.grant.tests.iter().map(|test: &Test| test.name).collect(),
                state: found.map(|(state, _)| state.as_str()),
                because: because
                    .map(|(test, finding)| format!("{}: {}", test.name, finding.message)),
            }
        };
        self.needs.iter().enumerate().map(state).collect()
    }

    /// Returns the number of grants that are missing, and of those that may be.
    pub(crate) fn missing(&self) -> [usize; 2] {
        let states = self.states();
        [State::Missing, State::Suspect]
            .map(|wanted| states.iter().filter(|one| one.state == Some(wanted.as_str())).count())
    }
}

impl<'a> From<&'a Grants> for Granted<'a> {
    fn from(grants: &'a Grants) -> Self {
        let surplus = grants.run.as_ref().map(|run| {
            let extra = run.surplus.found.iter();
            extra.map(|one| ExtraRight { what: &one.what, revoke: one.revoke.as_deref() }).collect()
        });
        Self {
            name: &grants.name,
            kind: grants.kind,
            needs: grants.states(),
            documents: documents(&grants.needs, &grants.names)
                .into_iter()
                .map(Whole::from)
                .collect(),
            surplus,
            unseen: grants.run.as_ref().map_or(&[], |run| run.surplus.unseen.as_slice()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::view::samples;

    #[test]
    fn json_has_the_states_the_documents_and_the_surplus() {
        let mut grants = samples::grants();
        assert_eq!(grants.missing(), [1, 0]);
        let json = serde_json::to_value(Granted::from(&grants)).unwrap();
        let states: Vec<_> = (0..4).map(|place| json["needs"][place]["state"].clone()).collect();
        assert_eq!(states, ["present", "missing", "unknown", "unknown"]);
        assert_eq!(json["needs"][1]["because"], "Connect to host: No\u{1b}.");
        assert_eq!(json["needs"][3]["only"], "where it is new");
        let text = "GRANT A ON t\u{1b} TO u;\nGRANT B TO u;\nGRANT C TO u;";
        assert_eq!(json["documents"][0]["text"], text);
        assert_eq!(json["surplus"][0]["what"], "superuser");
        assert_eq!(json["unseen"][0], "The rest is not shown.");
        grants.run = None;
        let json = serde_json::to_value(Granted::from(&grants)).unwrap();
        assert!(json["surplus"].is_null() && json["needs"][1]["state"].is_null(), "{json}");
        assert_eq!(grants.missing(), [0, 0]);
    }
}
