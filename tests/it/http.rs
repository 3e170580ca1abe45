//! HTTP server of a running daemon: its ways in, what it refuses, and what floods do not harm.

use std::fs;
use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixStream;
use std::process::Command;
use std::time::{Duration, Instant};

use crate::daemon::lake;
use crate::support::{Config, Daemon, SECRETS, wait_for};

const SOON: Duration = Duration::from_secs(20);
/// Token that opens everything; the daemon keeps its hash alone.
const TOKEN: &str = "rvt_first";

/// Returns the addresses of the HTTP server and of the metrics, from the log of the daemon.
fn addresses(daemon: &Daemon<'_>) -> [SocketAddr; 2] {
    let log = daemon.log();
    ["serving http://", "metrics at http://"].map(|begin| {
        let (_, rest) = log.split_once(begin).unwrap();
        rest.split('/').next().unwrap().parse().unwrap()
    })
}

/// Returns code and whole answer to a request by `stream`, which ends after it.
fn exchange(mut stream: impl Read + Write, request: &str) -> (u16, String) {
    // An answer may come before the whole request has been sent.
    let _sent = stream.write_all(request.as_bytes());
    let mut answer = Vec::new();
    let _cut = stream.read_to_end(&mut answer);
    let answer = String::from_utf8_lossy(&answer).into_owned();
    let leaked = SECRETS.iter().position(|secret| answer.contains(secret));
    assert_eq!(leaked, None, "a secret of this number is in an answer");
    let code = answer.split(' ').nth(1).and_then(|code| code.parse().ok()).unwrap_or(0);
    (code, answer)
}

/// Returns the code of the answer to `GET path`, with these lines in the head.
fn get(stream: impl Read + Write, path: &str, lines: &str) -> u16 {
    let head =
        format!("GET {path} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n{lines}\r\n");
    exchange(stream, &head).0
}

fn connect(address: SocketAddr) -> TcpStream {
    let stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(SOON)).unwrap();
    stream.set_write_timeout(Some(SOON)).unwrap();
    stream
}

/// Returns the hash of a token, as the configuration has it.
fn hash(token: &str) -> String {
    let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, token.as_bytes());
    let hex = digest.as_ref().iter().map(|byte| format!("{byte:02x}"));
    format!("sha256:{}\n", hex.collect::<String>())
}

/// Returns the resident memory of the daemon in KiB, and the number of its open files.
fn usage(daemon: &Daemon<'_>) -> (u64, usize) {
    let process = format!("/proc/{}", daemon.pid());
    let status = fs::read_to_string(format!("{process}/status")).unwrap();
    let (_, rest) = status.split_once("VmRSS:").unwrap();
    let resident = rest.split_whitespace().next().unwrap().parse().unwrap();
    (resident, fs::read_dir(format!("{process}/fd")).unwrap().count())
}

/// Fails unless both servers answer within a second.
fn assert_answers(daemon: &Daemon<'_>, beside: &str) {
    let [http, metrics] = addresses(daemon);
    for (address, path) in [(http, "/healthz"), (metrics, "/metrics")] {
        let begun = Instant::now();
        assert_eq!(get(connect(address), path, ""), 200, "{path} beside {beside}");
        assert!(begun.elapsed() < Duration::from_secs(1), "{path} beside {beside}");
    }
}

/// Sends a body of which only the beginning may be read; returns the code, if the answer was seen.
fn large_body(address: SocketAddr, head: &str, chunk: &[u8], times: usize) -> u16 {
    let mut stream = connect(address);
    let head = format!("POST /metrics HTTP/1.1\r\nhost: localhost\r\n{head}\r\n\r\n");
    stream.write_all(head.as_bytes()).unwrap();
    for _ in 0..times {
        if let Err(error) = stream.write_all(chunk) {
            let cut = [ErrorKind::BrokenPipe, ErrorKind::ConnectionReset];
            assert!(cut.contains(&error.kind()), "{error}");
            return 0;
        }
    }
    exchange(stream, "").0
}

