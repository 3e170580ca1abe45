//! Query of a request, read by the parameters that its route declares.

use std::collections::BTreeMap;
use std::time::Duration;

use super::parameter::{Parameter, instant, label, span};
use super::problem::{BadParameter, Problem};
use crate::domain::Timestamp;
use crate::input::{nearest, quoted};

/// Number of values in a query at most.
const VALUES_MAX: usize = 64;
/// Number of values of one parameter at most.
pub(crate) const REPEATED_MAX: usize = 16;

/// Values of a query, each of which its parameter takes.
#[derive(Clone, Debug, Default)]
pub(crate) struct Query {
    values: Vec<(&'static str, String)>,
}

impl Query {
    /// Reads a query, such as `status=enabled&limit=10`.
    ///
    /// # Errors
    ///
    /// Fails with everything that is wrong: unknown names, wrong values, and what occurs twice.
    pub(crate) fn read(text: &str, known: &[Parameter]) -> Result<Self, Problem> {
        let (mut values, mut wrong) = (Vec::<(&'static str, String)>::new(), Vec::new());
        for (name, value) in form_urlencoded::parse(text.as_bytes()) {
            if VALUES_MAX <= values.len() + wrong.len() {
                wrong.push(BadParameter::new("", format!("more than {VALUES_MAX} values")));
                break;
            }
            let Some(parameter) = known.iter().find(|one| one.name == name) else {
                wrong.push(unknown(&name, known));
                continue;
            };
            let before = values.iter().filter(|(other, _)| *other == parameter.name).count();
            let problem = if 0 < before && !parameter.is_repeated {
                Some("it occurs more than once".to_owned())
            } else if REPEATED_MAX <= before {
                Some(format!("it occurs more than {REPEATED_MAX} times"))
            } else if value.contains('\u{fffd}') {
                Some("it is not UTF-8".to_owned())
            } else {
                parameter.problem(&value)
            };
            match problem {
                Some(problem) => wrong.push(BadParameter::new(parameter.name, problem)),
                None => values.push((parameter.name, value.into_owned())),
            }
        }
        if wrong.is_empty() { Ok(Self { values }) } else { Err(Problem::parameters(wrong)) }
    }

    /// Returns the first value of a parameter.
    pub(crate) fn text(&self, name: &str) -> Option<&str> {
        self.all(name).next()
    }

    /// Returns every value of a parameter, in their order.
    pub(crate) fn all<'q>(&'q self, name: &str) -> impl Iterator<Item = &'q str> {
        self.values.iter().filter(move |(other, _)| *other == name).map(|(_, value)| value.as_str())
    }

    /// Returns a flag; none where it is not given.
    pub(crate) fn flag(&self, name: &str) -> Option<bool> {
        self.text(name).map(|value| value == "true")
    }

    /// Returns a whole number that the parameter's range allows.
    pub(crate) fn integer<T: TryFrom<i64>>(&self, name: &str) -> Option<T> {
        self.text(name)?.parse::<i64>().ok()?.try_into().ok()
    }

    /// Returns an instant of a parameter.
    pub(crate) fn instant(&self, name: &str) -> Option<Timestamp> {
        instant(self.text(name)?)
    }

    /// Returns a duration of a parameter.
    pub(crate) fn duration(&self, name: &str) -> Option<Duration> {
        span(self.text(name)?)
    }

    /// Returns labels by their keys, with patterns of their values.
    pub(crate) fn labels(&self, name: &str) -> BTreeMap<String, String> {
        let pairs = self.all(name).filter_map(label);
        pairs.map(|(key, value)| (key.to_owned(), value.to_owned())).collect()
    }

    /// Returns the query again, without the parameters of these names.
    pub(crate) fn without(&self, names: &[&str]) -> String {
        let mut text = form_urlencoded::Serializer::new(String::new());
        for (name, value) in self.values.iter().filter(|(name, _)| !names.contains(name)) {
            text.append_pair(name, value);
        }
        text.finish()
    }
}

fn unknown(name: &str, known: &[Parameter]) -> BadParameter {
    let hint = match nearest(name, known.iter().map(|one| one.name)) {
        Some(near) => format!("; did you mean `{near}`?"),
        None if known.is_empty() => "; this route takes none".to_owned(),
        None => {
            let names: Vec<_> = known.iter().map(|one| one.name).collect();
            format!("; known are `{}`", names.join("`, `"))
        }
    };
    BadParameter::new(name, format!("{} is not a parameter{hint}", quoted(name)))
}

#[cfg(test)]
mod tests {
    use super::super::parameter::Kind;
    use super::*;
    use crate::input::fuzz::fuzz;

