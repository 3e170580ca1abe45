//! JSON Web Tokens (RFC 7515, 7518, 7519): signing with a private key, and reading the claims of
//! tokens from elsewhere.

use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::encoding::{AsDer, PublicKeyX509Der};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeyPair as RsaKey;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, ECDSA_P384_SHA384_FIXED_SIGNING,
    ECDSA_P521_SHA512_FIXED_SIGNING, EcdsaKeyPair, KeyPair, RSA_PKCS1_SHA256, RSA_PSS_SHA256,
    RsaEncoding,
};
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use serde_json::{Map, Value as Json};
use x509_cert::Certificate;
use x509_cert::der::{Decode, Encode};

use crate::domain::{Secret, Timestamp, one_line};

/// Longest token that is read, in bytes.
const TOKEN_MAX: usize = 16 * 1024;
/// Longest claim that is kept, in characters.
const CLAIM_MAX: usize = 200;
/// Most audiences that are kept.
const AUDIENCES_MAX: usize = 8;
/// Most permissions that are kept.
const PERMISSIONS_MAX: usize = 50;

/// Reasons why a private key cannot be used; never shows any of it.
#[derive(Debug, thiserror::Error)]
pub(crate) enum KeyError {
    /// Text that is not a private key in PEM form.
    #[error("it is not a private key in PEM form (-----BEGIN PRIVATE KEY-----)")]
    Form,
    /// Key that is neither RSA nor on one of the three curves.
    #[error("it is neither an RSA key of 2048 to 8192 bits nor a P-256, P-384 or P-521 key")]
    Kind,
    /// Refusal of the library to sign.
    #[error("nothing can be signed with it")]
    Sign,
}

/// Private key that signs tokens.
pub(crate) struct SigningKey {
    key: Key,
    public: Vec<u8>,
}

enum Key {
    Rsa(RsaKey, Padding),
    Ecdsa(EcdsaKeyPair, &'static str),
}

/// Padding of a signature by RSA.
#[derive(Clone, Copy)]
enum Padding {
    Pkcs1,
    Pss,
}

impl Padding {
    const fn algorithm(self) -> &'static str {
        match self {
            Self::Pkcs1 => "RS256",
            Self::Pss => "PS256",
        }
    }

    fn encoding(self) -> &'static dyn RsaEncoding {
        match self {
            Self::Pkcs1 => &RSA_PKCS1_SHA256,
            Self::Pss => &RSA_PSS_SHA256,
        }
    }
}

/// Never shows the key.
impl std::fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("SigningKey").field(&self.algorithm()).finish()
    }
}

impl SigningKey {
    /// Reads the first private key in `pem`: PKCS#8, or PKCS#1 for RSA; not encrypted.
    ///
    /// # Errors
    ///
    /// Names the fault of the key.
    pub(crate) fn from_pem(pem: &Secret) -> Result<Self, KeyError> {
        match PrivateKeyDer::from_pem_slice(pem.expose().as_bytes()) {
            Ok(PrivateKeyDer::Pkcs8(der)) => Self::from_pkcs8(der.secret_pkcs8_der()),
            Ok(PrivateKeyDer::Pkcs1(der)) => {
                let key = RsaKey::from_der(der.secret_pkcs1_der());
                Self::rsa(key.map_err(|_rejected| KeyError::Kind)?)
            }
            Ok(_) => Err(KeyError::Kind),
            Err(_no_pem) => Err(KeyError::Form),
        }
    }

    /// Reads the private key in `der`, which is PKCS#8 and not encrypted.
    ///
    /// # Errors
    ///
    /// Names the fault of the key.
    pub(crate) fn from_pkcs8(der: &[u8]) -> Result<Self, KeyError> {
        if let Ok(key) = RsaKey::from_pkcs8(der) {
            return Self::rsa(key);
        }
        let curves = [
            (&ECDSA_P256_SHA256_FIXED_SIGNING, "ES256"),
            (&ECDSA_P384_SHA384_FIXED_SIGNING, "ES384"),
            (&ECDSA_P521_SHA512_FIXED_SIGNING, "ES512"),
        ];
        for (curve, name) in curves {
            if let Ok(key) = EcdsaKeyPair::from_pkcs8(curve, der) {
                let public = AsDer::<PublicKeyX509Der<'_>>::as_der(key.public_key());
                let public = public.map_err(|_unspecified| KeyError::Kind)?.as_ref().to_vec();
                return Ok(Self { key: Key::Ecdsa(key, name), public });
            }
        }
        Err(KeyError::Kind)
    }

