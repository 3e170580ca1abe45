//! Pools without a node that works: looked for at each heartbeat, by all nodes.

use std::collections::BTreeMap;

use tracing::{error, info};

use super::active::Active;
use super::assemble::Assembly;
use super::shared::Shared;
use crate::domain::{OwnFault, Pool};
use crate::store::Placed;

/// Returns what is meant for pools, those without labels left out.
pub(super) fn placed(assembly: &Assembly) -> Vec<Placed> {
    let wanted = assembly.integrations.values().map(|one| &one.wanted);
    let integrations = wanted.filter(|one| !one.disabled).map(|one| (&one.run_on, (1, 0)));
    let receivers = assembly.receivers.iter().map(|one| (&one.send_from, (0, 1)));
    let mut found: BTreeMap<&Pool, Placed> = BTreeMap::new();
    for (pool, (integration, receiver)) in integrations.chain(receivers) {
        if pool.is_everywhere() {
            continue;
        }
        let one = found.entry(pool).or_insert_with(|| Placed {
            pool: pool.clone(),
            integrations: 0,
            receivers: 0,
        });
        one.integrations += integration;
        one.receivers += receiver;
    }
    found.into_values().collect()
}

/// Opens the fault of pools without a node, or closes it.
pub(super) async fn look(shared: &Shared, active: &Active) {
    if !shared.store.is_shared() || !shared.store.is_active() {
        return;
    }
    let looked = shared.store.look_for_absent(&active.placed, &shared.context(active)).await;
    let absent = match looked {
        Ok(absent) => absent,
        Err(error) => {
            return shared.store_failed("pools without a node cannot be looked for", &error);
        }
    };
    if shared.health.note(OwnFault::Region, absent.lasts) {
        shared.beating.notify_one();
    }
    if !absent.is_news {
        return;
    }
    shared.wake_delivery();
    let fault = OwnFault::Region.as_str();
    if let Some(message) = absent.message {
        error!(fault, "{message}");
    } else {
        info!(fault, "every pool has a node that works again");
    }
}
