//! Audit trail: the commands by which people changed something.

use crate::domain::{Timestamp, UnknownName};

/// Command by which a person changes something, by its name on the command line.
#[derive(
    Clone, Copy, Debug, Eq, PartialEq, strum::IntoStaticStr, strum::EnumString, strum::VariantArray,
)]
#[strum(const_into_str, parse_err_ty = UnknownName, parse_err_fn = UnknownName::of)]
pub(crate) enum Act {
    /// A failing integration was muted.
    #[strum(serialize = "acknowledge")]
    Acknowledge,
    /// A receiver was disabled.
    #[strum(serialize = "receivers disable")]
    DisableReceiver,
    /// A node was drained.
    #[strum(serialize = "nodes drain")]
    DrainNode,
    /// A receiver was enabled.
    #[strum(serialize = "receivers enable")]
    EnableReceiver,
    /// A silence or an acknowledgement was ended before its time.
    #[strum(serialize = "silences end")]
    EndSilence,
    /// The configuration of a node was put in force for all.
    #[strum(serialize = "config publish")]
    Publish,
    /// Deliveries were queued again.
    #[strum(serialize = "redeliver")]
    Redeliver,
    /// The daemon was asked to read its configuration again.
    #[strum(serialize = "reload")]
    Reload,
    /// Events of a time were queued again.
    #[strum(serialize = "replay")]
    Replay,
    /// A node that was drained goes on.
    #[strum(serialize = "nodes resume")]
    ResumeNode,
    /// A backup took the place of the database.
    #[strum(serialize = "restore")]
    Restore,
    /// Runs were asked for.
    #[strum(serialize = "revalidate")]
    Revalidate,
    /// Integrations were muted by a choice.
    #[strum(serialize = "silences add")]
    Silence,
}

impl Act {
    /// Every act, by its name.
    pub(crate) const ALL: &'static [Self] = <Self as strum::VariantArray>::VARIANTS;

    /// Returns the name in the database and on the command line.
    pub(crate) const fn as_str(self) -> &'static str {
        self.into_str()
    }
}

/// Entry of the audit trail.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct AuditRow {
    /// Number of the entry.
    pub(crate) id: i64,
    /// Instant of the act.
    pub(crate) at: Timestamp,
    /// Command by which it was done.
    pub(crate) act: Act,
    /// Name of the person.
    pub(crate) author: String,
    /// Names and numbers of what it was about.
    pub(crate) target: String,
    /// Comment of the person.
    pub(crate) comment: String,
}

/// Filter of the audit trail; shows everything when empty.
#[derive(Clone, Debug, Default)]
pub(crate) struct AuditFilter {
    /// Only by this person.
    pub(crate) author: Option<String>,
    /// Only by this command.
    pub(crate) act: Option<Act>,
    /// Only about what this text is a part of.
    pub(crate) target: Option<String>,
    /// Only at or after this instant.
    pub(crate) since: Option<Timestamp>,
    /// Only before this instant.
    pub(crate) until: Option<Timestamp>,
}
