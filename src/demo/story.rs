//! What the demo waits for and does next: a small state machine that only looks at facts.

use std::collections::BTreeSet;
use std::time::Duration;

use tokio::time::Instant;

use crate::domain::{EventType, Status};

/// How long each state lasts before the demo changes it, so that a person can follow.
const PAUSE: Duration = Duration::from_secs(4);

/// Something that really happened.
#[derive(Clone, Copy, Debug)]
pub(super) enum Fact<'a> {
    /// The store has this status for this integration.
    Status(&'a str, Status),
    /// A verified webhook of this type came for this integration.
    Told(&'a str, EventType),
}

/// What the demo does next.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Act {
    /// Everything is well: say what comes.
    Announce,
    /// Break the platform of one integration.
    Break,
    /// The failure was seen and told: say what comes.
    Witness,
    /// Mend it.
    Mend,
    /// The recovery was seen and told.
    End,
}

/// The story of one integration among others.
#[derive(Debug)]
pub(super) struct Story {
    victim: String,
    cast: usize,
    enabled: BTreeSet<String>,
    chapter: Chapter,
}

#[derive(Clone, Copy, Debug)]
enum Chapter {
    Settling,
    Calm { until: Instant },
    Broken(Seen),
    Outage { until: Instant },
    Mended(Seen),
    Over,
}

/// Both sides of a status change: the store has it, and the receiver was told.
#[derive(Clone, Copy, Debug, Default)]
struct Seen {
    status: bool,
    webhook: bool,
}

impl Story {
    /// A story about `victim`, one of `cast` integrations.
    pub(super) fn new(victim: &str, cast: usize) -> Self {
        let victim = victim.to_owned();
        Self { victim, cast, enabled: BTreeSet::new(), chapter: Chapter::Settling }
    }

    /// Takes note of a fact.
    pub(super) fn note(&mut self, fact: Fact<'_>) {
        if let Fact::Status(name, Status::Enabled) = fact {
            self.enabled.insert(name.to_owned());
        }
        match &mut self.chapter {
            Chapter::Broken(seen) => {
                let (status, told) =
                    (Status::RecurringValidationError, EventType::ValidationFailed);
                seen.note(fact, &self.victim, status, told);
            }
            Chapter::Mended(seen) => {
                seen.note(fact, &self.victim, Status::Enabled, EventType::ValidationRecovered);
            }
            Chapter::Settling | Chapter::Calm { .. } | Chapter::Outage { .. } | Chapter::Over => {}
        }
    }

    /// What is to be done at `now`, if anything; call again until there is nothing.
    pub(super) fn step(&mut self, now: Instant) -> Option<Act> {
        let (chapter, act) = match self.chapter {
            Chapter::Settling if self.enabled.len() == self.cast => {
                (Chapter::Calm { until: now + PAUSE }, Act::Announce)
            }
            Chapter::Calm { until } if until <= now => {
                (Chapter::Broken(Seen::default()), Act::Break)
            }
            Chapter::Broken(Seen { status: true, webhook: true }) => {
                (Chapter::Outage { until: now + PAUSE }, Act::Witness)
            }
            Chapter::Outage { until } if until <= now => {
                (Chapter::Mended(Seen::default()), Act::Mend)
            }
            Chapter::Mended(Seen { status: true, webhook: true }) => (Chapter::Over, Act::End),
            Chapter::Settling
            | Chapter::Calm { .. }
            | Chapter::Broken(_)
            | Chapter::Outage { .. }
            | Chapter::Mended(_)
            | Chapter::Over => return None,
        };
        self.chapter = chapter;
        Some(act)
    }

    /// What the story waits for; none when it is over.
    pub(super) const fn waits_for(&self) -> Option<&'static str> {
        match self.chapter {
            Chapter::Settling => Some("every integration to be enabled"),
            Chapter::Broken(Seen { status: false, .. }) => Some("the status to flip"),
            Chapter::Mended(Seen { status: false, .. }) => Some("the status to recover"),
            Chapter::Broken(_) | Chapter::Mended(_) => Some("the webhook"),
            Chapter::Calm { .. } | Chapter::Outage { .. } => Some("the next act"),
            Chapter::Over => None,
        }
    }
}

impl Seen {
    fn note(&mut self, fact: Fact<'_>, victim: &str, status: Status, told: EventType) {
        match fact {
            Fact::Status(name, to) => self.status |= name == victim && to == status,
            Fact::Told(name, kind) => self.webhook |= name == victim && kind == told,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all_enabled(story: &mut Story) {
        for name in ["a", "b"] {
            story.note(Fact::Status(name, Status::Creating));
            story.note(Fact::Status(name, Status::Enabled));
        }
    }

    #[test]
    fn the_story_goes_from_calm_over_failure_to_recovery() {
        let mut now = Instant::now();
        let mut story = Story::new("a", 2);
        assert_eq!(story.step(now), None);
        all_enabled(&mut story);
        assert_eq!(story.step(now), Some(Act::Announce));
        assert_eq!(story.step(now), None);
        now += PAUSE;
        assert_eq!(story.step(now), Some(Act::Break));
        story.note(Fact::Status("a", Status::RecurringValidationError));
        assert_eq!(story.step(now), None);
        story.note(Fact::Told("a", EventType::ValidationFailed));
        assert_eq!(story.step(now), Some(Act::Witness));
        now += PAUSE;
        assert_eq!(story.step(now), Some(Act::Mend));
        story.note(Fact::Told("a", EventType::ValidationRecovered));
        assert_eq!(story.step(now), None);
        story.note(Fact::Status("a", Status::Enabled));
        assert_eq!(story.step(now), Some(Act::End));
        assert_eq!((story.step(now), story.waits_for()), (None, None));
    }

    #[test]
    fn what_happens_to_others_or_came_before_does_not_count() {
        let mut now = Instant::now();
        let mut story = Story::new("a", 2);
        story.note(Fact::Status("a", Status::Enabled));
        assert_eq!(story.step(now), None, "one of two is not enough");
        all_enabled(&mut story);
        story.note(Fact::Status("a", Status::RecurringValidationError));
        story.note(Fact::Told("a", EventType::ValidationFailed));
        assert_eq!(story.step(now), Some(Act::Announce));
        now += PAUSE;
        assert_eq!(story.step(now), Some(Act::Break));
        assert_eq!(story.step(now), None, "the failure came before the break");
        story.note(Fact::Status("b", Status::RecurringValidationError));
        story.note(Fact::Told("b", EventType::ValidationFailed));
        story.note(Fact::Told("a", EventType::StatusChanged));
        assert_eq!(story.step(now), None);
        assert_eq!(story.waits_for(), Some("the status to flip"));
    }
}
