//! One TDS connection: TLS as the scenario wants it, the log-in, then batches.

use std::collections::HashMap;
use std::fs::{self, File};
use std::io::{self, Write};
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use bytes::BytesMut;
use mssql_mock_tds::protocol::{
    self, PACKET_HEADER_SIZE, PacketHeader, PacketStatus, PacketType, parse_login7_auth,
    parse_sql_batch,
};
use mssql_mock_tds::server::ConnectionProcessor;
use mssql_mock_tds::{QueryRegistry, QueryResponse, RedirectionConfig, create_test_identity};
use serde_json::{Value, json};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Mutex;
use tokio_native_tls::TlsAcceptor;

use crate::prelogin_tls;
use crate::scenario::{Answer, Encryption, Fault, Login, Scenario, result};

/// Name of TDS 8.0 in the TLS handshake (ALPN).
const TDS_8: &str = "tds/8.0";
/// Greeting of a server of another protocol.
const SSH_GREETING: &[u8] = b"SSH-2.0-OpenSSH_9.2p1 Debian-2+deb12u3\r\n";

/// Server with its scenario, its log and its counters.
pub struct Host {
    scenario: Scenario,
    ports: Arc<HashMap<String, u16>>,
    acceptor: TlsAcceptor,
    registry: Arc<Mutex<QueryRegistry>>,
    log: Mutex<File>,
    logins: AtomicU64,
    connections: AtomicU64,
}

impl Host {
    pub async fn new(
        scenario: Scenario,
        ports: &Arc<HashMap<String, u16>>,
        dir: &Path,
        name: &str,
    ) -> Self {
        let pem = |kind: &str| {
            let path = dir.join(format!("{}.{kind}", scenario.certificate));
            fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
        };
        let identity = create_test_identity(&pem("pem"), &pem("key")).expect("a certificate");
        let mut acceptor = native_tls::TlsAcceptor::builder(identity);
        if scenario.encryption == Encryption::Strict {
            acceptor.accept_alpn(&[TDS_8]);
        } else {
            // Tickets of TLS 1.3 come after the handshake, and are wrapped no more.
            acceptor.max_protocol_version(Some(native_tls::Protocol::Tlsv12));
        }
        let acceptor = acceptor.build().expect("TLS").into();
        let mut registry = QueryRegistry::new();
        for (batch, answer) in &scenario.batches {
            let response = match answer {
                Answer::Rows(rows) => result(rows),
                Answer::Error(fault) => QueryResponse::error_only(fault.token()),
                Answer::Endless(..) | Answer::Silent | Answer::Closed => continue,
            };
            registry.register(batch.clone(), response);
        }
        let log = File::create(dir.join(format!("{name}.jsonl"))).expect("a log");
        Self {
            scenario,
            ports: Arc::clone(ports),
            acceptor,
            registry: Arc::new(Mutex::new(registry)),
            log: Mutex::new(log),
            logins: AtomicU64::new(0),
            connections: AtomicU64::new(0),
        }
    }

    pub async fn serve(self: Arc<Self>, listener: TcpListener) {
        loop {
            let (stream, address) = listener.accept().await.expect("a connection");
            let host = Arc::clone(&self);
            tokio::spawn(async move {
                if let Err(error) = host.begin(stream, address).await {
                    host.log(&json!({ "ended": error.to_string() })).await;
                }
            });
        }
    }

    async fn log(&self, line: &Value) {
        let mut log = self.log.lock().await;
        writeln!(log, "{line}").expect("a log that can be written");
    }

    async fn begin(&self, mut stream: TcpStream, address: SocketAddr) -> io::Result<()> {
        stream.set_nodelay(true)?;
        if self.scenario.encryption == Encryption::Strict {
            let accepted = self.acceptor.accept(stream).await;
            let mut stream = accepted.map_err(io::Error::other)?;
            let Some(_) = packet(&mut stream).await? else { return Ok(()) };
            let answer = protocol::build_prelogin_response_with_fedauth(true, true);
            stream.write_all(&answer).await?;
            return self.converse(stream, address).await;
        }
        let Some(_) = packet(&mut stream).await? else { return Ok(()) };
        let does_tls = match self.scenario.encryption {
            Encryption::Required | Encryption::Strict => true,
            Encryption::Refused => false,
            Encryption::Silent => return std::future::pending().await,
            Encryption::OtherProtocol => return stream.write_all(SSH_GREETING).await,
            Encryption::Closed => return Ok(()),
        };
        let answer = protocol::build_prelogin_response_with_fedauth(does_tls, true);
        stream.write_all(&answer).await?;
        if !does_tls {
            return self.converse(stream, address).await;
        }
        let accepted = self.acceptor.accept(prelogin_tls::unwrapped(stream)).await;
        self.converse(accepted.map_err(io::Error::other)?, address).await
    }

