//! The world that policies are compared in.

use std::time::Duration;

use crate::config::Limits;
use crate::domain::{IntegrationId, Policy, Schedule, Timestamp};
use crate::simulation::dice::Dice;
use crate::simulation::faults::{DAY, Fault, Faults, HOUR, Kind, MINUTE, SECOND};
use crate::simulation::plan::{Dangers, Plan, Spec, Team};

/// Time that every run takes, in milliseconds.
pub(super) const RUN_MS: i64 = 2 * SECOND;
/// Longest time of a fault that needs no notification, in milliseconds.
pub(super) const WORTH_MS: i64 = 5 * MINUTE;
/// A Monday, at midnight UTC.
const START: Timestamp = Timestamp(1_795_392_000_000);
/// Nothing goes wrong before this, while everything is run for the first time.
const WARM_UP_MS: i64 = 2 * HOUR;

/// Size of a world, and frequency of its faults.
#[derive(Clone, Copy, Debug)]
pub(super) struct Scene {
    /// Number of hosts in the world.
    pub(super) hosts: usize,
    /// Number of integrations on each host.
    pub(super) on_each: usize,
    /// Duration of the world, in days.
    pub(super) days: i64,
    /// The schedule of every integration.
    pub(super) cron: &'static str,
    /// The time between two of its instants.
    pub(super) interval_ms: i64,
    /// Blips of each integration a day.
    pub(super) blips: i64,
    /// Permissions that each integration loses, in all.
    pub(super) losses: i64,
    /// Outages of each host, in all.
    pub(super) outages: i64,
    /// The shortest and the longest of both.
    pub(super) lasting_ms: (i64, i64),
    /// Times of each host a day in which it throttles, a quarter of an hour each.
    pub(super) throttled: i64,
}

/// A check every five minutes, for five days.
pub(super) const OFTEN: Scene = Scene {
    hosts: 4,
    on_each: 25,
    days: 5,
    cron: "*/5 * * * *",
    interval_ms: 5 * MINUTE,
    blips: 6,
    losses: 2,
    outages: 2,
    lasting_ms: (20 * MINUTE, 6 * HOUR),
    throttled: 2,
};

/// A check every hour, for twenty days.
pub(super) const HOURLY: Scene =
    Scene { days: 20, cron: "0 * * * *", interval_ms: HOUR, losses: 6, outages: 8, ..OFTEN };

impl Scene {
    /// Returns the plan that follows from `seed`.
    pub(super) fn plan(&self, seed: u64) -> Plan {
        let count = self.hosts * self.on_each;
        let schedule = Schedule::parse(self.cron, "UTC").unwrap();
        let spec = |number: usize| Spec {
            host: number / self.on_each,
            schedule: schedule.clone(),
            policy: Policy::default(),
            present: true,
            disabled: false,
            edition: 0,
            team: Team::Red,
            is_renamed: false,
        };
        let secs = Duration::from_secs;
        Plan {
            seed,
            start: START,
            calm: Timestamp(START.0 + self.days * DAY),
            calm_ms: 3 * self.interval_ms,
            specs: (0..count).map(spec).collect(),
            faults: self.faults(seed),
            receivers: [const { Vec::new() }; 3],
            actions: Vec::new(),
            dangers: Dangers { crash: 0, refuse: 0, commit_ms: 0, receivers: false, away_ms: 0 },
            limits: Limits { runs: 64, runs_per_host: 4, test: secs(30), run: secs(120) },
            run_ms: (RUN_MS, RUN_MS),
            maintenance: Vec::new(),
        }
    }

    fn faults(&self, seed: u64) -> Faults {
        let mut dice = Dice::new(seed, &[2]);
        let count = self.hosts * self.on_each;
        let mut faults = Faults::none(seed, count, self.hosts);
        // Outages of all hosts come one after the other, so that their messages can be distinguished.
        let slots = self.outages * i64::try_from(self.hosts).unwrap();
        let span = (self.days * DAY - 2 * WARM_UP_MS) / slots;
        for slot in 0..slots {
            let host = usize::try_from(slot).unwrap() % self.hosts;
            let phase = dice.within(0..=self.interval_ms);
            let from = Timestamp(START.0 + WARM_UP_MS + slot * span + phase);
            let millis = self.lasting(&mut dice, span);
            faults.shared[host].push(Fault::new(Kind::Outage, from, millis));
        }
        for host in 0..self.hosts {
            for _ in 0..self.throttled * self.days {
                let fault = Fault::new(Kind::Throttling, self.during(&mut dice), 15 * MINUTE);
                faults.shared[host].push(fault);
            }
        }
        for number in 0..count {
            self.own(number, &mut faults, &mut dice);
        }
        faults
    }

    fn own(&self, number: usize, faults: &mut Faults, dice: &mut Dice) {
        for _ in 0..self.blips * self.days {
            let millis = dice.decaying_ms(30).min(WORTH_MS - SECOND);
            let fault = Fault::new(Kind::Blip, self.during(dice), millis);
            faults.own[number].push(fault);
        }
        // A permission is lost while the host is well, and there is time to find it.
        let mut lost: Vec<Fault> = Vec::new();
        for _ in 0..100 * self.losses {
            let (from, millis) = (self.during(dice), self.lasting(dice, DAY));
            let fault = Fault::new(Kind::LostPermission, from, millis);
            let host = &faults.shared[number / self.on_each];
            let outages = host.iter().filter(|one| one.kind == Kind::Outage);
            let apart = 2 * self.interval_ms.max(HOUR);
            let is_apart =
                |one: &Fault| fault.to.0 + apart < one.from.0 || one.to.0 + apart < fault.from.0;
            if i64::try_from(lost.len()).unwrap() < self.losses
                && lost.iter().chain(outages).all(is_apart)
            {
                lost.push(fault);
            }
        }
        faults.own[number].extend(lost);
    }

    fn during(&self, dice: &mut Dice) -> Timestamp {
        let end = START.0 + self.days * DAY - WARM_UP_MS;
        Timestamp(dice.within(START.0 + WARM_UP_MS..=end))
    }

    /// Draws the time of a lasting fault; short ones are more frequent than long ones.
    fn lasting(&self, dice: &mut Dice, most: i64) -> i64 {
        let (least, longest) = self.lasting_ms;
        let longest = longest.min(most - 2 * self.interval_ms - 30 * MINUTE).max(least);
        let half = dice.within(least..=longest);
        dice.within(least..=half)
    }

    /// Returns the first instant at which the integration `number` is run by schedule.
    pub(super) fn first_due(&self, number: usize) -> Timestamp {
        let schedule = Schedule::parse(self.cron, "UTC").unwrap();
        let id = IntegrationId(i64::try_from(number).unwrap() + 1);
        schedule.next_due(id, START).unwrap()
    }

    /// Returns the number of integration-days of the scene.
    pub(super) fn integration_days(&self) -> i64 {
        i64::try_from(self.hosts * self.on_each).unwrap() * self.days
    }
}
