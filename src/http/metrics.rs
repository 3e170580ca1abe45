//! Metrics under their published names, in the `OpenMetrics` text format.
//!
//! Labels have few values: classes, statuses, receivers; integrations only where each has exactly
//! one value.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use prometheus_client::collector::Collector;
use prometheus_client::encoding::DescriptorEncoder;
use prometheus_client::encoding::text::{encode_eof, encode_registry};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::metrics::info::Info;
use prometheus_client::registry::{Registry, Unit};

use super::gauges::{
    Backlog, Begin as _, IntegrationState, counter, integration_metrics, receiver_metrics, set,
    timestamp_metrics,
};
use super::lateness::Lateness;
use super::process::Process;
use super::requests::Requests;
use crate::domain::{Class, Next, OwnFault, ReportStatus, Timestamp};

/// Prefix of every metric's name.
const PREFIX: &str = "revalidated";
/// Upper bounds of the buckets of a run's duration, in seconds.
const DURATION_SECS: [f64; 14] =
    [0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 20.0, 30.0, 60.0, 120.0, 300.0, 600.0];
/// Upper bounds of the buckets of a run's lateness, in seconds.
const LATENESS_SECS: [f64; 13] =
    [0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 120.0, 300.0, 900.0, 3600.0];

/// Labels with their names and values.
type Labels<const COUNT: usize, Value> = [(&'static str, Value); COUNT];

/// Counters of the running daemon; a clone counts into the same ones.
#[derive(Clone, Debug)]
pub(crate) struct Metrics {
    registry: Arc<Registry>,
    runs: Family<Labels<2, &'static str>, Counter>,
    duration: Histogram,
    lateness: Histogram,
    late: Lateness,
    in_flight: Gauge,
    attempts: Family<Labels<2, String>, Counter>,
    store_failures: Counter,
    requests: Requests,
}

impl Default for Metrics {
    fn default() -> Self {
        let mut registry = Registry::with_prefix(PREFIX);
        let metrics = Self {
            registry: Arc::default(),
            runs: Family::default(),
            duration: Histogram::new(DURATION_SECS),
            lateness: Histogram::new(LATENESS_SECS),
            late: Lateness::default(),
            in_flight: Gauge::default(),
            attempts: Family::default(),
            store_failures: Counter::default(),
            requests: Requests::default(),
        };
        let version = Info::new([("version", env!("CARGO_PKG_VERSION"))]);
        registry.register("build", "Version that runs here", version);
        let help = "Validation runs whose result was stored";
        registry.register("runs", help, metrics.runs.clone());
        let (help, unit) = ("Duration of validation runs", Unit::Seconds);
        registry.register_with_unit("run_duration", help, unit, metrics.duration.clone());
        let (help, unit) = ("Time from the instant a run was due to its beginning", Unit::Seconds);
        registry.register_with_unit("run_lateness", help, unit, metrics.lateness.clone());
        let help = "Validation runs in flight";
        registry.register("runs_in_flight", help, metrics.in_flight.clone());
        let help = "Attempts to deliver a message";
        registry.register("delivery_attempts", help, metrics.attempts.clone());
        let help = "Failed operations of the store";
        registry.register("store_failures", help, metrics.store_failures.clone());
        let help = "Requests over HTTP that were answered";
        registry.register("http_requests", help, metrics.requests.counter());
        Self { registry: Arc::new(registry), ..metrics }
    }
}

/// Result and times of one run.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Outcome {
    /// Overall result of the run.
    pub(crate) result: ReportStatus,
    /// Class of the failure, if the run failed.
    pub(crate) class: Option<Class>,
    /// Time from its beginning to its end.
    pub(crate) duration: Duration,
    /// Time from the instant it was due to its beginning.
    pub(crate) lateness: Duration,
}

/// Guard that counts a run as in flight until it is dropped.
#[derive(Debug)]
pub(crate) struct Running(Gauge);

impl Drop for Running {
    fn drop(&mut self) {
        self.0.dec();
    }
}

impl Metrics {
    /// Counts a run as in flight while the returned guard lives.
    #[must_use]
    pub(crate) fn running(&self) -> Running {
        self.in_flight.inc();
        Running(self.in_flight.clone())
    }

    /// Returns the number of runs in flight.
    pub(crate) fn in_flight(&self) -> u64 {
        u64::try_from(self.in_flight.get()).unwrap_or(0)
    }

    /// Counts a run whose result was stored.
    pub(crate) fn ran(&self, Outcome { result, class, duration, lateness }: Outcome) {
        let class = class.map_or("none", Class::as_str);
        self.runs.get_or_create(&[("result", result.as_str()), ("class", class)]).inc();
        self.duration.observe(duration.as_secs_f64());
        self.lateness.observe(lateness.as_secs_f64());
        self.late.observe(lateness);
    }

    /// Returns the lateness that 99 % of the latest runs stay within; none before the first run.
    pub(crate) fn lateness(&self) -> Option<Duration> {
        self.late.most()
    }

    /// Counts an attempt to deliver to `receiver`; `next` is its outcome.
    pub(crate) fn attempted(&self, receiver: &str, next: Next) {
        let outcome = match next {
            Next::Delivered => "delivered",
            Next::RetryAfter(_) | Next::Probe { .. } => "retried",
            Next::Failed => "dead",
            Next::Gone => "gone",
        };
        let labels = [("receiver", receiver.to_owned()), ("outcome", outcome.to_owned())];
        self.attempts.get_or_create(&labels).inc();
    }

    /// Returns the counter of requests over HTTP.
    pub(crate) fn requests(&self) -> Requests {
        self.requests.clone()
    }

    /// Counts a failed operation of the store.
    pub(crate) fn store_failed(&self) {
        self.store_failures.inc();
    }

    /// Returns all metrics as text: the counters, and the values of `state`.
    ///
    /// # Errors
    ///
    /// Fails only when a metric cannot be written.
    pub(crate) fn text(&self, state: State) -> Result<String, fmt::Error> {
        let (mut now, mut process) = (Registry::with_prefix(PREFIX), Registry::default());
        if let Some(own) = state.process {
            process.register_collector(Box::new(own));
        }
        now.register_collector(Box::new(state));
        let mut text = String::new();
        encode_registry(&mut text, &self.registry)?;
        encode_registry(&mut text, &now)?;
        encode_registry(&mut text, &process)?;
        encode_eof(&mut text)?;
        Ok(text)
    }
}

/// Values at the moment of one scrape.
#[derive(Debug)]
pub(crate) struct State {
    /// Number of the planner's rounds so far.
    pub(crate) planner_rounds: u64,
    /// Number of the outbox's rounds so far.
    pub(crate) outbox_rounds: u64,
    /// Permits for runs, by limit.
    pub(crate) permits: Vec<Permits>,
    /// True unless the latest start or reload was refused.
    pub(crate) reload_success: bool,
    /// Instant at which the configuration in force was loaded.
    pub(crate) loaded_at: Option<Timestamp>,
    /// Backups that the daemon makes; none when it makes none.
    pub(crate) backups: Option<Backups>,
    /// Heartbeats that the daemon sends; none when it sends none.
    pub(crate) heartbeat: Option<Beats>,
    /// Sizes of the database's files in bytes, by what they hold.
    pub(crate) store_bytes: Vec<(&'static str, u64)>,
    /// State of this process; none where the system does not show it.
    pub(crate) process: Option<Process>,
    /// Values from the store; none when it cannot be read.
    pub(crate) stored: Option<Stored>,
}

/// State of the backups.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Backups {
    /// Instant of the newest one; none when there is none.
    pub(crate) newest_at: Option<Timestamp>,
    /// True unless the latest attempt failed.
    pub(crate) is_good: bool,
}

/// State of the heartbeat.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Beats {
    /// Instant at which the latest one was taken; none before the first.
    pub(crate) delivered_at: Option<Timestamp>,
    /// True when the latest one was taken.
    pub(crate) is_good: bool,
}

