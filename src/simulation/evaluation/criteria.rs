//! Targets of the default policy: comparisons that must hold in the evaluation.

use super::{Evaluation, Line, OWN};

/// False alerts in an integration-year at most, with checks every five minutes.
const FALSE_ALERTS_MAX: f64 = 2.0;
/// Mean detection in seconds of outages of a host at most, with checks every five minutes.
const OUTAGE_MAX_SECS: f64 = 270.0;
/// Share by which lost permissions may be detected later than by the first failure.
const LOST_LATER_MAX: f64 = 0.03;
/// Mean number of messages of an outage of a host at most.
const MESSAGES_MAX: f64 = 2.05;
/// Times as many false alerts that a policy must have which detects outages sooner.
const SOONER_TIMES: f64 = 20.0;
/// Times the bound that false alerts and detection may be.
const BOUND_TIMES: f64 = 2.0;

/// Target, with its result in an evaluation.
#[derive(Clone, Debug)]
pub(super) struct Criterion {
    /// Target as a sentence.
    pub(super) target: String,
    /// Numbers that were found.
    pub(super) found: String,
    /// True when the target is met.
    pub(super) is_met: bool,
}

impl Criterion {
    fn new(target: impl Into<String>, found: String, is_met: bool) -> Self {
        Self { target: target.into(), found, is_met }
    }
}

/// Returns the targets that hold for every schedule.
pub(super) fn everywhere(evaluation: &Evaluation) -> Vec<Criterion> {
    let lines = evaluation.lines();
    let (own, peers) = split(&lines);
    vec![fewest(own, &peers), sooner(own, &peers), bound_alerts(evaluation), bound_time(evaluation)]
}

/// Returns the targets for checks every five minutes.
pub(super) fn often(evaluation: &Evaluation) -> Vec<Criterion> {
    let lines = evaluation.lines();
    let own = &lines[0];
    let alerts = own.false_alerts.value;
    let outage = own.outage.value;
    let later = evaluation.lost_later();
    let messages = own.messages.value;
    let mut all = everywhere(evaluation);
    all.extend([
        Criterion::new(
            format!("at most {FALSE_ALERTS_MAX} false alerts per integration-year"),
            format!("{alerts:.2}"),
            alerts <= FALSE_ALERTS_MAX,
        ),
        Criterion::new(
            format!("outages of a host within {OUTAGE_MAX_SECS} s on average"),
            format!("{outage:.0} s"),
            outage <= OUTAGE_MAX_SECS,
        ),
        Criterion::new(
            format!(
                "lost permissions at most {:.0} % later than by the first failure, over the same losses",
                LOST_LATER_MAX * 100.0
            ),
            format!("{:.1} %", later * 100.0),
            later <= LOST_LATER_MAX,
        ),
        Criterion::new(
            format!("at most {MESSAGES_MAX} messages per outage of {} integrations", evaluation.scene.on_each),
            format!("{messages:.3}"),
            messages <= MESSAGES_MAX,
        ),
    ]);
    all
}

/// Returns this project's line and those of peers, without this project's other policies.
pub(super) fn split(lines: &[Line]) -> (&Line, Vec<&Line>) {
    let daemons = super::DAEMONS;
    let is_peer = |line: &&Line| daemons.iter().all(|(name, _)| *name != line.name);
    let own = lines.iter().find(|line| line.name == OWN).unwrap();
    (own, lines.iter().filter(is_peer).collect())
}

/// Returns the line with the fewest false alerts.
pub(super) fn quietest<'a>(peers: &[&'a Line]) -> &'a Line {
    let all = peers.iter().copied();
    all.min_by(|one, other| one.false_alerts.value.total_cmp(&other.false_alerts.value)).unwrap()
}

fn fewest(own: &Line, peers: &[&Line]) -> Criterion {
    let peer = quietest(peers);
    Criterion::new(
        "no policy of a peer has fewer false alerts",
        format!(
            "{:.2}, and {:.2} of {}",
            own.false_alerts.value, peer.false_alerts.value, peer.name
        ),
        own.false_alerts.value <= peer.false_alerts.value,
    )
}

fn sooner(own: &Line, peers: &[&Line]) -> Criterion {
    let sooner = peers.iter().copied().filter(|peer| peer.outage.value < own.outage.value);
    let sooner: Vec<_> = sooner.collect();
    let target = format!(
        "no policy of a peer that detects outages sooner has fewer than {SOONER_TIMES} times as many"
    );
    if sooner.is_empty() {
        return Criterion::new(target, "none detects them sooner".to_owned(), true);
    }
    let peer = quietest(&sooner);
    let times = peer.false_alerts.value / own.false_alerts.value;
    let found = format!("{times:.0} times of {}, in {:.0} s", peer.name, peer.outage.value);
    Criterion::new(target, found, SOONER_TIMES <= times)
}

fn bound_alerts(evaluation: &Evaluation) -> Criterion {
    let own = evaluation.lines()[0];
    let fewest = evaluation.bound.alerts_at(own.outage.value, own.lone.value);
    let times = own.false_alerts.value / fewest;
    Criterion::new(
        format!("at most {BOUND_TIMES} times the false alerts of the bound at the same detection"),
        format!("{times:.2} times {fewest:.2}"),
        times <= BOUND_TIMES,
    )
}

fn bound_time(evaluation: &Evaluation) -> Criterion {
    let own = evaluation.lines()[0];
    let soonest = evaluation.bound.outage_at(own.false_alerts.value, own.lone.value);
    let times = own.outage.value / soonest;
    Criterion::new(
        format!(
            "at most {BOUND_TIMES} times the detection of the bound with the same false alerts"
        ),
        format!("{times:.2} times {soonest:.0} s"),
        times <= BOUND_TIMES,
    )
}
