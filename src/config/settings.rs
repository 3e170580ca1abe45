//! Settings of the daemon: everything but integrations, receivers and maintenance windows.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use super::backup::{self, Backups};
use super::entry::LISTS;
use super::heartbeat::{self, HeartbeatTable};
use super::http;
use super::node;
use super::policy::{EVIDENCE_RUNS_MAX, Evidence, GivenChecks, RUN_ON};
use super::schedules::Schedules;
use super::store;
use crate::domain::{
    CommonChecks, HttpSettings, Location, NodeIdentity, Policy, Pool, RemovalsMax, Schedule,
    duration_text,
};
use crate::input::{Faults, Kind, Reader, Value, labels_of, quoted};

/// Embedded defaults, which also document every key.
pub(super) const DEFAULTS: &str = include_str!("../../config/revalidated.toml");

const SECOND: Duration = Duration::from_secs(1);
const DAY: Duration = Duration::from_hours(24);
/// Largest value of `disk_free_mib`.
const DISK_FREE_MAX: i64 = 1024 * 1024;
/// Largest limit of concurrent runs.
const RUNS_MAX: i64 = 1024;
/// Range of `runs_per_integration`: a verdict can need as many as its minimum.
const RUNS_KEPT_RANGE: (i64, i64) = (EVIDENCE_RUNS_MAX, 1_000_000);
/// Range of `deliveries_max` and `events_max`.
const MESSAGES_KEPT_RANGE: (i64, i64) = (1000, 100_000_000);
/// Number of pauses that `refused_pauses` can have.
const PAUSES_MAX: usize = 16;
/// Range of values of `attempts_per_delivery`.
const ATTEMPTS_KEPT_RANGE: (i64, i64) = (1, 10_000);

/// Settings of all layers merged.
#[derive(Clone, Debug)]
pub(crate) struct Settings {
    /// Location of the store.
    pub(crate) store: Location,
    /// Identity of this node among the daemons of the store.
    pub(crate) node: NodeIdentity,
    /// True when a secret in a configuration file itself is a fault.
    pub(crate) strict_secrets: bool,
    /// Values for integrations that do not give their own.
    pub(crate) defaults: Defaults,
    /// Limits of concurrency and time.
    pub(crate) limits: Limits,
    /// Limits of stored history.
    pub(crate) retention: Retention,
    /// Backups that the daemon makes by itself.
    pub(crate) backups: Backups,
    /// Table of the heartbeat.
    pub(crate) heartbeat: HeartbeatTable,
    /// Filter and format of the log.
    pub(crate) log: Log,
    /// Address of the metrics.
    pub(crate) metrics: Metrics,
    /// Server of the API and the page.
    pub(crate) http: HttpSettings,
    /// Time that running validations may take after a request to stop.
    pub(crate) drain: Duration,
    /// Number of integrations that must fail by one cause to make an outage.
    pub(crate) outage_min: u32,
    /// Number of removals that one start or reload may make.
    pub(crate) removals_max: RemovalsMax,
    /// Thresholds of the daemon's own faults.
    pub(crate) own: Own,
    /// Pauses before credentials that a platform refused are sent to it again; the last one repeats.
    pub(crate) refused_pauses: Arc<[Duration]>,
}

/// Thresholds by which the daemon detects faults of its own.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Own {
    /// `host:port` of servers that are always up: when none answers, the network is down.
    pub(crate) canaries: Vec<String>,
    /// Largest difference between the clocks of servers and the local one.
    pub(crate) clock_skew: Duration,
    /// Free space that the database's disk must have, in MiB.
    pub(crate) disk_free_mib: u32,
}

/// Values for integrations that do not give their own.
#[derive(Clone, Debug)]
pub(crate) struct Defaults {
    /// Schedule of validation runs.
    pub(crate) schedule: Schedule,
    /// Policy of verdicts: the evidence that each needs.
    pub(crate) policy: Policy,
    /// Tests of all platforms.
    pub(crate) checks: CommonChecks,
    /// Nodes that may validate it.
    pub(crate) run_on: Pool,
}

/// Limits of concurrency and time.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Limits {
    /// Number of concurrent runs.
    pub(crate) runs: usize,
    /// Number of concurrent runs that connect to one host.
    pub(crate) runs_per_host: usize,
    /// Time limit of one test.
    pub(crate) test: Duration,
    /// Time limit of a whole run.
    pub(crate) run: Duration,
}

