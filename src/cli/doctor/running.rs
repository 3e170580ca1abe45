//! Checks of the daemon that runs: its loops, receivers, integrations and configuration in force.

use std::time::Duration;

use super::check::{Check, Found, Look, Looked, listed, named};
use super::facts::{Facts, Rows};
use crate::domain::{Status, Timestamp};
use crate::view::Liveness;

/// Longest time after which the daemon says again that it is alive.
const SEEN_MAX: Duration = Duration::from_mins(5);
/// Longest time by which a run may be late.
const LATE_MAX: Duration = Duration::from_mins(2);
/// Longest time that a message should be pending.
const PENDING_MAX: Duration = Duration::from_mins(15);
/// Longest time that an integration should fail without an acknowledgement.
const FAILING_MAX: Duration = Duration::from_hours(7 * 24);
/// Most findings of one check.
const FOUND_MAX: usize = 50;

/// Reason why checks of the daemon cannot be made.
const NO_STORE: &str = "there is no database that can be read";

pub(super) const CHECKS: &[Check] = &[
    Check {
        name: "not-running",
        finds: "The daemon does not run, has not noted for five minutes that it is alive, or runs come more than two \
                minutes late.",
        why: "Nothing is validated in time, and no one is notified.",
        line: "systemctl restart revalidated && journalctl -u revalidated -n 50",
        look: Look::Where(alive),
    },
    Check {
        name: "receivers-behind",
        finds: "A receiver is disabled, or its oldest message has been pending for a quarter of an hour.",
        why: "Failures are recorded, and no one is notified of them there.",
        line: "revalidated receivers",
        look: Look::Where(receivers),
    },
    Check {
        name: "heartbeat",
        finds: "The service that waits for the daemon's heartbeat has not got one for three periods, or the latest was \
                withheld or refused.",
        why: "Either the service raises a false alarm, or the daemon does not work as it seems to.",
        line: "revalidated status",
        look: Look::Where(heartbeat),
    },
    Check {
        name: "failing-long",
        finds: "An integration has never passed, fails for more than a week without an acknowledgement, or has a new \
                configuration that fails.",
        why: "A failure that everyone is used to hides the next one.",
        line: "revalidated list --failing",
        look: Look::Where(failing),
    },
    Check {
        name: "expires-soon",
        finds: "A credential or a certificate expires within 14 days.",
        why: "The integration fails from then on.",
        line: "revalidated list --sort expires",
        look: Look::Where(expiries),
    },
    Check {
        name: "not-in-force",
        finds: "The configuration on the disk is another one than that in force, or the latest reload was refused.",
        why: "What the files say is not what is validated.",
        line: "systemctl reload revalidated",
        look: Look::Where(in_force),
    },
];

fn rows(facts: &Facts) -> Result<&Rows, &'static str> {
    facts.rows.as_ref().ok_or(NO_STORE)
}

fn is_older(at: Timestamp, age: Duration, now: Timestamp) -> bool {
    age < now.since(at)
}

fn alive(facts: &Facts) -> Looked {
    let Some(rows) = &facts.rows else {
        let what = "The daemon does not run; it has no database yet.";
        return if facts.files.database.is_none() {
            Ok(vec![Found::new(what)])
        } else {
            Err(NO_STORE)
        };
    };
    match rows.liveness {
        Liveness::Unknown => return Err("only root and the daemon's own user see whether it runs"),
        Liveness::Stopped => {
            let line = "systemctl start revalidated && journalctl -u revalidated -n 50";
            return Ok(vec![Found::new("The daemon does not run.").type_in(line)]);
        }
        Liveness::Running => {}
    }
    let mut found = Vec::new();
    let seen = rows.node.seen_at.filter(|at| is_older(*at, SEEN_MAX, facts.now));
    found.extend(seen.map(|at| Found::new(format!("The daemon was last seen alive at {at}."))));
    let is_late = |at: &Timestamp| is_older(*at, LATE_MAX, facts.now);
    let late = rows.statuses.iter().filter(|row| {
        row.next_run_at.is_some_and(|at| is_late(&at))
            && row.lease_until.is_none_or(|until| until < facts.now)
    });
    let late: Vec<_> = late.map(|row| &row.name).collect();
    found.extend(named(&late, |names| format!("Runs are more than two minutes late: {names}.")));
    Ok(found)
}

