//! Signed, read-only requests to AWS: the five that [`Request`] can spell, and no others.

use std::time::Duration;

use http::header::{HOST, RETRY_AFTER};
use http::{HeaderMap, Method};
use reqsign_aws_v4::{Credential, EMPTY_STRING_SHA256, RequestSigner};
use reqsign_core::{Context, SignRequest};

use super::classify::{Failure, Refusal};
use super::endpoint::Endpoints;
use super::reply::{Element, ReplyError};
use crate::domain::{Class, REDACTED, one_line};
use crate::net::http::{BodyError, Connections, classify, read_capped};

/// The largest answer that is read, in bytes; a full page of locations has about 400 KiB.
const BODY_MAX: usize = 1024 * 1024;
/// The longest piece of AWS's words that is kept, in characters.
const WORDS_MAX: usize = 500;
/// Waits before the second and the third attempt of a call that may go better.
const BACKOFF: [Duration; 2] = [Duration::from_millis(300), Duration::from_secs(1)];
/// The longest wait that a server can ask for within a run; one that asks for more is left alone.
const HINT_MAX: Duration = Duration::from_secs(5);
/// Names and ids in answers that have none.
const NONE: &str = "none";

/// What an assumed role may do for us, whatever else it is allowed: a hard promise to only read.
pub(super) const SESSION_POLICY: &str = concat!(
    r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["s3:ListBucket","#,
    r#""s3:GetAccessGrantsInstance","s3:ListAccessGrantsLocations"],"Resource":"*"}]}"#
);

/// Every request this platform sends. All are GET, and none of them changes anything.
#[derive(Clone, Copy, Debug)]
pub(super) enum Request<'a> {
    /// Whose credentials are these?
    GetCallerIdentity,
    /// Temporary credentials of a role, cut down to [`SESSION_POLICY`].
    AssumeRole {
        /// Its ARN.
        role: &'a str,
        /// How the session is called in the account's log.
        session: &'a str,
        /// What the trust policy may ask for.
        external_id: Option<&'a str>,
    },
    /// Is there an Access Grants instance?
    GetAccessGrantsInstance,
    /// Which locations are registered?
    ListAccessGrantsLocations {
        /// Where the page begins.
        next: Option<&'a str>,
    },
    /// Is there anything below the prefix?
    ListObjectsV2 {
        /// In this bucket.
        bucket: &'a str,
        /// Key prefix, possibly empty.
        prefix: &'a str,
    },
}

impl Request<'_> {
    const fn signing_name(&self) -> &'static str {
        match self {
            Self::GetCallerIdentity | Self::AssumeRole { .. } => "sts",
            Self::GetAccessGrantsInstance
            | Self::ListAccessGrantsLocations { .. }
            | Self::ListObjectsV2 { .. } => "s3",
        }
    }

    fn url(&self, endpoints: &Endpoints) -> String {
        match self {
            Self::GetCallerIdentity => {
                let query = [("Action", "GetCallerIdentity"), ("Version", "2011-06-15")];
                with_query(&format!("{}/", endpoints.sts()), &query)
            }
            Self::AssumeRole { role, session, external_id } => {
                let mut query = vec![
                    ("Action", "AssumeRole"),
                    ("Version", "2011-06-15"),
                    ("RoleArn", role),
                    ("RoleSessionName", session),
                    ("DurationSeconds", "900"),
                    ("Policy", SESSION_POLICY),
                ];
                query.extend(external_id.map(|id| ("ExternalId", id)));
                with_query(&format!("{}/", endpoints.sts()), &query)
            }
            Self::GetAccessGrantsInstance => {
                format!("{}/v20180820/accessgrantsinstance", endpoints.s3_control())
            }
            Self::ListAccessGrantsLocations { next } => {
                let path = "/v20180820/accessgrantsinstance/locations";
                let mut query = vec![("maxResults", "1000")];
                query.extend(next.map(|token| ("nextToken", token)));
                with_query(&format!("{}{path}", endpoints.s3_control()), &query)
            }
            Self::ListObjectsV2 { bucket, prefix } => {
                let query = [
                    ("list-type", "2"),
                    ("prefix", prefix),
                    ("delimiter", "/"),
                    ("max-keys", "1"),
                    ("encoding-type", "url"),
                ];
                with_query(&endpoints.bucket(bucket), &query)
            }
        }
    }
}

