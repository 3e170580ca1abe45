//! The program as a process, with a folder of its own.
//!
//! Output, log and store of every process are searched for the planted secrets; a test fails when one is
//! found.

use std::fs;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::sync::LazyLock;
use std::time::Duration;

use serde_json::Value;
use tempfile::TempDir;

use super::wait_for;

/// Secrets that tests plant: a password, a secret key and a webhook secret. None may be in anything that
/// the program writes, nor in the output of the tests themselves.
pub(crate) static SECRETS: LazyLock<Vec<&str>> =
    LazyLock::new(|| include_str!("../../planted-secrets.txt").lines().collect());

/// Runs the program once with `arguments`.
pub(crate) fn revalidated(arguments: &[&str]) -> Output {
    let output = Command::new(env!("CARGO_BIN_EXE_revalidated")).args(arguments).output().unwrap();
    for stream in [&output.stdout, &output.stderr] {
        assert_clean(&format!("the output of {arguments:?}"), stream);
    }
    output
}

/// Fails when `bytes` contain a planted secret.
fn assert_clean(place: &str, bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    let leaked = SECRETS.iter().position(|secret| text.contains(secret));
    assert_eq!(leaked, None, "a secret of this number is in {place}");
}

/// Folder with a configuration file and secret files.
pub(crate) struct Config {
    dir: TempDir,
    /// Table of a store on a server; none for a file in the folder.
    store: Option<String>,
}

impl Config {
    /// Creates a folder with the configuration `text`, after a header that puts the store there too.
    pub(crate) fn new(text: &str) -> Self {
        Self::with(text, None)
    }

    /// Creates a folder with the configuration `text` after the table `store`.
    pub(crate) fn on(store: String, text: &str) -> Self {
        Self::with(text, Some(store))
    }

    fn with(text: &str, store: Option<String>) -> Self {
        let config = Self { dir: tempfile::tempdir().unwrap(), store };
        config.secret("password", SECRETS[0]);
        config.secret("aws-secret", SECRETS[1]);
        config.secret("webhook-secret", &format!("whsec_{}", SECRETS[2]));
        config.write(text);
        config
    }

    /// Replaces the configuration; `DIR` in `text` becomes its folder.
    pub(crate) fn write(&self, text: &str) {
        let dir = self.dir.path().display().to_string();
        let file = || format!("[store]\npath = \"{dir}/state.db\"\n");
        let store = self.store.clone().unwrap_or_else(file);
        let text = format!("{store}[log]\nformat = \"json\"\n{text}");
        fs::write(self.path(), text.replace("DIR", &dir)).unwrap();
    }

    /// Writes a secret file that only its owner may read.
    pub(crate) fn secret(&self, name: &str, value: &str) {
        let mut options = fs::OpenOptions::new();
        let options = options.write(true).create(true).truncate(true).mode(0o600);
        let mut file = options.open(self.dir.path().join(name)).unwrap();
        std::io::Write::write_all(&mut file, value.as_bytes()).unwrap();
    }

    pub(crate) fn path(&self) -> PathBuf {
        self.dir.path().join("revalidated.toml")
    }

    pub(crate) fn dir(&self) -> &Path {
        self.dir.path()
    }

    /// Runs a command with this configuration.
    pub(crate) fn run(&self, arguments: &[&str]) -> Output {
        let path = self.path();
        let mut all = vec!["--config", path.to_str().unwrap()];
        all.extend(arguments);
        revalidated(&all)
    }

    /// Returns the JSON that a command with this configuration prints.
    pub(crate) fn json(&self, arguments: &[&str]) -> Value {
        let output = self.run(arguments);
        let text = String::from_utf8(output.stdout).unwrap();
        serde_json::from_str(&text).unwrap_or_else(|error| {
            panic!("{arguments:?}: {error}: {text}{}", String::from_utf8_lossy(&output.stderr))
        })
    }
}

/// Running daemon, killed when dropped.
pub(crate) struct Daemon<'c> {
    config: &'c Config,
    child: Child,
}

impl<'c> Daemon<'c> {
    /// Starts the daemon, and waits for the line `started` in its log.
    pub(crate) fn start(config: &'c Config) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_revalidated"));
        Self::start_by(config, command.args(["run"]))
    }

    /// Starts the daemon with so many KiB of address space.
    pub(crate) fn start_limited(config: &'c Config, address_space_kib: u32) -> Self {
        let mut command = Command::new("sh");
        let limited = format!("ulimit -v {address_space_kib} && exec \"$0\" \"$@\"");
        Self::start_by(
            config,
            command.args(["-c", &limited, env!("CARGO_BIN_EXE_revalidated"), "run"]),
        )
    }

