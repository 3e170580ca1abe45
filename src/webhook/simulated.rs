//! A receiver of a simulation, which answers without a network.

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;

use super::Message;
use crate::domain::AttemptResult;

/// Stands where the network and a receiver would.
pub(crate) trait Post: Send + Sync {
    /// Takes `message`, or does not; how long that takes is part of it.
    fn post<'a>(
        &'a self,
        message: &'a Message<'a>,
    ) -> Pin<Box<dyn Future<Output = AttemptResult> + Send + 'a>>;
}

/// A line to a simulated receiver.
#[derive(Clone)]
pub(crate) struct Wire(pub(crate) Arc<dyn Post>);

impl fmt::Debug for Wire {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Wire")
    }
}
