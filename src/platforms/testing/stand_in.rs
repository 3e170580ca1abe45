//! Servers of others, run by the scripts in `tests/servers`.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

/// Independent server, started by `tests/servers/<name>.sh` and stopped when dropped.
pub(in crate::platforms) struct StandIn {
    name: &'static str,
    dir: PathBuf,
    /// Output of the script: `key=value` lines.
    values: HashMap<String, String>,
}

impl StandIn {
    /// Starts it in a folder of its own and waits until it answers.
    pub(in crate::platforms) fn start(name: &'static str) -> Self {
        Self::start_with(name, &[])
    }

    /// Starts it with more arguments for its script.
    pub(in crate::platforms) fn start_with(name: &'static str, arguments: &[PathBuf]) -> Self {
        static COUNT: std::sync::atomic::AtomicU32 = std::sync::atomic::AtomicU32::new(0);
        let number = COUNT.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        let dir = format!("target/servers/{name}-{}-{number}", std::process::id());
        let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join(dir);
        let mut started = Self { name, dir, values: HashMap::new() };
        let output = started.script("start", arguments);
        let text = String::from_utf8(output.stdout).unwrap();
        let printed = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{name} cannot be started: {printed}");
        let pairs = text.lines().filter_map(|line| line.split_once('='));
        started.values = pairs.map(|(key, value)| (key.to_owned(), value.to_owned())).collect();
        started
    }

    /// The value that the script printed for `key`.
    pub(in crate::platforms) fn value(&self, key: &str) -> &str {
        &self.values[key]
    }

    fn script(&self, verb: &str, arguments: &[PathBuf]) -> std::process::Output {
        let script = format!("tests/servers/{}.sh", self.name);
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join(script);
        let mut command = std::process::Command::new(script);
        command.arg(verb).arg(&self.dir).args(arguments).output().unwrap()
    }
}

impl Drop for StandIn {
    fn drop(&mut self) {
        self.script("stop", &[]);
        let _gone = std::fs::remove_dir_all(&self.dir);
    }
}
