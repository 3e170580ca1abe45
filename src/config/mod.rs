//! Configuration: embedded defaults < main file < environment, and the integrations and receivers
//! of the main file and its drop-ins together.
//!
//! Reading does not stop at the first fault. [`load`] and everything after it add faults to one
//! [`Faults`], and [`Loaded::close`] fails if there are any: files that are partly wrong are still
//! read as far as possible, so that one check lists everything there is to fix.

mod backup;
mod entry;
mod files;
mod format;
mod gather;
mod heartbeat;
mod http;
mod import;
mod integration;
mod layers;
mod maintenance;
mod node;
mod part;
mod policy;
mod schedules;
mod settings;
mod store;
mod template;

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::{OsStr, OsString};
use std::path::Path;
use std::sync::Arc;

pub(crate) use backup::Backups;
pub(crate) use entry::Entry;
pub(crate) use gather::DropIns;
pub(crate) use import::{Form, Import, Needed, Place, Previous, Source};
pub(crate) use integration::{Integration, Plan};
pub(crate) use part::One;
pub(crate) use policy::RUN_ON;
pub(crate) use schedules::schedule_problem;
pub(crate) use settings::{Limits, Log, LogFormat, Metrics, Own, Settings};

pub(crate) use self::gather::DEFAULT_PATH;
use self::gather::Gathered;
use self::part::Part;
use self::schedules::Schedules;
use crate::domain::{Listen, Location, Maintenance, PostgresAddress, Timestamp};
use crate::input::{Fault, Faults, Kind, Reader, Value, join, parallel, quoted};

/// Variable by which systemd names the runtime directories of the service.
const RUNTIME_DIRECTORY: &str = "RUNTIME_DIRECTORY";

/// Error of a configuration that cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("{}", lines(.faults, .warnings))]
pub(crate) struct Faulty {
    /// Faults, ordered by file and line.
    pub(crate) faults: Vec<Fault>,
    /// Warnings, ordered by file and line.
    pub(crate) warnings: Vec<Fault>,
}

/// Configuration as read, with the faults found so far.
#[derive(Debug)]
pub(crate) struct Loaded {
    /// Settings of all layers; the embedded defaults alone when a layer is faulty.
    pub(crate) settings: Settings,
    /// Integrations of all files, in the order of the files.
    pub(crate) integrations: Vec<Integration>,
    /// Receivers of all files, in the order of the files; only their names have been read.
    pub(crate) receivers: Vec<Entry>,
    /// Maintenance windows, with the tables that they were read from.
    pub(crate) windows: Vec<(Maintenance, Entry)>,
    /// Folder of drop-ins beside the main file.
    pub(crate) drop_ins: DropIns,
    /// Faults of everything that was read.
    pub(crate) faults: Faults,
    modes: BTreeMap<String, u32>,
}

