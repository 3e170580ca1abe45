//! The daemon's own settings: everything but integrations and receivers.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use super::LISTS;
use super::schedules::Schedules;
use crate::domain::{Lookout, Policy, Schedule, duration_text};
use crate::input::{Faults, Reader, Value, quoted};

/// The embedded defaults, which also document every key.
pub(super) const DEFAULTS: &str = include_str!("../../config/revalidated.toml");

const SECOND: Duration = Duration::from_secs(1);
const MINUTE: Duration = Duration::from_mins(1);
const DAY: Duration = Duration::from_hours(24);
/// The longest wait between confirming runs.
const CONFIRM_WAIT_MAX: Duration = DAY;
/// The most runs a verdict may ask for.
const EVIDENCE_RUNS_MAX: i64 = 100;
/// The most room that can be asked for on the disk, in MiB.
const DISK_FREE_MAX: i64 = 1024 * 1024;
/// How long before an end a warning may come.
const EXPIRY_WARN_MIN: Duration = Duration::from_hours(1);
const EXPIRY_WARN_MAX: Duration = Duration::from_hours(24 * 365);
/// The most thresholds before an end.
const THRESHOLDS_MAX: usize = 16;
/// The most runs at the same time.
const RUNS_MAX: i64 = 1024;
/// The fewest and the most runs of an integration that can be kept: a verdict may need as many as
/// the fewest.
const RUNS_KEPT_RANGE: (i64, i64) = (EVIDENCE_RUNS_MAX, 1_000_000);
/// The fewest and the most deliveries, and events, that can be kept.
const MESSAGES_KEPT_RANGE: (i64, i64) = (1000, 100_000_000);
/// The fewest and the most attempts of a delivery that can be kept.
const ATTEMPTS_KEPT_RANGE: (i64, i64) = (1, 10_000);

/// What the layers add up to.
#[derive(Clone, Debug)]
pub(crate) struct Settings {
    /// The database file.
    pub(crate) store: PathBuf,
    /// Secrets may not stand in a configuration file themselves.
    pub(crate) strict_secrets: bool,
    /// What holds for every integration that does not say otherwise.
    pub(crate) defaults: Defaults,
    /// How much may happen at once, and how long it may take.
    pub(crate) limits: Limits,
    /// How long history is kept.
    pub(crate) retention: Retention,
    /// What is logged, and how.
    pub(crate) log: Log,
    /// Where metrics are served.
    pub(crate) metrics: Metrics,
    /// How long running validations may go on after a request to stop.
    pub(crate) drain: Duration,
    /// How many integrations must fail by one cause to make an outage.
    pub(crate) outage_min: u32,
    /// How the daemon notices that it is at fault itself.
    pub(crate) own: Own,
}

/// How the daemon notices that it is at fault itself.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Own {
    /// `host:port` of servers that are always there: when none answers, the network is not.
    pub(crate) canaries: Vec<String>,
    /// How far the clocks of servers may be from ours.
    pub(crate) clock_skew: Duration,
    /// How much room the disk of the database must have, in MiB.
    pub(crate) disk_free_mib: u32,
}

/// What holds for every integration that does not say otherwise.
#[derive(Clone, Debug)]
pub(crate) struct Defaults {
    /// When it is due.
    pub(crate) schedule: Schedule,
    /// How much evidence a verdict needs.
    pub(crate) policy: Policy,
    /// What is looked out for besides the platform's tests.
    pub(crate) lookout: Lookout,
}

/// How much may happen at once, and how long it may take.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Limits {
    /// Runs at the same time.
    pub(crate) runs: usize,
    /// Runs at the same time that talk to one host.
    pub(crate) runs_per_host: usize,
    /// The longest time of one test.
    pub(crate) test: Duration,
    /// The longest time of a whole run.
    pub(crate) run: Duration,
}

