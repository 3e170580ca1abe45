//! Command line: arguments, output and exit status of each command.
//!
//! Every command but `run` and `demo` yields an [`Answer`](print::Answer), which is printed in one place.

mod args;
mod ask;
mod audit;
mod backup;
mod bundle;
mod catalog;
mod check;
mod completions;
mod confirm;
mod damaged;
mod deliveries;
mod doctor;
mod error;
mod explain;
mod export;
mod failing;
#[cfg(test)]
mod fit;
mod grants;
mod health;
mod history;
mod import;
mod journal;
mod list;
mod log;
mod log_queue;
mod logging;
#[cfg(test)]
mod manual;
mod nagios;
mod next;
mod nodes;
mod print;
mod program;
mod read;
mod receivers;
mod record;
mod redeliver;
mod rehearse;
mod reload;
mod report;
mod restore;
mod results;
mod revalidate;
mod run;
mod sample;
#[cfg(test)]
mod samples;
mod schema;
mod selection;
mod serve;
mod show;
mod silences;
mod situation;
#[cfg(test)]
mod stand_in;
mod status;
mod store;
mod token;
#[cfg(feature = "top")]
mod top;
mod validate;
mod version;
mod webhook;

pub(crate) use program::main;
