//! Names of the requests of this platform, by which recordings know them.

use crate::platforms::Operation;

/// Every request that is sent, the most specific first.
pub(super) const OPERATIONS: &[Operation] = &[
    Operation::new("cancel", "POST /api/v2/statements/*/cancel"),
    Operation::new("poll", "GET /api/v2/statements/*"),
    Operation::new("login", "POST /session/v1/login-request?*"),
    Operation::new("logout", "POST /session?delete=true&*"),
    Operation::new("driver-abort", "POST /queries/v1/abort-request?*"),
    Operation::new("driver-poll", "GET /queries/*/result?*"),
    Operation::new(
        "driver-hello",
        r#"POST /queries/v1/query-request?*"sqlText":"SELECT CURRENT_VERSION()*"#,
    ),
    Operation::new(
        "driver-current-role",
        r#"POST /queries/v1/query-request?*"sqlText":"SELECT CURRENT_ROLE()*"#,
    ),
    Operation::new(
        "driver-usable",
        r#"POST /queries/v1/query-request?*"sqlText":"SHOW WAREHOUSES LIKE * WITH PRIVILEGES USAGE*"#,
    ),
    Operation::new(
        "driver-warehouses",
        r#"POST /queries/v1/query-request?*"sqlText":"SHOW WAREHOUSES *"#,
    ),
    Operation::new(
        "driver-databases",
        r#"POST /queries/v1/query-request?*"sqlText":"SHOW DATABASES *"#,
    ),
    Operation::new(
        "driver-prefix",
        r#"POST /queries/v1/query-request?*"sqlText":"SHOW ROLES STARTS WITH *"#,
    ),
    Operation::new(
        "driver-roles",
        r#"POST /queries/v1/query-request?*"sqlText":"SHOW ROLES LIKE *"#,
    ),
    Operation::new(
        "driver-grants",
        r#"POST /queries/v1/query-request?*"sqlText":"SHOW GRANTS TO ROLE *"#,
    ),
    Operation::new("hello", r#"POST /api/v2/statements?*"statement":"SELECT CURRENT_VERSION()*"#),
    Operation::new(
        "current-role",
        r#"POST /api/v2/statements?*"statement":"SELECT CURRENT_ROLE()*"#,
    ),
    Operation::new(
        "usable",
        r#"POST /api/v2/statements?*"statement":"SHOW WAREHOUSES LIKE * WITH PRIVILEGES USAGE*"#,
    ),
    Operation::new("warehouses", r#"POST /api/v2/statements?*"statement":"SHOW WAREHOUSES *"#),
    Operation::new("databases", r#"POST /api/v2/statements?*"statement":"SHOW DATABASES *"#),
    Operation::new("prefix", r#"POST /api/v2/statements?*"statement":"SHOW ROLES STARTS WITH *"#),
    Operation::new("roles", r#"POST /api/v2/statements?*"statement":"SHOW ROLES LIKE *"#),
    Operation::new("grants", r#"POST /api/v2/statements?*"statement":"SHOW GRANTS TO ROLE *"#),
    Operation::new("token", "POST * *grant_type=*"),
    Operation::new("managed", "GET /metadata/identity/oauth2/token?*"),
    Operation::new(
        "identity",
        "GET /computeMetadata/v1/instance/service-accounts/default/identity?*",
    ),
];
