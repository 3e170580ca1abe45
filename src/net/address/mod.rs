//! Addresses that an outgoing connection may reach: the table of special ranges, the allow-list, and
//! the refusals.

mod allow;
mod refusal;
mod table;

pub(super) use allow::permitted;
pub(crate) use allow::{Allow, host_permitted};
pub(crate) use refusal::RefusedAddress;
pub(super) use refusal::RefusedEndpoint;
pub(crate) use table::is_loopback;
pub(super) use table::{Restriction, literal, restriction};
