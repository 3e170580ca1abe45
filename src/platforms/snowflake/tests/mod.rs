//! The platform against servers: recorded answers in `testcases/`, and two independent servers:
//! `SnowDuck`, which speaks the SQL API and the drivers' protocol, and fakesnow, which speaks the
//! latter.

mod answers;
mod causes;
mod grants;
mod keys;
mod observed;
mod stand_ins;
mod transient;

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value as Json, json};

use super::credentials::{Credentials, KeyPair};
use super::reply::Reply;
use super::statement::{Name, Statement};
use super::*;
use crate::domain::{Class, Finding, Redactor, Report, Secret, SecretRef, Test, Timestamp};
use crate::input::{Faults, Value};
use crate::net::exchange::Answer;
use crate::net::http::{Connections, HttpOptions};
use crate::platforms::testing::{
    NOW, Recorded, Seen, Server, StandIn, Subject, cases, context, echo_is_hidden, flat, fuzz,
    nested, parsed, recorded_again, recorded_bodies, replay, sample_config, validator,
};

/// The start of every secret in `testcases/`.
const SECRET: &str = "pLanted-passw0rd-Zq7";

/// A key of the user, made anew for every test.
fn key_pem() -> String {
    let pair = rcgen::KeyPair::generate_for(&rcgen::PKCS_ECDSA_P256_SHA256).unwrap();
    pair.serialize_pem()
}

/// Which statement this is; none for all that are not on the list.
fn statement(sql: &str) -> Option<&'static str> {
    let literal = |text: &str| {
        let inner = text.strip_prefix('\'')?.strip_suffix('\'')?;
        (!inner.replace("''", "").contains(['\'', '\\'])).then_some(())
    };
    let like = |kind: &str| literal(sql.strip_prefix(&format!("SHOW {kind} LIKE "))?);
    if let Some(rest) = sql.strip_prefix("SHOW ROLES STARTS WITH ") {
        let (prefix, rest) = rest.split_once(" LIMIT 1000").unwrap();
        literal(prefix)?;
        let page = rest.is_empty() || rest.strip_prefix(" FROM ").and_then(literal).is_some();
        return page.then_some("prefix");
    }
    if let Some(rest) = sql.strip_prefix("SHOW WAREHOUSES LIKE ")
        && let Some(name) = rest.strip_suffix(" WITH PRIVILEGES USAGE")
    {
        return literal(name).map(|()| "usable");
    }
    match sql {
        "SELECT CURRENT_VERSION(), CURRENT_ACCOUNT(), CURRENT_USER(), CURRENT_ROLE()" => {
            Some("hello")
        }
        "SELECT CURRENT_ROLE()" => Some("current-role"),
        "SHOW GRANTS TO ROLE \"SETUP\"" | "SHOW GRANTS TO ROLE \"MID\"" => Some("grants"),
        "SHOW GRANTS TO ROLE \"IMMUTA_SYSTEM\"" => Some("own-grants"),
        _ if like("WAREHOUSES").is_some() => Some("warehouses"),
        _ if like("DATABASES").is_some() => Some("databases"),
        _ if like("ROLES").is_some() => Some("roles"),
        _ => None,
    }
}

/// Which documented operation a request asks for; none for all others.
fn asked_for(seen: &Seen) -> Option<String> {
    let (method, target) = seen.line.split_once(' ')?;
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let body: Json = serde_json::from_str(&seen.body).unwrap_or_default();
    let keys = |known: &[&str]| {
        body.as_object().is_some_and(|body| body.keys().all(|key| known.contains(&key.as_str())))
    };
    let id = |query: &str| query.strip_prefix("requestId=").map(str::len);
    let handle = "/api/v2/statements/01b7d0a2-0000-4d1c-0000-0001";
    let found = match (method, path) {
        ("POST", "/api/v2/statements") => {
            assert!(keys(&["statement", "timeout", "role", "parameters"]), "{body}");
            assert_eq!(body["parameters"], json!({ "QUERY_TAG": "revalidated" }));
            let query = query.trim_end_matches("&retry=true").strip_suffix("&nullable=true")?;
            assert_eq!(id(query), Some(36));
            return statement(body["statement"].as_str()?).map(str::to_owned);
        }
        ("POST", "/queries/v1/query-request") if id(query) == Some(36) => {
            assert!(keys(&["sqlText", "asyncExec", "sequenceId"]), "{body}");
            let statement = statement(body["sqlText"].as_str()?)?;
            return Some(format!("driver-{statement}"));
        }
        ("GET", _) if path == handle && query.is_empty() => "poll",
        ("POST", _) if path == format!("{handle}/cancel") && query.is_empty() => "cancel",
        ("POST", "/oauth/token") if query.is_empty() => "token",
        ("POST", "/session/v1/login-request") if !query.contains("warehouse") => "login",
        ("POST", "/session") if query.starts_with("delete=true&requestId=") => "logout",
        ("POST", "/queries/v1/abort-request") if id(query) == Some(36) => {
            assert!(keys(&["sqlText", "requestId"]), "{body}");
            "driver-abort"
        }
        ("GET", "/queries/01b7d0a2-0000-4d1c-0000-0002/result") if id(query) == Some(36) => {
            "driver-poll"
        }
        _ => return None,
    };
    Some(found.to_owned())
}

