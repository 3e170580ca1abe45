//! Gauges of integrations and receivers at the moment of a scrape, and how gauges are written.

use std::fmt;
use std::time::Duration;

use prometheus_client::encoding::{
    DescriptorEncoder, EncodeGaugeValue, EncodeMetric, MetricEncoder,
};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::counter::ConstCounter;
use prometheus_client::metrics::gauge::ConstGauge;
use prometheus_client::registry::Unit;

use crate::domain::{Status, Timestamp};

/// Labels with their names and values.
type Labels<const COUNT: usize, Value> = [(&'static str, Value); COUNT];

/// State of one integration.
#[derive(Debug)]
pub(crate) struct IntegrationState {
    /// Name of the integration, the value of its label.
    pub(crate) name: String,
    /// Published name of its platform.
    pub(crate) platform: String,
    /// Status at the moment of the scrape.
    pub(crate) status: Status,
    /// Labels in the configuration, as `key=value`.
    pub(crate) labels: Vec<String>,
    /// Instant at which its latest run began.
    pub(crate) last_run_at: Option<Timestamp>,
    /// Instant at which it is due; none when nothing is to run.
    pub(crate) next_run_at: Option<Timestamp>,
    /// Earliest expiry among its certificates, tokens, secrets and keys.
    pub(crate) expires_at: Option<Timestamp>,
    /// Conditions that change its messages: `muted`, `acknowledged`, `silenced`, `maintenance`, `flapping`, `outage`.
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

pub(super) fn integration_metrics(
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
    let help = "Label of each integration, always 1; an empty one for those without any";
    let mut gauge = encoder.gauge("integration_label", help, None)?;
    for IntegrationState { name, labels, .. } in all {
        let none = labels.is_empty().then_some("");
        for label in labels.iter().map(String::as_str).chain(none) {
            set(&mut gauge, &[("integration", name.as_str()), ("label", label)], 1_u32)?;
        }
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

pub(super) fn timestamp_metrics(
    encoder: &mut DescriptorEncoder<'_>,
    all: &[IntegrationState],
) -> fmt::Result {
    type Instant = fn(&IntegrationState) -> Option<Timestamp>;
    let metrics: [(_, _, Instant); 3] = [
        (
            "integration_last_run_timestamp",
            "Instant at which the latest run of each integration began",
            |one| one.last_run_at,
        ),
        ("integration_next_run_timestamp", "Instant at which each integration is due", |one| {
            one.next_run_at
        }),
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

pub(super) fn receiver_metrics(
    encoder: &mut DescriptorEncoder<'_>,
    all: &[Backlog],
) -> fmt::Result {
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
pub(super) trait Begin {
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

pub(super) fn set<const COUNT: usize>(
    gauge: &mut MetricEncoder<'_>,
    labels: &Labels<COUNT, &str>,
    value: impl EncodeGaugeValue,
) -> fmt::Result {
    ConstGauge::new(value).encode(gauge.encode_family(labels)?)
}

pub(super) fn counter(
    encoder: &mut DescriptorEncoder<'_>,
    name: &str,
    help: &str,
    value: u64,
) -> fmt::Result {
    let help = format!("{help}.");
    let metric = encoder.encode_descriptor(name, &help, None, MetricType::Counter)?;
    ConstCounter::new(value).encode(metric)
}
