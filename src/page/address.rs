//! Addresses within the page: each part is percent-encoded once, and what a viewer chose (zone, colours) goes
//! along with every link.

use form_urlencoded::Serializer;

pub(crate) use crate::domain::{integration_path as integration, named_path as named};

/// Pairs string of a request: its pairs in order, and those that every link keeps.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(crate) struct Pairs(Vec<(String, String)>);

/// Parameters that every link keeps.
const KEPT: [&str; 2] = ["tz", "theme"];

impl Pairs {
    /// Reads a query string; what is not UTF-8 is replaced. A value of several lines, as fields of forms have it, is
    /// several values.
    pub(crate) fn parse(text: &str) -> Self {
        let mut all = Vec::new();
        for (key, value) in form_urlencoded::parse(text.as_bytes()) {
            let lines = value.split('\n').map(|line| line.strip_suffix('\r').unwrap_or(line));
            all.extend(lines.map(|line| (key.clone().into_owned(), line.to_owned())));
        }
        Self(all)
    }

    /// Reads the body of a form, whose values are taken as they are.
    pub(crate) fn of_form(text: &str) -> Self {
        Self(form_urlencoded::parse(text.as_bytes()).into_owned().collect())
    }

    /// Returns the fields of a form that keeps the pairs: one for each name but those of `others`, with its values
    /// as lines.
    pub(crate) fn fields(&self, others: &[&str]) -> Vec<(String, String)> {
        let mut fields: Vec<(String, String)> = Vec::new();
        for (key, value) in self.pairs().filter(|(key, _)| !others.contains(key)) {
            match fields.iter_mut().find(|(name, _)| name == key) {
                Some((_, lines)) => lines.extend(["\n", value]),
                None => fields.push((key.to_owned(), value.to_owned())),
            }
        }
        fields
    }

    /// Returns the first value of a parameter that is not empty.
    pub(crate) fn get(&self, key: &str) -> Option<&str> {
        let found = self.0.iter().find(|(name, value)| name == key && !value.is_empty());
        found.map(|(_, value)| value.as_str())
    }

    /// Returns each value of a parameter that is not empty.
    pub(crate) fn all<'a>(&'a self, key: &'a str) -> impl Iterator<Item = &'a str> {
        let of = self.0.iter().filter(move |(name, value)| name == key && !value.is_empty());
        of.map(|(_, value)| value.as_str())
    }

    /// Returns the pairs whose values are not empty.
    pub(crate) fn pairs(&self) -> impl Iterator<Item = (&str, &str)> {
        let given = self.0.iter().filter(|(_, value)| !value.is_empty());
        given.map(|(key, value)| (key.as_str(), value.as_str()))
    }

    /// Returns the query with one value for `key` in place of all that it has.
    #[must_use]
    pub(crate) fn with(&self, key: &str, value: &str) -> Self {
        let mut query = self.without(key);
        query.0.push((key.to_owned(), value.to_owned()));
        query
    }

    /// Returns the query with one value more for `key`.
    #[must_use]
    pub(crate) fn plus(&self, key: &str, value: &str) -> Self {
        let mut query = self.clone();
        query.0.push((key.to_owned(), value.to_owned()));
        query
    }

    /// Returns the query without the values of `key`.
    #[must_use]
    pub(crate) fn without(&self, key: &str) -> Self {
        Self(self.0.iter().filter(|(name, _)| name != key).cloned().collect())
    }

    /// Returns the query without one value of `key`.
    #[must_use]
    pub(crate) fn minus(&self, key: &str, value: &str) -> Self {
        let is_it = |pair: &&(String, String)| pair.0 == key && pair.1 == value;
        Self(self.0.iter().filter(|pair| !is_it(pair)).cloned().collect())
    }

    /// Returns only what every link keeps.
    #[must_use]
    pub(crate) fn kept(&self) -> Self {
        Self(self.0.iter().filter(|(name, _)| KEPT.contains(&name.as_str())).cloned().collect())
    }

    /// Returns the address of `path` with the query.
    pub(crate) fn at(&self, path: &str) -> String {
        let text = Serializer::new(String::new()).extend_pairs(self.pairs()).finish();
        if text.is_empty() { path.to_owned() } else { format!("{path}?{text}") }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_keep_the_choices_of_the_viewer_only() {
        let query =
            Pairs::parse("q=a+b&type=Native%20S3&type=Trino&tz=Europe%2FBerlin&theme=dark&empty=");
        assert_eq!(query.get("q"), Some("a b"));
        assert_eq!(query.get("empty"), None);
        assert_eq!(query.all("type").collect::<Vec<_>>(), ["Native S3", "Trino"]);
        assert_eq!(query.kept().at("/expiry"), "/expiry?tz=Europe%2FBerlin&theme=dark");
        assert_eq!(Pairs::default().at("/"), "/");
    }

    #[test]
    fn form_has_one_field_for_all_values_of_a_parameter() {
        let query = Pairs::parse("type=a&q=x&type=b&closed=&tz=UTC&label=c%3D1%0D%0A%0D%0Ad%3D2");
        assert_eq!(query.at("/"), "/?type=a&q=x&type=b&tz=UTC&label=c%3D1&label=d%3D2");
        let fields = query.fields(&["tz"]);
        let fields: Vec<_> = fields.iter().map(|(key, value)| format!("{key}:{value}")).collect();
        assert_eq!(fields, ["type:a\nb", "q:x", "label:c=1\nd=2"]);
    }

    #[test]
    fn parameters_are_replaced_added_and_removed() {
        let query = Pairs::parse("type=a&type=b&q=x");
        assert_eq!(query.with("q", "y&z").at("/"), "/?type=a&type=b&q=y%26z");
        assert_eq!(query.plus("type", "c").at("/"), "/?type=a&type=b&q=x&type=c");
        assert_eq!(query.minus("type", "a").at("/"), "/?type=b&q=x");
        assert_eq!(query.without("type").at("/"), "/?q=x");
    }
}
