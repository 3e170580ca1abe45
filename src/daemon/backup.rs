//! Backups on schedule: the daemon copies its own database, verified, into a folder that keeps the newest.
//!
//! The folder is the memory: the newest backup in it says when the next one is due, also after a restart. One that
//! fails is tried again; when two periods have passed without one, that is a daemon fault.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use tokio::time::{Instant, sleep};
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

use super::health;
use super::latest_backup::BackupState;
use super::shared::Shared;
use super::text::chain;
use crate::blocking;
use crate::config::Backups;
use crate::domain::{Location, OwnFault, Schedule, Timestamp, duration_text};
use crate::store::{self, Backup, Manner, NewBackup, StoreError};

/// Shortest and longest time between two looks, should no wake-up come.
const LOOK_MIN: Duration = Duration::from_secs(1);
const LOOK_MAX: Duration = Duration::from_mins(10);
/// Time after which a backup that failed is tried again, unless the next one is due earlier.
const RETRY: Duration = Duration::from_hours(1);
/// Time limit of a backup.
const BACKUP_MAX: Duration = Duration::from_hours(1);
/// Time limit of a look at the folder.
const FOLDER_MAX: Duration = Duration::from_secs(30);

/// Progress of the backups to one folder.
#[derive(Debug)]
struct Progress {
    dir: PathBuf,
    /// Instant since which backups are made to this folder.
    since: Timestamp,
    /// Instant of the newest backup when the folder was last seen.
    newest_at: Option<Timestamp>,
    tried_at: Option<Timestamp>,
    /// Reason for which the latest attempt failed.
    failure: Option<String>,
}

impl Progress {
    fn new(dir: &Path, since: Timestamp) -> Self {
        let dir = dir.to_owned();
        Self { dir, since, newest_at: None, tried_at: None, failure: None }
    }

    /// Returns true when a backup is due, and it is time to try.
    fn is_due(&self, at: &Schedule, now: Timestamp) -> bool {
        let came_due = |from: Timestamp| at.next_after(from.min(now)).is_some_and(|due| due <= now);
        let may_try =
            |tried: Timestamp| now < tried || RETRY <= now.since(tried) || came_due(tried);
        self.newest_at.is_none_or(came_due) && self.tried_at.is_none_or(may_try)
    }

    /// Returns true when two periods of the schedule have passed since the newest backup.
    fn is_overdue(&self, at: &Schedule, now: Timestamp) -> bool {
        let from = self.newest_at.map_or(self.since, |newest| newest.min(now));
        let second = at.next_after(from).and_then(|first| at.next_after(first));
        second.is_some_and(|second| second <= now)
    }
}

/// Makes backups until `stop`, at each wake-up when one is due by the schedule in force.
pub(super) async fn backup(shared: Arc<Shared>, stop: CancellationToken) {
    let mut progress = None;
    loop {
        let backups = shared.active().backups.clone();
        let look = look(&shared, &backups, &mut progress, &stop);
        if stop.run_until_cancelled(look).await.is_none() {
            return;
        }
        tokio::select! {
            biased;
            () = stop.cancelled() => return,
            () = shared.backing_up.notified() => (),
            () = sleep(wait(&backups, shared.clock.now())) => (),
        }
    }
}

/// Returns the time until the schedule comes due, within bounds.
fn wait(backups: &Backups, now: Timestamp) -> Duration {
    let next = backups.at.as_ref().and_then(|at| at.next_after(now));
    next.map_or(LOOK_MAX, |next| next.since(now)).clamp(LOOK_MIN, LOOK_MAX)
}

/// Makes a backup if one is due, and opens or closes the fault.
async fn look(
    shared: &Arc<Shared>,
    backups: &Backups,
    progress: &mut Option<Progress>,
    stop: &CancellationToken,
) {
    let Some(at) = &backups.at else {
        *progress = None;
        shared.latest_backup.set(None);
        return health::end(shared, OwnFault::Backup).await;
    };
    let now = shared.clock.now();
    let progress = match progress {
        Some(progress) if progress.dir == backups.dir => progress,
        other => other.insert(Progress::new(&backups.dir, now)),
    };
    if let Ok(found) = newest(&backups.dir).await {
        progress.newest_at = found;
    }
    if progress.is_due(at, now) {
        progress.tried_at = Some(now);
        progress.failure = make(shared, backups, now, stop).await.err();
        if progress.failure.is_none() {
            progress.newest_at = Some(now);
        }
    }
    let (newest_at, has_failed) = (progress.newest_at, progress.failure.is_some());
    shared.latest_backup.set(Some(BackupState { newest_at, has_failed }));
    match &progress.failure {
        None => health::end(shared, OwnFault::Backup).await,
        Some(failure) if progress.is_overdue(at, now) => {
            let message = format!("no backup for two periods of `backup.at`: {failure}");
            health::begin(shared, OwnFault::Backup, message).await;
        }
        Some(_) => {}
    }
}

/// Returns the instant of the newest backup in the folder; none without one, or without the folder.
async fn newest(dir: &Path) -> Result<Option<Timestamp>, String> {
    let (key, dir) = (dir.display().to_string(), dir.to_owned());
    let found = blocking::run(&key, FOLDER_MAX, move || store::backups(&dir)).await;
    match found {
        Ok(Ok(kept)) => Ok(kept.first().map(|newest| newest.at)),
        Ok(Err(error)) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Ok(Err(error)) => Err(error.to_string()),
        Err(error) => Err(error.to_string()),
    }
}

