//! The daemon.

mod assemble;
