//! Subject token of a machine on AWS: a signed request that names its caller, which Google sends on.
//!
//! The request is signed as Signature Version 4 asks, and written as `google-auth` writes it
//! (`google/auth/aws.py`).

use std::time::Duration;

use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::hmac;
use reqwest::Url;
use serde::Deserialize;
use serde_json::json;

use super::classify::Failure;
use super::near::{BODY_MAX, near_answer};
use super::source::{AwsSource, REGION};
use crate::domain::{Class, Secret, SecretRef, Timestamp};
use crate::net::backoff::retry;
use crate::net::exchange::{NoAnswer, percent_encoded, request};
use crate::net::http::Connections;
use crate::secrets;

/// Lifetime of a token for the metadata service.
const SESSION_LIFE: Duration = Duration::from_mins(5);
/// Name of the source in messages.
const WHO: &str = "The identity of AWS";

/// Key of a machine's role, as the metadata service answers.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Key {
    access_key_id: String,
    #[serde(rename = "SecretAccessKey")]
    secret: String,
    token: Option<String>,
}

/// Proof of the identity of a machine on AWS.
#[derive(Debug)]
pub(super) struct Subject {
    /// Signed request, which is the subject token.
    pub(super) request: Secret,
    /// Secret and token of the key that signed it.
    pub(super) key: [Secret; 2],
}

/// Returns the subject token for `audience`: the signed request.
///
/// # Errors
///
/// Says what of the machine's identity cannot be had.
pub(super) async fn subject(
    source: &AwsSource,
    audience: &str,
    near: &Connections,
    now: Timestamp,
) -> Result<Subject, Failure> {
    let asking = Asking { near, session: session(source, near).await? };
    let region = match (
        environment("AWS_REGION").or_else(|| environment("AWS_DEFAULT_REGION")),
        &source.region,
    ) {
        (Some(region), _) => region,
        (None, Some(url)) => region_of(&asking.get(url).await?)?,
        (None, None) => return Err(local("there is no region: set AWS_REGION")),
    };
    let key = match (environment_key(), &source.credentials) {
        (Some(key), _) => key,
        (None, Some(url)) => asking.role_key(url).await?,
        (None, None) => return Err(local("there is no key: set AWS_ACCESS_KEY_ID")),
    };
    near.redactor().learn_text(&key.secret);
    near.redactor().learn_text(key.token.as_deref().unwrap_or_default());
    let url = source.verification.replace(REGION, &region);
    let url = Url::parse(&url).map_err(|_shown| local("its region is none"))?;
    let signed = Signed { url: &url, region: &region, audience, now };
    let request = Secret::new(percent_encoded(&signed.by(&key).to_string()));
    let Key { secret, token, .. } = key;
    let key = [secret, token.unwrap_or_default()].map(Secret::new);
    Ok(Subject { request, key })
}

fn local(reason: &str) -> Failure {
    Failure::silent(Class::Local, format!("{WHO}: {reason}"))
}

/// Returns an environment variable that is set and not empty.
fn environment(name: &str) -> Option<String> {
    let found = secrets::resolve_now(&SecretRef::Env(name.to_owned())).ok()?;
    Some(found.expose().to_owned())
}

fn environment_key() -> Option<Key> {
    Some(Key {
        access_key_id: environment("AWS_ACCESS_KEY_ID")?,
        secret: environment("AWS_SECRET_ACCESS_KEY")?,
        token: environment("AWS_SESSION_TOKEN"),
    })
}

/// Returns the region of an availability zone, whose last letter is the zone's.
fn region_of(zone: &str) -> Result<String, Failure> {
    let zone = zone.trim();
    let region = zone.trim_end_matches(|c: char| c.is_ascii_lowercase());
    let is_word = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    if region.is_empty() || !region.chars().all(is_word) || 64 < zone.len() {
        return Err(local("the metadata service names no region"));
    }
    Ok(region.to_owned())
}

/// Returns a token for the metadata service, where it asks for one.
async fn session(source: &AwsSource, near: &Connections) -> Result<Option<Secret>, Failure> {
    let Some(url) = &source.session_token else { return Ok(None) };
    let life = SESSION_LIFE.as_secs().to_string();
    let asked =
        http::Request::put(url.as_str()).header("x-aws-ec2-metadata-token-ttl-seconds", life);
    let text = fetched(near, asked).await?;
    near.redactor().learn_text(&text);
    Ok(Some(Secret::new(text)))
}

async fn fetched(near: &Connections, asked: http::request::Builder) -> Result<String, Failure> {
    let (parts, ()) = asked
        .body(())
        .map_err(|_shown| local("an address of the metadata service cannot be requested"))?
        .into_parts();
    let answer = retry(|| async {
        let built = request(Ok(http::Request::from_parts(parts.clone(), Vec::new())))?;
        let answer = near.fetch(built, BODY_MAX).await;
        let answer = answer.map_err(|NoAnswer { detail, .. }| local(&detail))?;
        near_answer(answer, WHO)
    });
    Ok(String::from_utf8(answer.await?.body).unwrap_or_default())
}

/// Way to the metadata service.
struct Asking<'a> {
    near: &'a Connections,
    session: Option<Secret>,
}

