//! Connections (a small pool): where the server is, and a few sessions that are lent to one transaction each.
//!
//! A session is given back only when its transaction has ended; dropped before, it is closed, and the server rolls
//! the transaction back.

use std::fmt;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio::time::timeout;
use tokio_postgres::config::SslMode;
use tokio_postgres::error::SqlState;
use tokio_postgres::tls::MakeTlsConnect;
use tokio_postgres::{AsyncMessage, Client, Config, NoTls, Socket};
use tokio_postgres_rustls::MakeRustlsConnect;

use super::StoreError;
use super::error::Fault;
use super::guard::{Guard, Known};
use crate::domain::{PostgresAddress, PostgresHost, PostgresTls};
use crate::net::tls;
use crate::secrets;
#[cfg(test)]
use crate::store::simulated;

/// Longest time until one host has given a session.
const CONNECT_MAX: Duration = Duration::from_secs(5);
/// Time without an answer after which a connection is probed, and between probes.
const KEEPALIVE: Duration = Duration::from_secs(5);
/// Probes without an answer after which a connection is lost.
const KEEPALIVE_PROBES: u32 = 3;
/// Longest time for which sent bytes may stay unacknowledged.
const UNACKNOWLEDGED_MAX: Duration = Duration::from_secs(15);
/// Problem of a server that has too many connections.
const NO_ROOM: &str = "refuses connections (53300)";
/// Problem of a server that has lost commits, until a heartbeat has noticed.
const LOST: &str = "it has lost commits, and the next heartbeat looks which";

/// Session with the server.
pub(super) struct Session {
    /// Client of the session; it may be used by one transaction at a time.
    pub(super) client: Client,
    /// Warnings that the server has sent.
    warnings: Arc<AtomicU64>,
}

impl Session {
    /// Returns the number of warnings that the server has sent.
    pub(super) fn warnings(&self) -> u64 {
        self.warnings.load(Ordering::Relaxed)
    }
}

/// Opens a session with the first host that accepts writes, or with any that answers.
///
/// # Errors
///
/// Says of each host why it gives none.
async fn connect(
    address: &PostgresAddress,
    is_for_writes: bool,
    limit: Option<String>,
) -> Result<Session, StoreError> {
    let config = config(address).await?;
    let mut problems = Vec::new();
    for host in &address.hosts {
        let asked = connect_to(host, &address.tls, &config, is_for_writes);
        match timeout(CONNECT_MAX, asked).await {
            Ok(Ok(session)) => return Ok(session),
            Ok(Err(problem)) => problems.push(match &limit {
                Some(limit) if problem == NO_ROOM => format!("{host} {problem}: {limit}"),
                Some(_) | None if problem == NO_ROOM => format!("{host} {problem}"),
                Some(_) | None => format!("{host}: {problem}"),
            }),
            Err(_late) => problems.push(format!("{host}: no answer")),
        }
    }
    Err(Fault::Unreachable(problems.join(", ")).into())
}

async fn config(address: &PostgresAddress) -> Result<Config, StoreError> {
    let mut config = Config::new();
    config
        .user(&address.user)
        .dbname(&address.database)
        .application_name("revalidated")
        .connect_timeout(CONNECT_MAX)
        .keepalives_idle(KEEPALIVE)
        .keepalives_interval(KEEPALIVE)
        .keepalives_retries(KEEPALIVE_PROBES)
        .tcp_user_timeout(UNACKNOWLEDGED_MAX)
        .ssl_mode(match address.tls {
            PostgresTls::VerifyFull { .. } => SslMode::Require,
            PostgresTls::Off => SslMode::Disable,
        });
    if let Some(reference) = &address.password {
        let read = secrets::resolve(reference).await;
        let password = read.map_err(|error| Fault::Unreachable(error.to_string()))?;
        config.password(password.expose());
    }
    Ok(config)
}

async fn connect_to(
    host: &PostgresHost,
    tls: &PostgresTls,
    config: &Config,
    is_for_writes: bool,
) -> Result<Session, String> {
    const IS_READ_ONLY: &str = "SELECT pg_catalog.pg_is_in_recovery()";
    let mut config = config.clone();
    config.host(&host.name).port(host.port);
    let session = match tls {
        PostgresTls::VerifyFull { ca } => {
            logged_in(&config, verifying(ca.as_deref()).await?).await?
        }
        PostgresTls::Off => logged_in(&config, NoTls).await?,
    };
    if is_for_writes {
        let row = session.client.query_typed_one(IS_READ_ONLY, &[]).await;
        let is_read_only = row.and_then(|row| row.try_get(0)).map_err(|error| shown(&error))?;
        if is_read_only {
            return Err("read-only".to_owned());
        }
    }
    Ok(session)
}

async fn verifying(ca: Option<&Path>) -> Result<MakeRustlsConnect, String> {
    let config = tls::read_config(ca).await;
    config.map(MakeRustlsConnect::new).map_err(|error| error.to_string())
}

/// Logs in, and starts the task that moves the bytes of the session; it ends when the client is dropped.
async fn logged_in<T>(config: &Config, tls: T) -> Result<Session, String>
where
    T: MakeTlsConnect<Socket>,
    T::Stream: Send + 'static,
{
    let (client, mut connection) = config.connect(tls).await.map_err(|error| shown(&error))?;
    let warnings = Arc::new(AtomicU64::new(0));
    let counted = Arc::clone(&warnings);
    tokio::spawn(async move {
        while let Some(message) = std::future::poll_fn(|cx| connection.poll_message(cx)).await {
            match message {
                Ok(AsyncMessage::Notice(_)) => counted.fetch_add(1, Ordering::Relaxed),
                Ok(_) => continue,
                Err(_lost) => break,
            };
        }
    });
    Ok(Session { client, warnings })
}

