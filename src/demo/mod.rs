//! Demo: the real daemon among small stand-in servers, with a receiver and a narrator.
//!
//! Every line is a fact: statuses are read from the daemon's database, and a webhook counts once the
//! receiver has verified its signature.

mod around;
mod folder;
mod narrator;
mod nodes;
mod receiver;
mod serving;
mod stand_in;
mod story;
mod watch;

use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::path::Path;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, bail, ensure};
use tokio::sync::mpsc;
use tokio::sync::watch::Receiver as Changes;
use tokio::task::JoinSet;
use tokio::time::{Instant, MissedTickBehavior};
use tokio_util::sync::CancellationToken;

use self::around::{Cluster, MISSING};
use self::folder::{Addresses, Folder};
use self::narrator::Narrator;
use self::receiver::Received;
use self::serving::{free_address, interrupt, listen};
use self::stand_in::StandIn;
use self::story::{Act, Fact, Story};
use self::watch::Watch;
use crate::config::Settings;
use crate::daemon::{self, Clock, Daemon};
use crate::domain::duration_text;
use crate::store::StoreError;

/// Platform that the demo validates.
const PLATFORM: &str = "Native S3";

/// Integrations, each named like its bucket; the first one is broken and repaired.
const CAST: [&str; 3] = ["demo-orders", "demo-customers", "demo-invoices"];

/// Access key that the stand-in accepts; it is not valid anywhere else.
const ACCESS_KEY_ID: &str = "AKIAREVALIDATEDDEMO1";

/// Time limit of the story, from start to recovery.
const STORY_MAX: Duration = Duration::from_mins(1);

/// Time limit for the daemon to stop.
const DRAIN_MAX: Duration = Duration::from_secs(20);

/// Interval at which the story goes on by itself.
const TICK: Duration = Duration::from_millis(200);

/// Log filter of the daemon: warnings, but not the changes that the demo shows itself, nor that its own configuration
/// speaks plain HTTP.
pub(crate) const LOG_FILTER: &str =
    "warn,revalidated::daemon::summary=error,revalidated::daemon::reload=error";

/// Options of the command line.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Options {
    /// True to stop after the recovery instead of running until Ctrl-C.
    pub(crate) once: bool,
    /// Nodes on one `PostgreSQL`, of which one is killed; none for the demo of a single daemon.
    pub(crate) nodes: Option<u8>,
}

/// Server of the page, which is made on a higher floor: it listens before the daemon starts, and answers afterwards.
pub(crate) trait PageServer {
    /// Guard that stops the server.
    type Serving;

    /// Listens where the settings say.
    ///
    /// # Errors
    ///
    /// Fails when an address cannot be listened at.
    async fn bind(settings: &Settings) -> anyhow::Result<Self>
    where
        Self: Sized;

    /// Answers from now on, with what the daemon knows.
    fn serve(self, daemon: &Daemon) -> Self::Serving;

    /// Stops within a moment.
    async fn stop(serving: Self::Serving);
}

/// Runs the demo until Ctrl-C, until its output is closed or, with `once`, until the recovery.
///
/// # Errors
///
/// Fails when the set-up fails, when the daemon stops by itself, and when the story takes longer than
/// a minute.
pub(crate) async fn demo<P: PageServer>(options: Options) -> anyhow::Result<()> {
    let unread = |error: &anyhow::Error| {
        let error = error.downcast_ref::<io::Error>();
        error.is_some_and(|error| error.kind() == io::ErrorKind::BrokenPipe)
    };
    let ended = match options.nodes {
        Some(count) => Box::pin(nodes::play(count, options.once)).await,
        None => Box::pin(play::<P>(options)).await,
    };
    match ended {
        Err(error) if unread(&error) => Ok(()),
        ended => ended,
    }
}