impl Loaded {
    /// Returns the warnings when there is no fault.
    ///
    /// # Errors
    ///
    /// Fails with every fault of every file, and the warnings.
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

/// Returns the variables of this process that are text.
pub(crate) fn environment() -> BTreeMap<String, String> {
    let text = |(name, value): (OsString, OsString)| {
        Some((name.into_string().ok()?, value.into_string().ok()?))
    };
    std::env::vars_os().filter_map(text).collect()
}

/// Reads the main file, the drop-ins beside it and the environment. Warnings about schedules show instants
/// after `now`.
///
/// # Errors
///
/// Fails only without any settings at all; everything else is among the faults of [`Loaded`].
pub(crate) fn load(main: Option<&Path>, now: Timestamp) -> Result<Loaded, Faulty> {
    load_from(main, std::env::vars_os(), now)
}

/// Reads the same, each malformed file up to its first malformed line.
///
/// # Errors
///
/// Fails like [`load`].
pub(crate) fn load_partly(main: Option<&Path>, now: Timestamp) -> Result<Loaded, Faulty> {
    let gathered = Gathered { is_partial: true, ..Gathered::default() };
    let mut loaded = interpreted(gathered, main, std::env::vars_os(), Faults::default(), now)?;
    if 0 < loaded.faults.count()
        && let Some(path) = store_location(main)
    {
        loaded.settings.store = path;
    }
    Ok(loaded)
}

/// Reads the configuration as it will be with the integrations of a file of another program, beside the drop-in that
/// they make. Keys at the paths in `left_out` are taken out of them. Without `path`, the drop-in is named like
/// the file.
///
/// # Errors
///
/// Fails like [`load`]; faults of the file name its lines.
pub(crate) fn load_with(
    main: Option<&Path>,
    source: &Source,
    path: Option<&Path>,
    left_out: &BTreeSet<String>,
    now: Timestamp,
) -> Result<(Loaded, Import), Faulty> {
    let faults = Faults::default();
    let path = path.map_or_else(|| source.drop_in(main), Path::to_owned);
    let mut gathered = Gathered { without: Some(path.clone()), ..Gathered::default() };
    let (entries, import) = import::read(source, &faults).into_import(source, path, left_out);
    gathered.integrations = entries;
    Ok((interpreted(gathered, main, std::env::vars_os(), faults, now)?, import))
}

/// Reads the same with `variables` in place of the environment.
///
/// # Errors
///
/// Fails like [`load`].
pub(crate) fn load_from(
    main: Option<&Path>,
    variables: impl Iterator<Item = (OsString, OsString)>,
    now: Timestamp,
) -> Result<Loaded, Faulty> {
    interpreted(Gathered::default(), main, variables, Faults::default(), now)
}

/// Reads the settings alone.
///
/// # Errors
///
/// Fails with every fault of the main file and the environment but those of integrations, receivers and windows.
pub(crate) fn load_settings(main: Option<&Path>) -> Result<Settings, Faulty> {
    let loaded = load_part(main, Part::Settings)?;
    let settings = loaded.settings.clone();
    loaded.close()?;
    Ok(settings)
}

/// Reads what concerns the integration `name`.
///
/// # Errors
///
/// Fails with every fault of the settings, and of the tables that may concern it.
pub(crate) fn load_one(main: Option<&Path>, name: &str) -> Result<One, Faulty> {
    let mut loaded = load_part(main, Part::Integration(name.to_owned()))?;
    let plan = loaded.integrations.drain(..).find_map(|one| one.plan);
    let maintenance = loaded.windows.drain(..).map(|(window, _)| window).collect();
    loaded.close()?;
    Ok(One { policy: plan.map(|plan| plan.policy), maintenance })
}

fn load_part(main: Option<&Path>, part: Part) -> Result<Loaded, Faulty> {
    let gathered = Gathered { part, ..Gathered::default() };
    // Only warnings show instants, and whoever reads a part shows none.
    interpreted(gathered, main, std::env::vars_os(), Faults::default(), Timestamp(0))
}

/// Adds the files and the environment to what is gathered already, and interprets all of it.
fn interpreted(
    mut gathered: Gathered,
    main: Option<&Path>,
    variables: impl Iterator<Item = (OsString, OsString)>,
    faults: Faults,
    now: Timestamp,
) -> Result<Loaded, Faulty> {
    let mut schedules = Schedules::new(now);
    gathered.defaults(&faults);
    gathered.main(main.unwrap_or(Path::new(DEFAULT_PATH)), main.is_some(), &faults);
    let variables: Vec<_> = variables.collect();
    let runtime = variables.iter().find(|(name, _)| name == RUNTIME_DIRECTORY);
    let socket = runtime.and_then(|(_, folders)| default_socket(folders));
    gathered.layers.extend(layers::environment(variables.into_iter(), &faults));
    let Some(mut settings) = gathered.settings(&mut schedules, &faults) else {
        let (faults, warnings) = faults.into_parts();
        return Err(Faulty { faults, warnings });
    };
    if !settings.http.is_listed {
        settings.http.listen.extend(socket);
    }
    gathered.leave_out();
    let Gathered { mut integrations, receivers, maintenance, templates, drop_ins, modes, .. } =
        gathered;
    unique("template", &templates, &faults);
    template::apply(&mut integrations, &templates, &faults);
    unique("integration", &integrations, &faults);
    unique("receiver", &receivers, &faults);
    unique("maintenance", &maintenance, &faults);
    let mut windows = Vec::new();
    for entry in &maintenance {
        let reader = entry.reader(&faults);
        let read = |reader| maintenance::read(reader, &settings.defaults, &mut schedules);
        windows.extend(reader.and_then(read).map(|window| (window, entry.clone())));
    }
    let read = parallel::parts(integrations, |part| {
        let (own, mut schedules) = (Faults::default(), schedules.clone());
        let read = |entry| Integration::read(entry, &settings.defaults, &mut schedules, &own);
        (part.into_iter().map(read).collect::<Vec<_>>(), own)
    });
    let (read, found): (Vec<_>, Vec<_>) = read.into_iter().unzip();
    for own in found {
        faults.absorb(own);
    }
    let integrations = read.into_iter().flatten().collect::<Vec<_>>();
    unique_ids(&integrations, &faults);
    Ok(Loaded { settings, integrations, receivers, windows, drop_ins, faults, modes })
}

/// Returns the socket in the first of the service's runtime directories.
fn default_socket(folders: &OsStr) -> Option<Listen> {
    let folder = std::env::split_paths(folders).next().filter(|folder| folder.is_absolute())?;
    Some(Listen::Unix(folder.join("api.sock")))
}

/// Returns the location of the store as far as it can be read from a configuration with faults: from the
/// environment, the main file up to its first malformed line, or the defaults.
pub(crate) fn store_location(main: Option<&Path>) -> Option<Location> {
    let (faults, mut gathered) = (Faults::default(), Gathered::default());
    gathered.defaults(&faults);
    gathered.main_partly(main.unwrap_or(Path::new(DEFAULT_PATH)));
    gathered.layers.extend(layers::environment(std::env::vars_os(), &faults));
    let merged = layers::merge(&gathered.layers).ok()?;
    let location = store::read(Reader::new(merged.entry("store")?, "store", &faults)?)?;
    let node = merged.entry("node").and_then(|table| Reader::new(table, "node", &faults));
    let name = node.and_then(node::read).map(|node| node.name).unwrap_or_default();
    Some(location.of_node(&name))
}

/// Returns the address of the database on a server that `url` names, with its password, protection and authorities from
/// the table `[store]`, whatever location that names; read as [`store_location`] reads it.
///
/// # Errors
///
/// Fails with what is wrong with the URL, or with the table.
pub(crate) fn store_address(
    main: Option<&Path>,
    url: &str,
) -> Result<Arc<PostgresAddress>, String> {
    let (faults, mut gathered) = (Faults::default(), Gathered::default());
    gathered.defaults(&faults);
    gathered.main_partly(main.unwrap_or(Path::new(DEFAULT_PATH)));
    gathered.layers.extend(layers::environment(std::env::vars_os(), &faults));
    let unread = || "the table [store] of the configuration cannot be read".to_owned();
    let merged = layers::merge(&gathered.layers).map_err(|_faults| unread())?;
    let reader = merged.entry("store").and_then(|table| Reader::new(table, "store", &faults));
    let address = store::read_for(url, reader.ok_or_else(unread)?)?;
    match faults.into_parts().0.first() {
        Some(fault) => Err(fault.to_string()),
        None => address.ok_or_else(unread),
    }
}

/// Returns the embedded defaults alone.
#[cfg(test)]
pub(crate) fn embedded() -> Settings {
    let (faults, mut gathered) = (Faults::default(), Gathered::default());
    gathered.defaults(&faults);
    gathered.settings(&mut Schedules::new(Timestamp(0)), &faults).unwrap()
}

/// Reports names that two entries have, each with both places.
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
                message: format!(
                    "duplicate name {}: the {what} at {first} has it too",
                    quoted(name)
                ),
            });
        }
    }
}

