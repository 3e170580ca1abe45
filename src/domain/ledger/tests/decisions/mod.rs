//! Decision tables: one case at a time, with every effect of it.

mod deliveries;
mod faults;
mod incidents;
mod kit;
mod known;
mod mutes;
mod operations;
mod outages;
mod planning;
mod record;
mod silences;
