//! The demo, as a newcomer starts it: its output, its exit code, and that no file remains.

use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::time::Duration;

use crate::documents::readme_shows;

/// Time limit of a demo, above the limits of its own.
const WAIT_MAX: Duration = Duration::from_secs(90);

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

#[test]
fn interrupt_ends_the_demo_cleanly() {
    let temporary = tempfile::tempdir().unwrap();
    let mut demo = start(temporary.path(), &[]);
    let Output { code, printed, logged } = watch(&mut demo, |line, id| {
        if line.contains("every integration is enabled") {
            let killed = Command::new("kill").args(["-INT", &id.to_string()]).status().unwrap();
            assert!(killed.success());
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