/// Limits of stored history, by age and by number.
#[derive(Clone, Debug)]
pub(crate) struct Retention {
    /// Age at which runs and transitions are deleted.
    pub(crate) history: Duration,
    /// Age at which finished deliveries are deleted.
    pub(crate) deliveries: Duration,
    /// Number of runs, and of transitions, that are kept of one integration.
    pub(crate) runs_per_integration: u32,
    /// Number of finished deliveries that are kept.
    pub(crate) deliveries_max: u32,
    /// Number of events that are kept.
    pub(crate) events_max: u32,
    /// Number of attempts that are kept of one delivery.
    pub(crate) attempts_per_delivery: u32,
    /// Schedule by which old rows are deleted.
    pub(crate) at: Schedule,
}

/// Filter and format of the log.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Log {
    /// Format of log lines.
    pub(crate) format: LogFormat,
    /// Directives of `tracing_subscriber::EnvFilter`, known to be valid.
    pub(crate) filter: String,
}

/// Address of the metrics.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Metrics {
    /// Address and port to listen at; none when metrics are off.
    pub(crate) listen: Option<SocketAddr>,
}

/// Format of log lines.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum LogFormat {
    /// Text on a terminal, the journal under systemd, JSON elsewhere.
    Auto,
    /// Text for people to read.
    Text,
    /// JSON, one object per line.
    Json,
    /// Records of systemd's journal, with fields.
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
    /// Reads one layer, or all of them merged; none when a key is missing or wrong. Only a wrong value
    /// is a fault: a key that is missing is given by another layer.
    pub(super) fn read(root: &Value, schedules: &mut Schedules, faults: &Faults) -> Option<Self> {
        let mut reader = Reader::new(root, "", faults)?;
        let strict_secrets = reader.boolean("strict_secrets");
        let store = reader.table("store").and_then(store::read);
        let node = reader.table("node").and_then(node::read);
        let read = reader.table("defaults").map(|table| defaults(table, schedules));
        let zone = read.as_ref().and_then(|(_, zone)| zone.clone());
        let limits = reader.table("limits").and_then(limits);
        let at = reader.table("retention");
        let retention = at.and_then(|table| retention(table, zone.as_deref(), schedules));
        let backups = reader
            .table("backup")
            .and_then(|table| backup::read(table, store.as_ref(), zone.as_deref(), schedules));
        reader.has(heartbeat::KEY);
        let heartbeat = HeartbeatTable::of(root);
        let log = reader.table("log").and_then(log);
        let metrics = reader.table("metrics").and_then(metrics);
        let http = reader.table("http");
        let http = http.and_then(|table| served(table, metrics.as_ref(), faults));
        let drain = reader.table("shutdown").and_then(drain);
        let outage_min = reader.table("outages").and_then(outage_min);
        let removals_max = reader.table("safety").and_then(safety);
        let own = reader.table("own_faults").and_then(own);
        let refused_pauses = reader.table("credentials").and_then(refused_pauses);
        for key in LISTS {
            reader.has(key);
        }
        reader.finish();
        let node = node?;
        Some(Self {
            store: store?.of_node(&node.name),
            node,
            strict_secrets: strict_secrets?,
            defaults: read?.0?,
            limits: limits?,
            retention: retention?,
            backups: backups?,
            heartbeat: heartbeat?,
            log: log?,
            metrics: metrics?,
            http: http?,
            drain: drain?,
            outage_min: outage_min?,
            removals_max: removals_max?,
            own: own?,
            refused_pauses: refused_pauses?,
        })
    }
}

fn drain(mut reader: Reader<'_>) -> Option<Duration> {
    let drain = reader.duration("drain", Duration::ZERO, SECOND * 600);
    reader.finish();
    drain
}

fn outage_min(mut reader: Reader<'_>) -> Option<u32> {
    let min = reader.integer("min", 2, RUNS_MAX);
    reader.finish();
    min.and_then(|min| u32::try_from(min).ok())
}

/// Reads the HTTP server; an address that the metrics would listen at too is a fault.
fn served(
    mut reader: Reader<'_>,
    metrics: Option<&Metrics>,
    faults: &Faults,
) -> Option<HttpSettings> {
    let http = http::read(&mut reader, faults);
    let address = metrics.and_then(|metrics| metrics.listen);
    for one in http.iter().flat_map(|http| &http.listen) {
        if let Some(address) = address.filter(|address| one.collides(*address)) {
            let problem = format!("\"{one}\" collides with \"{address}\" of `metrics.listen`");
            let fix =
                "leave that empty, since this server answers `/metrics` too, or change a port";
            reader.fault("listen", format!("{problem}; {fix}"));
        }
    }
    reader.finish();
    http
}

