//! Configuration as a recording has it: every name replaced, and every secret by one that is none.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Map, Value as Json};

use super::answers;
use super::pseudonym::{Kind, Pseudonyms};
use super::slots::{AUTHORITY_FILE, CERTIFICATE, EC_KEY, FOLDER, RSA_KEY};
use crate::domain::{REDACTED, SecretRef};
use crate::net::jwt;
use crate::secrets;

/// Keys whose values are words of the platform.
const PUBLIC: [&str; 19] = [
    "authenticationType",
    "awsRegion",
    "cloud",
    "connectTimeout",
    "encryption",
    "format",
    "grant_type",
    "location",
    "pausedPool",
    "provider",
    "readTimeout",
    "requiredPrivileges",
    "scope",
    "subject_token_field_name",
    "subject_token_type",
    "tls",
    "type",
    "universeDomain",
    "universe_domain",
];
/// Tables whose keys are names.
const MAPS: [&str; 2] = ["headers", "roles"];
/// Kinds of values by a part of their keys, in lower case; the first that fits.
const KINDS: [(&str, Kind); 34] = [
    ("host", Kind::Host),
    ("endpoint", Kind::Host),
    ("server", Kind::Host),
    ("proxy", Kind::Host),
    ("url", Kind::Host),
    ("uri", Kind::Host),
    ("user", Kind::User),
    ("serviceaccount", Kind::User),
    ("email", Kind::User),
    ("clientid", Kind::Id),
    ("client_id", Kind::Id),
    ("principal", Kind::User),
    ("role", Kind::Role),
    ("warehouse", Kind::Warehouse),
    ("httppath", Kind::Warehouse),
    ("cluster", Kind::Warehouse),
    ("pool", Kind::Warehouse),
    ("dataset", Kind::Database),
    ("database", Kind::Database),
    ("catalog", Kind::Catalog),
    ("table", Kind::Table),
    ("schema", Kind::Schema),
    ("object", Kind::Schema),
    ("bucket", Kind::Path),
    ("path", Kind::Path),
    ("account", Kind::Account),
    ("tenant", Kind::Account),
    ("project", Kind::Account),
    ("workspace", Kind::Account),
    ("subscription", Kind::Account),
    ("resource", Kind::Account),
    ("audience", Kind::Account),
    ("id", Kind::Id),
    ("key", Kind::Id),
];
/// Parts of keys whose secrets have a form of their own.
const FORMED: [&str; 3] = ["privatekey", "certificate", "credential"];
/// File with the token of a workload.
const SUBJECT_FILE: &str = "subject";
/// Object identifier of RSA keys, in the form of DER.
const RSA: [u8; 9] = [0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01];
/// Object identifier of keys on elliptic curves, in the form of DER.
const EC: [u8; 7] = [0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01];

/// Configuration of a case.
pub(super) struct Configured {
    /// Table `config` without names and secrets.
    pub(super) config: Json,
    /// Files of the case, by their names.
    pub(super) files: Map<String, Json>,
}

/// Returns the configuration without names and secrets.
///
/// # Errors
///
/// Names a secret whose form is not known, because the configuration itself holds it.
pub(super) async fn configured(
    names: &mut Pseudonyms,
    config: &Json,
) -> Result<Configured, String> {
    // A name may stand within another that comes first, such as a project in an account.
    learn(names, config, "config");
    let mut writer = Writer { names, files: Map::new() };
    let config = writer.table(config, "config").await?;
    Ok(Configured { config, files: writer.files })
}

struct Writer<'a> {
    names: &'a mut Pseudonyms,
    files: Map<String, Json>,
}

