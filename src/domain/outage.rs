//! Shared causes: when failures of several integrations are one outage.

use std::str::FromStr;
use std::time::Duration;

use super::{Class, FactorKind, UnknownName};

/// Failures that began longer ago than this are no evidence for something that happens now.
pub(crate) const EVIDENCE_MAX: Duration = Duration::from_hours(1);
/// Time after the latest recovery at which an outage is closed for members that still fail: their
/// failure has another cause then.
pub(crate) const CLOSE_AFTER: Duration = Duration::from_mins(10);
/// Wait before the next look at a member that still fails while its outage is about to be closed.
pub(crate) const CLOSING_WAIT: Duration = Duration::from_mins(2);
/// Most siblings that are made due when one integration fails.
pub(crate) const SIBLINGS_MAX: u32 = 32;

/// Kind of failure that integrations can share.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd, strum::IntoStaticStr)]
#[strum(serialize_all = "camelCase", const_into_str)]
pub(crate) enum SharedCause {
    /// A host, account or region does not serve.
    Unreached,
    /// An identity is refused.
    Refused,
    /// A credential or certificate has expired.
    Expired,
}

impl SharedCause {
    const ALL: [Self; 3] = [Self::Unreached, Self::Refused, Self::Expired];

    /// Returns the cause that failures of `class` can share; missing objects and wrong settings are never
    /// shared.
    pub(crate) const fn of(class: Class) -> Option<Self> {
        match class {
            Class::Unreachable | Class::Throttled | Class::Unavailable => Some(Self::Unreached),
            Class::Denied => Some(Self::Refused),
            Class::Expired => Some(Self::Expired),
            Class::Missing | Class::Invalid | Class::Local => None,
        }
    }

    /// The name in the database and on the wire.
    pub(crate) const fn as_str(self) -> &'static str {
        self.into_str()
    }

    /// Returns the factors that integrations with this cause have in common, the most specific first.
    pub(crate) const fn factors(self) -> &'static [FactorKind] {
        match self {
            Self::Unreached => &[FactorKind::Host, FactorKind::Account, FactorKind::Region],
            Self::Refused => &[FactorKind::Principal, FactorKind::Account],
            Self::Expired => &[FactorKind::Host, FactorKind::Principal, FactorKind::Authority],
        }
    }
}

impl FromStr for SharedCause {
    type Err = UnknownName;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        let found = Self::ALL.into_iter().find(|cause| cause.as_str() == name);
        found.ok_or_else(|| UnknownName(name.to_owned()))
    }
}

/// True when `failing` integrations with something in common make an outage of it: at least `min` do,
/// and twice as many as those that have passed since the first of them failed.
#[must_use]
pub(crate) fn is_outage(failing: usize, passing: usize, min: u32) -> bool {
    u32::try_from(failing).is_ok_and(|failing| min <= failing)
        && passing.saturating_mul(2) <= failing
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn several_that_fail_while_few_pass_are_an_outage() {
        let table = [
            (2, 0, 3, false),
            (3, 0, 3, true),
            (3, 1, 3, true),
            (3, 2, 3, false),
            (25, 12, 3, true),
            (25, 13, 3, false),
        ];
        for (failing, passing, min, expected) in table {
            assert_eq!(is_outage(failing, passing, min), expected, "{failing} and {passing}");
        }
    }

    #[test]
    fn transient_failures_share_a_host_and_refusals_an_identity() {
        for &class in Class::ALL {
            let shared = SharedCause::of(class);
            let is_transient = !class.is_definitive() && class != Class::Local;
            assert_eq!(shared == Some(SharedCause::Unreached), is_transient, "{class:?}");
        }
    }
}
