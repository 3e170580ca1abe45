//! Surroundings of the story: integrations that stay as they are, or fail for long, so that the page has something of
//! everything, and a stand-in for the cluster that some of them share.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{Method, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value as Json, json};

use crate::domain::{Location, Selection, Timestamp};
use crate::store::{Control, NewSilence, StoreError};

/// Platform of the integrations that share a cluster.
const CLUSTER_PLATFORM: &str = "Trino";
/// Platform of the integration that is disabled.
const DISABLED_PLATFORM: &str = "Redshift";
/// Integrations of the cluster.
const CLUSTERED: [&str; 4] = ["trino-adhoc", "trino-bi", "trino-etl", "trino-science"];
/// Bucket that is missing from the beginning, so that its integration never comes to work.
pub(super) const MISSING: &str = "demo-archive";
/// Time until the token of the cluster ends: soon enough for a warning.
pub(super) const TOKEN_LEFT: Duration = Duration::from_hours(24 * 5);
/// Duration of the silence.
const SILENCED: Duration = Duration::from_hours(2);

/// Returns the integrations of the cluster that this program can validate.
pub(super) fn clustered() -> &'static [&'static str] {
    if crate::platforms::find(CLUSTER_PLATFORM).is_some() { &CLUSTERED } else { &[] }
}

/// Returns the tables of the surroundings; the token of the cluster is kept at `token`, a quoted path.
pub(super) fn tables(cluster: SocketAddr, token: &str) -> String {
    let clustered = clustered().iter().map(|name| {
        format!(
            r#"
[[integration]]
name = "{name}"
type = "{CLUSTER_PLATFORM}"
labels = {{ team = "analytics" }}
confirm_runs = 3 # runs are counted, since the usual evidence of an outage takes minutes
confirm_wait = "4s"

[integration.config]
host = "127.0.0.1"
endpoint = "http://{cluster}"
authenticationType = "jwt"
token = {{ file = {token} }}
catalogs = ["lake"]
"#
        )
    });
    let disabled = crate::platforms::find(DISABLED_PLATFORM).map(|_known| {
        format!(
            r#"
[[integration]]
name = "redshift-legacy"
type = "{DISABLED_PLATFORM}"
autoBootstrap = false
disabled = true # it is shown, and never connected to

[integration.config]
host = "127.0.0.1"
database = "immuta"
username = "immuta_system"
password = {{ file = {token} }}
"#
        )
    });
    clustered.chain(disabled).collect()
}

/// Returns a token of the form that clusters take, which ends after a while; the stand-in verifies none.
pub(super) fn token(now: Timestamp, left: Duration) -> String {
    let ends = now.plus(left).unix_seconds();
    let part = |part: &Json| URL_SAFE_NO_PAD.encode(part.to_string());
    let head = part(&json!({ "alg": "HS256", "typ": "JWT" }));
    let claims = part(&json!({ "sub": "demo", "iss": "revalidated demo", "exp": ends }));
    format!("{head}.{claims}.{}", URL_SAFE_NO_PAD.encode("of no one"))
}

/// Silences an integration of the cluster, as a person would.
///
/// # Errors
///
/// Fails when the database cannot be written.
pub(super) async fn silence(database: &Location, now: Timestamp) -> Result<(), StoreError> {
    let Some(name) = clustered().first() else { return Ok(()) };
    let author = "demo";
    let silence = NewSilence {
        acknowledges: None,
        selection: Selection { integrations: vec![(*name).to_owned()], ..Selection::default() },
        author: author.to_owned(),
        comment: "moves to another cluster".to_owned(),
        from: now,
        until: now.plus(SILENCED),
    };
    Control::open(database, author).await?.silence(&silence, now).await.map(|_id| ())
}

/// Cluster that answers queries until it is stopped.
#[derive(Debug, Default)]
pub(super) struct Cluster {
    is_stopped: AtomicBool,
}

impl Cluster {
    /// Lets it answer no query any more.
    pub(super) fn stop(&self) {
        self.is_stopped.store(true, Ordering::Relaxed);
    }

    /// Returns its routes; every address is answered by one function.
    pub(super) fn router(self: Arc<Self>) -> Router {
        Router::new().fallback(serve).with_state(self)
    }

    fn answer(&self, method: &Method, statement: &str) -> Option<Json> {
        if self.is_stopped.load(Ordering::Relaxed) {
            return None;
        }
        Some(reply(method, statement, &["lake", "system"]))
    }
}

/// Returns the answer of a cluster with these catalogs to a request.
pub(super) fn reply(method: &Method, statement: &str, catalogs: &[&str]) -> Json {
    if method == Method::GET {
        return json!({
            "nodeVersion": { "version": "476" }, "environment": "demo", "coordinator": true,
            "starting": false, "uptime": "12.00d",
        });
    }
    let (kind, rows) = match statement {
        "SELECT current_user" => ("varchar", json!([["demo"]])),
        "SHOW CATALOGS" => ("varchar", catalogs.iter().map(|name| json!([name])).collect()),
        text if text.starts_with("SELECT") => ("bigint", json!([[1]])),
        _ => ("boolean", json!([[true]])),
    };
    json!({
        "id": "20261122_210000_00001_demos",
        "infoUri": "http://127.0.0.1/ui/query.html?20261122_210000_00001_demos",
        "columns": [{
            "name": "_col0", "type": kind,
            "typeSignature": { "rawType": kind, "arguments": [] },
        }],
        "data": rows,
        "stats": { "state": "FINISHED", "queued": false, "nodes": 1, "elapsedTimeMillis": 3 },
        "warnings": [],
    })
}

