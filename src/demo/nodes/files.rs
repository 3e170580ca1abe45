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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_read_without_a_fault_and_differ_in_name_page_and_token_alone() {
        let folder = Folder::create().unwrap();
        folder.write_webhook_secret().unwrap();
        let address = |port| SocketAddr::from(([127, 0, 0, 1], port));
        let addresses = Addresses { platform: address(4711), receiver: address(4712) };
        let store = "postgres://demo@%2Ftmp%2Fdemo/postgres";
        let written = |name, port| {
            let site = Site { name, page: address(port) };
            write(&folder, store, addresses, site).unwrap()
        };
        let (first, second) = (written('a', 4713), written('b', 4714));
        let read = |path: &std::path::Path| fs::read_to_string(path).unwrap();
        let same = read(&first.config).replace("\"a\"", "\"b\"").replace(":4713", ":4714");
        assert_eq!(same, read(&second.config));
        let token = |node: &Node| read(&node.secrets.join("token"));
        assert_ne!(token(&first), token(&second));
        let assembly = crate::daemon::open(Some(&first.config)).unwrap();
        assert_eq!(assembly.settings.node.name, "a");
        assert_eq!(assembly.integrations.len(), INTEGRATIONS);
        assert!(!same.contains(token(&first).trim()));
    }

    #[test]
    fn node_that_has_ended_by_itself_is_an_error_with_the_end_of_its_log() {
        let folder = Folder::create().unwrap();
        let log = folder.path().join("log");
        fs::write(&log, format!("{}the store is in use\n", "x".repeat(2 * SHOWN_MAX))).unwrap();
        let mut command = Command::new("sh");
        command.args(["-c", "exit 78"]);
        let mut node = Node {
            name: 'a',
            page: SocketAddr::from(([127, 0, 0, 1], 1)),
            config: log.clone(),
            process: Some(Process::start(command).unwrap()),
            secrets: log.clone(),
            log,
            again: None,
        };
        let error = loop {
            match node.look_after() {
                Ok(status) => assert_eq!(status, None),
                Err(error) => break error.to_string(),
            }
        };
        assert!(error.starts_with("node a has ended (exit status: 78): xx"), "{error}");
        assert!(error.ends_with("the store is in use") && error.len() < 2 * SHOWN_MAX, "{error}");
    }
}
