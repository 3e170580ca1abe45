//! YAML of JSON text, for callers that ask for it.

use saphyr::{LoadableYamlNode as _, Yaml, YamlEmitter};

/// Returns JSON text as YAML: one document without its marker, ended by a line break, with the members in
/// their order.
pub(crate) fn yaml(json: &str) -> String {
    // JSON is YAML too; what cannot be read again stays as it is.
    let Ok(documents) = Yaml::load_from_str(json) else { return format!("{json}\n") };
    let mut text = String::new();
    for document in &documents {
        // Writing to a string cannot fail.
        let _complete = YamlEmitter::new(&mut text).dump(document);
    }
    let body = text.strip_prefix("---").unwrap_or(&text).trim_start_matches('\n');
    format!("{}\n", body.trim_end_matches('\n'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_read_as_the_same_value_in_the_same_order() {
        let value = serde_json::json!([{
            "name": "lake: \"a\"\n- b\t#", "word": "true", "number": "1.0", "none": null, "list": [],
            "object": {}, "share": 0.5, "yes": true, "deep": { "list": [["x"], {"y": "~"}] },
            "unseen": "\u{202e}\u{1f30a}", "escaped": "\u{1}\\u0041",
        }]);
        let json = value.to_string().replacen('{', "{\"zz\":7,", 1);
        let text = yaml(&json);
        assert!(text.starts_with("- zz: 7\n") && !text.contains("---"), "{text}");
        let read = |text| Yaml::load_from_str(text).unwrap();
        assert_eq!(read(&text), read(&json), "{text}");
    }
}
