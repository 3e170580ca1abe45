//! Guard of starts and reloads: refuses mass removals, and goes on with what the store keeps.

use std::collections::BTreeSet;
use std::sync::Arc;

use tracing::warn;

use super::assemble::{Assembled, Assembly, Stored, find, parse_stored, stored_receiver};
use super::error::DaemonError;
use super::validate::nothing_ran;
use crate::config::Settings;
use crate::domain::{Observed, Removals, Schedule, Test, refusal};
use crate::platforms::{BoxFuture, Identity, PLATFORMS, RunContext, Validated, Validator};
use crate::store::{InUse, KeptRow, NodeNote, NodeRow, Store, StoreError, Wanted};

/// Returns the reason to refuse `assembly`; the allowance of an operator is used up by it.
pub(super) async fn check(
    store: &Store,
    assembly: &Assembly,
) -> Result<Option<String>, StoreError> {
    let view = store.view();
    let (node, used) = (view.node().await?, view.in_use().await?);
    let refused = reason(&node, &used, assembly);
    if node.removals_allowed.is_some() {
        store.note(NodeNote::RemovalsDone).await?;
    }
    if refused.is_none() {
        let drop_ins = &assembly.drop_ins;
        let folder = (0 < drop_ins.files).then(|| drop_ins.folder.clone());
        if folder != node.drop_ins {
            store.note(NodeNote::DropIns(folder)).await?;
        }
    }
    Ok(refused)
}

/// Returns the reason to refuse `assembly`: it would remove too much, its folder of drop-ins is gone, or an id
/// in it cannot be given.
pub(super) fn reason(node: &NodeRow, used: &InUse, assembly: &Assembly) -> Option<String> {
    let allowed = node.removals_allowed;
    let drop_ins = &assembly.drop_ins;
    if allowed.is_none() && !drop_ins.is_there && node.drop_ins.as_ref() == Some(&drop_ins.folder) {
        let folder = &drop_ins.folder;
        return Some(format!(
            "the folder {folder} held drop-ins and is gone; put it back, or make an empty one"
        ));
    }
    let max = assembly.settings.removals_max;
    let renamed: BTreeSet<_> =
        assembly.integrations.values().filter_map(|one| one.wanted.formerly.as_ref()).collect();
    let is_gone =
        |name: &&String| !assembly.integrations.contains_key(*name) && !renamed.contains(*name);
    let gone: Vec<_> = used.integrations.iter().filter(is_gone).cloned().collect();
    let total = used.integrations.len();
    let removals = Removals { kind: "integration", gone: &gone, total };
    let refused = taken_id(assembly, used).or_else(|| refusal(removals, max, allowed));
    refused.or_else(|| {
        let is_gone = |name: &&String| !assembly.receiver_tables.contains_key(*name);
        let gone: Vec<_> = used.receivers.keys().filter(is_gone).cloned().collect();
        let total = used.receivers.len();
        refusal(Removals { kind: "receiver", gone: &gone, total }, max, allowed)
    })
}

/// Returns the reason to refuse an id that another integration has or had, or that is to change.
fn taken_id(assembly: &Assembly, used: &InUse) -> Option<String> {
    let asked =
        assembly.integrations.values().filter_map(|one| Some((&one.wanted, one.wanted.id?)));
    let mut problems = asked.filter_map(|(wanted, id)| {
        let Wanted { name, formerly, .. } = wanted;
        let is_own = |other: &str| other == name || formerly.as_deref() == Some(other);
        if let Some(other) = used.ids.get(&id) {
            let problem = format!("{name} cannot have the id {}: {other} has or had it", id.0);
            return (!is_own(other)).then_some(problem);
        }
        let (own, _) = used.ids.iter().rev().find(|(_, other)| *other == name)?;
        Some(format!("{name} keeps the id {}; an id is never changed to another ({})", own.0, id.0))
    });
    problems.next()
}

/// Returns `assembly` with the integrations and receivers that it would remove, by their stored configurations.
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
    for (name, table) in store.view().in_use().await?.receivers {
        if all.receiver_tables.contains_key(&name) {
            continue;
        }
        let table = table.ok_or_else(|| "its configuration was not kept".to_owned());
        match table.and_then(|table| Ok((stored_receiver(&table)?, table))) {
            Ok((receiver, table)) => {
                all.receivers.push(receiver);
                all.receiver_tables.insert(name, table);
            }
            Err(reason) => {
                warn!(receiver = name, "receiver {name} cannot go on as stored: {reason}");
            }
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
        id: None,
        schedule,
        config: row.config,
        config_shown: row.config_shown,
        catalog_version: row.catalog_version,
        factors: identity.factors(),
        run_on: row.pool.unwrap_or_else(|| settings.defaults.run_on.clone()),
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
