//! x
mod format;
