//! `nodes`: the daemons of the database, by name.

use anyhow::Context as _;

use super::args::{Global, Nodes};
use super::error::CommandError;
use super::print::{Answer, Column, Screen, Table, Tone, ago, counted, sanitise, tally, toned};
use super::read;
use crate::store::{View, is_in_use};
use crate::view::{Liveness, Node, NodeState};

/// Lists the nodes of the database.
pub(super) async fn answer(
    global: &Global,
    args: &Nodes,
    screen: Screen,
) -> Result<Answer, CommandError> {
    let location = read::location(global, &args.source)?;
    // Before the database is opened: see there.
    let liveness = Liveness::from(is_in_use(&location).await);
    let view = View::open(&location).await.context("opening the store")?;
    let nodes = view.nodes().await.context("reading the store")?;
    let nodes: Vec<_> = nodes.iter().map(|node| Node::new(node, liveness)).collect();
    if args.form.json {
        return Ok(Answer::json(&nodes)?);
    }
    Ok(Answer::good(text(&nodes, screen)))
}

fn text(nodes: &[Node<'_>], screen: Screen) -> String {
    if nodes.is_empty() {
        return "No node has used the database.\n".to_owned();
    }
    let columns = [
        Column::name("NAME"),
        Column::whole("STATE"),
        Column::whole("SEEN"),
        Column::whole("STARTED").dropped(2),
        Column::whole("ADDRESS").dropped(3),
        Column::whole("PROCESS").dropped(1),
        Column::whole("VERSION").dropped(4),
        Column::text("LABELS").dropped(5),
    ];
    let mut table = Table::new(screen, columns);
    let dash = || toned("-", Tone::Quiet);
    for node in nodes {
        let labels = node.labels.iter().map(|(name, value)| format!("{name}={value}"));
        let labels = labels.collect::<Vec<_>>().join(" ");
        let optional = |text: Option<&str>| {
            text.filter(|text| !text.is_empty())
                .map_or_else(dash, |text| sanitise(text).into_owned())
        };
        table.row([
            sanitise(node.name).into_owned(),
            toned(node.state.as_str(), tone(node.state)),
            node.seen_at.map_or_else(dash, |at| ago(screen.now, at)),
            node.started_at.map_or_else(dash, |at| screen.instant(Some(at))),
            optional(node.address),
            node.pid.map_or_else(dash, |pid| pid.to_string()),
            optional(node.version),
            optional(Some(&labels)),
        ]);
    }
    let states = tally(nodes.iter().map(|node| node.state.as_str()));
    format!("{}\n{}: {states}.\n", table.text(), counted(nodes.len(), "node"))
}

const fn tone(state: NodeState) -> Tone {
    match state {
        NodeState::Running => Tone::Good,
        NodeState::Gone => Tone::Bad,
        NodeState::Stopped | NodeState::Unknown => Tone::Quiet,
    }
}

#[cfg(test)]
mod tests {
    use super::super::samples::{nodes, plain, screen};
    use super::*;

    #[test]
    fn each_node_is_a_line_and_the_last_line_counts() {
        let nodes = nodes();
        let shown: Vec<_> = nodes.iter().map(|node| Node::new(node, Liveness::Unknown)).collect();
        let expected = "\
NAME     STATE    SEEN    STARTED               ADDRESS   PROCESS  VERSION  LABELS
a        running  2s ago  2026-11-23T09:00:00Z  10.0.0.5  812      0.1.0    region=eu
b\\u{1b}  gone     1h ago  2026-11-22T10:00:00Z  10.0.0.6  -        -        -

2 nodes: 1 gone, 1 running.
";
        assert_eq!(plain(&text(&shown, screen())), expected);
        assert_eq!(text(&[], screen()), "No node has used the database.\n");
    }
}
