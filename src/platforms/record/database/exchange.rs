//! Parts that both protocols share: questions to the script, messages of bounded length, silence.

use std::io;

use tokio::io::{AsyncRead, AsyncReadExt as _, copy, sink};

use crate::domain::Class;
use crate::net::tape::{Asked, SQL};
use crate::platforms::record::case::{Reply, Said};
use crate::platforms::record::script::Script;

/// Longest message that is read, in bytes.
pub(super) const MESSAGE_MAX: usize = 1024 * 1024;
/// Text of the question that a log-in is.
pub(super) const LOG_IN: &str = "log-in";

/// Returns the recorded answer to a log-in or a statement.
pub(super) fn asked(script: &Script, text: &str) -> Reply {
    let reply = script.reply(Asked { method: SQL, target: text, body: "" });
    reply.unwrap_or_else(|| {
        Reply::of(Said::NoAnswer(Class::Unavailable), "no answer is recorded".to_owned())
    })
}

/// Reads what the client still sends, until it hangs up.
pub(super) async fn silence(mut stream: impl AsyncRead + Unpin) -> io::Result<()> {
    copy(&mut stream, &mut sink()).await.map(|_bytes| ())
}

/// Reads a message of `length` bytes.
pub(super) async fn message(
    stream: &mut (impl AsyncRead + Unpin),
    length: usize,
) -> io::Result<Vec<u8>> {
    if MESSAGE_MAX < length {
        return Err(io::ErrorKind::FileTooLarge.into());
    }
    let mut bytes = vec![0; length];
    stream.read_exact(&mut bytes).await?;
    Ok(bytes)
}
