//! Rules for the URLs of receivers.

use reqwest::Url;

use crate::domain::is_unseen;
use crate::net::address::{Allow, host_permitted};

/// Parses a receiver's URL and checks that messages may be sent to it.
///
/// # Errors
///
/// Fails with a sentence that does not show the URL.
pub(crate) fn parse_url(text: &str, allow: &Allow) -> Result<Url, String> {
    if text.chars().any(|c| c.is_whitespace() || is_unseen(c)) {
        return Err("must not contain white space or control characters".to_owned());
    }
    let url: Url = text.parse().map_err(|fault| {
        format!("is not a URL such as \"https://hooks.example.com/revalidated\": {fault}")
    })?;
    if !matches!(url.scheme(), "http" | "https") {
        return Err("must begin with https://".to_owned());
    }
    if !url.username().is_empty() || url.password().is_some() {
        let message =
            "must not contain a user name or password; messages are authenticated by signatures";
        return Err(message.to_owned());
    }
    if url.fragment().is_some() {
        return Err("must not contain a fragment (`#`), which is never sent".to_owned());
    }
    let host = url.host_str().unwrap_or_default();
    host_permitted(host, allow).map_err(|refused| refused.to_string())?;
    if url.scheme() == "http" && !allow.names(host) {
        return Err(format!("must begin with https://, unless `allow` names {host}"));
    }
    Ok(url)
}
