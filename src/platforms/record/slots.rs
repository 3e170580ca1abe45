//! Slots of a recorded configuration: keys and certificates, which are made anew for each replay.
//!
//! A recording holds no key, not even one that is used nowhere.

use std::path::Path;
use std::sync::OnceLock;

use aws_lc_rs::encoding::{AsDer as _, Pkcs8V1Der};
use aws_lc_rs::rsa::{KeyPair as RsaKeyPair, KeySize};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value as Json;

/// Slot of an RSA key.
pub(super) const RSA_KEY: &str = "@rsaKey@";
/// Slot of a key on an elliptic curve.
pub(super) const EC_KEY: &str = "@ecKey@";
/// Slot of a certificate for the key on an elliptic curve.
pub(super) const CERTIFICATE: &str = "@certificate@";
/// Slot of the folder with the files of the case.
pub(super) const FOLDER: &str = "@dir@";
/// File of the certificate authorities.
pub(super) const AUTHORITY_FILE: &str = "authorities.pem";
/// Longest line of a PEM file.
const LINE_MAX: usize = 64;

/// Key that serves all replays of the process.
static RSA: OnceLock<String> = OnceLock::new();

/// Values of the slots of one replay.
pub(crate) struct Slots {
    folder: String,
    certified: Option<rcgen::CertifiedKey<rcgen::KeyPair>>,
    rsa: Option<String>,
}

impl Slots {
    /// Returns the values for `folder`, with the keys that `integration` asks for.
    ///
    /// # Errors
    ///
    /// Fails when a key cannot be made.
    pub(crate) fn new(folder: &Path, integration: &Json) -> Result<Self, String> {
        let text = integration.to_string();
        let failed = |error: &dyn std::fmt::Display| format!("a key cannot be made: {error}");
        let names = vec!["localhost".to_owned()];
        let certified = (text.contains(EC_KEY) || text.contains(CERTIFICATE))
            .then(|| rcgen::generate_simple_self_signed(names).map_err(|error| failed(&error)));
        // Making one takes a second.
        let rsa = match RSA.get() {
            _ if !text.contains(RSA_KEY) => None,
            Some(known) => Some(known.clone()),
            None => {
                let made = rsa_key().map_err(|error| failed(&error))?;
                Some(RSA.get_or_init(|| made).clone())
            }
        };
        Ok(Self { folder: folder.display().to_string(), certified: certified.transpose()?, rsa })
    }

    /// Returns `json` with the slots filled; within a document in JSON that is a text, line ends are escaped.
    pub(crate) fn filled(&self, json: &Json) -> Json {
        match json {
            Json::String(text) => Json::String(self.filled_text(text)),
            Json::Array(items) => items.iter().map(|item| self.filled(item)).collect(),
            Json::Object(entries) => {
                entries.iter().map(|(key, item)| (key.clone(), self.filled(item))).collect()
            }
            Json::Null | Json::Bool(_) | Json::Number(_) => json.clone(),
        }
    }

    fn filled_text(&self, text: &str) -> String {
        let is_document = text.starts_with('{');
        let pem = |pem: String| if is_document { pem.replace('\n', "\\n") } else { pem };
        let mut filled = text.replace(FOLDER, &self.folder);
        if let Some(certified) = &self.certified {
            filled = filled.replace(EC_KEY, &pem(certified.signing_key.serialize_pem()));
            filled = filled.replace(CERTIFICATE, &pem(certified.cert.pem()));
        }
        match &self.rsa {
            Some(key) => filled.replace(RSA_KEY, &pem(key.clone())),
            None => filled,
        }
    }
}

fn rsa_key() -> Result<String, aws_lc_rs::error::Unspecified> {
    let der: Pkcs8V1Der<'_> = RsaKeyPair::generate(KeySize::Rsa2048)?.as_der()?;
    let text = STANDARD.encode(der.as_ref());
    let mut pem = "-----BEGIN PRIVATE KEY-----\n".to_owned();
    let mut rest = text.as_str();
    while !rest.is_empty() {
        let (line, after) = rest.split_at(rest.len().min(LINE_MAX));
        pem.push_str(line);
        pem.push('\n');
        rest = after;
    }
    pem.push_str("-----END PRIVATE KEY-----\n");
    Ok(pem)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn slots_are_filled_wherever_they_stand() {
        let integration = json!({
            "key": RSA_KEY,
            "chain": [CERTIFICATE, EC_KEY],
            "document": json!({ "private_key": RSA_KEY, "id": 7 }).to_string(),
            "path": "@dir@/x",
            "number": 1,
        });
        let filled = Slots::new(Path::new("/tmp/case"), &integration).unwrap().filled(&integration);
        let text = |json: &Json| json.as_str().unwrap().to_owned();
        let key = text(&filled["key"]);
        assert!(key.starts_with("-----BEGIN PRIVATE KEY-----\n"), "{key}");
        assert!(rcgen::KeyPair::from_pem(&key).is_ok() && key.lines().all(|line| line.len() <= 64));
        assert!(text(&filled["chain"][0]).starts_with("-----BEGIN CERTIFICATE-----"));
        assert!(rcgen::KeyPair::from_pem(&text(&filled["chain"][1])).is_ok());
        let document: Json = serde_json::from_str(&text(&filled["document"])).unwrap();
        assert_eq!(document, json!({ "private_key": key, "id": 7 }));
        assert_eq!((&filled["path"], &filled["number"]), (&json!("/tmp/case/x"), &json!(1)));
    }

    #[test]
    fn case_without_slots_needs_no_key() {
        let integration = json!({ "password": "secret1" });
        let slots = Slots::new(Path::new("/tmp/case"), &integration).unwrap();
        assert!(slots.rsa.is_none() && slots.certified.is_none());
        assert_eq!(slots.filled(&integration), integration);
    }
}
