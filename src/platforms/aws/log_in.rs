//! Memory of refused access keys: which answers of AWS refuse the key itself, and what the key is known by.

use super::classify::Failure;
use super::credentials::{AccessKey, Credentials, Role};
use crate::domain::Finding;
use crate::platforms::LogInKey;

/// Codes by which AWS refuses the key itself, whatever was asked for.
const REFUSED: [&str; 10] = [
    "AuthFailure",
    "ExpiredToken",
    "ExpiredTokenException",
    "InvalidAccessKeyId",
    "InvalidClientTokenId",
    "InvalidSignatureException",
    "InvalidToken",
    "SignatureDoesNotMatch",
    "TokenRefreshRequired",
    "UnrecognizedClientException",
];

impl Failure {
    /// Returns the finding of [`Failure::finding`], marked where the key itself was refused.
    pub(crate) fn finding_of_log_in(&self, doing: &str) -> Finding {
        let finding = self.finding(doing);
        // A wrong clock of this machine is no fault of the key.
        let is_refusal = self.class.is_definitive()
            && self.refusal().is_some_and(|refusal| REFUSED.contains(&refusal.name.as_str()));
        if is_refusal { finding.refusing_log_in() } else { finding }
    }
}

impl Credentials {
    /// Returns the key of requests for `service` in `region`, by which a refusal is remembered; none without an
    /// access key in the configuration, because other credentials are renewed outside.
    pub(crate) async fn key(&self, service: &str, region: &str) -> Option<LogInKey> {
        let AccessKey { id, secret, token } = self.key.as_ref()?;
        let role = self.role.as_ref().map_or("", |Role { arn, .. }| arn);
        let secrets: Vec<_> = [Some(secret), token.as_ref()].into_iter().flatten().collect();
        LogInKey::of(&["AWS", service, region, id, role], &secrets).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{Class, Secret, SecretRef};
    use crate::platforms::aws::classify::Refusal;

    fn refused(status: u16, name: &str, message: &str) -> Failure {
        let [name, message, request_id] = [name, message, "r"].map(str::to_owned);
        let refusal = Refusal { status, name, message, request_id, region: None };
        Failure::refused(refusal, Class::Invalid)
    }

    #[test]
    fn only_answers_about_the_key_are_remembered() {
        let table = [
            (
                403,
                "InvalidClientTokenId",
                "The security token included in the request is invalid.",
                true,
            ),
            (403, "InvalidAccessKeyId", "The AWS Access Key Id you provided does not exist", true),
            (
                403,
                "SignatureDoesNotMatch",
                "The request signature we calculated does not match",
                true,
            ),
            (
                403,
                "SignatureDoesNotMatch",
                "Signature expired: 20260101T000000Z is now earlier",
                false,
            ),
            (400, "ExpiredToken", "The security token included in the request is expired", true),
            (403, "AccessDenied", "User is not authorized to perform: s3:ListBucket", false),
            (503, "SlowDown", "Please reduce your request rate.", false),
        ];
        for (status, name, message, expected) in table {
            let failure = refused(status, name, message);
            assert_eq!(failure.finding_of_log_in("x").refuses_log_in, expected, "{name} {message}");
        }
        let silent = Failure::silent(Class::Unreachable, "no route");
        assert!(!silent.finding_of_log_in("x").refuses_log_in);
    }

    async fn key(
        secret: &str,
        token: Option<&str>,
        role: Option<&str>,
        region: &str,
    ) -> Option<LogInKey> {
        let text = |text: &str| SecretRef::Literal(Secret::new(text.to_owned()));
        let key = AccessKey { id: "AKIA".to_owned(), secret: text(secret), token: token.map(text) };
        let role = role.map(|arn| Role { arn: arn.to_owned(), external_id: None });
        Credentials { key: Some(key), role }.key("s3", region).await
    }

    #[tokio::test]
    async fn key_changes_with_whatever_may_make_it_valid() {
        let first = key("a", None, None, "eu-west-1").await;
        assert!(first.is_some());
        assert_eq!(first, key("a", None, None, "eu-west-1").await);
        for other in [
            key("b", None, None, "eu-west-1").await,
            key("a", Some("t"), None, "eu-west-1").await,
            key("a", None, Some("arn:aws:iam::1:role/r"), "eu-west-1").await,
            key("a", None, None, "ap-east-1").await,
        ] {
            assert_ne!(first, other);
        }
        assert!(Credentials { key: None, role: None }.key("s3", "eu-west-1").await.is_none());
    }
}
