//! Servers that announce or send without end.

use std::fs;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use rustls::pki_types::PrivateKeyDer;
use rustls::{ServerConfig, ServerConnection, StreamOwned};

use super::Config;

/// Longest time that a write of a server waits for its client.
const WRITE_MAX: Duration = Duration::from_secs(15);
/// Refusals of the bounds on a session of a database.
const BYTES: &str = "the server sent more than 1048576 bytes";
const MESSAGES: &str = "the server sent more than 4096 messages";

/// Bytes that a server sends: an answer to each of the first requests, then something once, and then
/// something else again and again.
pub(crate) struct Flood {
    answers: Vec<Vec<u8>>,
    once: Vec<u8>,
    again: Vec<u8>,
}

impl Flood {
    fn new(once: impl Into<Vec<u8>>, again: impl AsRef<[u8]>) -> Self {
        let again = again.as_ref();
        // Large writes keep the server from being the slower side.
        let times = 64 * 1024 / again.len().max(1) + 1;
        Self { answers: Vec::new(), once: once.into(), again: again.repeat(times) }
    }

    /// Answers the first requests properly.
    fn after(self, answers: &[Vec<u8>]) -> Self {
        Self { answers: answers.to_vec(), ..self }
    }

    /// Reads the request, and sends until the client closes.
    fn pour(&self, mut stream: impl Read + Write) -> std::io::Result<()> {
        let mut request = [0; 8192];
        for answer in &self.answers {
            assert!(0 < stream.read(&mut request)?);
            stream.write_all(answer)?;
        }
        assert!(0 < stream.read(&mut request)?);
        stream.write_all(&self.once)?;
        loop {
            stream.write_all(&self.again)?;
        }
    }
}

/// Serves `each` connection on a thread of its own; returns the port.
fn listen(each: impl Fn(TcpStream) -> std::io::Result<()> + Send + Sync + 'static) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let each = Arc::new(each);
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let each = Arc::clone(&each);
            stream.set_write_timeout(Some(WRITE_MAX)).unwrap();
            // The client cuts the connection, which is an error here.
            thread::spawn(move || each(stream).is_err());
        }
    });
    port
}

/// Authority for `localhost`, whose certificate clients trust.
pub(crate) struct Tls {
    config: Arc<ServerConfig>,
}

impl Tls {
    pub(crate) fn new(config: &Config, protocols: &[&[u8]]) -> Self {
        let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
        let name = format!("ca-{}.pem", protocols.len());
        fs::write(config.dir().join(&name), made.cert.pem()).unwrap();
        let key = PrivateKeyDer::try_from(made.signing_key.serialize_der()).unwrap();
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let server = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![made.cert.der().clone()], key);
        let mut server = server.unwrap();
        server.alpn_protocols = protocols.iter().map(|name| name.to_vec()).collect();
        Self { config: Arc::new(server) }
    }

    fn accept(&self, stream: TcpStream) -> StreamOwned<ServerConnection, TcpStream> {
        StreamOwned::new(ServerConnection::new(Arc::clone(&self.config)).unwrap(), stream)
    }
}

pub(crate) fn over_tcp(flood: Flood) -> u16 {
    listen(move |stream| flood.pour(stream))
}

pub(crate) fn over_tls(tls: &Arc<Tls>, flood: Flood) -> u16 {
    let tls = Arc::clone(tls);
    listen(move |stream| flood.pour(tls.accept(stream)))
}

/// Speaks the beginning of the protocol of databases, up to TLS.
pub(crate) fn over_postgres(tls: &Arc<Tls>, flood: Flood) -> u16 {
    let tls = Arc::clone(tls);
    listen(move |mut stream| {
        stream.read_exact(&mut [0; 8])?;
        stream.write_all(b"S")?;
        flood.pour(tls.accept(stream))
    })
}

/// Asks for as many iterations of SCRAM as the protocol can express.
pub(crate) fn over_scram(tls: &Arc<Tls>) -> u16 {
    let tls = Arc::clone(tls);
    let authentication = |kind: u32, body: &[u8]| {
        let length = u32::try_from(body.len() + 8).unwrap();
        [b"R", &length.to_be_bytes()[..], &kind.to_be_bytes(), body].concat()
    };
    listen(move |mut stream| {
        stream.read_exact(&mut [0; 8])?;
        stream.write_all(b"S")?;
        let mut stream = tls.accept(stream);
        let mut request = [0; 8192];
        assert!(0 < stream.read(&mut request)?);
        stream.write_all(&authentication(10, b"SCRAM-SHA-256\0\0"))?;
        let length = stream.read(&mut request)?;
        let first = String::from_utf8_lossy(&request[..length]);
        let nonce = first.rsplit_once("r=").unwrap().1;
        let demand = format!("r={nonce}more,s=c2FsdA==,i={}", u32::MAX);
        stream.write_all(&authentication(11, demand.as_bytes()))?;
        stream.read(&mut request).map(drop)
    })
}