async fn play<P: PageServer>(options: Options) -> anyhow::Result<()> {
    ensure!(
        crate::platforms::find(PLATFORM).is_some(),
        "the demo needs the platform {PLATFORM}, which this binary was built without; build it with the feature `s3`"
    );
    let interrupted = interrupt().context("signals cannot be received")?;
    let folder = Folder::create().context("no temporary folder can be created")?;
    let clock = Clock::default();
    let mut stage = Stage::set_up(&folder, clock).await.context("the demo cannot be set up")?;
    let mut narrator = Narrator::new(anstream::stdout(), clock);
    introduce(&mut narrator, &folder.config(), stage.page)?;

    let stop = CancellationToken::new();
    let assembly = daemon::open(Some(&folder.config())).context("the demo's own configuration")?;
    let page = P::bind(&assembly.settings).await.context("the page cannot be served")?;
    let daemon = Daemon::start(assembly, None).await.context("the daemon did not start")?;
    let page = page.serve(&daemon);
    let silenced = around::silence(&folder.database().into(), clock.now()).await;
    silenced.context("nothing can be silenced")?;
    let (view, changes) = (daemon.view.clone(), daemon.changes.clone());
    let mut daemon = pin!(daemon.until(stop.cancelled()));
    let player = Player {
        narrator: &mut narrator,
        stage: &mut stage,
        story: Story::new(CAST[0], CAST.len() + around::clustered().len()),
        watch: Watch::new(view),
        changes,
        once: options.once,
    };
    tokio::select! {
        outcome = player.play(interrupted) => {
            stop.cancel();
            let ended = tokio::time::timeout(DRAIN_MAX, daemon).await;
            outcome?;
            ended.context("the daemon did not stop in time")?.context("the daemon failed while it stopped")?;
        }
        // Only a defect makes the daemon stop by itself.
        ended = &mut daemon => {
            ended.context("the daemon failed")?;
            ensure!(!options.once, "the daemon stopped before the story was over");
        }
    }
    P::stop(page).await;
    conclude(&mut narrator, folder)
}

/// Removes the folder and reports it.
fn conclude<W: io::Write>(narrator: &mut Narrator<W>, folder: Folder) -> anyhow::Result<()> {
    folder.remove().context("the temporary folder cannot be removed")?;
    narrator.say("the daemon has stopped; nothing is left behind")?;
    Ok(())
}

/// Prints what runs and where.
fn introduce<W: io::Write>(
    narrator: &mut Narrator<W>,
    config: &Path,
    page: SocketAddr,
) -> io::Result<()> {
    let config = config.display();
    let program = std::env::args().next().unwrap_or_else(|| "revalidated".to_owned());
    let count = CAST.len();
    narrator.head(format_args!(
        "A real daemon with a temporary database; everything else is a stand-in on 127.0.0.1.\n\
         Configuration: {config}\n  \
           {count} integrations of type {PLATFORM}, validated every two seconds ({}), and others on the page\n  \
           1 receiver of signed webhooks, subscribed to everything\n\
         Look at the page: http://{page}/\n\
         Look inside from another terminal: {program} top --config {config}\n\
         Ctrl-C stops it.\n",
        folder::SCHEDULE
    ))
}

/// Servers around the daemon, which stop when this value is dropped.
struct Stage {
    stand_in: Arc<StandIn>,
    cluster: Arc<Cluster>,
    /// Address of the page.
    page: SocketAddr,
    received: mpsc::Receiver<Received>,
    /// Tasks of the servers; never read, only dropped.
    _servers: JoinSet<io::Result<()>>,
}

impl Stage {
    async fn set_up(folder: &Folder, clock: Clock) -> io::Result<Self> {
        let secret = folder.write_secrets(clock.now())?;
        let buckets: Vec<_> = CAST.into_iter().chain([MISSING]).collect();
        let stand_in = StandIn::new(ACCESS_KEY_ID, &buckets);
        let (hooks, received) = receiver::open(&secret, clock);
        let (mut servers, cluster) = (JoinSet::new(), Arc::new(Cluster::default()));
        let addresses = Addresses {
            platform: listen(&mut servers, Arc::clone(&stand_in).router()).await?,
            receiver: listen(&mut servers, hooks).await?,
            cluster: listen(&mut servers, Arc::clone(&cluster).router()).await?,
            page: free_address().await?,
        };
        stand_in.set_missing(MISSING, true);
        folder.write_config(addresses, ACCESS_KEY_ID, &buckets)?;
        let page = addresses.page;
        Ok(Self { stand_in, cluster, page, received, _servers: servers })
    }
}

