//! The daemon itself: summary, health, version, catalogs and the audit trail.

use serde::Serialize;

use super::asked::{Asked, items, json, listed, unread};
use super::messages;
use super::route::{Handled, Reply};
use crate::daemon::Pulse;
use crate::domain::Timestamp;
use crate::http::{Answer, Code, Kind, Parameter, Problem};
use crate::platforms::PLATFORMS;
use crate::store::AuditFilter;
use crate::view::{
    Audited, BackupStatus, DaemonRows, DaemonStatus, Live, LiveLoop, Liveness, PlatformTests,
    Summary,
};

/// Handler of `GET /api/v1/summary`.
pub(super) async fn summary(asked: Asked) -> Handled {
    let (rows, view) = (asked.statuses().await?, &asked.api.view);
    let mut outages = Vec::new();
    let mut ids: Vec<_> = rows.iter().filter_map(|row| row.outage_id.clone()).collect();
    ids.sort_unstable();
    ids.dedup();
    for id in ids {
        outages.extend(view.outage(&id).await.map_err(unread)?);
    }
    let receivers =
        if asked.sees_all() { view.all_receivers().await.map_err(unread)? } else { Vec::new() };
    let faults = view.own_faults().await.map_err(unread)?;
    let receivers = receivers.iter().map(|row| messages::shown(&asked, row)).collect();
    Ok(json(&Summary::new(&rows, &faults, &outages, receivers))?.into())
}

/// Handler of `GET /healthz`: the process lives.
pub(super) fn health() -> Reply {
    Answer::new("text/plain; charset=utf-8", "ok\n").into()
}

/// Handler of `GET /readyz`: the loops make progress, and the store answers.
pub(super) async fn ready(asked: Asked) -> Handled {
    let unavailable = |detail: String| Problem::new(Code::Unavailable, detail).retry_after(5);
    if let Some(name) = pulse(&asked)?.still() {
        return Err(unavailable(format!("the {name} makes no progress")));
    }
    let read = asked.api.view.epoch().await;
    read.map_err(|error| unavailable(format!("the store does not answer: {error}")))?;
    Ok(Answer::new("text/plain; charset=utf-8", "ready\n").live().into())
}

/// Returns the live figures of the daemon.
fn pulse(asked: &Asked) -> Result<Pulse, Problem> {
    let stops = || Problem::new(Code::Unavailable, "the daemon stops").retry_after(5);
    asked.api.control.pulse().ok_or_else(stops)
}

/// Returns them as they are shown.
async fn figures(asked: &Asked) -> Result<Live, Problem> {
    let Pulse { running, limit, lateness, loops } = pulse(asked)?;
    let loops = loops.iter().map(|&(name, idle)| LiveLoop::new(name, idle, Pulse::is_still(idle)));
    Ok(Live {
        epoch: asked.api.view.epoch().await.map_err(unread)?,
        runs_in_flight: running,
        runs_limit: limit,
        lateness_p99_ms: lateness.map(|late| u64::try_from(late.as_millis()).unwrap_or(u64::MAX)),
        loops: loops.collect(),
        backup_failed: asked.api.control.backup_state().map(|state| state.has_failed),
    })
}

/// Handler of `GET /api/v1/live`.
pub(super) async fn live(asked: Asked) -> Handled {
    asked.whole()?;
    Ok(json(&figures(&asked).await?)?.live().into())
}

/// Handler of `GET /api/v1/status`.
pub(super) async fn status(asked: Asked) -> Handled {
    asked.whole()?;
    let read = DaemonRows::read(&asked.api.view, Liveness::Running, asked.now()).await;
    let rows = DaemonRows { live: Some(figures(&asked).await?), ..read.map_err(unread)? };
    let mut status = DaemonStatus::from(&rows);
    status.backup = BackupStatus::read(asked.api.control.backups().as_ref()).await;
    Ok(json(&status)?.live().into())
}

/// Handler of `GET /metrics`.
pub(super) async fn metrics(asked: Asked) -> Handled {
    asked.whole()?;
    let text = asked.api.metrics.text().await;
    Ok(Reply::Streamed(crate::http::scraped(&asked.headers, text)))
}

/// Version of the program, and of what it serves.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub(super) struct Version {
    #[serde(rename = "version")]
    program: &'static str,
    /// Random id of the database: cursors and positions of another one mean other rows.
    epoch: String,
    /// Number of the latest event.
    latest_event: i64,
    /// Start of the daemon.
    started_at: Option<Timestamp>,
}

/// Handler of `GET /api/v1/version`.
pub(super) async fn version(asked: Asked) -> Handled {
    let node = asked.api.view.node().await.map_err(unread)?;
    let read = asked.api.view.events(i64::MAX, 1).await.map_err(unread)?;
    let shown = Version {
        program: env!("CARGO_PKG_VERSION"),
        epoch: read.epoch,
        latest_event: read.latest,
        started_at: node.started_at,
    };
    Ok(json(&shown)?.into())
}

/// Handler of `GET /api/v1/catalog`.
pub(super) fn catalogs(asked: &Asked) -> Handled {
    let shown = PLATFORMS.iter().map(PlatformTests::from).collect();
    Ok(items(asked, shown, None)?.into())
}

/// Handler of `GET /api/v1/catalog/{type}`.
pub(super) fn catalog(asked: &Asked) -> Handled {
    let kind = asked.part("type");
    let found = PLATFORMS.iter().find(|platform| platform.kind == kind);
    let platform = found.ok_or_else(|| {
        let detail = format!("no platform is named {}", crate::input::quoted(kind));
        Problem::new(Code::NotFound, detail)
    })?;
    Ok(json(&PlatformTests::from(platform))?.into())
}

/// Parameters of the audit trail.
pub(super) const AUDIT: &[Parameter] = &[
    Parameter::once("author", Kind::Text, "Only what this person did."),
    Parameter::once("since", Kind::Instant, "Only from this instant on."),
    Parameter::once("until", Kind::Instant, "Only before this instant."),
];

/// Handler of `GET /api/v1/audit`.
pub(super) async fn audit(asked: Asked) -> Handled {
    asked.whole()?;
    let filter = AuditFilter {
        author: asked.query.text("author").map(str::to_owned),
        since: asked.query.instant("since"),
        until: asked.query.instant("until"),
        ..AuditFilter::default()
    };
    let rows = asked.api.view.audit(filter, asked.page()?).await.map_err(unread)?;
    Ok(listed(&asked, &rows, Audited::from)?.into())
}
