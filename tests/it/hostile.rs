//! Servers that announce or send without end, against the real daemon under a limit of its address
//! space; files that never answer; a log that nothing reads.

use std::fs;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use rustls::pki_types::PrivateKeyDer;
use rustls::{ServerConfig, ServerConnection, StreamOwned};

use crate::daemon::lake;
use crate::support::{AccessGrants, Config, Daemon, wait_for};

const SOON: Duration = Duration::from_secs(15);
/// Address space of the daemon, in KiB: three times what it takes at rest, and less than what a
/// server can announce in one message.
const ADDRESS_SPACE_KIB: u32 = 1_500_000;
/// Resident memory that the daemon may have had at most, in KiB.
const RESIDENT_KIB_MAX: u64 = 256 * 1024;
/// Limits that make a hostile run short.
const LIMITS: &str = "[limits]\ntest = \"3s\"\nrun = \"4s\"\n[shutdown]\ndrain = \"2s\"\n";

/// Bytes that a server sends: once, and then again and again.
struct Flood {
    once: Vec<u8>,
    again: Vec<u8>,
}

impl Flood {
    fn new(once: impl Into<Vec<u8>>, again: impl AsRef<[u8]>) -> Self {
        let again = again.as_ref();
        // Large writes keep the server from being the slower side.
        let times = 64 * 1024 / again.len().max(1) + 1;
        Self { once: once.into(), again: again.repeat(times) }
    }

    /// Reads the request, and sends until the client closes.
    fn pour(&self, mut stream: impl Read + Write) -> std::io::Result<()> {
        let mut request = [0; 8192];
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
            stream.set_write_timeout(Some(SOON)).unwrap();
            // The client cuts the connection, which is an error here.
            thread::spawn(move || each(stream).is_err());
        }
    });
    port
}

/// Authority for `localhost`, whose certificate is in the clients' configuration.
struct Tls {
    config: Arc<ServerConfig>,
}

