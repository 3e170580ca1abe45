//! Damage of the database while the daemon runs: found soon after the start, and when an operation meets it.
//!
//! A damaged database is not written on: the daemon ends, and the exit status keeps the service manager from starting
//! it again.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::sleep;
use tracing::{debug, warn};

use crate::blocking;
use crate::domain::Location;
use crate::store::{self, StoreError};

/// Time after the start at which the database is verified, unless it was before.
const FIRST: Duration = Duration::from_secs(20);
/// Shortest time between two verifications.
const PAUSE: Duration = Duration::from_mins(10);
/// Time limit of one verification.
const LIMIT: Duration = Duration::from_hours(1);

/// Database that is verified in the background.
pub(super) struct Verified {
    /// Location of the database.
    pub(super) store: Location,
    /// True when it has been verified before it was opened.
    pub(super) is_checked: bool,
    /// Signal that an operation of the store met damage.
    pub(super) suspected: Arc<Notify>,
}

/// Waits until the database is found damaged, and returns the error that says how.
pub(super) async fn damage(verified: Verified) -> StoreError {
    let Verified { store, is_checked, suspected } = verified;
    // A server looks after its own files.
    let Location::File(store) = store else { return std::future::pending().await };
    tokio::select! {
        () = sleep(FIRST), if !is_checked => (),
        () = suspected.notified() => (),
    }
    loop {
        match problems(store.clone()).await {
            Ok(problems) if problems.is_empty() => debug!("the database was verified"),
            Ok(problems) => return store::damaged(&store, &problems),
            Err(reason) => warn!("the database could not be verified: {reason}"),
        }
        sleep(PAUSE).await;
        suspected.notified().await;
    }
}

async fn problems(path: PathBuf) -> Result<Vec<String>, String> {
    let key = path.display().to_string();
    let found = blocking::run(&key, LIMIT, move || store::problems(&path, false)).await;
    found.map_err(|error| error.to_string())?.map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::Store;
    use std::os::unix::fs::FileExt as _;

    #[tokio::test]
    async fn damage_that_an_operation_meets_is_found_and_a_sound_database_is_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("state.db");
        Store::open(&path.clone().into()).await.unwrap().close().await.unwrap();
        let suspected = Arc::new(Notify::new());
        let verified = Verified {
            store: path.clone().into(),
            is_checked: true,
            suspected: Arc::clone(&suspected),
        };
        assert!(problems(path.clone()).await.unwrap().is_empty());
        let file = std::fs::OpenOptions::new().write(true).open(&path).unwrap();
        file.write_all_at(&[0x55; 12], 4096 * 3).unwrap();
        suspected.notify_one();
        let found = damage(verified).await;
        assert!(found.is_damage(), "{found:?}");
        assert!(found.to_string().contains("is damaged, and was left as it is: "), "{found}");
    }
}
