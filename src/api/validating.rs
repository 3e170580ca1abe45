//! Runs that callers asked for and wait for: one at a time per integration.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};

use crate::domain::IntegrationId;

/// Integrations with a run that a caller asked for and waits for.
#[derive(Debug, Default)]
pub(super) struct Validating(Arc<Mutex<BTreeSet<IntegrationId>>>);

/// Place of a caller that waits; it is given back when dropped.
pub(super) struct Place(Arc<Mutex<BTreeSet<IntegrationId>>>, IntegrationId);

impl Validating {
    /// Takes the only place of an integration.
    pub(super) fn take(&self, id: IntegrationId) -> Option<Place> {
        let is_free = self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(id);
        is_free.then(|| Place(Arc::clone(&self.0), id))
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn integration_has_one_place_until_it_is_given_back() {
        let validating = Validating::default();
        let place = validating.take(IntegrationId(1));
        assert!(place.is_some() && validating.take(IntegrationId(1)).is_none());
        assert!(validating.take(IntegrationId(2)).is_some());
        drop(place);
        assert!(validating.take(IntegrationId(1)).is_some());
    }
}
