//! Answers that are known to be the same: a caller that has one already is answered without a read.
//!
//! An answer stays the same while nothing is committed, and the clock has hardly moved: some say what time it is,
//! such as the end of a mute that has passed.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use axum::http::{HeaderMap, header};
use tokio::time::Instant;

use crate::http::Caller;
use crate::store::Position;

/// Time for which an answer may be taken for the same.
const FRESH_MAX: Duration = Duration::from_secs(1);
/// Answers that are remembered at once; with more, all are forgotten.
const ANSWERS_MAX: usize = 4096;

/// Tags of answers that were given lately.
#[derive(Debug, Default)]
pub(super) struct Fresh(Mutex<HashMap<String, Given>>);

/// Tag of an answer, and the state that it was made from.
#[derive(Debug)]
struct Given {
    tag: String,
    position: Position,
    at: Instant,
}

impl Fresh {
    /// Notes the tag of the answer to `question`, made from the state at `position` or a later one.
    pub(super) fn given(&self, question: String, tag: String, position: Position, at: Instant) {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if ANSWERS_MAX <= all.len() {
            all.clear();
        }
        all.insert(question, Given { tag, position, at });
    }

    /// Returns the tag of the answer to `question` when it is the same still.
    pub(super) fn tag(&self, question: &str, position: Position, now: Instant) -> Option<String> {
        let all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let given = all.get(question)?;
        let is_fresh = now.saturating_duration_since(given.at) < FRESH_MAX;
        (is_fresh && given.position == position).then(|| given.tag.clone())
    }
}

/// Returns everything that the answer to a request depends on, beside the state.
pub(super) fn question_of(caller: &Caller, target: &str, headers: &HeaderMap) -> String {
    let accept = headers.get(header::ACCEPT).map_or(&[][..], |value| value.as_bytes());
    format!("{:?} {} {target}", caller.labels, accept.escape_ascii())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::View;

    async fn positions() -> [Position; 2] {
        let folder = tempfile::tempdir().unwrap();
        let location = folder.path().join("state.db").into();
        let store = crate::store::Store::open(&location).await.unwrap();
        let view = View::outside(&location).await.unwrap();
        let first = view.position().await.unwrap();
        store.note(crate::store::NodeNote::AllowRemovals(1)).await.unwrap();
        [first, view.position().await.unwrap()]
    }

    #[tokio::test]
    async fn answer_is_the_same_until_something_is_committed_or_time_passes() {
        let ([before, after], fresh) = (positions().await, Fresh::default());
        let now = Instant::now();
        fresh.given("a".to_owned(), "\"1\"".to_owned(), before, now);
        let tag = |question, position, ms| {
            fresh.tag(question, position, now + Duration::from_millis(ms)).is_some()
        };
        assert!(tag("a", before, 999));
        assert!(!tag("a", after, 0) && !tag("a", before, 1000) && !tag("b", before, 0));
        for number in 0..ANSWERS_MAX {
            fresh.given(number.to_string(), String::new(), before, now);
        }
        assert!(!tag("a", before, 0), "what is remembered is bounded");
    }

    #[test]
    fn question_differs_by_permission_form_and_target() {
        let labels = [("team".to_owned(), "data".to_owned())].into();
        let (all, some) = (Caller::default(), Caller { labels, ..Caller::default() });
        let yaml: HeaderMap =
            [(header::ACCEPT, "application/yaml".parse().unwrap())].into_iter().collect();
        let none = HeaderMap::new();
        let all = [
            question_of(&all, "/a", &none),
            question_of(&some, "/a", &none),
            question_of(&all, "/a", &yaml),
            question_of(&all, "/a?q=1", &none),
        ];
        let different: std::collections::BTreeSet<_> = all.iter().collect();
        assert_eq!(different.len(), all.len());
    }
}
