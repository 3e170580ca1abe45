//! The part of an integration's row that decisions are made from, and values to and from columns.

use std::collections::BTreeMap;
use std::time::Duration;

use rusqlite::{Connection, OptionalExtension, Row as SqlRow, named_params};

use super::fingerprint::Seen;
use super::hold::{Flapping, Hold};
use super::outage::Suspect;
use super::{DeliveryState, StoreError, StoredReport, Trigger};
use crate::domain::{
    Class, Counters, Flips, IntegrationId, IntegrationRef, OwnFault, ReportStatus, Status,
    Timestamp, UnknownName,
};

/// An open incident.
#[derive(Clone, Debug)]
pub(super) struct Incident {
    /// `inc_<uuid>`.
    pub(super) id: String,
    /// The start of the first failing run.
    pub(super) since: Timestamp,
}

/// An integration while it is being changed; [`Row::save`] writes back what may have changed.
#[derive(Clone, Debug)]
pub(super) struct Row {
    /// Which integration.
    pub(super) id: IntegrationId,
    /// As configured.
    pub(super) name: String,
    /// As configured.
    pub(super) kind: String,
    /// As configured, as JSON text.
    pub(super) labels: String,
    /// As configured.
    pub(super) cron: String,
    /// As configured.
    pub(super) zone: String,
    /// Its status.
    pub(super) status: Status,
    /// When it is due.
    pub(super) next_run_at: Option<Timestamp>,
    /// Why it is due.
    pub(super) trigger: Trigger,
    /// Until when a run holds it.
    pub(super) lease_until: Option<Timestamp>,
    /// Results are accepted under this fence only.
    pub(super) fence: i64,
    /// What the runs add up to.
    pub(super) counters: Counters,
    /// The number of its latest event.
    pub(super) sequence: i64,
    /// The open incident.
    pub(super) incident: Option<Incident>,
    /// The run whose results users see.
    pub(super) last_run: Option<i64>,
    /// The status that receivers were told last.
    pub(super) told: Status,
    /// What holds a message, while one is held.
    pub(super) hold: Option<Hold>,
    /// Warnings changed while messages were held.
    pub(super) warning_held: bool,
    /// The changes of status that were told lately.
    pub(super) flips: Flips,
    /// Its status changes too often.
    pub(super) flapping: Option<Flapping>,
    /// Its latest runs failed.
    pub(super) suspect: Option<Suspect>,
    /// What on the daemon's own side kept its latest run from telling anything.
    pub(super) own_fault: Option<OwnFault>,
    /// The outage that its failure belongs to.
    pub(super) outage: Option<String>,
    /// What its runs saw.
    pub(super) seen: Seen,
}

/// The columns that [`Row::read`] needs.
macro_rules! row_columns {
    () => {
        "id, name, kind, labels, cron, zone, status, next_run_at_ms, next_trigger, lease_until_ms,
         fence, failures, passes, sequence, incident_id, failing_since_ms, last_run_id,
         told_status, hold_until_ms, hold_by, warning_held, flips, flapping_since_ms,
         flapping_until_ms, suspect_since_ms, suspect_class, own_fault, outage_id,
         fingerprint_id, fingerprint_at_ms, expires_at_ms, expires_what"
    };
}
pub(super) use row_columns;

pub(super) const BY_ID: &str =
    concat!("SELECT ", row_columns!(), " FROM integration WHERE id = :id");

impl Row {
    /// The row of `id`, if there is one.
    pub(super) fn load(tx: &Connection, id: IntegrationId) -> Result<Option<Self>, StoreError> {
        let mut statement = tx.prepare_cached(BY_ID)?;
        let mut rows = statement.query(named_params! {":id": id.0})?;
        rows.next()?.map(Self::read).transpose()
    }

    /// Reads [`row_columns`].
    pub(super) fn read(row: &SqlRow<'_>) -> Result<Self, StoreError> {
        let incident: Option<String> = row.get("incident_id")?;
        let since: Option<i64> = row.get("failing_since_ms")?;
        Ok(Self {
            id: IntegrationId(row.get("id")?),
            name: row.get("name")?,
            kind: row.get("kind")?,
            labels: row.get("labels")?,
            cron: row.get("cron")?,
            zone: row.get("zone")?,
            status: status(row, "status")?,
            next_run_at: instant(row, "next_run_at_ms")?,
            trigger: trigger("integration", &row.get::<_, String>("next_trigger")?)?,
            lease_until: instant(row, "lease_until_ms")?,
            fence: row.get("fence")?,
            counters: counters(row)?,
            sequence: row.get("sequence")?,
            incident: incident.zip(since).map(|(id, at)| Incident { id, since: Timestamp(at) }),
            last_run: row.get("last_run_id")?,
            told: status(row, "told_status")?,
            hold: hold(row)?,
            warning_held: row.get("warning_held")?,
            flips: flips(&row.get::<_, String>("flips")?)?,
            flapping: flapping(row)?,
            suspect: suspect(row)?,
            own_fault: row
                .get::<_, Option<String>>("own_fault")?
                .map(|name| parse("integration", &name))
                .transpose()?,
            outage: row.get("outage_id")?,
            seen: Seen::read(row)?,
        })
    }