    fn rsa(key: RsaKey) -> Result<Self, KeyError> {
        let public = AsDer::<PublicKeyX509Der<'_>>::as_der(key.public_key());
        let public = public.map_err(|_unspecified| KeyError::Kind)?.as_ref().to_vec();
        Ok(Self { key: Key::Rsa(key, Padding::Pkcs1), public })
    }

    /// Returns the same key; one of RSA signs with PS256 in place of RS256.
    #[must_use]
    pub(crate) fn with_pss(self) -> Self {
        let key = match self.key {
            Key::Rsa(key, _) => Key::Rsa(key, Padding::Pss),
            other @ Key::Ecdsa(..) => other,
        };
        Self { key, ..self }
    }

    /// True when the certificate holds the public half of this key.
    pub(crate) fn fits(&self, certificate: &CertificateDer<'_>) -> bool {
        let parsed = Certificate::from_der(certificate).ok();
        let public =
            parsed.and_then(|parsed| parsed.tbs_certificate.subject_public_key_info.to_der().ok());
        public.is_some_and(|public| public == self.public)
    }

    /// Returns `alg` in the head of its tokens.
    pub(crate) const fn algorithm(&self) -> &'static str {
        match &self.key {
            Key::Rsa(_, padding) => padding.algorithm(),
            Key::Ecdsa(_, name) => name,
        }
    }

    /// Returns the SHA-256 of the public key (DER, `SubjectPublicKeyInfo`) in base64.
    pub(crate) fn fingerprint(&self) -> String {
        STANDARD.encode(digest(&SHA256, &self.public))
    }

    /// Signs a token with `claims`; `head` is added to `alg` and `typ`.
    ///
    /// # Errors
    ///
    /// [`KeyError::Sign`] when the library refuses.
    pub(crate) fn token(&self, head: &[(&str, &str)], claims: &Json) -> Result<Secret, KeyError> {
        let fixed = [("alg", self.algorithm()), ("typ", "JWT")];
        let head: Map<String, Json> = fixed
            .iter()
            .chain(head)
            .map(|(name, value)| ((*name).to_owned(), Json::from(*value)))
            .collect();
        let part = |json: &Json| URL_SAFE_NO_PAD.encode(json.to_string());
        let signed = format!("{}.{}", part(&Json::Object(head)), part(claims));
        let signature = URL_SAFE_NO_PAD.encode(self.sign(signed.as_bytes())?);
        Ok(Secret::new(format!("{signed}.{signature}")))
    }

    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, KeyError> {
        let random = SystemRandom::new();
        match &self.key {
            Key::Rsa(key, padding) => {
                let mut signature = vec![0; key.public_modulus_len()];
                key.sign(padding.encoding(), &random, message, &mut signature)
                    .map_err(|_unspecified| KeyError::Sign)?;
                Ok(signature)
            }
            Key::Ecdsa(key, _) => {
                let signature = key.sign(&random, message);
                Ok(signature.map_err(|_unspecified| KeyError::Sign)?.as_ref().to_vec())
            }
        }
    }
}

/// Claims of a token. They are not verified, and nothing may be decided by them.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(crate) struct Claims {
    /// Expiry of the token.
    pub(crate) expires: Option<Timestamp>,
    /// Issuer of the token.
    pub(crate) issuer: Option<String>,
    /// Audiences that it is for.
    pub(crate) audiences: Vec<String>,
    /// Subject that it is about.
    pub(crate) subject: Option<String>,
    /// Time from which it is valid.
    pub(crate) issued: Option<Timestamp>,
    /// Application that asked for it.
    pub(crate) client: Option<String>,
    /// Permissions: scopes and roles, in their order in the token.
    pub(crate) permissions: Vec<String>,
}

