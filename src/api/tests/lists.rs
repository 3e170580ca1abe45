//! Lists, details and their conditions.

use axum::http::{Method, header};
use serde_json::Value as Json;

use super::bench::{At, Bench, HOSTILE, actor, caller, reader};
use crate::http::{Caller, Public, Scope};

fn names(json: &Json) -> Vec<String> {
    let items = json["items"].as_array().unwrap().iter();
    items.map(|one| one["name"].as_str().unwrap().to_owned()).collect()
}

/// Returns the names of a list that is read page by page.
async fn walk(bench: &Bench, path: &str) -> Vec<String> {
    let (mut seen, mut path) = (Vec::new(), path.to_owned());
    loop {
        let got = bench.get(&path).await;
        let json = got.json();
        seen.extend(names(&json));
        let Some(next) = json["next"].as_str() else { return seen };
        assert!(got.header("link").contains(next), "{}", got.header("link"));
        path = got.header("link").trim_start_matches('<').split('>').next().unwrap().to_owned();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn list_is_filtered_sorted_and_paged() {
    let bench = Bench::start().await;
    let table: &[(&str, &[&str])] = &[
        ("", &[HOSTILE, "idle", "lake"]),
        ("?status=disabled", &["idle"]),
        ("?failing=true", &[HOSTILE, "lake"]),
        ("?label=team=data", &["lake"]),
        // The message of the other one says whose configuration it repeats.
        ("?q=IDL", &[HOSTILE, "idle"]),
        ("?q=IDL+disabled", &["idle"]),
        ("?type=Trino", &[]),
        ("?outage=any", &[]),
    ];
    for (query, expected) in table {
        let json = bench.get(&format!("/api/v1/integrations{query}")).await.json();
        assert_eq!(names(&json), *expected, "{query}");
        assert_eq!(json["next"], Json::Null);
    }
    for sort in ["since", "next", "expires"] {
        let seen = walk(&bench, &format!("/api/v1/integrations?sort={sort}&limit=1")).await;
        assert_eq!(seen.len(), 3, "{sort}: {seen:?}");
        if sort != "expires" {
            assert_eq!(seen[2], "idle", "one that neither fails nor is due stands last");
        }
    }
    let seen = walk(&bench, "/api/v1/integrations?failing=true&limit=1").await;
    assert_eq!(seen, [HOSTILE, "lake"]);
    let full = bench.get("/api/v1/integrations?view=full&q=lake").await.json();
    assert!(full["items"][0]["config"].is_object());
    let wrong = bench.get("/api/v1/integrations?statuss=enabled&limit=0").await;
    let json = wrong.json();
    assert_eq!((wrong.status, json["code"].as_str()), (400, Some("bad-parameter")));
    assert_eq!(json["parameters"].as_array().map(Vec::len), Some(2));
    assert!(json["detail"].as_str().unwrap().contains("did you mean `status`?"));
    let cursor = bench.get("/api/v1/integrations?after=x").await;
    assert_eq!(cursor.status, 410);
    bench.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn details_are_asked_by_name_or_number_and_answered_once() {
    let bench = Bench::start().await;
    let hostile =
        percent_encoding::utf8_percent_encode(HOSTILE, percent_encoding::NON_ALPHANUMERIC);
    let path = format!("/api/v1/integrations/{hostile}");
    let got = bench.get(&path).await;
    let json = got.json();
    assert_eq!(json["name"], HOSTILE);
    assert_eq!(json["revalidated"]["labels"]["team"], "web");
    let by_id = bench.get(&format!("/api/v1/integrations/{}", json["id"])).await;
    assert_eq!(by_id.body, got.body);
    let has = [(header::IF_NONE_MATCH, got.header("etag"))];
    let again = bench.ask(At(Method::GET, &path), &reader(), &has, "").await;
    assert_eq!((again.status, again.body.len()), (304, 0));
    let head = bench.ask(At(Method::HEAD, &path), &reader(), &[], "").await;
    assert_eq!((head.status, head.body.len()), (200, 0));
    assert_eq!(head.header("etag"), got.header("etag"));
    for rest in ["explain", "runs", "transitions", "strip?last=5"] {
        let got = bench.get(&format!("{path}/{rest}")).await;
        assert_eq!(got.status, 200, "{rest}: {}", got.text());
    }
    let runs = bench.get(&format!("{path}/runs")).await.json();
    let run = &runs["items"][0]["id"];
    let one = bench.get(&format!("{path}/runs/{run}")).await.json();
    assert_eq!(one, runs["items"][0]);
    assert_eq!(bench.get(&format!("{path}/runs/999")).await.status, 404);
    assert_eq!(bench.get("/api/v1/integrations/nothing").await.status, 404);
    bench.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn everything_else_of_the_store_is_listed() {
    let bench = Bench::start().await;
    let sent = |json: &Json| json["items"].as_array().is_some_and(|all| 2 <= all.len());
    let delivered = bench.wait_until("/api/v1/deliveries?state=delivered", sent).await;
    let first = &delivered["items"][0];
    let one = bench.get(&format!("/api/v1/deliveries/{}", first["id"])).await.json();
    assert_eq!(one, *first);
    let lists = [
        ("/api/v1/transitions", 3),
        ("/api/v1/runs?result=failed&class=denied", 2),
        ("/api/v1/outages", 0),
        ("/api/v1/expiries?within=90d", 0),
        ("/api/v1/silences", 0),
        ("/api/v1/maintenance", 1),
        ("/api/v1/receivers", 1),
        ("/api/v1/audit", 0),
        ("/api/v1/catalog", crate::platforms::PLATFORMS.len()),
    ];
    for (path, least) in lists {
        let json = bench.get(path).await.json();
        let count = json["items"].as_array().map(Vec::len);
        assert!(count.is_some_and(|count| least <= count), "{path}: {json}");
    }
    let receiver = bench.get("/api/v1/receivers/on-call").await.json();
    let url = receiver["url"].as_str().unwrap();
    assert!(url.starts_with("http://127.0.0.1:") && !url.contains("hook"), "{url}");
    let catalog = bench.get("/api/v1/catalog/Native%20S3").await.json();
    assert_eq!(catalog["type"], "Native S3");
    let badge = bench.get("/badge/lake.svg").await;
    assert_eq!(badge.header("content-type"), "image/svg+xml");
    let shield = bench.get("/badge.json?label=team=data").await.json();
    assert_eq!(
        (&shield["message"], &shield["schemaVersion"]),
        (&"1 of 1 failing".into(), &1.into())
    );
    let feed = bench.get("/feed.atom?label=team=data").await;
    assert!(feed.text().contains("https://r.example/i/lake") && !feed.text().contains("script"));
    let report = bench.get("/api/v1/report?label=team=data&zone=Europe/Berlin").await.json();
    assert_eq!(report["integrations"].as_array().map(Vec::len), Some(1), "{report}");
    let wrong = [("month=2999-01", 404), ("zone=Mars/Base", 404), ("month=1999-13", 400)];
    for (query, status) in wrong {
        assert_eq!(bench.get(&format!("/api/v1/report?{query}")).await.status, status, "{query}");
    }
    for path in ["/healthz", "/readyz", "/metrics", "/openapi.json"] {
        assert_eq!(bench.get(path).await.status, 200, "{path}");
    }
    bench.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn caller_with_labels_sees_its_part_only() {
    let bench = Bench::start().await;
    let labels = [("team".to_owned(), "data".to_owned())].into();
    let some = Caller { labels, ..actor() };
    let get = async |path: &str| bench.ask(At(Method::GET, path), &some, &[], "").await;
    assert_eq!(names(&get("/api/v1/integrations").await.json()), ["lake"]);
    assert_eq!(get("/integrations").await.json().as_array().map(Vec::len), Some(1));
    assert_eq!(get("/api/v1/summary").await.json()["integrations"]["total"], 1);
    for path in ["/api/v1/integrations/idle", "/api/v1/integrations/idle/runs", "/integrations/2"] {
        assert_eq!(get(path).await.status, 404, "{path}");
    }
    for path in ["/api/v1/audit", "/api/v1/receivers", "/metrics", "/api/v1/outages"] {
        assert_eq!(get(path).await.status, 403, "{path}");
    }
    let events = get("/api/v1/events").await.json();
    let about: Vec<_> =
        events["items"].as_array().unwrap().iter().map(|one| one["integration"].clone()).collect();
    assert!(!about.is_empty() && about.iter().all(|name| name == "lake"), "{about:?}");
    let body = r#"{"until":"2999-01-01T00:00:00Z"}"#;
    let json = [(header::CONTENT_TYPE, "application/json")];
    let path = "/api/v1/integrations/idle/acknowledge";
    assert_eq!(bench.ask(At(Method::POST, path), &some, &json, body).await.status, 404);
    bench.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn each_route_needs_its_permission() {
    let bench = Bench::start().await;
    let scopes = [Scope::Anonymous, Scope::Metrics, Scope::Read, Scope::Act];
    for route in super::super::routes::ROUTES {
        let path = route.path.replace("{name}", "no").replace("{id}", "999");
        let path = path.replace("{type}", "no").replace("{file}", "no.svg");
        let method: &str = route.method.into();
        for scope in scopes {
            let json = [(header::CONTENT_TYPE, "application/json")];
            let response =
                bench.respond(At(method.parse().unwrap(), &path), &caller(scope), &json, "").await;
            let code = response.status().as_u16();
            let is_refused = matches!(code, 401 | 403);
            assert_eq!(is_refused, scope < route.scope, "{method} {path} {scope:?}: {code}");
            if is_refused {
                assert_eq!(code == 401, scope == Scope::Anonymous, "{path} {scope:?}");
            }
        }
    }
    let public = Public { badges: true, feed: true, ..Public::default() };
    let everybody = Caller { public, ..Caller::default() };
    let get = async |path: &str| bench.ask(At(Method::GET, path), &everybody, &[], "").await.status;
    assert_eq!((get("/badge.svg").await, get("/badge/lake.svg").await), (200, 200));
    assert_eq!((get("/feed.atom").await, get("/api/v1/summary").await), (200, 401));
    let nowhere = bench.get("/api/v1/nowhere").await;
    assert_eq!((nowhere.status, nowhere.json()["code"].as_str()), (404, Some("not-found")));
    let options = bench.ask(At(Method::OPTIONS, "/api/v1/summary"), &reader(), &[], "").await;
    assert_eq!((options.status, options.header("allow")), (204, "GET, HEAD, OPTIONS"));
    bench.stop().await;
}
