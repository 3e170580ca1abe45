//! Pages as a running daemon serves them, asked through the router without a network: who may see and do what.

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::Request;
use axum::http::{Method, StatusCode, header};
use axum::response::Response;
use tokio::sync::oneshot;
use tower_service::Service as _;

use crate::daemon::{Daemon, load};
use crate::http::{Caller, Public, Scope};
use crate::page::{Source, router};

/// Name whose characters mean something in addresses and in HTML, and its address.
const HOSTILE: (&str, &str) = ("a/é %2f<b>", "/i/a%2F%C3%A9%20%252f%3Cb%3E");

/// Integration that is in use, whose server refuses connections.
const MART: &str = "[[integration]]\nname = \"mart\"\ntype = \"Trino\"\nlabels = { team = \"web\" }\n\
    [integration.config]\nhost = \"trino.example.com\"\nendpoint = \"http://127.0.0.1:9\"\n\
    catalogs = [\"lake\"]\nauthenticationType = \"none\"\nusername = \"login\"\n";

/// Pages that are shown to readers alone.
const PRIVATE: [&str; 11] = [
    "/runs",
    "/runs?integration=lake&result=failed",
    "/events",
    "/deliveries?state=pending",
    "/receivers",
    "/receivers/on-call",
    "/silences?ended=true",
    "/expiry?within=9d",
    "/expiry.ics",
    "/report",
    "/report?tz=Europe/Berlin&month=&label=team%3Dda*&label=&type=",
];
/// Pages that can be public.
const PUBLISHED: [&str; 6] = [
    "/",
    "/?q=la&show=failing",
    "/i/lake",
    "/fragment/head",
    "/fragment/row/lake",
    "/fragment/strip/lake",
];

/// Running daemon with its pages.
struct Pages {
    router: Router,
    stop: oneshot::Sender<()>,
    running: tokio::task::JoinHandle<()>,
    _folder: tempfile::TempDir,
}

fn integration(name: &str, team: &str) -> String {
    format!(
        "[[integration]]\nname = \"{name}\"\ntype = \"Native S3\"\nautoBootstrap = false\n\
         disabled = true\nlabels = {{ team = \"{team}\" }}\n\
         [integration.config]\nname = \"{name}\"\nawsAccountId = \"123456789012\"\n\
         awsRegion = \"us-east-1\"\nawsLocationRole = \"arn:aws:iam::123456789012:role/location\"\n\
         awsLocationPath = \"s3://data\"\nauthenticationType = \"accessKey\"\n\
         awsAccessKeyId = \"AKIATESTTESTTESTTEST\"\nawsSecretAccessKey = \"planted-secret-of-the-page\"\n"
    )
}

impl Pages {
    /// Starts a daemon with two integrations that are disabled, one that is in use, and a receiver.
    async fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let store = folder.path().join("state.db");
        let parts = [
            format!("[store]\npath = \"{}\"\n", store.display()),
            "[[receiver]]\nname = \"on-call\"\nurl = \"http://127.0.0.1:9/hook\"\n\
             secrets = [\"whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw\"]\nallow = [\"127.0.0.0/8\"]\n"
                .to_owned(),
            integration("lake", "data"),
            integration(HOSTILE.0, "web"),
            MART.to_owned(),
        ];
        let config = folder.path().join("revalidated.toml");
        std::fs::write(&config, parts.concat()).unwrap();
        let daemon = Daemon::start(load(Some(&config)).await.unwrap(), None).await.unwrap();
        let source = Source { view: daemon.view.clone(), control: daemon.control.clone() };
        let (stop, stopped) = oneshot::channel();
        let running =
            tokio::spawn(async move { daemon.until(async { drop(stopped.await) }).await.unwrap() });
        Self { router: router(source), stop, running, _folder: folder }
    }

    async fn stop(self) {
        drop(self.stop);
        self.running.await.unwrap();
    }

    async fn respond(&self, method: Method, path: &str, caller: &Caller, body: &str) -> Response {
        let request = Request::builder().method(method).uri(path);
        let mut request = request.body(Body::from(body.to_owned())).unwrap();
        request.extensions_mut().insert(caller.clone());
        self.router.clone().call(request).await.unwrap()
    }

    /// Returns status and text of a page.
    async fn get(&self, path: &str, caller: &Caller) -> (StatusCode, String) {
        let response = self.respond(Method::GET, path, caller, "").await;
        let status = response.status();
        let text = to_bytes(response.into_body(), 1 << 20).await.unwrap();
        (status, String::from_utf8(text.to_vec()).unwrap())
    }

    /// Posts a form; returns the status, and the address that it leads to.
    async fn post(&self, action: &str, caller: &Caller, form: &str) -> (StatusCode, String) {
        let response = self.respond(Method::POST, &format!("/do/{action}"), caller, form).await;
        let place = response.headers().get(header::LOCATION).map(|place| place.to_str().unwrap());
        (response.status(), place.unwrap_or_default().to_owned())
    }
}

