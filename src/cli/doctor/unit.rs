//! Unit of the service as its files say it: the strongest unit file, and the drop-ins over it.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

/// Folders of units, the strongest first.
pub(super) const FOLDERS: [&str; 4] = [
    "/etc/systemd/system",
    "/run/systemd/system",
    "/usr/lib/systemd/system",
    "/lib/systemd/system",
];
/// Name of the unit.
pub(super) const UNIT: &str = "revalidated.service";
/// Unit file of this version.
const SHIPPED: &str = include_str!("../../../systemd/revalidated.service");
/// Largest file that is read, in bytes.
const FILE_MAX: u64 = 1024 * 1024;

/// Setting of a unit.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Setting {
    /// Key, such as `MemoryMax`.
    pub(super) key: String,
    /// Value without spaces around it; empty where it resets the ones before.
    pub(super) value: String,
    /// File that has it.
    pub(super) origin: PathBuf,
}

/// Unit with its drop-ins.
#[derive(Clone, Debug, Default)]
pub(super) struct Unit {
    /// Path of the unit file.
    pub(super) path: PathBuf,
    /// Settings of the unit file and then of the drop-ins, in the order in which systemd reads them.
    pub(super) settings: Vec<Setting>,
}

impl Unit {
    /// Reads the unit in `folders`, the strongest first; none where it is not installed.
    pub(super) fn read(folders: &[&Path]) -> Option<Self> {
        let mut files = folders.iter().map(|folder| folder.join(UNIT));
        let (path, text) = files.find_map(|path| Some((path.clone(), read(&path)?)))?;
        let mut unit = Self { settings: settings(&path, &text), path };
        let mut drop_ins = BTreeMap::new();
        // The weakest first, so that a file of the same name in a stronger folder takes its place.
        for folder in folders.iter().rev() {
            let entries = fs::read_dir(folder.join(format!("{UNIT}.d"))).into_iter().flatten();
            let paths = entries.flatten().map(|entry| entry.path());
            for path in paths.filter(|path| path.extension().is_some_and(|end| end == "conf")) {
                drop_ins.insert(path.file_name().map(ToOwned::to_owned), path);
            }
        }
        for path in drop_ins.into_values() {
            let text = read(&path).unwrap_or_default();
            unit.settings.extend(settings(&path, &text));
        }
        Some(unit)
    }

    /// Returns the unit of this version.
    pub(super) fn shipped() -> Self {
        let path = PathBuf::from(UNIT);
        Self { settings: settings(&path, SHIPPED), path }
    }

    /// Returns the settings of a key that hold: those after the last one that resets it.
    pub(super) fn all(&self, key: &str) -> Vec<&Setting> {
        let of: Vec<_> = self.settings.iter().filter(|one| one.key == key).collect();
        let reset = of.iter().rposition(|one| one.value.is_empty());
        of.into_iter().skip(reset.map_or(0, |reset| reset.saturating_add(1))).collect()
    }

    /// Returns the setting of a key that holds, where only one can.
    pub(super) fn last(&self, key: &str) -> Option<&Setting> {
        self.settings.iter().rev().find(|one| one.key == key)
    }

    /// Returns the variables of `Environment=` with the files that set them.
    pub(super) fn environment(&self) -> Vec<(String, String, &Path)> {
        let all = self.all("Environment").into_iter();
        let of = |one: &Setting| {
            let words = words(&one.value).into_iter();
            let pair = |word: String| {
                let (name, value) = word.split_once('=')?;
                Some((name.to_owned(), value.to_owned()))
            };
            words.filter_map(pair).collect::<Vec<_>>()
        };
        let found = all.flat_map(|one| of(one).into_iter().map(move |pair| (pair, one)));
        found.map(|((name, value), one)| (name, value, one.origin.as_path())).collect()
    }
}

fn read(path: &Path) -> Option<String> {
    let is_small = fs::metadata(path).is_ok_and(|found| found.is_file() && found.len() <= FILE_MAX);
    fs::read_to_string(path).ok().filter(|_| is_small)
}

/// Returns the settings of the section `[Service]` in the order of the file.
fn settings(path: &Path, text: &str) -> Vec<Setting> {
    let joined = text.replace("\\\n", " ");
    let mut is_service = false;
    let mut found = Vec::new();
    for line in joined.lines().map(str::trim) {
        if line.starts_with('[') {
            is_service = line == "[Service]";
        }
        let setting = line.split_once('=').filter(|_| is_service && !line.starts_with(['#', ';']));
        if let Some((key, value)) = setting {
            let (key, value) = (key.trim().to_owned(), value.trim().to_owned());
            found.push(Setting { key, value, origin: path.to_owned() });
        }
    }
    found
}

/// Splits a value into words; quotes keep spaces together.
pub(super) fn words(value: &str) -> Vec<String> {
    let (mut words, mut word, mut quote) = (Vec::new(), String::new(), None);
    for c in value.chars() {
        match (c, quote) {
            (c, Some(open)) if c == open => quote = None,
            ('"' | '\'', None) => quote = Some(c),
            (c, None) if c.is_whitespace() => words.push(std::mem::take(&mut word)),
            (c, _) => word.push(c),
        }
    }
    words.push(word);
    words.retain(|word| !word.is_empty());
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn drop_ins_are_read_over_the_strongest_unit_file_in_the_order_of_their_names() {
        let place = tempfile::tempdir().unwrap();
        let (etc, lib) = (place.path().join("etc"), place.path().join("lib"));
        let files = [
            (
                &lib,
                "revalidated.service",
                "[Service]\nMemoryMax=1G\nExecPaths=/a\n[Install]\nX=1\n",
            ),
            (&lib, "revalidated.service.d/10-a.conf", "[Service]\nMemoryMax=2G\nExecPaths=/b\n"),
            (&etc, "revalidated.service.d/10-a.conf", "[Service]\n# no\nMemoryMax = 3G\n"),
            (
                &etc,
                "revalidated.service.d/20-b.conf",
                "[Service]\nExecPaths=\nExecPaths=/c \\\n /d\n",
            ),
            (&etc, "revalidated.service.d/notes.txt", "[Service]\nMemoryMax=9G\n"),
        ];
        for (folder, name, text) in files {
            let path = folder.join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        let unit = Unit::read(&[&etc, &lib]).unwrap();
        assert_eq!(unit.path, lib.join(UNIT));
        assert_eq!(unit.last("MemoryMax").unwrap().value, "3G");
        let paths: Vec<_> = unit.all("ExecPaths").iter().map(|one| one.value.as_str()).collect();
        assert_eq!(paths, ["/c   /d"]);
        assert_eq!(unit.last("X"), None);
        assert!(Unit::read(&[&etc]).is_none());
    }

    #[test]
    fn variables_are_split_at_spaces_outside_of_quotes() {
        let text = "[Service]\nEnvironment=A=1 \"B=2 3\" 'C=\"4\"'\nEnvironment=D=5\n";
        let unit = Unit { settings: settings(Path::new("u"), text), ..Unit::default() };
        let found: Vec<_> =
            unit.environment().into_iter().map(|(name, value, _)| (name, value)).collect();
        let expected = [("A", "1"), ("B", "2 3"), ("C", "\"4\""), ("D", "5")];
        assert_eq!(found, expected.map(|(name, value)| (name.to_owned(), value.to_owned())));
    }

    #[test]
    fn unit_of_this_version_has_its_limits() {
        assert_eq!(Unit::shipped().last("LimitNOFILE").unwrap().value, "8192");
    }
}