/// Permits for runs under one limit.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Permits {
    /// Name of the limit in the configuration.
    pub(crate) limit: &'static str,
    /// Number of permits in all.
    pub(crate) max: usize,
    /// Number of runs that wait for a permit.
    pub(crate) waiting: usize,
}

/// Values that are read from the store for each scrape.
#[derive(Debug, Default)]
pub(crate) struct Stored {
    /// Integrations that are not deleted.
    pub(crate) integrations: Vec<IntegrationState>,
    /// Receivers, configured or with pending deliveries.
    pub(crate) receivers: Vec<Backlog>,
    /// Faults of the daemon itself that last.
    pub(crate) own_faults: Vec<OwnFault>,
}

impl Collector for State {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let encoder = &mut encoder;
        self.daemon(encoder)?;
        let help = "1 while the store can be read; without it its metrics are left out";
        let mut gauge = encoder.gauge("store_readable", help, None)?;
        gauge.encode_gauge(&u32::from(self.stored.is_some()))?;
        let Some(Stored { integrations, receivers, own_faults }) = &self.stored else {
            return Ok(());
        };
        integration_metrics(encoder, integrations)?;
        timestamp_metrics(encoder, integrations)?;
        receiver_metrics(encoder, receivers)?;
        let mut gauge =
            encoder.gauge("daemon_fault", "1 while the daemon itself has the fault", None)?;
        for &fault in OwnFault::ALL {
            let lasts = u32::from(own_faults.contains(&fault));
            set(&mut gauge, &[("fault", fault.as_str())], lasts)?;
        }
        Ok(())
    }
}

