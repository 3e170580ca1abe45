//! Tests of the rule: its table of cases, its words and its properties.

mod cases;
mod vantage;

use std::time::Duration;

use proptest::prelude::{
    Just, Strategy, any, prop, prop_assert, prop_assert_eq, prop_oneof, proptest,
};

use super::*;
use crate::domain::{Factor, FactorKind, Finding, Outcome, Test, TestResult};
use cases::{By, CASES};

impl By {
    /// Returns the evidence before the first look.
    fn before(self) -> Evidence {
        let passes = if matches!(self, Self::Steady) { 10_000 } else { 0 };
        Evidence { counters: Counters { failures: 0, passes }, ..Evidence::default() }
    }

    fn policy(self) -> Policy {
        let rule = Policy::default();
        match self {
            Self::Rule | Self::Steady | Self::Unsteady => rule,
            Self::Runs(runs) => Policy { confirm_runs: Some(runs), ..rule },
            Self::Wait(secs) => Policy { confirm_wait: Some(Duration::from_secs(secs)), ..rule },
            Self::Passes(runs) => Policy { recovery_runs: Some(runs), ..rule },
        }
    }
}

fn report(outcome: Outcome) -> Report {
    Report { tests: vec![TestResult { test: Test::always("t", ""), outcome }] }
}

fn failing(class: Class) -> Report {
    report(Outcome::Failed(Finding::new(class, "f")))
}

/// Returns the report that a word of the table stands for.
fn seen(word: &str) -> Report {
    let secs = |text: &str| Duration::from_secs(text.parse().unwrap());
    let (word, retry_after) = word.split_once('@').unwrap_or((word, "0"));
    let (name, is_certain) = word.strip_suffix('?').map_or((word, true), |name| (name, false));
    match name {
        "passed" => report(Outcome::Passed(None)),
        "skipped" => report(Outcome::Skipped("r".to_owned())),
        "refused" | "repeated" => {
            report(Outcome::Failed(Finding::new(Class::Denied, "f").doubtful().refusing_log_in()))
        }
        _ => {
            let class = Class::ALL.iter().find(|class| class.as_str() == name).unwrap();
            let finding = Finding::new(*class, "f").after(Some(secs(retry_after)));
            report(Outcome::Failed(if is_certain { finding } else { finding.doubtful() }))
        }
    }
}

fn siblings(failing: u32) -> Siblings {
    Siblings { factor: Factor { kind: FactorKind::Host, value: "db".to_owned() }, failing }
}

fn at(second: i64) -> Timestamp {
    Timestamp(second * 1000)
}

fn run(report: &Report, second: i64) -> JudgedRun<'_> {
    JudgedRun { report, started_at: at(second), ended_at: at(second), node: None }
}

/// Judges the look of a line, with its siblings only where the judgement asks for them, as the ledger does.
fn judged(by: By, before: &Evidence, second: i64, what: &str) -> Judgement {
    let policy = by.policy();
    let (what, failing) = what.split_once('+').unwrap_or((what, "0"));
    let report = seen(what);
    let run = run(&report, second);
    if what == "repeated" {
        return repeated(&policy, before, run);
    }
    let alone = Around { is_unsteady: matches!(by, By::Unsteady), ..Around::default() };
    let found = judge(&policy, before, run, &alone);
    if failing == "0" || found.asks_siblings.is_none() {
        return found;
    }
    let siblings = Some(siblings(failing.parse().unwrap()));
    judge(&policy, before, run, &Around { siblings, ..alone })
}

/// Returns the weight of the kind of looks that weighs most.
fn weight(judged: &Judgement) -> u32 {
    100 - judged.shown.iter().map(|look| look.missing).min().unwrap_or(100)
}

