//! Stand-in for SQL servers that speak TDS, for tests.
//!
//! `servers-tds DIR NAME=SCENARIO.json...` listens on one loopback port per scenario, prints
//! `NAME=PORT` lines and then `ready`. Microsoft's mock server answers batches and encodes every
//! answer; this program decides, connection by connection, what the scenario wants. It takes
//! `DIR/<certificate>.pem` and `.key` for TLS, and writes what it was sent to `DIR/NAME.jsonl`.

mod connection;
mod prelogin_tls;
mod scenario;

use std::collections::HashMap;
use std::fs;
use std::path::Path;
use std::sync::Arc;

use tokio::net::TcpListener;

use connection::Host;
use scenario::Scenario;

#[tokio::main]
async fn main() {
    let mut arguments = std::env::args().skip(1);
    let dir = arguments.next().expect("usage: servers-tds DIR NAME=SCENARIO.json...");
    let dir = Path::new(&dir);
    let mut listening = Vec::new();
    let mut ports = HashMap::new();
    for argument in arguments {
        let (name, file) = argument.split_once('=').expect("NAME=SCENARIO.json");
        let text = fs::read_to_string(file).unwrap_or_else(|error| panic!("{file}: {error}"));
        let scenario: Scenario =
            serde_json::from_str(&text).unwrap_or_else(|error| panic!("{file}: {error}"));
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let port = listener.local_addr().expect("an address").port();
        println!("{name}={port}");
        ports.insert(name.to_owned(), port);
        listening.push((name.to_owned(), scenario, listener));
    }
    let ports = Arc::new(ports);
    let mut running = Vec::new();
    for (name, scenario, listener) in listening {
        let host = Host::new(scenario, &ports, dir, &name).await;
        running.push(tokio::spawn(Arc::new(host).serve(listener)));
    }
    println!("ready");
    for server in running {
        server.await.expect("a server that runs for ever");
    }
}
