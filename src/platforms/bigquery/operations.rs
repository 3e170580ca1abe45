//! Names of the requests of this platform, by which recordings know them.

use crate::platforms::Operation;

/// Every request that is sent, the most specific first.
pub(super) const OPERATIONS: &[Operation] = &[
    Operation::new("datasets", "GET /bigquery/v2/projects/*/datasets?maxResults=1&all=true"),
    Operation::new("access", "GET /bigquery/v2/projects/*/datasets/*?datasetView=ACL"),
    Operation::new("dataset", "GET /bigquery/v2/projects/*/datasets/*?datasetView=METADATA"),
    Operation::new("tables", "GET /bigquery/v2/projects/*/datasets/*/tables?maxResults=1"),
    Operation::new("table", "POST /bigquery/v2/projects/*/tables/*:testIamPermissions *"),
    Operation::new("plan", "POST /bigquery/v2/projects/*/queries *"),
    Operation::new("project", "POST /v3/projects/*:testIamPermissions *"),
    Operation::new("impersonate", "POST *:generateAccessToken *"),
    Operation::new(
        "sts",
        "POST * *grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Atoken-exchange*",
    ),
    Operation::new("token", "POST * grant_type=*"),
    Operation::new("machine-email", "GET /computeMetadata/v1/instance/service-accounts/*/email"),
    Operation::new("machine-token", "GET /computeMetadata/v1/instance/service-accounts/*/token?*"),
    Operation::new("metadata-token", "PUT *"),
    Operation::new("subject", "GET *"),
];
