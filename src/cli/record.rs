//! `validate --record` and `validate --replay`: a run as a test case without secrets and names.

use std::io::{IsTerminal as _, stdin};
use std::path::Path;

use anyhow::{Context as _, anyhow};
use serde_json::json;
use tokio::time::Instant;

use super::args::{Global, Validate};
use super::confirm;
use super::error::{CommandError, print_error};
use super::print::{Answer, Column, End, Screen, Table, counted, sanitise};
use super::{read, validate};
use crate::daemon::{self, Assembly, Signals};
use crate::net::farewell;
use crate::platforms::Mode;
use crate::platforms::record::{self, Draft, Pseudonym, Taken};
use crate::view::Validated;

/// Most lines of the table of what is replaced.
const LINES_MAX: usize = 200;
const COLUMNS: [Column; 4] = [
    Column::whole("KIND"),
    Column::name("REPLACED BY"),
    Column::text("FOUND IN"),
    Column::whole("TIMES"),
];

/// Validates, and records the run or replays one where that is asked for.
pub(super) async fn answer(
    global: &Global,
    args: &Validate,
    screen: Screen,
) -> Result<Answer, CommandError> {
    match (&args.replay, &args.recording.record) {
        (Some(folder), _) => replay(args, folder).await,
        (None, Some(folder)) => recorded(global, args, folder, screen).await,
        (None, None) => validate::answer(global, args, screen).await,
    }
}

/// Validates and writes the run to `folder`, after what is replaced in it was shown and confirmed.
async fn recorded(
    global: &Global,
    args: &Validate,
    folder: &Path,
    screen: Screen,
) -> Result<Answer, CommandError> {
    let name = args.name.as_deref().unwrap_or_default();
    let assembly = read::partly(global, |all| all.integrations.contains_key(name))?;
    let known: Vec<_> = assembly.integrations.keys().map(String::as_str).collect();
    let one = assembly.integrations.get(name).ok_or_else(|| read::unknown(name, &known))?;
    if !args.recording.yes && !stdin().is_terminal() {
        let refused = "without a terminal, `--record` needs `--yes`: what is replaced is shown, and \
                       nothing is asked";
        return Err(CommandError::Usage(refused.to_owned()));
    }
    record::check_absent(folder).map_err(CommandError::Usage)?;
    let mode = if args.preflight { Mode::Preflight } else { Mode::Recurring };
    let started = Instant::now();
    let taken = interruptible(taken(&assembly, name, mode)).await??;
    let (report, duration) = (taken.report.clone(), started.elapsed());
    let validated = Validated { name: name.to_owned(), kind: one.platform.kind, report, duration };
    let draft = interruptible(record::draft(taken)).await?;
    let draft = draft.map_err(|why| anyhow!("the run was not recorded: {why}"))?;
    let plan = plan(&draft, folder, screen);
    if args.recording.yes {
        print_error(&plan);
    }
    confirm::confirmed(args.recording.yes, plan.trim_end())?;
    record::write(&draft.case, folder).map_err(|why| anyhow!("{why}"))?;
    let text = validate::shown(&[validated], args.form.json, screen)?;
    let note = format!(
        "Recorded in {0}. Read the files before you send them; `revalidated validate --replay {0}` replays \
         them.\n",
        sanitise(&folder.display().to_string())
    );
    Ok(Answer { note, ..text })
}

/// Replays the recording in `folder`.
async fn replay(args: &Validate, folder: &Path) -> Result<Answer, CommandError> {
    let case = record::read(folder).map_err(CommandError::Usage)?;
    let kind = case.platform().map_err(CommandError::Usage)?.kind;
    let found = interruptible(record::replay(&case)).await?;
    let found = found.map_err(|why| anyhow!("{}: {why}", folder.display()))?;
    let differences = record::differences(&case.expected, &found);
    let is_equal = differences.is_empty();
    if args.form.json {
        let shown = json!({ "type": kind, "asRecorded": is_equal, "differences": differences });
        return Ok(Answer { end: End::success_if(is_equal), ..Answer::json(&shown)? });
    }
    let status = found.pointer("/validationResults/status").and_then(|status| status.as_str());
    let status = sanitise(status.unwrap_or("unknown")).into_owned();
    let mut lines = vec![if is_equal {
        format!("{kind}: {status}, as recorded")
    } else {
        let count = counted(differences.len(), "difference");
        format!("{kind}: {status}, and not as recorded: {count} (- recorded, + replayed)")
    }];
    lines.extend(differences.iter().map(|line| sanitise(line).into_owned()));
    Ok(Answer::judged(lines.join("\n") + "\n", is_equal))
}

async fn taken<'a>(
    assembly: &'a Assembly,
    name: &str,
    mode: Mode,
) -> Result<Taken<'a>, CommandError> {
    let taken = daemon::record_once(assembly, name, mode).await;
    taken.ok_or_else(|| read::unknown(name, &[]))
}

