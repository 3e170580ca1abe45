//! The example stays what `CONTRIBUTING.md` shows, compiles, and works.

use super::super::testing::{Seen, Subject, replay, sample_config, validator};
use super::PLATFORM;

#[tokio::test]
async fn recorded_cases_give_the_expected_reports() {
    replay(Subject {
        folder: "example",
        validator: |config| validator(&PLATFORM, config),
        operation: |seen| (seen.line == "GET /ping").then(|| "ping".to_owned()),
        check: |_| (),
        shown: Seen::with_body,
        secrets: &[],
        cases_min: 2,
    })
    .await;
}

#[test]
fn sample_is_accepted() {
    validator(&PLATFORM, &sample_config(&PLATFORM, PLATFORM.sample));
}

#[test]
fn contributing_shows_this_example() {
    let guide = include_str!("../../../CONTRIBUTING.md");
    let (_, rest) = guide.split_once("\n```rust\n").unwrap();
    assert_eq!(rest.split_once("```\n").unwrap().0, include_str!("mod.rs"));
}
