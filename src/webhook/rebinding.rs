//! DNS rebinding: the address of every connection is checked, not the first answer for its name.
//!
//! No public address can be reached in a test: 127.0.0.2, which is allowed, plays the public server,
//! and 127.0.0.1, at the same port, the internal one.

use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex};

use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use serde_json::json;

use super::testing::{Answer, Scripted, receiver};
use super::{Message, Receiver, Sender};
use crate::domain::{AttemptResult, Timestamp};
use crate::net::address::Allow;
use crate::net::resolve::GuardedResolver;

const OUTSIDE: &str = "127.0.0.2";
const INSIDE: &str = "127.0.0.1";
const METADATA: &str = "169.254.169.254";
const HOST: &str = "rebinds.example";

/// Resolver whose answers change; counts its queries.
#[derive(Clone)]
struct Rebinds(Arc<Mutex<(Vec<&'static str>, usize)>>);

impl Rebinds {
    fn answer(&self, addresses: &[&'static str]) {
        self.0.lock().unwrap().0 = addresses.to_vec();
    }

    fn asked(&self) -> usize {
        self.0.lock().unwrap().1
    }
}

impl Resolve for Rebinds {
    fn resolve(&self, name: Name) -> Resolving {
        assert_eq!(name.as_str(), HOST);
        let mut state = self.0.lock().unwrap();
        state.1 += 1;
        let ips: Vec<IpAddr> = state.0.iter().map(|text| text.parse().unwrap()).collect();
        let found: Addrs = Box::new(ips.into_iter().map(|ip| SocketAddr::new(ip, 0)));
        Box::pin(std::future::ready(Ok(found)))
    }
}

/// Public server, internal server at the same port, and a sender to a name that resolves to either.
struct Bench {
    outside: Scripted,
    inside: Scripted,
    rebinds: Rebinds,
    sender: Sender,
}

impl Bench {
    async fn new(answer: Answer) -> Self {
        let inside = Scripted::start(answer.clone()).await;
        let port = inside.addr.port();
        let outside = SocketAddr::new(OUTSIDE.parse().unwrap(), port);
        let outside = Scripted::start_at(outside, answer).await;
        let mut allow = Allow::default();
        allow.add(OUTSIDE).unwrap();
        // The name is allowed without TLS, and does not resolve by itself.
        let named = receiver(&format!("http://{HOST}:{port}/"), json!({ "allow": [HOST] }));
        let receiver = Receiver { allow: allow.clone(), ..named };
        let rebinds = Rebinds(Arc::new(Mutex::new((Vec::new(), 0))));
        let resolver = GuardedResolver::asking(Arc::new(rebinds.clone()), allow);
        let sender = Sender::resolving(receiver, resolver).unwrap();
        Self { outside, inside, rebinds, sender }
    }

    /// Sends while the name resolves to `addresses`; returns the status code or the error.
    async fn send(&self, addresses: &[&'static str]) -> Result<u16, String> {
        self.rebinds.answer(addresses);
        let sent = self
            .sender
            .send(&Message { id: "evt_1", body: "{}", began: None, format: None }, Timestamp(0))
            .await;
        match sent.result {
            AttemptResult::Answered { code, .. } => Ok(code),
            AttemptResult::Unreachable | AttemptResult::Unsendable => Err(sent.detail),
        }
    }
}

fn hangs_up() -> Answer {
    let answer = "HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 0\r\n\r\n";
    Answer::BreaksOff(answer.to_owned())
}

#[tokio::test]
async fn name_that_resolves_to_an_internal_address_later_is_refused_at_the_next_connection() {
    let bench = Bench::new(hangs_up()).await;
    let refused = |kind: &str| format!("no connection: {kind}");
    let table: [(&[&str], Result<u16, String>); 8] = [
        (&[OUTSIDE], Ok(200)),
        (&[INSIDE], Err(refused("127.0.0.1 is a loopback address"))),
        (&[OUTSIDE], Ok(200)),
        (&[METADATA], Err(refused("169.254.169.254 is a link-local address"))),
        (&["::ffff:127.0.0.1"], Err(refused("::ffff:127.0.0.1 is a loopback address"))),
        (&[INSIDE, OUTSIDE, METADATA], Ok(200)),
        (&[INSIDE, METADATA], Err(refused("127.0.0.1 is a loopback address"))),
        (&[], Err(refused("rebinds.example has no address"))),
    ];
    let mut connected = 0;
    for (number, (addresses, wanted)) in table.into_iter().enumerate() {
        let found = bench.send(addresses).await;
        match (&found, &wanted) {
            (Err(found), Err(wanted)) => {
                assert!(found.starts_with(wanted), "{addresses:?}: {found}");
            }
            (found, wanted) => assert_eq!(found, wanted, "{addresses:?}"),
        }
        connected += usize::from(wanted.is_ok());
        assert_eq!(bench.rebinds.asked(), number + 1, "asked once, and never again to connect");
        assert_eq!(bench.outside.connections(), connected, "{addresses:?}");
        assert_eq!(bench.inside.connections(), 0, "{addresses:?}");
    }
}

#[tokio::test]
async fn open_connection_stays_at_its_address() {
    let keeps = Answer::Says("HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n".to_owned());
    let bench = Bench::new(keeps).await;
    assert_eq!(bench.send(&[OUTSIDE]).await, Ok(200));
    assert_eq!(bench.send(&[INSIDE]).await, Ok(200), "it still leads to where it was checked");
    assert_eq!((bench.outside.connections(), bench.rebinds.asked()), (1, 1));
    assert_eq!(bench.outside.requests().len(), 2);
    assert_eq!(bench.inside.connections(), 0);
}

#[tokio::test]
async fn refused_address_does_not_replace_one_that_does_not_answer() {
    let bench = Bench::new(hangs_up()).await;
    // Nothing listens there, and it is allowed only by the range that this receiver names.
    let mut allow = Allow::default();
    allow.add("127.0.0.3").unwrap();
    let receiver = Receiver { allow: allow.clone(), ..bench.sender.receiver().clone() };
    let resolver = GuardedResolver::asking(Arc::new(bench.rebinds.clone()), allow);
    let bench = Bench { sender: Sender::resolving(receiver, resolver).unwrap(), ..bench };
    let failed = bench.send(&["127.0.0.3", INSIDE]).await.unwrap_err();
    assert!(failed.starts_with("no connection: Connection refused"), "{failed}");
    assert_eq!((bench.inside.connections(), bench.outside.connections()), (0, 0));
}
