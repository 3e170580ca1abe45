//! Names of the requests of this platform, by which recordings know them.

use crate::platforms::Operation;
use crate::platforms::aws::operations::{
    CONTAINER, METADATA_KEYS, METADATA_ROLE, METADATA_TOKEN, ROLE, WEB_IDENTITY,
};

/// Everything that is sent, the most specific first.
pub(super) const OPERATIONS: &[Operation] = &[
    Operation::new("log-in", "SQL log-in"),
    Operation::new("ping", "SQL SELECT 1"),
    Operation::new("database", "SQL SELECT 1 FROM pg_database *"),
    Operation::new("group", "SQL SELECT 1 FROM pg_group *"),
    Operation::new("database-role", "SQL SELECT 1 FROM svv_roles *"),
    Operation::new("creates-databases", "SQL SELECT 1 FROM pg_user *"),
    Operation::new("credentials", "GET /?Action=GetClusterCredentials&*"),
    ROLE,
    WEB_IDENTITY,
    METADATA_TOKEN,
    METADATA_ROLE,
    METADATA_KEYS,
    CONTAINER,
];