#[test]
fn looks_add_up_to_the_verdicts_of_the_table() {
    for (name, by, lines) in CASES {
        let mut evidence = by.before();
        for line in lines.lines().filter(|line| !line.trim().is_empty()) {
            let cells: Vec<_> = line.split_whitespace().collect();
            let second: i64 = cells[0].parse().unwrap();
            let judged = judged(*by, &evidence, second, cells[1]);
            let wait = judged.look_at.map(|look| look.since(at(second)).as_secs().to_string());
            let weight = weight(&judged);
            let found = format!(
                "{} {weight} {}",
                judged.verdict.as_str(),
                wait.unwrap_or_else(|| "-".to_owned())
            );
            assert_eq!(found, cells[2..].join(" "), "{name}: {line}: {judged:#?}");
            evidence = judged.evidence;
        }
    }
}

#[test]
fn rule_says_what_was_seen_and_what_is_missing() {
    let looks = [
        (0, "unreachable", "a transient failure (unreachable): 25 of the 100 that a failure needs"),
        (
            10,
            "unreachable",
            "a transient failure (unreachable) too soon after the one before, which count once: 25 of the \
             100 that a failure needs",
        ),
        (
            30,
            "unavailable",
            "a transient failure (unavailable) in look 2: 50 of the 100 that a failure needs",
        ),
        (
            120,
            "unreachable+7",
            "a transient failure (unreachable), and 7 others with the same host db fail too: 100 of the 100 \
             that a failure needs",
        ),
        (125, "unreachable", "a transient failure (unreachable) of what is known to fail"),
        (130, "denied", "a definitive failure (denied) counts at once"),
        (150, "local", "the fault is on the daemon's side, so the status stays"),
        (160, "repeated", "the refused log-in was not tried again, so the status stays"),
        (200, "passed", "a passing run"),
        (
            300,
            "missing?",
            "a definitive failure (missing) that may not be the platform's own answer: 50 of the 100 that a \
             failure needs",
        ),
    ];
    let mut evidence = Evidence::default();
    for (second, what, rule) in looks {
        let judged = judged(By::Rule, &evidence, second, what);
        assert_eq!(judged.rule, rule, "{second}");
        evidence = judged.evidence;
    }
}

#[test]
fn rule_names_the_key_that_overrides_it() {
    let rules = |by: By, looks: &[(i64, &str)]| {
        let mut evidence = Evidence::default();
        let rules = looks.iter().map(|(second, what)| {
            let judged = judged(by, &evidence, *second, what);
            evidence = judged.evidence;
            judged.rule
        });
        rules.collect::<Vec<_>>()
    };
    let once = rules(By::Runs(1), &[(0, "unreachable")]);
    assert_eq!(once, ["a transient failure (unreachable) counts at once, as `confirm_runs` is 1"]);
    assert_eq!(
        rules(By::Runs(2), &[(0, "unreachable"), (9, "throttled"), (60, "unreachable")]),
        [
            "transient failure (unreachable) 1 of the 2 consecutive ones that are needed (`confirm_runs`)",
            "transient failure (throttled) within 1m of the one before, which count once: 1 of the 2 that \
             are needed (`confirm_runs`)",
            "a transient failure (unreachable) in 2 consecutive runs, 2 are needed (`confirm_runs`)",
        ]
    );
    assert_eq!(
        rules(By::Passes(2), &[(0, "passed"), (1, "passed")]),
        ["passing run 1 of the 2 that recovery needs (`recovery_runs`)", "a passing run"]
    );
    assert_eq!(
        rules(By::Unsteady, &[(0, "denied"), (60, "passed"), (61, "passed"), (120, "passed")])[1..],
        [
            "a passing run while the status changes often: 50 of the 100 that recovery needs",
            "a passing run less than 1m after the one before adds nothing: 50 of the 100 that recovery needs",
            "2 passing runs, one after the other",
        ]
    );
}

