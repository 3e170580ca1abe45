//! `webhook test`: sends a message to a receiver now and shows its answer.

use anyhow::Context as _;

use super::args::{Global, WebhookTest};
use super::error::CommandError;
use super::print::{Answer, End, Screen, Tone, sanitise, toned};
use super::{read, receivers};
use crate::domain::{AttemptResult, EventType, Format, PageUrl, duration_text};
use crate::view::Pinged;
use crate::webhook::{Receiver, Sender};

/// Sends a signed test message, and fails when it is not answered by 2xx. Nothing is stored.
pub(super) async fn answer(
    global: &Global,
    args: &WebhookTest,
    screen: Screen,
) -> Result<Answer, CommandError> {
    let is_asked = |one: &Receiver| one.name == args.receiver;
    let assembly = read::partly(global, |all| all.receivers.iter().any(is_asked))?;
    let found = assembly.receivers.iter().find(|one| one.name == args.receiver);
    let Some(receiver) = found else {
        let known: Vec<_> = assembly.receivers.iter().map(|one| one.name.as_str()).collect();
        return Err(receivers::unknown(&args.receiver, &known));
    };
    let sender = Sender::new(receiver.clone()).context("the receiver cannot be used")?;
    let page = PageUrl::of(&assembly.settings.http);
    let sent = sender.test(args.kind, screen.now, page.as_ref()).await;
    let (id, sent) = sent.context("making the message")?;
    let code = match sent.result {
        AttemptResult::Answered { code, .. } => Some(code),
        AttemptResult::Unreachable | AttemptResult::Unsendable => None,
    };
    let pinged = Pinged::new(&receiver.name, args.kind, code, sent.duration, &sent.detail);
    let pinged = pinged.under(&id);
    let answer = if args.form.json { Answer::json(&pinged)? } else { Answer::good(text(&pinged)) };
    let note = note(receiver, args.kind, pinged.delivered);
    Ok(Answer { end: End::success_if(pinged.delivered), note, ..answer })
}

/// Returns what follows from the message: an incident that is open now, or that the daemon would send none.
fn note(receiver: &Receiver, kind: EventType, is_delivered: bool) -> String {
    let format = receiver.format;
    let mut notes = Vec::new();
    if !format.takes(kind) {
        let other = EventType::ValidationFailed.as_str();
        notes.push(format!("The format has no place for it; `--event {other}` has one."));
    } else if kind != EventType::WebhookPing && !receiver.subscription.wants_kind(kind) {
        notes.push("The receiver does not subscribe to it: the daemon sends it none.".to_owned());
    }
    let keeps_open = matches!(format, Format::PagerDuty | Format::Alertmanager) && is_delivered;
    if let Some(end) = end_of(kind).filter(|_| keeps_open) {
        notes.push(format!("It has opened an incident there; `--event {}` ends it.", end.as_str()));
    }
    notes.iter().flat_map(|note| [note.as_str(), "\n"]).collect()
}

/// Returns the type that ends what `kind` begins.
const fn end_of(kind: EventType) -> Option<EventType> {
    match kind {
        EventType::ValidationFailed
        | EventType::ValidationReminder
        | EventType::FlappingStarted => Some(EventType::ValidationRecovered),
        EventType::Outage => Some(EventType::OutageResolved),
        EventType::DaemonDegraded => Some(EventType::DaemonRecovered),
        EventType::ValidationRecovered
        | EventType::StatusChanged
        | EventType::ValidationWarning
        | EventType::FlappingEnded
        | EventType::ConfigurationApplied
        | EventType::OutageResolved
        | EventType::DaemonRecovered
        | EventType::ReceiverDisabled
        | EventType::WebhookPing => None,
    }
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
    let (receiver, kind) = (sanitise(pinged.receiver), pinged.kind);
    format!("{receiver}: {kind} {word}, {code} after {took}{detail}\n")
}

#[cfg(test)]
mod tests {
    use super::super::samples::plain;
    use super::*;

    #[test]
    fn status_duration_and_answer_are_shown() {
        let pinged = |code, detail| {
            let took = std::time::Duration::from_millis(40);
            plain(&text(&Pinged::new("on-call", EventType::WebhookPing, code, took, detail)))
        };
        assert_eq!(pinged(Some(204), ""), "on-call: webhook.ping delivered, 204 after 40ms\n");
        let expected =
            "on-call: webhook.ping not delivered, no answer after 40ms: no connection\\u{1b}\n";
        assert_eq!(pinged(None, "no connection\u{1b}"), expected);
    }

    fn receiver(format: &str, events: &[&str]) -> Receiver {
        use crate::input::{Faults, Reader, Value};
        let key = (format == "pagerduty").then_some("R0ut1ngKey0123456789abcdef012345");
        let table = serde_json::json!({
            "name": "on-call", "url": "https://hooks.example.com/", "format": format,
            "events": events, "routing_key": key,
        });
        let value = Value::from_json(&table, &"test".into());
        let faults = Faults::default();
        Receiver::parse(Reader::new(&value, "receiver[0]", &faults).unwrap()).unwrap()
    }

    #[test]
    fn note_says_whether_an_incident_is_open_there() {
        let failed = EventType::ValidationFailed;
        let all: &[&str] = &["*"];
        let ends = "It has opened an incident there; `--event integration.validation.recovered` ends it.\n";
        let none = "The receiver does not subscribe to it: the daemon sends it none.\n";
        let no_place =
            "The format has no place for it; `--event integration.validation.failed` has one.\n";
        let table = [
            ("slack", all, failed, true, ""),
            ("pagerduty", all, failed, true, ends),
            ("pagerduty", all, failed, false, ""),
            ("pagerduty", all, EventType::WebhookPing, false, no_place),
            ("alertmanager", all, EventType::ValidationRecovered, true, ""),
            ("slack", &["daemon.*"], failed, true, none),
            ("slack", &["daemon.*"], EventType::WebhookPing, true, ""),
            ("slack", all, EventType::StatusChanged, true, none),
        ];
        for (format, events, kind, is_delivered, expected) in table {
            let found = note(&receiver(format, events), kind, is_delivered);
            assert_eq!(found, expected, "{format} {events:?} {kind:?}");
        }
    }
}
