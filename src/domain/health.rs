//! Whether trouble is the daemon's own: what was heard of hosts lately, and what their clocks showed.

use std::collections::BTreeMap;
use std::time::Duration;

use super::Timestamp;

/// How long what was heard of a host counts.
const HEARD_MAX: Duration = Duration::from_mins(3);
/// How many hosts must be silent, and no other heard of, before the network is suspected.
const SILENT_MIN: usize = 3;
/// How many hosts must show the same before our own clock is suspected.
const CLOCKS_MIN: usize = 2;
/// The most hosts that are remembered; one more, and all are forgotten.
const HOSTS_MAX: usize = 4096;

/// What was heard of hosts lately.
#[derive(Clone, Debug, Default)]
pub(crate) struct Hosts(BTreeMap<String, Heard>);

#[derive(Clone, Copy, Debug)]
struct Heard {
    at: Timestamp,
    answered: bool,
}

impl Hosts {
    /// A run that ended at `now` got an answer from `host`, of whatever kind, or none.
    pub(crate) fn note(&mut self, host: &str, answered: bool, now: Timestamp) {
        let oldest = now.minus(HEARD_MAX);
        self.0.retain(|_, heard| oldest < heard.at && heard.at <= now);
        if HOSTS_MAX <= self.0.len() {
            self.0.clear();
        }
        self.0.insert(host.to_owned(), Heard { at: now, answered });
    }

    /// How many hosts are silent, when that is enough to suspect the network: several, and no host
    /// has answered lately.
    #[must_use]
    pub(crate) fn silent(&self) -> Option<usize> {
        let silent = self.0.values().filter(|heard| !heard.answered).count();
        (silent == self.0.len() && SILENT_MIN <= silent).then_some(silent)
    }

    /// True when nothing was heard of `host` lately.
    #[must_use]
    pub(crate) fn is_unheard(&self, host: &str) -> bool {
        !self.0.contains_key(host)
    }
}

/// How far the clocks of servers are from ours, by host.
#[derive(Clone, Debug, Default)]
pub(crate) struct Clocks(BTreeMap<String, Shown>);

#[derive(Clone, Copy, Debug)]
struct Shown {
    at: Timestamp,
    /// Milliseconds; positive when theirs is ahead.
    skew_ms: i64,
}

impl Clocks {
    /// The clock of `host` showed `shows` when ours showed `now`.
    pub(crate) fn note(&mut self, host: &str, shows: Timestamp, now: Timestamp) {
        let oldest = now.minus(HEARD_MAX);
        self.0.retain(|_, shown| oldest < shown.at && shown.at <= now);
        if HOSTS_MAX <= self.0.len() {
            self.0.clear();
        }
        let skew_ms = shows.0.saturating_sub(now.0);
        self.0.insert(host.to_owned(), Shown { at: now, skew_ms });
    }

    /// How far our clock is behind the others in milliseconds (ahead when negative), when it is wrong:
    /// several hosts show the same difference of more than `most`, and none shows our time.
    #[must_use]
    pub(crate) fn wrong_by(&self, most: Duration) -> Option<i64> {
        let most = i64::try_from(most.as_millis()).unwrap_or(i64::MAX);
        let skews: Vec<_> = self.0.values().map(|shown| shown.skew_ms).collect();
        let (least, largest) = (skews.iter().min()?, skews.iter().max()?);
        let agree = largest.saturating_sub(*least) <= most;
        let wrong = skews.iter().all(|skew| i128::from(most) < i128::from(*skew).abs());
        (CLOCKS_MIN <= skews.len() && agree && wrong).then_some(*least)
    }

    /// True when a host shows our time.
    #[must_use]
    pub(crate) fn is_right(&self, most: Duration) -> bool {
        let near = |shown: &Shown| u128::from(shown.skew_ms.unsigned_abs()) <= most.as_millis();
        self.0.values().any(near)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp(1_000_000_000);

    fn hosts(heard: &[(&str, bool, i64)]) -> Hosts {
        let mut hosts = Hosts::default();
        for (host, answered, secs) in heard {
            hosts.note(host, *answered, Timestamp(NOW.0 + secs * 1000));
        }
        hosts
    }

    #[test]
    fn the_network_is_suspected_when_several_hosts_are_silent_and_none_answers() {
        let table = [
            (&[("a", false, 0), ("b", false, 1)][..], None),
            (&[("a", false, 0), ("b", false, 1), ("b", false, 2)][..], None),
            (&[("a", false, 0), ("b", false, 1), ("c", false, 2)][..], Some(3)),
            (&[("a", false, 0), ("b", true, 1), ("c", false, 2), ("d", false, 3)][..], None),
            (
                &[("x", true, 0), ("a", false, 181), ("b", false, 182), ("c", false, 183)][..],
                Some(3),
            ),
            (&[("a", false, 0), ("b", false, 1), ("c", false, 2), ("a", true, 3)][..], None),
        ];
        for (number, (heard, expected)) in table.into_iter().enumerate() {
            assert_eq!(hosts(heard).silent(), expected, "case {number}");
        }
        assert!(hosts(&[("a", true, 0)]).is_unheard("b"));
        assert!(!hosts(&[("a", true, 0)]).is_unheard("a"));
    }

    #[test]
    fn our_clock_is_wrong_when_several_hosts_agree_that_it_is() {
        let most = Duration::from_mins(5);
        let wrong = |skews: &[i64]| {
            let mut clocks = Clocks::default();
            for (host, skew) in skews.iter().enumerate() {
                clocks.note(&host.to_string(), Timestamp(NOW.0 + skew * 1000), NOW);
            }
            (clocks.wrong_by(most), clocks.is_right(most))
        };
        let table = [
            (&[][..], (None, false)),
            (&[3600][..], (None, false)),
            (&[3600, 3601][..], (Some(3_600_000), false)),
            (&[-3600, -3605, -3590][..], (Some(-3_605_000), false)),
            (&[3600, 3601, 2][..], (None, true)),
            (&[3600, -3600][..], (None, false)),
        ];
        for (skews, expected) in table {
            assert_eq!(wrong(skews), expected, "{skews:?}");
        }
    }
}
