//! Servers and options for tests of HTTP clients.

use std::net::SocketAddr;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

use super::HttpOptions;

/// Sends `answer` over every connection; an empty one keeps the connection silent.
pub(super) async fn serve(answer: Vec<u8>) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let answer = answer.clone();
            tokio::spawn(async move {
                let mut head = [0; 4096];
                let _read = stream.read(&mut head).await;
                if answer.is_empty() {
                    std::future::pending::<()>().await;
                }
                let _sent = stream.write_all(&answer).await;
            });
        }
    });
    address
}

/// Returns options with time limits of 300 ms.
pub(super) fn quick() -> HttpOptions {
    let limit = Duration::from_millis(300);
    HttpOptions { connect_timeout: limit, total_timeout: limit, ..HttpOptions::default() }
}
