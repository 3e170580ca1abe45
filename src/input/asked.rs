//! Record of every key that readers ask for, for tests only: the schema of the configuration is made from it.

use std::cell::RefCell;
use std::time::Duration;

thread_local! {
    /// Keys that were asked for on this thread since a recording began; none while there is no recording.
    static ASKED: RefCell<Option<Vec<(String, Shape)>>> = const { RefCell::new(None) };
}

/// Shape of value that a reader accepts for a key.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(crate) enum Shape {
    /// Value of any shape, which is only looked at.
    Any,
    /// Value that must not be missing.
    Required,
    /// Text of any kind.
    Text,
    /// Text of digits, or a whole number.
    Digits,
    /// Boolean, `true` or `false`.
    Boolean,
    /// Whole number between two bounds.
    Integer(i64, i64),
    /// Whole number between two bounds, or text of one.
    IntegerOrText(i64, i64),
    /// Duration between two bounds.
    Duration(Duration, Duration),
    /// List of durations, each between two bounds.
    Durations(Duration, Duration),
    /// One of some words.
    Choice(Vec<String>),
    /// List of texts of any kind.
    Texts,
    /// Table of texts with keys of any name.
    TextMap,
    /// Table with keys of its own.
    Table,
    /// Secret, or a reference to one.
    Secret,
    /// List of secrets or references to them.
    Secrets,
    /// Table of texts and secrets with keys of any name.
    Values,
}

impl Shape {
    /// Returns the shape of one of these words.
    pub(super) fn choice<T>(choices: &[(&str, T)]) -> Self {
        Self::Choice(choices.iter().map(|(word, _)| (*word).to_owned()).collect())
    }
}

/// Returns the paths of the keys that `work` asks for, in that order, with their shapes.
pub(crate) fn recorded(work: impl FnOnce()) -> Vec<(String, Shape)> {
    ASKED.set(Some(Vec::new()));
    work();
    ASKED.take().unwrap_or_default()
}

/// Notes that the value at `path` is read in this shape.
pub(super) fn note(path: String, shape: Shape) {
    ASKED.with_borrow_mut(|asked| {
        if let Some(asked) = asked {
            asked.push((path, shape));
        }
    });
}
