//! Cases of the checks: a change of an installation in which all is well, and the finding that it makes.

use std::net::{IpAddr, Ipv6Addr};
use std::path::PathBuf;
use std::time::Duration;

use super::super::facts::Facts;
use super::well::{DAY, HOUR, MAIN, add, before, fault, now, rows, with};
use crate::cli::samples;
use crate::domain::ledger::{ChangeKind, IntegrationChange};
use crate::domain::{Changes, DisabledReason, HeartbeatState, OwnFault, Reload, Status};
use crate::store::{ExpiryRow, OwnFaultRow, TargetRow};
use crate::view::Liveness;

/// Change of the facts, the check that finds it, and a part of the finding.
pub(super) type Case = (&'static str, fn(&mut Facts), &'static str);

pub(super) const INSTALLATION: &[Case] = &[
    ("unit-outdated", |facts| facts.service.is_reload_due = Some(true), "has not read"),
    (
        "unit-outdated",
        |facts| {
            let unit = facts.service.unit.as_mut().unwrap();
            unit.settings.retain(|one| one.key != "WatchdogSec");
        },
        "lacks settings of the unit of this version: WatchdogSec.",
    ),
    (
        "unit-outdated",
        |facts| facts.service.running = Some(PathBuf::from("/usr/bin/revalidated (deleted)")),
        "former program of /usr/bin/revalidated.",
    ),
    (
        "hardening-weakened",
        |facts| add(facts, "ProtectSystem", "no"),
        "ProtectSystem=no in /etc/x.conf, in place of ProtectSystem=strict.",
    ),
    (
        "hardening-weakened",
        |facts| add(facts, "SystemCallFilter", ""),
        "SystemCallFilter= in /etc/x.conf",
    ),
    (
        "program-not-allowed",
        |facts| facts.service.programs.clear(),
        "does not exist or cannot be executed",
    ),
    (
        "program-not-allowed",
        |facts| {
            add(facts, "ExecStart", "/opt/revalidated run");
            facts.service.programs.insert(PathBuf::from("/opt/revalidated"));
        },
        "/opt/revalidated, which ExecStart= names, is not in ExecPaths=.",
    ),
    (
        "few-descriptors",
        |facts| add(facts, "LimitNOFILE", "256"),
        "LimitNOFILE=256 in /etc/x.conf is less than the 516",
    ),
    ("little-memory", |facts| add(facts, "MemoryMax", "32M"), "(32 MiB) in /etc/x.conf"),
    (
        "secret-in-environment",
        |facts| add(facts, "Environment", "A=1 DB_PASSWORD=hunter2 TOKEN_FILE=/x"),
        "/etc/x.conf has a value for DB_PASSWORD,",
    ),
];

pub(super) const CONFIGURATION: &[Case] = &[
    ("configuration", |facts| facts.configuration.faults = vec![fault("wrong")], "wrong"),
    ("configuration", |facts| facts.configuration.warnings = vec![fault("unwise")], "unwise"),
    ("configuration", |facts| facts.configuration.secrets = vec![fault("empty")], "empty"),
    (
        "readable-secrets",
        |facts| {
            let message = "contains a secret and has mode 644; change it to 600";
            facts.configuration.warnings = vec![fault(message)];
        },
        "has mode 644",
    ),
    (
        "readable-secrets",
        |facts| facts.configuration.modes = [(PathBuf::from("/s/key"), 0o640)].into(),
        "/s/key, which holds a secret, has mode 640.",
    ),
    (
        "literal-secrets",
        |facts| {
            let message = "the configuration contains the secret itself; use another";
            facts.configuration.warnings = vec![fault(message)];
        },
        "main.toml:3: x.",
    ),
    (
        "credential-names",
        |facts| add(facts, "LoadCredential", ""),
        "names the credential hook, which the unit does not give",
    ),
    (
        "credential-names",
        |facts| add(facts, "LoadCredential", "old:/etc/revalidated/secrets/old"),
        "gives the credential old, which nothing uses",
    ),
    (
        "unread-variables",
        |facts| add(facts, "Environment", "REVALIDATED_STORE=/x"),
        "Nothing reads REVALIDATED_STORE;",
    ),
    (
        "too-many-runs",
        |facts| {
            let main =
                MAIN.replace("name = \"lake\"", "name = \"lake\"\nschedule = \"* * * * * *\"");
            facts.configuration = with(&format!("[limits]\nruns = 1\n{main}"));
        },
        "% of the concurrent runs that [limits] runs = 1 allows",
    ),
    (
        "too-many-runs",
        |facts| {
            let more = "name = \"lake\"\nschedule = \"* * * * *\"\nconfirm_runs = 3";
            facts.configuration = with(&MAIN.replace("name = \"lake\"", more));
        },
        "confirming runs of lake take longer",
    ),
    (
        "unheard-failures",
        |facts| {
            let main =
                MAIN.replace("name = \"on-call\"", "name = \"on-call\"\ntypes = [\"Redshift\"]");
            facts.configuration = with(&main);
        },
        "No receiver is notified of failures of lake.",
    ),
    (
        "several-secrets",
        |facts| {
            let (head, one) = MAIN.split_once("[[integration]]").unwrap();
            let other = one.replace("lake", "pond").replace("/password", "/old");
            facts.configuration =
                with(&format!("{head}[[integration]]{one}[[integration]]{other}"));
        },
        "logs in with different secrets: ",
    ),
];

