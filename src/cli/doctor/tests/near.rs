//! Near misses: changes of an installation in which all is well that are no findings.

use std::net::{IpAddr, Ipv6Addr};
use std::path::PathBuf;
use std::time::Duration;

use super::super::facts::{Backup, Facts};
use super::well::{DAY, HOUR, MAIN, add, before, now, rows, with};
use crate::domain::{DisabledReason, IntegrationId, Status};
use crate::view::Liveness;

/// Name of the near miss, and the change that makes it.
pub(super) type Near = (&'static str, fn(&mut Facts));

const MINUTE: Duration = Duration::from_mins(1);

pub(super) const INSTALLATION: &[Near] = &[
    ("networks are denied by a drop-in", |facts| {
        add(facts, "IPAddressDeny", "169.254.0.0/16");
    }),
    ("another folder may be written", |facts| {
        add(facts, "ReadWritePaths", "/var/backups/revalidated");
    }),
    ("a hardening setting is said again", |facts| {
        add(facts, "ProtectSystem", "strict");
    }),
    ("a program is replaced by its own path", |facts| {
        facts.service.running = Some(PathBuf::from("/usr/bin/revalidated"));
    }),
    ("the process cannot be seen", |facts| {
        facts.service.running = None;
        facts.service.user = None;
    }),
    ("systemd does not say whether a reload is due", |facts| {
        facts.service.is_reload_due = None;
    }),
    ("the program is in a folder of ExecPaths", |facts| {
        add(facts, "ExecPaths", "/opt/revalidated");
        add(facts, "ExecStart", "/opt/revalidated/bin/revalidated run");
        let program = PathBuf::from("/opt/revalidated/bin/revalidated");
        facts.service.programs.insert(program);
    }),
    ("the program is started with a prefix", |facts| {
        add(facts, "ExecStart", "-/usr/bin/revalidated run");
    }),
    ("there are just enough descriptors", |facts| {
        add(facts, "LimitNOFILE", "516");
    }),
    ("descriptors have a soft and a hard limit", |facts| {
        add(facts, "LimitNOFILE", "1024:8192");
    }),
    ("there is just enough memory", |facts| {
        add(facts, "MemoryMax", "46M");
    }),
    ("memory has no limit", |facts| {
        add(facts, "MemoryMax", "infinity");
    }),
    ("memory is a share of the machine's", |facts| {
        add(facts, "MemoryMax", "10%");
    }),
    ("a variable points to the file of a secret", |facts| {
        add(facts, "Environment", "VAULT_TOKEN_FILE=/run/token AWS_ACCESS_KEY_ID=AKIA");
    }),
    ("a variable of a secret is empty", |facts| {
        add(facts, "Environment", "DB_PASSWORD=");
    }),
];

pub(super) const CONFIGURATION: &[Near] = &[
    ("a file of a secret is its owner's", |facts| {
        facts.configuration.modes = [(PathBuf::from("/s/key"), 0o600)].into();
    }),
    ("a file of a secret is read-only", |facts| {
        facts.configuration.modes = [(PathBuf::from("/s/key"), 0o400)].into();
    }),
    ("credentials are imported by a pattern", |facts| {
        add(facts, "LoadCredential", "");
        add(facts, "ImportCredential", "ho*");
    }),
    ("a credential is encrypted", |facts| {
        add(facts, "LoadCredential", "");
        add(facts, "LoadCredentialEncrypted", "hook:/etc/revalidated/secrets/hook");
    }),
    ("a setting is a variable", |facts| {
        add(facts, "Environment", "REVALIDATED__DEFAULTS__SCHEDULE=@hourly");
    }),
    ("the level of the log is a variable", |facts| {
        facts.environment.insert("REVALIDATED_LOG".to_owned(), "debug".to_owned());
    }),
    ("confirming runs fit into an hour", |facts| {
        let more = "name = \"lake\"\nconfirm_runs = 3\nconfirm_wait = \"10m\"";
        facts.configuration = with(&MAIN.replace("name = \"lake\"", more));
    }),
    ("runs are due every minute", |facts| {
        let more = "name = \"lake\"\nschedule = \"* * * * *\"";
        facts.configuration = with(&MAIN.replace("name = \"lake\"", more));
    }),
    ("a receiver selects the platform", |facts| {
        let more = "name = \"on-call\"\ntypes = [\"Trino\"]";
        facts.configuration = with(&MAIN.replace("name = \"on-call\"", more));
    }),
    ("an integration that no receiver selects is disabled", |facts| {
        let main = MAIN.replace("name = \"on-call\"", "name = \"on-call\"\ntypes = [\"Redshift\"]");
        let disabled = "name = \"lake\"\ndisabled = true";
        facts.configuration = with(&main.replace("name = \"lake\"", disabled));
    }),
];

pub(super) const STORE: &[Near] = &[
    ("the folder is on another local file system", |facts| {
        facts.files.folder.as_mut().unwrap().file_system = 0x9123_683e;
    }),
    ("the disk lasts for thirty days", |facts| {
        facts.files.folder.as_mut().unwrap().free = 3 << 30;
        facts.files.database = Some((1 << 30, Some(before(10 * DAY))));
    }),
    ("the database is younger than a day", |facts| {
        facts.files.folder.as_mut().unwrap().free = 1 << 30;
        facts.files.database = Some((1 << 30, Some(before(HOUR))));
    }),
    ("the file system does not say when the database was made", |facts| {
        facts.files.database = Some((1 << 40, None));
    }),
    ("the latest backup is of yesterday", |facts| {
        let backup = Backup { at: before(47 * HOUR), is_on_same_disk: false };
        facts.files.backup = Some(backup);
    }),
    ("nearly as many events as are allowed are kept", |facts| {
        rows(facts).events = 97_000;
    }),
];

pub(super) const MACHINE: &[Near] = &[
    ("a name takes just a second", |facts| {
        facts.machine.names[0].took = Duration::from_secs(1);
    }),
    ("a name has only IPv6 addresses, and there is a route", |facts| {
        facts.machine.names[0].addresses = Ok(vec![IpAddr::V6(Ipv6Addr::LOCALHOST)]);
        facts.machine.has_ipv6 = true;
    }),
    ("certificate authorities are a year old", |facts| {
        facts.machine.authorities.as_mut().unwrap().1 = before(365 * DAY);
    }),
    ("hosts are exempt from a proxy that is not set", |facts| {
        facts.environment.insert("no_proxy".to_owned(), "localhost".to_owned());
    }),
    ("there are no canaries", |facts| {
        facts.machine.canaries.clear();
    }),
    ("the daemon listens at its own address", |facts| {
        facts.machine.listening = Some(vec!["127.0.0.1:9464".parse().unwrap()]);
    }),
    ("the kernel does not show who listens", |facts| {
        facts.machine.listening = None;
    }),
    ("a socket is its group's", |facts| {
        let socket = PathBuf::from("/run/revalidated/api.sock");
        facts.machine.sockets.insert(socket, 0o660);
    }),
];

pub(super) const DAEMON: &[Near] = &[
    ("the daemon was seen four minutes ago", |facts| {
        rows(facts).node.seen_at = Some(before(4 * MINUTE));
    }),
    ("a run is a minute late", |facts| {
        rows(facts).statuses[0].next_run_at = Some(before(MINUTE));
    }),
    ("a run that was due an hour ago goes on", |facts| {
        rows(facts).statuses[0].next_run_at = Some(before(HOUR));
        rows(facts).statuses[0].lease_until = Some(now().plus(MINUTE));
    }),
    ("a disabled receiver is no longer configured", |facts| {
        rows(facts).receivers[0].disabled = Some((DisabledReason::Manual, before(HOUR)));
        rows(facts).receivers[0].configured = false;
    }),
    ("a message is pending for a few minutes", |facts| {
        rows(facts).receivers[0].oldest_pending_at = Some(before(14 * MINUTE));
    }),
    ("an integration is disabled", |facts| {
        rows(facts).statuses[0].status = Status::Disabled;
        rows(facts).statuses[0].next_run_at = None;
    }),
    ("a failure is a day old", |facts| {
        rows(facts).statuses[0].status = Status::RecurringValidationError;
        rows(facts).statuses[0].failing_since = Some(before(DAY));
    }),
    ("an old failure is acknowledged", |facts| {
        rows(facts).statuses[0].status = Status::RecurringValidationError;
        rows(facts).statuses[0].failing_since = Some(before(9 * DAY));
        rows(facts).acknowledged = [IntegrationId(1)].into();
    }),
    ("a new configuration that fails is acknowledged", |facts| {
        rows(facts).statuses[0].status = Status::EditError;
        rows(facts).acknowledged = [IntegrationId(1)].into();
    }),
    ("nothing is known about what a reload would change", |facts| {
        rows(facts).difference = None;
    }),
    ("this user cannot see whether the daemon runs", |facts| {
        rows(facts).liveness = Liveness::Unknown;
    }),
];
