//! Style sheet and script, embedded and served under names with the hash of their content: a browser
//! keeps them for good, and a newer daemon names newer ones.

use std::sync::LazyLock;

use aws_lc_rs::digest::{SHA256, digest};
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::response::{IntoResponse, Response};

/// Style sheet of every page, in its compact form.
pub(super) static CSS: LazyLock<Asset> =
    LazyLock::new(|| Asset::new(compact_css(include_str!("assets/page.css")), "css", "text/css"));
/// Script of every page, in its compact form.
pub(super) static JS: LazyLock<Asset> = LazyLock::new(|| {
    Asset::new(compact_js(include_str!("assets/page.js")), "js", "text/javascript")
});

/// File that never changes under its name.
#[derive(Debug)]
pub(super) struct Asset {
    /// Path with the hash of the content.
    pub(super) path: String,
    /// Content of the file.
    pub(super) text: String,
    kind: &'static str,
}

impl Asset {
    fn new(text: String, extension: &str, kind: &'static str) -> Self {
        let hash = digest(&SHA256, text.as_bytes());
        let hash = hash.as_ref().first_chunk().map_or(0, |bytes| u64::from_be_bytes(*bytes));
        Self { path: format!("/assets/page-{hash:016x}.{extension}"), text, kind }
    }

    /// Returns the answer with the file, to be kept for a year.
    pub(super) fn answer(&'static self) -> Response {
        let kind = format!("{}; charset=utf-8", self.kind);
        let keep = "public, max-age=31536000, immutable".to_owned();
        ([(CONTENT_TYPE, kind), (CACHE_CONTROL, keep)], self.text.as_str()).into_response()
    }
}

/// Returns a style sheet without comments, indentation and the spaces that mean nothing.
fn compact_css(text: &str) -> String {
    let lines = text.lines().map(str::trim).filter(|line| !line.starts_with("/*"));
    let pairs = [
        ("{ ", "{"),
        (" {", "{"),
        ("; ", ";"),
        (": ", ":"),
        (" }", "}"),
        (";}", "}"),
        ("} ", "}"),
        (", ", ","),
    ];
    pairs.iter().fold(lines.collect(), |text: String, (from, to)| text.replace(from, to))
}

/// Signs of the script that need no spaces around them; its texts have none of them.
const SIGNS: [&str; 10] = ["=>", "===", "!==", "&&", "||=", "||", "??", "=", "<", "?"];

/// Returns a script without its comment lines, its indentation and the spaces around signs.
fn compact_js(text: &str) -> String {
    let lines =
        text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with("//"));
    let text = lines.collect::<Vec<_>>().join("\n");
    SIGNS.iter().fold(text, |text, sign| text.replace(&format!(" {sign} "), sign))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn assets_stay_small() {
        assert!(CSS.text.len() <= 20_000, "{} bytes", CSS.text.len());
        assert!(JS.text.len() <= 6_144, "{} bytes", JS.text.len());
    }

    #[test]
    fn names_contain_the_hash_of_the_content() {
        let named = |text: &str| Asset::new(text.to_owned(), "css", "text/css").path;
        assert_eq!(named("a"), "/assets/page-ca978112ca1bbdca.css");
        assert_ne!(named("a"), named("b"));
    }

    #[test]
    fn compact_forms_say_the_same() {
        let css = "/* why */\na, b { color: red; top: 1px; }\n  .c:hover { x: y; }\n";
        assert_eq!(compact_css(css), "a,b{color:red;top:1px}.c:hover{x:y}");
        let js = "// why\nif (a && b) {\n  c = () => d;\n}\n\ne();\n";
        assert_eq!(compact_js(js), "if (a&&b) {\nc=()=>d;\n}\ne();");
    }

    #[test]
    fn texts_of_the_script_have_no_signs_with_spaces() {
        let source = include_str!("assets/page.js");
        let lines = source.lines().filter(|line| !line.trim_start().starts_with("//"));
        let texts = lines.flat_map(|line| line.split('"').skip(1).step_by(2));
        for text in texts {
            assert!(SIGNS.iter().all(|sign| !text.contains(&format!(" {sign} "))), "{text}");
        }
    }

    #[test]
    fn nothing_is_loaded_from_elsewhere() {
        for text in [&CSS.text, &JS.text] {
            for word in ["http:", "https:", "//", "@import", "url(", "eval(", "innerHTML +="] {
                assert!(!text.contains(word), "{word}");
            }
        }
    }
}
