//! Stage of the nodes' story: stand-ins, nodes and their database.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use rustix::process::Signal;
use tokio::sync::mpsc;
use tokio::task::JoinSet;

use super::super::folder::Folder;
use super::super::receiver::{self, Received};
use super::super::serving;
use super::clusters::Clusters;
use super::files::{self, Node};
use super::server::Server;
use super::tally::Tally;
use crate::daemon::Clock;

/// Time limit for a node to stop.
const DRAIN_MAX: Duration = Duration::from_secs(20);

/// Servers and nodes of the demo.
pub(super) struct Stage {
    /// Stand-in for the platform.
    pub(super) clusters: Arc<Clusters>,
    /// Webhooks that were received.
    pub(super) received: mpsc::Receiver<Received>,
    /// Addresses of the stand-ins.
    pub(super) addresses: files::Addresses,
    /// Nodes in the order of their names.
    pub(super) nodes: Vec<Node>,
    /// Database of the nodes, once it runs.
    pub(super) server: Option<Server>,
    /// Count of the messages.
    pub(super) tally: Tally,
    /// Changes of which receivers are to be notified.
    pub(super) changes: usize,
    /// Tasks of the servers; never read, only dropped.
    _servers: JoinSet<io::Result<()>>,
}

impl Stage {
    /// Starts the stand-ins.
    ///
    /// # Errors
    ///
    /// Fails when there is no free port, and when the folder cannot be written to.
    pub(super) async fn set_up(folder: &Folder, clock: Clock) -> io::Result<Self> {
        let secret = folder.write_webhook_secret()?;
        let (hooks, received) = receiver::open(&secret, clock);
        let (mut servers, clusters) = (JoinSet::new(), Arc::new(Clusters::default()));
        let addresses = files::Addresses {
            platform: serving::listen(&mut servers, Arc::clone(&clusters).router()).await?,
            receiver: serving::listen(&mut servers, hooks).await?,
        };
        Ok(Self {
            clusters,
            received,
            addresses,
            nodes: Vec::new(),
            server: None,
            tally: Tally::default(),
            changes: 0,
            _servers: servers,
        })
    }

    /// Stops the nodes, then their database.
    ///
    /// # Errors
    ///
    /// Fails when a process cannot be asked to end, or awaited.
    pub(super) async fn stop(self) -> io::Result<()> {
        let mut stopped = Ok(());
        for mut node in self.nodes {
            if let Some(process) = node.process.take() {
                stopped = stopped.and(process.stop(Signal::TERM, DRAIN_MAX).await);
            }
        }
        match self.server {
            Some(server) => stopped.and(server.stop().await),
            None => stopped,
        }
    }
}
