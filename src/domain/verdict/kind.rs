//! Kinds of looks, which are weighed apart, and pasts, which change their weights.

use crate::domain::Class;

/// Kind of looks: only those of one kind add up, since each points to another cause.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(super) enum Kind {
    /// The run found that all is well.
    Passed,
    /// The failure is definitive and beyond doubt.
    Definitive,
    /// The failure is definitive, and may be another's answer.
    Doubtful,
    /// There is no answer, or none that says anything about one integration alone.
    Silent,
    /// The platform asks for fewer requests.
    Throttled,
}

impl Kind {
    /// Returns the kind of a failure. Where runs are counted in place of the rule (`is_counted`), every definitive
    /// failure is beyond doubt, and all others are of one kind.
    pub(super) const fn of(class: Class, is_certain: bool, is_counted: bool) -> Self {
        match class {
            Class::Denied | Class::Missing | Class::Invalid | Class::Expired => {
                if is_certain || is_counted { Self::Definitive } else { Self::Doubtful }
            }
            Class::Throttled if !is_counted => Self::Throttled,
            Class::Throttled | Class::Unreachable | Class::Unavailable | Class::Local => {
                Self::Silent
            }
        }
    }
}

/// Past of a configuration before the first of its looks, as far as it changes what they weigh.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(crate) enum Past {
    /// Past that changes nothing.
    #[default]
    Usual,
    /// It had passed so often without one failure that a short fault is unlikely.
    Steady,
    /// The status had changed lately, so that a short fault is likely.
    Unsteady,
}
