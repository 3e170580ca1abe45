//! Answers with a body: conditional, compressed where it is worth it, bounded in what they cost.

use std::io::Write as _;

use aws_lc_rs::digest::{SHA256, digest};
use axum::body::Body;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use flate2::Compression;
use flate2::write::GzEncoder;

/// Content type of JSON.
pub(crate) const JSON: &str = "application/json; charset=utf-8";
/// Bytes from which a body is compressed.
const GZIP_MIN: usize = 1024;
/// Answers may be kept by the caller alone, and are asked for again each time.
const REVALIDATE: &str = "private, no-cache";

/// Body of an answer, with its kind.
#[derive(Clone, Debug)]
pub(crate) struct Answer {
    status: StatusCode,
    content_type: &'static str,
    body: Vec<u8>,
    headers: HeaderMap,
    /// True for an answer that changes without a commit.
    is_live: bool,
}

impl Answer {
    /// Answer of this kind.
    pub(crate) fn new(content_type: &'static str, body: impl Into<Vec<u8>>) -> Self {
        let headers = HeaderMap::new();
        Self { status: StatusCode::OK, content_type, body: body.into(), headers, is_live: false }
    }

    /// Answer with a value as JSON; none when it has keys that are no text.
    pub(crate) fn json(value: &impl serde::Serialize) -> Option<Self> {
        Some(Self::new(JSON, serde_json::to_vec(value).ok()?))
    }

    /// Gives the answer another status.
    #[must_use]
    pub(crate) const fn with_status(mut self, status: StatusCode) -> Self {
        self.status = status;
        self
    }

    /// Adds a header; one that cannot be written is left out.
    #[must_use]
    pub(crate) fn with_header(mut self, name: header::HeaderName, value: &str) -> Self {
        if let Ok(value) = HeaderValue::from_str(value) {
            self.headers.insert(name, value);
        }
        self
    }

    /// Marks an answer that changes without a commit, so that its tag is not remembered.
    #[must_use]
    pub(crate) const fn live(mut self) -> Self {
        self.is_live = true;
        self
    }

    /// Returns true for an answer that is the same while nothing is committed.
    pub(crate) fn is_kept(&self) -> bool {
        self.status == StatusCode::OK && !self.is_live
    }

    /// Returns the tag of the body: a strong one, the hash of its bytes before compression.
    pub(crate) fn tag(&self) -> String {
        tag(&self.body)
    }

    /// Makes the answer to a request with these headers: 304 when the caller has this body already,
    /// compressed when it takes that.
    pub(crate) fn response(self, request: &HeaderMap) -> Response {
        let Self { status, content_type, body, headers, is_live: _ } = self;
        let tag = tag(&body);
        let same = (status == StatusCode::OK).then(|| unchanged(request, &tag)).flatten();
        let mut response = if let Some(same) = same {
            same
        } else {
            let packed = if takes_gzip(request) { gzip(&body) } else { None };
            let is_packed = packed.is_some();
            let body = Body::from(packed.unwrap_or(body));
            let mut response = (status, body).into_response();
            let kind = HeaderValue::from_static(content_type);
            response.headers_mut().insert(header::CONTENT_TYPE, kind);
            if is_packed {
                let gzip = HeaderValue::from_static("gzip");
                response.headers_mut().insert(header::CONTENT_ENCODING, gzip);
            }
            response
        };
        describe(response.headers_mut(), &tag);
        response.headers_mut().extend(headers);
        response
    }
}

/// Returns the answer to a caller that says it has the body of `tag`; none when it does not.
pub(crate) fn unchanged(request: &HeaderMap, tag: &str) -> Option<Response> {
    has(request, tag).then(|| {
        let mut response = StatusCode::NOT_MODIFIED.into_response();
        describe(response.headers_mut(), tag);
        response
    })
}

/// Adds the headers that an answer and its repetition have in common.
pub(super) fn describe(headers: &mut HeaderMap, tag: &str) {
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static(REVALIDATE));
    headers.insert(header::VARY, HeaderValue::from_static("Accept-Encoding, Authorization"));
    if let Ok(tag) = HeaderValue::from_str(tag) {
        headers.insert(header::ETAG, tag);
    }
}

/// Returns the tag of a body, quoted.
fn tag(body: &[u8]) -> String {
    tag_of(digest(&SHA256, body).as_ref())
}

/// Returns the tag of a body with this hash, quoted.
pub(super) fn tag_of(hash: &[u8]) -> String {
    let short = hash.get(..16).unwrap_or_default();
    format!("\"{}\"", BASE64_URL_SAFE_NO_PAD.encode(short))
}

