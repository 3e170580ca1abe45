//! Plan of a world with several nodes, drawn from its seed.

use std::time::Duration;

use crate::config::Limits;
use crate::domain::{Policy, Schedule, Timestamp, Weights};
use crate::simulation::dice::Dice;
use crate::simulation::faults::{Fault, Faults, Kind, MINUTE, SECOND};
use crate::store::Hazard;

/// Instant at which every world begins.
pub(super) const START: Timestamp = Timestamp(1_795_392_000_000);
/// Time for which nothing goes wrong at the end of a world.
const CALM: i64 = 150 * SECOND;
/// Number of receivers in every world.
pub(super) const RECEIVERS: usize = 2;
/// Labels of the regions of nodes.
const REGIONS: [&str; 2] = ["eu", "us"];

/// Defect that is planted in a world.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Defect {
    /// Hazard of the engine.
    Engine(Hazard),
    /// The clock of each machine decides what is due, and when leases end.
    Clocks,
    /// Runs refer to their report.
    Reports,
}

/// Integration of a world.
#[derive(Clone, Debug)]
pub(super) struct Spec {
    /// Number of its host.
    pub(super) host: usize,
    /// Schedule of its runs.
    pub(super) schedule: Schedule,
    /// Policy of its verdicts.
    pub(super) policy: Policy,
    /// Region of the nodes that may run it; none for all of them.
    pub(super) region: Option<&'static str>,
}

/// Deed of the world against a node, or against all of them.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Action {
    /// Kills a node, which is started again after so many milliseconds.
    Kill(usize, i64),
    /// Stops a node in good order, and starts it again after so many milliseconds.
    Restart(usize, i64),
    /// Lets a node stand still for so many milliseconds, as a machine that sleeps or as a process that is stopped.
    Pause(usize, i64, Stop),
    /// Cuts a node from the database for so many milliseconds.
    CutStore(usize, i64),
    /// Cuts a node from all platforms for so many milliseconds.
    CutRegion(usize, i64),
    /// Sets the wall clock of a node wrong by so many milliseconds.
    Skew(usize, i64),
    /// Ends all sessions of the database.
    EndSessions,
    /// Changes the files of a node, which are put in force; the others get them after so many milliseconds each.
    Edit(usize, i64),
    /// Keeps a copy of the database, as a standby that receives nothing more from now on.
    Detach,
    /// Puts the copy in the place of the database.
    FailOver,
}

impl Action {
    /// Returns true when a node does not see by it what the database does.
    fn is_absence_of(self, number: usize) -> bool {
        match self {
            Self::Kill(node, _)
            | Self::Restart(node, _)
            | Self::Pause(node, ..)
            | Self::CutStore(node, _) => node == number,
            Self::CutRegion(..)
            | Self::Skew(..)
            | Self::EndSessions
            | Self::Edit(..)
            | Self::Detach
            | Self::FailOver => false,
        }
    }
}

/// Manner in which a node stands still.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Stop {
    /// The machine sleeps: timers stand still, and the time since its start goes on.
    Sleep,
    /// The process is stopped: its timers are overdue when it goes on.
    Signal,
}

