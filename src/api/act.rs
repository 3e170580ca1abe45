//! Actions: what the commands do too, in one short transaction, noted with their author.

use std::time::Duration;

use axum::http::{StatusCode, header};
use serde::Deserialize;
use tokio::time::{Instant, sleep};

use super::asked::{Asked, json, unread};
use super::messages::{delivery_of, receiver_of};
use super::mutes::{silence_of, targets};
use super::route::Handled;
use super::state::Api;
use super::{integrations, messages};
use crate::domain::{
    AttemptResult, EventType, IntegrationId, MuteSpan, Selection, Timestamp, one_line,
};
use crate::http::{Answer, Code, Problem, matches};
use crate::store::{
    Control, IntegrationRow, NewSilence, Page, Redelivered, Replayed, Requested, RunRow,
    SilenceRow, Span, TargetRow,
};
use crate::view::{Pinged, ReplayPlan, RequestedRun, Requeued, Revalidated, Silence, SilenceState};

/// Longest time that a caller may wait for a run.
const WAIT_MAX: Duration = Duration::from_mins(5);
/// Time between two looks for a result.
const LOOK: Duration = Duration::from_millis(200);
/// Length limit of a comment, in characters.
const COMMENT_MAX: usize = 500;

/// Refuses an action on what changed since the caller read it.
async fn unchanged(asked: &Asked) -> Result<(), Problem> {
    if !asked.headers.contains_key(header::IF_MATCH) {
        return Ok(());
    }
    let tag = integrations::detail(asked).await?.tag();
    if matches(&asked.headers, &tag) {
        return Ok(());
    }
    Err(Problem::new(Code::PreconditionFailed, "the integration changed since it was read"))
}

/// Handler of `POST /api/v1/integrations/{name}/validate`.
pub(super) async fn validate(asked: Asked) -> Handled {
    unchanged(&asked).await?;
    let row = asked.integration().await?;
    refuse_unready(&row, asked.now())?;
    let Some(_place) = asked.api.validating.take(row.id) else {
        let problem = Problem::new(Code::TooManyRequests, "a run of it is asked for already");
        return Err(problem.retry_after(1));
    };
    let (id, by) = (row.id, asked.caller.by.clone());
    let change = asked
        .api
        .control
        .change(&by, async move |store: &mut Control, now| store.request(&[id], now).await);
    let requested = change.await.map_err(unread)?.pop();
    let requested = requested.unwrap_or(Requested::NotValidated(row.status));
    if let Requested::NotValidated(status) = requested {
        return Err(in_state(&row, status.as_str()));
    }
    let mut run = RequestedRun {
        name: row.name.clone(),
        kind: row.kind.clone(),
        status: row.status,
        requested,
        at: asked.now(),
        runs: Vec::new(),
    };
    let wait = prefer_wait(&asked);
    if wait.is_some() {
        asked.stream()?;
    }
    let is_done = match wait {
        Some(limit) => wait_for(&asked.api, &row, &mut run, limit).await?,
        None => false,
    };
    let answer = json(&Revalidated::from(&run))?;
    if is_done {
        return Ok(answer.into());
    }
    let name = percent_encoding::utf8_percent_encode(&row.name, percent_encoding::NON_ALPHANUMERIC);
    let location = format!("/api/v1/integrations/{name}/runs");
    let answer = answer.with_status(StatusCode::ACCEPTED);
    Ok(answer.with_header(header::LOCATION, &location).into())
}

/// Refuses to validate what is being validated, or is not validated at all.
fn refuse_unready(row: &IntegrationRow, now: Timestamp) -> Result<(), Problem> {
    if !row.status.is_validated() {
        return Err(in_state(row, row.status.as_str()));
    }
    if row.lease_until.is_some_and(|until| now < until) {
        let in_flight = match row.status.as_str() {
            status @ ("creating" | "editing" | "migrating" | "deleting") => status,
            _ => "validating",
        };
        return Err(in_state(row, in_flight));
    }
    Ok(())
}

