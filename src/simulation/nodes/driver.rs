//! Executes a plan: lets the nodes go on side by side, a step at a time, and does to them what the plan says.

use std::sync::Arc;
use std::time::Duration;

use super::follower::Follower;
use super::judge;
use super::node::{BOOTED, Command, Life, Node};
use super::plan::{Action, Plan, Stop};
use super::server::Database;
use super::world::World;
use crate::domain::Timestamp;
use crate::simulation::faults::SECOND;
use crate::simulation::world::Trace;

/// Step of a world, in milliseconds: so far the clocks of nodes may differ.
const STEP_MS: i64 = 500;
/// Time between two looks at what is stored, in milliseconds.
const LOOK_MS: i64 = 5 * SECOND;
/// Time within which a failover that loses commits is noticed, in milliseconds.
const NOTICED_MS: i64 = 30 * SECOND;

/// Result of a plan that was executed.
pub(super) struct Outcome {
    /// Descriptions of broken rules.
    pub(super) violations: Vec<String>,
    /// Trace of everything that happened.
    pub(super) trace: Trace,
    /// Number of lives, runs and messages.
    pub(super) counts: [u64; 3],
}

/// Something that ends by itself.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Later {
    Start(usize),
    Resume(usize, Timestamp, Stop),
    JoinStore(usize),
    JoinRegion(usize),
    Files(usize),
    Epoch,
}

/// Executes a plan, on the runtime of the calling thread.
pub(super) fn live_through(plan: Plan) -> Outcome {
    let mut builder = tokio::runtime::Builder::new_current_thread();
    builder.enable_all().build().unwrap().block_on(Box::pin(lived(plan)))
}

async fn lived(plan: Plan) -> Outcome {
    let world = World::new(plan);
    let database = Database::create().await;
    let plan = &world.plan;
    let mut driver = Driver {
        world: Arc::clone(&world),
        database,
        nodes: plan.nodes.iter().map(|_| None).collect(),
        skews: vec![0; plan.nodes.len()],
        later: plan
            .nodes
            .iter()
            .enumerate()
            .map(|(node, _)| (plan.start, Later::Start(node)))
            .collect(),
        next: 0,
        now: plan.start,
        epoch: String::new(),
        lives: 0,
    };
    if let Some(sql) = judge::planted(plan.defect) {
        driver.database.run(sql).await;
    }
    driver.live().await;
    drop(std::mem::take(&mut driver.nodes));
    driver.database.delete().await;
    let state = &mut *world.state();
    let violations = std::mem::take(&mut state.books.violations);
    let [runs, messages] = state.books.counts;
    Outcome {
        violations,
        trace: std::mem::take(&mut state.trace),
        counts: [driver.lives, runs, messages],
    }
}

struct Driver {
    world: Arc<World>,
    database: Database,
    nodes: Vec<Option<Node>>,
    skews: Vec<i64>,
    later: Vec<(Timestamp, Later)>,
    /// Number of actions that have been taken.
    next: usize,
    now: Timestamp,
    /// Epoch of the database as it was last seen; empty before the first look.
    epoch: String,
    lives: u64,
}

impl Driver {
    async fn live(&mut self) {
        let world = Arc::clone(&self.world);
        let plan = &world.plan;
        let (mut look, mut is_calm) = (plan.start, false);
        let name = self.database.name().to_owned();
        let follower = plan.is_followed.then(|| Follower::start(name));
        while self.now < plan.end {
            if plan.calm <= self.now && !is_calm {
                is_calm = true;
                self.calm_down().await;
            }
            self.act().await;
            self.step().await;
            if look <= self.now {
                look = Timestamp(self.now.0 + LOOK_MS);
                self.look().await;
            } else if self.now.0 % 1000 == 0 && follower.is_none() {
                judge::follow(&self.database, &world).await;
            }
            if !world.state().books.violations.is_empty() {
                break;
            }
        }
        if let Some(follower) = follower {
            world.state().books.followed = follower.end();
        }
        if !world.state().books.violations.is_empty() {
            return;
        }
        judge::follow(&self.database, &world).await;
        let found = judge::conclude(&self.database, &world).await;
        world.state().books.violations.extend(found);
    }

