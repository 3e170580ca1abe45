//! The bound: fewest false alerts that any policy could have which knows the rates of the world, by optimal
//! stopping.
//!
//! Each second after the first failing look, a policy may raise its alert or go on waiting. It is assumed to
//! see more than any policy can: at the first failing look it knows which integrations the fault hits, it looks
//! again each second at no cost, and throttled answers, late answers and wrong words never deceive it. So its
//! evidence is the age of the failure, and backward induction over the age finds when to stop, for every price
//! of a second's delay. Two decisions are independent: about what a host's integrations share, and about one
//! integration alone.

use super::measure::secs;
use super::rates::{SHORT, SHORT_MAX_MS, Unit, WORDS};
use super::scene::{RUN_MS, Scene};
use crate::domain::{Policy, Timestamp, Weights};
use crate::simulation::faults::{DAY, Fault, Kind, SECOND};
use crate::simulation::plan::Plan;

/// Greatest age of a failure at which a policy decides, in seconds.
const AGE_MAX: u32 = 900;
/// Prices of a second's delay that are tried, in false alerts: this many for each factor of ten.
const PRICES_PER_DECADE: i32 = 40;
/// Exponents of ten of the least and the greatest price.
const DECADES: (i32, i32) = (-12, 3);

/// Fewest false alerts for each time of detection.
#[derive(Clone, Debug)]
pub(super) struct Bound {
    /// Decision about all integrations of a host.
    shared: Track,
    /// Decision about one integration.
    lone: Track,
    /// False alerts in an integration-year that no policy avoids: refused log-ins must not be tried again.
    unavoidable: f64,
}

/// One of the two decisions.
#[derive(Clone, Debug)]
struct Track {
    /// False alerts in an integration-year by the age in seconds at which the alert is raised.
    alerts: Vec<f64>,
    /// Mean detection in seconds by the same.
    detection: Vec<f64>,
    /// Ages at which it is best to stop, for some price.
    best: Vec<usize>,
}

/// Lasting fault as a policy sees it.
#[derive(Clone, Copy, Debug)]
struct Lasting {
    /// Seconds until the first scheduled look.
    first: f64,
    /// Duration of the fault in seconds.
    length: f64,
}

impl Bound {
    /// Computes the bound for `scene`, with the lasting faults of these seeds.
    pub(super) fn of(scene: &Scene, seeds: u64) -> Self {
        let plans: Vec<_> = (0..seeds).map(|seed| scene.plan(seed, &Policy::default())).collect();
        let hosts: Vec<_> = plans.iter().flat_map(|plan| shared_faults(scene, plan)).collect();
        let alone: Vec<_> = plans.iter().flat_map(|plan| lone_faults(scene, plan)).collect();
        let on_each = f64::from(u32::try_from(scene.on_each).unwrap());
        let short = scene.short_percent() / 100.0;
        let rate = |unit: Unit| {
            let of_unit = SHORT.iter().filter(|rate| rate.unit == unit && rate.kind == Kind::Blip);
            let in_ten_days: i64 = of_unit.map(|rate| rate.in_ten_days).sum();
            f64::from(u32::try_from(in_ten_days).unwrap()) * 36.5 * short
        };
        let shared = (rate(Unit::Host) + rate(Unit::Region)) / on_each;
        let phases = scene.phases();
        let looks = secs(365 * DAY) / secs(scene.interval_ms);
        let answers = f64::from(u32::try_from(WORDS.answers_per_refused).unwrap());
        Self {
            shared: Track::of(shared, &reaches(scene, &phases), &hosts),
            lone: Track::of(rate(Unit::Integration), &reaches(scene, &phases[..1]), &alone),
            unavoidable: looks / answers * short,
        }
    }

    /// Returns the fewest false alerts in an integration-year where outages of hosts and of single integrations
    /// are detected in so many seconds.
    pub(super) fn alerts_at(&self, outage: f64, lone: f64) -> f64 {
        self.shared.alerts_at(outage) + self.lone.alerts_at(lone) + self.unavoidable
    }

