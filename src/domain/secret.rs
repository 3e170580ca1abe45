//! Secrets that cannot be printed, and references that say where one is kept.

use std::fmt;
use std::path::PathBuf;

use secrecy::{ExposeSecret, SecretString};

/// What stands wherever a secret would.
pub(crate) const REDACTED: &str = "[REDACTED]";

/// A secret value: wiped when dropped, never printed, never serialised.
#[derive(Clone)]
pub(crate) struct Secret(SecretString);

impl Secret {
    /// Takes over `value`.
    pub(crate) fn new(value: String) -> Self {
        Self(value.into())
    }

    /// The value, for the one call that needs it.
    pub(crate) fn expose(&self) -> &str {
        self.0.expose_secret()
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(REDACTED)
    }
}

/// Where a secret is kept; read anew at every use, so that rotation needs no restart.
#[derive(Clone, Debug)]
pub(crate) enum SecretRef {
    /// The value stands in the configuration itself.
    Literal(Secret),
    /// The whole content of this file, without the line end.
    File(PathBuf),
    /// The value of this environment variable.
    Env(String),
    /// The file of this name in systemd's credentials directory.
    Credential(String),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_not_printed() {
        let secret = Secret::new("hunter2".to_owned());
        assert_eq!(
            format!("{secret:?} {:?}", SecretRef::Literal(secret.clone())),
            "[REDACTED] Literal([REDACTED])"
        );
        assert_eq!(secret.expose(), "hunter2");
    }
}
