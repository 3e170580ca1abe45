//! Configuration: embedded defaults < main file < environment, and the integrations and receivers
//! of the main file and its drop-ins together.
//!
//! Nothing stops at the first fault. [`load`] and everything after it leave faults in one
//! [`Faults`], and [`Loaded::close`] says in the end whether there were any: files that are partly
//! wrong are still read as far as they go, so that one look shows everything there is to mend.

mod files;
mod format;
mod gather;
mod integration;
mod layers;
mod maintenance;
mod schedules;
mod settings;

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsString;
use std::path::Path;

pub(crate) use integration::{Integration, Plan};
pub(crate) use schedules::schedule_problem;
pub(crate) use settings::{Limits, Log, LogFormat, Metrics, Own, Settings};

use self::gather::Gathered;
use self::schedules::Schedules;
use crate::domain::Maintenance;
use crate::input::{Fault, Faults, Kind, Reader, Value, join, quoted};

/// The main file when none is named.
pub(crate) const DEFAULT_PATH: &str = "/etc/revalidated/revalidated.toml";

/// What files hold lists of; never part of a layer.
const LISTS: [&str; 3] = ["integration", "receiver", "maintenance"];

/// The configuration cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("{}", lines(.faults, .warnings))]
pub(crate) struct Faulty {
    /// Everything that is wrong, by file and line.
    pub(crate) faults: Vec<Fault>,
    /// Everything that is unwise, by file and line.
    pub(crate) warnings: Vec<Fault>,
}

/// A table from a file, and its path there.
#[derive(Clone, Debug)]
pub(crate) struct Entry {
    /// The table.
    pub(crate) value: Value,
    /// Such as `integration[2]`; empty when the table is the whole file.
    pub(crate) path: String,
}

impl Entry {
    /// Reads the table; anything else is a fault.
    pub(crate) fn reader<'a>(&'a self, faults: &'a Faults) -> Option<Reader<'a>> {
        Reader::new(&self.value, self.path.clone(), faults)
    }
}

/// Everything that was read, with the faults found so far.
#[derive(Debug)]
pub(crate) struct Loaded {
    /// What the layers say; the embedded defaults alone when a layer is faulty.
    pub(crate) settings: Settings,
    /// The integrations of all files, in the order of the files.
    pub(crate) integrations: Vec<Integration>,
    /// The receivers of all files, in the order of the files, unread but for their names.
    pub(crate) receivers: Vec<Entry>,
    /// The maintenance windows, with the tables that they were read from.
    pub(crate) windows: Vec<(Maintenance, Entry)>,
    /// Where faults are collected.
    pub(crate) faults: Faults,
    modes: BTreeMap<String, u32>,
}

impl Loaded {
    /// Ends the reading: the warnings when there is no fault.
    ///
    /// # Errors
    ///
    /// Every fault of every file, and the warnings.
    pub(crate) fn close(self) -> Result<Vec<Fault>, Faulty> {
        let Self { settings, faults, modes, .. } = self;
        expose(&faults, &modes);
        if settings.strict_secrets {
            faults.refuse_literals();
        }
        let (mut faults, mut warnings) = faults.into_parts();
        faults.sort_by_cached_key(place);
        faults.dedup();
        warnings.sort_by_cached_key(place);
        if faults.is_empty() { Ok(warnings) } else { Err(Faulty { faults, warnings }) }
    }
}

/// Reads the main file, the drop-ins beside it and the environment.
///
/// # Errors
///
/// Only without any settings at all; everything else is among the faults of [`Loaded`].
pub(crate) fn load(main: Option<&Path>) -> Result<Loaded, Faulty> {
    load_from(main, std::env::vars_os())
}

