//! The protocol: one session over verified TLS.

use std::future::poll_fn;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::task::Poll;
use std::time::Duration;

use tiberius::error::Error as TdsError;
use tiberius::{Client, ColumnData, Config, EncryptionLevel};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::time::error::Elapsed;
use tokio::time::{Instant, timeout};
use tokio_util::compat::{Compat, TokioAsyncWriteCompatExt};
use tracing::instrument::WithSubscriber;
use tracing::subscriber::NoSubscriber;

use super::call::CallError;
use super::cause::Cause;
use super::classify::{Failure, Stage};
use super::credentials::{Credentials, RunCredentials};
use super::recorded;
use super::statement::{Found, Statement};
use super::stream::Bounded;
use crate::domain::{Redactor, Timestamp};
use crate::net::backoff::{Budget, retry_within};
use crate::net::tunnel::Stream;
use crate::net::{tape, tls};
use crate::platforms::azure::Cloud;
use crate::platforms::connection::{TcpEndpoint, is_host};
use crate::platforms::{LogInKey, RunContext, Seen};

/// Application name in `sys.dm_exec_sessions`.
const APPLICATION: &str = "revalidated";
/// The most redirections that are followed.
const REDIRECTIONS_MAX: usize = 2;
/// Longest time for taking back a statement.
const CANCEL_MAX: Duration = Duration::from_secs(1);
/// Longest time for closing a session.
const FAREWELL_MAX: Duration = Duration::from_secs(1);

/// Most rows of a list that are kept.
const ROWS_MAX: usize = 100;
/// Most columns of a row that are kept.
const COLUMNS_MAX: usize = 8;
/// Longest text of a row, in characters; names of SQL Server have 128.
const TEXT_MAX: usize = 256;

/// Server with the database to log in to, and the credentials for it.
#[derive(Debug)]
pub(super) struct Server {
    /// Way to the server; the gateway is asked for its `server_name`.
    pub(super) endpoint: TcpEndpoint,
    /// True for TDS 8.0, where nothing precedes TLS.
    pub(super) is_strict: bool,
    /// Cloud of Azure; redirections stay in it.
    pub(super) cloud: Cloud,
    /// Database to log in to: the dedicated pool.
    pub(super) database: String,
    /// Credentials to log in with.
    pub(super) credentials: Credentials,
    /// Longest time of one statement.
    pub(super) read_timeout: Duration,
}

/// Address of one attempt, which a redirection may change.
struct Stop {
    host: String,
    port: u16,
    server_name: String,
}

/// A logged-in client of the library on a bounded connection.
type Connection<S = Stream> = Client<Compat<Bounded<S>>>;

impl Server {
    /// Returns the key of the log-in, by which a refusal is remembered.
    pub(super) async fn key(&self, now: Timestamp) -> Option<LogInKey> {
        let TcpEndpoint { host, port, .. } = &self.endpoint;
        self.credentials.key([host, &port.to_string(), &self.database], now).await
    }

    /// Opens a session that answers statements. Transient failures are retried, as long as another
    /// attempt can end within `limit`; a refused log-in is not, except that a token of an earlier run
    /// is replaced once.
    pub(super) async fn open(
        &self,
        limit: Duration,
        run: &RunContext,
        seen: &mut Seen,
    ) -> Result<Session, Failure> {
        let RunContext { now, redactor, .. } = run;
        let start = Instant::now();
        let credentials = self.credentials.read(*now, redactor, seen).await?;
        let TcpEndpoint { host, port, .. } = &self.endpoint;
        let port = port.to_string();
        let place = [host, port.as_str(), &self.database];
        if let (Some(names), RunCredentials::Token { token, .. }) =
            (self.credentials.of_machine(place), &credentials)
        {
            run.log_ins.found(&names, &[token.expose()]).await?;
        }
        let budget = || Budget {
            total: limit.saturating_sub(start.elapsed()),
            attempt: self.endpoint.connect_timeout + self.read_timeout,
        };
        let refused = match retry_within(budget(), || self.attempt(&credentials, redactor)).await {
            Err(failure) if failure.cause.is_refusal() => failure,
            result => return result,
        };
        let Some(renewed) = self.credentials.renewed(&credentials, *now, redactor, seen).await
        else {
            self.credentials.forget(&credentials).await;
            return Err(refused);
        };
        let renewed = renewed?;
        let result = retry_within(budget(), || self.attempt(&renewed, redactor)).await;
        if result.as_ref().is_err_and(|failure| failure.cause.is_refusal()) {
            self.credentials.forget(&renewed).await;
        }
        result
    }