    /// Writes back what decisions change; the rest belongs to the configuration.
    pub(super) fn save(&self, tx: &Connection) -> Result<(), StoreError> {
        const SQL: &str = "
            UPDATE integration SET
                status = :status, next_run_at_ms = :next, next_trigger = :trigger,
                lease_until_ms = :lease, fence = :fence, failures = :failures, passes = :passes,
                sequence = :sequence, incident_id = :incident, failing_since_ms = :since,
                last_run_id = :last, told_status = :told, hold_until_ms = :hold, hold_by = :by,
                warning_held = :warning, flips = :flips, flapping_since_ms = :flapping,
                flapping_until_ms = :calm, suspect_since_ms = :suspect, suspect_class = :class,
                own_fault = :fault, outage_id = :outage, fingerprint_id = :fingerprint,
                fingerprint_at_ms = :seen, expires_at_ms = :expires, expires_what = :what
            WHERE id = :id";
        let flips: Vec<i64> = self.flips.0.iter().map(|at| at.0).collect();
        let document = |source| StoreError::Document { table: "integration", source };
        tx.prepare_cached(SQL)?.execute(named_params! {
            ":id": self.id.0,
            ":status": self.status.as_str(),
            ":next": self.next_run_at.map(|at| at.0),
            ":trigger": self.trigger.as_str(),
            ":lease": self.lease_until.map(|at| at.0),
            ":fence": self.fence,
            ":failures": self.counters.failures,
            ":passes": self.counters.passes,
            ":sequence": self.sequence,
            ":incident": self.incident.as_ref().map(|incident| incident.id.as_str()),
            ":since": self.incident.as_ref().map(|incident| incident.since.0),
            ":last": self.last_run,
            ":told": self.told.as_str(),
            ":hold": self.hold.as_ref().map(|hold| hold.until.0),
            ":by": self.hold.as_ref().map(|hold| hold.by.as_str()),
            ":warning": self.warning_held,
            ":flips": serde_json::to_string(&flips).map_err(document)?,
            ":flapping": self.flapping.map(|flapping| flapping.since.0),
            ":calm": self.flapping.map(|flapping| flapping.until.0),
            ":suspect": self.suspect.map(|suspect| suspect.since.0),
            ":class": self.suspect.map(|suspect| suspect.class.as_str()),
            ":fault": self.own_fault.map(OwnFault::as_str),
            ":outage": self.outage,
            ":fingerprint": self.seen.fingerprint.map(|(id, _)| id),
            ":seen": self.seen.fingerprint.map(|(_, at)| at.0),
            ":expires": self.seen.next_end.as_ref().map(|(at, _)| at.0),
            ":what": self.seen.next_end.as_ref().map(|(_, what)| what),
        })?;
        Ok(())
    }

    /// True while a run holds it.
    pub(super) fn is_leased(&self, now: Timestamp) -> bool {
        self.lease_until.is_some_and(|until| now < until)
    }

    /// Makes it due at `at`; whatever runs now is overtaken.
    pub(super) fn restart(&mut self, at: Option<Timestamp>) {
        self.next_run_at = at;
        self.trigger = Trigger::Change;
        self.lease_until = None;
        self.fence = self.fence.saturating_add(1);
        self.counters = Counters::default();
    }

    /// Ends the incident when it is over and receivers know: while they do not, what they will be
    /// told has to name it.
    pub(super) fn close_incident(&mut self) {
        let known = self.told == Status::Enabled && self.flapping.is_none();
        if self.status == Status::Enabled && known {
            self.incident = None;
        }
    }

    /// Somebody acts on it: what it went through before is no longer of interest.
    pub(super) fn forget(&mut self) {
        self.hold = None;
        self.warning_held = false;
        self.flips.0.clear();
        self.flapping = None;
        self.suspect = None;
    }

    /// How events name it.
    pub(super) fn reference(&self) -> Result<IntegrationRef, StoreError> {
        Ok(IntegrationRef {
            id: self.id.0,
            name: self.name.clone(),
            kind: self.kind.clone(),
            labels: labels(&self.labels)?,
        })
    }
}

impl Seen {
    fn read(row: &SqlRow<'_>) -> rusqlite::Result<Self> {
        let id: Option<i64> = row.get("fingerprint_id")?;
        let what: Option<String> = row.get("expires_what")?;
        Ok(Self {
            fingerprint: id.zip(instant(row, "fingerprint_at_ms")?),
            next_end: instant(row, "expires_at_ms")?.zip(what),
        })
    }
}