fn caller(scope: Scope) -> Caller {
    Caller { scope, by: "anna".to_owned(), ..Caller::default() }
}

fn limited(scope: Scope) -> Caller {
    Caller { labels: [("team".to_owned(), "data".to_owned())].into(), ..caller(scope) }
}

#[tokio::test]
async fn each_page_is_shown_to_those_who_may_see_it() {
    let pages = Pages::start().await;
    let public = Public { page: true, ..Public::default() };
    let public = Caller { public, ..Caller::default() };
    for path in PUBLISHED.iter().chain(&PRIVATE) {
        let expected =
            if PUBLISHED.contains(path) { StatusCode::OK } else { StatusCode::UNAUTHORIZED };
        let table = [
            (Caller::default(), StatusCode::UNAUTHORIZED),
            (caller(Scope::Metrics), StatusCode::UNAUTHORIZED),
            (public.clone(), expected),
            (caller(Scope::Read), StatusCode::OK),
            (caller(Scope::Act), StatusCode::OK),
        ];
        for (caller, expected) in table {
            let (status, text) = pages.get(path, &caller).await;
            assert_eq!(status, expected, "{path} {:?}", caller.scope);
            assert!(!text.contains("planted-secret"), "{path}");
        }
    }
    let asked = pages.respond(Method::GET, "/", &Caller::default(), "").await;
    assert!(asked.headers()[header::WWW_AUTHENTICATE].to_str().unwrap().starts_with("Basic "));
    pages.stop().await;
}

#[tokio::test]
async fn addresses_that_lead_nowhere_say_so() {
    let pages = Pages::start().await;
    let reader = caller(Scope::Read);
    let table = [
        ("/i/nothing", 404, "No integration has this name."),
        ("/i/lake/runs/7", 404, "No run of the integration"),
        ("/i/lake/runs/x", 404, "No run of the integration"),
        ("/outages/out_1", 404, "No outage has this id"),
        ("/receivers/other", 404, "No receiver has this name."),
        ("/?typ=x", 400, "did you mean `type`?"),
        ("/runs?result=fine", 400, "result"),
        ("/deliveries?after=x", 404, "not a cursor"),
        ("/report?month=november", 400, "`month`: &quot;november&quot; is not a month such as"),
        ("/report?month=2999-01", 404, "2999-01 has not begun."),
        ("/report?zone=Europe/Berlim", 400, "`zone`: &quot;Europe/Berlim&quot; is not a zone"),
        ("/report?tz=Nowhere", 400, "`tz`: &quot;Nowhere&quot; is not a zone"),
        ("/report?labels=x", 400, "did you mean `label`?"),
        ("/report?after=x", 400, "`after`"),
        ("/report?month=1999-12", 200, "No integration was in use."),
        (HOSTILE.1, 200, "a/é %2f&lt;b&gt;"),
        ("/i/2", 200, "<h1>lake</h1>"),
    ];
    for (path, status, text) in table {
        let (found, page) = pages.get(path, &reader).await;
        assert_eq!(found.as_u16(), status, "{path}");
        assert!(page.contains(text), "{path}: {page}");
    }
    pages.stop().await;
}

#[tokio::test]
async fn caller_with_labels_sees_its_own_integrations_only() {
    let pages = Pages::start().await;
    let (_, page) = pages.get("/", &limited(Scope::Read)).await;
    assert!(page.contains("/i/lake") && !page.contains("/i/a%2F"), "{page}");
    assert!(!page.contains("on-call"), "{page}");
    for (caller, is_seen) in [(caller(Scope::Read), true), (limited(Scope::Read), false)] {
        let (_, page) = pages.get("/report", &caller).await;
        assert_eq!(page.contains("href=\"/i/mart\""), is_seen, "{page}");
        assert_eq!(page.contains("<option>Trino"), is_seen, "{page}");
        let (_, page) = pages.get("/report?label=team%3Dweb", &caller).await;
        assert_eq!(page.contains("href=\"/i/mart\""), is_seen, "{page}");
        let (_, page) = pages.get("/report?label=team%3Ddata", &caller).await;
        assert!(page.contains("No integration that fits was in use."), "{page}");
    }
    let hidden = [HOSTILE.1, "/fragment/row/1", "/fragment/strip/1", "/receivers/on-call"];
    for path in hidden {
        let (status, _) = pages.get(path, &limited(Scope::Act)).await;
        assert_eq!(status, StatusCode::NOT_FOUND, "{path}");
    }
    let actor = limited(Scope::Act);
    let forms = [
        ("validate", "integration=1"),
        ("disable", "receiver=on-call"),
        ("silence", "integration=1&for=1h"),
    ];
    for (action, form) in forms {
        assert_eq!(pages.post(action, &actor, form).await.0, StatusCode::NOT_FOUND, "{action}");
    }
    pages.stop().await;
}

