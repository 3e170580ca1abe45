//! The document of the interface: what it has promised stays, and what it demands grows no more.
//!
//! Each line of `tests/contract/openapi.v1.txt` is a promise or, after `needs`, a demand. A document may promise more: at a release the new lines
//! are added, from `target/openapi.v1.txt`.

use std::collections::BTreeSet;
use std::fs;

use serde_json::{Value, json};

/// Lines of a document.
#[derive(Debug, Default)]
struct Lines {
    promises: BTreeSet<String>,
    demands: BTreeSet<String>,
    /// Schemas that callers send: what they require is a demand.
    sent: BTreeSet<String>,
}

/// Returns the members of an object, or nothing.
fn members(value: &Value) -> impl Iterator<Item = (&String, &Value)> {
    value.as_object().into_iter().flatten()
}

/// Returns the texts of an array, or the only one.
fn texts(value: &Value) -> Vec<String> {
    let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    match value {
        Value::Null => Vec::new(),
        Value::Array(all) => all.iter().map(text).collect(),
        Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Object(_) => {
            vec![text(value)]
        }
    }
}

impl Lines {
    fn of(document: &Value) -> Self {
        let mut lines = Self::default();
        for (path, operations) in members(&document["paths"]) {
            for (method, operation) in members(operations) {
                lines.operation(&format!("{} {path}", method.to_uppercase()), operation);
            }
        }
        for (name, schema) in members(&document["components"]["schemas"]) {
            let is_sent = lines.sent.contains(name);
            lines.promises.insert(name.clone());
            lines.schema(name, schema, is_sent);
        }
        lines
    }

    fn operation(&mut self, at: &str, operation: &Value) {
        self.promises.insert(at.to_owned());
        for parameter in operation["parameters"].as_array().into_iter().flatten() {
            let [place, name] = ["in", "name"].map(|key| parameter[key].as_str().unwrap());
            let at = format!("{at} {place} {name}");
            if parameter["required"] == true {
                self.demands.insert(at.clone());
            }
            self.schema(&at, &parameter["schema"], true);
        }
        let body = &operation["requestBody"];
        if body["required"] == true {
            self.demands.insert(format!("{at} body"));
        }
        for (_, content) in members(&body["content"]) {
            let name = content["schema"]["$ref"].as_str().unwrap().rsplit('/').next().unwrap();
            self.sent.insert(name.to_owned());
            self.promises.insert(format!("{at} takes {name}"));
        }
        for (code, answer) in members(&operation["responses"]) {
            self.promises.insert(format!("{at} {code}"));
            for (kind, content) in members(&answer["content"]) {
                self.schema(&format!("{at} {code} {kind}"), &content["schema"], false);
            }
        }
    }

    /// Adds the lines of a schema at a place; of one that is sent, required members are demands.
    fn schema(&mut self, at: &str, schema: &Value, is_sent: bool) {
        if !schema.is_object() {
            return;
        }
        for key in
            ["$ref", "type", "format", "pattern", "minimum", "maximum", "minLength", "maxLength"]
        {
            for text in texts(&schema[key]) {
                self.promises.insert(format!("{at} {key} {text}"));
            }
        }
        for text in [&schema["enum"], &schema["const"]].into_iter().flat_map(texts) {
            self.promises.insert(format!("{at} may be {text}"));
        }
        for name in texts(&schema["required"]) {
            let lines = if is_sent { &mut self.demands } else { &mut self.promises };
            lines.insert(format!("{at}.{name} is there"));
        }
        for (name, inner) in members(&schema["properties"]) {
            self.promises.insert(format!("{at}.{name}"));
            self.schema(&format!("{at}.{name}"), inner, is_sent);
        }
        for (key, sign) in [("items", "[]"), ("additionalProperties", "{}")] {
            self.schema(&format!("{at}{sign}"), &schema[key], is_sent);
        }
        for key in ["anyOf", "oneOf", "allOf"] {
            for inner in schema[key].as_array().into_iter().flatten() {
                self.schema(at, inner, is_sent);
            }
        }
    }

    fn text(&self) -> String {
        let demands = self.demands.iter().map(|line| format!("needs {line}\n"));
        self.promises.iter().map(|line| format!("{line}\n")).chain(demands).collect()
    }

