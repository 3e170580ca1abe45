//! Names of the requests for credentials of AWS, by which recordings know them.

use crate::platforms::Operation;

/// Role that is assumed by an access key.
pub(crate) const ROLE: Operation = Operation::new("role", "GET /?Action=AssumeRole&*");
/// Role that is assumed by a token of Kubernetes or of another provider.
pub(crate) const WEB_IDENTITY: Operation =
    Operation::new("web-identity", "POST / Action=AssumeRoleWithWebIdentity&*");
/// Token for the metadata service of an instance.
pub(crate) const METADATA_TOKEN: Operation =
    Operation::new("metadata-token", "PUT /latest/api/token");
/// Name of the role of an instance.
pub(crate) const METADATA_ROLE: Operation =
    Operation::new("metadata-role", "GET /latest/meta-data/iam/security-credentials/");
/// Keys of the role of an instance.
pub(crate) const METADATA_KEYS: Operation =
    Operation::new("metadata-keys", "GET /latest/meta-data/iam/security-credentials/*");
/// Keys of a container, whose address is configured. It fits every `GET`, so that it comes last.
pub(crate) const CONTAINER: Operation = Operation::new("container", "GET *");
