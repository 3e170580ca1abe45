//! Story of the demo: a state machine that advances by observed facts.

use std::collections::BTreeSet;
use std::time::Duration;

use tokio::time::Instant;

use crate::domain::{EventType, Status};

/// Time for which each state lasts, so that a person can follow.
const PAUSE: Duration = Duration::from_secs(4);

/// Fact that was observed.
#[derive(Clone, Copy, Debug)]
pub(super) enum Fact<'a> {
    /// The store has this status for this integration.
    Status(&'a str, Status),
    /// A verified webhook of this type was received for this integration.
    Webhook(&'a str, EventType),
}

/// Next action of the demo.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Act {
    /// Every integration is enabled: announce the failure.
    Announce,
    /// Breaks the platform of one integration.
    Break,
    /// The failure was stored and notified: announce the repair.
    Witness,
    /// Repairs the platform of that integration.
    Repair,
    /// The recovery was stored and notified.
    End,
}

/// Story of one integration among others.
#[derive(Debug)]
pub(super) struct Story {
    victim: String,
    cast: usize,
    enabled: BTreeSet<String>,
    chapter: Chapter,
}

#[derive(Clone, Copy, Debug)]
enum Chapter {
    Starting,
    Calm { until: Instant },
    Broken(Seen),
    Outage { until: Instant },
    Repaired(Seen),
    Over,
}

/// Observations of a status change: it is stored, and its webhook was received.
#[derive(Clone, Copy, Debug, Default)]
struct Seen {
    status: bool,
    webhook: bool,
}

impl Story {
    /// Returns a story about `victim`, one of `cast` integrations.
    pub(super) fn new(victim: &str, cast: usize) -> Self {
        let victim = victim.to_owned();
        Self { victim, cast, enabled: BTreeSet::new(), chapter: Chapter::Starting }
    }

    /// Records a fact about an integration.
    pub(super) fn note(&mut self, fact: Fact<'_>) {
        if let Fact::Status(name, Status::Enabled) = fact {
            self.enabled.insert(name.to_owned());
        }
        match &mut self.chapter {
            Chapter::Broken(seen) => {
                let (status, webhook) =
                    (Status::RecurringValidationError, EventType::ValidationFailed);
                seen.note(fact, &self.victim, status, webhook);
            }
            Chapter::Repaired(seen) => {
                seen.note(fact, &self.victim, Status::Enabled, EventType::ValidationRecovered);
            }
            Chapter::Starting | Chapter::Calm { .. } | Chapter::Outage { .. } | Chapter::Over => {}
        }
    }

    /// Returns the next action at `now`, if there is one; to be called until there is none.
    pub(super) fn step(&mut self, now: Instant) -> Option<Act> {
        let (chapter, act) = match self.chapter {
            Chapter::Starting if self.enabled.len() == self.cast => {
                (Chapter::Calm { until: now + PAUSE }, Act::Announce)
            }
            Chapter::Calm { until } if until <= now => {
                (Chapter::Broken(Seen::default()), Act::Break)
            }
            Chapter::Broken(Seen { status: true, webhook: true }) => {
                (Chapter::Outage { until: now + PAUSE }, Act::Witness)
            }
            Chapter::Outage { until } if until <= now => {
                (Chapter::Repaired(Seen::default()), Act::Repair)
            }
            Chapter::Repaired(Seen { status: true, webhook: true }) => (Chapter::Over, Act::End),
            Chapter::Starting
            | Chapter::Calm { .. }
            | Chapter::Broken(_)
            | Chapter::Outage { .. }
            | Chapter::Repaired(_)
            | Chapter::Over => return None,
        };
        self.chapter = chapter;
        Some(act)
    }

    /// Returns the fact that the story waits for; none when it is over.
    pub(super) const fn waits_for(&self) -> Option<&'static str> {
        match self.chapter {
            Chapter::Starting => Some("every integration to be enabled"),
            Chapter::Broken(Seen { status: false, .. }) => Some("the status to change"),
            Chapter::Repaired(Seen { status: false, .. }) => Some("the status to recover"),
            Chapter::Broken(_) | Chapter::Repaired(_) => Some("the webhook"),
            Chapter::Calm { .. } | Chapter::Outage { .. } => Some("the next act"),
            Chapter::Over => None,
        }
    }
}

impl Seen {
    fn note(&mut self, fact: Fact<'_>, victim: &str, status: Status, webhook: EventType) {
        match fact {
            Fact::Status(name, to) => self.status |= name == victim && to == status,
            Fact::Webhook(name, kind) => self.webhook |= name == victim && kind == webhook,
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
    fn story_goes_from_calm_over_failure_to_recovery() {
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
        story.note(Fact::Webhook("a", EventType::ValidationFailed));
        assert_eq!(story.step(now), Some(Act::Witness));
        now += PAUSE;
        assert_eq!(story.step(now), Some(Act::Repair));
        story.note(Fact::Webhook("a", EventType::ValidationRecovered));
        assert_eq!(story.step(now), None);
        story.note(Fact::Status("a", Status::Enabled));
        assert_eq!(story.step(now), Some(Act::End));
        assert_eq!((story.step(now), story.waits_for()), (None, None));
    }

    #[test]
    fn facts_about_others_or_from_before_do_not_count() {
        let mut now = Instant::now();
        let mut story = Story::new("a", 2);
        story.note(Fact::Status("a", Status::Enabled));
        assert_eq!(story.step(now), None, "one of two is not enough");
        all_enabled(&mut story);
        story.note(Fact::Status("a", Status::RecurringValidationError));
        story.note(Fact::Webhook("a", EventType::ValidationFailed));
        assert_eq!(story.step(now), Some(Act::Announce));
        now += PAUSE;
        assert_eq!(story.step(now), Some(Act::Break));
        assert_eq!(story.step(now), None, "the failure came before the break");
        story.note(Fact::Status("b", Status::RecurringValidationError));
        story.note(Fact::Webhook("b", EventType::ValidationFailed));
        story.note(Fact::Webhook("a", EventType::StatusChanged));
        assert_eq!(story.step(now), None);
        assert_eq!(story.waits_for(), Some("the status to change"));
    }
}
