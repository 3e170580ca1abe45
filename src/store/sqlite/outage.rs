//! Outages: several integrations that fail by one shared cause are one piece of news.
//!
//! What happens to each of them is stored as always, with the outage as its `group`; it is owed only
//! to receivers that want each integration told, or that were not told of the outage.

use rusqlite::{Connection, OptionalExtension, named_params};

use super::column::{labels, parse};
use super::event::{emit_outage, fresh_id};
use super::owe;
use super::row::Row;
use super::{NotificationContext, StoreError};
use crate::domain::{
    Class, EVIDENCE_MAX, Factor, IntegrationId, IntegrationRef, OutageMember, SETTLE, SIBLINGS_MAX,
    SharedCause, Timestamp, is_outage,
};

/// The most integrations that a message lists, and that are looked at as evidence.
const LISTED_MAX: u32 = 500;

/// What the failing runs in a row of an integration are.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Suspect {
    /// When the first of them began.
    pub(super) since: Timestamp,
    /// The class of the latest.
    pub(super) class: Class,
}

/// An outage as its messages tell it.
#[derive(Debug)]
pub(super) struct Outage {
    /// `out_<uuid>`.
    pub(super) id: String,
    /// What the integrations have in common.
    pub(super) factor: Factor,
    /// What kind of trouble it is.
    pub(super) cause: String,
    /// When the first of them began to fail.
    pub(super) since: Timestamp,
    /// Who fails, or failed, by it.
    pub(super) members: Vec<OutageMember>,
    /// How many more do.
    pub(super) unlisted: usize,
}

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

/// What an integration may have in common with others, the most telling first.
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

/// Integrations that work and have something in common with one that has begun to fail, those first
/// whose latest look lies back furthest.
pub(super) const SIBLINGS: &str = "
    UPDATE integration SET next_run_at_ms = :now, next_trigger = 'confirm'
    WHERE id IN (
        SELECT integration.id FROM factor JOIN integration ON integration.id = integration_id
        WHERE factor.kind = :kind AND factor.value = :value AND integration.id <> :id
          AND status = 'enabled' AND suspect_since_ms IS NULL AND lease_until_ms IS NULL
          AND next_run_at_ms > :now
        ORDER BY next_run_at_ms LIMIT :most)";

/// Another integration that fails already and shares this; few fail, many may share, so that those
/// that fail come first.
pub(super) const ANOTHER: &str = "
    SELECT 1 FROM integration CROSS JOIN factor ON factor.integration_id = integration.id
    WHERE suspect_since_ms >= :after AND factor.kind = :kind AND factor.value = :value
      AND integration.id <> :id LIMIT 1";

/// The first of its kind to fail makes its siblings due at once: if they fail too, it is not its own
/// trouble. A refused login is not tried on others, since accounts get locked.
pub(super) fn alert(tx: &Connection, row: &Row, now: Timestamp) -> Result<(), StoreError> {
    let Some(cause) = row.suspect.and_then(|suspect| SharedCause::of(suspect.class)) else {
        return Ok(());
    };
    if cause != SharedCause::Unreached {
        return Ok(());
    }
    for Factor { kind, value } in shared_by(tx, row, cause)? {
        let params = named_params! {
            ":after": now.minus(EVIDENCE_MAX).0, ":kind": kind.as_str(), ":value": value,
            ":id": row.id.0,
        };
        let another: Option<i64> =
            tx.prepare_cached(ANOTHER)?.query_row(params, |row| row.get(0)).optional()?;
        if another.is_none() {
            tx.prepare_cached(SIBLINGS)?.execute(named_params! {
                ":now": now.0, ":kind": kind.as_str(), ":value": value, ":id": row.id.0,
                ":most": SIBLINGS_MAX,
            })?;
        }
    }
    Ok(())
}

fn shared_by(tx: &Connection, row: &Row, cause: SharedCause) -> Result<Vec<Factor>, StoreError> {
    let mut found = factors(tx, row.id)?;
    found.retain(|factor| cause.factors().contains(&factor.kind));
    Ok(found)
}

/// The outage of this factor that is not over.
pub(super) const OPEN: &str = "
    SELECT id FROM outage
    WHERE kind = :kind AND value = :value AND cause = :cause AND resolved_at_ms IS NULL";