    /// Returns the shortest detection of outages of hosts with so many false alerts, where outages of single
    /// integrations are detected in `lone` seconds.
    pub(super) fn outage_at(&self, alerts: f64, lone: f64) -> f64 {
        let curve = self.curve(lone);
        let found = curve.iter().find(|(_, fewest)| *fewest <= alerts);
        found.or(curve.last()).map(|(outage, _)| *outage).unwrap_or_default()
    }

    /// Returns the detection of outages of hosts and the fewest false alerts for it, the soonest first.
    pub(super) fn curve(&self, lone: f64) -> Vec<(f64, f64)> {
        let rest = self.lone.alerts_at(lone) + self.unavoidable;
        self.shared.points().map(|(outage, alerts)| (outage, alerts + rest)).collect()
    }
}

/// Returns the most false alerts that a steady integration can have in a year: it has one short fault in `passes`
/// checks, and is reported where the fault is as old as the third look.
pub(super) fn steady_alerts(scene: &Scene, passes: u32) -> f64 {
    let [first, second, _] = Weights::RULE.silent.waits;
    let looks = secs(365 * DAY) / secs(scene.interval_ms);
    looks / f64::from(passes) * survival((first + second).as_secs_f64())
}

impl Track {
    fn of(short_in_year: f64, reaches: &[f64], lasting: &[Lasting]) -> Self {
        let alerts = reaches.iter().map(|one| short_in_year * one).collect();
        let detection = (0..=AGE_MAX).map(|age| detection(lasting, f64::from(age))).collect();
        let mut track = Self { alerts, detection, best: Vec::new() };
        let (least, greatest) = DECADES;
        let exponents = least * PRICES_PER_DECADE..=greatest * PRICES_PER_DECADE;
        let prices = exponents.rev();
        let prices = prices.map(|one| 10_f64.powf(f64::from(one) / f64::from(PRICES_PER_DECADE)));
        track.best = prices.map(|price| track.stop(price)).collect();
        track.best.dedup();
        track
    }

    /// Returns the age at which it is best to raise the alert, where a second's delay costs `price` false alerts:
    /// backward induction.
    fn stop(&self, price: f64) -> usize {
        let last = self.alerts.len() - 1;
        let mut value = self.alerts[last];
        let mut best = last;
        for age in (0..last).rev() {
            let wait = value + price * (self.detection[age + 1] - self.detection[age]);
            value = wait.min(self.alerts[age]);
            if self.alerts[age] <= wait {
                best = age;
            }
        }
        best
    }

    /// Returns detection and false alerts where it is best to stop, the soonest first.
    fn points(&self) -> impl Iterator<Item = (f64, f64)> {
        self.best.iter().map(|age| (self.detection[*age], self.alerts[*age]))
    }

    /// Returns the fewest false alerts for a mean detection: between two policies, by chance one of them.
    fn alerts_at(&self, detection: f64) -> f64 {
        let points: Vec<_> = self.points().collect();
        let after = points.iter().position(|(at, _)| detection < *at);
        match after {
            None => points.last().map(|(_, alerts)| *alerts).unwrap_or_default(),
            // Nothing is sooner than the first look.
            Some(0) => points[0].1,
            Some(after) => {
                let ((from, more), (to, fewer)) = (points[after - 1], points[after]);
                more + (fewer - more) * (detection - from) / (to - from)
            }
        }
    }
}

/// Returns by age the number of looks per blip that find it failing and lead to a failure of that age.
fn reaches(scene: &Scene, phases: &[i64]) -> Vec<f64> {
    let mut phases = phases.to_vec();
    phases.sort_unstable();
    let first = phases[0] + scene.interval_ms;
    let next = phases.iter().skip(1).copied().chain([first]);
    let gaps: Vec<_> = phases.iter().zip(next).map(|(from, to)| secs(to - from)).collect();
    let step = 0.5;
    let reach = |age: u32| {
        let mut sum = 0.0;
        for gap in &gaps {
            let mut wait = step / 2.0;
            while wait < *gap && wait < secs(SHORT_MAX_MS) {
                sum += step * survival(wait + f64::from(age));
                wait += step;
            }
        }
        sum / secs(scene.interval_ms)
    };
    (0..=AGE_MAX).map(reach).collect()
}

/// Returns the share of blips that last longer than `length` seconds, as the dice draw them.
fn survival(length: f64) -> f64 {
    if secs(SHORT_MAX_MS) <= length {
        return 0.0;
    }
    let whole = (length - 0.5).floor() + 1.0;
    (29.0_f64 / 30.0).powf(whole.max(0.0))
}

