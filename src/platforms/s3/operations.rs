//! Names of the requests of this platform, by which recordings know them.

use crate::platforms::Operation;

/// Every request that is sent, the most specific first.
pub(super) const OPERATIONS: &[Operation] = &[
    Operation::new("caller", "GET /?Action=GetCallerIdentity&*"),
    Operation::new("role", "GET /?Action=AssumeRole&*"),
    Operation::new("web-identity", "POST / Action=AssumeRoleWithWebIdentity&*"),
    Operation::new("instance", "GET */v20180820/accessgrantsinstance"),
    Operation::new("locations", "GET */v20180820/accessgrantsinstance/locations*"),
    Operation::new("objects", "GET *?list-type=2&*"),
    Operation::new("metadata-token", "PUT /latest/api/token"),
    Operation::new("metadata-role", "GET /latest/meta-data/iam/security-credentials/"),
    Operation::new("metadata-keys", "GET /latest/meta-data/iam/security-credentials/*"),
    Operation::new("container", "GET *"),
];
