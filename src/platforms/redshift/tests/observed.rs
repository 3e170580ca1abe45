//! Observations of runs besides their results.

use super::*;
use crate::platforms::testing::facts_of;

#[tokio::test]
async fn equal_runs_see_equal_facts() {
    let server = Server::shared();
    let version = server.sql("postgres", "SHOW server_version");
    let validator = server.redshift(json!({"impersonation": {"enabled": true}}));
    let first = facts_of(&*validator, &context(Mode::Recurring)).await;
    let expected = [
        &format!("version [] {}", version.trim()),
        "principal [] u_scram",
        "grant [immuta] CONNECT",
        "grant [immuta_impersonation] group",
    ];
    assert_eq!(first, expected);
    assert_eq!(first, facts_of(&*validator, &context(Mode::Recurring)).await);
}
