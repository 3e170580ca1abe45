//! Fuzz target: messages of the protocol, from a server that sends whatever it likes.

use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt, duplex};
use tokio::time::timeout;
use tokio_postgres::config::SslMode;
use tokio_postgres::{Config, NoTls};

use super::super::call::CallError;
use super::super::classify::{Failure, Stage};
use super::super::client::Statement;
use super::super::stream::{Bounded, Exceeded};
use crate::domain::Redactor;
use crate::platforms::testing::fuzz;

fn message(kind: u8, body: &[u8]) -> Vec<u8> {
    let length = u32::try_from(body.len() + 4).unwrap();
    [&[kind][..], &length.to_be_bytes(), body].concat()
}

/// Returns a log-in with `asked` in place of a password, and the answer to one statement, which is a row.
fn session(asked: &[u8]) -> Vec<u8> {
    let column = [&b"?column?\0"[..], &[0; 6], &23_u32.to_be_bytes(), &[0, 4], &[0xff; 4], &[0, 1]];
    [
        message(b'R', asked),
        message(b'S', b"server_version\x008.0.2\0"),
        message(b'K', &[0, 0, 0, 7, 0, 0, 0, 9]),
        message(b'Z', b"I"),
        message(b'1', b""),
        message(b'2', b""),
        message(b'T', &[&[0, 1][..], &column.concat()].concat()),
        message(b'D', &[0, 1, 0, 0, 0, 4, 0, 0, 0, 1]),
        message(b'C', b"SELECT 1\0"),
        message(b'Z', b"I"),
    ]
    .concat()
}

/// Message that ends a log-in, and the one that ends a statement.
const READY: &[u8] = b"Z\0\0\0\x05I";
const SYNC: &[u8] = b"S\0\0\0\x04";

/// Runs a session against a server that sends `bytes` whatever it is asked; returns whether a row was found.
async fn ran(bytes: &[u8]) -> Result<bool, CallError> {
    let (near, mut far) = duplex(1 << 16);
    let exceeded = Exceeded::default();
    let client = async {
        let mut config = Config::new();
        config.ssl_mode(SslMode::Disable).user("u").password("p");
        let stream = Bounded::new(near, exceeded.clone());
        let (client, connection) = config.connect_raw(stream, NoTls).await?;
        let connection = tokio::spawn(connection);
        let rows = client.query_typed(Statement::Ping.sql(), &[]).await;
        drop(client);
        assert!(!connection.await.is_err_and(|ended| ended.is_panic()), "the session panicked");
        Ok::<_, CallError>(!rows?.is_empty())
    };
    // A client that is asked nothing more sends nothing, so that the rest comes after a moment in any case.
    let begun =
        bytes.windows(READY.len()).position(|part| part == READY).map_or(0, |at| at + READY.len());
    let (log_in, answers) = bytes.split_at(begun);
    let server = async {
        let _sent = far.write_all(log_in).await;
        let mut asked = Vec::new();
        let statement = async {
            while !asked.ends_with(SYNC)
                && far.read_buf(&mut asked).await.is_ok_and(|read| 0 < read)
            {}
        };
        let _waited = timeout(Duration::from_millis(50), statement).await;
        let _sent = far.write_all(answers).await;
        let _closed = far.shutdown().await;
    };
    let both = async { tokio::join!(client, server) };
    let (found, ()) =
        timeout(Duration::from_secs(20), both).await.expect("nothing waits after the last byte");
    found.map_err(|error| CallError::or_excess(error, &exceeded))
}

#[test]
fn fuzz_messages_of_a_server_are_rows_or_failures() {
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build();
    let runtime = runtime.unwrap();
    let (trusted, clear, md5) =
        (session(&[0; 4]), session(&[0, 0, 0, 3]), session(&[0, 0, 0, 5, 1, 2, 3, 4]));
    assert!(runtime.block_on(ran(&trusted)).unwrap(), "the session is understood as it is");
    let scram = session(b"\0\0\0\nSCRAM-SHA-256\0\0");
    let refused =
        message(b'E', b"SFATAL\0C28P01\0Mpassword authentication failed for user \"u\"\0\0");
    let server_first = message(b'R', b"\0\0\0\x0br=n,s=c2FsdA==,i=4096");
    let seeds = [trusted, clear, md5, [scram, server_first].concat(), refused];
    fuzz(&seeds, |bytes| {
        let Err(error) = runtime.block_on(ran(bytes)) else { return };
        let Failure { detail, evidence, .. } =
            Failure::of(&error, Stage::LogIn, &Redactor::default());
        assert!(!detail.contains(char::is_control), "{detail}");
        assert!(detail.chars().count() <= 400, "{detail}");
        assert!(evidence.is_none_or(|text| text.chars().count() <= 400));
    });
}
