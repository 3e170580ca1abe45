//! Placement: whether a store of one node can do what the configuration wants of nodes with labels.

use crate::config::Settings;
use crate::domain::{Location, Pool};
use crate::input::Reader;

/// Reports that the only node of a file is not in a pool, so that what is meant for it would never be done.
pub(super) fn check(pool: &Pool, key: &str, idle: &str, settings: &Settings, reader: &Reader<'_>) {
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