#[test]
fn floods_cost_no_one_else_anything() {
    let served = "[http]\nlisten = [\"127.0.0.1:0\"]\n[metrics]\nlisten = \"127.0.0.1:0\"\n";
    let config = Config::new(&(served.to_owned() + &lake("one", "a")));
    let daemon = Daemon::start(&config);
    let addresses = addresses(&daemon);
    assert_answers(&daemon, "nothing");
    let (memory, files) = usage(&daemon);
    let mut silent = Vec::new();
    for index in 0..500 {
        let mut stream = connect(addresses[index % 2]);
        let _sent = match index % 3 {
            0 => Ok(()),
            1 => stream.write_all(b"GET /healthz HT"),
            _ => stream.write_all(b"GET /metrics HTTP/1.1\r\nhost: localhost\r\nx: "),
        };
        silent.push(stream);
    }
    assert_answers(&daemon, "500 silent connections");
    let chunk = format!("10000\r\n{}\r\n", "x".repeat(0x10000));
    for address in addresses {
        // It ends in a refusal, or in a reset while it is being sent.
        let code = large_body(address, "content-length: 1073741824", &vec![b'x'; 0x10000], 1 << 14);
        assert!([0, 413].contains(&code), "{code}");
        let code = large_body(address, "transfer-encoding: chunked", chunk.as_bytes(), 1 << 14);
        assert!([0, 413].contains(&code), "{code}");
        for lines in [
            format!("x: {}\r\n", "x".repeat(1 << 20)),
            (0..10_000)
                .flat_map(|index| ["x-".to_owned(), index.to_string(), ": x\r\n".to_owned()])
                .collect(),
            "x: x\r\n".repeat(101),
        ] {
            let code = get(connect(address), "/healthz", &lines);
            assert!([0, 431].contains(&code), "{code}");
        }
    }
    assert_answers(&daemon, "bombs");
    for index in 0..10_000 {
        let mut stream = connect(addresses[index % 2]);
        let request = b"GET /metrics HTTP/1.1\r\nhost: localhost\r\n\r\n";
        stream.write_all(&request[..request.len() - index % 40]).unwrap();
    }
    assert_answers(&daemon, "10,000 aborted requests");
    drop(silent);
    wait_for("open files of connections", SOON, || (usage(&daemon).1 <= files + 2).then_some(()));
    let grown = usage(&daemon).0.saturating_sub(memory);
    assert!(grown < 20 * 1024, "{grown} KiB more");
    assert!(daemon.stop().success());
}

#[test]
fn tokens_open_what_their_scope_allows_and_are_in_no_log() {
    let token = |name: &str, scope: &str| {
        format!(
            "[[http.token]]\nname = \"{name}\"\nscope = \"{scope}\"\nhash = {{ file = \"DIR/{name}\" }}\n"
        )
    };
    // Behind a proxy nothing is proved by the address.
    let http = "[http]\nlisten = [\"127.0.0.1:0\"]\nbehind_proxy = true\n\
                [metrics]\nlisten = \"127.0.0.1:0\"\n";
    let config = Config::new(&(http.to_owned() + &token("prom", "metrics")));
    let secret = format!("rvt_{}", SECRETS[0]);
    config.secret("prom", &hash(&secret));
    let daemon = Daemon::start_with(&config, &["--log-level", "debug"]);
    let [address, metrics] = addresses(&daemon);
    let asked = |path: &str, value: &str| {
        let line = format!("authorization: {value}\r\n");
        get(connect(address), path, if value.is_empty() { "" } else { &line })
    };
    let basic = |text: &str| {
        use base64::Engine as _;
        format!("Basic {}", base64::engine::general_purpose::STANDARD.encode(text))
    };
    for (value, health, metrics) in [
        (String::new(), 200, 401),
        (secret.clone(), 200, 200),
        (format!("Bearer {secret}"), 200, 200),
        (basic(&format!("any:{secret}")), 200, 200),
        (format!("Bearer {secret}x"), 401, 401),
        (basic(&format!("{secret}:")), 401, 401),
    ] {
        assert_eq!(asked("/healthz", &value), health);
        assert_eq!(asked("/metrics", &value), metrics);
    }
    assert_eq!(asked(&format!("/metrics?token={secret}"), ""), 401, "never from a URL");
    assert_eq!(get(connect(metrics), "/metrics", "authorization: x\r\n"), 200, "all may scrape");
    // Another token is put in force by a reload, and the old one is refused from then on.
    config.secret("prom", &hash(TOKEN));
    daemon.signal("HUP");
    wait_for("the other token", SOON, || (asked("/metrics", TOKEN) == 200).then_some(()));
    assert_eq!(asked("/metrics", &secret), 401);
    fs::remove_file(config.dir().join("prom")).unwrap();
    // A token is withdrawn even while the configuration has a fault.
    config.write("surprise = true\n");
    daemon.signal("HUP");
    wait_for("no token", SOON, || (asked("/metrics", TOKEN) == 401).then_some(()));
    assert!(daemon.log().contains("token prom opens nothing"), "{}", daemon.log());
    assert!(daemon.log().contains("request: GET /metrics 401"), "requests are logged");
    assert!(!daemon.log().contains(TOKEN));
    assert!(daemon.stop().success());
}

/// Returns the code of the answer to curl, which verifies the certificate by the authority `ca`.
fn curl(config: &Config, ca: &str, url: &str, more: &[&str]) -> String {
    let mut command = Command::new("curl");
    command.args(["-s", "-o", "/dev/null", "-w", "%{http_code}", "--cacert"]);
    command.arg(config.dir().join(ca)).args(more).arg(url);
    String::from_utf8(command.output().unwrap().stdout).unwrap()
}

/// Writes a certificate for `localhost` that vouches for itself, with its key.
fn certify(config: &Config, name: &str) {
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    config.secret(&format!("{name}.pem"), &made.cert.pem());
    config.secret(&format!("{name}.key"), &made.signing_key.serialize_pem());
}

