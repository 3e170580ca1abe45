//! Requests for runs, which commands beside the daemon write into the database (polling).

use std::sync::Arc;
use std::time::Duration;

use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

use super::shared::Shared;

/// Time between two looks. One that finds nothing writes nothing.
const LOOK: Duration = Duration::from_secs(1);

/// Wakes the planner until `stop` when a run is due that a person asked for: it may sleep for longer.
pub(super) async fn watch(shared: Arc<Shared>, stop: CancellationToken) {
    while stop.run_until_cancelled(sleep(LOOK)).await.is_some() {
        match shared.view.has_requests(shared.clock.now()).await {
            Ok(false) => {}
            Ok(true) => shared.planning.notify_one(),
            Err(error) => shared.store_failed("requests for runs cannot be read", &error),
        }
    }
}
