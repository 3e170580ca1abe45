//! Live changes for screens: short notices of what to read again, not kept and not numbered.

use std::collections::BTreeMap;
use std::sync::{Arc, Weak};
use std::time::Duration;

use bytes::Bytes;
use serde::Serialize;
use tokio::sync::broadcast::error::RecvError;
use tokio::sync::{broadcast, mpsc};
use tokio::time::{Instant, sleep, timeout, timeout_at};

use super::asked::{Asked, FOR};
use super::events::streamed;
use super::hub::Notice;
use super::route::{Handled, Reply};
use super::state::Api;
use crate::http::{ALIVE, Parameter, RETRY, event, written};
use crate::store::{StatusRow, StoreError};
use crate::view::{Receiver, Silence, open_silences};

/// Time between two looks: one notice of a row in this time at most.
const EVERY: Duration = Duration::from_secs(1);
/// Time between two looks when no commit of this process asks for one.
const LOOK: Duration = Duration::from_secs(2);
/// Time between two signs of life.
const ALIVE_EVERY: Duration = Duration::from_secs(15);
/// Parameters of the stream.
pub(super) const STREAM: &[Parameter] = &[FOR];

/// Looks at the store while there are listeners, and sends what differs.
async fn watch(api: Weak<Api>) {
    let mut before: Option<Snapshot> = None;
    loop {
        let Some(api) = api.upgrade() else { return };
        if api.hub.is_over() {
            return;
        }
        let mut changes = api.changes.clone();
        changes.mark_unchanged();
        if let Ok(now) = Snapshot::read(&api).await {
            if let Some(before) = &before {
                now.differing(before).into_iter().for_each(|notice| api.hub.send(notice));
            }
            before = Some(now);
        }
        drop(api);
        sleep(EVERY).await;
        // A closed channel means that the daemon stops, which the next turn sees.
        let _late = timeout(LOOK.saturating_sub(EVERY), changes.changed()).await;
    }
}

/// State of everything that screens show.
#[derive(Debug, Default)]
struct Snapshot {
    rows: BTreeMap<i64, StatusRow>,
    /// Texts of everything else, by kind and name.
    others: BTreeMap<(&'static str, String), String>,
}

/// Notice of an integration.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Changed<'a> {
    id: i64,
    name: &'a str,
    status: &'static str,
    last_run_id: Option<i64>,
}

impl Snapshot {
    async fn read(api: &Api) -> Result<Self, StoreError> {
        let mut found = Self::default();
        let rows = api.view.all_statuses().await?.into_iter();
        found.rows = rows.map(|row| (row.id.0, without_plan(row))).collect();
        for row in &api.view.all_receivers().await? {
            let text = serde_json::to_string(&Receiver::from(row)).unwrap_or_default();
            found.others.insert(("receiver", row.name.clone()), text);
        }
        let now = api.control.now();
        for row in open_silences(&api.view, now).await? {
            let text = serde_json::to_string(&Silence::new(&row, &[], now)).unwrap_or_default();
            found.others.insert(("silence", row.id.to_string()), text);
        }
        for row in api.view.own_faults().await? {
            found.others.insert(("daemon", row.fault.as_str().to_owned()), row.message);
        }
        Ok(found)
    }

