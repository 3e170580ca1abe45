//! Reads `[[integration]]` tables: the keys that all platforms have in common.

use std::collections::BTreeMap;

use super::entry::Entry;
use super::policy::{Evidence, GivenChecks, RUN_ON};
use super::schedules::Schedules;
use super::settings::Defaults;
use crate::domain::{CommonChecks, IntegrationId, Policy, Pool, Schedule};
use crate::input::{Fault, Faults, Kind, Reader, labels, labels_of, name_problem, quoted};

/// Keys of an integration as it is answered, not as it is configured.
const ANSWERED: [&str; 3] = ["status", "validationResults", "revalidated"];
/// Key of an id, which is passed over in an answer: clients of another installation know it.
const ID: &str = "id";
/// Largest id that an integration can be given.
const ID_MAX: i64 = 2_147_483_647;

/// Integration of which everything but its platform's part has been read.
///
/// A faulty value is missing here and is among the faults; the platform's part is still read then, so
/// that all faults are reported together.
#[derive(Debug)]
pub(crate) struct Integration {
    /// Table of the integration, with its path.
    pub(crate) entry: Entry,
    /// Published name of the platform.
    pub(crate) kind: Option<String>,
    /// Value of `autoBootstrap`, where given.
    pub(crate) auto_bootstrap: Option<bool>,
    /// Keys that the daemon itself uses; none when one of them is faulty.
    pub(crate) plan: Option<Plan>,
}

/// Keys of an integration that the daemon itself uses.
#[derive(Clone, Debug)]
pub(crate) struct Plan {
    /// Unique name of the integration.
    pub(crate) name: String,
    /// Name that it had before, if it was renamed.
    pub(crate) formerly: Option<String>,
    /// Id that it is to have when it is new.
    pub(crate) id: Option<IntegrationId>,
    /// True when it is not validated at all.
    pub(crate) disabled: bool,
    /// Schedule of its validation runs.
    pub(crate) schedule: Schedule,
    /// Policy of its verdicts: the evidence that each needs.
    pub(crate) policy: Policy,
    /// Tests of all platforms, added to those of its own.
    pub(crate) checks: CommonChecks,
    /// Labels, chosen by the user.
    pub(crate) labels: BTreeMap<String, String>,
    /// Nodes that may validate it.
    pub(crate) run_on: Pool,
}

impl Integration {
    /// Reads the table of `entry`; faults go to `faults`.
    pub(super) fn read(
        mut entry: Entry,
        defaults: &Defaults,
        schedules: &mut Schedules,
        faults: &Faults,
    ) -> Self {
        pass_over_answers(&mut entry, faults);
        let Some(mut reader) = entry.reader(faults) else {
            return Self { entry, kind: None, auto_bootstrap: None, plan: None };
        };
        // It has been merged into the table.
        reader.has("template");
        let name = reader.required_string("name");
        let name = name.filter(|name| is_name(name, "name", &reader));
        let formerly = formerly(&mut reader, name.as_deref());
        let id = reader.integer_or_text(ID, 1, ID_MAX).map(IntegrationId);
        let kind = reader.required_string("type");
        let auto_bootstrap = reader.boolean("autoBootstrap");
        let disabled = reader.boolean("disabled").unwrap_or(false);
        let when = schedules.read(&mut reader);
        let evidence = Evidence::read(&mut reader);
        let checks = GivenChecks::read(&mut reader);
        let labels = labels(&mut reader);
        let run_on = labels_of(&mut reader, RUN_ON).map(Pool::of);
        reader.required("config").and_then(|()| reader.table("config"));
        reader.finish_beside(Some("config"));
        let cron = when.cron.as_deref().unwrap_or(defaults.schedule.text());
        let zone = when.zone.as_deref().unwrap_or(defaults.schedule.zone());
        let schedule = schedules.get(cron, zone).ok();
        let plan = name.zip(schedule).map(|(name, schedule)| Plan {
            name,
            formerly,
            id,
            disabled,
            schedule,
            policy: evidence.or(&defaults.policy),
            checks: checks.or(&defaults.checks),
            labels,
            run_on: run_on.unwrap_or_else(|| defaults.run_on.clone()),
        });
        Self { entry, kind, auto_bootstrap, plan }
    }
}

