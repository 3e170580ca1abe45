//! Names of the requests of this platform, by which recordings know them.

use crate::platforms::Operation;
use crate::platforms::aws::operations::{
    CONTAINER, METADATA_KEYS, METADATA_ROLE, METADATA_TOKEN, ROLE, WEB_IDENTITY,
};

/// Every request that is sent, the most specific first.
pub(super) const OPERATIONS: &[Operation] = &[
    Operation::new("caller", "GET /?Action=GetCallerIdentity&*"),
    ROLE,
    WEB_IDENTITY,
    Operation::new("instance", "GET */v20180820/accessgrantsinstance"),
    Operation::new("locations", "GET */v20180820/accessgrantsinstance/locations*"),
    Operation::new("objects", "GET *?list-type=2&*"),
    METADATA_TOKEN,
    METADATA_ROLE,
    METADATA_KEYS,
    CONTAINER,
];
