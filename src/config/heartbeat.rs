//! Table of the heartbeat, as far as it is read here: its request is the client's.

use std::fmt;

use super::entry::Entry;
use crate::input::{Faults, Reader, Value};

/// Key of the table in the settings.
pub(super) const KEY: &str = "heartbeat";

/// Table of the heartbeat of all layers merged. It may contain a token and is therefore never printed.
#[derive(Clone)]
pub(crate) struct HeartbeatTable(Entry);

impl HeartbeatTable {
    /// Returns the table of these settings; none where they have none.
    pub(super) fn of(root: &Value) -> Option<Self> {
        let (value, path) = (root.entry(KEY)?.clone(), KEY.to_owned());
        Some(Self(Entry { value, path }))
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
