//! Origins (`file:line`) of parsed values, and the error of a text that cannot be parsed.

use std::cell::RefCell;
use std::sync::Arc;

/// Depth to which lists and tables can be nested.
pub(super) const DEPTH_MAX: usize = 64;

/// Error of a text that is not in its format.
#[derive(Debug)]
pub(crate) struct Malformed {
    /// Line of the error, from 1.
    pub(crate) line: usize,
    /// Description of the error, without any piece of the text.
    pub(crate) message: String,
}

/// Cache of origins: one allocation per line.
#[derive(Debug)]
pub(super) struct Origins<'a> {
    file: &'a str,
    last: RefCell<(usize, Arc<str>)>,
}

impl<'a> Origins<'a> {
    /// Returns the origins of values in `file`.
    pub(super) fn of(file: &'a str) -> Self {
        Self { file, last: RefCell::new((0, Arc::from(file))) }
    }

    /// Returns the origin of a value in `line`.
    pub(super) fn at(&self, line: usize) -> Arc<str> {
        let mut last = self.last.borrow_mut();
        if last.0 != line {
            *last = (line, format!("{}:{line}", self.file).into());
        }
        Arc::clone(&last.1)
    }
}
