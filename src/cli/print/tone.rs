//! Colour that takes no room in a layout.
//!
//! Escape sequences would count as text when a table measures its cells. So a toned word carries
//! invisible marks of width zero while it is laid out, and [`render`] turns them into escape
//! sequences at the very end; the output stream drops those when it is no terminal.

use anstyle::{AnsiColor, Style};

/// Mark of the end of a tone.
const END: char = '\u{2060}';

/// Tone of a word, shown as its colour.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(in crate::cli) enum Tone {
    /// It works as it should.
    Good,
    /// It does not work.
    Bad,
    /// It deserves a look.
    Caution,
    /// Not of interest now.
    Quiet,
}

impl Tone {
    const ALL: [Self; 4] = [Self::Good, Self::Bad, Self::Caution, Self::Quiet];

    const fn mark(self) -> char {
        match self {
            Self::Good => '\u{2061}',
            Self::Bad => '\u{2062}',
            Self::Caution => '\u{2063}',
            Self::Quiet => '\u{2064}',
        }
    }

    const fn style(self) -> Style {
        match self {
            Self::Good => AnsiColor::Green.on_default(),
            Self::Bad => AnsiColor::Red.on_default().bold(),
            Self::Caution => AnsiColor::Yellow.on_default(),
            Self::Quiet => Style::new().dimmed(),
        }
    }
}

/// Gives `text` a tone. It must be our own or sanitised, and stay on one line.
#[must_use]
pub(in crate::cli) fn toned(text: &str, tone: Tone) -> String {
    format!("{}{text}{END}", tone.mark())
}

/// Turns the marks of [`toned`] into escape sequences.
#[must_use]
pub(in crate::cli) fn render(text: &str) -> String {
    let mut rendered = String::with_capacity(text.len());
    let mut open = Style::new();
    for char in text.chars() {
        if char == END {
            rendered.push_str(&open.render_reset().to_string());
        } else if let Some(tone) = Tone::ALL.into_iter().find(|tone| tone.mark() == char) {
            open = tone.style();
            rendered.push_str(&open.render().to_string());
        } else {
            rendered.push(char);
        }
    }
    rendered
}

/// Returns `text` without marks, in parts that have one tone each.
#[cfg(feature = "top")]
#[must_use]
pub(in crate::cli) fn parts(text: &str) -> Vec<(Option<Tone>, String)> {
    let mut parts: Vec<(Option<Tone>, String)> = Vec::new();
    let mut open = None;
    for char in text.chars() {
        let tone = Tone::ALL.into_iter().find(|tone| tone.mark() == char);
        if char == END || tone.is_some() {
            open = tone;
            continue;
        }
        match parts.last_mut().filter(|(tone, _)| *tone == open) {
            Some((_, part)) => part.push(char),
            None => parts.push((open, char.to_string())),
        }
    }
    parts
}

/// Returns `text` without the marks of [`toned`].
#[must_use]
pub(super) fn untoned(text: &str) -> String {
    let is_mark = |char: &char| *char == END || Tone::ALL.iter().any(|tone| tone.mark() == *char);
    text.chars().filter(|char| !is_mark(char)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tones_become_escape_sequences_at_the_end() {
        let text = format!("{} and {}", toned("bad", Tone::Bad), toned("good", Tone::Good));
        assert_eq!(render(&text), "\u{1b}[1m\u{1b}[31mbad\u{1b}[0m and \u{1b}[32mgood\u{1b}[0m");
        #[cfg(feature = "top")]
        {
            let expected = [
                (Some(Tone::Bad), "bad".to_owned()),
                (None, " and ".to_owned()),
                (Some(Tone::Good), "good".to_owned()),
            ];
            assert_eq!(parts(&text), expected);
        }
        assert_eq!(anstream::adapter::strip_str(&render(&text)).to_string(), "bad and good");
    }
}
