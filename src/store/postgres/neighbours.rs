//! Neighbours: nodes with a process on this machine, whose end is seen at the next heartbeat, long before they are silent
//! for too long.

use super::tx::{Reads, get, params};
use super::{Opening, ProcessId, StoreError};

/// Returns the incarnations of neighbours that count as alive, and whose process has ended.
pub(super) async fn ended(tx: &Reads, opening: &Opening) -> Result<Vec<i64>, StoreError> {
    const SQL: &str = "
        SELECT incarnation, holder_pid, holder_born FROM revalidated.node
        WHERE machine = $1 AND name <> $2 AND beat_at_ms IS NOT NULL
          AND holder_pid IS NOT NULL AND holder_born IS NOT NULL";
    let params = params![opening.machine => TEXT, opening.node.name => TEXT];
    let mut ended = Vec::new();
    for row in tx.rows(SQL, params).await? {
        let process = ProcessId { pid: get(&row, "holder_pid")?, born: get(&row, "holder_born")? };
        if !(opening.is_alive)(process) {
            ended.push(get(&row, "incarnation")?);
        }
    }
    Ok(ended)
}
