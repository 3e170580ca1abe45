//! Exploration of what a reader asks for: every choice, flag and table that it looks for is given to it in turn.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use serde_json::{Value as Json, json};

use crate::domain::duration_text;
use crate::input::asked::Shape;

/// Number of documents that one exploration reads at most.
const DOCUMENTS_MAX: usize = 20_000;

/// Keys that were asked for, by their paths, with the shapes that they are read in.
pub(super) type Keys = BTreeMap<String, BTreeSet<Shape>>;

/// Returns every key that `read` asks for, from an empty document on, with each of the choices. A key is required when each reading of its
/// table asks for it as such.
pub(super) fn explored(read: impl Fn(&Json) -> Vec<(String, Shape)>) -> Keys {
    let mut keys = Keys::new();
    let (mut tables, mut required) = (BTreeMap::new(), BTreeMap::new());
    let (mut kinds, mut seen) = (BTreeSet::new(), BTreeSet::new());
    let mut queue = VecDeque::from([json!({})]);
    let mut documents = 0;
    while let Some(document) = queue.pop_front() {
        documents += 1;
        assert!(documents <= DOCUMENTS_MAX, "the exploration does not end");
        let asked = read(&document);
        for table in asked.iter().map(|(path, _)| parent(path)).collect::<BTreeSet<_>>() {
            *tables.entry(table.to_owned()).or_insert(0) += 1;
        }
        let needed = asked.iter().filter(|(_, shape)| *shape == Shape::Required);
        for (path, _) in needed.collect::<BTreeSet<_>>() {
            *required.entry(path.clone()).or_insert(0) += 1;
        }
        let chosen = asked.iter().filter(|(path, shape)| is_kind(path, shape));
        kinds.extend(chosen.map(|(path, _)| path.clone()));
        let chosen: Vec<_> = kinds.iter().map(|kind| document[kind].to_string()).collect();
        for (path, shape) in asked {
            if seen.insert((path.clone(), shape.clone(), chosen.clone())) {
                let samples = samples(&shape).into_iter();
                queue.extend(samples.map(|value| with(&document, &path, value)));
            }
            keys.entry(path).or_default().insert(shape);
        }
    }
    for (path, shapes) in &mut keys {
        if required.get(path) != tables.get(parent(path)) {
            shapes.remove(&Shape::Required);
        }
    }
    keys
}

/// Returns true for a choice of the whole table, such as a kind of credentials: other keys may mean something else then.
fn is_kind(path: &str, shape: &Shape) -> bool {
    matches!(shape, Shape::Choice(_)) && !path.contains(['.', '['])
}

/// Returns the path of the table that the key at `path` is in.
fn parent(path: &str) -> &str {
    path.rsplit_once('.').map_or("", |(table, _)| table)
}

/// Returns values of a shape, each of which may lead a reader to other keys.
fn samples(shape: &Shape) -> Vec<Json> {
    let file = json!({ "file": "/x" });
    match shape {
        Shape::Any | Shape::Required => {
            vec![json!("x"), json!(7), json!(true), json!({}), json!([{}]), file]
        }
        Shape::Text | Shape::Digits => vec![json!("x"), json!("https://a.example.com/x")],
        Shape::Boolean => vec![json!(true), json!(false)],
        Shape::Integer(min, _) | Shape::IntegerOrText(min, _) => vec![json!(min)],
        Shape::Duration(min, _) => vec![json!(duration_text(*min))],
        Shape::Durations(min, _) => vec![json!([duration_text(*min)])],
        Shape::Choice(words) => words.iter().map(|word| json!(word)).collect(),
        Shape::Texts => vec![json!(["x"])],
        Shape::TextMap | Shape::Values => vec![json!({ "a": "x" })],
        Shape::Table => vec![json!({})],
        Shape::Secret => vec![file],
        Shape::Secrets => vec![json!([file])],
    }
}

/// Returns the document with another value at `path`, whose tables and lists are made where they are missing.
fn with(document: &Json, path: &str, value: Json) -> Json {
    let mut document = document.clone();
    let mut at = &mut document;
    for part in path.split(['.', '[']).filter(|part| !part.is_empty()) {
        if let Some(index) = part.strip_suffix(']') {
            if !at.is_array() {
                *at = json!([]);
            }
            let items = at.as_array_mut().unwrap();
            let index: usize = index.parse().unwrap();
            items.resize(items.len().max(index + 1), json!({}));
            at = &mut items[index];
            continue;
        }
        if !at.is_object() {
            *at = json!({});
        }
        at = at.as_object_mut().unwrap().entry(part).or_insert(Json::Null);
    }
    *at = value;
    document
}

#[test]
fn keys_below_choices_and_tables_are_found() {
    use crate::input::{Faults, Reader, Value, asked};
    let read = |document: &Json| {
        let value = Value::from_json(document, &"f:1".into());
        asked::recorded(|| {
            let faults = Faults::default();
            let mut reader = Reader::new(&value, "", &faults).unwrap();
            if reader.required_string("kind").is_some()
                && reader.choice("kind", &[("b", ())]).is_some()
            {
                let deep = reader.table("deep");
                deep.map(|mut deep| deep.required("token").is_some() && deep.has("more"));
            }
            reader.finish();
        })
    };
    let keys = explored(read);
    let paths: Vec<_> = keys.keys().map(String::as_str).collect();
    assert_eq!(paths, ["deep", "deep.more", "deep.token", "kind"]);
    assert!(
        keys["kind"].contains(&Shape::Required) && keys["deep.token"].contains(&Shape::Required)
    );
}
