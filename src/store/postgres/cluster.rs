//! Configuration of a cluster (compare-and-swap by generation): which files are in force, and what a node does whose
//! files differ.
//!
//! The digest is that of what a sync writes, and of what decisions rest on. A node works while its own equals the one
//! in force; one whose files were changed puts them in force only from the generation that it ran itself, so that of
//! two who change them at the same time one waits.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use aws_lc_rs::digest::{SHA256, digest as sha256};

use super::column::instant;
use super::tx::{Reads, Tx, get, params};
use super::{Configured, Publishing, StoreError, Wanted, gate, node};
use crate::domain::Timestamp;

/// The most differences that a node names.
const NAMED_MAX: usize = 3;
/// Hexadecimal digits of a digest that people are shown.
const SHOWN: usize = 8;

/// Digest of the files of a node, and of each part.
#[derive(Debug)]
pub(super) struct Files {
    digest: String,
    parts: BTreeMap<String, String>,
}

impl Files {
    /// Computes the digests of a configuration.
    pub(super) fn of(configured: &Configured) -> Self {
        let Configured { integrations, receivers, others, .. } = configured;
        let mut texts: BTreeMap<String, String> = BTreeMap::new();
        for wanted in integrations {
            texts.insert(format!("integration {}", wanted.name), text(wanted));
        }
        for (name, table) in receivers {
            texts.insert(format!("receiver {name}"), table.clone());
        }
        for (name, other) in others {
            texts.entry(name.clone()).or_default().push_str(other);
        }
        let parts: BTreeMap<_, _> =
            texts.into_iter().map(|(name, text)| (name, digest(text.as_bytes()))).collect();
        let all = parts.iter().fold(String::new(), |mut all, (name, part)| {
            // Writing to a text does not fail.
            let _written = writeln!(all, "{name}\t{part}");
            all
        });
        Self { digest: digest(all.as_bytes()), parts }
    }
}

fn digest(bytes: &[u8]) -> String {
    sha256(&SHA256, bytes).as_ref().iter().take(16).fold(String::new(), |mut text, byte| {
        let _written = write!(text, "{byte:02x}");
        text
    })
}

/// Returns what is stored of an integration, in a form that is the same on every node.
fn text(wanted: &Wanted) -> String {
    let Wanted {
        name,
        formerly,
        id,
        kind,
        auto_bootstrap,
        labels,
        disabled,
        schedule,
        config,
        config_shown,
        catalog_version,
        factors,
        run_on,
    } = wanted;
    let (cron, zone) = (schedule.text(), schedule.zone());
    format!(
        "{name:?} {formerly:?} {id:?} {kind:?} {auto_bootstrap:?} {labels:?} {disabled} {cron:?} {zone:?} {config:?} \
         {config_shown:?} {catalog_version} {factors:?} {run_on:?}"
    )
}

/// Configuration that is in force.
#[derive(Debug)]
struct InForce {
    generation: i64,
    digest: String,
    node: String,
    at: Timestamp,
}

/// Returns the number of the configuration in force; zero before the first.
pub(super) async fn generation(tx: &Reads) -> Result<i64, StoreError> {
    const SQL: &str = "SELECT config_generation FROM revalidated.meta";
    get(&tx.one(SQL, &[]).await?, "config_generation")
}

/// Node whose files are compared with the configuration in force.
#[derive(Clone, Copy, Debug)]
pub(super) struct Own<'a> {
    /// Name of the node.
    pub(super) name: &'a str,
    /// Number of the configuration by which it works; none while it waits, or has just started.
    pub(super) works_by: Option<i64>,
    /// True when it has just started.
    pub(super) is_starting: bool,
}

/// Outcome of the comparison.
#[derive(Debug)]
pub(super) enum Fit {
    /// The rows are brought in line with its files, which are in force under this number then.
    Apply(i64),
    /// Its files are in force under this number already, and the rows are in line with them.
    Join(i64),
    /// It waits, for this reason, while another configuration is in force under this number.
    Wait(i64, String),
}

/// Compares the files of a node with the configuration in force, under the gate of configurations.
pub(super) async fn compare(
    tx: &Tx,
    files: &Files,
    publishing: Publishing,
    own: Own<'_>,
) -> Result<Fit, StoreError> {
    const NODE: &str = "SELECT generation, publishes FROM revalidated.node WHERE name = $1";
    let in_force = in_force(tx).await?;
    let row = tx.row(NODE, params![own.name => TEXT]).await?;
    let (ran, is_asked): (i64, bool) = match &row {
        Some(row) => (get(row, "generation")?, get(row, "publishes")?),
        None => (0, false),
    };
    let has_others = node::has_others(tx, own.name).await?;
    let facts = Facts {
        in_force: in_force.generation,
        is_same: in_force.digest == files.digest,
        ran,
        works_by: own.works_by,
        is_starting: own.is_starting,
        has_others,
        is_asked,
        is_follower: publishing == Publishing::Follow,
    };
    Ok(match facts.way() {
        Way::Apply => Fit::Apply(in_force.generation.max(1)),
        Way::Replace => Fit::Apply(in_force.generation.saturating_add(1)),
        Way::Join => Fit::Join(in_force.generation),
        Way::Wait => Fit::Wait(in_force.generation, difference(tx, files, &in_force).await?),
    })
}

