//! Demo: the real daemon among small stand-in servers, with a receiver and a narrator.
//!
//! Every line is a fact: statuses are read from the daemon's database, and a webhook counts once the
//! receiver has verified its signature.

mod folder;
mod narrator;
mod receiver;
mod stand_in;
mod story;
mod watch;

use std::future::Future;
use std::io;
use std::net::Ipv4Addr;
use std::path::Path;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, bail, ensure};
use axum::Router;
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::mpsc;
use tokio::sync::watch::Receiver as Changes;
use tokio::task::JoinSet;
use tokio::time::{Instant, MissedTickBehavior};
use tokio_util::sync::CancellationToken;

use self::folder::{Addresses, Folder};
use self::narrator::Narrator;
use self::receiver::Received;
use self::stand_in::StandIn;
use self::story::{Act, Fact, Story};
use self::watch::Watch;
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

/// Log filter of the daemon: warnings, but not the changes that the demo shows itself.
pub(crate) const LOG_FILTER: &str = "warn,revalidated::daemon::validate=error";

/// Options of the command line.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Options {
    /// True to stop after the recovery instead of running until Ctrl-C.
    pub(crate) once: bool,
}

/// Runs the demo until Ctrl-C, until its output is closed or, with `once`, until the recovery.
///
/// # Errors
///
/// Fails when the set-up fails, when the daemon stops by itself, and when the story takes longer than
/// a minute.
pub(crate) async fn demo(options: Options) -> anyhow::Result<()> {
    let unread = |error: &anyhow::Error| {
        let error = error.downcast_ref::<io::Error>();
        error.is_some_and(|error| error.kind() == io::ErrorKind::BrokenPipe)
    };
    match play(options).await {
        Err(error) if unread(&error) => Ok(()),
        ended => ended,
    }
}

async fn play(options: Options) -> anyhow::Result<()> {
    ensure!(
        crate::platforms::find(PLATFORM).is_some(),
        "the demo needs the platform {PLATFORM}, which this binary was built without; build it with the feature `s3`"
    );
    let interrupted = interrupt().context("signals cannot be received")?;
    let folder = Folder::create().context("no temporary folder can be created")?;
    let clock = Clock::default();
    let mut stage = Stage::set_up(&folder, clock).await.context("the demo cannot be set up")?;
    let mut narrator = Narrator::new(anstream::stdout(), clock);
    introduce(&mut narrator, &folder.config())?;

    let stop = CancellationToken::new();
    let assembly = daemon::open(Some(&folder.config())).context("the demo's own configuration")?;
    let daemon = Daemon::start(assembly, None).await.context("the daemon did not start")?;
    let (view, changes) = (daemon.view.clone(), daemon.changes.clone());
    let mut daemon = pin!(daemon.until(stop.cancelled()));
    let player = Player {
        narrator: &mut narrator,
        stage: &mut stage,
        story: Story::new(CAST[0], CAST.len()),
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
    conclude(&mut narrator, folder)
}

/// Removes the folder and reports it.
fn conclude<W: io::Write>(narrator: &mut Narrator<W>, folder: Folder) -> anyhow::Result<()> {
    folder.remove().context("the temporary folder cannot be removed")?;
    narrator.say("the daemon has stopped; nothing is left behind")?;
    Ok(())
}

/// Prints what runs and where.
fn introduce<W: io::Write>(narrator: &mut Narrator<W>, config: &Path) -> io::Result<()> {
    let config = config.display();
    let program = std::env::args().next().unwrap_or_else(|| "revalidated".to_owned());
    let count = CAST.len();
    narrator.head(format_args!(
        "A real daemon with a temporary database; everything else is a stand-in on 127.0.0.1.\n\
         Configuration: {config}\n  \
           {count} integrations of type {PLATFORM}, validated every two seconds ({})\n  \
           1 receiver of signed webhooks, subscribed to everything\n\
         Look inside from another terminal: {program} list --config {config}\n\
         Ctrl-C stops it.\n",
        folder::SCHEDULE
    ))
}

/// Servers around the daemon, which stop when this value is dropped.
struct Stage {
    stand_in: Arc<StandIn>,
    received: mpsc::Receiver<Received>,
    /// Tasks of the servers; never read, only dropped.
    _servers: JoinSet<io::Result<()>>,
}

impl Stage {
    async fn set_up(folder: &Folder, clock: Clock) -> io::Result<Self> {
        let secret = folder.write_secrets()?;
        let stand_in = StandIn::new(ACCESS_KEY_ID, &CAST);
        let (hooks, received) = receiver::open(&secret, clock);
        let mut servers = JoinSet::new();
        let addresses = Addresses {
            platform: listen(&mut servers, Arc::clone(&stand_in).router()).await?,
            receiver: listen(&mut servers, hooks).await?,
        };
        folder.write_config(addresses, ACCESS_KEY_ID, &CAST)?;
        Ok(Self { stand_in, received, _servers: servers })
    }
}

/// Serves `router` on a free port of the loopback interface.
async fn listen(
    servers: &mut JoinSet<io::Result<()>>,
    router: Router,
) -> io::Result<std::net::SocketAddr> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
    let address = listener.local_addr()?;
    servers.spawn(async move { axum::serve(listener, router).await });
    Ok(address)
}

/// Returns a future that resolves at the first Ctrl-C, SIGTERM or SIGHUP after this call.
fn interrupt() -> io::Result<impl Future<Output = ()>> {
    let (mut int, mut term) = (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
    let mut hangup = signal(SignalKind::hangup())?;
    Ok(async move {
        tokio::select! {
            _ = int.recv() => {}
            _ = term.recv() => {}
            _ = hangup.recv() => {}
        }
    })
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
            self.narrator.change(&change)?;
            self.story.note(Fact::Status(&change.name, change.to));
        }
        Ok(None)
    }

    fn show_webhook(&mut self, received: &Received) -> io::Result<()> {
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
        if self.once { Ok(()) } else { self.narrator.act("the daemon runs on until Ctrl-C") }
    }

    fn interrupted(&mut self) -> anyhow::Result<()> {
        self.narrator.act("stopping")?;
        match self.story.waits_for() {
            Some(awaited) if self.once => bail!("interrupted while waiting for {awaited}"),
            _ => Ok(()),
        }
    }
}