/// Runs `work` until it ends or the command is interrupted.
async fn interruptible<T>(work: impl Future<Output = T>) -> Result<T, CommandError> {
    let mut signals = Signals::new().context("signals cannot be received")?;
    tokio::select! {
        done = work => Ok(done),
        () = signals.asked_to_stop() => {
            farewell::finished().await;
            Err(CommandError::Ended(End::Interrupted, anyhow!("interrupted")))
        }
    }
}

/// Returns what is replaced by what, and how the recording differs from the run.
fn plan(draft: &Draft, folder: &Path, screen: Screen) -> String {
    let (table, more) = replaced(&draft.table, screen);
    let answers = draft.case.replies.values().map(Vec::len).sum();
    let mut differences = Vec::new();
    if !draft.differences.is_empty() {
        let heading = "The replay of the recording differs from the run (- run, + replay):\n";
        differences.push(heading.to_owned());
        let lines = draft.differences.iter().map(|line| format!("  {}\n", sanitise(line)));
        differences.extend(lines);
    }
    let differences = differences.concat();
    format!(
        "{table}{more}Secrets of the run are [REDACTED] in answers. Requests are kept as names only.\n\
         {differences}{} of the platform and the report will be written to {}.\n",
        counted(answers, "answer"),
        sanitise(&folder.display().to_string()),
    )
}

/// Returns the table of what is replaced, and how many lines it lacks. Words that only answers have are one line
/// for each request.
fn replaced(all: &[Pseudonym], screen: Screen) -> (String, String) {
    let mut lines: Vec<(Pseudonym, u64)> = Vec::new();
    for one in all {
        let is_configured = one.source.starts_with("config") || one.source == "name";
        let same = lines
            .iter_mut()
            .find(|(line, _)| !is_configured && line.kind == one.kind && line.source == one.source);
        match same {
            Some((line, others)) => {
                line.uses += one.uses;
                *others += 1;
            }
            None => lines.push((one.clone(), 0)),
        }
    }
    let mut table = Table::new(screen, COLUMNS);
    for (Pseudonym { kind, placeholder, source, uses }, others) in lines.iter().take(LINES_MAX) {
        let others = if *others == 0 { String::new() } else { format!(" and {others} others") };
        table.row([
            kind.as_str().to_owned(),
            format!("{}{others}", sanitise(placeholder)),
            sanitise(source).into_owned(),
            uses.to_string(),
        ]);
    }
    let more = match lines.len().saturating_sub(LINES_MAX) {
        0 => String::new(),
        more => format!("... and {more} more\n"),
    };
    (table.text(), more)
}

#[cfg(test)]
mod tests {
    use super::super::args::{Arguments, Command};
    use super::super::samples;
    use super::*;
    use crate::platforms::record::Kind;
    use clap::Parser as _;
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::net::TcpListener;