    /// Lets all nodes go on by one step.
    async fn step(&mut self) {
        self.now = Timestamp(self.now.0 + STEP_MS);
        self.world.state().now = self.now;
        self.database.set_clock(self.now).await;
        let until = self.booted();
        let is_paused = |node: usize| self.world.state().books.nodes[node].paused_at.is_some();
        let awake: Vec<_> = (0..self.nodes.len()).filter(|node| !is_paused(*node)).collect();
        for node in awake.iter().filter_map(|node| self.nodes[*node].as_ref()) {
            node.go(until);
        }
        for number in awake {
            if self.nodes[number].as_ref().is_some_and(|node| !node.is_there()) {
                self.kill(number, SECOND);
            }
        }
    }

    fn booted(&self) -> Duration {
        let lived = self.now.0 - self.world.plan.start.0;
        BOOTED + Duration::from_millis(lived.unsigned_abs())
    }

    /// Looks at what is stored.
    async fn look(&mut self) {
        let world = Arc::clone(&self.world);
        if !world.plan.is_followed {
            judge::follow(&self.database, &world).await;
        }
        let overdue = judge::overdue(&self.database, &world, self.now).await;
        let epoch = judge::epoch(&self.database).await;
        let is_expected = self.later.iter().any(|(_, later)| *later == Later::Epoch);
        let state = &mut *world.state();
        if !overdue.is_empty() {
            state.books.violated(format!("no node runs {}", overdue.join(", ")));
        }
        if self.epoch != epoch && !self.epoch.is_empty() {
            state.note(self.now, format_args!("a new epoch"));
            if is_expected {
                self.later.retain(|(_, later)| *later != Later::Epoch);
            } else {
                state.books.violated("a new epoch although nothing was lost".to_owned());
            }
        }
        self.epoch = epoch;
    }

    /// Does what is due.
    async fn act(&mut self) {
        let now = self.now;
        let due: Vec<_> = self.later.iter().filter(|(at, _)| *at <= now).copied().collect();
        self.later.retain(|(at, _)| now < *at);
        for (_, later) in due {
            self.end(later);
        }
        let world = Arc::clone(&self.world);
        while let Some((at, action)) = world.plan.actions.get(self.next)
            && *at <= now
            && now < world.plan.calm
        {
            self.next += 1;
            self.world.state().note(now, format_args!("{action:?}"));
            self.begin(*action).await;
        }
    }

    fn after(&mut self, millis: i64, later: Later) {
        self.later.push((Timestamp(self.now.0 + millis), later));
    }

    fn disturb(&self, node: usize) {
        self.world.state().books.nodes[node].disturbed_at = self.now;
    }

    /// Begins an action of the plan.
    async fn begin(&mut self, action: Action) {
        let now = self.now;
        match action {
            Action::Kill(node, away) => self.kill(node, away),
            Action::Restart(node, away) => {
                if let Some(one) = &self.nodes[node] {
                    // Its thread ends by itself.
                    one.command(Command::Stop);
                    self.disturb(node);
                    self.after(away, Later::Start(node));
                }
            }
            Action::Pause(node, millis, stop) => {
                let is_free = self.world.state().books.nodes[node].paused_at.is_none();
                if self.nodes[node].is_some() && is_free {
                    let condition = &mut self.world.state().books.nodes[node];
                    (condition.paused_at, condition.disturbed_at) = (Some(now), now);
                    self.later.push((
                        Timestamp(now.0 + millis - millis % STEP_MS),
                        Later::Resume(node, now, stop),
                    ));
                }
            }
            Action::CutStore(node, millis) => {
                if let Some(one) = &self.nodes[node] {
                    one.cut(true);
                    self.after(millis, Later::JoinStore(node));
                    let condition = &mut self.world.state().books.nodes[node];
                    let since = condition.cut_at.unwrap_or(now);
                    (condition.cut_at, condition.disturbed_at) = (Some(since), now);
                }
            }
            Action::CutRegion(node, millis) => {
                self.world.state().cut_off[node] = true;
                self.disturb(node);
                self.after(millis, Later::JoinRegion(node));
            }
            Action::Skew(node, millis) => {
                let change = millis - self.skews[node];
                self.skews[node] = millis;
                if let Some(one) = &self.nodes[node] {
                    one.skew(change);
                }
            }
            Action::EndSessions => self.database.end_sessions().await,
            Action::Edit(node, apart) => self.edit(node, apart),
            Action::Detach => self.database.detach().await,
            Action::FailOver => {
                self.database.fail_over().await;
                self.database.set_clock(now).await;
                judge::forget(&self.database, &self.world).await;
                self.world.state().books.failed_over();
                (0..self.nodes.len()).for_each(|node| self.disturb(node));
                self.after(NOTICED_MS, Later::Epoch);
            }
        }
    }

