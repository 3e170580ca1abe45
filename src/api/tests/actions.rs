//! Actions, with their authors and guards.

use axum::http::{HeaderName, Method, header};
use serde_json::Value as Json;

use super::bench::{At, Bench, actor, reader};
use crate::http::Caller;

const FAR: &str = "2999-01-01T00:00:00Z";

fn tomorrow(json: &Json) -> String {
    let at: jiff::Timestamp = json["startedAt"].as_str().unwrap().parse().unwrap();
    at.checked_add(jiff::Span::new().hours(24)).unwrap().to_string()
}

#[tokio::test(flavor = "multi_thread")]
async fn run_is_asked_for_and_waited_for() {
    let bench = Bench::start().await;
    let wait = [(HeaderName::from_static("prefer"), "wait=30")];
    let path = "/api/v1/integrations/lake/validate";
    let got = bench.ask(At(Method::POST, path), &actor(), &wait, "").await;
    let json = got.json();
    assert_eq!((got.status, json["state"].as_str()), (200, Some("done")), "{json}");
    assert_eq!((&json["passed"], &json["runs"][0]["trigger"]), (&false.into(), &"request".into()));
    let idle = bench.post("/api/v1/integrations/idle/validate", "").await;
    assert_eq!(idle.status, 409);
    let detail = idle.json()["detail"].as_str().unwrap().to_owned();
    assert!(detail.ends_with("in current state disabled."), "{detail}");
    let later = bench.post(path, "").await;
    assert_eq!((later.status, later.header("location")), (202, "/api/v1/integrations/lake/runs"));
    let audit = bench.get("/api/v1/audit?author=anna").await.json();
    assert_eq!(audit["items"][0]["command"], "revalidate");
    bench.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn failure_is_acknowledged_once_and_what_changed_meanwhile_is_noticed() {
    let bench = Bench::start().await;
    let until = tomorrow(&bench.get("/api/v1/version").await.json());
    let body = format!("{{\"until\":\"{until}\",\"comment\":\"on it\\nnow\"}}");
    let path = "/api/v1/integrations/lake/acknowledge";
    let tag = bench.get("/api/v1/integrations/lake").await.header("etag").to_owned();
    let guarded = async |tag: &str| {
        let headers = [(header::IF_MATCH, tag), (header::CONTENT_TYPE, "application/json")];
        bench.ask(At(Method::POST, path), &actor(), &headers, &body).await
    };
    assert_eq!(guarded("\"other\"").await.status, 412);
    let first = guarded(&tag).await;
    assert_eq!(first.status, 201, "{}", first.text());
    let silence = first.json();
    assert_eq!((&silence["author"], &silence["comment"]), (&"anna".into(), &"on it now".into()));
    assert_eq!((&silence["integration"], &silence["covers"]), (&"lake".into(), &1.into()));
    let again = bench.post(path, &body).await;
    assert_eq!((again.status, again.json()["id"].clone()), (200, silence["id"].clone()));
    let at = format!("/api/v1/silences/{}", silence["id"]);
    assert_eq!(first.header("location"), at);
    let ended = bench.ask(At(Method::DELETE, &at), &actor(), &[], "").await;
    assert_eq!((ended.status, ended.json()["state"].as_str()), (200, Some("ended")));
    for method in [Method::DELETE, Method::GET] {
        let gone = bench.ask(At(method, &at), &actor(), &[], "").await;
        assert_eq!((gone.status, gone.json()["code"].as_str()), (410, Some("ended")));
        assert!(gone.json()["silence"]["endedAt"].is_string(), "{}", gone.text());
    }
    let listed = bench.get("/api/v1/silences?ended=true").await.json();
    assert_eq!(listed["items"][0]["state"], "ended");
    assert_eq!(bench.post("/api/v1/integrations/idle/acknowledge", &body).await.status, 409);
    bench.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn silence_covers_a_selection_within_its_bounds() {
    let bench = Bench::start().await;
    let until = tomorrow(&bench.get("/api/v1/version").await.json());
    let new = |until: &str| {
        format!("{{\"selection\":{{\"labels\":{{\"team\":\"*\"}}}},\"until\":\"{until}\"}}")
    };
    let made = bench.post("/api/v1/silences", &new(&until)).await;
    assert_eq!((made.status, made.json()["covers"].as_i64()), (201, Some(2)), "{}", made.text());
    assert_eq!(bench.post("/api/v1/silences", &new(&until)).await.status, 200);
    let listed = bench.get("/api/v1/silences").await.json();
    assert_eq!(listed["items"].as_array().map(Vec::len), Some(1));
    let bad = [
        ("{\"selection\":{},\"until\":7}".to_owned(), "invalid type"),
        ("{\"untill\":1}".to_owned(), "unknown field"),
        ("{".to_owned(), "EOF"),
        ("[{},\"2999-01-01T00:00:00Z\"]".to_owned(), "no JSON object"),
    ];
    for (body, expected) in bad {
        let got = bench.post("/api/v1/silences", &body).await;
        let json = got.json();
        assert_eq!((got.status, json["code"].as_str()), (400, Some("bad-body")), "{body}");
        assert!(json["detail"].as_str().unwrap().contains(expected), "{json}");
    }
    for (until, expected) in [(FAR, "is more than 31d ahead"), ("2001-01-01T00:00:00Z", "is past")]
    {
        let got = bench.post("/api/v1/silences", &new(until)).await;
        assert_eq!(got.status, 409);
        assert!(got.text().contains(expected), "{}", got.text());
    }
    let text = [(header::CONTENT_TYPE, "text/plain")];
    let got = bench.ask(At(Method::POST, "/api/v1/silences"), &actor(), &text, "{}").await;
    assert_eq!(got.status, 415);
    let big = format!("{{\"x\":\"{}\"}}", "x".repeat(70_000));
    assert_eq!(bench.post("/api/v1/silences", &big).await.status, 413);
    let none = bench.ask(At(Method::POST, "/api/v1/silences"), &reader(), &text, "{}").await;
    assert_eq!(none.status, 403);
    bench.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn receiver_is_disabled_enabled_tested_and_sent_its_past_again() {
    let bench = Bench::start().await;
    let path = |what: &str| format!("/api/v1/receivers/on-call/{what}");
    let off = bench.post(&path("disable"), "").await.json();
    assert_eq!((&off["state"], &off["reason"]), (&"disabled".into(), &"manual".into()));
    assert_eq!(bench.post(&path("enable"), "").await.json()["state"], "enabled");
    let tested = bench.post(&path("test"), "{}").await.json();
    assert_eq!((&tested["delivered"], &tested["type"]), (&true.into(), &"webhook.ping".into()));
    let wrong = bench.post(&path("test"), "{\"type\":\"x\"}").await;
    assert_eq!(wrong.status, 400);
    let sent = |json: &Json| json["items"].as_array().is_some_and(|all| 2 <= all.len());
    bench.wait_until("/api/v1/deliveries?state=delivered", sent).await;
    let since = "{\"since\":\"2001-01-01T00:00:00Z\"";
    let confirm = async |events: u64| {
        bench.post(&path("replay"), &format!("{since},\"confirm\":{events}}}")).await
    };
    let plan = async || {
        let plan = bench.post(&path("replay"), &format!("{since}}}")).await.json();
        plan["events"].as_u64().unwrap()
    };
    assert_eq!(confirm(plan().await + 7).await.status, 409);
    // One more event may come between the plan and its confirmation.
    let mut done = confirm(plan().await).await;
    for _ in 0..3 {
        if done.status == 409 {
            done = confirm(plan().await).await;
        }
    }
    assert_eq!(done.status, 200, "{}", done.text());
    let delivery = bench.get("/api/v1/deliveries").await.json()["items"][0]["id"].clone();
    let again = bench.post(&format!("/api/v1/deliveries/{delivery}/redeliver"), "").await.json();
    assert_eq!((&again["state"], &again["receiver"]), (&"pending".into(), &"on-call".into()));
    assert_eq!(bench.post("/api/v1/receivers/unknown/enable", "").await.status, 404);
    bench.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn caller_with_labels_mutes_and_ends_its_part_only() {
    let bench = Bench::start().await;
    let until = tomorrow(&bench.get("/api/v1/version").await.json());
    let labels = [("team".to_owned(), "data".to_owned())].into();
    let some = Caller { labels, ..actor() };
    let json = [(header::CONTENT_TYPE, "application/json")];
    let all = format!("{{\"selection\":{{}},\"until\":\"{until}\"}}");
    let global = bench.post("/api/v1/silences", &all).await.json();
    assert_eq!(global["covers"], 3);
    let path = format!("/api/v1/silences/{}", global["id"]);
    let ended = bench.ask(At(Method::DELETE, &path), &some, &[], "").await;
    assert_eq!((ended.status, ended.json()["code"].as_str()), (403, Some("forbidden")));
    let own = bench.ask(At(Method::POST, "/api/v1/silences"), &some, &json, &all).await.json();
    assert_eq!((&own["covers"], &own["selection"]["labels"]["team"]), (&1.into(), &"data".into()));
    let path = format!("/api/v1/silences/{}", own["id"]);
    assert_eq!(bench.ask(At(Method::DELETE, &path), &some, &[], "").await.status, 200);
    bench.stop().await;
}
