//! Reads secret references at the moment of use, so that rotation needs no restart.

mod unit;

use std::cell::RefCell;
use std::path::{Path, PathBuf};

use tokio::task_local;

use crate::blocking::{self, ReadError};
use crate::domain::{Secret, SecretRef};

task_local! {
    /// Secrets of a run that were read and not used yet, by file.
    static AHEAD: RefCell<Vec<(PathBuf, Secret)>>;
}

/// Largest secret that is read, in bytes.
const SECRET_BYTES_MAX: usize = 64 * 1024;

/// Reason for which a secret cannot be read; never shows its value.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SecretError {
    /// The file cannot be read.
    #[error("secret file {path} cannot be read: {reason}")]
    File {
        /// Path of the file.
        path: PathBuf,
        /// Reason that the system gives.
        reason: String,
    },
    /// The environment variable is not set.
    #[error("environment variable {0}, which holds a secret, is not set")]
    Env(String),
    /// There is no credentials directory.
    #[error("credential {name} can be read by the service alone; by hand, run this as `{line}`")]
    NoCredentials {
        /// Name of the credential.
        name: String,
        /// Command line that has it.
        line: String,
    },
    /// The place of the secret exists and holds nothing.
    #[error("the secret in {0} is empty")]
    Empty(String),
}

/// Place of a secret, as far as that decides whether reading it may block.
enum Place<'r> {
    /// Memory: the reference itself, or the environment.
    Memory(Secret),
    /// File, which may hang.
    File(std::borrow::Cow<'r, Path>),
}

/// Reads the secret that `reference` points to, without a line end.
///
/// # Errors
///
/// Names the file, variable or credential that cannot be read; a file that does not answer within
/// [`READ_TIMEOUT`](blocking::READ_TIMEOUT) is one of them.
pub(crate) async fn resolve(reference: &SecretRef) -> Result<Secret, SecretError> {
    match place(reference)? {
        Place::Memory(secret) => Ok(secret),
        Place::File(path) => match read_ahead(&path) {
            Some(secret) => Ok(secret),
            None => from_file(&path, blocking::read(&path, SECRET_BYTES_MAX).await),
        },
    }
}

/// Reads as [`resolve`] does, before it is known whether the secret is used: within [`of_run`] the next
/// [`resolve`] of the same file returns what was read here, and reads nothing.
///
/// # Errors
///
/// Those of [`resolve`].
pub(crate) async fn resolve_ahead(reference: &SecretRef) -> Result<Secret, SecretError> {
    let secret = resolve(reference).await?;
    if let Place::File(path) = place(reference)? {
        let kept = (path.into_owned(), secret.clone());
        // Outside a run there is nothing that could use it.
        let _outside = AHEAD.try_with(|ahead| ahead.borrow_mut().push(kept));
    }
    Ok(secret)
}

/// Runs `work` as one run, which [`resolve_ahead`] is about.
pub(crate) async fn of_run<T>(work: impl Future<Output = T>) -> T {
    AHEAD.scope(RefCell::default(), work).await
}

/// Takes the secret in `path` that was read ahead and not used yet.
fn read_ahead(path: &Path) -> Option<Secret> {
    let taken = AHEAD.try_with(|ahead| {
        let mut ahead = ahead.borrow_mut();
        let at = ahead.iter().position(|(known, _)| known == path)?;
        Some(ahead.swap_remove(at).1)
    });
    taken.ok().flatten()
}

/// Reads as [`resolve`] does and blocks the thread meanwhile, while a configuration is read.
///
/// # Errors
///
/// Those of [`resolve`].
pub(crate) fn resolve_now(reference: &SecretRef) -> Result<Secret, SecretError> {
    match place(reference)? {
        Place::Memory(secret) => Ok(secret),
        Place::File(path) => from_file(&path, blocking::read_now(&path, SECRET_BYTES_MAX)),
    }
}

/// Returns the problem of a credential that the service's unit on this machine does not give it.
pub(crate) fn unknown_credential(name: &str) -> Option<String> {
    unit::unknown_credential(name)
}

/// Returns the line that the unit on this machine lacks for writing in `folder`; none without a unit, or when it is
/// writable by it.
pub(crate) fn unwritable_by_unit(folder: &Path) -> Option<String> {
    unit::unwritable(folder)
}

