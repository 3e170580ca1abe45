//! Words of findings over the recorded cases of all platforms.

use std::fs;
use std::path::Path;

use serde_json::Value as Json;

/// Words for what is sent as proof of an identity.
const OF_CREDENTIALS: [&str; 3] = ["password", "secret", "private key"];
/// Classes of failures in which no platform judged the credentials.
const UNJUDGED: [&str; 3] = ["unreachable", "throttled", "unavailable"];
/// Words for silence and for the way to a server.
const OF_SILENCE: [&str; 5] = [
    "No answer within",
    "no answer within",
    "cannot be resolved",
    "no connection within",
    "No connection",
];
/// Classes of failures in which a platform judged the credentials, or what they may do.
const JUDGED: [&str; 2] = ["denied", "expired"];
/// Least number of failures of either kind over all cases.
const FAILURES_MIN: usize = 100;

/// Returns message and remediation of every failure in `expected` whose class is one of `classes`.
fn texts(expected: &Json, classes: &[&str]) -> Vec<String> {
    let messages = expected["validationResults"]["validationTests"].as_array();
    let message = |test: &str| {
        let found = messages.into_iter().flatten().find(|result| result["name"] == test);
        found.and_then(|result| result["message"].as_str()).unwrap_or_default()
    };
    let findings = expected["findings"].as_object().into_iter().flatten();
    let of_class = findings.filter(|(_, finding)| {
        finding["class"].as_str().is_some_and(|class| classes.contains(&class))
    });
    let text = |(test, finding): (&String, &Json)| {
        format!("{} {}", message(test), finding["remediation"].as_str().unwrap_or_default())
    };
    of_class.map(text).collect()
}

/// Asserts that no failure of `classes` in any case has one of `words`.
fn assert_without(classes: &[&str], words: &[&str]) {
    let platforms = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/platforms");
    let mut failures = 0;
    for platform in fs::read_dir(platforms).unwrap() {
        let Ok(cases) = fs::read_dir(platform.unwrap().path().join("testcases")) else { continue };
        for case in cases {
            let path = case.unwrap().path().join("expected.json");
            let Ok(text) = fs::read_to_string(&path) else { continue };
            for text in texts(&serde_json::from_str(&text).unwrap(), classes) {
                failures += 1;
                let found = words.iter().find(|word| text.contains(*word));
                assert_eq!(found, None, "{}: {text}", path.display());
            }
        }
    }
    assert!(FAILURES_MIN <= failures, "{failures}");
}

#[test]
fn failure_that_judged_no_credentials_never_speaks_of_them() {
    assert_without(&UNJUDGED, &OF_CREDENTIALS);
}

#[test]
fn failure_that_judged_credentials_never_speaks_of_silence() {
    assert_without(&JUDGED, &OF_SILENCE);
}
