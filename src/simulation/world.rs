//! The world around a daemon: its disk, the platforms and the receivers; each reports to the checker.

use std::collections::VecDeque;
use std::fmt;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::sleep;

use super::checker::Checker;
use super::dice::Dice;
use super::faults::{Answer, Fault, Kind, MINUTE};
use super::plan::Plan;
use super::time::Time;
use crate::domain::{AttemptResult, Class, Finding, Outcome, Report, Test, TestResult, Timestamp};
use crate::platforms::{
    self, AutoBootstrap, BoxFuture, Identity, RunContext, Validated, Validator,
};
use crate::store::{Disk, Entry, Fate};
use crate::webhook::{Message, Post};

/// Catalog of the simulated platform.
pub(super) static CATALOG: &[Test] = &[Test::always("Connect", "")];
/// Simulated platform, which no configuration names.
pub(super) static PLATFORM: platforms::Platform = platforms::Platform {
    kind: "Simulated",
    version: 1,
    catalog: CATALOG,
    grants: &[],
    auto_bootstrap: AutoBootstrap::Any,
    operations: &[],
    sample: "",
    parse: |_reader, _auto_bootstrap| None,
};
/// Number of the latest lines of a trace that are kept.
const LINES_MAX: usize = 3000;
/// Number of commits at one instant from which it is a loop that never waits.
const COMMITS_MAX: u32 = 20_000;
/// Time limit of a message to a receiver, in milliseconds.
pub(super) const TIMEOUT_MS: i64 = 10_000;

/// World that daemon, platforms and receivers share.
pub(super) struct World {
    /// Plan of this world.
    pub(super) plan: Plan,
    /// Notified when the machine crashes.
    pub(super) crash: Notify,
    state: Mutex<State>,
}

/// Part of a world that changes.
pub(super) struct State {
    /// Time of the world.
    pub(super) time: Time,
    /// Checker with its books.
    pub(super) checker: Checker,
    /// Trace of everything that happened, for people.
    pub(super) trace: Trace,
    dice: Dice,
    commits: (Timestamp, u32),
    /// True when the disk and the machine no longer fail.
    pub(super) is_safe: bool,
}

/// Trace: the latest lines, and a hash over all lines.
#[derive(Debug, Default)]
pub(super) struct Trace {
    /// Latest lines of the trace, the oldest first.
    pub(super) lines: VecDeque<String>,
    /// Hash over all lines: traces with the same hash are the same.
    pub(super) print: u64,
    /// Number of all lines.
    pub(super) count: u64,
}

impl Trace {
    /// Adds a line to the trace.
    pub(super) fn note(&mut self, now: Timestamp, line: fmt::Arguments<'_>) {
        let line = format!("{now} {line}");
        for byte in line.bytes() {
            self.print = (self.print ^ u64::from(byte)).wrapping_mul(0x0100_0000_01B3);
        }
        self.count += 1;
        if self.lines.len() == LINES_MAX {
            self.lines.pop_front();
        }
        self.lines.push_back(line);
    }
}

impl State {
    /// Adds a line to the trace.
    pub(super) fn note(&mut self, line: fmt::Arguments<'_>) {
        let now = self.time.now();
        self.trace.note(now, line);
    }
}

impl World {
    /// Returns the world of `plan`, before the daemon is first started.
    pub(super) fn new(plan: Plan) -> Arc<Self> {
        let state = State {
            time: Time::new(plan.start),
            checker: Checker::new(&plan),
            trace: Trace::default(),
            dice: Dice::new(plan.seed, &[1]),
            commits: (Timestamp(0), 0),
            is_safe: false,
        };
        Arc::new(Self { plan, crash: Notify::new(), state: Mutex::new(state) })
    }

    /// Returns the part that changes; no caller may await while it has it.
    pub(super) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Notes that the daemon has taken the configuration files as they are.
    pub(super) fn note_reload(&self) {
        let state = &mut *self.state();
        let now = state.time.now();
        state.checker.selection.taken(now);
    }

    /// Returns true when the host of this name takes connections.
    pub(super) fn answers(&self, host: &str) -> bool {
        let host: usize = host.trim_start_matches("host-").parse().unwrap();
        let state = self.state();
        let now = state.time.now();
        let down =
            |fault: &Fault| matches!(fault.kind, Kind::Outage | Kind::Blip) && fault.covers(now);
        state.is_safe || !self.plan.faults.shared[host].iter().any(down)
    }

    /// Returns the time in milliseconds until the daemon is started again after a crash, mostly at once, as
    /// systemd does.
    pub(super) fn downtime(&self) -> i64 {
        let dice = &mut self.state().dice;
        let long = dice.chance(150);
        if long { dice.within(MINUTE..=self.plan.dangers.away_ms) } else { dice.within(100..=5000) }
    }
}

impl Disk for World {
    fn wait(&self) -> Duration {
        let most = self.plan.dangers.commit_ms;
        let millis = if most == 0 { 0 } else { self.state().dice.within(0..=most) };
        Duration::from_millis(millis.unsigned_abs())
    }

    fn decide(&self, entries: &[Entry]) -> Fate {
        let state = &mut *self.state();
        let now = state.time.now();
        state.commits = if state.commits.0 == now { (now, state.commits.1 + 1) } else { (now, 0) };
        if COMMITS_MAX < state.commits.1 {
            state.checker.violated(format!("{COMMITS_MAX} commits at one instant"));
            return Fate::Lost;
        }
        if entries.is_empty() || state.is_safe {
            return Fate::Kept;
        }
        if state.dice.once_in(self.plan.dangers.crash) {
            return if state.dice.chance(500) { Fate::Lost } else { Fate::Unanswered };
        }
        if state.dice.once_in(self.plan.dangers.refuse) {
            state.note(format_args!("the disk is full"));
            state.checker.disturbed(now);
            return Fate::Refused;
        }
        Fate::Kept
    }