impl Tls {
    fn new(config: &Config, protocols: &[&[u8]]) -> Self {
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

fn over_tcp(flood: Flood) -> u16 {
    listen(move |stream| flood.pour(stream))
}

fn over_tls(tls: &Arc<Tls>, flood: Flood) -> u16 {
    let tls = Arc::clone(tls);
    listen(move |stream| flood.pour(tls.accept(stream)))
}

/// Speaks the beginning of the protocol of databases, up to TLS.
fn over_postgres(tls: &Arc<Tls>, flood: Flood) -> u16 {
    let tls = Arc::clone(tls);
    listen(move |mut stream| {
        stream.read_exact(&mut [0; 8])?;
        stream.write_all(b"S")?;
        flood.pour(tls.accept(stream))
    })
}

/// Integration of Native S3 whose servers are all at `origin`.
fn s3(name: &str, origin: &str) -> String {
    let tls =
        if origin.starts_with("https") { "tls = { caFile = \"DIR/ca-2.pem\" }\n" } else { "" };
    lake(name, name).replace("http://127.0.0.1:1", origin) + tls
}

fn redshift(name: &str, port: u16) -> String {
    format!(
        "[[integration]]\nname = \"{name}\"\ntype = \"Redshift\"\nautoBootstrap = false\n\
         schedule = \"* * * * * *\"\n[integration.config]\nhost = \"localhost\"\nport = {port}\n\
         database = \"governance\"\ninitialDatabase = \"dev\"\n\
         authenticationType = \"userPassword\"\nusername = \"u\"\n\
         password = {{ file = \"DIR/password\" }}\ntls = {{ caFile = \"DIR/ca-0.pem\" }}\n"
    )
}

fn synapse(name: &str, port: u16) -> String {
    format!(
        "[[integration]]\nname = \"{name}\"\ntype = \"Azure Synapse Analytics\"\n\
         autoBootstrap = false\nschedule = \"* * * * * *\"\n[integration.config]\n\
         host = \"localhost\"\nport = {port}\ndatabase = \"pool\"\nschema = \"immuta\"\n\
         username = \"u\"\npassword = {{ file = \"DIR/password\" }}\nencryption = \"strict\"\n\
         tls = {{ caFile = \"DIR/ca-1.pem\" }}\n"
    )
}

fn receiver(name: &str, port: u16) -> String {
    format!(
        "[[receiver]]\nname = \"{name}\"\nurl = \"http://127.0.0.1:{port}/hook\"\n\
         allow = [\"127.0.0.0/8\"]\ntimeout = \"2s\"\n\
         secrets = [{{ file = \"DIR/webhook-secret\" }}]\n"
    )
}

/// Floods of an HTTP/1.1 server, by name.
fn http_floods() -> Vec<(&'static str, Flood)> {
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

/// Floods of an HTTP/2 server, by name: each of one kind of frame.
fn http2_floods() -> Vec<(&'static str, Flood)> {
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

/// Floods of a database server that accepts every log-in, by name.
fn postgres_floods() -> Vec<(&'static str, Flood)> {
    let message = |kind: u8, body: &[u8]| {
        let length = u32::try_from(body.len() + 4).unwrap();
        [&[kind][..], &length.to_be_bytes(), body].concat()
    };
    let welcome = [message(b'R', &[0; 4]), message(b'Z', b"I")].concat();
    let row = [&[0, 1, 0, 0, 15, 160][..], &[b'r'; 4000]].concat();
    let answer = [message(b'1', b""), message(b't', &[0, 0]), message(b'2', b"")].concat();
    let column = [&b"\0\x01c\0"[..], &[0; 6], &[0, 0, 0, 25, 0xff, 0xff], &[0; 6]].concat();
    let scram = message(b'R', b"\0\0\0\x0bSCRAM-SHA-256\0\0");
    let rows = [welcome, answer, message(b'T', &column)].concat();
    vec![
        ("pg-rows", Flood::new(rows, message(b'D', &row))),
        ("pg-length", Flood::new(vec![b'N', 0x7f, 0xff, 0xff, 0xf0], "x")),
        ("pg-parameters", Flood::new(message(b'R', &[0; 4]), message(b'S', b"a\0b\0"))),
        ("pg-notices", Flood::new("", message(b'N', b"SNOTICE\0\0"))),
        ("pg-scram", Flood::new(scram, message(b'N', b"\0"))),
    ]
}

/// Floods of a server of TDS, by name.
fn tds_floods() -> Vec<(&'static str, Flood)> {
    let packet = |status: u8, body: &[u8]| {
        let length = u16::try_from(body.len() + 8).unwrap().to_be_bytes();
        [&[4, status, length[0], length[1], 0, 0, 1, 0][..], body].concat()
    };
    // Version 16.0 and no encryption beside TLS; then an error that announces 2 GiB.
    let options = [0, 0, 11, 0, 6, 1, 0, 17, 0, 1, 0xff, 16, 0, 0, 0, 0, 0, 2];
    let columns = [&[0x81, 0xfe, 0xff][..], &[0; 200]].concat();
    vec![
        ("tds-packets", Flood::new("", packet(0, &[0; 4000]))),
        ("tds-columns", Flood::new(packet(1, &options), packet(0, &columns))),
        ("tds-blob", Flood::new(packet(1, &options), packet(0, &[0xaa, 0xff, 0xff, 0x7f]))),
    ]
}

/// A line of `/proc/<pid>/status`, in KiB.
fn kib(daemon: &Daemon<'_>, key: &str) -> u64 {
    let status = fs::read_to_string(format!("/proc/{}/status", daemon.pid())).unwrap();
    let line = status.lines().find(|line| line.starts_with(key)).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}

/// Processor time that the daemon has taken.
fn processor_time(daemon: &Daemon<'_>) -> Duration {
    let stat = fs::read_to_string(format!("/proc/{}/stat", daemon.pid())).unwrap();
    let fields: Vec<_> = stat.rsplit(") ").next().unwrap().split(' ').collect();
    let ticks: u64 = [fields[11], fields[12]].iter().map(|one| one.parse::<u64>().unwrap()).sum();
    Duration::from_millis(ticks * 10)
}

/// Runs the daemon under the limit on `hostile` integrations beside a healthy one, until each of them
/// has failed; the healthy one is validated meanwhile.
fn withstands(config: &Config, hostile: &[String], text: &str) -> Duration {
    let grants = AccessGrants::start("s3://governed/a*", "arn:aws:iam::123456789012:role/grants");
    let healthy = lake("well", "a").replace("http://127.0.0.1:1", &grants.endpoint);
    config.write(&[LIMITS, text, &healthy].concat());
    let daemon = Daemon::start_limited(config, ADDRESS_SPACE_KIB);
    let start = Instant::now();
    for name in hostile {
        wait_for(&format!("failed run of {name}"), SOON, || {
            let history = config.json(&["history", name, "--json"]);
            let runs = history.as_array().unwrap();
            runs.iter().any(|run| run["status"] == "failed").then_some(())
        });
    }
    daemon.wait_status("well", "enabled", SOON);
    let resident = kib(&daemon, "VmHWM");
    assert!(resident < RESIDENT_KIB_MAX, "{resident} KiB resident after {:?}", start.elapsed());
    let took = processor_time(&daemon);
    assert!(daemon.stop().success());
    took
}

fn named(floods: &[(&'static str, u16)]) -> Vec<String> {
    floods.iter().map(|(name, _)| (*name).to_owned()).collect()
}

#[test]
fn database_servers_that_send_without_end_fail_their_own_runs_only() {
    let config = Config::new("");
    let (postgres, tds) =
        (Arc::new(Tls::new(&config, &[])), Arc::new(Tls::new(&config, &[b"tds/8.0"])));
    let postgres: Vec<_> = postgres_floods()
        .into_iter()
        .map(|(name, flood)| (name, over_postgres(&postgres, flood)))
        .collect();
    let tds: Vec<_> =
        tds_floods().into_iter().map(|(name, flood)| (name, over_tls(&tds, flood))).collect();
    let text = postgres.iter().map(|(name, port)| redshift(name, *port));
    let text: String = text.chain(tds.iter().map(|(name, port)| synapse(name, *port))).collect();
    let names = [named(&postgres), named(&tds)].concat();
    withstands(&config, &names, &text);
}

#[test]
fn web_servers_that_send_without_end_fail_their_own_runs_only() {
    let config = Config::new("");
    let tls = Arc::new(Tls::new(&config, &[b"h2", b"http/1.1"]));
    let plain: Vec<_> =
        http_floods().into_iter().map(|(name, flood)| (name, over_tcp(flood))).collect();
    let second: Vec<_> =
        http2_floods().into_iter().map(|(name, flood)| (name, over_tls(&tls, flood))).collect();
    let mut text: String =
        plain.iter().map(|(name, port)| s3(name, &format!("http://127.0.0.1:{port}"))).collect();
    text += &second
        .iter()
        .map(|(name, port)| s3(name, &format!("https://localhost:{port}")))
        .collect::<String>();
    text += &http_floods()
        .into_iter()
        .map(|(name, flood)| receiver(name, over_tcp(flood)))
        .collect::<String>();
    let names = [named(&plain), named(&second)].concat();
    let took = withstands(&config, &names, &text);
    assert!(took < Duration::from_secs(8), "{took:?} of processor time");
}

fn fifo(config: &Config, name: &str) {
    assert!(Command::new("mkfifo").arg(config.dir().join(name)).status().unwrap().success());
}

#[test]
fn secret_files_that_never_answer_stop_only_their_own_runs() {
    let grants = AccessGrants::start("s3://governed/a*", "arn:aws:iam::123456789012:role/grants");
    let config = Config::new("");
    let mut text = LIMITS.to_owned();
    text += &lake("well", "a").replace("http://127.0.0.1:1", &grants.endpoint);
    let stuck: Vec<_> = (0..8).map(|number| format!("stuck-{number}")).collect();
    for name in &stuck {
        fifo(&config, name);
        text += &lake(name, name).replace("DIR/aws-secret", &format!("DIR/{name}"));
    }
    config.write(&text);
    let daemon = Daemon::start(&config);
    daemon.wait_status("well", "enabled", SOON);
    for name in &stuck {
        wait_for(&format!("run of {name}"), SOON, || {
            let history = config.json(&["history", name, "--json"]);
            let runs = history.as_array().unwrap();
            runs.iter().any(|run| run.to_string().contains("does not answer within")).then_some(())
        });
    }
    let runs = || config.json(&["history", "well", "--json"]).as_array().unwrap().len();
    let before = runs();
    wait_for("further runs", SOON, || (before + 2 <= runs()).then_some(()));
    let start = Instant::now();
    assert!(daemon.stop().success());
    assert!(start.elapsed() < Duration::from_secs(6), "{:?}", start.elapsed());
}

#[test]
fn log_that_nothing_reads_stops_neither_runs_nor_the_end() {
    let grants = AccessGrants::start("s3://governed/a*", "arn:aws:iam::123456789012:role/grants");
    let config = Config::new(
        &[LIMITS, &lake("well", "a")].concat().replace("http://127.0.0.1:1", &grants.endpoint),
    );
    // The pipe is full from the start.
    let (reader, mut writer) = std::io::pipe().unwrap();
    let filler = writer.try_clone().unwrap();
    thread::spawn(move || {
        let mut filler = filler;
        while filler.write_all(&[b'x'; 4096]).is_ok() {}
    });
    thread::sleep(Duration::from_millis(200));
    let path = config.path();
    let mut child = Command::new(env!("CARGO_BIN_EXE_revalidated"))
        .args(["run", "-vv", "--config", path.to_str().unwrap()])
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(writer.try_clone().unwrap())
        .spawn()
        .unwrap();
    let runs = || {
        let output = config.run(&["history", "well", "--json"]);
        let found: Option<serde_json::Value> = serde_json::from_slice(&output.stdout).ok();
        found.and_then(|found| Some(found.as_array()?.len())).unwrap_or_default()
    };
    wait_for("runs", SOON, || (3 <= runs()).then_some(()));
    let pid = child.id().to_string();
    assert!(Command::new("kill").args(["-TERM", &pid]).status().unwrap().success());
    let ended = wait_for("end of the daemon", SOON, || child.try_wait().unwrap());
    assert!(ended.success(), "{ended:?}");
    writer.flush().unwrap();
    drop(reader);
}
