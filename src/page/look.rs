//! Looks of integrations: the shape, tone and word by which a status is recognised.

use crate::domain::{Class, ReportStatus, Status};
use crate::store::{Mark, StatusRow};

/// Look of an integration, the most urgent first.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(crate) enum Look {
    /// Its configuration in force fails.
    Failing,
    /// An operation on it failed: what was in force before goes on, if there was anything.
    Refused,
    /// The latest run warned.
    Attention,
    /// The latest run failed, and more are needed to confirm it.
    Unconfirmed,
    /// An operation is under way.
    InFlight,
    /// It is in force and passes.
    Enabled,
    /// Its configuration takes it out of use.
    Disabled,
}

impl Look {
    /// Every look, the most urgent first.
    #[cfg(test)]
    pub(crate) const ALL: [Self; 7] = [
        Self::Failing,
        Self::Refused,
        Self::Attention,
        Self::Unconfirmed,
        Self::InFlight,
        Self::Enabled,
        Self::Disabled,
    ];

    /// Returns the look of an integration in a status, after its latest run.
    pub(crate) fn of(status: Status, last_run: Option<&Mark>) -> Self {
        match status {
            Status::RecurringValidationError => Self::Failing,
            Status::CreateError
            | Status::EditError
            | Status::DeleteError
            | Status::MigrateError => Self::Refused,
            Status::Creating | Status::Editing | Status::Deleting | Status::Migrating => {
                Self::InFlight
            }
            Status::Disabled | Status::Deleted => Self::Disabled,
            Status::Enabled => match last_run.map(|run| (run.status, run.class)) {
                Some((ReportStatus::Failed, class)) if class != Some(Class::Local) => {
                    Self::Unconfirmed
                }
                Some((ReportStatus::Warning, _)) => Self::Attention,
                Some(_) | None => Self::Enabled,
            },
        }
    }

    /// Returns the look of a row.
    pub(crate) fn of_row(row: &StatusRow) -> Self {
        Self::of(row.status, row.last_run.as_ref())
    }

    /// Returns the name of its symbol.
    pub(crate) const fn icon(self) -> &'static str {
        match self {
            Self::Failing => "bad",
            Self::Refused | Self::Attention => "warn",
            Self::Unconfirmed | Self::InFlight => "wait",
            Self::Enabled => "ok",
            Self::Disabled => "off",
        }
    }

    /// Returns the class of its colour.
    pub(crate) const fn tone(self) -> &'static str {
        match self {
            Self::Failing | Self::Refused => "bad",
            Self::Attention | Self::Unconfirmed => "warn",
            Self::Enabled => "ok",
            Self::InFlight | Self::Disabled => "off",
        }
    }

    /// Returns the letter of its marks and tags.
    pub(crate) const fn letter(self) -> &'static str {
        match self {
            Self::Failing | Self::Refused => "b",
            Self::Attention | Self::Unconfirmed => "w",
            Self::Enabled => "g",
            Self::InFlight | Self::Disabled => "o",
        }
    }

    /// Returns true for what a person should look at before it fails.
    pub(crate) const fn wants_attention(self) -> bool {
        matches!(self, Self::Attention | Self::Unconfirmed)
    }

    /// Returns its word within a sentence: `is failing`.
    pub(crate) const fn word(self) -> &'static str {
        match self {
            Self::Failing | Self::Refused => "failing",
            Self::Attention => "to look at",
            Self::Unconfirmed => "failing, not confirmed yet",
            Self::InFlight => "in flight",
            Self::Enabled => "enabled",
            Self::Disabled => "disabled",
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::domain::{RunId, Timestamp};

    #[test]
    fn look_follows_the_status_and_the_latest_run() {
        use ReportStatus::{Failed, Passed, Skipped, Warning};
        let table = [
            (Status::RecurringValidationError, Some((Failed, None)), Look::Failing),
            (Status::CreateError, Some((Failed, None)), Look::Refused),
            (Status::EditError, Some((Passed, None)), Look::Refused),
            (Status::MigrateError, None, Look::Refused),
            (Status::DeleteError, None, Look::Refused),
            (Status::Enabled, None, Look::Enabled),
            (Status::Enabled, Some((Passed, None)), Look::Enabled),
            (Status::Enabled, Some((Skipped, None)), Look::Enabled),
            (Status::Enabled, Some((Warning, Some(Class::Expired))), Look::Attention),
            (Status::Enabled, Some((Failed, Some(Class::Unreachable))), Look::Unconfirmed),
            (Status::Enabled, Some((Failed, Some(Class::Local))), Look::Enabled),
            (Status::Creating, None, Look::InFlight),
            (Status::Editing, Some((Passed, None)), Look::InFlight),
            (Status::Disabled, Some((Failed, None)), Look::Disabled),
            (Status::Deleted, None, Look::Disabled),
        ];
        for (status, run, expected) in table {
            let run = run.map(|(status, class)| Mark {
                run: RunId(1),
                started_at: Timestamp(0),
                duration: Duration::ZERO,
                status,
                class,
            });
            assert_eq!(Look::of(status, run.as_ref()), expected, "{status} {run:?}");
        }
    }

    #[test]
    fn failing_is_what_has_an_error_status() {
        for &status in Status::ALL {
            assert_eq!(Look::of(status, None).word() == "failing", status.is_error(), "{status}");
        }
    }

    #[test]
    fn each_look_has_a_shape_of_its_own_or_a_tone_of_its_own() {
        let shown = |look: &Look| (look.icon(), look.tone());
        let distinct: std::collections::BTreeSet<_> = Look::ALL.iter().map(shown).collect();
        assert_eq!(distinct.len(), Look::ALL.len());
        assert!(Look::ALL.is_sorted());
    }
}