/// Makes `row`, which fails, part of the outage that it belongs to, if there is one or it begins one.
pub(super) fn join(
    tx: &Connection,
    row: &mut Row,
    tell: &NotificationContext,
) -> Result<(), StoreError> {
    row.outage = None;
    let Some(cause) = row.suspect.and_then(|suspect| SharedCause::of(suspect.class)) else {
        return Ok(());
    };
    let factors = shared_by(tx, row, cause)?;
    for Factor { kind, value } in &factors {
        let params = named_params! {
            ":kind": kind.as_str(), ":value": value, ":cause": cause.as_str(),
        };
        row.outage = tx.prepare_cached(OPEN)?.query_row(params, |row| row.get(0)).optional()?;
        if row.outage.is_some() {
            return enlist(tx, row);
        }
    }
    let mut widest: Option<Outage> = None;
    for factor in factors {
        let found = evidence(tx, row, &factor, (cause, tell))?;
        let size = |outage: &Outage| outage.members.len();
        if let Some(found) = found
            && widest.as_ref().is_none_or(|known| size(known) < size(&found))
        {
            widest = Some(found);
        }
    }
    let Some(mut outage) = widest else { return Ok(()) };
    outage.id = fresh_id("out", tell.now)?;
    let event = emit_outage(tx, &outage, None, tell)?;
    open(tx, &outage, &event)?;
    row.outage = Some(outage.id);
    enlist(tx, row)
}

fn open(tx: &Connection, outage: &Outage, event: &str) -> Result<(), StoreError> {
    const SQL: &str = "
        INSERT INTO outage (id, event_id, kind, value, cause, since_ms)
        VALUES (:id, :event, :kind, :value, :cause, :since)";
    let Outage { id, factor: Factor { kind, value }, cause, since, .. } = outage;
    tx.prepare_cached(SQL)?.execute(named_params! {
        ":id": id, ":event": event, ":kind": kind.as_str(), ":value": value, ":cause": cause,
        ":since": since.0,
    })?;
    Ok(())
}

fn enlist(tx: &Connection, row: &Row) -> Result<(), StoreError> {
    const SQL: &str = "
        INSERT INTO outage_member (outage_id, integration_id) VALUES (:outage, :id)
        ON CONFLICT DO NOTHING";
    tx.prepare_cached(SQL)?.execute(named_params! {":outage": row.outage, ":id": row.id.0})?;
    Ok(())
}

/// Others that began to fail lately, or whose failure was held until now.
pub(super) const FAILING: &str = "
    SELECT integration.id, name, integration.kind, labels, status, sequence, suspect_since_ms,
           suspect_class
    FROM integration CROSS JOIN factor ON factor.integration_id = integration.id
    WHERE suspect_since_ms IS NOT NULL AND factor.kind = :kind AND factor.value = :value
      AND integration.id <> :id AND status IN ('enabled', 'recurringValidationError')
      AND (suspect_since_ms >= :after OR status <> told_status)
    LIMIT :most";

/// How many others have passed since.
pub(super) const PASSING: &str = "
    SELECT count(*) FROM factor
    JOIN integration ON integration.id = factor.integration_id
    JOIN run ON run.id = integration.last_run_id
    WHERE factor.kind = :kind AND factor.value = :value AND integration.id <> :id
      AND suspect_since_ms IS NULL AND run.started_at_ms >= :since
      AND run.status IN ('passed', 'warning')";

