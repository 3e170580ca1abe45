//! Diagnosis of an installation: findings, each with its reason and remediation.

use serde::Serialize;

/// Diagnosis of an installation.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub(crate) struct Diagnosis {
    /// True when nothing was found.
    pub(crate) is_well: bool,
    /// Number of checks that were made.
    pub(crate) checks: usize,
    /// Findings in the order of the checks.
    pub(crate) findings: Vec<Finding>,
    /// Checks that could not be made here.
    pub(crate) not_made: Vec<NotMade>,
}

/// Finding of a check.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub(crate) struct Finding {
    /// Name of the check.
    pub(crate) check: &'static str,
    /// Part of the installation: `installation`, `configuration`, `store`, `machine` or `daemon`.
    pub(crate) group: &'static str,
    /// Finding as a sentence.
    pub(crate) what: String,
    /// Reason why it matters, as a sentence.
    pub(crate) why: &'static str,
    /// Line that a person types.
    pub(crate) remediation: String,
}

/// Check that could not be made.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub(crate) struct NotMade {
    /// Name of the check.
    pub(crate) check: &'static str,
    /// Reason why it could not be made.
    pub(crate) reason: &'static str,
}

impl Diagnosis {
    /// Returns the diagnosis with these findings, from so many checks.
    pub(crate) fn new(checks: usize, findings: Vec<Finding>, not_made: Vec<NotMade>) -> Self {
        Self { is_well: findings.is_empty(), checks, findings, not_made }
    }
}
