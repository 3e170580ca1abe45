//! Checks of the database, its folder and its backups.

use std::time::Duration;

use super::check::{Check, Found, Look, Looked};
use super::facts::{Facts, Folder};
use crate::domain::Timestamp;

/// Days for which the disk must last.
const DAYS_LEFT_MIN: u64 = 30;
/// Age of a backup from which on it is old, and of a daemon that has none.
const BACKUP_MAX: Duration = Duration::from_hours(48);
const DAY: Duration = Duration::from_hours(24);
const MIB: u64 = 1024 * 1024;
/// Share of the events that may be kept which counts as all of them, in percent.
const REACHED_PERCENT: i64 = 98;
/// File systems on which a database is not safe, by their magic numbers.
const UNSAFE: [(u64, &str); 8] = [
    (0x6969, "NFS"),
    (0x517b, "SMB"),
    (0xff53_4d42, "CIFS"),
    (0xfe53_4d42, "SMB2"),
    (0x0102_1994, "tmpfs"),
    (0x8584_58f6, "ramfs"),
    (0x794c_7630, "overlayfs"),
    (0x0102_1997, "9p"),
];

/// Reason for which the files of a database are not looked at.
const ON_SERVER: &str = "the database is on a server, which looks after its files";

pub(super) const CHECKS: &[Check] = &[
    Check {
        name: "store-folder",
        finds: "The folder of the database is missing, of another user, open to others, on a file system without safe \
                locks or without permanence, or its disk is full in less than 30 days at the growth so far.",
        why: "The database could not be written, be read by others, be damaged, or be gone after a restart.",
        line: "df -h /var/lib/revalidated",
        look: Look::Always(folder),
    },
    Check {
        name: "store-damaged",
        finds: "A check of the database's pages finds damage.",
        why: "The daemon stops when it meets the damage; a backup loses less the earlier it is restored.",
        line: "revalidated store check --full",
        look: Look::Where(damage),
    },
    Check {
        name: "no-backup",
        finds: "The latest backup is older than two days, is on the disk of the database, or there is none although the \
                daemon has run for two days.",
        why: "With the disk, the history, open incidents and pending messages would be lost.",
        line: "install -d -m 700 /var/backups/revalidated && revalidated backup /var/backups/revalidated",
        look: Look::Where(backup),
    },
    Check {
        name: "other-schema",
        finds: "The database has the schema of another version, or cannot be opened.",
        why: "Commands and the daemon cannot use it.",
        line: "revalidated --version",
        look: Look::Always(schema),
    },
    Check {
        name: "retention-reached",
        finds: "As many events are kept as [retention] events_max allows.",
        why: "Older ones are deleted by their number, before their time, and clients that catch up miss them.",
        line: "revalidated check",
        look: Look::Where(retention),
    },
];

fn folder(facts: &Facts) -> Vec<Found> {
    let Some(path) = &facts.files.path else { return Vec::new() };
    let path = path.parent().map(|path| path.display().to_string());
    let path = path.filter(|path| !path.is_empty()).unwrap_or_else(|| ".".to_owned());
    let Some(folder) = &facts.files.folder else {
        let what = format!("The folder {path} of the database does not exist.");
        return vec![Found::new(what).type_in(format!("install -d -m 0700 {path}"))];
    };
    let Folder { owner, mode, file_system, free } = folder;
    let mut found = Vec::new();
    if let Some(user) = facts.service.user.filter(|user| user != owner) {
        let what = format!("{path} belongs to user {owner}, and the daemon runs as user {user}.");
        found.push(Found::new(what).type_in(format!("chown -R {user} {path}")));
    }
    if mode & 0o077 != 0 {
        let what = format!("{path} has mode {mode:03o}, so that others can look into it.");
        found.push(Found::new(what).type_in(format!("chmod 700 {path}")));
    }
    if let Some((_, name)) = UNSAFE.iter().find(|(magic, _)| magic == file_system) {
        found.push(Found::new(format!("{path} is on {name}.")));
    }
    let least = facts.configuration.assembly.as_ref().map(|one| one.settings.own.disk_free_mib);
    if let Some(least) = least.filter(|least| free / MIB < u64::from(*least)) {
        let what =
            format!("{path} has {} MiB left, less than disk_free_mib = {least}.", free / MIB);
        found.push(Found::new(what));
    } else if let Some(days) = days_left(facts, *free).filter(|days| *days < DAYS_LEFT_MIN) {
        let what = format!(
            "{path} has {} MiB left, enough for {days} days at the growth of the database so far.",
            free / MIB
        );
        found.push(Found::new(what));
    }
    found
}

/// Returns the days for which the free space lasts at the growth since the database was made; none where it is younger
/// than a day.
fn days_left(facts: &Facts, free: u64) -> Option<u64> {
    let (bytes, created) = facts.files.database?;
    let age = facts.now.since(created?);
    let days = age.as_secs() / DAY.as_secs();
    if days == 0 {
        return None;
    }
    Some(free / (bytes / days).max(1))
}

fn damage(facts: &Facts) -> Looked {
    facts.files.path.as_ref().ok_or(ON_SERVER)?;
    let rows = facts.rows.as_ref().ok_or("there is no database that can be read")?;
    let damage = rows.damage.as_ref().ok_or("reading every page of the database takes too long")?;
    Ok(damage.iter().map(|line| Found::new(format!("{line}."))).collect())
}

fn backup(facts: &Facts) -> Looked {
    facts.files.path.as_ref().ok_or(ON_SERVER)?;
    let started =
        facts.rows.as_ref().ok_or("there is no database that can be read")?.node.started_at;
    let created = facts.files.database.and_then(|(_, created)| created);
    let since = started.into_iter().chain(created).min();
    let age = |at: Timestamp| facts.now.since(at);
    let Some(backup) = &facts.files.backup else {
        let is_old = since.is_some_and(|since| BACKUP_MAX < age(since));
        return Ok(if is_old { vec![Found::new("There is no backup.")] } else { Vec::new() });
    };
    let mut found = Vec::new();
    if BACKUP_MAX < age(backup.at) {
        let days = age(backup.at).as_secs() / DAY.as_secs();
        found.push(Found::new(format!("The latest backup is {days} days old.")));
    }
    if backup.is_on_same_disk {
        found.push(Found::new("The latest backup is on the disk of the database."));
    }
    Ok(found)
}

fn schema(facts: &Facts) -> Vec<Found> {
    let files = &facts.files;
    let Some(why) = &files.unreadable else { return Vec::new() };
    let found = Found::new(format!("{} cannot be read: {why}.", files.shown));
    let line = match &files.path {
        Some(_) if !files.is_of_another_version => "ls -l /var/lib/revalidated",
        Some(_) | None => "revalidated --version",
    };
    vec![found.type_in(line)]
}

fn retention(facts: &Facts) -> Looked {
    let rows = facts.rows.as_ref().ok_or("there is no database that can be read")?;
    let assembly = facts.configuration.assembly.as_ref();
    let most = assembly.ok_or("the configuration cannot be read")?.settings.retention.events_max;
    let reached = i64::from(most).saturating_mul(REACHED_PERCENT) / 100;
    if rows.events < reached {
        return Ok(Vec::new());
    }
    let what = format!("{} events are kept, and [retention] events_max is {most}.", rows.events);
    Ok(vec![Found::new(what)])
}
