//! Long bodies that are kept compressed while they are made: the tag is known before the first byte is sent, and only a
//! small part of the body is in memory at once.

use std::io::{self, Read as _, Write as _};

use aws_lc_rs::digest::{Context, SHA256};
use axum::body::Body;
use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::{IntoResponse as _, Response};
use bytes::Bytes;
use flate2::Compression;
use flate2::read::GzDecoder;
use flate2::write::GzEncoder;

use super::answer::{describe, tag_of, takes_gzip, unchanged};
use super::frames::written;

/// Bytes that are unpacked at once.
const PART: usize = 64 * 1024;

/// Body while it is made.
pub(crate) struct Packing {
    encoder: GzEncoder<Vec<u8>>,
    hash: Context,
}

/// Body that is complete, with its tag.
#[derive(Debug)]
pub(crate) struct Packed {
    content_type: &'static str,
    bytes: Bytes,
    tag: String,
}

impl Packing {
    /// Body without any part.
    pub(crate) fn new() -> Self {
        let encoder = GzEncoder::new(Vec::new(), Compression::fast());
        Self { encoder, hash: Context::new(&SHA256) }
    }

    /// Adds a part at the end.
    ///
    /// # Errors
    ///
    /// Fails when it cannot be compressed, which no text does.
    pub(crate) fn add(&mut self, part: &str) -> io::Result<()> {
        self.hash.update(part.as_bytes());
        self.encoder.write_all(part.as_bytes())
    }

    /// Returns the number of bytes that are kept so far.
    pub(crate) fn kept(&self) -> usize {
        self.encoder.get_ref().len()
    }

    /// Returns the complete body.
    ///
    /// # Errors
    ///
    /// Fails like [`Packing::add`].
    pub(crate) fn finish(self, content_type: &'static str) -> io::Result<Packed> {
        let tag = tag_of(self.hash.finish().as_ref());
        Ok(Packed { content_type, bytes: self.encoder.finish()?.into(), tag })
    }
}

impl Packed {
    /// Returns the tag of the body: the hash of its bytes before compression.
    pub(crate) fn tag(&self) -> &str {
        &self.tag
    }

    /// Makes the answer to a request with these headers: 304 when the caller has this body already, else as it is
    /// kept, or unpacked part by part for those who do not take it so.
    pub(crate) fn response(self, request: &HeaderMap) -> Response {
        let Self { content_type, bytes, tag } = self;
        if let Some(same) = unchanged(request, &tag) {
            return same;
        }
        let is_packed = takes_gzip(request);
        let body = if is_packed { Body::from(bytes) } else { unpacked(bytes) };
        let mut response = body.into_response();
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
        if is_packed {
            headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static("gzip"));
        }
        describe(headers, &tag);
        response
    }
}

/// Returns a body that is unpacked while it is sent.
fn unpacked(bytes: Bytes) -> Body {
    let (sender, body) = written();
    tokio::spawn(async move {
        let mut decoder = GzDecoder::new(io::Cursor::new(bytes));
        loop {
            let mut part = Vec::with_capacity(PART);
            let limit = u64::try_from(PART).unwrap_or(u64::MAX);
            let read = decoder.by_ref().take(limit).read_to_end(&mut part);
            if !matches!(read, Ok(1..)) || sender.send(part.into()).await.is_err() {
                return;
            }
        }
    });
    body
}

#[cfg(test)]
mod tests {
    use axum::body::to_bytes;
    use axum::http::StatusCode;

    use super::*;
    use crate::http::Answer;

    fn packed(parts: &[&str]) -> Packed {
        let mut packing = Packing::new();
        for part in parts {
            packing.add(part).unwrap();
        }
        packing.finish("text/plain").unwrap()
    }

    #[tokio::test]
    async fn body_is_the_same_packed_and_unpacked_and_has_the_tag_of_a_whole_one() {
        let long = "0123456789abcdef".repeat(PART / 8);
        let parts = ["[", &long, "", "\u{e4}]"];
        let whole = parts.concat();
        let tag = Answer::new("text/plain", whole.clone()).tag();
        for (takes, is_packed) in [("", false), ("gzip", true), ("gzip;q=0", false)] {
            let body = packed(&parts);
            assert_eq!(body.tag(), tag);
            let request: HeaderMap =
                [(header::ACCEPT_ENCODING, takes.parse().unwrap())].into_iter().collect();
            let response = body.response(&request);
            assert_eq!(response.headers()[header::ETAG], tag.as_str());
            assert_eq!(response.headers().contains_key(header::CONTENT_ENCODING), is_packed);
            let mut sent = to_bytes(response.into_body(), usize::MAX).await.unwrap().to_vec();
            if is_packed {
                let mut text = Vec::new();
                GzDecoder::new(sent.as_slice()).read_to_end(&mut text).unwrap();
                sent = text;
            }
            assert_eq!(String::from_utf8(sent).unwrap(), whole, "{takes}");
        }
    }

    #[tokio::test]
    async fn caller_that_has_the_body_is_sent_none() {
        let body = packed(&["[]"]);
        let request = [(header::IF_NONE_MATCH, body.tag().parse().unwrap())].into_iter().collect();
        let response = body.response(&request);
        assert_eq!(response.status(), StatusCode::NOT_MODIFIED);
        assert!(to_bytes(response.into_body(), 1).await.unwrap().is_empty());
    }

    #[test]
    fn little_is_kept_of_a_long_body() {
        let mut packing = Packing::new();
        let mut length = 0;
        for number in 0..2000 {
            let part = format!(
                "{{\"id\":{number},\"name\":\"lake-{number}\",\"type\":\"Native S3\",\"status\":\"enabled\"}},"
            );
            length += part.len();
            packing.add(&part).unwrap();
        }
        assert!(packing.kept() * 4 < length, "{} of {length} bytes", packing.kept());
        let long = packing.finish("application/json").unwrap();
        assert!(long.bytes.len() * 4 < length);
        let other = packed(&["{}"]);
        assert_ne!(long.tag(), other.tag());
    }

    #[tokio::test]
    async fn body_without_a_part_is_empty() {
        let response = packed(&[]).response(&HeaderMap::new());
        assert_eq!(response.status(), StatusCode::OK);
        assert!(to_bytes(response.into_body(), 1).await.unwrap().is_empty());
    }
}
