//! The demo, as a newcomer starts it: its output, its exit code, and that no file remains.

use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::time::Duration;

use serde_json::Value;

use crate::documents::readme_shows;
use crate::support::wait_for;

/// Time limit of a demo, above the limits of its own.
const WAIT_MAX: Duration = Duration::from_secs(90);

/// Time limit for what follows from the story.
const SOON: Duration = Duration::from_secs(40);

/// A running demo, killed when a test ends early.
struct Demo(Child);

impl Drop for Demo {
    fn drop(&mut self) {
        drop(self.0.kill());
        drop(self.0.wait());
    }
}

fn start(temporary: &Path, arguments: &[&str]) -> Demo {
    let child = Command::new(env!("CARGO_BIN_EXE_revalidated"))
        .arg("demo")
        .args(arguments)
        .env("TMPDIR", temporary)
        .env_remove("RUST_LOG")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    Demo(child)
}

/// Waits for the end of the demo, and passes each line of its output to `saw` with its process id; none
/// when the test has taken the output.
fn watch(demo: &mut Demo, mut saw: impl FnMut(&str, u32) + Send + 'static) -> Output {
    let (out, mut err) = (demo.0.stdout.take(), demo.0.stderr.take().unwrap());
    let id = demo.0.id();
    let (done, ended) = mpsc::channel();
    std::thread::spawn(move || {
        let mut printed = String::new();
        for line in out.into_iter().flat_map(|out| BufReader::new(out).lines()) {
            let line = line.unwrap();
            saw(&line, id);
            printed.push_str(&line);
            printed.push('\n');
        }
        let mut logged = String::new();
        err.read_to_string(&mut logged).unwrap();
        done.send((printed, logged)).unwrap();
    });
    let (printed, logged) = ended.recv_timeout(WAIT_MAX).unwrap();
    Output { code: demo.0.wait().unwrap().code(), printed, logged }
}

struct Output {
    code: Option<i32>,
    printed: String,
    logged: String,
}

/// Returns the content of both secret files in the demo's folder.
fn planted(temporary: &Path) -> Vec<String> {
    let folder = fs::read_dir(temporary).unwrap().next().unwrap().unwrap().path();
    let read = |name| fs::read_to_string(folder.join(name)).unwrap().trim().to_owned();
    vec![read("webhook-secret"), read("aws-secret-key")]
}

#[test]
fn demo_shows_a_failure_and_its_recovery_and_leaves_no_file() {
    let temporary = tempfile::tempdir().unwrap();
    let mut demo = start(temporary.path(), &["--once"]);
    let (folder, (found, secrets)) = (temporary.path().to_owned(), mpsc::channel::<Vec<String>>());
    let Output { code, printed, logged } = watch(&mut demo, move |line, _id| {
        if line.contains("demo-orders: creating -> enabled") {
            found.send(planted(&folder)).unwrap();
        }
    });
    assert_eq!(code, Some(0), "{printed}\n{logged}");
    assert_eq!(logged, "", "nothing to warn about");
    let mut rest = printed.as_str();
    for part in [
        "demo-orders: creating -> enabled",
        ">>> the bucket demo-orders disappears",
        "demo-orders: enabled -> recurringValidationError",
        "failed   The provided S3 path exists",
        "webhook received: integration.validation.failed demo-orders",
        "signature verified",
        ">>> the bucket demo-orders is back",
        "demo-orders: recurringValidationError -> enabled",
        "webhook received: integration.validation.recovered demo-orders",
        "signature verified, outage of",
        "reading and 0 writing requests",
        "the daemon has stopped; nothing is left behind",
    ] {
        let place = rest.find(part);
        assert!(place.is_some(), "`{part}` does not come in order: {printed}");
        rest = &rest[place.unwrap() + part.len()..];
    }
    for other in ["demo-customers", "demo-invoices"] {
        assert!(!printed.contains(&format!("{other}: enabled ->")), "{printed}");
    }
    for secret in secrets.recv_timeout(Duration::from_secs(1)).unwrap() {
        assert!(20 < secret.len());
        assert!(!printed.contains(&secret) && !logged.contains(&secret));
    }
    assert!(!printed.contains('\x1b'), "no colour but on a terminal");
    readme_shows(&printed);
    assert_eq!(fs::read_dir(temporary.path()).unwrap().count(), 0);
}

/// Returns the answer to a request, as JSON where it is some, asked by curl.
fn ask(url: &str) -> Value {
    let curl = Command::new("curl").args(["-sS", "--max-time", "20", url]).output().unwrap();
    assert!(curl.status.success(), "{url}: {}", String::from_utf8_lossy(&curl.stderr));
    let text = String::from_utf8(curl.stdout).unwrap();
    serde_json::from_str(&text).unwrap_or(Value::String(text))
}

/// Returns what is wrong with the page of a demo whose cluster is stopped; nothing once it shows everything.
fn missing(base: &str) -> Option<String> {
    let summary = ask(&format!("{base}/api/v1/summary"));
    let items =
        |path: &str| ask(&format!("{base}/api/v1/{path}"))["items"].as_array().unwrap().len();
    let found = [
        (
            "failures of the cluster and the archive",
            5 <= summary["integrations"]["failing"].as_u64().unwrap(),
        ),
        ("an outage", items("outages") == 1),
        ("a silence", items("silences") == 1),
        ("expiries of a token", 4 <= items("expiries?within=90d")),
        ("a disabled integration", items("integrations?status=disabled") == 1),
        ("messages", 0 < items("deliveries")),
    ];
    found.iter().find(|(_, is_there)| !is_there).map(|(what, _)| format!("{what}: {summary}"))
}

