//! Tables of a file that are read one by one: integrations, receivers, maintenance windows, templates.

use crate::input::{Faults, Reader, Value};

/// Keys under which files hold lists of tables; never part of a layer of settings.
pub(super) const LISTS: [&str; 4] = ["integration", "receiver", "maintenance", "template"];

/// Origin of the embedded defaults.
pub(super) const BUILT_IN: &str = "built-in defaults";

/// Table of a file, with its path there.
#[derive(Clone, Debug)]
pub(crate) struct Entry {
    /// Table as read, with its origin.
    pub(crate) value: Value,
    /// Path such as `integration[2]`; empty when the table is the whole file.
    pub(crate) path: String,
}

impl Entry {
    /// Returns a reader of the table; any other value is a fault.
    pub(crate) fn reader<'a>(&'a self, faults: &'a Faults) -> Option<Reader<'a>> {
        Reader::new(&self.value, self.path.clone(), faults)
    }
}
