//! Third-party servers and verifiers: platforms by the scripts of `tests/servers`, and the reference
//! libraries of `tests/verify`.

use std::collections::BTreeMap;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::json;
use tempfile::TempDir;

use super::Delivery;

/// Runs a start script, and returns the `key=value` lines that it prints.
fn start(script: &str, dir: &Path) -> BTreeMap<String, String> {
    let output = Command::new(script).arg("start").arg(dir).output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "{script}: {text}{}", String::from_utf8_lossy(&output.stderr));
    let lines = text.lines().filter_map(|line| line.split_once('='));
    lines.map(|(key, value)| (key.to_owned(), value.to_owned())).collect()
}

fn stop(script: &str, dir: &Path) {
    let stopped = Command::new(script).arg("stop").arg(dir).status().unwrap();
    assert!(stopped.success() || std::thread::panicking());
}

const POSTGRES: &str = "tests/servers/postgres.sh";
const MOTO: &str = "tests/servers/moto.sh";

/// Server that a script starts and that needs nothing else, stopped when dropped.
pub(crate) struct StandIn {
    facts: BTreeMap<String, String>,
    script: String,
    dir: TempDir,
}

impl StandIn {
    /// Starts a server by `tests/servers/<name>.sh`.
    pub(crate) fn start(name: &str) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let script = format!("tests/servers/{name}.sh");
        Self { facts: start(&script, dir.path()), script, dir }
    }

    /// Returns the value that the script printed for `key`.
    pub(crate) fn fact(&self, key: &str) -> &str {
        &self.facts[key]
    }
}

impl Drop for StandIn {
    fn drop(&mut self) {
        stop(&self.script, self.dir.path());
    }
}

/// A real `PostgreSQL` with TLS, stopped when dropped.
pub(crate) struct Postgres {
    pub(crate) facts: BTreeMap<String, String>,
    dir: TempDir,
}

impl Postgres {
    pub(crate) fn start() -> Self {
        let dir = tempfile::tempdir().unwrap();
        Self { facts: start(POSTGRES, dir.path()), dir }
    }

    /// Runs SQL as the superuser.
    pub(crate) fn sql(&self, database: &str, sql: &str) {
        self.rows(database, sql);
    }

    /// Runs SQL as the superuser, and returns the lines that it prints.
    pub(crate) fn rows(&self, database: &str, sql: &str) -> Vec<String> {
        let mut child = Command::new(POSTGRES)
            .arg("sql")
            .args([self.dir.path().as_os_str(), database.as_ref()])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        child.stdin.take().unwrap().write_all(sql.as_bytes()).unwrap();
        let output = child.wait_with_output().unwrap();
        assert!(output.status.success(), "{sql}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap().lines().map(str::to_owned).collect()
    }
}

impl Postgres {
    /// Stops the server at once, as a crash does.
    pub(crate) fn crash(&self) {
        stop(POSTGRES, self.dir.path());
    }

    /// Starts the server again after a crash.
    pub(crate) fn start_again(&self) {
        let started = Command::new(POSTGRES).arg("again").arg(self.dir.path()).status().unwrap();
        assert!(started.success());
    }

    /// Makes a role and a database for a store, and returns the table that names them.
    pub(crate) fn store(&self) -> String {
        let (port, ca) = (&self.facts["port"], &self.facts["ca"]);
        let role = format!("CREATE ROLE keeper LOGIN PASSWORD '{}';", super::SECRETS[0]);
        self.sql("postgres", &role);
        self.sql("postgres", "CREATE DATABASE state OWNER keeper;");
        format!(
            "[store]\nurl = \"postgres://keeper@localhost:{port}/state\"\n\
             password = {{ file = \"DIR/password\" }}\nca = \"{ca}\"\n"
        )
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        stop(POSTGRES, self.dir.path());
    }
}

/// Moto, a server of STS and S3, stopped when dropped.
pub(crate) struct Moto {
    pub(crate) endpoint: String,
    dir: TempDir,
}

impl Moto {
    pub(crate) fn start() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let facts = start(MOTO, dir.path());
        Self { endpoint: facts["endpoint"].clone(), dir }
    }

    /// Sends an unsigned request, which moto takes while its authentication is off.
    pub(crate) fn request(&self, method: &str, path: &str) {
        let url = format!("{}{path}", self.endpoint);
        let output = Command::new("curl")
            .args(["-sS", "--max-time", "10", "-o", "/dev/null", "-w", "%{http_code}"])
            .args(["-H", "Authorization: AWS4-HMAC-SHA256 Credential=AKIATEST/20260101/us-east-1/s3/aws4_request"])
            .args(["-X", method, "-d", "", &url])
            .output()
            .unwrap();
        let code = String::from_utf8(output.stdout).unwrap();
        assert!(code.starts_with('2'), "{method} {path}: {code}");
    }
}

impl Drop for Moto {
    fn drop(&mut self) {
        stop(MOTO, self.dir.path());
    }
}

/// Lets the reference libraries of other languages verify `deliveries`, and the published schema
/// their bodies.
pub(crate) fn verify(deliveries: &[Delivery], secret: &str) {
    let installed = Command::new("tests/verify/install.sh").output().unwrap();
    assert!(installed.status.success(), "{}", String::from_utf8_lossy(&installed.stderr));
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("deliveries.jsonl");
    let line = |delivery: &Delivery, body: &str, expect: bool| {
        let why = if expect { "as sent" } else { "one byte more than was sent" };
        let headers = &delivery.headers;
        json!({"secret": secret, "headers": headers, "body": body, "expect": expect, "why": why})
            .to_string()
    };
    let mut lines = Vec::new();
    for delivery in deliveries {
        lines.push(line(delivery, &delivery.body, true));
        lines.push(line(delivery, &format!("{} ", delivery.body), false));
    }
    fs::write(&path, lines.join("\n") + "\n").unwrap();
    for mut verifier in verifiers() {
        let output = verifier.arg(&path).output().unwrap();
        let text = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{verifier:?}: {text}");
    }
}

fn verifiers() -> [Command; 3] {
    let folder = |name: &str, default: &str| {
        std::env::var_os(name).map_or_else(|| PathBuf::from(default), PathBuf::from)
    };
    let python = folder("REVALIDATED_VENV", "target/venv").join("bin/python");
    let mut python = Command::new(python);
    python.arg("tests/verify/verify.py");
    let node = |script: &str| {
        let mut node = Command::new("node");
        node.arg(script).arg(folder("REVALIDATED_NODE", "target/node"));
        node
    };
    [python, node("tests/verify/verify.mjs"), node("tests/verify/schema.mjs")]
}
