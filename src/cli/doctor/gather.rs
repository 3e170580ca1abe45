//! Gathers the facts of a diagnosis: reads files and rows, resolves names, connects to canaries; changes nothing.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::time::Duration;

use tokio::task::spawn_blocking;
use tokio::time::timeout;

use super::super::args::{Doctor, Global};
use super::super::check;
use super::facts::{Configuration, Facts, Files, Rows, Service};
use super::{disk, network};
use crate::config;
use crate::daemon::{self, Assembly};
use crate::domain::{Location, Timestamp};
use crate::store::{ExpiryRow, SilenceRow, StoreError, View, each_page, is_in_use, problems};
use crate::view::Liveness;

/// Longest time for each of the parts that may hang: files, rows, names.
const PART_MAX: Duration = Duration::from_secs(9);
/// Longest time for reading every page of the database.
const DAMAGE_MAX: Duration = Duration::from_secs(6);
/// Time within which an expiry is near.
const EXPIRES: Duration = Duration::from_hours(14 * 24);
/// Path of the database where no configuration can be read.
const STORE: &str = "/var/lib/revalidated/state.db";

/// Gathers the facts; a part that takes too long is left out.
pub(super) async fn gather(global: &Global, args: &Doctor, now: Timestamp) -> Facts {
    let environment = config::environment();
    let configuration = configuration(global.config.as_deref()).await;
    let assembly = configuration.assembly.as_ref();
    let location = args.source.store.clone().map(Location::from);
    let location = location.or_else(|| Some(assembly?.settings.store.clone()));
    let location = location.unwrap_or_else(|| PathBuf::from(STORE).into());
    // Before the database is opened: see there.
    let liveness = Liveness::from(is_in_use(&location).await);
    let may_differ = assembly.filter(|_| configuration.faults.is_empty());
    let read = timeout(PART_MAX, rows(&location, may_differ, liveness, now)).await;
    let (rows, error) = match read {
        Ok(Ok(rows)) => (Some(rows), None),
        Ok(Err(error)) => (None, Some(error)),
        Err(_elapsed) => (None, Some(StoreError::TooSlow)),
    };
    let process = rows.as_ref().filter(|rows| rows.liveness == Liveness::Running);
    let process = process.and_then(|rows| rows.node.process).map(|process| process.pid);
    let (service, machine) =
        tokio::join!(service(process), network::machine(assembly, &environment));
    let folder = configuration.assembly.as_ref().map(|one| one.settings.backups.dir.clone());
    let files = files(location, folder, error).await;
    Facts { now, service, environment, configuration, files, rows, machine }
}

async fn configuration(main: Option<&Path>) -> Configuration {
    let (assembly, faulty) = match daemon::open_partly(main) {
        Ok((assembly, faulty)) => (Some(assembly), faulty),
        Err(faulty) => (None, Some(faulty)),
    };
    let mut found = Configuration::default();
    if let Some(faulty) = faulty {
        (found.faults, found.warnings) = (faulty.faults, faulty.warnings);
    }
    let Some(assembly) = assembly else { return found };
    if let Ok(looked) = timeout(PART_MAX, check::looked(&assembly)).await {
        found.secrets = looked.problems;
        // Faults have their warnings with them.
        if found.faults.is_empty() {
            found.warnings = looked.warnings;
        }
    }
    let paths: Vec<_> =
        super::configuration::secret_files(&assembly).into_iter().map(Path::to_owned).collect();
    let modes = spawn_blocking(move || disk::modes(paths));
    if let Ok(Ok(modes)) = timeout(PART_MAX, modes).await {
        found.modes = modes;
    }
    Configuration { assembly: Some(assembly), ..found }
}

/// Returns what is known of the unit, and of the process with this number.
async fn service(process: Option<i32>) -> Service {
    let found = timeout(PART_MAX, spawn_blocking(move || disk::service(process))).await;
    found.ok().and_then(Result::ok).unwrap_or_default()
}

async fn files(location: Location, backups: Option<PathBuf>, error: Option<StoreError>) -> Files {
    let is_of_another_version = matches!(error, Some(StoreError::Newer { .. }));
    let unreadable = error.map(|error| format!("{:#}", anyhow::Error::new(error)));
    let shown = location.to_string();
    let Location::File(path) = location else {
        return Files { shown, unreadable, is_of_another_version, ..Files::default() };
    };
    let of = path.clone();
    let found = spawn_blocking(move || disk::files(&of, backups));
    let found = timeout(PART_MAX, found).await;
    let found = found.ok().and_then(Result::ok).unwrap_or_default();
    let unreadable = unreadable.filter(|_| found.database.is_some());
    Files { shown, path: Some(path), unreadable, is_of_another_version, ..found }
}

/// Reads the rows of the database.
async fn rows(
    location: &Location,
    assembly: Option<&Assembly>,
    liveness: Liveness,
    now: Timestamp,
) -> Result<Rows, StoreError> {
    let view = View::open(location).await?;
    let (mut statuses, mut receivers) = (Vec::new(), Vec::new());
    let mut expiries: Vec<ExpiryRow> = Vec::new();
    let mut silences: Vec<SilenceRow> = Vec::new();
    each_page(async |page| view.statuses(page).await, |rows| statuses.extend(rows)).await?;
    each_page(async |page| view.receivers(page).await, |rows| receivers.extend(rows)).await?;
    let until = now.plus(EXPIRES);
    let read = async |page| view.expiries(until, page).await;
    each_page(read, |rows| expiries.extend(rows)).await?;
    let read = async |page| view.silences(false, now, page).await;
    each_page(read, |rows| silences.extend(rows)).await?;
    let events = view.events(i64::MAX, 1).await?;
    let damage = match location {
        Location::File(path) => damage(path.clone()).await,
        Location::Postgres(_) => None,
    };
    let difference = match assembly {
        Some(assembly) => daemon::difference(&view, assembly).await.ok(),
        None => None,
    };
    let acknowledged: BTreeSet<_> =
        silences.iter().filter_map(|row| Some(row.acknowledged.as_ref()?.0)).collect();
    Ok(Rows {
        liveness,
        node: view.node().await?,
        faults: view.own_faults().await?,
        statuses,
        receivers,
        expiries,
        acknowledged,
        events: events.latest.saturating_sub(events.pruned),
        damage,
        difference,
    })
}

/// Returns the damage of the file of the database; none where the look takes too long.
async fn damage(path: PathBuf) -> Option<Vec<String>> {
    let found = timeout(DAMAGE_MAX, spawn_blocking(move || problems(&path, false))).await;
    let found = found.ok().and_then(Result::ok)?;
    Some(found.unwrap_or_else(|error| vec![format!("{:#}", anyhow::Error::new(error))]))
}
