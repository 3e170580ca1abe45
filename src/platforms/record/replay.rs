//! Replay of a recorded run: the real client against a server on this machine that answers as recorded.

use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use axum::Router;
use axum::body::{Bytes, to_bytes};
use axum::extract::{Request, State};
use axum::http::{HeaderName, HeaderValue, StatusCode};
use axum::response::{IntoResponse as _, Response};
use serde_json::Value as Json;
use tokio::net::TcpListener;
use tokio_util::task::AbortOnDropHandle;

use super::case::{Case, Reply, Said, shown};
use super::database;
use super::folder::Private;
use super::script::Script;
use super::slots::{FOLDER, Slots};
use crate::input::{Faults, Reader, Value};
use crate::net::record::{NO_ANSWER, replayed};
use crate::net::tape::{Asked, World};
use crate::platforms::{Platform, Validated, Validator};

/// Largest request that is read, in bytes.
const REQUEST_MAX: usize = 1024 * 1024;
/// Status of an answer to a request that was not recorded.
const UNRECORDED: u16 = 599;
/// Differences that are listed at most.
const DIFFERENCES_MAX: usize = 100;

/// Configuration of a case, ready to run.
pub(crate) struct Prepared {
    /// Validator of the recorded configuration.
    pub(crate) validator: Box<dyn Validator>,
    /// Environment variables of the run.
    pub(crate) variables: HashMap<String, String>,
}

/// Returns the report and the requests of a replay, as `expected.json` has them.
///
/// # Errors
///
/// Names the part of the case that cannot be used.
pub(crate) async fn replay(case: &Case) -> Result<Json, String> {
    let platform = case.platform()?;
    let context = case.context()?;
    let failed =
        |error: std::io::Error| format!("a server on this machine cannot be started: {error}");
    let listener = TcpListener::bind("127.0.0.1:0").await.map_err(failed)?;
    let server = listener.local_addr().map_err(failed)?;
    let of_databases = TcpListener::bind("127.0.0.1:0").await.map_err(failed)?;
    let database = of_databases.local_addr().map_err(failed)?;
    let folder = Private::new().map_err(|error| format!("a folder cannot be made: {error}"))?;
    let Prepared { validator, variables } = Prepared::new(case, platform, folder.path())?;
    let script = Arc::new(Script::new(platform, case));
    let router = Router::new().fallback(answer).with_state(Arc::clone(&script));
    let asked = Arc::clone(&script);
    let serving = AbortOnDropHandle::new(tokio::spawn(async move {
        tokio::join!(
            axum::serve(listener, router).into_future(),
            database::serve(of_databases, script)
        )
    }));
    let world = World { server, database, variables, home: folder.path().to_owned() };
    let run = replayed(world, validator.validate(&context)).await;
    drop(serving);
    let Validated { report, .. } = run;
    let found = shown(&report, &asked.requests()).to_string();
    let own = folder.path().display().to_string();
    let found = found.replace(&own, FOLDER).replace(&server.to_string(), "@host@:@port@");
    serde_json::from_str(&found).map_err(|error| error.to_string())
}

impl Prepared {
    /// Writes the files of `case` to `folder`, and parses its configuration.
    ///
    /// # Errors
    ///
    /// Names the fault of the configuration.
    pub(crate) fn new(
        case: &Case,
        platform: &'static Platform,
        folder: &Path,
    ) -> Result<Self, String> {
        let slots = Slots::new(folder, &case.integration)?;
        let integration = slots.filled(&case.integration);
        for (name, content) in
            integration.get("files").and_then(Json::as_object).into_iter().flatten()
        {
            let path = folder.join(plain(name)?);
            let content = content.as_str().unwrap_or_default();
            std::fs::write(&path, content).map_err(|error| format!("{name}: {error}"))?;
        }
        let mut config = integration.get("config").cloned().unwrap_or_default();
        let given = config.as_object_mut().and_then(|table| table.remove("autoBootstrap"));
        let auto_bootstrap = given.and_then(|given| given.as_bool()).unwrap_or_default();
        let value = Value::from_json(&config, &"integration.json".into());
        let faults = Faults::default();
        let reader = Reader::new(&value, "config", &faults);
        let validator = reader.and_then(|reader| (platform.parse)(reader, auto_bootstrap));
        let fault = faults.into_parts().0.first().map(ToString::to_string);
        let validator = validator.filter(|_| fault.is_none());
        let validator = validator.ok_or_else(|| {
            format!("the recorded configuration is not valid: {}", fault.unwrap_or_default())
        })?;
        let filled = Case { integration, ..case.clone() };
        Ok(Self { validator, variables: filled.variables() })
    }
}

/// Returns the name of a file without a folder.
fn plain(name: &str) -> Result<PathBuf, String> {
    let path = Path::new(name);
    if path.file_name().is_some_and(|file| file == name) {
        return Ok(path.to_owned());
    }
    Err(format!("integration.json: `{name}` is not the name of a file"))
}

