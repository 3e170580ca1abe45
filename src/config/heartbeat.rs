//! Table of the heartbeat, as far as it is read here: its request is the client's.

use std::fmt;

use super::entry::Entry;
use crate::input::{Faults, Reader, Value};

/// Table of the heartbeat of all layers merged. It may contain a token and is therefore never printed.
#[derive(Clone)]
pub(crate) struct HeartbeatTable(Entry);

impl HeartbeatTable {
    /// Takes over the table that was read from this value.
    pub(super) fn new(value: &Value, path: String) -> Self {
        Self(Entry { value: value.clone(), path })
    }

    /// Returns a reader of the table; any other value is a fault.
    pub(crate) fn reader<'a>(&'a self, faults: &'a Faults) -> Option<Reader<'a>> {
        self.0.reader(faults)
    }
}

impl fmt::Debug for HeartbeatTable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("HeartbeatTable")
    }
}
