//! Validation tests of Databricks: names and messages exactly as published, then the unpublished
//! ones.

use crate::domain::Test;

/// Tests in the published order, followed by the two that are not published.
pub(super) const CATALOG: &[Test] = &[BASIC, MANUAL, METASTORE, PRESENT, AUDIT];

/// The workspace answers and accepts the credentials.
pub(super) const BASIC: Test = Test::always(
    "Basic connection test",
    "Could not connect to host, please confirm you are using valid connection parameters.",
);
/// The catalog that was set up by hand is there, with what is expected in it and our privileges.
pub(super) const MANUAL: Test = Test::always(
    "Manual catalog setup",
    "Encountered an error looking up catalog metadata for catalog.",
);
/// The workspace has a metastore.
pub(super) const METASTORE: Test =
    Test::always("Metastore validation", "No metastore is assigned to workspace.");
/// The catalog that was set up automatically is still there.
pub(super) const PRESENT: Test = Test::recurring("Recurring validation: catalog is present", "");
/// The tables that query audit reads are visible; this test only ever warns.
pub(super) const AUDIT: Test = Test::recurring("Recurring validation: audit table is present", "");
