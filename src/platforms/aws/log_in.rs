//! Key of a log-in with an access key of the configuration.

use super::credentials::{AccessKey, Credentials, Role};
use crate::platforms::LogInKey;

impl Credentials {
    /// Returns the key of requests for `service` in `region`, by which a refusal is remembered; none without an
    /// access key in the configuration: those of the machine are known only once its sources were asked.
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
    use crate::domain::{Secret, SecretRef};

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
