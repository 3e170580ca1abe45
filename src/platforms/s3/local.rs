//! The tests that need no server: comparisons with other integrations, and the form of a name.

use super::PLATFORM;
use super::catalog::ROLE;
use super::config::Config;
use super::integration::S3;
use crate::domain::{Class, Finding};
use crate::platforms::RunContext;
use crate::platforms::aws::config::is_role_in;
use crate::platforms::aws::endpoint::partition_of;

/// The longest ARN of a role, in bytes.
const ROLE_ARN_MAX: usize = 2048;

impl S3 {
    /// Checks that no other integration has the same target.
    pub(super) fn no_duplicate_target(&self, run: &RunContext) -> Result<(), Finding> {
        let Some(peer) = run.duplicate_target(PLATFORM.kind, &self.target()) else { return Ok(()) };
        let Config { account, region, location, .. } = &self.config;
        let id = peer.id.map_or(String::new(), |id| format!("[{id}] "));
        let message = format!(
            "Integration {id}([{}]) already uses account [{account}], region [{region}] and \
             location path [{}].",
            peer.name, location.shown
        );
        let fix = format!("Remove one of the two, or change `awsLocationPath` of [{}].", peer.name);
        Err(Finding::new(Class::Invalid, message).fix(fix))
    }

    /// Checks that no other integration has the same name of its own.
    pub(super) fn no_duplicate_name(&self, run: &RunContext) -> Result<(), Finding> {
        let name = &self.config.name;
        let Some(peer) = run.duplicate_name(PLATFORM.kind, name) else { return Ok(()) };
        let message = format!("An Amazon S3 integration named [{name}] already exists.");
        let fix = format!("Change `config.name` here or in the integration [{}].", peer.name);
        Err(Finding::new(Class::Invalid, message).fix(fix))
    }

    /// Checks that the role of the location is the ARN of a role.
    pub(super) fn role_is_an_arn(&self) -> Result<(), Finding> {
        let Config { location_role, region, .. } = &self.config;
        if location_role.len() <= ROLE_ARN_MAX && is_role_in(location_role, region) {
            return Ok(());
        }
        let partition = partition_of(region).id;
        let fix = format!("Set `awsLocationRole` to arn:{partition}:iam::<account>:role/<name>.");
        Err(Finding::new(Class::Invalid, ROLE.message).fix(fix))
    }

    /// Returns the target, of which only one integration may exist.
    pub(super) fn target(&self) -> String {
        let Config { account, region, location, .. } = &self.config;
        format!("{account}/{region}/{}", location.target())
    }
}
