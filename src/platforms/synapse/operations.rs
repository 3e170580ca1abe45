//! Names of the requests of this platform, by which recordings know them.

use crate::platforms::Operation;

/// Everything that is sent, the most specific first.
pub(super) const OPERATIONS: &[Operation] = &[
    Operation::new("log-in", "SQL log-in"),
    Operation::new("ping", "SQL SELECT 1"),
    Operation::new("control", "SQL SELECT permission_name FROM sys.fn_my_permissions*"),
    Operation::new("control-by-name", "SQL SELECT HAS_PERMS_BY_NAME(*"),
    Operation::new("owner", "SQL SELECT IS_ROLEMEMBER(*"),
    Operation::new("role", "SQL SELECT 1 FROM sys.database_principals *"),
    Operation::new("user", "SQL SELECT USER_NAME()"),
    Operation::new("roles", "SQL SELECT r.name FROM sys.database_role_members *"),
    Operation::new("permissions", "SQL SELECT p.class_desc, *"),
    Operation::new("entra", "POST */oauth2/v2.0/token *"),
    Operation::new("managed", "GET /metadata/identity/oauth2/token?*"),
];
