//! `status`: the daemon as a whole, for people and for whoever goes by the exit status.

use std::time::Duration;

use anyhow::Context as _;

use super::args::{DaemonStatus as Args, Global};
use super::ask::Sockets;
use super::error::CommandError;
use super::print::{Answer, End, Screen, Tone, ago, counted, sanitise, toned};
use super::{failing, read, situation};
use crate::domain::{HeartbeatState, Reload, duration_text};
use crate::store::{View, is_in_use};
use crate::view::{
    BackupStatus, DaemonProcess, DaemonRows, DaemonStatus, FailingRow, Live, Liveness,
};

/// The most failing integrations that are named.
const NAMED_MAX: usize = 20;

/// Shows the state of the daemon; the exit status is that of [`end`].
pub(super) async fn answer(
    global: &Global,
    args: &Args,
    screen: Screen,
) -> Result<Answer, CommandError> {
    let (location, settings) = read::located(global, &args.source)?;
    let sockets = Sockets::of(&args.source, settings.as_ref());
    // Before the database is opened: see there.
    let state = Liveness::from(is_in_use(&location).await);
    let view = match View::open(&location).await {
        Ok(view) => view,
        Err(error) => return sockets.instead("/api/v1/status", args.form.json, error).await,
    };
    let read = DaemonRows::read(&view, state, screen.now).await.context("reading the store")?;
    let rows = DaemonRows { live: sockets.live(&view).await, ..read };
    let mut status = DaemonStatus::from(&rows);
    let backups = settings.as_ref().map(|settings| &settings.backups);
    status.backup = BackupStatus::read(backups).await;
    let answer = if args.form.json {
        Answer::json(&status)?
    } else {
        let degraded = situation::degraded(&rows.faults, screen);
        let head = head(&status.daemon, status.reload, screen);
        Answer::good(head + &degraded + &text(&status, &rows.failing, screen))
    };
    Ok(Answer { end: end(&status), ..answer })
}

/// Returns the exit status: 0 all is well, 1 something fails, 3 the daemon does not run.
const fn end(status: &DaemonStatus<'_>) -> End {
    match status.daemon.state {
        Liveness::Stopped => End::NoDaemon,
        Liveness::Running | Liveness::Unknown => End::success_if(status.is_well),
    }
}

/// Returns the lines that say whether the daemon runs, and whether its latest reload was refused.
pub(super) fn head(process: &DaemonProcess, reload: Option<&Reload>, screen: Screen) -> String {
    let since = |at| format!("since {} ({})", screen.instant(Some(at)), ago(screen.now, at));
    let line = match (process.state, process.last_seen_at, process.started_at) {
        (Liveness::Running, _, Some(at)) => format!("The daemon runs {}.\n", since(at)),
        (Liveness::Running, _, None) => "The daemon is starting.\n".to_owned(),
        (Liveness::Stopped, Some(at), _) => {
            let not = toned("not running", Tone::Bad);
            let ended = if process.stopped_cleanly {
                format!("it stopped at {} ({})", screen.instant(Some(at)), ago(screen.now, at))
            } else {
                format!(
                    "it was last seen at {} ({})",
                    screen.instant(Some(at)),
                    ago(screen.now, at)
                )
            };
            format!("The daemon is {not}; {ended}.\n")
        }
        (Liveness::Stopped, None, _) => {
            format!("The daemon is {}.\n", toned("not running", Tone::Bad))
        }
        (Liveness::Unknown, ..) => {
            "The state of the daemon cannot be seen by this user.\n".to_owned()
        }
    };
    line + &reload.map_or_else(String::new, |reload| refusal(reload, screen))
}

