//! The program from outside: real processes, real servers, real messages.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test may panic")]

mod daemon;
mod demo;
mod documents;
mod end_to_end;
mod support;
