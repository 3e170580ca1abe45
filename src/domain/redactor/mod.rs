//! Removes secrets from the text of others: answers of platforms and receivers, errors of drivers.
//!
//! Servers echo what they were sent, and rarely as they got it: cut to their own limit, in base64,
//! percent-encoded, as part of a header or of a JSON string. The text is therefore searched for
//! pieces of every secret in several spellings, on the raw text and on the text with its escapes
//! decoded, like secret scanners do. Text is redacted where it enters and before anybody cuts it:
//! what is cut first leaves pieces that are too short to be found.

mod index;
mod view;

use std::fmt;
use std::ops::Range;
use std::sync::{Arc, Mutex, PoisonError};

use index::{Index, SECRET_BYTES_MIN};
use view::View;

use super::{REDACTED, Secret, one_line};

/// Most secrets that one redactor keeps; a run has about a dozen, and lines of keys count as well.
const SECRETS_MAX: usize = 1024;
/// Number of times that escapes are decoded, since some servers escape twice.
const ESCAPES_MAX: usize = 2;

/// Every secret of one run or of one receiver, removed from text by [`Self::redact`].
///
/// Clones share what they have learned.
#[derive(Clone, Default)]
pub(crate) struct Redactor(Arc<Mutex<Known>>);

#[derive(Default)]
struct Known {
    secrets: Vec<Secret>,
    /// Built by the first text, and dropped by the next new secret.
    index: Option<Arc<Index>>,
}

impl fmt::Debug for Redactor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Redactor")
    }
}

impl Redactor {
    /// Adds `secret`; of several lines each is looked for, without the armour of PEM files.
    pub(crate) fn learn(&self, secret: &Secret) {
        self.learn_text(secret.expose());
    }

    /// Like [`Self::learn`], for a secret that is part of something else.
    pub(crate) fn learn_text(&self, text: &str) {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        for line in text.lines().map(str::trim) {
            let is_new = |line: &str| known.secrets.iter().all(|secret| secret.expose() != line);
            if line.len() < SECRET_BYTES_MIN || line.starts_with("-----") || !is_new(line) {
                continue;
            }
            // Secrets are rotated: the oldest is no longer sent.
            if known.secrets.len() == SECRETS_MAX {
                known.secrets.remove(0);
            }
            known.secrets.push(Secret::new(line.to_owned()));
            known.index = None;
        }
    }

    /// Returns `text` with every piece of a secret replaced by `[REDACTED]`.
    #[must_use]
    pub(crate) fn redact(&self, text: &str) -> String {
        if text.len() < SECRET_BYTES_MIN {
            return text.to_owned();
        }
        let Some(index) = self.index() else { return text.to_owned() };
        let mut found = Vec::new();
        let mut view = View::raw(text);
        for decoded in 0..=ESCAPES_MAX {
            index.search(&view, &mut found);
            if decoded == ESCAPES_MAX || !view.has_escapes() {
                break;
            }
            view = view.decoded();
        }
        replaced(text, found)
    }

    /// Returns `text` without secrets on one line of at most `chars_max` characters.
    #[must_use]
    pub(crate) fn line(&self, text: &str, chars_max: usize) -> String {
        one_line(&self.redact(text), chars_max)
    }

    fn index(&self) -> Option<Arc<Index>> {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let Known { secrets, index } = &mut *known;
        if secrets.is_empty() {
            return None;
        }
        Some(Arc::clone(index.get_or_insert_with(|| Arc::new(Index::new(secrets)))))
    }
}

/// `text` with each of `ranges` replaced, those that touch by one replacement.
fn replaced(text: &str, mut ranges: Vec<Range<usize>>) -> String {
    ranges.sort_unstable_by_key(|range| range.start);
    let mut shown = String::with_capacity(text.len());
    let mut done = None;
    for range in ranges {
        let start = text.floor_char_boundary(range.start);
        let end = text.ceil_char_boundary(range.end);
        if done.is_none_or(|done| done < start) {
            shown.push_str(text.get(done.unwrap_or(0)..start).unwrap_or_default());
            shown.push_str(REDACTED);
        }
        done = done.max(Some(end));
    }
    shown.push_str(text.get(done.unwrap_or(0)..).unwrap_or_default());
    shown
}

#[cfg(test)]
mod tests {
    use base64::Engine;
    use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
    use proptest::prelude::*;

    use super::index::MIDDLE_BYTES_MIN;
    use super::*;

    fn redactor(secrets: &[&str]) -> Redactor {
        let redactor = Redactor::default();
        for secret in secrets {
            redactor.learn(&Secret::new((*secret).to_owned()));
        }
        redactor
    }

    /// The spellings in which servers echo a secret.
    #[derive(Clone, Copy, Debug)]
    enum Spelling {
        Raw,
        UpperCase,
        /// With this many bytes before it.
        Base64(usize),
        Base64Url(usize),
        Hex,
        UpperHex,
        Percent,
        LowerPercent,
        Twice,
        Json,
        Html,
    }

    impl Spelling {
        fn of(self, text: &str) -> String {
            let before = |count| [&vec![b'~'; count], text.as_bytes()].concat();
            let hex =
                || text.bytes().map(|byte| format!("{byte:02x}")).collect::<Vec<_>>().concat();
            let percent = |text: &str| {
                let bytes = text.bytes().map(|byte| match byte {
                    b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' => char::from(byte).to_string(),
                    byte => format!("%{byte:02X}"),
                });
                bytes.collect::<String>()
            };
            match self {
                Self::Raw => text.to_owned(),
                Self::UpperCase => text.to_ascii_uppercase(),
                Self::Base64(count) => STANDARD.encode(before(count)),
                Self::Base64Url(count) => URL_SAFE_NO_PAD.encode(before(count)),
                Self::Hex => hex(),
                Self::UpperHex => hex().to_uppercase(),
                Self::Percent => percent(text),
                Self::LowerPercent => {
                    text.bytes().map(|byte| format!("%{byte:02x}")).collect::<Vec<_>>().concat()
                }
                Self::Twice => percent(&percent(text)),
                Self::Json => serde_json::to_string(text).unwrap().replace('/', "\\/"),
                Self::Html => {
                    text.replace('&', "&amp;").replace('"', "&quot;").replace('<', "&#60;")
                }
            }
        }
    }

