//! TLS inside of pre-login packets, as TDS 7.4 has it (MS-TDS 2.2.6.5).
//!
//! The wrapper of Microsoft's mock server sends tabular results (type 4), which clients other than
//! Microsoft's refuse; servers in the field send pre-login packets (type 18), and so does this.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex, split};
use tokio::net::TcpStream;

const PRE_LOGIN: u8 = 18;
const HEADER: usize = 8;
const PAYLOAD_MAX: usize = 4096 - HEADER;

/// Returns the stream that TLS runs on; tasks of its own read and write `stream` from now on.
pub fn unwrapped(stream: TcpStream) -> DuplexStream {
    let (near, far) = duplex(64 * 1024);
    let (mut from_client, mut to_client) = stream.into_split();
    let (mut from_server, mut to_server) = split(far);
    let raw = Arc::new(AtomicBool::new(false));
    let is_raw = Arc::clone(&raw);
    tokio::spawn(async move {
        let mut bytes = [0; 4096];
        loop {
            if is_raw.load(Ordering::Acquire) {
                let count = from_client.read(&mut bytes).await?;
                if count == 0 {
                    return to_server.shutdown().await;
                }
                to_server.write_all(&bytes[..count]).await?;
                continue;
            }
            let first = from_client.read_u8().await?;
            if first != PRE_LOGIN {
                is_raw.store(true, Ordering::Release);
                to_server.write_all(&[first]).await?;
                continue;
            }
            let mut rest = [0; HEADER - 1];
            from_client.read_exact(&mut rest).await?;
            let length = usize::from(u16::from_be_bytes([rest[1], rest[2]]));
            let mut payload = vec![0; length.saturating_sub(HEADER)];
            from_client.read_exact(&mut payload).await?;
            to_server.write_all(&payload).await?;
        }
        #[allow(unreachable_code)]
        io::Result::Ok(())
    });
    tokio::spawn(async move {
        let mut bytes = [0; PAYLOAD_MAX];
        loop {
            let count = from_server.read(&mut bytes).await?;
            if count == 0 {
                return to_client.shutdown().await;
            }
            if !raw.load(Ordering::Acquire) {
                let length = u16::try_from(count + HEADER).expect("fits a packet");
                let [high, low] = length.to_be_bytes();
                to_client.write_all(&[PRE_LOGIN, 1, high, low, 0, 0, 1, 0]).await?;
            }
            to_client.write_all(&bytes[..count]).await?;
        }
        #[allow(unreachable_code)]
        io::Result::Ok(())
    });
    near
}
