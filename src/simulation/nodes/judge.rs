//! Judge of what is stored: while a world goes on, and when all has been calm for long enough.

use std::collections::BTreeMap;

use super::plan::{Defect, Plan};
use super::server::Database;
use super::world::World;
use crate::domain::Timestamp;
use crate::simulation::faults::{Kind, MINUTE, SECOND};

/// Time for which work may lie after a node was lost, in milliseconds: 25 seconds until others have it, and a margin.
const TAKEN_OVER_MS: i64 = 45 * SECOND;
/// Shortest time of a lost permission that has to be noticed in any case, in milliseconds.
const NOTICED_MS: i64 = 150 * SECOND;

/// Reads the events that a reader has not seen who follows them.
pub(super) async fn follow(database: &Database, world: &World) {
    let after = world.state().books.followed.last().map_or(0, |(number, _)| *number);
    let sql = format!("SELECT number, id FROM revalidated.event WHERE {after} < number ORDER BY 1");
    let found = events(database, &sql).await;
    world.state().books.follow(found);
}

async fn events(database: &Database, sql: &str) -> Vec<(i64, String)> {
    database.rows(sql).await.iter().map(|row| (row.get(0), row.get(1))).collect()
}

/// Forgets what was seen of events that a failover has lost.
pub(super) async fn forget(database: &Database, world: &World) {
    let left = events(database, "SELECT number, id FROM revalidated.event").await;
    world.state().books.forget_followed(&left);
}

/// Returns the integrations of pools with a healthy node that no node has begun, although they were due long ago.
pub(super) async fn overdue(database: &Database, world: &World, now: Timestamp) -> Vec<String> {
    let before = now.0 - TAKEN_OVER_MS;
    let sql = format!(
        "SELECT name FROM revalidated.work JOIN revalidated.integration ON id = integration_id
         WHERE next_run_at_ms < {before}
           AND (lease_until_ms IS NULL OR NOT EXISTS (
                SELECT 1 FROM revalidated.node
                WHERE incarnation = lease_owner AND {now} - 21000 < beat_at_ms))",
        now = now.0
    );
    let found: Vec<String> = database.rows(&sql).await.iter().map(|row| row.get(0)).collect();
    let served = served(world, now);
    let plan = &world.plan;
    let is_served = |name: &String| {
        let number: usize = name.trim_start_matches('i').parse().unwrap();
        served.contains(&plan.specs[number].region)
    };
    found.into_iter().filter(is_served).collect()
}

/// Returns the pools with a node to which nothing was done for long enough.
fn served(world: &World, now: Timestamp) -> Vec<Option<&'static str>> {
    let state = world.state();
    if state.files.iter().any(|files| *files != state.books.edition()) {
        // Nodes wait for files, and in the worst case all of them do.
        return Vec::new();
    }
    let is_healthy = |node: usize| {
        let condition = &state.books.nodes[node];
        let is_free = condition.paused_at.is_none() && condition.cut_at.is_none();
        condition.is_alive
            && is_free
            && !state.cut_off[node]
            && TAKEN_OVER_MS + 5 * SECOND < now.0 - condition.disturbed_at.0
    };
    let healthy: Vec<_> = (0..world.plan.nodes.len()).filter(|node| is_healthy(*node)).collect();
    let regions = healthy.iter().filter_map(|node| world.plan.nodes[*node]).map(Some);
    regions.chain((!healthy.is_empty()).then_some(None)).collect()
}

/// Returns the epoch of the database.
pub(super) async fn epoch(database: &Database) -> String {
    database.rows("SELECT epoch FROM revalidated.meta").await[0].get(0)
}

/// Judges the end of a world.
pub(super) async fn conclude(database: &Database, world: &World) -> Vec<String> {
    let plan = &world.plan;
    let mut found = Vec::new();
    for (what, sql) in RULES {
        // A loss is shown for an hour.
        if plan.is_lossy() && what.contains("daemon fault") {
            continue;
        }
        let rows = database.rows(sql).await;
        found.extend(rows.iter().map(|row| format!("{what}: {}", row.get::<_, String>(0))));
    }
    let all = events(database, "SELECT number, id FROM revalidated.event ORDER BY number").await;
    found.extend(followed(world, &all));
    found.extend(delivered(database, world).await);
    if !plan.is_lossy() {
        found.extend(noticed(database, plan).await);
        found.extend(shared(database, plan).await);
    }
    let deadlocks = database.deadlocks().await;
    if 0 < deadlocks {
        found.push(format!("{deadlocks} deadlocks"));
    }
    found
}