/// How long, and how much, history is kept.
#[derive(Clone, Debug)]
pub(crate) struct Retention {
    /// The age at which runs and transitions go.
    pub(crate) history: Duration,
    /// The age at which finished deliveries go.
    pub(crate) deliveries: Duration,
    /// The most runs, and the most transitions, of one integration.
    pub(crate) runs_per_integration: u32,
    /// The most finished deliveries.
    pub(crate) deliveries_max: u32,
    /// The most events.
    pub(crate) events_max: u32,
    /// The most attempts of one delivery.
    pub(crate) attempts_per_delivery: u32,
    /// When old rows are deleted.
    pub(crate) at: Schedule,
}

/// What is logged, and how.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Log {
    /// How.
    pub(crate) format: LogFormat,
    /// What: directives of `tracing_subscriber::EnvFilter`, known to be valid.
    pub(crate) filter: String,
}

/// Where metrics are served.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Metrics {
    /// The address and port; nowhere when none.
    pub(crate) listen: Option<SocketAddr>,
}

/// How log lines are written.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum LogFormat {
    /// Text on a terminal, to the journal when systemd reads it, else JSON.
    Auto,
    /// For people.
    Text,
    /// One JSON object per line.
    Json,
    /// To the journal, with fields.
    Journald,
}

impl LogFormat {
    const NAMES: [(&str, Self); 4] = [
        ("auto", Self::Auto),
        ("text", Self::Text),
        ("json", Self::Json),
        ("journald", Self::Journald),
    ];
}

impl Settings {
    /// Reads one layer, or all of them merged; none when a key is missing or wrong. Only what a
    /// layer says wrongly is a fault: a key that is missing stands in another layer.
    pub(super) fn read(root: &Value, schedules: &mut Schedules, faults: &Faults) -> Option<Self> {
        let mut reader = Reader::new(root, "", faults)?;
        let strict_secrets = reader.boolean("strict_secrets");
        let store = reader.table("store").and_then(store);
        let read = reader.table("defaults").map(|table| defaults(table, schedules));
        let zone = read.as_ref().and_then(|(_, zone)| zone.clone());
        let limits = reader.table("limits").and_then(limits);
        let at = reader.table("retention");
        let retention = at.and_then(|table| retention(table, zone.as_deref(), schedules));
        let log = reader.table("log").and_then(log);
        let metrics = reader.table("metrics").and_then(metrics);
        let drain = reader.table("shutdown").and_then(|mut table| {
            let drain = table.duration("drain", Duration::ZERO, SECOND * 600);
            table.finish();
            drain
        });
        let outage_min = reader.table("outages").and_then(|mut table| {
            let min = table.integer("min", 2, RUNS_MAX);
            table.finish();
            min.and_then(|min| u32::try_from(min).ok())
        });
        let own = reader.table("own_faults").and_then(own);
        for key in LISTS {
            reader.has(key);
        }
        reader.finish();
        Some(Self {
            store: store?,
            strict_secrets: strict_secrets?,
            defaults: read?.0?,
            limits: limits?,
            retention: retention?,
            log: log?,
            metrics: metrics?,
            drain: drain?,
            outage_min: outage_min?,
            own: own?,
        })
    }
}

/// How much evidence a verdict needs; what is missing or wrong is none.
#[derive(Clone, Copy, Debug)]
pub(super) struct Evidence {
    confirm_runs: Option<u32>,
    confirm_wait: Option<Duration>,
    recovery_runs: Option<u32>,
    flap_flips: Option<u32>,
    flap_window: Option<Duration>,
    flap_calm: Option<Duration>,
}

impl Evidence {
    /// Reads the keys from the table of an integration or of the defaults.
    pub(super) fn read(reader: &mut Reader<'_>) -> Self {
        Self {
            confirm_runs: count(reader, "confirm_runs"),
            confirm_wait: reader.duration("confirm_wait", SECOND, CONFIRM_WAIT_MAX),
            recovery_runs: count(reader, "recovery_runs"),
            flap_flips: reader
                .integer("flap_flips", 0, EVIDENCE_RUNS_MAX)
                .and_then(|number| u32::try_from(number).ok()),
            flap_window: reader.duration("flap_window", MINUTE, DAY * 7),
            flap_calm: reader.duration("flap_calm", MINUTE, DAY * 7),
        }
    }

