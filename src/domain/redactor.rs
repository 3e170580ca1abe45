//! Removes secrets from the text of others: answers of platforms and receivers, errors of drivers.
//!
//! Servers echo what they were sent, and rarely as they got it: cut to their own limit, in base64,
//! percent-encoded, as part of a header or of a JSON string. The text is therefore searched for
//! pieces of every secret in several spellings, on the raw text and on the text with its escapes
//! decoded, like secret scanners do. Text is redacted where it enters and before anybody cuts it:
//! what is cut first leaves pieces that are too short to be found.

use std::collections::HashMap;
use std::fmt;
use std::hash::{BuildHasher, RandomState};
use std::ops::Range;
use std::sync::{Arc, Mutex, PoisonError};

use base64::Engine;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use secrecy::zeroize::Zeroizing;

use super::{REDACTED, Secret, one_line};

/// Shortest piece at the beginning or at the end of a spelling that is removed, in bytes.
const EDGE_BYTES_MIN: usize = 8;
/// Shortest piece from the middle of a spelling that is removed, in bytes.
const MIDDLE_BYTES_MIN: usize = 12;
/// Shortest secret that is looked for, in bytes; shorter ones would make every text unreadable.
const SECRET_BYTES_MIN: usize = 3;
/// Shortest encoded spelling that is looked for, in bytes.
const ENCODED_BYTES_MIN: usize = 6;
/// Longest secret that is looked for in encoded spellings as well, in bytes.
const ENCODED_SECRET_BYTES_MAX: usize = 8 * 1024;
/// Most secrets that one redactor keeps; a run has about a dozen, and lines of keys count as well.
const SECRETS_MAX: usize = 1024;
/// Most places of one window that are kept; only a secret that repeats itself has more.
const PLACES_MAX: usize = 32;
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

/// Place of a window within the spellings of secrets.
#[derive(Clone, Copy)]
struct Place {
    /// Index of the spelling.
    spelling: usize,
    /// First byte of the window in it.
    begin: usize,
}

/// Windows of [`EDGE_BYTES_MIN`] bytes of every spelling of every secret.
struct Index {
    hasher: RandomState,
    /// In lower case: some servers change the case of headers, and hexadecimal digits have either.
    spellings: Vec<Zeroizing<Vec<u8>>>,
    /// Places of a window by its hash, since a window itself would outlive the wiped secret.
    windows: HashMap<u64, Vec<Place>>,
    /// Spellings that are shorter than a window; only the whole of one is removed.
    short: Vec<Zeroizing<Vec<u8>>>,
}

impl Index {
    fn new(secrets: &[Secret]) -> Self {
        let mut index = Self {
            hasher: RandomState::new(),
            spellings: Vec::new(),
            windows: HashMap::new(),
            short: Vec::new(),
        };
        for secret in secrets {
            let written = View::raw(secret.expose());
            // A part of a URL may be echoed as it is sent, or as it is meant.
            let meant = written.has_escapes().then(|| written.decoded().bytes);
            for secret in [Some(written.bytes), meant].into_iter().flatten() {
                let secret = Zeroizing::new(secret);
                if secret.len() <= ENCODED_SECRET_BYTES_MAX {
                    for encoded in encodings(&secret) {
                        index.add(encoded, ENCODED_BYTES_MIN);
                    }
                }
                index.add(secret, SECRET_BYTES_MIN);
            }
        }
        index
    }

    fn add(&mut self, spelling: Zeroizing<Vec<u8>>, bytes_min: usize) {
        if spelling.len() < EDGE_BYTES_MIN {
            if bytes_min <= spelling.len() {
                self.short.push(spelling);
            }
            return;
        }
        let spelling = Zeroizing::new(spelling.to_ascii_lowercase());
        if self.spellings.contains(&spelling) {
            return;
        }
        let number = self.spellings.len();
        for (at, window) in spelling.windows(EDGE_BYTES_MIN).enumerate() {
            let places = self.windows.entry(self.hasher.hash_one(window)).or_default();
            if places.len() < PLACES_MAX {
                places.push(Place { spelling: number, begin: at });
            }
        }
        self.spellings.push(spelling);
    }

    /// Adds the places of secrets in `view` to `found`, as ranges of the text that is viewed.
    fn search(&self, view: &View, found: &mut Vec<Range<usize>>) {
        for short in &self.short {
            let places = view.bytes.windows(short.len()).enumerate();
            let places = places.filter(|(_, window)| *window == short.as_slice());
            found.extend(places.filter_map(|(at, _)| view.source(at..at + short.len())));
        }
        let text = view.bytes.to_ascii_lowercase();
        let mut next = 0;
        for (at, window) in text.windows(EDGE_BYTES_MIN).enumerate() {
            if at < next {
                continue;
            }
            let Some(places) = self.windows.get(&self.hasher.hash_one(window)) else { continue };
            let matches = places.iter().filter_map(|place| self.matched(&text, at, *place));
            if let Some(longest) = matches.max_by_key(|range| range.end) {
                // The end of a match may be the beginning of another.
                next = longest.end.saturating_sub(EDGE_BYTES_MIN - 1).max(at + 1);
                found.extend(view.source(longest));
            }
        }
    }

