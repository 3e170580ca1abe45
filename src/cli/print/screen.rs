//! Screen that text is laid out for.

use crate::domain::Timestamp;

/// Screen that text is laid out for, and the present.
#[derive(Clone, Copy, Debug)]
pub(in crate::cli) struct Screen {
    /// Present, from which ages are counted.
    pub(in crate::cli) now: Timestamp,
    /// Columns of the terminal; none when nothing needs to be wrapped.
    pub(in crate::cli) width: Option<u16>,
}