#[test]
fn renewed_certificate_is_served_after_a_reload() {
    let tls = "tls = { certificate = \"DIR/a.pem\", key = { file = \"DIR/a.key\" } }\n";
    let config = Config::new(&format!("[http]\nlisten = [\"127.0.0.1:0\"]\n{tls}"));
    certify(&config, "a");
    let daemon = Daemon::start(&config);
    let log = daemon.log();
    let (_, rest) = log.split_once("serving https://127.0.0.1:").unwrap();
    let url = format!("https://localhost:{}/healthz", rest.split('/').next().unwrap());
    assert_eq!(curl(&config, "a.pem", &url, &[]), "200");
    certify(&config, "b");
    assert_eq!(curl(&config, "b.pem", &url, &[]), "000", "it is not trusted");
    for kind in ["pem", "key"] {
        let from = config.dir().join(format!("b.{kind}"));
        fs::rename(from, config.dir().join(format!("a.{kind}"))).unwrap();
    }
    daemon.signal("HUP");
    let is_served = || (curl(&config, "a.pem", &url, &[]) == "200").then_some(());
    wait_for("renewed certificate", SOON, is_served);
    assert!(daemon.stop().success());
}

#[test]
fn socket_is_made_for_those_who_may_connect_and_goes_with_the_daemon() {
    let config = Config::new("[http]\nlisten = [\"unix:DIR/api.sock\"]\nsocket_mode = \"0600\"\n");
    let path = config.dir().join("api.sock");
    let daemon = Daemon::start(&config);
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    assert_eq!(get(UnixStream::connect(&path).unwrap(), "/metrics", ""), 200);
    let output = config.run(&["run"]);
    assert_eq!(output.status.code(), Some(69), "another daemon answers there");
    daemon.kill();
    assert!(path.exists(), "a crash leaves it behind");
    let daemon = Daemon::start(&config);
    assert_eq!(get(UnixStream::connect(&path).unwrap(), "/metrics", ""), 200);
    assert!(daemon.stop().success());
    assert!(!path.exists());
}

#[test]
fn sockets_of_systemd_are_taken_over() {
    let config = Config::new("[http]\nlisten = [\"systemd:act\", \"systemd:read\"]\n");
    let daemon = Daemon::start_passed(&config, &["other", "revalidated-read", "revalidated-act"]);
    for name in ["revalidated-read", "revalidated-act"] {
        let stream = UnixStream::connect(config.dir().join(name)).unwrap();
        assert_eq!(get(stream, "/metrics", ""), 200, "{name}");
    }
    assert!(daemon.log().contains("passed the socket other, which [http] listen does not list"));
    assert_eq!(daemon.log().matches("does not list").count(), 1);
    assert!(daemon.stop().success());
    assert!(config.dir().join("revalidated-act").exists(), "it is systemd's to remove");
}

#[test]
fn address_that_cannot_be_served_ends_the_start() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let taken = taken.local_addr().unwrap();
    let tls = "tls = { certificate = \"DIR/none.pem\", key = \"DIR/none.key\" }";
    let table = [
        (format!("listen = [\"{taken}\"]"), 69, format!("nothing can listen at {taken}: Address")),
        ("listen = [\"unix:DIR/none/a.sock\"]".to_owned(), 78, "a.sock: No such file".to_owned()),
        ("listen = [\"unix:DIR/password\"]".to_owned(), 78, "a file that is no socket".to_owned()),
        ("listen = [\"systemd:act\"]".to_owned(), 78, "systemctl enable --now".to_owned()),
        ("listen = [\"0.0.0.0:0\"]".to_owned(), 78, "would be served without TLS".to_owned()),
        (format!("listen = [\"127.0.0.1:0\"]\n{tls}"), 78, "none.pem cannot be read".to_owned()),
    ];
    for (lines, code, said) in table {
        let config = Config::new(&format!("[http]\n{lines}\n"));
        let output = config.run(&["run"]);
        let text = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(code), "{lines}: {text}");
        assert!(text.contains(&said), "{lines}: {text}");
        assert!(!config.dir().join("state.db").exists(), "{lines}: nothing was begun");
    }
}

#[test]
fn new_token_opens_a_daemon_with_its_lines() {
    let config = Config::new("");
    let made = String::from_utf8(config.run(&["token", "graf"]).stdout).unwrap();
    let token = made.lines().find(|line| line.starts_with("rvt_")).unwrap().to_owned();
    let hash = made.split_whitespace().find(|word| word.starts_with("sha256:")).unwrap();
    let (_, lines) = made.split_once("# In the configuration:\n").unwrap();
    let lines = lines.replace("credential = \"graf-token-hash\"", "file = \"DIR/hash\"");
    config.secret("hash", hash);
    let http = "[http]\nlisten = [\"127.0.0.1:0\"]\nbehind_proxy = true\n";
    config.write(&format!("[metrics]\nlisten = \"127.0.0.1:0\"\n{http}{lines}"));
    let daemon = Daemon::start(&config);
    let [address, _] = addresses(&daemon);
    let line = format!("authorization: {token}\r\n");
    assert_eq!(get(connect(address), "/metrics", &line), 200);
    assert_eq!(get(connect(address), "/metrics", ""), 401);
    assert!(daemon.stop().success());
}