    async fn attempt(
        &self,
        credentials: &RunCredentials,
        redactor: &Redactor,
    ) -> Result<Session, Failure> {
        let limit = self.endpoint.connect_timeout;
        let logged_in = timeout(limit, self.log_in(credentials, redactor)).await;
        let logged_in = logged_in.unwrap_or(Err(CallError::Silent(limit)));
        let client = logged_in.map_err(|error| Failure::of(&error, Stage::LogIn, redactor))?;
        let (read_timeout, redactor) = (self.read_timeout, redactor.clone());
        let mut session =
            Session { client, redactor, read_timeout, is_broken: false, is_pending: false };
        match session.ask(Statement::Ping).await {
            Ok(Found::Nothing) => {
                Err(Failure::of(&CallError::NoRow, Stage::Statement, &session.redactor))
            }
            Ok(Found::Null | Found::Number(_) | Found::Other) => Ok(session),
            Err(failure) => {
                session.abandon().await;
                Err(failure)
            }
        }
    }

    async fn log_in(
        &self,
        credentials: &RunCredentials,
        redactor: &Redactor,
    ) -> Result<Connection, CallError> {
        let failure = |error: &CallError| Failure::of(error, Stage::LogIn, redactor);
        let TcpEndpoint { host, port, server_name, .. } = &self.endpoint;
        let mut stop = Stop { host: host.clone(), port: *port, server_name: server_name.clone() };
        for _ in 0..=REDIRECTIONS_MAX {
            let question = tape::question(recorded::LOG_IN);
            let result = self.log_in_at(&stop, credentials, redactor).await;
            let result = result.map_err(recorded::restored);
            question.end(|| recorded::log_in(&result, failure));
            match result {
                Err(CallError::Tds(TdsError::Routing { host, port })) => {
                    stop = self.redirected(&host, port)?;
                }
                result => return result,
            }
        }
        Err(CallError::RedirectedAgain(REDIRECTIONS_MAX))
    }

    /// Returns the address that a redirection leads to: only a SQL server of the same cloud, which must
    /// prove its own name, or from this machine to itself. The part after `\`, which names an
    /// instance, is for other products.
    fn redirected(&self, host: &str, port: u16) -> Result<Stop, CallError> {
        let name = host.split('\\').next().unwrap_or_default().to_lowercase();
        let is_here = is_loopback(&self.endpoint.host) && is_loopback(&name);
        if is_host(&name) && (is_here || self.cloud.has_sql_host(&name)) {
            return Ok(Stop { host: name.clone(), port, server_name: name });
        }
        Err(CallError::Redirected { host: host.to_owned() })
    }

    async fn log_in_at(
        &self,
        stop: &Stop,
        credentials: &RunCredentials,
        redactor: &Redactor,
    ) -> Result<Connection, CallError> {
        let dialer = self.endpoint.dialer::<CallError>(redactor).await?;
        let mut config = Config::new();
        config.host(&stop.server_name);
        config.port(stop.port);
        config.database(&self.database);
        config.application_name(APPLICATION);
        config.authentication(credentials.method());
        config.encryption(match (tape::is_replayed(), self.is_strict) {
            (true, _) => EncryptionLevel::NotSupported,
            (false, true) => EncryptionLevel::Strict,
            (false, false) => EncryptionLevel::Required,
        });
        if let Some(path) = &self.endpoint.ca_file {
            for certificate in tls::read_authorities(path).await? {
                config.trust_cert_ca_bundle(certificate.as_ref());
            }
        }
        // One limit is enough: the one around everything.
        config.handshake_timeout(None);
        config.command_timeout(None);
        let stream = dialer.connect(&stop.host, stop.port).await?;
        let stream = Bounded::new(stream).compat_write();
        Ok(contained(Box::pin(Client::connect(config, stream))).await??)
    }
}

impl Cause {
    /// True when the server does not accept the credential.
    const fn is_refusal(self) -> bool {
        matches!(self, Self::LoginRefused | Self::LoginExpired)
    }
}

/// Runs work of the library without its log, which has texts of the server unbounded and with
/// secrets. A server that makes it panic ends nothing but its own session.
async fn contained<T>(work: impl Future<Output = T> + Unpin) -> Result<T, CallError> {
    let mut work = Box::pin(work.with_subscriber(NoSubscriber::default()));
    let caught =
        poll_fn(|context| match catch_unwind(AssertUnwindSafe(|| work.as_mut().poll(context))) {
            Ok(Poll::Ready(value)) => Poll::Ready(Ok(value)),
            Ok(Poll::Pending) => Poll::Pending,
            Err(_panic) => Poll::Ready(Err(CallError::GaveUp)),
        });
    caught.await
}

/// True for this machine itself.
fn is_loopback(host: &str) -> bool {
    let literal = host.parse::<std::net::IpAddr>();
    host == "localhost" || literal.is_ok_and(|address| address.is_loopback())
}

