//! Bounded stream between TLS and the driver of the protocol.
//!
//! The driver collects a message until it is whole, whatever length was announced, derives a SCRAM
//! key as often as the server demands, and keeps every row. The framing is therefore parsed here first: a
//! message that exceeds a bound ends the session before the driver sees its header.

use std::io;
use std::pin::Pin;
use std::sync::{Arc, OnceLock};
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio_postgres::tls::{ChannelBinding, TlsConnect, TlsStream};

/// Longest message that is accepted, in bytes. A row of the statements sent has one column, an
/// error some hundreds of bytes.
const MESSAGE_BYTES_MAX: u32 = 64 * 1024;
/// Bytes that are accepted in one session; its statements take a few thousand.
const SESSION_BYTES_MAX: usize = 1024 * 1024;
/// Messages that are accepted in one session; its statements take a few dozen.
const SESSION_MESSAGES_MAX: usize = 4096;
/// Iterations of SCRAM that are accepted; servers ask for 4,096 by default. The driver computes all of
/// them without a pause, which no time limit could interrupt.
const SCRAM_ITERATIONS_MAX: u64 = 600_000;
/// Length of a message's header: its type, and its length without the type.
const HEADER_BYTES: usize = 5;
/// Type of the messages that ask for a password or continue SASL.
const AUTHENTICATION: u8 = b'R';
/// Kind of the authentication message that sets the parameters of SCRAM.
const SASL_CONTINUE: [u8; 4] = 11_u32.to_be_bytes();

/// Bound that a server exceeded.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub(super) enum Excess {
    /// Length of one message.
    #[error("the server announced a message of {0} bytes, more than {MESSAGE_BYTES_MAX}")]
    Message(u32),
    /// Bytes of the session.
    #[error("the server sent more than {SESSION_BYTES_MAX} bytes")]
    Bytes,
    /// Messages of the session.
    #[error("the server sent more than {SESSION_MESSAGES_MAX} messages")]
    Messages,
    /// Number of iterations of SCRAM.
    #[error("the server asked for {0} iterations of SCRAM, more than {SCRAM_ITERATIONS_MAX}")]
    Iterations(u64),
}

/// Exceeded bound of a session, kept for the classification of its failure: the driver reports an error
/// of the stream as a closed connection.
#[derive(Clone, Debug, Default)]
pub(super) struct Exceeded(Arc<OnceLock<Excess>>);

impl Exceeded {
    /// Returns the bound that was exceeded first.
    pub(super) fn get(&self) -> Option<Excess> {
        self.0.get().copied()
    }
}

/// TLS connector that bounds the streams of `inner`.
pub(super) struct BoundedTls<C> {
    /// Connector that makes the handshake.
    pub(super) inner: C,
    /// Receives the bound that is exceeded.
    pub(super) exceeded: Exceeded,
}

impl<S, C: TlsConnect<S>> TlsConnect<S> for BoundedTls<C>
where
    C::Future: Send + 'static,
    C::Error: 'static,
{
    type Stream = Bounded<C::Stream>;
    type Error = C::Error;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Stream, Self::Error>> + Send>>;

    fn connect(self, stream: S) -> Self::Future {
        let Self { inner, exceeded } = self;
        let handshake = inner.connect(stream);
        Box::pin(async move { Ok(Bounded::new(handshake.await?, exceeded)) })
    }
}

/// Stream that ends with an error at the first message beyond a bound.
pub(super) struct Bounded<S> {
    inner: S,
    framing: Framing,
    exceeded: Exceeded,
}

impl<S> Bounded<S> {
    /// Bounds a stream; the bound that is exceeded goes to `exceeded`.
    pub(super) fn new(inner: S, exceeded: Exceeded) -> Self {
        Self { inner, framing: Framing::default(), exceeded }
    }
}

/// Position in the stream of messages.
#[derive(Debug, Default)]
struct Framing {
    bytes: usize,
    messages: usize,
    /// Part of the header that has been read.
    header: Vec<u8>,
    /// Bytes of the current message that are still to come.
    missing: usize,
    /// Body of the current message when it is about authentication.
    body: Option<Vec<u8>>,
}

impl Framing {
    /// Follows the messages through `bytes`.
    fn accept(&mut self, mut bytes: &[u8]) -> Result<(), Excess> {
        self.bytes = self.bytes.saturating_add(bytes.len());
        if SESSION_BYTES_MAX < self.bytes {
            return Err(Excess::Bytes);
        }
        while !bytes.is_empty() {
            let wanted = match self.missing {
                0 => HEADER_BYTES.saturating_sub(self.header.len()),
                missing => missing,
            };
            let (part, rest) = bytes.split_at(wanted.min(bytes.len()));
            bytes = rest;
            if self.missing == 0 {
                self.header.extend_from_slice(part);
                self.begin()?;
            } else {
                self.missing -= part.len();
                if let Some(body) = &mut self.body {
                    body.extend_from_slice(part);
                }
            }
            if self.missing == 0
                && let Some(body) = self.body.take()
            {
                authentication(&body)?;
            }
        }
        Ok(())
    }

