//! URLs of receivers.

use reqwest::Url;

use crate::domain::is_unseen;
use crate::net::address::{Allow, host_permitted};

/// A receiver's URL, which must be one that may be sent to.
///
/// # Errors
///
/// Says what is wrong without showing it.
pub(crate) fn parse_url(text: &str, allow: &Allow) -> Result<Url, String> {
    if text.chars().any(|c| c.is_whitespace() || is_unseen(c)) {
        return Err("must not hold white space or control characters".to_owned());
    }
    let url: Url = text.parse().map_err(|fault| {
        format!("is not a URL such as \"https://hooks.example.com/revalidated\": {fault}")
    })?;
    if !matches!(url.scheme(), "http" | "https") {
        return Err("must begin with https://".to_owned());
    }
    if !url.username().is_empty() || url.password().is_some() {
        let message = "must not hold a user name or password; messages are proved by signatures";
        return Err(message.to_owned());
    }
    if url.fragment().is_some() {
        return Err("must not hold a fragment (`#`); it would not be sent".to_owned());
    }
    let host = url.host_str().unwrap_or_default();
    host_permitted(host, allow).map_err(|refused| refused.to_string())?;
    if url.scheme() == "http" && !allow.names(host) {
        return Err(format!("must begin with https://, unless `allow` names {host}"));
    }
    Ok(url)
}
