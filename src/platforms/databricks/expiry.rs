//! Expiry of the credential in use, as far as the workspace shows it to its owner. No result
//! depends on it: it is requested once a day, in one request, after everything else; after a
//! refusal it is unknown.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use aws_lc_rs::digest::{SHA256, digest};
use serde::Deserialize;
use tokio::time::{Instant, timeout_at};

use super::client::{Client, Request};
use super::credentials::Credentials;
use super::reply::{self, text_of};
use super::session::Session;
use crate::domain::{Class, Expiry, ExpiryKind, Redactor, Secret, Timestamp};
use crate::platforms::Seen;

/// Time for which an answer, or a refusal, is kept.
const GOOD_FOR: Duration = Duration::from_hours(24);
/// The longest wait for the answer.
const WAIT_MAX: Duration = Duration::from_secs(5);
/// Longest name of a credential in observations, in characters.
const NAME_MAX: usize = 100;

/// Latest answer about the expiry.
#[derive(Debug, Default)]
pub(super) struct CredentialExpiry(Mutex<Option<Asked>>);

#[derive(Clone, Debug)]
struct Asked {
    at: Timestamp,
    /// Secret of that answer; another secret has another expiry.
    about: Secret,
    end: Option<Expiry>,
}

/// The answer to `GET /api/2.0/token/list`.
#[derive(Debug, Deserialize)]
pub(super) struct Tokens {
    #[serde(default, deserialize_with = "reply::entries")]
    token_infos: Vec<TokenInfo>,
}

#[derive(Debug, Deserialize)]
struct TokenInfo {
    token_id: Option<String>,
    comment: Option<String>,
    /// Milliseconds since 1970; -1 without an end.
    expiry_time: Option<i64>,
}

/// The answer to `GET /api/2.0/accounts/servicePrincipals/{id}/credentials/secrets`.
#[derive(Debug, Deserialize)]
pub(super) struct Secrets {
    #[serde(default, deserialize_with = "reply::entries")]
    secrets: Vec<SecretInfo>,
    next_page_token: Option<String>,
}

#[derive(Debug, Deserialize)]
struct SecretInfo {
    id: Option<String>,
    status: Option<String>,
    expire_time: Option<String>,
}

impl CredentialExpiry {
    /// Returns when the credential of `session` expires, if that is known. The workspace is asked at most
    /// once a day, and not after `end`.
    pub(super) async fn expiry(
        &self,
        credentials: &Credentials,
        client: Client<'_>,
        session: &Session,
        end: Instant,
    ) -> Seen {
        let mut seen = Seen::default();
        let Some(about) = credentials.renewed_by_people(&session.bearer) else { return seen };
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let known = known.filter(|asked| asked.about.expose() == about.expose());
        let asked = match known {
            Some(asked) if client.now.since(asked.at) < GOOD_FOR => asked,
            known => {
                let give_up = end.min(Instant::now() + WAIT_MAX);
                let answer = timeout_at(give_up, asked(credentials, client, session)).await;
                // A workspace that does not answer today may have answered yesterday.
                let found = answer.ok().flatten();
                let found = found.unwrap_or_else(|| known.and_then(|asked| asked.end));
                let asked = Asked { at: client.now, about: about.clone(), end: found };
                *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(asked.clone());
                asked
            }
        };
        if let Some(Expiry { kind, of, at }) = asked.end {
            seen.expires(kind, &of, at);
        }
        seen
    }
}

/// Returns the expiry that the workspace shows; none where it shows none that counts.
async fn asked(
    credentials: &Credentials,
    client: Client<'_>,
    session: &Session,
) -> Option<Option<Expiry>> {
    let bearer = &session.bearer;
    let found = match credentials {
        Credentials::Token(_) => {
            let answer = client.call_once(Request::Tokens, bearer, reply::json::<Tokens>).await;
            answer.map(|tokens| tokens.end(&bearer.token, client.connections.redactor()))
        }
        Credentials::Machine(_) => {
            let id = text_of(&session.me.id)?;
            let request = Request::Secrets { principal: &id };
            let answer = client.call_once(request, bearer, reply::json::<Secrets>).await;
            answer.map(|secrets| secrets.end(client.connections.redactor()))
        }
        Credentials::Entra(_) | Credentials::Managed(_) | Credentials::Federated(_) => {
            return Some(None);
        }
    };
    match found {
        Ok(end) => Some(end),
        Err(failure) if matches!(failure.class, Class::Denied | Class::Missing) => Some(None),
        Err(_passing) => None,
    }
}

