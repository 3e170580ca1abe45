//! The protocol: one session over verified TLS, and the only statements that may be sent in it.

use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite};
use tokio::time::timeout;
use tokio_postgres::config::SslMode;
use tokio_postgres::tls::MakeTlsConnect;
use tokio_postgres::types::{ToSql, Type};
use tokio_postgres::{CancelToken, Client, Config, NoTls};
use tokio_postgres_rustls::MakeRustlsConnect;
use tokio_util::task::AbortOnDropHandle;

use super::call::CallError;
use super::classify::{Failure, Stage};
use super::recorded;
use super::stream::{BoundedTls, Exceeded};
use crate::domain::{FactKind, Redactor, Secret, SecretRef};
use crate::net::backoff::{Budget, retry_within};
use crate::net::tunnel::{Dialer, Stream};
use crate::net::{farewell, tape, tls};
use crate::platforms::Seen;
use crate::platforms::connection::TcpEndpoint;
use crate::secrets;

/// Application name in `pg_stat_activity` and `stl_connection_log`.
const APPLICATION: &str = "revalidated";
/// Longest time for closing a session.
const FAREWELL_MAX: Duration = Duration::from_secs(1);

/// Statements that are sent, and no others: reads of the system catalog, with names as bound
/// values.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Statement<'a> {
    /// Asks for an answer to a trivial statement.
    Ping,
    /// Asks for a database of this name.
    Database(&'a str),
    /// Asks for a group of this name.
    Group(&'a str),
    /// Asks for a role of this name that the user may see.
    Role(&'a str),
    /// Asks whether the user may create databases.
    CreatesDatabases,
}

impl<'a> Statement<'a> {
    /// Returns the text, which is the same for every value. Names are folded as Redshift folds identifiers.
    pub(super) const fn sql(self) -> &'static str {
        match self {
            Self::Ping => "SELECT 1",
            Self::Database(_) => "SELECT 1 FROM pg_database WHERE datname = lower($1)",
            Self::Group(_) => "SELECT 1 FROM pg_group WHERE groname = lower($1)",
            Self::Role(_) => "SELECT 1 FROM svv_roles WHERE role_name = lower($1)",
            Self::CreatesDatabases => {
                "SELECT 1 FROM pg_user WHERE usename = current_user AND usecreatedb"
            }
        }
    }

    const fn value(self) -> Option<&'a str> {
        match self {
            Self::Ping | Self::CreatesDatabases => None,
            Self::Database(name) | Self::Group(name) | Self::Role(name) => Some(name),
        }
    }
}

/// Server with the database to log in to.
#[derive(Debug)]
pub(super) struct Server {
    /// Way to the server.
    pub(super) endpoint: TcpEndpoint,
    /// Database to log in to.
    pub(super) database: String,
    /// Longest time of one statement.
    pub(super) read_timeout: Duration,
}

/// Credentials of one run: user and password to log in with.
#[derive(Debug)]
pub(super) struct RunCredentials {
    /// Name of the user; its case counts.
    pub(super) username: String,
    /// Password of the user.
    pub(super) password: Secret,
    /// True if the password is temporary and was used by earlier runs.
    pub(super) is_kept: bool,
}

impl RunCredentials {
    /// Returns those of a user whose password is read from `password` now.
    ///
    /// # Errors
    ///
    /// Says why the password cannot be read.
    pub(super) async fn read(
        username: &str,
        password: &SecretRef,
        redactor: &Redactor,
    ) -> Result<Self, Failure> {
        let password = secrets::resolve(password)
            .await
            .map_err(|error| Failure::of(&CallError::from(error), Stage::LogIn, redactor))?;
        Ok(Self { username: username.to_owned(), password, is_kept: false })
    }
}

impl Server {
    /// Opens a session that answers statements. Transient failures are retried, as long as another
    /// attempt can end within `limit`.
    pub(super) async fn open(
        &self,
        credentials: &RunCredentials,
        limit: Duration,
        redactor: &Redactor,
    ) -> Result<Session, Failure> {
        redactor.learn(&credentials.password);
        let budget = Budget { total: limit, attempt: self.endpoint.connect_timeout };
        retry_within(budget, || self.attempt(credentials, redactor)).await
    }