fn place(reference: &SecretRef) -> Result<Place<'_>, SecretError> {
    Ok(match reference {
        SecretRef::Literal(secret) => Place::Memory(secret.clone()),
        SecretRef::Env(name) => Place::Memory(from_env(name)?),
        SecretRef::File(path) => Place::File(path.into()),
        SecretRef::Credential(name) => Place::File(credential(name)?.into()),
    })
}

/// Returns the file of a credential: of this process, else of the running service.
fn credential(name: &str) -> Result<PathBuf, SecretError> {
    if let Some(folder) = variable("CREDENTIALS_DIRECTORY") {
        return Ok(Path::new(&folder).join(name));
    }
    unit::service_credential(name).ok_or_else(|| {
        let line = unit::command_line(name, std::env::args());
        SecretError::NoCredentials { name: name.to_owned(), line }
    })
}

fn from_file(path: &Path, read: Result<Vec<u8>, ReadError>) -> Result<Secret, SecretError> {
    let fault = |reason: String| SecretError::File { path: path.to_owned(), reason };
    let bytes = read.map_err(|error| fault(error.to_string()))?;
    // The library's error would hold the bytes.
    let text = String::from_utf8(bytes).map_err(|_shown| fault("it is not text".to_owned()))?;
    trimmed(text, || path.display().to_string())
}

fn from_env(name: &str) -> Result<Secret, SecretError> {
    let text = variable(name).ok_or_else(|| SecretError::Env(name.to_owned()))?;
    trimmed(text, || format!("environment variable {name}"))
}

fn trimmed(mut text: String, place: impl Fn() -> String) -> Result<Secret, SecretError> {
    text.truncate(text.trim_end_matches(['\n', '\r']).len());
    if text.is_empty() { Err(SecretError::Empty(place())) } else { Ok(Secret::new(text)) }
}

#[expect(
    clippy::disallowed_methods,
    reason = "the place where secrets are read from the environment"
)]
fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    #[tokio::test]
    async fn file_is_read_anew_and_without_the_line_end() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("password");
        let reference = SecretRef::File(path.clone());
        let missing = resolve(&reference).await.unwrap_err().to_string();
        assert!(missing.contains("password cannot be read: No such file"), "{missing}");
        fs::write(&path, "one\n").unwrap();
        assert_eq!(resolve(&reference).await.unwrap().expose(), "one");
        fs::write(&path, "two\r\n").unwrap();
        assert_eq!(resolve(&reference).await.unwrap().expose(), "two");
        fs::write(&path, "\n").unwrap();
        assert!(matches!(resolve_now(&reference), Err(SecretError::Empty(_))));
        fs::write(&path, "x".repeat(70_000)).unwrap();
        assert!(
            resolve(&reference).await.unwrap_err().to_string().contains("larger than 65536 bytes")
        );
    }

    #[tokio::test]
    async fn secret_that_was_read_ahead_is_used_once_and_then_read_anew() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("password");
        let reference = SecretRef::File(path.clone());
        let read = async |ahead: bool| {
            let read =
                if ahead { resolve_ahead(&reference).await } else { resolve(&reference).await };
            read.unwrap().expose().to_owned()
        };
        fs::write(&path, "one").unwrap();
        of_run(async {
            assert_eq!(read(true).await, "one");
            fs::write(&path, "two").unwrap();
            assert_eq!(read(false).await, "one");
            assert_eq!(read(false).await, "two");
            assert_eq!(read(true).await, "two");
            fs::write(&path, "three").unwrap();
        })
        .await;
        // Another run, and what belongs to none, read for themselves.
        of_run(async { assert_eq!(read(false).await, "three") }).await;
        assert_eq!(read(true).await, "three");
        fs::write(&path, "four").unwrap();
        assert_eq!(read(false).await, "four");
    }

    #[test]
    fn missing_secret_is_named_by_its_source() {
        let fault = |reference| resolve_now(&reference).unwrap_err().to_string();
        let text = fault(SecretRef::Env("REVALIDATED_NO_SUCH".to_owned()));
        assert_eq!(
            text,
            "environment variable REVALIDATED_NO_SUCH, which holds a secret, is not set"
        );
        assert!(fault(SecretRef::Credential("w".to_owned())).contains("LoadCredential="));
    }
}
