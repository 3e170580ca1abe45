//! Integrations from a table of comma-separated values: a heading names the key of each column, and each
//! line after it is an integration.

use std::path::Path;
use std::sync::Arc;

use ::csv::{ReaderBuilder, StringRecord, Trim};

use super::draft::insert;
use crate::config::entry::Entry;
use crate::config::format::Format;
use crate::input::{Fault, Faults, Kind, Value, quoted};

/// Last parts of the keys whose values are whole numbers.
const NUMBERS: [&str; 4] = ["port", "confirm_runs", "recovery_runs", "flap_flips"];
/// Number of integrations that one file can have.
const ROWS_MAX: usize = 10_000;

/// Reads the integrations of a table with a heading; `shown` is its path in messages, and each gets
/// `template` unless it has a column for it. Faults go to `faults`.
///
/// A heading is a key such as `name`, `config.host` or `labels.team`. An empty cell is a missing key,
/// `true` and `false` are booleans, ports and counts are whole numbers, and a cell that begins with `{` is
/// an inline table such as `{ credential = "lake-key" }`.
pub(super) fn read(
    text: &str,
    shown: &Path,
    template: Option<&str>,
    faults: &Faults,
) -> Vec<Entry> {
    let source = Source { file: shown.display().to_string(), faults };
    let mut reader = ReaderBuilder::new().trim(Trim::All).from_reader(text.as_bytes());
    let headings = match reader.headers() {
        Ok(headings) => headings.clone(),
        Err(error) => {
            source.fault(1, "", error.to_string());
            return Vec::new();
        }
    };
    source.check_headings(&headings);
    let mut entries = Vec::new();
    for record in reader.records() {
        match record {
            Ok(record) if entries.len() < ROWS_MAX => {
                entries.push(source.entry(&headings, &record, template));
            }
            Ok(record) => {
                let message = format!("more than {ROWS_MAX} integrations; split the file");
                source.fault(line(record.position()), "", message);
                break;
            }
            Err(error) => source.fault(line(error.position()), "", error.to_string()),
        }
    }
    entries
}

fn line(position: Option<&::csv::Position>) -> u64 {
    position.map_or(1, ::csv::Position::line)
}

/// File that is being read, with the faults found so far.
struct Source<'a> {
    file: String,
    faults: &'a Faults,
}

impl Source<'_> {
    fn fault(&self, line: u64, path: &str, message: String) {
        let origin = format!("{}:{line}", self.file);
        self.faults.push(Fault { origin, path: path.to_owned(), message });
    }

    /// Reports headings that are no keys, or are given twice.
    fn check_headings(&self, headings: &StringRecord) {
        for (place, heading) in headings.iter().enumerate() {
            if heading.split('.').any(str::is_empty) {
                let message = "expected a key such as `name` or `config.host`, found";
                self.fault(1, "", format!("{message} {}", quoted(heading)));
            } else if headings.iter().take(place).any(|other| other == heading) {
                self.fault(1, heading, "the column is given twice".to_owned());
            }
        }
    }

    /// Returns the integration of one line.
    fn entry(
        &self,
        headings: &StringRecord,
        record: &StringRecord,
        template: Option<&str>,
    ) -> Entry {
        let line = line(record.position());
        let origin: Arc<str> = format!("{}:{line}", self.file).into();
        let own = |kind| Value { kind, origin: Arc::clone(&origin) };
        let mut table = own(Kind::Table(Vec::new()));
        for (heading, cell) in headings.iter().zip(record).filter(|(_, cell)| !cell.is_empty()) {
            let path: Vec<_> = heading.split('.').collect();
            match value(heading, cell, &origin) {
                Ok(value) => insert(&mut table, &path, value),
                Err(message) => self.fault(line, heading, message.to_owned()),
            }
        }
        if let Some(template) = template.filter(|_| table.entry("template").is_none()) {
            insert(&mut table, &["template"], own(Kind::String(template.to_owned())));
        }
        if table.entry("config").is_none() {
            insert(&mut table, &["config"], own(Kind::Table(Vec::new())));
        }
        Entry { value: table, path: String::new() }
    }
}

/// Returns the value of a cell.
fn value(heading: &str, cell: &str, origin: &Arc<str>) -> Result<Value, &'static str> {
    let last = heading.rsplit('.').next().unwrap_or(heading);
    let is_number = NUMBERS.contains(&last);
    if !is_number && !matches!(cell, "true" | "false") && !cell.starts_with('{') {
        return Ok(Value { kind: Kind::String(cell.to_owned()), origin: Arc::clone(origin) });
    }
    let root = Format::Toml.parse(&format!("cell = {cell}"), "").ok();
    let found = root.as_ref().and_then(|root| root.entry("cell"));
    match found {
        Some(found) if !is_number || matches!(found.kind, Kind::Integer(_)) => {
            Ok(Value::from_json(&found.to_json(), origin))
        }
        _ if is_number => Err("expected a whole number"),
        _ => Err("expected an inline table such as { credential = \"name\" }"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TABLE: &str = "\
name,config.host,config.port,labels.team,config.password,disabled,schedule
a, h1 ,5439,data,{ credential = \"a\" },true,
b,h2,,\"x, y\",,,@hourly
";

    fn imported(text: &str) -> (Vec<Entry>, Vec<String>) {
        let faults = Faults::default();
        let entries = read(text, Path::new("t.csv"), Some("eu"), &faults);
        (entries, faults.into_parts().0.iter().map(ToString::to_string).collect())
    }

    #[test]
    fn each_line_is_an_integration_with_the_keys_of_the_headings() {
        let (entries, faults) = imported(TABLE);
        assert_eq!(faults, [""; 0]);
        let json: Vec<_> = entries.iter().map(|entry| entry.value.to_json()).collect();
        let expected = [
            serde_json::json!({
                "name": "a", "disabled": true, "labels": { "team": "data" }, "template": "eu",
                "config": { "host": "h1", "port": 5439, "password": { "credential": "a" } },
            }),
            serde_json::json!({
                "name": "b", "labels": { "team": "x, y" }, "schedule": "@hourly", "template": "eu",
                "config": { "host": "h2" },
            }),
        ];
        assert_eq!(json, expected);
        assert_eq!(&*entries[1].value.entry("name").unwrap().origin, "t.csv:3");
    }

    #[test]
    fn faults_name_the_line_and_the_column() {
        let table = [
            ("name,name\n", "t.csv:1: name: the column is given twice"),
            (
                "name,config.\n",
                "t.csv:1: expected a key such as `name` or `config.host`, found \"config.\"",
            ),
            ("name,config.port\na,x\n", "t.csv:2: config.port: expected a whole number"),
            (
                "name,config.password\na,{x\n",
                "t.csv:2: config.password: expected an inline table such as { credential = \"name\" }",
            ),
        ];
        for (text, expected) in table {
            assert_eq!(imported(text).1, [expected], "{text}");
        }
        let (_, faults) = imported("name,type\na\n");
        assert!(faults[0].starts_with("t.csv:2: "), "{faults:?}");
    }
}
