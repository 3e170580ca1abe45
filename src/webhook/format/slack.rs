//! Slack incoming webhooks: a fallback text and Block Kit blocks.

use serde::Serialize;

use super::alarm::Severity;
use super::text::{self, Line, OPEN_PAGE};
use crate::domain::{Event, one_line};

/// Slack's length limit of a header, in characters.
const HEADER_MAX: usize = 150;
/// Length limit of a section, in characters: Slack's 3000 less what escapes can add.
const SECTION_MAX: usize = 2000;

/// Message as the webhook takes it.
#[derive(Debug, Serialize)]
pub(super) struct Message {
    /// Plain text for notifications.
    text: String,
    blocks: Vec<Block>,
}

#[derive(Debug, Serialize)]
#[serde(tag = "type", rename_all = "lowercase")]
enum Block {
    Header { text: Text },
    Section { text: Text },
    Context { elements: Vec<Text> },
}

#[derive(Debug, Serialize)]
#[serde(tag = "type", content = "text", rename_all = "snake_case")]
enum Text {
    PlainText(String),
    Mrkdwn(String),
}

/// Returns the message about `event`.
pub(super) fn message(event: &Event) -> Message {
    let mark = match Severity::of(event) {
        Severity::Failure => "\u{1f534}",
        Severity::Recovery => "\u{1f7e2}",
        Severity::Warning => "\u{1f7e1}",
        Severity::Notice => "\u{26aa}",
    };
    // A plain text needs no escapes, which would be cut in two; it only must not look like a link.
    let title = text::summary(event).replace('<', "\u{2039}").replace('>', "\u{203a}");
    let title = one_line(&title, HEADER_MAX - 2);
    let mut blocks = vec![Block::Header { text: Text::PlainText(format!("{mark} {title}")) }];
    blocks.extend(text::lines(event).iter().map(section));
    let omitted = text::omitted(event);
    if 0 < omitted {
        let text = Text::Mrkdwn(format!("and {omitted} more"));
        blocks.push(Block::Section { text });
    }
    if let Some(drift) = text::drift(event) {
        let text = Text::Mrkdwn(escaped(&drift));
        blocks.push(Block::Section { text });
    }
    let (seconds, shown) = (event.timestamp.unix_seconds(), event.timestamp);
    let mut footer: Vec<_> = text::footer(event).iter().map(|word| escaped(word)).collect();
    footer.extend(text::page(event).map(link));
    footer.push(format!("<!date^{seconds}^{{date_num}} {{time_secs}}|{shown}>"));
    blocks.push(Block::Context { elements: vec![Text::Mrkdwn(footer.join(" · "))] });
    Message { text: escaped(&one_line(&text::summary(event), SECTION_MAX)), blocks }
}

fn section(line: &Line) -> Block {
    let Line { head, message, remediation } = line;
    let mut text = format!("*{}*", escaped(head));
    for more in message
        .iter()
        .map(|why| escaped(why))
        .chain(remediation.iter().map(|how| format!("_Fix:_ {}", escaped(how))))
    {
        text.push('\n');
        text.push_str(&more);
    }
    Block::Section { text: Text::Mrkdwn(text) }
}

/// Returns a link to the page; what ends a link is percent-encoded.
fn link(page: &str) -> String {
    let page = page.replace('|', "%7C").replace('<', "%3C").replace('>', "%3E");
    format!("<{}|{OPEN_PAGE}>", escaped(&page))
}

/// Escapes text of others, so that it has no links and no mentions.
fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}
