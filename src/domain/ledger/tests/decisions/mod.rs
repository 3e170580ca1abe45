//! Decision tables: one case at a time, with every effect of it.

mod configurations;
mod deliveries;
mod faults;
mod incidents;
mod kit;
mod known;
mod lines;
mod mutes;
mod names;
mod operations;
mod outages;
mod planning;
mod probes;
mod record;
mod requests;
mod silences;
