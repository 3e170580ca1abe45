//! Reads when a receiver is sent what lasts: `after`, `remind`, `resend` and `hours`.

use std::time::Duration;

use crate::domain::{EventType, Format, Hours, Timing, duration_text};
use crate::input::Reader;

/// Shortest and longest time that an incident must have lasted.
const AFTER_RANGE: (Duration, Duration) = (Duration::from_secs(1), Duration::from_hours(30 * 24));
/// Shortest and longest wait before a reminder.
const REMIND_RANGE: (Duration, Duration) = (Duration::from_secs(1), Duration::from_hours(90 * 24));
/// Number of waits before reminders.
const REMIND_MAX: usize = 20;
/// Shortest and longest interval at which an alert is sent again: below Alertmanager's `resolve_timeout`, 5 minutes.
const RESEND_RANGE: (Duration, Duration) = (Duration::from_secs(1), Duration::from_mins(4));
/// Default interval at which an alert is sent again.
const RESEND: Duration = Duration::from_mins(1);

/// Reads the timing of a receiver; faults go to the reader.
pub(super) fn timing(reader: &mut Reader<'_>, format: Option<Format>) -> Option<Timing> {
    let (min, max) = AFTER_RANGE;
    let after = reader.duration("after", min, max);
    let (min, max) = REMIND_RANGE;
    let remind = reader.durations("remind", min, max);
    if remind.as_ref().is_some_and(|waits| REMIND_MAX < waits.len()) {
        reader.fault("remind", format!("must not have more than {REMIND_MAX} waits"));
    }
    if remind.is_some() && format.is_some_and(|one| !one.takes(EventType::ValidationReminder)) {
        reader.fault("remind", "this format cannot express a reminder; remove it");
    }
    let resend = resend(reader, format);
    let hours = if reader.has("hours") { Some(hours(reader)?) } else { None };
    Some(Timing { after, remind: remind.unwrap_or_default(), resend, hours })
}

fn resend(reader: &mut Reader<'_>, format: Option<Format>) -> Option<Duration> {
    let (min, max) = RESEND_RANGE;
    let given = reader.duration("resend", min, max);
    if format == Some(Format::Alertmanager) {
        return Some(given.unwrap_or(RESEND));
    }
    if format.is_some() && reader.has("resend") {
        let default = duration_text(RESEND);
        let message = format!("is only used with format `alertmanager` ({default}); remove it");
        reader.fault("resend", message);
    }
    None
}

fn hours(reader: &mut Reader<'_>) -> Option<Hours> {
    let mut table = reader.table("hours")?;
    let days = table.required_string("days");
    let from = table.required_string("from");
    let to = table.required_string("to");
    let zone = table.required_string("zone");
    let parsed = Hours::parse(&days?, &from?, &to?, &zone?);
    let parsed = parsed.map_err(|error| table.fault(error.key(), error.to_string())).ok();
    table.finish();
    parsed
}

#[cfg(test)]
mod tests {
    use serde_json::{Value as Json, json};

    use super::*;
    use crate::input::{Faults, Value};

    fn parse(format: Format, table: &Json) -> (Option<Timing>, Vec<String>) {
        let value = Value::from_json(table, &"f.toml:7".into());
        let faults = Faults::default();
        let mut reader = Reader::new(&value, "receiver[0]", &faults).unwrap();
        let timing = timing(&mut reader, Some(format));
        reader.finish();
        (timing, faults.into_parts().0.iter().map(ToString::to_string).collect())
    }

    #[test]
    fn every_key_is_read_and_has_a_default() {
        let hour = Duration::from_hours(1);
        assert_eq!(parse(Format::Slack, &json!({})).0, Some(Timing::default()));
        let (alerts, _) = parse(Format::Alertmanager, &json!({}));
        assert_eq!(alerts.unwrap().resend, Some(Duration::from_mins(1)));
        let hours = json!({ "days": "mon-fri", "from": "08:00", "to": "18:00", "zone": "UTC" });
        let (read, faults) = parse(
            Format::Alertmanager,
            &json!({ "after": "15m", "remind": ["4h", "1d"], "resend": "30s", "hours": hours }),
        );
        assert_eq!(faults, [""; 0]);
        let expected = Timing {
            after: Some(hour / 4),
            remind: vec![hour * 4, hour * 24],
            resend: Some(Duration::from_secs(30)),
            hours: Some(Hours::parse("mon-fri", "08:00", "18:00", "UTC").unwrap()),
        };
        assert_eq!(read, Some(expected));
    }

    #[test]
    fn each_faulty_key_is_named() {
        let hours = |key: &str, value: &str| {
            let mut hours =
                json!({ "days": "mon-fri", "from": "08:00", "to": "18:00", "zone": "UTC" });
            hours[key] = value.into();
            json!({ "hours": hours })
        };
        let table = [
            (json!({ "after": "0s" }), "after: expected a duration from 1s to 30d"),
            (json!({ "remind": ["1s", "91d"] }), "remind[1]: expected a duration from 1s to 90d"),
            (json!({ "remind": vec!["1h"; 21] }), "remind: must not have more than 20 waits"),
            (json!({ "resend": "1m" }), "resend: is only used with format `alertmanager`"),
            (hours("days", "monday"), "hours.days: expected days such as"),
            (hours("from", "8:00"), "hours.from: expected a time from \"00:00\""),
            (hours("to", "25:00"), "hours.to: expected a time from \"00:00\" to \"24:00\""),
            (hours("zone", "Mars"), "hours.zone: \"Mars\" is not an IANA time zone"),
            (hours("until", "x"), "hours.until: unknown key"),
            (json!({ "hours": { "days": "mon" } }), "hours.from: missing"),
        ];
        for (given, expected) in table {
            let faults = parse(Format::Standard, &given).1.concat();
            assert!(faults.contains(expected), "{given}: {faults}");
        }
        let (_, faults) = parse(Format::Native, &json!({ "remind": ["1h"] }));
        assert!(faults.concat().contains("remind: this format cannot express"), "{faults:?}");
        let (_, faults) = parse(Format::Alertmanager, &json!({ "resend": "5m" }));
        assert!(
            faults.concat().contains("resend: expected a duration from 1s to 4m"),
            "{faults:?}"
        );
    }
}
