//! Executes a plan: starts the daemon, applies the plan's actions to it, and starts it again.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use serde_json::json;
use tokio::time::{Instant, sleep, sleep_until};

use super::bounds;
use super::checker::LATE_MAX_MS;
use super::faults::{MINUTE, SECOND};
use super::plan::{Action, Change, Plan, Spec, Team};
use super::rules::Wants;
use super::world::{Listener, PLATFORM, Platform, TIMEOUT_MS, Trace, World};
use crate::config;
use crate::daemon::{Assembled, Assembly, Running};
use crate::domain::{CommonChecks, Pool, RemovalsMax, Timestamp};
use crate::input::{Faults, Reader, Value};
use crate::platforms::Validator;
use crate::store::{Memory, Wanted};
use crate::webhook::{Receiver, Wire};

/// Result of a plan that was executed.
pub(super) struct Outcome {
    /// Descriptions of broken rules.
    pub(super) violations: Vec<String>,
    /// Trace of everything that happened.
    pub(super) trace: Trace,
    /// The world at its end.
    pub(super) world: Arc<World>,
    /// Number of times that the daemon was started.
    pub(super) lives: u32,
}

/// Number of starts in a plan beyond which the daemon is taken for one that cannot start.
const STARTS_MAX: u32 = 500;

/// End of one life of the daemon.
enum End {
    /// It is started again so many milliseconds later.
    Away(i64),
    /// The plan has come to its end.
    Over,
}

/// Executes `plan`; the SQL of `spoil` is applied to the database in the middle of it.
pub(super) fn live_through(plan: Plan, spoil: Option<&str>) -> Outcome {
    let world = World::new(plan);
    let memory = Memory::new();
    let mut driver = Driver { world: Arc::clone(&world), memory, next: 0, spoil, until: None };
    let mut lives = 0;
    loop {
        lives += 1;
        let mut builder = tokio::runtime::Builder::new_current_thread();
        let runtime = builder.enable_time().start_paused(true).build().unwrap();
        let end = runtime.block_on(driver.life());
        drop(runtime);
        let mut state = world.state();
        state.checker.died();
        if STARTS_MAX < lives {
            state.checker.violated("the daemon does not start any more".to_owned());
        }
        if matches!(end, End::Over) || !state.checker.violations.is_empty() {
            let violations = std::mem::take(&mut state.checker.violations);
            let trace = std::mem::take(&mut state.trace);
            drop(state);
            return Outcome { violations, trace, world, lives };
        }
    }
}

struct Driver<'a> {
    world: Arc<World>,
    memory: Memory,
    /// Number of actions that have been taken.
    next: usize,
    spoil: Option<&'a str>,
    /// The last instant, once all is calm.
    until: Option<Timestamp>,
}