fn refusal(reload: &Reload, screen: Screen) -> String {
    let Some(reason) = &reload.refused else { return String::new() };
    let (at, age) = (screen.instant(Some(reload.ended_at)), ago(screen.now, reload.ended_at));
    let what = if reload.number == 0 { "configuration" } else { "latest reload" };
    let first = reload
        .faults
        .first()
        .map_or_else(String::new, |fault| format!("; the first: {}", sanitise(fault)));
    let (refused, reason) = (toned("refused", Tone::Bad), sanitise(reason));
    format!("The {what} was {refused} at {at} ({age}), what was in force stays: {reason}{first}\n")
}

fn text(status: &DaemonStatus<'_>, failing: &[FailingRow], screen: Screen) -> String {
    let counts = status.integrations.iter().map(|(word, count)| format!("{count} {word}"));
    let counts = counts.collect::<Vec<_>>().join(", ");
    let all = counted(status.integrations.values().sum(), "integration");
    let first = if counts.is_empty() { format!("{all}.") } else { format!("{all}: {counts}.") };
    let mut lines = vec![first];
    lines.extend(status.live.map(figures));
    let receivers = status.receivers.iter();
    lines.extend(receivers.map(|one| format!("Receiver {}.", sanitise(&one.sentence()))));
    lines.extend(status.backup.as_ref().map(|backup| newest(backup, screen)));
    if status.live.is_some_and(|live| live.backup_failed == Some(true)) {
        lines.push(toned("The latest attempt to make a backup failed.", Tone::Bad));
    }
    lines.extend(status.heartbeat.map(|state| heartbeat(state, screen)));
    if status.is_well {
        lines.push("All is well.".to_owned());
    }
    let blocks = failing.iter().take(NAMED_MAX).map(|one| failing::block(one, screen));
    lines.extend(blocks.map(|block| format!("\n{}", block.trim_end())));
    if !failing.is_empty() {
        lines.push(format!("\n{}", footer(status.failing.len())));
    }
    lines.join("\n") + "\n"
}

/// Returns a sentence about the newest backup.
fn newest(backup: &BackupStatus, screen: Screen) -> String {
    match backup.newest_at {
        Some(at) => {
            let (at, age) = (screen.instant(Some(at)), ago(screen.now, at));
            format!("The newest of {} is from {at} ({age}).", counted(backup.number, "backup"))
        }
        None => format!("There is {}.", toned("no backup", Tone::Caution)),
    }
}

/// Returns the figures of the process as a line.
fn figures(live: &Live) -> String {
    let late = live.lateness_p99_ms.map(Duration::from_millis);
    let late = late.map_or_else(String::new, |late| {
        format!(", 99 % began within {} of their time", duration_text(late))
    });
    let still = live.loops.iter().filter(|one| one.stands_still);
    let still = still.map(|one| {
        let idle = duration_text(Duration::from_millis(one.idle_ms));
        format!(" {}", toned(&format!("The {} stands still for {idle}.", one.name), Tone::Bad))
    });
    format!(
        "{} of {} runs in flight{late}.{}",
        live.runs_in_flight,
        live.runs_limit,
        still.collect::<String>()
    )
}

/// Returns a sentence about the latest heartbeat.
fn heartbeat(state: &HeartbeatState, screen: Screen) -> String {
    let latest = state.delivered_at.map(|at| {
        let (at, age) = (screen.instant(Some(at)), ago(screen.now, at));
        format!("The latest heartbeat was delivered at {at} ({age})")
    });
    let none = || format!("There was {} since the start", toned("no heartbeat", Tone::Bad));
    let latest = latest.unwrap_or_else(none);
    match &state.problem {
        Some(problem) => {
            format!("{latest}; {}: {}.", toned("none since", Tone::Bad), sanitise(problem))
        }
        None => format!("{latest}."),
    }
}

/// Returns the number of failing integrations that are left out, and what to do next.
fn footer(failing: usize) -> String {
    let hint = "`explain NAME` says more, `acknowledge NAME --for 4h` that you work on it; after a \
                repair `revalidate --failing --wait 60s`.";
    match failing.saturating_sub(NAMED_MAX) {
        0 => hint.to_owned(),
        more => format!("{more} more fail; `list --failing` shows them all.\n{hint}"),
    }
}

