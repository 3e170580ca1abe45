//! Server side of TDS 7.4 without encryption ("MS-TDS: Tabular Data Stream Protocol", sections 2.2.6 and 2.2.7).

use std::io;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use super::exchange::{LOG_IN, MESSAGE_MAX, asked, message, silence};
use crate::net::record::NO_ANSWER;
use crate::platforms::record::case::{Reply, Said};
use crate::platforms::record::script::Script;

/// Type of the packet with which a client begins.
pub(super) const PRE_LOGIN: u8 = 0x12;
/// Type of the packet with user and password, or a token.
const LOGIN: u8 = 0x10;
/// Type of the packet with statements.
const BATCH: u8 = 0x01;
/// Type of the packet that takes back a statement.
const ATTENTION: u8 = 0x06;
/// Type of every answer.
const ANSWER: u8 = 0x04;
/// Length of the head of a packet.
const HEAD: usize = 8;
/// Bit in the status of a packet: it is the last of its message.
const LAST: u8 = 1;
/// Most bytes of one packet's content that are sent.
const CONTENT_MAX: usize = 4000;
/// Options of the server: version 12.0, no encryption, no instance, no MARS.
const OPTIONS: &[u8] = b"\0\0\x15\0\x06\x01\0\x1b\0\x01\x02\0\x1c\0\x01\x04\0\x1d\0\x01\xff\
    \x0c\0\x0f\xa0\0\0\x02\0\0";
/// Status of the end of an answer: nothing more, and no error.
const DONE: u16 = 0;
/// Status of the end of an error.
const FAILED: u16 = 2;
/// Status of the end of a result.
const COUNTED: u16 = 0x10;
/// Status of the end of a statement that was taken back.
const TAKEN_BACK: u16 = 0x20;
/// Severity of errors that end the connection.
const FATAL: u8 = 20;
/// Description of a result of one number that may be missing.
const NUMBER: &[u8] = b"\x81\x01\0\0\0\0\0\x01\0\x26\x04\0";
/// Description of a result of one text.
const TEXT: &[u8] = b"\x81\x01\0\0\0\0\0\x01\0\xe7\0\x01\x09\x04\xd0\0\x34\0";

/// Serves one session of a client.
pub(super) async fn serve(mut stream: TcpStream, script: &Script) -> io::Result<()> {
    loop {
        let (kind, body) = received(&mut stream).await?;
        let reply = match kind {
            PRE_LOGIN => {
                send(&mut stream, OPTIONS).await?;
                continue;
            }
            ATTENTION => {
                send(&mut stream, &done(TAKEN_BACK, 0)).await?;
                continue;
            }
            LOGIN => asked(script, LOG_IN),
            BATCH => asked(script, &statement(&body)),
            _ => return silence(stream).await,
        };
        // A client that waits no longer takes its statement back.
        if reply.said != Said::Silence {
            send(&mut stream, &answer(&reply)).await?;
        }
    }
}

/// Reads one message: its type, and the content of its packets.
async fn received(stream: &mut TcpStream) -> io::Result<(u8, Vec<u8>)> {
    let mut body = Vec::new();
    loop {
        let (kind, status) = (stream.read_u8().await?, stream.read_u8().await?);
        let length = usize::from(stream.read_u16().await?);
        stream.read_u32().await?;
        let content = message(stream, length.saturating_sub(HEAD)).await?;
        if MESSAGE_MAX < body.len().saturating_add(content.len()) {
            return Err(io::ErrorKind::FileTooLarge.into());
        }
        body.extend(content);
        if status & LAST != 0 {
            return Ok((kind, body));
        }
    }
}

/// Sends one message, in as many packets as it needs.
async fn send(stream: &mut TcpStream, body: &[u8]) -> io::Result<()> {
    let mut packets = body.chunks(CONTENT_MAX).peekable();
    while let Some(content) = packets.next() {
        let status = if packets.peek().is_none() { LAST } else { 0 };
        let length = u16::try_from(content.len().saturating_add(HEAD)).unwrap_or(u16::MAX);
        let head = [&[ANSWER, status][..], &length.to_be_bytes(), &[0; 4]].concat();
        stream.write_all(&head).await?;
        stream.write_all(content).await?;
    }
    Ok(())
}

/// Returns the statement of a batch: its text comes after headers, whose length is first.
fn statement(body: &[u8]) -> String {
    let length = body.first_chunk().map_or(0, |length| u32::from_le_bytes(*length));
    let length = usize::try_from(length).unwrap_or(usize::MAX);
    let text = body.get(length..).unwrap_or_default();
    let units =
        text.chunks_exact(2).filter_map(|pair| Some(u16::from_le_bytes(*pair.first_chunk()?)));
    String::from_utf16_lossy(&units.collect::<Vec<_>>())
}

/// Returns the tokens of an answer.
fn answer(reply: &Reply) -> Vec<u8> {
    match reply.said {
        Said::LoggedIn => [acknowledged(), done(DONE, 0)].concat(),
        Said::Redirected => [acknowledged(), routing(reply), done(DONE, 0)].concat(),
        Said::Rows => rows(reply),
        Said::Error | Said::Status(_) | Said::Silence | Said::NoAnswer(_) => {
            [error(reply), done(FAILED, 0)].concat()
        }
    }
}

