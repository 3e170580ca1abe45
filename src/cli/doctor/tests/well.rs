//! Facts of an installation in which all is well, and changes of them.

use std::net::{IpAddr, Ipv4Addr};
use std::path::PathBuf;
use std::time::Duration;

use super::super::facts::{
    Backup, Configuration, Facts, Files, Folder, Machine, Name, Rows, Service,
};
use super::super::unit::{Setting, Unit};
use crate::cli::samples;
use crate::daemon;
use crate::domain::ledger::Difference;
use crate::domain::{IntegrationId, Status, Timestamp};
use crate::input::Fault;
use crate::store::{NodeRow, ReceiverRow, StatusRow};
use crate::view::Liveness;

pub(super) const MAIN: &str = "[metrics]\nlisten = \"127.0.0.1:9464\"\n\
    [[receiver]]\nname = \"on-call\"\nurl = \"https://hooks.example.com/\"\nsecrets = [{ credential = \"hook\" }]\n\
    [[integration]]\nname = \"lake\"\ntype = \"Trino\"\n\
    [integration.config]\nhost = \"trino.example.com\"\nauthenticationType = \"userPassword\"\nusername = \"u\"\n\
    password = { file = \"/nowhere/password\" }\n";

pub(super) fn now() -> Timestamp {
    samples::now()
}

pub(super) fn before(time: Duration) -> Timestamp {
    now().minus(time)
}

pub(super) const HOUR: Duration = Duration::from_hours(1);
pub(super) const DAY: Duration = Duration::from_hours(24);

pub(super) fn assembly(main: &str) -> daemon::Assembly {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("main.toml");
    std::fs::write(&path, main).unwrap();
    daemon::open(Some(&path)).unwrap_or_else(|faulty| panic!("{:?}", faulty.faults))
}

pub(super) fn setting(key: &str, value: &str) -> Setting {
    Setting { key: key.to_owned(), value: value.to_owned(), origin: PathBuf::from("/etc/x.conf") }
}

pub(super) fn receiver() -> ReceiverRow {
    ReceiverRow {
        name: "on-call".to_owned(),
        configured: true,
        disabled: None,
        failing_since: None,
        last_success_at: None,
        pending: 1,
        oldest_pending_at: Some(before(Duration::from_mins(1))),
    }
}

pub(super) fn status() -> StatusRow {
    StatusRow {
        id: IntegrationId(1),
        name: "lake".to_owned(),
        kind: "Trino".to_owned(),
        labels: [].into(),
        status: Status::Enabled,
        last_run: None,
        failing_since: None,
        last_passed_at: Some(before(HOUR)),
        next_run_at: Some(now().plus(HOUR)),
        lease_until: None,
        expires: None,
        is_muted: false,
        is_flapping: false,
        outage_id: None,
    }
}

/// Returns the facts of an installation in which all is well.
pub(super) fn well() -> Facts {
    let mut unit = Unit::shipped();
    unit.settings.push(setting("LoadCredential", "hook:/etc/revalidated/secrets/hook"));
    let service = Service {
        unit: Some(unit),
        is_reload_due: Some(false),
        running: Some(PathBuf::from("/usr/bin/revalidated")),
        user: Some(61000),
        programs: [PathBuf::from("/usr/bin/revalidated")].into(),
    };
    let folder = Folder { owner: 61000, mode: 0o700, file_system: 0xef53, free: 1 << 40 };
    let files = Files {
        shown: "/var/lib/revalidated/state.db".to_owned(),
        path: Some(PathBuf::from("/var/lib/revalidated/state.db")),
        folder: Some(folder),
        database: Some((1 << 20, Some(before(10 * DAY)))),
        unreadable: None,
        is_of_another_version: false,
        backup: Some(Backup { at: before(HOUR), is_on_same_disk: false }),
    };
    let node =
        NodeRow { started_at: Some(before(DAY)), seen_at: Some(now()), ..NodeRow::default() };
    let rows = Rows {
        liveness: Liveness::Running,
        node,
        faults: Vec::new(),
        statuses: vec![status()],
        receivers: vec![receiver()],
        expiries: Vec::new(),
        acknowledged: [].into(),
        events: 10,
        damage: Some(Vec::new()),
        difference: Some(Difference::default()),
    };
    let address = IpAddr::V4(Ipv4Addr::LOCALHOST);
    let name = Name {
        host: "trino.example.com".to_owned(),
        took: Duration::from_millis(3),
        addresses: Ok(vec![address]),
    };
    let machine = Machine {
        is_synchronised: Some(true),
        names: vec![name],
        has_ipv6: false,
        authorities: Some((PathBuf::from("/etc/ssl/cert.pem"), before(30 * DAY))),
        canaries: vec![("canary:443".to_owned(), true)],
        listening: Some(vec!["127.0.0.1:9464".parse().unwrap()]),
        sockets: [(PathBuf::from("/run/revalidated/api.sock"), 0o660)].into(),
    };
    let configuration =
        Configuration { assembly: Some(assembly(MAIN)), ..Configuration::default() };
    Facts {
        now: now(),
        service,
        environment: [("REVALIDATED_CONFIG".to_owned(), "/x".to_owned())].into(),
        configuration,
        files,
        rows: Some(rows),
        machine,
    }
}

pub(super) fn add(facts: &mut Facts, key: &str, value: &str) {
    facts.service.unit.as_mut().unwrap().settings.push(setting(key, value));
}

pub(super) fn rows(facts: &mut Facts) -> &mut Rows {
    facts.rows.as_mut().unwrap()
}

pub(super) fn fault(message: &str) -> Fault {
    let (origin, path) = ("main.toml:3".to_owned(), "x".to_owned());
    Fault { origin, path, message: message.to_owned() }
}

pub(super) fn with(main: &str) -> Configuration {
    Configuration { assembly: Some(assembly(main)), ..Configuration::default() }
}