/// Plan of a world.
pub(super) struct Plan {
    /// Seed from which it was drawn.
    pub(super) seed: u64,
    /// First instant of the world.
    pub(super) start: Timestamp,
    /// Instant from which nothing goes wrong.
    pub(super) calm: Timestamp,
    /// Last instant of the world.
    pub(super) end: Timestamp,
    /// Region of each node; none where there are no regions.
    pub(super) nodes: Vec<Option<&'static str>>,
    /// Integrations that are validated.
    pub(super) specs: Vec<Spec>,
    /// Faults of the platforms.
    pub(super) faults: Faults,
    /// Faults of each receiver.
    pub(super) receivers: [Vec<Fault>; RECEIVERS],
    /// Actions in the order of their instants.
    pub(super) actions: Vec<(Timestamp, Action)>,
    /// Limits of the runs of every node.
    pub(super) limits: Limits,
    /// Messages that a receiver may be sent at the same time.
    pub(super) concurrency: usize,
    /// Least and most time of a run in milliseconds.
    pub(super) run_ms: (i64, i64),
    /// Transactions of a thousand that linger before they are committed, and those whose session ends then.
    pub(super) tricks: [u64; 2],
    /// Least and most real time in milliseconds for which transactions linger.
    pub(super) linger_ms: (i64, i64),
    /// Least and most time of an answer of a receiver in milliseconds; none for quick ones and some slow ones.
    pub(super) answer_ms: Option<(i64, i64)>,
    /// A reader follows the events in real time.
    pub(super) is_followed: bool,
    /// Defect that is planted.
    pub(super) defect: Option<Defect>,
}

impl Plan {
    /// Returns the plan that follows from a seed.
    pub(super) fn of(seed: u64) -> Self {
        let dice = &mut Dice::new(seed, &[2]);
        let count = *dice.pick(&[1, 2, 2, 2, 3, 3, 3, 4, 5]);
        let mut plan = Self::quiet(seed, count, dice.within(2 * MINUTE..=4 * MINUTE));
        if 2 < count && dice.chance(400) {
            plan.divide(dice);
        }
        plan.tricks = *dice.pick(&[[0, 0], [60, 0], [60, 4], [150, 12]]);
        plan.limits.runs_per_host = *dice.pick(&[1, 2, 4]);
        for number in 0..plan.specs.len() {
            for _ in 0..dice.within(0..=2) {
                let kind = *dice.pick(&[
                    Kind::LostPermission,
                    Kind::LostPermission,
                    Kind::Blip,
                    Kind::Slow,
                    Kind::Throttling,
                ]);
                let millis = dice.within(20 * SECOND..=3 * MINUTE);
                let fault = Fault::new(kind, plan.during(dice), millis);
                plan.faults.own[number].push(fault);
            }
        }
        for host in 0..plan.faults.shared.len() {
            if dice.chance(400) {
                let millis = dice.within(MINUTE..=3 * MINUTE);
                let fault = Fault::new(Kind::Outage, plan.during(dice), millis);
                plan.faults.shared[host].push(fault);
            }
        }
        for number in 0..RECEIVERS {
            for _ in 0..dice.within(0..=2) {
                let millis = dice.within(5 * SECOND..=MINUTE);
                let fault = Fault::new(Kind::Outage, plan.during(dice), millis);
                plan.receivers[number].push(fault);
            }
        }
        plan.disturb(dice);
        let ends_sessions = |(_, action): &(Timestamp, Action)| {
            matches!(action, Action::EndSessions | Action::Detach | Action::FailOver)
        };
        plan.is_followed = dice.chance(300) && !plan.actions.iter().any(ends_sessions);
        plan
    }

    /// Returns a plan in which nothing goes wrong.
    pub(super) fn quiet(seed: u64, nodes: usize, span: i64) -> Self {
        let dice = &mut Dice::new(seed, &[3]);
        let hosts = usize::try_from(dice.within(2..=3)).unwrap();
        let specs: Vec<_> = (0..dice.within(4..=8)).map(|_| spec(dice, hosts)).collect();
        let (test, run) = (Duration::from_secs(30), Duration::from_secs(45));
        let calm = Timestamp(START.0 + span);
        Self {
            seed,
            start: START,
            calm,
            end: Timestamp(calm.0 + CALM),
            nodes: vec![None; nodes],
            faults: Faults::none(seed, specs.len(), hosts),
            specs,
            receivers: [const { Vec::new() }; RECEIVERS],
            actions: Vec::new(),
            limits: Limits { runs: 4, runs_per_host: 2, test, run },
            concurrency: 2,
            run_ms: (50, 2500),
            tricks: [0, 0],
            linger_ms: (1, 6),
            answer_ms: None,
            is_followed: false,
            defect: None,
        }
    }

