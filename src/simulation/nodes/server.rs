//! Server of the worlds of one process, with a database for each of them that is copied from a template.
//!
//! The clock of the database is a sequence, which is set by the steps of a world: its value is seen at once in every
//! transaction.

use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, LazyLock};

use tokio_postgres::{Client, Config, NoTls, Row};

use crate::domain::{Durability, Location, PostgresAddress, PostgresHost, PostgresTls, Timestamp};
use crate::store::{Opening, Store, run_script, server_script};

/// Role that owns the databases.
const ROLE: &str = "revalidated";
/// Database that is copied for each world.
const TEMPLATE: &str = "world_template";
/// Gives a database the clock of a world.
const CLOCK: &str = "
    CREATE SCHEMA simulation;
    CREATE SEQUENCE simulation.clock;
    CREATE OR REPLACE FUNCTION revalidated.clock_ms() RETURNS BIGINT LANGUAGE sql
        AS 'SELECT last_value FROM simulation.clock'";

/// Place of the server: the folder of its socket, and its port.
static PLACE: LazyLock<(String, u16)> = LazyLock::new(start);

/// Starts the server, which stops with this process, and makes the template.
fn start() -> (String, u16) {
    let folder = tempfile::Builder::new().prefix("revalidated-nodes-").tempdir().unwrap().keep();
    let owner = std::process::id().to_string();
    let mut command = server_script("start", &folder);
    command.args(["--owner", &owner, "--remove", "--no-tls"]);
    for setting in [
        "max_connections=300",
        "log_statement=none",
        "log_connections=off",
        "log_disconnections=off",
        "autovacuum=off",
        "full_page_writes=off",
        "deadlock_timeout=100ms",
        "shared_buffers=64MB",
        "max_wal_size=4GB",
        &format!("unix_socket_directories='{}'", folder.display()),
    ] {
        command.args(["--set", setting]);
    }
    let said = run_script(&mut command, "");
    let port: u16 =
        said.lines().find_map(|line| line.strip_prefix("port=")).unwrap().parse().unwrap();
    trust(folder.join("data/pg_hba.conf"));
    let role = format!("SELECT pg_reload_conf(); CREATE ROLE {ROLE} LOGIN CREATEDB");
    run_script(server_script("sql", &folder).arg("postgres"), &role);
    let place = (folder.display().to_string(), port);
    let of = place.clone();
    let made = std::thread::spawn(move || {
        let mut builder = tokio::runtime::Builder::new_current_thread();
        builder.enable_all().build().unwrap().block_on(Box::pin(make_template(&of)));
    });
    made.join().unwrap();
    place
}

/// Lets the role log in without a password, which a hundred worlds would spend most of their time on.
fn trust(file: PathBuf) {
    let rules = std::fs::read_to_string(&file).unwrap();
    std::fs::write(file, format!("local all {ROLE} trust\n{rules}")).unwrap();
}

async fn make_template(place: &(String, u16)) {
    let admin = loop {
        // The server reads its rules a moment later.
        match connect(place, "postgres").await {
            Ok(admin) => break admin,
            Err(_not_yet) => tokio::time::sleep(std::time::Duration::from_millis(20)).await,
        }
    };
    admin.batch_execute(&format!("CREATE DATABASE {TEMPLATE}")).await.unwrap();
    let location = Location::Postgres(address(place, TEMPLATE));
    Store::open_as(&location, &Opening::default()).await.unwrap().close().await.unwrap();
    let own = connect(place, TEMPLATE).await.unwrap();
    let fresh = "DELETE FROM revalidated.node; UPDATE revalidated.clock SET high_ms = 0";
    own.batch_execute(fresh).await.unwrap();
    own.batch_execute(CLOCK).await.unwrap();
    drop(own);
    end_sessions(&admin, TEMPLATE).await;
}

fn address(place: &(String, u16), database: &str) -> Arc<PostgresAddress> {
    Arc::new(PostgresAddress {
        hosts: vec![PostgresHost { name: place.0.clone(), port: place.1 }],
        user: ROLE.to_owned(),
        database: database.to_owned(),
        password: None,
        tls: PostgresTls::Off,
        node: String::new(),
        durability: Durability::Crash,
    })
}

