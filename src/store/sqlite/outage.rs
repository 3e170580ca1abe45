//! Outages and the factors that integrations share: what decisions read of them, and what they write.

use rusqlite::{Connection, OptionalExtension, Row as SqlRow, named_params};

use super::checksum::sound;
use super::column::{exists, instant, labels, parse, status};
use super::page::{self, Key, Listed, Page};
use super::{OutageRow, StoreError};
use crate::domain::ledger::{NewOutage, OutageState, Shared, Sibling};
use crate::domain::{
    Factor, IntegrationId, IntegrationRef, OutageMember, SIBLINGS_MAX, SharedCause, Timestamp,
};

/// The most failing siblings that are looked at as evidence.
const EVIDENCE_ROWS_MAX: u32 = 500;

/// Replaces what an integration may have in common with others.
pub(super) fn set_factors(
    tx: &Connection,
    id: IntegrationId,
    factors: &[Factor],
) -> Result<(), StoreError> {
    const INSERT: &str = "
        INSERT INTO factor (integration_id, kind, value) VALUES (:id, :kind, :value)";
    if self::factors(tx, id)? == factors {
        return Ok(());
    }
    tx.prepare_cached("DELETE FROM factor WHERE integration_id = ?1")?.execute([id.0])?;
    let mut insert = tx.prepare_cached(INSERT)?;
    for Factor { kind, value } in factors {
        insert.execute(named_params! {":id": id.0, ":kind": kind.as_str(), ":value": value})?;
    }
    Ok(())
}

/// Loads the factors that an integration may share with others, the most specific first.
pub(super) fn factors(tx: &Connection, id: IntegrationId) -> Result<Vec<Factor>, StoreError> {
    const SQL: &str = "SELECT kind, value FROM factor WHERE integration_id = :id";
    let mut statement = tx.prepare_cached(SQL)?;
    let found = statement.query_and_then(named_params! {":id": id.0}, |row| {
        let kind = parse("factor", &row.get::<_, String>("kind")?)?;
        Ok::<_, StoreError>(Factor { kind, value: row.get("value")? })
    })?;
    let mut found = found.collect::<Result<Vec<_>, _>>()?;
    found.sort();
    Ok(found)
}

/// Integrations that work and share a factor with one that has begun to fail, those first whose latest
/// look lies back furthest.
pub(super) const SIBLINGS: &str = "
    SELECT integration.id FROM factor JOIN integration ON integration.id = integration_id
    WHERE factor.kind = :kind AND factor.value = :value AND integration.id <> :id
      AND status = 'enabled' AND suspect_since_ms IS NULL AND lease_until_ms IS NULL
      AND next_run_at_ms > :now
    ORDER BY next_run_at_ms LIMIT :most";

/// Loads siblings that may be made due; more than one factor makes due.
pub(super) fn idle_siblings(
    tx: &Connection,
    shared: &Shared,
    now: Timestamp,
) -> Result<Vec<IntegrationId>, StoreError> {
    let mut statement = tx.prepare_cached(SIBLINGS)?;
    let params = named_params! {
        ":kind": shared.factor.kind.as_str(), ":value": shared.factor.value,
        ":id": shared.by.0, ":now": now.0, ":most": SIBLINGS_MAX.saturating_mul(3),
    };
    let found = statement.query_map(params, |row| row.get(0).map(IntegrationId))?;
    Ok(found.collect::<Result<_, _>>()?)
}

/// Another integration that has no answer already and shares this; few fail, many may share, so that those
/// that fail come first.
pub(super) const ANOTHER: &str = "
    SELECT EXISTS (
        SELECT 1 FROM integration CROSS JOIN factor ON factor.integration_id = integration.id
        WHERE suspect_since_ms >= :after AND suspect_class IN ('unreachable', 'unavailable')
          AND factor.kind = :kind AND factor.value = :value
          AND integration.id <> :id)";

/// Returns true when another integration shares this and has had no answer since `after` or later.
pub(super) fn another_fails(
    tx: &Connection,
    shared: &Shared,
    after: Timestamp,
) -> Result<bool, StoreError> {
    exists(
        tx,
        ANOTHER,
        named_params! {
            ":after": after.0, ":kind": shared.factor.kind.as_str(),
            ":value": shared.factor.value, ":id": shared.by.0,
        },
    )
}

/// The outage of this factor that is not over.
pub(super) const OPEN: &str = "
    SELECT id FROM outage
    WHERE kind = :kind AND value = :value AND cause = :cause AND resolved_at_ms IS NULL";

/// Loads the open outage of a factor and a cause.
pub(super) fn open_of(
    tx: &Connection,
    factor: &Factor,
    cause: SharedCause,
) -> Result<Option<String>, StoreError> {
    let params = named_params! {
        ":kind": factor.kind.as_str(), ":value": factor.value, ":cause": cause.as_str(),
    };
    Ok(tx.prepare_cached(OPEN)?.query_row(params, |row| row.get(0)).optional()?)
}

