//! Claims of runs (work queue): those that a node begins together are leased in one transaction.
//!
//! Claims of all nodes follow each other by a gate, so that runs at a host are counted right, and none is begun by files
//! that are no longer in force. A row that another transaction has locked is passed over, and so is one of a pool that
//! this node is not in, or that is reserved for others. Tokens are unique, so that a result of a lease that has ended is never taken for that of another
//! one.

use std::collections::{BTreeMap, BTreeSet};
use std::error::Error;
use std::sync::Arc;

use tokio::sync::{mpsc, oneshot};
use tokio_postgres::Row;

use super::column::{instant, parse, trigger};
use super::connect::Connections;
use super::eligible::Eligible;
use super::error::Fault;
use super::gathered::Gathered;
use super::planted::{self, Hazard};
use super::tx::{Reads, Tx, get, params, transact};
use super::{Began, Begun, Lease, StoreError, cluster, configuration, fingerprint, gate};
use crate::domain::{IntegrationId, Status, Timestamp};

/// Run that is to begin, with the caller that waits for it.
#[derive(Debug)]
pub(super) struct Waiting {
    /// Integration that it is about.
    pub(super) id: IntegrationId,
    /// Host that it talks to.
    pub(super) host: String,
    /// The most runs at the host, on all nodes together.
    pub(super) most: usize,
    /// Lease that it is to have.
    pub(super) lease: Lease,
    /// Number of the configuration by which it is made.
    pub(super) generation: i64,
    /// Present instant of the caller.
    pub(super) now: Timestamp,
    /// Receives the result after the commit.
    pub(super) answer: oneshot::Sender<Result<Began, StoreError>>,
}

/// Starts the task that begins runs; it ends with the last sender of its queue.
pub(super) fn start(connections: Connections, eligible: Arc<Eligible>) -> mpsc::Sender<Waiting> {
    let (queue, mut gathered) = Gathered::new();
    tokio::spawn(async move {
        while let Some(batch) = gathered.next().await {
            begin(&connections, &eligible, batch).await;
            gathered.ended();
        }
    });
    queue
}

/// Begins a batch, and answers its callers.
async fn begin(connections: &Connections, eligible: &Eligible, batch: Vec<Waiting>) {
    let done = transact!(
        connections,
        tx => all(tx, eligible, &batch).await,
        done => are_claimed(tx, done).await
    );
    match done {
        Ok(mut began) => {
            for one in batch {
                let found = began.remove(&one.lease.token).unwrap_or(Began::Running);
                // A caller that has gone away leaves a lease that ends by itself.
                one.answer.send(Ok(found)).ok();
            }
        }
        Err(error) => {
            let away = error.unreachable();
            let error: Arc<dyn Error + Send + Sync> = Arc::new(error);
            for one in batch {
                let error = match &away {
                    Some(why) => Fault::Unreachable(why.clone()).into(),
                    None => StoreError::Commit(Arc::clone(&error)),
                };
                one.answer.send(Err(error)).ok();
            }
        }
    }
}

/// Results by the tokens of the leases.
type Results = BTreeMap<i64, Began>;

/// Returns true when a batch is stored, of which it is not known: all of it is, or nothing.
async fn are_claimed(tx: &Tx, done: &Results) -> Result<bool, StoreError> {
    const SQL: &str = "
        SELECT EXISTS (SELECT 1 FROM revalidated.work
                       WHERE integration_id = $1 AND lease_token = $2) AS found";
    for (token, began) in done {
        if let Began::Run(begun) = began {
            let params = params![begun.id.0 => INT8, token => INT8];
            return get(&tx.one(SQL, params).await?, "found");
        }
    }
    Ok(true)
}

/// Leases the rows that are due and free, those first that are longest due, as far as there is room at their hosts.
pub(super) const LEASE: &str = "
    WITH asked AS (
        SELECT * FROM unnest($1, $2, $3, $4, $5, $6)
            AS asked (id, token, until_ms, host, most, generation)),
    free AS (
        SELECT work.integration_id, asked.token, asked.until_ms, asked.host, asked.most, next_run_at_ms
        FROM asked JOIN revalidated.work ON work.integration_id = asked.id
        WHERE next_run_at_ms <= $7 AND (lease_until_ms IS NULL OR lease_until_ms <= $7)
          AND asked.generation = (SELECT config_generation FROM revalidated.meta)
          AND work.pool = ANY($9)
          AND (elsewhere IS NULL OR elsewhere <> $10 OR elsewhere_until_ms <= $7)
        FOR NO KEY UPDATE OF work SKIP LOCKED),
    used AS (
        SELECT hosts.host, count(other.integration_id) AS runs
        FROM (SELECT DISTINCT host FROM free WHERE host <> '') AS hosts
        LEFT JOIN revalidated.work AS other
            ON other.host = hosts.host AND other.host <> '' AND other.lease_until_ms > $7
        GROUP BY hosts.host),
    placed AS (
        SELECT free.*, row_number() OVER (PARTITION BY free.host ORDER BY next_run_at_ms, integration_id)
            + coalesce(used.runs, 0) AS place
        FROM free LEFT JOIN used ON used.host = free.host)
    UPDATE revalidated.work
    SET lease_owner = $8, lease_token = placed.token, lease_until_ms = placed.until_ms,
        host = placed.host
    FROM placed
    WHERE work.integration_id = placed.integration_id AND (placed.host = '' OR place <= placed.most)
    RETURNING work.integration_id AS id, lease_token, next_trigger, work.next_run_at_ms";