    fn committed(&self, entries: Vec<Entry>) {
        let state = &mut *self.state();
        state.checker.committed(entries, &state.time, &mut state.trace);
    }

    fn crashed(&self) {
        self.state().note(format_args!("the machine crashes"));
        self.crash.notify_one();
    }
}

/// Platform of one integration.
pub(super) struct Platform {
    /// World that it belongs to.
    pub(super) world: Arc<World>,
    /// Number of the integration in the plan.
    pub(super) number: usize,
    /// Number of its host.
    pub(super) host: usize,
}

impl fmt::Debug for Platform {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Platform({})", self.number)
    }
}

impl Validator for Platform {
    fn identity(&self) -> Identity {
        Identity { host: format!("host-{}", self.host), ..Identity::default() }
    }

    fn validate<'a>(&'a self, run: &'a RunContext) -> BoxFuture<'a, Validated> {
        Box::pin(async { self.answer(run).await.into() })
    }
}

impl Platform {
    async fn answer(&self, run: &RunContext) -> Report {
        let (answer, millis) = self.enter();
        let _inside = Inside(self);
        let limit = i64::try_from(run.test_limit.min(run.run_limit).as_millis()).unwrap();
        let is_certain = !matches!(answer, Answer::Doubtful(_));
        let (millis, class) = match answer {
            Answer::Good => (millis, None),
            Answer::Bad(class) | Answer::Doubtful(class) => (millis, Some(class)),
            Answer::Late(more) if limit < more + millis => (limit, Some(Class::Unreachable)),
            Answer::Late(more) => (more + millis, None),
            Answer::Never => std::future::pending().await,
        };
        sleep(Duration::from_millis(millis.unsigned_abs())).await;
        let state = &mut *self.world.state();
        state.checker.answered(self.number, class, is_certain);
        let found = class.map_or("good", Class::as_str);
        state.note(format_args!("i{} is found {found}", self.number));
        let outcome = class.map_or(Outcome::Passed(None), |class| {
            let finding = Finding::new(class, "As the simulation says.");
            Outcome::Failed(if is_certain { finding } else { finding.doubtful() })
        });
        Report { tests: vec![TestResult { test: CATALOG[0], outcome }] }
    }

    /// Begins a run. Returns its answer, and the time in milliseconds that it takes.
    fn enter(&self) -> (Answer, i64) {
        let state = &mut *self.world.state();
        let now = state.time.now();
        state.note(format_args!("i{} is run", self.number));
        state.checker.entered(self.number, self.host, &state.time);
        let (answer, _) = if state.is_safe {
            (Answer::Good, None)
        } else {
            self.world.plan.faults.answer(self.number, self.host, now)
        };
        let salt = [u64::try_from(self.number).unwrap(), now.0.unsigned_abs()];
        let (least, most) = self.world.plan.run_ms;
        (answer, Dice::new(self.world.plan.seed, &salt).within(least..=most))
    }
}

/// Guard that notes the end of a run, however it ends.
struct Inside<'a>(&'a Platform);

impl Drop for Inside<'_> {
    fn drop(&mut self) {
        self.0.world.state().checker.left(self.0.number);
    }
}

/// Receiver of messages, which fails as the plan says.
pub(super) struct Listener {
    /// World that it belongs to.
    pub(super) world: Arc<World>,
    /// Number of the receiver.
    pub(super) number: usize,
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
        let pause = |millis: i64| sleep(Duration::from_millis(millis.unsigned_abs()));
        pause(millis).await;
        if matches!(reaction, Reaction::Takes | Reaction::TakesUnanswered) {
            let state = &mut *self.world.state();
            state.checker.took(self.number, message, &state.time, &mut state.trace);
        }
        match reaction {
            Reaction::Takes => AttemptResult::Answered { code: 204, hint: None },
            Reaction::Refuses(code) => {
                let hint = (code == 503).then_some(Duration::from_secs(20));
                AttemptResult::Answered { code, hint }
            }
            Reaction::Away => AttemptResult::Unreachable,
            Reaction::TakesUnanswered => {
                pause(TIMEOUT_MS - millis).await;
                AttemptResult::Unreachable
            }
        }
    }

    fn decide(&self, message: &Message<'_>) -> (Reaction, i64) {
        let state = &mut *self.world.state();
        let now = state.time.now();
        state.checker.sent(self.number, message, &mut state.trace, now);
        let faults = &self.world.plan.receivers[self.number];
        let is_away = faults.iter().any(|fault| fault.from <= now && now < fault.to);
        if state.is_safe || !self.world.plan.dangers.receivers {
            return (Reaction::Takes, 50);
        }
        let dice = &mut state.dice;
        let millis = if dice.chance(50) { dice.within(1000..=9000) } else { dice.within(5..=200) };
        let reaction = match dice.within(0..=29) {
            _ if is_away => {
                *dice.pick(&[Reaction::Away, Reaction::Refuses(503), Reaction::Refuses(500)])
            }
            0 => Reaction::TakesUnanswered,
            1 => Reaction::Refuses(500),
            2 => Reaction::Away,
            _ => Reaction::Takes,
        };
        (reaction, millis)
    }
}
