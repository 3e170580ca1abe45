//! Vantage points: what one node alone cannot reach needs a look from another one before it fails.

use super::*;

/// Runs of one configuration: the second, the node, what it saw, and what follows from it: the verdict, with the weight.
type Runs = &'static [(i64, &'static str, &'static str, &'static str)];

/// Cases with two nodes that can look.
const CASES: &[(&str, Option<u32>, Runs)] = &[
    (
        "a second node that has no answer either is enough with the usual looks",
        None,
        &[
            (0, "a", "unreachable", "confirming 25"),
            (30, "b", "unreachable", "confirming 50"),
            (120, "a", "unreachable", "confirming 75"),
            (300, "b", "unreachable", "failed 100"),
        ],
    ),
    (
        "one node alone does not make it fail, however often it looks, until another one has looked",
        None,
        &[
            (0, "a", "unreachable", "confirming 25"),
            (30, "a", "unreachable", "confirming 50"),
            (120, "a", "unreachable", "confirming 75"),
            (300, "a", "unreachable", "confirming 75"),
            (480, "a", "unreachable", "confirming 75"),
            (660, "b", "unreachable", "failed 100"),
        ],
    ),
    (
        "what another node reaches passes",
        None,
        &[
            (0, "a", "unreachable", "confirming 25"),
            (30, "b", "passed", "passed 100"),
            (60, "a", "unreachable", "confirming 25"),
        ],
    ),
    (
        "siblings do not stand in for another node",
        None,
        &[
            (0, "a", "unreachable", "confirming 25"),
            (30, "a", "unreachable", "confirming 50"),
            (120, "a", "unreachable+3", "confirming 75"),
            (300, "b", "unreachable+3", "failed 100"),
        ],
    ),
    (
        "an answer of the platform counts from anywhere",
        None,
        &[
            (0, "a", "unreachable", "confirming 25"),
            (30, "a", "unavailable", "confirming 50"),
            (60, "a", "missing", "failed 100"),
        ],
    ),
    (
        "counted runs need another node too",
        Some(2),
        &[
            (0, "a", "unreachable", "confirming 50"),
            (60, "a", "unreachable", "confirming 50"),
            (120, "b", "unreachable", "failed 100"),
        ],
    ),
    ("one run is enough where a key says so", Some(1), &[(0, "a", "unreachable", "failed 100")]),
];

fn judged_from(
    policy: &Policy,
    before: &Evidence,
    run: JudgedRun<'_>,
    failing: Option<u32>,
) -> Judgement {
    let alone = Around { has_another_node: true, ..Around::default() };
    let found = judge(policy, before, run, &alone);
    match failing.filter(|_| found.asks_siblings.is_some()) {
        Some(failing) => {
            judge(policy, before, run, &Around { siblings: Some(siblings(failing)), ..alone })
        }
        None => found,
    }
}

#[test]
fn looks_from_one_node_alone_do_not_make_a_failure_where_another_one_can_look() {
    for (name, confirm_runs, runs) in CASES {
        let policy = Policy { confirm_runs: *confirm_runs, ..Policy::default() };
        let mut evidence = Evidence::default();
        for (second, node, seen, expected) in *runs {
            let (what, failing) = seen.split_once('+').unwrap_or((seen, ""));
            let report = self::seen(what);
            let run = JudgedRun { node: Some(node), ..run(&report, *second) };
            let judged = judged_from(&policy, &evidence, run, failing.parse().ok());
            let found = format!("{} {}", judged.verdict.as_str(), weight(&judged));
            assert_eq!(found, *expected, "{name}, second {second}: {judged:#?}");
            assert_eq!(judged.look_at.is_some(), judged.verdict == Verdict::Confirming, "{name}");
            evidence = judged.evidence;
        }
    }
}

#[test]
fn sentences_and_looks_name_the_nodes() {
    let policy = Policy::default();
    let (silent, passed) = (seen("unreachable"), seen("passed"));
    let first = JudgedRun { node: Some("a"), ..run(&silent, 0) };
    let judged = judged_from(&policy, &Evidence::default(), first, None);
    let rule = "a transient failure (unreachable): 25 of the 100 that a failure needs; only node a has had no answer, \
        and another node is to look before it counts as failing";
    assert_eq!(judged.rule, rule);
    assert_eq!(judged.shown[0].words(), "unreachable, seen from node a");
    assert_eq!(judged.evidence.contradicted(&policy, Some("b")), Some(("a", at(0))));
    for node in [None, Some("a")] {
        assert_eq!(judged.evidence.contradicted(&policy, node), None, "{node:?}");
    }
    let elsewhere = JudgedRun { node: Some("b"), ..run(&passed, 30) };
    let again = judged_from(&policy, &judged.evidence, elsewhere, None);
    let rule = "a passing run; node a alone had no answer, which counts as a fault on its own side";
    assert_eq!((again.verdict, again.rule.as_str()), (Verdict::Passed, rule));
    assert_eq!(again.shown[0].words(), "passed, seen from node b");

    // Two that had no answer are not contradicted, and neither is an answer, or what is known to fail.
    let second = JudgedRun { node: Some("c"), ..run(&silent, 30) };
    let both = judged_from(&policy, &judged.evidence, second, None).evidence;
    assert_eq!(both.contradicted(&policy, Some("b")), None);
    let busy = seen("unavailable");
    let answered = JudgedRun { node: Some("a"), ..run(&busy, 30) };
    let mixed = judged_from(&policy, &judged.evidence, answered, None).evidence;
    assert_eq!(mixed.contradicted(&policy, Some("b")), None);
    let known = Evidence { is_failing: true, ..judged.evidence };
    assert_eq!(known.contradicted(&policy, Some("b")), None);
}

#[test]
fn one_node_alone_is_enough_where_no_other_can_look() {
    let silent = seen("unreachable");
    let mut evidence = Evidence::default();
    for (second, expected) in [(0, 25), (30, 50), (120, 75), (300, 100)] {
        let run = JudgedRun { node: Some("a"), ..run(&silent, second) };
        let judged = judge(&Policy::default(), &evidence, run, &Around::default());
        assert_eq!(weight(&judged), expected);
        assert_eq!(judged.verdict == Verdict::Failed, expected == 100);
        evidence = judged.evidence;
    }
}
