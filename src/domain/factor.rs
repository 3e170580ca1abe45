//! Shared factors of integrations: the possible common causes of an outage.

use std::str::FromStr;

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
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
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
    /// Every kind, the most specific first.
    pub(crate) const ALL: [Self; 5] =
        [Self::Host, Self::Principal, Self::Account, Self::Region, Self::Authority];

    /// Returns the name on the wire and in the database.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Host => "host",
            Self::Principal => "principal",
            Self::Account => "account",
            Self::Region => "region",
            Self::Authority => "authority",
        }
    }
}

impl FromStr for FactorKind {
    type Err = UnknownName;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        let found = Self::ALL.into_iter().find(|kind| kind.as_str() == name);
        found.ok_or_else(|| UnknownName(name.to_owned()))
    }
}