    /// The policy, with what is missing taken from `defaults`.
    pub(super) fn or(self, defaults: Policy) -> Policy {
        Policy {
            confirm_runs: self.confirm_runs.unwrap_or(defaults.confirm_runs),
            confirm_wait: self.confirm_wait.unwrap_or(defaults.confirm_wait),
            recovery_runs: self.recovery_runs.unwrap_or(defaults.recovery_runs),
            flap_flips: self.flap_flips.unwrap_or(defaults.flap_flips),
            flap_window: self.flap_window.unwrap_or(defaults.flap_window),
            flap_calm: self.flap_calm.unwrap_or(defaults.flap_calm),
        }
    }

    fn complete(self) -> Option<Policy> {
        Some(Policy {
            confirm_runs: self.confirm_runs?,
            confirm_wait: self.confirm_wait?,
            recovery_runs: self.recovery_runs?,
            flap_flips: self.flap_flips?,
            flap_window: self.flap_window?,
            flap_calm: self.flap_calm?,
        })
    }
}

/// What is looked out for; what is missing or wrong is none.
#[derive(Clone, Debug)]
pub(super) struct Sought {
    expiry_warn: Option<Vec<Duration>>,
    drift: Option<bool>,
}

impl Sought {
    /// Reads the two keys from the table of an integration or of the defaults.
    pub(super) fn read(reader: &mut Reader<'_>) -> Self {
        let expiry_warn = reader.durations("expiry_warn", EXPIRY_WARN_MIN, EXPIRY_WARN_MAX);
        let is_long = expiry_warn.as_ref().is_some_and(|warn| THRESHOLDS_MAX < warn.len());
        if is_long {
            reader.fault("expiry_warn", format!("has more than {THRESHOLDS_MAX} entries"));
        }
        Self { expiry_warn, drift: reader.boolean("drift") }
    }

    /// The whole, with what is missing taken from `defaults`.
    pub(super) fn or(self, defaults: &Lookout) -> Lookout {
        Lookout {
            expiry_warn: self.expiry_warn.unwrap_or_else(|| defaults.expiry_warn.clone()),
            drift: self.drift.unwrap_or(defaults.drift),
        }
    }

    fn complete(self) -> Option<Lookout> {
        Some(Lookout { expiry_warn: self.expiry_warn?, drift: self.drift? })
    }
}

fn count(reader: &mut Reader<'_>, key: &'static str) -> Option<u32> {
    reader.integer(key, 1, EVIDENCE_RUNS_MAX).and_then(|number| u32::try_from(number).ok())
}

fn own(mut reader: Reader<'_>) -> Option<Own> {
    let canaries = reader.strings("canaries");
    for canary in canaries.iter().flatten() {
        let port = canary.rsplit_once(':').filter(|(host, _)| !host.is_empty());
        if port.and_then(|(_, port)| port.parse::<u16>().ok()).is_none_or(|port| port == 0) {
            let problem = format!("{} is not a host and a port, such as", quoted(canary));
            reader.fault("canaries", format!("{problem} \"www.example.com:443\""));
        }
    }
    let clock_skew = reader.duration("clock_skew", SECOND * 10, DAY);
    let disk = reader.integer("disk_free_mib", 0, DISK_FREE_MAX);
    reader.finish();
    let disk_free_mib = disk.and_then(|mib| u32::try_from(mib).ok());
    Some(Own { canaries: canaries?, clock_skew: clock_skew?, disk_free_mib: disk_free_mib? })
}