#[tokio::test]
async fn search_finds_hosts_and_principals_but_in_public() {
    let pages = Pages::start().await;
    let public = Public { page: true, ..Public::default() };
    let public = Caller { public, ..Caller::default() };
    let table = [
        ("MART", true, true),
        ("team=web+trino", true, true),
        ("127.0.0.1", true, false),
        ("web+login", true, false),
        ("web+planted", false, false),
    ];
    for (words, reader_finds, public_finds) in table {
        let path = format!("/?q={words}");
        for (caller, finds) in [(caller(Scope::Read), reader_finds), (public.clone(), public_finds)]
        {
            let (_, page) = pages.get(&path, &caller).await;
            assert_eq!(page.contains("href=\"/i/mart\""), finds, "{words} {:?}", caller.scope);
        }
    }
    pages.stop().await;
}

#[tokio::test]
async fn forms_act_for_those_who_may_and_lead_back() {
    let pages = Pages::start().await;
    let actor = caller(Scope::Act);
    let table = [
        ("validate", "integration=lake&back=/i/lake", "/i/lake?done=not-validated"),
        ("acknowledge", "integration=lake&for=1h&back=/i/lake", "/i/lake?done=not-failing"),
        ("silence", "integration=lake&for=4h&comment=x&back=/silences", "/silences?done=silence"),
        ("silence", "names=la*&for=morning&back=//evil", "/?done=silence"),
        ("end-silence", "silence=1&back=/silences", "/silences?done=end-silence"),
        ("end-silence", "silence=1&back=/silences", "/silences?done=ended-already"),
        ("disable", "receiver=on-call&back=/receivers/on-call", "/receivers/on-call?done=disable"),
        ("enable", "receiver=on-call&back=/receivers/on-call", "/receivers/on-call?done=enable"),
    ];
    for (action, form, place) in table {
        let refused = pages.post(action, &caller(Scope::Read), form).await;
        assert_eq!(refused.0, StatusCode::FORBIDDEN, "{action}");
        let done = pages.post(action, &actor, form).await;
        assert_eq!(done, (StatusCode::SEE_OTHER, place.to_owned()), "{action} {form}");
    }
    let wrong = [
        ("silence", "for=1h"),
        ("silence", "integration=lake&for=ever"),
        ("redeliver", "delivery=9"),
        ("nothing", ""),
    ];
    for (action, form) in wrong {
        assert_eq!(
            pages.post(action, &actor, form).await.0,
            StatusCode::NOT_FOUND,
            "{action} {form}"
        );
    }
    let (_, page) = pages.get("/silences?done=silence", &caller(Scope::Read)).await;
    assert!(page.contains("integrations la*") && page.contains("anna"), "{page}");
    assert!(page.contains("Messages about these integrations wait now."), "{page}");
    pages.stop().await;
}

#[tokio::test]
async fn page_that_did_not_change_is_not_sent_again() {
    let pages = Pages::start().await;
    let reader = caller(Scope::Read);
    let first = pages.respond(Method::GET, "/expiry.ics", &reader, "").await;
    let tag = first.headers()[header::ETAG].clone();
    let mut request = Request::builder().uri("/expiry.ics").body(Body::empty()).unwrap();
    request.headers_mut().insert(header::IF_NONE_MATCH, tag);
    request.extensions_mut().insert(reader);
    let second = pages.router.clone().call(request).await.unwrap();
    assert_eq!(second.status(), StatusCode::NOT_MODIFIED);
    let style = super::CSS.path.as_str();
    let asset = pages.respond(Method::GET, style, &Caller::default(), "").await;
    assert!(asset.headers()[header::CACHE_CONTROL].to_str().unwrap().contains("immutable"));
    pages.stop().await;
}
