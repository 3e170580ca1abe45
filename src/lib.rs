//! Keeps watch over the connections of a governance service to data platforms.
//!
//! See `ARCHITECTURE.md` for the floors and the walk through them.

mod config;
mod daemon;
mod demo;
mod domain;
mod input;
mod net;
mod platforms;
mod secrets;
mod store;
mod webhook;

/// Runs the program.
#[must_use]
pub fn main() -> std::process::ExitCode {
    std::process::ExitCode::SUCCESS
}
