//! Events by their numbers, and live changes.

use axum::http::{HeaderName, Method};

use super::bench::{At, Bench, Reader, actor, reader};

#[tokio::test(flavor = "multi_thread")]
async fn events_are_caught_up_from_every_kind_of_position() {
    let bench = Bench::start().await;
    let all = bench.get("/api/v1/events").await.json();
    let items = all["items"].as_array().unwrap();
    let numbers: Vec<_> = items.iter().map(|one| one["number"].as_i64().unwrap()).collect();
    assert!(2 <= numbers.len() && numbers.is_sorted(), "{numbers:?}");
    let epoch = bench.get("/api/v1/version").await.json()["epoch"].as_str().unwrap().to_owned();
    let (first, id) = (numbers[0], items[0]["id"].as_str().unwrap());
    for after in [first.to_string(), format!("{epoch}.{first}"), id.to_owned()] {
        let rest = bench.get(&format!("/api/v1/events?after={after}")).await.json();
        assert_eq!(rest["items"][0]["number"], numbers[1], "{after}");
    }
    let body = bench.get(&format!("/api/v1/events/{id}")).await;
    assert_eq!(serde_json::to_string(&items[0]["body"]).unwrap().len(), body.body.len());
    let page = bench.get("/api/v1/events?limit=1").await;
    let next = page.json()["next"].as_str().unwrap().to_owned();
    assert_eq!(next, format!("{epoch}.{first}"));
    let gone = [format!("other.{first}"), "evt_00000000-0000-0000-0000-000000000000".to_owned()];
    for after in gone {
        let got = bench.get(&format!("/api/v1/events?after={after}")).await;
        let json = got.json();
        assert_eq!((got.status, json["code"].as_str()), (410, Some("events-gone")), "{after}");
        assert!(json["latest"].as_str().unwrap().starts_with(&epoch), "{json}");
        assert_eq!(bench.get(&format!("/api/v1/events/stream?after={after}")).await.status, 410);
    }
    assert_eq!(bench.get("/api/v1/events?after=x").await.status, 400);
    assert_eq!(bench.get("/api/v1/events/evt_none").await.status, 404);
    bench.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn stream_goes_on_where_its_reader_was() {
    let bench = Bench::start().await;
    let response =
        bench.respond(At(Method::GET, "/api/v1/events/stream?after=0"), &reader(), &[], "").await;
    let mut stream = Reader::of(response);
    let (first, second) = (stream.next().await, stream.next().await);
    let id = first[0].strip_prefix("id: ").unwrap().to_owned();
    assert!(first[1].starts_with("event: ") && first[2].starts_with("data: {"), "{first:?}");
    let last = [(HeaderName::from_static("last-event-id"), id.as_str())];
    let response =
        bench.respond(At(Method::GET, "/api/v1/events/stream"), &reader(), &last, "").await;
    let mut again = Reader::of(response);
    assert_eq!(again.next().await, second);
    let only_new =
        bench.respond(At(Method::GET, "/api/v1/events/stream"), &reader(), &[], "").await;
    let mut only_new = Reader::of(only_new);
    let none = tokio::time::timeout(std::time::Duration::from_millis(300), only_new.next()).await;
    assert!(none.is_err(), "{none:?}");
    bench.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn screens_are_notified_of_what_changed() {
    let bench = Bench::start().await;
    let response = bench.respond(At(Method::GET, "/api/v1/changes"), &reader(), &[], "").await;
    let mut stream = Reader::of(response);
    // The first look is what the next ones are compared with.
    tokio::time::sleep(std::time::Duration::from_millis(1500)).await;
    let wait = [(HeaderName::from_static("prefer"), "wait=30")];
    let path = "/api/v1/integrations/lake/validate";
    let done = bench.ask(At(Method::POST, path), &actor(), &wait, "").await.json();
    let run = &done["runs"][0]["id"];
    loop {
        let event = stream.next().await;
        if event[0] == "event: integration" && event[1].contains(&format!("\"lastRunId\":{run}")) {
            assert!(event[1].contains("\"name\":\"lake\""), "{event:?}");
            break;
        }
    }
    bench.post("/api/v1/receivers/on-call/disable", "").await;
    loop {
        let event = stream.next().await;
        if event[0] == "event: receiver" {
            assert_eq!(event[1], "data: {\"name\":\"on-call\"}");
            break;
        }
    }
    bench.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn stream_with_a_time_sends_what_there_is_and_ends() {
    let bench = Bench::start().await;
    let all = bench.get("/api/v1/events").await.json()["items"].as_array().unwrap().len();
    for (path, count) in [
        ("/api/v1/events/stream?after=0&for=0s", all),
        ("/api/v1/events/stream?after=0&for=300ms", all),
        ("/api/v1/events/stream?for=0s", 0),
        ("/api/v1/changes?for=0s", 0),
    ] {
        let got = bench.get(path).await;
        let text = String::from_utf8(got.body.to_vec()).unwrap();
        assert_eq!((got.status, text.matches("\nevent: ").count()), (200, count), "{path}: {text}");
        assert!(text.starts_with("retry: 2000\n\n"), "{path}: {text}");
    }
    assert_eq!(bench.get("/api/v1/changes?for=soon").await.status, 400);
    bench.stop().await;
}
