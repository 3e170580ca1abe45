//! Bringing rows in line with the configuration: what is new, changed, gone, disabled, upgraded.

use std::collections::BTreeMap;

use super::case::{Case, Decided};
use super::context::NotificationContext;
use super::draft::{Decision, Draft};
use super::effects::{Effect, NewIntegration};
use super::finished::Trigger;
use super::incident;
use super::operation::{announce, take};
use super::plan::{Replan, next_by_row, replan};
use super::row::{Progress, Row, Seen};
use crate::domain::{
    Cause, Factor, Flips, IntegrationId, Pool, Schedule, Status, Subject, Timestamp, Transition,
};

/// An integration in the configuration.
#[derive(Clone, Debug)]
pub(crate) struct Wanted {
    /// Unique name in the configuration.
    pub(crate) name: String,
    /// Name that it had before, if it was renamed.
    pub(crate) formerly: Option<String>,
    /// Id that it is to have when it is new, if that matters.
    pub(crate) id: Option<IntegrationId>,
    /// Its platform's published name.
    pub(crate) kind: String,
    /// Its `autoBootstrap`, if it has one.
    pub(crate) auto_bootstrap: Option<bool>,
    /// Labels in the configuration.
    pub(crate) labels: BTreeMap<String, String>,
    /// It is force disabled.
    pub(crate) disabled: bool,
    /// When it is due.
    pub(crate) schedule: Schedule,
    /// The platform configuration as JSON text: secret references as they stand, literal secrets
    /// replaced by `[REDACTED]`. A difference here is an edit.
    pub(crate) config: String,
    /// The same with every secret leaf replaced, as users see it.
    pub(crate) config_shown: String,
    /// The platform's catalog version.
    pub(crate) catalog_version: u32,
    /// Factors that it may share with others.
    pub(crate) factors: Vec<Factor>,
    /// Nodes that may validate it.
    pub(crate) run_on: Pool,
}

/// A row with what is compared with the configuration.
#[derive(Clone, Debug)]
pub(crate) struct Stored {
    /// Row of the integration.
    pub(crate) row: Row,
    /// Former name that the configuration declared when it was stored last.
    pub(crate) formerly: Option<String>,
    /// Its `autoBootstrap`, if it has one.
    pub(crate) auto_bootstrap: Option<bool>,
    /// Its configuration as users see it.
    pub(crate) config_shown: String,
    /// The configuration that passed last.
    pub(crate) active_config: Option<String>,
    /// The catalog version that passed last.
    pub(crate) active_catalog: Option<u32>,
    /// The configuration that is to become active when it passes.
    pub(crate) candidate_config: Option<String>,
    /// Catalog version of the candidate.
    pub(crate) candidate_catalog: Option<u32>,
    /// Canonical text of the pool that may validate it; none where there is one node.
    pub(crate) pool: Option<String>,
}

impl Stored {
    /// Returns true when `wanted` is to be validated anew.
    fn differs(&self, wanted: &Wanted) -> bool {
        let newest = self.candidate_config.as_ref().or(self.active_config.as_ref());
        newest != Some(&wanted.config)
            || self.row.kind != wanted.kind
            || self.auto_bootstrap != wanted.auto_bootstrap
    }

    /// Returns true when `wanted` changes something that a person wrote.
    pub(crate) fn is_changed_by(&self, wanted: &Wanted) -> bool {
        let is_disabled = self.row.status == Status::Disabled;
        // The configuration of a disabled integration is not kept before it is enabled again.
        let differs = !(is_disabled && wanted.disabled) && self.differs(wanted);
        differs || is_disabled != wanted.disabled || !self.is_written(wanted)
    }

