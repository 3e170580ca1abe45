//! The coordinator's answers, read leniently: what is missing, null or of another shape is none.

use reqwest::Url;
use serde::{Deserialize, Deserializer};
use serde_json::Value as Json;

/// The answer to `GET /v1/info`.
#[derive(Debug, Deserialize)]
pub(super) struct Info {
    /// True at a coordinator, false at a worker.
    #[serde(default, deserialize_with = "lenient")]
    pub(super) coordinator: Option<bool>,
    /// True until the server has loaded its catalogs.
    #[serde(default, deserialize_with = "lenient")]
    pub(super) starting: Option<bool>,
    /// Version of the server that answers.
    #[serde(rename = "nodeVersion", default, deserialize_with = "lenient")]
    node_version: Option<NodeVersion>,
}

#[derive(Debug, Deserialize)]
struct NodeVersion {
    #[serde(default)]
    version: Json,
}

impl Info {
    /// Returns the version, which is text in Trino and a number elsewhere.
    pub(super) fn version(&self) -> Option<String> {
        text(&self.node_version.as_ref()?.version)
    }

    /// True when any of the documented fields is there: what has none is something else.
    pub(super) const fn is_known(&self) -> bool {
        self.coordinator.is_some() || self.starting.is_some() || self.node_version.is_some()
    }
}

/// Page of the answer to a statement.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct QueryResults {
    /// The id of the query.
    #[serde(default, deserialize_with = "lenient")]
    pub(super) id: Option<String>,
    /// Address of the next page; none on the last one.
    #[serde(default, deserialize_with = "lenient")]
    pub(super) next_uri: Option<String>,
    /// Rows, each a list of values.
    #[serde(default, deserialize_with = "lenient")]
    data: Option<Vec<Vec<Json>>>,
    /// Why the query failed.
    #[serde(default, deserialize_with = "lenient_table")]
    pub(super) error: Option<QueryError>,
    /// Progress of the statement.
    #[serde(default, deserialize_with = "lenient")]
    stats: Option<Stats>,
}

#[derive(Debug, Deserialize)]
struct Stats {
    #[serde(default, deserialize_with = "lenient")]
    state: Option<String>,
}

/// Trino's own words about a query that failed.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq)]
#[serde(rename_all = "camelCase")]
pub(super) struct QueryError {
    /// Message of the error, a sentence.
    #[serde(default, deserialize_with = "lenient")]
    pub(super) message: Option<String>,
    /// A number with a range for each type.
    #[serde(default, deserialize_with = "lenient")]
    pub(super) error_code: Option<i64>,
    /// A name such as `PERMISSION_DENIED`.
    #[serde(default, deserialize_with = "lenient")]
    pub(super) error_name: Option<String>,
    /// A type such as `USER_ERROR`.
    #[serde(default, deserialize_with = "lenient")]
    pub(super) error_type: Option<String>,
}

impl QueryResults {
    /// Returns the first value of every row on this page, as text.
    pub(super) fn first_column(&mut self) -> Vec<String> {
        let rows = self.data.take().unwrap_or_default();
        rows.iter().filter_map(|row| text(row.first()?)).collect()
    }

    /// True when it is an answer to a statement at all.
    pub(super) const fn is_known(&self) -> bool {
        self.id.is_some() && (self.stats.is_some() || self.error.is_some())
    }

    /// Returns the state of the query, such as `QUEUED`.
    pub(super) fn state(&self) -> Option<&str> {
        self.stats.as_ref()?.state.as_deref()
    }
}

/// Address of the next page, on the server that was asked.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct NextUri(Url);

/// Place where pages may be asked for.
#[derive(Clone, Copy, Debug)]
pub(super) struct Place<'a> {
    /// Server that is asked, such as `https://host:8443`.
    pub(super) origin: &'a str,
    /// Host by which the cluster may name itself, where another address leads to it.
    pub(super) alias: Option<&'a str>,
}

/// Next page that is not asked for.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct RefusedPage {
    /// Reason in one line; the address itself is not shown, since it contains the query's secret slug.
    pub(super) why: String,
    /// Setting that makes the cluster name the right address.
    pub(super) remedy: &'static str,
}

/// Remedy where TLS ends at a proxy of which the coordinator does not know.
pub(super) const UNKNOWN_PROXY: &str = "Set http-server.process-forwarded=true at the coordinator, \
    and let the proxy that ends TLS send X-Forwarded-Proto (nginx: proxy_set_header \
    X-Forwarded-Proto https).";
