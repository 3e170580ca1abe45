//! The twelve statuses and the one function that changes them.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// Status of an integration, as published in the response schema.
#[derive(
    Clone,
    Copy,
    Debug,
    Eq,
    Hash,
    PartialEq,
    strum::IntoStaticStr,
    strum::EnumString,
    strum::VariantArray,
)]
#[strum(serialize_all = "camelCase", const_into_str, parse_err_ty = UnknownName, parse_err_fn = UnknownName::of)]
pub(crate) enum Status {
    /// Creation failed; the first validation is retried on schedule.
    CreateError,
    /// Being created: its first validation is running.
    Creating,
    /// Gone; its row and history stay.
    Deleted,
    /// Removal could not be stored; rolled back.
    DeleteError,
    /// Removed from the configuration; a running validation is drained.
    Deleting,
    /// Taken out of use by its configuration (`disabled = true`).
    Disabled,
    /// Its configuration changed: the new one is being validated.
    Editing,
    /// The new configuration failed; the previous one stays active.
    EditError,
    /// Active, and its latest validation passed.
    Enabled,
    /// Migration failed; the old form stays.
    MigrateError,
    /// Being brought to a newer catalog after an upgrade.
    Migrating,
    /// The periodic validation failed.
    RecurringValidationError,
}

impl Status {
    /// Every status, by name.
    pub(crate) const ALL: &'static [Self] = <Self as strum::VariantArray>::VARIANTS;

    /// The name on the wire and in the database.
    pub(crate) const fn as_str(self) -> &'static str {
        self.into_str()
    }

    /// True for an integration that is failing: in one of the five error statuses, each of which has an open
    /// incident. Every list, count, filter, badge and page that speaks of failing ones goes by this.
    pub(crate) const fn is_error(self) -> bool {
        match self {
            Self::CreateError
            | Self::DeleteError
            | Self::EditError
            | Self::MigrateError
            | Self::RecurringValidationError => true,
            Self::Creating
            | Self::Deleted
            | Self::Deleting
            | Self::Disabled
            | Self::Editing
            | Self::Enabled
            | Self::Migrating => false,
        }
    }

    /// True in the published state "in use", false in "not in use".
    pub(crate) const fn is_in_use(self) -> bool {
        !matches!(self, Self::Deleted | Self::Disabled)
    }

    /// True when a due run validates a configuration.
    pub(crate) const fn is_validated(self) -> bool {
        !matches!(self, Self::Deleting | Self::Deleted | Self::Disabled)
    }

    /// Returns the configurations that a due run validates, in order, given the error status that a
    /// `pending` operation has left; none when nothing is to run.
    ///
    /// The candidate comes first: when it passes, the active one is no longer of interest.
    pub(crate) const fn subjects(self, pending: Option<Self>) -> &'static [Subject] {
        match (self, pending) {
            (Self::Creating | Self::CreateError | Self::Editing | Self::Migrating, _) => {
                &[Subject::Candidate]
            }
            (Self::EditError | Self::MigrateError, _)
            | (Self::RecurringValidationError, Some(Self::EditError | Self::MigrateError)) => {
                &[Subject::Candidate, Subject::Active]
            }
            (Self::Enabled | Self::RecurringValidationError | Self::DeleteError, _) => {
                &[Subject::Active]
            }
            (Self::Deleting | Self::Deleted | Self::Disabled, _) => &[],
        }
    }

    /// Returns true when the status is about the only configuration that there is, which has never
    /// passed.
    pub(crate) const fn is_untried(self) -> bool {
        matches!(self, Self::Creating | Self::CreateError)
    }

    /// Returns the error status that an operation leaves behind when this status is entered, given the
    /// one that was left before: a failure of the configuration in force keeps it.
    pub(crate) const fn leaves(self, pending: Option<Self>) -> Option<Self> {
        match self {
            Self::EditError | Self::MigrateError | Self::DeleteError => Some(self),
            Self::RecurringValidationError => pending,
            Self::CreateError
            | Self::Creating
            | Self::Deleted
            | Self::Deleting
            | Self::Disabled
            | Self::Editing
            | Self::Enabled
            | Self::Migrating => None,
        }
    }
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

