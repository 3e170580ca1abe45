//! The validation tests of Google `BigQuery`: names and messages exactly as published.

use crate::domain::Test;

/// Tests in the published order, followed by the one that is not published.
pub(super) const CATALOG: &[Test] = &[
    CONNECT,
    POSTFIX,
    KEY_FILE,
    REUSE,
    DATASET_CREATE,
    DATASET_DELETE,
    NOT_YET,
    TABLE_CREATE,
    TABLE_DELETE,
    TABLE_GET,
    TABLE_INSERT,
    TABLE_UPDATE,
    PRESENT,
];

/// There is a token, and with it datasets can be listed and queries planned.
pub(super) const CONNECT: Test = Test::always(
    "Basic validation: connection can be made to BigQuery",
    "Could not connect to the remote BigQuery connection.",
);
/// The service account is one of the project.
pub(super) const POSTFIX: Test = Test::always(
    "Basic validation: Immuta service account postfix",
    "The Immuta service account does not end with expected value.",
);
/// The key is one of the configured service account.
pub(super) const KEY_FILE: Test = Test::always(
    "Basic validation: non-matching service account in key file",
    "The service account does not match the service account in the provided key file.",
);
/// The service account is used by no other integration.
pub(super) const REUSE: Test = Test::always(
    "Basic validation: verify service account not being used for data source connection credentials",
    "BigQuery doesn't support the reuse of service accounts for integrations that are currently \
     being used for data sources.",
);
/// The dataset could be made.
pub(super) const DATASET_CREATE: Test = Test::always("Validate manual: [dataset - create]", "");
/// The dataset could be removed.
pub(super) const DATASET_DELETE: Test = Test::always("Validate manual: [dataset - delete]", "");
/// There is no dataset yet.
pub(super) const NOT_YET: Test = Test::preflight(
    "Initialize validation: [dataset - exists]",
    "An existing Immuta instance exists. Delete this dataset to continue.",
);
/// Tables can be made.
pub(super) const TABLE_CREATE: Test = Test::always("Validate manual: [table - create]", "");
/// Tables can be removed.
pub(super) const TABLE_DELETE: Test = Test::always("Validate manual: [table - delete]", "");
/// Tables can be looked at.
pub(super) const TABLE_GET: Test = Test::always("Validate manual: [table - get]", "");
/// Rows can be written.
pub(super) const TABLE_INSERT: Test = Test::always("Validate manual: [table - insert]", "");
/// Tables can be changed.
pub(super) const TABLE_UPDATE: Test = Test::always("Validate manual: [table - update]", "");
/// The dataset is still there.
pub(super) const PRESENT: Test = Test::recurring("Recurring validation: dataset is present", "");
