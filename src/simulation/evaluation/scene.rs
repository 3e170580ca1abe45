//! The world that policies are compared in.

use std::time::Duration;

use super::rates::{Rate, SHORT, SHORT_MAX_MS, Unit, WORDS};
use crate::config::Limits;
use crate::domain::{IntegrationId, Policy, Schedule, Timestamp};
use crate::simulation::dice::Dice;
use crate::simulation::faults::{DAY, Fault, Faults, HOUR, Kind, MINUTE, SECOND, Scatter};
use crate::simulation::plan::{Dangers, Plan, Spec, Team};

/// Time that a run takes while answers are not late, in milliseconds.
pub(super) const RUN_MS: i64 = 2 * SECOND;
/// Longest time of a run, in milliseconds.
pub(super) const LIMIT_MS: i64 = 30 * SECOND;
/// A Monday, at midnight UTC.
const START: Timestamp = Timestamp(1_795_392_000_000);
/// Nothing goes wrong before this, while everything is run for the first time.
const WARM_UP_MS: i64 = 2 * HOUR;
/// Number of accounts, each with integrations on all hosts.
pub(super) const ACCOUNTS: usize = 5;
/// Number of hosts in a region.
pub(super) const IN_REGION: usize = 2;

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
    /// Frequency of all faults, in percent of the documented one.
    pub(super) rates_percent: i64,
    /// Frequency of short faults besides, in percent.
    pub(super) short_percent: i64,
    /// Lasting faults of each kind in a world: permissions that each integration loses, outages of each
    /// host, outages of single integrations, used-up quotas.
    pub(super) lasting: Lasting,
    /// The shortest and the longest of them.
    pub(super) lasting_ms: (i64, i64),
}

/// Numbers of lasting faults in a world.
#[derive(Clone, Copy, Debug)]
pub(super) struct Lasting {
    /// Permissions that each integration loses.
    pub(super) losses: i64,
    /// Outages of each host.
    pub(super) outages: i64,
    /// Outages of each integration by itself.
    pub(super) lone: i64,
    /// Used-up quotas of each integration.
    pub(super) used_up: i64,
}

/// A check every five minutes, for five days.
pub(super) const OFTEN: Scene = Scene {
    hosts: 4,
    on_each: 25,
    days: 5,
    cron: "*/5 * * * *",
    interval_ms: 5 * MINUTE,
    rates_percent: 100,
    short_percent: 100,
    lasting: Lasting { losses: 2, outages: 2, lone: 1, used_up: 1 },
    lasting_ms: (20 * MINUTE, 6 * HOUR),
};

/// A check every hour, for twenty days.
pub(super) const HOURLY: Scene = Scene {
    days: 20,
    cron: "0 * * * *",
    interval_ms: HOUR,
    lasting: Lasting { losses: 6, outages: 8, lone: 3, used_up: 3 },
    ..OFTEN
};

/// One host, on which much happens in a day.
pub(super) const SMALL: Scene = Scene {
    hosts: 1,
    days: 1,
    short_percent: 300,
    lasting: Lasting { losses: 1, outages: 2, lone: 1, used_up: 0 },
    lasting_ms: (20 * MINUTE, 2 * HOUR),
    ..OFTEN
};