    /// Starts the daemon with these arguments more.
    pub(crate) fn start_with(config: &'c Config, arguments: &[&str]) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_revalidated"));
        Self::start_by(config, command.arg("run").args(arguments))
    }

    /// Starts the daemon with sockets of these names in its folder, passed as systemd does.
    pub(crate) fn start_passed(config: &'c Config, names: &[&str]) -> Self {
        const PASS: &str = "import fcntl, os, socket, sys\n\
            folder, names = sys.argv[1], sys.argv[2].split(':')\n\
            found = [socket.socket(socket.AF_UNIX) for _ in names]\n\
            for one, name in zip(found, names): one.bind(f'{folder}/{name}'); one.listen()\n\
            found = [fcntl.fcntl(one, fcntl.F_DUPFD, 50) for one in found]\n\
            for at, one in enumerate(found): os.dup2(one, 3 + at)\n\
            os.environ.update(LISTEN_FDS=str(len(names)), LISTEN_PID=str(os.getpid()),\n\
                LISTEN_FDNAMES=sys.argv[2])\n\
            os.execv(sys.argv[3], sys.argv[3:])\n";
        let mut command = Command::new("python3");
        command.args(["-c", PASS]).arg(config.dir()).arg(names.join(":"));
        Self::start_by(config, command.args([env!("CARGO_BIN_EXE_revalidated"), "run"]))
    }

    fn start_by(config: &'c Config, command: &mut Command) -> Self {
        let log = fs::OpenOptions::new()
            .create(true)
            .append(true)
            .open(config.dir().join("daemon.log"))
            .unwrap();
        let child = command
            .args(["--config", config.path().to_str().unwrap()])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()
            .unwrap();
        let mut daemon = Self { config, child };
        let before = daemon.log().matches("\"started: ").count();
        let begun = move |daemon: &mut Self| {
            let ended = daemon.child.try_wait().unwrap();
            assert!(ended.is_none(), "the daemon ended: {ended:?}\n{}", daemon.log());
            (before < daemon.log().matches("\"started: ").count()).then_some(())
        };
        wait_for("start of the daemon", Duration::from_secs(40), || begun(&mut daemon));
        daemon
    }

    pub(crate) fn log(&self) -> String {
        fs::read_to_string(self.config.dir().join("daemon.log")).unwrap_or_default()
    }

    /// Returns the id of the process.
    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    pub(crate) fn signal(&self, name: &str) {
        let pid = self.child.id().to_string();
        let done = Command::new("kill").args([&format!("-{name}"), &pid]).status().unwrap();
        assert!(done.success());
    }

    /// Ends the daemon by SIGTERM, and returns its exit status.
    pub(crate) fn stop(mut self) -> ExitStatus {
        self.signal("TERM");
        wait_for("end of the daemon", Duration::from_secs(25), || self.child.try_wait().unwrap())
    }

    /// Ends the daemon by SIGKILL, as a crash does.
    pub(crate) fn kill(mut self) {
        let ended = self.child.try_wait().unwrap();
        assert!(ended.is_none(), "the daemon ended by itself: {ended:?}");
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Waits until the integration `name` has `status`.
    pub(crate) fn wait_status(&self, name: &str, status: &str, limit: Duration) {
        wait_for(&format!("{name} in {status}"), limit, || {
            // Not by way of the configuration, which a test may have broken.
            let store = self.config.dir().join("state.db");
            let mut words = vec!["show", name, "--json"];
            if self.config.store.is_none() {
                words.extend(["--store", store.to_str().unwrap()]);
            }
            let shown = self.config.run(&words);
            let shown: Value = serde_json::from_slice(&shown.stdout).ok()?;
            (shown["status"] == status).then_some(())
        });
    }
}

impl Drop for Daemon<'_> {
    fn drop(&mut self) {
        if self.child.try_wait().unwrap().is_none() {
            self.child.kill().unwrap();
            self.child.wait().unwrap();
        }
        if std::thread::panicking() {
            eprintln!("--- log of the daemon\n{}", self.log());
            return;
        }
        for entry in fs::read_dir(self.config.dir()).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_str().unwrap();
            if name.starts_with("state.db") || name == "daemon.log" {
                assert_clean(name, &fs::read(&path).unwrap());
            }
        }
    }
}
