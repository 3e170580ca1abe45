//! HTTP over a Unix socket of this machine.

use std::path::Path;
use std::time::Duration;

use super::{HttpOptions, client, read_capped};

/// Longest wait for a connection: another process of this machine accepts it.
const CONNECT_MAX: Duration = Duration::from_secs(1);

/// Server at a Unix socket.
#[derive(Clone, Debug)]
pub(crate) struct Local(reqwest::Client);

impl Local {
    /// Server at a socket, each answer of which may take so long; none without a client.
    pub(crate) fn at(socket: &Path, answer_max: Duration) -> Option<Self> {
        let options = HttpOptions {
            connect_timeout: CONNECT_MAX,
            total_timeout: answer_max,
            socket: Some(socket.to_owned()),
            ..HttpOptions::default()
        };
        client(&options).ok().map(Self)
    }

    /// Returns status and body of a `GET`, of at most so many bytes; none when nothing answers.
    pub(crate) async fn get(&self, target: &str, bytes_max: usize) -> Option<(u16, Vec<u8>)> {
        let response = self.0.get(format!("http://localhost{target}")).send().await.ok()?;
        let status = response.status().as_u16();
        Some((status, read_capped(response, bytes_max).await.ok()?))
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::net::UnixListener;

    use super::*;

    #[tokio::test]
    async fn server_at_a_socket_is_asked_within_bounds() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.sock");
        let listener = UnixListener::bind(&path).unwrap();
        tokio::spawn(async move {
            loop {
                let (mut stream, _) = listener.accept().await.unwrap();
                let mut head = [0; 1024];
                let read = stream.read(&mut head).await.unwrap();
                assert!(head[..read].starts_with(b"GET /a?b=c HTTP/1.1\r\n"));
                let answer =
                    b"HTTP/1.1 404 No\r\ncontent-length: 3\r\nconnection: close\r\n\r\nabc";
                stream.write_all(answer).await.unwrap();
            }
        });
        let local = Local::at(&path, Duration::from_secs(20)).unwrap();
        assert_eq!(local.get("/a?b=c", 3).await, Some((404, b"abc".to_vec())));
        assert_eq!(local.get("/a?b=c", 2).await, None, "the body is longer");
        let nowhere = Local::at(&folder.path().join("b.sock"), Duration::from_secs(20)).unwrap();
        assert_eq!(nowhere.get("/", 9).await, None);
    }
}
