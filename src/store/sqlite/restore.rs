//! Restores: a verified copy of a backup, migrated and with a new epoch, takes the place of the database.
//!
//! Everything that may fail is done on a draft beside the database, while both locks keep daemons out. Only then the
//! present files are renamed, the database first: a crash in between leaves a state that the next start refuses, with
//! the draft that says why, and never one half of a database that looks whole.

use std::fs::Permissions;
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};
use std::path::{Path, PathBuf};

use rusqlite::{Connection, OptionalExtension, TransactionBehavior};

use super::audit::{self, NewAudit};
use super::copy::{Draft, copy, folder_of, rename_to_free_name, sync_folder};
use super::place::{self, Locks, MODE, RESTORING, beside, refused, unusable};
use super::{Act, StoreError, connect, migrations};
use crate::domain::Timestamp;
use crate::store::backup::stamp;
use crate::store::{Contents, Manner, RestorePlan, random};

/// Files that a database may have beside it.
const PARTS: [&str; 3] = ["", "-wal", "-shm"];

/// Restore that is prepared; nothing of the present database has been changed.
#[derive(Debug)]
pub(crate) struct Restore {
    plan: RestorePlan,
    draft: Draft,
    /// Keep daemons out until the restore is over.
    _locks: Locks,
}

impl Restore {
    /// Implements [`crate::store::Restore::prepare`] on this engine.
    pub(crate) fn prepare(
        store: &Path,
        from: &Path,
        author: &str,
        now: Timestamp,
    ) -> Result<Self, StoreError> {
        let store = place::resolved(store)?;
        let locks = locked(&store)?;
        let source = source(from)?;
        let draft_path = beside(&store, RESTORING);
        for part in ["", "-wal", "-shm", "-journal"] {
            remove_leftover(&beside(&draft_path, part))?;
        }
        let draft = Draft::at(&draft_path)?;
        let manner = Manner { is_compact: false, is_thorough: true };
        let contents = copy(source, from, &draft, manner, &|| false)?;
        let mut conn = connect::connect(draft.path())?;
        conn.pragma_update_and_check(None, "journal_mode", "DELETE", |_| Ok(()))?;
        migrations::migrate(&mut conn)?;
        let name = format!(".before-restore-{}", stamp(now));
        let aside = PARTS.iter().any(|part| exists(&beside(&store, part)));
        let aside = aside.then(|| beside(&store, &name));
        let plan = renew(&mut conn, NewLife { from, author, now, contents, store, aside })?;
        conn.close().map_err(|(_conn, error)| error)?;
        belong(draft.path(), &plan.store)?;
        Ok(Self { plan, draft, _locks: locks })
    }

    /// Implements [`crate::store::Restore::plan`] on this engine.
    pub(crate) const fn plan(&self) -> &RestorePlan {
        &self.plan
    }

    /// Implements [`crate::store::Restore::apply`] on this engine.
    pub(crate) fn apply(self) -> Result<RestorePlan, StoreError> {
        let Self { plan, draft, _locks } = self;
        let RestorePlan { store, aside, .. } = &plan;
        let mut moved = Vec::new();
        if let Some(aside) = aside {
            for part in PARTS {
                let (from, to) = (beside(store, part), beside(aside, part));
                if !exists(&from) {
                    continue;
                }
                if let Err(error) = rename_to_free_name(&from, &to) {
                    put_back(&moved);
                    return Err(error);
                }
                moved.push((from, to));
            }
            sync_folder(store)?;
        }
        if let Err(error) = draft.publish(store) {
            put_back(&moved);
            return Err(error);
        }
        Ok(plan)
    }
}

/// Renames what was set aside back, the database last: until then it is missing, which no daemon passes over.
fn put_back(moved: &[(PathBuf, PathBuf)]) {
    for (from, to) in moved.iter().rev() {
        std::fs::rename(to, from).ok();
    }
}

fn exists(path: &Path) -> bool {
    path.symlink_metadata().is_ok()
}