/// Returns the conflict in the words of the published interface.
fn in_state(row: &IntegrationRow, state: &str) -> Problem {
    let id = row.id.0;
    let detail = format!("Unable to validate integration with ID {id} in current state {state}.");
    Problem::new(Code::Conflict, detail)
}

/// Returns the time that the caller wants to wait: `Prefer: wait=60` (RFC 7240).
fn prefer_wait(asked: &Asked) -> Option<Duration> {
    let values = asked.headers.get_all("prefer").into_iter();
    let mut preferences =
        values.filter_map(|value| value.to_str().ok()).flat_map(|value| value.split([',', ';']));
    let seconds = preferences.find_map(|one| one.trim().strip_prefix("wait=")?.parse().ok())?;
    Some(Duration::from_secs(seconds).min(WAIT_MAX))
}

/// Waits until a run that began after the request is stored; returns false when that takes too long.
async fn wait_for(
    api: &Api,
    row: &IntegrationRow,
    run: &mut RequestedRun,
    limit: Duration,
) -> Result<bool, Problem> {
    let candidate = row.candidate.as_ref().and_then(|new| new.last_run.as_ref());
    let latest = row.last_run.iter().chain(candidate).map(|one| one.id).max();
    let begun = Instant::now();
    loop {
        let rows = api.view.runs(row.id, Page::first(2)).await.map_err(unread)?.rows;
        let is_answer = |one: &RunRow| latest < Some(one.id) && run.at <= one.started_at;
        let found: Vec<_> = rows.into_iter().filter(is_answer).collect();
        if let Some(began) = found.iter().map(|one| one.started_at).min() {
            run.runs = found.into_iter().filter(|one| one.started_at == began).collect();
            if let Some(row) = api.view.integration(&row.name).await.map_err(unread)? {
                run.status = row.status;
            }
            return Ok(true);
        }
        if limit <= begun.elapsed() {
            return Ok(false);
        }
        sleep(LOOK).await;
    }
}

/// Body of an acknowledgement.
#[derive(Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct Acknowledge {
    /// Instant at which it ends by itself.
    until: Timestamp,
    #[serde(default)]
    comment: String,
}

/// Handler of `POST /api/v1/integrations/{name}/acknowledge`.
pub(super) async fn acknowledge(asked: Asked) -> Handled {
    unchanged(&asked).await?;
    let body: Acknowledge = asked.body()?;
    let row = asked.integration().await?;
    if !row.status.is_error() {
        let detail = format!("it is {}; only a failure can be acknowledged", row.status);
        return Err(Problem::new(Code::Conflict, detail));
    }
    let span = span(None, body.until, asked.now())?;
    let integrations = vec![row.name.clone()];
    let selection = Selection { integrations, ..Selection::default() };
    mute(&asked, Some(row.id), selection, body.comment, span).await
}

/// Body of a silence.
#[derive(Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct NewMute {
    /// Integrations that it mutes; all criteria must fit.
    selection: Selection,
    /// Instant at which it begins; now without one.
    #[serde(default)]
    from: Option<Timestamp>,
    /// Instant at which it ends by itself.
    until: Timestamp,
    #[serde(default)]
    comment: String,
}

/// Handler of `POST /api/v1/silences`.
pub(super) async fn silence(asked: Asked) -> Handled {
    let body: NewMute = asked.body()?;
    let mut selection = body.selection;
    // A caller that sees a part mutes a part.
    selection.labels.extend(asked.caller.labels.clone());
    let span = span(body.from, body.until, asked.now())?;
    mute(&asked, None, selection, body.comment, span).await
}

fn span(from: Option<Timestamp>, until: Timestamp, now: Timestamp) -> Result<MuteSpan, Problem> {
    MuteSpan::new(from, until, now).map_err(|problem| Problem::new(Code::Conflict, problem))
}

