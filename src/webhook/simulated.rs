//! Simulated receiver that answers without a network.

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;

use super::Message;
use crate::domain::AttemptResult;

/// Interface of a simulated receiver.
pub(crate) trait Post: Send + Sync {
    /// Answers `message`, after the time that the simulation gives it.
    fn post<'a>(
        &'a self,
        message: &'a Message<'a>,
    ) -> Pin<Box<dyn Future<Output = AttemptResult> + Send + 'a>>;
}

/// Connection to a simulated receiver.
#[derive(Clone)]
pub(crate) struct Wire(pub(crate) Arc<dyn Post>);

impl fmt::Debug for Wire {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Wire")
    }
}
