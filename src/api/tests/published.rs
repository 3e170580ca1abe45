//! The published interface, to the letter.

use axum::http::{Method, header};

use super::bench::{At, Bench, HOSTILE, SECRET, actor, reader};
use crate::http::Caller;

#[tokio::test(flavor = "multi_thread")]
async fn integrations_are_listed_and_shown_by_their_numbers() {
    let bench = Bench::start().await;
    let list = bench.get("/integrations").await.json();
    let list = list.as_array().unwrap();
    assert_eq!(list.len(), 3);
    let ids: Vec<_> = list.iter().map(|one| one["id"].as_i64().unwrap()).collect();
    assert!(ids.is_sorted(), "{ids:?}");
    let lake = list.iter().find(|one| one["name"] == "lake").unwrap();
    let mut members: Vec<_> = lake.as_object().unwrap().keys().map(String::as_str).collect();
    members.sort_unstable();
    let expected = ["autoBootstrap", "config", "id", "name", "status", "type", "validationResults"];
    assert_eq!(members, expected);
    assert_eq!(lake["config"]["awsSecretAccessKey"], "[REDACTED]");
    assert_eq!(lake["status"], "createError");
    assert_eq!(lake["validationResults"]["status"], "failed");
    assert!(list.iter().any(|one| one["name"] == HOSTILE));
    let id = &lake["id"];
    assert_eq!(bench.get(&format!("/integrations/{id}")).await.json(), *lake);
    let status = bench.get(&format!("/integrations/{id}/status")).await.json();
    let expected = serde_json::json!({
        "id": id, "status": "createError", "validationResults": lake["validationResults"],
    });
    assert_eq!(status, expected);
    bench.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn list_is_sent_once_to_those_who_name_its_tag() {
    let bench = Bench::start().await;
    let json = bench.get("/integrations").await;
    let yaml = [(header::ACCEPT, "application/yaml")];
    let yaml = bench.ask(At(Method::GET, "/integrations"), &reader(), &yaml, "").await;
    let tags = [json.header("etag").to_owned(), yaml.header("etag").to_owned()];
    assert!(tags[0].starts_with('"') && tags[0] != tags[1], "{tags:?}");
    let has = [(header::IF_NONE_MATCH, tags[0].as_str())];
    let again = bench.ask(At(Method::GET, "/integrations"), &reader(), &has, "").await;
    assert_eq!((again.status, again.text()), (304, ""));
    assert_eq!(again.header("etag"), tags[0]);
    let packed = [(header::ACCEPT_ENCODING, "gzip")];
    let packed = bench.ask(At(Method::GET, "/integrations"), &reader(), &packed, "").await;
    assert_eq!((packed.header("content-encoding"), packed.header("etag")), ("gzip", &*tags[0]));
    let some = Caller { labels: [("team".to_owned(), "none".to_owned())].into(), ..reader() };
    let none = bench.ask(At(Method::GET, "/integrations"), &some, &has, "").await;
    assert_eq!((none.status, none.text()), (200, "[]"));
    bench.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn errors_have_three_members_and_say_where_to_act() {
    let bench = Bench::start().await;
    for id in ["5000", "x", "-1", "99999999999999999999", "%3Cscript%3E"] {
        let got = bench.get(&format!("/integrations/{id}")).await;
        let json = got.json();
        assert_eq!((got.status, json.as_object().unwrap().len()), (404, 3), "{id}");
        assert!(json["message"].as_str().unwrap().starts_with("No Integration found with ID "));
    }
    let five = bench.get("/integrations/5000").await.json();
    let expected = serde_json::json!({
        "statusCode": 404, "error": "Not found", "message": "No Integration found with ID 5000.",
    });
    assert_eq!(five, expected);
    let changes = [
        (Method::POST, "/integrations"),
        (Method::PUT, "/integrations/1"),
        (Method::DELETE, "/integrations/1"),
        (Method::POST, "/integrations/scripts/create"),
        (Method::POST, "/integrations/1/scripts/post-edit"),
        (Method::GET, "/integrations/1/regenerate"),
    ];
    for (method, path) in changes {
        let got = bench.ask(At(method, path), &actor(), &[], "{}").await;
        assert_eq!(got.status, 405, "{path}");
        assert!(got.header("allow").contains("GET, HEAD"), "{path}: {}", got.header("allow"));
        let message = got.json()["message"].as_str().unwrap().to_owned();
        assert!(message.contains("`revalidated check`"), "{message}");
    }
    let none = bench.ask(At(Method::GET, "/integrations"), &Caller::default(), &[], "").await;
    assert_eq!((none.status, none.json()["statusCode"].as_i64()), (401, Some(401)));
    assert!(none.header("www-authenticate").starts_with("Basic realm"));
    let other = [(header::ACCEPT, "text/html")];
    let got = bench.ask(At(Method::GET, "/integrations"), &reader(), &other, "").await;
    assert_eq!(got.status, 406);
    bench.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn yaml_has_the_same_values_for_those_who_ask_for_it() {
    let bench = Bench::start().await;
    let yaml = [(header::ACCEPT, "application/yaml, */*;q=0.1")];
    let got = bench.ask(At(Method::GET, "/integrations"), &reader(), &yaml, "").await;
    assert!(got.header("content-type").starts_with("application/yaml"));
    let text = got.text();
    assert!(text.starts_with("- id: ") && text.contains("status: createError"), "{text}");
    let one = bench.ask(At(Method::GET, "/integrations/1"), &reader(), &yaml, "").await;
    assert!(one.text().starts_with("id: 1\n"), "{}", one.text());
    bench.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn planted_secrets_are_in_no_answer() {
    let bench = Bench::start().await;
    let hostile =
        percent_encoding::utf8_percent_encode(HOSTILE, percent_encoding::NON_ALPHANUMERIC);
    let mut paths: Vec<String> = super::super::routes::ROUTES
        .iter()
        .filter(|route| route.method == super::super::route::Method::Get)
        .map(|route| route.path.replace("{name}", &hostile.to_string()).replace("{id}", "1"))
        .filter(|path| !path.contains("stream") && !path.contains("changes"))
        .collect();
    paths.extend([
        "/api/v1/integrations?view=full".to_owned(),
        "/api/v1/receivers/on-call".to_owned(),
    ]);
    for path in paths {
        let path = path.replace("{type}", "Native%20S3").replace("{file}", "lake.svg");
        let got = bench.get(&path).await;
        assert!(!got.text().contains(SECRET), "{path}: {}", got.text());
        assert!(!format!("{:?}", got.headers).contains(SECRET), "{path}");
    }
    bench.stop().await;
}
