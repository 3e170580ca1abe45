//! The validation tests of Native S3: names and messages exactly as published, except where noted.

use crate::domain::Test;

/// Tests in the order of the run; the last one is not published.
pub(super) const CATALOG: &[Test] =
    &[TARGET, NAME, ROLE, CALLER, INSTANCE, PATH, NOT_YET, REGISTERED];

/// No other integration has the same account, region and path.
pub(super) const TARGET: Test =
    Test::always("There is no existing integration matching this configuration", "");
/// No other integration has the same name. The published message is another platform's, by
/// mistake; this one replaces it.
pub(super) const NAME: Test = Test::always(
    "The provided integration name is unique across Immuta S3 integrations",
    "An Amazon S3 integration named [] already exists.",
);
/// The role of the location is written like one.
pub(super) const ROLE: Test = Test::always(
    "The provided access grants location role is a valid ARN format",
    "The specified access grants location role is not a valid ARN format.",
);
/// The credentials are valid; the message is that of a passed test.
pub(super) const CALLER: Test = Test::always(
    "The provided AWS credentials allow fetching the caller's identity via the AWS STS API",
    "Found user ID [], ARN [] using STS.",
);
/// There is an Access Grants instance, and we may look at it.
pub(super) const INSTANCE: Test = Test::always(
    "An AWS Access Grants instance is configured in the provided AWS account and region",
    "AccessDenied: Unable to retrieve the access grants instance for account, region: AWS \
     responded with code [403], name [AccessDenied] and message [Access Denied] for request ID [].",
);
/// The path can be listed.
pub(super) const PATH: Test = Test::always(
    "The provided S3 path exists and Immuta can list prefixes",
    "Immuta does not have access to the requested path [s3://]. Without access, Immuta will be \
     unable to assist with S3 path discovery during data source creation.",
);
/// The path is not registered yet.
pub(super) const NOT_YET: Test = Test::preflight(
    "An AWS Access Grants location does not yet exist for the provided path",
    "AccessDenied: Unable to list S3 access grants locations for account [], location scope []: \
     AWS responded with code [403], name [AccessDenied] and message [Access Denied] for request \
     ID [].",
);
/// The path is still registered, with the configured role.
pub(super) const REGISTERED: Test =
    Test::recurring("Recurring validation: access grants location is registered", "");