/// Session of a logged-in user. Dropping it cuts the connection, [`Session::close`] ends it in order.
pub(super) struct Session {
    client: Connection,
    /// Secrets of the run.
    redactor: Redactor,
    read_timeout: Duration,
    /// True when an answer was not read to its end, so that the next one cannot be parsed.
    is_broken: bool,
    /// True while the server may be at work on a statement whose answer is no longer waited for.
    is_pending: bool,
}

impl Session {
    /// True when no more statement can be sent.
    pub(super) const fn is_broken(&self) -> bool {
        self.is_broken
    }

    /// Runs `statement` and returns its result.
    pub(super) async fn ask(&mut self, statement: Statement<'_>) -> Result<Found, Failure> {
        (self.is_broken, self.is_pending) = (true, true);
        let question = tape::question(&statement.sql());
        let answer = timeout(self.read_timeout, answer(&mut self.client, statement)).await;
        let answer = self.ended(answer);
        let failure = |error: &CallError| Failure::of(error, Stage::Statement, &self.redactor);
        question.end(|| recorded::statement(&answer, failure));
        answer.map_err(|error| Failure::of(&error, Stage::Statement, &self.redactor))
    }

    /// Runs `statement` and returns its rows, each as texts; what is no text is empty. True where there are more.
    pub(super) async fn list(
        &mut self,
        statement: Statement<'_>,
    ) -> Result<(Vec<Vec<String>>, bool), Failure> {
        (self.is_broken, self.is_pending) = (true, true);
        let rows = timeout(self.read_timeout, rows(&mut self.client, statement)).await;
        let rows = self.ended(rows);
        rows.map_err(|error| Failure::of(&error, Stage::Statement, &self.redactor))
    }

    /// Notes how a statement ended, and returns its result.
    fn ended<T>(&mut self, result: Result<Result<T, CallError>, Elapsed>) -> Result<T, CallError> {
        self.is_pending = result.is_err();
        let result = result.unwrap_or(Err(CallError::Silent(self.read_timeout)));
        let result = result.map_err(recorded::restored);
        self.is_broken = match &result {
            Ok(_) => false,
            // From severity 20 on, the server ends the connection.
            Err(CallError::Tds(TdsError::Server(error))) => 20 <= error.class(),
            Err(_) => true,
        };
        result
    }

    /// Takes back a statement that was not answered (attention), so that the server does not go on with
    /// it, and ends the session.
    pub(super) async fn abandon(mut self) {
        if !self.is_pending {
            return;
        }
        let taken_back = contained(Box::pin(self.client.cancel_query()));
        if matches!(timeout(CANCEL_MAX, taken_back).await, Ok(Ok(Ok(())))) {
            self.close().await;
        } else {
            tracing::debug!("the server did not confirm that the statement was taken back");
        }
    }

    /// Ends the session in order, or by cutting it when the server does not listen.
    pub(super) async fn close(self) {
        let farewell = contained(Box::pin(self.client.close()));
        if !matches!(timeout(FAREWELL_MAX, farewell).await, Ok(Ok(Ok(())))) {
            tracing::debug!("the server did not close the session");
        }
    }
}

async fn answer<S: AsyncRead + AsyncWrite + Unpin + Send>(
    client: &mut Connection<S>,
    statement: Statement<'_>,
) -> Result<Found, CallError> {
    let read = async {
        let mut rows = client.simple_query(statement.sql()).await?.into_row_stream();
        // Rows are read to the end and not kept: a row without values takes a hundred times as much
        // memory as bytes on the wire.
        let mut first = None;
        while let Some(row) = poll_fn(|context| rows.as_mut().poll_next(context)).await {
            let row = row?;
            first = first.or_else(|| Some(row.cells().next().map(|(_, value)| found(value))));
        }
        Ok::<_, TdsError>(first.flatten().unwrap_or(Found::Nothing))
    };
    Ok(contained(Box::pin(read)).await??)
}

/// Returns the first rows as texts, and true where there are more. All are read, so that the next answer can be parsed.
async fn rows<S: AsyncRead + AsyncWrite + Unpin + Send>(
    client: &mut Connection<S>,
    statement: Statement<'_>,
) -> Result<(Vec<Vec<String>>, bool), CallError> {
    let read = async {
        let mut stream = client.simple_query(statement.sql()).await?.into_row_stream();
        let (mut kept, mut is_cut) = (Vec::new(), false);
        while let Some(row) = poll_fn(|context| stream.as_mut().poll_next(context)).await {
            let row = row?;
            if ROWS_MAX <= kept.len() {
                is_cut = true;
                continue;
            }
            kept.push(row.cells().take(COLUMNS_MAX).map(|(_, value)| text(value)).collect());
        }
        Ok::<_, TdsError>((kept, is_cut))
    };
    Ok(contained(Box::pin(read)).await??)
}