pub(super) const STORE: &[Case] = &[
    ("store-folder", |facts| facts.files.folder = None, "does not exist"),
    (
        "store-folder",
        |facts| facts.files.folder.as_mut().unwrap().owner = 0,
        "belongs to user 0, and the daemon runs as user 61000",
    ),
    ("store-folder", |facts| facts.files.folder.as_mut().unwrap().mode = 0o755, "has mode 755"),
    (
        "store-folder",
        |facts| facts.files.folder.as_mut().unwrap().file_system = 0x6969,
        "is on NFS",
    ),
    (
        "store-folder",
        |facts| facts.files.folder.as_mut().unwrap().free = 1,
        "has 0 MiB left, less than disk_free_mib",
    ),
    (
        "store-folder",
        |facts| {
            facts.files.folder.as_mut().unwrap().free = 1 << 30;
            facts.files.database = Some((1 << 30, Some(before(10 * DAY))));
        },
        "enough for 10 days",
    ),
    (
        "store-damaged",
        |facts| rows(facts).damage = Some(vec!["page 7 is never used".to_owned()]),
        "page 7 is never used.",
    ),
    ("no-backup", |facts| facts.files.backup = None, "There is no backup."),
    (
        "no-backup",
        |facts| facts.files.backup.as_mut().unwrap().at = before(3 * DAY),
        "The latest backup is 3 days old.",
    ),
    (
        "no-backup",
        |facts| facts.files.backup.as_mut().unwrap().is_on_same_disk = true,
        "on the disk of the database",
    ),
    (
        "other-schema",
        |facts| facts.files.unreadable = Some("database schema 9 is newer than 7".to_owned()),
        "database schema 9 is newer than 7.",
    ),
    ("retention-reached", |facts| rows(facts).events = 100_000_000, "events are kept"),
];

pub(super) const MACHINE: &[Case] = &[
    ("clock", |facts| facts.machine.is_synchronised = Some(false), "not synchronised"),
    (
        "clock",
        |facts| {
            let message = "the clock is 9m off".to_owned();
            let row = OwnFaultRow { fault: OwnFault::Clock, since: now(), message, node: None };
            rows(facts).faults.push(row);
        },
        "the clock is 9m off.",
    ),
    (
        "names",
        |facts| facts.machine.names[0].took = Duration::from_millis(1500),
        "was resolved after 1500 ms",
    ),
    (
        "names",
        |facts| facts.machine.names[0].addresses = Err("no such name".to_owned()),
        "trino.example.com is not resolved: no such name.",
    ),
    (
        "names",
        |facts| {
            facts.machine.names[0].addresses = Ok(vec![IpAddr::V6(Ipv6Addr::LOCALHOST)]);
        },
        "only IPv6 addresses",
    ),
    ("authorities", |facts| facts.machine.authorities = None, "no file of certificate authorities"),
    (
        "authorities",
        |facts| facts.machine.authorities.as_mut().unwrap().1 = before(800 * DAY),
        "/etc/ssl/cert.pem was last changed at",
    ),
    (
        "ignored-proxies",
        |facts| add(facts, "Environment", "https_proxy=http://proxy:3128"),
        "https_proxy is set, and ignored.",
    ),
    (
        "canaries",
        |facts| facts.machine.canaries[0].1 = false,
        "canary:443 does not accept a connection",
    ),
    (
        "listeners",
        |facts| rows(facts).liveness = Liveness::Stopped,
        "Another process listens at 127.0.0.1:9464",
    ),
    (
        "listeners",
        |facts| {
            facts.machine.sockets.insert(PathBuf::from("/run/revalidated/api.sock"), 0o666);
        },
        "/run/revalidated/api.sock has mode 666",
    ),
];

