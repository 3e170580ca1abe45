//! Credentials as they are pasted: through environment variables, forms and other documents, which
//! change line ends and encodings on the way.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::de::DeserializeOwned;

/// Mark that some editors put at the beginning of a text.
const BYTE_ORDER_MARK: char = '\u{feff}';

/// Reads the JSON of a credential. Also read are: a byte order mark before it, the whole file in base64,
/// and raw line ends inside its texts, as in the published example.
///
/// # Errors
///
/// Returns the line of the fault; none of the text is shown.
pub(super) fn json<T: DeserializeOwned>(text: &str) -> Result<T, String> {
    let text = text.trim_start_matches(BYTE_ORDER_MARK).trim();
    let decoded = decoded(text);
    let text = decoded.as_deref().unwrap_or(text);
    let text = text.trim_start_matches(BYTE_ORDER_MARK);
    let read = |text: &str| serde_json::from_str(text);
    // The library's words can show what it did not understand.
    read(text)
        .or_else(|_raw| read(&escaped(text)))
        .map_err(|error| format!("it is not the JSON of a credential (line {})", error.line()))
}

/// Returns the text whose base64 `text` is, if that is JSON of an object.
fn decoded(text: &str) -> Option<String> {
    if text.is_empty() || text.starts_with('{') {
        return None;
    }
    let bare: String = text.chars().filter(|c| !c.is_ascii_whitespace()).collect();
    let bytes = STANDARD.decode(bare).ok()?;
    let text = String::from_utf8(bytes).ok()?;
    text.trim_start_matches(BYTE_ORDER_MARK).trim_start().starts_with('{').then_some(text)
}

/// Escapes the control characters inside the texts of a JSON document, which are not allowed there.
fn escaped(text: &str) -> String {
    let (mut out, mut inside, mut after_backslash) =
        (String::with_capacity(text.len()), false, false);
    for c in text.chars() {
        match c {
            '\n' if inside => out.push_str("\\n"),
            '\r' if inside => out.push_str("\\r"),
            '\t' if inside => out.push_str("\\t"),
            _ => out.push(c),
        }
        if c == '"' && !after_backslash {
            inside = !inside;
        }
        after_backslash = c == '\\' && !after_backslash;
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value as Json, json};

    #[test]
    fn pasted_json_is_read() {
        let plain = r#"{"a": "x\ny", "b": "q\"\\"}"#;
        let raw = "{\"a\": \"x\ny\", \"b\": \"q\\\"\\\\\"}";
        let expected = json!({ "a": "x\ny", "b": "q\"\\" });
        let encoded = STANDARD.encode(plain);
        let (half, rest) = encoded.split_at(10);
        let table = [
            plain.to_owned(),
            format!("\u{feff}{plain}"),
            raw.to_owned(),
            raw.replace('\n', "\r\n").replace("\r\n", "\n"),
            encoded.clone(),
            format!("{half}\n{rest}\n"),
            STANDARD.encode(format!("\u{feff}{raw}")),
        ];
        for text in table {
            assert_eq!(json::<Json>(&text).unwrap(), expected, "{text}");
        }
        for text in ["", "hunter2", "{\"a\": hunter2}", "aHVudGVyMg=="] {
            let fault = json::<Json>(text).unwrap_err();
            assert!(fault.starts_with("it is not the JSON of a credential (line "), "{fault}");
            assert!(!fault.contains("hunter2"), "{fault}");
        }
    }
}