/// Rules about what is stored in the end: each lists what breaks it.
const RULES: &[(&str, &str)] = &[
    (
        "integration that is not well although all is well",
        "SELECT name || ' is ' || status || coalesce(', muted by ' || muted_by, '')
         FROM revalidated.integration WHERE status <> 'enabled' OR incident_id IS NOT NULL",
    ),
    (
        "message that is still pending",
        "SELECT receiver || ' ' || event_id FROM revalidated.delivery WHERE state <> 'delivered'",
    ),
    (
        "lease that does not end",
        "SELECT integration_id || ' of ' || lease_owner FROM revalidated.work
         WHERE lease_until_ms IS NOT NULL AND lease_owner NOT IN
            (SELECT incarnation FROM revalidated.node WHERE beat_at_ms IS NOT NULL)",
    ),
    (
        "outage that does not end",
        "SELECT kind || ' ' || value FROM revalidated.outage WHERE resolved_at_ms IS NULL",
    ),
    (
        "daemon fault that does not end",
        "SELECT node || ' ' || fault || ': ' || message FROM revalidated.own_fault",
    ),
    (
        "daemon fault of whose end receivers were not notified",
        "SELECT (began - ended) || ' degraded' FROM (
            SELECT count(*) FILTER (WHERE type = 'daemon.degraded') AS began,
                   count(*) FILTER (WHERE type = 'daemon.recovered') AS ended
            FROM revalidated.event) AS events WHERE began <> ended",
    ),
    (
        "sequence with a gap",
        "SELECT name || ': ' || integration.sequence || ' and ' || count(event.number)
         FROM revalidated.integration LEFT JOIN revalidated.event
            ON integration_id = integration.id AND type <> 'integration.status.changed'
         GROUP BY integration.id, name, integration.sequence
         HAVING integration.sequence <> count(event.number)
             OR integration.sequence <> coalesce(max(event.sequence), 0)",
    ),
    (
        "number of an event out of its order",
        "SELECT id FROM (SELECT id, sequence, lag(sequence) OVER
            (PARTITION BY integration_id ORDER BY number) AS before FROM revalidated.event
            WHERE type <> 'integration.status.changed') AS events
         WHERE sequence <= before",
    ),
    (
        "run that was recorded twice",
        "SELECT integration_id || ' ' || token FROM revalidated.run
         GROUP BY integration_id, token, subject HAVING 1 < count(*)",
    ),
    (
        "recorded runs that overlap",
        "SELECT integration_id || ' at ' || started_at_ms FROM (
            SELECT integration_id, started_at_ms, lag(started_at_ms + duration_ms) OVER
                (PARTITION BY integration_id ORDER BY started_at_ms) AS ended_ms
            FROM revalidated.run) AS runs WHERE started_at_ms + 1500 < ended_ms",
    ),
    (
        "report that every run locks",
        "SELECT id::text FROM revalidated.report WHERE xmax::text <> '0' AND xmax::text <> xmin::text",
    ),
];

/// Judges what a reader has seen who follows the events.
fn followed(world: &World, all: &[(i64, String)]) -> Vec<String> {
    let state = world.state();
    let seen = &state.books.followed;
    let missed = all.iter().filter(|event| !seen.contains(event));
    missed
        .map(|(number, id)| format!("a reader who follows never sees event {number} ({id})"))
        .collect()
}

