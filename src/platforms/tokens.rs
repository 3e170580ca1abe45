//! Claims of tokens, observed as facts and expiries. They are not verified here: the platform does
//! that, and refuses a token with false claims.

use std::time::Duration;

use crate::domain::{ExpiryKind, FactKind, Secret};
use crate::net::jwt::{self, Claims};
use crate::net::observe;

/// Longest lifetime of a token that a machine renews.
const RENEWED_MAX: Duration = Duration::from_hours(48);

/// Observes issuer, audience, subject and permissions of `token`, if it is a JSON Web Token. Facts are
/// about `name` and the claim; claims that differ from one issue to the next are left out.
pub(super) fn observe(name: &str, token: &Secret) {
    if let Some(claims) = jwt::claims(token.expose()) {
        facts(name, &claims);
    }
}

/// Observes the same and the expiry of a token that people renew. `of` distinguishes it from the
/// integration's own token, which needs no name.
pub(super) fn observe_given(name: &str, of: &str, token: &Secret) {
    let Some(claims) = jwt::claims(token.expose()) else { return };
    facts(name, &claims);
    let Some(expiry) = claims.expires else { return };
    if claims.issued.is_none_or(|begin| RENEWED_MAX < expiry.since(begin)) {
        observe::expires(ExpiryKind::Token, of, expiry);
    }
}

fn facts(name: &str, Claims { issuer, audiences, subject, client, permissions, .. }: &Claims) {
    let claims = [
        ("issuer", issuer.as_slice()),
        ("audience", audiences),
        ("subject", subject.as_slice()),
        ("client", client.as_slice()),
        ("permissions", permissions),
    ];
    for (claim, values) in claims {
        for value in values {
            observe::fact(FactKind::Claim, &format!("{name} {claim}"), value);
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value as Json, json};

    use super::*;
    use crate::platforms::testing::{token_of, told};

    async fn seen(claims: Json) -> Vec<String> {
        let token = Secret::new(token_of(&claims));
        told(async || observe_given("token", "", &token)).await
    }

    #[tokio::test]
    async fn claims_are_observed_by_name_and_value() {
        let found = seen(json!({
            "iss": "https://sts.example.com", "aud": ["b", "a"], "scope": "read write", "sub": "me",
            "azp": "app", "jti": "hunter2", "exp": 1_800_000_000_i64, "iat": 1_700_000_000_i64,
        }));
        let expected = [
            "claim [token audience] a",
            "claim [token audience] b",
            "claim [token client] app",
            "claim [token issuer] https://sts.example.com",
            "claim [token permissions] read",
            "claim [token permissions] write",
            "claim [token subject] me",
            "token [] ends 2027-01-15T08:00:00Z",
        ];
        assert_eq!(found.await, expected);
    }

    #[tokio::test]
    async fn expiry_is_observed_of_a_token_that_people_renew() {
        let (day, end) = (86_400, 1_800_000_000_i64);
        let table = [
            (json!({ "exp": end }), true),
            (json!({ "exp": end, "iat": end - 3 * day }), true),
            (json!({ "exp": end, "iat": end - day }), false),
            (json!({ "exp": end, "nbf": end - day }), false),
            (json!({ "exp": "soon" }), false),
            (json!({}), false),
        ];
        for (claims, is_observed) in table {
            let found = seen(claims.clone()).await;
            assert_eq!(!found.is_empty(), is_observed, "{claims} {found:?}");
        }
    }

    #[tokio::test]
    async fn other_text_has_no_claims() {
        for text in ["dapi0123456789", "hunter2.jwt.token", ""] {
            let token = Secret::new(text.to_owned());
            assert!(told(async || observe_given("token", "", &token)).await.is_empty(), "{text}");
        }
    }
}
