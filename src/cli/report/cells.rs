//! Cells that the forms of a report share.

use std::time::Duration;

use super::super::print::Screen;
use crate::domain::{Timestamp, duration_text};

/// Returns hours with this number of decimals, rounded.
pub(super) fn hours(millis: u64, decimals: u32) -> String {
    let parts = 10_u64.pow(decimals.min(3));
    let part_ms = 3_600_000 / parts;
    let rounded = millis.saturating_add(part_ms / 2) / part_ms;
    let digits = usize::try_from(decimals).unwrap_or(0);
    format!("{}.{:0digits$}", rounded / parts, rounded % parts)
}

/// Returns a duration in whole seconds, as people write it.
pub(super) fn duration(millis: u64) -> String {
    duration_text(Duration::from_secs(millis / 1000))
}

/// Returns the date of an instant.
pub(super) fn day(at: Timestamp, screen: Screen) -> String {
    screen.instant(Some(at)).chars().take_while(|sign| !matches!(sign, 'T' | ' ')).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hours_are_rounded_to_their_decimals() {
        let table = [
            (0, 1, "0.0"),
            (5_400_000, 1, "1.5"),
            (179_999, 1, "0.0"),
            (180_000, 1, "0.1"),
            (3_599_999, 2, "1.00"),
            (90_000, 2, "0.03"),
            (2_678_400_000, 2, "744.00"),
        ];
        for (millis, decimals, expected) in table {
            assert_eq!(hours(millis, decimals), expected, "{millis}");
        }
    }
}
