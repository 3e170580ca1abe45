//! Validation tests of Azure Synapse Analytics: names and messages as published, then those of our own.

use crate::domain::Test;

/// Tests in the order of the run.
pub(super) const CATALOG: &[Test] = &[CONNECT, DELIMITERS, ROLE_ABSENT, MANAGE, ROLE_EXISTS];
/// The server lets the user in.
pub(super) const CONNECT: Test =
    Test::always("Initial validation: connect", "Unable to connect to host.");
/// The delimiters of metadata differ.
pub(super) const DELIMITERS: Test = Test::always(
    "Initial validation: delimiters test",
    "Hash delimiter and array delimiter must not have the same value.",
);
/// The impersonation role is not there yet.
pub(super) const ROLE_ABSENT: Test = Test::preflight(
    "Validate automatic: impersonation role does not exist",
    "Impersonation role already exists. If this role can be safely dropped please do so and try \
    again. Alternatively, specify a different role name.",
);
/// The user has control of the database.
pub(super) const MANAGE: Test = Test::always(
    "Validate Immuta system user can manage database",
    "User does not have permission to manage database.",
);
/// The impersonation role is still there.
pub(super) const ROLE_EXISTS: Test = Test::recurring(
    "Recurring validation: impersonation role exists",
    "The impersonation role [] does not exist or is not visible to the Immuta system account.",
);
