//! Server of `PostgreSQL` that the tests of one process share, with a fresh database for each of them.
//!
//! The databases sort text as a natural language does, as many do: an order that the engine gives up to the
//! database would differ from that of `SQLite`.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, LazyLock};

use crate::domain::{
    Durability, Location, PostgresAddress, PostgresHost, PostgresTls, Secret, SecretRef,
};

/// Role that owns the databases, without rights beyond.
const ROLE: &str = "revalidated";
/// Password of the role.
const PASSWORD: &str = "pw-conformance";

/// Variable that has the databases be reached through `PgBouncer`, which pools transactions.
const POOLED: &str = "REVALIDATED_PGBOUNCER";

/// Server, which stops with this process.
struct Server {
    folder: PathBuf,
    port: u16,
    tls: PostgresTls,
    /// Port of a `PgBouncer` before it, by which its databases are reached then.
    pooler: Option<u16>,
}

static SERVER: LazyLock<Server> = LazyLock::new(|| {
    let is_pooled = std::env::vars().any(|(name, _)| name == POOLED);
    let server = Server::start(!is_pooled);
    if is_pooled { server.pooled() } else { server }
});
/// Server whose connections are not encrypted.
static PLAIN: LazyLock<Server> = LazyLock::new(|| Server::start(false));

impl Server {
    fn start(is_encrypted: bool) -> Self {
        let folder = tempfile::Builder::new().prefix("revalidated-postgres-").tempdir().unwrap();
        let folder = folder.keep();
        let owner = std::process::id().to_string();
        let mut command = script("start", &folder);
        command.args(["--owner", &owner, "--remove"]);
        command.args(["--set", "max_connections=400", "--set", "log_statement=none"]);
        if !is_encrypted {
            command.arg("--no-tls");
        }
        let said = run(&mut command, "");
        let port = said.lines().find_map(|line| line.strip_prefix("port=")).unwrap();
        let port = port.parse().unwrap();
        let ca = Some(folder.join("ca.pem"));
        let tls = if is_encrypted { PostgresTls::VerifyFull { ca } } else { PostgresTls::Off };
        let server = Self { folder, port, tls, pooler: None };
        server.sql("postgres", &format!("CREATE ROLE {ROLE} LOGIN PASSWORD '{PASSWORD}'"));
        server
    }

    /// Starts `PgBouncer` before it.
    fn pooled(self) -> Self {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/servers/pgbouncer.sh");
        let (server, owner) = (self.port.to_string(), std::process::id().to_string());
        let mut command = Command::new(script);
        command.arg("start").arg(self.folder.join("pgbouncer"));
        let said = run(command.args([&server, ROLE, PASSWORD, &owner]), "");
        let port = said.lines().find_map(|line| line.strip_prefix("port=")).unwrap();
        Self { pooler: port.parse().ok(), ..self }
    }

    fn sql(&self, database: &str, statements: &str) -> String {
        run(script("sql", &self.folder).arg(database), statements)
    }
}

/// Returns the command of the script for servers on a folder.
pub(crate) fn script(command: &str, folder: &Path) -> Command {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/servers/postgres.sh");
    let mut found = Command::new(script);
    found.arg(command).arg(folder);
    found
}

/// Runs a command with this input; returns what it prints.
pub(crate) fn run(command: &mut Command, input: &str) -> String {
    let pipes = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = pipes.spawn().unwrap();
    child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    let Output { status, stdout, stderr } = child.wait_with_output().unwrap();
    assert!(status.success(), "{command:?}: {}", String::from_utf8_lossy(&stderr));
    String::from_utf8(stdout).unwrap()
}

/// Database of one test, dropped with it.
pub(in crate::store) struct Database {
    name: String,
    server: &'static Server,
}

impl Database {
    /// Creates an empty one.
    pub(in crate::store) fn create() -> Self {
        Self::on(&SERVER)
    }

    /// Creates an empty one on a server whose connections are not encrypted.
    pub(super) fn plain() -> Self {
        Self::on(&PLAIN)
    }

    fn on(server: &'static Server) -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let name = format!("test_{}", COUNT.fetch_add(1, Ordering::Relaxed));
        let create = format!(
            "CREATE DATABASE {name} OWNER {ROLE} TEMPLATE template0 LOCALE_PROVIDER icu ICU_LOCALE 'en-US'"
        );
        server.sql("postgres", &create);
        Self { name, server }
    }

    /// Returns the location of the database, for its owner.
    pub(in crate::store) fn location(&self) -> Location {
        self.location_by(self.server.pooler.unwrap_or(self.server.port))
    }

    /// Returns the name of the database.
    pub(in crate::store) fn name(&self) -> &str {
        &self.name
    }

    /// Runs statements in it as the administrator of the server.
    pub(in crate::store) fn administer(&self, statements: &str) {
        self.server.sql(&self.name, statements);
    }

    /// Returns what a query of the administrator says.
    pub(super) fn ask(&self, query: &str) -> String {
        self.server.sql(&self.name, query)
    }

    /// Returns the address of the database, for its owner.
    pub(in crate::store) fn address(&self) -> Arc<PostgresAddress> {
        match self.location() {
            Location::Postgres(address) => address,
            Location::File(path) => panic!("{}", path.display()),
        }
    }

    /// Returns the port of its server.
    pub(in crate::store) fn port(&self) -> u16 {
        self.server.port
    }

    /// Returns a function that ends all connections to the database, and returns their number.
    pub(in crate::store) fn ending(&self) -> impl Fn() -> usize + Send + use<> {
        let (server, name) = (self.server, self.name.clone());
        let end = format!(
            "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE datname = '{name}'"
        );
        move || server.sql("postgres", &end).trim().parse().unwrap()
    }

    /// Returns the location of the database by a proxy on `port`.
    pub(super) fn location_by(&self, port: u16) -> Location {
        let hosts = vec![PostgresHost { name: "localhost".to_owned(), port }];
        let password = Some(SecretRef::Literal(Secret::new(PASSWORD.to_owned())));
        let tls = self.server.tls.clone();
        let (user, database) = (ROLE.to_owned(), self.name.clone());
        let (durability, node) = (Durability::Crash, String::new());
        let address = PostgresAddress { hosts, user, database, password, tls, node, durability };
        Location::Postgres(Arc::new(address))
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        let drop = format!("DROP DATABASE {} WITH (FORCE)", self.name);
        let mut command = script("sql", &self.server.folder);
        command.arg("postgres").stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
        if let Ok(mut child) = command.spawn() {
            let _written = child.stdin.take().map(|mut pipe| pipe.write_all(drop.as_bytes()));
            let _ended = child.wait();
        }
    }
}
