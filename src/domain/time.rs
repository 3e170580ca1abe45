//! Instants and durations as values; no function here reads a clock.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// Milliseconds since the Unix epoch, UTC.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub(crate) struct Timestamp(pub(crate) i64);

impl Timestamp {
    /// Returns the instant `wait` later; saturates.
    #[must_use]
    pub(crate) fn plus(self, wait: Duration) -> Self {
        Self(self.0.saturating_add(i64::try_from(wait.as_millis()).unwrap_or(i64::MAX)))
    }

    /// Returns the instant `wait` earlier; saturates.
    #[must_use]
    pub(crate) fn minus(self, wait: Duration) -> Self {
        Self(self.0.saturating_sub(i64::try_from(wait.as_millis()).unwrap_or(i64::MAX)))
    }

    /// Returns the time since `earlier`; zero when that lies ahead.
    #[must_use]
    pub(crate) fn since(self, earlier: Self) -> Duration {
        Duration::from_millis(u64::try_from(self.0.saturating_sub(earlier.0)).unwrap_or(0))
    }

    /// Returns whole seconds since the epoch, rounded down.
    #[must_use]
    pub(crate) const fn unix_seconds(self) -> i64 {
        self.0.div_euclid(1000)
    }

    /// Converts to the calendar's type; clamps values outside of its range.
    #[must_use]
    pub(crate) fn to_jiff(self) -> jiff::Timestamp {
        jiff::Timestamp::from_millisecond(self.0).unwrap_or(if self.0 < 0 {
            jiff::Timestamp::MIN
        } else {
            jiff::Timestamp::MAX
        })
    }

    /// Returns the instant in a zone, for people: `2026-11-22 22:00:00 CET`.
    #[must_use]
    pub(crate) fn in_zone(self, zone: jiff::tz::TimeZone) -> String {
        self.to_jiff().to_zoned(zone).strftime("%Y-%m-%d %H:%M:%S %Z").to_string()
    }

    /// Converts from the calendar's type, rounded down to the millisecond.
    #[must_use]
    pub(crate) fn from_jiff(instant: jiff::Timestamp) -> Self {
        Self(instant.as_millisecond())
    }
}

/// RFC 3339 in UTC, with milliseconds only where there are any: `2026-11-22T21:00:00Z`.
impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.to_jiff(), f)
    }
}

impl FromStr for Timestamp {
    type Err = jiff::Error;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        text.parse().map(Self::from_jiff)
    }
}

impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

#[cfg(test)]
impl schemars::JsonSchema for Timestamp {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Timestamp".into()
    }

    fn json_schema(_generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({
            "description": "RFC 3339 in UTC, with milliseconds where there are any.",
            "type": "string",
            "format": "date-time",
        })
    }
}

impl<'de> Deserialize<'de> for Timestamp {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(de::Error::custom)
    }
}

/// Returns a duration as people write it: `1h 30m`, `45s`, `250ms`.
#[must_use]
pub(crate) fn duration_text(duration: Duration) -> String {
    let millis = i64::try_from(duration.as_millis()).unwrap_or(i64::MAX);
    let parts = [(86_400_000, "d"), (3_600_000, "h"), (60_000, "m"), (1000, "s"), (1, "ms")];
    let mut rest = millis;
    let mut shown = Vec::new();
    for (size, unit) in parts {
        if size <= rest && shown.len() < 2 {
            shown.push(format!("{}{unit}", rest / size));
            rest %= size;
        }
    }
    if shown.is_empty() { "0s".to_owned() } else { shown.join(" ") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn instants_are_read_and_written_as_rfc_3339() {
        let instant: Timestamp = "2026-11-22T22:00:00+01:00".parse().unwrap();
        assert_eq!(instant.to_string(), "2026-11-22T21:00:00Z");
        assert_eq!(instant.plus(Duration::from_millis(5)).to_string(), "2026-11-22T21:00:00.005Z");
        assert_eq!(instant.unix_seconds(), 1_795_381_200);
        assert!("yesterday".parse::<Timestamp>().is_err());
    }

    #[test]
    fn durations_are_written_as_people_do() {
        let text = |millis| duration_text(Duration::from_millis(millis));
        assert_eq!(text(0), "0s");
        assert_eq!(text(812), "812ms");
        assert_eq!(text(5_400_000), "1h 30m");
        assert_eq!(text(86_400_000), "1d");
        assert_eq!(text(61_500), "1m 1s");
    }
}
