//! Settings of the backups that the daemon makes by itself.

use std::path::{Path, PathBuf};

use super::schedules::Schedules;
use crate::domain::{Location, Schedule};
use crate::input::Reader;

/// Folder of the backups, beside the database, unless another one is named.
const FOLDER: &str = "backups";
/// Fault of backups while the store is on a server.
const BY_SERVER: &str = "the store is a PostgreSQL database, whose backups are made with its own tools, such as \
    `pg_dump`; leave this empty";
/// Range of the number of backups that stay.
const KEPT_RANGE: (i64, i64) = (1, 10_000);

/// Backups that the daemon makes by itself.
#[derive(Clone, Debug)]
pub(crate) struct Backups {
    /// Schedule of the backups; none when it makes none.
    pub(crate) at: Option<Schedule>,
    /// Folder of the backups.
    pub(crate) dir: PathBuf,
    /// Number of backups that stay, the newest.
    pub(crate) keep: usize,
}

/// Reads the backups of the database at `store`; the zone of the schedule is `zone`.
pub(super) fn read(
    mut reader: Reader<'_>,
    store: Option<&Location>,
    zone: Option<&str>,
    schedules: &mut Schedules,
) -> Option<Backups> {
    let cron = reader.string("at");
    let at = cron.map(|cron| {
        if cron.is_empty() {
            return Ok(None);
        }
        let read = schedules.get(&cron, zone.unwrap_or("UTC"));
        read.map(Some).inspect_err(|problem| reader.fault("at", problem.clone()))
    });
    if let (Some(Location::Postgres(_)), Some(Ok(Some(_)))) = (store, &at) {
        reader.fault("at", BY_SERVER);
    }
    let dir = reader.string("dir");
    let (min, max) = KEPT_RANGE;
    let keep = reader.integer("keep", min, max);
    reader.finish();
    let dir = match dir?.as_str() {
        "" => store?.file().and_then(Path::parent).unwrap_or(Path::new("")).join(FOLDER),
        named => PathBuf::from(named),
    };
    Some(Backups { at: at?.ok()?, dir, keep: usize::try_from(keep?).ok()? })
}

#[cfg(test)]
mod tests {
    use crate::daemon;
    use std::path::Path;

    /// Returns the backups of a configuration with this text, or its faults.
    fn read(text: &str) -> Result<super::Backups, Vec<String>> {
        read_alone(&format!("[store]\npath = \"/s/state.db\"\n{text}"))
    }

    fn read_alone(text: &str) -> Result<super::Backups, Vec<String>> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("main.toml");
        std::fs::write(&path, text).unwrap();
        let opened = daemon::open(Some(&path));
        opened.map(|assembly| assembly.settings.backups).map_err(|faulty| {
            let text = |fault: &crate::input::Fault| format!("{}: {}", fault.path, fault.message);
            faulty.faults.iter().map(text).collect()
        })
    }

    #[test]
    fn backups_are_off_and_beside_the_database_by_default() {
        let default = read("").unwrap();
        assert!(default.at.is_none());
        assert_eq!((default.dir.as_path(), default.keep), (Path::new("/s/backups"), 14));
    }

    #[test]
    fn schedule_is_in_the_zone_of_the_defaults() {
        let text = "[defaults]\nzone = \"Europe/Berlin\"\n[backup]\nat = \"30 2 * * *\"\ndir = \"/b\"\n\
                    keep = 3\n";
        let found = read(text).unwrap();
        assert_eq!((found.dir.as_path(), found.keep), (Path::new("/b"), 3));
        let next = found.at.unwrap().next_after("2026-07-01T00:00:00Z".parse().unwrap());
        assert_eq!(next, "2026-07-01T00:30:00Z".parse().ok());
    }

    #[test]
    fn faulty_values_are_refused() {
        let table = [
            ("at = \"daily\"", "backup.at: \"daily\" is not a cron expression"),
            ("keep = 0", "backup.keep: expected a whole number from 1 to 10000, found 0"),
            ("dir = 7", "backup.dir: expected text"),
            ("folder = \"/b\"", "backup.folder: unknown key"),
            (
                "at = \"@daily\"\n[store]\nurl = \"postgres://a@db/b\"",
                "backup.at: the store is a PostgreSQL database",
            ),
        ];
        for (line, expected) in table {
            let faults = read_alone(&format!("[backup]\n{line}\n")).unwrap_err();
            assert_eq!(faults.len(), 1, "{faults:?}");
            assert!(faults[0].starts_with(expected), "{faults:?}");
        }
    }
}
