//! What integrations can have in common, and so fail by together.

use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::UnknownName;

/// Something that integrations share, derived from their configuration.
#[derive(Clone, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(crate) struct Factor {
    /// What kind of thing.
    pub(crate) kind: FactorKind,
    /// Which one.
    pub(crate) value: String,
}

/// What can be shared, the most telling first.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "lowercase")]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(crate) enum FactorKind {
    /// The host that is talked to.
    Host,
    /// Who logs in.
    Principal,
    /// The account, project, workspace or subscription.
    Account,
    /// The region of a cloud.
    Region,
    /// The certificate authority that is trusted.
    Authority,
}

impl FactorKind {
    /// Every kind, the most telling first.
    pub(crate) const ALL: [Self; 5] =
        [Self::Host, Self::Principal, Self::Account, Self::Region, Self::Authority];

    /// The name on the wire and in the database.
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
