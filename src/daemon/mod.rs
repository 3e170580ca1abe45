//! The shell: what the floors below are put together to.

mod clock;
mod facade_shim;

pub(crate) use clock::Clock;
pub(crate) use facade_shim::{Assembly, Log, LogFormat, load, run, validate};