    async fn attempt(
        &self,
        credentials: &RunCredentials,
        redactor: &Redactor,
    ) -> Result<Session, Failure> {
        let limit = self.endpoint.connect_timeout;
        let exceeded = Exceeded::default();
        let question = tape::question(recorded::LOG_IN);
        let logged_in = timeout(limit, self.log_in(credentials, &exceeded, redactor)).await;
        let logged_in = logged_in.unwrap_or(Err(CallError::Silent(limit)));
        let LoggedIn { client, connection, parameters, canceller } = match logged_in {
            Ok(logged_in) => {
                question.end(|| recorded::logged_in(&logged_in.parameters));
                logged_in
            }
            Err(error) => {
                let error = CallError::or_excess(recorded::restored(error), &exceeded);
                let failure = Failure::of(&error, Stage::LogIn, redactor);
                question.end(|| recorded::failed(&error, &failure));
                return Err(failure);
            }
        };
        let seen = self.shown(&parameters);
        let (redactor, read_timeout) = (redactor.clone(), self.read_timeout);
        let session =
            Session { client, connection, redactor, exceeded, canceller, read_timeout, seen };
        if session.finds(Statement::Ping).await? {
            Ok(session)
        } else {
            Err(Failure::of(&CallError::NoRow, Stage::Statement, &session.redactor))
        }
    }

    async fn log_in(
        &self,
        credentials: &RunCredentials,
        exceeded: &Exceeded,
        redactor: &Redactor,
    ) -> Result<LoggedIn, CallError> {
        let TcpEndpoint { host, port, server_name, ca_file, .. } = &self.endpoint;
        let config = tls::read_config(ca_file.as_deref()).await?;
        let mut tls = MakeRustlsConnect::new(config);
        let dialer = self.endpoint.dialer::<CallError>(redactor).await?;
        let stream = dialer.connect(host, *port).await?;
        let maker = tls.clone();
        let Ok(tls) = MakeTlsConnect::<Stream>::make_tls_connect(&mut tls, server_name);
        let tls = BoundedTls { inner: tls, exceeded: exceeded.clone() };
        let mut config = Config::new();
        config
            .ssl_mode(SslMode::Require)
            .application_name(APPLICATION)
            .dbname(&self.database)
            .user(&credentials.username)
            .password(credentials.password.expose());
        let (client, parameters, connection) = if tape::is_replayed() {
            config.ssl_mode(SslMode::Disable);
            let (client, connection) = config.connect_raw(stream, NoTls).await?;
            started(client, connection)
        } else {
            let (client, connection) = config.connect_raw(stream, tls).await?;
            started(client, connection)
        };
        let canceller = Canceller {
            token: client.cancel_token(),
            dialer,
            host: host.clone(),
            port: *port,
            server_name: server_name.clone(),
            tls: maker,
        };
        Ok(LoggedIn { client, connection, parameters, canceller })
    }

    /// Returns the facts that a log-in shows.
    fn shown(&self, parameters: &Parameters) -> Seen {
        let shown =
            |name| parameters.iter().find(|(known, _)| *known == name).map(|(_, value)| value);
        let mut seen = Seen::default();
        // Redshift's own version; `server_version` is that of the PostgreSQL it began as.
        if let Some(version) = shown("padb_version").or_else(|| shown("server_version")) {
            seen.fact(FactKind::ServerVersion, "", version);
        }
        if let Some(user) = shown("session_authorization") {
            seen.fact(FactKind::Principal, "", user);
        }
        seen.fact(FactKind::Grant, &self.database, "CONNECT");
        if shown("is_superuser").is_some_and(|is| is == "on") {
            seen.fact(FactKind::Grant, &self.database, "superuser");
        }
        seen
    }
}

