//! Words of findings over the recorded cases of all platforms.

use std::fs;
use std::path::Path;

use serde_json::Value as Json;

/// Words for what is sent as proof of an identity.
const OF_CREDENTIALS: [&str; 3] = ["password", "secret", "private key"];
/// Classes of failures in which no platform judged the credentials.
const UNJUDGED: [&str; 3] = ["unreachable", "throttled", "unavailable"];
/// Least number of such failures over all cases.
const FAILURES_MIN: usize = 100;

/// Returns message and remediation of every failure in `expected` whose class is one of [`UNJUDGED`].
fn unjudged(expected: &Json) -> Vec<String> {
    let messages = expected["validationResults"]["validationTests"].as_array();
    let message = |test: &str| {
        let found = messages.into_iter().flatten().find(|result| result["name"] == test);
        found.and_then(|result| result["message"].as_str()).unwrap_or_default()
    };
    let findings = expected["findings"].as_object().into_iter().flatten();
    let of_class = findings.filter(|(_, finding)| {
        finding["class"].as_str().is_some_and(|class| UNJUDGED.contains(&class))
    });
    let text = |(test, finding): (&String, &Json)| {
        format!("{} {}", message(test), finding["remediation"].as_str().unwrap_or_default())
    };
    of_class.map(text).collect()
}

#[test]
fn failure_that_judged_no_credentials_never_speaks_of_them() {
    let platforms = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/platforms");
    let mut failures = 0;
    for platform in fs::read_dir(platforms).unwrap() {
        let Ok(cases) = fs::read_dir(platform.unwrap().path().join("testcases")) else { continue };
        for case in cases {
            let path = case.unwrap().path().join("expected.json");
            let Ok(text) = fs::read_to_string(&path) else { continue };
            for text in unjudged(&serde_json::from_str(&text).unwrap()) {
                failures += 1;
                let found = OF_CREDENTIALS.iter().find(|word| text.contains(*word));
                assert_eq!(found, None, "{}: {text}", path.display());
            }
        }
    }
    assert!(FAILURES_MIN <= failures, "{failures}");
}
