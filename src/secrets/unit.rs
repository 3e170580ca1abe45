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
/// Settings of a unit that give it credentials.
const SETTINGS: [&str; 3] = ["LoadCredential=", "LoadCredentialEncrypted=", "ImportCredential="];

/// Returns the file of the credential `name` of the running service, when it may be read.
pub(super) fn service_credential(name: &str) -> Option<PathBuf> {
    let path = Path::new(SERVICE_CREDENTIALS).join(name);
    fs::File::open(&path).ok().map(|_readable| path)
}

/// Returns the line that runs the command `words` with the credentials of the service, `name` among them.
pub(super) fn command_line(name: &str, words: impl Iterator<Item = String>) -> String {
    let folders = UNIT_FOLDERS.map(Path::new);
    line(name, &settings(&folders), words)
}

fn line(name: &str, settings: &[String], words: impl Iterator<Item = String>) -> String {
    let is_given = |setting: &String| {
        let value = setting.split_once('=').map_or("", |(_, value)| value);
        value.split(':').next() == Some(name)
    };
    let mut properties = settings.to_vec();
    if !settings.iter().any(is_given) {
        properties.push(format!("LoadCredential={name}:/etc/revalidated/secrets/{name}"));
    }
    let properties = properties.iter().map(|setting| format!(" -p {}", quoted(setting)));
    let words = words.map(|word| format!(" {}", quoted(&word)));
    format!(
        "sudo systemd-run --pty --wait --collect{}{}",
        properties.collect::<String>(),
        words.collect::<String>()
    )
}

/// Returns the settings of the unit and its drop-ins that give it credentials.
fn settings(folders: &[&Path]) -> Vec<String> {
    let mut files = Vec::new();
    for folder in folders {
        files.push(folder.join("revalidated.service"));
        let drop_ins = fs::read_dir(folder.join("revalidated.service.d"));
        let mut drop_ins: Vec<_> =
            drop_ins.into_iter().flatten().filter_map(|entry| Some(entry.ok()?.path())).collect();
        drop_ins.sort();
        files.extend(drop_ins);
    }
    let mut found = Vec::new();
    for text in files.iter().filter_map(|file| fs::read_to_string(file).ok()) {
        let lines = text.lines().map(str::trim);
        let given = lines.filter(|line| SETTINGS.iter().any(|setting| line.starts_with(setting)));
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
    fn line_repeats_the_credentials_of_the_unit() {
        let folder = tempfile::tempdir().unwrap();
        let drop_ins = folder.path().join("revalidated.service.d");
        fs::create_dir(&drop_ins).unwrap();
        let text = "[Service]\n  LoadCredential=hook:/etc/secrets/hook\nImportCredential=db.*\n";
        fs::write(drop_ins.join("secrets.conf"), text).unwrap();
        let found = settings(&[folder.path(), Path::new("/nowhere")]);
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
