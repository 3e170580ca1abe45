//! Observations of runs besides their results, as lines.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::Value as Json;

use super::{Server, Subject, cases, config, context};
use crate::domain::{ExpiryKind, FactKind, Observed};
use crate::platforms::{Mode, Recorder, RunContext, Seen, Validator};

/// JSON Web Token with these claims and no valid signature.
pub(in crate::platforms) fn token_of(claims: &Json) -> String {
    let part = |json: &str| URL_SAFE_NO_PAD.encode(json);
    format!("{}.{}.c2lnbmF0dXJl", part("{\"alg\":\"RS256\"}"), part(&claims.to_string()))
}

/// Facts and expiries of one validation, in lines.
pub(in crate::platforms) async fn facts_of(
    validator: &dyn Validator,
    run: &RunContext,
) -> Vec<String> {
    lines(&validator.validate(run).await.observed)
}

/// Facts and expiries as the recorder keeps them, in lines.
pub(in crate::platforms) fn lines_of(seen: Seen) -> Vec<String> {
    let mut recorder = Recorder::new(&[], &context(Mode::Recurring));
    recorder.saw(seen);
    lines(&recorder.finish().observed)
}

/// Facts and expiries of the recorded case of `subject`, in lines, with the slots of
/// `integration.json` in the place of addresses: the same in two runs, and no secret in it.
pub(in crate::platforms) async fn facts_of_case(subject: Subject, name: &str) -> Vec<String> {
    let first = facts_once(&subject, name).await;
    assert_eq!(first, facts_once(&subject, name).await, "{name} differs from run to run");
    for secret in subject.secrets {
        assert!(!first.iter().any(|line| line.contains(secret)), "{name} shows {secret}");
    }
    first
}

async fn facts_once(subject: &Subject, name: &str) -> Vec<String> {
    let case = cases(subject.folder).join(name);
    let text = std::fs::read_to_string(case.join("integration.json")).unwrap();
    let given: Json = serde_json::from_str(&text).unwrap();
    let server = Server::start(subject, &case, given["tls"].as_str()).await;
    let dir = tempfile::tempdir().unwrap();
    let validator = (subject.validator)(&config(&given, &server, dir.path()));
    let preflight = given["mode"] == "preflight";
    let run = context(if preflight { Mode::Preflight } else { Mode::Recurring });
    let found = facts_of(&*validator, &run).await;
    let (_, authority) = server.address.split_once("://").unwrap();
    found.into_iter().map(|line| line.replace(authority, "@host@:@port@")).collect()
}

/// Facts as `kind [of] value`, ends as `kind [of] ends instant`, each sorted. What connections show
/// is not observed by platforms, and left out.
fn lines(Observed { facts, expiries, .. }: &Observed) -> Vec<String> {
    let mut lines = Vec::new();
    for (fact, values) in facts {
        let kind = match fact.kind {
            FactKind::ServerVersion => "version",
            FactKind::Principal => "principal",
            FactKind::Grant => "grant",
            FactKind::Claim => "claim",
            FactKind::Address | FactKind::Certificate | FactKind::Latency => continue,
        };
        lines.extend(values.iter().map(|value| format!("{kind} [{}] {value}", fact.of)));
    }
    for expiry in expiries {
        let kind = match expiry.kind {
            ExpiryKind::Token => "token",
            ExpiryKind::Secret => "secret",
            ExpiryKind::Key => "key",
            ExpiryKind::Session => "session",
            ExpiryKind::ServerCertificate | ExpiryKind::ClientCertificate => continue,
        };
        lines.push(format!("{kind} [{}] ends {}", expiry.of, expiry.at));
    }
    lines
}
