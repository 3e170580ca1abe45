//! Signatures of Standard Webhooks, version 1: HMAC-SHA256 over `id.timestamp.body`.

use aws_lc_rs::hmac;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use secrecy::zeroize::Zeroizing;

use crate::domain::Secret;

/// Prefix of every secret.
pub(super) const PREFIX: &str = "whsec_";
/// Length of the shortest key, in bytes, as the standard recommends.
const KEY_BYTES_MIN: usize = 24;
/// Length of the longest key, in bytes.
const KEY_BYTES_MAX: usize = 64;

/// Error of a secret that is no key; never shows the secret.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub(crate) enum KeyError {
    /// The secret does not have the prefix of Standard Webhooks.
    #[error("a webhook secret begins with `{PREFIX}`")]
    Prefix,
    /// The rest after the prefix is not base64.
    #[error("a webhook secret is `{PREFIX}` and base64 with padding")]
    Encoding,
    /// The key is too short to be safe, or longer than verifiers take.
    #[error(
        "a webhook secret holds {KEY_BYTES_MIN} to {KEY_BYTES_MAX} bytes, not {0}; make one with `openssl rand -base64 32`"
    )]
    Length(usize),
}

/// Signing key of a receiver.
#[derive(Debug)]
pub(crate) struct Key(hmac::Key);

impl Key {
    /// Parses `secret`: `whsec_` and base64 of 24 to 64 bytes.
    ///
    /// # Errors
    ///
    /// Fails with the expected form, without showing the secret.
    pub(crate) fn parse(secret: &Secret) -> Result<Self, KeyError> {
        let encoded = secret.expose().strip_prefix(PREFIX).ok_or(KeyError::Prefix)?;
        let decoded = STANDARD.decode(encoded).map_err(|_detail| KeyError::Encoding)?;
        let bytes = Zeroizing::new(decoded);
        if !(KEY_BYTES_MIN..=KEY_BYTES_MAX).contains(&bytes.len()) {
            return Err(KeyError::Length(bytes.len()));
        }
        Ok(Self(hmac::Key::new(hmac::HMAC_SHA256, &bytes)))
    }

    fn sign(&self, id: &str, unix_seconds: i64, body: &str) -> String {
        let mut context = hmac::Context::with_key(&self.0);
        context.update(format!("{id}.{unix_seconds}.").as_bytes());
        context.update(body.as_bytes());
        format!("v1,{}", STANDARD.encode(context.sign()))
    }
}

/// Returns the value of the header `webhook-signature`: one entry per key, so that a receiver can
/// verify with either secret during a rotation.
pub(crate) fn signatures(keys: &[Key], id: &str, unix_seconds: i64, body: &str) -> String {
    let entries: Vec<_> = keys.iter().map(|key| key.sign(id, unix_seconds, body)).collect();
    entries.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(secret: &str) -> Result<Key, KeyError> {
        Key::parse(&Secret::new(secret.to_owned()))
    }

    fn secret_of(bytes: usize) -> String {
        format!("{PREFIX}{}", STANDARD.encode(vec![b'k'; bytes]))
    }

    #[test]
    fn known_vector_of_the_standard_is_reproduced() {
        let keys = [key("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").unwrap()];
        let signed = signatures(
            &keys,
            "msg_p5jXN8AQM9LWM0D4loKWxJek",
            1_614_265_330,
            r#"{"test": 2432232314}"#,
        );
        assert_eq!(signed, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
    }

    #[test]
    fn each_key_adds_one_signature() {
        let one = || key(&secret_of(24)).unwrap();
        let two = || key(&secret_of(64)).unwrap();
        let signed = |keys: &[Key]| signatures(keys, "evt_1", 7, "{}");
        assert_eq!(
            signed(&[one(), two()]),
            format!("{} {}", signed(&[one()]), signed(&[two()])),
            "entries are separated by a space"
        );
        assert_ne!(signed(&[one()]), signed(&[two()]));
        for (id, at, body) in [("evt_2", 7, "{}"), ("evt_1", 8, "{}"), ("evt_1", 7, "{ }")] {
            assert_ne!(signatures(&[one()], id, at, body), signed(&[one()]));
        }
    }

    #[test]
    fn a_secret_of_another_form_is_refused_and_not_shown() {
        let table = [
            ("", KeyError::Prefix),
            ("hunter2hunter2hunter2hunter2hunter2", KeyError::Prefix),
            ("WHSEC_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", KeyError::Prefix),
            (" whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", KeyError::Prefix),
            ("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw ", KeyError::Encoding),
            ("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaS", KeyError::Encoding),
            ("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaS-", KeyError::Encoding),
            ("whsec_hunter2!", KeyError::Encoding),
            ("whsec_", KeyError::Length(0)),
            (&secret_of(1), KeyError::Length(1)),
            (&secret_of(23), KeyError::Length(23)),
            (&secret_of(65), KeyError::Length(65)),
        ];
        for (secret, wanted) in table {
            let fault = key(secret).unwrap_err();
            assert_eq!(fault, wanted, "{secret}");
            assert!(!format!("{fault} {fault:?}").contains("hunter2"));
        }
        for bytes in [24, 25, 32, 64] {
            assert!(key(&secret_of(bytes)).is_ok(), "{bytes}");
        }
    }

    #[test]
    fn a_key_is_not_printed() {
        let shown = format!("{:?}", key(&secret_of(24)).unwrap());
        assert!(!shown.contains("107") && !shown.contains("kkk"), "{shown}");
    }
}