/// Remedy where a proxy replaces the name by which clients ask.
const LOST_HOST: &str = "Let the proxy before the coordinator keep the Host header (nginx: \
    proxy_set_header Host $http_host), or send X-Forwarded-Host and X-Forwarded-Port with \
    http-server.process-forwarded=true at the coordinator; or set `host` and `port` to the address \
    that the coordinator names.";
/// Remedy for an address that no coordinator makes.
const REWRITTEN: &str = "Look for a gateway or proxy that rewrites the answers of the coordinator.";

impl NextUri {
    /// Reads a `nextUri` of the server at `place`. Anything else would send our credentials to wherever
    /// an answer says. A path before `/v1/statement/` is that of a proxy at the same server.
    ///
    /// # Errors
    ///
    /// Says why it is not followed.
    pub(super) fn parse(text: &str, place: Place<'_>) -> Result<Self, RefusedPage> {
        let wrong = |why: &str, remedy| {
            let why = format!("the next page of the answer is not asked for: {why}");
            Err(RefusedPage { why, remedy })
        };
        let Ok(mut url) = Url::parse(text) else {
            return wrong("its address is no URI", REWRITTEN);
        };
        if !url.username().is_empty() || url.password().is_some() || url.fragment().is_some() {
            return wrong("its address has more than a path and a query", REWRITTEN);
        }
        let found = url.origin().ascii_serialization();
        if found != place.origin {
            let is_alias = place.alias.is_some() && url.host_str() == place.alias;
            if !is_alias || url.scheme() != "https" {
                let asked = Url::parse(place.origin).ok();
                let is_plain = url.scheme() == "http"
                    && asked.is_some_and(|asked| asked.host_str() == url.host_str());
                let why = format!("it is at [{found}] instead of [{}]", place.origin);
                return wrong(&why, if is_plain { UNKNOWN_PROXY } else { LOST_HOST });
            }
            let query = url.query().map(|query| format!("?{query}")).unwrap_or_default();
            let Ok(moved) = Url::parse(&format!("{}{}{query}", place.origin, url.path())) else {
                return wrong("its address is no URI", REWRITTEN);
            };
            url = moved;
        }
        if !url.path().contains("/v1/statement/") {
            return wrong("its path does not have /v1/statement/", REWRITTEN);
        }
        Ok(Self(url))
    }

    /// Returns the address as it is sent.
    pub(super) fn as_str(&self) -> &str {
        self.0.as_str()
    }
}

/// Returns a text, or a number as text.
fn text(value: &Json) -> Option<String> {
    match value {
        Json::String(text) => Some(text.clone()),
        Json::Number(number) => Some(number.to_string()),
        Json::Null | Json::Bool(_) | Json::Array(_) | Json::Object(_) => None,
    }
}

fn lenient<'de, D: Deserializer<'de>, T: serde::de::DeserializeOwned>(
    deserializer: D,
) -> Result<Option<T>, D::Error> {
    Ok(serde_json::from_value(Json::deserialize(deserializer)?).ok())
}

