//! Collects the content of all files, before any of it is interpreted.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, LazyLock};

use super::entry::{BUILT_IN, Entry, LISTS};
use super::files::{self, Source};
use super::format::{Format, Malformed};
use super::heartbeat::HeartbeatTable;
use super::layers;
use super::part::Part;
use super::schedules::Schedules;
use super::settings::{DEFAULTS, Settings};
use crate::input::{Fault, Faults, Kind, Reader, Value, join, parallel};

/// Path of the main file unless the command line gives another.
pub(crate) const DEFAULT_PATH: &str = "/etc/revalidated/revalidated.toml";
/// Name of the folder beside the main file with more integrations and receivers.
const DROP_INS: &str = "integrations.d";
/// Keys by which a published payload is recognised: a file with lists has none of them.
const PAYLOAD: [&str; 3] = ["type", "config", "autoBootstrap"];

/// Folder of drop-ins as it was found.
#[derive(Clone, Debug, Default)]
pub(crate) struct DropIns {
    /// Path of the folder.
    pub(crate) folder: String,
    /// True when there is such a folder.
    pub(crate) is_there: bool,
    /// Number of its files that are read.
    pub(crate) files: usize,
}

/// Content of all files, not yet interpreted.
#[derive(Debug, Default)]
pub(super) struct Gathered {
    /// Part of them that is needed.
    pub(super) part: Part,
    /// Layers of settings without integrations and receivers, later ones over earlier ones.
    pub(super) layers: Vec<Value>,
    /// Tables of integrations, in the order of the files.
    pub(super) integrations: Vec<Entry>,
    /// Tables of receivers, in the order of the files.
    pub(super) receivers: Vec<Entry>,
    /// Tables of maintenance windows, in the order of the files.
    pub(super) maintenance: Vec<Entry>,
    /// Tables of templates, in the order of the files.
    pub(super) templates: Vec<Entry>,
    /// Drop-in that is not read, since another one is to take its place.
    pub(super) without: Option<PathBuf>,
    /// Folder of drop-ins beside the main file.
    pub(super) drop_ins: DropIns,
    /// True when a malformed file is read as far as it can be.
    pub(super) is_partial: bool,
    /// Permission bits of each file.
    pub(super) modes: BTreeMap<String, u32>,
}

/// Returns the path of the drop-in, beside `main` or the default file, that a table's integrations go to.
pub(super) fn drop_in_for(main: Option<&Path>, csv: &Path) -> PathBuf {
    let folder = main.unwrap_or(Path::new(DEFAULT_PATH)).with_file_name(DROP_INS);
    folder.join(csv.file_stem().unwrap_or_default()).with_extension("toml")
}

impl Gathered {
    /// Adds the embedded defaults.
    pub(super) fn defaults(&mut self, faults: &Faults) {
        static PARSED: LazyLock<Result<Value, Malformed>> =
            LazyLock::new(|| Format::Toml.parse(DEFAULTS, BUILT_IN));
        match &*PARSED {
            Ok(root) => self.layers.push(root.clone()),
            Err(malformed) => faults.push(Fault {
                origin: format!("{BUILT_IN}:{}", malformed.line),
                path: String::new(),
                message: malformed.message.clone(),
            }),
        }
    }

    /// Adds the main file and the drop-ins beside it.
    pub(super) fn main(&mut self, path: &Path, is_named: bool, faults: &Faults) {
        if !is_named && matches!(path.try_exists(), Ok(false)) {
            let message = "there is no configuration; write it, name another file with --config, \
                or see `revalidated demo`";
            let origin = path.display().to_string();
            faults.push(Fault { origin, path: String::new(), message: message.to_owned() });
            return;
        }
        let format = Format::of(path).unwrap_or(Format::Toml);
        if let Some(source) = self.read(path, format, |_text| true, faults) {
            let mut root = self.note(source);
            if matches!(root.kind, Kind::Null) {
                root.kind = Kind::Table(Vec::new());
            }
            self.take_lists(&mut root, faults);
            self.layers.push(root);
        }
        if self.part == Part::Settings {
            return;
        }
        let folder = path.with_file_name(DROP_INS);
        let drop_ins = files::drop_ins(&folder, faults);
        self.drop_ins = DropIns {
            folder: folder.display().to_string(),
            is_there: !matches!(folder.try_exists(), Ok(false)),
            files: drop_ins.len(),
        };
        let drop_ins = drop_ins.into_iter().filter(|(path, _)| self.without.as_ref() != Some(path));
        let read = parallel::each(drop_ins.collect(), |(path, format)| {
            let own = Faults::default();
            let is_needed = |text: &str| self.part.needs(&path, text);
            let source = self.read(&path, format, is_needed, &own);
            (path, source, own)
        });
        for (path, source, own) in read {
            faults.absorb(own);
            if let Some(source) = source {
                let root = self.note(source);
                self.drop_in(&path, root, faults);
            }
        }
    }