/// The outage of `factor` that `row` and its siblings make, if they do.
fn evidence(
    tx: &Connection,
    row: &Row,
    factor: &Factor,
    (cause, tell): (SharedCause, &NotificationContext),
) -> Result<Option<Outage>, StoreError> {
    let Some(own) = row.suspect else { return Ok(None) };
    let mut since = own.since;
    let mut members = vec![member(row)?];
    let mut statement = tx.prepare_cached(FAILING)?;
    let mut rows = statement.query(named_params! {
        ":kind": factor.kind.as_str(), ":value": factor.value, ":id": row.id.0,
        ":after": tell.now.minus(EVIDENCE_MAX).0, ":most": LISTED_MAX,
    })?;
    while let Some(other) = rows.next()? {
        let class = super::column::class(&other.get::<_, String>("suspect_class")?)?;
        if SharedCause::of(class) == Some(cause) {
            since = since.min(Timestamp(other.get("suspect_since_ms")?));
            members.push(read_member(other)?);
        }
    }
    let after = since.max(tell.now.minus(EVIDENCE_MAX));
    let passing: u32 = tx.prepare_cached(PASSING)?.query_row(
        named_params! {
            ":since": after.0, ":kind": factor.kind.as_str(), ":value": factor.value,
            ":id": row.id.0,
        },
        |row| row.get(0),
    )?;
    let passing = usize::try_from(passing).unwrap_or(usize::MAX);
    if !is_outage(members.len(), passing, tell.outage_min) {
        return Ok(None);
    }
    members.sort_by_key(|member| member.integration.id);
    let (id, factor, cause) = (String::new(), factor.clone(), cause.as_str().to_owned());
    Ok(Some(Outage { id, factor, cause, since, members, unlisted: 0 }))
}

fn member(row: &Row) -> Result<OutageMember, StoreError> {
    let (integration, status, sequence) = (row.reference()?, row.status, row.sequence);
    Ok(OutageMember { integration, status, sequence })
}

fn read_member(row: &rusqlite::Row<'_>) -> Result<OutageMember, StoreError> {
    Ok(OutageMember {
        integration: IntegrationRef {
            id: row.get("id")?,
            name: row.get("name")?,
            kind: row.get("kind")?,
            labels: labels(&row.get::<_, String>("labels")?)?,
        },
        status: super::column::status(row, "status")?,
        sequence: row.get("sequence")?,
    })
}

/// The first recovery makes those that still fail by the same outage due at once.
pub(super) const RETRY: &str = "
    UPDATE integration SET next_run_at_ms = :now, next_trigger = 'confirm'
    WHERE outage_id = :outage AND id <> :id AND status = 'recurringValidationError'
      AND lease_until_ms IS NULL AND next_run_at_ms > :now";

/// `row` works again, and leaves the outage that it was part of; the others are soon looked at too.
pub(super) fn recovered(
    tx: &Connection,
    row: &mut Row,
    tell: &NotificationContext,
) -> Result<(), StoreError> {
    const SETTLING: &str = "
        UPDATE outage SET settle_at_ms = :at WHERE id = :outage AND resolved_at_ms IS NULL
        RETURNING 1";
    const IS_FIRST: &str = "SELECT settle_at_ms IS NULL FROM outage WHERE id = :outage";
    let Some(outage) = row.outage.take() else { return Ok(()) };
    let params = named_params! {":outage": outage};
    let first = tx.prepare_cached(IS_FIRST)?.query_row(params, |row| row.get(0)).optional()?;
    let others = has_members(tx, &outage, row.id)?;
    let at = if others { tell.now.plus(SETTLE) } else { tell.now };
    let open: Option<i64> = tx
        .prepare_cached(SETTLING)?
        .query_row(named_params! {":outage": outage, ":at": at.0}, |row| row.get(0))
        .optional()?;
    if open.is_some() && first == Some(true) {
        let params = named_params! {":outage": outage, ":id": row.id.0, ":now": tell.now.0};
        tx.prepare_cached(RETRY)?.execute(params)?;
    }
    Ok(())
}

/// `row` is no longer validated as it was, so that its failure is no longer the outage's.
pub(super) fn leave(tx: &Connection, row: &mut Row, now: Timestamp) -> Result<(), StoreError> {
    const SQL: &str = "
        UPDATE outage SET settle_at_ms = :now WHERE id = :outage AND resolved_at_ms IS NULL";
    let Some(outage) = row.outage.take() else { return Ok(()) };
    if !has_members(tx, &outage, row.id)? {
        tx.prepare_cached(SQL)?.execute(named_params! {":outage": outage, ":now": now.0})?;
    }
    Ok(())
}

/// True when an integration besides `id` still fails by the outage.
fn has_members(tx: &Connection, outage: &str, id: IntegrationId) -> Result<bool, StoreError> {
    const SQL: &str = "
        SELECT EXISTS (SELECT 1 FROM integration
                       WHERE outage_id = :outage AND id <> :id
                         AND status = 'recurringValidationError')";
    let params = named_params! {":outage": outage, ":id": id.0};
    Ok(tx.prepare_cached(SQL)?.query_row(params, |row| row.get(0))?)
}

