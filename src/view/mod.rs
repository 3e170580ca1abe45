//! View models: values that are shown to people and programs, made from rows of the store.
//!
//! Types here are the JSON of the commands and of every other interface, so that all of them say
//! the same by construction; text for people is laid out elsewhere from the same values. Nothing here
//! prints, listens or writes.

mod across;
mod audit;
mod backup;
mod brief;
mod catalog;
mod check;
mod condition;
mod daemon;
mod delivery;
mod doctor;
mod event;
mod evidence;
mod explanation;
mod export;
mod failing;
mod filter;
#[cfg(test)]
mod grant_samples;
mod grants;
mod history;
mod integration;
mod leaves;
mod live;
#[cfg(test)]
mod message_samples;
mod nodes;
mod notifications;
mod ping;
mod receiver;
mod rehearsal;
mod report;
#[cfg(test)]
mod report_samples;
mod request;
mod run;
mod run_filter;
#[cfg(test)]
pub(crate) mod samples;
#[cfg(test)]
mod schema;
mod silence;
mod situation;
mod summary;
mod time;
mod validation;
mod version;
mod window;

pub(crate) use across::{AttributedRun, AttributedTransition, Expiry, Strip, WholeOutage};
pub(crate) use audit::Audited;
pub(crate) use backup::{MadeBackup, Restored};
pub(crate) use brief::BriefIntegration;
pub(crate) use catalog::PlatformTests;
pub(crate) use check::{Checked, Overridden};
pub(crate) use condition::{CompactedStore, MovedStore, StoreCondition};
pub(crate) use daemon::{BackupStatus, DaemonProcess, DaemonRows, DaemonStatus, Liveness};
pub(crate) use delivery::{Delivery, ReplayPlan, Requeued};
pub(crate) use doctor::{Diagnosis, Finding, NotMade};
pub(crate) use event::StoredEvent;
pub(crate) use evidence::Evidence;
#[cfg(test)]
pub(crate) use explanation::Explained;
pub(crate) use explanation::Explanation;
pub(crate) use export::Exported;
pub(crate) use failing::{FailingRow, Notice};
pub(crate) use filter::{FILTERS, Filter, Order};
pub(crate) use grants::{GrantState, Granted, Grants, Looked};
pub(crate) use history::{Entry, Transition};
pub(crate) use integration::{Integration, Published, PublishedStatus, config, parsed};
pub(crate) use leaves::leaves;
pub(crate) use live::{Live, LiveLoop};
pub(crate) use nodes::{Node, NodeState};
pub(crate) use ping::Pinged;
pub(crate) use receiver::{Receiver, ReceiverState};
pub(crate) use rehearsal::{Compared, Rehearsal, Rehearsed, Trial};
pub(crate) use report::{Expires, Figures, Group, Line, Month, MonthlyReport, hours};
pub(crate) use request::{RequestedRun, Revalidated};
pub(crate) use run::Run;
pub(crate) use run_filter::{CLASSES, RESULTS, RUN_FILTERS, run_filter};
pub(crate) use silence::{Silence, SilenceState, covered};
pub(crate) use situation::{Configured, Situation, acknowledgement, open_silences};
pub(crate) use summary::Summary;
pub(crate) use time::{Instant, instants};
pub(crate) use validation::{OnDemand, Validated};
pub(crate) use version::ProgramVersion;
pub(crate) use window::Window;
