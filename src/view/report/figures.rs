//! Figures of a report: times, incidents, and means of them.

use serde::Serialize;
use std::time::Duration;

/// Hundredths of a percent in a whole.
const WHOLE: u128 = 10_000;

/// Figures of one integration or several in a month; durations in milliseconds.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub(crate) struct Figures {
    /// Time in use, as far as is known.
    pub(crate) in_use_ms: u64,
    /// Part of that time in the status `enabled`.
    pub(crate) enabled_ms: u64,
    /// Part of that time in an error status.
    pub(crate) failing_ms: u64,
    /// Time of which nothing is known, since retention cut it.
    pub(crate) unknown_ms: u64,
    /// Share of the time in use in which it was enabled; none when it was not in use.
    pub(crate) enabled_share: Option<Share>,
    /// Number of incidents that began in the month.
    pub(crate) incidents: u32,
    /// Number of incidents that lasted when the month began.
    pub(crate) open_at_start: u32,
    /// Number of incidents that lasted at its end.
    pub(crate) open_at_end: u32,
    /// Number of incidents that ended in the month because the integration was enabled again.
    pub(crate) recovered: u32,
    /// Mean duration of those whose beginning is known, all of it.
    pub(crate) mean_time_to_recover_ms: Option<u64>,
    /// Number of incidents that were acknowledged first in the month.
    pub(crate) acknowledged: u32,
    /// Mean time from their beginnings to these acknowledgements.
    pub(crate) mean_time_to_acknowledge_ms: Option<u64>,
}

impl Figures {
    /// Returns the share of the time in use in which it was enabled, in percent with two decimals: `99.87`.
    pub(crate) fn enabled_percent(&self) -> Option<String> {
        self.enabled_share.map(Share::percent)
    }
}

/// Share of a whole in ten-thousandths, rounded down, so that only all of it is the whole.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Share(u32);

impl Share {
    /// Returns the share of a part in a whole; none in nothing.
    pub(super) fn of(part: Duration, whole: Duration) -> Option<Self> {
        let share = part.as_millis().saturating_mul(WHOLE).checked_div(whole.as_millis())?;
        u32::try_from(share.min(WHOLE)).ok().map(Self)
    }

    /// Returns the share in percent with two decimals: `99.87`.
    fn percent(self) -> String {
        format!("{}.{:02}", self.0 / 100, self.0 % 100)
    }
}

impl Serialize for Share {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let text = format!("{}.{:04}", self.0 / 10_000, self.0 % 10_000);
        serializer.serialize_f64(text.parse().map_err(serde::ser::Error::custom)?)
    }
}

/// Returns hours with this number of decimals, rounded.
pub(crate) fn hours(millis: u64, decimals: u32) -> String {
    let parts = 10_u64.pow(decimals.min(3));
    let part_ms = 3_600_000 / parts;
    let rounded = millis.saturating_add(part_ms / 2) / part_ms;
    let digits = usize::try_from(decimals).unwrap_or(0);
    format!("{}.{:0digits$}", rounded / parts, rounded % parts)
}

#[cfg(test)]
impl schemars::JsonSchema for Share {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Share".into()
    }

    fn json_schema(_generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({
            "description": "Share of a whole with four decimals, rounded down.",
            "type": "number", "minimum": 0, "maximum": 1,
        })
    }
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

    #[test]
    fn share_is_rounded_down_so_that_only_all_is_the_whole() {
        let share = |part, whole| Share::of(Duration::from_secs(part), Duration::from_secs(whole));
        let table = [
            (0, 7, "0.00", 0.0),
            (1, 3, "33.33", 0.3333),
            (999_999, 1_000_000, "99.99", 0.9999),
            (7, 7, "100.00", 1.0),
            (9, 7, "100.00", 1.0),
        ];
        for (part, whole, percent, number) in table {
            let share = share(part, whole).unwrap();
            assert_eq!(share.percent(), percent);
            assert_eq!(serde_json::to_value(share).unwrap(), serde_json::json!(number));
        }
        assert_eq!(share(0, 0), None);
    }
}
