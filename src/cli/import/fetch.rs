//! Integrations of a tenant, by its published interface.

use std::time::Duration;

use anyhow::{Context as _, anyhow};
use http::header::{ACCEPT, AUTHORIZATION, HeaderValue};

use super::super::args::ImportImmuta;
use super::super::error::CommandError;
use crate::domain::Redactor;
use crate::net::exchange::request;
use crate::net::http::{Connections, HttpOptions};

/// Path of the published list.
const PATH: &str = "/integrations";
/// Largest answer that is read, in bytes.
const BODY_MAX: usize = 8 * 1024 * 1024;
/// Longest wait for the whole answer.
const TOTAL_MAX: Duration = Duration::from_mins(1);
/// Longest text of the server that is shown, in characters.
const WORDS_MAX: usize = 300;

/// Gets the integrations of a tenant, as JSON.
///
/// # Errors
///
/// Says why there is no answer, without the key.
pub(super) async fn integrations(args: &ImportImmuta) -> Result<String, CommandError> {
    let url = address(&args.url)?;
    let key = std::fs::read_to_string(&args.token)
        .with_context(|| format!("{} cannot be read", args.token.display()))?;
    let redactor = Redactor::default();
    redactor.learn_text(key.trim());
    let mut value = HeaderValue::try_from(key.trim())
        .map_err(|_invalid| anyhow!("{} is no API key", args.token.display()))?;
    value.set_sensitive(true);
    let options = HttpOptions {
        total_timeout: TOTAL_MAX,
        ca_file: args.ca.clone(),
        ..HttpOptions::default()
    };
    let connections = Connections::read(&options).await.context("no connection can be made")?;
    let connections = connections.redacted_by(&redactor);
    let built = http::Request::get(&url)
        .header(ACCEPT, "application/json")
        .header(AUTHORIZATION, value)
        .body(Vec::new());
    let failed = |detail: &str| CommandError::Other(anyhow!("{url}: {detail}"));
    let sent = request(built).map_err(|none| failed(&none.detail))?;
    let answer = connections.fetch(sent, BODY_MAX).await.map_err(|none| failed(&none.detail))?;
    if !answer.is_success() {
        let text = String::from_utf8_lossy(&answer.body);
        let words = answer.line(&text, WORDS_MAX);
        return Err(failed(&format!("it answered with code [{}]: {words}", answer.status)));
    }
    String::from_utf8(answer.body).map_err(|_invalid| failed("the answer is not UTF-8"))
}

/// Returns the address of the list at a tenant. The key travels over TLS only, or within this machine.
fn address(text: &str) -> Result<String, CommandError> {
    let wanted = || {
        CommandError::Usage(
            "--url must be the https address of a tenant, such as https://example.hosted.immutacloud.com"
                .to_owned(),
        )
    };
    let url = reqwest::Url::parse(text.trim()).map_err(|_invalid| wanted())?;
    let host = url.host_str().unwrap_or_default();
    let is_here = ["localhost", "127.0.0.1", "[::1]"].contains(&host);
    let is_safe = url.scheme() == "https" || (url.scheme() == "http" && is_here);
    if !is_safe || !url.username().is_empty() || url.query().is_some() {
        return Err(wanted());
    }
    let base = url.as_str().trim_end_matches('/');
    let base = base.strip_suffix(PATH).unwrap_or(base);
    Ok(format!("{base}{PATH}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn key_goes_to_https_addresses_or_to_this_machine() {
        let good = [
            ("https://t.example.com", "https://t.example.com/integrations"),
            ("https://t.example.com/integrations", "https://t.example.com/integrations"),
            ("https://t.example.com/immuta/", "https://t.example.com/immuta/integrations"),
            ("http://127.0.0.1:8080", "http://127.0.0.1:8080/integrations"),
        ];
        for (text, expected) in good {
            assert_eq!(address(text).unwrap(), expected, "{text}");
        }
        for text in
            ["http://t.example.com", "t.example.com", "https://u:p@t", "ftp://t", "https://t?x=1"]
        {
            assert!(address(text).is_err(), "{text}");
        }
    }
}
