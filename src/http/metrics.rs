//! What is counted and measured, under its published name, in the `OpenMetrics` text format.
//!
//! Labels are few: classes, statuses, receivers; integrations only where one value belongs to each.

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

use crate::domain::{Class, Next, OwnFault, ReportStatus, Status, Timestamp};

/// Before every name.
const PREFIX: &str = "revalidated";
/// Upper bounds of the classes of how long a run takes, in seconds.
const DURATION_SECS: [f64; 14] =
    [0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 20.0, 30.0, 60.0, 120.0, 300.0, 600.0];
/// Upper bounds of the classes of how late a run begins, in seconds.
const LATENESS_SECS: [f64; 13] =
    [0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 120.0, 300.0, 900.0, 3600.0];

/// Names and values of labels.
type Labels<const COUNT: usize, Value> = [(&'static str, Value); COUNT];

/// What is counted while the daemon runs. Clone it freely.
#[derive(Clone, Debug)]
pub(crate) struct Metrics {
    registry: Arc<Registry>,
    runs: Family<Labels<2, &'static str>, Counter>,
    duration: Histogram,
    lateness: Histogram,
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
            in_flight: Gauge::default(),
            attempts: Family::default(),
            store_failures: Counter::default(),
        };
        let version = Info::new([("version", env!("CARGO_PKG_VERSION"))]);
        registry.register("build", "What runs here", version);
        let help = "Validation runs that were stored";
        registry.register("runs", help, metrics.runs.clone());
        let (help, unit) = ("How long validation runs took", Unit::Seconds);
        registry.register_with_unit("run_duration", help, unit, metrics.duration.clone());
        let (help, unit) = ("How long after they were due runs began", Unit::Seconds);
        registry.register_with_unit("run_lateness", help, unit, metrics.lateness.clone());
        let help = "Validation runs under way";
        registry.register("runs_in_flight", help, metrics.in_flight.clone());
        let help = "Attempts to deliver a message";
        registry.register("delivery_attempts", help, metrics.attempts.clone());
        let help = "Operations that the store could not do";
        registry.register("store_failures", help, metrics.store_failures.clone());
        Self { registry: Arc::new(registry), ..metrics }
    }
}

/// How a run ended.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Outcome {
    /// Overall.
    pub(crate) result: ReportStatus,
    /// Of the failure, if it failed.
    pub(crate) class: Option<Class>,
    /// How long it took.
    pub(crate) duration: Duration,
    /// How long after it was due it began.
    pub(crate) lateness: Duration,
}

/// A run that is under way until this is dropped.
#[derive(Debug)]
pub(crate) struct Running(Gauge);

impl Drop for Running {
    fn drop(&mut self) {
        self.0.dec();
    }
}

impl Metrics {
    /// Counts a run as under way.
    #[must_use]
    pub(crate) fn running(&self) -> Running {
        self.in_flight.inc();
        Running(self.in_flight.clone())
    }

    /// Counts a run that was stored.
    pub(crate) fn ran(&self, Outcome { result, class, duration, lateness }: Outcome) {
        let class = class.map_or("none", Class::as_str);
        self.runs.get_or_create(&[("result", result.as_str()), ("class", class)]).inc();
        self.duration.observe(duration.as_secs_f64());
        self.lateness.observe(lateness.as_secs_f64());
    }

    /// Counts an attempt to deliver to `receiver` that `next` follows.
    pub(crate) fn attempted(&self, receiver: &str, next: Next) {
        let outcome = match next {
            Next::Delivered => "delivered",
            Next::RetryAfter(_) => "retried",
            Next::Failed => "given_up",
            Next::Gone => "gone",
        };
        let labels = [("receiver", receiver.to_owned()), ("outcome", outcome.to_owned())];
        self.attempts.get_or_create(&labels).inc();
    }

    /// Counts something that the store could not do.
    pub(crate) fn store_failed(&self) {
        self.store_failures.inc();
    }

    /// Everything as text, with what is so now.
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

/// What is so at one moment.
#[derive(Debug)]
pub(crate) struct State {
    /// Rounds of the planner so far.
    pub(crate) planner_rounds: u64,
    /// Rounds of the outbox so far.
    pub(crate) outbox_rounds: u64,
    /// Room for runs, by limit.
    pub(crate) room: Vec<Room>,
    /// What the store knows; none when it cannot be read.
    pub(crate) known: Option<Known>,
}

/// Room for runs.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Room {
    /// The limit, as the configuration calls it.
    pub(crate) limit: &'static str,
    /// How much there is.
    pub(crate) most: usize,
    /// How many runs wait for it.
    pub(crate) waiting: usize,
}

/// What the store knows.
#[derive(Debug, Default)]
pub(crate) struct Known {
    /// The integrations that are not deleted.
    pub(crate) integrations: Vec<Standing>,
    /// The receivers.
    pub(crate) receivers: Vec<Awaiting>,
    /// What is wrong on the daemon's own side.
    pub(crate) own_faults: Vec<OwnFault>,
}