/// Returns the claims of `token`, bounded and without its signature; none for other tokens.
pub(crate) fn claims(token: &str) -> Option<Claims> {
    let token = Some(token.trim()).filter(|token| token.len() <= TOKEN_MAX)?;
    let mut parts = token.split('.');
    let (Some(head), Some(claims), Some(_signature), None) =
        (parts.next(), parts.next(), parts.next(), parts.next())
    else {
        return None;
    };
    let object = |part: &str| -> Option<Map<String, Json>> {
        serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part.trim_end_matches('=')).ok()?).ok()
    };
    object(head)?;
    let claims = object(claims)?;
    let text = |json: &Json| json.as_str().map(|text| one_line(text, CLAIM_MAX));
    let audiences = match claims.get("aud") {
        Some(Json::Array(all)) => all.iter().filter_map(text).take(AUDIENCES_MAX).collect(),
        Some(one) => text(one).into_iter().collect(),
        None => Vec::new(),
    };
    Some(Claims {
        expires: claims.get("exp").and_then(instant),
        issuer: claims.get("iss").and_then(text),
        audiences,
        subject: claims.get("sub").and_then(text),
        issued: ["iat", "nbf"].iter().find_map(|name| instant(claims.get(*name)?)),
        client: ["azp", "appid", "client_id"].iter().find_map(|name| text(claims.get(*name)?)),
        permissions: permissions(&claims),
    })
}

/// Returns scopes, which are words of one text (RFC 8693, Microsoft Entra) or a list, and roles.
fn permissions(claims: &Map<String, Json>) -> Vec<String> {
    let all = ["scope", "scp", "roles"].iter().filter_map(|name| claims.get(*name));
    let words = all.flat_map(|json| match json {
        Json::String(text) => text.split_whitespace().collect(),
        Json::Array(items) => items.iter().filter_map(Json::as_str).collect::<Vec<_>>(),
        Json::Null | Json::Bool(_) | Json::Number(_) | Json::Object(_) => Vec::new(),
    });
    words.take(PERMISSIONS_MAX).map(|word| one_line(word, CLAIM_MAX)).collect()
}

/// Reads a `NumericDate`: seconds since 1970, of which a fraction is dropped.
fn instant(json: &Json) -> Option<Timestamp> {
    let text = json.as_number()?.to_string();
    let seconds: i64 = text.split('.').next()?.parse().ok()?;
    seconds.checked_mul(1000).map(Timestamp)
}

#[cfg(test)]
mod tests {
    use super::*;
    use aws_lc_rs::signature::{
        ECDSA_P256_SHA256_FIXED, ECDSA_P384_SHA384_FIXED, ECDSA_P521_SHA512_FIXED,
        RSA_PKCS1_2048_8192_SHA256, RSA_PSS_2048_8192_SHA256, UnparsedPublicKey,
        VerificationAlgorithm,
    };
    use rcgen::KeyPair as Pair;

