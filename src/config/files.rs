//! Finds the configuration's files and reads their text.

use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use super::format::Format;
use crate::input::{Fault, Faults, Value};

/// Size limit of a configuration file, in bytes.
const FILE_BYTES_MAX: u64 = 4 * 1024 * 1024;

/// File that could be read.
#[derive(Debug)]
pub(super) struct Source {
    /// Path of the file as origins show it.
    pub(super) shown: String,
    /// Content of the file as one value.
    pub(super) root: Value,
    /// Permission bits, where files have any.
    pub(super) mode: Option<u32>,
}

/// Reads one file if its text is needed; a file that cannot be read is one fault.
pub(super) fn read(
    path: &Path,
    format: Format,
    is_needed: impl Fn(&str) -> bool,
    faults: &Faults,
) -> Option<Source> {
    let shown = path.display().to_string();
    let (text, mode) = text_and_mode(path, faults)?;
    let text = text.strip_prefix('\u{feff}').unwrap_or(&text);
    if !is_needed(text) {
        return None;
    }
    match format.parse(text, &shown) {
        Ok(root) => Some(Source { shown, root, mode }),
        Err(malformed) => {
            faults.push(note(path, Some(malformed.line), malformed.message));
            None
        }
    }
}

/// Reads the text of a file without its byte order mark; one that cannot be read is one fault.
pub(super) fn text(path: &Path, faults: &Faults) -> Option<String> {
    let (text, _) = text_and_mode(path, faults)?;
    Some(text.strip_prefix('\u{feff}').map(str::to_owned).unwrap_or(text))
}

fn text_and_mode(path: &Path, faults: &Faults) -> Option<(String, Option<u32>)> {
    let fault = |line, message: String| faults.push(note(path, line, message));
    let unreadable = |error: io::Error| fault(None, format!("cannot be read: {error}"));
    let (bytes, mode) = content(path).map_err(unreadable).ok()?;
    if FILE_BYTES_MAX < u64::try_from(bytes.len()).unwrap_or(u64::MAX) {
        fault(None, "larger than 4 MiB; split it into files in integrations.d".to_owned());
        return None;
    }
    match String::from_utf8(bytes) {
        Ok(text) => Some((text, mode)),
        Err(error) => {
            let good = error.as_bytes().iter().take(error.utf8_error().valid_up_to());
            let line = good.filter(|byte| **byte == b'\n').count() + 1;
            fault(Some(line), "not UTF-8".to_owned());
            None
        }
    }
}

/// Reads one file up to its first malformed line, and again up to that of the rest.
pub(super) fn read_partly(path: &Path, format: Format) -> Option<Value> {
    let (bytes, _mode) = content(path).ok()?;
    let text = String::from_utf8_lossy(&bytes);
    let shown = path.display().to_string();
    let mut lines: Vec<&str> = text.trim_start_matches('\u{feff}').lines().collect();
    loop {
        match format.parse(&lines.join("\n"), &shown) {
            Ok(root) => return Some(root),
            Err(_) if lines.is_empty() => return None,
            Err(malformed) => {
                lines.truncate(malformed.line.min(lines.len()).saturating_sub(1));
            }
        }
    }
}

/// Returns a fault of a file, of a line of it if one is named.
fn note(path: &Path, line: Option<usize>, message: String) -> Fault {
    let shown = path.display();
    let origin = line.map_or_else(|| shown.to_string(), |line| format!("{shown}:{line}"));
    Fault { origin, path: String::new(), message }
}

fn content(path: &Path) -> io::Result<(Vec<u8>, Option<u32>)> {
    let file = File::open(path)?;
    let mode = mode(&file.metadata()?);
    let mut bytes = Vec::new();
    file.take(FILE_BYTES_MAX + 1).read_to_end(&mut bytes)?;
    Ok((bytes, mode))
}

#[cfg(unix)]
fn mode(metadata: &fs::Metadata) -> Option<u32> {
    use std::os::unix::fs::PermissionsExt;
    metadata.is_file().then(|| metadata.permissions().mode() & 0o777)
}

#[cfg(not(unix))]
fn mode(_metadata: &fs::Metadata) -> Option<u32> {
    None
}

/// Returns the drop-ins in `folder`, ordered by name, without hidden files and other extensions.
pub(super) fn drop_ins(folder: &Path, faults: &Faults) -> Vec<(PathBuf, Format)> {
    let note = |path: &Path, message: String| note(path, None, message);
    let entries = fs::read_dir(folder)
        .and_then(|entries| entries.map(|entry| Ok(entry?.path())).collect::<io::Result<Vec<_>>>());
    let mut paths = match entries {
        Ok(paths) => paths,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Vec::new(),
        Err(error) => {
            faults.push(note(folder, format!("cannot be read: {error}")));
            return Vec::new();
        }
    };
    paths.sort();
    let is_hidden = |path: &PathBuf| {
        path.file_name().is_none_or(|name| name.as_encoded_bytes().starts_with(b"."))
    };
    let visible = paths.into_iter().filter(|path| !is_hidden(path));
    let known = visible.filter_map(|path| {
        let Some(format) = Format::of(&path) else {
            if !is_bystander(&path) {
                let message = "ignored; drop-ins are files that end in .toml, .yaml or .json";
                faults.warn(note(&path, message.to_owned()));
            }
            return None;
        };
        // Reading a pipe could block for ever.
        if fs::metadata(&path).is_ok_and(|metadata| !metadata.is_file()) {
            faults.push(note(&path, "not a file".to_owned()));
            return None;
        }
        Some((path, format))
    });
    known.collect()
}

