//! `store move`: a daemon goes on where its file was moved to, and a move that is killed leaves one store.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use crate::daemon::lake;
use crate::receivers::receiver;
use crate::support::{AccessGrants, Config, Daemon, Postgres, Receiver, SECRETS};

const SOON: Duration = Duration::from_secs(30);
/// Number of moves that are killed.
const KILLS: u32 = 12;

/// Configuration with a file, and the same with a server.
struct Scene {
    server: Postgres,
    platform: AccessGrants,
    receiver: Receiver,
    file: Config,
    database: Config,
    url: String,
}

impl Scene {
    fn new() -> Self {
        let server = Postgres::start();
        let role = "arn:aws:iam::123456789012:role/grants";
        let platform = AccessGrants::start("s3://governed/a*", role);
        let receiver = Receiver::start();
        let one = lake("one", "a").replace("http://127.0.0.1:1", &platform.endpoint);
        let text = "[defaults]\nflap_flips = 0\n".to_owned()
            + &self::receiver("on-call", &receiver.url)
            + &one;
        let url = format!("postgres://keeper@localhost:{}/state", server.facts["port"]);
        let file = Config::new(&text);
        // The same secrets: with others the integration would be edited, and be validated as such.
        let text = text.replace("DIR", file.dir().to_str().unwrap());
        let database = Config::on(server.store(), &text);
        Self { server, platform, receiver, file, database, url }
    }

    fn path(&self) -> PathBuf {
        self.file.dir().join("state.db")
    }

    fn arguments<'a>(&'a self, path: &'a Path) -> [&'a str; 6] {
        ["store", "move", "--to", &self.url, "--store", path.to_str().unwrap()]
    }

    /// Lets the integration fail or recover, and waits until the receiver knows.
    fn flip(&self, gone: bool) {
        let before = self.receiver.deliveries().len();
        self.platform.set_gone(gone);
        let status = if gone { "recurringValidationError" } else { "enabled" };
        self.receiver.wait("one", status, before);
    }

    /// Returns what is said of a file that is not opened; nothing when it is.
    fn refusal(&self, path: &Path) -> Option<String> {
        said(&self.file, &["list", "--store", path.to_str().unwrap()]).err()
    }
}

/// Runs a command; returns what it prints, or why it fails.
fn said(config: &Config, arguments: &[&str]) -> Result<String, String> {
    let output = config.run(arguments);
    let text = |bytes| String::from_utf8(bytes).unwrap();
    if output.status.success() { Ok(text(output.stdout)) } else { Err(text(output.stderr)) }
}

#[test]
fn daemon_goes_on_where_its_file_was_moved_to_and_back() {
    let scene = Scene::new();
    let daemon = Daemon::start(&scene.file);
    daemon.wait_status("one", "enabled", SOON);
    scene.flip(true);
    let path = scene.path();
    let used = said(&scene.database, &scene.arguments(&path)).unwrap_err();
    assert!(used.contains("a daemon uses it; stop it first"), "{used}");
    assert!(daemon.stop().success());

    let moved = said(&scene.database, &scene.arguments(&path)).unwrap();
    assert!(moved.contains(&format!("is moved to {}: ", scene.url)), "{moved}");
    let refused = scene.refusal(&path).unwrap();
    assert!(
        refused.contains(&format!("this database was moved to {} on ", scene.url)),
        "{refused}"
    );
    assert!(!refused.contains(SECRETS[0]), "{refused}");
    let again = said(&scene.database, &scene.arguments(&path)).unwrap_err();
    assert!(again.contains("this database was moved to "), "{again}");
    assert!(!scene.file.run(&["run"]).status.success());

    let daemon = Daemon::start(&scene.database);
    scene.flip(false);
    let new = scene.file.dir().join("new.db");
    let back = ["store", "move", "--back", new.to_str().unwrap()];
    let alive = said(&scene.database, &back).unwrap_err();
    assert!(alive.contains(" is alive ("), "{alive}");
    assert!(daemon.stop().success());
    let done = scene.database.json(&[&back[..], &["--json"]].concat());
    assert_eq!(
        (done["resumed"].as_bool(), done["rows"]["integration"].as_u64()),
        (Some(false), Some(1))
    );
    let refused = said(&scene.database, &["list"]).unwrap_err();
    assert!(refused.contains("this database was moved to "), "{refused}");
    assert!(scene.refusal(&new).is_none());
    // The first of them was sent before the file was moved, or waited in it.
    let kinds: Vec<_> = scene
        .receiver
        .deliveries()
        .iter()
        .map(|sent| sent.json()["type"].as_str().unwrap().to_owned())
        .filter(|kind| kind.contains("validation"))
        .collect();
    let once = ["integration.validation.failed", "integration.validation.recovered"];
    assert_eq!(kinds, once, "nothing is sent twice");
}

/// Kills the command after a while; returns true when it had ended by itself.
fn killed(scene: &Scene, path: &Path, after: Duration) -> bool {
    let mut command = Command::new(env!("CARGO_BIN_EXE_revalidated"));
    command.arg("--config").arg(scene.database.path()).args(scene.arguments(path));
    let mut child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    std::thread::sleep(after);
    let has_ended = child.try_wait().unwrap().is_some();
    child.kill().unwrap();
    child.wait().unwrap();
    has_ended
}

#[test]
fn move_that_is_killed_at_any_moment_leaves_one_store() {
    let scene = Scene::new();
    let daemon = Daemon::start(&scene.file);
    daemon.wait_status("one", "enabled", SOON);
    assert!(daemon.stop().success());
    let copy = scene.file.dir().join("copy.db");
    let again = || {
        scene.server.sql("state", "DROP SCHEMA IF EXISTS revalidated CASCADE");
        for part in ["-wal", "-shm"] {
            std::fs::remove_file(scene.file.dir().join(format!("copy.db{part}"))).ok();
        }
        std::fs::copy(scene.path(), &copy).unwrap();
    };
    again();
    let begun = Instant::now();
    said(&scene.database, &scene.arguments(&copy)).unwrap();
    let whole = begun.elapsed();
    for number in 0..KILLS {
        again();
        // Most of them near the end, where the mark and the commit are.
        let after = whole.mul_f64(0.4 + 0.7 * f64::from(number) / f64::from(KILLS));
        let has_ended = killed(&scene, &copy, after);
        let database = said(&scene.database, &["list"]);
        match scene.refusal(&copy) {
            None => assert!(database.is_err(), "both are the store: {after:?}"),
            Some(refusal) if refusal.contains("was interrupted on") => assert!(!has_ended),
            Some(refusal) => {
                assert!(refusal.contains("this database was moved to"), "{refusal}");
                assert!(database.is_ok(), "neither is the store: {after:?}");
            }
        }
        // The same command ends it, whatever was done.
        match said(&scene.database, &scene.arguments(&copy)) {
            Ok(_) => assert!(!has_ended),
            Err(why) => assert!(why.contains("this database was moved to"), "{why}"),
        }
        assert!(said(&scene.database, &["list"]).is_ok());
        assert!(scene.refusal(&copy).unwrap().contains("this database was moved to"));
    }
}