fn store(mut reader: Reader<'_>) -> Option<PathBuf> {
    let path = reader.string("path").filter(|path| {
        if path.trim().is_empty() {
            reader.fault("path", "must not be empty");
        } else if path.contains("://") {
            let wanted = "SQLite is the only database so far: expected the path of a file";
            reader.refuse("path", wanted);
        } else {
            return true;
        }
        false
    });
    reader.finish();
    path.map(PathBuf::from)
}

fn defaults(
    mut reader: Reader<'_>,
    schedules: &mut Schedules,
) -> (Option<Defaults>, Option<String>) {
    let when = schedules.read(&mut reader);
    let evidence = Evidence::read(&mut reader);
    let sought = Sought::read(&mut reader);
    reader.finish();
    let zone = when.zone.clone();
    let complete = || {
        let schedule = schedules.get(&when.cron?, &when.zone?).ok()?;
        Some(Defaults { schedule, policy: evidence.complete()?, lookout: sought.complete()? })
    };
    (complete(), zone)
}

fn limits(mut reader: Reader<'_>) -> Option<Limits> {
    let mut runs =
        |key| reader.integer(key, 1, RUNS_MAX).and_then(|number| usize::try_from(number).ok());
    let (all, per_host) = (runs("runs"), runs("runs_per_host"));
    let test = reader.duration("test", SECOND, SECOND * 600);
    let run = reader.duration("run", SECOND, SECOND * 3600);
    if let (Some(one), Some(all)) = (test, run)
        && all < one
    {
        let (one, all) = (duration_text(one), duration_text(all));
        reader.fault("test", format!("{one} is longer than `limits.run`, which is {all}"));
    }
    reader.finish();
    Some(Limits { runs: all?, runs_per_host: per_host?, test: test?, run: run? })
}

fn retention(
    mut reader: Reader<'_>,
    zone: Option<&str>,
    schedules: &mut Schedules,
) -> Option<Retention> {
    let history = reader.duration("history", DAY, DAY * 3650);
    let deliveries = reader.duration("deliveries", DAY, DAY * 3650);
    let mut most = |key, (min, max)| {
        reader.integer(key, min, max).and_then(|number| u32::try_from(number).ok())
    };
    let runs_per_integration = most("runs_per_integration", RUNS_KEPT_RANGE);
    let deliveries_max = most("deliveries_max", MESSAGES_KEPT_RANGE);
    let events_max = most("events_max", MESSAGES_KEPT_RANGE);
    let attempts_per_delivery = most("attempts_per_delivery", ATTEMPTS_KEPT_RANGE);
    let at = schedules.read_cron(&mut reader, "at");
    reader.finish();
    let at = schedules.get(&at?, zone?).ok()?;
    Some(Retention {
        history: history?,
        deliveries: deliveries?,
        runs_per_integration: runs_per_integration?,
        deliveries_max: deliveries_max?,
        events_max: events_max?,
        attempts_per_delivery: attempts_per_delivery?,
        at,
    })
}

fn log(mut reader: Reader<'_>) -> Option<Log> {
    let format = reader.choice("format", &LogFormat::NAMES);
    let filter = reader.string("filter").filter(|filter| {
        let parsed = tracing_subscriber::EnvFilter::builder().parse(filter);
        let problem = parsed.err();
        let problem =
            problem.map(|error| format!("{} is not a log filter: {error}", quoted(filter)));
        problem.inspect(|problem| reader.fault("filter", problem.clone())).is_none()
    });
    reader.finish();
    Some(Log { format: format?, filter: filter? })
}

fn metrics(mut reader: Reader<'_>) -> Option<Metrics> {
    let text = reader.string("listen");
    let listen = text.and_then(|text| {
        let parsed = if text.is_empty() { Ok(None) } else { text.parse().map(Some) };
        let wanted = "expected an address and a port such as \"127.0.0.1:9464\", or \"\"";
        parsed.inspect_err(|_fault| reader.refuse("listen", wanted)).ok()
    });
    reader.finish();
    Some(Metrics { listen: listen? })
}
