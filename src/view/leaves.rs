//! Leaves of a configuration: one line each for people.

use serde_json::Value as Json;

/// Returns every leaf of a JSON value with its path, such as `okta.password`.
pub(crate) fn leaves(value: &Json) -> Vec<(String, String)> {
    below("", value)
}

fn below(path: &str, value: &Json) -> Vec<(String, String)> {
    let under = |key: &str| if path.is_empty() { key.to_owned() } else { format!("{path}.{key}") };
    match value {
        Json::Object(entries) if !entries.is_empty() => {
            entries.iter().flat_map(|(key, value)| below(&under(key), value)).collect()
        }
        Json::String(text) => vec![(path.to_owned(), text.clone())],
        Json::Null | Json::Bool(_) | Json::Number(_) | Json::Array(_) | Json::Object(_) => {
            vec![(path.to_owned(), value.to_string())]
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_leaf_has_its_path() {
        let value = serde_json::json!({ "a": { "b": "x\ny", "c": [1, 2] }, "d": {}, "e": null });
        let lines: Vec<_> =
            leaves(&value).into_iter().map(|(path, value)| format!("{path}={value}")).collect();
        assert_eq!(lines, ["a.b=x\ny", "a.c=[1,2]", "d={}", "e=null"]);
    }
}
