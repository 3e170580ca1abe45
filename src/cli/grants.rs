//! `grants`: what an integration needs on its platform, what of it is missing, and what it has too much.

use super::args::{Global, Grants as Arguments};
use super::error::{CommandError, fault_lines, print_error};
use super::print::{Answer, Tone, sanitise, toned};
use super::read;
use super::rehearse::interruptible;
use crate::daemon::{self, Assembled, Assembly};
use crate::platforms::{Mode, Names, documents, needs};
use crate::view::{GrantState, Granted, Grants, Looked};

/// States with the lines above their grants, those that matter most first.
const STATES: [(&str, &str, Tone); 4] = [
    ("missing", "Missing", Tone::Bad),
    (
        "suspect",
        "Perhaps missing: a test that needs them was refused, or could not verify them",
        Tone::Bad,
    ),
    ("unknown", "Not seen: no test that needs them was answered", Tone::Quiet),
    ("present", "Present", Tone::Good),
];

/// Prints the grants of one integration, after a run by hand unless that is not wanted.
pub(super) async fn answer(global: &Global, args: &Arguments) -> Result<Answer, CommandError> {
    let assembly = read::partly(global, |all| all.integrations.contains_key(&args.name))?;
    print_error(&fault_lines(&assembly.warnings, "warning: "));
    let Some(one) = assembly.integrations.get(&args.name) else {
        let known: Vec<_> = assembly.integrations.keys().map(String::as_str).collect();
        return Err(read::unknown(&args.name, &known));
    };
    let mode = if args.preflight { Mode::Preflight } else { Mode::Recurring };
    let (run, names) = if args.offline {
        (None, one.validator.names())
    } else {
        let (run, names) = interruptible(Box::pin(looked(&assembly, one, mode))).await?;
        (Some(run), names)
    };
    let grants = Grants {
        name: args.name.clone(),
        kind: one.platform.kind,
        needs: needs(one.platform.grants, &names),
        names,
        run,
    };
    let good = is_good(&grants);
    if args.form.json {
        let answer = Answer::json(&Granted::from(&grants))?;
        return Ok(Answer { end: super::print::End::success_if(good), ..answer });
    }
    Ok(Answer::judged(text(&grants), good))
}

/// Validates by hand, and asks for what is beyond the needs. The names are those of the configuration and of what
/// the run saw.
async fn looked(assembly: &Assembly, one: &Assembled, mode: Mode) -> (Looked, Names) {
    let (report, observed) = daemon::observe_once(assembly, one, &one.wanted.name, mode).await;
    let surplus = daemon::surplus_once(assembly, one, mode, &report, &observed).await;
    (Looked { report, surplus }, one.validator.names_seen(&observed))
}

/// True when no grant is missing and no test failed for another reason.
fn is_good(grants: &Grants) -> bool {
    let failed = grants.run.as_ref().is_some_and(|run| run.report.class().is_some());
    !failed && grants.missing() == [0, 0]
}

fn text(grants: &Grants) -> String {
    let states = grants.states();
    let mut parts = vec![heading(grants, &states)];
    if grants.run.is_none() {
        parts.push(listed(&states));
    } else {
        for (word, line, tone) in STATES {
            let fitting = states.iter().filter(|one| one.state == Some(word) && is_shown(one));
            let fitting: Vec<_> = fitting.cloned().collect();
            if !fitting.is_empty() {
                parts.push(format!("{}\n{}", toned(line, tone), listed(&fitting)));
            }
        }
    }
    let document = |heading: &str, text: &str| {
        let lines = text.lines().map(|line| format!("  {}", sanitise(line)));
        let lines: Vec<_> = lines.collect();
        format!("{heading}\n{}\n", lines.join("\n"))
    };
    let documents = documents(&grants.needs, &grants.names);
    parts.extend(documents.iter().map(|one| document(one.form.heading(), &one.text)));
    parts.extend(grants.run.as_ref().map(surplus));
    parts.join("\n")
}

/// False for a grant that is needed in some situations alone, and not known to be missing.
fn is_shown(one: &GrantState) -> bool {
    one.only.is_none() || one.state == Some("missing")
}