/// Returns the mean detection when the alert is raised at an age; all of the fault's time where it ends before.
fn detection(lasting: &[Lasting], age: f64) -> f64 {
    let count = f64::from(u32::try_from(lasting.len().max(1)).unwrap());
    let of = |fault: &Lasting| (fault.first + age + secs(RUN_MS)).min(fault.length);
    lasting.iter().map(of).sum::<f64>() / count
}

fn shared_faults(scene: &Scene, plan: &Plan) -> Vec<Lasting> {
    let shared = plan.faults.shared.iter().enumerate();
    let of = |(host, faults): (usize, &Vec<Fault>)| {
        let numbers = host * scene.on_each..(host + 1) * scene.on_each;
        seen(scene, faults, &numbers.collect::<Vec<_>>())
    };
    shared.flat_map(of).collect()
}

fn lone_faults(scene: &Scene, plan: &Plan) -> Vec<Lasting> {
    let own = plan.faults.own.iter().enumerate();
    own.flat_map(|(number, faults)| seen(scene, faults, &[number])).collect()
}

/// Returns the outages among `faults` as they are seen by integrations with these numbers.
fn seen(scene: &Scene, faults: &[Fault], numbers: &[usize]) -> Vec<Lasting> {
    let dues: Vec<_> = numbers.iter().map(|number| scene.first_due(*number)).collect();
    let wait = |from: Timestamp| {
        let waits = dues.iter().map(|due| (due.0 - from.0).rem_euclid(scene.interval_ms));
        waits.min().unwrap_or_default()
    };
    let outages = faults.iter().filter(|fault| fault.kind == Kind::Outage);
    let of = |fault: &Fault| Lasting {
        first: secs(wait(fault.from)),
        length: secs(fault.to.0 - fault.from.0),
    };
    outages.map(of).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::simulation::dice::Dice;
    use crate::simulation::evaluation::scene::OFTEN;

    #[test]
    fn share_of_longer_blips_is_that_of_the_dice() {
        let mut dice = Dice::new(7, &[]);
        let count = 20_000_u32;
        let drawn: Vec<_> = (0..count).map(|_| dice.decaying_ms(30).min(SHORT_MAX_MS)).collect();
        for length in [0, 10, 45, 120] {
            let longer = drawn.iter().filter(|one| length * SECOND < **one).count();
            let share = f64::from(u32::try_from(longer).unwrap()) / f64::from(count);
            let expected = survival(secs(length * SECOND));
            assert!((share - expected).abs() < 0.01, "{length} s: {share} and {expected}");
        }
        assert!(survival(298.0) > 0.0 && survival(299.0) <= 0.0);
    }

    #[test]
    fn later_detection_has_fewer_false_alerts_and_none_after_the_longest_blip() {
        let bound = Bound::of(&OFTEN, 1);
        let lone = bound.lone.points().last().unwrap().0;
        let curve = bound.curve(lone);
        assert!(100 < curve.len(), "{curve:?}");
        assert!(curve.windows(2).all(|two| two[0].0 < two[1].0 && two[1].1 < two[0].1));
        let (latest, fewest) = *curve.last().unwrap();
        assert!((fewest - bound.unavoidable).abs() < 1e-3, "{fewest} {bound:?}");
        assert!((bound.alerts_at(latest, lone) - fewest).abs() < 1e-9);
        for (outage, alerts) in curve {
            assert!((bound.alerts_at(outage, lone) - alerts).abs() < 1e-9);
            assert!(bound.outage_at(alerts, lone) <= outage);
        }
    }

    /// With the price of a second so high, or so low, the first or the last age is best.
    #[test]
    fn price_of_delay_decides_when_to_stop() {
        let track = Track {
            alerts: vec![8.0, 4.0, 2.0, 1.0, 1.0],
            detection: vec![0.0, 1.0, 2.0, 3.0, 4.0],
            best: Vec::new(),
        };
        let stops = [10.0, 3.0, 1.5, 0.1].map(|price| track.stop(price));
        assert_eq!(stops, [0, 1, 2, 3]);
    }
}
