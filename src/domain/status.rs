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

    /// True for the five statuses that say that something failed.
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

    /// Returns the configurations that a due run validates, in order; none when nothing is to run.
    ///
    /// The candidate comes first: when it passes, the active one is no longer of interest.
    pub(crate) const fn subjects(self) -> &'static [Subject] {
        match self {
            Self::Creating | Self::CreateError | Self::Editing | Self::Migrating => {
                &[Subject::Candidate]
            }
            Self::EditError | Self::MigrateError => &[Subject::Candidate, Subject::Active],
            Self::Enabled | Self::RecurringValidationError | Self::DeleteError => {
                &[Subject::Active]
            }
            Self::Deleting | Self::Deleted | Self::Disabled => &[],
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
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq, strum::IntoStaticStr, strum::EnumString)]
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
    /// The configuration files now say something else, or name a removed integration again.
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

/// Decides what `cause` does to an integration in status `from`; `None` means no change.
///
/// A recurring validation, which looks at the active configuration, moves only between `enabled`
/// and `recurringValidationError`; everything else belongs to an operation.
#[must_use]
pub(crate) fn next_status(from: Status, cause: Cause) -> Option<Transition> {
    let found = steps(from).iter().find(|(when, _)| *when == cause);
    found.map(|(_, to)| Transition { from, to: *to, cause })
}

/// Returns the causes that change the status `from`, each with the status that follows.
const fn steps(from: Status) -> &'static [(Cause, Status)] {
    use Cause::{
        ActiveFailed, ActivePassed, CandidateFailed, CandidatePassed, Changed, Drained,
        ForceDisabled, Reenabled, ReenabledUntried, RemovalFailed, Removed, Upgraded,
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
    match from {
        Creating => &[IN, (CandidateFailed, CreateError), OUT, OFF],
        CreateError => &[IN, (Changed, Creating), OUT, OFF],
        Enabled => &[(ActiveFailed, RecurringValidationError), EDIT, MIGRATE, OUT, OFF],
        RecurringValidationError => &[(ActivePassed, Enabled), EDIT, MIGRATE, OUT, OFF],
        Editing => &[IN, (CandidateFailed, EditError), OUT, OFF],
        // A change while a migration is under way makes an edit of it.
        Migrating => &[IN, (CandidateFailed, MigrateError), EDIT, OUT, OFF],
        EditError | MigrateError => &[IN, EDIT, OUT, OFF],
        Deleting => &[(Drained, Deleted), (RemovalFailed, DeleteError), EDIT, OFF],
        DeleteError => &[EDIT, OUT, OFF],
        Disabled => &[(Reenabled, Editing), (ReenabledUntried, Creating), OUT],
        // Its row is kept, and a name that comes back is the same integration.
        Deleted => &[(Changed, Creating), OFF],
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use strum::VariantArray as _;

    /// One row per status, one column per cause in the order of [`Cause::VARIANTS`]; `.` is no change.
    ///
    /// Columns: active passed, active failed, candidate passed, candidate failed, changed,
    /// removed, drained, removal failed, force disabled, re-enabled, re-enabled untried, upgraded.
    const TABLE: [(&str, &str); 12] = [
        ("creating", ". . enabled createError . deleting . . disabled . . ."),
        ("createError", ". . enabled . creating deleting . . disabled . . ."),
        ("enabled", ". recurringValidationError . . editing deleting . . disabled . . migrating"),
        ("recurringValidationError", "enabled . . . editing deleting . . disabled . . migrating"),
        ("editing", ". . enabled editError . deleting . . disabled . . ."),
        ("editError", ". . enabled . editing deleting . . disabled . . ."),
        ("migrating", ". . enabled migrateError editing deleting . . disabled . . ."),
        ("migrateError", ". . enabled . editing deleting . . disabled . . ."),
        ("deleting", ". . . . editing . deleted deleteError disabled . . ."),
        ("deleteError", ". . . . editing deleting . . disabled . . ."),
        ("deleted", ". . . . creating . . . disabled . . ."),
        ("disabled", ". . . . . deleting . . . editing creating ."),
    ];

    #[test]
    fn the_whole_life_cycle() {
        for (from, row) in TABLE {
            let from: Status = from.parse().unwrap();
            let cells: Vec<_> = row.split(' ').collect();
            assert_eq!(cells.len(), Cause::VARIANTS.len());
            for (cause, cell) in Cause::VARIANTS.iter().copied().zip(cells) {
                let to = next_status(from, cause).map(|step| step.to);
                let expected = (cell != ".").then(|| cell.parse::<Status>().unwrap());
                assert_eq!(to, expected, "{from} on {cause:?}");
            }
        }
    }

    #[test]
    fn document_lists_every_transition() {
        let document = include_str!("../../docs/statuses.md");
        let rows = document.lines().filter(|line| line.starts_with("| `"));
        let rows = rows.filter(|line| line.matches('`').count() == 6);
        let listed: std::collections::BTreeSet<_> = rows.map(str::to_owned).collect();
        let every = Status::ALL
            .iter()
            .copied()
            .flat_map(|from| Cause::VARIANTS.iter().map(move |cause| (from, *cause)));
        let steps = every.filter_map(|(from, cause)| next_status(from, cause));
        let row = |Transition { from, to, cause }| {
            format!("| `{from}` | `{}` | `{to}` |", cause.as_str())
        };
        assert_eq!(listed, steps.map(row).collect());
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
    fn only_what_is_in_use_and_not_being_removed_runs() {
        let idle = Status::ALL.iter().copied().filter(|status| status.subjects().is_empty());
        let expected = [Status::Deleted, Status::Deleting, Status::Disabled];
        assert_eq!(idle.collect::<Vec<_>>(), expected);
    }
}