/// Stores a mute, unless the same one is open: then answers that one.
async fn mute(
    asked: &Asked,
    acknowledges: Option<IntegrationId>,
    selection: Selection,
    comment: String,
    span: MuteSpan,
) -> Handled {
    let MuteSpan { from, until } = span;
    let all = targets(asked).await?;
    let is_same = |row: &SilenceRow| {
        let about = row.acknowledged.as_ref().map(|(id, _)| *id);
        about == acknowledges
            && (about.is_some() || row.selection == selection)
            && row.until == until
            && row.state(asked.now()) != SilenceState::Ended
    };
    let open = asked.api.view.all_silences(asked.now()).await.map_err(unread)?;
    if let Some(row) = open.into_iter().find(is_same) {
        return Ok(shown(asked, &row, &all)?.into());
    }
    let (author, comment) = (asked.caller.by.clone(), one_line(&comment, COMMENT_MAX));
    let new = NewSilence { acknowledges, selection, author: author.clone(), comment, from, until };
    let change = asked
        .api
        .control
        .change(&author, async move |store: &mut Control, now| store.silence(&new, now).await);
    let id = change.await.map_err(unread)?;
    let row = asked.api.view.silence(id).await.map_err(unread)?;
    let row = row.ok_or_else(|| Problem::new(Code::Internal, "the silence is gone"))?;
    let answer = shown(asked, &row, &all)?.with_status(StatusCode::CREATED);
    Ok(answer.with_header(header::LOCATION, &format!("/api/v1/silences/{id}")).into())
}

fn shown(asked: &Asked, row: &SilenceRow, all: &[TargetRow]) -> Result<Answer, Problem> {
    json(&Silence::new(row, all, asked.now()))
}

/// Handler of `DELETE /api/v1/silences/{id}`.
pub(super) async fn end_silence(asked: Asked) -> Handled {
    let (row, all) = silence_of(&asked).await?;
    let targets = asked.api.view.all_targets().await.map_err(unread)?;
    let is_own = || row.is_within(&targets, |one| asked.caller.sees(&one.labels));
    if !asked.sees_all() && !is_own() {
        let detail = "it mutes integrations too that this token does not see";
        return Err(Problem::new(Code::Forbidden, detail));
    }
    let (id, by) = (row.id, asked.caller.by.clone());
    let change = asked
        .api
        .control
        .change(&by, async move |store: &mut Control, now| store.end_silence(id, now).await);
    change.await.map_err(unread)?;
    let row = asked.api.view.silence(id).await.map_err(unread)?.unwrap_or(row);
    Ok(shown(&asked, &row, &all)?.into())
}

/// Handler of `POST /api/v1/deliveries/{id}/redeliver`.
pub(super) async fn redeliver(asked: Asked) -> Handled {
    let row = delivery_of(&asked).await?;
    let (ids, by) = ([row.id], asked.caller.by.clone());
    let change = asked
        .api
        .control
        .change(&by, async move |store: &mut Control, now| store.redeliver(&ids, now).await);
    match change.await.map_err(unread)? {
        Redelivered::Queued(queued) => match queued.first() {
            Some(queued) => Ok(json(&Requeued::from(queued))?.into()),
            None => Err(Problem::new(Code::Internal, "nothing was queued")),
        },
        Redelivered::Unknown(_) => Err(Problem::new(Code::NotFound, "the delivery is gone")),
    }
}

/// Handler of `POST /api/v1/receivers/{name}/enable`.
pub(super) async fn enable(asked: Asked) -> Handled {
    let (row, by) = (receiver_of(&asked).await?, asked.caller.by.clone());
    let change = asked
        .api
        .control
        .change(&by, async move |store: &mut Control, now| store.enable(&row.name, now).await);
    change.await.map_err(unread)?;
    messages::receiver(asked).await
}