    fn decoded(part: &str) -> Json {
        serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).unwrap()).unwrap()
    }

    #[test]
    fn token_of_every_kind_of_key_verifies_with_its_public_half() {
        let kinds: [(_, &dyn VerificationAlgorithm, _); 4] = [
            (&rcgen::PKCS_RSA_SHA256, &RSA_PKCS1_2048_8192_SHA256, "RS256"),
            (&rcgen::PKCS_ECDSA_P256_SHA256, &ECDSA_P256_SHA256_FIXED, "ES256"),
            (&rcgen::PKCS_ECDSA_P384_SHA384, &ECDSA_P384_SHA384_FIXED, "ES384"),
            (&rcgen::PKCS_ECDSA_P521_SHA512, &ECDSA_P521_SHA512_FIXED, "ES512"),
        ];
        for (kind, verifier, name) in kinds {
            let pair = Pair::generate_for(kind).unwrap();
            let key = SigningKey::from_pem(&Secret::new(pair.serialize_pem())).unwrap();
            let claims = serde_json::json!({ "iss": "a", "exp": 7 });
            let token = key.token(&[("kid", "k1")], &claims).unwrap();
            let parts: Vec<_> = token.expose().split('.').collect();
            let head = decoded(parts[0]);
            assert_eq!(head, serde_json::json!({ "alg": name, "typ": "JWT", "kid": "k1" }));
            assert_eq!(decoded(parts[1]), claims);
            let signed = format!("{}.{}", parts[0], parts[1]);
            let signature = URL_SAFE_NO_PAD.decode(parts[2]).unwrap();
            let public = UnparsedPublicKey::new(verifier, pair.public_key_raw());
            public.verify(signed.as_bytes(), &signature).unwrap();
            assert_eq!(format!("{key:?}"), format!("SigningKey(\"{name}\")"));
        }
    }

    #[test]
    fn token_with_the_newer_padding_verifies_too() {
        let pair = Pair::generate_for(&rcgen::PKCS_RSA_SHA256).unwrap();
        let key = SigningKey::from_pem(&Secret::new(pair.serialize_pem())).unwrap().with_pss();
        let token = key.token(&[], &serde_json::json!({})).unwrap();
        let (signed, signature) = token.expose().rsplit_once('.').unwrap();
        assert_eq!(decoded(signed.split('.').next().unwrap())["alg"], "PS256");
        let signature = URL_SAFE_NO_PAD.decode(signature).unwrap();
        let public = UnparsedPublicKey::new(&RSA_PSS_2048_8192_SHA256, pair.public_key_raw());
        public.verify(signed.as_bytes(), &signature).unwrap();
    }

    #[test]
    fn invalid_key_is_described_without_showing_it() {
        let pair = Pair::generate_for(&rcgen::PKCS_ED25519).unwrap();
        let table = [
            ("hunter2".to_owned(), "not a private key in PEM form"),
            (pair.serialize_pem(), "neither an RSA key"),
            (pair.public_key_pem(), "not a private key in PEM form"),
        ];
        for (pem, expected) in table {
            let error = SigningKey::from_pem(&Secret::new(pem)).unwrap_err().to_string();
            assert!(error.contains(expected) && !error.contains("hunter2"), "{error}");
        }
    }

    #[test]
    fn claims_are_read_without_the_signature() {
        let part = |json: &str| URL_SAFE_NO_PAD.encode(json);
        let of =
            |json: &str| claims(&format!("{}.{}.hunter2", part("{\"alg\":\"x\"}"), part(json)));
        let all = r#"{"exp":1795381200,"iss":"https://i/","aud":["a","b",3],"sub":"me",
            "nbf":1795381199,"appid":"app","scp":"read  write","roles":["Admin",7]}"#;
        let found = of(all).unwrap();
        let expected = Claims {
            expires: Some("2026-11-22T21:00:00Z".parse().unwrap()),
            issuer: Some("https://i/".to_owned()),
            audiences: vec!["a".to_owned(), "b".to_owned()],
            subject: Some("me".to_owned()),
            issued: Some("2026-11-22T20:59:59Z".parse().unwrap()),
            client: Some("app".to_owned()),
            permissions: ["read", "write", "Admin"].map(str::to_owned).to_vec(),
        };
        assert_eq!(found, expected);
        assert!(!format!("{found:?}").contains("hunter2"));
        assert_eq!(of("{}"), Some(Claims::default()));
        let fraction = of(r#"{"exp":1795381200.75,"aud":"a"}"#).unwrap();
        assert_eq!((fraction.expires, fraction.audiences.len()), (expected.expires, 1));
        for odd in [r#"{"exp":"soon"}"#, r#"{"exp":1e99}"#, r#"{"exp":9223372036854775807}"#] {
            assert_eq!(of(odd).unwrap().expires, None, "{odd}");
        }
        let long = of(&format!("{{\"sub\":\"{}\"}}", "x".repeat(5000))).unwrap();
        assert!(long.subject.unwrap().chars().count() <= CLAIM_MAX);
    }

    #[test]
    fn other_text_has_no_claims() {
        let good = format!("{}.{}.s", URL_SAFE_NO_PAD.encode("{}"), URL_SAFE_NO_PAD.encode("{}"));
        assert!(claims(&good).is_some());
        let long = format!("{good}{}", "s".repeat(TOKEN_MAX));
        for text in ["", "pat_0123", "a.b", "a.b.c", "dapi.x.y.z", &good[1..], &long] {
            assert_eq!(claims(text), None, "{text}");
        }
    }
}
