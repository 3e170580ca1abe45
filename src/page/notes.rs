//! Notes above a page after an action. The address names the action by a word, so that no text of an address is
//! ever shown.

use super::address::Pairs;
use super::frame::Note;

/// Words of the address with the sentences that they stand for, and their tones.
const DONE: [(&str, &str, &str); 12] = [
    ("validate", "A run is asked for; its result is shown as soon as it is there.", ""),
    ("running", "A run is under way; another one follows it.", ""),
    ("not-validated", "Nothing runs while it has this status.", "w"),
    ("silence", "Messages about these integrations wait now.", ""),
    ("acknowledge", "The failure is acknowledged: reminders wait.", ""),
    ("not-failing", "Only a failure can be acknowledged.", "w"),
    ("end-silence", "The silence has ended; receivers are notified of what differs.", ""),
    ("ended-already", "It had ended before.", "w"),
    ("enable", "The receiver is enabled; its pending messages are sent in order.", ""),
    ("disable", "The receiver is disabled; messages for it wait.", ""),
    ("redeliver", "The message is queued again.", ""),
    ("gone", "It is not kept any more; nothing was changed.", "w"),
];

/// Returns the note that a query asks for; an empty one without.
pub(super) fn done(query: &str) -> Note {
    let pairs = Pairs::parse(query);
    let done = pairs.get("done");
    let found = DONE.iter().find(|(word, ..)| done == Some(*word));
    found.map_or_else(Note::default, |(_, text, tone)| Note { text: (*text).to_owned(), tone })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_known_words_are_shown_as_notes() {
        assert_eq!(done("q=x&done=redeliver").text, "The message is queued again.");
        assert_eq!(done("done=gone").tone, "w");
        for query in ["", "done=", "done=%3Cscript%3E", "done=redeliver%20"] {
            assert_eq!(done(query), Note::default(), "{query}");
        }
    }
}
