//! Microsoft Teams workflows ("when a Teams webhook request is received"): an Adaptive Card.
//!
//! Text of others is only put into text runs, which are not parsed as Markdown.

use serde::Serialize;

use super::alarm::Severity;
use super::text::{self, Line, OPEN_PAGE};
use crate::domain::Event;

/// Message with one card.
#[derive(Debug, Serialize)]
pub(super) struct Message {
    #[serde(rename = "type")]
    kind: &'static str,
    attachments: [Attachment; 1],
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Attachment {
    content_type: &'static str,
    content: Card,
}

#[derive(Debug, Serialize)]
struct Card {
    #[serde(rename = "$schema")]
    schema: &'static str,
    #[serde(rename = "type")]
    kind: &'static str,
    version: &'static str,
    msteams: Width,
    body: Vec<RichText>,
    #[serde(skip_serializing_if = "Option::is_none")]
    actions: Option<[Action; 1]>,
}

#[derive(Debug, Serialize)]
struct Width {
    width: &'static str,
}

/// Button below the card.
#[derive(Debug, Serialize)]
struct Action {
    #[serde(rename = "type")]
    kind: &'static str,
    title: &'static str,
    url: String,
}

#[derive(Debug, Serialize)]
struct RichText {
    #[serde(rename = "type")]
    kind: &'static str,
    inlines: Vec<Run>,
}

#[derive(Debug, Serialize)]
struct Run {
    #[serde(rename = "type")]
    kind: &'static str,
    text: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    weight: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    color: Option<&'static str>,
}

/// Returns the message about `event`.
pub(super) fn message(event: &Event) -> Message {
    let color = match Severity::of(event) {
        Severity::Failure => "attention",
        Severity::Recovery => "good",
        Severity::Warning => "warning",
        Severity::Notice => "default",
    };
    let mut body = vec![block(vec![run(text::summary(event), Some("bolder"), Some(color))])];
    body.extend(text::lines(event).iter().map(paragraph));
    let omitted = text::omitted(event);
    if 0 < omitted {
        body.push(block(vec![run(format!("and {omitted} more"), None, None)]));
    }
    body.extend(text::drift(event).map(|drift| block(vec![run(drift, None, None)])));
    let mut footer = text::footer(event);
    footer.push(event.timestamp.to_string());
    body.push(block(vec![run(footer.join(" · "), Some("lighter"), None)]));
    let open =
        |page: &str| [Action { kind: "Action.OpenUrl", title: OPEN_PAGE, url: page.to_owned() }];
    let card = Card {
        schema: "http://adaptivecards.io/schemas/adaptive-card.json",
        kind: "AdaptiveCard",
        version: "1.4",
        msteams: Width { width: "Full" },
        body,
        actions: text::page(event).map(open),
    };
    let content_type = "application/vnd.microsoft.card.adaptive";
    Message { kind: "message", attachments: [Attachment { content_type, content: card }] }
}

fn paragraph(line: &Line) -> RichText {
    let Line { head, message, remediation } = line;
    let mut inlines = vec![run(head.clone(), Some("bolder"), None)];
    inlines.extend(message.iter().map(|why| run(format!(" – {why}"), None, None)));
    inlines.extend(remediation.iter().map(|how| run(format!(" Fix: {how}"), None, None)));
    block(inlines)
}

fn block(inlines: Vec<Run>) -> RichText {
    RichText { kind: "RichTextBlock", inlines }
}

fn run(text: String, weight: Option<&'static str>, color: Option<&'static str>) -> Run {
    Run { kind: "TextRun", text, weight, color }
}
