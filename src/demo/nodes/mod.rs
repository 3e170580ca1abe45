//! Demo of several nodes: daemons of this very program on one throw-away `PostgreSQL`, of which one is killed.
//!
//! Every line is a fact, as in the demo of one daemon: nodes are those that the database knows, the platform says which
//! of them asks, and the receiver counts what it has verified.

mod clusters;
mod files;
mod process;
mod server;
mod stage;
mod story;
mod tally;

use std::io::{self, Write};
use std::pin::pin;

use anyhow::{Context as _, ensure};

use self::files::INTEGRATIONS;
use self::server::Programs;
use self::stage::Stage;
use self::story::Story;
use super::folder::Folder;
use super::narrator::Narrator;
use super::serving;
use crate::daemon::{self, Clock};

/// Platform of the integrations.
const PLATFORM: &str = "Trino";

/// Plays the story of several nodes until Ctrl-C or, with `once`, until its end.
///
/// # Errors
///
/// Fails when `PostgreSQL` is not installed, when the set-up fails, and when something was lost.
pub(super) async fn play(count: u8, once: bool) -> anyhow::Result<()> {
    ensure!(
        cfg!(feature = "postgres") && crate::platforms::find(PLATFORM).is_some(),
        "the demo of several nodes needs PostgreSQL as a store and the platform {PLATFORM}; build this program with the \
         features `postgres` and `trino`"
    );
    let programs = Programs::find()?;
    let interrupted = serving::interrupt().context("signals cannot be received")?;
    let folder = Folder::create().context("no temporary folder can be created")?;
    let clock = Clock::default();
    let mut narrator = Narrator::new(anstream::stdout(), clock);
    let mut stage = Stage::set_up(&folder, clock).await.context("the demo cannot be set up")?;
    let ended = {
        let story =
            perform(&mut stage, &mut narrator, Props { folder: &folder, programs, count, once });
        let (mut story, mut interrupted) = (pin!(story), pin!(interrupted));
        tokio::select! {
            ended = &mut story => Some(ended),
            () = &mut interrupted => None,
        }
    };
    let said = match &ended {
        Some(_) => Ok(()),
        None => narrator.act("stopping"),
    };
    let stopped = stage.stop().await;
    let removed = folder.remove().context("the temporary folder cannot be removed");
    ended.unwrap_or(Ok(()))?;
    stopped.context("the nodes and their database cannot be stopped")?;
    removed?;
    said?;
    narrator.say("the nodes and PostgreSQL have stopped; nothing is left behind")?;
    Ok(())
}

/// Arguments of a performance.
struct Props<'a> {
    folder: &'a Folder,
    programs: Programs,
    count: u8,
    once: bool,
}

/// Starts the database and the nodes, and plays their story.
async fn perform<W: Write>(
    stage: &mut Stage,
    narrator: &mut Narrator<W>,
    props: Props<'_>,
) -> anyhow::Result<()> {
    narrator
        .head("Several daemons on one PostgreSQL; everything is temporary, and on this machine.")?;
    let server = stage.server.insert(props.programs.start(props.folder.path()).await?);
    for name in ('a'..='z').take(usize::from(props.count)) {
        let site = files::Site { name, page: serving::free_address().await? };
        let node = files::write(props.folder, &server.url, stage.addresses, site);
        stage.nodes.push(node.context("the demo's own configuration")?);
    }
    introduce(stage, narrator)?;
    for node in &mut stage.nodes {
        node.start()?;
    }
    let first = stage.nodes.first().context("there is no node")?;
    let settings =
        daemon::open(Some(&first.config)).context("the demo's own configuration")?.settings;
    let mut story = Story::new(stage, narrator);
    story.reach(&settings.store).await?;
    story.play().await?;
    if props.once { Ok(()) } else { story.go_on().await }
}

/// Prints what runs and where.
fn introduce<W: Write>(stage: &Stage, narrator: &mut Narrator<W>) -> io::Result<()> {
    let count = stage.nodes.len();
    let program = std::env::args().next().unwrap_or_else(|| "revalidated".to_owned());
    let nodes = stage.nodes.iter();
    let pages = nodes.map(|node| format!("  node {}: http://{}/\n", node.name, node.page));
    let pages = pages.collect::<Vec<_>>().concat();
    let config =
        stage.nodes.first().map(|node| node.config.display().to_string()).unwrap_or_default();
    narrator.head(format_args!(
            "  {count} nodes, each a process of this program, with the same {INTEGRATIONS} integrations of type {PLATFORM}, \
             validated every two seconds\n  1 receiver of signed webhooks\n\
             Look at their pages:\n{pages}\
             Look inside from another terminal: {program} nodes --config {config}\n\
             Ctrl-C stops everything.\n"
        ))
}