impl Driver<'_> {
    /// Runs one life of the daemon, on a runtime of its own.
    async fn life(&mut self) -> End {
        let clock = {
            let state = &mut *self.world.state();
            let clock = state.time.begin();
            let now = state.time.now();
            state.checker.disturbed(now);
            state.note(format_args!("the daemon is started"));
            clock
        };
        let world = Arc::clone(&self.world);
        let store = self.memory.open(Arc::<World>::clone(&world));
        let probed = Arc::clone(&world);
        let probe = Arc::new(move |host: &str| probed.answers(host));
        let assembly = assembly(&world);
        let script = async {
            match Running::start(&assembly, store, clock, probe).await {
                Ok(running) => {
                    self.world.note_reload();
                    self.script(running).await
                }
                // As systemd does with one that cannot start.
                Err(_refused) => End::Away(SECOND),
            }
        };
        let end = tokio::select! {
            biased;
            () = world.crash.notified() => End::Away(world.downtime()),
            end = script => end,
        };
        let state = &mut *world.state();
        let away = if let End::Away(millis) = end { millis } else { 0 };
        state.time.end(away);
        end
    }

    /// Applies the plan's actions until the daemon stops.
    async fn script(&mut self, mut running: Running) -> End {
        loop {
            let (now, at) = self.upcoming();
            let wait = Duration::from_millis((at.0 - now.0).max(0).unsigned_abs());
            tokio::select! {
                biased;
                ended = running.ended_early() => {
                    self.world.state().checker.violated(format!("a loop has ended: {ended}"));
                    return End::Over;
                }
                () = sleep_until(Instant::now() + wait) => {}
            }
            self.look();
            let now = self.world.state().time.now();
            if self.until.is_some_and(|until| until <= now) {
                self.conclude();
                return End::Over;
            }
            if !self.world.state().checker.violations.is_empty() {
                return End::Over;
            }
            if self.world.plan.calm <= now && self.until.is_none() {
                self.calm_down(&running).await;
            } else if let Some((due, action)) = self.world.plan.actions.get(self.next)
                && *due <= now
            {
                self.next += 1;
                let action = action.clone();
                if let Some(away) = self.act(&running, action).await {
                    running.stop().await.ok();
                    return End::Away(away);
                }
            }
        }
    }

    /// Checks the plan as a whole, at its end.
    fn conclude(&self) {
        let state = &mut *self.world.state();
        state.checker.ended();
        for (what, is_reported) in bounds::lost_permissions(&self.world.plan, &state.checker) {
            if is_reported {
                state.checker.counts[3] += 1;
                state.note(format_args!("{what}, and it was reported in time"));
            } else {
                state.checker.violated(format!("{what}, and it was not reported in time"));
            }
        }
    }

    /// Returns the current instant, and that of the next thing to do.
    fn upcoming(&self) -> (Timestamp, Timestamp) {
        let now = self.world.state().time.now();
        let plan = &self.world.plan;
        let action = plan.actions.get(self.next).map(|(at, _)| *at);
        let calm = self.until.unwrap_or(plan.calm);
        let look = Timestamp(now.0 + MINUTE);
        (now, look.min(action.unwrap_or(look)).min(calm))
    }

    /// Checks for rows that are overdue, and spoils the database in the middle of the plan.
    fn look(&mut self) {
        let wall = self.world.state().time.wall();
        let overdue = self.memory.overdue(Timestamp(wall.0 - LATE_MAX_MS));
        let middle = Timestamp(i64::midpoint(self.world.plan.start.0, self.world.plan.calm.0));
        let state = &mut *self.world.state();
        state.checker.undisturbed(state.time.now());
        state.checker.overdue(overdue, &state.time);
        if middle <= state.time.now()
            && let Some(sql) = self.spoil.take()
        {
            let written = self.memory.spoil(sql);
            state.checker.committed(written, &state.time, &mut state.trace);
        }
    }

    /// Takes an action. Returns the time in milliseconds for which the daemon is away, if it is stopped.
    async fn act(&self, running: &Running, action: Action) -> Option<i64> {
        let world = &self.world;
        world.state().note(format_args!("{action:?}"));
        match action {
            Action::Set(millis) => world.state().time.set(millis),
            Action::Sleep(millis) => world.state().time.sleep(millis),
            Action::Stop(away) => return Some(away),
            Action::Change(number, change) => {
                self.change(number, change);
                self.reload(running).await;
            }
        }
        let state = &mut *world.state();
        let now = state.time.now();
        state.checker.disturbed(now);
        None
    }

    fn change(&self, number: usize, change: Change) {
        let state = &mut *self.world.state();
        let checker = &mut state.checker;
        let count = checker.specs.len();
        let other = checker.specs[(number + 1) % count].schedule.clone();
        let spec = &mut checker.specs[number];
        match change {
            Change::Edit => spec.edition += 1,
            Change::Presence => spec.present = !spec.present,
            Change::Disabled => spec.disabled = !spec.disabled,
            Change::Label => spec.team = spec.team.other(),
            Change::Selection => checker.selection.edit(),
            Change::Name => spec.is_renamed ^= spec.present,
            Change::Schedule => {
                spec.schedule = other;
                let table = checker.tables[(number + 1) % count].last().unwrap().clone();
                checker.tables[number].push(table);
            }
        }
    }

    /// Reloads until it is taken.
    async fn reload(&self, running: &Running) {
        loop {
            let now = self.world.state().time.now();
            self.world.state().checker.disturbed(now);
            if running.reload(&assembly(&self.world)).await.is_ok() {
                self.world.note_reload();
                self.world.state().checker.reloaded();
                return;
            }
            sleep(Duration::from_secs(1)).await;
        }
    }

    /// Nothing goes wrong any more, and every integration is in use.
    async fn calm_down(&mut self, running: &Running) {
        {
            let state = &mut *self.world.state();
            state.is_safe = true;
            self.next = self.world.plan.actions.len();
            self.until = Some(Timestamp(state.time.now().0 + self.world.plan.calm_ms));
            state.note(format_args!("all is calm"));
            for spec in &mut state.checker.specs {
                (spec.present, spec.disabled) = (true, false);
            }
        }
        self.reload(running).await;
    }
}

