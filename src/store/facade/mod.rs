//! The facade: an enum of engines for each way to use a database, with static dispatch. A new engine is a
//! variant, and a compile error at every operation that it has to offer.

mod across;
mod control;
mod sharing;
mod store;
mod view;
mod whole;

pub(crate) use control::Control;
pub(crate) use store::Store;
pub(crate) use view::View;

use std::path::Path;

use super::sqlite;

/// Returns true when a daemon uses the database at `path`, false when none does, and none when that
/// cannot be seen. Call it before the database is opened.
pub(crate) fn is_in_use(path: &Path) -> Option<bool> {
    sqlite::is_in_use(path)
}
