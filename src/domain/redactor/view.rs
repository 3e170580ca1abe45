//! Texts with their escapes decoded, as servers write them in JSON, HTML and URLs.

use std::ops::Range;

/// A text with its escapes decoded some number of times.
pub(super) struct View {
    /// Bytes of the decoded text.
    pub(super) bytes: Vec<u8>,
    /// Positions in the text at which each byte begins, and at which the last one ends; none for the
    /// text itself.
    starts: Option<Vec<usize>>,
}

impl View {
    /// Returns a text as it is.
    pub(super) fn raw(text: &str) -> Self {
        Self { bytes: text.as_bytes().to_vec(), starts: None }
    }

    /// Returns true when there may be something to decode.
    pub(super) fn has_escapes(&self) -> bool {
        self.bytes.iter().any(|byte| matches!(byte, b'%' | b'\\' | b'&'))
    }

    /// Returns the place of `range` in the text.
    pub(super) fn source(&self, range: Range<usize>) -> Option<Range<usize>> {
        Some(self.start(range.start)?..self.start(range.end)?)
    }

    /// Returns the position in the text of the byte at `at`.
    fn start(&self, at: usize) -> Option<usize> {
        match &self.starts {
            Some(starts) => starts.get(at).copied(),
            None => Some(at),
        }
    }

    /// Returns the text with its escapes decoded once more.
    pub(super) fn decoded(&self) -> Self {
        let mut bytes = Vec::with_capacity(self.bytes.len());
        let mut starts = Vec::with_capacity(self.bytes.len() + 1);
        let mut rest = self.bytes.as_slice();
        while let Some((first, _)) = rest.split_first() {
            let start = self.start(self.bytes.len() - rest.len());
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
        starts.extend(self.start(self.bytes.len()));
        Self { bytes, starts: Some(starts) }
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