/// Every request is on the list, and bears what its protocol asks for.
fn check_request(seen: &Seen) {
    let operation = asked_for(seen).unwrap_or_else(|| panic!("not on the list: {}", seen.line));
    assert!(seen.header("user-agent").is_some_and(|agent| agent.starts_with("revalidated/")));
    let authorization = seen.header("authorization").unwrap_or_default();
    let kind = seen.header("x-snowflake-authorization-token-type");
    match operation.as_str() {
        "token" | "login" => assert_eq!((authorization, kind), ("", None)),
        "logout" => assert!(authorization.starts_with("Snowflake Token=\"")),
        _ if operation.starts_with("driver-") => {
            assert!(authorization.starts_with("Snowflake Token=\"pLanted"), "{authorization}");
        }
        _ => {
            assert!(authorization.starts_with("Bearer "), "{authorization}");
            let kinds = ["KEYPAIR_JWT", "OAUTH", "PROGRAMMATIC_ACCESS_TOKEN"];
            assert!(kind.is_some_and(|kind| kinds.contains(&kind)), "{kind:?}");
        }
    }
    assert!(!seen.line.contains(SECRET), "{}", seen.line);
}

/// The operation, the statement and the role; never the rest, which may be secret.
fn shown_request(seen: &Seen) -> String {
    let operation = asked_for(seen).unwrap_or_default();
    let body: Json = serde_json::from_str(&seen.body).unwrap_or_default();
    let sql = body["statement"].as_str().or(body["sqlText"].as_str()).unwrap_or_default();
    let role = body["role"].as_str().map(|role| format!(" as {role}")).unwrap_or_default();
    let login = seen.line.split_once("&roleName=").map(|(_, role)| format!(" as {role}"));
    let again = if seen.line.ends_with("&retry=true") { " again" } else { "" };
    format!("{operation}: {sql}{role}{}{again}", login.unwrap_or_default())
}

/// The validator of a case; its key is made now.
fn of_case(config: &Json) -> Box<dyn Validator> {
    if let Some(path) = config["privateKey"]["content"]["file"].as_str() {
        std::fs::write(path, key_pem()).unwrap();
    }
    validator(&PLATFORM, config)
}

const SUBJECT: Subject = Subject {
    folder: "snowflake",
    validator: of_case,
    operation: asked_for,
    check: check_request,
    shown: shown_request,
    secrets: &[SECRET, "BEGIN PRIVATE KEY"],
    cases_min: 50,
};

#[tokio::test]
async fn recorded_answers_are_reported_as_expected() {
    replay(SUBJECT).await;
}

#[tokio::test]
async fn case_that_is_recorded_again_hides_its_names_and_has_the_same_verdicts() {
    recorded_again(SUBJECT, "Snowflake", Recorded::plain).await;
}

#[tokio::test]
async fn echoed_credentials_are_hidden() {
    echo_is_hidden(
        SUBJECT,
        &["password", "access-token-renewed", "token-refused"],
        &[flat, nested],
    )
    .await;
}

fn outcome(report: &Report, test: Test) -> (&'static str, &str) {
    let found = report.tests.iter().find(|result| result.test == test).unwrap();
    (found.outcome.status().as_str(), found.outcome.message().unwrap_or_default())
}

fn finding(report: &Report, test: Test) -> &Finding {
    let found = report.tests.iter().find(|result| result.test == test).unwrap();
    found.outcome.finding().unwrap()
}

