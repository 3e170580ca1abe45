//! Placement: whether a store of one node can do what the configuration wants of nodes with labels.

use crate::config::{Integration, Loaded, RUN_ON, Settings};
use crate::domain::{Location, Pool};
use crate::input::Reader;
use crate::webhook::{Receiver, SEND_FROM};

/// Reports the integrations that would never be validated.
pub(super) fn check_integrations(all: &[Integration], loaded: &Loaded) {
    for Integration { entry, plan, .. } in all {
        if let (Some(plan), Some(reader)) = (plan, entry.reader(&loaded.faults)) {
            let idle = "so that it would never be validated";
            check(&plan.run_on, RUN_ON, idle, &loaded.settings, &reader);
        }
    }
}

/// Reports a receiver that would never be sent anything.
pub(super) fn check_receiver(receiver: &Receiver, settings: &Settings, reader: &Reader<'_>) {
    let idle = "so that it would never be sent anything";
    check(&receiver.send_from, SEND_FROM, idle, settings, reader);
}

/// Reports that the only node of a file is not in a pool, so that what is meant for it would never be done.
fn check(pool: &Pool, key: &str, idle: &str, settings: &Settings, reader: &Reader<'_>) {
    let Location::File(_) = settings.store else { return };
    let own = &settings.node.labels;
    if pool.has(own) {
        return;
    }
    let own =
        if own.is_empty() { "no labels".to_owned() } else { Pool::of(own.clone()).to_string() };
    let problem = format!(
        "asks for a node with {pool}, and the only node of a file, this one, has {own}, {idle}; add the labels to \
         `node.labels`, take this out, or share a database by `store.url` with a node that has them"
    );
    reader.fault(key, problem);
}