pub(super) const DAEMON: &[Case] = &[
    (
        "not-running",
        |facts| {
            rows(facts).liveness = Liveness::Stopped;
            facts.machine.listening = None;
        },
        "does not run.",
    ),
    (
        "not-running",
        |facts| {
            (facts.rows, facts.files.database) = (None, None);
            facts.machine.listening = None;
        },
        "it has no database yet",
    ),
    (
        "not-running",
        |facts| rows(facts).node.seen_at = Some(before(HOUR)),
        "was last seen alive at",
    ),
    (
        "not-running",
        |facts| rows(facts).statuses[0].next_run_at = Some(before(HOUR)),
        "more than two minutes late: lake.",
    ),
    (
        "receivers-behind",
        |facts| rows(facts).receivers[0].disabled = Some((DisabledReason::Gone, before(HOUR))),
        "Receiver on-call is disabled since",
    ),
    (
        "receivers-behind",
        |facts| rows(facts).receivers[0].oldest_pending_at = Some(before(HOUR)),
        "has 1 pending messages",
    ),
    (
        "heartbeat",
        |facts| {
            let delivered_at = Some(before(HOUR));
            let state = HeartbeatState { every_secs: 60, delivered_at, problem: None };
            rows(facts).node.heartbeat = Some(state);
        },
        "The latest heartbeat was delivered at 2026",
    ),
    (
        "heartbeat",
        |facts| {
            let problem = Some("withheld: the planner makes no progress".to_owned());
            let state = HeartbeatState { every_secs: 60, delivered_at: None, problem };
            rows(facts).node.heartbeat = Some(state);
        },
        "No heartbeat was delivered since the start: withheld: the planner makes no progress.",
    ),
    (
        "failing-long",
        |facts| rows(facts).statuses[0].status = Status::CreateError,
        "lake has never passed.",
    ),
    (
        "failing-long",
        |facts| rows(facts).statuses[0].status = Status::EditError,
        "The new configuration of lake fails",
    ),
    (
        "failing-long",
        |facts| {
            rows(facts).statuses[0].status = Status::RecurringValidationError;
            rows(facts).statuses[0].failing_since = Some(before(8 * DAY));
        },
        "fails for more than a week",
    ),
    (
        "expires-soon",
        |facts| {
            let integration = TargetRow { name: "lake".to_owned(), ..samples::target() };
            let (at, what) = (now().plus(DAY), "the certificate".to_owned());
            rows(facts).expiries = vec![ExpiryRow { integration, at, what }];
        },
        "lake: the certificate expires at",
    ),
    (
        "not-in-force",
        |facts| {
            let change = IntegrationChange {
                name: "lake".to_owned(),
                change: ChangeKind::Changed,
                formerly: None,
                keys: Vec::new(),
                ends_incident: false,
            };
            rows(facts).difference.as_mut().unwrap().integrations.push(change);
        },
        "A reload would change lake.",
    ),
    (
        "not-in-force",
        |facts| {
            rows(facts).node.reload = Some(Reload {
                number: 2,
                begun_at: now(),
                ended_at: now(),
                refused: Some("1 fault in the configuration".to_owned()),
                faults: Vec::new(),
                is_configuration: true,
                changes: Changes::default(),
                passed_over: Vec::new(),
            });
        },
        "was refused: 1 fault in the configuration.",
    ),
];
