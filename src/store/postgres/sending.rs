//! Messages as a daemon sends them: claims, alerts that are sent again, and attempts.

use std::collections::BTreeMap;
use std::time::Duration;

use super::tx::transact;
use super::{
    Attempt, Capacity, Disabled, NotificationContext, PendingDelivery, Resend, Store, StoreError,
    outbox, resend,
};
use crate::domain::Timestamp;

impl Store {
    /// Implements [`crate::store::Store::claim_within`] on this engine.
    pub(crate) async fn claim(
        &self,
        capacity: BTreeMap<String, Capacity>,
        lease: Duration,
        now: Timestamp,
    ) -> Result<Vec<PendingDelivery>, StoreError> {
        let membership = &self.shared.membership;
        let Some(generation) = membership.active() else { return Ok(Vec::new()) };
        let lease = outbox::Claim { owner: membership.owner(), until: now.plus(lease), generation };
        let _none_is_freed = self.shared.in_flight.claiming().await;
        let claimed =
            transact!(self.writes()?, tx => outbox::claim(tx, &capacity, lease, now).await)?;
        for one in &claimed {
            self.shared.in_flight.add(one.token, lease.until, now);
        }
        Ok(claimed)
    }

    /// Implements [`crate::store::Store::claim_resends`] on this engine.
    pub(crate) async fn claim_resends(
        &self,
        every: BTreeMap<String, Duration>,
        now: Timestamp,
    ) -> Result<Vec<Resend>, StoreError> {
        if !self.is_active() {
            return Ok(Vec::new());
        }
        transact!(self.writes()?, tx => resend::claim(tx, &every, now).await)
    }

    /// Implements [`crate::store::Store::record_attempt`] on this engine: what is awaited first is the commit.
    pub(crate) async fn record_attempt(
        &self,
        attempt: Attempt,
        context: NotificationContext,
    ) -> Result<impl Future<Output = Result<Option<Disabled>, StoreError>> + use<>, StoreError>
    {
        let _ends = self.shared.in_flight.ending(attempt.token);
        let recorded = transact!(
            self.writes()?,
            tx => outbox::record_attempt(tx, &attempt, &context).await,
            _done => outbox::is_recorded(tx, &attempt).await
        );
        Ok(std::future::ready(recorded))
    }
}