/// Parameters of a session with their names.
type Parameters = Vec<(&'static str, String)>;

/// Starts the task of a session, and returns the client with the parameters that the server sent.
fn started<T>(
    client: Client,
    connection: tokio_postgres::Connection<Stream, T>,
) -> (Client, Parameters, Connection)
where
    T: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let shown = |name| Some((name, connection.parameter(name)?.to_owned()));
    let parameters = recorded::PARAMETERS.into_iter().filter_map(shown).collect();
    (client, parameters, AbortOnDropHandle::new(tokio::spawn(connection)))
}

/// Task that moves the bytes of a session; it is aborted with its handle.
type Connection = AbortOnDropHandle<Result<(), tokio_postgres::Error>>;

/// Cancellation of a session's statement, by a request over a connection of its own.
#[derive(Clone)]
struct Canceller {
    token: CancelToken,
    dialer: Dialer,
    host: String,
    port: u16,
    server_name: String,
    tls: MakeRustlsConnect,
}

impl Canceller {
    /// Asks the server to give up the statement. Nothing follows from a failure: the server ends the
    /// statement with its connection, only later.
    async fn cancel(mut self) {
        let asked = async {
            let stream = self.dialer.connect(&self.host, self.port).await.ok()?;
            let made = MakeTlsConnect::<Stream>::make_tls_connect(&mut self.tls, &self.server_name);
            let Ok(tls) = made;
            self.token.cancel_query_raw(stream, tls).await.ok()
        };
        if asked.await.is_none() {
            tracing::debug!("the server was not asked to give up a statement");
        }
    }
}

/// Cancels the statement that is at work unless it is answered, also when the wait for it ends
/// from outside, by the limit of a test.
struct AtWork(Option<Canceller>);

impl AtWork {
    /// Notes that the statement was answered.
    fn answered(mut self) {
        self.0 = None;
    }
}

impl Drop for AtWork {
    fn drop(&mut self) {
        if let Some(canceller) = self.0.take() {
            farewell::send(canceller.cancel());
        }
    }
}

/// Session of a logged-in user. Dropping it cuts the connection, [`Session::close`] ends it in order.
pub(super) struct Session {
    client: Client,
    connection: Connection,
    /// Secrets of the run.
    redactor: Redactor,
    exceeded: Exceeded,
    canceller: Canceller,
    read_timeout: Duration,
    /// Facts that the log-in showed of the server and of the user.
    pub(super) seen: Seen,
}

/// Client, connection and parameters of a log-in.
struct LoggedIn {
    client: Client,
    connection: Connection,
    parameters: Parameters,
    canceller: Canceller,
}

impl Session {
    /// Returns true if `statement` finds a row.
    ///
    /// It goes out unnamed and with the types of its values, so that the library has nothing to
    /// look up in catalogs which Redshift does not have.
    pub(super) async fn finds(&self, statement: Statement<'_>) -> Result<bool, Failure> {
        let value = statement.value();
        let values: Vec<(&(dyn ToSql + Sync), Type)> = value
            .iter()
            .map(|name| -> (&(dyn ToSql + Sync), Type) { (name, Type::TEXT) })
            .collect();
        let at_work = AtWork(Some(self.canceller.clone()));
        let question = tape::question(statement.sql());
        let limit = self.read_timeout;
        let answer = timeout(limit, self.client.query_typed(statement.sql(), &values)).await;
        let error = match answer {
            Ok(answer) => {
                at_work.answered();
                match answer {
                    Ok(rows) => {
                        question.end(|| recorded::rows(!rows.is_empty()));
                        return Ok(!rows.is_empty());
                    }
                    Err(error) => {
                        CallError::or_excess(recorded::restored(error.into()), &self.exceeded)
                    }
                }
            }
            Err(_elapsed) => CallError::Silent(limit),
        };
        let failure = Failure::of(&error, Stage::Statement, &self.redactor);
        question.end(|| recorded::failed(&error, &failure));
        Err(failure)
    }

    /// Ends the session in order, or by cutting it when the server does not listen.
    pub(super) async fn close(self) {
        let Self { client, connection, .. } = self;
        drop(client);
        if timeout(FAREWELL_MAX, connection).await.is_err() {
            tracing::debug!("the server did not close the session; the connection was cut");
        }
    }
}