/// Returns true for what people and their editors leave beside drop-ins on purpose.
fn is_bystander(path: &Path) -> bool {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    name.ends_with('~') || name.starts_with("README")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(name: &str, bytes: &[u8]) -> (tempfile::TempDir, PathBuf) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(name);
        fs::write(&path, bytes).unwrap();
        (folder, path)
    }

    /// Reads a file; returns its content or its only fault without the path.
    fn content_of(bytes: &[u8]) -> Result<String, String> {
        let (_folder, path) = written("f.toml", bytes);
        let faults = Faults::default();
        let source = read(&path, Format::Toml, |_text| true, &faults);
        let (faults, _) = faults.into_parts();
        if let Some(source) = source {
            return Ok(source.root.to_json().to_string());
        }
        assert_eq!(faults.len(), 1, "{faults:?}");
        let path = path.display().to_string();
        Err(faults[0].to_string().strip_prefix(&path).unwrap().to_owned())
    }

    #[test]
    fn unreadable_content_is_one_fault_with_its_line() {
        assert_eq!(content_of("\u{feff}a = 1\n".as_bytes()), Ok(r#"{"a":1}"#.to_owned()));
        assert_eq!(content_of(b"a = 1\nb = \"\xff\"\n"), Err(":2: not UTF-8".to_owned()));
        assert_eq!(content_of(b"a = 1\n[b\n"), Err(":2: unclosed table, expected `]`".to_owned()));
        let limit = usize::try_from(FILE_BYTES_MAX).unwrap();
        let comment = |length: usize| [b"#".as_slice(), &vec![b'x'; length - 1]].concat();
        assert_eq!(content_of(&comment(limit)), Ok("{}".to_owned()));
        let large = ": larger than 4 MiB; split it into files in integrations.d";
        assert_eq!(content_of(&comment(limit + 1)), Err(large.to_owned()));
    }

    #[test]
    fn file_is_read_up_to_its_malformed_line() {
        let partly = |text: &str| {
            let (_folder, path) = written("f.toml", text.as_bytes());
            read_partly(&path, Format::Toml).map(|root| root.to_json().to_string())
        };
        let table = [
            ("a = 1\nb = 2\n", r#"{"a":1,"b":2}"#),
            ("[store]\npath = \"x\"\n[[integration\nname = \n", r#"{"store":{"path":"x"}}"#),
            ("a = 1\nb =\nc =\n", r#"{"a":1}"#),
            ("=\n", "{}"),
        ];
        for (text, expected) in table {
            assert_eq!(partly(text).as_deref(), Some(expected), "{text}");
        }
        assert!(read_partly(Path::new("/nowhere/f.toml"), Format::Toml).is_none());
    }

    #[test]
    fn drop_ins_are_ordered_by_name_without_hidden_files_and_other_extensions() {
        let folder = tempfile::tempdir().unwrap();
        for name in [
            "b.json", "a.toml", "c.yaml", ".d.toml", "e.toml~", "README", "f.yml", "h.conf",
            "I.TOML",
        ] {
            fs::write(folder.path().join(name), "").unwrap();
        }
        fs::create_dir(folder.path().join("g.toml")).unwrap();
        let faults = Faults::default();
        let found = drop_ins(folder.path(), &faults);
        let names: Vec<_> =
            found.iter().map(|(path, _)| path.file_name().unwrap().to_str().unwrap()).collect();
        assert_eq!(names, ["a.toml", "b.json", "c.yaml"]);
        let formats: Vec<_> = found.iter().map(|(_, format)| *format).collect();
        assert_eq!(formats, [Format::Toml, Format::Json, Format::Yaml]);
        let (faults, warnings) = faults.into_parts();
        assert!(faults[0].to_string().ends_with("g.toml: not a file"), "{faults:?}");
        assert_eq!(faults.len(), 1);
        let warnings: Vec<_> = warnings.iter().map(ToString::to_string).collect();
        let ignored = ["I.TOML", "f.yml", "h.conf"];
        assert_eq!(warnings.len(), ignored.len(), "{warnings:?}");
        for (warning, name) in warnings.iter().zip(ignored) {
            let expected = "ignored; drop-ins are files that end in .toml, .yaml or .json";
            assert!(warning.ends_with(&format!("/{name}: {expected}")), "{warning}");
        }
    }

    #[test]
    fn missing_folder_has_no_drop_ins_and_a_file_in_its_place_is_a_fault() {
        let (folder, path) = written("integrations.d", b"");
        let faults = Faults::default();
        assert!(drop_ins(&folder.path().join("missing"), &faults).is_empty());
        assert_eq!(faults.count(), 0);
        assert!(drop_ins(&path, &faults).is_empty());
        assert_eq!(faults.count(), 1);
    }
}