fn receivers(facts: &Facts) -> Looked {
    let mut found = Vec::new();
    for row in rows(facts)?.receivers.iter().filter(|row| row.configured) {
        let name = &row.name;
        if let Some((reason, since)) = row.disabled {
            let what =
                format!("Receiver {name} is disabled since {since}, since {}.", reason.clause());
            found.push(Found::new(what).type_in(format!("revalidated receivers enable {name}")));
        } else if let Some(at) =
            row.oldest_pending_at.filter(|at| is_older(*at, PENDING_MAX, facts.now))
        {
            let what = format!(
                "Receiver {name} has {} pending messages, the oldest of {at}.",
                row.pending
            );
            let line = format!("revalidated deliveries --receiver {name} --state pending");
            found.push(Found::new(what).type_in(line));
        }
    }
    Ok(found)
}

fn heartbeat(facts: &Facts) -> Looked {
    let rows = rows(facts)?;
    let state = rows.node.heartbeat.as_ref().filter(|_| rows.liveness == Liveness::Running);
    let Some(state) = state.filter(|state| !state.is_good(facts.now)) else {
        return Ok(Vec::new());
    };
    let latest = state.delivered_at.map_or_else(
        || "No heartbeat was delivered since the start".to_owned(),
        |at| format!("The latest heartbeat was delivered at {at}"),
    );
    let problem = state.problem.as_ref().map(|problem| format!(": {problem}"));
    Ok(vec![Found::new(format!("{latest}{}.", problem.unwrap_or_default()))])
}

fn failing(facts: &Facts) -> Looked {
    let rows = rows(facts)?;
    let mut found = Vec::new();
    for row in rows.statuses.iter().filter(|row| !rows.acknowledged.contains(&row.id)) {
        let (name, since) = (&row.name, row.failing_since);
        let is_old = since.is_some_and(|since| is_older(since, FAILING_MAX, facts.now));
        let what = match row.status {
            Status::CreateError => format!("{name} has never passed."),
            Status::EditError | Status::MigrateError => {
                format!("The new configuration of {name} fails; the one before stays in force.")
            }
            Status::RecurringValidationError if is_old => {
                format!("{name} fails for more than a week, and no one has acknowledged it.")
            }
            Status::RecurringValidationError
            | Status::Creating
            | Status::Deleted
            | Status::DeleteError
            | Status::Deleting
            | Status::Disabled
            | Status::Editing
            | Status::Enabled
            | Status::Migrating => continue,
        };
        found.push(Found::new(what).type_in(format!("revalidated explain {name}")));
    }
    found.truncate(FOUND_MAX);
    Ok(found)
}

fn expiries(facts: &Facts) -> Looked {
    let soon = rows(facts)?.expiries.iter().map(|one| {
        let (name, what, at) = (&one.integration.name, &one.what, one.at);
        let verb = if at < facts.now { "expired" } else { "expires" };
        let found = Found::new(format!("{name}: {what} {verb} at {at}."));
        found.type_in(format!("revalidated show {name}"))
    });
    Ok(soon.take(FOUND_MAX).collect())
}

fn in_force(facts: &Facts) -> Looked {
    let rows = rows(facts)?;
    let mut found = Vec::new();
    let reload = rows.node.reload.as_ref();
    if let Some(why) = reload.and_then(|reload| reload.refused.as_ref()) {
        found.push(
            Found::new(format!("The latest reload was refused: {why}."))
                .type_in("revalidated check"),
        );
    }
    let Some(difference) = &rows.difference else { return Ok(found) };
    let integrations = difference.integrations.iter().map(|one| one.name.as_str());
    let receivers = difference.receivers.iter().map(|one| one.name.as_str());
    let all: Vec<_> = integrations.chain(receivers).collect();
    if !all.is_empty() {
        found.push(Found::new(format!("A reload would change {}.", listed(&all))));
    }
    Ok(found)
}