#[cfg(test)]
mod tests {
    use super::super::samples::{faults, plain, receivers, screen};
    use super::*;
    use crate::domain::{Changes, Timestamp};
    use crate::store::{KeptBackup, NodeRow, ProcessId};

    fn node() -> NodeRow {
        NodeRow {
            process: Some(ProcessId { pid: 7, born: 1 }),
            started_at: Some(Timestamp(screen().now.0 - 3_600_000)),
            seen_at: Some(Timestamp(screen().now.0 - 60_000)),
            ..NodeRow::default()
        }
    }

    #[test]
    fn first_line_says_whether_the_daemon_runs() {
        let line =
            |node: &NodeRow, state| plain(&head(&DaemonProcess::new(node, state), None, screen()));
        assert_eq!(
            line(&node(), Liveness::Running),
            "The daemon runs since 2026-11-23T09:00:00Z (1h ago).\n"
        );
        assert_eq!(
            line(&node(), Liveness::Stopped),
            "The daemon is not running; it was last seen at 2026-11-23T09:59:00Z (1m ago).\n"
        );
        let stopped = NodeRow { stopped_at: Some(screen().now), ..node() };
        assert_eq!(
            line(&stopped, Liveness::Stopped),
            "The daemon is not running; it stopped at 2026-11-23T10:00:00Z (0s ago).\n"
        );
        assert_eq!(line(&NodeRow::default(), Liveness::Running), "The daemon is starting.\n");
        assert_eq!(line(&NodeRow::default(), Liveness::Stopped), "The daemon is not running.\n");
    }

    #[test]
    fn refused_reload_is_shown_with_its_first_fault() {
        let reload = Reload {
            number: 2,
            begun_at: screen().now,
            ended_at: screen().now,
            refused: Some("1 fault in the configuration".to_owned()),
            faults: vec!["a.toml:3: no\u{1b}".to_owned()],
            is_configuration: true,
            changes: Changes::default(),
            passed_over: Vec::new(),
        };
        assert_eq!(
            plain(&refusal(&reload, screen())),
            "The latest reload was refused at 2026-11-23T10:00:00Z (0s ago), what was in force \
             stays: 1 fault in the configuration; the first: a.toml:3: no\\u{1b}\n"
        );
    }

    #[test]
    fn exit_status_says_whether_anything_needs_a_person() {
        let rows = |state| DaemonRows {
            state,
            node: node(),
            faults: Vec::new(),
            statuses: Vec::new(),
            failing: Vec::new(),
            receivers: Vec::new(),
            live: None,
        };
        let well = rows(Liveness::Running);
        assert_eq!(end(&DaemonStatus::from(&well)), End::Success);
        assert_eq!(
            text(&DaemonStatus::from(&well), &[], screen()),
            "0 integrations.\nAll is well.\n"
        );
        assert_eq!(end(&DaemonStatus::from(&rows(Liveness::Stopped))), End::NoDaemon);
        let degraded = DaemonRows { faults: faults().into(), ..rows(Liveness::Running) };
        assert_eq!(end(&DaemonStatus::from(&degraded)), End::Failure);
        let still = DaemonRows { live: Some(Live::sample()), ..rows(Liveness::Running) };
        assert_eq!(end(&DaemonStatus::from(&still)), End::Failure, "a loop stands still");
        let shown = plain(&text(&DaemonStatus::from(&still), &[], screen()));
        assert_eq!(
            shown,
            "0 integrations.\n3 of 64 runs in flight, 99 % began within 80ms of their time. The outbox \
             stands still for 1m 31s.\n"
        );
        let live = Live { backup_failed: Some(true), loops: Vec::new(), ..Live::sample() };
        let failed = DaemonRows { live: Some(live), ..rows(Liveness::Running) };
        let shown = plain(&text(&DaemonStatus::from(&failed), &[], screen()));
        assert!(shown.contains("\nThe latest attempt to make a backup failed.\n"), "{shown}");
        let failing = DaemonRows { receivers: receivers().into(), ..rows(Liveness::Running) };
        let shown = text(&DaemonStatus::from(&failing), &[], screen());
        assert!(shown.contains("\nReceiver ") && !shown.contains("All is well"), "{shown}");
    }

