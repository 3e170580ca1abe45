//! The facade: an enum of engines for each way to use a database, with static dispatch. A new engine is a
//! variant, and a compile error at every operation that it has to offer.

mod control;
mod store;
mod view;

pub(crate) use control::Control;
pub(crate) use store::Store;
pub(crate) use view::View;
