//! Assertions by which a client proves who it is (RFC 7523, section 2.2).

use serde_json::json;
use uuid::Builder;

use crate::domain::{Secret, Timestamp};
use crate::net::jwt::{KeyError, SigningKey};

/// Lifetime of an assertion, in seconds.
const LIFETIME_SECONDS: i64 = 10 * 60;

/// Client that proves who it is, and the token endpoint that is to believe it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Claimant<'a> {
    /// Id of the client: issuer and subject of the assertion.
    pub(crate) client_id: &'a str,
    /// URL of the token endpoint: audience of the assertion.
    pub(crate) url: &'a str,
}

/// Returns an assertion of the client that is signed with `key`; `head` is added to its head.
///
/// # Errors
///
/// Fails when nothing can be signed, or the machine has no randomness for the id of the assertion.
pub(crate) fn client_assertion(
    key: &SigningKey,
    head: &[(&str, &str)],
    claimant: Claimant<'_>,
    now: Timestamp,
) -> Result<Secret, KeyError> {
    let Claimant { client_id, url } = claimant;
    let mut id = [0; 16];
    aws_lc_rs::rand::fill(&mut id).map_err(|_unspecified| KeyError::Sign)?;
    let begin = now.unix_seconds();
    let claims = json!({
        "iss": client_id,
        "sub": client_id,
        "aud": url,
        "jti": Builder::from_random_bytes(id).into_uuid().to_string(),
        "nbf": begin,
        "iat": begin,
        "exp": begin.saturating_add(LIFETIME_SECONDS),
    });
    key.token(head, &claims)
}