/// Returns true when the caller says that it has the body of `tag`.
fn has(request: &HeaderMap, tag: &str) -> bool {
    names(request, &header::IF_NONE_MATCH, tag)
}

/// Returns true when the caller acts on the body of `tag`, or on any: without `If-Match` it does.
pub(crate) fn matches(request: &HeaderMap, tag: &str) -> bool {
    !request.contains_key(header::IF_MATCH) || names(request, &header::IF_MATCH, tag)
}

/// Returns true when one of the tags in a header is `tag`; a weak one is compared as a strong one.
fn names(request: &HeaderMap, name: &header::HeaderName, tag: &str) -> bool {
    let values = request.get_all(name).into_iter().filter_map(|value| value.to_str().ok());
    let mut tags = values.flat_map(|value| value.split(',')).map(str::trim);
    tags.any(|one| one == "*" || one.strip_prefix("W/").unwrap_or(one) == tag)
}

/// Returns true when the caller takes gzip.
pub(super) fn takes_gzip(request: &HeaderMap) -> bool {
    let values = request.get_all(header::ACCEPT_ENCODING).into_iter();
    let mut codings =
        values.filter_map(|value| value.to_str().ok()).flat_map(|value| value.split(','));
    codings.any(|coding| {
        let (name, parameters) = coding.split_once(';').unwrap_or((coding, ""));
        let is_refused =
            parameters.replace(' ', "").trim_start_matches("q=").parse() == Ok(0.0_f32);
        matches!(name.trim(), "gzip" | "*") && !is_refused
    })
}

/// Returns a body compressed; none when it is small or does not shrink.
fn gzip(body: &[u8]) -> Option<Vec<u8>> {
    if body.len() < GZIP_MIN {
        return None;
    }
    let mut encoder = GzEncoder::new(Vec::with_capacity(body.len() / 4), Compression::fast());
    encoder.write_all(body).ok()?;
    encoder.finish().ok().filter(|packed| packed.len() < body.len())
}

#[cfg(test)]
mod tests {
    use std::io::Read as _;

    use axum::body::to_bytes;
    use flate2::read::GzDecoder;

    use super::*;

    fn headers(pairs: &[(header::HeaderName, &str)]) -> HeaderMap {
        pairs.iter().map(|(name, value)| (name.clone(), value.parse().unwrap())).collect()
    }

    #[tokio::test]
    async fn caller_that_has_the_body_gets_none() {
        let answer = Answer::new("text/plain", "a");
        let tag = answer.tag();
        let weak = format!("\"x\", W/{tag}");
        for (given, expected) in [(&*tag, 304), (&*weak, 304), ("*", 304), ("\"x\"", 200)] {
            let request = headers(&[(header::IF_NONE_MATCH, given)]);
            let response = answer.clone().response(&request);
            assert_eq!(response.status(), expected, "{given}");
            assert_eq!(response.headers()[header::ETAG], *tag);
            let body = to_bytes(response.into_body(), 10).await.unwrap();
            assert_eq!(body.is_empty(), expected == 304);
        }
        assert_ne!(tag, Answer::new("text/plain", "b").tag());
    }

    #[test]
    fn action_may_depend_on_the_body_that_was_read() {
        let tag = tag(b"a");
        let named = |value| headers(&[(header::IF_MATCH, value)]);
        assert!(matches(&HeaderMap::new(), &tag) && matches(&named(&tag), &tag));
        assert!(matches(&named("*"), &tag) && !matches(&named("\"x\""), &tag));
    }

    #[tokio::test]
    async fn long_bodies_are_compressed_for_those_who_take_it() {
        let long = "integration ".repeat(1000);
        let table = [
            ("gzip", true),
            ("br, gzip;q=0.5", true),
            ("*", true),
            ("gzip;q=0", false),
            ("gzip; q=0.0", false),
            ("br", false),
        ];
        for (accepted, expected) in table {
            let request = headers(&[(header::ACCEPT_ENCODING, accepted)]);
            let response = Answer::new("text/plain", &*long).response(&request);
            let is_packed = response.headers().contains_key(header::CONTENT_ENCODING);
            assert_eq!(is_packed, expected, "{accepted}");
            let body = to_bytes(response.into_body(), 100_000).await.unwrap();
            let mut text = String::new();
            if is_packed {
                assert!(body.len() < long.len() / 10);
                GzDecoder::new(&*body).read_to_string(&mut text).unwrap();
            } else {
                text = String::from_utf8(body.to_vec()).unwrap();
            }
            assert_eq!(text, long);
        }
        let request = headers(&[(header::ACCEPT_ENCODING, "gzip")]);
        let short = Answer::new("text/plain", "short").response(&request);
        assert!(!short.headers().contains_key(header::CONTENT_ENCODING));
    }
}
