//! Scenes: plans in which a hazard shows, if it is planted.

use super::plan::{Action, Defect, Plan, Spec, Stop};
use crate::domain::{Schedule, Timestamp};
use crate::simulation::faults::{Fault, Faults, Kind, SECOND};
use crate::store::Hazard;

/// Time of a scene until all is calm, in milliseconds.
const SPAN: i64 = 125 * SECOND;
/// All defects: the twelve hazards in the order of the design, and one that a failover has.
pub(super) const DEFECTS: [Defect; 13] = [
    Defect::Engine(Hazard::Lane),
    Defect::Engine(Hazard::Factors),
    Defect::Engine(Hazard::OwnFaults),
    Defect::Engine(Hazard::Numbers),
    Defect::Engine(Hazard::Siblings),
    Defect::Engine(Hazard::Leases),
    Defect::Engine(Hazard::Tokens),
    Defect::Clocks,
    Defect::Engine(Hazard::Limits),
    Defect::Engine(Hazard::Files),
    Defect::Engine(Hazard::Losses),
    Defect::Reports,
    Defect::Engine(Hazard::Starts),
];

/// Returns the plan of a scene for a defect, which is not planted yet.
pub(super) fn scene(defect: Defect, seed: u64) -> Plan {
    let mut plan = Plan::quiet(seed, 3, SPAN);
    plan.tricks = [700, 0];
    plan.linger_ms = (2, 20);
    plan.limits.runs_per_host = 4;
    let mut deeds: Vec<(i64, Action)> = Vec::new();
    match defect {
        Defect::Engine(Hazard::Lane) => {
            together(&mut plan, 8, 4);
            alone(&mut plan);
            plan.concurrency = 8;
            // An answer comes when the next message is queued.
            plan.answer_ms = Some((19_000, 21_000));
        }
        Defect::Engine(Hazard::Factors | Hazard::Siblings) => together(&mut plan, 3, 1),
        Defect::Engine(Hazard::Numbers) => {
            together(&mut plan, 6, 2);
            alone(&mut plan);
            plan.is_followed = true;
        }
        Defect::Engine(Hazard::OwnFaults) => {
            let cut = 80 * SECOND;
            deeds.extend((0..3).map(|node| (31, Action::CutRegion(node, cut))));
        }
        Defect::Engine(Hazard::Leases) => {
            plan.run_ms = (5_000, 12_000);
            deeds.push((30, Action::Kill(0, SECOND)));
        }
        Defect::Engine(Hazard::Tokens) => {
            plan.run_ms = (14_000, 24_000);
            let offset = i64::try_from(seed % 3).unwrap();
            deeds.push((42 + offset, Action::Pause(0, 26 * SECOND, Stop::Signal)));
        }
        Defect::Clocks => {
            plan.run_ms = (5_000, 12_000);
            deeds.push((40, Action::Skew(0, 240 * SECOND)));
        }
        Defect::Engine(Hazard::Limits) => plan.limits.runs_per_host = 1,
        Defect::Engine(Hazard::Files) => {
            for spec in &mut plan.specs {
                spec.schedule = schedule("*/3 * * * * *");
            }
            plan.run_ms = (50, 500);
            deeds.push((50, Action::Edit(0, 12 * SECOND)));
        }
        Defect::Engine(Hazard::Losses) => {
            deeds.extend([(60, Action::Detach), (75, Action::FailOver)]);
        }
        Defect::Engine(Hazard::Starts) => {
            together(&mut plan, 6, 4);
            let from = Timestamp(plan.start.0 + 62 * SECOND + 500);
            plan.faults.shared[0] = vec![Fault::new(Kind::Outage, from, 50 * SECOND)];
            let restart = Action::Restart(1, 15 * SECOND);
            deeds.extend([(58, restart), (61, Action::Detach), (73, Action::FailOver)]);
        }
        Defect::Reports => {}
    }
    let at = |seconds| Timestamp(plan.start.0 + seconds * SECOND);
    plan.actions = deeds.into_iter().map(|(seconds, action)| (at(seconds), action)).collect();
    plan
}

fn schedule(cron: &str) -> Schedule {
    Schedule::parse(cron, "UTC").unwrap()
}

/// Lets so many integrations of one host fail and recover together, each at its first answer, on nodes that have so many
/// runs at once.
fn together(plan: &mut Plan, count: usize, runs: usize) {
    let policy = plan.specs[0].policy;
    let policy = crate::domain::Policy { confirm_runs: Some(1), recovery_runs: Some(1), ..policy };
    // Schedules are spread over a tenth of their period, which is less than a step then.
    let one = Spec { host: 0, schedule: schedule("*/3 * * * * *"), policy, region: None };
    plan.specs = vec![one; count];
    plan.faults = Faults::none(plan.seed, count, 1);
    plan.run_ms = (100, 100);
    plan.limits.runs = runs;
    plan.limits.runs_per_host = count;
    for round in 0..3 {
        let from = Timestamp(plan.start.0 + (35 + 40 * round) * SECOND);
        plan.faults.shared[0].push(Fault::new(Kind::Outage, from, 20 * SECOND));
    }
}

/// Gives what fails together different causes: each has lost its own permission.
fn alone(plan: &mut Plan) {
    for fault in std::mem::take(&mut plan.faults.shared[0]) {
        let own = Fault { kind: Kind::LostPermission, ..fault };
        plan.faults.own.iter_mut().for_each(|faults| faults.push(own));
    }
}