#[cfg(test)]
impl schemars::JsonSchema for Status {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Status".into()
    }

    fn json_schema(_generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({ "type": "string", "enum": Self::ALL.iter().map(|one| one.as_str()).collect::<Vec<_>>() })
    }
}

impl<'de> Deserialize<'de> for Status {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let name = String::deserialize(deserializer)?;
        name.parse().map_err(de::Error::custom)
    }
}

impl Serialize for Status {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

/// A stored name that this version does not know.
#[derive(Debug, thiserror::Error)]
#[error("unknown name `{0}`")]
pub(crate) struct UnknownName(pub(crate) String);

impl UnknownName {
    /// Returns the error for `name`.
    pub(crate) fn of(name: &str) -> Self {
        Self(name.to_owned())
    }
}

/// Configuration of an integration that a run validates.
#[derive(
    Clone,
    Copy,
    Debug,
    Eq,
    Hash,
    Ord,
    PartialEq,
    PartialOrd,
    strum::IntoStaticStr,
    strum::EnumString,
)]
#[strum(serialize_all = "camelCase", const_into_str, parse_err_ty = UnknownName, parse_err_fn = UnknownName::of)]
pub(crate) enum Subject {
    /// The one that passed last, or is being watched.
    Active,
    /// The one that is to become active when it passes.
    Candidate,
}

impl Subject {
    /// The name in the database.
    pub(crate) const fn as_str(self) -> &'static str {
        self.into_str()
    }
}

/// Cause of a status change.
#[derive(
    Clone, Copy, Debug, Eq, PartialEq, strum::IntoStaticStr, strum::EnumString, strum::VariantArray,
)]
#[strum(serialize_all = "camelCase", const_into_str, parse_err_ty = UnknownName, parse_err_fn = UnknownName::of)]
pub(crate) enum Cause {
    /// The active configuration passed, by the verdict rules.
    ActivePassed,
    /// The active configuration failed, by the verdict rules.
    ActiveFailed,
    /// The candidate configuration passed, by the verdict rules.
    CandidatePassed,
    /// The candidate configuration failed, by the verdict rules.
    CandidateFailed,
    /// The configuration files now say something else, or name it again while its removal is under way.
    Changed,
    /// The configuration files no longer name it.
    Removed,
    /// A removed integration has no running validation any more.
    Drained,
    /// The removal could not be stored.
    RemovalFailed,
    /// The configuration says `disabled = true`.
    ForceDisabled,
    /// The configuration no longer says so, and the integration had passed before.
    Reenabled,
    /// The configuration no longer says so, and the integration never passed.
    ReenabledUntried,
    /// The binary brings a newer catalog for its platform.
    Upgraded,
    /// The configuration files name it again, and no configuration of it is in force.
    Returned,
}

impl Cause {
    /// The name in the history.
    pub(crate) const fn as_str(self) -> &'static str {
        self.into_str()
    }
}

/// A status change, with what caused it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Transition {
    /// Status before the change.
    pub(crate) from: Status,
    /// Status after the change.
    pub(crate) to: Status,
    /// Cause of the change.
    pub(crate) cause: Cause,
}

/// Decides what `cause` does to an integration in status `from`, given the error status that a
/// `pending` operation has left; `None` means no change.
///
/// A failure of the configuration in force leads from every status in use that is not in flight to
/// `recurringValidationError`, and its recovery back to what the pending operation has left.
#[must_use]
pub(crate) fn next_status(
    from: Status,
    pending: Option<Status>,
    cause: Cause,
) -> Option<Transition> {
    let found = steps(from).iter().find(|(when, _)| *when == cause);
    let to = match (found.map(|(_, to)| *to), from, cause) {
        (Some(_), Status::RecurringValidationError, Cause::ActivePassed) => {
            pending.unwrap_or(Status::Enabled)
        }
        (None, Status::RecurringValidationError, Cause::CandidatePassed)
            if from.subjects(pending).contains(&Subject::Candidate) =>
        {
            Status::Enabled
        }
        (None, Status::RecurringValidationError, Cause::Returned)
            if pending == Some(Status::DeleteError) =>
        {
            Status::Creating
        }
        (Some(to), _, _) => to,
        (None, _, _) => return None,
    };
    Some(Transition { from, to, cause })
}

