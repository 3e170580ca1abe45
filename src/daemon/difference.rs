//! Difference between a configuration and what the store has: what a reload would change, and what it passes over.

use std::collections::BTreeMap;

use serde_json::Value as Json;

use super::assemble::{Assembly, stored_subscription};
use super::safety;
use crate::domain::ledger::{Described, Difference};
use crate::domain::{PassedOver, Subscription};
use crate::store::{PendingTypes, StoreError, View};

/// Returns what a reload with `assembly` would change.
pub(crate) async fn difference(view: &View, assembly: &Assembly) -> Result<Difference, StoreError> {
    let (node, used) = (view.node().await?, view.in_use().await?);
    let stored = view.stored_integrations().await?;
    let pending = view.pending_types().await?;
    let wanted: Vec<_> = assembly.integrations.values().map(|one| one.wanted.clone()).collect();
    let mut after = BTreeMap::new();
    for receiver in &assembly.receivers {
        let table = assembly.receiver_tables.get(&receiver.name);
        let described = Described {
            subscription: Some(receiver.subscription.clone()),
            table: table.map_or(Json::Null, |table| json(table)),
            passed_over: lost(&receiver.subscription, &pending),
        };
        after.insert(receiver.name.clone(), described);
    }
    let before = used.receivers.iter().map(|(name, table)| {
        // Of one that an older version has stored it is not known what it was like.
        let same = after.get(name).map(|one| one.table.clone());
        let described = Described {
            subscription: table.as_deref().and_then(stored_subscription),
            table: table.as_deref().map(json).or(same).unwrap_or_default(),
            passed_over: 0,
        };
        (name.clone(), described)
    });
    let refused = safety::reason(&node, &used, assembly);
    let difference = Difference::between(&stored, &wanted, &before.collect(), &after);
    Ok(Difference { refused, ..difference })
}

fn json(text: &str) -> Json {
    serde_json::from_str(text).unwrap_or_default()
}

/// Returns the receivers whose format has no place for some of what is pending for them.
pub(super) fn passed_over(assembly: &Assembly, pending: &PendingTypes) -> Vec<PassedOver> {
    let lost = assembly.receivers.iter().map(|receiver| PassedOver {
        receiver: receiver.name.clone(),
        format: receiver.format.as_str().to_owned(),
        messages: lost(&receiver.subscription, pending),
    });
    lost.filter(|one| 0 < one.messages).collect()
}

/// Returns the number of pending messages that the receiver's format has no place for.
fn lost(subscription: &Subscription, pending: &PendingTypes) -> u32 {
    let types = pending.get(&subscription.receiver).into_iter().flatten();
    types.filter(|(kind, _)| !subscription.format.takes(*kind)).map(|(_, count)| *count).sum()
}
