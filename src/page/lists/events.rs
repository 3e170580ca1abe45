//! Events in a list: the messages that receivers get, whoever subscribes to them.

use crate::domain::EventType;
use crate::page::moment::Moment;
use crate::page::viewer::Viewer;
use crate::store::EventRow;

/// Event in a list.
#[derive(Clone, Debug)]
pub(crate) struct EventItem {
    /// Number of the event.
    pub(crate) number: i64,
    /// Id of the event.
    pub(crate) id: String,
    /// Type of the event as published.
    pub(crate) kind: &'static str,
    /// Letter of its tone.
    pub(crate) tone: &'static str,
    /// Integration that it is about, with its link.
    pub(crate) integration: Option<(String, String)>,
    /// Instant of the event.
    pub(crate) at: Moment,
}

impl EventItem {
    /// Entry of an event.
    pub(crate) fn new(row: &EventRow, viewer: &Viewer) -> Self {
        let tone = match row.kind {
            EventType::ValidationFailed
            | EventType::ValidationReminder
            | EventType::Outage
            | EventType::DaemonDegraded
            | EventType::ReceiverDisabled => "b",
            EventType::ValidationWarning | EventType::FlappingStarted => "w",
            EventType::ValidationRecovered
            | EventType::OutageResolved
            | EventType::DaemonRecovered
            | EventType::FlappingEnded => "g",
            EventType::StatusChanged | EventType::ConfigurationApplied | EventType::WebhookPing => {
                "o"
            }
        };
        let integration = row.integration.as_ref();
        Self {
            number: row.number,
            id: row.id.clone(),
            kind: row.kind.as_str(),
            tone,
            integration: integration.map(|name| (name.clone(), viewer.to("/i", name))),
            at: viewer.present.exact(row.created_at),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::page::viewer::Access;
    use crate::page::viewer::samples::viewer;
    use crate::view::samples;

    #[test]
    fn each_event_has_type_tone_and_link() {
        let shown = |kind| {
            let row = EventRow {
                number: 7,
                id: "evt_1".to_owned(),
                kind,
                integration: Some("a/b".to_owned()),
                created_at: samples::now(),
                body: String::new(),
            };
            EventItem::new(&row, &viewer(Access::Read))
        };
        let failed = shown(EventType::ValidationFailed);
        assert_eq!((failed.kind, failed.tone), ("integration.validation.failed", "b"));
        assert_eq!(failed.integration, Some(("a/b".to_owned(), "/i/a%2Fb".to_owned())));
        let tones: std::collections::BTreeSet<_> =
            EventType::ALL.iter().map(|kind| shown(*kind).tone).collect();
        assert_eq!(tones.len(), 4);
    }
}