/// Returns the causes that change the status `from`, each with the status that follows.
const fn steps(from: Status) -> &'static [(Cause, Status)] {
    use Cause::{
        ActiveFailed, ActivePassed, CandidateFailed, CandidatePassed, Changed, Drained,
        ForceDisabled, Reenabled, ReenabledUntried, RemovalFailed, Removed, Returned, Upgraded,
    };
    use Status::{
        CreateError, Creating, DeleteError, Deleted, Deleting, Disabled, EditError, Editing,
        Enabled, MigrateError, Migrating, RecurringValidationError,
    };
    const OUT: (Cause, Status) = (Removed, Deleting);
    const OFF: (Cause, Status) = (ForceDisabled, Disabled);
    const IN: (Cause, Status) = (CandidatePassed, Enabled);
    const EDIT: (Cause, Status) = (Changed, Editing);
    const MIGRATE: (Cause, Status) = (Upgraded, Migrating);
    const FAIL: (Cause, Status) = (ActiveFailed, RecurringValidationError);
    const AGAIN: (Cause, Status) = (Returned, Creating);
    match from {
        Creating => &[IN, (CandidateFailed, CreateError), OUT, OFF],
        CreateError => &[IN, (Changed, Creating), OUT, OFF],
        Enabled => &[FAIL, EDIT, MIGRATE, OUT, OFF],
        RecurringValidationError => &[(ActivePassed, Enabled), EDIT, MIGRATE, OUT, OFF],
        Editing => &[IN, (CandidateFailed, EditError), OUT, OFF],
        // A change while a migration is under way makes an edit of it.
        Migrating => &[IN, (CandidateFailed, MigrateError), EDIT, OUT, OFF],
        EditError | MigrateError => &[FAIL, IN, EDIT, OUT, OFF],
        Deleting => &[(Drained, Deleted), (RemovalFailed, DeleteError), EDIT, AGAIN, OFF],
        DeleteError => &[FAIL, EDIT, AGAIN, OUT, OFF],
        Disabled => &[(Reenabled, Editing), (ReenabledUntried, Creating), OUT],
        Deleted => &[AGAIN],
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use strum::VariantArray as _;

    /// One row per status, one column per cause in the order of [`Cause::VARIANTS`]; `.` is no change.
    /// A status after `/` is the one that a pending operation has left.
    ///
    /// Columns: active passed, active failed, candidate passed, candidate failed, changed,
    /// removed, drained, removal failed, force disabled, re-enabled, re-enabled untried, upgraded,
    /// returned.
    const TABLE: [(&str, &str); 15] = [
        ("creating", ". . enabled createError . deleting . . disabled . . . ."),
        ("createError", ". . enabled . creating deleting . . disabled . . . ."),
        ("enabled", ". recurringValidationError . . editing deleting . . disabled . . migrating ."),
        ("recurringValidationError", "enabled . . . editing deleting . . disabled . . migrating ."),
        (
            "recurringValidationError/editError",
            "editError . enabled . editing deleting . . disabled . . migrating .",
        ),
        (
            "recurringValidationError/migrateError",
            "migrateError . enabled . editing deleting . . disabled . . migrating .",
        ),
        (
            "recurringValidationError/deleteError",
            "deleteError . . . editing deleting . . disabled . . migrating creating",
        ),
        ("editing", ". . enabled editError . deleting . . disabled . . . ."),
        ("editError", ". recurringValidationError enabled . editing deleting . . disabled . . . ."),
        ("migrating", ". . enabled migrateError editing deleting . . disabled . . . ."),
        (
            "migrateError",
            ". recurringValidationError enabled . editing deleting . . disabled . . . .",
        ),
        ("deleting", ". . . . editing . deleted deleteError disabled . . . creating"),
        (
            "deleteError",
            ". recurringValidationError . . editing deleting . . disabled . . . creating",
        ),
        ("deleted", ". . . . . . . . . . . . creating"),
        ("disabled", ". . . . . deleting . . . editing creating . ."),
    ];

    /// Reads a status, and the one that a pending operation has left.
    fn place(text: &str) -> (Status, Option<Status>) {
        let (from, pending) = text.split_once('/').unwrap_or((text, ""));
        (from.parse().unwrap(), pending.parse().ok())
    }

    #[test]
    fn each_cause_leads_to_the_status_of_the_table() {
        for (name, row) in TABLE {
            let (from, pending) = place(name);
            let cells: Vec<_> = row.split(' ').collect();
            assert_eq!(cells.len(), Cause::VARIANTS.len());
            for (cause, cell) in Cause::VARIANTS.iter().copied().zip(cells) {
                let to = next_status(from, pending, cause).map(|step| step.to);
                let expected = (cell != ".").then(|| cell.parse::<Status>().unwrap());
                assert_eq!(to, expected, "{name} on {cause:?}");
            }
        }
    }

    #[test]
    fn document_lists_every_transition() {
        let document = include_str!("../../docs/statuses.md");
        let rows = document.lines().filter(|line| line.starts_with("| `"));
        let rows = rows.filter(|line| [6, 8].contains(&line.matches('`').count()));
        let listed: std::collections::BTreeSet<_> = rows.map(str::to_owned).collect();
        let mut expected = std::collections::BTreeSet::new();
        for (name, _) in TABLE {
            let (from, pending) = place(name);
            for cause in Cause::VARIANTS {
                let Some(step) = next_status(from, pending, *cause) else { continue };
                if pending.is_some() && next_status(from, None, *cause) == Some(step) {
                    continue;
                }
                let after = pending.map_or(String::new(), |one| format!(", pending `{one}`"));
                let cause = cause.as_str();
                expected.insert(format!("| `{from}`{after} | `{cause}` | `{}` |", step.to));
            }
        }
        assert_eq!(listed, expected);
    }

    #[test]
    fn only_a_failure_in_force_keeps_the_pending_operation() {
        let edit = Some(Status::EditError);
        for &status in Status::ALL {
            let is_left =
                matches!(status, Status::EditError | Status::MigrateError | Status::DeleteError);
            assert_eq!(status.leaves(None), is_left.then_some(status), "{status}");
            let keeps = status == Status::RecurringValidationError;
            assert_eq!(status.leaves(edit) == edit, keeps || status == Status::EditError);
        }
    }

    #[test]
    fn names_round_trip() {
        for &status in Status::ALL {
            assert_eq!(status.as_str().parse::<Status>().unwrap(), status);
        }
        for &cause in Cause::VARIANTS {
            assert_eq!(cause.as_str().parse::<Cause>().unwrap(), cause);
        }
        assert!("Enabled".parse::<Status>().is_err());
    }

    #[test]
    fn only_what_is_deleted_or_disabled_is_not_in_use() {
        let idle = Status::ALL.iter().copied().filter(|status| !status.is_in_use());
        assert_eq!(idle.collect::<Vec<_>>(), [Status::Deleted, Status::Disabled]);
    }

    #[test]
    fn only_what_is_in_use_and_not_being_removed_runs() {
        let idle = Status::ALL.iter().copied().filter(|status| status.subjects(None).is_empty());
        let expected = [Status::Deleted, Status::Deleting, Status::Disabled];
        assert_eq!(idle.collect::<Vec<_>>(), expected);
        for &status in Status::ALL {
            assert_eq!(status.is_validated(), !expected.contains(&status));
        }
    }
}
