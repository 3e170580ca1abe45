//! Names of the requests of this platform, by which recordings know them.

use crate::platforms::Operation;

/// Every request that is sent, the most specific first.
pub(super) const OPERATIONS: &[Operation] = &[
    Operation::new("info", "GET */v1/info"),
    Operation::new("cancel", "DELETE *"),
    Operation::new("next", "GET */v1/statement/*"),
    Operation::new("current-user", "POST */v1/statement SELECT current_user"),
    Operation::new("nodes", "POST */v1/statement SELECT count(*) FROM system.runtime.nodes*"),
    Operation::new("one", "POST */v1/statement SELECT 1"),
    Operation::new("catalogs", "POST */v1/statement SHOW CATALOGS"),
    Operation::new(
        "catalog",
        "POST */v1/statement EXPLAIN (TYPE VALIDATE) SELECT * FROM *.information_schema.schemata",
    ),
    Operation::new("insert", "POST */v1/statement EXPLAIN (TYPE VALIDATE) INSERT *"),
    Operation::new("delete", "POST */v1/statement EXPLAIN (TYPE VALIDATE) DELETE *"),
    Operation::new("access", "POST */v1/statement EXPLAIN (TYPE VALIDATE) *"),
    Operation::new("roles", "POST */v1/statement SHOW ROLE GRANTS*"),
    Operation::new("privileges", "POST */v1/statement SELECT json_format(*"),
    Operation::new("queries", "POST */v1/statement SELECT count(*) FROM system.runtime.queries*"),
    Operation::new("token", "POST * grant_type=*"),
];
