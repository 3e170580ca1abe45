//! Silences and acknowledgements, with their scope and the integrations that they cover.

use serde::Serialize;

use crate::domain::{About, IntegrationId, Selection, Timestamp};
use crate::store::{SilenceRow, TargetRow};

/// Silence or acknowledgement, open or ended.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub(crate) struct Silence<'a> {
    id: i64,
    kind: &'static str,
    open: bool,
    integration: Option<&'a str>,
    selection: Option<&'a Selection>,
    covers: Option<usize>,
    until: Timestamp,
    created_at: Timestamp,
    ended_at: Option<Timestamp>,
    comment: &'a str,
}

impl<'a> Silence<'a> {
    /// Silence in `row`, given the integrations that it may cover.
    pub(crate) fn new(row: &'a SilenceRow, targets: &[TargetRow], now: Timestamp) -> Self {
        let integration = row.acknowledged.as_ref().map(|(_, name)| name.as_str());
        Self {
            id: row.id,
            kind: row.kind(),
            open: row.is_open(now),
            integration,
            selection: integration.is_none().then_some(&row.selection),
            covers: covered(row, targets, now),
            until: row.until,
            created_at: row.created_at,
            ended_at: row.ended_at,
            comment: &row.comment,
        }
    }
}

impl SilenceRow {
    /// Name of its kind, for people and programs.
    pub(crate) const fn kind(&self) -> &'static str {
        if self.acknowledged.is_some() { "acknowledgement" } else { "silence" }
    }

    /// True while it mutes notifications.
    pub(crate) fn is_open(&self, now: Timestamp) -> bool {
        self.ended_at.is_none() && now < self.until
    }

    /// True when it mutes notifications about an integration while it is open.
    pub(crate) fn covers(&self, id: IntegrationId, about: About<'_>) -> bool {
        match &self.acknowledged {
            Some((acknowledged, _)) => *acknowledged == id,
            None => self.selection.fits(about),
        }
    }
}

/// Returns how many integrations it covers now; none when it has ended.
pub(crate) fn covered(row: &SilenceRow, targets: &[TargetRow], now: Timestamp) -> Option<usize> {
    let count = || targets.iter().filter(|one| row.covers(one.id, one.about())).count();
    row.is_open(now).then(count)
}

impl TargetRow {
    /// Integration as selections compare it.
    pub(crate) fn about(&self) -> About<'_> {
        About { name: &self.name, kind: &self.kind, labels: &self.labels }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::view::samples::{now, silences, target};

    #[test]
    fn a_silence_shows_what_it_covers_while_it_is_open() {
        let json = |row| serde_json::to_value(Silence::new(row, &[target()], now())).unwrap();
        let [silence, acknowledgement, ended, _] = silences();
        let expected = serde_json::json!({
            "id": 1, "kind": "silence", "open": true, "integration": null,
            "selection": {
                "integrations": ["la*"], "types": [], "labels": { "team": "data" },
            },
            "covers": 1, "until": "2026-11-23T12:00:00Z", "createdAt": "2026-11-23T09:00:00Z",
            "endedAt": null, "comment": "moving\u{1b}",
        });
        assert_eq!(json(&silence), expected);
        let shown = json(&acknowledgement);
        assert_eq!(shown["kind"], "acknowledgement");
        let none = serde_json::Value::Null;
        assert_eq!((&shown["integration"], &shown["selection"]), (&"lake".into(), &none));
        let shown = json(&ended);
        assert_eq!((&shown["open"], &shown["covers"]), (&false.into(), &none));
        assert_eq!(shown["endedAt"], "2026-11-23T09:30:00Z");
    }

    #[test]
    fn an_acknowledgement_does_not_cover_another_integration_of_the_same_name() {
        let [_, acknowledgement, ..] = silences();
        let later = TargetRow { id: IntegrationId(6), ..target() };
        assert_eq!(covered(&acknowledgement, &[target()], now()), Some(1));
        assert_eq!(covered(&acknowledgement, &[later], now()), Some(0));
    }
}
