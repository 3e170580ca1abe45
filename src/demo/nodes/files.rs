//! Files of the nodes: the same configuration for each but for its name and its page, and a folder with its secrets.

use std::fs::{self, File};
use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::{Command, ExitStatus};
use std::time::Duration;

use anyhow::{Context as _, bail};
use tokio::time::Instant;

use super::super::around;
use super::super::folder::{Folder, SCHEDULE, WEBHOOK_SECRET, quoted};
use super::clusters::{self, CATALOG};
use super::process::Process;
use crate::daemon::Clock;

/// Time until the tokens end, which no expiry warns of.
const TOKEN_LEFT: Duration = Duration::from_hours(24 * 365);
/// Integrations of the story.
pub(super) const INTEGRATIONS: usize = 12;
/// Time after which a node that a person has killed is started again.
pub(super) const AWAY: Duration = Duration::from_secs(10);
/// Length of the end of a log that is shown, in characters.
const SHOWN_MAX: usize = 600;

/// Addresses of the stand-ins.
#[derive(Clone, Copy, Debug)]
pub(super) struct Addresses {
    /// Address of the clusters.
    pub(super) platform: SocketAddr,
    /// Address of the webhook receiver.
    pub(super) receiver: SocketAddr,
}

/// Name of a node, and its place.
#[derive(Clone, Copy, Debug)]
pub(super) struct Site {
    /// Name in its configuration.
    pub(super) name: char,
    /// Address of its page.
    pub(super) page: SocketAddr,
}

/// Node of the story.
#[derive(Debug)]
pub(super) struct Node {
    /// Name in its configuration.
    pub(super) name: char,
    /// Address of its page.
    pub(super) page: SocketAddr,
    /// File of its configuration.
    pub(super) config: PathBuf,
    /// Its process, while it runs or has ended by itself.
    pub(super) process: Option<Process>,
    /// Folder of its secrets.
    secrets: PathBuf,
    log: PathBuf,
    /// Instant at which it is started again after a person has killed it.
    again: Option<Instant>,
}

impl Node {
    /// Starts its process.
    ///
    /// # Errors
    ///
    /// Fails when this program is no longer where it was.
    pub(super) fn start(&mut self) -> anyhow::Result<()> {
        let program = std::env::current_exe().context("this program does not find itself")?;
        let output = File::options().create(true).append(true).open(&self.log);
        let output = output.context("no log can be written")?;
        let mut command = Command::new(program);
        command.arg("run").arg("--config").arg(&self.config);
        command.env("CREDENTIALS_DIRECTORY", &self.secrets);
        command.stdout(output.try_clone().context("no log can be written")?).stderr(output);
        self.process = Some(Process::start(command).context("a node cannot be started")?);
        self.again = None;
        Ok(())
    }

    /// Starts its process again a while after it was killed; returns the status once it has ended.
    ///
    /// # Errors
    ///
    /// Fails when it has ended by itself, with the end of its log.
    pub(super) fn look_after(&mut self) -> anyhow::Result<Option<ExitStatus>> {
        if self.again.is_some_and(|at| at <= Instant::now()) {
            self.start()?;
        }
        let Some(process) = &mut self.process else { return Ok(None) };
        let Some(status) = process.ended()? else { return Ok(None) };
        self.process = None;
        if status.code().is_some() {
            let log = fs::read_to_string(&self.log).unwrap_or_default();
            let from = log.char_indices().rev().nth(SHOWN_MAX).map_or(0, |(at, _)| at);
            bail!(
                "node {} has ended ({status}): {}",
                self.name,
                log.get(from..).unwrap_or(&log).trim()
            );
        }
        self.again = Some(Instant::now() + AWAY);
        Ok(Some(status))
    }
}

/// Returns the names of the integrations.
pub(super) fn integrations() -> impl Iterator<Item = String> {
    (1..=INTEGRATIONS).map(|number| format!("lake-{number:02}"))
}

/// Writes the files of a node.
///
/// # Errors
///
/// Fails when the folder cannot be written to, or has a name that is not Unicode.
pub(super) fn write(
    folder: &Folder,
    store: &str,
    addresses: Addresses,
    site: Site,
) -> io::Result<Node> {
    let Site { name, page } = site;
    let secrets = folder.path().join(format!("secrets-{name}"));
    fs::create_dir(&secrets)?;
    let token = around::token(Clock::default().now(), TOKEN_LEFT);
    let token = clusters::token(&name.to_string(), &token);
    folder.write(&format!("secrets-{name}/token"), &format!("{token}\n"))?;
    let config = format!("node-{name}.toml");
    let secret = quoted(&folder.path().join(WEBHOOK_SECRET))?;
    folder.write(&config, &(head(store, addresses, site, &secret) + &tables(addresses)))?;
    Ok(Node {
        name,
        page,
        config: folder.path().join(config),
        process: None,
        secrets,
        log: folder.path().join(format!("node-{name}.log")),
        again: None,
    })
}

fn head(store: &str, addresses: Addresses, site: Site, secret: &str) -> String {
    let (receiver, Site { name, page }) = (addresses.receiver, site);
    format!(
        r#"# Written by `revalidated demo --nodes`, and removed when it ends.
[store]
url = "{store}"
tls = "off" # a socket of this machine

[node]
name = "{name}"

[http]
listen = ["{page}"]
url = "http://{page}"

[defaults]
schedule = "{SCHEDULE}" # six fields, seconds first: every two seconds
flap_flips = 0 # every change is notified of, however many there are

[[receiver]]
name = "demo-receiver"
url = "http://{receiver}/hooks"
secrets = [{{ file = {secret} }}]
events = ["integration.*"]
allow = ["127.0.0.0/8"] # addresses that are not public must be named
"#
    )
}

fn tables(Addresses { platform, .. }: Addresses) -> String {
    let table = |name: String| {
        format!(
            r#"
[[integration]]
name = "{name}"
type = "Trino"

[integration.config]
host = "127.0.0.1"
endpoint = "http://{platform}/{name}"
authenticationType = "jwt"
token = {{ credential = "token" }} # each node has its own
catalogs = ["{CATALOG}"]
"#
        )
    };
    integrations().map(table).collect()
}
