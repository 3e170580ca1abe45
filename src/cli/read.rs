//! Reading the store beside a running daemon, and naming integrations.

use std::path::PathBuf;

use anyhow::Context as _;

use super::args::{Global, Source};
use super::ask::Sockets;
use super::error::{CommandError, fault_lines, print_error};
use super::print::{counted, sanitise};
use crate::config::{self, Faulty, One, Settings};
use crate::daemon::{self, Assembly};
use crate::domain::Location;
use crate::input::nearest;
use crate::store::{Cursor, IntegrationRow, Listed, Page, StoreError, TargetRow, View, each_page};

/// The most faults of the configuration that a command shows which goes on in spite of them.
const FAULTS_SHOWN_MAX: usize = 3;

/// Opens the database that the command line or the configuration names.
pub(super) async fn view(global: &Global, source: &Source) -> Result<View, CommandError> {
    Ok(View::open(&location(global, source)?).await.context("opening the store")?)
}

/// Opens the same database, and returns the whole configuration when that names it and has no fault.
pub(super) async fn both(
    global: &Global,
    source: &Source,
) -> Result<(View, Option<Assembly>), CommandError> {
    let read = || daemon::open(global.config.as_deref());
    let (location, assembly) = found(global, source, read, |read| &read.settings)?;
    Ok((View::open(&location).await.context("opening the store")?, assembly))
}

/// Returns the location of the database, with the sockets of the daemon that serves it.
pub(super) fn place(global: &Global, source: &Source) -> Result<(Location, Sockets), CommandError> {
    let (location, settings) = located(global, source)?;
    let sockets = Sockets::of(source, settings.as_ref());
    Ok((location, sockets))
}

/// Returns the location of the database, with the settings when they name it and have no fault. Ones with faults are no
/// reason not to look: they are printed, and the location is read in spite of them. Where there is no database, the faults
/// of integrations count too.
pub(super) fn located(
    global: &Global,
    source: &Source,
) -> Result<(Location, Option<Settings>), CommandError> {
    let main = global.config.as_deref();
    let read = || {
        let settings = config::load_settings(main)?;
        if may_exist(&settings.store) {
            return Ok(settings);
        }
        daemon::open(main).map(|whole| whole.settings)
    };
    found(global, source, read, |settings| settings)
}

/// Returns the location of the database, with what `read` reads of the configuration when that names it and has no fault.
fn found<T>(
    global: &Global,
    source: &Source,
    read: impl FnOnce() -> Result<T, Faulty>,
    settings: impl FnOnce(&T) -> &Settings,
) -> Result<(Location, Option<T>), CommandError> {
    if let Some(path) = &source.store {
        return Ok((path.clone().into(), None));
    }
    match read() {
        Ok(read) => Ok((settings(&read).store.clone(), Some(read))),
        Err(faulty) => match config::store_location(global.config.as_deref()) {
            Some(location) if may_exist(&location) => {
                print_error(&in_spite_of(&faulty, &format!("the database {location}")));
                Ok((location, None))
            }
            Some(_) | None => Err(faulty.into()),
        },
    }
}

/// Returns false when there is no such database for certain.
fn may_exist(location: &Location) -> bool {
    location.file().is_none_or(|path| !matches!(path.try_exists(), Ok(false)))
}

/// Returns the file of the database that the command line or the configuration names; `instead` says what to use where
/// it is on a server.
pub(super) fn file(
    global: &Global,
    source: &Source,
    instead: &str,
) -> Result<PathBuf, CommandError> {
    let location = location(global, source)?;
    match location.file() {
        Some(path) => Ok(path.to_owned()),
        None => Err(CommandError::Usage(format!("the store is {location}, no file; {instead}"))),
    }
}

/// Returns the configuration; with faults only when that part of it can be read which `has` says is needed. They
/// are printed then.
pub(super) fn partly(
    global: &Global,
    has: impl Fn(&Assembly) -> bool,
) -> Result<Assembly, CommandError> {
    let (assembly, faulty) = daemon::open_partly(global.config.as_deref())?;
    match faulty {
        None => Ok(assembly),
        Some(faulty) if has(&assembly) => {
            print_error(&in_spite_of(&faulty, "the part that can be read"));
            Ok(assembly)
        }
        Some(faulty) => Err(faulty.into()),
    }
}

