//! World around the nodes: platforms and receivers, which report to the books.

use std::collections::BTreeMap;
use std::fmt;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use serde_json::json;
use tokio::time::sleep;

use super::books::Books;
use super::node::BOOTED;
use super::plan::{Plan, RECEIVERS};
use crate::config;
use crate::daemon::{Assembled, Assembly};
use crate::domain::{
    AttemptResult, Class, CommonChecks, Finding, Outcome, Pool, RemovalsMax, Report, TestResult,
    Timestamp,
};
use crate::input::{Faults, Reader, Value};
use crate::platforms::{BoxFuture, Identity, RunContext, Validated, Validator};
use crate::simulation::dice::Dice;
use crate::simulation::faults::{Answer, SECOND};
use crate::simulation::world::{CATALOG, PLATFORM, Trace};
use crate::store::{Wanted, since_boot};
use crate::webhook::{Message, Post, Receiver, Wire};

/// Time limit of a message to a receiver, in milliseconds.
const TIMEOUT_MS: i64 = 10 * SECOND;

/// World that the nodes share.
pub(super) struct World {
    /// Plan of this world.
    pub(super) plan: Plan,
    state: Mutex<State>,
}

/// Part of a world that changes.
pub(super) struct State {
    /// Books of the judge.
    pub(super) books: Books,
    /// Trace of everything that happened, for people.
    pub(super) trace: Trace,
    /// Number of edits of the files of each node.
    pub(super) files: Vec<u32>,
    /// Nodes that are cut from all platforms.
    pub(super) cut_off: Vec<bool>,
    dice: Dice,
    /// Instant of the step that is under way, for threads without a machine.
    pub(super) now: Timestamp,
}

impl State {
    /// Adds a line to the trace.
    pub(super) fn note(&mut self, now: Timestamp, line: fmt::Arguments<'_>) {
        self.trace.note(now, line);
    }
}

/// Returns the instant of the world by the machine of this thread.
pub(super) fn now() -> Timestamp {
    Timestamp(super::plan::START.0).plus(since_boot().saturating_sub(BOOTED))
}

impl World {
    /// Returns the world of a plan, before its nodes are started.
    pub(super) fn new(plan: Plan) -> Arc<Self> {
        let state = State {
            books: Books::new(&plan),
            trace: Trace::default(),
            files: vec![0; plan.nodes.len()],
            cut_off: vec![false; plan.nodes.len()],
            dice: Dice::new(plan.seed, &[5]),
            now: plan.start,
        };
        Arc::new(Self { plan, state: Mutex::new(state) })
    }

    /// Returns the part that changes; no caller may await while it has it.
    pub(super) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds a line to the trace, from the thread of a node.
    pub(super) fn note(&self, line: fmt::Arguments<'_>) {
        self.state().note(now(), line);
    }

    /// Returns true when a node reaches a host.
    pub(super) fn answers(&self, node: usize, host: &str) -> bool {
        let number: usize = host.trim_start_matches("host-").parse().unwrap();
        let is_down = self.plan.faults.shared[number].iter().any(|fault| fault.covers(now()));
        !self.state().cut_off[node] && !is_down
    }

    /// Notes that the files of a node are in force.
    pub(super) fn in_force(&self, node: usize) {
        let state = &mut *self.state();
        let edition = state.files[node];
        state.note(now(), format_args!("files {edition} of n{node} are in force"));
        state.books.in_force(edition, now());
    }
}

/// Platform of one integration, as one node sees it by its files.
struct Platform {
    world: Arc<World>,
    node: usize,
    number: usize,
    edition: u32,
}

impl fmt::Debug for Platform {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Platform({})", self.number)
    }
}

impl Validator for Platform {
    fn identity(&self) -> Identity {
        let host = self.world.plan.specs[self.number].host;
        Identity { host: format!("host-{host}"), ..Identity::default() }
    }

    fn validate<'a>(&'a self, run: &'a RunContext) -> BoxFuture<'a, Validated> {
        Box::pin(async { self.answer(run).await.into() })
    }
}