impl Tokens {
    /// Returns the expiry of `token`: of the only one there is, or of the one whose id is the
    /// token's SHA-256.
    fn end(&self, token: &Secret, redactor: &Redactor) -> Option<Expiry> {
        let hash = digest(&SHA256, token.expose().as_bytes());
        let digits = hash.as_ref().iter().flat_map(|byte| [byte >> 4, byte & 15]);
        let hash: String =
            digits.filter_map(|digit| char::from_digit(u32::from(digit), 16)).collect();
        let used = self.token_infos.iter().find(|info| info.token_id.as_ref() == Some(&hash));
        let used = used.or(match self.token_infos.as_slice() {
            [only] => Some(only),
            _ => None,
        })?;
        let at = used.expiry_time.filter(|time| 0 < *time)?;
        let name = used.comment.as_ref().filter(|comment| !comment.trim().is_empty());
        let name = name.or(used.token_id.as_ref())?;
        let of = redactor.line(name, NAME_MAX);
        Some(Expiry { kind: ExpiryKind::Token, of, at: Timestamp(at) })
    }
}

impl Secrets {
    /// Returns the expiry of the only active secret: of several, the one in use is unknown.
    fn end(&self, redactor: &Redactor) -> Option<Expiry> {
        if self.next_page_token.as_ref().is_some_and(|token| !token.is_empty()) {
            return None;
        }
        let is_active = |secret: &&SecretInfo| secret.status.as_deref() == Some("ACTIVE");
        let mut active = self.secrets.iter().filter(is_active);
        let (Some(used), None) = (active.next(), active.next()) else { return None };
        let at = used.expire_time.as_ref()?.parse().ok()?;
        let of = redactor.line(used.id.as_ref()?, NAME_MAX);
        Some(Expiry { kind: ExpiryKind::Secret, of, at })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value as Json, json};

    /// Returns name and expiry of an observation.
    fn observed(end: Option<Expiry>) -> Option<(String, String)> {
        end.map(|Expiry { of, at, .. }| (of, at.to_string()))
    }

    #[test]
    fn of_several_tokens_only_the_one_in_use_is_observed() {
        // SHA-256 of `hunter2`.
        let used = "f52fbd32b2b3b86ff88ef6c490628285f482af15ddcb29541f94bcf526a3f6c7";
        let end = 1_800_000_000_000_i64;
        let info = |id: &str, comment: Json, end: Json| json!({ "token_id": id, "comment": comment, "expiry_time": end });
        let at = |name: &str| Some((name.to_owned(), "2027-01-15T08:00:00Z".to_owned()));
        let table = [
            (json!([info("1", json!("ci"), end.into())]), at("ci")),
            (json!([info("1", json!(" "), end.into())]), at("1")),
            (json!([info("1", json!("has hunter2"), end.into())]), at("has [REDACTED]")),
            (json!([info("1", json!(null), json!(-1))]), None),
            (json!([info("1", json!(null), json!(null))]), None),
            (json!([info("1", json!("a"), json!(7)), info("2", json!("b"), json!(8))]), None),
            (json!([info("1", json!("a"), json!(7)), info(used, json!("b"), end.into())]), at("b")),
            (json!([info("1", json!("a"), json!(7)), info(used, json!("b"), json!(-1))]), None),
            (json!([]), None),
        ];
        for (infos, expected) in table {
            let tokens: Tokens = serde_json::from_value(json!({ "token_infos": infos })).unwrap();
            let (token, redactor) = (Secret::new("hunter2".to_owned()), Redactor::default());
            redactor.learn(&token);
            let found = observed(tokens.end(&token, &redactor));
            assert_eq!(found, expected, "{infos}");
        }
    }

    #[test]
    fn of_several_active_secrets_none_is_observed() {
        let end = "2027-01-15T08:00:00Z";
        let info = |id: &str, status: &str, end: Json| json!({ "id": id, "status": status, "expire_time": end });
        let at = |id: &str| Some((id.to_owned(), end.to_owned()));
        let active = info("a", "ACTIVE", end.into());
        let table = [
            (json!({ "secrets": [active] }), at("a")),
            (json!({ "secrets": [info("x", "DELETED", end.into()), active] }), at("a")),
            (json!({ "secrets": [active, info("b", "ACTIVE", end.into())] }), None),
            (json!({ "secrets": [active], "next_page_token": "n" }), None),
            (json!({ "secrets": [active], "next_page_token": "" }), at("a")),
            (json!({ "secrets": [info("a", "ACTIVE", json!(null))] }), None),
            (json!({ "secrets": [info("a", "ACTIVE", json!("soon"))] }), None),
            (json!({}), None),
        ];
        for (body, expected) in table {
            let secrets: Secrets = serde_json::from_value(body.clone()).unwrap();
            assert_eq!(observed(secrets.end(&Redactor::default())), expected, "{body}");
        }
    }
}
