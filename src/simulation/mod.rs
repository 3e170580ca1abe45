//! A deterministic simulation of the daemon's core: the real planner, outbox, store and verdicts on a
//! virtual clock, with platforms and receivers that fail as a seed says and a machine that crashes at
//! any write.
//!
//! Runs are reproducible: the same seed does the same again. A violation is shown with its seed and the
//! trace before it.

mod bounds;
mod checker;
mod dice;
mod driver;
mod evaluation;
mod faults;
mod messages;
mod plan;
mod rules;
mod tests;
mod time;
mod world;
