//! The part of an integration's row that decisions are made from.

use rusqlite::{Connection, OptionalExtension, Row as SqlRow, Statement, named_params};

use super::column::{Columns, class, flips, labels, parse, report, report_status, trigger};
use super::fingerprint::Seen;
use super::hold::{Flapping, Hold};
use super::outage::Suspect;
use super::{Lease, StoreError, StoredReport, Trigger};
use crate::domain::{
    Counters, Flips, IntegrationId, IntegrationRef, OwnFault, ReportStatus, Status, Timestamp,
};

/// An open incident.
#[derive(Clone, Debug, Eq, PartialEq)]
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
    /// Lease of the run that works on it.
    pub(super) lease: Option<Lease>,
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
    /// What the database has.
    stored: Option<Standing>,
}

/// What most runs leave as it is; its indexes and references make it the dearer part to write.
#[derive(Clone, Debug, Eq, PartialEq)]
struct Standing {
    status: Status,
    sequence: i64,
    incident: Option<Incident>,
    told: Status,
    hold: Option<Hold>,
    warning_held: bool,
    flips: Flips,
    flapping: Option<Flapping>,
    suspect: Option<Suspect>,
    own_fault: Option<OwnFault>,
    outage: Option<String>,
    fingerprint: Option<i64>,
}

/// The columns that [`Row::read`] needs.
macro_rules! row_columns {
    () => {
        "id, name, kind, labels, cron, zone, status, next_run_at_ms, next_trigger, lease_owner,
         lease_token, lease_until_ms, failures, passes, sequence, incident_id, failing_since_ms, last_run_id,
         told_status, hold_until_ms, hold_by, warning_held, flips, flapping_since_ms,
         flapping_until_ms, suspect_since_ms, suspect_class, own_fault, outage_id,
         fingerprint_id, fingerprint_at_ms, expires_at_ms, expires_what"
    };
}
pub(super) use row_columns;

/// The columns that most runs change.
macro_rules! progress_columns {
    () => {
        "next_run_at_ms = :next, next_trigger = :trigger, lease_owner = :owner,
         lease_token = :token, lease_until_ms = :lease, failures = :failures, passes = :passes, last_run_id = :last, fingerprint_at_ms = :seen,
         expires_at_ms = :expires, expires_what = :what"
    };
}

