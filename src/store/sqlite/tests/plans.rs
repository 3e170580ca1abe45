//! No hot statement walks through a table.

use super::super::{
    across, audit, clock_rollback, expiry, fingerprint, history, integration, known, lane, load,
    outage, outbox, prepared, prune, queue, receiver, release, row, run, sharing, silence, surplus,
    sync, timeline,
};
use super::*;

fn plan(bench: &Bench, sql: &str) -> Vec<String> {
    let mut statement = bench.conn.prepare(&format!("EXPLAIN QUERY PLAN {sql}")).unwrap();
    let rows = statement.raw_query().mapped(|row| row.get::<_, String>(3));
    rows.map(Result::unwrap).collect()
}

/// The statements and the index that each one must use.
const HOT: &[(&str, &str)] = &[
    (queue::DUE, "integration_due (next_run_at_ms<?)"),
    (queue::REQUESTED, "integration_due (next_run_at_ms<?)"),
    (audit::PAGE, "audit USING INTEGER PRIMARY KEY (rowid<?)"),
    (audit::OLD, "audit_at (at_ms<?)"),
    (queue::NEXT_DUE_AT, "integration_due"),
    (queue::NEXT_DUE_AT, "integration_leased"),
    (queue::NEXT_DELIVERY_AT, "delivery_due (receiver=? AND due_at_ms>?)"),
    (queue::NEXT_DELIVERY_AT, "delivery_leased (receiver=? AND lease_until_ms>?)"),
    (integration::STATUSES, "INTEGER PRIMARY KEY (rowid=?)"),
    (sync::DELETED, "integration_deleted_name (name=?)"),
    (integration::LIVING, "integration_name (name=?)"),
    (integration::SHARED, "factor_count USING PRIMARY KEY (kind=? AND value=?)"),
    (sharing::FACTORS, "factor_value (kind=? AND value=?)"),
    (sharing::FACTS, "INTEGER PRIMARY KEY (rowid=?)"),
    (sharing::RUNS_SINCE, "COVERING INDEX run_started (started_at_ms>?)"),
    (integration::LIVING_PAGE, "integration_name (name>?)"),
    (integration::LIVING_PAGE, "INTEGER PRIMARY KEY (rowid=?)"),
    (integration::DELETED_PAGE, "integration USING INTEGER PRIMARY KEY (rowid>?)"),
    (integration::TARGETS, "integration_name (name>?)"),
    (integration::STATUSES, "integration_name (name>?)"),
    (integration::STATUSES_BY_NEXT_RUN, "integration_due (next_run_at_ms>?)"),
    (history::RUNS, "run_integration (integration_id=? AND id<?)"),
    (across::STRIP, "COVERING INDEX run_integration (integration_id=?)"),
    (across::EXPIRIES, "expiry_at ((at_ms,integration_id,what)>(?,?,?) AND at_ms<?)"),
    (across::TRANSITIONS, "transition_at (at_ms>? AND at_ms<?)"),
    (across::RUNS, "run_started (started_at_ms>? AND started_at_ms<?)"),
    (across::NOTABLE_RUNS, "run_notable (started_at_ms>? AND started_at_ms<?)"),
    (across::RUNS_OF_ONE, "run_integration (integration_id=? AND id<?)"),
    (expiry::OF_ONE, "PRIMARY KEY (integration_id=?)"),
    (timeline::ANCHOR, "transition_integration (integration_id=?)"),
    (timeline::CHANGES, "transition_integration (integration_id=? AND rowid>?)"),
    (timeline::LATER, "transition_integration (integration_id=?)"),
    (outage::LIST, "outage_since"),
    (outage::MEMBERS, "PRIMARY KEY (outage_id=?)"),
    (history::TRANSITIONS, "transition_integration (integration_id=? AND rowid<?)"),
    (history::DELIVERIES, "delivery USING INTEGER PRIMARY KEY (rowid>? AND rowid<?)"),
    (receiver::RECEIVERS, "PRIMARY KEY (name>?)"),
    (silence::PAGE, "silence USING INTEGER PRIMARY KEY (rowid>?)"),
    (row::BY_ID, "INTEGER PRIMARY KEY (rowid=?)"),
    (run::BEGIN, "integration USING INTEGER PRIMARY KEY (rowid=?)"),
    (run::BEGIN, "fingerprint USING INTEGER PRIMARY KEY (rowid=?)"),
    (row::WITH_NEXT_RUN, "integration USING INTEGER PRIMARY KEY (rowid=?)"),
    (load::LATEST_GOOD, "run_integration (integration_id=? AND id<?)"),
    (load::LATEST_BAD, "run_integration (integration_id=? AND id<?)"),
    (prepared::FIND_REPORT, "sqlite_autoindex_report_1 (digest=?)"),
    (fingerprint::FIND, "sqlite_autoindex_fingerprint_1 (digest=?)"),
    (fingerprint::UNUSED, "integration_fingerprint (fingerprint_id=?)"),
    (lane::ENQUEUE, "delivery_order (receiver=? AND integration_id=?)"),
    (sync::DELETING, "integration_deleting"),
    (outbox::CLAIM, "delivery_due (receiver=? AND due_at_ms<?)"),
    (outbox::CLAIM, "PRIMARY KEY (name=?)"),
    (lane::PROCEED, "delivery_order (receiver=? AND integration_id=? AND number<?)"),
    (outbox::PROBE, "delivery_due (receiver=? AND due_at_ms>?)"),
    (outbox::PROBE, "delivery_leased (receiver=? AND lease_until_ms>?)"),
    (queue::NEXT_PROBE_AT, "delivery_leased (receiver=? AND lease_until_ms>?)"),
    (lane::ADVANCE, "delivery_order (receiver=? AND integration_id=?)"),
    (lane::HOLD_BACK, "delivery_order (receiver=? AND integration_id=? AND number>?)"),
    (lane::FIRST, "delivery_order (receiver=? AND integration_id=?)"),
    (outbox::UNFETCHED, "delivery_due (receiver=? AND due_at_ms>?)"),
    (history::EVENTS, "INTEGER PRIMARY KEY (rowid>?)"),
    (clock_rollback::AHEAD, "PRIMARY KEY (delivery_id=?)"),
    (release::ENDED, "integration_muted (muted_until_ms<?)"),
    (release::NEXT_AT, "integration_muted"),
    (release::NEXT_AT, "outage_closing"),
    (silence::OPEN, "silence_open (until_ms>?)"),
    (silence::UNENDED, "silence_open (until_ms>?)"),
    (outage::ANOTHER, "integration_suspect (suspect_since_ms>?)"),
    (outage::FAILING, "integration_suspect"),
    (outage::PASSING, "factor_value (kind=? AND value=?)"),
    (outage::OPEN, "outage_open (kind=? AND value=? AND cause=?)"),
    (outage::STATE, "integration_outage (outage_id=?)"),
    (outage::STILL_FAILING, "integration_outage (outage_id=?)"),
    (known::KNOWN, "PRIMARY KEY (incident_id=?)"),
    (known::NOTICES, "PRIMARY KEY (incident_id=?)"),
    (known::NOTICES, "sqlite_autoindex_delivery_1 (event_id=? AND receiver=?)"),
    (known::BURY_ENDS, "delivery_incident (incident_id=? AND receiver=?)"),
    (prune::EVENTS, "delivery_began (began_id=?)"),
    (prune::EVENTS, "incident_receiver_event (event_id=?)"),
    (surplus::EVENTS, "incident_receiver_event (event_id=?)"),
    (outbox::FIND, "delivery_incident (incident_id=? AND receiver=?)"),
    (load::STATUS_SINCE, "transition_integration (integration_id=?)"),
    (load::ANOTHER_FAILS_LOCALLY, "integration_own_fault (own_fault=?)"),
    (outbox::FIND, "INTEGER PRIMARY KEY (rowid=?)"),
    (release::CLOSING, "outage_closing (close_at_ms<?)"),
    (release::LATEST_FAILURE, "(integration_id=?)"),
    (prune::DELIVERIES, "delivery_ended (ended_at_ms<?)"),
    (prune::EVENTS, "event_created (created_at_ms<?)"),
    (prune::TRANSITIONS, "transition_at (at_ms<?)"),
    (prune::RUNS, "run_started (started_at_ms<?)"),
    (prune::RUNS, "integration_last_run (last_run_id=?)"),
    (prune::RUNS, "integration_candidate_run (candidate_run_id=?)"),
    (prune::REPORT, "run_report (report_id=?)"),
    (surplus::RUN_BEYOND, "COVERING INDEX run_integration (integration_id=?)"),
    (surplus::RUNS, "run_integration (integration_id=? AND id<?)"),
    (surplus::RUNS, "INTEGER PRIMARY KEY (rowid=?)"),
    (surplus::TRANSITION_BEYOND, "COVERING INDEX transition_integration (integration_id=?)"),
    (surplus::TRANSITIONS, "transition_integration (integration_id=? AND rowid<?)"),
    (surplus::DELIVERY_BEYOND, "COVERING INDEX delivery_ended"),
    (surplus::DELIVERIES, "COVERING INDEX delivery_ended (ended_at_ms<?)"),
    (surplus::EVENTS, "INTEGER PRIMARY KEY (rowid<?)"),
    (surplus::EVENTS, "sqlite_autoindex_delivery_1 (event_id=?)"),
    (surplus::DROP_RUN, "integration_last_run (last_run_id=?)"),
    (surplus::DROP_RUN, "integration_candidate_run (candidate_run_id=?)"),
    (surplus::DROP_DELIVERY, "INTEGER PRIMARY KEY (rowid=?)"),
    (surplus::DROP_EVENT, "sqlite_autoindex_delivery_1 (event_id=?)"),
    (lane::DROP_EARLIER, "PRIMARY KEY (delivery_id=? AND number<?)"),
];

#[test]
fn hot_statements_use_their_indexes() {
    let bench = Bench::enabled();
    for (sql, index) in HOT {
        let plan = plan(&bench, sql);
        assert!(plan.iter().any(|step| step.contains(index)), "{index}: {plan:#?}{sql}");
        for step in &plan {
            let walks = step.starts_with("SCAN") && !step.contains("INDEX");
            let derived = step.starts_with("SCAN (") || step.contains("CONSTANT ROW");
            assert!(!walks || derived, "{step}: {sql}");
            assert!(!step.contains("TEMP B-TREE FOR ORDER BY"), "{step}: {sql}");
        }
    }
}

#[test]
fn siblings_are_found_by_what_they_share() {
    let plan = plan(&Bench::enabled(), outage::SIBLINGS);
    let found = plan.iter().any(|step| step.contains("factor_value (kind=? AND value=?)"));
    assert!(found && !plan.iter().any(|step| step.starts_with("SCAN")), "{plan:#?}");
}
