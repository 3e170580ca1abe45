//! Secrets that cannot be printed, and references that say where one is kept.

use std::fmt;
use std::path::PathBuf;

use secrecy::{ExposeSecret, SecretString};

/// Text that replaces a secret wherever one would be shown.
pub(crate) const REDACTED: &str = "[REDACTED]";

/// Secret value: wiped when dropped, never printed, never serialised.
#[derive(Clone)]
pub(crate) struct Secret(SecretString);

impl Secret {
    /// Returns `value` as a secret.
    pub(crate) fn new(value: String) -> Self {
        Self(value.into())
    }

    /// Returns the value, for the one call that needs it.
    pub(crate) fn expose(&self) -> &str {
        self.0.expose_secret()
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(REDACTED)
    }
}

/// Reference to a secret, which is read at every use, so that a rotation needs no restart.
#[derive(Clone, Debug)]
pub(crate) enum SecretRef {
    /// Value in the configuration itself.
    Literal(Secret),
    /// Whole content of this file, without the line end.
    File(PathBuf),
    /// Value of this environment variable.
    Env(String),
    /// File of this name in systemd's credentials directory.
    Credential(String),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secret_is_not_printed() {
        let secret = Secret::new("hunter2".to_owned());
        assert_eq!(
            format!("{secret:?} {:?}", SecretRef::Literal(secret.clone())),
            "[REDACTED] Literal([REDACTED])"
        );
        assert_eq!(secret.expose(), "hunter2");
    }
}