/// The same with `variables` in place of the environment.
///
/// # Errors
///
/// As of [`load`].
pub(crate) fn load_from(
    main: Option<&Path>,
    variables: impl Iterator<Item = (OsString, OsString)>,
) -> Result<Loaded, Faulty> {
    let faults = Faults::default();
    let mut schedules = Schedules::default();
    let mut gathered = Gathered::default();
    gathered.defaults(&faults);
    gathered.main(main.unwrap_or(Path::new(DEFAULT_PATH)), main.is_some(), &faults);
    gathered.layers.extend(layers::environment(variables, &faults));
    let Some(settings) = gathered.settings(&mut schedules, &faults) else {
        let (faults, warnings) = faults.into_parts();
        return Err(Faulty { faults, warnings });
    };
    let Gathered { integrations, receivers, maintenance, modes, layers: _ } = gathered;
    unique("integration", &integrations, &faults);
    unique("receiver", &receivers, &faults);
    unique("maintenance", &maintenance, &faults);
    let mut windows = Vec::new();
    for entry in &maintenance {
        let reader = entry.reader(&faults);
        let read = |reader| maintenance::read(reader, &settings.defaults, &mut schedules);
        windows.extend(reader.and_then(read).map(|window| (window, entry.clone())));
    }
    let read = |entry| Integration::read(entry, &settings.defaults, &mut schedules, &faults);
    let integrations = integrations.into_iter().map(read).collect();
    Ok(Loaded { settings, integrations, receivers, windows, faults, modes })
}

/// The embedded defaults alone.
#[cfg(test)]
pub(crate) fn embedded() -> Settings {
    let (faults, mut gathered) = (Faults::default(), Gathered::default());
    gathered.defaults(&faults);
    gathered.settings(&mut Schedules::default(), &faults).unwrap()
}

/// Names both places of every name that is given twice.
fn unique(what: &str, entries: &[Entry], faults: &Faults) {
    let mut seen = BTreeMap::new();
    for entry in entries {
        let Some(Value { kind: Kind::String(name), origin }) = entry.value.entry("name") else {
            continue;
        };
        if let Some(first) = seen.insert(name, origin) {
            seen.insert(name, first);
            faults.push(Fault {
                origin: origin.to_string(),
                path: join(&entry.path, "name"),
                message: format!("{} is also the name of the {what} at {first}", quoted(name)),
            });
        }
    }
}

/// Warns of files that hold a secret and that others may read.
fn expose(faults: &Faults, modes: &BTreeMap<String, u32>) {
    let literals = faults.literals();
    let places = literals.iter().filter_map(|literal| literal.origin.rsplit_once(':'));
    for file in places.map(|(file, _line)| file).collect::<BTreeSet<_>>() {
        if let Some(mode) = modes.get(file).filter(|mode| **mode & 0o077 != 0) {
            let message = format!("holds a secret and has mode {mode:03o}; make it 600");
            faults.warn(Fault { origin: file.to_owned(), path: String::new(), message });
        }
    }
}

/// By file, then line, then key.
fn place(fault: &Fault) -> (String, usize, String, String) {
    let split = fault.origin.rsplit_once(':');
    let (file, line) = split
        .and_then(|(file, line)| Some((file, line.parse().ok()?)))
        .unwrap_or((fault.origin.as_str(), 0));
    (file.to_owned(), line, fault.path.clone(), fault.message.clone())
}

fn lines(faults: &[Fault], warnings: &[Fault]) -> String {
    let faults = faults.iter().map(ToString::to_string);
    let warnings = warnings.iter().map(|warning| format!("warning: {warning}"));
    faults.chain(warnings).collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn loaded(main: &str) -> Loaded {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("main.toml");
        std::fs::write(&path, main).unwrap();
        load_from(Some(&path), std::iter::empty()).unwrap()
    }

    #[test]
    fn the_defaults_are_those_of_the_domain() {
        let settings = loaded("").settings;
        assert_eq!(settings.defaults.policy, crate::domain::Policy::default());
        assert_eq!(settings.defaults.lookout, crate::domain::Lookout::default());
        assert_eq!(settings.log.format, LogFormat::Auto);
        assert_eq!(settings.store, Path::new("/var/lib/revalidated/state.db"));
    }
}