    /// Returns the longest common piece around byte `at` of `text` and `place` in a spelling, if it is
    /// long enough to be removed.
    fn matched(&self, text: &[u8], at: usize, place: Place) -> Option<Range<usize>> {
        let Place { spelling, begin } = place;
        let spelling = self.spellings.get(spelling)?;
        let (text_before, text_after) = text.split_at_checked(at)?;
        let (before, after) = spelling.split_at_checked(begin)?;
        let right = text_after.iter().zip(after).take_while(|(text, own)| text == own).count();
        let left = text_before.iter().rev().zip(before.iter().rev());
        let left = left.take_while(|(text, own)| text == own).count();
        let is_edge = left == begin || begin + right == spelling.len();
        let length_min = if is_edge { EDGE_BYTES_MIN } else { MIDDLE_BYTES_MIN };
        (EDGE_BYTES_MIN <= right && length_min <= left + right).then(|| at - left..at + right)
    }
}

/// Returns `secret` in hexadecimal digits, with `+` for each space as in a form, and in both alphabets
/// of base64 at each of the three places where it can begin within other data, without the
/// characters that depend on the bytes beside it.
fn encodings(secret: &[u8]) -> impl Iterator<Item = Zeroizing<Vec<u8>>> {
    let digits = secret.iter().flat_map(|byte| [byte >> 4, byte & 15]);
    let hex = digits.map(|digit| if digit < 10 { b'0' + digit } else { b'a' + digit - 10 });
    let spaced = secret.iter().map(|byte| if *byte == b' ' { b'+' } else { *byte });
    let plain = [Zeroizing::new(hex.collect()), Zeroizing::new(spaced.collect())];
    let base64 = [(0, 0), (1, 2), (2, 3)].into_iter().flat_map(|(before, dependent)| {
        [STANDARD_NO_PAD, URL_SAFE_NO_PAD].map(|engine| {
            let mut data = Zeroizing::new(vec![0; before]);
            data.extend_from_slice(secret);
            let encoded = Zeroizing::new(engine.encode(&*data).into_bytes());
            let whole = data.len() * 4 / 3;
            let kept = encoded.iter().take(whole).skip(dependent);
            Zeroizing::new(kept.copied().collect())
        })
    });
    plain.into_iter().chain(base64)
}

/// A text with its escapes decoded some number of times.
struct View {
    bytes: Vec<u8>,
    /// Positions in the text at which each byte begins, and at which the last one ends.
    starts: Vec<usize>,
}

impl View {
    fn raw(text: &str) -> Self {
        Self { bytes: text.as_bytes().to_vec(), starts: (0..=text.len()).collect() }
    }

    fn has_escapes(&self) -> bool {
        self.bytes.iter().any(|byte| matches!(byte, b'%' | b'\\' | b'&'))
    }

    /// The place of `range` in the text.
    fn source(&self, range: Range<usize>) -> Option<Range<usize>> {
        Some(*self.starts.get(range.start)?..*self.starts.get(range.end)?)
    }

    fn decoded(&self) -> Self {
        let mut bytes = Vec::with_capacity(self.bytes.len());
        let mut starts = Vec::with_capacity(self.starts.len());
        let mut rest = self.bytes.as_slice();
        while let Some((first, _)) = rest.split_first() {
            let start = self.starts.get(self.bytes.len() - rest.len());
            let mut buffer = [*first, 0, 0, 0];
            let (length, decoded) = match (percent(rest), escape(rest)) {
                (Some(byte), _) => {
                    buffer = [byte, 0, 0, 0];
                    (3, buffer.get(..1))
                }
                (None, Some((length, char))) => {
                    let decoded = char.encode_utf8(&mut buffer).len();
                    (length, buffer.get(..decoded))
                }
                (None, None) => (1, buffer.get(..1)),
            };
            let decoded = decoded.unwrap_or_default();
            bytes.extend_from_slice(decoded);
            starts.extend(decoded.iter().filter_map(|_| start));
            rest = rest.get(length..).unwrap_or_default();
        }
        starts.extend(self.starts.last());
        Self { bytes, starts }
    }
}

/// The byte that `rest` begins with, if it is percent-encoded.
fn percent(rest: &[u8]) -> Option<u8> {
    let [b'%', digits @ ..] = rest else { return None };
    u8::try_from(hexadecimal(digits.get(..2)?)?).ok()
}

/// The character that `rest` begins with, if it is escaped as in JSON, C or HTML, and the length of
/// that.
fn escape(rest: &[u8]) -> Option<(usize, char)> {
    match rest {
        [b'\\', b'u', ..] => Some((6, char::from_u32(hexadecimal(rest.get(2..6)?)?)?)),
        [b'\\', b'x', ..] => Some((4, char::from_u32(hexadecimal(rest.get(2..4)?)?)?)),
        [b'\\', b'n', ..] => Some((2, '\n')),
        [b'\\', b't', ..] => Some((2, '\t')),
        [b'\\', byte @ (b'"' | b'\\' | b'/' | b'\''), ..] => Some((2, char::from(*byte))),
        [b'&', ..] => entity(rest),
        _ => None,
    }
}

/// A character of HTML that is written by name or by number.
fn entity(rest: &[u8]) -> Option<(usize, char)> {
    let length = rest.iter().take(9).position(|byte| *byte == b';')? + 1;
    let char = match rest.get(1..length - 1)? {
        b"amp" => '&',
        b"lt" => '<',
        b"gt" => '>',
        b"quot" => '"',
        b"apos" => '\'',
        [b'#', b'x' | b'X', digits @ ..] => char::from_u32(hexadecimal(digits)?)?,
        [b'#', digits @ ..] => char::from_u32(str::from_utf8(digits).ok()?.parse().ok()?)?,
        _ => return None,
    };
    Some((length, char))
}

fn hexadecimal(digits: &[u8]) -> Option<u32> {
    let text = str::from_utf8(digits).ok().filter(|text| !text.starts_with('+'))?;
    u32::from_str_radix(text, 16).ok()
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
    use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
    use proptest::prelude::*;

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