/// Outages that are over, or have not lost another member for long enough.
pub(super) const SETTLED: &str = "
    SELECT id FROM outage
    WHERE settle_at_ms <= :now AND resolved_at_ms IS NULL ORDER BY settle_at_ms LIMIT :batch";

/// Ends outages that are over; how many that were. Who still fails does so by himself from then on,
/// and is told of to those who were only told of the outage.
pub(super) fn settle(
    tx: &Connection,
    batch: u32,
    tell: &NotificationContext,
) -> Result<usize, StoreError> {
    let mut statement = tx.prepare_cached(SETTLED)?;
    let params = named_params! {":now": tell.now.0, ":batch": batch};
    let ids = statement.query_map(params, |row| row.get(0))?;
    let ids = ids.collect::<Result<Vec<String>, _>>()?;
    for id in &ids {
        resolve(tx, id, tell)?;
    }
    Ok(ids.len())
}

fn resolve(tx: &Connection, id: &str, tell: &NotificationContext) -> Result<(), StoreError> {
    const READ: &str = "
        UPDATE outage SET resolved_at_ms = :now WHERE id = :id
        RETURNING kind, value, cause, since_ms, event_id";
    const MEMBERS: &str = "
        SELECT integration.id, name, kind, labels, status, sequence FROM outage_member
        JOIN integration ON integration.id = outage_member.integration_id
        WHERE outage_member.outage_id = :id ORDER BY integration.id";
    let mut statement = tx.prepare_cached(READ)?;
    let (mut outage, event) = statement
        .query_row(named_params! {":id": id, ":now": tell.now.0}, |row| {
            let kind: String = row.get("kind")?;
            Ok((
                (kind, row.get("value")?, row.get("cause")?, Timestamp(row.get("since_ms")?)),
                row.get::<_, String>("event_id")?,
            ))
        })
        .map_err(StoreError::from)
        .and_then(|((kind, value, cause, since), event)| {
            let factor = Factor { kind: parse("outage", &kind)?, value };
            let (id, members) = (id.to_owned(), Vec::new());
            Ok((Outage { id, factor, cause, since, members, unlisted: 0 }, event))
        })?;
    let mut statement = tx.prepare_cached(MEMBERS)?;
    let members = statement.query_and_then(named_params! {":id": id}, read_member)?;
    outage.members = members.collect::<Result<_, _>>()?;
    let most = usize::try_from(LISTED_MAX).unwrap_or(usize::MAX);
    outage.unlisted = outage.members.len().saturating_sub(most);
    outage.members.truncate(most);
    emit_outage(tx, &outage, Some(&event), tell)?;
    set_apart(tx, id, tell)
}

/// Those that still fail are no longer part of the outage: whoever was not told of them is now.
fn set_apart(tx: &Connection, outage: &str, tell: &NotificationContext) -> Result<(), StoreError> {
    const LEAVE: &str = "
        UPDATE integration SET outage_id = NULL
        WHERE outage_id = :outage AND status = 'recurringValidationError' RETURNING id";
    let mut statement = tx.prepare_cached(LEAVE)?;
    let ids = statement.query_map(named_params! {":outage": outage}, |row| row.get(0))?;
    for id in ids.collect::<Result<Vec<i64>, _>>()? {
        owe::owe_unsaid(tx, IntegrationId(id), tell)?;
    }
    Ok(())
}

/// The outage of an integration, for people.
pub(super) fn find(tx: &Connection, id: &str) -> Result<Option<super::OutageRow>, StoreError> {
    const SQL: &str = "SELECT kind, value, since_ms FROM outage WHERE id = :id";
    let read = |row: &rusqlite::Row<'_>| Ok((row.get(0)?, row.get(1)?, row.get(2)?));
    let found: Option<(String, String, i64)> =
        tx.prepare_cached(SQL)?.query_row(named_params! {":id": id}, read).optional()?;
    found
        .map(|(kind, value, since)| {
            let factor = Factor { kind: parse("outage", &kind)?, value };
            Ok(super::OutageRow { id: id.to_owned(), factor, since: Timestamp(since) })
        })
        .transpose()
}
