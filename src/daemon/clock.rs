//! The only place that reads the wall clock.

use crate::domain::Timestamp;

/// Tells the time.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Clock(());

impl Clock {
    /// The operating system's clock.
    pub(crate) const fn system() -> Self {
        Self(())
    }

    /// The time now.
    #[expect(clippy::disallowed_methods, clippy::unused_self, reason = "the one reader of the clock")]
    pub(crate) fn now(self) -> Timestamp {
        Timestamp::from_jiff(jiff::Timestamp::now())
    }
}