impl Asking<'_> {
    async fn get(&self, url: &Url) -> Result<String, Failure> {
        let mut asked = http::Request::get(url.as_str());
        if let Some(session) = &self.session {
            asked = asked.header("x-aws-ec2-metadata-token", session.expose());
        }
        fetched(self.near, asked).await
    }

    /// Returns the key of the machine's role, whose name the service gives first.
    async fn role_key(&self, url: &Url) -> Result<Key, Failure> {
        let role = self.get(url).await?;
        let role = role.lines().next().unwrap_or_default().trim();
        if role.is_empty() {
            return Err(local("the instance has no role: attach an instance profile"));
        }
        let below = format!("{}/{}", url.as_str().trim_end_matches('/'), percent_encoded(role));
        let below = Url::parse(&below).map_err(|_shown| local("the role has no usable name"))?;
        let text = self.get(&below).await?;
        // The library's words could show a part of the key.
        serde_json::from_str(&text).map_err(|_shown| local("the metadata service gives no key"))
    }
}

/// Request that is signed.
struct Signed<'a> {
    url: &'a Url,
    region: &'a str,
    audience: &'a str,
    now: Timestamp,
}

impl Signed<'_> {
    /// Returns the request as JSON, with its signature by `key`.
    fn by(&self, key: &Key) -> serde_json::Value {
        let host = self.url.host_str().unwrap_or_default();
        // 2026-11-22T21:00:00Z as 20261122T210000Z.
        let seconds = Timestamp(self.now.unix_seconds().saturating_mul(1000)).to_string();
        let date: String = seconds.chars().filter(|c| !matches!(c, '-' | ':')).collect();
        let mut headers = vec![("host", host), ("x-amz-date", date.as_str())];
        headers.extend(key.token.as_deref().map(|token| ("x-amz-security-token", token)));
        headers.push(("x-goog-cloud-target-resource", self.audience));
        let authorization = authorization(self.url, self.region, &headers, key);
        let first = ("Authorization", authorization.as_str());
        let headers: Vec<_> = std::iter::once(first)
            .chain(headers.iter().copied())
            .map(|(key, value)| json!({ "key": key, "value": value }))
            .collect();
        let url = format!("https://{host}?{}", self.url.query().unwrap_or_default());
        json!({ "url": url, "method": "POST", "headers": headers })
    }
}

/// Returns the header `Authorization` of a POST without a body. `headers` are sorted by name.
fn authorization(url: &Url, region: &str, headers: &[(&str, &str)], key: &Key) -> String {
    let names = headers.iter().map(|(name, _)| *name).collect::<Vec<_>>().join(";");
    let lines: Vec<_> = headers.iter().map(|(name, value)| format!("{name}:{value}\n")).collect();
    let lines = lines.concat();
    let query = url.query().unwrap_or_default();
    let empty = hex(digest(&SHA256, b"").as_ref());
    let canonical = format!("POST\n/\n{query}\n{lines}\n{names}\n{empty}");
    let date = headers.iter().find(|(name, _)| *name == "x-amz-date").map_or("", |(_, date)| *date);
    let day = date.split('T').next().unwrap_or_default();
    let scope = format!("{day}/{region}/sts/aws4_request");
    let hashed = hex(digest(&SHA256, canonical.as_bytes()).as_ref());
    let text = format!("AWS4-HMAC-SHA256\n{date}\n{scope}\n{hashed}");
    let start = format!("AWS4{}", key.secret).into_bytes();
    let parts = [day, region, "sts", "aws4_request", &text];
    let signature = parts.iter().fold(start, |with, part| mac(&with, part));
    format!(
        "AWS4-HMAC-SHA256 Credential={}/{scope}, SignedHeaders={names}, Signature={}",
        key.access_key_id,
        hex(&signature)
    )
}

fn mac(key: &[u8], text: &str) -> Vec<u8> {
    let key = hmac::Key::new(hmac::HMAC_SHA256, key);
    hmac::sign(&key, text.as_bytes()).as_ref().to_vec()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect::<Vec<_>>().concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The signature was made with botocore (`SigV4Auth`) for the same key, date and headers.
    #[test]
    fn request_is_signed_as_botocore_signs_it() {
        let vectors = include_str!("testcases/aws-signature.txt");
        let mut lines = vectors.lines().filter(|line| !line.starts_with('#'));
        let mut next = || lines.next().unwrap();
        let (url, region, now) = (next().parse().unwrap(), next(), next().parse().unwrap());
        let key = Key {
            access_key_id: next().to_owned(),
            secret: next().to_owned(),
            token: Some(next().to_owned()),
        };
        let audience = next();
        let signed = Signed { url: &url, region, audience, now }.by(&key);
        assert_eq!(signed["headers"][0]["value"], next());
        assert_eq!(signed["url"], url.as_str().replace("com/?", "com?"));
        let names: Vec<_> =
            signed["headers"].as_array().unwrap().iter().map(|header| &header["key"]).collect();
        let expected = [
            "Authorization",
            "host",
            "x-amz-date",
            "x-amz-security-token",
            "x-goog-cloud-target-resource",
        ];
        assert_eq!(names, expected);
    }

    #[test]
    fn region_is_the_zone_without_its_letter() {
        assert_eq!(region_of("eu-central-1a\n").unwrap(), "eu-central-1");
        assert_eq!(region_of("us-west-2").unwrap(), "us-west-2");
        for zone in ["", "a", "<html>", "EU-1"] {
            assert!(region_of(zone).is_err(), "{zone}");
        }
    }
}