    /// Removes the tables that are not needed.
    pub(super) fn leave_out(&mut self) {
        match &self.part {
            Part::Whole => {}
            Part::Settings => {
                self.integrations.clear();
                self.receivers.clear();
                self.maintenance.clear();
                self.templates.clear();
            }
            Part::Integration(name) => {
                let is_it = |table: &Entry| match table.value.entry("name") {
                    Some(Value { kind: Kind::String(own), .. }) => own == name,
                    _ => false,
                };
                self.integrations.retain(is_it);
                self.receivers.clear();
            }
        }
    }

    /// Adds the settings of the main file up to its first malformed line.
    pub(super) fn main_partly(&mut self, path: &Path) {
        let format = Format::of(path).unwrap_or(Format::Toml);
        self.layers.extend(files::read_partly(path, format));
    }

    /// Merges the layers into settings; the defaults alone when one of them is faulty.
    pub(super) fn settings(&self, schedules: &mut Schedules, faults: &Faults) -> Option<Settings> {
        let before = faults.count();
        for layer in &self.layers {
            Settings::read(layer, schedules, faults);
        }
        if before < faults.count() {
            let mut settings = Settings::read(self.layers.first()?, schedules, &Faults::default())?;
            // This table is interpreted elsewhere, with faults of its own.
            let merged = layers::merge(&self.layers).ok();
            if let Some(table) = merged.as_ref().and_then(HeartbeatTable::of) {
                settings.heartbeat = table;
            }
            return Some(settings);
        }
        match layers::merge(&self.layers) {
            Ok(merged) => {
                let together = Faults::default();
                let settings = Settings::read(&merged, schedules, &together);
                faults.absorb_again(together);
                settings
            }
            Err(error) => {
                let (origin, path) = ("configuration".to_owned(), String::new());
                faults.push(Fault { origin, path, message: error.to_string() });
                None
            }
        }
    }

    fn read(
        &self,
        path: &Path,
        format: Format,
        is_needed: impl Fn(&str) -> bool,
        faults: &Faults,
    ) -> Option<Source> {
        let read = files::read(path, format, is_needed, faults);
        if read.is_none() && self.is_partial {
            let root = files::read_partly(path, format)?;
            return Some(Source { shown: path.display().to_string(), root, mode: None });
        }
        read
    }

    /// Notes the permission bits of a file, and returns its content.
    fn note(&mut self, Source { shown, root, mode }: Source) -> Value {
        self.modes.extend(mode.map(|mode| (shown, mode)));
        root
    }

