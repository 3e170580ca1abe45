//! Plans of hot statements: each goes by an index, however many rows there are.

use super::super::tx::{Params, Tx, get, params};
use super::super::{
    across, begins, deliveries, history, integration, outbox, queue, sharing, surplus,
};
use super::fresh;

/// Returns the plan of a statement where indexes are used if they can be.
async fn plan(tx: &Tx, sql: &str, params: Params<'_>) -> String {
    let rows = tx.rows(&format!("EXPLAIN (COSTS OFF) {sql}"), params).await.unwrap();
    let lines = rows.iter().map(|row| get::<String>(row, "QUERY PLAN").unwrap());
    lines.collect::<Vec<_>>().join("\n")
}

/// Fails when the plan of a statement does not have its index.
async fn check(tx: &Tx, table: &[(&str, Params<'_>, &str)]) {
    tx.batch("SET LOCAL enable_seqscan = off; SET LOCAL enable_bitmapscan = off").await.unwrap();
    for (sql, params, index) in table {
        let plan = plan(tx, sql, params).await;
        assert!(plan.contains(index), "{index} is not in the plan of {sql}:\n{plan}");
    }
}

#[tokio::test]
async fn claims_go_by_their_indexes() {
    let (_database, _store, tx) = fresh().await;
    let (text, texts, numbers) = ("a", vec!["a"], vec![1_i64]);
    let leased = params![
        numbers => INT8_ARRAY, numbers => INT8_ARRAY, numbers => INT8_ARRAY, texts => TEXT_ARRAY,
        numbers => INT8_ARRAY, numbers => INT8_ARRAY, 1_i64 => INT8, 1_i64 => INT8,
        texts => TEXT_ARRAY, text => TEXT,
    ];
    let states = params![texts => TEXT_ARRAY, 1_i64 => INT8, 1_i64 => INT8];
    let due = params![1_i64 => INT8, 1_i64 => INT8, texts => TEXT_ARRAY, text => TEXT];
    let table: [(&str, Params<'_>, &str); 9] = [
        (begins::LEASE, leased, "work_pkey"),
        (begins::LEASE, leased, "work_host"),
        (outbox::STATES, states, "lane_due"),
        (queue::DUE, due, "work_due"),
        (queue::NEXT_DUE_AT, params![1_i64 => INT8, texts => TEXT_ARRAY], "work_due"),
        (queue::NEXT_DELIVERY_AT, params![texts => TEXT_ARRAY], "lane_due"),
        (outbox::CLAIM, params![text => TEXT, 1_i64 => INT8, 1_i64 => INT8], "lane_due"),
        (outbox::PROBE, params![text => TEXT, 1_i64 => INT8, 1_i64 => INT8], "lane_due"),
        (outbox::FIND, params![1_i64 => INT8], "delivery_pkey"),
    ];
    check(&tx, &table).await;
}

#[tokio::test]
async fn hot_statements_go_by_their_indexes() {
    let (_database, _store, tx) = fresh().await;
    let (text, none, numbers) = ("a", None::<&str>, vec![1_i64]);
    let page = params![1_i64 => INT8, 1_i64 => INT8, 1_i64 => INT8];
    let names = params![text => TEXT, 1_i64 => INT8];
    let runs = params![
        1_i64 => INT8, 1_i64 => INT8, 1_i64 => INT8, none => TEXT, none => TEXT, 1_i64 => INT8,
    ];
    let of_one = params![
        1_i64 => INT8, 1_i64 => INT8, 1_i64 => INT8, none => TEXT, none => TEXT, 1_i64 => INT8,
        1_i64 => INT8,
    ];
    let expiries = params![
        1_i64 => INT8, 1_i64 => INT8, 1_i64 => INT8, text => TEXT, 1_i64 => INT8,
    ];
    let filter = params![
        1_i64 => INT8, 1_i64 => INT8, none => TEXT, none => TEXT, none => TEXT, none => TEXT,
        None::<i64> => INT8, None::<i64> => INT8, 1_i64 => INT8,
    ];
    let transitions = params![1_i64 => INT8, 1_i64 => INT8, 1_i64 => INT8, 1_i64 => INT8];
    let table: [(&str, Params<'_>, &str); 15] = [
        (history::RUNS, page, "run_integration"),
        (history::TRANSITIONS, page, "transition_integration"),
        (across::STRIPS, params![numbers => INT8_ARRAY, 1_i64 => INT8], "run_integration"),
        (across::EXPIRIES, expiries, "expiry_at"),
        (across::TRANSITIONS, transitions, "transition_at"),
        (across::RUNS, runs, "run_started"),
        (across::NOTABLE_RUNS, runs, "run_notable"),
        (across::RUNS_OF_ONE, of_one, "run_integration"),
        (deliveries::DELIVERIES, filter, "delivery_pkey"),
        (integration::LIVING_PAGE, names, "integration_name"),
        (integration::STATUSES, names, "integration_name"),
        (sharing::FACTORS, params![1_i64 => INT8], "factor_value"),
        (surplus::RUNS, params![1_i64 => INT8, 1_i64 => INT8], "run_integration"),
        (surplus::DELIVERIES, params![1_i64 => INT8, 1_i64 => INT8], "delivery_ended"),
        (surplus::TRANSITIONS, params![1_i64 => INT8, 1_i64 => INT8], "transition_integration"),
    ];
    check(&tx, &table).await;
}
