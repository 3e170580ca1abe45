//! Outages and the factors that integrations share: what decisions read of them, and what they write.

use tokio_postgres::Row;

use super::StoreError;
use super::column::{class, labels, parse, status};
use super::tx::{Params, Reads, Tx, get, params};
use crate::domain::ledger::{NewOutage, OutageState, Shared, Sibling};
use crate::domain::{
    Factor, IntegrationId, IntegrationRef, OutageMember, SIBLINGS_MAX, SharedCause, Timestamp,
};

/// The most failing siblings that are looked at as evidence.
const EVIDENCE_ROWS_MAX: i64 = 500;

/// Replaces what an integration may have in common with others.
pub(super) async fn set_factors(
    tx: &Tx,
    id: IntegrationId,
    factors: &[Factor],
) -> Result<(), StoreError> {
    const DELETE: &str = "DELETE FROM revalidated.factor WHERE integration_id = $1";
    const INSERT: &str = "
        INSERT INTO revalidated.factor (integration_id, kind, value)
        SELECT $1, kind, value FROM unnest($2, $3) AS new (kind, value)";
    if self::factors(tx, id).await? == factors {
        return Ok(());
    }
    let kinds: Vec<_> = factors.iter().map(|factor| factor.kind.as_str()).collect();
    let values: Vec<_> = factors.iter().map(|factor| factor.value.as_str()).collect();
    tx.execute(DELETE, params![id.0 => INT8]).await?;
    let new = params![id.0 => INT8, kinds => TEXT_ARRAY, values => TEXT_ARRAY];
    tx.execute(INSERT, new).await?;
    Ok(())
}

/// Loads the factors that an integration may share with others, the most specific first.
pub(super) async fn factors(tx: &Reads, id: IntegrationId) -> Result<Vec<Factor>, StoreError> {
    const SQL: &str = "SELECT kind, value FROM revalidated.factor WHERE integration_id = $1";
    let read = |row: &Row| {
        let kind = parse("factor", get(row, "kind")?)?;
        Ok::<_, StoreError>(Factor { kind, value: get(row, "value")? })
    };
    let found = tx.rows(SQL, params![id.0 => INT8]).await?;
    let mut found = found.iter().map(read).collect::<Result<Vec<_>, _>>()?;
    found.sort();
    Ok(found)
}

/// Loads integrations that work and share a factor with one that has begun to fail, those first whose latest look
/// lies back furthest; more than one factor makes due.
pub(super) async fn idle_siblings(
    tx: &Reads,
    shared: &Shared,
    now: Timestamp,
) -> Result<Vec<IntegrationId>, StoreError> {
    const SQL: &str = "
        SELECT integration.id FROM revalidated.factor
        JOIN revalidated.integration ON integration.id = factor.integration_id
        JOIN revalidated.work ON work.integration_id = integration.id
        WHERE factor.kind = $1 AND factor.value = $2 AND integration.id <> $3
          AND status = 'enabled' AND suspect_since_ms IS NULL AND lease_until_ms IS NULL
          AND next_run_at_ms > $4
        ORDER BY next_run_at_ms LIMIT $5";
    let most = i64::from(SIBLINGS_MAX.saturating_mul(3));
    let params = params![
        shared.factor.kind.as_str() => TEXT, shared.factor.value => TEXT, shared.by.0 => INT8,
        now.0 => INT8, most => INT8,
    ];
    ids(tx, SQL, params).await
}

async fn ids(tx: &Reads, sql: &str, params: Params<'_>) -> Result<Vec<IntegrationId>, StoreError> {
    let found = tx.rows(sql, params).await?;
    found.iter().map(|row| get(row, "id").map(IntegrationId)).collect()
}

