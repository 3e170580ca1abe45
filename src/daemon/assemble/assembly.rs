//! Assembly: the configuration as validators, senders and settings that the daemon works with.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;

use super::super::clock::Clock;
use super::filters::check_filters;
use super::integration::{Assembled, integration};
use super::placement;
use super::receiver::{Read, receiver};
use crate::config::{self, DropIns, Faulty, Form, Import, Loaded, Settings, Source};
use crate::domain::Maintenance;
use crate::input::{Fault, Faults, Reference, parallel};
use crate::platforms::{LogInMemory, PLATFORMS, Peers, Platform};
use crate::webhook::{Heartbeat, Receiver};

/// Validators, senders and settings that the daemon works with.
#[derive(Clone, Debug)]
pub(crate) struct Assembly {
    /// The daemon's own settings.
    pub(crate) settings: Settings,
    /// The integrations by name.
    pub(crate) integrations: BTreeMap<String, Assembled>,
    /// Warnings of settings that are accepted but unwise, by file and line.
    pub(crate) warnings: Vec<Fault>,
    /// The receivers, in the order of the files.
    pub(crate) receivers: Vec<Receiver>,
    /// Tables of the receivers by name, as the store keeps them.
    pub(crate) receiver_tables: BTreeMap<String, String>,
    /// Heartbeat; none when it is off.
    pub(crate) heartbeat: Option<Heartbeat>,
    /// Windows in which notifications are muted.
    pub(crate) maintenance: Arc<[Maintenance]>,
    /// References to secrets, each with its place in the files.
    pub(crate) references: Vec<Reference>,
    /// Folder of drop-ins beside the main file.
    pub(crate) drop_ins: DropIns,
    /// Every integration, for the tests that compare them; without ids, which only the store has.
    pub(crate) peers: Arc<Peers>,
    /// Log-ins that platforms refused to validations by hand.
    pub(crate) log_ins: Arc<LogInMemory>,
}

/// Reads the configuration that `main` or the default path names, and assembles it.
///
/// # Errors
///
/// Returns every fault of every file.
pub(crate) fn open(main: Option<&Path>) -> Result<Assembly, Faulty> {
    assemble(config::load(main, Clock::default().now())?, PLATFORMS)
}

/// Reads and assembles as much of the configuration as can be, with the faults of the rest.
///
/// # Errors
///
/// Returns every fault when there is not even a setting.
pub(crate) fn open_partly(main: Option<&Path>) -> Result<(Assembly, Option<Faulty>), Faulty> {
    Ok(assemble_partly(config::load_partly(main, Clock::default().now())?, PLATFORMS))
}

/// Reads and assembles the configuration as it will be with the integrations of a file of another program. Keys of
/// them that no platform knows are left out, and named.
///
/// # Errors
///
/// Returns every fault of every file, and of the one that is imported.
pub(crate) fn open_with(
    main: Option<&Path>,
    source: &Source,
    path: Option<&Path>,
) -> Result<(Assembly, Import), Faulty> {
    let mut left_out = BTreeSet::new();
    loop {
        let now = Clock::default().now();
        let (loaded, import) = config::load_with(main, source, path, &left_out, now)?;
        let faulty = match assemble(loaded, PLATFORMS) {
            Ok(assembly) => return Ok((assembly, import)),
            Err(faulty) => faulty,
        };
        let before = left_out.len();
        // A heading of a table was typed by hand: there an unknown key is a mistake.
        if source.form != Form::Csv {
            left_out.extend(unknown_keys(&faulty, source));
        }
        if left_out.len() == before {
            return Err(faulty);
        }
    }
}

/// Returns the paths of keys in the imported file that no platform knows.
fn unknown_keys(faulty: &Faulty, source: &Source) -> Vec<String> {
    let own = source.file.display().to_string();
    let is_own = |fault: &&Fault| fault.origin.starts_with(&own) && fault.path.starts_with('[');
    let unknown = faulty.faults.iter().filter(is_own).filter(|fault| fault.is_unknown_key());
    unknown.map(|fault| fault.path.clone()).collect()
}

/// Turns a configuration that was read into validators.
///
/// # Errors
///
/// Returns every fault of every file, whether found here or before.
pub(crate) fn assemble(loaded: Loaded, platforms: &'static [Platform]) -> Result<Assembly, Faulty> {
    let (assembly, faulty) = assemble_partly(loaded, platforms);
    faulty.map_or(Ok(assembly), Err)
}

/// Turns as much of a configuration as can be into validators, and returns the faults of the rest.
fn assemble_partly(
    mut loaded: Loaded,
    platforms: &'static [Platform],
) -> (Assembly, Option<Faulty>) {
    let read = std::mem::take(&mut loaded.integrations);
    placement::check_integrations(&read, &loaded);
    let assembled = parallel::parts(read, |part| {
        let own = Faults::default();
        let assembled = part.into_iter().filter_map(|one| integration(one, platforms, &own));
        (assembled.collect::<Vec<_>>(), own)
    });
    let mut integrations = BTreeMap::new();
    let mut peers = Vec::new();
    for (assembled, own) in assembled {
        loaded.faults.absorb(own);
        for one in assembled {
            peers.push(one.peer());
            integrations.insert(one.wanted.name.clone(), one);
        }
    }
    let settings = loaded.settings.clone();
    let tables = std::mem::take(&mut loaded.receivers);
    let known: Vec<_> = platforms.iter().map(|platform| platform.kind).collect();
    let mut receiver_tables = BTreeMap::new();
    let receivers = tables.iter().filter_map(|entry| {
        let Read { receiver, table } = receiver(entry, &loaded.faults)?;
        receiver_tables.insert(receiver.name.clone(), table);
        let idle = "so this receiver is notified of none";
        let (selection, reader) = (&receiver.subscription.selection, entry.reader(&loaded.faults)?);
        check_filters(selection, idle, &reader, &known, &integrations);
        placement::check_receiver(&receiver, &settings, &reader);
        Some(receiver)
    });
    let receivers: Vec<_> = receivers.collect();
    for (window, table) in &loaded.windows {
        let idle = "so this window mutes no notification";
        if let Some(reader) = table.reader(&loaded.faults) {
            check_filters(&window.selection, idle, &reader, &known, &integrations);
        }
    }
    let heartbeat = settings.heartbeat.reader(&loaded.faults).and_then(Heartbeat::parse);
    let maintenance = loaded.windows.iter().map(|(window, _)| window.clone()).collect();
    let drop_ins = loaded.drop_ins.clone();
    let references = loaded.faults.references();
    let (warnings, faulty) = match loaded.close() {
        Ok(warnings) => (warnings, None),
        Err(faulty) => (faulty.warnings.clone(), Some(faulty)),
    };
    let peers = Arc::new(peers.into_iter().collect());
    let log_ins = Arc::default();
    let assembly = Assembly {
        settings,
        integrations,
        warnings,
        receivers,
        receiver_tables,
        heartbeat,
        maintenance,
        references,
        drop_ins,
        peers,
        log_ins,
    };
    (assembly, faulty)
}
