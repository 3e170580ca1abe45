//! Pools without a node that works: how long each has none, and when receivers are notified of that.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use crate::domain::{Pool, Timestamp};

/// Time without a node after which a pool is a fault.
const ABSENT_MAX: Duration = Duration::from_mins(1);

/// Pool that the configuration names, with what is meant for it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Placed {
    /// Labels that its nodes have.
    pub(crate) pool: Pool,
    /// Number of integrations that are validated there alone.
    pub(crate) integrations: usize,
    /// Number of receivers that are sent messages from there alone.
    pub(crate) receivers: usize,
}

/// Node that is alive.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct LivingNode {
    /// Labels in its configuration.
    pub(crate) labels: BTreeMap<String, String>,
    /// True unless it begins and sends nothing.
    pub(crate) works: bool,
}

/// Absence of nodes from a pool, as it is stored.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Absence {
    /// Instant at which there was first seen to be none.
    pub(crate) since: Timestamp,
    /// True when the fault that lasts names it.
    pub(crate) is_notified: bool,
}

/// Absences by the canonical texts of their pools.
pub(crate) type Absences = BTreeMap<String, Absence>;

/// Returns the absences as they are now; those that have lasted for long enough are to be notified. `before` are those
/// that are stored.
pub(crate) fn absences(
    placed: &[Placed],
    nodes: &[LivingNode],
    before: &Absences,
    now: Timestamp,
) -> Absences {
    let is_served = |pool: &Pool| nodes.iter().any(|node| node.works && pool.has(&node.labels));
    let absent = placed.iter().filter(|one| !is_served(&one.pool)).map(|one| {
        let text = one.pool.text();
        let since = before.get(&text).map_or(now, |known| known.since.min(now));
        let is_notified = since.plus(ABSENT_MAX) <= now;
        (text, Absence { since, is_notified })
    });
    absent.collect()
}

/// Returns true when receivers know of other absences than these.
pub(crate) fn is_news(before: &Absences, now: &Absences) -> bool {
    let notified = |all: &Absences| -> BTreeSet<String> {
        let all = all.iter().filter(|(_, one)| one.is_notified);
        all.map(|(pool, _)| pool.clone()).collect()
    };
    notified(before) != notified(now)
}

/// Returns the sentence about the pools that receivers are to be notified of; none when there is none.
pub(crate) fn absence_message(
    placed: &[Placed],
    nodes: &[LivingNode],
    absences: &Absences,
) -> Option<String> {
    let is_absent =
        |one: &&Placed| absences.get(&one.pool.text()).is_some_and(|one| one.is_notified);
    let absent = placed.iter().filter(is_absent).map(|one| sentence(one, nodes));
    let sentences: Vec<_> = absent.collect();
    (!sentences.is_empty()).then(|| sentences.join("; "))
}

fn sentence(one: &Placed, nodes: &[LivingNode]) -> String {
    let Placed { pool, integrations, receivers } = one;
    let counted = |number: usize, what: &str| match number {
        0 => None,
        1 => Some(format!("1 {what}")),
        _ => Some(format!("{number} {what}s")),
    };
    let waiting = [counted(*integrations, "integration"), counted(*receivers, "receiver")];
    let waiting = waiting.into_iter().flatten().collect::<Vec<_>>().join(" and ");
    let verb = if integrations + receivers == 1 { "waits" } else { "wait" };
    let is_idle = nodes.iter().any(|node| pool.has(&node.labels));
    let none = if is_idle { "works: all of them wait or are drained" } else { "is alive" };
    format!("no node with {pool} {none}; {waiting} {verb}")
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp(1_000_000_000);

    fn pool(region: &str) -> Pool {
        Pool::of([("region".to_owned(), region.to_owned())].into())
    }

    fn placed(region: &str, integrations: usize, receivers: usize) -> Placed {
        Placed { pool: pool(region), integrations, receivers }
    }

    fn node(region: &str, works: bool) -> LivingNode {
        LivingNode { labels: [("region".to_owned(), region.to_owned())].into(), works }
    }

    fn after(secs: u64) -> Timestamp {
        NOW.plus(Duration::from_secs(secs))
    }

    #[test]
    fn pool_without_a_node_for_a_minute_is_notified_and_one_that_has_a_node_is_forgotten() {
        let all = [placed("eu", 214, 0), placed("us", 1, 0)];
        let (eu, us) = (node("eu", true), node("us", true));
        let first = absences(&all, std::slice::from_ref(&us), &Absences::new(), NOW);
        let absent = |since, is_notified| Absence { since, is_notified };
        assert_eq!(first, [(pool("eu").text(), absent(NOW, false))].into());
        assert!(!is_news(&Absences::new(), &first));
        let soon = absences(&all, std::slice::from_ref(&us), &first, after(59));
        assert_eq!(soon, first);
        let late = absences(&all, std::slice::from_ref(&us), &soon, after(60));
        assert_eq!(late, [(pool("eu").text(), absent(NOW, true))].into());
        assert!(is_news(&soon, &late) && !is_news(&late, &late));
        let message = absence_message(&all, std::slice::from_ref(&us), &late);
        let expected = "no node with region=eu is alive; 214 integrations wait";
        assert_eq!(message.as_deref(), Some(expected));
        let back = absences(&all, &[us, eu], &late, after(90));
        assert_eq!((back.len(), is_news(&late, &back)), (0, true));
        assert_eq!(absence_message(&all, &[], &back), None);
    }

    #[test]
    fn node_that_waits_serves_no_pool_and_each_absent_pool_is_named() {
        let all = [placed("eu", 1, 0), placed("us", 0, 2), placed("ap", 1, 1)];
        let nodes = [node("us", false), node("ap", true)];
        let before = absences(&all, &nodes, &Absences::new(), NOW);
        let late = absences(&all, &nodes, &before, after(61));
        let expected = "no node with region=eu is alive; 1 integration waits; no node with region=us works: all of \
            them wait or are drained; 2 receivers wait";
        assert_eq!(absence_message(&all, &nodes, &late).as_deref(), Some(expected));
        let none = absences(&all, &[], &late, after(62));
        assert!(!none[&pool("ap").text()].is_notified && !is_news(&late, &none));
        let both = absence_message(&all, &[], &absences(&all, &[], &none, after(130))).unwrap();
        assert!(
            both.ends_with("no node with region=ap is alive; 1 integration and 1 receiver wait"),
            "{both}"
        );
    }
}
