//! Keys of verdict policies and of common checks, which defaults and integrations both have.

use std::time::Duration;

use crate::domain::{CommonChecks, Policy, Weights};
use crate::input::Reader;

const SECOND: Duration = Duration::from_secs(1);
const MINUTE: Duration = Duration::from_mins(1);
const DAY: Duration = Duration::from_hours(24);
/// Key of the labels that a node must have to validate an integration.
pub(crate) const RUN_ON: &str = "run_on";
/// Longest wait between confirming runs.
const CONFIRM_WAIT_MAX: Duration = DAY;
/// Number of runs that a verdict can need at most.
pub(super) const EVIDENCE_RUNS_MAX: i64 = 100;
/// Shortest time before an expiry that a warning can have.
const EXPIRY_WARN_MIN: Duration = Duration::from_hours(1);
/// Longest time before an expiry that a warning can have.
const EXPIRY_WARN_MAX: Duration = Duration::from_hours(24 * 365);
/// Number of warnings that an expiry can have.
const THRESHOLDS_MAX: usize = 16;

/// Keys of a policy as given; one that is missing or wrong is none.
#[derive(Clone, Copy, Debug)]
pub(super) struct Evidence {
    confirm_runs: Option<u32>,
    confirm_wait: Option<Duration>,
    recovery_runs: Option<u32>,
    flap_flips: Option<u32>,
    flap_window: Option<Duration>,
    flap_calm: Option<Duration>,
}

impl Evidence {
    /// Reads the keys from the table of an integration or of the defaults.
    pub(super) fn read(reader: &mut Reader<'_>) -> Self {
        Self {
            confirm_runs: count(reader, "confirm_runs"),
            confirm_wait: reader.duration("confirm_wait", SECOND, CONFIRM_WAIT_MAX),
            recovery_runs: count(reader, "recovery_runs"),
            flap_flips: reader
                .integer("flap_flips", 0, EVIDENCE_RUNS_MAX)
                .and_then(|number| u32::try_from(number).ok()),
            flap_window: reader.duration("flap_window", MINUTE, DAY * 7),
            flap_calm: reader.duration("flap_calm", MINUTE, DAY * 7),
        }
    }

    /// Returns the policy, with missing keys taken from `defaults`.
    pub(super) fn or(self, defaults: &Policy) -> Policy {
        Policy {
            weights: defaults.weights,
            confirm_runs: self.confirm_runs.or(defaults.confirm_runs),
            confirm_wait: self.confirm_wait.or(defaults.confirm_wait),
            recovery_runs: self.recovery_runs.or(defaults.recovery_runs),
            flap_flips: self.flap_flips.unwrap_or(defaults.flap_flips),
            flap_window: self.flap_window.unwrap_or(defaults.flap_window),
            flap_calm: self.flap_calm.unwrap_or(defaults.flap_calm),
        }
    }

    /// Returns the whole, when no key is missing. Those that override the rule of evidence are unset by default.
    pub(super) fn complete(self) -> Option<Policy> {
        Some(Policy {
            weights: Weights::RULE,
            confirm_runs: self.confirm_runs,
            confirm_wait: self.confirm_wait,
            recovery_runs: self.recovery_runs,
            flap_flips: self.flap_flips?,
            flap_window: self.flap_window?,
            flap_calm: self.flap_calm?,
        })
    }
}

/// Keys of the common tests as given; one that is missing or wrong is none.
#[derive(Clone, Debug)]
pub(super) struct GivenChecks {
    expiry_warn: Option<Vec<Duration>>,
    drift: Option<bool>,
}

impl GivenChecks {
    /// Reads the keys from the table of an integration or of the defaults.
    pub(super) fn read(reader: &mut Reader<'_>) -> Self {
        let expiry_warn = reader.durations("expiry_warn", EXPIRY_WARN_MIN, EXPIRY_WARN_MAX);
        let is_long = expiry_warn.as_ref().is_some_and(|warn| THRESHOLDS_MAX < warn.len());
        if is_long {
            reader.fault("expiry_warn", format!("has more than {THRESHOLDS_MAX} entries"));
        }
        Self { expiry_warn, drift: reader.boolean("drift") }
    }

