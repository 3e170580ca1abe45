//! Names of the requests of this platform, by which recordings know them.

use crate::platforms::Operation;

/// Every request that is sent, the most specific first.
pub(super) const OPERATIONS: &[Operation] = &[
    Operation::new("discovery", "GET */.well-known/oauth-authorization-server"),
    Operation::new("tenant", "GET /aad/auth"),
    Operation::new("me", "GET /api/2.0/preview/scim/v2/Me"),
    Operation::new("metastore", "GET /api/2.1/unity-catalog/current-metastore-assignment"),
    Operation::new("warehouse", "GET /api/2.0/sql/warehouses/*"),
    Operation::new("catalog", "GET /api/2.1/unity-catalog/catalogs/*"),
    Operation::new("schema", "GET /api/2.1/unity-catalog/schemas/*"),
    Operation::new("table", "GET /api/2.1/unity-catalog/tables/*/exists"),
    Operation::new("permissions", "GET /api/2.1/unity-catalog/effective-permissions/catalog/*"),
    Operation::new("granted", "GET /api/2.1/unity-catalog/permissions/*"),
    Operation::new("summary", "GET /api/2.1/unity-catalog/metastore_summary"),
    Operation::new("schemas", "GET /api/2.1/unity-catalog/schemas?*"),
    Operation::new("tables", "GET /api/2.1/unity-catalog/tables?*"),
    Operation::new("tokens", "GET /api/2.0/token/list"),
    Operation::new("secrets", "GET /api/2.0/accounts/servicePrincipals/*/credentials/secrets"),
    Operation::new("management", "POST * *management.core*"),
    Operation::new("entra", "POST */oauth2/v2.0/token *"),
    Operation::new("token", "POST * *grant_type=*"),
    Operation::new("managed", "GET /metadata/identity/oauth2/token?*"),
];
