//! Writes the results for people: `docs/verdict-evaluation.md`.

use std::fmt::Write;

use super::peers::PEERS;
use super::scene::{HOURLY, OFTEN, RUN_MS, Scene, WORTH_MS};
use super::{Evaluation, Line, Mean, OWN, is_on_frontier};
use crate::simulation::faults::{MINUTE, SECOND};

/// Number of seeds that the document is made from.
pub(super) const SEEDS: u64 = 4;

/// Returns the part of the document before the tables.
pub(super) fn introduction() -> String {
    let mut text = format!(
        "# How well the default policy decides\n\n\
         Written by `tests/run.sh evaluate`; a test checks that it agrees with the code.\n\n\
         A verdict is wrong in two ways: it raises a false alert, or it comes late. Both are\n\
         measured here for the default policy and for those of others, over the same faults. The first row\n\
         comes from the daemon itself in its simulation (`src/simulation`): its planner, store, verdicts and\n\
         outbox, and a receiver with the default events. The others are their rules, over the same answers.\n\n\
         ## Policies\n\n\
         - {OWN}: the [rule of evidence](verdicts.md#the-rule). Failures of one host are one message.\n",
    );
    for peer in PEERS {
        writeln!(text, "- {}: {}.", peer.name, peer.source).unwrap();
    }
    world(&mut text);
    text
}

fn world(text: &mut String) {
    let Scene { hosts, on_each, blips, throttled, lasting_ms, .. } = OFTEN;
    let (least, longest) = lasting_ms;
    let lasting = |scene: &Scene| {
        let Scene { losses, outages, days, .. } = scene;
        format!(
            "{losses} lost permissions of each integration and {outages} outages of each host in {days} days"
        )
    };
    write!(
        text,
        "\n## World\n\n\
         - {} integrations, {on_each} on each of {hosts} hosts; a run takes {} s.\n\
         - Blips: {blips} a day and integration, 30 s on average with as many short ones as decay gives, all\n  \
           shorter than {} min; connections fail.\n\
         - Throttling: {throttled} times a day and host, 15 min each, a quarter of the answers.\n\
         - Lost permissions and outages of hosts, {} to {} min each, short ones more often: {} where checks are\n  \
           frequent, {} where they are hourly.\n\n\
         A **false alert** is a message about a failure while none of these lasting faults was there. **Detection**\n\
         is the time from the fault to the message; a fault without a message counts with all of its time.\n\
         **Messages** are those about the integrations of a host from the beginning of its outage until all\n\
         must have been found healthy. ± is the standard error over {SEEDS} seeds, p99 is over all of them.\n\
         **Frontier**: no other policy has both fewer false alerts and a faster detection, of lost permissions\n\
         or of outages, by more than two standard errors.\n",
        hosts * on_each,
        RUN_MS / SECOND,
        WORTH_MS / MINUTE,
        least / MINUTE,
        longest / MINUTE,
        lasting(&OFTEN),
        lasting(&HOURLY),
    )
    .unwrap();
}

fn shown(mean: Mean, digits: usize) -> String {
    format!("{:.digits$} ± {:.digits$}", mean.value, mean.error)
}

/// Returns the table of an evaluation.
pub(super) fn table(evaluation: &Evaluation) -> String {
    let lines = evaluation.lines();
    let mut text =
        "| policy | false alerts per integration-year | lost permission: mean, s | p99, s | \
        outage: mean, s | p99, s | messages per outage | frontier |\n\
        |---|---|---|---|---|---|---|---|\n"
            .to_owned();
    for line in &lines {
        let Line { name, false_alerts, lost, lost_p99, outage, outage_p99, messages } = line;
        let frontier = if is_on_frontier(line, &lines) { "yes" } else { "no" };
        writeln!(
            text,
            "| {name} | {} | {} | {lost_p99:.0} | {} | {outage_p99:.0} | {} | {frontier} |",
            shown(*false_alerts, 1),
            shown(*lost, 0),
            shown(*outage, 0),
            shown(*messages, 1),
        )
        .unwrap();
    }
    text
}

/// Returns the whole document, after simulating all its worlds.
pub(super) fn document() -> String {
    let mut text = introduction();
    for (title, scene) in [("every five minutes", OFTEN), ("every hour", HOURLY)] {
        let table = table(&Evaluation::of(scene, SEEDS));
        write!(text, "\n## Checks {title}, {} days\n\n{table}", scene.days).unwrap();
    }
    text
}