    /// Returns the whole, with missing keys taken from `defaults`.
    pub(super) fn or(self, defaults: &CommonChecks) -> CommonChecks {
        CommonChecks {
            expiry_warn: self.expiry_warn.unwrap_or_else(|| defaults.expiry_warn.clone()),
            drift: self.drift.unwrap_or(defaults.drift),
        }
    }

    /// Returns the whole, when no key is missing.
    pub(super) fn complete(self) -> Option<CommonChecks> {
        Some(CommonChecks { expiry_warn: self.expiry_warn?, drift: self.drift? })
    }
}

fn count(reader: &mut Reader<'_>, key: &'static str) -> Option<u32> {
    reader.integer(key, 1, EVIDENCE_RUNS_MAX).and_then(|number| u32::try_from(number).ok())
}

#[cfg(test)]
mod tests {
    use super::super::format::Format;
    use super::*;
    use crate::input::Faults;

    /// Returns the evidence and checks of a table, with its faults.
    fn read(text: &str) -> (Evidence, GivenChecks, Vec<String>) {
        let value = Format::Toml.parse(text, "f").unwrap();
        let faults = Faults::default();
        let mut reader = Reader::new(&value, "", &faults).unwrap();
        let read = (Evidence::read(&mut reader), GivenChecks::read(&mut reader));
        reader.finish();
        (read.0, read.1, faults.into_parts().0.iter().map(ToString::to_string).collect())
    }

    const ALL: &str = "confirm_runs = 1\nconfirm_wait = \"2m\"\nrecovery_runs = 3\nflap_flips = 0\n\
        flap_window = \"5h\"\nflap_calm = \"6m\"\nexpiry_warn = [\"7d\"]\ndrift = false\n";

    #[test]
    fn given_key_overrides_the_default_and_a_missing_one_keeps_it() {
        let defaults = Policy::default();
        let (evidence, checks, faults) = read("recovery_runs = 7\nexpiry_warn = []\n");
        assert_eq!(faults, [""; 0]);
        let expected = Policy { recovery_runs: Some(7), ..defaults };
        assert_eq!(evidence.or(&defaults), expected);
        assert_eq!(read("").0.or(&expected), expected, "an override of the defaults holds");
        let default_checks = CommonChecks::default();
        let expected = CommonChecks { expiry_warn: Vec::new(), ..default_checks.clone() };
        assert_eq!(checks.or(&default_checks), expected);
        assert_eq!(evidence.complete(), None, "three keys are missing");
    }

    #[test]
    fn complete_table_needs_no_defaults() {
        let (evidence, checks, faults) = read(ALL);
        assert_eq!(faults, [""; 0]);
        let policy = Policy {
            weights: Weights::RULE,
            confirm_runs: Some(1),
            confirm_wait: Some(MINUTE * 2),
            recovery_runs: Some(3),
            flap_flips: 0,
            flap_window: MINUTE * 300,
            flap_calm: MINUTE * 6,
        };
        assert_eq!((evidence.complete(), evidence.or(&Policy::default())), (Some(policy), policy));
        let expected = CommonChecks { expiry_warn: vec![DAY * 7], drift: false };
        assert_eq!(checks.complete(), Some(expected));
    }

    #[test]
    fn each_missing_key_but_an_override_makes_the_whole_incomplete() {
        for line in ALL.lines() {
            let (evidence, checks, faults) = read(&ALL.replace(line, ""));
            assert_eq!(faults, [""; 0], "{line}");
            let complete = evidence.complete().is_some() && checks.complete().is_some();
            let is_override = line.starts_with("confirm_") || line.starts_with("recovery_");
            assert_eq!(complete, is_override, "{line}");
        }
    }

    #[test]
    fn value_out_of_range_is_one_fault() {
        let many = format!("expiry_warn = [{}]", "\"1d\", ".repeat(THRESHOLDS_MAX + 1));
        for text in [
            "confirm_runs = 0",
            "confirm_runs = 101",
            "confirm_wait = \"999ms\"",
            "confirm_wait = \"25h\"",
            "recovery_runs = -1",
            "flap_flips = 101",
            "flap_window = \"59s\"",
            "flap_calm = \"8d\"",
            "expiry_warn = [\"59m\"]",
            "expiry_warn = [\"366d\"]",
            "drift = \"yes\"",
            many.as_str(),
        ] {
            let (_, _, faults) = read(text);
            assert_eq!(faults.len(), 1, "{text}: {faults:?}");
        }
    }
}
