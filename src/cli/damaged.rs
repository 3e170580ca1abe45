//! Advice for a database that cannot be used: the newest backup, and the command that restores it.

use std::path::{Path, PathBuf};

use super::print::{ago, sanitise};
use crate::domain::{Location, Timestamp};
use crate::store::{backups, migration_copies};

/// Places where backups may be, and the configuration that the command to restore one has to name.
pub(super) struct Places {
    /// Location of the database.
    pub(super) store: Location,
    /// Folder of the backups.
    pub(super) backups: PathBuf,
    /// Main configuration file, when another than the default one is used.
    pub(super) config: Option<PathBuf>,
}

impl Places {
    /// Returns a sentence with the newest backup and the command that restores it.
    pub(super) fn advice(&self, now: Timestamp) -> String {
        let kept = backups(&self.backups).unwrap_or_default().into_iter();
        let copies = self.store.file().map(migration_copies).unwrap_or_default().into_iter();
        let copies = copies.map(|copy| (copy.at, copy.path));
        let newest = kept.map(|kept| (kept.at, kept.path)).chain(copies).max();
        let Some((at, path)) = newest else {
            return format!("there is no backup in {}", shown(&self.backups));
        };
        let config = self.config.as_deref().map(|path| format!(" --config {}", quoted(path)));
        format!(
            "the newest backup is from {at} ({}); to restore it: revalidated restore {}{}",
            ago(now, at),
            quoted(&path),
            config.unwrap_or_default()
        )
    }
}

fn shown(path: &Path) -> String {
    sanitise(&path.display().to_string()).into_owned()
}

/// Quotes a path for a shell where that is needed.
fn quoted(path: &Path) -> String {
    let text = shown(path);
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_=:/.,@%+".contains(c);
    if text.chars().all(is_plain) { text } else { format!("'{}'", text.replace('\'', r"'\''")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn newest_backup_is_named_with_the_command_that_restores_it() {
        let folder = tempfile::tempdir().unwrap();
        let (store, kept) = (folder.path().join("state.db"), folder.path().join("my backups"));
        let now = "2026-11-23T12:00:00Z".parse().unwrap();
        let mut places = Places { store: store.into(), backups: kept.clone(), config: None };
        let here = folder.path().display();
        assert_eq!(places.advice(now), format!("there is no backup in {here}/my backups"));
        std::fs::write(folder.path().join("state.db.v16-20261120T100000Z"), "").unwrap();
        let advice = places.advice(now);
        let expected =
            format!("to restore it: revalidated restore {here}/state.db.v16-20261120T100000Z");
        assert!(advice.ends_with(&expected), "{advice}");
        std::fs::create_dir(&kept).unwrap();
        for time in ["20261122T100000Z", "20261123T100000Z"] {
            std::fs::write(kept.join(format!("state-{time}-1a2b3c4d.db")), "").unwrap();
        }
        places.config = Some("/etc/r.toml".into());
        assert_eq!(
            places.advice(now),
            format!(
                "the newest backup is from 2026-11-23T10:00:00Z (2h ago); to restore it: revalidated restore \
                 '{here}/my backups/state-20261123T100000Z-1a2b3c4d.db' --config /etc/r.toml"
            )
        );
    }
}