    #[test]
    fn newest_backup_has_a_sentence_and_so_has_none() {
        let at = |hours: i64| Timestamp(screen().now.0 - hours * 3_600_000);
        let kept = |hours| KeptBackup { at: at(hours), path: "/b".into() };
        let sentence = |kept: &[KeptBackup]| plain(&newest(&kept.into(), screen()));
        assert_eq!(
            sentence(&[kept(5), kept(29)]),
            "The newest of 2 backups is from 2026-11-23T05:00:00Z (5h ago)."
        );
        assert_eq!(sentence(&[]), "There is no backup.");
    }

    #[test]
    fn latest_heartbeat_has_a_sentence_with_what_keeps_the_next_one_back() {
        let sentence = |delivered: Option<i64>, problem: Option<&str>| {
            let delivered_at = delivered.map(|secs| Timestamp(screen().now.0 - secs * 1000));
            let problem = problem.map(str::to_owned);
            plain(&heartbeat(&HeartbeatState { every_secs: 60, delivered_at, problem }, screen()))
        };
        assert_eq!(
            sentence(Some(20), None),
            "The latest heartbeat was delivered at 2026-11-23T09:59:40Z (20s ago)."
        );
        assert_eq!(
            sentence(Some(180), Some("withheld: the planner\nmakes no progress")),
            "The latest heartbeat was delivered at 2026-11-23T09:57:00Z (3m ago); none since: \
             withheld: the planner\\nmakes no progress."
        );
        assert_eq!(
            sentence(None, Some("no")),
            "There was no heartbeat since the start; none since: no."
        );
    }

    #[tokio::test]
    async fn backups_are_seen_in_the_folder_of_the_configuration() {
        let folder = tempfile::tempdir().unwrap();
        let config = folder.path().join("r.toml");
        let seen = async |text: &str| {
            let place = folder.path().display();
            std::fs::write(&config, format!("[store]\npath = \"{place}/s.db\"\n{text}")).unwrap();
            let assembly = crate::daemon::open(Some(&config)).unwrap();
            let found = BackupStatus::read(Some(&assembly.settings.backups)).await;
            found.map(|found| (found.number, found.newest_at))
        };
        assert_eq!(seen("").await, None, "the daemon makes none");
        let on = "[backup]\nat = \"@daily\"\n";
        assert_eq!(seen(on).await, Some((0, None)));
        std::fs::create_dir(folder.path().join("backups")).unwrap();
        let name = "backups/state-20261123T050000Z-1a2b3c4d.db";
        std::fs::write(folder.path().join(name), "").unwrap();
        assert_eq!(seen(on).await, Some((1, "2026-11-23T05:00:00Z".parse().ok())));
    }

    #[test]
    fn failing_integrations_are_blocks_up_to_a_bound() {
        let many: Vec<_> = (0..22).map(|_| super::super::samples::failing()).collect();
        let rows = DaemonRows {
            state: Liveness::Running,
            node: node(),
            faults: Vec::new(),
            statuses: Vec::new(),
            failing: many,
            receivers: Vec::new(),
            live: None,
        };
        let status = DaemonStatus::from(&rows);
        let shown = plain(&text(&status, &rows.failing, screen()));
        assert_eq!(shown.matches("\n\nlake (Redshift)\n").count(), NAMED_MAX);
        assert!(shown.contains("\n\n2 more fail; `list --failing` shows them all.\n"), "{shown}");
        assert!(shown.ends_with("after a repair `revalidate --failing --wait 60s`.\n"), "{shown}");
        assert_eq!(end(&status), End::Failure);
    }
}