    fn spellings() -> impl Strategy<Value = Spelling> {
        prop_oneof![
            Just(Spelling::Raw),
            Just(Spelling::UpperCase),
            (0..3_usize).prop_map(Spelling::Base64),
            (0..3_usize).prop_map(Spelling::Base64Url),
            Just(Spelling::Hex),
            Just(Spelling::UpperHex),
            Just(Spelling::Percent),
            Just(Spelling::LowerPercent),
            Just(Spelling::Twice),
            Just(Spelling::Json),
            Just(Spelling::Html),
        ]
    }

    /// True when `text` holds twelve consecutive bytes of `secret`.
    fn shows(text: &str, secret: &str) -> bool {
        let mut windows = secret.as_bytes().windows(MIDDLE_BYTES_MIN);
        windows.any(|piece| text.as_bytes().windows(piece.len()).any(|window| window == piece))
    }

    proptest! {
        #[test]
        fn no_piece_of_a_secret_is_left_in_any_spelling(
            secret in "[!-~]{16,80}",
            spelling in spellings(),
            (cut, kept) in (0..60_usize, 12..80_usize),
            (before, after) in ("\\PC{0,30}", "\\PC{0,30}"),
        ) {
            let from = cut.min(secret.len() - 12);
            let piece = &secret[from..secret.len().min(from + kept)];
            let echo = spelling.of(piece);
            let shown = redactor(&["other-secret-of-the-run", &secret]).redact(
                &format!("{before}{echo}{after}"),
            );
            prop_assert!(shown.contains(REDACTED), "{shown}");
            prop_assert!(!shows(&shown, piece) && !shows(&shown, &echo), "{echo} is in {shown}");
        }

        #[test]
        fn text_without_a_secret_is_unchanged(
            secret in "[a-m]{16,60}", text in "[n-z \\\\%&\u{e9}]{0,200}",
        ) {
            prop_assert_eq!(redactor(&[&secret]).redact(&text), text);
        }

        #[test]
        fn any_text_is_redacted_without_a_panic(secret in "\\PC{0,20}", text in "\\PC{0,20}(%|\\\\u|\\\\|&#|&#x|&)?\\PC{0,20}") {
            let shown = redactor(&[&secret]).redact(&format!("{text}{secret}{text}"));
            prop_assert!(secret.len() < SECRET_BYTES_MIN || shown.contains(REDACTED) || secret.trim() != secret
                || secret.starts_with("-----"));
        }
    }

    #[test]
    fn pieces_of_eight_are_removed_at_the_edges_and_of_twelve_elsewhere() {
        let redactor = redactor(&["ya29.hunter2-hunter2", "qp7"]);
        let table = [
            ("token ya29.hunter2-hunter2 is bad", "token [REDACTED] is bad"),
            ("token ya29.hun… is bad", "token [REDACTED]… is bad"),
            ("token ya29.hu… is bad", "token ya29.hu… is bad"),
            ("token …-hunter2 is bad", "token …[REDACTED] is bad"),
            ("token …9.hunter2-hu… is bad", "token …[REDACTED]… is bad"),
            ("token …9.hunter2-h… is bad", "token …9.hunter2-h… is bad"),
            ("ya29.hunter2-hunter2ya29.hunter2-hunter2", "[REDACTED]"),
            ("ya29.hunter2-hunter2 ya29.hunter2-hunter2", "[REDACTED] [REDACTED]"),
            ("a qp7, a QP7", "a [REDACTED], a QP7"),
            ("", ""),
        ];
        for (text, expected) in table {
            assert_eq!(redactor.redact(text), expected, "{text}");
        }
    }

    #[test]
    fn lines_of_a_key_are_removed_and_its_armour_is_not() {
        let key = "-----BEGIN PRIVATE KEY-----\nMIGHAgEAMBMGByqGSM49\nAgEGCCqGSM49AwEHBG0w\n\
            -----END PRIVATE KEY-----\n";
        let redactor = redactor(&[key]);
        let echo = redactor.redact(&format!("bad key {}", key.replace('\n', "\\n")));
        let expected = "bad key -----BEGIN PRIVATE KEY-----\\n[REDACTED]\\n[REDACTED]\\n\
            -----END PRIVATE KEY-----\\n";
        assert_eq!(echo, expected);
    }

    #[test]
    fn text_is_redacted_before_it_is_cut() {
        let redactor = redactor(&["hunter2-hunter2"]);
        let text = format!("{}\nhunter2-hunter2 and more", "x".repeat(15));
        assert_eq!(redactor.line(&text, 22), format!("{} [REDA…", "x".repeat(15)));
        assert_eq!(format!("{redactor:?}"), "Redactor");
    }

    #[test]
    fn a_long_text_of_one_character_is_searched_at_once() {
        let redactor = redactor(&[&"a".repeat(64), &"ab".repeat(500)]);
        let text = "a".repeat(500_000) + &"ab".repeat(200_000);
        assert_eq!(redactor.redact(&text), REDACTED);
    }
}