    fn drop_in(&mut self, path: &Path, mut root: Value, faults: &Faults) {
        let empty = |value: &Value| {
            let message = "contains no integration and no receiver".to_owned();
            let origin = value.origin.rsplit_once(':').map_or("", |(file, _line)| file).to_owned();
            faults.warn(Fault { origin, path: String::new(), message });
        };
        match &mut root.kind {
            Kind::Null => empty(&root),
            Kind::Table(entries) if entries.is_empty() => empty(&root),
            Kind::Table(entries) if is_payload(entries) => {
                name_by_file(&mut root, path, "");
                self.integrations.push(Entry { value: root, path: String::new() });
            }
            Kind::Table(_) => {
                self.take_lists(&mut root, faults);
                self.refuse_settings(&mut root, faults);
                if let Some(mut reader) = Reader::new(&root, "", faults) {
                    for key in LISTS {
                        reader.has(key);
                    }
                    reader.finish();
                }
            }
            Kind::Array(items) => {
                let items = std::mem::take(items);
                let is_alone = items.len() == 1;
                let items = items.into_iter().enumerate();
                self.integrations.extend(items.map(|(index, mut value)| {
                    let of_many =
                        format!("-{}", id(&value).unwrap_or_else(|| (index + 1).to_string()));
                    name_by_file(&mut value, path, if is_alone { "" } else { &of_many });
                    Entry { value, path: format!("[{index}]") }
                }));
            }
            Kind::Bool(_) | Kind::Integer(_) | Kind::Float(_) | Kind::String(_) => {
                Reader::new(&root, "", faults);
            }
        }
    }

    /// Moves integrations, receivers, maintenance windows and templates out of a file.
    fn take_lists(&mut self, root: &mut Value, faults: &Faults) {
        let Kind::Table(entries) = &mut root.kind else { return };
        for (key, list) in entries.extract_if(.., |(key, _)| LISTS.contains(&key.as_str())) {
            let entries = match key.as_str() {
                "receiver" => &mut self.receivers,
                "maintenance" => &mut self.maintenance,
                "template" => &mut self.templates,
                _ => &mut self.integrations,
            };
            let Kind::Array(items) = list.kind else {
                let message = format!(
                    "expected a list of tables, found {}; write [[{key}]]",
                    list.describe()
                );
                faults.push(Fault { origin: list.origin.to_string(), path: key, message });
                continue;
            };
            let items = items.into_iter().enumerate();
            entries.extend(
                items.map(|(index, value)| Entry { value, path: format!("{key}[{index}]") }),
            );
        }
    }

    /// Reports settings in a drop-in, with the place where they belong.
    fn refuse_settings(&self, root: &mut Value, faults: &Faults) {
        let Kind::Table(entries) = &mut root.kind else { return };
        let is_setting =
            |key: &str| self.layers.first().is_some_and(|defaults| defaults.entry(key).is_some());
        for (key, value) in entries.extract_if(.., |(key, _)| is_setting(key)) {
            let message = "settings belong in the main file; a drop-in contains integrations and \
                receivers";
            let (origin, path) = (value.origin.to_string(), join("", &key));
            faults.push(Fault { origin, path, message: message.to_owned() });
        }
    }
}

/// Names a payload without a name after its file, with `suffix`.
fn name_by_file(payload: &mut Value, path: &Path, suffix: &str) {
    let Kind::Table(entries) = &mut payload.kind else { return };
    if !is_payload(entries) || entries.iter().any(|(key, _)| key == "name") {
        return;
    }
    let Some(stem) = path.file_stem() else { return };
    let kind = Kind::String(format!("{}{suffix}", stem.to_string_lossy()));
    let origin = Arc::clone(&payload.origin);
    entries.push(("name".to_owned(), Value { kind, origin }));
}

/// Returns the id of an answer, by which it differs from others in a list.
fn id(payload: &Value) -> Option<String> {
    match &payload.entry("id")?.kind {
        Kind::Integer(number) => Some(number.to_string()),
        Kind::String(text) => text.parse::<i64>().ok().map(|number| number.to_string()),
        Kind::Null | Kind::Bool(_) | Kind::Float(_) | Kind::Array(_) | Kind::Table(_) => None,
    }
}

fn is_payload(entries: &[(String, Value)]) -> bool {
    let has = |keys: &[&str]| entries.iter().any(|(key, _)| keys.contains(&key.as_str()));
    has(&PAYLOAD) && !has(&LISTS)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn missing_configuration_is_reported_with_its_remediation() {
        let faults = Faults::default();
        let path = Path::new("/nowhere/revalidated.toml");
        Gathered::default().main(path, false, &faults);
        let fault = faults.into_parts().0.remove(0).to_string();
        assert_eq!(
            fault,
            "/nowhere/revalidated.toml: there is no configuration; write it, name another file \
             with --config, or see `revalidated demo`"
        );
    }
}