async fn all(tx: &Tx, eligible: &Eligible, batch: &[Waiting]) -> Result<Results, StoreError> {
    let mut seen = BTreeSet::new();
    let asked: Vec<_> = batch.iter().filter(|one| seen.insert(one.id)).collect();
    let (Some(now), Some(owner)) =
        (asked.iter().map(|one| one.now).max(), asked.last().map(|one| one.lease.owner))
    else {
        return Ok(Results::new());
    };
    let of =
        |value: &dyn Fn(&Waiting) -> i64| asked.iter().map(|one| value(one)).collect::<Vec<_>>();
    let (ids, tokens) = (of(&|one| one.id.0), of(&|one| one.lease.token));
    let in_force =
        if planted::is(Hazard::Files) { Some(cluster::generation(tx).await?) } else { None };
    let (ends, generations) =
        (of(&|one| one.lease.until.0), of(&|one| in_force.unwrap_or(one.generation)));
    let is_unlimited = planted::is(Hazard::Limits);
    let most = of(&|one| {
        if is_unlimited { i64::MAX } else { i64::try_from(one.most).unwrap_or(i64::MAX) }
    });
    let hosts: Vec<_> = asked.iter().map(|one| one.host.as_str()).collect();
    let pools = eligible.pools();
    gate::lock(tx, gate::CLAIM).await?;
    let values = params![
        ids => INT8_ARRAY, tokens => INT8_ARRAY, ends => INT8_ARRAY, hosts => TEXT_ARRAY,
        most => INT8_ARRAY, generations => INT8_ARRAY, now.0 => INT8, owner => INT8,
        pools => TEXT_ARRAY, eligible.node() => TEXT,
    ];
    let mut leases = BTreeMap::new();
    for row in tx.rows(LEASE, values).await? {
        leases.insert(get::<i64>(&row, "id")?, row);
    }
    let described = described(tx, &ids, eligible, now).await?;
    let mut results = Results::new();
    for one in asked {
        let row = described.get(&one.id.0);
        let began = match (leases.get(&one.id.0), row) {
            (Some(lease), Some(row)) => Began::Run(begun(tx, one, lease, row).await?),
            (_, None) => Began::NotInUse,
            (None, Some(row)) => why_not(row, one)?,
        };
        results.insert(one.lease.token, began);
    }
    Ok(results)
}

/// Loads what describes runs, and why one cannot begin, once their rows are locked.
async fn described(
    tx: &Reads,
    ids: &[i64],
    eligible: &Eligible,
    now: Timestamp,
) -> Result<BTreeMap<i64, Row>, StoreError> {
    const SQL: &str = "
        SELECT integration.id, name, kind, status, pending_status, fingerprint.content, next_run_at_ms,
               lease_until_ms, pool = ANY($2)
                   AND (elsewhere IS NULL OR elsewhere <> $3 OR elsewhere_until_ms <= $4)
                   AS is_eligible, (SELECT config_generation FROM revalidated.meta) AS generation
        FROM revalidated.integration
        JOIN revalidated.work ON work.integration_id = integration.id
        LEFT JOIN revalidated.fingerprint ON fingerprint.id = fingerprint_id
        WHERE integration.id = ANY($1)";
    let params = params![
        ids => INT8_ARRAY, eligible.pools() => TEXT_ARRAY, eligible.node() => TEXT, now.0 => INT8,
    ];
    let found = tx.rows(SQL, params).await?;
    found.into_iter().map(|row| Ok((get(&row, "id")?, row))).collect()
}

async fn begun(tx: &Tx, one: &Waiting, lease: &Row, row: &Row) -> Result<Begun, StoreError> {
    let pending: Option<&str> = get(row, "pending_status")?;
    let mut begun = Begun {
        id: one.id,
        name: get(row, "name")?,
        kind: get(row, "kind")?,
        status: parse("integration", get(row, "status")?)?,
        pending: pending.map(|name| parse("integration", name)).transpose()?,
        token: one.lease.token,
        trigger: trigger("work", get(lease, "next_trigger")?)?,
        due_at: instant(lease, "next_run_at_ms")?.unwrap_or(one.now),
        active_config: None,
        fingerprint: fingerprint::facts(get(row, "content")?)?,
    };
    if 1 < begun.subjects().len()
        && let Some((kind, config)) = configuration::active(tx, one.id).await?
    {
        (begun.kind, begun.active_config) = (kind, Some(config));
    }
    Ok(begun)
}

fn why_not(row: &Row, one: &Waiting) -> Result<Began, StoreError> {
    let status: Status = parse("integration", get(row, "status")?)?;
    let is_leased = instant(row, "lease_until_ms")?.is_some_and(|until| one.now < until);
    let is_due = instant(row, "next_run_at_ms")?.is_some_and(|due| due <= one.now);
    Ok(if !status.is_validated() {
        Began::NotInUse
    } else if is_leased {
        Began::Running
    } else if get::<i64>(row, "generation")? != one.generation || !get(row, "is_eligible")? {
        Began::Waits
    } else if is_due {
        Began::HostFull
    } else {
        Began::NotDue
    })
}
