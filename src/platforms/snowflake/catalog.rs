//! Tests of the platform, as published.

use super::statement::Name;
use crate::domain::Test;

pub(super) const CATALOG: &[Test] = &[
    CONNECT,
    WAREHOUSE,
    PREFIX,
    ROLE,
    BOOTSTRAP,
    DATABASE_ABSENT,
    IMPERSONATION_ABSENT,
    DATABASE_EXISTS,
    IMPERSONATION_EXISTS,
];

pub(super) const CONNECT: Test =
    Test::always("Initial validation: basic connection test", "Unable to connect to host.");
pub(super) const WAREHOUSE: Test = Test::always(
    "Initial validation: default warehouse access test",
    "Unable to access default warehouse. If this was a manual installation, ensure that the user \
    has been granted usage on the specified warehouse.",
);
pub(super) const PREFIX: Test = Test::always(
    "Initial validation: table grants role prefix is unique",
    "The Snowflake table grants role prefix IMMUTA is used by another Immuta instance connected \
    to the same Snowflake host. Please update the table grants role prefix for this Immuta \
    instance and try again.",
);
pub(super) const ROLE: Test = Test::always(
    "Initial validation: validate access to privileged role",
    "User does not have access to the privileged role.",
);
pub(super) const BOOTSTRAP: Test = Test::preflight("Validate automatic bootstrap user grants", "");
pub(super) const DATABASE_ABSENT: Test = Test::preflight(
    "Validate automatic: database does not exist",
    "The database already exists. If this database can be safely dropped, please do so and try \
    again. Alternatively, specify a different database name.",
);
pub(super) const IMPERSONATION_ABSENT: Test = Test::preflight(
    "Validate automatic: impersonation role does not exist",
    "Impersonation role already exists. If this role can be safely dropped please do so and try \
    again. Alternatively, specify a different role name.",
);
pub(super) const DATABASE_EXISTS: Test = Test::recurring(
    "Recurring validation: database exists",
    "The Immuta-managed database [] does not exist or is not visible to the Immuta system account.",
);
pub(super) const IMPERSONATION_EXISTS: Test = Test::recurring(
    "Recurring validation: impersonation role exists",
    "The impersonation role [] does not exist or is not visible to the Immuta system account.",
);

/// Returns the message of `test` with `name` in its slot.
pub(super) fn filled(test: Test, name: &Name) -> String {
    test.message.replacen("[]", &format!("[{name}]"), 1)
}
