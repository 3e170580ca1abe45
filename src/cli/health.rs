//! `health`: asks the running daemon whether it is well, for supervisors of containers.

use anyhow::anyhow;

use super::args::{Global, Health, Source};
use super::ask::Sockets;
use super::error::CommandError;
use super::print::{Answer, End, sanitise};
use super::read;
use crate::config;

/// Asks the daemon at its socket, and prints its answer.
pub(super) async fn answer(global: &Global, args: Health) -> Result<Answer, CommandError> {
    let settings = match config::load_settings(global.config.as_deref()) {
        Ok(settings) => settings,
        Err(_faulty) => read::partly(global, |_all| true)?.settings,
    };
    let sockets = Sockets::of(&Source { store: None }, Some(&settings));
    judged(sockets.reply(if args.live { "/healthz" } else { "/readyz" }).await)
}

/// Returns the output for an answer of the interface, where there is one.
fn judged(reply: Option<(u16, Vec<u8>)>) -> Result<Answer, CommandError> {
    let (status, body) = reply.ok_or_else(|| {
        unwell("the daemon does not answer at a socket; `[http] listen` must name one".to_owned())
    })?;
    let text = String::from_utf8_lossy(&body);
    let text = sanitise(text.trim());
    if status == 200 {
        return Ok(Answer::good(format!("{text}\n")));
    }
    Err(unwell(format!("the daemon answers {status}: {text}")))
}

fn unwell(why: String) -> CommandError {
    CommandError::Ended(End::Failure, anyhow!(why))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answer_of_the_daemon_is_the_outcome() {
        let good = judged(Some((200, b"ready\n".to_vec()))).unwrap();
        assert_eq!((good.text.as_str(), good.end), ("ready\n", End::Success));
        let table = [
            (None, "`[http] listen` must name one"),
            (
                Some((503, b"{\"detail\": \"still\x1b\"}".to_vec())),
                "answers 503: {\"detail\": \"still",
            ),
        ];
        for (reply, expected) in table {
            let error = judged(reply).unwrap_err();
            assert_eq!(error.end(), End::Failure);
            assert!(error.text().contains(expected), "{}", error.text());
            assert!(!error.text().contains('\x1b'), "{}", error.text());
        }
    }
}