/// Returns true when another integration shares this and has had no answer since `after` or later.
pub(super) async fn another_fails(
    tx: &Reads,
    shared: &Shared,
    after: Timestamp,
) -> Result<bool, StoreError> {
    const SQL: &str = "
        SELECT EXISTS (
            SELECT 1 FROM revalidated.integration
            JOIN revalidated.factor ON factor.integration_id = integration.id
            WHERE suspect_since_ms >= $4 AND suspect_class IN ('unreachable', 'unavailable')
              AND factor.kind = $1 AND factor.value = $2 AND integration.id <> $3) AS found";
    let params = params![
        shared.factor.kind.as_str() => TEXT, shared.factor.value => TEXT, shared.by.0 => INT8,
        after.0 => INT8,
    ];
    get(&tx.one(SQL, params).await?, "found")
}

/// Loads the open outage of a factor and a cause.
pub(super) async fn open_of(
    tx: &Reads,
    factor: &Factor,
    cause: SharedCause,
) -> Result<Option<String>, StoreError> {
    const SQL: &str = "
        SELECT id FROM revalidated.outage
        WHERE kind = $1 AND value = $2 AND cause = $3 AND resolved_at_ms IS NULL";
    let params = params![
        factor.kind.as_str() => TEXT, factor.value => TEXT, cause.as_str() => TEXT,
    ];
    tx.row(SQL, params).await?.map(|row| get(&row, "id")).transpose()
}

/// Loads siblings that fail, the latest first.
pub(super) async fn failing_siblings(
    tx: &Reads,
    shared: &Shared,
) -> Result<Vec<Sibling>, StoreError> {
    const SQL: &str = "
        SELECT integration.id, name, integration.kind, labels, status, sequence, suspect_since_ms,
               suspect_class, status <> notified_status AS is_unnotified
        FROM revalidated.integration
        JOIN revalidated.factor ON factor.integration_id = integration.id
        WHERE suspect_since_ms IS NOT NULL AND factor.kind = $1 AND factor.value = $2
          AND integration.id <> $3 AND status IN ('enabled', 'recurringValidationError')
        ORDER BY suspect_since_ms DESC, integration.id LIMIT $4";
    let params = params![
        shared.factor.kind.as_str() => TEXT, shared.factor.value => TEXT, shared.by.0 => INT8,
        EVIDENCE_ROWS_MAX => INT8,
    ];
    let read = |row: &Row| {
        Ok(Sibling {
            member: member(row)?,
            since: Timestamp(get(row, "suspect_since_ms")?),
            class: class(get(row, "suspect_class")?)?,
            is_unnotified: get(row, "is_unnotified")?,
        })
    };
    tx.rows(SQL, params).await?.iter().map(read).collect()
}

/// Reads an integration as outages list it.
pub(super) fn member(row: &Row) -> Result<OutageMember, StoreError> {
    Ok(OutageMember {
        integration: IntegrationRef {
            id: get(row, "id")?,
            name: get(row, "name")?,
            kind: get(row, "kind")?,
            labels: labels(get(row, "labels")?)?,
        },
        status: status(row, "status")?,
        sequence: get(row, "sequence")?,
    })
}

/// Counts siblings that have passed since an instant.
pub(super) async fn passing_siblings(
    tx: &Reads,
    shared: &Shared,
    since: Timestamp,
) -> Result<usize, StoreError> {
    const SQL: &str = "
        SELECT count(*) AS passing FROM revalidated.factor
        JOIN revalidated.integration ON integration.id = factor.integration_id
        JOIN revalidated.work ON work.integration_id = integration.id
        JOIN revalidated.run ON run.id = work.last_run_id
        WHERE factor.kind = $1 AND factor.value = $2 AND integration.id <> $3
          AND suspect_since_ms IS NULL AND run.started_at_ms >= $4
          AND run.status IN ('passed', 'warning')";
    let params = params![
        shared.factor.kind.as_str() => TEXT, shared.factor.value => TEXT, shared.by.0 => INT8,
        since.0 => INT8,
    ];
    let passing: i64 = get(&tx.one(SQL, params).await?, "passing")?;
    Ok(usize::try_from(passing).unwrap_or(0))
}

