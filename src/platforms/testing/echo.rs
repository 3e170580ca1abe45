//! Servers that echo the credentials of the request that they answer: no report, fact or debug text
//! of a platform shows them.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value as Json, json};

use super::server::Echo;
use super::{Seen, Server, Subject, cases, config, context, shown};
use crate::domain::REDACTED;
use crate::domain::echo::{assert_hidden, echoes};
use crate::net::observe::observed;
use crate::platforms::Mode;

/// Headers that hold a credential, besides `authorization`.
const HEADERS: [&str; 2] = ["x-amz-security-token", "x-databricks-azure-sp-management-token"];
/// Fields of a form that hold one.
const FIELDS: [&str; 5] =
    ["client_secret", "client_assertion", "assertion", "subject_token", "WebIdentityToken"];
/// Shortest credential that is echoed; a piece of a shorter one says nothing.
const BYTES_MIN: usize = 14;

/// The credentials that `seen` shows.
pub(in crate::platforms) fn credentials(seen: &Seen) -> Vec<String> {
    let mut found: Vec<String> =
        HEADERS.iter().filter_map(|name| seen.header(name)).map(str::to_owned).collect();
    match seen.header("authorization").and_then(|text| text.split_once(' ')) {
        Some(("Bearer", token)) => found.push(token.to_owned()),
        Some(("Snowflake", token)) => {
            found.push(token.trim_start_matches("Token=").trim_matches('"').to_owned());
        }
        Some(("Basic", pair)) => {
            let clear = String::from_utf8(STANDARD.decode(pair).unwrap()).unwrap();
            found.push(clear.split_once(':').unwrap().1.to_owned());
            found.push(pair.to_owned());
        }
        _ => {}
    }
    let form = form_urlencoded::parse(seen.body.as_bytes());
    found.extend(form.filter(|(name, _)| FIELDS.contains(&&**name)).map(|(_, value)| value.into()));
    if let Ok(body) = serde_json::from_str::<Json>(&seen.body) {
        found.extend(body["data"]["PASSWORD"].as_str().map(str::to_owned));
    }
    found.retain(|secret| BYTES_MIN <= secret.len());
    found
}

/// An error of every API whose answers are JSON objects, each part of it `text`.
pub(in crate::platforms) fn flat(text: &str) -> String {
    json!({
        "error": text, "error_description": text, "error_code": text, "message": text,
        "code": text, "detail": text, "scimType": text, "success": false,
        "data": { "errorCode": text },
        "details": [{ "@type": "x.ErrorInfo", "metadata": { "msg": text, "resourceType": text } }],
    })
    .to_string()
}

/// An error as Google's APIs and Trino nest it, each part of it `text`.
pub(in crate::platforms) fn nested(text: &str) -> String {
    json!({
        "id": text, "nextUri": text, "stats": { "state": text }, "code": "390100",
        "error": {
            "message": text, "status": text, "errors": [{ "reason": text }],
            "details": [{ "reason": text, "metadata": { "service": text, "consumer": text } }],
            "errorName": text, "errorType": text,
        },
    })
    .to_string()
}

/// An error as AWS's query and REST APIs have it, each part of it `text`.
pub(in crate::platforms) fn xml(text: &str) -> String {
    let text = text.replace('&', "&amp;").replace('<', "&lt;");
    format!(
        "<Error><Code>{text}</Code><Message>{text}</Message><Region>{text}</Region>\
         <RequestId>{text}</RequestId></Error>"
    )
}

/// A page as proxies and portals have it.
pub(in crate::platforms) fn page(text: &str) -> String {
    format!("<html><title>{text}</title><pre>{text}</pre></html>")
}

/// Validates the recorded cases `names` against servers that echo credentials at one operation each,
/// in answers with a body of each of `bodies`.
pub(in crate::platforms) async fn echo_is_hidden(
    subject: Subject,
    names: &[&str],
    bodies: &[fn(&str) -> String],
) {
    let mut running = tokio::task::JoinSet::new();
    for name in names {
        let mut operations: Vec<_> =
            run(subject, name, None).await.0.iter().filter_map(subject.operation).collect();
        operations.sort_unstable();
        operations.dedup();
        assert!(!operations.is_empty(), "{name} asks for nothing");
        for operation in operations {
            for (status, body) in [400, 401, 403, 200]
                .into_iter()
                .flat_map(|status| bodies.iter().map(move |body| (status, *body)))
            {
                let echo = Echo { operation: operation.clone(), status, body };
                let name = (*name).to_owned();
                running.spawn(async move {
                    let (requests, text) = run(subject, &name, Some(echo.clone())).await;
                    let place = format!("{name} {} {status}", echo.operation);
                    let asked =
                        |seen: &&Seen| (subject.operation)(seen).as_ref() == Some(&echo.operation);
                    let mut count = 0;
                    for secret in requests.iter().filter(asked).flat_map(credentials) {
                        assert_hidden(&text, &secret, &place);
                        count += 1;
                    }
                    (count, text.contains(REDACTED))
                });
            }
        }
    }
    let found = running.join_all().await;
    let echoed = found.iter().filter(|(count, _)| 0 < *count).count();
    let redacted = found.iter().filter(|(_, is_redacted)| *is_redacted).count();
    assert!(0 < echoed && 0 < redacted, "{echoed} echoed, {redacted} redacted");
}

/// The requests of one validation, and everything that comes of it as text.
async fn run(subject: Subject, name: &str, echo: Option<Echo>) -> (Vec<Seen>, String) {
    let case = cases(subject.folder).join(name);
    let text = std::fs::read_to_string(case.join("integration.json")).unwrap();
    let given: Json = serde_json::from_str(&text).unwrap();
    let server = Server::echoing(&subject, &case, echo).await;
    let dir = tempfile::tempdir().unwrap();
    let validator = (subject.validator)(&config(&given, &server, dir.path()));
    let preflight = given["mode"] == "preflight";
    let run = context(if preflight { Mode::Preflight } else { Mode::Recurring });
    let (validated, by_net) = observed(validator.validate(&run)).await;
    let text = format!(
        "{} {validator:?} {:?} {by_net:?}",
        shown(&validated.report, &[]),
        validated.observed
    );
    (server.seen(), text)
}

/// The text that a server answers to a request with `credentials`.
pub(super) fn echo_of(credentials: &[String]) -> String {
    let all: Vec<_> = credentials.iter().flat_map(|secret| echoes(secret)).collect();
    format!("bad | {} | end", all.join(" | "))
}