/// Others that fail, the latest first.
pub(super) const FAILING: &str = concat!(
    "SELECT integration.id, name, integration.kind, labels, status, sequence, suspect_since_ms,
           suspect_class, status <> notified_status AS is_unnotified, ",
    sound!(integration "integration"),
    " FROM integration CROSS JOIN factor ON factor.integration_id = integration.id
    WHERE suspect_since_ms IS NOT NULL AND factor.kind = :kind AND factor.value = :value
      AND integration.id <> :id AND status IN ('enabled', 'recurringValidationError')
    ORDER BY suspect_since_ms DESC LIMIT :most"
);

/// Loads siblings that fail.
pub(super) fn failing_siblings(
    tx: &Connection,
    shared: &Shared,
) -> Result<Vec<Sibling>, StoreError> {
    let mut statement = tx.prepare_cached(FAILING)?;
    let params = named_params! {
        ":kind": shared.factor.kind.as_str(), ":value": shared.factor.value,
        ":id": shared.by.0, ":most": EVIDENCE_ROWS_MAX,
    };
    let found = statement.query_and_then(params, |row| {
        Ok(Sibling {
            member: member(row)?,
            since: Timestamp(row.get("suspect_since_ms")?),
            class: super::column::class(&row.get::<_, String>("suspect_class")?)?,
            is_unnotified: row.get("is_unnotified")?,
        })
    })?;
    found.collect()
}

/// Reads an integration as outages list it.
pub(super) fn member(row: &SqlRow<'_>) -> Result<OutageMember, StoreError> {
    Ok(OutageMember {
        integration: IntegrationRef {
            id: row.get("id")?,
            name: row.get("name")?,
            kind: row.get("kind")?,
            labels: labels(&row.get::<_, String>("labels")?)?,
        },
        status: status(row, "status")?,
        sequence: row.get("sequence")?,
    })
}

/// Number of others that have passed since.
pub(super) const PASSING: &str = "
    SELECT count(*) FROM factor
    JOIN integration ON integration.id = factor.integration_id
    JOIN run ON run.id = integration.last_run_id
    WHERE factor.kind = :kind AND factor.value = :value AND integration.id <> :id
      AND suspect_since_ms IS NULL AND run.started_at_ms >= :since
      AND run.status IN ('passed', 'warning')";

/// Counts siblings that have passed since an instant.
pub(super) fn passing_siblings(
    tx: &Connection,
    shared: &Shared,
    since: Timestamp,
) -> Result<usize, StoreError> {
    let params = named_params! {
        ":since": since.0, ":kind": shared.factor.kind.as_str(), ":value": shared.factor.value,
        ":id": shared.by.0,
    };
    let passing: i64 = tx.prepare_cached(PASSING)?.query_row(params, |row| row.get(0))?;
    Ok(usize::try_from(passing).unwrap_or(0))
}

/// The state of an outage as the member `id` sees it.
pub(super) const STATE: &str = "
    SELECT resolved_at_ms IS NULL, close_at_ms IS NOT NULL,
           EXISTS (SELECT 1 FROM integration
                   WHERE outage_id = :outage AND id <> :id AND status = 'recurringValidationError')
    FROM outage WHERE id = :outage";

/// Loads the state of an outage; one that is not there is over.
pub(super) fn state(
    tx: &Connection,
    outage: &str,
    id: IntegrationId,
) -> Result<OutageState, StoreError> {
    let read = |row: &SqlRow<'_>| {
        Ok(OutageState { is_open: row.get(0)?, is_closing: row.get(1)?, has_others: row.get(2)? })
    };
    let params = named_params! {":outage": outage, ":id": id.0};
    let found = tx.prepare_cached(STATE)?.query_row(params, read).optional()?;
    let over = OutageState { is_open: false, is_closing: true, has_others: false };
    Ok(found.unwrap_or(over))
}

/// Other members that still fail by an outage and are due later.
pub(super) const STILL_FAILING: &str = "
    SELECT id FROM integration
    WHERE outage_id = :outage AND id <> :id AND status = 'recurringValidationError'
      AND lease_until_ms IS NULL AND next_run_at_ms > :now
    ORDER BY id";

/// Loads the members that may be made due when the first of them recovers.
pub(super) fn failing_members(
    tx: &Connection,
    outage: &str,
    id: IntegrationId,
    now: Timestamp,
) -> Result<Vec<IntegrationId>, StoreError> {
    let mut statement = tx.prepare_cached(STILL_FAILING)?;
    let params = named_params! {":outage": outage, ":id": id.0, ":now": now.0};
    let found = statement.query_map(params, |row| row.get(0).map(IntegrationId))?;
    Ok(found.collect::<Result<_, _>>()?)
}

