//! Templates: values that several integrations share.
//!
//! An integration that names a template gets the template's keys that it does not have itself; tables such
//! as `config` and `labels` are merged key by key. Every value keeps its origin, so that a fault is
//! reported where it was written.

use std::collections::BTreeMap;

use super::entry::Entry;
use crate::input::{Fault, Faults, Kind, Value, join, nearest, quoted};

/// Key by which an integration names its template.
const KEY: &str = "template";

/// Merges into each of `integrations` the template that it names; faults and warnings go to `faults`.
pub(super) fn apply(integrations: &mut [Entry], templates: &[Entry], faults: &Faults) {
    let named: BTreeMap<&str, &Entry> =
        templates.iter().filter_map(|one| Some((name(one, faults)?, one))).collect();
    let mut unused: BTreeMap<&str, &Entry> = named.clone();
    for entry in integrations {
        let Some(wanted) = take_wanted(entry, faults) else { continue };
        unused.remove(wanted.as_str());
        if let Some(template) = named.get(wanted.as_str()) {
            merge(&mut entry.value, &template.value);
            continue;
        }
        let near = nearest(&wanted, named.keys().copied());
        let hint = near.map_or_else(String::new, |near| format!("; did you mean `{near}`?"));
        report(entry, KEY, format!("there is no template {}{hint}", quoted(&wanted)), faults);
    }
    for (name, template) in unused {
        let (origin, path) = (template.value.origin.to_string(), template.path.clone());
        let message = format!("no integration uses the template {}", quoted(name));
        faults.warn(Fault { origin, path, message });
    }
}

/// Returns the name of a template; one without, or with a template of its own, is a fault.
fn name<'a>(template: &'a Entry, faults: &Faults) -> Option<&'a str> {
    if template.value.entry(KEY).is_some() {
        report(template, KEY, "a template cannot use another one".to_owned(), faults);
        return None;
    }
    let name = template.value.entry("name").and_then(Value::text).filter(|name| !name.is_empty());
    if name.is_none() {
        report(template, "name", "missing; add `name`".to_owned(), faults);
    }
    name
}

/// Removes the key `template` from an integration and returns its text; anything else is a fault.
fn take_wanted(entry: &mut Entry, faults: &Faults) -> Option<String> {
    let Kind::Table(entries) = &mut entry.value.kind else { return None };
    let place = entries.iter().position(|(key, _)| key == KEY)?;
    let (_, value) = entries.remove(place);
    let wanted = value.text().map(str::to_owned);
    if wanted.is_none() {
        let message = format!("expected the name of a template, found {}", value.describe());
        report(entry, KEY, message, faults);
    }
    wanted
}

fn report(entry: &Entry, key: &str, message: String, faults: &Faults) {
    let (origin, path) = (entry.value.origin.to_string(), join(&entry.path, key));
    faults.push(Fault { origin, path, message });
}

/// Adds to `own` the entries of `shared` that it does not have; its name stays its own.
fn merge(own: &mut Value, shared: &Value) {
    let (Kind::Table(own), Kind::Table(shared)) = (&mut own.kind, &shared.kind) else { return };
    for (key, value) in shared {
        match own.iter_mut().find(|(name, _)| name == key) {
            Some((_, own)) if key != "name" => merge(own, value),
            Some(_) => {}
            None => own.push((key.clone(), value.clone())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::format::Format;
    use super::*;

    /// Reads the lists of a document and applies its templates.
    fn applied(text: &str) -> (Vec<Entry>, Vec<String>, Vec<String>) {
        let root = Format::Toml.parse(text, "f").unwrap();
        let list = |key: &str| {
            let Some(Kind::Array(items)) = root.entry(key).map(|list| list.kind.clone()) else {
                return Vec::new();
            };
            let items = items.into_iter().enumerate();
            items
                .map(|(index, value)| Entry { value, path: format!("{key}[{index}]") })
                .collect::<Vec<_>>()
        };
        let (mut integrations, templates) = (list("integration"), list("template"));
        let faults = Faults::default();
        apply(&mut integrations, &templates, &faults);
        let (faults, warnings) = faults.into_parts();
        let texts = |faults: Vec<Fault>| faults.iter().map(ToString::to_string).collect();
        (integrations, texts(faults), texts(warnings))
    }

    #[test]
    fn integration_gets_what_it_does_not_have_itself_and_origins_stay() {
        let (integrations, faults, warnings) = applied(
            "[[template]]\nname = \"s3\"\nschedule = \"@hourly\"\nlabels = { team = \"data\", tier = \"1\" }\n\
             [template.config]\nawsRegion = \"eu-west-1\"\nport = 443\n\
             [[integration]]\nname = \"lake\"\ntemplate = \"s3\"\nlabels = { tier = \"2\" }\n\
             [integration.config]\nport = 8443\n\
             [[integration]]\nname = \"pond\"\n",
        );
        assert_eq!((faults, warnings), (vec![], vec![]));
        let lake = &integrations[0].value;
        let expected = serde_json::json!({
            "name": "lake", "labels": { "tier": "2", "team": "data" }, "schedule": "@hourly",
            "config": { "port": 8443, "awsRegion": "eu-west-1" },
        });
        assert_eq!(lake.to_json(), expected);
        let region = lake.entry("config").unwrap().entry("awsRegion").unwrap();
        assert_eq!(&*region.origin, "f:6");
        assert_eq!(integrations[1].value.to_json(), serde_json::json!({ "name": "pond" }));
    }

    #[test]
    fn unknown_nested_and_nameless_templates_are_faults_and_an_unused_one_a_warning() {
        let (_, faults, warnings) = applied(
            "[[template]]\nname = \"azure\"\n[[template]]\nname = \"b\"\ntemplate = \"azure\"\n\
             [[template]]\nlabels = {}\n[[integration]]\nname = \"lake\"\ntemplate = \"azur\"\n\
             [[integration]]\nname = \"pond\"\ntemplate = 3\n",
        );
        let expected = [
            "f:3: template[1].template: a template cannot use another one",
            "f:6: template[2].name: missing; add `name`",
            "f:8: integration[0].template: there is no template \"azur\"; did you mean `azure`?",
            "f:11: integration[1].template: expected the name of a template, found a whole number",
        ];
        assert_eq!(faults, expected);
        assert_eq!(warnings, ["f:1: template[0]: no integration uses the template \"azure\""]);
    }
}