/// Removes what an answer of the published interface, or JSON of the commands, has besides.
fn pass_over_answers(entry: &mut Entry, faults: &Faults) {
    let Kind::Table(entries) = &mut entry.value.kind else { return };
    let is_answered = |key: &str| ANSWERED.contains(&key);
    if !entries.iter().any(|(key, _)| is_answered(key)) {
        return;
    }
    let found: Vec<_> = entries.extract_if(.., |(key, _)| is_answered(key) || key == ID).collect();
    let Some((_, first)) = found.first() else { return };
    let keys: Vec<_> = found.iter().map(|(key, _)| format!("`{key}`")).collect();
    let message = format!(
        "passed over {}, which belong to an answer: the daemon finds out for itself (`id` alone is kept)",
        keys.join(", ")
    );
    let (origin, path) = (first.origin.to_string(), entry.path.clone());
    faults.warn(Fault { origin, path, message });
}

/// Reads the name that the integration had before.
fn formerly(reader: &mut Reader<'_>, name: Option<&str>) -> Option<String> {
    let given = reader.string("formerly");
    let former = given.filter(|former| is_name(former, "formerly", reader))?;
    if name == Some(former.as_str()) {
        reader.fault("formerly", "is its name now; give the one that it had before");
        return None;
    }
    Some(former)
}

/// Returns true for a name; anything else is a fault of `key`.
fn is_name(text: &str, key: &str, reader: &Reader<'_>) -> bool {
    let problem = name_problem(text);
    let report = |problem| reader.fault(key, format!("{problem}, found {}", quoted(text)));
    problem.map(report).is_none()
}

#[cfg(test)]
mod tests {
    use super::super::format::Format;
    use super::*;
    use crate::domain::Timestamp;
    use crate::input::{LABEL_MAX, LABELS_MAX, NAME_MAX};

    const PLAIN: &str = "name = \"one\"\ntype = \"Sample\"\n[config]\n";

    /// Reads an integration with these lines before those of a plain one.
    fn read(lines: &str) -> (Integration, Vec<String>) {
        let value = Format::Toml.parse(&format!("{lines}{PLAIN}"), "f").unwrap();
        let (faults, mut schedules) = (Faults::default(), Schedules::new(Timestamp(0)));
        let defaults = super::super::embedded().defaults;
        let entry = Entry { value, path: "integration[0]".to_owned() };
        let integration = Integration::read(entry, &defaults, &mut schedules, &faults);
        (integration, faults.into_parts().0.iter().map(ToString::to_string).collect())
    }

    #[test]
    fn missing_keys_are_those_of_the_defaults() {
        let (integration, faults) = read("");
        assert_eq!(faults, [""; 0]);
        let defaults = super::super::embedded().defaults;
        let plan = integration.plan.unwrap();
        assert_eq!((plan.name.as_str(), plan.disabled), ("one", false));
        assert_eq!((plan.policy, plan.checks), (defaults.policy, defaults.checks));
        assert_eq!(plan.schedule.text(), defaults.schedule.text());
        assert_eq!(
            (integration.kind.as_deref(), integration.auto_bootstrap),
            (Some("Sample"), None)
        );
    }

    #[test]
    fn given_keys_override_the_defaults() {
        let (integration, faults) = read(
            "autoBootstrap = false\ndisabled = true\nschedule = \"@hourly\"\n\
             formerly = \"zero\"\nzone = \"Europe/Berlin\"\nconfirm_runs = 9\nlabels = { team = \"data\" }\n\
             run_on = { region = \"eu\" }\n",
        );
        assert_eq!(faults, [""; 0]);
        let plan = integration.plan.unwrap();
        assert_eq!((plan.disabled, plan.policy.confirm_runs), (true, Some(9)));
        assert_eq!(plan.formerly.as_deref(), Some("zero"));
        assert_eq!((plan.schedule.text(), plan.schedule.zone()), ("@hourly", "Europe/Berlin"));
        assert_eq!(plan.labels["team"], "data");
        assert_eq!(plan.run_on.to_string(), "region=eu");
        assert_eq!(integration.auto_bootstrap, Some(false));
    }