impl State {
    /// Writes what is known without the store.
    fn daemon(&self, encoder: &mut DescriptorEncoder<'_>) -> fmt::Result {
        counter(encoder, "planner_rounds", "Rounds of the planner", self.planner_rounds)?;
        counter(encoder, "outbox_rounds", "Rounds of the outbox", self.outbox_rounds)?;
        let mut gauge =
            encoder.gauge("runs_limit", "Maximum number of validation runs at once", None)?;
        for Permits { limit, max, .. } in &self.permits {
            set(&mut gauge, &[("limit", *limit)], *max)?;
        }
        let help = "Due validation runs that wait for a permit";
        let mut gauge = encoder.gauge("runs_waiting", help, None)?;
        for Permits { limit, waiting, .. } in &self.permits {
            set(&mut gauge, &[("limit", *limit)], *waiting)?;
        }
        let help = "1 unless the latest start or reload refused the configuration";
        let mut gauge = encoder.gauge("config_reload_success", help, None)?;
        gauge.encode_gauge(&u32::from(self.reload_success))?;
        if let Some(at) = self.loaded_at {
            let help = "Instant at which the configuration in force was loaded";
            let mut gauge = encoder.gauge("config_loaded_timestamp", help, Some(&Unit::Seconds))?;
            gauge.encode_gauge(&at.since(Timestamp(0)).as_secs_f64())?;
        }
        backup_metrics(encoder, self.backups.as_ref())?;
        heartbeat_metrics(encoder, self.heartbeat.as_ref())?;
        let help = "Size of the database and of its log of changes";
        let mut gauge = encoder.gauge("store", help, Some(&Unit::Bytes))?;
        for (file, bytes) in &self.store_bytes {
            set(&mut gauge, &[("file", *file)], *bytes)?;
        }
        Ok(())
    }
}

fn backup_metrics(encoder: &mut DescriptorEncoder<'_>, backups: Option<&Backups>) -> fmt::Result {
    let Some(Backups { newest_at, is_good }) = backups else { return Ok(()) };
    let help = "1 unless the latest attempt to make a backup failed";
    let mut gauge = encoder.gauge("backup_success", help, None)?;
    gauge.encode_gauge(&u32::from(*is_good))?;
    let Some(at) = newest_at else { return Ok(()) };
    let help = "Instant of the newest backup";
    let mut gauge = encoder.gauge("backup_timestamp", help, Some(&Unit::Seconds))?;
    gauge.encode_gauge(&at.since(Timestamp(0)).as_secs_f64())
}

fn heartbeat_metrics(encoder: &mut DescriptorEncoder<'_>, beats: Option<&Beats>) -> fmt::Result {
    let Some(Beats { delivered_at, is_good }) = beats else { return Ok(()) };
    let help = "1 when the latest heartbeat was taken by its service";
    let mut gauge = encoder.gauge("heartbeat_success", help, None)?;
    gauge.encode_gauge(&u32::from(*is_good))?;
    let Some(at) = delivered_at else { return Ok(()) };
    let help = "Instant at which the latest heartbeat was taken by its service";
    let mut gauge = encoder.gauge("heartbeat_timestamp", help, Some(&Unit::Seconds))?;
    gauge.encode_gauge(&at.since(Timestamp(0)).as_secs_f64())
}

#[cfg(test)]
mod tests {
    use axum::http::{Method, StatusCode};

    use super::*;
    use crate::domain::Status;

    fn state(stored: Option<Stored>) -> State {
        let permits = |limit, max, waiting| Permits { limit, max, waiting };
        State {
            planner_rounds: 7,
            reload_success: true,
            loaded_at: Some(Timestamp(1_500)),
            backups: Some(Backups { newest_at: Some(Timestamp(2_500)), is_good: false }),
            heartbeat: Some(Beats { delivered_at: Some(Timestamp(3_500)), is_good: true }),
            outbox_rounds: 8,
            permits: vec![permits("runs", 64, 0), permits("runs_per_host", 4, 12)],
            store_bytes: vec![("database", 8192), ("log", 4096)],
            process: Some(Process {
                cpu_secs: 1.5,
                resident_bytes: 50_000_000,
                virtual_bytes: 300_000_000,
                open_fds: 31,
                max_fds: Some(1024),
                started_at_secs: 1_795_381_100.5,
            }),
            stored,
        }
    }