/// Handler of `POST /api/v1/receivers/{name}/disable`.
pub(super) async fn disable(asked: Asked) -> Handled {
    let (row, by) = (receiver_of(&asked).await?, asked.caller.by.clone());
    if row.disabled.is_none() {
        let change = asked
            .api
            .control
            .change(&by, async move |store: &mut Control, now| store.disable(&row.name, now).await);
        change.await.map_err(unread)?;
    }
    messages::receiver(asked).await
}

/// Body of a replay.
#[derive(Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct Replay {
    /// First instant of the events.
    since: Timestamp,
    /// First instant after them.
    #[serde(default)]
    until: Option<Timestamp>,
    /// Number of events that the plan named: they are queued only when it is right.
    #[serde(default)]
    #[cfg_attr(test, schemars(with = "Option<u64>"))]
    confirm: Option<serde_json::Number>,
}

/// Handler of `POST /api/v1/receivers/{name}/replay`: a plan, or what came of a confirmed one.
pub(super) async fn replay(asked: Asked) -> Handled {
    let body: Replay = asked.body()?;
    let row = receiver_of(&asked).await?;
    let sender = asked.api.control.sender(&row.name);
    let sender = sender.ok_or_else(|| unconfigured(&row.name))?;
    let span = Span { since: body.since, until: body.until };
    let wanting = sender.subscription().clone();
    let (confirmed, by) = (body.confirm.as_ref().map(whole), asked.caller.by.clone());
    let change = asked.api.control.change(&by, async move |store: &mut Control, now| {
        let plan = store.plan_replay(&wanting, span).await?;
        let goes = confirmed == Some(plan.events) && 0 < plan.events && !plan.is_too_much;
        let done = if goes { Some(store.replay(&wanting, span, now).await?) } else { None };
        Ok((plan, done))
    });
    let (plan, done): (Replayed, Option<Replayed>) = change.await.map_err(unread)?;
    if plan.is_too_much {
        let detail = "more than 20,000 events; take a shorter time by `since` and `until`";
        return Err(Problem::new(Code::Conflict, detail));
    }
    if let (Some(confirmed), None) = (confirmed, done)
        && confirmed != plan.events
    {
        let detail = format!("the plan names {} events now, not {confirmed}", plan.events);
        return Err(Problem::new(Code::Conflict, detail));
    }
    Ok(json(&ReplayPlan::new(&row.name, done.unwrap_or(plan)))?.into())
}

/// Returns a number that is whole, whatever its form: `7.0` is 7 too; any other as one that no plan names.
fn whole(number: &serde_json::Number) -> u64 {
    let text = number.to_string();
    let digits = text.strip_suffix(".0").unwrap_or(&text);
    digits.parse().unwrap_or(u64::MAX)
}

fn unconfigured(name: &str) -> Problem {
    let detail = format!("the configuration names no receiver {}", crate::input::quoted(name));
    Problem::new(Code::Conflict, detail)
}

/// Body of a test message.
#[derive(Default, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct TestMessage {
    /// Type of the event; `webhook.ping` without one.
    #[serde(default, rename = "type")]
    kind: Option<EventType>,
}

/// Handler of `POST /api/v1/receivers/{name}/test`: sends a signed test message now; nothing is stored.
pub(super) async fn test(asked: Asked) -> Handled {
    let body: TestMessage = asked.body()?;
    let kind = body.kind.unwrap_or(EventType::WebhookPing);
    let row = receiver_of(&asked).await?;
    let sender = asked.api.control.sender(&row.name);
    let sender = sender.ok_or_else(|| unconfigured(&row.name))?;
    let sent = sender.test(kind, asked.now(), asked.api.control.page().as_ref()).await;
    let (id, sent) = sent.map_err(|error| Problem::new(Code::Conflict, error.to_string()))?;
    let code = match sent.result {
        AttemptResult::Answered { code, .. } => Some(code),
        AttemptResult::Unreachable | AttemptResult::Unsendable => None,
    };
    let pinged = Pinged::new(&row.name, kind, code, sent.duration, &sent.detail);
    Ok(json(&pinged.under(&id))?.into())
}