impl Writer<'_> {
    async fn table(&mut self, table: &Json, path: &str) -> Result<Json, String> {
        let Json::Object(entries) = table else { return Ok(table.clone()) };
        let mut replaced = Map::new();
        let is_map = MAPS.iter().any(|map| path.ends_with(map));
        for (key, item) in entries {
            let path = format!("{path}.{key}");
            self.names.reading(&path);
            let new = if is_map { self.names.named(key, Kind::Name) } else { key.clone() };
            if key == "privateKeyPassword" {
                // The key in its place is not encrypted.
                continue;
            }
            replaced.insert(new, Box::pin(self.item(item, key, &path)).await?);
        }
        Ok(Json::Object(replaced))
    }

    async fn item(&mut self, item: &Json, key: &str, path: &str) -> Result<Json, String> {
        match item {
            Json::String(text) if text == REDACTED => self.literal(path),
            Json::String(_) if key == "caFile" => {
                let name = Json::from(CERTIFICATE);
                self.files.insert(AUTHORITY_FILE.to_owned(), name);
                Ok(Json::from(format!("{FOLDER}/{AUTHORITY_FILE}")))
            }
            Json::String(text) => Ok(Json::from(self.text(key, text))),
            Json::Number(_) => Ok(answers::value(self.names, key, item)),
            Json::Array(items) => {
                let mut replaced = Vec::with_capacity(items.len());
                for item in items {
                    replaced.push(Box::pin(self.item(item, key, path)).await?);
                }
                Ok(Json::Array(replaced))
            }
            Json::Object(_) => match reference(item) {
                Some(secret) => Ok(self.secret(&secret, path).await),
                None => self.table(item, path).await,
            },
            Json::Null | Json::Bool(_) => Ok(item.clone()),
        }
    }

    fn text(&mut self, key: &str, text: &str) -> String {
        if PUBLIC.contains(&key) {
            return self.names.text(text);
        }
        self.names.named(text, kind_of(key))
    }

    fn literal(&mut self, path: &str) -> Result<Json, String> {
        let lower = path.to_lowercase();
        let last = lower.rsplit_once('.').map_or(lower.as_str(), |(_, last)| last);
        if FORMED.iter().any(|part| last.contains(part)) || last == "key" || last == "content" {
            return Err(format!(
                "{path} is a secret in the configuration itself, whose form is not known here: put it into \
                 a file, and refer to it by {{ file = \"path\" }}"
            ));
        }
        Ok(Json::from(self.names.secret()))
    }

    /// Returns what stands for a secret: one of the same form, or a reference that cannot be read either.
    async fn secret(&mut self, secret: &SecretRef, path: &str) -> Json {
        let Ok(value) = secrets::resolve(secret).await else {
            return match secret {
                SecretRef::Env(name) => {
                    serde_json::json!({ "env": self.names.named(name, Kind::Name) })
                }
                SecretRef::File(path) => {
                    let missing = format!("{FOLDER}/missing");
                    self.names.exactly(&path.display().to_string(), &missing);
                    serde_json::json!({ "file": missing })
                }
                SecretRef::Credential(name) => {
                    serde_json::json!({ "credential": self.names.named(name, Kind::Name) })
                }
                SecretRef::Literal(_) => Json::Null,
            };
        };
        let text = value.expose();
        if let Ok(Json::Object(entries)) = serde_json::from_str::<Json>(text) {
            let named = entries.iter().filter(|(key, _)| !is_secret(key));
            named.for_each(|(key, item)| learn(self.names, item, &format!("{path}.{key}")));
            return Json::from(self.document(&entries).await.to_string());
        }
        let has_key = text.contains("PRIVATE KEY-----");
        if text.contains("-----BEGIN CERTIFICATE") {
            let key = if has_key { format!("\n{EC_KEY}") } else { String::new() };
            return Json::from(format!("{CERTIFICATE}{key}"));
        }
        if has_key {
            let is_of_tls = path.contains(".tls.");
            return Json::from(if is_of_tls || is_ec(text) { EC_KEY } else { RSA_KEY });
        }
        Json::from(self.token(text).unwrap_or_else(|| self.names.secret()))
    }

    /// Returns a token in place of a signed one (JWT) with an expiry, which clients look at: it has the same.
    fn token(&mut self, text: &str) -> Option<String> {
        let expires = jwt::claims(text)?.expires?;
        let part = |json: Json| URL_SAFE_NO_PAD.encode(json.to_string());
        let head = part(serde_json::json!({ "alg": "none" }));
        let claims = part(serde_json::json!({ "exp": expires.0 / 1000 }));
        Some(format!("{head}.{claims}.{}", self.names.secret()))
    }

    /// Replaces a file of credentials in JSON.
    async fn document(&mut self, entries: &Map<String, Json>) -> Json {
        let mut replaced = Map::new();
        for (key, item) in entries {
            let new = match item {
                Json::Object(inner) => Box::pin(self.document(inner)).await,
                Json::String(_) if key == "private_key" => Json::from(RSA_KEY),
                Json::String(_) if is_secret(key) => Json::from(self.names.secret()),
                Json::String(path) if key == "file" => Box::pin(self.subject(path)).await,
                Json::String(text) => Json::from(self.text(key, text)),
                Json::Null | Json::Bool(_) | Json::Number(_) | Json::Array(_) => {
                    answers::value(self.names, key, item)
                }
            };
            replaced.insert(key.clone(), new);
        }
        Json::Object(replaced)
    }

    /// Returns the path of what stands for a file with the token of a workload.
    async fn subject(&mut self, path: &str) -> Json {
        let Ok(token) = secrets::resolve(&SecretRef::File(path.into())).await else {
            let missing = format!("{FOLDER}/missing");
            self.names.exactly(path, &missing);
            return Json::from(missing);
        };
        let token = match serde_json::from_str::<Json>(token.expose()) {
            Ok(Json::Object(entries)) => self.document(&entries).await.to_string(),
            Ok(_) | Err(_) => self.names.secret(),
        };
        let name = format!("{FOLDER}/{SUBJECT_FILE}");
        self.names.exactly(path, &name);
        self.files.insert(SUBJECT_FILE.to_owned(), Json::from(token));
        Json::from(name)
    }
}

