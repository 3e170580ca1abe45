//! Tests of a small evaluation, which must show the same as the large ones.

use super::report::{Part, five_minutes, hour, introduction, others, past, small};
use super::scene::SMALL;
use super::*;

/// Mean number of messages of an outage at most: its start, its end, and at times one about one of the 25
/// integrations.
const MESSAGES_MAX: f64 = 4.0;

#[test]
fn default_policy_has_fewer_false_alerts_than_the_first_failure_and_fewer_messages() {
    let evaluation = Evaluation::of(SMALL, 1, 2);
    let lines = evaluation.lines();
    let (own, peers) = criteria::split(&lines);
    assert_eq!((own.name, peers.len()), (OWN, PEERS.len()));
    let first = peers[0];
    assert!(20.0 * own.false_alerts.value < first.false_alerts.value, "{own:#?} {first:#?}");
    assert!(own.lost.value < 1.03 * first.lost.value + 1.0, "{own:#?} {first:#?}");
    assert!((1.0..=MESSAGES_MAX).contains(&own.messages.value), "{own:#?}");
    let former = lines.iter().find(|line| line.name == FORMER).unwrap();
    assert!(own.false_alerts.value < former.false_alerts.value, "{own:#?} {former:#?}");
}

#[test]
fn policy_that_is_worse_in_both_is_not_on_the_frontier() {
    let good = Mean { value: 1.0, error: 0.1 };
    let bad = Mean { value: 9.0, error: 0.1 };
    let line = |name, false_alerts, lost, outage| Line {
        name,
        false_alerts,
        lost,
        outage,
        lost_p99: 0.0,
        outage_p99: 0.0,
        messages: good,
        lone: good,
        used_up: good,
    };
    let lines = [line("a", good, good, bad), line("b", bad, bad, bad), line("c", bad, good, good)];
    assert_eq!([0, 1, 2].map(|place| is_on_frontier(&lines[place], &lines)), [true, false, true]);
}

#[test]
fn document_agrees_with_the_code() {
    let document = include_str!("../../../docs/verdict-evaluation.md");
    assert!(document.starts_with(&introduction()), "run tests/run.sh evaluate");
    assert!(document.ends_with(&small()), "run tests/run.sh evaluate");
    // The first row of each table of policies is this project's.
    let heads = ["| policy |", "|---", "| **revalidated"];
    let lines: Vec<_> = document.lines().collect();
    let tables = lines.windows(3).filter(|three| three[0].starts_with(heads[0]));
    let tables: Vec<_> = tables.collect();
    assert!(!tables.is_empty());
    for table in tables {
        let is_like = |(line, head): (&&str, &str)| line.starts_with(head);
        assert!(table.iter().zip(heads).all(is_like), "{table:#?}");
    }
}

/// Number of seeds of each large world, unless the environment says another one.
const SEEDS: u64 = 8;

fn seeds() -> u64 {
    let found = std::env::vars().find(|(name, _)| name == "REVALIDATED_SEEDS");
    found.map_or(SEEDS, |(_, seeds)| seeds.parse().unwrap())
}

/// Writes a part of the document, which `tests/run.sh evaluate` puts together.
fn write(name: &str, text: &str) {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("target/evaluation");
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::write(folder.join(name), text).unwrap();
}

fn write_part(name: &str, part: &Part) {
    write(name, &part.text);
    let (file, plot) = &part.plot;
    write(file, plot);
}

#[test]
#[ignore = "a longer run: tests/run.sh evaluate"]
fn checks_every_five_minutes_meet_all_targets() {
    let part = five_minutes(seeds());
    write_part("1.md", &part);
    let missed: Vec<_> = part.targets.iter().filter(|one| !one.is_met).collect();
    assert!(missed.is_empty(), "{missed:#?}");
}

#[test]
#[ignore = "a longer run: tests/run.sh evaluate"]
fn hourly_checks_meet_all_targets() {
    let part = hour(seeds());
    write_part("2.md", &part);
    let missed: Vec<_> = part.targets.iter().filter(|one| !one.is_met).collect();
    assert!(missed.is_empty(), "{missed:#?}");
}

#[test]
#[ignore = "a longer run: tests/run.sh evaluate"]
fn other_worlds_meet_the_targets_too() {
    let only = std::env::vars().find(|(name, _)| name == "REVALIDATED_WORLD");
    let (text, missed) = others(only.as_ref().map(|(_, only)| only.as_str()));
    write("3.md", &text);
    assert!(missed.is_empty(), "{missed:#?}");
}

#[test]
#[ignore = "a longer run: tests/run.sh evaluate"]
fn past_of_an_integration_is_written() {
    write("4.md", &past());
}

#[test]
#[ignore = "part of a longer run: tests/run.sh evaluate"]
fn introduction_and_small_world_are_written() {
    write("0.md", &introduction());
    write("5.md", &small());
}
