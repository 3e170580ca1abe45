//! Tests of a small evaluation, which must show the same as the large one.

use super::report::{document, introduction};
use super::scene::{OFTEN, RUN_MS};
use super::*;
use crate::simulation::faults::{HOUR, MINUTE, SECOND};

/// One host, on which much happens in a day.
const SMALL: Scene = Scene {
    hosts: 1,
    on_each: 25,
    days: 1,
    blips: 48,
    losses: 2,
    outages: 2,
    lasting_ms: (20 * MINUTE, 2 * HOUR),
    ..OFTEN
};
/// Mean number of messages of an outage at most: its start, its end, and at times one about one of the 25
/// integrations.
const MESSAGES_MAX: f64 = 4.0;

#[test]
fn no_peer_has_both_fewer_false_alerts_and_a_faster_detection() {
    let evaluation = Evaluation::of(SMALL, 2);
    let lines = evaluation.lines();
    let (own, peers) = lines.split_first().unwrap();
    assert_eq!((own.name, peers.len()), (OWN, PEERS.len()));
    assert!(is_on_frontier(own, &lines), "{lines:#?}");
    for peer in peers {
        assert!(own.lost.value < peer.lost.value + 1.0, "{own:#?} {peer:#?}");
    }
    let first = &peers[0];
    assert!(10.0 * own.false_alerts.value < first.false_alerts.value, "{own:#?} {first:#?}");
    // A permission is found lost within one period, its spread and the run.
    let bound = SMALL.interval_ms + SMALL.interval_ms / 10 + RUN_MS + SECOND;
    let bound = f64::from(u32::try_from(bound / SECOND).unwrap());
    let (_, measured) = &evaluation.policies[0];
    let longest = measured.iter().flat_map(|one| &one.lost_secs).copied().fold(0.0, f64::max);
    assert!((1.0..=bound).contains(&longest), "{longest} s, and {bound} s at most");
    assert!((1.0..=MESSAGES_MAX).contains(&own.messages.value), "{own:#?}");
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
    };
    let lines = [line("a", good, good, bad), line("b", bad, bad, bad), line("c", bad, good, good)];
    assert_eq!([0, 1, 2].map(|place| is_on_frontier(&lines[place], &lines)), [true, false, true]);
}

#[test]
fn document_agrees_with_the_code() {
    let document = include_str!("../../../docs/verdict-evaluation.md");
    assert!(document.starts_with(&introduction()), "run tests/run.sh evaluate");
    let rows = document.lines().filter(|line| line.starts_with("| **revalidated"));
    let rows: Vec<_> = rows.collect();
    assert_eq!(rows.len(), 2);
    for row in rows {
        assert!(row.ends_with("| yes |"), "{row}");
    }
}

#[test]
#[ignore = "a longer run: tests/run.sh evaluate"]
fn document_is_written() {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    std::fs::write(root.join("target/verdict-evaluation.md"), document()).unwrap();
}
