//! `webhook test`: sends a message to a receiver now and shows what it answers.

use anyhow::Context as _;
use serde::Serialize;

use super::args::{Global, WebhookTest};
use super::print::{Answer, End, Screen, Tone, millis, sanitise, toned};
use super::{Trouble, receivers};
use crate::daemon;
use crate::domain::{AttemptResult, duration_text};
use crate::webhook::Sender;

/// What came of it, as programs get it.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Pinged<'a> {
    receiver: &'a str,
    webhook_id: &'a str,
    delivered: bool,
    code: Option<u16>,
    duration_ms: u64,
    detail: &'a str,
}

/// Sends a signed `webhook.ping`, and fails when it is not answered by 2xx. Nothing is stored.
pub(super) async fn answer(
    global: &Global,
    args: &WebhookTest,
    screen: Screen,
) -> Result<Answer, Trouble> {
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
        AttemptResult::Unreachable => None,
    };
    let pinged = Pinged {
        receiver: &receiver.name,
        webhook_id: &id,
        delivered: matches!(code, Some(200..=299)),
        code,
        duration_ms: millis(sent.duration),
        detail: &sent.detail,
    };
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
    let took = duration_text(std::time::Duration::from_millis(pinged.duration_ms));
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
        let good = Pinged {
            receiver: "on-call",
            webhook_id: "evt_1",
            delivered: true,
            code: Some(204),
            duration_ms: 40,
            detail: "",
        };
        assert_eq!(plain(&text(&good)), "on-call: delivered, 204 after 40ms\n");
        let refused =
            Pinged { delivered: false, code: None, detail: "no connection\u{1b}", ..good };
        let expected = "on-call: not delivered, no answer after 40ms: no connection\\u{1b}\n";
        assert_eq!(plain(&text(&refused)), expected);
    }
}
