//! TOML, YAML and JSON text to values that know their lines.

mod json;
mod toml;
mod yaml;

use std::cell::RefCell;
use std::path::Path;
use std::sync::Arc;

use crate::input::Value;

/// The deepest nesting of lists and tables.
const DEPTH_MAX: usize = 64;

/// How a file is written; its extension tells.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Format {
    /// TOML 1.1.
    Toml,
    /// YAML 1.2, core schema.
    Yaml,
    /// JSON, strictly.
    Json,
}

/// Text that is not in its format.
#[derive(Debug)]
pub(super) struct Malformed {
    /// Where, from 1.
    pub(super) line: usize,
    /// What is wrong; never a piece of the text.
    pub(super) message: String,
}

impl Format {
    /// The format that the extension of `path` names.
    pub(super) fn of(path: &Path) -> Option<Self> {
        match path.extension()?.to_str()? {
            "toml" => Some(Self::Toml),
            "yaml" => Some(Self::Yaml),
            "json" => Some(Self::Json),
            _other => None,
        }
    }

    /// Reads `text`, whose values will say that they come from `file`.
    pub(super) fn parse(self, text: &str, file: &str) -> Result<Value, Malformed> {
        let origins = Origins { file, last: RefCell::new((0, Arc::from(file))) };
        match self {
            Self::Toml => toml::parse(text, &origins),
            Self::Yaml => yaml::parse(text, &origins),
            Self::Json => json::parse(text, &origins),
        }
    }
}

/// Makes origins, one allocation per line.
#[derive(Debug)]
struct Origins<'a> {
    file: &'a str,
    last: RefCell<(usize, Arc<str>)>,
}

impl Origins<'_> {
    fn at(&self, line: usize) -> Arc<str> {
        let mut last = self.last.borrow_mut();
        if last.0 != line {
            *last = (line, format!("{}:{line}", self.file).into());
        }
        Arc::clone(&last.1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::input::Kind;

    const TOML: &str = r#"# a comment
name = "ä"
[integration.config]
port = 5439
rate = 0.5
list = [
  "a",
  { on = true },
]
dotted.key = 1
[[tables]]
one = 1
[[tables]]
"#;
    const YAML: &str = r#"# a comment
name: ä
integration:
  config:
    port: 5439
    rate: 0.5
    list:
      - "a"
      - { "on": true }
    dotted: {key: 1}
tables:
  - one: 1
  - {}
"#;
    const JSON: &str = r#"{
    "name": "\u00e4",
  "integration": { "config": {
    "port": 5439, "rate": 0.5,
    "list": [
      "a",
      { "on": true } ],
    "dotted": {"key"
      : 1}
  } },
  "tables": [{"one": 1},
    {}]
}
"#;

    fn lines(value: &Value, path: &str, out: &mut Vec<String>) {
        let line = value.origin.rsplit_once(':').unwrap().1;
        match &value.kind {
            Kind::Table(entries) => {
                out.push(format!("{path}@{line}"));
                for (key, item) in entries {
                    lines(item, &format!("{path}/{key}"), out);
                }
            }
            Kind::Array(items) => {
                out.push(format!("{path}@{line}"));
                for (index, item) in items.iter().enumerate() {
                    lines(item, &format!("{path}/{index}"), out);
                }
            }
            Kind::Null | Kind::Bool(_) | Kind::Integer(_) | Kind::Float(_) | Kind::String(_) => {
                out.push(format!("{path}@{line}={}", value.to_json()));
            }
        }
    }

    fn located(format: Format, text: &str) -> String {
        let value = format.parse(text, "f").unwrap();
        let mut out = Vec::new();
        lines(&value, "", &mut out);
        out.join(" ")
    }

    #[test]
    fn the_three_formats_give_the_same_values_each_with_its_line() {
        let values: Vec<_> = [(Format::Toml, TOML), (Format::Yaml, YAML), (Format::Json, JSON)]
            .map(|(format, text)| format.parse(text, "f").unwrap().to_json())
            .into();
        assert_eq!(values[0], values[1]);
        assert_eq!(values[1], values[2]);
        assert_eq!(
            located(Format::Toml, TOML),
            "@1 /name@2=\"ä\" /integration@3 /integration/config@3 /integration/config/port@4=5439 \
             /integration/config/rate@5=0.5 /integration/config/list@6 \
             /integration/config/list/0@7=\"a\" /integration/config/list/1@8 \
             /integration/config/list/1/on@8=true /integration/config/dotted@10 \
             /integration/config/dotted/key@10=1 /tables@11 /tables/0@11 /tables/0/one@12=1 \
             /tables/1@13"
        );
        assert_eq!(
            located(Format::Yaml, YAML),
            "@2 /name@2=\"ä\" /integration@3 /integration/config@4 /integration/config/port@5=5439 \
             /integration/config/rate@6=0.5 /integration/config/list@7 \
             /integration/config/list/0@8=\"a\" /integration/config/list/1@9 \
             /integration/config/list/1/on@9=true /integration/config/dotted@10 \
             /integration/config/dotted/key@10=1 /tables@11 /tables/0@12 /tables/0/one@12=1 \
             /tables/1@13"
        );
        assert_eq!(
            located(Format::Json, JSON),
            "@1 /name@2=\"ä\" /integration@3 /integration/config@3 /integration/config/port@4=5439 \
             /integration/config/rate@4=0.5 /integration/config/list@5 \
             /integration/config/list/0@6=\"a\" /integration/config/list/1@7 \
             /integration/config/list/1/on@7=true /integration/config/dotted@8 \
             /integration/config/dotted/key@8=1 /tables@11 /tables/0@11 /tables/0/one@11=1 \
             /tables/1@12"
        );
    }

    proptest::proptest! {
        #[test]
        fn no_text_brings_a_parser_down(text in "[\\[\\]{}:,&*!|>?%@`#'\"\\\\<= \n\t.a1-]{0,40}|.{0,40}") {
            for format in [Format::Toml, Format::Yaml, Format::Json] {
                if let Ok(value) = format.parse(&text, "f") {
                    value.to_json();
                }
            }
        }
    }

    #[test]
    fn bottomless_nesting_is_refused() {
        let deep = |open: &str, close: &str| format!("{}{}", open.repeat(200_000), close);
        for (format, text) in [
            (Format::Json, deep("[", "")),
            (Format::Json, deep("{\"a\":", "")),
            (Format::Yaml, deep("[", "")),
            (Format::Yaml, deep("- ", "a")),
            (Format::Yaml, deep("- &a ", "a")),
            (Format::Yaml, deep("? ", "a")),
            (Format::Yaml, deep("{a: ", "")),
            (Format::Toml, format!("a = {}", deep("[", ""))),
            (Format::Toml, format!("a = {}", deep("{a=", ""))),
            (Format::Toml, format!("{} = 1", vec!["a"; 200_000].join("."))),
            (Format::Toml, format!("[{}]", vec!["a"; 200_000].join("."))),
        ] {
            let fault = format.parse(&text, "f").unwrap_err();
            assert_eq!(fault.line, 1, "{format:?} {}", &text[..8]);
        }
    }
}
