//! Metrics under their published names, in the `OpenMetrics` text format.
//!
//! Labels have few values: classes, statuses, receivers; integrations only where each has exactly
//! one value.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use prometheus_client::collector::Collector;
use prometheus_client::encoding::text::{encode_eof, encode_registry};
use prometheus_client::encoding::{
    DescriptorEncoder, EncodeGaugeValue, EncodeMetric, MetricEncoder,
};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::counter::{ConstCounter, Counter};
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::{ConstGauge, Gauge};
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::metrics::info::Info;
use prometheus_client::registry::{Registry, Unit};

use super::lateness::Lateness;
use crate::domain::{Class, Next, OwnFault, ReportStatus, Status, Timestamp};

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
        let mut now = Registry::with_prefix(PREFIX);
        now.register_collector(Box::new(state));
        let mut text = String::new();
        encode_registry(&mut text, &self.registry)?;
        encode_registry(&mut text, &now)?;
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

/// State of one integration.
#[derive(Debug)]
pub(crate) struct IntegrationState {
    /// Name of the integration, the value of its label.
    pub(crate) name: String,
    /// Published name of its platform.
    pub(crate) platform: String,
    /// Status at the moment of the scrape.
    pub(crate) status: Status,
    /// Instant at which its latest run began.
    pub(crate) last_run_at: Option<Timestamp>,
    /// Earliest expiry among its certificates, tokens, secrets and keys.
    pub(crate) expires_at: Option<Timestamp>,
    /// Conditions that change its messages: `muted`, `flapping`, `outage`.
    pub(crate) conditions: Vec<&'static str>,
}

/// Pending deliveries of one receiver.
#[derive(Debug)]
pub(crate) struct Backlog {
    /// Name of the receiver, the value of its label.
    pub(crate) name: String,
    /// Number of its pending deliveries.
    pub(crate) pending: u32,
    /// Age of the oldest event among these; zero without any.
    pub(crate) oldest_age: Duration,
    /// True while the receiver is disabled.
    pub(crate) is_disabled: bool,
}

impl Collector for State {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let Self { planner_rounds, outbox_rounds, permits, reload_success, loaded_at, .. } = self;
        let Self { backups, stored, .. } = self;
        let encoder = &mut encoder;
        counter(encoder, "planner_rounds", "Rounds of the planner", *planner_rounds)?;
        counter(encoder, "outbox_rounds", "Rounds of the outbox", *outbox_rounds)?;
        let mut gauge =
            encoder.gauge("runs_limit", "Maximum number of validation runs at once", None)?;
        for Permits { limit, max, .. } in permits {
            set(&mut gauge, &[("limit", *limit)], *max)?;
        }
        let help = "Due validation runs that wait for a permit";
        let mut gauge = encoder.gauge("runs_waiting", help, None)?;
        for Permits { limit, waiting, .. } in permits {
            set(&mut gauge, &[("limit", *limit)], *waiting)?;
        }
        let help = "1 unless the latest start or reload refused the configuration";
        let mut gauge = encoder.gauge("config_reload_success", help, None)?;
        gauge.encode_gauge(&u32::from(*reload_success))?;
        if let Some(at) = loaded_at {
            let help = "Instant at which the configuration in force was loaded";
            let mut gauge = encoder.gauge("config_loaded_timestamp", help, Some(&Unit::Seconds))?;
            gauge.encode_gauge(&at.since(Timestamp(0)).as_secs_f64())?;
        }
        backup_metrics(encoder, backups.as_ref())?;
        let help = "1 while the store can be read; without it its metrics are left out";
        let mut gauge = encoder.gauge("store_readable", help, None)?;
        gauge.encode_gauge(&u32::from(stored.is_some()))?;
        let Some(Stored { integrations, receivers, own_faults }) = stored else { return Ok(()) };
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

fn integration_metrics(
    encoder: &mut DescriptorEncoder<'_>,
    all: &[IntegrationState],
) -> fmt::Result {
    let mut gauge = encoder.gauge("integrations", "Integrations by status", None)?;
    for status in Status::ALL.iter().copied().filter(|status| *status != Status::Deleted) {
        let count = all.iter().filter(|one| one.status == status).count();
        set(&mut gauge, &[("status", status.as_str())], count)?;
    }
    let help = "Status of each integration, always 1";
    let mut gauge = encoder.gauge("integration_status", help, None)?;
    for IntegrationState { name, platform, status, .. } in all {
        let labels: [(_, &str); 3] =
            [("integration", name), ("platform", platform), ("status", status.as_str())];
        set(&mut gauge, &labels, 1_u32)?;
    }
    let help = "Condition that changes the messages about an integration, always 1";
    let mut gauge = encoder.gauge("integration_condition", help, None)?;
    for IntegrationState { name, conditions, .. } in all {
        for condition in conditions {
            let labels: [(_, &str); 2] = [("integration", name), ("condition", condition)];
            set(&mut gauge, &labels, 1_u32)?;
        }
    }
    Ok(())
}

fn timestamp_metrics(encoder: &mut DescriptorEncoder<'_>, all: &[IntegrationState]) -> fmt::Result {
    type Instant = fn(&IntegrationState) -> Option<Timestamp>;
    let metrics: [(_, _, Instant); 2] = [
        (
            "integration_last_run_timestamp",
            "Instant at which the latest run of each integration began",
            |one| one.last_run_at,
        ),
        (
            "expiry_timestamp",
            "Earliest expiry of a certificate, token, secret or key of each integration",
            |one| one.expires_at,
        ),
    ];
    for (name, help, instant) in metrics {
        let mut gauge = encoder.gauge(name, help, Some(&Unit::Seconds))?;
        for (one, at) in all.iter().filter_map(|one| Some((one, instant(one)?))) {
            let at = at.since(Timestamp(0)).as_secs_f64();
            set(&mut gauge, &[("integration", one.name.as_str())], at)?;
        }
    }
    Ok(())
}

fn receiver_metrics(encoder: &mut DescriptorEncoder<'_>, all: &[Backlog]) -> fmt::Result {
    let mut gauge = encoder.gauge("deliveries_pending", "Deliveries that are pending", None)?;
    for Backlog { name, pending, .. } in all {
        set(&mut gauge, &[("receiver", name.as_str())], *pending)?;
    }
    let help = "Age of the oldest event with a pending delivery";
    let mut gauge = encoder.gauge("deliveries_oldest_pending_age", help, Some(&Unit::Seconds))?;
    for Backlog { name, oldest_age, .. } in all {
        set(&mut gauge, &[("receiver", name.as_str())], oldest_age.as_secs_f64())?;
    }
    let help = "1 while the receiver is disabled and its pending deliveries wait";
    let mut gauge = encoder.gauge("receiver_disabled", help, None)?;
    for Backlog { name, is_disabled, .. } in all {
        set(&mut gauge, &[("receiver", name.as_str())], u32::from(*is_disabled))?;
    }
    Ok(())
}

/// Shorthand that begins a gauge.
trait Begin {
    fn gauge<'s>(
        &'s mut self,
        name: &'s str,
        help: &str,
        unit: Option<&'s Unit>,
    ) -> Result<MetricEncoder<'s>, fmt::Error>;
}

