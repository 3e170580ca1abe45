//! Lists of the store: runs, events, deliveries, receivers, silences, outages, expiries.

mod events;
mod expiry;
mod outage;
mod plan;
mod runs;
mod silences;

pub(crate) use events::EventItem;
pub(crate) use expiry::{Week, calendar, weeks};
pub(crate) use outage::OutageItem;
pub(crate) use plan::{Plan, SILENCES, selection};
pub(crate) use runs::{RunItem, RunPage};
pub(crate) use silences::{SilenceItem, WindowItem};
