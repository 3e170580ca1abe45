//! Plan of a world: everything besides the daemon's own doing, drawn from the seed before it begins.

use std::time::Duration;

use super::dice::Dice;
use super::faults::{DAY, Fault, Faults, HOUR, Kind, MINUTE, SECOND, Scatter};
use crate::config::Limits;
use crate::domain::{Maintenance, Policy, Schedule, Selection, Timestamp, Weights};

/// Size of a plan: duration and number of integrations.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Size {
    /// An hour of a few integrations, in which much goes wrong.
    Short,
    /// A week of a hundred integrations.
    Week,
}

/// Integration as the configuration files describe it.
#[derive(Clone, Debug)]
pub(super) struct Spec {
    /// Number of its host.
    pub(super) host: usize,
    /// Schedule of its runs.
    pub(super) schedule: Schedule,
    /// Number of runs that a verdict needs, and the rules of flapping.
    pub(super) policy: Policy,
    /// True when it is in the files.
    pub(super) present: bool,
    /// True when the files disable it.
    pub(super) disabled: bool,
    /// Number of edits of its configuration.
    pub(super) edition: u32,
    /// Value of its label `team`.
    pub(super) team: Team,
    /// True when it has its other name.
    pub(super) is_renamed: bool,
}

impl Spec {
    /// Returns the name of the integration with this number, and the one that it had before or may have.
    pub(super) fn names(&self, number: usize) -> [String; 2] {
        let mut names = [format!("i{number:02}"), format!("j{number:02}")];
        if self.is_renamed {
            names.reverse();
        }
        names
    }
}

/// Value of the label `team`, by which one of the receivers selects.
#[derive(Clone, Copy, Debug, Eq, PartialEq, strum::IntoStaticStr)]
#[strum(serialize_all = "lowercase", const_into_str)]
pub(super) enum Team {
    /// Team that the receiver selects at first.
    Red,
    /// Team that it selects after the first edit.
    Blue,
}

impl Team {
    /// Returns the value as it is configured.
    pub(super) const fn as_str(self) -> &'static str {
        self.into_str()
    }

    /// Returns the other team.
    pub(super) const fn other(self) -> Self {
        match self {
            Self::Red => Self::Blue,
            Self::Blue => Self::Red,
        }
    }
}

/// Action upon the daemon or its machine.
#[derive(Clone, Debug)]
pub(super) enum Action {
    /// The clock is set, by so many milliseconds.
    Set(i64),
    /// The machine sleeps for so many milliseconds.
    Sleep(i64),
    /// The daemon is stopped, and started so many milliseconds later.
    Stop(i64),
    /// One integration's configuration changes, and is reloaded.
    Change(usize, Change),
}

/// Change of the configuration files.
#[derive(Clone, Copy, Debug)]
pub(super) enum Change {
    /// The integration is edited.
    Edit,
    /// The integration is taken out, or put back in.
    Presence,
    /// The integration is disabled, or enabled again.
    Disabled,
    /// The integration gets another schedule.
    Schedule,
    /// The label of the integration changes.
    Label,
    /// The receiver that selects by label selects the other one.
    Selection,
    /// The integration gets its other name, if it is in the files.
    Name,
}

/// Failures of the machine: one write in so many, never when it is 0.
#[derive(Clone, Copy, Debug)]
pub(super) struct Dangers {
    /// Writes per crash of the machine.
    pub(super) crash: u64,
    /// Writes per full disk.
    pub(super) refuse: u64,
    /// Longest time of a commit, in milliseconds.
    pub(super) commit_ms: i64,
    /// Longest time that the daemon is away after a crash, in milliseconds.
    pub(super) away_ms: i64,
    /// True when receivers fail at times even outside of their outages.
    pub(super) receivers: bool,
}

/// Everything that is decided before a world begins.
#[derive(Debug)]
pub(super) struct Plan {
    /// Seed from which the plan follows.
    pub(super) seed: u64,
    /// First instant of the world.
    pub(super) start: Timestamp,
    /// Instant from which nothing goes wrong any more.
    pub(super) calm: Timestamp,
    /// Time after that until the final checks, in milliseconds.
    pub(super) calm_ms: i64,
    /// Integrations in the order of their numbers.
    pub(super) specs: Vec<Spec>,
    /// Faults of the platforms.
    pub(super) faults: Faults,
    /// Faults of each receiver.
    pub(super) receivers: [Vec<Fault>; 3],
    /// Actions in the order of their instants.
    pub(super) actions: Vec<(Timestamp, Action)>,
    /// Failures of the machine.
    pub(super) dangers: Dangers,
    /// Limits of what happens at once.
    pub(super) limits: Limits,
    /// Shortest and longest time of a run, in milliseconds.
    pub(super) run_ms: (i64, i64),
    /// Maintenance windows, in which messages are muted.
    pub(super) maintenance: Vec<Maintenance>,
}

