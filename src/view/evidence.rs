//! Evidence behind a verdict: what each look saw, what it weighs, and what is missing.

use serde::Serialize;

use crate::domain::{self, NEEDED, Past, Policy, Weighed};
use crate::store::RunRow;

/// Evidence about one configuration.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(crate) struct Evidence {
    /// Evidence as a sentence for people.
    pub(crate) sentence: String,
    /// Looks that count, oldest first; none when nothing is in doubt.
    pub(crate) looks: Vec<Weighed>,
    /// Sum of their weights.
    pub(crate) weight: u32,
    /// Weight that changes a status.
    pub(crate) needed: u32,
    /// Weight that is missing.
    pub(crate) missing: u32,
    /// Keys of the configuration that count runs in place of the rule of evidence.
    pub(crate) overrides: Vec<String>,
}

impl Evidence {
    /// Returns the evidence as it weighs by `policy`.
    pub(super) fn of(evidence: &domain::Evidence, policy: &Policy) -> Self {
        let looks = evidence.weighed(policy);
        let weight = evidence.total(policy);
        let missing = NEEDED.saturating_sub(weight);
        let sentence = sentence(evidence, weight, policy);
        Self { sentence, looks, weight, needed: NEEDED, missing, overrides: policy.overrides() }
    }
}

impl Evidence {
    /// Returns the evidence behind the verdict on a run, as it weighed then; none where nothing was in doubt.
    pub(crate) fn of_run(run: &RunRow) -> Option<Self> {
        let looks = run.evidence.clone();
        let of = if looks.first()?.seen == "passed" { "recovery" } else { "a failure" };
        let missing = looks.iter().map(|look| look.missing).min()?;
        let weight = NEEDED.saturating_sub(missing);
        let said = format!("What was seen weighs {weight} of the {NEEDED} that {of} needs");
        let sentence = if missing == 0 {
            format!("{said}.")
        } else {
            format!("{said}; {missing} are missing.")
        };
        Some(Self { sentence, looks, weight, needed: NEEDED, missing, overrides: Vec::new() })
    }
}

fn sentence(evidence: &domain::Evidence, weight: u32, policy: &Policy) -> String {
    let domain::Evidence { counters, looks, is_failing, past } = evidence;
    let missing = NEEDED.saturating_sub(weight);
    let said = match (looks.is_empty(), evidence.is_of_failure(), is_failing) {
        (true, _, false) if counters.passes == 0 => "Nothing is known yet.".to_owned(),
        (true, _, false) => "It is known to work; nothing is in doubt.".to_owned(),
        (true, _, true) => "It is known to fail.".to_owned(),
        (false, true, true) if missing == 0 => {
            format!(
                "It is known to fail: what was seen weighs {weight} of the {NEEDED} that a failure needs."
            )
        }
        (false, true, true) => format!(
            "It is known to fail, and fails again after a passing run: what was seen since weighs {weight} of \
             the {NEEDED} that a failure needs."
        ),
        (false, true, false) => format!(
            "It may fail: what was seen weighs {weight} of the {NEEDED} that a failure needs; {missing} are \
             missing."
        ),
        (false, false, _) => format!(
            "It may work: what was seen weighs {weight} of the {NEEDED} that recovery needs; {missing} are \
             missing."
        ),
    };
    match past {
        Past::Unsteady if !looks.is_empty() => {
            format!("{said} Looks weigh less, because the status has changed often lately.")
        }
        Past::Steady if evidence.is_of_failure() => {
            let passes = policy.weights.steady_passes;
            format!(
                "{said} Looks without an answer weigh more, because {passes} consecutive runs or more had passed."
            )
        }
        Past::Usual | Past::Steady | Past::Unsteady => said,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{Class, Counters, Look, Sight, Timestamp};
    use crate::view::samples;

    fn failed(class: Class) -> Sight {
        Sight::Failed { class, is_certain: true }
    }

    #[test]
    fn evidence_of_a_run_is_as_it_weighed_then() {
        let run = |seen: &str, missing: &[u32]| RunRow {
            evidence: missing
                .iter()
                .map(|missing| Weighed {
                    at: Timestamp(0),
                    seen: seen.to_owned(),
                    certain: None,
                    siblings: None,
                    weight: 25,
                    missing: *missing,
                    node: None,
                })
                .collect(),
            ..samples::run()
        };
        let cases: [(&str, &[u32], Option<&str>); 4] = [
            ("unreachable", &[], None),
            (
                "unreachable",
                &[75],
                Some("What was seen weighs 25 of the 100 that a failure needs; 75 are missing."),
            ),
            (
                "throttled",
                &[75, 50, 0],
                Some("What was seen weighs 100 of the 100 that a failure needs."),
            ),
            (
                "passed",
                &[50],
                Some("What was seen weighs 50 of the 100 that recovery needs; 50 are missing."),
            ),
        ];
        for (seen, missing, expected) in cases {
            let found = Evidence::of_run(&run(seen, missing));
            assert_eq!(found.as_ref().map(|found| found.sentence.as_str()), expected);
            assert_eq!(found.map_or(0, |found| found.looks.len()), missing.len());
        }
    }

    #[test]
    fn sentence_says_what_is_known_and_what_is_missing() {
        let silent = || failed(Class::Unreachable);
        let denied = || failed(Class::Denied);
        let cases = [
            (vec![], false, Past::Usual, 0, "Nothing is known yet."),
            (vec![], false, Past::Usual, 9, "It is known to work; nothing is in doubt."),
            (vec![], true, Past::Usual, 0, "It is known to fail."),
            (
                vec![silent(), silent()],
                false,
                Past::Usual,
                0,
                "It may fail: what was seen weighs 50 of the 100 that a failure needs; 50 are missing.",
            ),
            (
                vec![denied()],
                true,
                Past::Usual,
                0,
                "It is known to fail: what was seen weighs 100 of the 100 that a failure needs.",
            ),
            (
                vec![silent()],
                true,
                Past::Usual,
                0,
                "It is known to fail, and fails again after a passing run: what was seen since weighs 25 of the \
                 100 that a failure needs.",
            ),
            (
                vec![silent(), silent()],
                false,
                Past::Steady,
                0,
                "It may fail: what was seen weighs 68 of the 100 that a failure needs; 32 are missing. Looks \
                 without an answer weigh more, because 10000 consecutive runs or more had passed.",
            ),
            (
                vec![Sight::Passed],
                true,
                Past::Unsteady,
                1,
                "It may work: what was seen weighs 50 of the 100 that recovery needs; 50 are missing. Looks \
                 weigh less, because the status has changed often lately.",
            ),
        ];
        for (seen, is_failing, past, passes, expected) in cases {
            let looks =
                seen.into_iter().map(|seen| Look { at: Timestamp(0), seen, node: None }).collect();
            let counters = Counters { failures: 0, passes };
            let evidence = domain::Evidence { counters, looks, is_failing, past };
            let shown = Evidence::of(&evidence, &Policy::default());
            assert_eq!(shown.sentence, expected);
            assert_eq!((shown.needed, shown.missing + shown.weight.min(100)), (100, 100));
        }
    }
}
