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
    state: SilenceState,
    open: bool,
    integration: Option<&'a str>,
    selection: Option<&'a Selection>,
    covers: Option<usize>,
    from: Timestamp,
    until: Timestamp,
    created_at: Timestamp,
    ended_at: Option<Timestamp>,
    author: &'a str,
    comment: &'a str,
}

/// State of a silence or an acknowledgement.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize, strum::IntoStaticStr)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[strum(serialize_all = "lowercase", const_into_str)]
#[serde(rename_all = "lowercase")]
pub(crate) enum SilenceState {
    /// It begins by itself, at an instant ahead.
    Planned,
    /// It mutes notifications now.
    Open,
    /// It mutes nothing any more.
    Ended,
}

impl SilenceState {
    /// Name in JSON and for people.
    pub(crate) const fn as_str(self) -> &'static str {
        self.into_str()
    }
}

impl<'a> Silence<'a> {
    /// Silence in `row`, given the integrations that it may cover.
    pub(crate) fn new(row: &'a SilenceRow, targets: &[TargetRow], now: Timestamp) -> Self {
        let integration = row.acknowledged.as_ref().map(|(_, name)| name.as_str());
        Self {
            id: row.id,
            kind: row.kind(),
            state: row.state(now),
            open: row.state(now) == SilenceState::Open,
            integration,
            selection: integration.is_none().then_some(&row.selection),
            covers: covered(row, targets, now),
            from: row.from,
            until: row.until,
            created_at: row.created_at,
            ended_at: row.ended_at,
            author: &row.author,
            comment: &row.comment,
        }
    }
}

impl SilenceRow {
    /// Name of its kind, for people and programs.
    pub(crate) const fn kind(&self) -> &'static str {
        if self.acknowledged.is_some() { "acknowledgement" } else { "silence" }
    }

    /// Returns its state at an instant.
    pub(crate) fn state(&self, now: Timestamp) -> SilenceState {
        if self.ended_at.is_some() || self.until <= now {
            SilenceState::Ended
        } else if now < self.from {
            SilenceState::Planned
        } else {
            SilenceState::Open
        }
    }

    /// Returns true when it covers integrations, and only those that `is_seen` says a caller may see.
    pub(crate) fn is_within(
        &self,
        targets: &[TargetRow],
        is_seen: impl Fn(&TargetRow) -> bool,
    ) -> bool {
        let mut covered = targets.iter().filter(|one| self.covers(one.id, one.about())).peekable();
        covered.peek().is_some() && covered.all(is_seen)
    }

    /// True when it mutes notifications about an integration while it is open.
    pub(crate) fn covers(&self, id: IntegrationId, about: About<'_>) -> bool {
        match &self.acknowledged {
            Some((acknowledged, _)) => *acknowledged == id,
            None => self.selection.fits(about),
        }
    }
}

/// Returns how many integrations it covers, or would cover now; none when it has ended.
pub(crate) fn covered(row: &SilenceRow, targets: &[TargetRow], now: Timestamp) -> Option<usize> {
    let count = || targets.iter().filter(|one| row.covers(one.id, one.about())).count();
    (row.state(now) != SilenceState::Ended).then(count)
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
            "id": 1, "kind": "silence", "state": "open", "open": true, "integration": null,
            "selection": {
                "integrations": ["la*"], "types": [], "labels": { "team": "data" },
            },
            "covers": 1, "from": "2026-11-23T09:00:00Z", "until": "2026-11-23T12:00:00Z",
            "createdAt": "2026-11-23T09:00:00Z", "endedAt": null, "author": "anna",
            "comment": "moving\u{1b}",
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
    fn planned_silence_is_not_open_and_counts_what_it_would_cover() {
        let [silence, ..] = silences();
        let planned = SilenceRow { from: now().plus(std::time::Duration::from_secs(1)), ..silence };
        let shown = serde_json::to_value(Silence::new(&planned, &[target()], now())).unwrap();
        assert_eq!((&shown["state"], &shown["open"]), (&"planned".into(), &false.into()));
        assert_eq!(shown["covers"], 1);
        assert_eq!(planned.state(planned.from), SilenceState::Open, "it begins by itself");
        assert_eq!(planned.state(planned.until), SilenceState::Ended);
    }

    #[test]
    fn an_acknowledgement_does_not_cover_another_integration_of_the_same_name() {
        let [_, acknowledgement, ..] = silences();
        let later = TargetRow { id: IntegrationId(6), ..target() };
        assert_eq!(covered(&acknowledgement, &[target()], now()), Some(1));
        assert_eq!(covered(&acknowledgement, &[later], now()), Some(0));
    }
}
