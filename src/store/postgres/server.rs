//! Server: whether it is one that this engine can use, and why a database on it cannot be used.

use tokio_postgres::error::SqlState;

use super::StoreError;
use super::error::Fault;
use super::tx::{Reads, get};

/// Oldest version of the server that is used.
const VERSION_MIN: i32 = 130_000;

/// Fails on a server that this engine cannot use; logs what makes it less safe than it looks.
pub(super) async fn require(tx: &Reads, address: &str) -> Result<(), StoreError> {
    const SQL: &str = "
        SELECT version() AS version,
               current_setting('server_version_num')::integer AS number,
               current_setting('fsync') AS fsync,
               current_setting('full_page_writes') AS full_page_writes,
               current_setting('synchronous_commit') AS synchronous_commit,
               coalesce(current_setting('synchronous_standby_names', TRUE), '') = ''
                   AND EXISTS (SELECT 1 FROM pg_catalog.pg_stat_replication) AS is_unsynchronised";
    let row = tx.one(SQL, &[]).await?;
    let (version, number): (&str, i32) = (get(&row, "version")?, get(&row, "number")?);
    if let Some(problem) = refused(version, number) {
        return Err(StoreError::Server { address: address.to_owned(), problem });
    }
    for setting in ["fsync", "full_page_writes", "synchronous_commit"] {
        if get::<&str>(&row, setting)? == "off" {
            tracing::warn!(
                "{address}: {setting} is off: a crash of the server can lose what is stored"
            );
        }
    }
    if get(&row, "is_unsynchronised")? {
        tracing::warn!(
            "{address}: a failover can forget what receivers were notified of: synchronous_standby_names is empty"
        );
    }
    Ok(())
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
            Fault::Unreachable(_)
            | Fault::Silent
            | Fault::Unknown
            | Fault::Conflict
            | Fault::Lost
            | Fault::Late,
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
