//! Screen and plain text for the tests of commands, and the rows of the view's own samples.

use super::print::{Screen, render};

pub(super) use crate::view::samples::*;

pub(super) fn screen() -> Screen {
    Screen { now: now(), width: None, zone: None }
}

/// Text as it is when standard output is no terminal.
pub(super) fn plain(text: &str) -> String {
    anstream::adapter::strip_str(&render(text)).to_string()
}