    /// Changes the files of a node, and later those of the others.
    fn edit(&mut self, node: usize, apart: i64) {
        self.end(Later::Files(node));
        let others: Vec<_> = (0..self.nodes.len()).filter(|other| *other != node).collect();
        for (place, other) in others.into_iter().enumerate() {
            let place = i64::try_from(place + 1).unwrap();
            self.after(apart * place, Later::Files(other));
        }
    }

    /// Ends what has lasted.
    fn end(&mut self, later: Later) {
        let now = self.now;
        self.world.state().note(now, format_args!("{later:?}"));
        match later {
            Later::Start(node) => self.start(node),
            Later::Resume(node, since, stop) => {
                let is_same = self.world.state().books.nodes[node].paused_at == Some(since);
                if let Some(one) = self.nodes[node].as_ref().filter(|_| is_same) {
                    one.stood_still(Duration::from_millis((now.0 - since.0).unsigned_abs()), stop);
                    self.world.state().books.resumed(node, now);
                }
            }
            Later::JoinStore(node) => {
                if let Some(one) = &self.nodes[node] {
                    one.cut(false);
                }
                let condition = &mut self.world.state().books.nodes[node];
                (condition.cut_at, condition.disturbed_at) = (None, now);
            }
            Later::JoinRegion(node) => {
                self.world.state().cut_off[node] = false;
                self.disturb(node);
            }
            Later::Files(node) => {
                {
                    let state = &mut *self.world.state();
                    let newest = state.files.iter().copied().max().unwrap_or(0);
                    let is_first = state.files.iter().all(|files| *files == newest);
                    state.files[node] = if is_first { newest + 1 } else { newest };
                }
                (0..self.nodes.len()).for_each(|node| self.disturb(node));
                if let Some(one) = &self.nodes[node] {
                    one.command(Command::Reload);
                }
            }
            Later::Epoch => {
                let state = &mut *self.world.state();
                state.books.violated("no node has noticed that commits were lost".to_owned());
            }
        }
    }

    fn start(&mut self, number: usize) {
        if self.nodes[number].is_some() {
            return;
        }
        self.lives += 1;
        self.world.state().books.born(number, self.now);
        self.nodes[number] = Some(Node::start(Life {
            world: Arc::clone(&self.world),
            number,
            serial: self.lives,
            location: self.database.location(),
            booted: self.booted(),
            skew: self.skews[number],
        }));
    }

    /// Kills a node, which is started again later, unless that is planned already.
    fn kill(&mut self, node: usize, away: i64) {
        if self.nodes[node].take().is_none() {
            return;
        }
        self.world.state().books.died(node, self.now);
        let is_planned = self.later.iter().any(|(_, later)| *later == Later::Start(node));
        if !is_planned {
            self.after(away, Later::Start(node));
        }
    }

    /// Nothing goes wrong any more: what lasts ends, and all nodes have the same files.
    async fn calm_down(&mut self) {
        self.world.state().note(self.now, format_args!("all is calm"));
        let later = std::mem::take(&mut self.later);
        for (at, one) in later {
            match one {
                Later::Epoch => self.later.push((at, one)),
                Later::Files(_) => {}
                Later::Start(_)
                | Later::Resume(..)
                | Later::JoinStore(_)
                | Later::JoinRegion(_) => self.end(one),
            }
        }
        // Should no node work by the files in force any more, a person has to say which are to be.
        self.database.run("UPDATE revalidated.node SET publishes = TRUE").await;
        for node in 0..self.nodes.len() {
            let skew = std::mem::take(&mut self.skews[node]);
            if let Some(one) = &self.nodes[node] {
                one.skew(-skew);
            }
            let newest = self.world.state().files.iter().copied().max().unwrap_or(0);
            self.world.state().files[node] = newest;
            if let Some(one) = &self.nodes[node] {
                one.command(Command::Reload);
            }
        }
    }
}
