//! Tests of the ledger: tables and properties without a database.

mod apply;
mod bench;
mod books;
mod configurations;
mod decisions;
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
mod samples;
mod thrift;
