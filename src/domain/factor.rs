//! Shared factors of integrations: the possible common causes of an outage.

use serde::{Deserialize, Serialize};

use super::UnknownName;

/// Factor that integrations can share, derived from their configuration.
#[derive(Clone, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(crate) struct Factor {
    /// Kind of the factor.
    pub(crate) kind: FactorKind,
    /// Name of the host, account or other object.
    pub(crate) value: String,
}

/// Kind of a factor, the most specific first.
#[derive(
    Clone,
    Copy,
    Debug,
    Deserialize,
    Eq,
    Hash,
    Ord,
    PartialEq,
    PartialOrd,
    Serialize,
    strum::IntoStaticStr,
    strum::EnumString,
)]
#[strum(serialize_all = "lowercase", const_into_str, parse_err_ty = UnknownName, parse_err_fn = UnknownName::of)]
#[serde(rename_all = "lowercase")]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(crate) enum FactorKind {
    /// Host that the integration connects to.
    Host,
    /// Principal that the integration authenticates as.
    Principal,
    /// Account, project, workspace or subscription.
    Account,
    /// Region of a cloud.
    Region,
    /// Certificate authority that is trusted.
    Authority,
}

impl FactorKind {
    /// Returns the name on the wire and in the database.
    pub(crate) const fn as_str(self) -> &'static str {
        self.into_str()
    }
}
