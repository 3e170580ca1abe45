//! A connection that carries a bounded number of bytes.

use std::io::{Error, ErrorKind, Result};
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// The most that is read in one session, in bytes. What is asked for takes a few thousand.
pub(super) const BYTES_MAX: usize = 1024 * 1024;

/// Beginning of the failure's text. The library makes one kind of error of another, and keeps the
/// text.
pub(super) const TOO_MUCH: &str = "the server sent more than";

/// Fails with [`ErrorKind::FileTooLarge`] when more than [`BYTES_MAX`] have been read.
#[derive(Debug)]
pub(super) struct Bounded<S> {
    inner: S,
    left: usize,
}

impl<S> Bounded<S> {
    /// Bounds what is read from `inner`.
    pub(super) const fn new(inner: S) -> Self {
        Self { inner, left: BYTES_MAX }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Bounded<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<Result<()>> {
        let before = buffer.filled().len();
        ready!(Pin::new(&mut self.inner).poll_read(context, buffer))?;
        let read = buffer.filled().len().saturating_sub(before);
        let Some(left) = self.left.checked_sub(read) else {
            buffer.set_filled(before);
            let text = format!("{TOO_MUCH} {BYTES_MAX} bytes");
            return Poll::Ready(Err(Error::new(ErrorKind::FileTooLarge, text)));
        };
        self.left = left;
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Bounded<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<Result<usize>> {
        Pin::new(&mut self.inner).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Result<()>> {
        Pin::new(&mut self.inner).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Result<()>> {
        Pin::new(&mut self.inner).poll_shutdown(context)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::io::AsyncReadExt;

    #[tokio::test]
    async fn one_byte_more_than_the_bound_is_a_failure() {
        for (sent, is_good) in [(BYTES_MAX, true), (BYTES_MAX + 1, false)] {
            let bytes = vec![0_u8; sent];
            let mut stream = Bounded::new(bytes.as_slice());
            let read = stream.read_to_end(&mut Vec::new()).await;
            assert_eq!(read.is_ok(), is_good, "{sent}");
            if let Err(error) = read {
                assert_eq!(error.kind(), ErrorKind::FileTooLarge);
            }
        }
    }
}
