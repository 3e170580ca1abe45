//! Credentials of the systemd service (`LoadCredential=`), for commands that people run by hand.

use std::fs;
use std::path::{Path, PathBuf};

/// Folder in which systemd keeps the credentials of the running service, for root and the service alone.
const SERVICE_CREDENTIALS: &str = "/run/credentials/revalidated.service";
/// Folders of units, the strongest first.
const UNIT_FOLDERS: [&str; 4] = [
    "/etc/systemd/system",
    "/run/systemd/system",
    "/usr/lib/systemd/system",
    "/lib/systemd/system",
];
/// Settings of a unit that give it credentials from elsewhere.
const SETTINGS: [&str; 3] = ["LoadCredential=", "LoadCredentialEncrypted=", "ImportCredential="];
/// Settings of a unit that hold a credential themselves, and are never shown.
const HOLDING: [&str; 2] = ["SetCredential=", "SetCredentialEncrypted="];
/// Name of the unit.
const UNIT: &str = "revalidated.service";
/// Folder in which secrets are kept for the unit by convention.
const FOLDER: &str = "/etc/revalidated/secrets";

/// Returns the file of the credential `name` of the running service, when it may be read.
pub(super) fn service_credential(name: &str) -> Option<PathBuf> {
    let path = Path::new(SERVICE_CREDENTIALS).join(name);
    fs::File::open(&path).ok().map(|_readable| path)
}

/// Returns the line that the unit on this machine lacks for writing in `folder`; none without a unit, or when it is
/// writable by it.
pub(super) fn unwritable(folder: &Path) -> Option<String> {
    lacking(folder, &UNIT_FOLDERS.map(Path::new))
}

fn lacking(folder: &Path, units: &[&Path]) -> Option<String> {
    let is_there = |units: &&Path| units.join(UNIT).exists();
    let protects = settings(units, &["ProtectSystem=strict"]);
    if !units.iter().any(is_there) || protects.is_empty() {
        return None;
    }
    let state = settings(units, &["StateDirectory="]);
    let state = state.iter().filter_map(|setting| setting.split_once('='));
    let state = state.flat_map(|(_, names)| names.split_whitespace());
    let mut writable: Vec<_> = state.map(|name| Path::new("/var/lib").join(name)).collect();
    for setting in settings(units, &["ReadWritePaths="]) {
        let (_, paths) = setting.split_once('=').unwrap_or_default();
        let plain = |path: &str| PathBuf::from(path.trim_start_matches(['-', '+']));
        writable.extend(paths.split_whitespace().map(plain));
    }
    if writable.iter().any(|path| folder.starts_with(path)) {
        return None;
    }
    Some(format!("ReadWritePaths={}", folder.display()))
}

/// Returns the line that runs the command `words` with the credentials of the service, `name` among them.
pub(super) fn command_line(name: &str, words: impl Iterator<Item = String>) -> String {
    let folders = UNIT_FOLDERS.map(Path::new);
    line(name, &settings(&folders, &SETTINGS), words)
}

/// Returns the problem of a credential that the unit on this machine does not give; none without a unit.
pub(super) fn unknown_credential(name: &str) -> Option<String> {
    missing(name, &UNIT_FOLDERS.map(Path::new))
}

fn missing(name: &str, folders: &[&Path]) -> Option<String> {
    let is_there =
        |folder: &&Path| folder.join(UNIT).exists() || folder.join(format!("{UNIT}.d")).exists();
    let kinds = [&SETTINGS[..], &HOLDING].concat();
    let given = settings(folders, &kinds);
    if !folders.iter().any(is_there) || given.iter().any(|setting| gives(setting, name)) {
        return None;
    }
    Some(format!(
        "the unit {UNIT} gives no credential {name}; add LoadCredential={name}:{FOLDER}/{name} by \
         `systemctl edit {UNIT}`"
    ))
}

/// Returns true when a setting of a unit gives the credential `name`.
fn gives(setting: &str, name: &str) -> bool {
    let (key, value) = setting.split_once('=').unwrap_or((setting, ""));
    let id = value.split(':').next().unwrap_or_default();
    if key == "ImportCredential" {
        return is_like(name, id);
    }
    // A folder is given as one credential for each of its files.
    let of_folder = name.strip_prefix(id).is_some_and(|rest| rest.starts_with('_'));
    id == name || (key.starts_with("LoadCredential") && of_folder)
}

/// Returns true for a name that a pattern with `*` fits.
fn is_like(name: &str, pattern: &str) -> bool {
    match pattern.split_once('*') {
        None => name == pattern,
        Some((before, after)) => name.strip_prefix(before).is_some_and(|rest| {
            let starts = rest.char_indices().map(|(at, _)| at).chain([rest.len()]);
            starts.into_iter().any(|at| rest.get(at..).is_some_and(|end| is_like(end, after)))
        }),
    }
}