/// An integration.
#[derive(Debug)]
pub(crate) struct Standing {
    /// Its name.
    pub(crate) name: String,
    /// Its platform's published name.
    pub(crate) platform: String,
    /// Its status.
    pub(crate) status: Status,
    /// When its latest run began.
    pub(crate) last_run_at: Option<Timestamp>,
    /// When what ends next does so.
    pub(crate) expires_at: Option<Timestamp>,
    /// What makes its messages other than they would be: `held`, `flapping`, `outage`.
    pub(crate) conditions: Vec<&'static str>,
}

/// A receiver.
#[derive(Debug)]
pub(crate) struct Awaiting {
    /// Its name.
    pub(crate) name: String,
    /// How many messages it is owed.
    pub(crate) owed: u32,
    /// How long ago the oldest event of these happened; zero when it is owed nothing.
    pub(crate) oldest: Duration,
    /// Whether it is disabled.
    pub(crate) is_disabled: bool,
}

impl Collector for State {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let Self { planner_rounds, outbox_rounds, room, known } = self;
        let encoder = &mut encoder;
        counter(encoder, ("planner_rounds", "Looks at what is due"), *planner_rounds)?;
        counter(encoder, ("outbox_rounds", "Looks at what is owed"), *outbox_rounds)?;
        let mut gauge = encoder.gauge("runs_limit", "The most validation runs at once", None)?;
        for Room { limit, most, .. } in room {
            set(&mut gauge, &[("limit", *limit)], *most)?;
        }
        let help = "Due validation runs that wait for room under a limit";
        let mut gauge = encoder.gauge("runs_waiting", help, None)?;
        for Room { limit, waiting, .. } in room {
            set(&mut gauge, &[("limit", *limit)], *waiting)?;
        }
        let help = "Whether the store can be read; without it what it knows is left out";
        let mut gauge = encoder.gauge("store_readable", help, None)?;
        gauge.encode_gauge(&u32::from(known.is_some()))?;
        let Some(Known { integrations, receivers, own_faults }) = known else { return Ok(()) };
        tell_integrations(encoder, integrations)?;
        tell_instants(encoder, integrations)?;
        tell_receivers(encoder, receivers)?;
        let mut gauge =
            encoder.gauge("own_fault", "Whether the daemon itself is at fault", None)?;
        for fault in OwnFault::ALL {
            let lasts = u32::from(own_faults.contains(&fault));
            set(&mut gauge, &[("fault", fault.as_str())], lasts)?;
        }
        Ok(())
    }
}

fn tell_integrations(encoder: &mut DescriptorEncoder<'_>, all: &[Standing]) -> fmt::Result {
    let mut gauge = encoder.gauge("integrations", "Integrations by status", None)?;
    for status in Status::ALL.into_iter().filter(|status| *status != Status::Deleted) {
        let count = all.iter().filter(|one| one.status == status).count();
        set(&mut gauge, &[("status", status.as_str())], count)?;
    }
    let help = "The status of each integration, always 1";
    let mut gauge = encoder.gauge("integration_status", help, None)?;
    for Standing { name, platform, status, .. } in all {
        let labels: [(_, &str); 3] =
            [("integration", name), ("platform", platform), ("status", status.as_str())];
        set(&mut gauge, &labels, 1_u32)?;
    }
    let help = "What changes how an integration is told of, always 1";
    let mut gauge = encoder.gauge("integration_condition", help, None)?;
    for Standing { name, conditions, .. } in all {
        for condition in conditions {
            let labels: [(_, &str); 2] = [("integration", name), ("condition", condition)];
            set(&mut gauge, &labels, 1_u32)?;
        }
    }
    Ok(())
}

fn tell_instants(encoder: &mut DescriptorEncoder<'_>, all: &[Standing]) -> fmt::Result {
    type Instant = fn(&Standing) -> Option<Timestamp>;
    let told: [(_, _, Instant); 2] = [
        (
            "integration_last_run_timestamp",
            "When the latest run of each integration began",
            |one| one.last_run_at,
        ),
        (
            "expiry_timestamp",
            "When the first certificate, token, secret or key of each integration ends",
            |one| one.expires_at,
        ),
    ];
    for (name, help, instant) in told {
        let mut gauge = encoder.gauge(name, help, Some(&Unit::Seconds))?;
        for (one, at) in all.iter().filter_map(|one| Some((one, instant(one)?))) {
            let at = at.since(Timestamp(0)).as_secs_f64();
            set(&mut gauge, &[("integration", one.name.as_str())], at)?;
        }
    }
    Ok(())
}

