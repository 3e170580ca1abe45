//! Words of the page for values of the domain: factors, classes, statuses, schedules.

use std::fmt::Write as _;

use crate::domain::{Class, FactKind, Factor, FactorKind, Status};

/// Returns a factor in words: `the host db.example.com`; in public only its kind: `a host`.
pub(super) fn factor(factor: &Factor, is_public: bool) -> String {
    let kind = match factor.kind {
        FactorKind::Host => "host",
        FactorKind::Principal => "user",
        FactorKind::Account => "account",
        FactorKind::Region => "region",
        FactorKind::Authority => "certificate authority",
    };
    match (is_public, factor.kind) {
        (false, _) => format!("the {kind} {}", factor.value),
        (true, FactorKind::Account) => format!("an {kind}"),
        (true, _) => format!("a {kind}"),
    }
}

/// Returns a class of failures as a sentence that names nothing.
pub(super) const fn class(class: Class) -> &'static str {
    match class {
        Class::Denied => "The platform refuses access.",
        Class::Missing => "An object that is needed does not exist.",
        Class::Invalid => "A setting or an object is not valid.",
        Class::Expired => "A credential or certificate has expired.",
        Class::Unreachable => "The platform cannot be reached.",
        Class::Throttled => "The platform asks for fewer requests.",
        Class::Unavailable => "The platform cannot serve requests now.",
        Class::Local => "A fault of the daemon keeps it from knowing.",
    }
}

/// Returns a kind of fact for people.
pub(super) const fn fact(kind: FactKind) -> &'static str {
    match kind {
        FactKind::Address => "address",
        FactKind::Certificate => "certificate",
        FactKind::ServerVersion => "version",
        FactKind::Principal => "principal",
        FactKind::Grant => "grant",
        FactKind::Claim => "claim",
        FactKind::Latency => "latency",
    }
}

/// Returns the meaning of a status other than enabled, failing and disabled, in a few words.
pub(super) const fn status(status: Status) -> Option<&'static str> {
    match status {
        Status::CreateError => Some("has never passed"),
        Status::EditError => Some("new configuration refused"),
        Status::MigrateError => Some("not migrated"),
        Status::DeleteError => Some("not removed"),
        Status::Creating => Some("new"),
        Status::Editing => Some("new configuration"),
        Status::Migrating => Some("migrating"),
        Status::Deleting => Some("being removed"),
        Status::Deleted => Some("deleted"),
        Status::Disabled | Status::Enabled | Status::RecurringValidationError => None,
    }
}

const DAYS: [&str; 7] =
    ["Sundays", "Mondays", "Tuesdays", "Wednesdays", "Thursdays", "Fridays", "Saturdays"];

/// Returns a cron expression in words where it has simple ones: `every 15 min`, `daily at 09:30`; else as it is.
pub(super) fn schedule(cron: &str) -> String {
    simple(cron).unwrap_or_else(|| format!("cron {cron}"))
}

fn simple(cron: &str) -> Option<String> {
    match cron {
        "@hourly" => return Some("hourly".to_owned()),
        "@daily" | "@midnight" => return Some("daily at 00:00".to_owned()),
        "@weekly" => return Some("Sundays at 00:00".to_owned()),
        _ => {}
    }
    let fields: Vec<_> = cron.split_whitespace().collect();
    match *fields.as_slice() {
        ["*", "*", "*", "*", "*"] => Some("every minute".to_owned()),
        [minute, "*", "*", "*", "*"] => match minute.strip_prefix("*/") {
            Some(step) => Some(format!("every {} min", number(step)?)),
            None => Some(format!("hourly at :{:02}", number(minute)?)),
        },
        [minute, hour, "*", "*", "*"] => match hour.strip_prefix("*/") {
            Some(step) => Some(format!("every {} h at :{:02}", number(step)?, number(minute)?)),
            None => Some(format!("daily at {}", time(hour, minute)?)),
        },
        [minute, hour, "*", "*", day] => Some(format!("{} at {}", days(day)?, time(hour, minute)?)),
        [minute, hour, day, "*", "*"] => {
            Some(format!("monthly on day {} at {}", number(day)?, time(hour, minute)?))
        }
        [step, "*", "*", "*", "*", "*"] => {
            Some(format!("every {} s", number(step.strip_prefix("*/")?)?))
        }
        ["0", minute, hour, "*", "*", "*"] => simple(&format!("{minute} {hour} * * *")),
        _ => None,
    }
}

fn number(text: &str) -> Option<u32> {
    text.parse().ok()
}

fn time(hour: &str, minute: &str) -> Option<String> {
    let mut text = String::new();
    // Writing to a string cannot fail.
    write!(text, "{:02}:{:02}", number(hour)?, number(minute)?).unwrap_or_default();
    Some(text)
}

fn days(day: &str) -> Option<String> {
    if day == "1-5" {
        return Some("Mondays to Fridays".to_owned());
    }
    let at = usize::try_from(number(day)? % 7).ok()?;
    DAYS.get(at).map(|day| (*day).to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn simple_schedules_are_said_in_words() {
        let table = [
            ("*/15 * * * *", "every 15 min"),
            ("* * * * *", "every minute"),
            ("5 * * * *", "hourly at :05"),
            ("0 */6 * * *", "every 6 h at :00"),
            ("30 9 * * *", "daily at 09:30"),
            ("0 12 * * 6", "Saturdays at 12:00"),
            ("0 12 * * 7", "Sundays at 12:00"),
            ("0 8 * * 1-5", "Mondays to Fridays at 08:00"),
            ("0 4 1 * *", "monthly on day 1 at 04:00"),
            ("*/20 * * * * *", "every 20 s"),
            ("0 30 9 * * *", "daily at 09:30"),
            ("@hourly", "hourly"),
            ("@daily", "daily at 00:00"),
            ("0,30 9-17 * * 1-5", "cron 0,30 9-17 * * 1-5"),
            ("0 9 * * MON", "cron 0 9 * * MON"),
            ("@yearly", "cron @yearly"),
        ];
        for (cron, expected) in table {
            assert_eq!(schedule(cron), expected);
        }
    }

    #[test]
    fn factor_names_its_value_only_to_those_who_may_know() {
        let host = Factor { kind: FactorKind::Host, value: "db.internal".to_owned() };
        let account = Factor { kind: FactorKind::Account, value: "acme".to_owned() };
        assert_eq!([factor(&host, false), factor(&host, true)], ["the host db.internal", "a host"]);
        assert_eq!(factor(&account, true), "an account");
    }

    #[test]
    fn each_class_is_a_sentence_of_its_own() {
        let all: std::collections::BTreeSet<_> = Class::ALL.iter().map(|one| class(*one)).collect();
        assert_eq!(all.len(), Class::ALL.len());
        assert!(all.iter().all(|text| text.ends_with('.')));
    }

    #[test]
    fn statuses_that_say_enough_have_no_words() {
        let silent: Vec<_> = Status::ALL.iter().filter(|one| status(**one).is_none()).collect();
        let expected = [&Status::Disabled, &Status::Enabled, &Status::RecurringValidationError];
        assert_eq!(silent, expected);
    }
}
