//! Echoes of secrets, as platforms and receivers put them into their answers; for tests.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};

/// The pieces and spellings in which a server can echo `secret`, which has 14 bytes at least.
pub(crate) fn echoes(secret: &str) -> Vec<String> {
    let length = secret.len();
    let percent: Vec<_> = secret.bytes().map(|byte| format!("%{byte:02X}")).collect();
    let hex: Vec<_> = secret.bytes().map(|byte| format!("{byte:02x}")).collect();
    vec![
        secret.to_owned(),
        secret[..length - 2].to_owned(),
        secret[..length / 2].to_owned(),
        secret[2..].to_owned(),
        secret[length - length / 2..].to_owned(),
        secret[1..length - 1].to_owned(),
        STANDARD.encode(secret),
        STANDARD.encode(format!("u:{secret}")),
        URL_SAFE_NO_PAD.encode(secret),
        percent.concat(),
        hex.concat(),
        format!("{secret:?}").trim_matches('"').replace('/', "\\/"),
    ]
}

/// Panics when `text` shows eight consecutive bytes of one of the [`echoes`] of `secret`.
pub(crate) fn assert_hidden(text: &str, secret: &str, place: &str) {
    for echo in echoes(secret) {
        let mut pieces = echo.as_bytes().windows(8);
        let is_shown = |piece| str::from_utf8(piece).is_ok_and(|piece| text.contains(piece));
        assert!(!pieces.any(is_shown), "{place}: {echo} is shown in {text}");
    }
}
