//! Microsoft Teams workflows ("when a Teams webhook request is received"): an Adaptive Card.
//!
//! Foreign text stands in text runs, which know no markdown.

use serde::Serialize;

use super::told::{Line, Told, Tone};

/// A message with one card.
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
}

#[derive(Debug, Serialize)]
struct Width {
    width: &'static str,
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

/// The message about one event.
pub(super) fn message(told: &Told) -> Message {
    let color = match told.tone() {
        Tone::Bad => "attention",
        Tone::Good => "good",
        Tone::Warning => "warning",
        Tone::Neutral => "default",
    };
    let mut body = vec![block(vec![run(told.summary(), Some("bolder"), Some(color))])];
    body.extend(told.lines().iter().map(paragraph));
    let unsaid = told.unsaid();
    if 0 < unsaid {
        body.push(block(vec![run(format!("and {unsaid} more"), None, None)]));
    }
    body.extend(told.hint().map(|hint| block(vec![run(hint, None, None)])));
    let mut facts = told.facts();
    facts.push(told.timestamp.to_string());
    body.push(block(vec![run(facts.join(" · "), Some("lighter"), None)]));
    let card = Card {
        schema: "http://adaptivecards.io/schemas/adaptive-card.json",
        kind: "AdaptiveCard",
        version: "1.4",
        msteams: Width { width: "Full" },
        body,
    };
    let content_type = "application/vnd.microsoft.card.adaptive";
    Message { kind: "message", attachments: [Attachment { content_type, content: card }] }
}

fn paragraph(line: &Line) -> RichText {
    let Line { head, message, remedy } = line;
    let mut inlines = vec![run(head.clone(), Some("bolder"), None)];
    inlines.extend(message.iter().map(|why| run(format!(" – {why}"), None, None)));
    inlines.extend(remedy.iter().map(|how| run(format!(" Mend it: {how}"), None, None)));
    block(inlines)
}

fn block(inlines: Vec<Run>) -> RichText {
    RichText { kind: "RichTextBlock", inlines }
}

fn run(text: String, weight: Option<&'static str>, color: Option<&'static str>) -> Run {
    Run { kind: "TextRun", text, weight, color }
}