/// Returns the token of a log-in that succeeded, in TDS 7.4.
fn acknowledged() -> Vec<u8> {
    let body = [&b"\x01\x74\0\0\x04"[..], &short("Microsoft SQL Server"), b"\x0c\0\x0f\xa0"];
    sized(0xad, &body.concat())
}

/// Returns the token that sends a log-in elsewhere.
fn routing(reply: &Reply) -> Vec<u8> {
    let port: u16 = reply.header("port").and_then(|port| port.parse().ok()).unwrap_or_default();
    let host = long(reply.header("host").unwrap_or_default());
    let place = [&[0][..], &port.to_le_bytes(), &host].concat();
    let body = [&[20][..], &length_of(&place).to_le_bytes(), &place, &[0; 2]].concat();
    sized(0xe3, &body)
}

/// Returns the tokens of a result of one value, or of none.
fn rows(reply: &Reply) -> Vec<u8> {
    let Some(value) = reply.header("value") else {
        return [NUMBER, &done(COUNTED, 0)].concat();
    };
    let row = match value.parse::<i32>() {
        Ok(number) => [NUMBER, b"\xd1\x04", &number.to_le_bytes()].concat(),
        Err(_) if value == "null" => [NUMBER, b"\xd1\0"].concat(),
        Err(_) => {
            let text: Vec<u8> = value.encode_utf16().flat_map(u16::to_le_bytes).collect();
            [TEXT, b"\xd1", &length_of(&text).to_le_bytes(), &text].concat()
        }
    };
    [row, done(COUNTED, 1)].concat()
}

/// Returns the token of an error, or of a failure without an answer.
fn error(reply: &Reply) -> Vec<u8> {
    let number = |name: &str| reply.header(name)?.parse::<u32>().ok();
    let small = |name: &str, otherwise| {
        number(name).and_then(|n| u8::try_from(n).ok()).unwrap_or(otherwise)
    };
    let (message, server, procedure) = match reply.said {
        Said::Error => (reply.body.clone(), "", ""),
        Said::Status(_)
        | Said::Silence
        | Said::NoAnswer(_)
        | Said::LoggedIn
        | Said::Redirected
        | Said::Rows => {
            let evidence = reply.header("evidence").unwrap_or_default();
            let cause = reply.header("cause").unwrap_or_default();
            (format!("{evidence}\n{}", reply.body), cause, NO_ANSWER)
        }
    };
    let head = [small("state", 1), small("class", FATAL)];
    let body = [
        &number("number").unwrap_or_default().to_le_bytes()[..],
        &head,
        &long(&message),
        &short(server),
        &short(procedure),
        &1_u32.to_le_bytes(),
    ];
    sized(0xaa, &body.concat())
}

/// Returns the token that ends an answer.
fn done(status: u16, rows: u64) -> Vec<u8> {
    [&[0xfd][..], &status.to_le_bytes(), &[0; 2], &rows.to_le_bytes()].concat()
}

/// Returns a token of this type with its length.
fn sized(kind: u8, body: &[u8]) -> Vec<u8> {
    [&[kind][..], &length_of(body).to_le_bytes(), body].concat()
}

fn length_of(body: &[u8]) -> u16 {
    u16::try_from(body.len()).unwrap_or(u16::MAX)
}

/// Returns a text of at most 255 characters with its length.
fn short(text: &str) -> Vec<u8> {
    let units: Vec<u16> = text.encode_utf16().take(255).collect();
    let length = u8::try_from(units.len()).unwrap_or(u8::MAX);
    [length].into_iter().chain(units.into_iter().flat_map(u16::to_le_bytes)).collect()
}

/// Returns a text with its length, cut where a token would be too long.
fn long(text: &str) -> Vec<u8> {
    let units: Vec<u16> = text.encode_utf16().take(16_000).collect();
    let length = length_of_units(&units).to_le_bytes();
    length.into_iter().chain(units.into_iter().flat_map(u16::to_le_bytes)).collect()
}

fn length_of_units(units: &[u16]) -> u16 {
    u16::try_from(units.len()).unwrap_or(u16::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statement_comes_after_the_headers_of_its_batch() {
        let text: Vec<u8> = "SELECT 1".encode_utf16().flat_map(u16::to_le_bytes).collect();
        let headers = [&22_u32.to_le_bytes()[..], &[7; 18]].concat();
        assert_eq!(statement(&[headers, text].concat()), "SELECT 1");
        for body in [&b""[..], &[255; 8]] {
            assert_eq!(statement(body), "", "{body:?}");
        }
    }

    #[tokio::test]
    async fn long_answer_is_sent_in_packets_that_are_one_message() {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let body: Vec<u8> = (0..=u8::MAX).cycle().take(CONTENT_MAX * 2 + 5).collect();
        let sending = async {
            let (mut stream, _) = listener.accept().await.unwrap();
            send(&mut stream, &body).await.unwrap();
        };
        let receiving = async {
            let mut stream = TcpStream::connect(address).await.unwrap();
            received(&mut stream).await.unwrap()
        };
        let ((), (kind, found)) = tokio::join!(sending, receiving);
        assert_eq!((kind, found == body), (ANSWER, true));
    }
}
