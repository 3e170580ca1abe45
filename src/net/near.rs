//! Metadata services of clouds, which are on this machine or its link: never reached through a proxy.

use std::time::Duration;

use super::backoff::retry;
use super::exchange::{Answer, NoAnswer, request};
use super::http::{Connections, HttpOptions};
use crate::domain::{Class, Redactor};

/// Longest wait for an answer.
const NEAR_MAX: Duration = Duration::from_secs(3);
/// Largest answer that is read, in bytes.
const BODY_MAX: usize = 64 * 1024;

/// Connections to the metadata service of this machine.
#[derive(Debug)]
pub(crate) struct Near(Connections);

impl Near {
    /// Returns connections that no proxy carries.
    ///
    /// # Errors
    ///
    /// Returns the reason why there is no client for HTTP.
    pub(crate) fn new() -> Result<Self, String> {
        let options = HttpOptions {
            connect_timeout: NEAR_MAX,
            total_timeout: NEAR_MAX,
            ..HttpOptions::default()
        };
        Connections::new(&options).map(Self).map_err(|error| error.to_string())
    }

    /// Gets `url` with `headers`, up to three times. Without an answer this machine is at fault: it is none of
    /// that cloud, or its identity is switched off.
    ///
    /// # Errors
    ///
    /// Returns the reason why there is no answer.
    pub(crate) async fn get(
        &self,
        url: &str,
        headers: &[(&str, &str)],
        redactor: &Redactor,
    ) -> Result<Answer, NoAnswer> {
        let near = self.0.redacted_by(redactor);
        let found = retry(async || {
            let built = headers
                .iter()
                .fold(http::Request::get(url), |built, (name, value)| built.header(*name, *value));
            near.fetch(request(built.body(Vec::new()))?, BODY_MAX).await
        });
        found.await.map_err(|NoAnswer { detail, .. }| NoAnswer {
            class: Class::Local,
            detail: format!("the metadata service of this machine: {detail}"),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    #[tokio::test]
    async fn silence_of_the_metadata_service_is_a_fault_of_this_machine() {
        let near = Near::new().unwrap();
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let server = listener.local_addr().unwrap();
        tokio::spawn(async move {
            let (mut stream, _) = listener.accept().await.unwrap();
            assert!(0 < stream.read(&mut [0; 4096]).await.unwrap());
            let answer = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\nconnection: close\r\n\r\nok";
            stream.write_all(answer.as_bytes()).await.unwrap();
        });
        let url = format!("http://{server}/metadata");
        let answer = near.get(&url, &[("metadata", "true")], &Redactor::default()).await.unwrap();
        assert_eq!((answer.status, answer.body.as_slice()), (200, b"ok".as_slice()));
        let closed = {
            let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
            format!("http://{}/", listener.local_addr().unwrap())
        };
        let none = near.get(&closed, &[], &Redactor::default()).await.unwrap_err();
        assert_eq!(none.class, Class::Local);
        assert!(none.detail.starts_with("the metadata service of this machine: "), "{none:?}");
    }
}