async fn serve(State(cluster): State<Arc<Cluster>>, method: Method, body: Bytes) -> Response {
    match cluster.answer(&method, &String::from_utf8_lossy(&body)) {
        Some(answer) => {
            ([(header::CONTENT_TYPE, "application/json")], answer.to_string()).into_response()
        }
        None => {
            (StatusCode::SERVICE_UNAVAILABLE, "The demo has stopped this cluster.").into_response()
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use axum::body::Body;
    use axum::extract::Request;
    use tower_service::Service as _;

    use super::*;
    use crate::domain::About;
    use crate::store::{Store, View};

    #[test]
    fn cluster_answers_every_query_until_it_is_stopped() {
        let cluster = Cluster::default();
        let answer = |statement| cluster.answer(&Method::POST, statement);
        assert_eq!(answer("SHOW CATALOGS").unwrap()["data"][0][0], "lake");
        assert_eq!(answer("SELECT 1").unwrap()["data"][0][0], 1);
        assert_eq!(answer("EXPLAIN (TYPE VALIDATE) SELECT 1").unwrap()["data"][0][0], true);
        assert_eq!(cluster.answer(&Method::GET, "").unwrap()["starting"], false);
        cluster.stop();
        assert_eq!(cluster.answer(&Method::GET, ""), None);
    }

    #[tokio::test]
    async fn stand_in_answers_over_http_and_refuses_once_it_is_stopped() {
        let cluster = Arc::new(Cluster::default());
        let ask = async |method: Method| {
            let request = Request::builder().method(method).uri("/v1/statement");
            let request = request.body(Body::from("SELECT current_user")).unwrap();
            let response = Arc::clone(&cluster).router().call(request).await.unwrap();
            let (status, kind) =
                (response.status(), response.headers()[header::CONTENT_TYPE].clone());
            let body = axum::body::to_bytes(response.into_body(), 10_000).await.unwrap();
            (status.as_u16(), kind, String::from_utf8(body.to_vec()).unwrap())
        };
        let (status, kind, body) = ask(Method::POST).await;
        assert_eq!((status, kind.to_str().unwrap()), (200, "application/json"));
        let body: Json = serde_json::from_str(&body).unwrap();
        assert_eq!(
            (&body["data"][0][0], &body["stats"]["state"]),
            (&"demo".into(), &"FINISHED".into())
        );
        cluster.stop();
        for method in [Method::POST, Method::GET] {
            let (status, kind, body) = ask(method).await;
            assert_eq!((status, body.as_str()), (503, "The demo has stopped this cluster."));
            assert!(kind.to_str().unwrap().starts_with("text/plain"));
        }
    }

    #[tokio::test]
    async fn one_integration_is_silenced_for_some_hours() {
        let folder = tempfile::tempdir().unwrap();
        let (path, now) =
            (Location::File(folder.path().join("state.db")), Timestamp(1_795_381_200_000));
        let _store = Store::open(&path).await.unwrap();
        silence(&path, now).await.unwrap();
        let view = View::open(&path).await.unwrap();
        let open = crate::view::open_silences(&view, now).await.unwrap();
        let found: Vec<_> = open.iter().map(|one| (one.author.as_str(), one.until)).collect();
        let expected = clustered().first().map(|_| ("demo", now.plus(SILENCED)));
        assert_eq!(found, expected.into_iter().collect::<Vec<_>>());
        for (name, is_muted) in [("trino-adhoc", true), ("trino-bi", false), ("demo-orders", false)]
        {
            let about = About { name, kind: CLUSTER_PLATFORM, labels: &BTreeMap::new() };
            let fits = open.iter().any(|one| one.selection.fits(about));
            assert_eq!(fits, is_muted && !clustered().is_empty(), "{name}");
        }
    }

    #[test]
    fn tables_have_every_integration_with_its_token_and_no_secret() {
        let address = SocketAddr::from(([127, 0, 0, 1], 4711));
        let text = tables(address, "\"/a \\\"b\\\"\"");
        let document: toml_edit::Document<_> = text.parse().unwrap();
        let Some(all) = document.get("integration") else {
            assert!(clustered().is_empty());
            return;
        };
        let names = |kind: &str| -> Vec<_> {
            let all = all.as_array_of_tables().unwrap().iter();
            let fitting = all.filter(|one| one["type"].as_str() == Some(kind));
            fitting.map(|one| one["name"].as_str().unwrap().to_owned()).collect()
        };
        assert_eq!(names(CLUSTER_PLATFORM), clustered());
        for one in all.as_array_of_tables().unwrap() {
            let config = one["config"].as_table().unwrap();
            let secret = config.get("token").or(config.get("password")).unwrap();
            assert_eq!(secret["file"].as_str(), Some("/a \"b\""), "{one}");
            let is_off = one.get("disabled").and_then(toml_edit::Item::as_bool) == Some(true);
            assert_eq!(is_off, one["type"].as_str() == Some(DISABLED_PLATFORM), "{one}");
        }
    }

    #[test]
    fn token_ends_within_days() {
        let now = Timestamp(1_795_381_200_000);
        let text = token(now, TOKEN_LEFT);
        let claims = text.split('.').nth(1).unwrap();
        let claims: Json =
            serde_json::from_slice(&URL_SAFE_NO_PAD.decode(claims).unwrap()).unwrap();
        assert_eq!(claims["exp"], 1_795_381_200 + 5 * 86_400);
    }
}