/// True for a key of credentials in JSON whose value is a secret.
fn is_secret(key: &str) -> bool {
    let lower = key.to_lowercase();
    !PUBLIC.contains(&key)
        && ["secret", "token", "private_key", "password"].iter().any(|part| lower.contains(part))
        && !["url", "uri", "type", "id"].iter().any(|end| lower.ends_with(end))
}

/// Learns the names of a configuration that are one word each.
fn learn(names: &mut Pseudonyms, item: &Json, path: &str) {
    let key = path.rsplit_once('.').map_or(path, |(_, key)| key);
    match item {
        Json::String(text) if is_word(text) && !PUBLIC.contains(&key) => {
            names.reading(path);
            names.named(text, kind_of(key));
        }
        Json::Array(items) => items.iter().for_each(|item| learn(names, item, path)),
        Json::Object(entries) if reference(item).is_none() => {
            for (key, item) in entries {
                learn(names, item, &format!("{path}.{key}"));
            }
        }
        Json::Null | Json::Bool(_) | Json::Number(_) | Json::String(_) | Json::Object(_) => {}
    }
}

/// True for a text of one word, which is not the mark of a secret.
fn is_word(text: &str) -> bool {
    text != REDACTED && !text.contains([':', '/', '@', '.', ' '])
}

/// Returns the reference to a secret that `item` is.
fn reference(item: &Json) -> Option<SecretRef> {
    let entries = item.as_object().filter(|entries| entries.len() == 1)?;
    let (key, value) = entries.iter().next()?;
    let value = value.as_str()?;
    match key.as_str() {
        "file" => Some(SecretRef::File(value.into())),
        "env" => Some(SecretRef::Env(value.to_owned())),
        "credential" => Some(SecretRef::Credential(value.to_owned())),
        _ => None,
    }
}

fn kind_of(key: &str) -> Kind {
    let key = key.to_lowercase();
    KINDS.iter().find(|(part, _)| key.contains(part)).map_or(Kind::Name, |(_, kind)| *kind)
}

