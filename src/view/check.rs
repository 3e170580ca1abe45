//! Result of checking a configuration.

use std::collections::BTreeMap;

use serde::Serialize;

use super::validation::Validated;
use crate::domain::ledger::Difference;
use crate::domain::{Policy, ReportStatus};
use crate::input::Fault;

/// Result of checking a configuration, all faults at once.
#[derive(Debug, Default, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(crate) struct Checked<'a> {
    valid: bool,
    faults: Vec<Problem<'a>>,
    warnings: Vec<Problem<'a>>,
    /// Secrets that are missing, cannot be read or have the wrong form.
    pub(crate) secrets: Vec<Problem<'a>>,
    /// Changes that a reload would make; none where there is no database yet.
    pub(crate) plan: Option<&'a Difference>,
    /// Keys that count runs in place of the rule of evidence, with the integrations that they hold for.
    pub(crate) overrides: Vec<Overridden<'a>>,
    /// Names of the integrations.
    pub(crate) integrations: Vec<&'a str>,
    /// Names of the receivers.
    pub(crate) receivers: Vec<&'a str>,
    /// Addresses at which the daemon serves metrics and HTTP.
    pub(crate) listen: Vec<String>,
    /// Results of validating each enabled integration, when that was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) online: Option<Vec<Online<'a>>>,
}

/// Keys that override the rule of evidence.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(crate) struct Overridden<'a> {
    /// The keys, as they are configured.
    pub(crate) keys: Vec<String>,
    /// Names of the integrations that have just these.
    pub(crate) integrations: Vec<&'a str>,
}

/// Fault or warning, with its place.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(crate) struct Problem<'a> {
    origin: &'a str,
    path: &'a str,
    message: &'a str,
}

impl<'a> From<&'a Fault> for Problem<'a> {
    fn from(Fault { origin, path, message }: &'a Fault) -> Self {
        Self { origin, path, message }
    }
}

/// Result of validating one integration, in short.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(crate) struct Online<'a> {
    /// Name of the integration.
    pub(crate) name: &'a str,
    #[serde(rename = "type")]
    kind: &'a str,
    /// Overall result of its validation.
    pub(crate) status: ReportStatus,
    /// Message of the first test that did not pass.
    pub(crate) message: Option<&'a str>,
}

impl<'a> From<&'a Validated> for Online<'a> {
    fn from(validated: &'a Validated) -> Self {
        let Validated { name, kind, report, .. } = validated;
        Self { name, kind, status: report.status(), message: validated.first_problem() }
    }
}

impl<'a> Checked<'a> {
    /// Result for a configuration that cannot be used.
    pub(crate) fn refused(faults: &'a [Fault], warnings: &'a [Fault]) -> Self {
        let faults = faults.iter().map(Problem::from).collect();
        Self { faults, ..Self::default() }.warned(warnings)
    }

    /// Result for a configuration that can be used.
    pub(crate) fn accepted(
        integrations: impl Iterator<Item = &'a str>,
        receivers: impl Iterator<Item = &'a str>,
    ) -> Self {
        let (integrations, receivers) = (integrations.collect(), receivers.collect());
        Self { valid: true, integrations, receivers, ..Self::default() }
    }

    /// Adds the addresses at which the daemon listens.
    #[must_use]
    pub(crate) fn listening(self, addresses: Vec<String>) -> Self {
        Self { listen: addresses, ..self }
    }

    /// Adds the keys that override the rule of evidence, from the policy of each integration.
    #[must_use]
    pub(crate) fn overridden(
        mut self,
        policies: impl Iterator<Item = (&'a str, &'a Policy)>,
    ) -> Self {
        let mut by_keys: BTreeMap<Vec<String>, Vec<&'a str>> = BTreeMap::new();
        for (name, policy) in policies {
            by_keys.entry(policy.overrides()).or_default().push(name);
        }
        let found = by_keys.into_iter().filter(|(keys, _)| !keys.is_empty());
        self.overrides =
            found.map(|(keys, integrations)| Overridden { keys, integrations }).collect();
        self
    }

    /// Adds warnings to those there are.
    #[must_use]
    pub(crate) fn warned(mut self, warnings: &'a [Fault]) -> Self {
        self.warnings.extend(warnings.iter().map(Problem::from));
        self
    }

    /// Adds the secrets that cannot be used, and what a reload would change.
    #[must_use]
    pub(crate) fn looked(self, secrets: &'a [Fault], plan: Option<&'a Difference>) -> Self {
        Self { secrets: secrets.iter().map(Problem::from).collect(), plan, ..self }
    }

    /// Adds the results of validations.
    #[must_use]
    pub(crate) fn validated(mut self, validated: Option<&'a [Validated]>) -> Self {
        self.online = validated.map(|all| all.iter().map(Online::from).collect());
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn faults_and_warnings_are_shown_in_their_parts() {
        let fault = |message: &str| Fault {
            origin: "a.toml:3".into(),
            path: "x".into(),
            message: message.into(),
        };
        let (faults, warnings) = ([fault("wrong")], [fault("unwise")]);
        let json = serde_json::to_value(Checked::refused(&faults, &warnings)).unwrap();
        let part = |message: &str| serde_json::json!([{"origin": "a.toml:3", "path": "x", "message": message}]);
        let expected = serde_json::json!({
            "valid": false, "faults": part("wrong"), "warnings": part("unwise"),
            "secrets": [], "plan": null, "overrides": [],
            "integrations": [], "receivers": [], "listen": [],
        });
        assert_eq!(json, expected);
    }

    #[test]
    fn integrations_are_listed_by_the_keys_that_override_the_rule() {
        let rule = Policy::default();
        let runs = Policy { confirm_runs: Some(1), ..rule };
        let both = Policy { recovery_runs: Some(2), ..runs };
        let policies = [("a", &runs), ("b", &rule), ("c", &both), ("d", &runs)];
        let checked = Checked::default().overridden(policies.into_iter());
        let json = serde_json::to_value(checked).unwrap();
        let expected = serde_json::json!([
            {"keys": ["confirm_runs = 1"], "integrations": ["a", "d"]},
            {"keys": ["confirm_runs = 1", "recovery_runs = 2"], "integrations": ["c"]},
        ]);
        assert_eq!(json["overrides"], expected);
    }
}
