//! `doctor`: looks for what is wrong with an installation, and says why it matters and what to type.
//!
//! Facts are gathered once ([`gather`]); the checks are pure functions of them, in tables by the part that they look
//! at. The documentation's list is made from the same tables.

mod check;
mod configuration;
mod disk;
mod facts;
mod gather;
mod install;
#[cfg(test)]
mod list;
mod machine;
mod network;
mod running;
mod store;
mod table;
#[cfg(test)]
mod tests;
mod unit;

use std::collections::BTreeMap;
use std::time::Duration;

use anyhow::anyhow;
use serde_json::{Value as Json, json};
use tokio::time::timeout;

use super::args::{Doctor, Global};
use super::error::CommandError;
use super::print::{Answer, End, Screen, counted, sanitise};
use crate::domain::Timestamp;
use crate::view::{Diagnosis, Finding, NotMade};
use check::{Check, Group};
use table::CHECKS;

pub(super) use disk::said;
pub(super) use facts::Facts;

/// Longest time of a diagnosis.
const TIME_MAX: Duration = Duration::from_secs(30);

/// Looks at the installation; the exit status is 0 when nothing was found.
pub(super) async fn answer(
    global: &Global,
    args: &Doctor,
    screen: Screen,
) -> Result<Answer, CommandError> {
    let diagnosis = diagnosis(&facts(global, args, screen.now).await?);
    let is_well = diagnosis.is_well;
    let text = match (args.form.json, args.fix_hints) {
        (true, _) => {
            let end = End::success_if(is_well);
            return Ok(Answer { end, ..Answer::json(&diagnosis)? });
        }
        // Lines to type are not to be broken.
        (false, true) => {
            return Ok(Answer { is_json: true, ..Answer::judged(hints(&diagnosis), is_well) });
        }
        (false, false) => text(&diagnosis),
    };
    Ok(Answer::judged(text, is_well))
}

/// Gathers the facts about the installation.
///
/// # Errors
///
/// Fails when that takes too long.
pub(super) async fn facts(
    global: &Global,
    args: &Doctor,
    now: Timestamp,
) -> Result<Facts, anyhow::Error> {
    let facts = timeout(TIME_MAX, gather::gather(global, args, now)).await;
    facts.map_err(|_elapsed| anyhow!("the diagnosis took longer than {} s", TIME_MAX.as_secs()))
}

/// Returns the statistics of the database.
pub(super) fn statistics(facts: &Facts) -> Json {
    let files = &facts.files;
    let (bytes, created_at) = files.database.map_or((None, None), |(bytes, at)| (Some(bytes), at));
    let free = files.folder.as_ref().map(|folder| folder.free);
    let rows = facts.rows.as_ref().map(|rows| {
        let mut statuses: BTreeMap<&str, u32> = BTreeMap::new();
        for row in &rows.statuses {
            let count = statuses.entry(row.status.as_str()).or_default();
            *count = count.saturating_add(1);
        }
        let pending = rows.receivers.iter().map(|row| (row.name.as_str(), row.pending));
        json!({
            "daemon": rows.liveness, "startedAt": rows.node.started_at, "seenAt": rows.node.seen_at,
            "integrations": statuses, "pendingMessages": pending.collect::<BTreeMap<_, _>>(),
            "events": rows.events,
        })
    });
    json!({
        "path": files.shown, "bytes": bytes, "createdAt": created_at,
        "freeBytes": free, "unreadable": files.unreadable, "rows": rows,
    })
}

/// Makes all checks on the facts.
pub(super) fn diagnosis(facts: &Facts) -> Diagnosis {
    let (mut findings, mut not_made, mut made) = (Vec::new(), Vec::new(), 0_usize);
    for (group, check) in all() {
        let Check { name, why, line, .. } = *check;
        match check.made(facts) {
            Ok(found) => {
                made = made.saturating_add(1);
                findings.extend(found.into_iter().map(|one| Finding {
                    check: name,
                    group: group.as_str(),
                    what: one.what,
                    why,
                    remediation: one.line.unwrap_or_else(|| line.to_owned()),
                }));
            }
            Err(reason) => not_made.push(NotMade { check: name, reason }),
        }
    }
    Diagnosis::new(made, findings, not_made)
}

/// Returns all checks, each with the part that it looks at.
fn all() -> impl Iterator<Item = (Group, &'static Check)> {
    CHECKS.into_iter().flat_map(|(group, checks)| checks.iter().map(move |check| (group, check)))
}

fn text(diagnosis: &Diagnosis) -> String {
    let blocks = diagnosis.findings.iter().map(|one| {
        let Finding { check, what, why, remediation, .. } = one;
        format!("{check}: {}\n{why}\nFix: {}\n\n", sanitise(what), sanitise(remediation))
    });
    let text: String = blocks.collect();
    let not_made = diagnosis.not_made.iter().map(|one| {
        let NotMade { check, reason } = one;
        format!("{check}: not looked at, since {reason}\n")
    });
    let not_made: String = not_made.collect();
    let checks = counted(diagnosis.checks, "check");
    let found = match diagnosis.findings.len() {
        0 => "nothing found".to_owned(),
        count => counted(count, "finding"),
    };
    format!("{text}{not_made}{checks}: {found}.\n")
}

/// Returns the lines to type, each below its finding as a comment.
fn hints(diagnosis: &Diagnosis) -> String {
    let line = |one: &Finding| {
        format!("# {}: {}\n{}\n", one.check, sanitise(&one.what), sanitise(&one.remediation))
    };
    diagnosis.findings.iter().map(line).collect()
}
