//! Metrics of the process under the names that are usual for any program (`process_*`).

use std::fmt;

use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric as _};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::counter::ConstCounter;
use prometheus_client::registry::Unit;

use super::gauges::Begin as _;

/// State of this process at the moment of a scrape.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Process {
    /// Processor time used so far, in seconds.
    pub(crate) cpu_secs: f64,
    /// Memory in use, in bytes.
    pub(crate) resident_bytes: u64,
    /// Addresses in use, in bytes.
    pub(crate) virtual_bytes: u64,
    /// Number of open file descriptors.
    pub(crate) open_fds: u64,
    /// Number of file descriptors at most; none without a limit.
    pub(crate) max_fds: Option<u64>,
    /// Instant of its start, in seconds since 1970.
    pub(crate) started_at_secs: f64,
}

impl Collector for Process {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let (encoder, bytes, seconds) = (&mut encoder, Some(&Unit::Bytes), Some(&Unit::Seconds));
        let (name, help) = ("process_cpu", "Processor time used.");
        let counter = encoder.encode_descriptor(name, help, seconds, MetricType::Counter)?;
        ConstCounter::new(self.cpu_secs).encode(counter)?;
        let mut gauge = encoder.gauge("process_resident_memory", "Memory in use", bytes)?;
        gauge.encode_gauge(&self.resident_bytes)?;
        let mut gauge = encoder.gauge("process_virtual_memory", "Addresses in use", bytes)?;
        gauge.encode_gauge(&self.virtual_bytes)?;
        let mut gauge = encoder.gauge("process_open_fds", "File descriptors in use", None)?;
        gauge.encode_gauge(&self.open_fds)?;
        if let Some(max) = self.max_fds {
            let mut gauge = encoder.gauge("process_max_fds", "File descriptors at most", None)?;
            gauge.encode_gauge(&max)?;
        }
        let mut gauge = encoder.gauge("process_start_time", "Instant of the start", seconds)?;
        gauge.encode_gauge(&self.started_at_secs)
    }
}