/// Mondays and days on which the clocks change, at midnight UTC.
const STARTS: [i64; 4] =
    [1_795_392_000_000, 1_792_886_400_000, 1_774_742_400_000, 1_792_972_800_000];
const SCHEDULES: [(&str, &str); 5] = [
    ("*/5 * * * *", "UTC"),
    ("*/2 * * * *", "Europe/Berlin"),
    ("*/3 * * * *", "America/New_York"),
    ("*/30 * * * * *", "UTC"),
    ("7-59/4 * * * *", "Australia/Lord_Howe"),
];

/// Returns the schedules of a seed; parsing them takes longer than most of the rest.
fn schedules() -> Vec<Schedule> {
    SCHEDULES.iter().map(|(cron, zone)| Schedule::parse(cron, zone).unwrap()).collect()
}

impl Plan {
    /// Returns the plan that follows from `seed`.
    pub(super) fn of(seed: u64, size: Size) -> Self {
        let mut dice = Dice::new(seed, &[]);
        match size {
            Size::Short => Self::short(seed, &mut dice),
            Size::Week => Self::week(seed, &mut dice),
        }
    }

    fn short(seed: u64, dice: &mut Dice) -> Self {
        let start = Timestamp(dice.pick(&STARTS).saturating_add(dice.within(0..=3 * HOUR)));
        let span = dice.within(20 * MINUTE..=40 * MINUTE);
        let hosts = usize::try_from(dice.within(1..=3)).unwrap();
        let schedules = schedules();
        let specs: Vec<_> =
            (0..dice.within(2..=6)).map(|_| spec(dice, hosts, &schedules)).collect();
        let calm = Timestamp(start.0 + span);
        let mut plan = Self {
            seed,
            start,
            calm,
            calm_ms: 14 * MINUTE,
            faults: Faults::none(seed, specs.len(), hosts),
            specs,
            receivers: [const { Vec::new() }; 3],
            actions: Vec::new(),
            dangers: Dangers {
                crash: *dice.pick(&[0, 20, 60, 200, 600]),
                refuse: *dice.pick(&[0, 0, 0, 60, 300]),
                commit_ms: *dice.pick(&[0, 0, 4, 40]),
                receivers: true,
                away_ms: 20 * MINUTE,
            },
            limits: limits(dice),
            run_ms: (100, 4000),
            maintenance: Vec::new(),
        };
        plan.faults.scatter = Scatter {
            misworded: 40,
            doubtful_permille: 300,
            mixes_classes: true,
            until: Some(calm),
            ..Scatter::default()
        };
        if dice.chance(300) {
            plan.maintenance.push(window(dice));
        }
        for integration in 0..plan.specs.len() {
            for _ in 0..dice.within(0..=4) {
                let (kind, millis) = own_fault(dice);
                let fault = Fault::new(kind, plan.during(dice), millis);
                plan.faults.own[integration].push(fault);
            }
        }
        for host in 0..hosts {
            for _ in 0..dice.within(0..=2) {
                let millis = dice.within(MINUTE..=12 * MINUTE);
                let fault = Fault::new(Kind::Outage, plan.during(dice), millis);
                plan.faults.shared[host].push(fault);
            }
        }
        plan.draw_actions(dice);
        if dice.chance(250) {
            // Nothing disturbs the daemon, so it has no excuse for being late.
            (plan.dangers.crash, plan.dangers.refuse) = (0, 0);
            plan.actions.clear();
        }
        plan
    }

    fn during(&self, dice: &mut Dice) -> Timestamp {
        Timestamp(dice.within(self.start.0..=self.calm.0))
    }

    fn draw_actions(&mut self, dice: &mut Dice) {
        // A clock that is set makes a world of its own kind: not every one has it.
        let sets = dice.chance(200);
        if sets {
            // A clock that was set back by less than an hour delays the runs that were planned before.
            self.calm_ms = self.calm_ms.max(75 * MINUTE);
        }
        for _ in 0..dice.within(0..=6) {
            let at = self.during(dice);
            let number = usize::try_from(dice.next() % 1_000).unwrap() % self.specs.len();
            let action = match dice.within(0..=10) {
                0 if sets => Action::Set(dice.within(-3 * HOUR..=3 * HOUR)),
                1 if sets => Action::Set(dice.within(-50 * SECOND..=50 * SECOND)),
                2 if sets => Action::Sleep(dice.within(SECOND..=4 * HOUR)),
                3 => Action::Stop(dice.within(0..=20 * MINUTE)),
                4 => Action::Change(number, Change::Presence),
                5 => Action::Change(number, Change::Disabled),
                6 => Action::Change(number, Change::Schedule),
                7 => Action::Change(number, Change::Label),
                8 => Action::Change(number, Change::Selection),
                9 => Action::Change(number, Change::Name),
                _ => Action::Change(number, Change::Edit),
            };
            self.actions.push((at, action));
        }
        self.actions.sort_by_key(|(at, _)| *at);
        for receiver in 0..self.receivers.len() {
            for _ in 0..dice.within(0..=2) {
                let fault =
                    Fault::new(Kind::Outage, self.during(dice), dice.within(0..=15 * MINUTE));
                self.receivers[receiver].push(fault);
            }
        }
    }