    fn stored() -> Stored {
        let integration = |name: &str, status, last_run_at| IntegrationState {
            name: name.to_owned(),
            platform: "Native S3".to_owned(),
            status,
            labels: Vec::new(),
            last_run_at,
            next_run_at: last_run_at.map(|at| at.plus(Duration::from_mins(1))),
            expires_at: None,
            conditions: Vec::new(),
        };
        let ran = integration("la\"ke\\", Status::Enabled, Some(Timestamp(1_795_381_200_750)));
        Stored {
            integrations: vec![
                IntegrationState {
                    expires_at: Some(Timestamp(1_800_000_000_000)),
                    conditions: vec!["muted", "outage"],
                    labels: vec!["team=data".to_owned(), "tier=1".to_owned()],
                    ..ran
                },
                integration("new", Status::Creating, None),
            ],
            receivers: vec![Backlog {
                name: "on-call".to_owned(),
                pending: 3,
                oldest_age: Duration::from_millis(1500),
                is_disabled: true,
            }],
            own_faults: vec![OwnFault::Clock],
        }
    }

    /// Returns metrics in which everything was counted at least once.
    fn counted() -> Metrics {
        let metrics = Metrics::default();
        let failed = Outcome {
            result: ReportStatus::Failed,
            class: Some(Class::Denied),
            duration: Duration::from_millis(812),
            lateness: Duration::from_secs(40),
        };
        metrics.ran(failed);
        metrics.ran(Outcome { result: ReportStatus::Passed, class: None, ..failed });
        metrics.attempted("on-call", Next::Delivered);
        metrics.attempted("on-call", Next::RetryAfter(Duration::ZERO));
        metrics.attempted("on-call", Next::Failed);
        metrics.attempted("on-call", Next::Gone);
        metrics.store_failed();
        metrics.requests().answered(&Method::GET, StatusCode::NOT_MODIFIED);
        metrics
    }

    #[test]
    fn scrape_shows_every_metric_under_its_name() {
        let metrics = counted();
        drop(metrics.running());
        let running = metrics.running();
        let text = metrics.text(state(Some(stored()))).unwrap();
        drop(running);
        let lines = [
            concat!("revalidated_build_info{version=\"", env!("CARGO_PKG_VERSION"), "\"} 1"),
            "revalidated_runs_total{result=\"failed\",class=\"denied\"} 1",
            "revalidated_runs_total{result=\"passed\",class=\"none\"} 1",
            "# UNIT revalidated_run_duration_seconds seconds",
            "revalidated_run_duration_seconds_bucket{le=\"0.5\"} 0",
            "revalidated_run_duration_seconds_bucket{le=\"1.0\"} 2",
            "revalidated_run_duration_seconds_count 2",
            "revalidated_run_lateness_seconds_sum 80.0",
            "revalidated_runs_in_flight 1",
            "revalidated_delivery_attempts_total{receiver=\"on-call\",outcome=\"delivered\"} 1",
            "revalidated_delivery_attempts_total{receiver=\"on-call\",outcome=\"retried\"} 1",
            "revalidated_delivery_attempts_total{receiver=\"on-call\",outcome=\"dead\"} 1",
            "revalidated_delivery_attempts_total{receiver=\"on-call\",outcome=\"gone\"} 1",
            "revalidated_store_failures_total 1",
            "revalidated_planner_rounds_total 7",
            "revalidated_outbox_rounds_total 8",
            "revalidated_runs_limit{limit=\"runs\"} 64",
            "revalidated_runs_waiting{limit=\"runs_per_host\"} 12",
            "revalidated_backup_success 0",
            "revalidated_backup_timestamp_seconds 2.5",
            "revalidated_heartbeat_success 1",
            "revalidated_heartbeat_timestamp_seconds 3.5",
            "revalidated_store_readable 1",
            "revalidated_integrations{status=\"enabled\"} 1",
            "revalidated_integrations{status=\"disabled\"} 0",
            "revalidated_integration_status{integration=\"la\\\"ke\\\\\",platform=\"Native S3\",\
             status=\"enabled\"} 1",
            "revalidated_integration_last_run_timestamp_seconds{integration=\"la\\\"ke\\\\\"} \
             1795381200.75",
            "revalidated_integration_next_run_timestamp_seconds{integration=\"la\\\"ke\\\\\"} \
             1795381260.75",
            "revalidated_integration_label{integration=\"la\\\"ke\\\\\",label=\"tier=1\"} 1",
            "revalidated_integration_label{integration=\"new\",label=\"\"} 1",
            "revalidated_store_bytes{file=\"database\"} 8192",
            "revalidated_store_bytes{file=\"log\"} 4096",
            "revalidated_http_requests_total{method=\"GET\",code=\"304\"} 1",
            "process_cpu_seconds_total 1.5",
            "process_resident_memory_bytes 50000000",
            "process_open_fds 31",
            "process_max_fds 1024",
            "process_start_time_seconds 1795381100.5",
            "revalidated_expiry_timestamp_seconds{integration=\"la\\\"ke\\\\\"} 1800000000.0",
            "revalidated_integration_condition{integration=\"la\\\"ke\\\\\",condition=\"muted\"} 1",
            "revalidated_integration_condition{integration=\"la\\\"ke\\\\\",condition=\"outage\"} 1",
            "revalidated_daemon_fault{fault=\"clock\"} 1",
            "revalidated_daemon_fault{fault=\"network\"} 0",
            "revalidated_deliveries_pending{receiver=\"on-call\"} 3",
            "revalidated_deliveries_oldest_pending_age_seconds{receiver=\"on-call\"} 1.5",
            "revalidated_receiver_disabled{receiver=\"on-call\"} 1",
        ];
        for line in lines {
            assert!(text.lines().any(|found| found == line), "{line} in\n{text}");
        }
        assert!(text.ends_with("\n# EOF\n"), "{text}");
    }