/// Returns the warnings of a command that goes on with something in spite of faults.
fn in_spite_of(Faulty { faults, .. }: &Faulty, with: &str) -> String {
    let shown = faults.get(..FAULTS_SHOWN_MAX).unwrap_or(faults);
    let count = counted(faults.len(), "fault");
    format!(
        "{}warning: {count} in the configuration (`revalidated check`); going on with {}\n",
        fault_lines(shown, "warning: "),
        sanitise(with)
    )
}

/// Returns what the configuration says of the integration `name`, if its `settings` could be read. Faults are printed, and
/// it says nothing then.
pub(super) fn configured(global: &Global, settings: Option<&Settings>, name: &str) -> One {
    if settings.is_none() {
        return One::default();
    }
    config::load_one(global.config.as_deref(), name).unwrap_or_else(|faulty| {
        print_error(&in_spite_of(&faulty, "the store alone"));
        One::default()
    })
}

/// Returns the location of the database that the command line or the configuration names.
pub(super) fn location(global: &Global, source: &Source) -> Result<Location, CommandError> {
    Ok(located(global, source)?.0)
}

/// Returns the integration of this name; an unknown one is a mistake on the command line.
pub(super) async fn integration(view: &View, name: &str) -> Result<IntegrationRow, CommandError> {
    if let Some(row) = view.integration(name).await.context("reading the store")? {
        return Ok(row);
    }
    let targets = targets(view).await?;
    let known: Vec<_> = targets.iter().map(|row| row.name.as_str()).collect();
    Err(unknown(name, &known))
}

/// Returns all integrations that a selection may fit.
pub(super) async fn targets(view: &View) -> Result<Vec<TargetRow>, CommandError> {
    let mut all = Vec::new();
    each_page(async |page| view.targets(page).await, |rows| all.extend(rows))
        .await
        .context("reading the store")?;
    Ok(all)
}

/// Returns the first `limit` rows after a cursor, read page by page.
pub(super) async fn rows<T>(
    limit: u32,
    after: Option<Cursor>,
    read: impl AsyncFn(Page) -> Result<Listed<T>, StoreError>,
) -> Result<Listed<T>, CommandError> {
    let (mut all, mut page) = (Vec::new(), Page { after, limit });
    loop {
        let Listed { rows, next } = read(page).await.map_err(unread)?;
        all.extend(rows);
        let left = limit.saturating_sub(u32::try_from(all.len()).unwrap_or(limit));
        match next {
            Some(next) if 0 < left => page = Page::after(next, left),
            next => return Ok(Listed { rows: all, next }),
        }
    }
}

/// A cursor that does not fit is a mistake on the command line.
fn unread(error: StoreError) -> CommandError {
    if matches!(error, StoreError::WrongCursor) {
        return CommandError::Usage(error.to_string());
    }
    anyhow::Error::new(error).context("reading the store").into()
}