    fn week(seed: u64, dice: &mut Dice) -> Self {
        const HOSTS: usize = 8;
        let mut plan = Self::short(seed, dice);
        let cron =
            [("*/5 * * * *", "UTC"), ("0 * * * *", "UTC"), ("*/15 * * * *", "Europe/Berlin")];
        let schedules = cron.map(|(cron, zone)| Schedule::parse(cron, zone).unwrap());
        plan.specs = (0..100).map(|_| spec(dice, HOSTS, &schedules)).collect();
        plan.calm_ms = 3 * HOUR;
        plan.calm = Timestamp(plan.start.0 + 7 * DAY - plan.calm_ms);
        plan.limits = Limits { runs: 64, runs_per_host: 4, ..plan.limits };
        plan.dangers =
            Dangers { crash: 3000, refuse: 5000, commit_ms: 5, receivers: true, away_ms: 2 * HOUR };
        plan.faults = Faults::none(seed, plan.specs.len(), HOSTS);
        for integration in 0..plan.specs.len() {
            for _ in 0..dice.within(10..=40) {
                let (kind, millis) = own_fault(dice);
                let fault = Fault::new(kind, plan.during(dice), millis);
                plan.faults.own[integration].push(fault);
            }
        }
        for host in 0..HOSTS {
            for _ in 0..dice.within(0..=5) {
                let millis = dice.within(MINUTE..=4 * HOUR);
                let fault = Fault::new(Kind::Outage, plan.during(dice), millis);
                plan.faults.shared[host].push(fault);
            }
        }
        plan.actions.clear();
        for _ in 0..6 {
            plan.draw_actions(dice);
        }
        plan.actions.sort_by_key(|(at, _)| *at);
        plan
    }
}

fn spec(dice: &mut Dice, hosts: usize, schedules: &[Schedule]) -> Spec {
    // Worlds are too short for the number of passing runs that makes an integration steady.
    let policy = Policy {
        weights: Weights { steady_passes: 20, ..Weights::RULE },
        confirm_runs: *dice.pick(&[None, None, None, Some(1), Some(3), Some(4)]),
        confirm_wait: dice.pick(&[None, None, None, Some(15), Some(60)]).map(Duration::from_secs),
        recovery_runs: *dice.pick(&[None, None, None, Some(1), Some(2)]),
        flap_flips: *dice.pick(&[0, 2, 3, 3]),
        flap_window: Duration::from_mins(20),
        flap_calm: Duration::from_mins(2),
    };
    let host = usize::try_from(dice.next() % 1_000).unwrap() % hosts;
    let schedule = dice.pick(schedules).clone();
    let (disabled, team) = (dice.chance(50), *dice.pick(&[Team::Red, Team::Blue]));
    Spec { host, schedule, policy, present: true, disabled, edition: 0, team, is_renamed: false }
}

/// Returns a maintenance window of three minutes in every ten, for every other integration.
fn window(dice: &mut Dice) -> Maintenance {
    let odd = dice.chance(500);
    let of = if odd { ["*1", "*3", "*5", "*7", "*9"] } else { ["*0", "*2", "*4", "*6", "*8"] };
    Maintenance {
        name: "often".to_owned(),
        schedule: Schedule::parse("*/10 * * * *", "Europe/Berlin").unwrap(),
        duration: Duration::from_mins(3),
        selection: Selection {
            integrations: of.map(str::to_owned).to_vec(),
            ..Selection::default()
        },
    }
}

fn limits(dice: &mut Dice) -> Limits {
    let runs = *dice.pick(&[1, 2, 4, 64]);
    Limits {
        runs,
        runs_per_host: *dice.pick(&[1, 2, 4]),
        test: Duration::from_secs(30),
        run: Duration::from_secs(*dice.pick(&[30, 60])),
    }
}

fn own_fault(dice: &mut Dice) -> (Kind, i64) {
    match dice.within(0..=9) {
        0..=3 => (Kind::Blip, dice.decaying_ms(30)),
        4 | 5 => (Kind::LostPermission, dice.within(2 * MINUTE..=30 * MINUTE)),
        6 => (Kind::Throttling, dice.within(MINUTE..=15 * MINUTE)),
        7 => (Kind::Slow, dice.within(MINUTE..=5 * MINUTE)),
        8 => (Kind::Hang, dice.within(10 * SECOND..=2 * MINUTE)),
        _ => (Kind::Local, dice.within(MINUTE..=10 * MINUTE)),
    }
}