/// Way in which files that were read come into force, or not.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Way {
    /// They are in force, or the first: the rows are brought in line with them.
    Apply,
    /// They take the place of those in force.
    Replace,
    /// They are in force, and the rows are in line with them.
    Join,
    /// Others are in force.
    Wait,
}

/// Circumstances in which the files of a node were read.
#[expect(
    clippy::struct_excessive_bools,
    reason = "they are facts that have nothing to do with each other"
)]
#[derive(Clone, Copy, Debug)]
struct Facts {
    /// Number of the configuration in force; zero before the first.
    in_force: i64,
    /// True when that is the one of the files.
    is_same: bool,
    /// Number of the configuration by which the node worked last; zero when it never did.
    ran: i64,
    /// Number of the configuration by which it works now.
    works_by: Option<i64>,
    is_starting: bool,
    /// True when another node is alive.
    has_others: bool,
    /// True when a person wants its files to be in force.
    is_asked: bool,
    /// True when it has read them because others were put in force.
    is_follower: bool,
}

impl Facts {
    /// Decides what becomes of the files: those that were changed here are put in force, unless others were meanwhile.
    const fn way(self) -> Way {
        let is_latest = match self.works_by {
            _ if self.is_starting => {
                !self.has_others && (self.ran == 0 || self.ran == self.in_force)
            }
            Some(works_by) => works_by == self.in_force,
            None => false,
        };
        if self.in_force == 0 {
            Way::Apply
        } else if self.is_same {
            // A start after all have stopped spreads what has come due.
            let is_alone = self.is_starting && !self.has_others;
            if !self.is_follower && (is_alone || is_latest) { Way::Apply } else { Way::Join }
        } else if self.is_asked || (is_latest && !self.is_follower) {
            Way::Replace
        } else {
            Way::Wait
        }
    }
}

/// Notes in the row of a node by which configuration it works from now on; last, for its heartbeats change the row too.
pub(super) async fn note(tx: &Tx, own: &str, generation: i64) -> Result<(), StoreError> {
    const SQL: &str =
        "UPDATE revalidated.node SET generation = $2, publishes = FALSE WHERE name = $1";
    tx.execute(SQL, params![own => TEXT, generation => INT8]).await?;
    Ok(())
}

async fn in_force(tx: &Reads) -> Result<InForce, StoreError> {
    const SQL: &str = "
        SELECT config_generation, config_digest, config_node, config_at_ms FROM revalidated.meta";
    let row = tx.one(SQL, &[]).await?;
    Ok(InForce {
        generation: get(&row, "config_generation")?,
        digest: get(&row, "config_digest")?,
        node: get(&row, "config_node")?,
        at: instant(&row, "config_at_ms")?.unwrap_or_default(),
    })
}

/// Returns the sentence that says how the files of a node differ from the configuration in force.
async fn difference(tx: &Reads, files: &Files, in_force: &InForce) -> Result<String, StoreError> {
    const PARTS: &str = "SELECT name, digest FROM revalidated.config_part";
    let mut parts = BTreeMap::new();
    for row in tx.rows(PARTS, &[]).await? {
        parts.insert(get::<String>(&row, "name")?, get::<String>(&row, "digest")?);
    }
    let names: BTreeSet<_> = parts.keys().chain(files.parts.keys()).collect();
    let differs =
        names.into_iter().filter_map(|name| match (parts.get(name), files.parts.get(name)) {
            (Some(there), Some(here)) if there == here => None,
            (Some(_), Some(_)) => Some(format!("{name} differs")),
            (Some(_), None) => Some(format!("{name} is missing here")),
            (None, _) => Some(format!("{name} is only here")),
        });
    let differs: Vec<_> = differs.collect();
    let more = match differs.len().saturating_sub(NAMED_MAX) {
        0 => String::new(),
        more => format!(", and {more} more"),
    };
    let first: Vec<_> = differs.iter().take(NAMED_MAX).map(String::as_str).collect();
    let shown = |digest: &str| digest.chars().take(SHOWN).collect::<String>();
    let InForce { generation, digest, node, at } = in_force;
    Ok(format!(
        "the cluster runs configuration {generation} ({}, put in force by node {node} at {at}), this node has {}: \
         {}{more}; it waits until they agree",
        shown(digest),
        shown(&files.digest),
        first.join(", "),
    ))
}

