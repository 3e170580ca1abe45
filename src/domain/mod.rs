//! Pure core: values and decisions. No clock, no I/O, no async, no SQL, no platform names.

mod access;
mod changes;
mod checks;
mod delivery;
mod drift;
#[cfg(test)]
pub(crate) mod echo;
mod event;
mod expiry;
mod factor;
mod health;
mod heartbeat;
mod hours;
pub(crate) mod ledger;
mod location;
mod maintenance;
mod mute_span;
mod observed;
mod outage;
mod pool;
mod redactor;
mod reload;
mod report;
mod safety;
mod schedule;
mod secret;
mod selection;
mod status;
mod text;
mod time;
mod verdict;

pub(crate) use access::{
    HttpSettings, HttpToken, Listen, Public, Scope, ServerTls, UserHeader, token_digest,
};
pub(crate) use changes::{Changes, NameList};
pub(crate) use checks::{COMMON, CommonChecks};
pub(crate) use delivery::{
    AttemptResult, Next, RetryPolicy, Tried, after_attempt, disables, probe_wait,
};
pub(crate) use drift::{DRIFT, Drift, compare, difference};
#[cfg(test)]
pub(crate) use event::samples;
pub(crate) use event::{
    Change, ConfigurationApplied, DaemonFaultNotice, DisabledReason, EndedBy, Event, EventData,
    EventType, Format, IntegrationRef, Links, OutageMember, OutageNotice, OwnFault, PageUrl,
    Payload, ReceiverDisabled, RunRef, SCHEMA_VERSION, Subscription, Timing, VerdictNotice,
    WebhookPing, integration_path, named_path, sample,
};
pub(crate) use expiry::{EXPIRY, expiry_check};
pub(crate) use factor::{Factor, FactorKind};
pub(crate) use health::{Clocks, Hosts};
pub(crate) use heartbeat::HeartbeatState;
pub(crate) use hours::Hours;
pub(crate) use location::{
    Durability, Location, NodeIdentity, PostgresAddress, PostgresHost, PostgresTls,
};
pub(crate) use maintenance::Maintenance;
pub(crate) use mute_span::{MUTE_MAX, MuteSpan};
pub(crate) use observed::{
    Expiry, ExpiryKind, Fact, FactCollector, FactKind, Facts, Observed, ServerClock,
};
pub(crate) use outage::{
    CLOSE_AFTER, CLOSING_WAIT, EVIDENCE_MAX, SIBLINGS_MAX, SharedCause, is_outage,
};
pub(crate) use pool::Pool;
pub(crate) use redactor::Redactor;
pub(crate) use reload::{PassedOver, Reload};
pub(crate) use report::{
    Class, Finding, Outcome, Report, ReportStatus, Test, TestResult, ValidationResults,
    ValidationTest, When,
};
pub(crate) use safety::{Removals, RemovalsMax, refusal};
pub(crate) use schedule::{SPREAD_MAX, Schedule, ScheduleError};
pub(crate) use secret::{REDACTED, Secret, SecretRef};
pub(crate) use selection::{About, Selection};
pub(crate) use status::{Cause, Status, Subject, Transition, UnknownName, next_status};
pub(crate) use text::{is_unseen, one_line, percent_encoded};
pub(crate) use time::{Timestamp, duration_text};
#[cfg(test)]
pub(crate) use verdict::Measure;
pub(crate) use verdict::{
    Around, Counters, Evidence, Flips, JudgedRun, Judgement, Look, NEEDED, Past, Policy, Siblings,
    Sight, Verdict, Weighed, Weights, judge, repeated,
};

/// Row id of an integration, the `id` on the wire.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub(crate) struct IntegrationId(pub(crate) i64);

/// Row id of a run.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub(crate) struct RunId(pub(crate) i64);

/// Row id of a delivery: one event for one receiver.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub(crate) struct DeliveryId(pub(crate) i64);
