//! Guard of starts and reloads: refuses mass removals, and goes on with what the store keeps.

use std::collections::BTreeSet;
use std::sync::Arc;

use tracing::warn;

use super::assemble::{Assembled, Assembly, Stored, find, parse_stored};
use super::error::DaemonError;
use super::validate::nothing_ran;
use crate::config::Settings;
use crate::domain::{Observed, Removals, Schedule, Test, refusal};
use crate::platforms::{BoxFuture, Identity, PLATFORMS, RunContext, Validated, Validator};
use crate::store::{KeptRow, NodeNote, Store, StoreError, Wanted};

/// Returns the reason to refuse `assembly`: it would remove too much, or its folder of drop-ins is gone.
/// The allowance of an operator is used up by it.
pub(super) async fn check(
    store: &Store,
    assembly: &Assembly,
) -> Result<Option<String>, StoreError> {
    let view = store.view();
    let (node, used) = (view.node().await?, view.in_use().await?);
    let max = assembly.settings.removals_max;
    let allowed = node.removals_allowed;
    let drop_ins = &assembly.drop_ins;
    if allowed.is_none() && !drop_ins.is_there && node.drop_ins.as_ref() == Some(&drop_ins.folder) {
        let folder = &drop_ins.folder;
        return Ok(Some(format!(
            "the folder {folder} held drop-ins and is gone; put it back, or make an empty one"
        )));
    }
    let receivers: BTreeSet<_> = assembly.receivers.iter().map(|one| one.name.clone()).collect();
    let renamed: BTreeSet<_> =
        assembly.integrations.values().filter_map(|one| one.wanted.formerly.as_ref()).collect();
    let is_gone =
        |name: &&String| !assembly.integrations.contains_key(*name) && !renamed.contains(*name);
    let gone: Vec<_> = used.integrations.iter().filter(is_gone).cloned().collect();
    let total = used.integrations.len();
    let removals = Removals { kind: "integration", gone: &gone, total };
    let refused = refusal(removals, max, allowed).or_else(|| {
        let gone: Vec<_> = used.receivers.difference(&receivers).cloned().collect();
        let total = used.receivers.len();
        refusal(Removals { kind: "receiver", gone: &gone, total }, max, allowed)
    });
    if allowed.is_some() {
        store.note(NodeNote::RemovalsDone).await?;
    }
    if refused.is_none() {
        let folder = (0 < drop_ins.files).then(|| drop_ins.folder.clone());
        if folder != node.drop_ins {
            store.note(NodeNote::DropIns(folder)).await?;
        }
    }
    Ok(refused)
}

/// Returns `assembly` with the integrations that it would remove, by their stored configurations.
pub(super) async fn with_stored(
    store: &Store,
    assembly: &Assembly,
) -> Result<Assembly, DaemonError> {
    let mut all = assembly.clone();
    for row in store.view().stored_configurations().await? {
        if all.integrations.contains_key(&row.name) {
            continue;
        }
        let name = row.name.clone();
        match kept(row, &all.settings) {
            Ok(one) => drop(all.integrations.insert(name, one)),
            Err(reason) => warn!(integration = name, "{name} cannot go on as stored: {reason}"),
        }
    }
    let peers = all.integrations.values().map(Assembled::peer).collect();
    Ok(Assembly { peers: Arc::new(peers), ..all })
}

/// Returns an integration as the store kept it, by the policy of the defaults.
fn kept(row: KeptRow, settings: &Settings) -> Result<Assembled, String> {
    let platform = find(PLATFORMS, &row.kind)
        .ok_or_else(|| format!("platform `{}` is not part of this binary", row.kind))?;
    let schedule = Schedule::parse(&row.cron, &row.zone).map_err(|error| error.to_string())?;
    let bootstrap = row.auto_bootstrap.unwrap_or_default();
    let lost = |reason: &str| -> Arc<dyn Validator> {
        Arc::new(Lost { catalog: platform.catalog, reason: reason.to_owned() })
    };
    let validator = match parse_stored(&row.kind, &row.config, bootstrap, PLATFORMS) {
        Stored::Ready(validator) => validator.into(),
        Stored::SecretGone => lost("The configuration is gone, and with it the secret in it."),
        Stored::Unreadable(_) => lost("The configuration is gone, and its copy cannot be read."),
    };
    let identity = validator.identity();
    let wanted = Wanted {
        name: row.name,
        kind: row.kind,
        auto_bootstrap: row.auto_bootstrap,
        labels: row.labels,
        disabled: false,
        formerly: None,
        schedule,
        config: row.config,
        config_shown: row.config_shown,
        catalog_version: row.catalog_version,
        factors: identity.factors(),
    };
    let (policy, checks) = (settings.defaults.policy, settings.defaults.checks.clone());
    Ok(Assembled { wanted, platform, identity, policy, checks, validator })
}

/// Validator of an integration whose secret went with its configuration: it gives no verdict.
#[derive(Debug)]
struct Lost {
    catalog: &'static [Test],
    reason: String,
}

impl Validator for Lost {
    fn identity(&self) -> Identity {
        Identity::default()
    }

    fn validate<'a>(&'a self, _run: &'a RunContext) -> BoxFuture<'a, Validated> {
        let report = nothing_ran(self.catalog, &self.reason);
        Box::pin(async { Validated { report, observed: Observed::default() } })
    }
}