#[test]
fn page_of_the_demo_has_something_of_everything() {
    let temporary = tempfile::tempdir().unwrap();
    let mut demo = start(temporary.path(), &[]);
    let (shown, address) = mpsc::channel::<String>();
    let judge = std::thread::spawn(move || {
        let base = address.recv_timeout(WAIT_MAX).unwrap();
        address.recv_timeout(WAIT_MAX).unwrap();
        wait_for("everything on the page", SOON, || missing(&base).is_none().then_some(()));
        let page = ask(&format!("{base}/"));
        let page = page.as_str().unwrap();
        for part in [
            "5 of 9 integrations are failing",
            "3 Trino integrations fail by one cause",
            "demo-archive",
            "redshift-legacy",
            "demo-receiver",
        ] {
            assert!(page.contains(part), "`{part}` is not on the page: {page}");
        }
        let detail = ask(&format!("{base}/i/demo-archive"));
        assert!(detail.as_str().unwrap().contains("The provided S3 path exists"), "{detail}");
        let status = ask(&format!("{base}/api/v1/status"));
        assert_eq!(status["live"]["loops"][0]["standsStill"], false, "{status}");
    });
    let judged = std::sync::Mutex::new(Some(judge));
    let Output { code, printed, logged } = watch(&mut demo, move |line, id| {
        if let Some((_, base)) = line.split_once("Look at the page: ") {
            shown.send(base.trim_end_matches('/').to_owned()).unwrap();
        }
        if line.contains("the daemon runs on until Ctrl-C") {
            shown.send(String::new()).unwrap();
            let judge = judged.lock().unwrap().take().unwrap();
            let outcome = judge.join();
            interrupt(id);
            outcome.unwrap();
        }
    });
    assert_eq!((code, logged.as_str()), (Some(0), ""), "{printed}");
    assert_eq!(fs::read_dir(temporary.path()).unwrap().count(), 0);
}

fn interrupt(id: u32) {
    signal("INT", &id.to_string());
}

fn signal(name: &str, id: &str) {
    let sent = Command::new("kill").args([&format!("-{name}"), id]).status().unwrap();
    assert!(sent.success());
}

#[test]
fn interrupt_ends_the_demo_cleanly() {
    let temporary = tempfile::tempdir().unwrap();
    let mut demo = start(temporary.path(), &[]);
    let Output { code, printed, logged } = watch(&mut demo, |line, id| {
        if line.contains("every integration is enabled") {
            interrupt(id);
        }
    });
    assert_eq!(code, Some(0), "{printed}\n{logged}");
    assert!(printed.ends_with("the daemon has stopped; nothing is left behind\n"), "{printed}");
    assert_eq!(fs::read_dir(temporary.path()).unwrap().count(), 0);
}

#[test]
fn demo_ends_when_its_output_is_closed() {
    let temporary = tempfile::tempdir().unwrap();
    let mut demo = start(temporary.path(), &[]);
    let mut first = String::new();
    BufReader::new(demo.0.stdout.take().unwrap()).read_line(&mut first).unwrap();
    assert!(first.contains("daemon"), "{first}");
    let Output { code, logged, .. } = watch(&mut demo, |_line, _id| ());
    assert_eq!((code, logged.as_str()), (Some(0), ""));
    assert_eq!(fs::read_dir(temporary.path()).unwrap().count(), 0);
}

/// Returns the command lines of processes that name `folder`.
fn processes_in(folder: &Path) -> Vec<String> {
    let named = folder.to_str().unwrap();
    let all = fs::read_dir("/proc").unwrap().flatten();
    let lines = all.filter_map(|entry| fs::read_to_string(entry.path().join("cmdline")).ok());
    lines.filter(|line| line.contains(named)).collect()
}

#[test]
fn killed_node_loses_and_doubles_nothing_and_leaves_no_file() {
    let temporary = tempfile::tempdir().unwrap();
    // The server runs as another user where the test is root's.
    let passable = std::os::unix::fs::PermissionsExt::from_mode(0o711);
    fs::set_permissions(temporary.path(), passable).unwrap();
    let mut demo = start(temporary.path(), &["--nodes", "3"]);
    let Output { code, printed, logged } = watch(&mut demo, |line, id| {
        if let Some((_, ids)) = line.split_once("kill -9 and one of ") {
            signal("KILL", ids.split(", ").next().unwrap());
        }
        if line.contains("it is started again after") {
            interrupt(id);
        }
    });
    assert_eq!((code, logged.as_str()), (Some(0), ""), "{printed}");
    let mut rest = printed.as_str();
    for part in [
        "3 nodes are running",
        "every integration is enabled",
        ">>> the catalogs of lake-01 and lake-02 disappear",
        "webhook received: integration.validation.failed lake-0",
        " is killed (kill -9 ",
        " s after the kill",
        "webhook received: integration.validation.recovered lake-0",
        ">>> every catalog is back",
        " 0 messages lost, 0 doubled, 0 out of order; 0 runs of one integration at the same time",
        " has ended (signal: 9 (SIGKILL))",
        "stopping",
        "the nodes and PostgreSQL have stopped; nothing is left behind\n",
    ] {
        let place = rest.find(part);
        assert!(place.is_some(), "`{part}` does not come in order: {printed}");
        rest = &rest[place.unwrap() + part.len()..];
    }
    assert_eq!(rest, "");
    assert_eq!(fs::read_dir(temporary.path()).unwrap().count(), 0);
    assert_eq!(processes_in(temporary.path()), Vec::<String>::new());
}
