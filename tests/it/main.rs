//! Integration tests: the program as a process, against real servers and receivers.
//!
//! One binary for all of them, so that it is linked once. `support` has the servers and processes that
//! several tests start; each other module is one subject.

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

mod api;
mod backups;
mod check;
mod cluster;
mod commands;
mod daemon;
mod demo;
mod documents;
mod end_to_end;
mod frozen;
mod grants;
mod hostile;
mod http;
mod import;
mod life_cycle;
mod metrics;
mod moves;
mod operations;
mod platforms;
mod receivers;
mod regions;
mod removals;
mod requests;
mod rotation;
mod silences;
mod soak;
mod support;