impl Scene {
    /// Returns the plan that follows from `seed`, with integrations judged by `policy`.
    pub(super) fn plan(&self, seed: u64, policy: &Policy) -> Plan {
        let count = self.hosts * self.on_each;
        let schedule = Schedule::parse(self.cron, "UTC").unwrap();
        let spec = |number: usize| Spec {
            host: number / self.on_each,
            schedule: schedule.clone(),
            policy: *policy,
            present: true,
            disabled: false,
            edition: 0,
            team: Team::Red,
            is_renamed: false,
        };
        let secs = Duration::from_millis;
        let limit = secs(LIMIT_MS.unsigned_abs());
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
            // So many that no run waits for another one: queues are not what is measured.
            limits: Limits { runs: 512, runs_per_host: 128, test: limit, run: 4 * limit },
            run_ms: (RUN_MS, RUN_MS),
            maintenance: Vec::new(),
        }
    }

    fn faults(&self, seed: u64) -> Faults {
        let mut dice = Dice::new(seed, &[2]);
        let count = self.hosts * self.on_each;
        let mut faults = Faults::none(seed, count, self.hosts);
        faults.scatter = Scatter {
            misworded: WORDS.answers_per_misworded * 100 / self.short_rate(),
            refused: WORDS.answers_per_refused * 100 / self.short_rate(),
            doubtful_permille: WORDS.doubtful_permille,
            mixes_classes: true,
            until: None,
        };
        self.outages(&mut faults, &mut dice);
        for rate in SHORT {
            self.short(rate, &mut faults, &mut dice);
        }
        for number in 0..count {
            self.own(number, &mut faults, &mut dice);
        }
        faults
    }

    /// Returns the frequency of short faults, in percent of the documented one.
    fn short_rate(&self) -> u64 {
        (self.rates_percent * self.short_percent / 100).max(1).unsigned_abs()
    }

    /// Returns the frequency of short faults as a number to calculate with, in percent.
    pub(super) fn short_percent(&self) -> f64 {
        f64::from(u32::try_from(self.short_rate()).unwrap())
    }

    /// Adds outages of hosts: all of them one after the other, so that their messages can be distinguished.
    fn outages(&self, faults: &mut Faults, dice: &mut Dice) {
        let slots = self.scaled(self.lasting.outages) * i64::try_from(self.hosts).unwrap();
        let span = (self.days * DAY - 2 * WARM_UP_MS) / slots;
        for slot in 0..slots {
            let host = usize::try_from(slot).unwrap() % self.hosts;
            let phase = dice.within(0..=self.interval_ms);
            let from = Timestamp(START.0 + WARM_UP_MS + slot * span + phase);
            let millis = self.lasting(dice, span);
            faults.shared[host].push(Fault::new(Kind::Outage, from, millis));
        }
    }

    /// Adds the short faults of a kind to all that they hit together.
    fn short(&self, rate: &Rate, faults: &mut Faults, dice: &mut Dice) {
        for unit in 0..self.units(rate.unit) {
            for _ in 0..self.count(rate, dice) {
                let fault = Fault::new(rate.kind, self.during(dice), rate.millis(dice));
                let hosts = match rate.unit {
                    Unit::Integration => {
                        faults.own[unit].push(fault);
                        continue;
                    }
                    Unit::Account => {
                        let of_account = faults.own.iter_mut().skip(unit).step_by(ACCOUNTS);
                        of_account.for_each(|own| own.push(fault));
                        continue;
                    }
                    Unit::Host => unit..unit + 1,
                    Unit::Region => unit * IN_REGION..((unit + 1) * IN_REGION).min(self.hosts),
                };
                faults.shared[hosts].iter_mut().for_each(|shared| shared.push(fault));
            }
        }
    }

    fn units(&self, unit: Unit) -> usize {
        match unit {
            Unit::Integration => self.hosts * self.on_each,
            Unit::Host => self.hosts,
            Unit::Account => ACCOUNTS,
            Unit::Region => self.hosts.div_ceil(IN_REGION),
        }
    }

    /// Draws the number of faults of a kind that one unit has.
    fn count(&self, rate: &Rate, dice: &mut Dice) -> i64 {
        let percent = i64::try_from(self.short_rate()).unwrap();
        let permille = rate.in_ten_days * self.days * percent;
        let rest = (permille % 1000).unsigned_abs();
        permille / 1000 + i64::from(dice.chance(rest))
    }

    fn scaled(&self, count: i64) -> i64 {
        (count * self.rates_percent / 100).max(1)
    }

    /// Adds the lasting faults of one integration: while the host is well, and apart from each other, so that
    /// there is time to find each.
    fn own(&self, number: usize, faults: &mut Faults, dice: &mut Dice) {
        let Lasting { losses, lone, used_up, outages: _ } = self.lasting;
        let mut lasting: Vec<Fault> = Vec::new();
        let host = &faults.shared[number / self.on_each];
        for (kind, count) in
            [(Kind::LostPermission, losses), (Kind::Outage, lone), (Kind::UsedUp, used_up)]
        {
            let count = self.scaled(count);
            let mut added = 0;
            for _ in 0..100 * count {
                let fault = Fault::new(kind, self.during(dice), self.lasting(dice, DAY));
                let outages = host.iter().filter(|one| one.kind == Kind::Outage);
                if added < count
                    && lasting.iter().chain(outages).all(|one| self.are_apart(one, &fault))
                {
                    lasting.push(fault);
                    added += 1;
                }
            }
        }
        faults.own[number].extend(lasting);
    }

    /// Returns true when two lasting faults are further apart than the window of flapping, if the world is long
    /// enough: there are more of them than in practice, which shall not look like flapping.
    fn are_apart(&self, one: &Fault, other: &Fault) -> bool {
        let apart = (6 * HOUR).min(self.days * DAY / 12);
        other.to.0 + apart < one.from.0 || one.to.0 + apart < other.from.0
    }

    fn during(&self, dice: &mut Dice) -> Timestamp {
        let end = START.0 + self.days * DAY - WARM_UP_MS;
        Timestamp(dice.within(START.0 + WARM_UP_MS..=end))
    }

    /// Draws the time of a lasting fault; short ones are more frequent than long ones.
    fn lasting(&self, dice: &mut Dice, most: i64) -> i64 {
        let (least, longest) = self.lasting_between(most);
        let half = dice.within(least..=longest);
        dice.within(least..=half)
    }

    /// Returns the shortest and the longest lasting fault among those that are `most` apart at least.
    fn lasting_between(&self, most: i64) -> (i64, i64) {
        let (least, longest) = self.lasting_ms;
        (least, longest.min(most - 2 * self.interval_ms - 30 * MINUTE).max(least))
    }

    /// Returns the instants within an interval at which integrations of the first host are run by schedule,
    /// in milliseconds.
    pub(super) fn phases(&self) -> Vec<i64> {
        let phase = |number| self.first_due(number).0.rem_euclid(self.interval_ms);
        (0..self.on_each).map(phase).collect()
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

impl Rate {
    /// Draws the time of a fault, in milliseconds.
    fn millis(&self, dice: &mut Dice) -> i64 {
        match self.mean_secs {
            Some(mean) => dice.decaying_ms(mean).min(SHORT_MAX_MS),
            None => self.fixed_ms,
        }
    }
}
