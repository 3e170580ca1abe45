//! Reads schedules with a cache: thousands of integrations share a few.

use std::collections::HashMap;

use crate::domain::{Schedule, ScheduleError};
use crate::input::{Reader, nearest, quoted};

/// Valid cron expression for checking a zone alone, so that both faults of a table are found.
const ANY_CRON: &str = "@daily";
/// Valid zone for checking a cron expression alone.
const ANY_ZONE: &str = "UTC";
/// Nicknames of cron expressions.
const NICKNAMES: [&str; 6] = ["@yearly", "@annually", "@monthly", "@weekly", "@daily", "@hourly"];

/// Cache of the schedules read so far.
#[derive(Debug, Default)]
pub(super) struct Schedules {
    known: HashMap<String, HashMap<String, Result<Schedule, String>>>,
}

/// Schedule of a table; a part is none when it is missing or wrong.
#[derive(Clone, Debug)]
pub(super) struct When {
    /// Cron expression, known to be valid.
    pub(super) cron: Option<String>,
    /// IANA time zone, known to be valid.
    pub(super) zone: Option<String>,
}

impl Schedules {
    /// Reads `schedule` and `zone`.
    pub(super) fn read(&mut self, reader: &mut Reader<'_>) -> When {
        let cron = self.read_cron(reader, "schedule");
        let zone = reader.string("zone").filter(|zone| {
            let problem = self.get(ANY_CRON, zone).err();
            problem.inspect(|problem| reader.fault("zone", problem.clone())).is_none()
        });
        When { cron, zone }
    }

    /// Reads the cron expression `key`.
    pub(super) fn read_cron(
        &mut self,
        reader: &mut Reader<'_>,
        key: &'static str,
    ) -> Option<String> {
        reader.string(key).filter(|cron| {
            let problem = self.get(cron, ANY_ZONE).err();
            problem.inspect(|problem| reader.fault(key, problem.clone())).is_none()
        })
    }

    /// Returns the schedule, or a sentence that says why there is none.
    pub(super) fn get(&mut self, cron: &str, zone: &str) -> Result<Schedule, String> {
        if let Some(known) = self.known.get(cron).and_then(|zones| zones.get(zone)) {
            return known.clone();
        }
        let schedule = Schedule::parse(cron, zone).map_err(|error| schedule_problem(&error));
        let zones = self.known.entry(cron.to_owned()).or_default();
        zones.entry(zone.to_owned()).or_insert(schedule).clone()
    }
}

/// Returns a sentence about a faulty schedule, with the nearest valid word.
pub(crate) fn schedule_problem(error: &ScheduleError) -> String {
    match error {
        ScheduleError::Zone(zone) => {
            let names: Vec<_> =
                jiff::tz::db().available().map(|name| name.as_str().to_owned()).collect();
            let near = nearest(zone, names.iter().map(String::as_str));
            format!("{} is not an IANA time zone{}", quoted(zone), hint(near))
        }
        ScheduleError::Cron { expression, reason } => {
            let fields = expression.split_whitespace().count();
            let reason = if expression.starts_with('@') {
                let near = nearest(expression, NICKNAMES.into_iter());
                format!("there is no such nickname{}", hint(near))
            } else if matches!(fields, 5 | 6) {
                reason.trim_end_matches('.').to_owned()
            } else {
                format!("expected 5 fields, or 6 with the seconds first, found {fields}")
            };
            format!("{} is not a cron expression: {reason}", quoted(expression))
        }
        ScheduleError::Never(expression) => format!("{} never comes due", quoted(expression)),
    }
}

fn hint(near: Option<&str>) -> String {
    near.map_or(String::new(), |near| format!("; did you mean `{near}`?"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_nickname_is_a_valid_expression() {
        for nickname in NICKNAMES {
            Schedule::parse(nickname, ANY_ZONE).unwrap();
        }
    }
}
