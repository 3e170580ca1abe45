//! Story of the nodes: the platform changes, a node is killed meanwhile, and the receiver counts.

use std::io::{self, Write};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, bail, ensure};
use tokio::time::{Instant, timeout};

use super::super::narrator::Narrator;
use super::super::receiver::Received;
use super::files::{self, AWAY, INTEGRATIONS};
use super::process::Process;
use super::stage::Stage;
use super::tally::Tally;
use crate::domain::{Location, Status, duration_text};
use crate::store::{PAGE_MAX, Page, View};

/// Clusters that break before a node is killed.
const BROKEN_FIRST: usize = 2;
/// Time limit for what the story waits for.
const FACT_MAX: Duration = Duration::from_mins(1);
/// Time for which each state lasts, so that a person can follow.
const PAUSE: Duration = Duration::from_secs(3);
/// Interval at which facts are read.
const TICK: Duration = Duration::from_millis(100);
/// Time between two changes of the clusters once the story is over.
const CHANGE: Duration = Duration::from_secs(5);

/// Facts that were read from the database.
#[derive(Debug, Default)]
struct Facts {
    /// Number of the nodes that are at work.
    running: usize,
    /// Integrations whose status is `enabled`.
    enabled: usize,
}

/// Story of the nodes, as it goes on.
pub(super) struct Story<'a, W> {
    stage: &'a mut Stage,
    narrator: &'a mut Narrator<W>,
    view: Option<View>,
}

impl<'a, W: Write> Story<'a, W> {
    /// Returns a story that has not begun.
    pub(super) const fn new(stage: &'a mut Stage, narrator: &'a mut Narrator<W>) -> Self {
        Self { stage, narrator, view: None }
    }

    /// Waits until the database can be read.
    pub(super) async fn reach(&mut self, store: &Location) -> anyhow::Result<()> {
        let deadline = Instant::now() + FACT_MAX;
        loop {
            match View::open(store).await {
                Ok(view) => {
                    self.view = Some(view);
                    return Ok(());
                }
                Err(error) if deadline <= Instant::now() => {
                    return Err(error).context("the demo's database cannot be read");
                }
                Err(_not_made_yet) => {}
            }
            self.look().await?;
        }
    }

    /// Plays it to its end.
    pub(super) async fn play(&mut self) -> anyhow::Result<()> {
        let all = self.stage.nodes.len();
        self.until("every node to run", |facts, _| facts.running == all).await?;
        self.narrator.act(format_args!("{all} nodes are running"))?;
        self.until("every integration to be enabled", |facts, _| facts.enabled == INTEGRATIONS)
            .await?;
        self.narrator
            .act(format_args!("every integration is enabled; runs so far: {}", self.runs()))?;
        self.pause(PAUSE).await?;
        let first: Vec<_> = files::integrations().take(BROKEN_FIRST).collect();
        self.narrator.act(format_args!(">>> the catalogs of {} disappear", first.join(" and ")))?;
        self.change(&first, true).await?;
        let mut broken = self.kill().await?;
        let killed_at = Instant::now();
        broken.retain(|name| !first.contains(name));
        self.set(&first, false);
        self.set(&broken, true);
        self.take_over(killed_at).await?;
        self.awaited().await?;
        self.narrator
            .act(">>> every catalog is back, and the node that was killed is started again")?;
        self.set(&broken, false);
        for node in self.stage.nodes.iter_mut().filter(|node| node.process.is_none()) {
            node.start()?;
        }
        self.awaited().await?;
        self.until("the node to run again", |facts, _| facts.running == all).await?;
        self.end()
    }

    /// Kills the node that has most runs under way; returns the integrations that it was validating.
    async fn kill(&mut self) -> anyhow::Result<Vec<String>> {
        let clusters = Arc::clone(&self.stage.clusters);
        self.until("a run that is under way", |_, _| clusters.busiest().is_some()).await?;
        let (name, left) = clusters.busiest().context("no run is under way")?;
        let node = self.stage.nodes.iter_mut().find(|node| node.name.to_string() == name);
        let process = node.and_then(|node| node.process.take()).context("an unknown node asks")?;
        let id = process.id();
        process.kill().context("a node cannot be killed")?;
        clusters.leave(&name, &left);
        self.narrator.act(format_args!(
            ">>> node {name} is killed (kill -9 {id}) while it validates {}; just then their catalogs change as well",
            left.join(", ")
        ))?;
        Ok(left)
    }

    /// Waits until other nodes have begun what the killed one had under way, and says how long that took.
    async fn take_over(&mut self, killed_at: Instant) -> anyhow::Result<()> {
        let clusters = Arc::clone(&self.stage.clusters);
        self.until("others to take the runs over", |_, _| clusters.taken_over().is_some()).await?;
        for (cluster, taken) in clusters.taken_over().into_iter().flatten() {
            let after = taken.at.saturating_duration_since(killed_at).as_millis();
            let (seconds, tenths) = (after / 1000, after % 1000 / 100);
            self.narrator.act(format_args!(
                "node {} validates {cluster}, {seconds}.{tenths} s after the kill",
                taken.by
            ))?;
        }
        Ok(())
    }

