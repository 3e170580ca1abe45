//! Follower of the configuration that another node has put in force.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

use super::reload;
use super::shared::Shared;

/// Time between two looks at the files while they differ from those in force: they may have been changed since.
const LOOK: Duration = Duration::from_secs(30);

/// Follows the configuration that another node has put in force, by the files of this one, until `stop`: it works on if
/// they are the same, and waits otherwise.
pub(super) async fn follow(shared: Arc<Shared>, config: Option<PathBuf>, stop: CancellationToken) {
    if !shared.store.is_shared() {
        return;
    }
    loop {
        if stop.run_until_cancelled(superseded(&shared)).await.is_none() {
            return;
        }
        reload::follow(&shared, config.as_deref()).await;
    }
}

/// Waits until another configuration is to be followed.
pub(super) async fn superseded(shared: &Shared) {
    tokio::select! {
        () = shared.superseded.notified() => (),
        () = waited(shared) => (),
    }
}

/// Ends after a while in which the files of this node differ from those in force.
async fn waited(shared: &Shared) {
    loop {
        sleep(LOOK).await;
        if shared.latest.is_waiting() {
            return;
        }
    }
}