    /// Begins a message when its header is whole.
    fn begin(&mut self) -> Result<(), Excess> {
        let &[kind, a, b, c, d] = self.header.as_slice() else { return Ok(()) };
        self.header.clear();
        let length = u32::from_be_bytes([a, b, c, d]);
        if MESSAGE_BYTES_MAX < length {
            return Err(Excess::Message(length));
        }
        self.messages += 1;
        if SESSION_MESSAGES_MAX < self.messages {
            return Err(Excess::Messages);
        }
        // The length includes itself. A shorter one is left to the driver, which refuses it.
        self.missing = usize::try_from(length).unwrap_or(usize::MAX).saturating_sub(4);
        self.body = (kind == AUTHENTICATION).then(Vec::new);
        Ok(())
    }
}

/// Checks the iterations in the body of an authentication message: `r=<nonce>,s=<salt>,i=<number>`.
fn authentication(body: &[u8]) -> Result<(), Excess> {
    let Some(fields) = body.strip_prefix(&SASL_CONTINUE) else { return Ok(()) };
    let fields = String::from_utf8_lossy(fields);
    let numbers = fields.split(',').filter_map(|field| field.strip_prefix("i="));
    for number in numbers {
        // Text that is no number is left to the driver, which refuses it.
        let Ok(iterations) = number.parse() else { continue };
        if SCRAM_ITERATIONS_MAX < iterations {
            return Err(Excess::Iterations(iterations));
        }
    }
    Ok(())
}

impl<S: AsyncRead + Unpin> AsyncRead for Bounded<S> {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let Self { inner, framing, exceeded } = self.get_mut();
        let failed = |excess: Excess| Poll::Ready(Err(io::Error::other(excess)));
        if let Some(excess) = exceeded.get() {
            return failed(excess);
        }
        let before = buffer.filled().len();
        ready!(Pin::new(inner).poll_read(context, buffer))?;
        let read = buffer.filled().get(before..).unwrap_or_default();
        if let Err(excess) = framing.accept(read) {
            buffer.set_filled(before);
            return failed(*exceeded.0.get_or_init(|| excess));
        }
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Bounded<S> {
    fn poll_write(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.get_mut().inner).poll_write(context, bytes)
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().inner).poll_flush(context)
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().inner).poll_shutdown(context)
    }
}

impl<S: TlsStream + Unpin> TlsStream for Bounded<S> {
    fn channel_binding(&self) -> ChannelBinding {
        self.inner.channel_binding()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::io::AsyncReadExt;

    fn message(kind: u8, body: &[u8]) -> Vec<u8> {
        let length = u32::try_from(body.len() + 4).unwrap();
        [&[kind][..], &length.to_be_bytes(), body].concat()
    }

    fn announced(length: u32) -> Vec<u8> {
        [&[b'N'][..], &length.to_be_bytes()].concat()
    }

    fn scram(fields: &str) -> Vec<u8> {
        message(b'R', &[&SASL_CONTINUE[..], fields.as_bytes()].concat())
    }

    /// Follows `bytes`, `step` of them at a time.
    fn accepted(bytes: &[u8], step: usize) -> Result<(), Excess> {
        let mut framing = Framing::default();
        bytes.chunks(step).try_for_each(|chunk| framing.accept(chunk))
    }

    #[test]
    fn message_beyond_a_bound_is_refused_wherever_it_is_cut() {
        let row = message(b'D', &[7; 1000]);
        let table = [
            (row.repeat(1000), Ok(())),
            (row.repeat(1100), Err(Excess::Bytes)),
            (message(b'1', b"").repeat(SESSION_MESSAGES_MAX), Ok(())),
            (message(b'1', b"").repeat(SESSION_MESSAGES_MAX + 1), Err(Excess::Messages)),
            (announced(MESSAGE_BYTES_MAX), Ok(())),
            ([message(b'Z', b"I"), announced(65_537)].concat(), Err(Excess::Message(65_537))),
            (announced(u32::MAX), Err(Excess::Message(u32::MAX))),
            (scram("r=n,s=c2FsdA==,i=4096"), Ok(())),
            (scram("r=n,s=c2FsdA==,i=4294967295"), Err(Excess::Iterations(4_294_967_295))),
            (scram("r=n,s=c2FsdA==,i=many"), Ok(())),
        ];
        for (bytes, expected) in table {
            for step in [1, 3, 4096, usize::MAX] {
                assert_eq!(accepted(&bytes, step), expected, "{} bytes by {step}", bytes.len());
            }
        }
    }

    #[tokio::test]
    async fn nothing_of_an_excessive_message_reaches_the_driver() {
        let bytes = [message(b'Z', b"I"), announced(0x7fff_fff0)].concat();
        let exceeded = Exceeded::default();
        let mut stream = Bounded::new(bytes.as_slice(), exceeded.clone());
        let mut seen = Vec::new();
        assert!(stream.read_to_end(&mut seen).await.is_err());
        assert_eq!(seen, b"");
        assert_eq!(exceeded.get(), Some(Excess::Message(0x7fff_fff0)));
        assert!(stream.read_u8().await.is_err());
    }
}