/// Returns the error for an integration of unknown name, with the nearest one.
pub(super) fn unknown(name: &str, known: &[&str]) -> CommandError {
    let hint = match nearest(name, known.iter().copied()) {
        Some(near) => format!("; did you mean `{}`?", sanitise(near)),
        None => "; `revalidated list` shows them all".to_owned(),
    };
    CommandError::Usage(format!("no integration is named `{}`{hint}", sanitise(name)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::Path;

    #[test]
    fn an_unknown_name_comes_with_the_nearest_one() {
        let said = |name| unknown(name, &["lake", "warehouse"]).to_string();
        assert_eq!(
            said("warehose"),
            "no integration is named `warehose`; did you mean `warehouse`?"
        );
        assert_eq!(
            said("\u{1b}zzz"),
            "no integration is named `\\u{1b}zzz`; `revalidated list` shows them all"
        );
    }

    /// Returns arguments that name `config`, and no database.
    fn named(config: &Path) -> (Global, Source) {
        use super::super::args::{Arguments, Command};
        use clap::Parser as _;
        let words = ["revalidated", "--config", config.to_str().unwrap(), "list"];
        let arguments = Arguments::try_parse_from(words).unwrap();
        let Some(Command::List(list)) = arguments.command else { panic!("another command") };
        (arguments.global, list.source)
    }

    #[test]
    fn database_is_found_in_spite_of_faults_of_the_configuration() {
        let folder = tempfile::tempdir().unwrap();
        let (config, database) = (folder.path().join("r.toml"), folder.path().join("state.db"));
        let store = format!("[store]\npath = \"{}\"\n", database.display());
        let table = [
            (store.clone(), true),
            (store.clone() + "[defaults]\nshedule = \"x\"\n", false),
            (store.clone() + "[[integration\nname = \n", false),
            (store.replace("[store]", "[defaults]\nschedule = 7\n[store]"), false),
        ];
        let (global, source) = named(&config);
        for (text, is_faultless) in table {
            std::fs::write(&config, &text).unwrap();
            std::fs::write(&database, "").unwrap();
            let (found, settings) = located(&global, &source).unwrap();
            let expected = (Location::File(database.clone()), is_faultless);
            assert_eq!((found, settings.is_some()), expected, "{text}");
            std::fs::remove_file(&database).unwrap();
            let refused = matches!(located(&global, &source), Err(CommandError::Configuration(_)));
            assert_eq!(refused, !is_faultless, "without a database the faults matter: {text}");
        }
        let given = Source { store: Some("other.db".into()) };
        assert_eq!(located(&global, &given).unwrap().0.file(), Some(Path::new("other.db")));
    }

    #[test]
    fn part_of_a_configuration_with_faults_is_read_when_it_is_the_part_that_is_needed() {
        let folder = tempfile::tempdir().unwrap();
        let config = folder.path().join("r.toml");
        let (global, _) = named(&config);
        let receiver = |name: &str, rest: &str| {
            format!(
                "[[receiver]]\nname = \"{name}\"\nurl = \"https://hooks.example.com/\"\n\
                 secrets = [{{ env = \"S\" }}]\n{rest}"
            )
        };
        let (good, database) = (receiver("good", ""), folder.path().join("own.db"));
        let store = format!("[store]\npath = \"{}\"\n", database.display());
        let table = [
            (good.clone() + &store, true),
            (good.clone() + "[defaults]\nschedule = 7\n" + &store, true),
            (good.clone() + &store + &receiver("bad", "timeout = 7\nsecrets = []\n"), true),
            (good.clone() + &store + "[[receiver\nname = ", true),
            (store.clone() + "[[receiver\nname = \n" + &good, false),
            (store.clone() + &receiver("good", "routing_key = 7\nformat = 7\n"), false),
        ];
        for (text, is_readable) in table {
            std::fs::write(&config, &text).unwrap();
            let read = partly(&global, |all| all.receivers.iter().any(|one| one.name == "good"));
            assert_eq!(read.is_ok(), is_readable, "{text}");
            assert!(
                read.is_ok_and(|all| all.settings.store == Location::File(database.clone()))
                    || !is_readable,
                "{text}"
            );
        }
    }

    #[test]
    fn faults_are_shown_up_to_a_bound() {
        let fault = |line: usize| crate::input::Fault {
            origin: format!("a.toml:{line}"),
            path: "x".to_owned(),
            message: "no\u{1b}".to_owned(),
        };
        let faults = (1..=9).map(fault).collect();
        let text = in_spite_of(&Faulty { faults, warnings: Vec::new() }, "the database s.db");
        assert_eq!(
            text,
            "warning: a.toml:1: x: no\\u{1b}\nwarning: a.toml:2: x: no\\u{1b}\n\
             warning: a.toml:3: x: no\\u{1b}\nwarning: 9 faults in the configuration \
             (`revalidated check`); going on with the database s.db\n"
        );
    }
}