/// Locks an outage and loads its state as the member `id` sees it; one that is not there is over.
pub(super) async fn state(
    tx: &Tx,
    outage: &str,
    id: IntegrationId,
) -> Result<OutageState, StoreError> {
    const LOCK: &str = "SELECT 1 FROM revalidated.outage WHERE id = $1 FOR NO KEY UPDATE";
    const SQL: &str = "
        SELECT resolved_at_ms IS NULL AS is_open, close_at_ms IS NOT NULL AS is_closing,
               EXISTS (SELECT 1 FROM revalidated.integration
                       WHERE outage_id = $1 AND id <> $2
                         AND status = 'recurringValidationError') AS has_others
        FROM revalidated.outage WHERE id = $1";
    tx.row(LOCK, params![outage => TEXT]).await?;
    let found = tx.row(SQL, params![outage => TEXT, id.0 => INT8]).await?;
    let Some(row) = found else {
        return Ok(OutageState { is_open: false, is_closing: true, has_others: false });
    };
    Ok(OutageState {
        is_open: get(&row, "is_open")?,
        is_closing: get(&row, "is_closing")?,
        has_others: get(&row, "has_others")?,
    })
}

/// Loads the other members that still fail by an outage and are due later: they may be made due when the first of
/// them recovers.
pub(super) async fn failing_members(
    tx: &Reads,
    outage: &str,
    id: IntegrationId,
    now: Timestamp,
) -> Result<Vec<IntegrationId>, StoreError> {
    const SQL: &str = "
        SELECT id FROM revalidated.integration
        JOIN revalidated.work ON work.integration_id = integration.id
        WHERE outage_id = $1 AND id <> $2 AND status = 'recurringValidationError'
          AND lease_until_ms IS NULL AND next_run_at_ms > $3
        ORDER BY id";
    ids(tx, SQL, params![outage => TEXT, id.0 => INT8, now.0 => INT8]).await
}

/// Adds an outage that opens.
pub(super) async fn open(tx: &Tx, new: &NewOutage) -> Result<(), StoreError> {
    const SQL: &str = "
        INSERT INTO revalidated.outage (id, event_id, kind, value, cause, since_ms)
        VALUES ($1, $2, $3, $4, $5, $6)";
    let params = params![
        new.id => TEXT, new.event => TEXT, new.factor.kind.as_str() => TEXT,
        new.factor.value => TEXT, new.cause.as_str() => TEXT, new.since.0 => INT8,
    ];
    tx.execute(SQL, params).await?;
    Ok(())
}

/// Adds a member to an outage.
pub(super) async fn enlist(tx: &Tx, outage: &str, id: IntegrationId) -> Result<(), StoreError> {
    const SQL: &str = "
        INSERT INTO revalidated.outage_member (outage_id, integration_id) VALUES ($1, $2)
        ON CONFLICT DO NOTHING";
    tx.execute(SQL, params![outage => TEXT, id.0 => INT8]).await?;
    Ok(())
}

/// Takes an integration out of its outage.
pub(super) async fn leave(tx: &Tx, id: IntegrationId) -> Result<(), StoreError> {
    const SQL: &str = "UPDATE revalidated.integration SET outage_id = NULL WHERE id = $1";
    tx.execute(SQL, params![id.0 => INT8]).await?;
    Ok(())
}

/// Sets when an outage that is still open is to be closed.
pub(super) async fn schedule_close(tx: &Tx, outage: &str, at: Timestamp) -> Result<(), StoreError> {
    const SQL: &str = "
        UPDATE revalidated.outage SET close_at_ms = $2 WHERE id = $1 AND resolved_at_ms IS NULL";
    tx.execute(SQL, params![outage => TEXT, at.0 => INT8]).await?;
    Ok(())
}

/// Closes an outage for good.
pub(super) async fn resolve(tx: &Tx, outage: &str, at: Timestamp) -> Result<(), StoreError> {
    const SQL: &str = "UPDATE revalidated.outage SET resolved_at_ms = $2 WHERE id = $1";
    tx.execute(SQL, params![outage => TEXT, at.0 => INT8]).await?;
    Ok(())
}
