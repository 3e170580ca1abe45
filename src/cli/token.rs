//! `token`: a new token for the HTTP server, its hash, and the lines of the configuration.

use std::fmt::Write as _;

use anyhow::anyhow;
use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use toml_edit::Value;

use super::args::Token;
use super::error::CommandError;
use super::print::Answer;
use crate::domain::Scope;

/// Prefix of every token, by which scanners for secrets find one that was published.
const PREFIX: &str = "rvt_";
/// Number of random bytes of a token.
const RANDOM_BYTES: usize = 32;

/// Prints a token that has never been before.
pub(super) fn answer(args: &Token) -> Result<Answer, CommandError> {
    let mut random = [0; RANDOM_BYTES];
    let filled = aws_lc_rs::rand::fill(&mut random);
    filled.map_err(|_unspecified| anyhow!("the system gives no random bytes"))?;
    Ok(Answer::good(text(args, &random)?))
}

fn text(args: &Token, random: &[u8]) -> Result<String, CommandError> {
    let token = format!("{PREFIX}{}", URL_SAFE_NO_PAD.encode(random));
    let mut hash = "sha256:".to_owned();
    for byte in digest(&SHA256, token.as_bytes()).as_ref() {
        write!(hash, "{byte:02x}").map_err(anyhow::Error::new)?;
    }
    let (credential, name) = (credential(&args.name), Value::from(args.name.as_str()));
    let scope = Scope::from(args.scope);
    let file = format!("/etc/revalidated/secrets/{credential}");
    Ok(format!(
        "# The token, shown this once; its user sends it as `Authorization: Bearer ...`:\n\
         {token}\n\n\
         # Its hash, which the daemon keeps in its place:\n\
         (umask 077; echo {hash} > {file})\n\n\
         # Under [Service], by `systemctl edit revalidated`; a new credential takes a restart:\n\
         LoadCredential={credential}:{file}\n\n\
         # In the configuration:\n\
         [[http.token]]\n\
         name = {name}\n\
         scope = \"{scope}\"\n\
         hash = {{ credential = \"{credential}\" }}\n"
    ))
}

/// Returns the name of a credential for the token `name`: letters, digits and hyphens.
fn credential(name: &str) -> String {
    let plain =
        |char: char| if char.is_ascii_alphanumeric() { char.to_ascii_lowercase() } else { '-' };
    let plain: String = name.chars().map(plain).collect();
    format!("{}-token-hash", plain.trim_matches('-')).trim_start_matches('-').to_owned()
}

#[cfg(test)]
mod tests {
    use super::super::args::TokenScope;
    use super::*;
    use crate::domain::token_digest;

    fn args(name: &str) -> Token {
        Token { name: name.to_owned(), scope: TokenScope::Act }
    }

    /// Returns the line after the one that begins like this.
    fn after<'t>(text: &'t str, begin: &str) -> &'t str {
        let (_, rest) = text.split_once(begin).unwrap();
        rest.lines().nth(1).unwrap()
    }

    #[test]
    fn hash_is_that_of_the_token_and_the_lines_are_a_configuration() {
        let text = answer(&args("anna \"a\"")).unwrap().text;
        let token = after(&text, "# The token");
        assert_eq!((token.len(), token.starts_with("rvt_")), (47, true), "{token}");
        let hash = after(&text, "# Its hash").split(' ').nth(3).unwrap();
        let own = digest(&SHA256, token.as_bytes());
        assert_eq!(token_digest(hash).as_ref().map(<[u8; 32]>::as_slice), Some(own.as_ref()));
        let (_, lines) = text.split_once("# In the configuration:\n").unwrap();
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("main.toml");
        std::fs::write(&path, lines).unwrap();
        let tokens = crate::daemon::open(Some(&path)).unwrap().settings.http.tokens;
        assert_eq!((tokens[0].name.as_str(), tokens[0].scope), ("anna \"a\"", Scope::Act));
        assert!(text.contains("LoadCredential=anna--a-token-hash:"), "{text}");
    }

    #[test]
    fn every_token_is_another_one() {
        let token = || after(&answer(&args("a")).unwrap().text, "# The token").to_owned();
        assert_ne!(token(), token());
    }

    #[test]
    fn credential_has_a_plain_name() {
        for (name, expected) in [
            ("grafana", "grafana-token-hash"),
            ("On Call", "on-call-token-hash"),
            ("../x", "x-token-hash"),
            ("ü", "token-hash"),
        ] {
            assert_eq!(credential(name), expected);
        }
    }
}