async fn answer(State(script): State<Arc<Script>>, request: Request) -> Response {
    let (head, body) = request.into_parts();
    let body: Bytes = to_bytes(body, REQUEST_MAX).await.unwrap_or_default();
    let target = head.uri.path_and_query().map(ToString::to_string).unwrap_or_default();
    let asked = Asked {
        method: head.method.as_str(),
        target: &target,
        body: &String::from_utf8_lossy(&body),
    };
    let Some(Reply { said, headers, body }) = script.reply(asked) else {
        return response(UNRECORDED, &[], "no answer is recorded");
    };
    match said {
        Said::Silence => std::future::pending().await,
        Said::Status(code) => response(code, &headers, &body),
        Said::NoAnswer(class) => {
            let header = (NO_ANSWER.to_owned(), class.as_str().to_owned());
            response(UNRECORDED, &[header], &body)
        }
        Said::LoggedIn | Said::Redirected | Said::Rows | Said::Error => {
            response(UNRECORDED, &[], "the recorded answer is not one of HTTP")
        }
    }
}

fn response(code: u16, headers: &[(String, String)], body: &str) -> Response {
    let code = StatusCode::from_u16(code).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let mut response = (code, body.to_owned()).into_response();
    response.headers_mut().remove("content-type");
    for (name, value) in headers {
        if let (Ok(name), Ok(value)) =
            (HeaderName::try_from(name.as_str()), HeaderValue::try_from(value.as_str()))
        {
            response.headers_mut().append(name, value);
        }
    }
    response
}

/// Returns the differences of two reports, one line each: what was expected, and what was found.
pub(crate) fn differences(expected: &Json, found: &Json) -> Vec<String> {
    let (mut expected, mut found) = (lines(expected), lines(found));
    let keys: Vec<_> = expected.keys().chain(found.keys()).cloned().collect();
    let mut all = Vec::new();
    for key in keys {
        match (expected.remove(&key), found.remove(&key)) {
            (None, None) => {}
            (was, is) if was == is => {}
            (was, is) => {
                all.extend(was.map(|was| format!("- {key}: {was}")));
                all.extend(is.map(|is| format!("+ {key}: {is}")));
            }
        }
    }
    all.truncate(DIFFERENCES_MAX);
    all
}

/// True when two reports have the same results and classes, whatever their words.
pub(super) fn have_equal_verdicts(expected: &Json, found: &Json) -> bool {
    let verdicts = |report: &Json| {
        let mut lines = lines(report);
        lines.retain(|key, _| {
            key.ends_with("status") || key.ends_with("class") || key.ends_with("name")
        });
        lines
    };
    verdicts(expected) == verdicts(found)
}

/// Returns the values of a document by their paths.
fn lines(json: &Json) -> BTreeMap<String, Json> {
    fn add(path: &str, json: &Json, lines: &mut BTreeMap<String, Json>) {
        match json {
            Json::Object(entries) => {
                entries.iter().for_each(|(key, item)| add(&format!("{path}/{key}"), item, lines));
            }
            Json::Array(items) => {
                let items = items.iter().zip(1..);
                items.for_each(|(item, number)| add(&format!("{path}/{number}"), item, lines));
            }
            Json::Null | Json::Bool(_) | Json::Number(_) | Json::String(_) => {
                lines.insert(path.trim_start_matches('/').to_owned(), json.clone());
            }
        }
    }
    let mut all = BTreeMap::new();
    add("", json, &mut all);
    all
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn report(status: &str, message: &str) -> Json {
        json!({ "class": null, "validationResults": {
            "status": status, "validationTests": [{ "name": "t", "status": status, "message": message }],
        } })
    }

    #[test]
    fn differences_are_listed_by_their_paths() {
        let (one, other) = (report("passed", "a"), report("passed", "b"));
        assert_eq!(differences(&one, &one), [""; 0]);
        let expected = [
            "- validationResults/validationTests/1/message: \"a\"",
            "+ validationResults/validationTests/1/message: \"b\"",
        ];
        assert_eq!(differences(&one, &other), expected);
        let many: Json = (0..DIFFERENCES_MAX).map(|n| json!({ "name": n })).collect();
        assert_eq!(differences(&many, &Json::Null).len(), DIFFERENCES_MAX);
    }

    #[test]
    fn words_are_no_part_of_a_verdict() {
        assert!(have_equal_verdicts(&report("passed", "a"), &report("passed", "b")));
        assert!(!have_equal_verdicts(&report("passed", "a"), &report("failed", "a")));
    }

    #[test]
    fn file_of_a_case_has_no_folder() {
        assert_eq!(plain("a.pem").unwrap(), Path::new("a.pem"));
        for name in ["", "..", "a/b", "/a", "a/"] {
            assert!(plain(name).is_err(), "{name}");
        }
    }

    #[tokio::test]
    async fn case_that_cannot_be_replayed_says_why() {
        let case = |integration: Json| Case {
            integration,
            replies: BTreeMap::new(),
            expected: Json::Null,
        };
        let whole = |config: Json| {
            json!({ "type": "Trino", "name": "a", "mode": "recurring", "now": "2026-11-22T21:00:00Z",
                "testLimit": "PT1S", "runLimit": "PT1S", "config": config })
        };
        let table = [
            (json!({}), "does not name a platform"),
            (json!({ "type": "Trino" }), "`mode` is missing"),
            (whole(json!({ "hots": "a" })), "the recorded configuration is not valid"),
        ];
        for (integration, expected) in table {
            let failed = replay(&case(integration)).await.unwrap_err();
            assert!(failed.contains(expected), "{failed}");
        }
    }
}