/// Returns the daemon's parts as the configuration files describe them now.
fn assembly(world: &Arc<World>) -> Assembly {
    let specs = world.state().checker.specs.clone();
    let mut settings = config::embedded();
    settings.limits = world.plan.limits;
    settings.removals_max = RemovalsMax::Percent(100);
    let (day, many) = (Duration::from_hours(24), 3650);
    settings.retention.history = day * many;
    settings.retention.deliveries = day * many;
    settings.drain = Duration::from_secs(5);
    let present = specs.iter().enumerate().filter(|(_, spec)| spec.present);
    let integrations: BTreeMap<_, _> = present
        .map(|(number, spec)| {
            let one = assembled(world, number, spec);
            (one.wanted.name.clone(), one)
        })
        .collect();
    let (wants, team) = {
        let checker = &world.state().checker;
        (checker.wants, checker.selection.team)
    };
    let receivers = wants.into_iter().enumerate();
    Assembly {
        settings,
        integrations,
        warnings: Vec::new(),
        maintenance: world.plan.maintenance.clone().into(),
        receivers: receivers.map(|(number, wants)| receiver(world, number, wants, team)).collect(),
        receiver_tables: BTreeMap::new(),
        heartbeat: None,
        references: Vec::new(),
        drop_ins: config::DropIns::default(),
        peers: Arc::default(),
        log_ins: Arc::default(),
    }
}

fn assembled(world: &Arc<World>, number: usize, spec: &Spec) -> Assembled {
    let platform = Platform { world: Arc::clone(world), number, host: spec.host };
    let [name, formerly] = spec.names(number);
    let wanted = Wanted {
        name,
        formerly: Some(formerly),
        id: None,
        kind: PLATFORM.kind.to_owned(),
        auto_bootstrap: None,
        labels: BTreeMap::from([("team".to_owned(), spec.team.as_str().to_owned())]),
        disabled: spec.disabled,
        schedule: spec.schedule.clone(),
        config: format!("{{\"edition\":{}}}", spec.edition),
        config_shown: "{}".to_owned(),
        catalog_version: PLATFORM.version,
        factors: platform.identity().factors(),
        run_on: Pool::default(),
    };
    Assembled {
        wanted,
        platform: &PLATFORM,
        identity: platform.identity(),
        policy: spec.policy,
        checks: CommonChecks::default(),
        validator: Arc::new(platform),
    }
}

fn receiver(world: &Arc<World>, number: usize, wants: Wants, team: Team) -> Receiver {
    let mut retry = vec!["2s", "5s", "15s"];
    retry.extend(["1m"; 46]);
    let mut table = json!({
        "name": format!("r{number}"),
        "url": "https://simulated.example/",
        "secrets": ["whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"],
        "timeout": format!("{}s", TIMEOUT_MS / SECOND),
        "retry": retry,
        "concurrency": 3,
    });
    if let Some(events) = wants.events() {
        table["events"] = json!(events);
    }
    if matches!(wants, Wants::Team) {
        table["labels"] = json!({ "team": team.as_str() });
    }
    let faults = Faults::default();
    let value = Value::from_json(&table, &"simulation".into());
    let read = Reader::new(&value, "receiver", &faults).and_then(Receiver::parse);
    let mut receiver = read.unwrap();
    let listener = Listener { world: Arc::clone(world), number };
    receiver.wire = Some(Wire(Arc::new(listener)));
    receiver
}