fn minimal(changes: &Json) -> Json {
    let mut config = json!({
        "host": "org-account.snowflakecomputing.com", "warehouse": "wh", "database": "immuta",
        "authenticationType": "programmaticAccessToken", "token": { "env": "T" },
    });
    for (key, value) in changes.as_object().unwrap() {
        config[key] = value.clone();
    }
    config
}

fn snowflake(config: &Json) -> Snowflake {
    let value = Value::from_json(config, &"case".into());
    let faults = Faults::default();
    let read = config::read(Reader::new(&value, "config", &faults).unwrap());
    let faults = faults.into_parts().0;
    assert!(faults.is_empty(), "{faults:?}");
    read.unwrap()
}

fn now() -> Timestamp {
    NOW.parse().unwrap()
}

async fn bearer(credentials: &Credentials) -> Result<Secret, String> {
    let connections = Connections::new(&HttpOptions::default()).unwrap();
    let found =
        credentials.bearer(&connections, now(), &mut crate::platforms::Seen::default()).await;
    found.map(|bearer| bearer.token).map_err(|failure| failure.detail)
}

fn key_credentials(path: &Path, passphrase: Option<&str>) -> Credentials {
    Credentials::KeyPair(KeyPair {
        account: "ORG-ACCOUNT".to_owned(),
        user: "ANNA".to_owned(),
        key: SecretRef::File(path.to_owned()),
        passphrase: passphrase.map(|text| SecretRef::Literal(Secret::new(text.to_owned()))),
    })
}

fn claims(token: &Secret) -> Json {
    let claims = token.expose().split('.').nth(1).unwrap();
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(claims).unwrap()).unwrap()
}

/// The commands of Snowflake's own guide, and what they make: OpenSSL wrote the keys, and says what
/// their fingerprint is.
#[tokio::test]
async fn keys_of_openssl_are_used_encrypted_or_not() {
    let dir = tempfile::tempdir().unwrap();
    let run = |command: &str| {
        let done = Command::new("sh").arg("-c").arg(command).current_dir(&dir).output().unwrap();
        assert!(done.status.success(), "{command}: {done:?}");
        String::from_utf8(done.stdout).unwrap().trim().to_owned()
    };
    run("openssl genrsa -out plain.p8 2048");
    run("openssl pkcs8 -topk8 -v2 des3 -in plain.p8 -out des3.p8 -passout pass:hunter2");
    run("openssl pkcs8 -topk8 -v2 aes256 -in plain.p8 -out aes.p8 -passout pass:hunter2");
    run("openssl pkcs8 -topk8 -v1 PBE-MD5-DES -in plain.p8 -out old.p8 -passout pass:hunter2 || \
        openssl pkcs8 -provider legacy -provider default -topk8 -v1 PBE-MD5-DES -in plain.p8 \
        -out old.p8 -passout pass:hunter2");
    let fingerprint =
        run("openssl rsa -in plain.p8 -pubout -outform DER | openssl dgst -sha256 -binary | \
            openssl enc -base64");
    let token = |file: &str, passphrase| {
        let login = key_credentials(&dir.path().join(file), passphrase);
        async move { bearer(&login).await }
    };
    for (file, passphrase) in [
        ("plain.p8", None),
        ("plain.p8", Some("x")),
        ("des3.p8", Some("hunter2")),
        ("aes.p8", Some("hunter2")),
    ] {
        let found = claims(&token(file, passphrase).await.unwrap());
        let expected = json!({
            "iss": format!("ORG-ACCOUNT.ANNA.SHA256:{fingerprint}"), "sub": "ORG-ACCOUNT.ANNA",
            "iat": 1_795_381_200, "exp": 1_795_381_200 + 59 * 60,
        });
        assert_eq!(found, expected, "{file}");
    }
    let wrong = [
        ("aes.p8", Some("hunter3"), "its passphrase is not the one configured"),
        ("aes.p8", None, "it is encrypted, and no passphrase is configured"),
        ("old.p8", Some("hunter2"), "it is encrypted in a way that is not known here"),
    ];
    for (file, passphrase, expected) in wrong {
        let detail = token(file, passphrase).await.unwrap_err();
        assert!(detail.contains(expected) && !detail.contains("hunter"), "{file}: {detail}");
    }
}

