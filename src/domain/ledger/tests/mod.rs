//! Tests of the ledger: tables and properties without a database.

mod apply;
pub(super) mod bench;
mod books;
mod configurations;
mod decisions;
mod evidence;
mod knowledge;
mod life;
mod mutes;
mod outages;
mod outcome;
mod properties;
mod receivers;
mod replays;
mod rules;
mod runs;
pub(super) mod samples;
mod thrift;
mod vantage;
