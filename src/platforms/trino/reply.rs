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

impl NextUri {
    /// Reads a `nextUri` of the server `origin`, such as `https://host:8443`. Anything else would
    /// send our credentials to wherever an answer says.
    ///
    /// # Errors
    ///
    /// Says why it is not followed; the URI itself is not shown, it holds the query's secret slug.
    pub(super) fn parse(text: &str, origin: &str) -> Result<Self, String> {
        let wrong = |why: &str| Err(format!("the next page of the answer is not asked for: {why}"));
        let Ok(url) = Url::parse(text) else { return wrong("its address is no URI") };
        let found = url.origin().ascii_serialization();
        if found != origin {
            return wrong(&format!(
                "it is at [{found}] instead of [{origin}]; behind a proxy, the coordinator needs \
                 http-server.process-forwarded=true"
            ));
        }
        if !url.username().is_empty() || url.password().is_some() || url.fragment().is_some() {
            return wrong("its address has more than a path and a query");
        }
        if !url.path().starts_with("/v1/statement/") {
            return wrong("its path does not begin with /v1/statement/");
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

    #[test]
    fn next_pages_are_only_followed_at_the_same_server() {
        let good = [
            "https://trino.example.com:8443/v1/statement/queued/20261122_1_a/y1/1",
            "https://TRINO.example.com:8443/v1/statement/executing/q/y/0?targetResultSize=1MB",
        ];
        for text in good {
            NextUri::parse(text, ORIGIN).unwrap();
        }
        let bad = [
            "",
            "/v1/statement/queued/q/y/1",
            "//evil.example/v1/statement/q",
            "http://trino.example.com:8443/v1/statement/q",
            "https://trino.example.com/v1/statement/q",
            "https://trino.example.com:8444/v1/statement/q",
            "https://trino.example.com.evil.example:8443/v1/statement/q",
            "https://trino.example.com:8443@evil.example/v1/statement/q",
            "https://user@trino.example.com:8443/v1/statement/q",
            "https://evil.example\\@trino.example.com:8443/v1/statement/q",
            "https://trino.example.com:8443/v1/statement/../../ui/",
            "https://trino.example.com:8443/v1/statement/%2e%2e/%2e%2e/ui/",
            "https://trino.example.com:8443/v1/statement",
            "https://trino.example.com:8443/v1/statement/q#f",
            "file:///v1/statement/q",
            "javascript:alert(1)",
            "https://[::ffff:127.0.0.1]:8443/v1/statement/q",
        ];
        for text in bad {
            let error = NextUri::parse(text, ORIGIN).unwrap_err();
            assert!(!error.contains("/q") && !error.contains('\n'), "{text}: {error}");
        }
    }

    proptest! {
        #[test]
        fn no_uri_leads_anywhere_else(
            text in "(https?:)?[/\\\\]{0,3}[a-z:@%.0-9/\\\\?#\t]{0,20}(trino\\.example\\.com)?[:@0-9a-z/.%\\\\#?]{0,30}|\\PC{0,60}",
        ) {
            let nearly = format!("{ORIGIN}{text}");
            for text in [text, nearly] {
                if let Ok(uri) = NextUri::parse(&text, ORIGIN) {
                    let url = Url::parse(uri.as_str()).unwrap();
                    prop_assert_eq!(url.scheme(), "https");
                    prop_assert_eq!(url.host_str(), Some("trino.example.com"));
                    prop_assert_eq!(url.port(), Some(8443));
                    prop_assert!(url.path().starts_with("/v1/statement/"));
                    prop_assert!(url.username().is_empty() && url.password().is_none());
                }
            }
        }
    }
}