impl Platform {
    async fn answer(&self, run: &RunContext) -> Report {
        let (answer, millis) = self.enter();
        let _inside = Inside(self);
        let limit = i64::try_from(run.test_limit.as_millis()).unwrap();
        let (millis, class) = match answer {
            Answer::Good => (millis, None),
            Answer::Bad(class) | Answer::Doubtful(class) => (millis, Some(class)),
            Answer::Late(more) if limit < more + millis => (limit, Some(Class::Unreachable)),
            Answer::Late(more) => (more + millis, None),
            Answer::Never => (limit, Some(Class::Unreachable)),
        };
        sleep(Duration::from_millis(millis.unsigned_abs())).await;
        let found = class.map_or("good", Class::as_str);
        self.world.note(format_args!("n{} finds i{} {found}", self.node, self.number));
        let outcome = class.map_or(Outcome::Passed(None), |class| {
            Outcome::Failed(Finding::new(class, "As the simulation says."))
        });
        Report { tests: vec![TestResult { test: CATALOG[0], outcome }] }
    }

    /// Begins a run. Returns its answer, and the time in milliseconds that it takes.
    fn enter(&self) -> (Answer, i64) {
        let Self { world, node, number, edition } = self;
        let (plan, now) = (&world.plan, now());
        let host = plan.specs[*number].host;
        let state = &mut *world.state();
        state.note(now, format_args!("n{node} runs i{number}"));
        state.books.entered(*node, *number, *edition, now);
        let (answer, _) = if plan.calm <= now {
            (Answer::Good, None)
        } else if state.cut_off[*node] {
            (Answer::Bad(Class::Unreachable), None)
        } else {
            plan.faults.answer(*number, host, now)
        };
        let salt = [u64::try_from(*number).unwrap(), now.0.unsigned_abs()];
        (answer, Dice::new(plan.seed, &salt).within(plan.run_ms.0..=plan.run_ms.1))
    }
}

/// Guard that notes the end of a run, however it ends.
struct Inside<'a>(&'a Platform);

impl Drop for Inside<'_> {
    fn drop(&mut self) {
        self.0.world.state().books.left(self.0.node, self.0.number);
    }
}

/// Receiver of messages, as one node reaches it.
struct Listener {
    world: Arc<World>,
    node: usize,
    number: usize,
}

impl Post for Listener {
    fn post<'a>(
        &'a self,
        message: &'a Message<'a>,
    ) -> Pin<Box<dyn Future<Output = AttemptResult> + Send + 'a>> {
        Box::pin(self.listen(message))
    }
}

/// Reaction of a receiver to a message.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Reaction {
    /// It takes the message.
    Takes,
    /// It takes the message, and its answer is lost.
    TakesUnanswered,
    /// It refuses the message with this code.
    Refuses(u16),
    /// It takes no connection.
    Away,
}

impl Listener {
    async fn listen(&self, message: &Message<'_>) -> AttemptResult {
        let (reaction, millis) = self.decide(message);
        let _sending = Sending(self);
        let pause = |millis: i64| sleep(Duration::from_millis(millis.unsigned_abs()));
        pause(millis).await;
        if matches!(reaction, Reaction::Takes | Reaction::TakesUnanswered) {
            let state = &mut *self.world.state();
            let shown = state.books.took(self.number, message.id, message.body);
            state.note(now(), format_args!("r{} takes {shown} of n{}", self.number, self.node));
        }
        match reaction {
            Reaction::Takes => AttemptResult::Answered { code: 204, hint: None },
            Reaction::Refuses(code) => AttemptResult::Answered { code, hint: None },
            Reaction::Away => AttemptResult::Unreachable,
            Reaction::TakesUnanswered => {
                pause(TIMEOUT_MS - millis).await;
                AttemptResult::Unreachable
            }
        }
    }

