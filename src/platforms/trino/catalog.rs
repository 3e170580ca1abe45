//! Tests of Trino, in the order of the report. Nothing is published for this platform.

use crate::domain::Test;

/// The coordinator answers requests.
pub(super) const CONNECTION: Test =
    Test::always("Recurring validation: connection", "Unable to connect to host.");
/// The credentials are accepted.
pub(super) const AUTHENTICATION: Test = Test::always(
    "Recurring validation: authentication",
    "Unable to authenticate with the provided credentials.",
);
/// A query can run.
pub(super) const QUERY: Test = Test::always(
    "Recurring validation: query",
    "The cluster accepted the connection but could not run a query.",
);
/// The configured catalogs are there.
pub(super) const CATALOGS: Test = Test::always(
    "Recurring validation: catalogs",
    "The catalogs [] do not exist or are not visible to the system account.",
);
/// The system account may read the probe table.
pub(super) const ACCESS: Test = Test::always(
    "Recurring validation: system account access",
    "The system account cannot read [].",
);
/// The probe user may not.
pub(super) const ENFORCEMENT: Test = Test::always(
    "Recurring validation: access control enforcement",
    "Access control does not keep the user [] from reading [].",
);
/// The cluster is new enough.
pub(super) const VERSION: Test = Test::always(
    "Recurring validation: version",
    "The Trino version [] is older than the minimum supported version [].",
);

/// Tests in their order.
pub(super) const CATALOG: &[Test] =
    &[CONNECTION, AUTHENTICATION, QUERY, CATALOGS, ACCESS, ENFORCEMENT, VERSION];
