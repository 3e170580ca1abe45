//! Requests to platforms that are not yet part of a stored run.

use crate::domain::{Class, Timestamp};

/// Request to a platform.
#[derive(Clone, Debug)]
struct Request {
    number: usize,
    wall: Timestamp,
    answer: Option<Answered>,
}

/// Answer of a platform: the class of its failure, if it failed, and whether it is in the platform's own words.
#[derive(Clone, Copy, Debug)]
pub(super) struct Answered(pub(super) Option<Class>, pub(super) bool);

/// Requests that platforms have seen.
#[derive(Debug, Default)]
pub(super) struct Requests(Vec<Request>);

impl Requests {
    /// Notes a request about integration `number`, when the wall clock shows `wall`.
    pub(super) fn begin(&mut self, number: usize, wall: Timestamp) {
        self.0.push(Request { number, wall, answer: None });
    }

    /// Notes the answer to the latest request about an integration.
    pub(super) fn answered(&mut self, number: usize, answer: Answered) {
        let latest = self.0.iter_mut().rev().find(|one| one.number == number);
        if let Some(one) = latest {
            one.answer = Some(answer);
        }
    }

    /// Forgets all of them, as when the machine crashes.
    pub(super) fn clear(&mut self) {
        self.0.clear();
    }

    /// Takes the request of a run that is stored, and returns its answer: the one that began at `started`, or
    /// the next one, since the configurations of an integration are asked one after the other. Requests before it
    /// were overtaken; after the last run there is nothing left.
    pub(super) fn take(
        &mut self,
        number: usize,
        started: Option<Timestamp>,
        is_last: bool,
    ) -> Option<Answered> {
        let is_it = |one: &Request| started.is_none_or(|at| one.wall == at);
        let place = self.0.iter().position(|one| one.number == number && is_it(one))?;
        let taken = self.0.remove(place);
        let mut at = 0..;
        self.0.retain(|one| {
            let is_later = at.next().is_some_and(|at| place <= at);
            one.number != number || (is_later && !is_last)
        });
        // A run that does not end is ended by the daemon.
        Some(taken.answer.unwrap_or(Answered(Some(Class::Local), true)))
    }
}
