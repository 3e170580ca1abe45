//! Servers beside the daemon: that of the metrics, and that of HTTP.

use std::sync::Arc;

use anyhow::Context as _;
use axum::Router;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use tracing::{error, info, warn};

use super::error::CommandError;
use super::print::End;
use crate::api::{self, Api};
use crate::config::Settings;
use crate::daemon::{Daemon, MetricsSource};
use crate::demo::PageServer;
use crate::domain::{HttpSettings, Listen};
use crate::http::{self, Handle, ListenError, Server, ServerError, Thread};
use crate::page;

/// Servers that listen and do not answer yet.
pub(super) struct Servers {
    metrics: Option<Server>,
    http: Option<(Server, Thread)>,
}

/// Servers that answer until they are stopped.
pub(super) struct Serving {
    tasks: Vec<JoinHandle<()>>,
    stop: CancellationToken,
    /// Thread of some of the tasks; never read, only dropped.
    _http: Option<Thread>,
}

impl Servers {
    /// Listens where `settings` say, if they say so.
    pub(super) async fn bind(settings: &Settings) -> Result<Self, CommandError> {
        let metrics = match settings.metrics.listen {
            Some(address) => {
                let what = format!("metrics cannot be served at {address}");
                let ended = |error: ListenError| {
                    let end = if error.is_taken() { End::Address } else { End::Failure };
                    CommandError::Ended(end, anyhow::Error::new(error.source).context(what))
                };
                Some(Server::metrics(address).await.map_err(ended)?)
            }
            None => None,
        };
        for address in metrics.iter().flat_map(Server::addresses) {
            info!(%address, "metrics at http://{address}/metrics");
        }
        let http = Server::bind(&settings.http).await.map_err(ended)?;
        let scheme = if settings.http.tls.is_some() { "https" } else { "http" };
        for address in http.addresses() {
            match &address {
                Listen::Tcp(address) => info!(%address, "serving {scheme}://{address}/"),
                Listen::Unix(_) | Listen::Systemd(_) => info!(%address, "serving {address}"),
            }
        }
        for (_, exposed) in exposed(settings) {
            warn!("{exposed}");
        }
        if http.addresses().is_empty() {
            return Ok(Self { metrics, http: None });
        }
        let thread = Thread::start().context("starting the thread for HTTP")?;
        Ok(Self { metrics, http: Some((http, thread)) })
    }

    /// Answers from now on, with what `daemon` knows.
    pub(super) fn start(self, daemon: &Daemon) -> Serving {
        let (stop, requests) = (CancellationToken::new(), daemon.metrics.requests());
        let mut tasks = Vec::new();
        if let Some(server) = self.metrics {
            let router = metrics(daemon.metrics.clone());
            tasks.push(tokio::spawn(server.serve(router, requests.clone(), stop.clone())));
        }
        let http = self.http.map(|(server, thread)| {
            let url = daemon.http.borrow().url.clone().unwrap_or_default();
            let router = api::router(Api::new(daemon, url)).merge(pages(daemon));
            let (handle, settings) = (server.handle(), daemon.http.clone());
            tasks.push(thread.spawn(follow(handle, settings, stop.clone())));
            tasks.push(thread.spawn(server.serve(router, requests, stop.clone())));
            thread
        });
        Serving { tasks, stop, _http: http }
    }
}

impl PageServer for Servers {
    type Serving = Serving;

    async fn bind(settings: &Settings) -> anyhow::Result<Self> {
        Ok(Self::bind(settings).await?)
    }

    fn serve(self, daemon: &Daemon) -> Serving {
        self.start(daemon)
    }

    async fn stop(serving: Serving) {
        serving.stop().await;
    }
}

impl Serving {
    /// Stops within a moment.
    pub(super) async fn stop(self) {
        self.stop.cancel();
        for task in self.tasks {
            if let Err(error) = task.await {
                error!("a server ended in a panic: {error}");
            }
        }
    }
}

/// Returns the routes of the pages, unless the settings leave them out.
fn pages(daemon: &Daemon) -> Router {
    if !daemon.http.borrow().page {
        return Router::new();
    }
    page::router(page::Source { view: daemon.view.clone(), control: daemon.control.clone() })
}

/// Returns the route of the metrics.
fn metrics(source: MetricsSource) -> Router {
    http::metrics(move || {
        let source = source.clone();
        async move { source.text().await }
    })
}

/// Puts the access of each reload in force.
async fn follow(
    handle: Handle,
    mut settings: watch::Receiver<Arc<HttpSettings>>,
    stop: CancellationToken,
) {
    loop {
        tokio::select! {
            changed = settings.changed() => if changed.is_err() { return },
            () = stop.cancelled() => return,
        }
        let settings = Arc::clone(&settings.borrow_and_update());
        handle.replace(&settings).await;
    }
}

/// Returns the error of a server with its exit status: another process has the address, or it is wrong.
fn ended(error: ServerError) -> CommandError {
    let is_taken = matches!(&error, ServerError::Listen(error) if error.is_taken());
    let end = if is_taken { End::Address } else { End::Configuration };
    CommandError::Ended(end, anyhow::Error::new(error).context("HTTP cannot be served"))
}

/// Returns a sentence about each address at which something is shown to all who reach it, after its key.
pub(super) fn exposed(settings: &Settings) -> Vec<(&'static str, String)> {
    let metrics = settings.metrics.listen.filter(|address| !address.ip().is_loopback());
    let metrics = metrics.map(|address| {
        let what = "names of integrations and receivers can be read";
        ("metrics.listen", format!("{what} by all who reach {address}"))
    });
    let public = settings.http.public;
    let parts = [("page", public.page), ("badges", public.badges), ("feed", public.feed)];
    let parts: Vec<_> =
        parts.into_iter().filter_map(|(name, is_public)| is_public.then_some(name)).collect();
    let addresses = settings.http.listen.iter().filter_map(Listen::remote);
    let addresses = addresses.filter(|_| !parts.is_empty()).map(|address| {
        let what = format!("names and statuses of integrations ({})", parts.join(", "));
        ("http.listen", format!("{what} can be read by all who reach {address}"))
    });
    metrics.into_iter().chain(addresses).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn address_that_shows_something_to_everyone_is_warned_of() {
        let settings = |text: &str| -> Vec<String> {
            let folder = tempfile::tempdir().unwrap();
            let path = folder.path().join("main.toml");
            std::fs::write(&path, text).unwrap();
            let settings = crate::daemon::open(Some(&path)).unwrap().settings;
            exposed(&settings).into_iter().map(|(key, said)| format!("{key}: {said}")).collect()
        };
        let http = "[http]\nlisten = [\"0.0.0.0:9465\", \"127.0.0.1:9466\"]\nbehind_proxy = true\n";
        let token = "[[http.token]]\nname = \"a\"\nscope = \"read\"\nhash = { env = \"A\" }\n";
        assert_eq!(settings("[metrics]\nlisten = \"127.0.0.1:9464\"\n"), [""; 0]);
        assert_eq!(settings(&format!("{http}{token}")), [""; 0]);
        let shown = settings(&format!("{http}public = [\"badges\", \"feed\"]\n{token}"));
        let expected = "http.listen: names and statuses of integrations (badges, feed) can be read by all who \
                        reach 0.0.0.0:9465";
        assert_eq!(shown, [expected]);
        let shown = settings("[metrics]\nlisten = \"0.0.0.0:9464\"\n");
        let expected = "metrics.listen: names of integrations and receivers can be read by all who reach 0.0.0.0:9464";
        assert_eq!(shown, [expected]);
    }
}