/// Returns the floods of an HTTP/1.1 server, by name.
pub(crate) fn http_floods() -> Vec<(&'static str, Flood)> {
    let ok = "HTTP/1.1 200 OK\r\n";
    let chunked = format!("{ok}transfer-encoding: chunked\r\n\r\n");
    vec![
        ("body", Flood::new(format!("{ok}content-length: 99999999999\r\n\r\n"), "<a>")),
        ("headers", Flood::new(ok, "x-flood: 1\r\n")),
        ("header", Flood::new(format!("{ok}x-flood: "), "y")),
        ("status", Flood::new("HTTP/1.1 200 ", "y")),
        ("chunks", Flood::new(chunked.clone(), "1\r\n<\r\n")),
        ("chunk", Flood::new(format!("{chunked}7fffffffffffffff\r\n"), "x")),
        ("extension", Flood::new(format!("{chunked}1;"), "y")),
        ("trailers", Flood::new(format!("{chunked}0\r\n"), "x-flood: 1\r\n")),
    ]
}

/// Returns the floods of an HTTP/2 server, by name: each of one kind of frame.
pub(crate) fn http2_floods() -> Vec<(&'static str, Flood)> {
    let frame = |kind: u8, flags: u8, stream: u8, payload: &[u8]| {
        let length = u8::try_from(payload.len()).unwrap();
        [&[0, 0, length, kind, flags, 0, 0, 0, stream][..], payload].concat()
    };
    let flood = |frame: &[u8]| Flood::new(vec![0, 0, 0, 4, 0, 0, 0, 0, 0], frame);
    vec![
        ("h2-settings", flood(&frame(4, 0, 0, &[]))),
        ("h2-ping", flood(&frame(6, 0, 0, &[0; 8]))),
        ("h2-reset", flood(&frame(3, 0, 1, &[0, 0, 0, 8]))),
        ("h2-continuation", flood(&frame(9, 0, 1, &[]))),
        ("h2-headers", flood(&frame(1, 0, 1, &[0x88]))),
    ]
}

/// Floods of a kind of server: name, text of the run that it makes fail, and bytes.
pub(crate) type Floods = Vec<(&'static str, &'static str, Flood)>;

/// Returns the floods of a database server that accepts every log-in.
pub(crate) fn postgres_floods() -> Floods {
    let message = |kind: u8, body: &[u8]| {
        let length = u32::try_from(body.len() + 4).unwrap();
        [&[kind][..], &length.to_be_bytes(), body].concat()
    };
    let let_in = message(b'R', &[0; 4]);
    let column = [&b"\0\x01c\0"[..], &[0; 6], &[0, 0, 0, 25, 0xff, 0xff], &[0; 6]].concat();
    let described = [message(b'1', b""), message(b'2', b""), message(b'T', &column)].concat();
    let row = [&[0, 1, 0, 0, 15, 160][..], &[b'r'; 4000]].concat();
    let rows = Flood::new(described, message(b'D', &row));
    let length = vec![b'N', 0x7f, 0xff, 0xff, 0xf0];
    vec![
        ("pg-rows", BYTES, rows.after(&[[&let_in[..], &message(b'Z', b"I")].concat()])),
        (
            "pg-length",
            "the server announced a message of 2147483632 bytes",
            Flood::new([&let_in[..], &length].concat(), "x"),
        ),
        ("pg-parameters", MESSAGES, Flood::new(let_in.clone(), message(b'S', b"a\0b\0"))),
        ("pg-notices", MESSAGES, Flood::new(let_in, message(b'N', b"SNOTICE\0\0"))),
    ]
}

/// Returns the floods of a server of TDS.
pub(crate) fn tds_floods() -> Floods {
    let packet = |status: u8, body: &[u8]| {
        let length = u16::try_from(body.len() + 8).unwrap().to_be_bytes();
        [&[4, status, length[0], length[1], 0, 0, 1, 0][..], body].concat()
    };
    // Version 16.0 and no encryption beside TLS; then a log-in that succeeds.
    let options = [0, 0, 11, 0, 6, 1, 0, 17, 0, 1, 0xff, 16, 0, 0, 0, 0, 0, 2];
    let welcome = [0xad, 12, 0, 1, 0x74, 0, 0, 4, 1, b'S', 0, 16, 0, 0, 0];
    let done = [&[0xfd][..], &[0; 12]].concat();
    let logged_in = [packet(1, &options), packet(1, &[&welcome[..], &done].concat())];
    // Numbers whose names are long, and as many of them as can be announced.
    let column = [&[0; 6][..], &[0x38, 255], &b"c\0".repeat(255)].concat();
    let columns = Flood::new(packet(0, &[0x81, 0xfe, 0xff]), packet(0, &column.repeat(7)));
    // One text of a length that is not announced, in a part of 200 MiB.
    let text = [&[0x81, 1, 0][..], &[0; 6], &[0xe7, 0xff, 0xff], &[0; 5], &[1, b'c', 0]].concat();
    let row = [&[0xd1, 0xfe][..], &[0xff; 7], &[0, 0, 0x80, 0x0c]].concat();
    let blob = Flood::new(packet(0, &[text, row].concat()), packet(0, &b"x\0".repeat(2000)));
    vec![
        ("tds-packets", BYTES, Flood::new("", packet(0, &[0; 4000]))),
        ("tds-columns", BYTES, columns.after(&logged_in)),
        ("tds-blob", BYTES, blob.after(&logged_in)),
    ]
}
