//! Stand-ins of a daemon at Unix sockets, which answer what a test wants.

use std::collections::BTreeMap;
use std::path::PathBuf;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::UnixListener;
use tokio::task::AbortHandle;

use super::ask::Sockets;

/// Folder with the sockets.
pub(super) struct Place(tempfile::TempDir);

impl Place {
    /// New folder without a socket.
    pub(super) fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    /// Returns a path in the folder.
    pub(super) fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// Serves answers at a socket, each to its target, until the handle is used; every other target is unknown.
    pub(super) fn serve(&self, name: &str, answers: &[(&str, u16, &str)]) -> AbortHandle {
        let listener = UnixListener::bind(self.path(name)).unwrap();
        let owned = |&(target, status, body): &(&str, u16, &str)| {
            (target.to_owned(), (status, body.to_owned()))
        };
        let answers: BTreeMap<_, _> = answers.iter().map(owned).collect();
        let unknown = (404, r#"{"detail":"unknown"}"#.to_owned());
        let serving = tokio::spawn(async move {
            loop {
                let (mut stream, _) = listener.accept().await.unwrap();
                let mut head = [0; 4096];
                let read = stream.read(&mut head).await.unwrap();
                let head = String::from_utf8_lossy(&head[..read]);
                let target = head.split(' ').nth(1).unwrap();
                let (status, body) = answers.get(target).unwrap_or(&unknown);
                let length = body.len();
                let answer = format!(
                    "HTTP/1.1 {status} X\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n{body}"
                );
                // A reader that wants less than it is sent has gone by now.
                let _cut = stream.write_all(answer.as_bytes()).await;
            }
        });
        serving.abort_handle()
    }

    /// Sockets of these names; one at which nothing is served has no daemon.
    pub(super) fn sockets(&self, names: &[&str]) -> Sockets {
        Sockets::at(names.iter().map(|name| self.path(name)).collect())
    }
}
