//! `webhook test`: sends a message to a receiver now and shows its answer.

use anyhow::Context as _;

use super::args::{Global, WebhookTest};
use super::error::CommandError;
use super::print::{Answer, End, Screen, Tone, sanitise, toned};
use super::receivers;
use crate::daemon;
use crate::domain::{AttemptResult, duration_text};
use crate::view::Pinged;
use crate::webhook::Sender;

/// Sends a signed `webhook.ping`, and fails when it is not answered by 2xx. Nothing is stored.
pub(super) async fn answer(
    global: &Global,
    args: &WebhookTest,
    screen: Screen,
) -> Result<Answer, CommandError> {
    let assembly = daemon::open(global.config.as_deref())?;
    let found = assembly.receivers.iter().find(|one| one.name == args.receiver);
    let Some(receiver) = found else {
        let known: Vec<_> = assembly.receivers.iter().map(|one| one.name.as_str()).collect();
        return Err(receivers::unknown(&args.receiver, &known));
    };
    let sender = Sender::new(receiver.clone()).context("the receiver cannot be used")?;
    let (id, sent) = sender.ping(screen.now).await.context("making the message")?;
    let code = match sent.result {
        AttemptResult::Answered { code, .. } => Some(code),
        AttemptResult::Unreachable | AttemptResult::Unsendable => None,
    };
    let pinged = Pinged::new(&receiver.name, &id, code, sent.duration, &sent.detail);
    let answer = if args.form.json { Answer::json(&pinged)? } else { Answer::good(text(&pinged)) };
    Ok(Answer { end: End::success_if(pinged.delivered), ..answer })
}

fn text(pinged: &Pinged<'_>) -> String {
    let word = if pinged.delivered {
        toned("delivered", Tone::Good)
    } else {
        toned("not delivered", Tone::Bad)
    };
    let code = pinged.code.map_or("no answer".to_owned(), |code| code.to_string());
    let took = duration_text(pinged.duration());
    let detail = match pinged.detail {
        "" => String::new(),
        said => format!(": {}", sanitise(said)),
    };
    format!("{}: {word}, {code} after {took}{detail}\n", sanitise(pinged.receiver))
}

#[cfg(test)]
mod tests {
    use super::super::samples::plain;
    use super::*;

    #[test]
    fn status_duration_and_answer_are_shown() {
        let pinged = |code, detail| {
            let took = std::time::Duration::from_millis(40);
            plain(&text(&Pinged::new("on-call", "evt_1", code, took, detail)))
        };
        assert_eq!(pinged(Some(204), ""), "on-call: delivered, 204 after 40ms\n");
        let expected = "on-call: not delivered, no answer after 40ms: no connection\\u{1b}\n";
        assert_eq!(pinged(None, "no connection\u{1b}"), expected);
    }
}