/// Makes a backup now; returns why there is none.
async fn make(
    shared: &Shared,
    backups: &Backups,
    now: Timestamp,
    stop: &CancellationToken,
) -> Result<(), String> {
    let Location::File(database) = shared.active().fixed.store.clone() else {
        return Err("the store is no file".to_owned());
    };
    let (dir, keep, stop) = (backups.dir.clone(), backups.keep, stop.clone());
    let (key, began) = (dir.display().to_string(), Instant::now());
    let work = move || {
        require_folder(&dir)?;
        let manner = Manner { is_compact: false, is_thorough: true };
        let new = NewBackup { to: dir, keep, manner, now };
        store::make_backup(&database, &new, &|| stop.is_cancelled())
    };
    let failure = match blocking::run(&key, BACKUP_MAX, work).await {
        Ok(Ok(made)) => {
            log(&made, began.elapsed());
            return Ok(());
        }
        Ok(Err(StoreError::Stopped)) => return Ok(()),
        Ok(Err(error)) => chain(&error),
        Err(error) => error.to_string(),
    };
    warn!("no backup could be made: {failure}");
    Err(failure)
}

/// Makes the folder if the one that it is in is there.
fn require_folder(dir: &Path) -> Result<(), StoreError> {
    use std::os::unix::fs::DirBuilderExt as _;
    match std::fs::DirBuilder::new().mode(0o700).create(dir) {
        Err(error) if error.kind() != std::io::ErrorKind::AlreadyExists => {
            let problem = format!("this folder cannot be made: {error}");
            Err(StoreError::File { path: dir.to_owned(), problem })
        }
        Ok(()) | Err(_) => Ok(()),
    }
}

fn log(made: &Backup, took: Duration) {
    let (path, bytes, rows) = (made.path.display(), made.bytes, made.contents.total());
    let removed = made.removed.len();
    let took = duration_text(Duration::from_millis(u64::try_from(took.as_millis()).unwrap_or(0)));
    info!(bytes, rows, removed, "backup made in {took}: {path}");
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        format!("2026-11-{text}:00Z").parse().unwrap()
    }

    fn daily() -> Schedule {
        Schedule::parse("30 2 * * *", "UTC").unwrap()
    }

    fn known(newest: Option<&str>) -> Progress {
        let newest_at = newest.map(at);
        Progress { newest_at, ..Progress::new(Path::new("/b"), at("23T10:00")) }
    }

    #[test]
    fn backup_is_due_by_the_newest_one_and_a_failed_one_is_tried_again() {
        // Newest backup, latest attempt, now; is one made?
        let table = [
            (None, None, "23T10:00", true),
            (None, Some("23T10:00"), "23T10:59", false),
            (None, Some("23T10:00"), "23T11:00", true),
            (Some("22T02:30"), None, "23T02:29", false),
            (Some("22T02:30"), None, "23T02:30", true),
            (Some("20T02:30"), None, "23T10:00", true),
            (Some("22T02:30"), Some("23T02:30"), "23T03:00", false),
            (Some("22T02:30"), Some("23T02:29"), "23T02:30", true),
            (Some("22T02:30"), Some("23T02:30"), "23T03:30", true),
            // The clock was set back.
            (Some("29T02:30"), None, "23T10:00", false),
            (Some("22T02:30"), Some("29T02:30"), "23T10:00", true),
        ];
        for (newest, tried, now, expected) in table {
            let tried_at = tried.map(at);
            let progress = Progress { tried_at, ..known(newest) };
            let found = progress.is_due(&daily(), at(now));
            assert_eq!(found, expected, "{newest:?} {tried:?} {now}");
        }
    }

    #[test]
    fn next_look_is_when_the_schedule_comes_due_within_bounds() {
        let backups = |at: Option<&str>| Backups {
            at: at.map(|cron| Schedule::parse(cron, "UTC").unwrap()),
            dir: "/b".into(),
            keep: 1,
        };
        let table = [
            (None, LOOK_MAX),
            (Some("30 2 * * *"), LOOK_MAX),
            (Some("5 10 * * *"), Duration::from_mins(5)),
            (Some("* * * * * *"), LOOK_MIN),
        ];
        for (cron, expected) in table {
            assert_eq!(wait(&backups(cron), at("23T10:00")), expected, "{cron:?}");
        }
    }

    #[test]
    fn backup_is_overdue_after_two_periods() {
        let table = [
            (None, "24T02:30", false),
            (None, "25T02:29", false),
            (None, "25T02:30", true),
            (Some("22T02:30"), "24T02:29", false),
            (Some("22T02:30"), "24T02:30", true),
            (Some("29T02:30"), "23T10:00", false),
        ];
        for (newest, now, expected) in table {
            let found = known(newest).is_overdue(&daily(), at(now));
            assert_eq!(found, expected, "{newest:?} {now}");
        }
    }

    #[tokio::test]
    async fn folder_is_made_for_the_owner_alone_and_a_missing_one_has_no_backup() {
        use std::os::unix::fs::PermissionsExt as _;
        let folder = tempfile::tempdir().unwrap();
        let dir = folder.path().join("backups");
        assert_eq!(newest(&dir).await, Ok(None));
        require_folder(&dir).unwrap();
        require_folder(&dir).unwrap();
        assert_eq!(dir.metadata().unwrap().permissions().mode() & 0o777, 0o700);
        std::fs::write(dir.join("state-20261123T100000Z-1a2b3c4d.db"), "").unwrap();
        assert_eq!(newest(&dir).await, Ok(Some(at("23T10:00"))));
        let refused = require_folder(&dir.join("a/b")).unwrap_err().to_string();
        assert!(refused.contains("this folder cannot be made"), "{refused}");
        assert!(newest(Path::new("/etc/hosts")).await.is_err());
    }
}
