//! Server: whether it is one that this engine can use, and why a database on it cannot be used.

use tokio_postgres::error::SqlState;

use super::StoreError;
use super::error::Fault;
use super::tx::{Reads, get};
use crate::domain::{Durability, PostgresAddress};

/// Number of sessions that a daemon opens at most, one for an action over HTTP included.
const SESSIONS_MAX: i64 = 10;
/// Oldest version of the server that is used.
const VERSION_MIN: i32 = 130_000;

/// Fails on a server that this engine cannot use, or that is less safe than is demanded; logs what makes it less safe
/// than it looks.
pub(super) async fn require(tx: &Reads, address: &PostgresAddress) -> Result<(), StoreError> {
    const SQL: &str = "
        SELECT version() AS version, current_setting('server_version_num')::integer AS number";
    let row = tx.one(SQL, &[]).await?;
    let (version, number): (&str, i32) = (get(&row, "version")?, get(&row, "number")?);
    if let Some(problem) = refused(version, number) {
        return Err(StoreError::Server { address: address.to_string(), problem });
    }
    let is_unsafe = warn(tx, address).await?;
    if is_unsafe && address.durability == Durability::Failover {
        let problem = "store.durability is \"failover\", but a failover can forget what receivers were notified of: name a \
             standby in synchronous_standby_names, with synchronous_commit on";
        return Err(StoreError::Server {
            address: address.to_string(),
            problem: problem.to_owned(),
        });
    }
    Ok(())
}

/// Logs what makes a server less safe than it looks; returns true when commits wait for no standby.
pub(super) async fn warn(tx: &Reads, address: &PostgresAddress) -> Result<bool, StoreError> {
    const SQL: &str = "
        SELECT current_setting('fsync') AS fsync,
               current_setting('full_page_writes') AS full_page_writes,
               current_setting('synchronous_commit') AS synchronous_commit,
               coalesce(current_setting('synchronous_standby_names', TRUE), '') = '' AS is_alone,
               EXISTS (SELECT 1 FROM pg_catalog.pg_stat_replication) AS has_standby";
    let row = tx.one(SQL, &[]).await?;
    for setting in ["fsync", "full_page_writes", "synchronous_commit"] {
        if get::<&str>(&row, setting)? == "off" {
            tracing::warn!(
                "{address}: {setting} is off: a crash of the server can lose what is stored"
            );
        }
    }
    let is_alone: bool = get(&row, "is_alone")?;
    // A server without a standby has nothing to fail over to.
    if is_alone && get(&row, "has_standby")? {
        tracing::warn!(
            "{address}: a failover can forget what receivers were notified of: synchronous_standby_names is empty"
        );
    }
    Ok(is_alone || ["off", "local"].contains(&get(&row, "synchronous_commit")?))
}

/// Returns a few words about the connections that the daemons of this database need, and those that there are.
pub(super) async fn connection_limit(tx: &Reads) -> Result<String, StoreError> {
    const SQL: &str = "
        SELECT count(*) AS nodes,
               current_setting('max_connections')::integer
                   - current_setting('superuser_reserved_connections')::integer AS room
        FROM revalidated.node WHERE beat_at_ms IS NOT NULL";
    let row = tx.one(SQL, &[]).await?;
    let (nodes, room): (i64, i32) = (get(&row, "nodes")?, get(&row, "room")?);
    let (count, verb) = if nodes == 1 { ("1 node", "needs") } else { ("nodes", "need") };
    let count = if nodes == 1 { count.to_owned() } else { format!("{nodes} {count}") };
    let needed = nodes.saturating_mul(SESSIONS_MAX);
    Ok(format!("{count} {verb} up to {needed}, max_connections leaves {room}"))
}

/// Returns why a server of this version cannot be used, if it cannot.
fn refused(version: &str, number: i32) -> Option<String> {
    if version.contains("CockroachDB") || version.contains("Yugabyte") {
        return Some(format!("this is not PostgreSQL, which alone is supported: {version}"));
    }
    (number < VERSION_MIN)
        .then(|| format!("PostgreSQL 13 is the oldest version that is supported: {version}"))
}

/// Explains a failure to make the schema, or to read it, in words that help.
pub(super) fn explained(address: &str, error: StoreError) -> StoreError {
    let problem = match error.fault() {
        Some(Fault::Statement(found)) => {
            let Some(found) = found.as_db_error() else { return error };
            let (code, message) = (found.code(), found.message());
            if *code == SqlState::INSUFFICIENT_PRIVILEGE {
                format!(
                    "{message}: the role needs to own the schema revalidated, or to be allowed to create it: GRANT \
                     CREATE ON DATABASE"
                )
            } else if *code == SqlState::DUPLICATE_SCHEMA || *code == SqlState::UNDEFINED_TABLE {
                "the schema revalidated is not of this program: remove it, or use another database"
                    .to_owned()
            } else {
                return error;
            }
        }
        Some(
            Fault::Unreachable(_) | Fault::Silent | Fault::Unknown | Fault::Conflict | Fault::Late,
        )
        | None => return error,
    };
    StoreError::Server { address: address.to_owned(), problem }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Versions as the servers give them, with the numbers that they claim.
    #[test]
    fn servers_that_only_speak_the_protocol_and_old_ones_are_refused() {
        let cockroach = "CockroachDB CCL v23.1.11 (x86_64-pc-linux-gnu, built 2023/09/27)";
        let yugabyte = "PostgreSQL 15.2-YB-2.25.0.0-b0 on x86_64-pc-linux-gnu, YugabyteDB";
        let old = "PostgreSQL 12.17 on x86_64-pc-linux-gnu";
        for (version, number) in [(cockroach, 130_000), (yugabyte, 150_002), (old, 120_017)] {
            let problem = refused(version, number).unwrap();
            assert!(problem.contains("PostgreSQL") && problem.ends_with(version), "{problem}");
        }
        for number in [130_000, 150_014, 180_000] {
            assert_eq!(refused("PostgreSQL on x86_64-pc-linux-gnu", number), None);
        }
    }
}