    const KNOWN: &[Parameter] = &[
        Parameter::once("limit", Kind::Integer(1, 1000), ""),
        Parameter::once("failing", Kind::Flag, ""),
        Parameter::repeated("label", Kind::Label, ""),
        Parameter::once("since", Kind::Instant, ""),
        Parameter::once("q", Kind::Text, ""),
        Parameter::once("within", Kind::Duration, ""),
        Parameter::once("month", Kind::Month, ""),
    ];

    fn problem(text: &str) -> String {
        Query::read(text, KNOWN).map_err(|problem| problem.detail()).unwrap_err()
    }

    #[test]
    fn values_are_read_by_their_kinds() {
        let text = "limit=7&failing=true&label=team%3Ddata&label=tier=*&since=2026-11-23T10:00:00Z\
                    &q=a+%26b&within=2d&month=2026-11";
        let query = Query::read(text, KNOWN).unwrap();
        assert_eq!(query.integer::<u32>("limit"), Some(7));
        assert_eq!((query.flag("failing"), query.text("q")), (Some(true), Some("a &b")));
        let labels = query.labels("label").into_iter().collect::<Vec<_>>();
        let pair = |key: &str, value: &str| (key.to_owned(), value.to_owned());
        assert_eq!(labels, [pair("team", "data"), pair("tier", "*")]);
        assert_eq!(
            query.instant("since").map(|at| at.to_string()),
            Some("2026-11-23T10:00:00Z".to_owned())
        );
        assert_eq!(query.duration("within"), Some(Duration::from_hours(48)));
        assert_eq!(query.text("month"), Some("2026-11"));
        assert_eq!(Query::read("", KNOWN).unwrap().text("q"), None);
        assert_eq!(
            query.without(&["limit", "label", "since", "within", "month"]),
            "failing=true&q=a+%26b"
        );
    }

    #[test]
    fn fuzz_queries_are_read_or_refused_with_what_is_wrong() {
        let seeds = [
            "limit=7&failing=true&label=team%3Ddata&label=tier=*&since=2026-11-23T10:00:00Z",
            "q=a+%26b&within=2d&month=2026-11&q=%ff",
        ];
        fuzz(&seeds.map(|seed| seed.as_bytes().to_vec()), |bytes| {
            match Query::read(&String::from_utf8_lossy(bytes), KNOWN) {
                Ok(query) => {
                    let _values = (query.integer::<u32>("limit"), query.flag("failing"));
                    let _values = (query.instant("since"), query.duration("within"));
                    let again = query.without(&[]);
                    assert_eq!(Query::read(&again, KNOWN).unwrap().without(&[]), again);
                }
                Err(problem) => assert!(!problem.detail().is_empty()),
            }
        });
    }

    #[test]
    fn everything_that_is_wrong_is_named_at_once() {
        let table = [
            ("limt=1", "\"limt\" is not a parameter; did you mean `limit`?"),
            ("zzzzzz=1", "known are `limit`, `failing`"),
            ("limit=0", "from 1 to 1000"),
            ("limit=1&limit=2", "`limit`: it occurs more than once"),
            ("q=%ff", "`q`: it is not UTF-8"),
            ("failing=1&limit=x", "`failing`: \"1\" is not `true` or `false`; `limit`: \"x\""),
        ];
        for (text, expected) in table {
            assert!(problem(text).contains(expected), "{text}: {}", problem(text));
        }
        assert!(problem(&"label=a=b&".repeat(17)).contains("it occurs more than 16 times"));
        assert!(problem(&"label=a=b&".repeat(100)).contains("more than 64 values"));
        let none = Query::read("a=1", &[]).map_err(|problem| problem.detail()).unwrap_err();
        assert!(none.contains("this route takes none"), "{none}");
    }
}