/// Returns a failure to connect in a few words.
fn shown(error: &tokio_postgres::Error) -> String {
    use std::error::Error as _;
    if let Some(error) = error.as_db_error() {
        if *error.code() == SqlState::TOO_MANY_CONNECTIONS {
            return NO_ROOM.to_owned();
        }
        return format!("{} ({})", error.message(), error.code().code());
    }
    error.source().map_or_else(|| error.to_string(), ToString::to_string)
}

/// Sessions that are lent, at most a fixed number at a time. Clone it freely.
#[derive(Clone)]
pub(super) struct Connections {
    shared: Arc<Shared>,
    /// True to lend nothing while the server has lost commits, and no heartbeat has noticed.
    is_guarded: bool,
}

struct Shared {
    address: Arc<PostgresAddress>,
    is_for_writes: bool,
    permits: Arc<Semaphore>,
    idle: Mutex<Vec<Session>>,
    /// Words about the connections that are needed and those that there are, as they were last known.
    limit: Mutex<Option<String>>,
    /// Number of the latest event, sent anew after every commit.
    changes: watch::Sender<i64>,
    guard: Guard,
}

impl fmt::Debug for Connections {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Connections")
            .field("address", &self.shared.address.to_string())
            .finish_non_exhaustive()
    }
}

impl Connections {
    /// Creates a pool of at most `most` sessions, which are opened when they are needed.
    pub(super) fn new(address: Arc<PostgresAddress>, most: usize, is_for_writes: bool) -> Self {
        let permits = Arc::new(Semaphore::new(most));
        let (idle, limit, (changes, _none)) =
            (Mutex::default(), Mutex::default(), watch::channel(0));
        let guard = Guard::default();
        let shared = Shared { address, is_for_writes, permits, idle, limit, changes, guard };
        Self { shared: Arc::new(shared), is_guarded: true }
    }

    /// Returns the same sessions for heartbeats, which notice what was lost.
    pub(super) fn unguarded(&self) -> Self {
        Self { shared: Arc::clone(&self.shared), is_guarded: false }
    }

    /// Notes a heartbeat that was acknowledged.
    pub(super) fn note_beat(&self, known: Known) {
        self.shared.guard.note(known);
    }

    /// Returns the address of the database.
    pub(super) fn address(&self) -> &PostgresAddress {
        &self.shared.address
    }

    /// Notes how many connections are needed and how many there are, for when there are too few.
    pub(super) fn note_connection_limit(&self, words: String) {
        *self.shared.limit.lock().unwrap_or_else(PoisonError::into_inner) = Some(words);
    }

    /// Number of the latest event, sent anew after every commit over these sessions.
    pub(super) fn changes(&self) -> watch::Receiver<i64> {
        self.shared.changes.subscribe()
    }

    /// Notes that the latest event has a number, if it is new.
    pub(super) fn note_latest(&self, event: i64) {
        self.shared.changes.send_if_modified(|latest| {
            let is_new = *latest < event;
            *latest = event.max(*latest);
            is_new
        });
    }

    /// Lends a session; waits while all are lent.
    pub(super) async fn lend(&self) -> Result<Lent, StoreError> {
        #[cfg(test)]
        let busy = simulated::Busy::begin();
        let permit = Arc::clone(&self.shared.permits).acquire_owned().await;
        let permit = permit.map_err(|_closed| StoreError::Stopped)?;
        #[cfg(test)]
        if simulated::is_cut() {
            self.shared.idle.lock().unwrap_or_else(PoisonError::into_inner).clear();
            return Err(Fault::Unreachable("it is cut off".to_owned()).into());
        }
        let session = if let Some(session) = self.shared.idle() {
            session
        } else {
            let limit = self.shared.limit.lock().unwrap_or_else(PoisonError::into_inner).clone();
            let session = connect(&self.shared.address, self.shared.is_for_writes, limit).await?;
            self.shared.guard.look(&session.client).await?;
            session
        };
        if self.is_guarded && self.shared.guard.has_lost() {
            self.shared.keep(session);
            return Err(Fault::Unreachable(LOST.to_owned()).into());
        }
        Ok(Lent {
            session: Some(session),
            shared: Arc::clone(&self.shared),
            _permit: permit,
            #[cfg(test)]
            _busy: busy,
        })
    }

    /// Lets no more sessions be lent, and closes those that are idle.
    pub(super) fn close(&self) {
        self.shared.permits.close();
        self.shared.idle.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }
}

impl Shared {
    fn keep(&self, session: Session) {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner).push(session);
    }

    fn idle(&self) -> Option<Session> {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        while let Some(session) = idle.pop() {
            if !session.client.is_closed() {
                return Some(session);
            }
        }
        None
    }
}

/// Session that is lent.
pub(super) struct Lent {
    session: Option<Session>,
    shared: Arc<Shared>,
    _permit: OwnedSemaphorePermit,
    #[cfg(test)]
    _busy: simulated::Busy,
}

impl Lent {
    /// Returns the session.
    ///
    /// # Errors
    ///
    /// Fails when it has been given back.
    pub(super) fn session(&self) -> Result<&Session, StoreError> {
        self.session.as_ref().ok_or(StoreError::Stopped)
    }

    /// Notes that a transaction has been committed, with the number of its latest event or zero.
    pub(super) fn committed(&self, event: i64) {
        self.shared.changes.send_modify(|latest| *latest = event.max(*latest));
    }

    /// Gives the session back, in which no transaction is open.
    pub(super) fn give_back(mut self) {
        if let Some(session) = self.session.take()
            && !self.shared.permits.is_closed()
        {
            self.shared.keep(session);
        }
    }
}