/// Adds an outage that opens.
pub(super) fn open(tx: &Connection, new: &NewOutage) -> Result<(), StoreError> {
    const SQL: &str = "
        INSERT INTO outage (id, event_id, kind, value, cause, since_ms)
        VALUES (:id, :event, :kind, :value, :cause, :since)";
    tx.prepare_cached(SQL)?.execute(named_params! {
        ":id": new.id, ":event": new.event, ":kind": new.factor.kind.as_str(),
        ":value": new.factor.value, ":cause": new.cause.as_str(), ":since": new.since.0,
    })?;
    Ok(())
}

/// Adds a member to an outage.
pub(super) fn enlist(tx: &Connection, outage: &str, id: IntegrationId) -> Result<(), StoreError> {
    const SQL: &str = "
        INSERT INTO outage_member (outage_id, integration_id) VALUES (:outage, :id)
        ON CONFLICT DO NOTHING";
    tx.prepare_cached(SQL)?.execute(named_params! {":outage": outage, ":id": id.0})?;
    Ok(())
}

/// Takes an integration out of its outage.
pub(super) fn leave(tx: &Connection, id: IntegrationId) -> Result<(), StoreError> {
    const SQL: &str = "UPDATE integration SET outage_id = NULL WHERE id = :id";
    tx.prepare_cached(SQL)?.execute(named_params! {":id": id.0})?;
    Ok(())
}

/// Sets when an outage that is still open is to be closed.
pub(super) fn schedule_close(
    tx: &Connection,
    outage: &str,
    at: Timestamp,
) -> Result<(), StoreError> {
    const SQL: &str = "
        UPDATE outage SET close_at_ms = :at WHERE id = :outage AND resolved_at_ms IS NULL";
    tx.prepare_cached(SQL)?.execute(named_params! {":outage": outage, ":at": at.0})?;
    Ok(())
}

/// Closes an outage for good.
pub(super) fn resolve(tx: &Connection, outage: &str, at: Timestamp) -> Result<(), StoreError> {
    const SQL: &str = "UPDATE outage SET resolved_at_ms = :at WHERE id = :outage";
    tx.prepare_cached(SQL)?.execute(named_params! {":outage": outage, ":at": at.0})?;
    Ok(())
}

/// Columns of an outage for people.
macro_rules! outage_columns {
    () => {
        "SELECT id, kind, value, cause, since_ms, resolved_at_ms,
                (SELECT count(*) FROM outage_member WHERE outage_id = outage.id) AS members
         FROM outage "
    };
}

fn outage_row(row: &SqlRow<'_>) -> Result<OutageRow, StoreError> {
    let kind = parse("outage", &row.get::<_, String>("kind")?)?;
    Ok(OutageRow {
        id: row.get("id")?,
        factor: Factor { kind, value: row.get("value")? },
        cause: parse("outage", &row.get::<_, String>("cause")?)?,
        since: Timestamp(row.get("since_ms")?),
        ended_at: instant(row, "resolved_at_ms")?,
        members: row.get("members")?,
    })
}

/// Loads an outage for people.
pub(super) fn find(tx: &Connection, id: &str) -> Result<Option<OutageRow>, StoreError> {
    const SQL: &str = concat!(outage_columns!(), "WHERE id = :id");
    let mut statement = tx.prepare_cached(SQL)?;
    let mut rows = statement.query(named_params! {":id": id})?;
    rows.next()?.map(outage_row).transpose()
}

/// Outages before a key, those that began last first.
pub(super) const LIST: &str = concat!(
    outage_columns!(),
    "WHERE (since_ms, id) < (:since, :before) AND (NOT :open OR resolved_at_ms IS NULL)
     ORDER BY since_ms DESC, id DESC LIMIT :limit"
);

/// Reads a page of the outages, those that began last first; with `is_open` only those that last.
pub(super) fn list(
    tx: &Connection,
    is_open: bool,
    page: &Page,
) -> Result<Listed<OutageRow>, StoreError> {
    let (since, before) = page::before_outage(tx, page)?;
    let mut statement = tx.prepare_cached(LIST)?;
    let params = named_params! {
        ":since": since, ":before": before, ":open": is_open, ":limit": page::with_next(page),
    };
    let rows = statement.query_and_then(params, outage_row)?.collect::<Result<Vec<_>, _>>()?;
    page::listed(tx, page, rows, |row| Key::Outage(row.since.0, row.id.clone()))
}

/// Integrations of an outage, whether they still fail by it or not.
pub(super) const MEMBERS: &str = "
    SELECT integration.id, name, integration.kind, labels, status, sequence
    FROM outage_member JOIN integration ON integration.id = integration_id
    WHERE outage_member.outage_id = :outage ORDER BY integration_id";

/// Loads the members of an outage, by name.
pub(super) fn members(tx: &Connection, outage: &str) -> Result<Vec<OutageMember>, StoreError> {
    let mut statement = tx.prepare_cached(MEMBERS)?;
    let found = statement.query_and_then(named_params! {":outage": outage}, member)?;
    let mut members = found.collect::<Result<Vec<_>, _>>()?;
    members.sort_by(|one, other| one.integration.name.cmp(&other.integration.name));
    Ok(members)
}
