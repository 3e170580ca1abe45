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
        let message = "must not contain a user name or password; use `bearer` or `headers`, beside signatures";
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

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::{prop_assert, proptest};

    fn allowing(entries: &[&str]) -> Allow {
        let mut allow = Allow::default();
        for entry in entries {
            allow.add(entry).unwrap();
        }
        allow
    }

    #[test]
    fn https_at_a_public_host_needs_no_permission() {
        for url in [
            "https://hooks.example.com/revalidated",
            "HTTPS://hooks.example.com:8443/a/b?token=t0ken",
            "https://8.8.8.8/",
            "https://[2606:4700::1111]/",
        ] {
            assert!(parse_url(url, &Allow::default()).is_ok(), "{url}");
        }
    }

    #[test]
    fn error_says_the_rule_and_never_shows_the_url() {
        let table = [
            ("s3cret", "is not a URL such as"),
            ("https://s3cret host/", "must not contain white space"),
            ("https://a.example/\u{202e}s3cret", "must not contain white space"),
            ("ftp://a.example/s3cret", "must begin with https://"),
            ("https://u:s3cret@a.example/", "must not contain a user name"),
            ("https://a.example/#s3cret", "must not contain a fragment"),
            ("http://a.example/s3cret", "unless `allow` names a.example"),
            ("https://10.0.0.1/s3cret", "10.0.0.1 is a private address"),
            ("https://[::ffff:169.254.169.254]/s3cret", "link-local address"),
        ];
        for (url, expected) in table {
            let error = parse_url(url, &Allow::default()).unwrap_err();
            assert!(error.contains(expected), "{url}: {error}");
            assert!(!error.contains("s3cret"), "{url}: {error}");
        }
    }

    #[test]
    fn named_host_may_be_private_and_without_tls() {
        let allow = allowing(&["hooks.corp.example", "10.0.0.0/8"]);
        for (url, accepted) in [
            ("http://hooks.corp.example/", true),
            ("http://10.1.2.3/", true),
            ("https://10.1.2.3/", true),
            ("http://other.corp.example/", false),
            ("https://192.168.0.1/", false),
        ] {
            assert_eq!(parse_url(url, &allow).is_ok(), accepted, "{url}");
        }
    }

    proptest! {
        #[test]
        fn accepted_url_is_https_without_credentials_or_fragment(
            text in "(https?|ftp)://([a-z0-9@:.\\[\\]%]{0,24})(/[ -~]{0,16})?(#[a-z]{0,4})?"
        ) {
            if let Ok(url) = parse_url(&text, &Allow::default()) {
                prop_assert!(url.scheme() == "https" && url.host_str().is_some(), "{text}");
                prop_assert!(url.username().is_empty() && url.password().is_none(), "{text}");
                prop_assert!(url.fragment().is_none(), "{text}");
            }
        }
    }
}