#[test]
fn looks_are_shown_with_what_they_weigh() {
    let mut evidence = Evidence::default();
    for (second, what) in [(0, "missing?"), (4, "unreachable"), (119, "unreachable+3")] {
        evidence = judged(By::Rule, &evidence, second, what).evidence;
    }
    let shown = evidence.weighed(&Policy::default());
    let words: Vec<_> = shown.iter().map(|look| (look.weight, look.words())).collect();
    let expected = [
        (50, "missing, perhaps not the platform's own answer"),
        (25, "unreachable"),
        (25, "unreachable"),
        (50, "3 others with the same host db fail too"),
    ];
    assert_eq!(words, expected.map(|(weight, words)| (weight, words.to_owned())));
    let certain: Vec<_> = shown.iter().map(|look| look.certain).collect();
    assert_eq!(certain, [Some(false), None, None, None]);
    let missing: Vec<_> = shown.iter().map(|look| look.missing).collect();
    assert_eq!(missing, [50, 75, 50, 0]);
    let passed = judged(By::Rule, &evidence, 300, "passed");
    assert_eq!((passed.shown[0].seen.as_str(), passed.evidence.looks.len()), ("passed", 0));
}

#[test]
fn weights_that_change_between_two_versions_weigh_old_looks_anew() {
    let first = judged(By::Runs(3), &Evidence::default(), 0, "unreachable");
    let second = judged(By::Runs(3), &first.evidence, 60, "unreachable");
    assert_eq!(second.evidence.total(&By::Runs(3).policy()), 66);
    assert_eq!(second.evidence.total(&Policy::default()), 50, "the same looks by the rule");
    let third = judged(By::Rule, &second.evidence, 180, "unreachable");
    assert_eq!((third.verdict, third.evidence.looks.len()), (Verdict::Confirming, 3));
}

fn any_look() -> impl Strategy<Value = (i64, String)> {
    let classes = prop::sample::select(vec![
        "unreachable",
        "unavailable",
        "throttled",
        "missing?",
        "denied",
        "local",
        "passed",
        "skipped",
    ]);
    (0..400_i64, classes, prop_oneof![3 => Just(0_u32), 1 => 3..9_u32])
        .prop_map(|(gap, what, failing)| (gap, format!("{what}+{failing}")))
}

proptest! {
    /// Evidence is bounded, only a failure that is known or confirmed flips, and a judgement that is open
    /// always says when to look next.
    #[test]
    fn evidence_is_bounded_and_an_open_judgement_has_a_next_look(
        looks in prop::collection::vec(any_look(), 1..60),
        unsteady in any::<bool>(),
    ) {
        let by = if unsteady { By::Unsteady } else { By::Rule };
        let (mut evidence, mut second) = (Evidence::default(), 0);
        for (gap, what) in looks {
            second += gap;
            let judged = judged(by, &evidence, second, &what);
            let total = weight(&judged);
            match judged.verdict {
                Verdict::Passed | Verdict::Failed => {
                    prop_assert!(NEEDED <= total, "{judged:?}");
                    prop_assert_eq!(judged.look_at, None);
                }
                Verdict::Confirming | Verdict::Recovering => {
                    prop_assert!(total < NEEDED, "{judged:?}");
                    prop_assert!(judged.look_at.is_some_and(|look| at(second) <= look));
                }
                Verdict::Inconclusive => prop_assert_eq!(&judged.evidence, &evidence),
            }
            prop_assert!(judged.evidence.looks.len() <= 100, "{judged:?}");
            let mixed = judged.evidence.looks.iter().any(|look| look.seen == Sight::Passed)
                && judged.evidence.is_of_failure();
            prop_assert!(!mixed, "{judged:?}");
            evidence = judged.evidence;
        }
    }
}

#[test]
fn every_definitive_class_fails_at_once_and_no_other() {
    for &class in Class::ALL {
        let report = failing(class);
        let run = run(&report, 0);
        let judged = judge(&Policy::default(), &Evidence::default(), run, &Around::default());
        assert_eq!(judged.verdict == Verdict::Failed, class.is_definitive(), "{class:?}");
    }
}
