//! Server side of the `PostgreSQL` protocol, version 3 ("Frontend/Backend Protocol", message formats).

use std::io;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use super::exchange::{LOG_IN, asked, message, silence};
use crate::net::record::NO_ANSWER;
use crate::platforms::record::case::{Reply, Said};
use crate::platforms::record::script::Script;

/// Code of the first message of a session; cancellations and requests for TLS have others.
const PROTOCOL: [u8; 4] = [0, 3, 0, 0];
/// SQLSTATE of a failure that has none.
const INTERNAL: &str = "XX000";
/// Description of a result of one column of 32-bit numbers.
const COLUMN: &[u8] = b"\0\x01c\0\0\0\0\0\0\0\0\0\0\x17\0\x04\xff\xff\xff\xff\0\0";
/// Row of one number.
const ROW: &[u8] = b"\0\x01\0\0\0\x04\0\0\0\x01";
/// Parameters of a statement: one text.
const PARAMETERS: &[u8] = b"\0\x01\0\0\0\x19";

/// Serves one session of a client.
pub(super) async fn serve(mut stream: TcpStream, script: &Script) -> io::Result<()> {
    let length = stream.read_u32().await?;
    let startup = message(&mut stream, rest(length)).await?;
    if !startup.starts_with(&PROTOCOL) {
        return Ok(());
    }
    let reply = asked(script, LOG_IN);
    match reply.said {
        Said::LoggedIn => stream.write_all(&greeting(&reply)).await?,
        Said::Silence => return silence(stream).await,
        Said::Status(_) | Said::NoAnswer(_) | Said::Redirected | Said::Rows | Said::Error => {
            return stream.write_all(&refusal(&reply, "FATAL")).await;
        }
    }
    let mut statement = String::new();
    loop {
        let kind = stream.read_u8().await?;
        let length = stream.read_u32().await?;
        let body = message(&mut stream, rest(length)).await?;
        match kind {
            b'P' => statement = parsed(&body),
            b'X' => return Ok(()),
            b'S' => {
                let reply = asked(script, &statement);
                if reply.said == Said::Silence {
                    return silence(stream).await;
                }
                stream.write_all(&answer(&reply)).await?;
            }
            // What else belongs to a statement is answered at its end.
            _ => {}
        }
    }
}

/// Returns the length of a message's body; the announced one includes itself.
fn rest(length: u32) -> usize {
    usize::try_from(length).unwrap_or(usize::MAX).saturating_sub(4)
}

/// Returns the statement in the message that has it parsed: its text comes after its name.
fn parsed(body: &[u8]) -> String {
    let text = body.split(|byte| *byte == 0).nth(1).unwrap_or_default();
    String::from_utf8_lossy(text).into_owned()
}

/// Returns the messages of a log-in that succeeded, with the parameters of the session.
fn greeting(reply: &Reply) -> Vec<u8> {
    let parameters = reply.headers.iter().map(|(name, value)| {
        let body = [&text(name)[..], &text(value)].concat();
        packet(b'S', &body)
    });
    let parameters: Vec<u8> = parameters.flatten().collect();
    [packet(b'R', &[0; 4]), parameters, packet(b'K', &[0; 8]), packet(b'Z', b"I")].concat()
}

/// Returns the messages of the answer to a statement.
fn answer(reply: &Reply) -> Vec<u8> {
    let ready = packet(b'Z', b"I");
    if reply.said != Said::Rows {
        return [refusal(reply, "ERROR"), ready].concat();
    }
    let row = match reply.header("value") {
        Some(_) => packet(b'D', ROW),
        None => Vec::new(),
    };
    [
        packet(b'1', b""),
        packet(b'2', b""),
        packet(b't', PARAMETERS),
        packet(b'T', COLUMN),
        row,
        packet(b'C', b"SELECT\0"),
        ready,
    ]
    .concat()
}

/// Returns the message of an error, or of a failure without an answer.
fn refusal(reply: &Reply, severity: &str) -> Vec<u8> {
    let field = |kind: u8, name: &str| {
        reply.header(name).map(|value| [&[kind][..], &text(value)].concat()).unwrap_or_default()
    };
    let required = |kind: u8, name: &str, otherwise: &str| {
        [&[kind][..], &text(reply.header(name).unwrap_or(otherwise))].concat()
    };
    let origin = match reply.said {
        Said::Error => Vec::new(),
        Said::Status(_)
        | Said::Silence
        | Said::NoAnswer(_)
        | Said::LoggedIn
        | Said::Redirected
        | Said::Rows => {
            [&b"R"[..], &text(NO_ANSWER), &field(b'H', "cause"), &field(b'D', "evidence")].concat()
        }
    };
    let body = [
        required(b'S', "severity", severity),
        required(b'C', "sqlstate", INTERNAL),
        [&b"M"[..], &text(&reply.body)].concat(),
        field(b'D', "detail"),
        field(b'H', "hint"),
        origin,
        vec![0],
    ];
    packet(b'E', &body.concat())
}

/// Returns a text with the byte that ends it.
fn text(text: &str) -> Vec<u8> {
    let bytes = text.bytes().filter(|byte| *byte != 0);
    bytes.chain([0]).collect()
}

fn packet(kind: u8, body: &[u8]) -> Vec<u8> {
    let length = u32::try_from(body.len().saturating_add(4)).unwrap_or(u32::MAX);
    [&[kind][..], &length.to_be_bytes(), body].concat()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Class;

    #[test]
    fn statement_comes_after_its_name() {
        let table = [(&b"\0SELECT 1\0\0\0"[..], "SELECT 1"), (b"name\0x\0", "x"), (b"", "")];
        for (body, expected) in table {
            assert_eq!(parsed(body), expected, "{body:?}");
        }
    }

    #[test]
    fn refusal_has_every_field_that_was_recorded() {
        let headers = [("sqlstate", "28P01"), ("severity", "ERROR"), ("hint", "h\0i")];
        let headers = headers.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec();
        let reply = Reply { said: Said::Error, headers, body: "no".to_owned() };
        let expected = b"E\0\0\0\x1bSERROR\0C28P01\0Mno\0Hhi\0\0";
        assert_eq!(refusal(&reply, "FATAL"), expected);
        let fault = Reply::of(Said::NoAnswer(Class::Invalid), "cut".to_owned());
        let shown = String::from_utf8(refusal(&fault, "FATAL")).unwrap();
        assert!(shown.ends_with("SFATAL\0CXX000\0Mcut\0Rx-revalidated-no-answer\0\0"), "{shown:?}");
    }
}