async fn connect(place: &(String, u16), database: &str) -> Result<Client, tokio_postgres::Error> {
    let mut config = Config::new();
    config.host(&place.0).port(place.1).user(ROLE).dbname(database);
    let (client, connection) = config.connect(NoTls).await?;
    tokio::spawn(async move { drop(connection.await) });
    Ok(client)
}

/// Opens a session with a database.
pub(super) async fn session(database: &str) -> Client {
    connect(&PLACE, database).await.unwrap()
}

/// Ends the sessions of a database, and waits until they are gone.
async fn end_sessions(admin: &Client, database: &str) {
    let sql = format!(
        "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity
         WHERE datname = '{database}' AND pid <> pg_backend_pid()"
    );
    admin.batch_execute(&sql).await.unwrap();
}

/// Database of one world.
pub(super) struct Database {
    name: String,
    admin: Client,
    own: Client,
}

impl Database {
    /// Creates a copy of the template.
    pub(super) async fn create() -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let name = format!("world_{}", COUNT.fetch_add(1, Ordering::Relaxed));
        let place = tokio::task::spawn_blocking(|| PLACE.clone()).await.unwrap();
        let admin = connect(&place, "postgres").await.unwrap();
        copy(&admin, TEMPLATE, &name).await;
        let own = connect(&place, &name).await.unwrap();
        Self { name, admin, own }
    }

    /// Returns the name of the database.
    pub(super) fn name(&self) -> &str {
        &self.name
    }

    /// Returns its location, for nodes.
    pub(super) fn location(&self) -> Location {
        Location::Postgres(address(&PLACE, &self.name))
    }

    /// Sets the clock of the database.
    pub(super) async fn set_clock(&self, now: Timestamp) {
        let sql = format!("SELECT setval('simulation.clock', {})", now.0);
        self.own.batch_execute(&sql).await.unwrap();
    }

    /// Runs statements in it.
    pub(super) async fn run(&self, sql: &str) {
        self.own.batch_execute(sql).await.unwrap();
    }

    /// Runs a query in it.
    pub(super) async fn rows(&self, sql: &str) -> Vec<Row> {
        self.own.query(sql, &[]).await.unwrap()
    }

    /// Ends the sessions of all nodes.
    pub(super) async fn end_sessions(&self) {
        const SQL: &str = "
            SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity
            WHERE datname = current_database() AND pid <> pg_backend_pid()";
        self.run(SQL).await;
    }

    /// Keeps a copy, as it is.
    pub(super) async fn detach(&mut self) {
        end_sessions(&self.admin, &self.name).await;
        copy(&self.admin, &self.name, &format!("{}_standby", self.name)).await;
        self.own = connect(&PLACE, &self.name).await.unwrap();
    }

    /// Puts the copy in its place.
    pub(super) async fn fail_over(&mut self) {
        let name = &self.name;
        end_sessions(&self.admin, name).await;
        for sql in [
            format!("ALTER DATABASE {name} RENAME TO {name}_lost"),
            format!("ALTER DATABASE {name}_standby RENAME TO {name}"),
        ] {
            self.admin.batch_execute(&sql).await.unwrap();
        }
        self.own = connect(&PLACE, name).await.unwrap();
    }

    /// Returns the number of deadlocks that the server has found in it.
    pub(super) async fn deadlocks(&self) -> i64 {
        let sql = format!("SELECT deadlocks FROM pg_stat_database WHERE datname = '{}'", self.name);
        self.admin.query_one(&sql, &[]).await.unwrap().get(0)
    }

    /// Deletes it with its copies.
    pub(super) async fn delete(self) {
        for name in ["", "_standby", "_lost"].map(|end| format!("{}{end}", self.name)) {
            let sql = format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)");
            self.admin.batch_execute(&sql).await.unwrap();
        }
    }
}

/// Copies a database without sessions; copies follow each other, since one may be made from the template at a time.
async fn copy(admin: &Client, from: &str, to: &str) {
    static ONE: tokio::sync::Mutex<()> = tokio::sync::Mutex::const_new(());
    let _one = ONE.lock().await;
    admin.batch_execute(&format!("CREATE DATABASE {to} TEMPLATE {from}")).await.unwrap();
}
