//! Managed identities of Azure: tokens that the instance metadata service of this machine issues.

use crate::domain::{Class, Redactor, Timestamp};
use crate::net::exchange::percent_encoded;
use crate::net::near::Near;
use crate::net::oauth::{NoToken, Token, read};

/// Address of the instance metadata service, on every virtual machine of Azure.
pub(crate) const METADATA: &str = "http://169.254.169.254";
/// Version of its interface, as Microsoft documents it.
const VERSION: &str = "2018-02-01";

/// Managed identity of this machine.
#[derive(Debug)]
pub(crate) struct ManagedIdentity {
    /// Client id of an identity that was assigned by a user; none for that of the machine itself.
    client_id: Option<String>,
    /// Scheme, host and port of the metadata service.
    endpoint: String,
    near: Near,
}

impl ManagedIdentity {
    /// Returns the identity with this client id, or that of the machine itself.
    ///
    /// # Errors
    ///
    /// Returns the reason why there is no client for HTTP.
    pub(crate) fn new(client_id: Option<String>, endpoint: String) -> Result<Self, String> {
        Ok(Self { client_id, endpoint, near: Near::new()? })
    }

    /// Returns the client id, if one is configured.
    pub(crate) fn client_id(&self) -> Option<&str> {
        self.client_id.as_deref()
    }

    /// Asks for a token for `resource`.
    ///
    /// # Errors
    ///
    /// Returns the refusal of the service, or the reason why there is no answer.
    pub(crate) async fn token(
        &self,
        resource: &str,
        redactor: &Redactor,
        now: Timestamp,
    ) -> Result<Token, NoToken> {
        let own = self.client_id.as_deref();
        let own = own.map_or(String::new(), |id| format!("&client_id={}", percent_encoded(id)));
        let resource = percent_encoded(resource);
        let url = format!(
            "{}/metadata/identity/oauth2/token?api-version={VERSION}&resource={resource}{own}",
            self.endpoint
        );
        let answer = self.near.get(&url, &[("metadata", "true")], redactor).await?;
        // The service is busy, or being updated: Microsoft asks to try again.
        let passes = matches!(answer.status, 404 | 410 | 429 | 500..=599);
        read(&answer, now).map_err(|none| {
            none.reclassified(|refusal| if passes { Class::Unavailable } else { refusal.class })
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Secret;
    use std::sync::{Arc, Mutex};

    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpListener;

    /// Returns the answer of the identity at a service that answers with `status` and `body`, and the first
    /// line of each request.
    async fn asked(
        client_id: Option<&str>,
        status: u16,
        body: &'static str,
    ) -> (Result<Secret, NoToken>, Vec<String>) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let endpoint = format!("http://{}", listener.local_addr().unwrap());
        let lines = Arc::new(Mutex::new(Vec::new()));
        let log = Arc::clone(&lines);
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                let mut request = vec![0; 4096];
                let read = stream.read(&mut request).await.unwrap();
                let request = String::from_utf8_lossy(&request[..read]).into_owned();
                assert!(request.to_lowercase().contains("\r\nmetadata: true\r\n"), "{request}");
                log.lock().unwrap().push(request.lines().next().unwrap().to_owned());
                let answer = format!(
                    "HTTP/1.1 {status} X\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}",
                    body.len()
                );
                stream.write_all(answer.as_bytes()).await.unwrap();
            }
        });
        let identity = ManagedIdentity::new(client_id.map(str::to_owned), endpoint).unwrap();
        assert_eq!(identity.client_id(), client_id);
        let found = identity.token("api://x", &Redactor::default(), Timestamp(0)).await;
        let lines = lines.lock().unwrap().clone();
        (found.map(|token| token.value), lines)
    }

    #[tokio::test]
    async fn token_is_asked_for_the_resource_and_the_identity() {
        let body = r#"{"access_token":"t","expires_in":"3599","token_type":"Bearer"}"#;
        let path = "/metadata/identity/oauth2/token?api-version=2018-02-01&resource=api%3A%2F%2Fx";
        for (client_id, end) in [(None, ""), (Some("a b"), "&client_id=a%20b")] {
            let (token, lines) = asked(client_id, 200, body).await;
            assert_eq!(token.unwrap().expose(), "t");
            assert_eq!(lines, [format!("GET {path}{end} HTTP/1.1")]);
        }
    }

    #[tokio::test]
    async fn refusal_is_definitive_unless_the_service_is_busy() {
        let none = r#"{"error":"invalid_request","error_description":"Identity not found"}"#;
        let table = [
            (400, none, Class::Invalid),
            (403, r#"{"error":"forbidden"}"#, Class::Denied),
            (404, none, Class::Unavailable),
            (410, none, Class::Unavailable),
            (429, none, Class::Unavailable),
            (500, none, Class::Unavailable),
            (200, "<html>", Class::Unavailable),
        ];
        for (status, body, class) in table {
            let (found, _) = asked(None, status, body).await;
            assert_eq!(found.unwrap_err().class(), class, "{status} {body}");
        }
    }
}
