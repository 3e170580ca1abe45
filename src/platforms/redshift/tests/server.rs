//! A real `PostgreSQL` with what Redshift has beside it.

use super::*;

/// A `PostgreSQL` of our own, stopped when dropped.
pub(super) struct Server {
    pub(super) dir: TempDir,
    pub(super) port: u16,
    pub(super) ca: PathBuf,
    log: PathBuf,
}

impl Server {
    /// The server that all tests share, with all users and databases.
    pub(super) fn shared() -> Arc<Self> {
        static SHARED: Mutex<Weak<Server>> = Mutex::new(Weak::new());
        let mut shared = SHARED.lock().unwrap_or_else(PoisonError::into_inner);
        shared.upgrade().unwrap_or_else(|| {
            let server = Arc::new(Self::start(&[]));
            server.sql("postgres", include_str!("../../../../tests/real/postgres_redshift.sql"));
            *shared = Arc::downgrade(&server);
            server
        })
    }

    pub(super) fn start(options: &[&str]) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let owner = std::process::id().to_string();
        let mut command = script("start", dir.path());
        let said = run(command.args(["--owner", &owner]).args(options), "");
        let said = |key: &str| {
            let found = said.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix('='));
            found.unwrap_or_else(|| panic!("no {key} in {said}")).to_owned()
        };
        let port = said("port").parse().unwrap();
        Self { port, ca: said("ca").into(), log: said("log").into(), dir }
    }

    /// Returns the answer to `statements` of the superuser.
    pub(super) fn sql(&self, database: &str, statements: &str) -> String {
        run(script("sql", self.dir.path()).arg(database), statements)
    }

    /// A validator of user `u_scram` and database `immuta`, unless `changes` say otherwise.
    pub(super) fn redshift(&self, changes: Json) -> Box<dyn Validator> {
        redshift(self.port, &self.ca, changes)
    }

    /// The log up to now: one JSON object per line.
    pub(super) fn log(&self) -> Vec<Json> {
        let marker = format!("marker {:?}", Instant::now());
        self.sql("postgres", &format!("SELECT '{marker}'"));
        for _ in 0..100 {
            let text = fs::read_to_string(&self.log).unwrap();
            if text.contains(&marker) {
                let whole = text.lines().filter(|line| line.ends_with('}'));
                return whole.map(|line| serde_json::from_str(line).unwrap()).collect();
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        panic!("the log does not show {marker}");
    }

    /// Waits until the program has no session left, for as long as a server may take to notice.
    pub(super) async fn is_quiet(&self, user: &str) -> bool {
        let count = format!("SELECT count(*) FROM pg_stat_activity WHERE usename = '{user}'");
        for _ in 0..100 {
            if self.sql("postgres", &count).trim() == "0" {
                return true;
            }
            sleep(Duration::from_millis(50)).await;
        }
        false
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let stopped = script("stop", self.dir.path()).output();
        let is_stopped = stopped.is_ok_and(|output| output.status.success());
        assert!(is_stopped || std::thread::panicking(), "the server does not stop");
    }
}

pub(super) fn script(command: &str, dir: &Path) -> Command {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/servers/postgres.sh");
    let mut found = Command::new(script);
    found.arg(command).arg(dir);
    found
}

/// Runs `command` to its end; what it complains about is the reason why the test fails.
pub(super) fn run(command: &mut Command, input: &str) -> String {
    let pipes = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = pipes.spawn().unwrap();
    child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    let Output { status, stdout, stderr } = child.wait_with_output().unwrap();
    assert!(status.success(), "{command:?}: {}", String::from_utf8_lossy(&stderr));
    String::from_utf8(stdout).unwrap()
}