/// Sends requests for one account in one region.
#[derive(Debug)]
pub(super) struct Client {
    http: Connections,
    endpoints: Endpoints,
    region: String,
    account: String,
}

impl Client {
    /// Sends over `http` to `endpoints`.
    pub(super) fn new(
        http: Connections,
        endpoints: Endpoints,
        region: String,
        account: String,
    ) -> Self {
        Self { http, endpoints, region, account }
    }

    /// Sends `request`, signed with `credential`, and reads the answer with `read`. What may go
    /// better is tried three times.
    ///
    /// # Errors
    ///
    /// Says what AWS said, or why there is no answer of its.
    pub(super) async fn call<T>(
        &self,
        request: Request<'_>,
        credential: &Credential,
        read: fn(&Element) -> Result<T, ReplyError>,
    ) -> Result<T, Failure> {
        let mut waits = BACKOFF.into_iter();
        loop {
            let (failure, hint) = match self.attempt(request, credential, read).await {
                Ok(value) => return Ok(value),
                Err(failed) => failed,
            };
            let wait =
                waits.next().map(|wait| hint.unwrap_or(wait)).filter(|wait| *wait <= HINT_MAX);
            match wait {
                Some(wait) if failure.is_transient() => tokio::time::sleep(wait).await,
                Some(_) | None => return Err(failure),
            }
        }
    }

    /// One attempt; a failure comes with the wait that the server asked for.
    async fn attempt<T>(
        &self,
        request: Request<'_>,
        credential: &Credential,
        read: fn(&Element) -> Result<T, ReplyError>,
    ) -> Result<T, (Failure, Option<Duration>)> {
        let signed = self.sign(request, credential).await.map_err(|failure| (failure, None))?;
        let sent = self.http.execute(signed).await.map_err(|error| (unsent(&error), None))?;
        let (status, headers) = (sent.status().as_u16(), sent.headers().clone());
        let body = read_capped(sent, BODY_MAX).await.map_err(|error| match error {
            BodyError::TooLarge(_) => {
                (Failure::unexpected(status, &error, request_id(&headers, None)), None)
            }
            BodyError::Cut(error) => (unsent(&error), None),
        })?;
        let root = Element::parse(&body);
        let failure = match (status, root) {
            (200..=299, root) => match root.and_then(|root| read(&root)) {
                Ok(value) => return Ok(value),
                Err(error) => Failure::unexpected(status, &error, request_id(&headers, None)),
            },
            (_, Ok(root)) if root.first("Code").is_some() => {
                Failure::refused(refusal(status, &headers, &root, credential))
            }
            (_, Ok(_)) => {
                Failure::unexpected(status, &"no error code in it", request_id(&headers, None))
            }
            (_, Err(error)) => Failure::unexpected(status, &error, request_id(&headers, None)),
        };
        Err((failure, hint(&headers)))
    }

    async fn sign(
        &self,
        request: Request<'_>,
        credential: &Credential,
    ) -> Result<reqwest::Request, Failure> {
        let fault = |text: String| {
            let detail = one_line(&text, WORDS_MAX);
            Failure::silent(Class::Ours, format!("the request cannot be signed: {detail}"))
        };
        let service = request.signing_name();
        let built = http::Request::builder()
            .method(Method::GET)
            .uri(request.url(&self.endpoints))
            .header("x-amz-content-sha256", EMPTY_STRING_SHA256);
        let built = match request {
            Request::GetAccessGrantsInstance | Request::ListAccessGrantsLocations { .. } => {
                built.header("x-amz-account-id", &self.account)
            }
            Request::GetCallerIdentity
            | Request::AssumeRole { .. }
            | Request::ListObjectsV2 { .. } => built,
        };
        let (mut parts, body) =
            built.body("").map_err(|error| fault(error.to_string()))?.into_parts();
        RequestSigner::new(service, &self.region)
            .sign_request(&Context::new(), &mut parts, Some(credential), None)
            .await
            .map_err(|error| fault(error.to_string()))?;
        // The client writes the same host itself, and HTTP/2 has another place for it.
        parts.headers.remove(HOST);
        let signed = http::Request::from_parts(parts, body);
        signed.try_into().map_err(|error: reqwest::Error| unsent(&error))
    }
}