fn hold(row: &SqlRow<'_>) -> Result<Option<Hold>, StoreError> {
    let by: Option<String> = row.get("hold_by")?;
    Ok(instant(row, "hold_until_ms")?.zip(by).map(|(until, by)| Hold { until, by }))
}

fn flapping(row: &SqlRow<'_>) -> Result<Option<Flapping>, StoreError> {
    let until = instant(row, "flapping_until_ms")?;
    let since = instant(row, "flapping_since_ms")?;
    Ok(since.zip(until).map(|(since, until)| Flapping { since, until }))
}

fn suspect(row: &SqlRow<'_>) -> Result<Option<Suspect>, StoreError> {
    let name: Option<String> = row.get("suspect_class")?;
    let class = name.as_deref().map(class).transpose()?;
    Ok(instant(row, "suspect_since_ms")?.zip(class).map(|(since, class)| Suspect { since, class }))
}

/// Reads the changes of status that were told lately.
pub(super) fn flips(text: &str) -> Result<Flips, StoreError> {
    let document = |source| StoreError::Document { table: "integration", source };
    let instants: Vec<i64> = serde_json::from_str(text).map_err(document)?;
    Ok(Flips(instants.into_iter().map(Timestamp).collect()))
}

/// Reads labels from their column.
pub(super) fn labels(text: &str) -> Result<BTreeMap<String, String>, StoreError> {
    let document = |source| StoreError::Document { table: "integration", source };
    serde_json::from_str(text).map_err(document)
}

/// Reads results from their column.
pub(super) fn report(text: &str) -> Result<StoredReport, StoreError> {
    let document = |source| StoreError::Document { table: "report", source };
    serde_json::from_str(text).map_err(document)
}

/// Reads the counters of an integration.
pub(super) fn counters(row: &SqlRow<'_>) -> rusqlite::Result<Counters> {
    Ok(Counters { failures: row.get("failures")?, passes: row.get("passes")? })
}

/// Reads an instant that may be missing.
pub(super) fn instant(row: &SqlRow<'_>, column: &str) -> rusqlite::Result<Option<Timestamp>> {
    Ok(row.get::<_, Option<i64>>(column)?.map(Timestamp))
}

/// Reads a duration.
pub(super) fn duration(row: &SqlRow<'_>, column: &str) -> rusqlite::Result<Duration> {
    Ok(Duration::from_millis(u64::try_from(row.get::<_, i64>(column)?).unwrap_or(0)))
}

/// Whole milliseconds of `duration`.
pub(super) fn millis(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}

/// Reads a status of an integration.
pub(super) fn status(row: &SqlRow<'_>, column: &str) -> Result<Status, StoreError> {
    parse("integration", &row.get::<_, String>(column)?)
}

/// Reads a value that names itself.
pub(super) fn parse<T>(table: &'static str, name: &str) -> Result<T, StoreError>
where
    T: std::str::FromStr<Err = UnknownName>,
{
    name.parse().map_err(|source| StoreError::Inconsistent { table, source })
}

/// Reads why a run takes place.
pub(super) fn trigger(table: &'static str, name: &str) -> Result<Trigger, StoreError> {
    named(table, name, &Trigger::ALL, Trigger::as_str)
}

/// Reads an overall result.
pub(super) fn report_status(name: &str) -> Result<ReportStatus, StoreError> {
    let all =
        [ReportStatus::Passed, ReportStatus::Failed, ReportStatus::Warning, ReportStatus::Skipped];
    named("run", name, &all, ReportStatus::as_str)
}

/// Reads the class that decided about a run.
pub(super) fn class(name: &str) -> Result<Class, StoreError> {
    named("run", name, &Class::ALL, Class::as_str)
}

/// Reads where a delivery stands.
pub(super) fn delivery_state(name: &str) -> Result<DeliveryState, StoreError> {
    named("delivery", name, &DeliveryState::ALL, DeliveryState::as_str)
}

fn named<T: Copy>(
    table: &'static str,
    name: &str,
    all: &[T],
    as_str: impl Fn(T) -> &'static str,
) -> Result<T, StoreError> {
    let found = all.iter().copied().find(|&one| as_str(one) == name);
    let source = || UnknownName(name.to_owned());
    found.ok_or_else(|| StoreError::Inconsistent { table, source: source() })
}

/// The overall result and the results of run `id`.
pub(super) fn results(
    tx: &Connection,
    id: i64,
) -> Result<Option<(ReportStatus, StoredReport)>, StoreError> {
    const SQL: &str = "
        SELECT run.status, report.content FROM run JOIN report ON report.id = run.report_id
        WHERE run.id = :id";
    let mut statement = tx.prepare_cached(SQL)?;
    let found: Option<(String, String)> = statement
        .query_row(named_params! {":id": id}, |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()?;
    found.map(|(status, content)| Ok((report_status(&status)?, report(&content)?))).transpose()
}