    /// Returns the promises of the frozen lines that are broken, and demands of its operations that are new.
    fn broken(&self, frozen: &str) -> Vec<String> {
        let of = |line: &&str| line.strip_prefix("needs ").map(str::to_owned);
        let demanded: BTreeSet<_> = frozen.lines().filter_map(|line| of(&line)).collect();
        let promised: BTreeSet<_> = frozen.lines().filter(|line| of(line).is_none()).collect();
        let broken = promised.iter().filter(|line| !self.promises.contains(**line));
        let known = |line: &&String| {
            let is_of = |known: &&str| {
                line.strip_prefix(known).is_some_and(|rest| rest.starts_with([' ', '.']))
            };
            promised.iter().any(is_of)
        };
        let new = self.demands.iter().filter(|line| !demanded.contains(*line)).filter(known);
        broken
            .map(|line| format!("no longer: {line}"))
            .chain(new.map(|line| format!("new: needs {line}")))
            .collect()
    }
}

#[test]
fn published_document_keeps_what_it_has_promised() {
    let document = fs::read_to_string("schemas/openapi.v1.json").unwrap();
    let lines = Lines::of(&serde_json::from_str(&document).unwrap());
    fs::create_dir_all("target").unwrap();
    fs::write("target/openapi.v1.txt", lines.text()).unwrap();
    let frozen = fs::read_to_string("tests/contract/openapi.v1.txt").unwrap();
    assert!(1000 < frozen.lines().count(), "the lines are those of the whole document");
    assert_eq!(lines.broken(&frozen), [""; 0]);
}

/// A document with one operation that takes a body, and one without.
fn small() -> Value {
    let schema =
        |name: &str| json!({ "schema": { "$ref": format!("#/components/schemas/{name}") } });
    json!({
        "paths": {
            "/a": { "get": {
                "parameters": [{ "in": "query", "name": "q", "schema": { "type": "string", "enum": ["x", "y"] } }],
                "responses": { "200": { "content": { "application/json": schema("A") } }, "404": {} },
            } },
            "/b": { "post": {
                "requestBody": { "content": { "application/json": schema("B") } },
                "responses": { "200": { "content": { "application/json": { "schema": { "type": "array", "items": schema("A")["schema"] } } } } },
            } },
        },
        "components": { "schemas": {
            "A": { "type": "object", "required": ["m"], "properties": { "m": { "anyOf": [{ "type": "integer" }, { "type": "null" }] }, "n": { "type": "string" } } },
            "B": { "type": "object", "required": ["s"], "properties": { "s": { "type": "string" }, "t": { "type": "string" } } },
        } },
    })
}

#[test]
fn change_that_breaks_a_caller_is_noticed_and_growth_is_not() {
    let frozen = Lines::of(&small()).text();
    let table: [(&str, &str, Value, usize); 15] = [
        (
            "/paths/~1c",
            "get",
            json!({ "parameters": [{ "in": "path", "name": "p", "required": true, "schema": {} }] }),
            0,
        ),
        ("/components/schemas/A/properties", "o", json!({ "type": "string" }), 0),
        ("/components/schemas/B/properties", "u", json!({ "type": "string" }), 0),
        ("/paths/~1a/get/responses", "503", json!({}), 0),
        ("/paths/~1a/get/parameters/0/schema", "enum", json!(["x", "y", "z"]), 0),
        ("/components/schemas/A", "required", json!(["m", "n"]), 0),
        ("/components/schemas/B", "required", json!([]), 0),
        ("/components/schemas/A/properties", "n", json!(null), 1),
        ("/components/schemas/A/properties/n", "type", json!("integer"), 1),
        ("/components/schemas/A/properties/m", "anyOf", json!([{ "type": "integer" }]), 1),
        ("/components/schemas/A", "required", json!([]), 1),
        ("/components/schemas/B", "required", json!(["s", "t"]), 1),
        ("/paths/~1a/get/parameters/0/schema", "enum", json!(["x"]), 1),
        ("/paths/~1a/get/parameters/0", "required", json!(true), 1),
        ("/paths/~1b/post/requestBody", "required", json!(true), 1),
    ];
    for (place, key, value, expected) in table {
        let mut changed = small();
        if place == "/paths/~1c" {
            changed["paths"]["/c"] = json!({});
        }
        changed.pointer_mut(place).unwrap()[key] = value.clone();
        let broken = Lines::of(&changed).broken(&frozen);
        assert_eq!(usize::from(!broken.is_empty()), expected, "{place} {key} {value}: {broken:?}");
    }
    let mut changed = small();
    changed["paths"]["/a"]["get"]["responses"].as_object_mut().unwrap().remove("404");
    assert_eq!(Lines::of(&changed).broken(&frozen), ["no longer: GET /a 404"]);
    changed["paths"].as_object_mut().unwrap().remove("/a");
    assert!(Lines::of(&changed).broken(&frozen).contains(&"no longer: GET /a".to_owned()));
}
