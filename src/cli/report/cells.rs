//! Cells that the forms of a report share.

use std::time::Duration;

use super::super::print::Screen;
use crate::domain::{Timestamp, duration_text};
pub(super) use crate::view::hours;

/// Returns a duration in whole seconds, as people write it.
pub(super) fn duration(millis: u64) -> String {
    duration_text(Duration::from_secs(millis / 1000))
}

/// Returns the date of an instant.
pub(super) fn day(at: Timestamp, screen: Screen) -> String {
    screen.instant(Some(at)).chars().take_while(|sign| !matches!(sign, 'T' | ' ')).collect()
}