#[tokio::test]
async fn access_tokens_are_kept_from_run_to_run() {
    let case = cases("snowflake").join("access-token-renewed");
    let server = Server::start(&SUBJECT, &case.with_file_name("all-well"), None).await;
    let config = minimal(&json!({
        "endpoint": server.address, "token": null, "tableGrants": { "enabled": false },
        "authenticationType": "oAuthClientCredentials",
        "oAuthClientConfig": { "clientId": "c", "useCertificate": true, "resource": "r",
            "authorityUrl": format!("{}/oauth/token", server.address),
            "publicCertificateThumbprint": "84:E0:5C:1D:98:BC:E3:A5:42:1D:22:5B:14:0B:36:E8:6A:3D:55:34",
            "oAuthPrivateKey": { "content": key_pem() } },
    }));
    let validator = snowflake(&config);
    let mut run = context(Mode::Recurring);
    for (minutes, fetched) in [(0, 1), (54, 1), (56, 2)] {
        run.now = now().plus(Duration::from_mins(minutes));
        validator.validate(&run).await;
        let seen = server.seen();
        let tokens: Vec<_> =
            seen.iter().filter(|seen| asked_for(seen).as_deref() == Some("token")).collect();
        assert_eq!(tokens.len(), fetched, "after {minutes} minutes");
        let form: Vec<(String, String)> =
            form_urlencoded::parse(tokens[0].body.as_bytes()).into_owned().collect();
        let value = |name: &str| &form.iter().find(|(key, _)| key == name).unwrap().1;
        assert_eq!(
            (value("grant_type").as_str(), value("resource").as_str()),
            ("client_credentials", "r")
        );
        let assertion = Secret::new(value("client_assertion").clone());
        let head = assertion.expose().split('.').next().unwrap();
        let head: Json = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(head).unwrap()).unwrap();
        assert_eq!(head["x5t"], "hOBcHZi846VCHSJbFAs26Go9VTQ");
        assert_eq!(claims(&assertion)["aud"], format!("{}/oauth/token", server.address));
    }
}

#[test]
fn authorities_of_microsoft_are_completed() {
    let table = [
        (
            "https://login.microsoftonline.com/t",
            "https://login.microsoftonline.com/t/oauth2/v2.0/token",
        ),
        (
            "https://login.microsoftonline.us/t/",
            "https://login.microsoftonline.us/t/oauth2/v2.0/token",
        ),
        (
            "https://login.microsoftonline.com/t/oauth2/token",
            "https://login.microsoftonline.com/t/oauth2/token",
        ),
        ("https://a.okta.com/oauth2/x/v1/token", "https://a.okta.com/oauth2/x/v1/token"),
    ];
    for (given, expected) in table {
        let config = minimal(&json!({ "token": null,
            "authenticationType": "oAuthClientCredentials", "oAuthClientConfig": {
                "clientId": "c", "clientSecret": { "env": "S" }, "authorityUrl": given } }));
        let Credentials::OAuth(oauth) = snowflake(&config).credentials else { panic!("{given}") };
        assert_eq!(oauth.url, expected);
    }
}

#[test]
fn fuzz_answers() {
    let name = Name::read("IMMUTA").unwrap();
    let statements =
        [Statement::Hello, Statement::UsableWarehouses(&name), Statement::Grants(&name)];
    let redactor = Redactor::default();
    redactor.learn_text(SECRET);
    fuzz(&recorded_bodies("snowflake"), |bytes| {
        for status in [200, 202, 401, 422, 503] {
            let headers = http::HeaderMap::new();
            let redactor = redactor.clone();
            let answer = Answer { status, headers, body: bytes.to_vec(), redactor };
            let _session = reply::session(&answer, now());
            for statement in &statements {
                for found in
                    [reply::api(&answer, statement, now()), reply::query(&answer, statement, now())]
                {
                    match found {
                        Ok(Reply::Done(rows)) => {
                            let all = rows.iter().map(|row| row.text("name").len()).sum::<usize>();
                            assert!(all + rows.first(3).len() <= bytes.len().saturating_mul(3));
                        }
                        Ok(Reply::Running(_)) => {}
                        Err(failure) => {
                            assert!(failure.detail.chars().count() < 600, "{}", failure.detail);
                            assert!(!failure.detail.contains(SECRET), "{}", failure.detail);
                        }
                    }
                }
            }
        }
    });
}
