//! Table of all checks, which the command and its documentation are made from.

use super::check::{Check, Group};
use super::{configuration, install, machine, running, store};

/// Checks by the part that they look at, in the order in which they are shown.
pub(super) const CHECKS: [(Group, &[Check]); 5] = [
    (Group::Installation, install::CHECKS),
    (Group::Configuration, configuration::CHECKS),
    (Group::Store, store::CHECKS),
    (Group::Machine, machine::CHECKS),
    (Group::Daemon, running::CHECKS),
];