    /// Returns the cause of the status change that `wanted` makes, if it makes one. What fails is
    /// validated anew under another name, so that its incident ends under the former one.
    fn cause(&self, wanted: &Wanted) -> Option<Cause> {
        let status = self.row.status;
        let is_renamed = self.row.name != wanted.name;
        let changed = || {
            let has_changed = self.differs(wanted) || (is_renamed && status.is_error());
            has_changed.then_some(Cause::Changed)
        };
        if status == Status::Deleted {
            return Some(Cause::Returned);
        }
        if wanted.disabled {
            return (status != Status::Disabled).then_some(Cause::ForceDisabled);
        }
        match (status, self.row.pending) {
            (Status::Disabled, _) if self.active_config.is_some() => Some(Cause::Reenabled),
            (Status::Disabled, _) => Some(Cause::ReenabledUntried),
            (Status::Deleting | Status::DeleteError, _)
            | (Status::RecurringValidationError, Some(Status::DeleteError)) => {
                let is_tried = self.active_config.is_some();
                Some(if is_tried { Cause::Changed } else { Cause::Returned })
            }
            (Status::Enabled | Status::RecurringValidationError, None) => changed().or_else(|| {
                let older = self.active_catalog.is_some_and(|own| own < wanted.catalog_version);
                older.then_some(Cause::Upgraded)
            }),
            (
                Status::CreateError
                | Status::Creating
                | Status::Deleted
                | Status::Editing
                | Status::EditError
                | Status::Enabled
                | Status::MigrateError
                | Status::Migrating
                | Status::RecurringValidationError,
                _,
            ) => changed(),
        }
    }

    /// Returns true when what of `wanted` needs no validation is stored.
    fn is_described(&self, wanted: &Wanted) -> bool {
        self.is_written(wanted)
            && self.candidate_catalog.is_none_or(|own| own == wanted.catalog_version)
    }

    /// Returns true when everything that a person wrote in `wanted` and that needs no validation is stored.
    fn is_written(&self, wanted: &Wanted) -> bool {
        !self.is_retimed(wanted)
            && self.row.name == wanted.name
            && self.formerly == wanted.formerly
            && self.row.kind == wanted.kind
            && self.row.labels == wanted.labels
            && self.auto_bootstrap == wanted.auto_bootstrap
            && self.config_shown == wanted.config_shown
            && self.pool.as_ref().is_none_or(|pool| *pool == wanted.run_on.text())
    }

    fn is_retimed(&self, wanted: &Wanted) -> bool {
        let schedule = &wanted.schedule;
        self.row.cron != schedule.text() || self.row.zone != schedule.zone()
    }
}

/// Decides to create an integration under `id`. The answer is its status change, when it is disabled.
pub(crate) fn create(
    case: &Case,
    id: IntegrationId,
    wanted: &Wanted,
    context: &NotificationContext,
) -> Decided<Decision<Option<Transition>>> {
    let mut draft = Draft::new(case, context);
    let mut row = new_row(id, wanted, context.now);
    draft.push(Effect::InsertIntegration(Box::new(new_integration(&row, wanted, context.now))));
    announce(&mut draft, &mut row)?;
    let mut step = None;
    if wanted.disabled {
        step = take(&mut draft, &mut row, Cause::ForceDisabled)?;
        idle(&mut row);
    }
    draft.push(Effect::SaveRow(Box::new(row)));
    Ok(draft.decide(step))
}

fn new_row(id: IntegrationId, wanted: &Wanted, now: Timestamp) -> Row {
    Row {
        id,
        name: wanted.name.clone(),
        kind: wanted.kind.clone(),
        labels: wanted.labels.clone(),
        cron: wanted.schedule.text().to_owned(),
        zone: wanted.schedule.zone().to_owned(),
        status: Status::Creating,
        pending: None,
        next_run_at: Some(now),
        trigger: Trigger::Change,
        lease: None,
        active: Progress::default(),
        candidate: Progress::default(),
        sequence: 0,
        transitions: 0,
        incident: None,
        notified: Status::Creating,
        mute: None,
        warning_muted: false,
        flips: Flips::default(),
        flapping: None,
        suspect: None,
        own_fault: None,
        outage: None,
        seen: Seen::default(),
        elsewhere: None,
    }
}

fn new_integration(row: &Row, wanted: &Wanted, now: Timestamp) -> NewIntegration {
    NewIntegration {
        row: row.clone(),
        formerly: wanted.formerly.clone(),
        auto_bootstrap: wanted.auto_bootstrap,
        config: wanted.config.clone(),
        config_shown: wanted.config_shown.clone(),
        catalog_version: wanted.catalog_version,
        pool: wanted.run_on.text(),
        created_at: now,
    }
}