fn heading(grants: &Grants, states: &[GrantState]) -> String {
    let name = sanitise(&grants.name);
    let counted =
        super::print::counted(states.iter().filter(|one| one.only.is_none()).count(), "grant");
    let Some(run) = &grants.run else {
        return format!("{name} ({}) needs {counted}; nothing was asked\n", grants.kind);
    };
    let [missing, suspect] = grants.missing();
    let verdict = match (missing, suspect, run.report.class()) {
        (0, 0, None) => "none is seen to be missing".to_owned(),
        (0, 0, Some(class)) => format!(
            "none is seen to be missing, but the validation failed ({}): `validate` shows why",
            class.as_str()
        ),
        (0, _, _) => "some may be missing".to_owned(),
        (1, _, _) => "1 is missing".to_owned(),
        (missing, _, _) => format!("{missing} are missing"),
    };
    format!("{name} ({}) needs {counted}; {verdict}\n", grants.kind)
}

/// Lists grants, each with its reason and its tests.
fn listed(states: &[GrantState]) -> String {
    let entry = |one: &GrantState| {
        let only = one.only.map_or(String::new(), |only| format!(", only {only}"));
        let because = one.because.as_ref();
        let because = because.map_or(String::new(), |text| format!("    {}\n", sanitise(text)));
        let tests = one.tests.join("; ");
        format!("  {}\n    {}{only}, by: {tests}\n{because}", sanitise(&one.grant), one.why)
    };
    states.iter().map(entry).collect()
}

/// Lists what is beyond the needs, and what is not seen of that.
fn surplus(run: &Looked) -> String {
    let found = run.surplus.found.iter().map(|extra| {
        let revoke = extra.revoke.as_ref();
        let revoke = revoke.map_or(String::new(), |text| format!("    {}\n", sanitise(text)));
        format!("  {}\n{revoke}", sanitise(&extra.what))
    });
    let found: String = found.collect();
    let found = if found.is_empty() { "  none is seen\n".to_owned() } else { found };
    let unseen = run.surplus.unseen.iter().map(|text| format!("  ({})\n", sanitise(text)));
    format!("More than the tests need\n{found}{}", unseen.collect::<String>())
}

#[cfg(test)]
mod tests {
    use super::super::samples;
    use super::*;
    use crate::domain::Outcome;

    #[test]
    fn missing_grants_come_first_and_all_are_there_to_be_copied() {
        let expected = "\
lake (Redshift) needs 3 grants; 1 is missing

Missing
  GRANT B TO u;
    to connect, by: Connect to host
    Connect to host: No\\u{1b}.

Not seen: no test that needs them was answered
  GRANT C TO u;
    to create, by: Create role

Present
  GRANT A ON t\\u{1b} TO u;
    to look, by: Host is given

SQL, as an administrator
  GRANT A ON t\\u{1b} TO u;
  GRANT B TO u;
  GRANT C TO u;

More than the tests need
  superuser
    ALTER USER u NOCREATEUSER;
  (The rest is not shown.)
";
        let grants = samples::grants();
        assert_eq!(samples::plain(&text(&grants)), expected);
        assert!(!is_good(&grants));
    }

    #[test]
    fn grants_without_a_run_have_no_state() {
        let mut grants = samples::grants();
        grants.run = None;
        let shown = samples::plain(&text(&grants));
        assert!(
            shown.starts_with("lake (Redshift) needs 3 grants; nothing was asked\n"),
            "{shown}"
        );
        assert!(shown.contains("to create, only where it is new, by: Create role"), "{shown}");
        assert!(!shown.contains("More than the tests need"), "{shown}");
        assert!(is_good(&grants));
    }

    #[test]
    fn verdict_follows_from_the_run() {
        let with = |place: usize, outcome: Outcome| {
            let mut grants = samples::grants();
            let run = grants.run.as_mut().unwrap();
            run.report.tests.get_mut(place).unwrap().outcome = outcome;
            grants
        };
        let good = with(1, Outcome::Passed(None));
        assert!(is_good(&good) && text(&good).contains("none is seen to be missing\n"));
        let finding = |class, text: &str| Outcome::Failed(crate::domain::Finding::new(class, text));
        let away = with(1, finding(crate::domain::Class::Unreachable, "away"));
        assert!(!is_good(&away) && text(&away).contains("the validation failed (unreachable)"));
        let refused = with(1, finding(crate::domain::Class::Denied, "no"));
        assert!(!is_good(&refused) && text(&refused).contains("some may be missing"));
    }
}
