//! Detects faults of the daemon itself from the recent answers and clocks of hosts.

use std::collections::BTreeMap;
use std::time::Duration;

use super::Timestamp;

/// Time for which an observation of a host counts.
const OBSERVATION_MAX: Duration = Duration::from_mins(3);
/// Number of hosts that must be silent, with none answering, before the network is suspected.
const SILENT_MIN: usize = 3;
/// Number of hosts that must show the same time before the local clock is suspected.
const CLOCKS_MIN: usize = 2;
/// Number of hosts that are remembered; with one more, all are forgotten.
const HOSTS_MAX: usize = 4096;

/// Recent answers of hosts.
#[derive(Clone, Debug, Default)]
pub(crate) struct Hosts(BTreeMap<String, Contact>);

#[derive(Clone, Copy, Debug)]
struct Contact {
    at: Timestamp,
    answered: bool,
}

impl Hosts {
    /// Records that a run that ended at `now` got an answer of any kind from `host`, or none.
    pub(crate) fn note(&mut self, host: &str, answered: bool, now: Timestamp) {
        let oldest = now.minus(OBSERVATION_MAX);
        self.0.retain(|_, contact| oldest < contact.at && contact.at <= now);
        if HOSTS_MAX <= self.0.len() {
            self.0.clear();
        }
        self.0.insert(host.to_owned(), Contact { at: now, answered });
    }

    /// Returns the number of silent hosts, when it is enough to suspect the network: several are silent,
    /// and none answered recently.
    #[must_use]
    pub(crate) fn silent(&self) -> Option<usize> {
        let silent = self.0.values().filter(|contact| !contact.answered).count();
        (silent == self.0.len() && SILENT_MIN <= silent).then_some(silent)
    }

    /// Returns true when there is no recent observation of `host`.
    #[must_use]
    pub(crate) fn is_unheard(&self, host: &str) -> bool {
        !self.0.contains_key(host)
    }
}

/// Recent differences between the clocks of servers and the local one, by host.
#[derive(Clone, Debug, Default)]
pub(crate) struct Clocks(BTreeMap<String, Shown>);

#[derive(Clone, Copy, Debug)]
struct Shown {
    at: Timestamp,
    /// Difference in milliseconds; positive when the server's clock is ahead.
    skew_ms: i64,
}

impl Clocks {
    /// Records that the clock of `host` showed `shows` when the local one showed `now`.
    pub(crate) fn note(&mut self, host: &str, shows: Timestamp, now: Timestamp) {
        let oldest = now.minus(OBSERVATION_MAX);
        self.0.retain(|_, shown| oldest < shown.at && shown.at <= now);
        if HOSTS_MAX <= self.0.len() {
            self.0.clear();
        }
        let skew_ms = shows.0.saturating_sub(now.0);
        self.0.insert(host.to_owned(), Shown { at: now, skew_ms });
    }

    /// Returns how many milliseconds the local clock is behind (ahead when negative), when it is wrong:
    /// several hosts show the same difference of more than `most`, and none shows the local time.
    #[must_use]
    pub(crate) fn wrong_by(&self, most: Duration) -> Option<i64> {
        let most = i64::try_from(most.as_millis()).unwrap_or(i64::MAX);
        let skews: Vec<_> = self.0.values().map(|shown| shown.skew_ms).collect();
        let (least, largest) = (skews.iter().min()?, skews.iter().max()?);
        let agree = largest.saturating_sub(*least) <= most;
        let wrong = skews.iter().all(|skew| i128::from(most) < i128::from(*skew).abs());
        (CLOCKS_MIN <= skews.len() && agree && wrong).then_some(*least)
    }

    /// Returns true when a host shows the local time.
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
    fn network_is_suspected_when_several_hosts_are_silent_and_none_answers() {
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
    fn local_clock_is_wrong_when_several_hosts_agree() {
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
