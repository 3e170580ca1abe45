//! Answers of a recorded run in their order, whichever server gives them.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::case::{Case, Reply};
use crate::net::tape::Asked;
use crate::platforms::{Platform, operation_of};

/// Answers of one replay, and the requests that it has made.
pub(super) struct Script {
    platform: &'static Platform,
    replies: BTreeMap<String, Vec<Reply>>,
    /// Requests so far, each with its operation.
    seen: Mutex<Vec<(String, String)>>,
}

/// Returns the operation of a request, and the line that shows it.
pub(crate) fn operation(platform: &Platform, asked: Asked<'_>) -> (String, String) {
    let operation = operation_of(platform.operations, asked);
    let path = asked.target.split_once('?').map_or(asked.target, |(path, _query)| path);
    (operation.to_owned(), format!("{operation}: {} {path}", asked.method))
}

impl Script {
    /// Returns the answers of `case`, of which none was given.
    pub(super) fn new(platform: &'static Platform, case: &Case) -> Self {
        Self { platform, replies: case.replies.clone(), seen: Mutex::default() }
    }

    /// Returns a line for each request so far.
    pub(super) fn requests(&self) -> Vec<String> {
        self.seen().iter().map(|(_, line)| line.clone()).collect()
    }

    fn seen(&self) -> MutexGuard<'_, Vec<(String, String)>> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns the recorded answer to a request: the next of its operation, or the only one.
    pub(super) fn reply(&self, asked: Asked<'_>) -> Option<Reply> {
        let (operation, line) = operation(self.platform, asked);
        let replies = self.replies.get(&operation);
        let mut seen = self.seen();
        let before = seen.iter().filter(|(other, _)| *other == operation).count();
        seen.push((operation, line));
        let replies = replies?;
        replies.get(before).or_else(|| replies.first().filter(|_| replies.len() == 1)).cloned()
    }
}
