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

#[cfg(test)]
mod tests {
    use super::super::format::Format;
    use super::*;
    use crate::domain::Timestamp;
    use crate::input::Faults;

    fn read_window(text: &str) -> (Option<Maintenance>, Vec<String>) {
        let value = Format::Toml.parse(text, "f").unwrap();
        let faults = Faults::default();
        let defaults = super::super::embedded().defaults;
        let reader = Reader::new(&value, "maintenance[0]", &faults).unwrap();
        let window = read(reader, &defaults, &mut Schedules::new(Timestamp(0)));
        (window, faults.into_parts().0.iter().map(ToString::to_string).collect())
    }

    #[test]
    fn window_has_its_own_zone_or_that_of_the_defaults() {
        let text = "name = \"night\"\nschedule = \"0 3 * * *\"\nduration = \"2h\"\n";
        let (window, faults) = read_window(text);
        assert_eq!(faults, [""; 0]);
        let window = window.unwrap();
        assert_eq!(window.schedule.zone(), super::super::embedded().defaults.schedule.zone());
        assert_eq!(
            (window.duration, window.selection),
            (Duration::from_hours(2), Selection::default())
        );
        let (window, _) =
            read_window(&format!("{text}zone = \"Asia/Tokyo\"\ntypes = [\"Redshift\"]\n"));
        let window = window.unwrap();
        assert_eq!(window.schedule.zone(), "Asia/Tokyo");
        assert_eq!(window.selection.types, ["Redshift"]);
    }

    #[test]
    fn each_fault_of_a_window_is_reported() {
        let (window, faults) = read_window("");
        assert!(window.is_none());
        for key in ["name", "schedule", "duration"] {
            let expected = format!("f:1: maintenance[0].{key}: missing; add `{key}`");
            assert!(faults.contains(&expected), "{key}: {faults:?}");
        }
        let table = [
            ("name = \"\"", "name: must not be empty"),
            ("name = \"a\\u0007\"", "name: must be 1 to 100 printable characters"),
            ("duration = \"59s\"", "duration: expected a duration from 1m to 31d"),
            ("duration = \"32d\"", "duration: expected a duration from 1m to 31d"),
            ("integration = [\"a\"]", "integration: unknown key; did you mean `integrations`?"),
        ];
        for (line, expected) in table {
            let (window, faults) = read_window(line);
            assert!(window.is_none(), "{line}");
            assert!(faults.iter().any(|fault| fault.contains(expected)), "{line}: {faults:?}");
        }
    }
}
