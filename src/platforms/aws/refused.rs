//! Memory of refused access keys: which answers of AWS refuse the key itself, and what keys and tokens that were found
//! on the machine are known by. Those of the configuration are in `log_in`.

use reqsign_aws_v4::Credential;

use super::classify::Failure;
use crate::domain::{Finding, Secret};
use crate::net::exchange::NoAnswer;
use crate::platforms::RunContext;

/// Codes by which AWS refuses the key itself, whatever was asked for.
const REFUSED: [&str; 11] = [
    "AuthFailure",
    "ExpiredToken",
    "ExpiredTokenException",
    "IDPRejectedClaim",
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
        if self.refuses_key() { finding.refusing_log_in() } else { finding }
    }

    /// True when the key or the token itself was refused. A wrong clock of this machine is no fault of theirs.
    pub(super) fn refuses_key(&self) -> bool {
        self.class.is_definitive()
            && self.refusal().is_some_and(|refusal| REFUSED.contains(&refusal.name.as_str()))
    }
}

/// Asks for permission to send `credential`, which was found on the machine and is to assume `role`, if any.
///
/// # Errors
///
/// AWS has refused the same one.
pub(super) async fn found(
    credential: &Credential,
    role: &str,
    region: &str,
    run: &RunContext,
) -> Result<(), NoAnswer> {
    let Credential { access_key_id, secret_access_key, session_token, .. } = credential;
    let secrets = [secret_access_key, session_token.as_deref().unwrap_or_default()];
    run.log_ins.found(&["AWS", "key", region, access_key_id, role], &secrets).await
}

/// Asks for permission to send the token of a web identity, which is to take up `role`.
///
/// # Errors
///
/// AWS has refused the same one.
pub(super) async fn found_token(
    token: &Secret,
    role: &str,
    region: &str,
    run: &RunContext,
) -> Result<(), NoAnswer> {
    run.log_ins.found(&["AWS", "web identity", region, role], &[token.expose()]).await
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Class;
    use crate::platforms::Mode;
    use crate::platforms::aws::classify::Refusal;
    use crate::platforms::testing::context;

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
            (400, "IDPRejectedClaim", "The identity provider reported that it failed", true),
            // The SDKs try this one again.
            (400, "InvalidIdentityToken", "No OpenIDConnect provider found in your account", false),
            (403, "AccessDenied", "Not authorized to perform sts:AssumeRoleWithWebIdentity", false),
        ];
        for (status, name, message, expected) in table {
            let failure = refused(status, name, message);
            assert_eq!(failure.finding_of_log_in("x").refuses_log_in, expected, "{name} {message}");
        }
        let silent = Failure::silent(Class::Unreachable, "no route");
        assert!(!silent.finding_of_log_in("x").refuses_log_in);
    }

    #[tokio::test]
    async fn found_key_is_known_by_everything_that_may_make_it_valid() {
        let run = context(Mode::Recurring);
        let credential = |secret: &str, token: Option<&str>| Credential {
            access_key_id: "AKIA".to_owned(),
            secret_access_key: secret.to_owned(),
            session_token: token.map(str::to_owned),
            expires_in: None,
        };
        let refused = Finding::new(Class::Denied, "no").refusing_log_in();
        found(&credential("a", None), "", "eu-west-1", &run).await.unwrap();
        run.log_ins.end_found(Some(&refused), false);
        let table = [
            (credential("a", None), "", "eu-west-1", false),
            (credential("b", None), "", "eu-west-1", true),
            (credential("a", Some("t")), "", "eu-west-1", true),
            (credential("a", None), "arn:aws:iam::1:role/r", "eu-west-1", true),
            (credential("a", None), "", "ap-east-1", true),
        ];
        for (credential, role, region, may_send) in table {
            let answer = found(&credential, role, region, &run).await;
            assert_eq!(answer.is_ok(), may_send, "{credential:?} {role} {region}");
            run.log_ins.end_found(None, true);
        }
        let token = |text: &str| Secret::new(text.to_owned());
        found_token(&token("x"), "role", "eu-west-1", &run).await.unwrap();
        run.log_ins.end_found(Some(&refused), false);
        for (text, may_send) in [("x", false), ("y", true)] {
            let answer = found_token(&token(text), "role", "eu-west-1", &run).await;
            assert_eq!(answer.is_ok(), may_send, "{text}");
            run.log_ins.end_found(None, true);
        }
    }
}