fn refused_pauses(mut reader: Reader<'_>) -> Option<Arc<[Duration]>> {
    let pauses = reader.durations("refused_pauses", SECOND, DAY);
    let is_short = |pauses: &Vec<Duration>| (1..=PAUSES_MAX).contains(&pauses.len());
    if pauses.as_ref().is_some_and(|pauses| !is_short(pauses)) {
        reader.fault("refused_pauses", format!("must have 1 to {PAUSES_MAX} entries"));
    }
    reader.finish();
    pauses.filter(is_short).map(Arc::from)
}

fn safety(mut reader: Reader<'_>) -> Option<RemovalsMax> {
    let max = reader.raw("removals_max").and_then(|value| match &value.kind {
        Kind::Integer(count) => u32::try_from(*count).ok().map(RemovalsMax::Count),
        Kind::String(text) => {
            let percent = text.strip_suffix('%').and_then(|number| number.trim().parse().ok());
            percent.filter(|percent| *percent <= 100).map(RemovalsMax::Percent)
        }
        Kind::Null | Kind::Bool(_) | Kind::Float(_) | Kind::Array(_) | Kind::Table(_) => None,
    });
    if max.is_none() && reader.has("removals_max") {
        reader.refuse("removals_max", "expected a number such as 10, or a share such as \"20%\"");
    }
    reader.finish();
    max
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

fn defaults(
    mut reader: Reader<'_>,
    schedules: &mut Schedules,
) -> (Option<Defaults>, Option<String>) {
    let when = schedules.read(&mut reader);
    let evidence = Evidence::read(&mut reader);
    let checks = GivenChecks::read(&mut reader);
    let run_on = Pool::of(labels_of(&mut reader, RUN_ON).unwrap_or_default());
    reader.finish();
    let zone = when.zone.clone();
    let complete = || {
        let schedule = schedules.get(&when.cron?, &when.zone?).ok()?;
        let (policy, checks) = (evidence.complete()?, checks.complete()?);
        Some(Defaults { schedule, policy, checks, run_on })
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

#[cfg(test)]
mod tests {
    use super::super::format::Format;
    use super::*;
    use crate::domain::Timestamp;

    /// Returns the faults of a layer with this text.
    fn faults(text: &str) -> Vec<String> {
        let value = Format::Toml.parse(text, "f").unwrap();
        let faults = Faults::default();
        Settings::read(&value, &mut Schedules::new(Timestamp(0)), &faults);
        faults.into_parts().0.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn whole_range_of_a_number_is_accepted_and_nothing_beyond() {
        let table = [
            ("limits", "runs", (1, RUNS_MAX)),
            ("limits", "runs_per_host", (1, RUNS_MAX)),
            ("outages", "min", (2, RUNS_MAX)),
            ("own_faults", "disk_free_mib", (0, DISK_FREE_MAX)),
            ("retention", "runs_per_integration", RUNS_KEPT_RANGE),
            ("retention", "deliveries_max", MESSAGES_KEPT_RANGE),
            ("retention", "events_max", MESSAGES_KEPT_RANGE),
            ("retention", "attempts_per_delivery", ATTEMPTS_KEPT_RANGE),
        ];
        for (section, key, (min, max)) in table {
            for (number, accepted) in
                [(min - 1, false), (min, true), (max, true), (max + 1, false), (i64::MAX, false)]
            {
                let found = faults(&format!("[{section}]\n{key} = {number}\n"));
                let expected = format!(
                    "f:2: {section}.{key}: expected a whole number from {min} to {max}, found {number}"
                );
                let expected = if accepted { Vec::new() } else { vec![expected] };
                assert_eq!(found, expected, "{section}.{key} = {number}");
            }
        }
    }

    #[test]
    fn whole_range_of_a_duration_is_accepted_and_nothing_beyond() {
        let table = [
            ("limits", "test", "1s", "10m", "999ms", "601s"),
            ("limits", "run", "1s", "1h", "999ms", "3601s"),
            ("own_faults", "clock_skew", "10s", "24h", "9s", "25h"),
            ("retention", "history", "1d", "3650d", "23h", "3651d"),
            ("retention", "deliveries", "1d", "3650d", "23h", "3651d"),
            ("shutdown", "drain", "0s", "10m", "-1s", "601s"),
        ];
        for (section, key, min, max, below, above) in table {
            for (text, accepted) in [(min, true), (max, true), (below, false), (above, false)] {
                let found = faults(&format!("[{section}]\n{key} = \"{text}\"\n"));
                assert_eq!(found.is_empty(), accepted, "{section}.{key} = {text}: {found:?}");
            }
        }
    }

    #[test]
    fn pauses_of_refused_credentials_are_one_to_sixteen_durations() {
        let found = |pauses: &str| faults(&format!("[credentials]\nrefused_pauses = {pauses}\n"));
        assert_eq!(found("[\"1s\", \"1d\"]"), [""; 0]);
        assert_eq!(found(&format!("[{}]", "\"1m\",".repeat(16))), [""; 0]);
        for (pauses, expected) in [
            ("[]", "f:2: credentials.refused_pauses: must have 1 to 16 entries"),
            ("[\"0s\"]", "f:2: credentials.refused_pauses[0]: expected a duration from 1s to 1d"),
            ("\"1m\"", "f:2: credentials.refused_pauses: expected a list of durations"),
        ] {
            assert!(found(pauses).iter().any(|fault| fault.starts_with(expected)), "{pauses}");
        }
        assert_eq!(found(&format!("[{}]", "\"1m\",".repeat(17))).len(), 1);
    }

    #[test]
    fn test_may_take_no_longer_than_its_run() {
        assert_eq!(faults("[limits]\ntest = \"1m\"\nrun = \"1m\"\n"), [""; 0]);
        let expected = "f:2: limits.test: 1m 1s is longer than `limits.run`, which is 1m";
        assert_eq!(faults("[limits]\ntest = \"61s\"\nrun = \"1m\"\n"), [expected]);
    }

    #[test]
    fn faulty_text_is_refused_with_an_example() {
        let table = [
            ("[own_faults]\ncanaries = [\"www.example.com\"]", "such as \"www.example.com:443\""),
            ("[own_faults]\ncanaries = [\":443\"]", "is not a host and a port"),
            ("[own_faults]\ncanaries = [\"a:0\"]", "is not a host and a port"),
            ("[own_faults]\ncanaries = [\"a:70000\"]", "is not a host and a port"),
            ("[metrics]\nlisten = \":9464\"", "such as \"127.0.0.1:9464\""),
            ("[metrics]\nlisten = \"127.0.0.1\"", "such as \"127.0.0.1:9464\""),
            ("[log]\nfilter = \"revalidated=loud\"", "is not a log filter"),
            ("[log]\nformat = \"xml\"", "expected one of `auto`, `text`, `json`, `journald`"),
            ("[store]\npath = \" \"", "must not be empty"),
            ("[store]\npath = \"postgres://db/x\"", "expected the path of a file"),
            ("[safety]\nremovals_max = -1", "such as \"20%\""),
            ("[safety]\nremovals_max = \"101%\"", "such as \"20%\""),
            ("[safety]\nremovals_max = \"many\"", "such as \"20%\""),
            ("strict_secrets = \"no\"", "expected true or false"),
        ];
        for (text, expected) in table {
            let found = faults(text);
            assert_eq!(found.len(), 1, "{text}: {found:?}");
            assert!(found[0].contains(expected), "{text}: {found:?}");
        }
        for text in [
            "[own_faults]\ncanaries = [\"www.example.com:443\", \"[::1]:80\"]",
            "[metrics]\nlisten = \"\"",
            "[safety]\nremovals_max = 0",
            "[safety]\nremovals_max = \"100%\"",
            "[metrics]\nlisten = \"[::]:9464\"",
            "[log]\nfilter = \"warn,revalidated=debug\"",
        ] {
            assert_eq!(faults(text), [""; 0], "{text}");
        }
    }

    #[test]
    fn layer_with_one_key_has_no_fault_and_is_incomplete() {
        let value = Format::Toml.parse("[limits]\nruns = 1\n", "f").unwrap();
        let found = Faults::default();
        let settings = Settings::read(&value, &mut Schedules::new(Timestamp(0)), &found);
        assert!(settings.is_none() && found.count() == 0);
    }
}