    async fn converse<S>(&self, mut stream: S, address: SocketAddr) -> io::Result<()>
    where
        S: AsyncRead + AsyncWrite + Unpin + Send,
    {
        let Some((kind, login)) = packet(&mut stream).await? else { return Ok(()) };
        if kind != PacketType::Login7 {
            return Err(io::Error::other("the first packet is no log-in"));
        }
        let number = self.logins.fetch_add(1, Ordering::SeqCst);
        let wanted = self.log_in(&login[PACKET_HEADER_SIZE..], number).await;
        let redirection = match wanted {
            Login::Accepted => None,
            Login::Error(fault) => {
                let tokens = protocol::build_terminal_error_tokens(&fault.token());
                return send(&mut stream, &tokens, true).await;
            }
            Login::RedirectTo(name) => Some(RedirectionConfig::new("localhost", self.ports[&name])),
            Login::Redirect { host, port } => Some(RedirectionConfig::new(host, port)),
            Login::Silent => return std::future::pending().await,
            Login::Closed => return Ok(()),
        };
        let number = self.connections.fetch_add(1, Ordering::SeqCst);
        let registry = Arc::clone(&self.registry);
        let mut server =
            ConnectionProcessor::new_with_redirection(number, address, registry, None, redirection);
        self.answer(&mut server, &mut stream, login).await?;
        while let Some((kind, bytes)) = packet(&mut stream).await? {
            if kind != PacketType::SqlBatch {
                self.log(&json!({ "packet": format!("{kind:?}") })).await;
                self.answer(&mut server, &mut stream, bytes).await?;
                continue;
            }
            let batch = parse_sql_batch(&bytes[PACKET_HEADER_SIZE..]).map_err(io::Error::other)?;
            self.log(&json!({ "batch": batch })).await;
            match self.scenario.batches.get(&batch) {
                Some(Answer::Endless(row, times)) => endless(&mut stream, row, *times).await?,
                Some(Answer::Silent) => return std::future::pending().await,
                Some(Answer::Closed) => return Ok(()),
                Some(Answer::Rows(_) | Answer::Error(_)) | None => {
                    self.answer(&mut server, &mut stream, bytes).await?;
                }
            }
        }
        Ok(())
    }

    /// Logs a log-in, and returns the reaction that the scenario has for it.
    async fn log_in(&self, body: &[u8], number: u64) -> Login {
        let login = parse_login7_auth(body);
        let user = login7_text(body, 40, |byte| byte);
        let password = login7_text(body, 44, |byte| (byte ^ 0xa5).rotate_left(4));
        let token = login.access_token_bytes.as_deref().map(utf16);
        self.log(&json!({ "login": {
            "user": user, "token": token.is_some(), "application": login7_text(body, 48, |byte| byte),
            "server": login.server_name, "database": login.database,
        } }))
        .await;
        let is_known = match &token {
            Some(token) => self.scenario.token.as_ref() == Some(token),
            None => self.scenario.users.get(&user) == Some(&password),
        };
        if !is_known {
            let user = if token.is_some() { "<token-identified principal>" } else { &user };
            let message = format!("Login failed for user '{user}'.");
            return Login::Error(Fault { number: 18456, severity: 14, message });
        }
        let number = usize::try_from(number).expect("few log-ins");
        let logins = &self.scenario.logins;
        logins.get(number).or(logins.last()).cloned().unwrap_or(Login::Accepted)
    }

    /// Sends the answer of Microsoft's mock server to `bytes`.
    async fn answer<S>(
        &self,
        server: &mut ConnectionProcessor,
        stream: &mut S,
        bytes: BytesMut,
    ) -> io::Result<()>
    where
        S: AsyncRead + AsyncWrite + Unpin + Send,
    {
        server.buffer_mut().extend_from_slice(&bytes);
        let answer = server.process_packet(stream).await.map_err(io::Error::other)?;
        match answer {
            Some(answer) => stream.write_all(&answer).await,
            None => Ok(()),
        }
    }
}

/// Reads the next packet with its header; none when the client has gone.
async fn packet<S: AsyncRead + Unpin>(
    stream: &mut S,
) -> io::Result<Option<(PacketType, BytesMut)>> {
    let mut bytes = BytesMut::zeroed(PACKET_HEADER_SIZE);
    if stream.read_exact(&mut bytes).await.is_err() {
        return Ok(None);
    }
    let header = PacketHeader::parse(&mut bytes.clone()).map_err(io::Error::other)?;
    bytes.resize(usize::from(header.length), 0);
    stream.read_exact(&mut bytes[PACKET_HEADER_SIZE..]).await?;
    Ok(Some((header.packet_type, bytes)))
}

/// Sends `tokens` as one packet, perhaps not the last one of the answer.
async fn send<S>(stream: &mut S, tokens: &[u8], is_last: bool) -> io::Result<()>
where
    S: AsyncWrite + Unpin,
{
    let length = u16::try_from(PACKET_HEADER_SIZE + tokens.len()).expect("fits a packet");
    let mut header = PacketHeader::new(PacketType::TabularResult, length, 1);
    header.status = if is_last { PacketStatus::end_of_message() } else { PacketStatus::normal() };
    let mut packet = BytesMut::new();
    header.write(&mut packet);
    packet.extend_from_slice(tokens);
    stream.write_all(&packet).await
}

/// Sends a result set of many times the same row, and never says that it is done.
async fn endless<S>(stream: &mut S, row: &[Value], times: usize) -> io::Result<()>
where
    S: AsyncWrite + Unpin,
{
    let tokens = |rows: usize| {
        let packet = protocol::build_query_result(&result(&vec![row.to_vec(); rows]));
        let done = protocol::build_done_token(0).len();
        packet[PACKET_HEADER_SIZE..packet.len() - done].to_vec()
    };
    let (one, two) = (tokens(1), tokens(2));
    send(stream, &one, false).await?;
    for _ in 1..times {
        send(stream, &two[one.len()..], false).await?;
    }
    Ok(())
}

/// Returns the text that the pair of offset and length at `entry` of a log-in points to.
fn login7_text(body: &[u8], entry: usize, clear: impl Fn(u8) -> u8) -> String {
    let number = |at: usize| usize::from(u16::from_le_bytes([body[at], body[at + 1]]));
    let start = number(entry);
    let bytes = &body[start..start + number(entry + 2) * 2];
    utf16(&bytes.iter().map(|byte| clear(*byte)).collect::<Vec<_>>())
}

fn utf16(bytes: &[u8]) -> String {
    let units = bytes.chunks_exact(2).map(|pair| u16::from_le_bytes([pair[0], pair[1]]));
    String::from_utf16_lossy(&units.collect::<Vec<_>>())
}
