//! Index of the spellings of secrets, by which pieces of them are found in a text.

use std::hash::{BuildHasher, RandomState};
use std::ops::Range;
use std::sync::OnceLock;

use base64::Engine;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use secrecy::zeroize::Zeroizing;

use super::view::View;
use crate::domain::Secret;

/// Shortest secret that is looked for, in bytes; shorter ones would make every text unreadable.
pub(super) const SECRET_BYTES_MIN: usize = 3;

/// Shortest piece at the beginning or at the end of a spelling that is removed, in bytes.
const EDGE_BYTES_MIN: usize = 8;
/// Shortest piece from the middle of a spelling that is removed, in bytes.
pub(super) const MIDDLE_BYTES_MIN: usize = 12;
/// Shortest encoded spelling that is looked for, in bytes.
const ENCODED_BYTES_MIN: usize = 6;
/// Longest secret that is looked for in encoded spellings as well, in bytes.
const ENCODED_SECRET_BYTES_MAX: usize = 8 * 1024;
/// Most places of one window that are looked at; only a secret that repeats itself has more.
const PLACES_MAX: usize = 32;

/// Place of a window within the spellings of secrets.
#[derive(Clone, Copy)]
struct Place {
    /// Index of the spelling.
    spelling: usize,
    /// First byte of the window in it.
    begin: usize,
}

/// Filter of the windows of [`EDGE_BYTES_MIN`] bytes of spellings: most windows of a text are found to be
/// none of them by one look at it.
struct Filter {
    /// Secret number that the bits depend on.
    salt: u64,
    /// Two bits for each window, in one word.
    words: Vec<u64>,
}

impl Filter {
    fn new(spellings: &[Zeroizing<Vec<u8>>], salt: u64) -> Self {
        // About a word for each window, so that about one in five hundred passes by mistake.
        let count: usize = spellings.iter().map(|spelling| spelling.len()).sum();
        let mut filter = Self { salt, words: vec![0; count.next_power_of_two()] };
        for window in spellings.iter().flat_map(|spelling| spelling.windows(EDGE_BYTES_MIN)) {
            let (at, bits) = filter.place(window);
            filter.words.get_mut(at).into_iter().for_each(|word| *word |= bits);
        }
        filter
    }

    /// Returns the index of a window's word, and its bits.
    fn place(&self, window: &[u8]) -> (usize, u64) {
        let window = window.try_into().map(u64::from_le_bytes).unwrap_or_default();
        let mixed = (window ^ self.salt).wrapping_mul(0x9E37_79B9_7F4A_7C15);
        let at = usize::try_from(mixed >> 32).unwrap_or_default() & (self.words.len() - 1);
        (at, 1 << (mixed >> 26 & 63) | 1 << (mixed >> 20 & 63))
    }

    fn passes(&self, window: &[u8]) -> bool {
        let (at, bits) = self.place(window);
        self.words.get(at).is_some_and(|word| word & bits == bits)
    }
}

/// Every spelling of every secret, and where to find its windows.
pub(super) struct Index {
    hasher: RandomState,
    /// In lower case: some servers change the case of headers, and hexadecimal digits have either.
    spellings: Vec<Zeroizing<Vec<u8>>>,
    /// Filter of their windows.
    filter: Filter,
    /// Places of the windows in the order of their hashes, since a window itself would outlive the wiped
    /// secret. Few texts need them.
    places: OnceLock<Vec<(u64, Place)>>,
    /// Spellings that are shorter than a window; only the whole of one is removed.
    short: Vec<Zeroizing<Vec<u8>>>,
}

/// Spellings of secrets, of which the same is kept once.
#[derive(Default)]
struct Spellings {
    long: Vec<Zeroizing<Vec<u8>>>,
    short: Vec<Zeroizing<Vec<u8>>>,
}

impl Spellings {
    fn add(&mut self, spelling: Zeroizing<Vec<u8>>, bytes_min: usize) {
        if spelling.len() < EDGE_BYTES_MIN {
            if bytes_min <= spelling.len() {
                self.short.push(spelling);
            }
            return;
        }
        let spelling = Zeroizing::new(spelling.to_ascii_lowercase());
        if !self.long.contains(&spelling) {
            self.long.push(spelling);
        }
    }
}

impl Index {
    /// Returns the index of `secrets`.
    pub(super) fn new(secrets: &[Secret]) -> Self {
        let mut spellings = Spellings::default();
        for secret in secrets {
            let written = View::raw(secret.expose());
            // A part of a URL may be echoed as it is sent, or as it is meant.
            let meant = written.has_escapes().then(|| written.decoded().bytes);
            for secret in [Some(written.bytes), meant].into_iter().flatten() {
                let secret = Zeroizing::new(secret);
                if secret.len() <= ENCODED_SECRET_BYTES_MAX {
                    for encoded in encodings(&secret) {
                        spellings.add(encoded, ENCODED_BYTES_MIN);
                    }
                }
                spellings.add(secret, SECRET_BYTES_MIN);
            }
        }
        let Spellings { long, short } = spellings;
        let hasher = RandomState::new();
        let filter = Filter::new(&long, hasher.hash_one(long.len()));
        Self { hasher, spellings: long, filter, places: OnceLock::new(), short }
    }

    /// Returns the places of a window.
    fn places(&self, window: &[u8]) -> impl Iterator<Item = Place> {
        let hash = self.hasher.hash_one(window);
        let places = self.places.get_or_init(|| {
            let spellings = self.spellings.iter().enumerate();
            let places = spellings.flat_map(|(spelling, text)| {
                let windows = text.windows(EDGE_BYTES_MIN).enumerate();
                windows.map(move |(begin, window)| {
                    (self.hasher.hash_one(window), Place { spelling, begin })
                })
            });
            let mut places: Vec<_> = places.collect();
            places.sort_by_key(|(hash, _)| *hash);
            places
        });
        let first = places.partition_point(|(other, _)| *other < hash);
        let rest = places.get(first..).unwrap_or_default().iter();
        rest.take_while(move |(other, _)| *other == hash).map(|(_, place)| *place).take(PLACES_MAX)
    }

    /// Adds the places of secrets in `view` to `found`, as ranges of the text that is viewed.
    pub(super) fn search(&self, view: &View, found: &mut Vec<Range<usize>>) {
        for short in &self.short {
            let places = view.bytes.windows(short.len()).enumerate();
            let places = places.filter(|(_, window)| *window == short.as_slice());
            found.extend(places.filter_map(|(at, _)| view.source(at..at + short.len())));
        }
        let text = view.bytes.to_ascii_lowercase();
        let mut next = 0;
        for (at, window) in text.windows(EDGE_BYTES_MIN).enumerate() {
            if at < next || !self.filter.passes(window) {
                continue;
            }
            let matches = self.places(window).filter_map(|place| self.matched(&text, at, place));
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
