//! Unix sockets: the file that the daemon makes, and those that systemd passes (socket activation).

use std::fs::{self, Metadata, Permissions};
use std::io::{self, ErrorKind};
use std::os::unix::fs::{FileTypeExt, MetadataExt, PermissionsExt};
use std::os::unix::net::{UnixListener as StdListener, UnixStream as StdStream};
use std::path::{Path, PathBuf};

use listenfd::ListenFd;
use tokio::net::UnixListener;

use crate::domain::Scope;

/// File of a socket, removed when this is dropped.
#[derive(Debug)]
pub(super) struct SocketFile {
    path: PathBuf,
    device: u64,
    inode: u64,
}

impl SocketFile {
    /// Listens at `path` with these permission bits. A socket that a process before this one has left is replaced;
    /// one that answers is not.
    ///
    /// # Errors
    ///
    /// Fails when the folder is missing or not writable, when another process listens there, and when something
    /// else than a socket is there.
    pub(super) fn bind(path: &Path, mode: u32) -> io::Result<(UnixListener, Self)> {
        refuse_other(path)?;
        // It gets its permissions before anyone can find it.
        let hidden = path.with_file_name(format!(".{}", std::process::id()));
        remove(&hidden)?;
        let listener = StdListener::bind(&hidden)?;
        let done = fs::set_permissions(&hidden, Permissions::from_mode(mode))
            .and_then(|()| fs::rename(&hidden, path))
            .and_then(|()| fs::metadata(path));
        let found = match done {
            Ok(found) => found,
            Err(error) => {
                remove(&hidden)?;
                return Err(error);
            }
        };
        let file = Self { path: path.to_owned(), device: found.dev(), inode: found.ino() };
        listener.set_nonblocking(true)?;
        Ok((UnixListener::from_std(listener)?, file))
    }

    fn is(&self, found: &Metadata) -> bool {
        (self.device, self.inode) == (found.dev(), found.ino())
    }
}

impl Drop for SocketFile {
    fn drop(&mut self) {
        // Another process may have put its own there.
        if fs::metadata(&self.path).is_ok_and(|found| self.is(&found)) {
            let _gone_or_not = fs::remove_file(&self.path);
        }
    }
}

/// Fails when `path` is in use, by a socket that answers or by something else.
fn refuse_other(path: &Path) -> io::Result<()> {
    let found = match fs::symlink_metadata(path) {
        Ok(found) => found,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(error),
    };
    if !found.file_type().is_socket() {
        return Err(io::Error::new(ErrorKind::AlreadyExists, "there is a file that is no socket"));
    }
    match StdStream::connect(path) {
        Ok(_) => Err(io::Error::new(ErrorKind::AddrInUse, "another process listens there")),
        Err(error) if error.kind() == ErrorKind::ConnectionRefused => Ok(()),
        Err(error) => Err(error),
    }
}

fn remove(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(error),
        Ok(()) | Err(_) => Ok(()),
    }
}

/// Sockets that systemd passed to this process, by their names.
#[derive(Default)]
pub(super) struct Passed {
    names: Vec<String>,
    sockets: Option<ListenFd>,
}

impl Passed {
    /// Takes over the sockets of this process; the second time there are none.
    #[expect(
        clippy::disallowed_methods,
        reason = "systemd names the sockets that it passes in the environment"
    )]
    pub(super) fn take() -> Self {
        let names = std::env::var("LISTEN_FDNAMES").unwrap_or_default();
        let sockets = ListenFd::from_env();
        let names = names.split(':').take(sockets.len()).map(str::to_owned).collect();
        Self { names, sockets: Some(sockets) }
    }

    /// Returns the names of the sockets that were not taken: those who connect to them wait in vain.
    pub(super) fn rest(self) -> Vec<String> {
        self.names.into_iter().filter(|name| !name.is_empty()).collect()
    }

    /// Takes the socket of this scope.
    ///
    /// # Errors
    ///
    /// Fails when systemd has passed none of its name, or one that is not a Unix socket.
    pub(super) fn socket(&mut self, scope: Scope) -> io::Result<UnixListener> {
        let missing = || {
            let unit = format!("revalidated-{scope}.socket");
            let text = format!("systemd has not passed {unit}; systemctl enable --now {unit}");
            io::Error::new(ErrorKind::NotFound, text)
        };
        let index = index(&self.names, scope).ok_or_else(missing)?;
        let sockets = self.sockets.as_mut().ok_or_else(missing)?;
        let listener = sockets.take_unix_listener(index)?.ok_or_else(missing)?;
        if let Some(taken) = self.names.get_mut(index) {
            taken.clear();
        }
        listener.set_nonblocking(true)?;
        UnixListener::from_std(listener)
    }
}

/// Returns the place of the socket of this scope among `names`: its name is that of the unit.
fn index(names: &[String], scope: Scope) -> Option<usize> {
    let own = format!("revalidated-{scope}");
    names.iter().position(|name| name.strip_suffix(".socket").unwrap_or(name) == own)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn socket_has_its_permissions_and_goes_with_its_owner() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("api.sock");
        let (_listener, file) = SocketFile::bind(&path, 0o640).unwrap();
        let found = fs::metadata(&path).unwrap();
        assert!(found.file_type().is_socket());
        assert_eq!(found.permissions().mode() & 0o777, 0o640);
        assert!(StdStream::connect(&path).is_ok());
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "nothing else is left");
        drop(file);
        assert!(!path.exists());
    }

    #[tokio::test]
    async fn only_a_socket_that_does_not_answer_is_replaced() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("api.sock");
        let kind = |path: &Path| SocketFile::bind(path, 0o600).map(drop).unwrap_err().kind();
        drop(StdListener::bind(&path).unwrap());
        assert!(path.exists(), "it is left behind");
        let (_listener, first) = SocketFile::bind(&path, 0o600).unwrap();
        assert_eq!(kind(&path), ErrorKind::AddrInUse);
        drop(first);
        fs::write(&path, "a file").unwrap();
        assert_eq!(kind(&path), ErrorKind::AlreadyExists);
        assert_eq!(fs::read(&path).unwrap(), b"a file");
        assert_eq!(kind(&folder.path().join("none/api.sock")), ErrorKind::NotFound);
    }

    #[tokio::test]
    async fn socket_of_a_successor_is_not_removed() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("api.sock");
        let (listener, first) = SocketFile::bind(&path, 0o600).unwrap();
        drop(listener);
        let (_listener, _second) = SocketFile::bind(&path, 0o600).unwrap();
        drop(first);
        assert!(path.exists());
    }

    #[tokio::test]
    async fn socket_that_systemd_did_not_pass_is_named() {
        let error = Passed::default().socket(Scope::Act).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::NotFound);
        assert!(error.to_string().contains("systemctl enable --now revalidated-act.socket"));
        let names = ["x", "revalidated-act", "revalidated-read.socket"].map(str::to_owned);
        assert_eq!(index(&names, Scope::Act), Some(1));
        assert_eq!(index(&names, Scope::Read), Some(2));
        assert_eq!(index(&names[..1], Scope::Read), None);
    }
}
