//! Messages about an integration: event, receiver, attempts, and when they were delivered.

use crate::page::moment::Moment;
use crate::page::text::took;
use crate::page::viewer::Viewer;
use crate::store::{DeliveryRow, DeliveryState};

/// Delivery in a list.
#[derive(Clone, Debug)]
pub(crate) struct DeliveryItem {
    /// Number of the delivery.
    pub(crate) id: i64,
    /// Type of the event without its first word.
    pub(crate) event: String,
    /// Number of the event in its integration.
    pub(crate) number: i64,
    /// Name of the receiver.
    pub(crate) receiver: String,
    /// Link to the receiver's page.
    pub(crate) receiver_href: String,
    /// Integration that it is about, with its link.
    pub(crate) integration: Option<(String, String)>,
    /// Number of its attempts so far.
    pub(crate) attempts: usize,
    /// State in a word.
    pub(crate) state: &'static str,
    /// Name of its symbol.
    pub(crate) icon: &'static str,
    /// Class of its colour.
    pub(crate) tone: &'static str,
    /// Words before the instant.
    pub(crate) words: String,
    /// Instant of the delivery, or of the next attempt.
    pub(crate) at: Option<Moment>,
    /// Words after the instant.
    pub(crate) rest: String,
    /// Answer to the last attempt that failed.
    pub(crate) answer: String,
    /// True when it can be queued again.
    pub(crate) has_ended: bool,
}

impl DeliveryItem {
    /// Entry of a delivery.
    pub(crate) fn new(row: &DeliveryRow, viewer: &Viewer) -> Self {
        let last = row.attempts.last();
        let present = &viewer.present;
        let (icon, tone, words, at) = match row.state {
            DeliveryState::Delivered => {
                let ended = last.map(|attempt| attempt.started_at.plus(attempt.duration));
                ("ok", "ok", String::new(), ended.map(|at| present.exact(at)))
            }
            DeliveryState::Pending if row.behind.is_some() => {
                ("wait", "warn", "waits for an earlier one".to_owned(), None)
            }
            DeliveryState::Pending => {
                ("wait", "warn", "next attempt".to_owned(), Some(present.exact(row.due_at)))
            }
            DeliveryState::Failed => {
                let ended = last.map(|attempt| attempt.started_at);
                ("bad", "bad", "last attempt".to_owned(), ended.map(|at| present.exact(at)))
            }
        };
        let delivered = last.filter(|_| row.state == DeliveryState::Delivered);
        let rest = delivered.map_or_else(String::new, |attempt| {
            let wait = attempt.started_at.plus(attempt.duration).since(row.created_at);
            format!(", after {}", took(wait))
        });
        let answer = last.filter(|_| row.state != DeliveryState::Delivered).map(|attempt| {
            let code = attempt.code.map_or_else(String::new, |code| code.to_string());
            [code, attempt.detail.clone()].join(" ").trim().to_owned()
        });
        let event = row.kind.as_str();
        let integration =
            row.integration.as_ref().map(|name| (name.clone(), viewer.to("/i", name)));
        Self {
            id: row.id.0,
            event: event.strip_prefix("integration.").unwrap_or(event).to_owned(),
            number: row.sequence,
            receiver: row.receiver.clone(),
            receiver_href: viewer.to("/receivers", &row.receiver),
            integration,
            attempts: row.attempts.len(),
            state: row.state.as_str(),
            icon,
            tone,
            words,
            at,
            rest,
            answer: answer.unwrap_or_default(),
            has_ended: row.state != DeliveryState::Pending,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::DeliveryId;
    use crate::page::viewer::Access;
    use crate::page::viewer::samples::viewer;
    use crate::view::samples;

    fn item(row: &DeliveryRow) -> DeliveryItem {
        DeliveryItem::new(row, &viewer(Access::Read))
    }

    #[test]
    fn delivery_says_state_instant_and_answer() {
        let [failed, pending] = samples::deliveries();
        let delivered = DeliveryRow { state: DeliveryState::Delivered, ..pending.clone() };
        let behind = DeliveryRow { behind: Some(DeliveryId(1)), ..pending.clone() };
        let table = [
            (failed, "failed", "last attempt", "09:59:10", "", "410 gone\u{202e}"),
            (pending, "pending", "next attempt", "10:00:30", "", "connection refused"),
            (behind, "pending", "waits for an earlier one", "", "", "connection refused"),
            (delivered, "delivered", "", "09:59:10", ", after 2m", ""),
        ];
        for (row, state, words, at, rest, answer) in table {
            let shown = item(&row);
            let found = shown.at.map_or_else(String::new, |at| at.text);
            assert_eq!((shown.state, shown.words.as_str(), found.as_str()), (state, words, at));
            assert_eq!((shown.rest.as_str(), shown.answer.as_str()), (rest, answer));
            assert_eq!(shown.has_ended, state != "pending");
        }
    }

    #[test]
    fn event_and_links_are_named() {
        let [failed, _] = samples::deliveries();
        let shown = item(&failed);
        assert_eq!(shown.event, "validation.failed");
        assert_eq!(shown.receiver_href, "/receivers/on-call");
        assert_eq!(shown.integration, Some(("lake".to_owned(), "/i/lake".to_owned())));
        assert_eq!((shown.attempts, shown.number), (2, 17));
    }
}