    /// Refuses every statement in words of the platform, with a name in them.
    async fn refusing() -> u16 {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                let mut head = [0; 4096];
                let _read = stream.read(&mut head).await;
                let is_info = head.starts_with(b"GET /v1/info");
                let (status, body) = if is_info {
                    (200, "{\"nodeVersion\":{\"version\":\"476\"},\"starting\":false}")
                } else {
                    (401, "Access Denied: Invalid credentials of acmeuser7")
                };
                let length = body.len();
                let answer = format!(
                    "HTTP/1.1 {status} X\r\ncontent-type: application/json\r\nconnection: close\r\n\
                     content-length: {length}\r\n\r\n{body}"
                );
                let _sent = stream.write_all(answer.as_bytes()).await;
            }
        });
        port
    }

    async fn run(folder: &Path, line: &str) -> Result<Answer, CommandError> {
        let line = format!("revalidated --config {0}/r.toml {line}", folder.display());
        let Arguments { global, command } = Arguments::try_parse_from(line.split(' ')).unwrap();
        let Some(Command::Validate(args)) = command else { panic!("{line}") };
        answer(&global, &args, samples::screen()).await
    }

    fn configure(folder: &Path, port: u16) {
        let text = format!(
            "[store]\npath = \"{0}/state.db\"\n[[integration]]\nname = \"acme\"\ntype = \"Trino\"\n\
             schedule = \"@hourly\"\n[integration.config]\nhost = \"trino.acme.com\"\n\
             endpoint = \"http://127.0.0.1:{port}\"\nauthenticationType = \"userPassword\"\n\
             username = \"acmeuser7\"\npassword = {{ file = \"{0}/password\" }}\n\
             [[integration]]\nname = \"pool\"\ntype = \"Azure Synapse Analytics\"\n\
             autoBootstrap = false\nschedule = \"@hourly\"\n[integration.config]\n\
             host = \"w.sql.azuresynapse.net\"\nschema = \"s\"\nmetadataDelimiters = {{ \
             hashDelimiter = \"|\", hashKeyDelimiter = \":\", arrayDelimiter = \",\" }}\n\
             database = \"acme_pool\"\nauthenticationType = \"userPassword\"\n\
             username = \"acmeuser7\"\npassword = {{ file = \"{0}/password\" }}\n\
             tls = {{ caFile = \"{0}/acme.pem\" }}\n",
            folder.display()
        );
        std::fs::write(folder.join("r.toml"), text).unwrap();
        std::fs::write(folder.join("password"), "hunter2-hunter2\n").unwrap();
    }

    #[tokio::test]
    async fn run_is_recorded_without_its_names_and_replayed_to_the_same_report() {
        let dir = tempfile::tempdir().unwrap();
        let folder = dir.path();
        configure(folder, refusing().await);
        let case = folder.join("case");
        let line = format!("validate acme --yes --record {}", case.display());
        let recorded = run(folder, &line).await.unwrap();
        assert_eq!(recorded.end, End::Failure);
        assert!(recorded.note.starts_with("Recorded in "), "{}", recorded.note);
        let mut all = String::new();
        for entry in std::fs::read_dir(&case).unwrap() {
            all += &std::fs::read_to_string(entry.unwrap().path()).unwrap();
        }
        for name in ["acme", "hunter2"] {
            assert!(!all.contains(name), "{name} in {all}");
        }
        let again = run(folder, &line).await.unwrap_err();
        assert!(again.to_string().contains("is not empty"), "{again}");
        let replay = format!("validate --replay {}", case.display());
        let same = run(folder, &replay).await.unwrap();
        assert_eq!((same.text.as_str(), same.end), ("Trino: failed, as recorded\n", End::Success));
        let expected = case.join("expected.json");
        let text = std::fs::read_to_string(&expected).unwrap().replace("\"failed\"", "\"warning\"");
        std::fs::write(&expected, text).unwrap();
        let other = run(folder, &format!("{replay} --json")).await.unwrap();
        assert_eq!(other.end, End::Failure);
        let shown: serde_json::Value = serde_json::from_str(&other.text).unwrap();
        assert_eq!(shown["asRecorded"], false);
        let first = shown["differences"][0].as_str().unwrap();
        assert_eq!(first, "- validationResults/status: \"warning\"");
        let other = run(folder, &replay).await.unwrap().text;
        assert!(other.contains("not as recorded: "), "{other}");
    }

    #[tokio::test]
    async fn failure_before_a_database_server_speaks_is_recorded_and_replayed() {
        let dir = tempfile::tempdir().unwrap();
        let folder = dir.path();
        configure(folder, 1);
        let case = folder.join("case");
        run(folder, &format!("validate pool --yes --record {}", case.display())).await.unwrap();
        let text = std::fs::read_to_string(case.join("log-in.sql")).unwrap();
        assert!(text.contains("\nno-answer local\ncause: local\n"), "{text}");
        assert!(!text.contains("acme"), "{text}");
        let same = run(folder, &format!("validate --replay {}", case.display())).await.unwrap();
        assert_eq!(same.text, "Azure Synapse Analytics: failed, as recorded\n");
    }

    #[tokio::test]
    async fn unusable_recording_is_refused_before_the_platform_is_asked() {
        let dir = tempfile::tempdir().unwrap();
        let folder = dir.path();
        configure(folder, 1);
        let case = folder.join("case").display().to_string();
        let table = [
            (format!("validate acne --yes --record {case}"), "did you mean `acme`?"),
            (format!("validate acme --yes --record {}", folder.display()), "is not empty"),
            (format!("validate --replay {case}"), "case: No such file"),
            (format!("validate --replay {}", folder.display()), "integration.json is missing"),
        ];
        for (line, expected) in table {
            let refused = run(folder, &line).await.unwrap_err();
            assert_eq!(refused.end(), End::Usage, "{line}");
            assert!(refused.to_string().contains(expected), "{line}: {refused}");
        }
        assert!(!folder.join("case").exists());
    }

    fn pseudonym(kind: Kind, placeholder: &str, source: &str) -> Pseudonym {
        let (placeholder, source) = (placeholder.to_owned(), source.to_owned());
        Pseudonym { kind, placeholder, source, uses: 2 }
    }

    #[test]
    fn table_has_a_line_for_each_name_of_the_configuration_and_for_each_request() {
        let all = [
            pseudonym(Kind::Host, "host1", "config.host"),
            pseudonym(Kind::Host, "host2", "config.host"),
            pseudonym(Kind::Name, "name1", "catalogs"),
            pseudonym(Kind::Name, "name2", "catalogs"),
            pseudonym(Kind::Name, "name3", "catalogs"),
            pseudonym(Kind::Name, "name4", "nodes"),
        ];
        let (table, more) = replaced(&all, samples::screen());
        let expected = "\
KIND  REPLACED BY         FOUND IN     TIMES
host  host1               config.host  2
host  host2               config.host  2
name  name1 and 2 others  catalogs     6
name  name4               nodes        2
";
        assert_eq!((samples::plain(&table).as_str(), more.as_str()), (expected, ""));
        let many: Vec<_> = (0..=LINES_MAX)
            .map(|number| pseudonym(Kind::Host, &number.to_string(), "config.host"))
            .collect();
        assert_eq!(replaced(&many, samples::screen()).1, "... and 1 more\n");
    }
}
