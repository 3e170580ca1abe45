//! The machine that credentials are looked for on: its environment, its files, and its metadata
//! services, which nothing but credentials is asked of.

use std::collections::HashMap;
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use bytes::Bytes;
use http::{Method, StatusCode, Uri};
use reqsign_core::{Env, FileRead, HttpSend};

use crate::blocking::{self, ReadError};
use crate::net::exchange::NoAnswer;
use crate::net::http::{Connections, classify};
use crate::net::tape;

/// The largest answer of a source of credentials, and the largest file of one, in bytes.
const SOURCE_BYTES_MAX: usize = 256 * 1024;
/// The longest wait for what is on this machine: it answers at once or is not there.
pub(super) const NEAR_MAX: Duration = Duration::from_secs(2);
/// Metadata services of EC2, ECS and EKS.
const METADATA_HOSTS: [&str; 5] =
    ["169.254.169.254", "169.254.170.2", "169.254.170.23", "fd00:ec2::254", "fd00:ec2::23"];
/// Base of relative addresses of container credentials.
const CONTAINER: &str = "http://169.254.170.2";

/// Environment of the credential chain: this machine, or that of a test.
#[derive(Debug)]
pub(crate) struct Machine<E> {
    /// Environment variables to read.
    pub(crate) env: E,
    /// Base of relative addresses of container credentials.
    pub(crate) container: String,
}

impl Machine<ProcessEnv> {
    /// Returns the machine that this process runs on.
    pub(crate) fn this() -> Self {
        Self { env: ProcessEnv, container: CONTAINER.to_owned() }
    }
}

/// The process's environment, as far as it is text: the chain reads only what begins with `AWS_`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ProcessEnv;

impl Env for ProcessEnv {
    fn var(&self, key: &str) -> Option<String> {
        self.vars().remove(key)
    }

    fn vars(&self) -> HashMap<String, String> {
        let text = |(key, value): (std::ffi::OsString, std::ffi::OsString)| {
            Some((key.into_string().ok()?, value.into_string().ok()?))
        };
        tape::variables(|| {
            let own = std::env::vars_os().filter_map(text);
            own.filter(|(key, _)| key.starts_with("AWS_")).collect()
        })
    }

    fn home_dir(&self) -> Option<PathBuf> {
        tape::home(std::env::home_dir)
    }
}

/// Files of the chain: profiles and tokens, never larger than [`SOURCE_BYTES_MAX`].
#[derive(Debug)]
pub(super) struct BoundedFiles;

impl FileRead for BoundedFiles {
    async fn file_read(&self, path: &str) -> reqsign_core::Result<Vec<u8>> {
        match blocking::read(Path::new(path), SOURCE_BYTES_MAX).await {
            Ok(content) => {
                tape::file(path, &content);
                Ok(content)
            }
            // The kind of the error lets the library see that there is no such file.
            Err(ReadError::Io(error)) => Err(error.into()),
            Err(other) => Err(reqsign_core::Error::unexpected(format!("{path}: {other}"))),
        }
    }
}

/// Sends what the chain asks for, unless it is anything but asking for credentials.
#[derive(Debug)]
pub(super) struct ReadOnly {
    /// Connections to this machine and its metadata services.
    pub(super) near: Connections,
    /// Connections to all other servers, perhaps through a proxy.
    pub(super) far: Connections,
}

impl HttpSend for ReadOnly {
    async fn http_send(
        &self,
        request: http::Request<Bytes>,
    ) -> reqsign_core::Result<http::Response<Bytes>> {
        let fault = |text: String| reqsign_core::Error::unexpected(text);
        check(&request).map_err(|refused| fault(refused.to_owned()))?;
        let connections = if is_near(request.uri()) { &self.near } else { &self.far };
        let request: reqwest::Request =
            request.try_into().map_err(|error| fault(classify(&error).1))?;
        let answer = connections.fetch(request, SOURCE_BYTES_MAX).await;
        let answer = answer.map_err(|NoAnswer { detail, .. }| fault(detail))?;
        let mut response = http::Response::new(Bytes::from(answer.body));
        *response.status_mut() =
            StatusCode::from_u16(answer.status).map_err(|error| fault(error.to_string()))?;
        Ok(response)
    }
}

/// Checks that a request may be sent by the credential chain.
fn check(request: &http::Request<Bytes>) -> Result<(), &'static str> {
    let (method, uri) = (request.method(), request.uri());
    if uri.scheme_str() != Some("https") && !is_near(uri) {
        return Err("refused to ask for credentials without TLS outside this machine");
    }
    let allowed =
        matches!((method, uri.path()), (&Method::GET, _) | (&Method::PUT, "/latest/api/token"));
    if allowed { Ok(()) } else { Err("refused to send anything but a request for credentials") }
}

/// True for this machine itself and for its metadata services.
fn is_near(uri: &Uri) -> bool {
    let host = uri.host().unwrap_or_default().trim_start_matches('[').trim_end_matches(']');
    let address = host.parse::<IpAddr>();
    host == "localhost"
        || METADATA_HOSTS.contains(&host)
        || address.is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_credentials_are_asked_for_and_only_nearby_without_tls() {
        let cases = [
            ("GET", "http://169.254.170.2/v2/credentials/1", "", true),
            ("GET", "http://[fd00:ec2::23]/v1/credentials", "", true),
            ("GET", "http://127.0.0.1:9/x", "", true),
            ("GET", "https://creds.example.com/x", "", true),
            ("PUT", "http://169.254.169.254/latest/api/token", "", true),
            ("GET", "http://creds.example.com/x", "", false),
            ("GET", "http://127.0.0.1.example.com/x", "", false),
            ("PUT", "http://169.254.169.254/other", "", false),
            ("POST", "https://sts.x.amazonaws.com/", "Action=AssumeRole&R", false),
            ("DELETE", "https://sts.x.amazonaws.com/", "", false),
        ];
        for (method, uri, body, allowed) in cases {
            let request = http::Request::builder().method(method).uri(uri);
            let request = request.body(Bytes::from_static(body.as_bytes())).unwrap();
            assert_eq!(check(&request).is_ok(), allowed, "{method} {uri}");
        }
    }
}