    #[test]
    fn integration_without_a_run_has_no_instants_and_no_conditions() {
        let text = counted().text(state(Some(stored()))).unwrap();
        for absent in [
            "last_run_timestamp_seconds{integration=\"new\"}",
            "expiry_timestamp_seconds{integration=\"new\"}",
            "integration_condition{integration=\"new\"",
            "condition=\"flapping\"",
        ] {
            assert!(!text.contains(absent), "{absent} in\n{text}");
        }
    }

    #[test]
    fn document_names_every_metric() {
        let text = counted().text(state(Some(stored()))).unwrap();
        let names = text.lines().filter_map(|line| line.strip_prefix("# TYPE "));
        let names: Vec<_> = names
            .map(|line| match line.split_once(' ').unwrap() {
                (name, "counter") => format!("{name}_total"),
                (name, "info") => format!("{name}_info"),
                (name, _) => name.to_owned(),
            })
            .collect();
        let document = include_str!("../../docs/operations.md");
        let documented: Vec<_> = document
            .lines()
            .filter(|line| line.starts_with("| `revalidated_") || line.starts_with("| `process_"))
            .flat_map(|line| line.split('`'))
            .filter(|word| word.starts_with("revalidated_") || word.starts_with("process_"))
            .collect();
        assert_eq!(documented.len(), names.len(), "{names:?}");
        for name in &names {
            assert!(documented.contains(&name.as_str()), "{name}");
        }
    }

    /// Returns the names of metrics in a text of expressions.
    fn named(text: &str) -> std::collections::BTreeSet<&str> {
        let is_part = |c: char| c.is_ascii_alphanumeric() || c == '_';
        let words = text.split(|c| !is_part(c));
        words
            .filter(|word| word.starts_with("revalidated_") || word.starts_with("process_"))
            .collect()
    }

    #[test]
    fn dashboard_and_alerts_name_metrics_that_there_are() {
        let text = counted().text(state(Some(stored()))).unwrap();
        let there = named(&text);
        let rules = include_str!("../../share/prometheus/revalidated.rules.yml");
        let dashboard: serde_json::Value =
            serde_json::from_str(include_str!("../../share/grafana/revalidated.json")).unwrap();
        let mut expressions = Vec::new();
        let mut todo = vec![&dashboard];
        while let Some(value) = todo.pop() {
            for key in ["expr", "definition"] {
                expressions.extend(value.get(key).and_then(serde_json::Value::as_str));
            }
            todo.extend(value.as_array().into_iter().flatten());
            todo.extend(value.as_object().into_iter().flat_map(serde_json::Map::values));
        }
        assert!(20 < expressions.len(), "{expressions:?}");
        for text in expressions.into_iter().chain([rules]) {
            for name in named(text) {
                assert!(there.contains(name), "{name} in {text}");
            }
        }
    }

    #[test]
    fn unreadable_store_leaves_its_metrics_out() {
        let metrics = Metrics::default();
        let text = metrics.text(state(None)).unwrap();
        assert!(text.contains("\nrevalidated_store_readable 0\n"), "{text}");
        assert!(!text.contains("revalidated_integration"), "{text}");
        assert!(metrics.text(state(None)).unwrap() == text, "a second scrape shows the same");
    }
}
