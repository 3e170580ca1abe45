//! Claims of tokens as facts and expiries. They are not verified here: the platform does that, and
//! refuses a token with false claims.

use std::time::Duration;

use crate::domain::{ExpiryKind, FactKind, Secret};
use crate::net::jwt::{self, Claims};
use crate::platforms::Seen;

/// Longest lifetime of a token that a machine renews.
const RENEWED_MAX: Duration = Duration::from_hours(48);

/// Adds issuer, audience, subject and permissions of `token`, if it is a JSON Web Token. Facts are
/// about `name` and the claim; claims that differ from one issue to the next are left out.
pub(super) fn claims(name: &str, token: &Secret, seen: &mut Seen) {
    if let Some(claims) = jwt::claims(token.expose()) {
        facts(name, &claims, seen);
    }
}

/// Adds the same and the expiry of a token that people renew. `of` distinguishes it from the
/// integration's own token, which needs no name.
pub(super) fn claims_and_expiry(name: &str, of: &str, token: &Secret, seen: &mut Seen) {
    let Some(claims) = jwt::claims(token.expose()) else { return };
    facts(name, &claims, seen);
    let Some(expiry) = claims.expires else { return };
    if claims.issued.is_none_or(|begin| RENEWED_MAX < expiry.since(begin)) {
        seen.expires(ExpiryKind::Token, of, expiry);
    }
}

fn facts(name: &str, claims: &Claims, seen: &mut Seen) {
    let Claims { issuer, audiences, subject, client, permissions, .. } = claims;
    let claims = [
        ("issuer", issuer.as_slice()),
        ("audience", audiences),
        ("subject", subject.as_slice()),
        ("client", client.as_slice()),
        ("permissions", permissions),
    ];
    for (claim, values) in claims {
        for value in values {
            seen.fact(FactKind::Claim, &format!("{name} {claim}"), value);
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value as Json, json};

    use super::*;
    use crate::platforms::testing::{lines_of, token_of};

    fn lines(token: &str) -> Vec<String> {
        let mut seen = Seen::default();
        claims_and_expiry("token", "", &Secret::new(token.to_owned()), &mut seen);
        lines_of(seen)
    }

    fn seen(claims: &Json) -> Vec<String> {
        lines(&token_of(claims))
    }

    #[test]
    fn claims_are_facts_by_name_and_value() {
        let found = seen(&json!({
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
        assert_eq!(found, expected);
    }

    #[test]
    fn expiry_is_seen_of_tokens_that_are_renewed_by_hand() {
        let (day, end) = (86_400, 1_800_000_000_i64);
        let table = [
            (json!({ "exp": end }), true),
            (json!({ "exp": end, "iat": end - 3 * day }), true),
            (json!({ "exp": end, "iat": end - day }), false),
            (json!({ "exp": end, "nbf": end - day }), false),
            (json!({ "exp": "soon" }), false),
            (json!({}), false),
        ];
        for (claims, is_seen) in table {
            let found = seen(&claims);
            assert_eq!(!found.is_empty(), is_seen, "{claims} {found:?}");
        }
    }

    #[test]
    fn opaque_token_has_no_claims() {
        for text in ["dapi0123456789", "hunter2.jwt.token", ""] {
            assert!(lines(text).is_empty(), "{text}");
        }
    }
}