/// Loop of the demo: watches, narrates and advances the story.
struct Player<'a, W> {
    narrator: &'a mut Narrator<W>,
    stage: &'a mut Stage,
    story: Story,
    watch: Watch,
    /// Changes with every commit of the daemon.
    changes: Changes<i64>,
    once: bool,
}

impl<W: io::Write> Player<'_, W> {
    async fn play(mut self, interrupted: impl Future<Output = ()>) -> anyhow::Result<()> {
        let deadline = Instant::now() + STORY_MAX;
        let mut interrupted = pin!(interrupted);
        let mut tick = tokio::time::interval(TICK);
        tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            let received = tokio::select! {
                () = &mut interrupted => return self.interrupted(),
                Some(received) = self.stage.received.recv() => Some(received),
                Ok(()) = self.changes.changed() => None,
                _ = tick.tick() => None,
            };
            // Statuses first: a webhook is only sent after its status change is stored.
            let unread = self.show_changes().await?;
            if let Some(received) = received {
                self.show_webhook(&received)?;
            }
            while let Some(act) = self.story.step(Instant::now()) {
                self.perform(act)?;
                if act == Act::End && self.once {
                    return Ok(());
                }
            }
            if deadline <= Instant::now() {
                self.check_over(unread)?;
            }
        }
    }

    /// Fails when the story is not over, with the fact that it waits for.
    fn check_over(&self, unread: Option<StoreError>) -> anyhow::Result<()> {
        let Some(awaited) = self.story.waits_for() else { return Ok(()) };
        unread.map_or(Ok(()), Err).context("the daemon's database cannot be read")?;
        bail!("waited {} in vain for {awaited}", duration_text(STORY_MAX))
    }

    /// Shows the status changes; returns the error when the database cannot be read yet.
    async fn show_changes(&mut self) -> io::Result<Option<StoreError>> {
        let changes = match self.watch.changes().await {
            Ok(changes) => changes,
            Err(error) => return Ok(Some(error)),
        };
        for change in changes {
            if CAST.contains(&change.name.as_str()) {
                self.narrator.change(&change)?;
            } else if !around::clustered().contains(&change.name.as_str()) {
                continue;
            }
            self.story.note(Fact::Status(&change.name, change.to));
        }
        Ok(None)
    }

    fn show_webhook(&mut self, received: &Received) -> io::Result<()> {
        let about = received.body.as_ref().map(|body| body.data.integration.name.as_str());
        if about.is_ok_and(|name| !CAST.contains(&name)) {
            return Ok(());
        }
        self.narrator.webhook(received)?;
        if let Ok(body) = &received.body
            && let Ok(kind) = body.kind.parse()
        {
            self.story.note(Fact::Webhook(&body.data.integration.name, kind));
        }
        Ok(())
    }

    fn perform(&mut self, act: Act) -> io::Result<()> {
        let [victim, ..] = CAST;
        match act {
            Act::Announce => self
                .narrator
                .act("every integration is enabled; in a few seconds one of them breaks"),
            Act::Break => {
                self.stage.cluster.stop();
                self.stage.stand_in.set_missing(victim, true);
                self.narrator.act(format_args!(">>> the bucket {victim} disappears"))
            }
            Act::Witness => self.narrator.act(
                "the status changed and the receiver was notified; in a few seconds it is repaired",
            ),
            Act::Repair => {
                self.stage.stand_in.set_missing(victim, false);
                self.narrator.act(format_args!(">>> the bucket {victim} is back"))
            }
            Act::End => self.end(),
        }
    }

    fn end(&mut self) -> io::Result<()> {
        let (reads, writes) = self.stage.stand_in.requests();
        self.narrator.act(format_args!(
            "that was the whole story; the stand-in got {reads} reading and {writes} writing requests"
        ))?;
        if self.once {
            return Ok(());
        }
        self.narrator.act(format_args!(
            "the daemon runs on until Ctrl-C; http://{}/ shows the outage of a cluster as well",
            self.stage.page
        ))
    }

    fn interrupted(&mut self) -> anyhow::Result<()> {
        self.narrator.act("stopping")?;
        match self.story.waits_for() {
            Some(awaited) if self.once => bail!("interrupted while waiting for {awaited}"),
            _ => Ok(()),
        }
    }
}