/// The columns of a [`Standing`].
macro_rules! standing_columns {
    () => {
        "status = :status, sequence = :sequence, incident_id = :incident,
         failing_since_ms = :since, told_status = :told, hold_until_ms = :hold, hold_by = :by,
         warning_held = :warning, flips = :flips, flapping_since_ms = :flapping,
         flapping_until_ms = :calm, suspect_since_ms = :suspect, suspect_class = :class,
         own_fault = :fault, outage_id = :outage, fingerprint_id = :fingerprint"
    };
}

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
        let mut columns = Columns::of(row);
        let mut row = Self {
            id: IntegrationId(columns.next()?),
            name: columns.next()?,
            kind: columns.next()?,
            labels: columns.next()?,
            cron: columns.next()?,
            zone: columns.next()?,
            status: columns.word(|name| parse("integration", name))?,
            next_run_at: columns.instant()?,
            trigger: columns.word(|name| trigger("integration", name))?,
            lease: columns.lease()?,
            counters: Counters { failures: columns.next()?, passes: columns.next()? },
            sequence: columns.next()?,
            incident: columns.pair(|id, since| Incident { id, since: Timestamp(since) })?,
            last_run: columns.next()?,
            told: columns.word(|name| parse("integration", name))?,
            hold: columns.pair(|until, by| Hold { until: Timestamp(until), by })?,
            warning_held: columns.next()?,
            flips: columns.word(flips)?,
            flapping: columns.pair(|since, until| Flapping {
                since: Timestamp(since),
                until: Timestamp(until),
            })?,
            suspect: columns
                .pair(|since, name: String| {
                    class(&name).map(|class| Suspect { since: Timestamp(since), class })
                })?
                .transpose()?,
            own_fault: columns
                .next::<Option<String>>()?
                .map(|name| parse("integration", &name))
                .transpose()?,
            outage: columns.next()?,
            seen: Seen {
                fingerprint: columns.pair(|id, at| (id, Timestamp(at)))?,
                next_end: columns.pair(|at, what| (Timestamp(at), what))?,
            },
            stored: None,
        };
        row.stored = Some(row.standing());
        Ok(row)
    }

    fn standing(&self) -> Standing {
        Standing {
            status: self.status,
            sequence: self.sequence,
            incident: self.incident.clone(),
            told: self.told,
            hold: self.hold.clone(),
            warning_held: self.warning_held,
            flips: self.flips.clone(),
            flapping: self.flapping,
            suspect: self.suspect,
            own_fault: self.own_fault,
            outage: self.outage.clone(),
            fingerprint: self.seen.fingerprint.map(|(id, _)| id),
        }
    }

    /// Writes back what decisions change; the rest belongs to the configuration.
    pub(super) fn save(&mut self, tx: &Connection) -> Result<(), StoreError> {
        const PROGRESS: &str =
            concat!("UPDATE integration SET ", progress_columns!(), " WHERE id = :id");
        const ALL: &str = concat!(
            "UPDATE integration SET ",
            progress_columns!(),
            ", ",
            standing_columns!(),
            " WHERE id = :id"
        );
        let standing = self.standing();
        if self.stored.as_ref() == Some(&standing) {
            let mut statement = tx.prepare_cached(PROGRESS)?;
            self.bind_progress(&mut statement)?;
            statement.raw_execute()?;
        } else {
            let mut statement = tx.prepare_cached(ALL)?;
            self.bind_progress(&mut statement)?;
            standing.bind(&mut statement)?;
            statement.raw_execute()?;
            self.stored = Some(standing);
        }
        Ok(())
    }

    fn bind_progress(&self, statement: &mut Statement<'_>) -> rusqlite::Result<()> {
        let Seen { fingerprint, next_end } = &self.seen;
        statement.raw_bind_parameter(c":id", self.id.0)?;
        statement.raw_bind_parameter(c":next", self.next_run_at.map(|at| at.0))?;
        statement.raw_bind_parameter(c":trigger", self.trigger.as_str())?;
        statement.raw_bind_parameter(c":owner", self.lease.map(|lease| lease.owner))?;
        statement.raw_bind_parameter(c":token", self.lease.map(|lease| lease.token))?;
        statement.raw_bind_parameter(c":lease", self.lease.map(|lease| lease.until.0))?;
        statement.raw_bind_parameter(c":failures", self.counters.failures)?;
        statement.raw_bind_parameter(c":passes", self.counters.passes)?;
        statement.raw_bind_parameter(c":last", self.last_run)?;
        statement.raw_bind_parameter(c":seen", fingerprint.map(|(_, at)| at.0))?;
        statement.raw_bind_parameter(c":expires", next_end.as_ref().map(|(at, _)| at.0))?;
        statement.raw_bind_parameter(c":what", next_end.as_ref().map(|(_, what)| what))
    }

    /// True while a run holds it.
    pub(super) fn is_leased(&self, now: Timestamp) -> bool {
        self.lease.is_some_and(|lease| now < lease.until)
    }

    /// Makes it due at `at`; whatever runs now is overtaken.
    pub(super) fn restart(&mut self, at: Option<Timestamp>) {
        self.next_run_at = at;
        self.trigger = Trigger::Change;
        self.lease = None;
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

impl Standing {
    fn bind(&self, statement: &mut Statement<'_>) -> Result<(), StoreError> {
        let flips: Vec<i64> = self.flips.0.iter().map(|at| at.0).collect();
        let document = |source| StoreError::Document { table: "integration", source };
        let flips = serde_json::to_string(&flips).map_err(document)?;
        let (incident, hold) = (self.incident.as_ref(), self.hold.as_ref());
        let incident_id = incident.map(|incident| incident.id.as_str());
        statement.raw_bind_parameter(c":status", self.status.as_str())?;
        statement.raw_bind_parameter(c":sequence", self.sequence)?;
        statement.raw_bind_parameter(c":incident", incident_id)?;
        statement.raw_bind_parameter(c":since", incident.map(|incident| incident.since.0))?;
        statement.raw_bind_parameter(c":told", self.told.as_str())?;
        statement.raw_bind_parameter(c":hold", hold.map(|hold| hold.until.0))?;
        statement.raw_bind_parameter(c":by", hold.map(|hold| hold.by.as_str()))?;
        statement.raw_bind_parameter(c":warning", self.warning_held)?;
        statement.raw_bind_parameter(c":flips", flips)?;
        statement.raw_bind_parameter(c":flapping", self.flapping.map(|held| held.since.0))?;
        statement.raw_bind_parameter(c":calm", self.flapping.map(|held| held.until.0))?;
        statement.raw_bind_parameter(c":suspect", self.suspect.map(|first| first.since.0))?;
        statement.raw_bind_parameter(c":class", self.suspect.map(|last| last.class.as_str()))?;
        statement.raw_bind_parameter(c":fault", self.own_fault.map(OwnFault::as_str))?;
        statement.raw_bind_parameter(c":outage", self.outage.as_deref())?;
        statement.raw_bind_parameter(c":fingerprint", self.fingerprint)?;
        Ok(())
    }
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
