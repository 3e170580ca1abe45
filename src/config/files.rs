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

/// Reads one file; a file that cannot be read is one fault.
pub(super) fn read(path: &Path, format: Format, faults: &Faults) -> Option<Source> {
    let shown = path.display().to_string();
    let fault = |line: Option<usize>, message: String| {
        let origin = line.map_or_else(|| shown.clone(), |line| format!("{shown}:{line}"));
        faults.push(Fault { origin, path: String::new(), message });
    };
    let unreadable = |error: io::Error| fault(None, format!("cannot be read: {error}"));
    let (bytes, mode) = content(path).map_err(unreadable).ok()?;
    if FILE_BYTES_MAX < u64::try_from(bytes.len()).unwrap_or(u64::MAX) {
        fault(None, "larger than 4 MiB; split it into files in integrations.d".to_owned());
        return None;
    }
    let text = match String::from_utf8(bytes) {
        Ok(text) => text,
        Err(error) => {
            let good = error.as_bytes().iter().take(error.utf8_error().valid_up_to());
            let line = good.filter(|byte| **byte == b'\n').count() + 1;
            fault(Some(line), "not UTF-8".to_owned());
            return None;
        }
    };
    let text = text.strip_prefix('\u{feff}').unwrap_or(&text);
    match format.parse(text, &shown) {
        Ok(root) => Some(Source { shown, root, mode }),
        Err(malformed) => {
            fault(Some(malformed.line), malformed.message);
            None
        }
    }
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
    let note = |path: &Path, message: String| Fault {
        origin: path.display().to_string(),
        path: String::new(),
        message,
    };
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
        if path.extension().is_some_and(|extension| extension == "yml") {
            faults.warn(note(&path, "ignored; drop-ins end in .toml, .yaml or .json".to_owned()));
        }
        let format = Format::of(&path)?;
        // Reading a pipe could block for ever.
        if fs::metadata(&path).is_ok_and(|metadata| !metadata.is_file()) {
            faults.push(note(&path, "not a file".to_owned()));
            return None;
        }
        Some((path, format))
    });
    known.collect()
}
