//! What goes wrong on the platforms, and when: laid down before anything runs, so that whoever asks at
//! the same instant is told the same.

use super::dice::Dice;
use crate::domain::{Class, Timestamp};

/// A second, in milliseconds.
pub(super) const SECOND: i64 = 1000;
/// A minute, in milliseconds.
pub(super) const MINUTE: i64 = 60 * SECOND;
/// An hour, in milliseconds.
pub(super) const HOUR: i64 = 60 * MINUTE;
/// A day, in milliseconds.
pub(super) const DAY: i64 = 24 * HOUR;

/// What kind of fault it is.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(super) enum Kind {
    /// Nobody can log in any more, until somebody grants it again.
    LostPermission,
    /// The host does not serve.
    Outage,
    /// No answer for some seconds.
    Blip,
    /// Some of the answers are that there are too many questions.
    Throttling,
    /// Answers come late.
    Slow,
    /// No answer at all, not even an end.
    Hang,
    /// The fault is on this side.
    Ours,
}

/// A fault, from `from` to before `to`.
#[derive(Clone, Copy, Debug)]
pub(super) struct Fault {
    /// What kind.
    pub(super) kind: Kind,
    /// Its first instant.
    pub(super) from: Timestamp,
    /// The first instant after it.
    pub(super) to: Timestamp,
}

impl Fault {
    /// One that lasts `millis`.
    pub(super) const fn new(kind: Kind, from: Timestamp, millis: i64) -> Self {
        Self { kind, from, to: Timestamp(from.0 + millis) }
    }

    /// True while it is there.
    pub(super) fn covers(&self, at: Timestamp) -> bool {
        self.from <= at && at < self.to
    }
}

/// What a platform does with a question.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Answer {
    /// All is well.
    Good,
    /// It fails.
    Bad(Class),
    /// It is well, after so many milliseconds more.
    Late(i64),
    /// Nothing comes.
    Never,
}

/// Every fault of a world.
#[derive(Debug, Default)]
pub(super) struct Faults {
    seed: u64,
    /// Those of each integration.
    pub(super) own: Vec<Vec<Fault>>,
    /// Those of each host.
    pub(super) shared: Vec<Vec<Fault>>,
}

impl Faults {
    /// No fault yet of so many integrations and hosts.
    pub(super) fn none(seed: u64, integrations: usize, hosts: usize) -> Self {
        let lists = |count| std::iter::repeat_with(Vec::new).take(count).collect();
        Self { seed, own: lists(integrations), shared: lists(hosts) }
    }

    /// The faults of an integration on a host that are there at `at`, the gravest first.
    pub(super) fn at(&self, integration: usize, host: usize, at: Timestamp) -> Vec<Fault> {
        let lists = [&self.own[integration], &self.shared[host]];
        let all = lists.into_iter().flat_map(|list| list.iter());
        let mut found: Vec<_> = all.filter(|fault| fault.covers(at)).copied().collect();
        found.sort_by_key(|fault| fault.kind);
        found
    }

    /// What the platform of an integration answers to a question at `at`, and by which fault.
    pub(super) fn answer(
        &self,
        integration: usize,
        host: usize,
        at: Timestamp,
    ) -> (Answer, Option<Fault>) {
        for fault in self.at(integration, host, at) {
            let answer = match fault.kind {
                Kind::LostPermission => Answer::Bad(Class::Denied),
                Kind::Outage => Answer::Bad(Class::Unavailable),
                Kind::Blip => Answer::Bad(Class::Unreachable),
                Kind::Throttling => {
                    let salt = [u64::try_from(integration).unwrap(), at.0.unsigned_abs()];
                    if !Dice::new(self.seed, &salt).chance(250) {
                        continue;
                    }
                    Answer::Bad(Class::Throttled)
                }
                Kind::Slow => Answer::Late(20 * SECOND),
                Kind::Hang => Answer::Never,
                Kind::Ours => Answer::Bad(Class::Local),
            };
            return (answer, Some(fault));
        }
        (Answer::Good, None)
    }
}
