//! Client-credentials grant (RFC 6749, section 4.4).

use super::token::{NoToken, Token, TokenRequest, token};
use crate::domain::{Secret, Timestamp};
use crate::net::http::Connections;

/// Type of client assertions (RFC 7523).
const ASSERTION: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

/// Request for a token of the client's own.
#[derive(Clone, Copy)]
pub(crate) struct ClientCredentials<'a> {
    /// URL of the token endpoint.
    pub(crate) url: &'a str,
    /// Id of the client.
    pub(crate) client_id: &'a str,
    /// Proof that the client is the one it says.
    pub(crate) proof: ClientProof<'a>,
    /// Scopes that are asked for, separated by spaces.
    pub(crate) scope: Option<&'a str>,
    /// Resource that the token is for, where the provider asks (RFC 8707).
    pub(crate) resource: Option<&'a str>,
    /// Anchors of the endpoint, as in [`TokenRequest::anchors`].
    pub(crate) anchors: Option<&'a [&'a str]>,
}

/// Proof of a client's identity, by the way it is sent.
#[derive(Clone, Copy)]
pub(crate) enum ClientProof<'a> {
    /// Secret in HTTP Basic credentials (`client_secret_basic`).
    Basic(&'a Secret),
    /// Secret in the form (`client_secret_post`).
    Form(&'a Secret),
    /// Signed assertion in the form (`private_key_jwt`).
    Assertion(&'a Secret),
}

impl ClientCredentials<'_> {
    /// Asks for a token as [`token`](super::token()) does.
    ///
    /// # Errors
    ///
    /// Returns the refusal of the endpoint, or the reason why there is no answer.
    pub(crate) async fn token(
        &self,
        connections: &Connections,
        now: Timestamp,
    ) -> Result<Token, NoToken> {
        let form = self.form();
        let basic = match self.proof {
            ClientProof::Basic(secret) => Some((self.client_id, secret)),
            ClientProof::Form(_) | ClientProof::Assertion(_) => None,
        };
        let asked = TokenRequest { url: self.url, form: &form, basic, anchors: self.anchors };
        token(connections, asked, now).await
    }

    fn form(&self) -> Vec<(&str, &str)> {
        let mut form = vec![("grant_type", "client_credentials")];
        match self.proof {
            // The id is in the header, and some endpoints refuse to read it twice.
            ClientProof::Basic(_) => {}
            ClientProof::Form(secret) => {
                form.extend([("client_id", self.client_id), ("client_secret", secret.expose())]);
            }
            ClientProof::Assertion(assertion) => form.extend([
                ("client_id", self.client_id),
                ("client_assertion_type", ASSERTION),
                ("client_assertion", assertion.expose()),
            ]),
        }
        form.extend(self.scope.map(|scope| ("scope", scope)));
        form.extend(self.resource.map(|resource| ("resource", resource)));
        form
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn form_has_the_proof_in_its_place_and_only_what_is_given() {
        let secret = Secret::new("s".to_owned());
        let table = [
            (ClientProof::Basic(&secret), None, None, "grant_type"),
            (ClientProof::Basic(&secret), Some("all"), None, "grant_type scope"),
            (
                ClientProof::Form(&secret),
                Some("all"),
                Some("r"),
                "grant_type client_id client_secret scope resource",
            ),
            (
                ClientProof::Assertion(&secret),
                None,
                None,
                "grant_type client_id client_assertion_type client_assertion",
            ),
        ];
        for (proof, scope, resource, expected) in table {
            let (url, client_id) = ("https://idp.example.com/token", "c");
            let asked = ClientCredentials { url, client_id, proof, scope, resource, anchors: None };
            let keys: Vec<_> = asked.form().iter().map(|(key, _)| *key).collect();
            assert_eq!(keys.join(" "), expected);
            let is_sent = asked.form().iter().any(|(_, value)| *value == "s");
            assert_eq!(is_sent, !matches!(proof, ClientProof::Basic(_)));
        }
    }
}