    /// Puts nodes and integrations in regions.
    fn divide(&mut self, dice: &mut Dice) {
        for (number, region) in self.nodes.iter_mut().enumerate() {
            *region = Some(REGIONS[number % 2]);
        }
        for spec in &mut self.specs {
            spec.region = *dice.pick(&[None, Some(REGIONS[0]), Some(REGIONS[1])]);
        }
    }

    /// Returns an instant before all is calm.
    pub(super) fn during(&self, dice: &mut Dice) -> Timestamp {
        Timestamp(dice.within(self.start.0 + 30 * SECOND..=self.calm.0))
    }

    fn disturb(&mut self, dice: &mut Dice) {
        for _ in 0..dice.within(0..=6) {
            let node = usize::try_from(dice.next() % 1000).unwrap() % self.nodes.len();
            let action = match dice.within(0..=12) {
                0..=2 => Action::Kill(node, dice.within(SECOND..=40 * SECOND)),
                3 => Action::Restart(node, dice.within(SECOND..=20 * SECOND)),
                4 | 5 => {
                    let stop = *dice.pick(&[Stop::Sleep, Stop::Signal]);
                    Action::Pause(node, dice.within(2 * SECOND..=60 * SECOND), stop)
                }
                6 | 7 => Action::CutStore(node, dice.within(2 * SECOND..=60 * SECOND)),
                8 => Action::CutRegion(node, dice.within(30 * SECOND..=2 * MINUTE)),
                9 => Action::Skew(node, dice.within(-100 * SECOND..=100 * SECOND)),
                10 => Action::EndSessions,
                _ => Action::Edit(node, dice.within(0..=15 * SECOND)),
            };
            self.actions.push((self.during(dice), action));
        }
        if dice.chance(200) {
            let at = self.during(dice);
            let lag = dice.within(6 * SECOND..=40 * SECOND);
            self.actions.push((at, Action::Detach));
            self.actions.push((Timestamp(at.0 + lag), Action::FailOver));
            if 1 < self.nodes.len() && dice.chance(500) {
                let before = dice.within(SECOND..=4 * SECOND);
                let restart = Action::Restart(1, dice.within(SECOND..=5 * SECOND));
                self.actions.push((Timestamp(at.0 + lag - before), restart));
            }
            // One who was there has to notice.
            let span = at.0 - 70 * SECOND..=at.0 + lag + 40 * SECOND;
            // Where files are lost that were put in force, all nodes wait until a person puts some in force again.
            let is_edit = |action: &Action| matches!(action, Action::Edit(..));
            self.actions.retain(|(at, action)| {
                !span.contains(&at.0) || !(action.is_absence_of(0) || is_edit(action))
            });
        }
        self.actions.sort_by_key(|(at, _)| *at);
    }

    /// Returns true when commits are lost.
    pub(super) fn is_lossy(&self) -> bool {
        self.actions.iter().any(|(_, action)| *action == Action::FailOver)
    }
}

fn spec(dice: &mut Dice, hosts: usize) -> Spec {
    let policy = Policy {
        weights: Weights { steady_passes: 20, ..Weights::RULE },
        confirm_runs: *dice.pick(&[None, None, Some(1), Some(2)]),
        confirm_wait: Some(Duration::from_secs(10)),
        recovery_runs: *dice.pick(&[None, Some(1)]),
        flap_flips: 0,
        flap_window: Duration::from_mins(20),
        flap_calm: Duration::from_mins(2),
    };
    let host = usize::try_from(dice.next() % 1_000).unwrap() % hosts;
    let cron = *dice.pick(&["*/30 * * * * *", "*/20 * * * * *", "* * * * *"]);
    Spec { host, schedule: Schedule::parse(cron, "UTC").unwrap(), policy, region: None }
}
