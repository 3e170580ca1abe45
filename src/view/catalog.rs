//! Catalog of a platform: its validation tests in the order they run.

use serde::Serialize;

use crate::domain::{COMMON, When};
use crate::platforms::Platform;

/// Platform with its validation tests.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(crate) struct PlatformTests {
    #[serde(rename = "type")]
    kind: &'static str,
    tests: Vec<Test>,
}

/// Validation test of a catalog.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
struct Test {
    name: &'static str,
    when: When,
}

impl From<&Platform> for PlatformTests {
    fn from(platform: &Platform) -> Self {
        let test = |test: &crate::domain::Test| Test { name: test.name, when: test.when };
        let tests = platform.catalog.iter().chain(&COMMON).map(test).collect();
        Self { kind: platform.kind, tests }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::view::samples;

    #[test]
    fn tests_are_listed_in_the_order_they_run() {
        let platform = samples::platform("Azure Synapse Analytics");
        let json = serde_json::to_value(PlatformTests::from(&platform)).unwrap();
        let expected = serde_json::json!({ "type": "Azure Synapse Analytics", "tests": [
            { "name": "Connect to host", "when": "always" },
            { "name": "Role does not exist", "when": "preflight" },
            { "name": "Recurring validation: credential expiry", "when": "recurring" },
            { "name": "Recurring validation: drift", "when": "recurring" },
        ]});
        assert_eq!(json, expected);
    }
}