fn tell_receivers(encoder: &mut DescriptorEncoder<'_>, all: &[Awaiting]) -> fmt::Result {
    let mut gauge = encoder.gauge("deliveries_owed", "Messages that are owed", None)?;
    for Awaiting { name, owed, .. } in all {
        set(&mut gauge, &[("receiver", name.as_str())], *owed)?;
    }
    let help = "How long ago the oldest event that is owed happened";
    let mut gauge = encoder.gauge("deliveries_oldest_owed_age", help, Some(&Unit::Seconds))?;
    for Awaiting { name, oldest, .. } in all {
        set(&mut gauge, &[("receiver", name.as_str())], oldest.as_secs_f64())?;
    }
    let help = "Whether a receiver is disabled, so that what it is owed waits";
    let mut gauge = encoder.gauge("receiver_disabled", help, None)?;
    for Awaiting { name, is_disabled, .. } in all {
        set(&mut gauge, &[("receiver", name.as_str())], u32::from(*is_disabled))?;
    }
    Ok(())
}

/// Begins a gauge.
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

fn counter(
    encoder: &mut DescriptorEncoder<'_>,
    (name, help): (&str, &str),
    value: u64,
) -> fmt::Result {
    let help = format!("{help}.");
    let metric = encoder.encode_descriptor(name, &help, None, MetricType::Counter)?;
    ConstCounter::new(value).encode(metric)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn state(known: Option<Known>) -> State {
        let room = |limit, most, waiting| Room { limit, most, waiting };
        State {
            planner_rounds: 7,
            outbox_rounds: 8,
            room: vec![room("runs", 64, 0), room("runs_per_host", 4, 12)],
            known,
        }
    }

    fn known() -> Known {
        let standing = |name: &str, status, last_run_at| Standing {
            name: name.to_owned(),
            platform: "Native S3".to_owned(),
            status,
            last_run_at,
            expires_at: None,
            conditions: Vec::new(),
        };
        let ran = standing("la\"ke\\", Status::Enabled, Some(Timestamp(1_795_381_200_750)));
        Known {
            integrations: vec![
                Standing {
                    expires_at: Some(Timestamp(1_800_000_000_000)),
                    conditions: vec!["held", "outage"],
                    ..ran
                },
                standing("new", Status::Creating, None),
            ],
            receivers: vec![Awaiting {
                name: "on-call".to_owned(),
                owed: 3,
                oldest: Duration::from_millis(1500),
                is_disabled: true,
            }],
            own_faults: vec![OwnFault::Clock],
        }
    }

    /// With everything counted at least once.
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
        metrics.store_failed();
        metrics
    }

    #[test]
    fn everything_is_told_under_its_name() {
        let metrics = counted();
        drop(metrics.running());
        let running = metrics.running();
        let text = metrics.text(state(Some(known()))).unwrap();
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
            "revalidated_store_failures_total 1",
            "revalidated_planner_rounds_total 7",
            "revalidated_outbox_rounds_total 8",
            "revalidated_runs_limit{limit=\"runs\"} 64",
            "revalidated_runs_waiting{limit=\"runs_per_host\"} 12",
            "revalidated_store_readable 1",
            "revalidated_integrations{status=\"enabled\"} 1",
            "revalidated_integrations{status=\"disabled\"} 0",
            "revalidated_integration_status{integration=\"la\\\"ke\\\\\",platform=\"Native S3\",\
             status=\"enabled\"} 1",
            "revalidated_integration_last_run_timestamp_seconds{integration=\"la\\\"ke\\\\\"} \
             1795381200.75",
            "revalidated_expiry_timestamp_seconds{integration=\"la\\\"ke\\\\\"} 1800000000.0",
            "revalidated_integration_condition{integration=\"la\\\"ke\\\\\",condition=\"held\"} 1",
            "revalidated_integration_condition{integration=\"la\\\"ke\\\\\",condition=\"outage\"} 1",
            "revalidated_own_fault{fault=\"clock\"} 1",
            "revalidated_own_fault{fault=\"network\"} 0",
            "revalidated_deliveries_owed{receiver=\"on-call\"} 3",
            "revalidated_deliveries_oldest_owed_age_seconds{receiver=\"on-call\"} 1.5",
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
        let text = counted().text(state(Some(known()))).unwrap();
        let names = text.lines().filter_map(|line| line.strip_prefix("# TYPE "));
        let names: Vec<_> = names
            .map(|line| match line.split_once(' ').unwrap() {
                (name, "counter") => format!("{name}_total"),
                (name, "info") => format!("{name}_info"),
                (name, _) => name.to_owned(),
            })
            .collect();
        let readme = include_str!("../../docs/operations.md");
        let told: Vec<_> = readme
            .lines()
            .filter(|line| line.starts_with("| `revalidated_"))
            .flat_map(|line| line.split('`'))
            .filter(|word| word.starts_with("revalidated_"))
            .collect();
        assert_eq!(told.len(), names.len(), "{names:?}");
        for name in &names {
            assert!(told.contains(&name.as_str()), "{name}");
        }
    }

    #[test]
    fn what_cannot_be_read_is_left_out_and_said() {
        let metrics = Metrics::default();
        let text = metrics.text(state(None)).unwrap();
        assert!(text.contains("\nrevalidated_store_readable 0\n"), "{text}");
        assert!(!text.contains("revalidated_integration"), "{text}");
        assert!(metrics.text(state(None)).unwrap() == text, "told again as it was");
    }
}