/// Puts the files of a node in force under a number, after the rows were brought in line with them. No run is claimed
/// meanwhile, so that none is begun by other files afterwards.
pub(super) async fn put_in_force(
    tx: &Tx,
    files: &Files,
    generation: i64,
    own: &str,
    now: Timestamp,
) -> Result<(), StoreError> {
    const META: &str = "
        UPDATE revalidated.meta
        SET config_generation = $1, config_digest = $2, config_node = $3, config_at_ms = $4
        WHERE config_generation <> $1";
    const GONE: &str = "DELETE FROM revalidated.config_part WHERE name <> ALL($1)";
    const PARTS: &str = "
        INSERT INTO revalidated.config_part (name, digest)
        SELECT name, digest FROM unnest($1, $2) AS new (name, digest)
        ON CONFLICT (name) DO UPDATE SET digest = EXCLUDED.digest
        WHERE config_part.digest <> EXCLUDED.digest";
    let (names, digests): (Vec<_>, Vec<_>) =
        files.parts.iter().map(|(name, digest)| (name.as_str(), digest.as_str())).unzip();
    tx.execute(GONE, params![names => TEXT_ARRAY]).await?;
    tx.execute(PARTS, params![names => TEXT_ARRAY, digests => TEXT_ARRAY]).await?;
    // Last, for claims wait for it. They pass over rows that are locked, as all of them are now.
    gate::lock(tx, gate::CLAIM).await?;
    let params = params![generation => INT8, files.digest => TEXT, own => TEXT, now.0 => INT8];
    tx.execute(META, params).await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    const FACTS: Facts = Facts {
        in_force: 7,
        is_same: false,
        ran: 7,
        works_by: Some(7),
        is_starting: false,
        has_others: true,
        is_asked: false,
        is_follower: false,
    };

    #[test]
    fn reload_replaces_the_configuration_by_which_the_node_works_and_no_other() {
        let table = [
            (FACTS, Way::Replace),
            (Facts { works_by: Some(6), ..FACTS }, Way::Wait),
            (Facts { works_by: None, ..FACTS }, Way::Wait),
            (Facts { works_by: None, is_asked: true, ..FACTS }, Way::Replace),
            (Facts { is_same: true, ..FACTS }, Way::Apply),
            (Facts { is_same: true, works_by: Some(6), ..FACTS }, Way::Join),
            (Facts { is_same: true, works_by: None, ..FACTS }, Way::Join),
            (Facts { in_force: 0, ran: 0, works_by: None, ..FACTS }, Way::Apply),
        ];
        for (facts, way) in table {
            assert_eq!(facts.way(), way, "{facts:?}");
        }
    }

    #[test]
    fn follower_replaces_nothing() {
        let follower = Facts { is_follower: true, ..FACTS };
        for works_by in [None, Some(6), Some(7)] {
            let facts = Facts { works_by, ..follower };
            assert_eq!(facts.way(), Way::Wait, "{facts:?}");
            assert_eq!(Facts { is_same: true, ..facts }.way(), Way::Join, "{facts:?}");
        }
    }

    #[test]
    fn start_beside_others_replaces_nothing_and_one_alone_unless_it_missed_a_change() {
        let beside = Facts { is_starting: true, works_by: None, ..FACTS };
        let alone = Facts { has_others: false, ..beside };
        let table = [
            (beside, Way::Wait),
            (Facts { is_same: true, ..beside }, Way::Join),
            (Facts { is_asked: true, ..beside }, Way::Replace),
            (alone, Way::Replace),
            (Facts { ran: 0, ..alone }, Way::Replace),
            (Facts { ran: 6, ..alone }, Way::Wait),
            (Facts { is_same: true, ..alone }, Way::Apply),
            (Facts { is_same: true, ran: 6, ..alone }, Way::Apply),
            (Facts { in_force: 0, ran: 0, ..alone }, Way::Apply),
        ];
        for (facts, way) in table {
            assert_eq!(facts.way(), way, "{facts:?}");
        }
    }

    #[test]
    fn digest_is_the_same_for_the_same_files_and_names_the_part_that_differs() {
        let configured = |limit: &str| Configured {
            receivers: [("on-call".to_owned(), format!("{{\"concurrency\":{limit}}}"))].into(),
            others: [("retention".to_owned(), "90 d".to_owned())].into(),
            ..Configured::default()
        };
        let (one, same, other) =
            (Files::of(&configured("1")), Files::of(&configured("1")), Files::of(&configured("2")));
        assert_eq!((&one.digest, &one.parts), (&same.digest, &same.parts));
        assert_ne!(one.digest, other.digest);
        assert_eq!(one.parts["retention"], other.parts["retention"]);
        assert_ne!(one.parts["receiver on-call"], other.parts["receiver on-call"]);
        assert_eq!(one.digest.len(), 32);
    }
}