impl Begin for DescriptorEncoder<'_> {
    fn gauge<'s>(
        &'s mut self,
        name: &'s str,
        help: &str,
        unit: Option<&'s Unit>,
    ) -> Result<MetricEncoder<'s>, fmt::Error> {
        self.encode_descriptor(name, &format!("{help}."), unit, MetricType::Gauge)
    }
}

fn set<const COUNT: usize>(
    gauge: &mut MetricEncoder<'_>,
    labels: &Labels<COUNT, &str>,
    value: impl EncodeGaugeValue,
) -> fmt::Result {
    ConstGauge::new(value).encode(gauge.encode_family(labels)?)
}

fn counter(encoder: &mut DescriptorEncoder<'_>, name: &str, help: &str, value: u64) -> fmt::Result {
    let help = format!("{help}.");
    let metric = encoder.encode_descriptor(name, &help, None, MetricType::Counter)?;
    ConstCounter::new(value).encode(metric)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn state(stored: Option<Stored>) -> State {
        let permits = |limit, max, waiting| Permits { limit, max, waiting };
        State {
            planner_rounds: 7,
            reload_success: true,
            loaded_at: Some(Timestamp(1_500)),
            backups: Some(Backups { newest_at: Some(Timestamp(2_500)), is_good: false }),
            outbox_rounds: 8,
            permits: vec![permits("runs", 64, 0), permits("runs_per_host", 4, 12)],
            stored,
        }
    }

    fn stored() -> Stored {
        let integration = |name: &str, status, last_run_at| IntegrationState {
            name: name.to_owned(),
            platform: "Native S3".to_owned(),
            status,
            last_run_at,
            expires_at: None,
            conditions: Vec::new(),
        };
        let ran = integration("la\"ke\\", Status::Enabled, Some(Timestamp(1_795_381_200_750)));
        Stored {
            integrations: vec![
                IntegrationState {
                    expires_at: Some(Timestamp(1_800_000_000_000)),
                    conditions: vec!["muted", "outage"],
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
        metrics
    }

    #[test]
    fn scrape_shows_every_metric_under_its_name() {
        let metrics = counted();
        drop(metrics.running());
        let running = metrics.running();
        let text = metrics.text(state(Some(stored()))).unwrap();
        drop(running);
        let version = env!("CARGO_PKG_VERSION");
        let lines = [
            &format!("revalidated_build_info{{version=\"{version}\"}} 1"),
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
            "revalidated_store_readable 1",
            "revalidated_integrations{status=\"enabled\"} 1",
            "revalidated_integrations{status=\"disabled\"} 0",
            "revalidated_integration_status{integration=\"la\\\"ke\\\\\",platform=\"Native S3\",\
             status=\"enabled\"} 1",
            "revalidated_integration_last_run_timestamp_seconds{integration=\"la\\\"ke\\\\\"} \
             1795381200.75",
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
            .filter(|line| line.starts_with("| `revalidated_"))
            .flat_map(|line| line.split('`'))
            .filter(|word| word.starts_with("revalidated_"))
            .collect();
        assert_eq!(documented.len(), names.len(), "{names:?}");
        for name in &names {
            assert!(documented.contains(&name.as_str()), "{name}");
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