    /// Returns a notice of each row that differs from `before`, or is gone.
    fn differing(&self, before: &Self) -> Vec<Notice> {
        let gone = before.rows.iter().filter(|(id, _)| !self.rows.contains_key(id));
        let changed = self.rows.iter().filter(|(id, row)| before.rows.get(id) != Some(*row));
        let gone = gone.map(|(_, row)| integration(row, "deleted"));
        let changed = changed.map(|(_, row)| integration(row, row.status.as_str()));
        let keys = self.others.keys().chain(before.others.keys());
        let other =
            |key: &&(&'static str, String)| self.others.get(*key) != before.others.get(*key);
        let mut others: Vec<_> = keys.filter(other).collect();
        others.sort_unstable();
        others.dedup();
        let others = others.into_iter().map(|(name, which)| Notice {
            name,
            data: serde_json::json!({ "name": which }).to_string(),
            labels: None,
        });
        gone.chain(changed).chain(others).collect()
    }
}

/// Row without its lease, which no screen shows.
fn without_plan(row: StatusRow) -> StatusRow {
    StatusRow { lease_until: None, ..row }
}

fn integration(row: &StatusRow, status: &'static str) -> Notice {
    let last_run_id = row.last_run.as_ref().map(|run| run.run.0);
    let changed = Changed { id: row.id.0, name: &row.name, status, last_run_id };
    let data = serde_json::to_string(&changed).unwrap_or_default();
    Notice { name: "integration", data, labels: Some(row.labels.clone()) }
}

/// Handler of `GET /api/v1/changes`: notices of what to read again.
pub(super) fn stream(asked: Asked) -> Handled {
    asked.stream()?;
    let api = Arc::downgrade(&asked.api);
    let notices = asked.api.hub.subscribe(|| drop(tokio::spawn(watch(api))));
    let (sender, body) = written();
    tokio::spawn(write(asked, notices, sender));
    Ok(Reply::Streamed(streamed(body)))
}

/// Writes notices until the reader is gone or too slow, or its time is over.
async fn write(
    asked: Asked,
    mut notices: broadcast::Receiver<Arc<Notice>>,
    sender: mpsc::Sender<Bytes>,
) {
    let (mut alive, end) = (Instant::now(), asked.end());
    let mut next = Some(RETRY);
    loop {
        if let Some(bytes) = next.take() {
            alive = Instant::now();
            if !asked.write(&sender, bytes).await {
                return;
            }
        }
        let silence = alive + ALIVE_EVERY;
        let until = end.map_or(silence, |end| end.min(silence));
        let received = tokio::select! {
            received = timeout_at(until, notices.recv()) => received,
            () = sender.closed() => return,
        };
        if end.is_some_and(|end| end <= Instant::now()) {
            return;
        }
        next = match received {
            Ok(Ok(notice)) => {
                is_for(&asked, &notice).then(|| event(None, notice.name, &notice.data))
            }
            Ok(Err(RecvError::Lagged(_))) => Some(event(None, "reset", "{}")),
            Ok(Err(RecvError::Closed)) => return,
            Err(_silent) => Some(ALIVE),
        };
    }
}

fn is_for(asked: &Asked, notice: &Notice) -> bool {
    match &notice.labels {
        Some(labels) => asked.caller.sees(labels),
        None => asked.sees_all(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{Status, Timestamp};
    use crate::view::samples;

    fn snapshot(rows: Vec<StatusRow>, others: &[(&'static str, &str, &str)]) -> Snapshot {
        Snapshot {
            rows: rows.into_iter().map(|row| (row.id.0, without_plan(row))).collect(),
            others: others
                .iter()
                .map(|(kind, name, text)| ((*kind, (*name).to_owned()), (*text).to_owned()))
                .collect(),
        }
    }

    #[test]
    fn only_what_differs_is_sent() {
        let row = samples::status();
        let flipped = StatusRow { status: Status::Enabled, ..row.clone() };
        let leased = StatusRow { lease_until: Some(Timestamp(7)), ..row.clone() };
        let before = snapshot(vec![row.clone()], &[("receiver", "a", "1"), ("silence", "3", "x")]);
        let sent = |now: Snapshot| -> Vec<_> {
            now.differing(&before).into_iter().map(|one| (one.name, one.data)).collect()
        };
        let same = [("receiver", "a", "1"), ("silence", "3", "x")];
        assert_eq!(sent(snapshot(vec![leased], &same)), []);
        let data = r#"{"id":7,"name":"lake","status":"enabled","lastRunId":912}"#;
        let expected = ("integration", data.to_owned().replace('7', &row.id.0.to_string()));
        assert_eq!(sent(snapshot(vec![flipped], &same)), [expected]);
        let gone = sent(snapshot(vec![], &[("receiver", "a", "2"), ("daemon", "disk", "y")]));
        let names: Vec<_> = gone.iter().map(|(name, _)| *name).collect();
        assert_eq!(names, ["integration", "daemon", "receiver", "silence"]);
        assert!(gone[0].1.contains("\"deleted\""));
    }
}
