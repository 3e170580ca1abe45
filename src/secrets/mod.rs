//! Reads secret references at the moment of use, so that rotation needs no restart.

use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};

use crate::domain::{Secret, SecretRef};

/// The largest secret that is read, in bytes.
const SECRET_BYTES_MAX: u64 = 64 * 1024;

/// A secret could not be read; never shows its value.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SecretError {
    /// The file cannot be read.
    #[error("secret file {path} cannot be read: {reason}")]
    File {
        /// Which file.
        path: PathBuf,
        /// Why.
        reason: String,
    },
    /// The environment variable is not set.
    #[error("environment variable {0}, which holds a secret, is not set")]
    Env(String),
    /// There is no credentials directory.
    #[error(
        "credential {0} cannot be read: CREDENTIALS_DIRECTORY is not set; use LoadCredential= in the systemd unit"
    )]
    NoCredentials(String),
    /// The secret is there and empty.
    #[error("the secret in {0} is empty")]
    Empty(String),
}

/// Reads what `reference` points to, without a line end.
///
/// # Errors
///
/// Says which file, variable or credential could not be read and why.
pub(crate) fn resolve(reference: &SecretRef) -> Result<Secret, SecretError> {
    match reference {
        SecretRef::Literal(secret) => Ok(secret.clone()),
        SecretRef::File(path) => from_file(path),
        SecretRef::Env(name) => from_env(name),
        SecretRef::Credential(name) => {
            let dir = variable("CREDENTIALS_DIRECTORY")
                .ok_or_else(|| SecretError::NoCredentials(name.clone()))?;
            from_file(&Path::new(&dir).join(name))
        }
    }
}

fn from_file(path: &Path) -> Result<Secret, SecretError> {
    let fault = |reason: String| SecretError::File { path: path.to_owned(), reason };
    let file = fs::File::open(path).map_err(|error| fault(error.to_string()))?;
    let mut text = String::new();
    file.take(SECRET_BYTES_MAX + 1)
        .read_to_string(&mut text)
        .map_err(|error| fault(error.to_string()))?;
    if SECRET_BYTES_MAX < u64::try_from(text.len()).unwrap_or(u64::MAX) {
        return Err(fault(format!("it is larger than {SECRET_BYTES_MAX} bytes")));
    }
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

    #[test]
    fn files_are_read_anew_and_without_the_line_end() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("password");
        let reference = SecretRef::File(path.clone());
        let missing = resolve(&reference).unwrap_err().to_string();
        assert!(missing.contains("password cannot be read: No such file"), "{missing}");
        fs::write(&path, "one\n").unwrap();
        assert_eq!(resolve(&reference).unwrap().expose(), "one");
        fs::write(&path, "two\r\n").unwrap();
        assert_eq!(resolve(&reference).unwrap().expose(), "two");
        fs::write(&path, "\n").unwrap();
        assert!(matches!(resolve(&reference), Err(SecretError::Empty(_))));
        fs::write(&path, "x".repeat(70_000)).unwrap();
        assert!(resolve(&reference).unwrap_err().to_string().contains("larger than 65536 bytes"));
    }

    #[test]
    fn what_is_not_there_is_named() {
        let fault = |reference| resolve(&reference).unwrap_err().to_string();
        let text = fault(SecretRef::Env("REVALIDATED_NO_SUCH".to_owned()));
        assert_eq!(
            text,
            "environment variable REVALIDATED_NO_SUCH, which holds a secret, is not set"
        );
        assert!(fault(SecretRef::Credential("w".to_owned())).contains("LoadCredential="));
    }
}
