//! Parsers of TOML, YAML and JSON into values that have their lines.

mod json;
mod origin;
mod toml;
mod yaml;

use std::path::Path;

pub(super) use origin::Malformed;
use origin::Origins;

use crate::input::Value;

/// Format of a file, chosen by its extension.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Format {
    /// TOML 1.1, as `toml_edit` reads it.
    Toml,
    /// YAML 1.2, core schema.
    Yaml,
    /// JSON without comments or trailing commas.
    Json,
}

impl Format {
    /// Returns the format that the extension of `path` names.
    pub(super) fn of(path: &Path) -> Option<Self> {
        match path.extension()?.to_str()? {
            "toml" => Some(Self::Toml),
            "yaml" => Some(Self::Yaml),
            "json" => Some(Self::Json),
            _other => None,
        }
    }

    /// Parses `text` into a value whose origins name `file`.
    pub(super) fn parse(self, text: &str, file: &str) -> Result<Value, Malformed> {
        let origins = Origins::of(file);
        match self {
            Self::Toml => toml::parse(text, &origins),
            Self::Yaml => yaml::parse(text, &origins),
            Self::Json => json::parse(text, &origins),
        }
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
    fn same_document_in_three_formats_gives_the_same_values_with_their_lines() {
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
        fn no_text_makes_a_parser_panic(text in "[\\[\\]{}:,&*!|>?%@`#'\"\\\\<= \n\t.a1-]{0,40}|.{0,40}") {
            for format in [Format::Toml, Format::Yaml, Format::Json] {
                if let Ok(value) = format.parse(&text, "f") {
                    value.to_json();
                }
            }
        }
    }

    #[test]
    fn deep_nesting_is_refused() {
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
