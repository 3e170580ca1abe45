//! Validation tests of Amazon Redshift: names and messages as published, then those of our own.

use crate::domain::Test;

/// Tests in the order of the run.
pub(super) const CATALOG: &[Test] =
    &[CONNECT, DATABASE_ABSENT, ROLE_ABSENT, DATABASE_EXISTS, ROLE_EXISTS];

/// The server lets the user in.
pub(super) const CONNECT: Test =
    Test::always("Initial validation: basic connection test", "Unable to connect to host.");
/// The database is not there yet.
pub(super) const DATABASE_ABSENT: Test = Test::preflight(
    "Validate automatic: database does not exist",
    "The database already exists. If this database can be safely dropped, please do so and try \
    again. Alternatively, specify a different database name.",
);
/// The impersonation role is not there yet.
pub(super) const ROLE_ABSENT: Test = Test::preflight(
    "Validate automatic: impersonation role does not exist",
    "Impersonation role already exists. If this role can be safely dropped please do so and try \
    again. Alternatively, specify a different role name.",
);
/// The database is still there.
pub(super) const DATABASE_EXISTS: Test = Test::recurring(
    "Recurring validation: database exists",
    "The Immuta-managed database [] does not exist or is not visible to the Immuta system account.",
);
/// The impersonation role is still there.
pub(super) const ROLE_EXISTS: Test = Test::recurring(
    "Recurring validation: impersonation role exists",
    "The impersonation role [] does not exist or is not visible to the Immuta system account.",
);
