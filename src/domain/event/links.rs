//! Links of events to the page, put into the body when the event is stored: every format and every later reader has
//! the same ones.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::domain::{HttpSettings, percent_encoded};

/// Links that people follow from an event.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(crate) struct Links {
    /// Address of the page about what the event is about.
    pub(crate) page: String,
}

/// Address by which people reach the page, without a slash at its end.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct PageUrl(Arc<str>);

impl PageUrl {
    /// Returns the address that the settings name; none when they name none, or there is no page.
    pub(crate) fn of(http: &HttpSettings) -> Option<Self> {
        let url = http.url.as_deref().filter(|_| http.page)?;
        Some(Self(url.into()))
    }

    /// Returns the links of an event about an integration.
    pub(crate) fn integration(&self, name: &str, id: i64) -> Links {
        self.at(&integration_path(name, id))
    }

    /// Returns the links of an event about an outage.
    pub(crate) fn outage(&self, id: &str) -> Links {
        self.at(&named_path("/outages", id))
    }

    /// Returns the links of an event about a receiver.
    pub(crate) fn receiver(&self, name: &str) -> Links {
        self.at(&named_path("/receivers", name))
    }

    /// Returns the links of an event about the daemon, which lead to the overview.
    pub(crate) fn overview(&self) -> Links {
        self.at("/")
    }

    /// Address of the tests.
    #[cfg(test)]
    pub(crate) fn sample() -> Self {
        Self("https://status.example.com".into())
    }

    fn at(&self, path: &str) -> Links {
        Links { page: format!("{}{path}", self.0) }
    }
}

/// Returns the path of an integration's page. Browsers take away segments of dots alone, whose integration is
/// addressed by its number.
pub(crate) fn integration_path(name: &str, id: i64) -> String {
    match name {
        "." | ".." => format!("/i/{id}"),
        name => named_path("/i", name),
    }
}

/// Returns the path of the page about something that has a name.
pub(crate) fn named_path(folder: &str, name: &str) -> String {
    format!("{folder}/{}", percent_encoded(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_begin_with_the_address_by_which_people_reach_the_page() {
        let http = |url: Option<&str>, page| HttpSettings {
            url: url.map(str::to_owned),
            page,
            ..HttpSettings::default()
        };
        assert_eq!(PageUrl::of(&http(None, true)), None);
        assert_eq!(PageUrl::of(&http(Some("https://a.example"), false)), None);
        let page = PageUrl::of(&http(Some("https://a.example/up"), true)).unwrap();
        let table = [
            (page.integration("a b/%", 5), "https://a.example/up/i/a%20b%2F%25"),
            (page.integration("..", 5), "https://a.example/up/i/5"),
            (page.outage("out_1"), "https://a.example/up/outages/out_1"),
            (page.receiver("on call"), "https://a.example/up/receivers/on%20call"),
            (page.overview(), "https://a.example/up/"),
        ];
        for (found, expected) in table {
            assert_eq!(found.page, expected);
        }
    }

    #[test]
    fn names_are_percent_encoded_once() {
        let long = "\u{1f30a}".repeat(128);
        let table = [
            ("lake", "/i/lake"),
            ("a b/c", "/i/a%20b%2Fc"),
            ("%2f", "/i/%252f"),
            ("<script>", "/i/%3Cscript%3E"),
            ("..", "/i/7"),
            (".", "/i/7"),
            ("?q=1&b#c", "/i/%3Fq%3D1%26b%23c"),
        ];
        for (name, expected) in table {
            assert_eq!(integration_path(name, 7), expected);
        }
        let path = integration_path(&long, 7);
        assert_eq!(path.len(), "/i/".len() + 128 * 12);
        assert_eq!(percent_encoding::percent_decode_str(&path[3..]).decode_utf8().unwrap(), long);
    }
}