/// Decides what the configuration changes about a stored integration: its description, its status, and
/// when it is due. One that was deleted is taken up again.
pub(crate) fn adjust(
    case: &Case,
    stored: &Stored,
    wanted: &Wanted,
    startup: bool,
    context: &NotificationContext,
) -> Decided<Decision<Option<Transition>>> {
    let (mut draft, now) = (Draft::new(case, context), context.now);
    let mut row = stored.row.clone();
    if !stored.is_described(wanted) {
        describe(&mut draft, &mut row, wanted);
    }
    let Some(reason) = stored.cause(wanted) else {
        end_former(&mut draft, &mut row)?;
        let (schedule, is_new) = (&wanted.schedule, stored.is_retimed(wanted));
        let plan = Replan { schedule, is_new, startup };
        let is_planned = row.status != Status::Disabled && replan(&mut row, plan, now);
        if is_planned || row.incident != stored.row.incident {
            draft.push(Effect::SaveRow(Box::new(row)));
        }
        return Ok(draft.decide(None));
    };
    if reason == Cause::Returned {
        draft.push(Effect::Discard(row.id));
        row.seen = Seen::default();
        row.active = Progress::default();
        row.candidate = Progress::default();
    }
    let mut step = take(&mut draft, &mut row, reason)?;
    end_former(&mut draft, &mut row)?;
    if row.status != Status::Disabled {
        // Without a step, a candidate that is being validated is replaced by another one.
        draft.push(Effect::Propose(Box::new(new_integration(&row, wanted, now))));
        *row.progress_mut(Subject::Candidate) = Progress::default();
        row.restart(Some(now));
    }
    if wanted.disabled {
        step = take(&mut draft, &mut row, Cause::ForceDisabled)?.or(step);
        idle(&mut row);
    }
    draft.push(Effect::SaveRow(Box::new(row)));
    Ok(draft.decide(step))
}

/// Takes over what of `wanted` needs no validation.
fn describe(draft: &mut Draft<'_>, row: &mut Row, wanted: &Wanted) {
    if row.name != wanted.name {
        draft.former_name = Some(std::mem::replace(&mut row.name, wanted.name.clone()));
    }
    wanted.schedule.text().clone_into(&mut row.cron);
    wanted.schedule.zone().clone_into(&mut row.zone);
    row.kind.clone_from(&wanted.kind);
    row.labels.clone_from(&wanted.labels);
    let new = new_integration(row, wanted, draft.now());
    draft.push(Effect::Describe(Box::new(new)));
}

/// Ends the incident under the name that `row` had before, when no change of status has done so.
fn end_former(draft: &mut Draft<'_>, row: &mut Row) -> Decided<()> {
    let Some(name) = draft.former_name.take() else { return Ok(()) };
    let story = incident::latest_story(draft, row)?;
    incident::end_under(draft, row, name, &story)
}

/// Takes `row`, which is disabled, off the schedule; later runs begin anew.
fn idle(row: &mut Row) {
    row.restart(None);
    row.active = Progress { last_run: row.active.last_run, ..Progress::default() };
    row.candidate = Progress::default();
}

/// Decides to take `row` out of use, since the configuration no longer names it. The answer is the row
/// afterwards, with the status change.
pub(crate) fn remove(
    case: &Case,
    row: &Row,
    context: &NotificationContext,
) -> Decided<Decision<(Row, Option<Transition>)>> {
    let (mut draft, mut row) = (Draft::new(case, context), row.clone());
    let mut step = None;
    if row.status != Status::Deleting {
        step = take(&mut draft, &mut row, Cause::Removed)?;
        row.next_run_at = None;
        draft.push(Effect::SaveRow(Box::new(row.clone())));
    }
    Ok(draft.decide((row, step)))
}

/// Decides to end the removal of `row`, on which no run works any more.
pub(crate) fn drain(
    case: &Case,
    row: &Row,
    context: &NotificationContext,
) -> Decided<Decision<Option<Transition>>> {
    let (mut draft, mut row) = (Draft::new(case, context), row.clone());
    let step = take(&mut draft, &mut row, Cause::Drained)?;
    row.lease = None;
    draft.push(Effect::SaveRow(Box::new(row)));
    Ok(draft.decide(step))
}

/// Decides to put `row` into use again, whose removal could not be stored.
pub(crate) fn roll_back_removal(
    case: &Case,
    row: &Row,
    context: &NotificationContext,
) -> Decided<Decision<Option<Transition>>> {
    let (mut draft, mut row) = (Draft::new(case, context), row.clone());
    let step = take(&mut draft, &mut row, Cause::RemovalFailed)?;
    row.restart(next_by_row(&row, context.now));
    row.trigger = Trigger::Schedule;
    draft.push(Effect::SaveRow(Box::new(row)));
    Ok(draft.decide(step))
}