/// Judges whether receivers have what is stored as delivered.
async fn delivered(database: &Database, world: &World) -> Vec<String> {
    let rows = database.rows("SELECT receiver, event_id FROM revalidated.delivery").await;
    let statuses = database.rows("SELECT name, status FROM revalidated.integration").await;
    let statuses: BTreeMap<String, String> =
        statuses.iter().map(|row| (row.get(0), row.get(1))).collect();
    let state = world.state();
    let mut found = Vec::new();
    for row in rows {
        let (receiver, id): (String, String) = (row.get(0), row.get(1));
        let number: usize = receiver.trim_start_matches('r').parse().unwrap();
        if !state.books.taken[number].contains_key(&id) {
            found.push(format!("lost: {receiver} never took {id}"));
        }
    }
    for (number, known) in state.books.known.iter().enumerate() {
        let differs = known.iter().filter(|(name, status)| {
            !name.is_empty() && statuses.get(*name) != Some(*status) && !world.plan.is_lossy()
        });
        found
            .extend(differs.map(|(name, status)| format!("r{number} believes {name} is {status}")));
    }
    found
}

/// Returns the integrations that began to fail, each with the instant.
async fn flips(database: &Database) -> Vec<(String, i64)> {
    const SQL: &str = "
        SELECT name, at_ms FROM revalidated.transition
        JOIN revalidated.integration ON integration.id = integration_id
        WHERE to_status = 'recurringValidationError'";
    database.rows(SQL).await.iter().map(|row| (row.get(0), row.get(1))).collect()
}

/// Judges whether permissions that were lost for long were noticed.
async fn noticed(database: &Database, plan: &Plan) -> Vec<String> {
    if !plan.actions.is_empty() || plan.tricks[1] != 0 {
        // What disturbs the nodes may delay them for as long.
        return Vec::new();
    }
    let found = flips(database).await;
    let mut missed = Vec::new();
    for (number, faults) in plan.faults.own.iter().enumerate() {
        let lost = faults.iter().filter(|fault| fault.kind == Kind::LostPermission);
        for fault in lost.filter(|fault| NOTICED_MS <= fault.to.0.min(plan.calm.0) - fault.from.0) {
            let until = fault.to.0 + 10 * SECOND;
            let name = format!("i{number}");
            let is_known = |(other, at): &(String, i64)| *other == name && *at < until;
            if !found.iter().any(is_known) {
                missed.push(format!("{name} lost its permission at {}, unnoticed", fault.from));
            }
        }
    }
    missed
}

/// Judges whether integrations that fail together by their host are an outage.
async fn shared(database: &Database, plan: &Plan) -> Vec<String> {
    let sql = "SELECT value, since_ms FROM revalidated.outage WHERE kind = 'host'";
    let outages = database.rows(sql).await;
    let outages: Vec<(String, i64)> = outages.iter().map(|row| (row.get(0), row.get(1))).collect();
    let flips = flips(database).await;
    let mut missed = Vec::new();
    for (host, faults) in plan.faults.shared.iter().enumerate() {
        let own: Vec<_> = (0..plan.specs.len())
            .filter(|number| {
                plan.specs[*number].host == host && plan.faults.own[*number].is_empty()
            })
            .map(|number| format!("i{number}"))
            .collect();
        for fault in faults {
            let span = fault.from.0..=fault.to.0;
            let failing = own.iter().filter(|name| {
                flips.iter().any(|(flipped, at)| flipped == *name && span.contains(at))
            });
            let is_alone = own.len() == plan.specs.iter().filter(|spec| spec.host == host).count();
            let name = format!("host-{host}");
            let is_known = |(value, since): &(String, i64)| {
                *value == name && (fault.from.0 - MINUTE..=fault.to.0).contains(since)
            };
            if is_alone
                && failing.count() == own.len()
                && 3 <= own.len()
                && !outages.iter().any(is_known)
            {
                missed.push(format!("{name} fails at {}, and there is no outage", fault.from));
            }
        }
    }
    missed
}

/// Returns the statements that plant a defect in the database.
pub(super) const fn planted(defect: Option<Defect>) -> Option<&'static str> {
    match defect {
        Some(Defect::Reports) => Some(
            "ALTER TABLE revalidated.run ADD FOREIGN KEY (report_id) REFERENCES revalidated.report NOT VALID",
        ),
        Some(Defect::Engine(_) | Defect::Clocks) | None => None,
    }
}
