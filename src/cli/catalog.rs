//! `catalog`: the platforms of this program and their validation tests.

use super::args::Json;
use super::error::CommandError;
use super::print::{Answer, Column, Screen, Table};
use crate::domain::{COMMON, When};
use crate::platforms::{PLATFORMS, Platform};
use crate::view::PlatformTests;

/// Lists every platform's tests in the order they run.
pub(super) fn answer(args: Json, screen: Screen) -> Result<Answer, CommandError> {
    if args.json {
        let entries: Vec<_> = PLATFORMS.iter().map(PlatformTests::from).collect();
        return Ok(Answer::json(&entries)?);
    }
    Ok(Answer::good(text(PLATFORMS, screen)))
}

fn text(platforms: &[Platform], screen: Screen) -> String {
    let blocks = platforms.iter().map(|platform| {
        let mut table = Table::new(screen, [Column::whole("WHEN"), Column::text("TEST")]);
        for test in platform.catalog.iter().chain(&COMMON) {
            table.row([when_word(test.when).to_owned(), test.name.to_owned()]);
        }
        format!("{}\n{}", platform.kind, table.text())
    });
    blocks.collect::<Vec<_>>().join("\n")
}

const fn when_word(when: When) -> &'static str {
    match when {
        When::Always => "always",
        When::Preflight => "before set-up",
        When::Recurring => "after set-up",
    }
}

#[cfg(test)]
mod tests {
    use super::super::samples;
    use super::*;

    #[test]
    fn text_lists_the_tests_in_order() {
        let platform = samples::platform("Azure Synapse Analytics");
        let expected = "\
Azure Synapse Analytics
WHEN           TEST
always         Connect to host
before set-up  Role does not exist
after set-up   Recurring validation: credential expiry
after set-up   Recurring validation: drift
";
        assert_eq!(text(&[platform], samples::screen()), expected);
    }

    #[test]
    fn every_compiled_in_platform_is_listed() {
        let answer = answer(Json { json: true }, samples::screen()).unwrap();
        let json: serde_json::Value = serde_json::from_str(&answer.text).unwrap();
        assert_eq!(json.as_array().unwrap().len(), PLATFORMS.len());
        for (entry, platform) in json.as_array().unwrap().iter().zip(PLATFORMS) {
            assert_eq!(entry["type"], platform.kind);
            assert_eq!(
                entry["tests"].as_array().unwrap().len(),
                platform.catalog.len() + COMMON.len()
            );
        }
    }
}
