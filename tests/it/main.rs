//! The program from outside: real processes, real servers, real messages.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stderr,
    reason = "a test may panic, and says why"
)]
#![expect(
    clippy::disallowed_types,
    clippy::disallowed_methods,
    reason = "tests from outside live in real time and read their own environment"
)]

mod commands;
mod daemon;
mod demo;
mod documents;
mod end_to_end;
mod hostile;
mod life_cycle;
mod metrics;
mod platforms;
mod receivers;
mod silences;
mod soak;
mod support;