fn line(name: &str, settings: &[String], words: impl Iterator<Item = String>) -> String {
    let mut properties = settings.to_vec();
    if !settings.iter().any(|setting| gives(setting, name)) {
        properties.push(format!("LoadCredential={name}:{FOLDER}/{name}"));
    }
    let properties = properties.iter().map(|setting| format!(" -p {}", quoted(setting)));
    let words = words.map(|word| format!(" {}", quoted(&word)));
    format!(
        "sudo systemd-run --pty --wait --collect{}{}",
        properties.collect::<String>(),
        words.collect::<String>()
    )
}

/// Returns the settings of these kinds of the unit and its drop-ins.
fn settings(folders: &[&Path], kinds: &[&str]) -> Vec<String> {
    let mut files = Vec::new();
    for folder in folders {
        files.push(folder.join(UNIT));
        let drop_ins = fs::read_dir(folder.join(format!("{UNIT}.d")));
        let mut drop_ins: Vec<_> =
            drop_ins.into_iter().flatten().filter_map(|entry| Some(entry.ok()?.path())).collect();
        drop_ins.sort();
        files.extend(drop_ins);
    }
    let mut found = Vec::new();
    for text in files.iter().filter_map(|file| fs::read_to_string(file).ok()) {
        let lines = text.lines().map(str::trim);
        let given = lines.filter(|line| kinds.iter().any(|kind| line.starts_with(kind)));
        for setting in given.map(str::to_owned) {
            if !found.contains(&setting) {
                found.push(setting);
            }
        }
    }
    found
}

/// Quotes a word for a shell where that is needed.
fn quoted(word: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_=:/.,@%+".contains(c);
    if !word.is_empty() && word.chars().all(is_plain) {
        return word.to_owned();
    }
    format!("'{}'", word.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn credential_that_the_unit_does_not_give_is_found() {
        let folder = tempfile::tempdir().unwrap();
        let folders = [folder.path()];
        assert_eq!(missing("hook", &folders), None, "there is no unit");
        let text = "[Service]\nLoadCredential=hook:/etc/hook\nLoadCredential=certs:/etc/certs\n\
            SetCredential=plain:x\nImportCredential=db.*.key\n";
        fs::write(folder.path().join(UNIT), text).unwrap();
        for given in ["hook", "certs_own.pem", "plain", "db.main.key"] {
            assert_eq!(missing(given, &folders), None, "{given}");
        }
        for absent in ["hok", "db.key", "plain_x", "cert"] {
            let problem = missing(absent, &folders).unwrap();
            let line = format!("LoadCredential={absent}:/etc/revalidated/secrets/{absent} by");
            assert!(problem.contains(&line), "{problem}");
        }
    }

    #[test]
    fn folder_that_the_unit_may_not_write_is_found() {
        let folder = tempfile::tempdir().unwrap();
        let units = [folder.path()];
        let outside = Path::new("/var/backups/revalidated");
        assert_eq!(lacking(outside, &units), None, "there is no unit");
        let text = "[Service]\nProtectSystem=strict\nStateDirectory=revalidated\n";
        fs::write(folder.path().join(UNIT), text).unwrap();
        let line = lacking(outside, &units);
        assert_eq!(line.as_deref(), Some("ReadWritePaths=/var/backups/revalidated"));
        assert_eq!(lacking(Path::new("/var/lib/revalidated/backups"), &units), None);
        let drop_ins = folder.path().join("revalidated.service.d");
        fs::create_dir(&drop_ins).unwrap();
        fs::write(drop_ins.join("a.conf"), "[Service]\nReadWritePaths=/srv -/var/backups\n")
            .unwrap();
        assert_eq!(lacking(outside, &units), None);
        fs::write(folder.path().join(UNIT), "[Service]\nUser=x\n").unwrap();
        assert_eq!(lacking(Path::new("/opt"), &units), None, "nothing is protected");
    }

    #[test]
    fn line_repeats_the_credentials_of_the_unit() {
        let folder = tempfile::tempdir().unwrap();
        let drop_ins = folder.path().join("revalidated.service.d");
        fs::create_dir(&drop_ins).unwrap();
        let text = "[Service]\n  LoadCredential=hook:/etc/secrets/hook\nImportCredential=db.*\n";
        fs::write(drop_ins.join("secrets.conf"), text).unwrap();
        let found = settings(&[folder.path(), Path::new("/nowhere")], &SETTINGS);
        assert_eq!(found, ["LoadCredential=hook:/etc/secrets/hook", "ImportCredential=db.*"]);
        let words = || ["revalidated", "validate", "my lake"].map(str::to_owned).into_iter();
        assert_eq!(
            line("hook", &found, words()),
            "sudo systemd-run --pty --wait --collect -p LoadCredential=hook:/etc/secrets/hook -p \
             'ImportCredential=db.*' revalidated validate 'my lake'"
        );
        let other = line("key", &[], words());
        assert!(
            other.contains("-p LoadCredential=key:/etc/revalidated/secrets/key rev"),
            "{other}"
        );
    }
}
