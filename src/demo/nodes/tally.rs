//! Tally of the messages that the receiver got: gaps, doubles and disorder by the numbers that each integration counts.

use std::collections::BTreeMap;
use std::fmt;

/// Messages about all integrations.
#[derive(Debug, Default)]
pub(super) struct Tally {
    stories: BTreeMap<String, Story>,
    /// Messages, each once by its id.
    pub(super) messages: usize,
    /// Messages that came again under the id that they had.
    pub(super) repeats: usize,
    /// Messages that were refused, since their signature did not fit.
    pub(super) refused: usize,
    /// Messages with a number that another one of the integration had.
    doubled: usize,
    /// Messages that came before or after their turn.
    disordered: usize,
}

/// Messages about one integration.
#[derive(Debug, Default)]
struct Story {
    /// Number of each message, by its id.
    numbers: BTreeMap<String, i64>,
    latest: i64,
}

impl Tally {
    /// Counts a message whose signature fits; returns true when it is new.
    pub(super) fn note(&mut self, name: &str, id: &str, number: i64) -> bool {
        let story = self.stories.entry(name.to_owned()).or_default();
        if story.numbers.contains_key(id) {
            self.repeats += 1;
            return false;
        }
        self.doubled += usize::from(story.numbers.values().any(|known| *known == number));
        self.disordered += usize::from(number != story.latest.saturating_add(1));
        story.latest = story.latest.max(number);
        story.numbers.insert(id.to_owned(), number);
        self.messages += 1;
        true
    }

    /// Returns the verdict on so many changes of which receivers were to be notified.
    pub(super) fn verdict(&self, changes: usize) -> Verdict {
        Verdict {
            changes,
            lost: changes.saturating_sub(self.messages),
            doubled: self.doubled.max(self.messages.saturating_sub(changes)),
            disordered: self.disordered,
            refused: self.refused,
        }
    }
}

/// Verdict on the messages that the receiver got.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Verdict {
    changes: usize,
    lost: usize,
    doubled: usize,
    disordered: usize,
    refused: usize,
}

impl Verdict {
    /// Returns true when each message came once, and in order.
    pub(super) const fn is_good(self) -> bool {
        self.lost == 0 && self.doubled == 0 && self.disordered == 0 && self.refused == 0
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { changes, lost, doubled, disordered, refused } = self;
        write!(
            f,
            "{changes} changes, {lost} messages lost, {doubled} doubled, {disordered} out of order"
        )?;
        if *refused != 0 {
            write!(f, ", {refused} with a wrong signature")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn after(messages: &[(&str, i64)], changes: usize) -> Verdict {
        let mut tally = Tally::default();
        for (id, number) in messages {
            tally.note("lake", id, *number);
        }
        tally.verdict(changes)
    }

    #[test]
    fn verdict_is_good_only_when_each_number_came_once_and_in_order() {
        assert!(
            after(&[("a", 1), ("b", 2), ("b", 2), ("c", 3)], 3).is_good(),
            "a repeat is allowed"
        );
        let good = after(&[], 0);
        let table = [
            (after(&[("a", 1)], 2), Verdict { changes: 2, lost: 1, ..good }),
            (
                after(&[("a", 1), ("b", 1)], 2),
                Verdict { changes: 2, doubled: 1, disordered: 1, ..good },
            ),
            (
                after(&[("a", 1), ("c", 3), ("b", 2)], 3),
                Verdict { changes: 3, disordered: 2, ..good },
            ),
            (after(&[("a", 1), ("b", 2)], 1), Verdict { changes: 1, doubled: 1, ..good }),
        ];
        for (found, expected) in table {
            assert_eq!(found, expected);
            assert!(!found.is_good());
        }
    }

    #[test]
    fn integrations_are_counted_apart() {
        let mut tally = Tally::default();
        assert!(
            tally.note("a", "one", 1) && tally.note("b", "two", 1) && !tally.note("b", "two", 1)
        );
        assert_eq!((tally.messages, tally.repeats), (2, 1));
        assert!(tally.verdict(2).is_good());
    }
}
