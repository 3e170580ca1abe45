//! Health of the daemon itself: faults on its own side, so that they are not blamed on platforms.

mod assess;
mod fault;
mod machine;
mod probe;
mod state;

pub(super) use assess::{Run, assess};
pub(super) use fault::{begin, end};
pub(super) use machine::watch_machine;
pub(super) use state::Health;
#[cfg(test)]
pub(super) use state::Probe;
