//! What tokens say of themselves, told as facts and ends. Nobody verifies it here: that is for the
//! platform, and a token that lies about itself is refused there.

use std::time::Duration;

use crate::domain::{ExpiryKind, FactKind, Secret};
use crate::net::jwt::{self, Claims};
use crate::net::observe;

/// What lives no longer than this is renewed by a machine.
const RENEWED_MAX: Duration = Duration::from_hours(48);

/// Tells who `token` is of and for, and what it allows, if it is a JSON Web Token. Facts are about
/// `name` and the claim; what differs from one issue to the next is left out.
pub(super) fn tell(name: &str, token: &Secret) {
    if let Some(claims) = jwt::claims(token.expose()) {
        facts(name, &claims);
    }
}

/// Like [`tell`], with its end: for one that somebody made and must renew. `of` tells it from the
/// integration's own one, which needs no name.
pub(super) fn tell_given(name: &str, of: &str, token: &Secret) {
    let Some(claims) = jwt::claims(token.expose()) else { return };
    facts(name, &claims);
    let Some(end) = claims.expires else { return };
    if claims.issued.is_none_or(|begin| RENEWED_MAX < end.since(begin)) {
        observe::expires(ExpiryKind::Token, of, end);
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
        told(async || tell_given("token", "", &token)).await
    }

    #[tokio::test]
    async fn claims_are_told_by_name_and_value() {
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
    async fn the_end_is_told_of_what_somebody_renews() {
        let (day, end) = (86_400, 1_800_000_000_i64);
        let table = [
            (json!({ "exp": end }), true),
            (json!({ "exp": end, "iat": end - 3 * day }), true),
            (json!({ "exp": end, "iat": end - day }), false),
            (json!({ "exp": end, "nbf": end - day }), false),
            (json!({ "exp": "soon" }), false),
            (json!({}), false),
        ];
        for (claims, is_told) in table {
            let found = seen(claims.clone()).await;
            assert_eq!(!found.is_empty(), is_told, "{claims} {found:?}");
        }
    }

    #[tokio::test]
    async fn what_is_no_such_token_says_nothing() {
        for text in ["dapi0123456789", "hunter2.jwt.token", ""] {
            let token = Secret::new(text.to_owned());
            assert!(told(async || tell_given("token", "", &token)).await.is_empty(), "{text}");
        }
    }
}