    fn decide(&self, message: &Message<'_>) -> (Reaction, i64) {
        let Self { world, node, number } = self;
        let (state, now) = (&mut *world.state(), now());
        state.books.sent(*node, *number, message.id, now);
        let is_away = world.plan.receivers[*number].iter().any(|fault| fault.covers(now));
        if world.plan.calm <= now {
            return (Reaction::Takes, 50);
        }
        let dice = &mut state.dice;
        if let Some((least, most)) = world.plan.answer_ms {
            return (Reaction::Takes, dice.within(least..=most));
        }
        let millis = if dice.chance(80) { dice.within(1000..=9000) } else { dice.within(5..=300) };
        let reaction = match dice.within(0..=29) {
            _ if is_away => *dice.pick(&[Reaction::Away, Reaction::Refuses(503)]),
            0 => Reaction::TakesUnanswered,
            1 => Reaction::Refuses(500),
            2 => Reaction::Away,
            _ => Reaction::Takes,
        };
        (reaction, millis)
    }
}

/// Guard that notes the end of an attempt, however it ends.
struct Sending<'a>(&'a Listener);

impl Drop for Sending<'_> {
    fn drop(&mut self) {
        self.0.world.state().books.answered(self.0.node, self.0.number);
    }
}

/// Returns the parts of a daemon as the files of its node describe them now.
pub(super) fn assembly(world: &Arc<World>, node: usize) -> Assembly {
    let edition = world.state().files[node];
    let plan = &world.plan;
    let mut settings = config::embedded();
    settings.limits = plan.limits;
    settings.removals_max = RemovalsMax::Percent(100);
    settings.drain = Duration::from_secs(5);
    let integrations: BTreeMap<_, _> = (0..plan.specs.len())
        .map(|number| {
            let platform = Platform { world: Arc::clone(world), node, number, edition };
            let one = assembled(platform, edition);
            (one.wanted.name.clone(), one)
        })
        .collect();
    Assembly {
        settings,
        integrations,
        warnings: Vec::new(),
        maintenance: Vec::new().into(),
        receivers: (0..RECEIVERS).map(|number| receiver(world, node, number)).collect(),
        receiver_tables: BTreeMap::new(),
        heartbeat: None,
        references: Vec::new(),
        drop_ins: config::DropIns::default(),
        peers: Arc::default(),
        log_ins: Arc::default(),
    }
}

fn assembled(platform: Platform, edition: u32) -> Assembled {
    let number = platform.number;
    let spec = &platform.world.plan.specs[number];
    let pool = spec.region.map(|region| ("region".to_owned(), region.to_owned()));
    let (schedule, policy) = (spec.schedule.clone(), spec.policy);
    let wanted = Wanted {
        name: format!("i{number}"),
        formerly: None,
        id: None,
        kind: PLATFORM.kind.to_owned(),
        auto_bootstrap: None,
        labels: BTreeMap::from([("edition".to_owned(), edition.to_string())]),
        disabled: false,
        schedule,
        config: "{}".to_owned(),
        config_shown: "{}".to_owned(),
        catalog_version: PLATFORM.version,
        factors: platform.identity().factors(),
        run_on: Pool::of(pool.into_iter().collect()),
    };
    Assembled {
        wanted,
        platform: &PLATFORM,
        identity: platform.identity(),
        policy,
        checks: CommonChecks::default(),
        validator: Arc::new(platform),
    }
}

fn receiver(world: &Arc<World>, node: usize, number: usize) -> Receiver {
    let timeout_ms = world.plan.answer_ms.map_or(TIMEOUT_MS, |(_, most)| 2 * most);
    let mut retry = vec!["2s", "5s", "15s"];
    retry.extend(["30s"; 46]);
    let table = json!({
        "name": format!("r{number}"),
        "url": "https://simulated.example/",
        "secrets": ["whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"],
        "timeout": format!("{}s", timeout_ms / SECOND),
        "retry": retry,
        "concurrency": world.plan.concurrency,
    });
    let faults = Faults::default();
    let value = Value::from_json(&table, &"simulation".into());
    let read = Reader::new(&value, "receiver", &faults).and_then(Receiver::parse);
    let mut receiver = read.unwrap();
    let listener = Listener { world: Arc::clone(world), node, number };
    receiver.wire = Some(Wire(Arc::new(listener)));
    receiver
}
