//! Integrations and receivers in use, as the store has them.

use std::collections::{BTreeMap, BTreeSet};

use crate::domain::{IntegrationId, Pool};

/// Names of integrations and receivers in use.
#[derive(Clone, Debug, Default)]
pub(crate) struct InUse {
    /// Integrations that are neither deleted nor disabled.
    pub(crate) integrations: BTreeSet<String>,
    /// Receivers that are configured, each with its table as JSON without secrets; one that an older version
    /// has stored has none.
    pub(crate) receivers: BTreeMap<String, Option<String>>,
    /// Names of all integrations there ever were and whose rows are kept, by their ids.
    pub(crate) ids: BTreeMap<IntegrationId, String>,
}

/// Integration with the configuration that the store keeps of it.
#[derive(Clone, Debug)]
pub(crate) struct KeptRow {
    /// Name in the configuration.
    pub(crate) name: String,
    /// Published name of the platform.
    pub(crate) kind: String,
    /// `autoBootstrap`, if it has one.
    pub(crate) auto_bootstrap: Option<bool>,
    /// Labels in the configuration.
    pub(crate) labels: BTreeMap<String, String>,
    /// Cron expression of the schedule.
    pub(crate) cron: String,
    /// Time zone of the schedule.
    pub(crate) zone: String,
    /// Latest platform configuration: references to secrets as they are, literal secrets redacted.
    pub(crate) config: String,
    /// Configuration as people see it.
    pub(crate) config_shown: String,
    /// Catalog version of that configuration.
    pub(crate) catalog_version: u32,
    /// Nodes that may validate it; none where there is one node.
    pub(crate) pool: Option<Pool>,
}