/// True for a private key on an elliptic curve.
fn is_ec(pem: &str) -> bool {
    use base64::Engine;
    use base64::engine::general_purpose::STANDARD;
    let lines = pem.lines().filter(|line| !line.starts_with("-----"));
    let der = STANDARD.decode(lines.collect::<String>()).unwrap_or_default();
    let has = |id: &[u8]| der.windows(id.len()).any(|window| window == id);
    pem.contains("EC PRIVATE KEY") || (has(&EC) && !has(&RSA))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Redactor;
    use serde_json::json;

    async fn written(config: &Json) -> Result<(Json, Json), String> {
        let mut names = Pseudonyms::new(&Redactor::default());
        let Configured { config, files } = configured(&mut names, config).await?;
        Ok((config, Json::Object(files)))
    }

    #[tokio::test]
    async fn names_are_replaced_and_words_of_the_platform_stay() {
        let config = json!({
            "host": "Acme42.eu-central-1.snowflakecomputing.com",
            "authenticationType": "userPassword",
            "username": "jdoe",
            "role": "PUBLIC",
            "port": 443,
            "workspaceId": 1_234_567_890_123_456_u64,
            "connectTimeout": "5s",
            "catalogs": ["sales", "hr-data"],
            "roles": { "sales": "auditor" },
            "tls": { "caFile": "/etc/acme/ca.pem" },
            "audit": { "enabled": true },
        });
        let (found, files) = written(&config).await.unwrap();
        let expected = json!({
            "host": "Host1.eu-central-1.snowflakecomputing.com",
            "authenticationType": "userPassword",
            "username": "user1",
            "role": "PUBLIC",
            "port": 443,
            "workspaceId": 1_000_000_000_000_001_u64,
            "connectTimeout": "5s",
            "catalogs": ["catalog1", "catalog2"],
            "roles": { "catalog1": "name1" },
            "tls": { "caFile": "@dir@/authorities.pem" },
            "audit": { "enabled": true },
        });
        assert_eq!(found, expected);
        assert_eq!(files, json!({ "authorities.pem": "@certificate@" }));
    }

    #[tokio::test]
    async fn secret_is_replaced_by_one_of_the_same_form() {
        let dir = tempfile::tempdir().unwrap();
        let file = |name: &str, text: &str| {
            let path = dir.path().join(name);
            std::fs::write(&path, text).unwrap();
            json!({ "file": path })
        };
        let key = |algorithm| rcgen::KeyPair::generate_for(algorithm).unwrap().serialize_pem();
        let part = |text: &str| URL_SAFE_NO_PAD.encode(text);
        let signed = [part(r#"{"alg":"RS256"}"#), part(r#"{"exp":7,"sub":"acme"}"#), part("sign")];
        let subject = file("subject", "hunter2-token");
        let document = json!({
            "type": "external_account", "audience": "//iam.googleapis.com/projects/1/acme",
            "client_secret": "hunter2",
            "credential_source": { "file": subject["file"] },
        });
        let config = json!({
            "password": file("password", "hunter2"),
            "rsa": file("rsa", &key(&rcgen::PKCS_RSA_SHA256)),
            "ec": file("ec", &key(&rcgen::PKCS_ECDSA_P256_SHA256)),
            "chain": file("chain", "-----BEGIN CERTIFICATE-----\nhunter2\n"),
            "document": file("document", &document.to_string()),
            "jwt": file("jwt", &signed.join(".")),
            "missing": { "file": "/no/such/file" },
            "variable": { "env": "ACME_PASSWORD_NOT_SET" },
            "privateKeyPassword": file("passphrase", "hunter2"),
            "literal": REDACTED,
        });
        let (found, files) = written(&config).await.unwrap();
        assert!(!found.to_string().contains("hunter2") && !found.to_string().contains("BEGIN"));
        assert_eq!((&found["rsa"], &found["ec"]), (&json!("@rsaKey@"), &json!("@ecKey@")));
        let token = found["jwt"].as_str().unwrap();
        let claims = jwt::claims(token).unwrap();
        assert_eq!((claims.expires, claims.subject), (Some(crate::domain::Timestamp(7000)), None));
        assert!(!token.contains(&signed[2]), "{token}");
        assert_eq!(found["chain"], "@certificate@");
        assert_eq!(found["missing"], json!({ "file": "@dir@/missing" }));
        assert_eq!(found["variable"]["env"].as_str().unwrap(), "NAME1");
        assert_eq!(found.get("privateKeyPassword"), None);
        let document: Json = serde_json::from_str(found["document"].as_str().unwrap()).unwrap();
        assert_eq!(document["credential_source"]["file"], "@dir@/subject");
        assert_eq!(document["type"], "external_account");
        assert!(files["subject"].as_str().unwrap().starts_with("secret"), "{files}");
        for own in ["password", "literal"] {
            assert!(found[own].as_str().unwrap().starts_with("secret"), "{found}");
        }
    }

    #[tokio::test]
    async fn secret_of_unknown_form_is_refused_by_its_key() {
        for key in ["privateKey", "credential", "certificate"] {
            let refused = written(&json!({ key: REDACTED })).await.map(|_| ()).unwrap_err();
            assert!(refused.starts_with(&format!("config.{key} is a secret")), "{refused}");
        }
    }
}
