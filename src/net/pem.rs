//! Private keys as they are pasted: environment variables, forms and other documents change line ends and encodings
//! on the way.

use std::borrow::Cow;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use crate::domain::Secret;

/// Mark that some editors put at the beginning of a text.
const BYTE_ORDER_MARK: char = '\u{feff}';
/// Start of the armour of PEM files.
const BEGIN: &str = "-----BEGIN ";

/// Returns the key in PEM form, as far as it can be recognised: without a byte order mark, out of the base64 of a
/// whole file, with line ends that were written as `\n`, on lines of its own, and with the armour that was left
/// out. Anything else stays as it is.
pub(crate) fn restored(key: &Secret) -> Secret {
    let text = without_mark(key.expose());
    let whole = decoded(text).and_then(|bytes| String::from_utf8(bytes).ok());
    let whole = whole.filter(|text| text.contains(BEGIN));
    let text = whole.as_deref().map_or(text, without_mark);
    if text.contains(BEGIN) {
        return Secret::new(on_lines(&with_line_ends(text)).into_owned());
    }
    let armoured = decoded(text).and_then(|der| armoured(&der));
    Secret::new(armoured.unwrap_or_else(|| text.to_owned()))
}

fn without_mark(text: &str) -> &str {
    text.trim_start_matches(BYTE_ORDER_MARK).trim()
}

/// Returns the bytes whose base64 `text` is, with or without line ends in it.
fn decoded(text: &str) -> Option<Vec<u8>> {
    let text = with_line_ends(text);
    let bare: String = text.chars().filter(|c| !c.is_ascii_whitespace()).collect();
    STANDARD.decode(bare).ok().filter(|bytes| !bytes.is_empty())
}

/// Returns the text with the line ends that went through one escape too many.
fn with_line_ends(text: &str) -> Cow<'_, str> {
    if !text.contains("\\n") && !text.contains("\\r") {
        return Cow::Borrowed(text);
    }
    Cow::Owned(text.replace("\\r", "").replace("\\n", "\n"))
}

/// Returns the armour on lines of its own, where the whole key stands on one line.
fn on_lines(text: &str) -> Cow<'_, str> {
    let parts = || {
        let (label, rest) = text.strip_prefix(BEGIN)?.split_once("-----")?;
        let (body, _) = rest.split_once("-----END ")?;
        Some((label, body))
    };
    match parts() {
        Some((label, body)) if !text.contains('\n') => {
            let body: String = body.chars().filter(|c| !c.is_whitespace()).collect();
            Cow::Owned(format!("{BEGIN}{label}-----\n{body}\n-----END {label}-----\n"))
        }
        Some(_) | None => Cow::Borrowed(text),
    }
}

/// Returns a key in DER form with its armour: PKCS#8, encrypted or not, or PKCS#1, by the first elements of its
/// sequence.
fn armoured(der: &[u8]) -> Option<String> {
    let label = match (*der.first()?, inner(der)?) {
        (0x30, [0x30, ..]) => "ENCRYPTED PRIVATE KEY",
        (0x30, [0x02, 0x01, _, 0x30, ..]) => "PRIVATE KEY",
        (0x30, [0x02, 0x01, _, 0x02, ..]) => "RSA PRIVATE KEY",
        _ => return None,
    };
    let body = STANDARD.encode(der);
    Some(format!("{BEGIN}{label}-----\n{body}\n-----END {label}-----\n"))
}

/// Returns the content of the outermost element, whose length takes one byte or says how many it takes.
fn inner(der: &[u8]) -> Option<&[u8]> {
    let length = *der.get(1)?;
    let more = if length < 0x80 { 0 } else { usize::from(length & 0x7f) };
    der.get(more.checked_add(2)?..)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::net::jwt::SigningKey;
    use rustls::pki_types::PrivateKeyDer;
    use rustls::pki_types::pem::PemObject;

    fn restored(text: &str) -> String {
        super::restored(&Secret::new(text.to_owned())).expose().to_owned()
    }

    #[test]
    fn pasted_key_signs_like_the_file() {
        let pair = rcgen::KeyPair::generate_for(&rcgen::PKCS_RSA_SHA256).unwrap();
        let pem = pair.serialize_pem();
        let fingerprint = |text: &str| {
            let key = SigningKey::from_pem(&Secret::new(restored(text)));
            key.unwrap_or_else(|error| panic!("{error}: {text}")).fingerprint()
        };
        let expected = fingerprint(&pem);
        let bare: String = pem.lines().filter(|line| !line.starts_with("-----")).collect();
        let lines = pem.lines().filter(|line| !line.starts_with("-----"));
        let table = [
            format!("\u{feff}{pem}"),
            format!("\n  {pem}\n\n"),
            pem.replace('\n', "\r\n"),
            pem.replace('\n', "\\n"),
            pem.replace('\n', "\\r\\n"),
            pem.replace('\n', " "),
            pem.replace('\n', ""),
            STANDARD.encode(&pem),
            STANDARD.encode(format!("\u{feff}{pem}")),
            STANDARD.encode(pem.replace('\n', "\r\n")),
            bare.clone(),
            lines.collect::<Vec<_>>().join("\n"),
            bare.as_bytes()
                .chunks(64)
                .map(|line| str::from_utf8(line).unwrap())
                .collect::<Vec<_>>()
                .join("\\n"),
        ];
        for text in table {
            assert_eq!(fingerprint(&text), expected, "{text}");
        }
        let Ok(PrivateKeyDer::Pkcs8(der)) = PrivateKeyDer::from_pem_slice(pem.as_bytes()) else {
            panic!("{pem}")
        };
        // The key of PKCS#1 is the last element of PKCS#8.
        let der = der.secret_pkcs8_der();
        let at =
            der.windows(5).skip(8).position(|bytes| bytes[0] == 0x04 && bytes[4] == 0x30).unwrap();
        let pkcs1 = &der[8 + at + 4..];
        assert_eq!(fingerprint(&STANDARD.encode(pkcs1)), expected);
    }

    #[test]
    fn encrypted_key_keeps_its_kind_and_other_text_stays() {
        let encrypted =
            "-----BEGIN ENCRYPTED PRIVATE KEY-----\nMIIB\n-----END ENCRYPTED PRIVATE KEY-----";
        assert_eq!(restored(encrypted), encrypted);
        assert_eq!(restored(&encrypted.replace('\n', "\\n")), encrypted);
        let der = [0x30, 0x05, 0x30, 0x03, 0x02, 0x01, 0x00];
        assert!(
            restored(&STANDARD.encode(der)).starts_with("-----BEGIN ENCRYPTED PRIVATE KEY-----\n")
        );
        for text in ["hunter2", "", "not base64 at all!", "aHVudGVyMg==", "MA==", "MIA="] {
            assert_eq!(restored(text), text);
        }
    }
}