/// Reports ids that two integrations have, each with both places.
fn unique_ids(integrations: &[Integration], faults: &Faults) {
    let mut seen = BTreeMap::new();
    for Integration { entry, plan, .. } in integrations {
        let Some(id) = plan.as_ref().and_then(|plan| plan.id) else { continue };
        let origin = &entry.value.entry("id").unwrap_or(&entry.value).origin;
        if let Some(first) = seen.insert(id, origin) {
            seen.insert(id, first);
            let (origin, path) = (origin.to_string(), join(&entry.path, "id"));
            let message = format!("duplicate id {}: the integration at {first} has it too", id.0);
            faults.push(Fault { origin, path, message });
        }
    }
}

/// Warns of files that contain a secret and that other users may read.
fn expose(faults: &Faults, modes: &BTreeMap<String, u32>) {
    let literals = faults.literals();
    let places = literals.iter().filter_map(|literal| literal.origin.rsplit_once(':'));
    for file in places.map(|(file, _line)| file).collect::<BTreeSet<_>>() {
        if let Some(mode) = modes.get(file).filter(|mode| **mode & 0o077 != 0) {
            let message = format!("contains a secret and has mode {mode:03o}; change it to 600");
            faults.warn(Fault { origin: file.to_owned(), path: String::new(), message });
        }
    }
}

/// Returns the sort key of a fault: file, line, path, message.
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
        load_from(Some(&path), std::iter::empty(), Timestamp(0)).unwrap()
    }

    #[test]
    fn socket_in_the_runtime_directory_is_the_default_address() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("main.toml");
        let listen = |main: &str, variables: &[(&str, &str)]| {
            std::fs::write(&path, main).unwrap();
            let variables = variables.iter().map(|(name, text)| (name.into(), text.into()));
            let loaded = load_from(Some(&path), variables, Timestamp(0)).unwrap();
            assert_eq!(loaded.faults.count(), 0);
            let listen = loaded.settings.http.listen.iter().map(ToString::to_string);
            listen.collect::<Vec<_>>().join(" ")
        };
        let runtime = [(RUNTIME_DIRECTORY, "/run/revalidated:/run/other")];
        assert_eq!(listen("", &[]), "");
        assert_eq!(listen("", &[(RUNTIME_DIRECTORY, "run")]), "");
        assert_eq!(listen("", &runtime), "unix:/run/revalidated/api.sock");
        assert_eq!(listen("[http]\nlisten = []\n", &runtime), "");
        let sockets = "[http]\nlisten = [\"systemd:read\"]\n";
        assert_eq!(listen(sockets, &runtime), "systemd:read");
        let variable = [runtime[0], ("REVALIDATED__HTTP__LISTEN", "[\"127.0.0.1:1\"]")];
        assert_eq!(listen(sockets, &variable), "127.0.0.1:1");
    }

    #[test]
    fn embedded_defaults_equal_those_of_the_domain() {
        let settings = loaded("").settings;
        assert_eq!(settings.defaults.policy, crate::domain::Policy::default());
        assert_eq!(settings.defaults.checks, crate::domain::CommonChecks::default());
        assert_eq!(settings.log.format, LogFormat::Auto);
        assert_eq!(settings.store.file(), Some(Path::new("/var/lib/revalidated/state.db")));
    }
}