    #[test]
    fn integration_runs_where_the_defaults_say_unless_it_says_otherwise() {
        let mut defaults = super::super::embedded().defaults;
        defaults.run_on = Pool::of([("region".to_owned(), "eu".to_owned())].into());
        for (lines, expected) in [
            ("", "region=eu"),
            ("run_on = {}\n", ""),
            ("run_on = { region = \"us\", disk = \"ssd\" }\n", "disk=ssd, region=us"),
        ] {
            let value = Format::Toml.parse(&format!("{lines}{PLAIN}"), "f").unwrap();
            let (faults, mut schedules) = (Faults::default(), Schedules::new(Timestamp(0)));
            let entry = Entry { value, path: "integration[0]".to_owned() };
            let read = Integration::read(entry, &defaults, &mut schedules, &faults);
            assert_eq!(read.plan.unwrap().run_on.to_string(), expected, "{lines}");
        }
    }

    #[test]
    fn name_has_1_to_128_printable_characters_without_outer_spaces() {
        let problem = |name: &str| name_problem(name);
        for good in ["a", "prod lake", "Grüße", &"n".repeat(NAME_MAX)] {
            assert_eq!(problem(good), None, "{good}");
        }
        for bad in ["", " a", "a ", "a\n", "a\u{202e}b", &"n".repeat(NAME_MAX + 1)] {
            assert!(problem(bad).is_some(), "{bad:?}");
        }
    }

    #[test]
    fn each_faulty_label_is_one_fault() {
        let long = format!("labels = {{ note = \"{}\" }}\n", "x".repeat(LABEL_MAX + 1));
        let many: Vec<_> = (0..=LABELS_MAX).map(|number| format!("l{number} = \"\"")).collect();
        let many = format!("labels = {{ {} }}\n", many.join(", "));
        let table = [
            ("formerly = \"one\"\n", "is its name now; give the one that it had before"),
            ("formerly = \" two\"\n", "must not begin or end with a space, found \" two\""),
            ("labels = { \"\" = \"x\" }\n", "the name \"\" must be 1 to 128 characters long"),
            ("labels = { a = 1 }\n", "expected text in quotes, found 1"),
            ("run_on = { region = 1 }\n", "expected text in quotes, found 1"),
            (
                "run_on = { \"\" = \"eu\" }\n",
                "run_on: the name \"\" must be 1 to 128 characters long",
            ),
            ("run_on = \"eu\"\n", "expected a table of texts, found \"eu\""),
            ("labels = { a = \"\\u0007\" }\n", "must be at most 256 printable characters"),
            (long.as_str(), "must be at most 256 printable characters"),
            (many.as_str(), "has 65 entries; 64 are allowed"),
        ];
        for (lines, expected) in table {
            let (_, faults) = read(lines);
            assert_eq!(faults.len(), 1, "{faults:?}");
            assert!(faults[0].contains(expected), "{faults:?}");
        }
    }

    #[test]
    fn answer_of_the_published_interface_is_taken_and_its_results_are_passed_over() {
        let (integration, faults) =
            read("id = 5\nstatus = \"enabled\"\nvalidationResults = { status = \"passed\" }\n");
        assert_eq!(faults, [""; 0]);
        assert_eq!(integration.plan.unwrap().name, "one");
    }

    #[test]
    fn faulty_schedule_leaves_the_rest_to_be_checked() {
        let (integration, faults) = read("schedule = \"soon\"\nconfirm_runs = 0\ncolour = 1\n");
        assert_eq!(faults.len(), 3, "{faults:?}");
        assert_eq!(integration.kind.as_deref(), Some("Sample"));
        assert_eq!(integration.plan.unwrap().schedule.text(), "0 * * * *", "for further faults");
    }
}