/// Reads a table leniently: an error of another shape is an error all the same.
fn lenient_table<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<QueryError>, D::Error> {
    let value = Json::deserialize(deserializer)?;
    if value.is_null() {
        return Ok(None);
    }
    let message = value.as_str().map(str::to_owned);
    let read = serde_json::from_value(value).ok();
    Ok(Some(read.unwrap_or_else(|| QueryError { message, ..QueryError::default() })))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const ORIGIN: &str = "https://trino.example.com:8443";

    #[test]
    fn missing_null_and_strange_fields_are_none() {
        let read = |text: &str| serde_json::from_str::<QueryResults>(text).unwrap();
        for text in ["{}", r#"{"id":7,"nextUri":null,"data":{"a":1},"stats":[],"error":null}"#] {
            let mut results = read(text);
            assert!(results.id.is_none() && results.next_uri.is_none() && !results.is_known());
            assert!(results.error.is_none() && results.first_column().is_empty());
        }
        let mut results =
            read(r#"{"id":"q","data":[["a",1],[2],[],[null]],"stats":{"state":"QUEUED"}}"#);
        assert_eq!(results.first_column(), ["a", "2"]);
        assert_eq!(results.state(), Some("QUEUED"));
        let error = read(r#"{"error":{"message":"m","errorCode":"x","errorName":null}}"#).error;
        let expected = QueryError { message: Some("m".to_owned()), ..QueryError::default() };
        assert_eq!(error, Some(expected));
        let error = read(r#"{"error":"gone"}"#).error.unwrap();
        assert_eq!(error.message.as_deref(), Some("gone"));
    }

    #[test]
    fn versions_are_text_or_numbers() {
        let version = |text: &str| serde_json::from_str::<Info>(text).unwrap().version();
        assert_eq!(version(r#"{"nodeVersion":{"version":"453-e.2"}}"#).as_deref(), Some("453-e.2"));
        assert_eq!(version(r#"{"nodeVersion":{"version":408}}"#).as_deref(), Some("408"));
        for text in ["{}", r#"{"nodeVersion":null}"#, r#"{"nodeVersion":{"version":[]}}"#] {
            assert_eq!(version(text), None, "{text}");
        }
    }

    const PLACE: Place<'_> = Place { origin: ORIGIN, alias: Some("trino.public.example") };

    #[test]
    fn next_pages_are_only_followed_at_the_same_server() {
        let good = [
            "https://trino.example.com:8443/v1/statement/queued/20261122_1_a/y1/1",
            "https://TRINO.example.com:8443/v1/statement/executing/q/y/0?targetResultSize=1MB",
            "https://trino.example.com:8443/trino/v1/statement/queued/20261122_1_a/y1/1",
            "https://trino.public.example/v1/statement/queued/20261122_1_a/y1/1",
        ];
        for text in good {
            let uri = NextUri::parse(text, PLACE).unwrap();
            assert!(uri.as_str().starts_with(ORIGIN), "{uri:?}");
        }
        let bad = [
            "",
            "/v1/statement/queued/q/y/1",
            "//evil.example/v1/statement/q",
            "http://trino.example.com:8443/v1/statement/q",
            "http://trino.public.example/v1/statement/q",
            "https://trino.example.com/v1/statement/q",
            "https://trino.example.com:8444/v1/statement/q",
            "https://trino.example.com.evil.example:8443/v1/statement/q",
            "https://trino.example.com:8443@evil.example/v1/statement/q",
            "https://user@trino.example.com:8443/v1/statement/q",
            "https://evil.example\\@trino.example.com:8443/v1/statement/q",
            "https://trino.example.com:8443/v1/statement/../../ui/",
            "https://trino.example.com:8443/v1/statement/%2e%2e/%2e%2e/ui/",
            "https://trino.example.com:8443/v1/statement",
            "https://trino.example.com:8443/?q=/v1/statement/q",
            "https://trino.example.com:8443/v1/statement/q#f",
            "file:///v1/statement/q",
            "javascript:alert(1)",
            "https://[::ffff:127.0.0.1]:8443/v1/statement/q",
        ];
        for text in bad {
            let RefusedPage { why, .. } = NextUri::parse(text, PLACE).unwrap_err();
            assert!(!why.contains("/q") && !why.contains('\n'), "{text}: {why}");
        }
    }

    #[test]
    fn remedy_says_which_header_the_proxy_lost() {
        let table = [
            ("http://trino.example.com:8443/v1/statement/q", UNKNOWN_PROXY),
            ("http://trino.example.com/v1/statement/q", UNKNOWN_PROXY),
            ("http://10.0.0.7:8080/v1/statement/q", LOST_HOST),
            ("https://trino.example.com/v1/statement/q", LOST_HOST),
            ("https://trino.example.com:8443/ui/", REWRITTEN),
            ("q", REWRITTEN),
        ];
        for (text, remedy) in table {
            let place = Place { origin: ORIGIN, alias: None };
            assert_eq!(NextUri::parse(text, place).unwrap_err().remedy, remedy, "{text}");
        }
    }

    proptest! {
        #[test]
        fn no_uri_leads_anywhere_else(
            text in "(https?:)?[/\\\\]{0,3}[a-z:@%.0-9/\\\\?#\t]{0,20}(trino\\.(example\\.com|public\\.example))?[:@0-9a-z/.%\\\\#?]{0,30}|\\PC{0,60}",
        ) {
            let nearly = format!("{ORIGIN}{text}");
            for text in [text, nearly] {
                if let Ok(uri) = NextUri::parse(&text, PLACE) {
                    let url = Url::parse(uri.as_str()).unwrap();
                    prop_assert_eq!(url.scheme(), "https");
                    prop_assert_eq!(url.host_str(), Some("trino.example.com"));
                    prop_assert_eq!(url.port(), Some(8443));
                    prop_assert!(url.path().contains("/v1/statement/"));
                    prop_assert!(url.username().is_empty() && url.password().is_none());
                }
            }
        }
    }
}
