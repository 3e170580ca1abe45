//! Daemon that validates the connections of a governance service to data platforms on a schedule, and
//! notifies receivers by webhook when their status changes.
//!
//! See `ARCHITECTURE.md` for the floors and the walk through them.

mod api;
mod blocking;
mod cli;
mod config;
mod daemon;
mod demo;
mod domain;
mod http;
mod input;
mod net;
mod page;
mod platforms;
mod secrets;
#[cfg(test)]
mod simulation;
mod store;
mod view;
mod webhook;

/// Runs the program with the arguments of the process.
#[must_use]
pub fn main() -> std::process::ExitCode {
    cli::main()
}
