//! Obtaining secrets and tokens, and the failures of it.

use super::classify::{Cause, Failure};
use crate::domain::{Redactor, Secret, SecretRef};
use crate::net::exchange::NoAnswer;
use crate::net::oauth::NoToken;
use crate::platforms::azure;
use crate::platforms::failure::sentence;
use crate::secrets;

/// Reads a secret, which `redactor` learns.
pub(super) async fn read(reference: &SecretRef, redactor: &Redactor) -> Result<Secret, Failure> {
    let secret = secrets::resolve(reference)
        .await
        .map_err(|error| Failure::of(Cause::Unreadable, sentence(&error.to_string())))?;
    redactor.learn(&secret);
    Ok(secret)
}

/// Returns the failure for an answer of the identity provider without a token.
pub(super) fn no_token(none: &NoToken) -> Failure {
    let (class, detail) = (none.class(), none.detail());
    let failure = Failure::from(NoAnswer { class, detail: none.detail() }).because(detail);
    match none {
        _ if azure::is_refusal(none) => failure.caused_by(Cause::EntraRefused(class)),
        NoToken::Refused(_) => failure.caused_by(Cause::ProviderRefused(class)),
        NoToken::Silent(_) => failure,
    }
}