fn unsent(error: &reqwest::Error) -> Failure {
    let (class, detail) = classify(error);
    Failure::silent(class, detail)
}

/// The wait that the server asks for; one given as a date counts as none.
fn hint(headers: &HeaderMap) -> Option<Duration> {
    headers.get(RETRY_AFTER)?.to_str().ok()?.trim().parse().ok().map(Duration::from_secs)
}

fn refusal(status: u16, headers: &HeaderMap, root: &Element, credential: &Credential) -> Refusal {
    let words = |name| root.first(name).map(|text| clean(text, credential));
    let header = header(headers, "x-amz-bucket-region");
    Refusal {
        status,
        name: words("Code").unwrap_or_else(|| NONE.to_owned()),
        message: words("Message").unwrap_or_else(|| NONE.to_owned()),
        request_id: request_id(headers, Some(root)),
        region: header.or_else(|| words("Region")),
    }
}

/// AWS's words in one line, without what the request was signed with, should they repeat it.
fn clean(text: &str, credential: &Credential) -> String {
    let Credential { access_key_id, secret_access_key, session_token, .. } = credential;
    let token = session_token.as_deref().unwrap_or_default();
    let mut text = text.replace(access_key_id, &shown_key(access_key_id));
    for secret in [secret_access_key.as_str(), token] {
        if !secret.is_empty() {
            text = text.replace(secret, REDACTED);
        }
    }
    one_line(&text, WORDS_MAX)
}

/// An access key id as it may be shown: its last four characters.
pub(super) fn shown_key(id: &str) -> String {
    let tail = id.char_indices().rev().nth(3).and_then(|(at, _)| id.get(at..)).unwrap_or_default();
    format!("…{tail}")
}

fn request_id(headers: &HeaderMap, root: Option<&Element>) -> String {
    let found =
        ["x-amz-request-id", "x-amzn-requestid"].iter().find_map(|name| header(headers, name));
    let written = || {
        let root = root?;
        root.first("RequestId")
            .or_else(|| root.first("RequestID"))
            .map(|id| one_line(id, WORDS_MAX))
    };
    found.or_else(written).unwrap_or_else(|| NONE.to_owned())
}

fn header(headers: &HeaderMap, name: &str) -> Option<String> {
    headers.get(name)?.to_str().ok().map(|value| one_line(value, WORDS_MAX))
}

fn with_query(base: &str, query: &[(&str, &str)]) -> String {
    let pairs: Vec<_> =
        query.iter().map(|(key, value)| format!("{key}={}", percent_encoded(value))).collect();
    format!("{base}?{}", pairs.join("&"))
}

/// RFC 3986 with nothing reserved left as it is, which is what signatures are computed over.
pub(super) fn percent_encoded(text: &str) -> String {
    let one = |byte: u8| match byte {
        b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
            char::from(byte).to_string()
        }
        _ => format!("%{byte:02X}"),
    };
    text.bytes().map(one).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_shown_by_their_tail_and_secrets_not_at_all() {
        let credential = Credential {
            access_key_id: "AKIAIOSFODNN7EXAMPLE".to_owned(),
            secret_access_key: "hunter2/hunter2".to_owned(),
            session_token: Some("token==".to_owned()),
            expires_in: None,
        };
        let echoed = "No AKIAIOSFODNN7EXAMPLE\r\n\u{7}hunter2/hunter2 token== here";
        assert_eq!(clean(echoed, &credential), "No …MPLE [REDACTED] [REDACTED] here");
        assert_eq!(clean(&"x".repeat(600), &credential).chars().count(), WORDS_MAX);
        assert_eq!(shown_key("AK"), "…");
    }

    #[test]
    fn queries_leave_nothing_reserved() {
        assert_eq!(percent_encoded("a b/ü*:+=&~"), "a%20b%2F%C3%BC%2A%3A%2B%3D%26~");
    }

    #[test]
    fn the_session_policy_is_json_that_only_reads() {
        let policy: serde_json::Value = serde_json::from_str(SESSION_POLICY).unwrap();
        for action in policy["Statement"][0]["Action"].as_array().unwrap() {
            let action = action.as_str().unwrap();
            assert!(action.starts_with("s3:List") || action.starts_with("s3:Get"), "{action}");
            assert!(!action.contains("DataAccess") && !action.contains('*'), "{action}");
        }
    }
}
