//! Slack incoming webhooks: a fallback text and Block Kit blocks.

use serde::Serialize;

use super::told::{Line, Told, Tone};
use crate::domain::one_line;

/// Slack's limits, in characters, with room for escapes.
const HEADER_MAX: usize = 150;
const SECTION_MAX: usize = 2000;

/// A message.
#[derive(Debug, Serialize)]
pub(super) struct Message {
    /// Shown in notifications.
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

/// The message about one event.
pub(super) fn message(told: &Told) -> Message {
    let mark = match told.tone() {
        Tone::Bad => "\u{1f534}",
        Tone::Good => "\u{1f7e2}",
        Tone::Warning => "\u{1f7e1}",
        Tone::Neutral => "\u{26aa}",
    };
    // A plain text needs no escapes, which would be cut in two; it only must not look like a link.
    let title = told.summary().replace('<', "\u{2039}").replace('>', "\u{203a}");
    let title = one_line(&title, HEADER_MAX - 2);
    let mut blocks = vec![Block::Header { text: Text::PlainText(format!("{mark} {title}")) }];
    blocks.extend(told.lines().iter().map(section));
    let unsaid = told.unsaid();
    if 0 < unsaid {
        let text = Text::Mrkdwn(format!("and {unsaid} more"));
        blocks.push(Block::Section { text });
    }
    if let Some(hint) = told.hint() {
        let text = Text::Mrkdwn(escaped(&hint));
        blocks.push(Block::Section { text });
    }
    let (seconds, shown) = (told.timestamp.unix_seconds(), told.timestamp);
    let mut facts: Vec<_> = told.facts().iter().map(|fact| escaped(fact)).collect();
    facts.push(format!("<!date^{seconds}^{{date_num}} {{time_secs}}|{shown}>"));
    blocks.push(Block::Context { elements: vec![Text::Mrkdwn(facts.join(" · "))] });
    Message { text: escaped(&one_line(&told.summary(), SECTION_MAX)), blocks }
}

fn section(line: &Line) -> Block {
    let Line { head, message, remedy } = line;
    let mut text = format!("*{}*", escaped(head));
    for more in message
        .iter()
        .map(|why| escaped(why))
        .chain(remedy.iter().map(|how| format!("_mend it:_ {}", escaped(how))))
    {
        text.push('\n');
        text.push_str(&more);
    }
    Block::Section { text: Text::Mrkdwn(text) }
}

/// Text of others: no links, no mentions.
fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}