    fn end(&mut self) -> anyhow::Result<()> {
        let (verdict, overlaps) =
            (self.stage.tally.verdict(self.stage.changes), self.stage.clusters.overlaps());
        let (messages, repeats) = (self.stage.tally.messages, self.stage.tally.repeats);
        self.narrator.act(format_args!(
            "that was the whole story, with {messages} messages ({repeats} sent again): {verdict}; {overlaps} runs of one \
             integration at the same time; runs: {}",
            self.runs()
        ))?;
        ensure!(verdict.is_good() && overlaps == 0, "this must not be: please report it");
        Ok(())
    }

    /// Breaks and repairs clusters in turn, and starts nodes again that a person has killed, until Ctrl-C.
    pub(super) async fn go_on(&mut self) -> anyhow::Result<()> {
        let ids: Vec<_> = self
            .stage
            .nodes
            .iter()
            .filter_map(|node| node.process.as_ref())
            .map(Process::id)
            .collect();
        let ids: Vec<_> = ids.iter().map(u32::to_string).collect();
        self.narrator.act(format_args!(
            "it goes on until Ctrl-C: kill any node yourself, with kill -9 and one of {}",
            ids.join(", ")
        ))?;
        for round in 0_usize.. {
            let name = files::integrations()
                .nth(round / 2 % INTEGRATIONS)
                .context("there is no integration")?;
            self.change(&[name], round.is_multiple_of(2)).await?;
            self.pause(CHANGE).await?;
            let verdict = self.stage.tally.verdict(self.stage.changes);
            self.narrator.say(format_args!("so far: {verdict}; runs: {}", self.runs()))?;
        }
        Ok(())
    }

    /// Breaks or repairs clusters, and waits until the receiver knows.
    async fn change(&mut self, names: &[String], is_broken: bool) -> anyhow::Result<()> {
        self.set(names, is_broken);
        self.awaited().await
    }

    fn set(&mut self, names: &[String], is_broken: bool) {
        for name in names {
            self.stage.clusters.set_broken(name, is_broken);
            self.stage.changes += 1;
        }
    }

    /// Waits until the receiver has a message about each change.
    async fn awaited(&mut self) -> anyhow::Result<()> {
        let changes = self.stage.changes;
        self.until("a webhook for each change", |_, tally| changes <= tally.messages).await
    }

    fn runs(&self) -> String {
        let runs = self.stage.clusters.runs();
        runs.into_iter().map(|(node, runs)| format!("{node} {runs}")).collect::<Vec<_>>().join(", ")
    }

    async fn until(
        &mut self,
        what: &str,
        is_there: impl Fn(&Facts, &Tally) -> bool,
    ) -> anyhow::Result<()> {
        let deadline = Instant::now() + FACT_MAX;
        loop {
            let facts = self.look().await?;
            if is_there(&facts, &self.stage.tally) {
                return Ok(());
            }
            if deadline <= Instant::now() {
                bail!("waited {} in vain for {what}", duration_text(FACT_MAX));
            }
        }
    }

    async fn pause(&mut self, time: Duration) -> anyhow::Result<()> {
        let end = Instant::now() + time;
        while Instant::now() < end {
            self.look().await?;
        }
        Ok(())
    }

    /// Shows what was received within a moment, looks after the nodes, and returns the facts then.
    async fn look(&mut self) -> anyhow::Result<Facts> {
        let end = Instant::now() + TICK;
        while let Ok(Some(received)) =
            timeout(end.saturating_duration_since(Instant::now()), self.stage.received.recv()).await
        {
            self.show(&received)?;
        }
        for node in &mut self.stage.nodes {
            if let Some(status) = node.look_after()? {
                let name = node.name;
                self.narrator.act(format_args!(
                    "node {name} has ended ({status}); it is started again after {}",
                    duration_text(AWAY)
                ))?;
            }
        }
        Ok(self.facts().await)
    }

    /// Reads the facts; while the database cannot be read there are none.
    async fn facts(&self) -> Facts {
        let Some(view) = &self.view else { return Facts::default() };
        let (nodes, rows) = tokio::join!(view.nodes(), view.integrations(Page::first(PAGE_MAX)));
        let running = nodes
            .into_iter()
            .flatten()
            .filter(|node| node.is_alive == Some(true) && node.waits_for.is_none());
        let rows = rows.into_iter().flat_map(|page| page.rows);
        Facts {
            running: running.count(),
            enabled: rows.filter(|row| row.status == Status::Enabled).count(),
        }
    }

    fn show(&mut self, received: &Received) -> io::Result<()> {
        match &received.body {
            Ok(body) => {
                let data = &body.data;
                self.stage.tally.note(&data.integration.name, &received.id, data.sequence);
            }
            Err(_refusal) => self.stage.tally.refused += 1,
        }
        self.narrator.webhook(received)
    }
}
