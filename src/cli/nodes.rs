//! `nodes`: the daemons of the database, by name; and to drain one.

use anyhow::Context as _;

use super::args::{Global, NodeAction, NodeChange, Nodes};
use super::error::CommandError;
use super::print::{Answer, Column, Screen, Table, Tone, ago, counted, sanitise, tally, toned};
use super::read;
use crate::store::{Control, View, is_in_use};
use crate::view::{Liveness, Node, NodeState};

/// Lists the nodes of the database, or changes one.
pub(super) async fn answer(
    global: &Global,
    args: &Nodes,
    screen: Screen,
) -> Result<Answer, CommandError> {
    match &args.action {
        None => list(global, args, screen).await,
        Some(NodeAction::Drain(node)) => drain(global, node, true, screen).await,
        Some(NodeAction::Resume(node)) => drain(global, node, false, screen).await,
    }
}

/// Lets a node begin and send nothing more, or go on.
async fn drain(
    global: &Global,
    args: &NodeChange,
    is_draining: bool,
    screen: Screen,
) -> Result<Answer, CommandError> {
    let (name, change) = (&args.name, &args.change);
    let location = read::location(global, &change.source)?;
    if location.file().is_some() {
        let problem = "a file has one node: stop the daemon in its place".to_owned();
        return Err(CommandError::Usage(problem));
    }
    let mut control =
        Control::open(&location, &change.by.name()).await.context("opening the store")?;
    let is_known =
        control.drain(name, is_draining, screen.now).await.context("writing to the store")?;
    if !is_known {
        let nodes = View::open(&location).await.context("opening the store")?.nodes().await;
        let nodes = nodes.context("reading the store")?;
        let known: Vec<_> = nodes.iter().map(|node| node.identity.name.as_str()).collect();
        let problem =
            format!("no node is named {}; there are {}", sanitise(name), known.join(", "));
        return Err(CommandError::Usage(problem));
    }
    if change.form.json {
        return Ok(Answer::json(&Drained { node: name, is_draining })?);
    }
    let name = sanitise(name);
    Ok(Answer::good(if is_draining {
        format!("Node {name} begins and sends nothing more; `nodes` shows when it is drained.\n")
    } else {
        format!("Node {name} goes on.\n")
    }))
}

/// Outcome of a change, for programs.
#[derive(Debug, serde::Serialize)]
#[serde(rename_all = "camelCase")]
struct Drained<'a> {
    node: &'a str,
    #[serde(rename = "draining")]
    is_draining: bool,
}

async fn list(global: &Global, args: &Nodes, screen: Screen) -> Result<Answer, CommandError> {
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
        Column::whole("CONFIG").dropped(5),
        Column::whole("STARTED").dropped(2),
        Column::whole("ADDRESS").dropped(3),
        Column::whole("PROCESS").dropped(1),
        Column::whole("VERSION").dropped(4),
        Column::text("LABELS").dropped(6),
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
            node.generation.map_or_else(dash, |number| number.to_string()),
            node.started_at.map_or_else(dash, |at| screen.instant(Some(at))),
            optional(node.address),
            node.pid.map_or_else(dash, |pid| pid.to_string()),
            optional(node.version),
            optional(Some(&labels)),
        ]);
    }
    let states = tally(nodes.iter().map(|node| node.state.as_str()));
    let waiting = nodes.iter().filter_map(|node| Some((node.name, node.waits_for?)));
    let reasons = waiting.map(|(name, why)| format!("{}: {}.\n", sanitise(name), sanitise(why)));
    let reasons = reasons.collect::<Vec<_>>().concat();
    format!("{}\n{}: {states}.\n{reasons}", table.text(), counted(nodes.len(), "node"))
}

const fn tone(state: NodeState) -> Tone {
    match state {
        NodeState::Running => Tone::Good,
        NodeState::Standby => Tone::Caution,
        NodeState::Gone => Tone::Bad,
        NodeState::Draining | NodeState::Drained | NodeState::Stopped | NodeState::Unknown => {
            Tone::Quiet
        }
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
NAME     STATE    SEEN    CONFIG  STARTED               ADDRESS   PROCESS  VERSION  LABELS
a        running  2s ago  12      2026-11-23T09:00:00Z  10.0.0.5  812      0.1.0    region=eu
b\\u{1b}  gone     1h ago  -       2026-11-22T10:00:00Z  10.0.0.6  -        -        -

2 nodes: 1 gone, 1 running.
";
        assert_eq!(plain(&text(&shown, screen())), expected);
        let [mut waiting, _gone] = nodes;
        waiting.waits_for = Some("it waits".to_owned());
        let shown = [Node::new(&waiting, Liveness::Unknown)];
        let found = plain(&text(&shown, screen()));
        assert!(found.ends_with("\n\n1 node: 1 standby.\na: it waits.\n"), "{found}");
        assert_eq!(text(&[], screen()), "No node has used the database.\n");
    }
}
