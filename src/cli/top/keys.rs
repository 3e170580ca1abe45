//! Keys of `top`: what the terminal sends, and the line that names them.

use ratatui::crossterm::event::{Event, KeyCode, KeyEvent, KeyEventKind, KeyModifiers};
use unicode_width::UnicodeWidthStr as _;

/// Key that was pressed.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Input {
    /// Letter, digit or sign.
    Sign(char),
    /// Step of so many rows, up or down.
    Step(i32),
    /// Step of so many pages, up or down.
    Page(i32),
    /// Return key, which takes a choice.
    Enter,
    /// Escape key, which leaves what is open.
    Leave,
    /// Backspace key, which takes the last letter back.
    Erase,
    /// Ctrl-C, or a signal that ends the program.
    Interrupt,
}

/// Keys that are no letters.
const CODES: [(KeyCode, Input); 9] = [
    (KeyCode::Up, Input::Step(-1)),
    (KeyCode::Down, Input::Step(1)),
    (KeyCode::PageUp, Input::Page(-1)),
    (KeyCode::PageDown, Input::Page(1)),
    (KeyCode::Home, Input::Step(i32::MIN)),
    (KeyCode::End, Input::Step(i32::MAX)),
    (KeyCode::Enter, Input::Enter),
    (KeyCode::Esc, Input::Leave),
    (KeyCode::Backspace, Input::Erase),
];

impl Input {
    /// Returns the key of an event of the terminal; none of others, such as a new size.
    pub(super) fn of(event: &Event) -> Option<Self> {
        let Event::Key(KeyEvent { code, modifiers, kind, .. }) = event else { return None };
        if *kind == KeyEventKind::Release {
            return None;
        }
        let is_control = modifiers.contains(KeyModifiers::CONTROL);
        if let Some((_, input)) = CODES.iter().find(|(known, _)| known == code) {
            return Some(*input);
        }
        #[expect(clippy::wildcard_enum_match_arm, reason = "keyboards have many more keys")]
        match code {
            KeyCode::Char('c') if is_control => Some(Self::Interrupt),
            KeyCode::Char(_) if is_control => None,
            KeyCode::Char(sign) => Some(Self::Sign(*sign)),
            _other => None,
        }
    }
}

/// Keys with what they do, those first that a narrow terminal must show.
const KEYS: [(&str, &str); 10] = [
    ("q", "quit"),
    ("↑↓", "choose"),
    ("⏎", "explain"),
    ("/", "filter"),
    ("f", "failing"),
    ("s", "sort"),
    ("t", "platform"),
    ("v", "validate"),
    ("a", "acknowledge"),
    ("S", "silence"),
];

/// Returns as many keys as fit into a line.
pub(super) fn line(width: usize) -> String {
    let mut line = String::new();
    for (key, word) in KEYS {
        let part = format!(" {key} {word} ");
        if width < line.width() + part.width() {
            break;
        }
        line.push_str(&part);
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_of_the_terminal_are_read() {
        let key = |code, modifiers| Input::of(&Event::Key(KeyEvent::new(code, modifiers)));
        let none = KeyModifiers::NONE;
        let table = [
            (KeyCode::Char('q'), none, Some(Input::Sign('q'))),
            (KeyCode::Char('S'), KeyModifiers::SHIFT, Some(Input::Sign('S'))),
            (KeyCode::Char('c'), KeyModifiers::CONTROL, Some(Input::Interrupt)),
            (KeyCode::Char('x'), KeyModifiers::CONTROL, None),
            (KeyCode::Down, none, Some(Input::Step(1))),
            (KeyCode::Home, none, Some(Input::Step(i32::MIN))),
            (KeyCode::PageUp, none, Some(Input::Page(-1))),
            (KeyCode::Esc, none, Some(Input::Leave)),
            (KeyCode::F(1), none, None),
        ];
        for (code, modifiers, expected) in table {
            assert_eq!(key(code, modifiers), expected, "{code:?}");
        }
        assert_eq!(Input::of(&Event::Resize(80, 24)), None);
    }

    #[test]
    fn narrow_line_names_the_way_out_and_a_wide_one_everything() {
        assert_eq!(line(20), " q quit  ↑↓ choose ");
        assert!(line(160).ends_with(" S silence "));
    }
}