fn remove_leftover(path: &Path) -> Result<(), StoreError> {
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(unusable(path, &error)),
        Ok(()) | Err(_) => Ok(()),
    }
}

/// Takes the locks of a daemon, with or without a database.
pub(super) fn locked(store: &Path) -> Result<Locks, StoreError> {
    let stopped = |error| {
        let StoreError::InUse { path, .. } = error else { return error };
        let problem = "a daemon uses it; stop it first (systemctl stop revalidated)".to_owned();
        StoreError::InUse { path, problem }
    };
    let lock = place::lock_beside(store).map_err(stopped)?;
    if !exists(store) {
        return Ok(Locks::without_database(lock));
    }
    place::lock_database(store, lock).map_err(stopped)
}

/// Opens the backup. Without a log it is read as it is, so that reading leaves no files beside it.
fn source(from: &Path) -> Result<Connection, StoreError> {
    if place::is_in_use(from) == Some(true) {
        return Err(refused(
            from,
            "is the database of a running daemon; make a backup of it first",
        ));
    }
    if connect::has_log(from) { connect::open_to_copy(from) } else { connect::open_at_rest(from) }
}

/// Gives the new file the owner of the present database, or of the folder when there is none.
pub(super) fn belong(draft: &Path, store: &Path) -> Result<(), StoreError> {
    let owner = store.metadata().or_else(|_| folder_of(store).metadata());
    let failed = |error| unusable(draft, &error);
    let (owner, own) = (owner.map_err(failed)?, draft.metadata().map_err(failed)?);
    if (owner.uid(), owner.gid()) != (own.uid(), own.gid()) {
        chown(draft, Some(owner.uid()), Some(owner.gid())).map_err(failed)?;
    }
    std::fs::set_permissions(draft, Permissions::from_mode(MODE)).map_err(failed)
}

/// Circumstances of a restore.
struct NewLife<'a> {
    from: &'a Path,
    author: &'a str,
    now: Timestamp,
    contents: Contents,
    store: PathBuf,
    aside: Option<PathBuf>,
}

/// Gives the copy a new epoch, since its future is another than that of the database it was copied from, and notes
/// who did it.
fn renew(conn: &mut Connection, life: NewLife<'_>) -> Result<RestorePlan, StoreError> {
    const LATEST: &str = "
        SELECT max(at_ms) FROM (
            SELECT max(started_at_ms) AS at_ms FROM run
            UNION ALL SELECT max(created_at_ms) FROM event)";
    const PROCESS: &str = "UPDATE node SET pid = NULL, born = NULL, reload = NULL";
    let NewLife { from, author, now, contents, store, aside } = life;
    let epoch = random::epoch()?;
    let tx = conn.transaction_with_behavior(TransactionBehavior::Immediate)?;
    tx.execute("UPDATE meta SET epoch = ?1", [&epoch])?;
    tx.execute(PROCESS, [])?;
    let (target, comment) = (from.display().to_string(), format!("new epoch {epoch}"));
    let act = Act::Restore;
    audit::insert(&tx, NewAudit { act, author, target: &target, comment: &comment }, now)?;
    let latest_at = tx.query_row(LATEST, [], |row| row.get(0)).optional()?.flatten();
    let pending = pending(&tx)?;
    tx.commit()?;
    let latest_at = latest_at.map(Timestamp);
    Ok(RestorePlan { from: from.to_owned(), store, aside, contents, epoch, latest_at, pending })
}

/// Returns the receivers with pending messages, and the number of these.
fn pending(tx: &Connection) -> Result<Vec<(String, u64)>, StoreError> {
    const SQL: &str = "
        SELECT receiver, count(*) FROM delivery WHERE state = 'pending'
        GROUP BY receiver ORDER BY receiver";
    let mut statement = tx.prepare(SQL)?;
    let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get::<_, i64>(1)?)))?;
    let number = |(name, number)| (name, u64::try_from(number).unwrap_or_default());
    Ok(rows.map(|row| row.map(number)).collect::<Result<_, _>>()?)
}