fn text(value: &ColumnData<'_>) -> String {
    let ColumnData::String(Some(text)) = value else { return String::new() };
    text.chars().take(TEXT_MAX).collect()
}

fn found(value: &ColumnData<'_>) -> Found {
    let number = match value {
        ColumnData::U8(number) => number.map(i64::from),
        ColumnData::I16(number) => number.map(i64::from),
        ColumnData::I32(number) => number.map(i64::from),
        ColumnData::I64(number) => *number,
        ColumnData::Bit(flag) => flag.map(i64::from),
        ColumnData::F32(_)
        | ColumnData::F64(_)
        | ColumnData::String(_)
        | ColumnData::Guid(_)
        | ColumnData::Binary(_)
        | ColumnData::Numeric(_)
        | ColumnData::Xml(_)
        | ColumnData::DateTime(_)
        | ColumnData::SmallDateTime(_)
        | ColumnData::Time(_)
        | ColumnData::Date(_)
        | ColumnData::DateTime2(_)
        | ColumnData::DateTimeOffset(_) => return Found::Other,
    };
    number.map_or(Found::Null, Found::Number)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::platforms::testing::fuzz;
    use tokio::io::AsyncWriteExt;

    #[tokio::test]
    async fn a_panic_of_the_library_is_a_failure_of_its_own() {
        let error =
            contained(Box::pin(async { panic!("hunter2") })).await.map(|(): ()| ()).unwrap_err();
        let failure = Failure::of(&error, Stage::LogIn, &Redactor::default());
        assert_eq!(failure.cause, Cause::UnexpectedResponse);
        assert!(!failure.detail.contains("hunter2"));
    }

    /// Bytes of a server in one session without TLS, recorded from Microsoft's mock server: the
    /// answer to the pre-login packet, to the log-in and to five batches.
    const SESSION: &[u8] = include_bytes!("testcases/session.bin");

    fn failed(error: &CallError) -> Failure {
        Failure::of(error, Stage::LogIn, &Redactor::default())
    }

    /// Runs a session against a server that sends `bytes` whatever it is asked.
    async fn session(bytes: &[u8]) -> Vec<Result<Found, Failure>> {
        let (near, mut far) = tokio::io::duplex(1 << 16);
        let mut found = Vec::new();
        let client = async {
            let mut config = Config::new();
            config.encryption(EncryptionLevel::NotSupported);
            config.authentication(tiberius::AuthMethod::sql_server("u", "p"));
            let stream = Bounded::new(near).compat_write();
            let connected = contained(Box::pin(Client::connect(config, stream)));
            let mut client = match connected.await {
                Ok(Ok(client)) => client,
                Ok(Err(error)) => {
                    return found.push(Err(failed(&error.into())));
                }
                Err(error) => return found.push(Err(failed(&error))),
            };
            for statement in
                [Statement::Ping, Statement::Control, Statement::ControlByName, Statement::Owner]
            {
                let answer = answer(&mut client, statement).await;
                found.push(answer.map_err(|error| failed(&error)));
            }
            let answer = answer(&mut client, Statement::Role("r")).await;
            found.push(answer.map_err(|error| failed(&error)));
        };
        let server = async {
            let _sent = far.write_all(bytes).await;
            let _closed = far.shutdown().await;
        };
        // What the client writes is left in the pipe, which is large enough for it.
        let both = async { tokio::join!(client, server) };
        timeout(Duration::from_secs(20), both).await.expect("nothing waits after the last byte");
        found
    }

    #[tokio::test]
    async fn the_recorded_session_is_understood() {
        let found = session(SESSION).await;
        let causes: Vec<_> = found
            .iter()
            .map(|found| found.as_ref().map_err(|error| error.cause).copied())
            .collect();
        assert_eq!(
            causes,
            [
                Ok(Found::Number(1)),
                Ok(Found::Other),
                Ok(Found::Null),
                Ok(Found::Nothing),
                Err(Cause::NoObject),
            ]
        );
    }

    #[test]
    fn fuzz_whatever_a_server_sends_is_an_answer_or_a_failure() {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let part = |end: usize| SESSION[..end].to_vec();
        let seeds = [SESSION.to_vec(), part(SESSION.len() / 2), part(60), b"SSH-2.0-x\r\n".into()];
        fuzz(&seeds, |bytes| {
            for found in runtime.block_on(session(bytes)) {
                let Err(Failure { detail, evidence, .. }) = found else { continue };
                assert!(
                    detail.chars().count() <= 301
                        && evidence.is_some_and(|text| text.chars().count() <= 300)
                );
                assert!(!detail.contains(char::is_control), "{detail}");
            }
        });
    }
}
