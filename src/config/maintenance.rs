//! `[[maintenance]]`: windows in which messages about some integrations are muted.

use std::time::Duration;

use super::schedules::Schedules;
use super::settings::Defaults;
use crate::domain::{Maintenance, Selection, is_unseen};
use crate::input::Reader;

/// Length limit of a name, in characters.
const NAME_MAX: usize = 100;
/// Shortest and longest duration of a window.
const WINDOW_RANGE: (Duration, Duration) = (Duration::from_mins(1), Duration::from_hours(24 * 31));

/// Reads a `[[maintenance]]` table; faults go to the reader.
pub(super) fn read(
    mut reader: Reader<'_>,
    defaults: &Defaults,
    schedules: &mut Schedules,
) -> Option<Maintenance> {
    let name = reader.required_string("name").filter(|name| {
        let count = name.chars().count();
        let good = (1..=NAME_MAX).contains(&count) && !name.chars().any(is_unseen);
        if !good {
            reader.fault("name", format!("must be 1 to {NAME_MAX} printable characters"));
        }
        good
    });
    reader.required("schedule");
    let when = schedules.read(&mut reader);
    reader.required("duration");
    let duration = reader.duration("duration", WINDOW_RANGE.0, WINDOW_RANGE.1);
    let selection = Selection {
        integrations: reader.strings("integrations").unwrap_or_default(),
        types: reader.strings("types").unwrap_or_default(),
        labels: reader.string_map("labels").unwrap_or_default(),
    };
    reader.finish();
    let zone = when.zone.as_deref().unwrap_or(defaults.schedule.zone());
    let schedule = schedules.get(&when.cron?, zone).ok()?;
    Some(Maintenance { name: name?, schedule, duration: duration?, selection })
}
