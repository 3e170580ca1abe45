//! Deterministic simulation testing: the real planner, outbox, store and verdicts on a virtual clock, with
//! platforms and receivers that fail as a seed says and a machine that crashes at any write.
//!
//! Runs are reproducible: the same seed does the same again. A violation is shown with its seed and the
//! trace before it.
//!
//! [`plan`] draws a world from the seed by [`dice`], with its [`faults`]; [`driver`] executes it in
//! [`world`] and [`time`]. [`checker`] compares every commit, run and message with an independent model:
//! [`rules`] of statuses and schedules, [`judge`] of verdicts and what is [`around`] a run, the [`expected`] state of rows, [`messages`] of deliveries,
//! [`knowledge`] of incidents, [`bounds`] of delays. [`evaluation`]
//! measures the default policy beside those of other products, for `docs/verdict-evaluation.md`.

mod around;
mod bounds;
mod checker;
mod configured;
mod dice;
mod driver;
mod evaluation;
mod expected;
mod faults;
mod judge;
mod knowledge;
mod messages;
#[cfg(feature = "postgres")]
mod nodes;
mod plan;
mod requests;
mod rules;
mod tests;
mod time;
mod world;
