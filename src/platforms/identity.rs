//! Identity of an integration, for comparison with others.

use crate::domain::{Factor, FactorKind};

/// Values of an integration that others are compared with.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(crate) struct Identity {
    /// `host` or `host:port` of its server, for the limit of runs per host.
    pub(crate) host: String,
    /// The platform's own `config.name`, where it has one.
    pub(crate) config_name: Option<String>,
    /// Target that only one integration may have, such as account, region and path.
    pub(crate) target: Option<String>,
    /// The account, project, workspace or subscription, with the kind of platform before it.
    pub(crate) account: Option<String>,
    /// The region of a cloud, with the cloud before it.
    pub(crate) region: Option<String>,
    /// Principal that logs in, with its place; never a secret.
    pub(crate) principal: Option<String>,
    /// File of certificate authorities that replaces the system's.
    pub(crate) authority: Option<String>,
}

impl Identity {
    /// Returns the factors that may make it fail together with others.
    pub(crate) fn factors(&self) -> Vec<Factor> {
        let host = (!self.host.is_empty()).then_some(&self.host);
        let named = [
            (FactorKind::Host, host),
            (FactorKind::Principal, self.principal.as_ref()),
            (FactorKind::Account, self.account.as_ref()),
            (FactorKind::Region, self.region.as_ref()),
            (FactorKind::Authority, self.authority.as_ref()),
        ];
        let factor = |(kind, value): (FactorKind, Option<&String>)| {
            value.map(|value| Factor { kind, value: value.clone() })
        };
        named.into_iter().filter_map(factor).collect()
    }
}
