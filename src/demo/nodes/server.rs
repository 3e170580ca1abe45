//! Throw-away `PostgreSQL`: a server of the programs that are installed, in the demo's folder, on a socket alone.

use std::fs::{self, File};
use std::io;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use anyhow::{Context as _, bail, ensure};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use rustix::process::{Signal, geteuid};
use tokio::time::{Instant, sleep};

use super::process::Process;

/// Role that owns the database, without a password: only the owner of the folder reaches the socket.
const ROLE: &str = "demo";
/// Time limit of the start.
const START_MAX: Duration = Duration::from_mins(1);
/// Time limit of the stop, after which the server is killed.
const STOP_MAX: Duration = Duration::from_secs(15);
/// Interval at which the start looks for the socket.
const LOOK: Duration = Duration::from_millis(50);
/// Users that run the server where the demo is root's, which `PostgreSQL` refuses; the first that there is.
const USERS: [&str; 2] = ["postgres", "daemon"];
/// Folders of the packages, each with a folder per version.
const PACKAGES: [(&str, &str); 2] = [("/usr/lib/postgresql", ""), ("/usr", "pgsql-")];
/// Longest output of a program that is shown, in characters.
const SHOWN_MAX: usize = 600;

/// Programs of a server, and the user that runs them.
#[derive(Clone, Debug)]
pub(super) struct Programs {
    /// Folder of the programs; empty where the system finds them by their names.
    folder: PathBuf,
    user: Option<User>,
}

/// User of the system, by numbers.
#[derive(Clone, Debug, Eq, PartialEq)]
struct User {
    name: String,
    id: u32,
    group: u32,
}

/// Server with its process and address.
#[derive(Debug)]
pub(super) struct Server {
    process: Process,
    /// URL of its database.
    pub(super) url: String,
}

impl Programs {
    /// Finds the programs.
    ///
    /// # Errors
    ///
    /// Says what to install where there are none.
    pub(super) fn find() -> anyhow::Result<Self> {
        let user = if geteuid().is_root() {
            let users = fs::read_to_string("/etc/passwd").context("users cannot be read")?;
            let found = USERS.iter().find_map(|name| user(&users, name));
            Some(
                found
                    .context("PostgreSQL refuses root, and there is no user postgres or daemon")?,
            )
        } else {
            None
        };
        let is_there = |folder: &PathBuf| {
            ["initdb", "postgres"].iter().all(|name| folder.join(name).is_file())
        };
        if let Some(folder) = packaged().into_iter().find(is_there) {
            return Ok(Self { folder, user });
        }
        let found = Self { folder: PathBuf::new(), user };
        let runs = |name: &str| {
            let mut command = found.command(name);
            command.arg("--version").stdin(Stdio::null()).stdout(Stdio::null());
            command.stderr(Stdio::null()).status().is_ok_and(|status| status.success())
        };
        ensure!(
            runs("initdb") && runs("postgres"),
            "the demo of several nodes needs the programs of PostgreSQL 13 or newer (initdb, postgres), which are neither in \
             PATH nor below /usr/lib/postgresql; install them, with `apt-get install postgresql` on Debian and Ubuntu or \
             `dnf install postgresql-server` on Fedora"
        );
        Ok(found)
    }

    /// Makes a database in `folder`, and starts a server on it.
    ///
    /// # Errors
    ///
    /// Fails when the user that is to run it cannot enter the folder, and when the server does not start.
    pub(super) async fn start(&self, folder: &Path) -> anyhow::Result<Server> {
        let data = folder.join("postgres");
        fs::create_dir(&data).context("no folder can be created")?;
        if let Some(user) = &self.user {
            // Its files stay its owner's: others may only pass through.
            open(folder).context("the folder cannot be opened")?;
            std::os::unix::fs::chown(&data, Some(user.id), Some(user.group))
                .context("the folder of the database cannot be given away")?;
        }
        self.initialise(&data)?;
        let log = folder.join("postgres.log");
        let output = File::create(&log).context("no log can be created")?;
        let mut command = self.command("postgres");
        command.arg("-D").arg(&data).arg("-k").arg(&data);
        command.args(["-c", "listen_addresses=", "-c", "max_connections=100"]);
        command.stdout(output.try_clone().context("no log can be created")?).stderr(output);
        let process = Process::start(command).context("postgres cannot be started")?;
        let path = data
            .to_str()
            .context("the folder for temporary files has a name that is not Unicode")?;
        let host = utf8_percent_encode(path, NON_ALPHANUMERIC);
        let mut server = Server { process, url: format!("postgres://{ROLE}@{host}/postgres") };
        server.wait(&data, &log).await?;
        Ok(server)
    }

    fn initialise(&self, data: &Path) -> anyhow::Result<()> {
        let mut command = self.command("initdb");
        command.arg("-D").arg(data).args(["-U", ROLE, "-A", "trust", "--encoding=UTF8"]);
        command.args(["--no-locale", "--no-sync"]).stdin(Stdio::null());
        let done = command.output().context("initdb cannot be started")?;
        if done.status.success() {
            return Ok(());
        }
        let said = String::from_utf8_lossy(&done.stderr).trim().to_owned();
        let said: String = said.chars().take(SHOWN_MAX).collect();
        match &self.user {
            Some(User { name, .. }) => bail!(
                "no database can be made as the user {name}, which must be able to enter the folder for temporary files \
                 (TMPDIR): {said}"
            ),
            None => bail!("no database can be made: {said}"),
        }
    }

    fn command(&self, name: &str) -> Command {
        let mut command = Command::new(self.folder.join(name));
        // The present folder may be closed to its user.
        command.current_dir("/");
        if let Some(User { id, group, .. }) = &self.user {
            command.uid(*id).gid(*group);
        }
        command
    }
}

impl Server {
    /// Waits until connections are accepted.
    async fn wait(&mut self, data: &Path, log: &Path) -> anyhow::Result<()> {
        let (socket, deadline) = (data.join(".s.PGSQL.5432"), Instant::now() + START_MAX);
        while tokio::net::UnixStream::connect(&socket).await.is_err() {
            let ended = self.process.ended()?;
            if ended.is_some() || deadline <= Instant::now() {
                let said = fs::read_to_string(log).unwrap_or_default();
                let said: String = said.chars().take(SHOWN_MAX).collect();
                bail!("PostgreSQL does not start: {}", said.trim());
            }
            sleep(LOOK).await;
        }
        Ok(())
    }

    /// Stops the server, whatever is connected.
    ///
    /// # Errors
    ///
    /// Fails when it cannot be asked or awaited.
    pub(super) async fn stop(self) -> io::Result<()> {
        self.process.stop(Signal::INT, STOP_MAX).await
    }
}

/// Lets other users pass through a folder, without a look into it.
fn open(folder: &Path) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt as _;
    fs::set_permissions(folder, fs::Permissions::from_mode(0o711))
}

/// Returns the folders of programs that packages install, those of the newest version first.
fn packaged() -> Vec<PathBuf> {
    let mut found = Vec::new();
    for (parent, prefix) in PACKAGES {
        for entry in fs::read_dir(parent).into_iter().flatten().flatten() {
            let name = entry.file_name();
            let version =
                name.to_str().and_then(|name| name.strip_prefix(prefix)?.parse::<u32>().ok());
            found.extend(version.map(|version| (version, entry.path().join("bin"))));
        }
    }
    found.sort_unstable_by(|one, other| other.cmp(one));
    found.into_iter().map(|(_, folder)| folder).collect()
}

/// Returns the user of this name among the lines of `/etc/passwd`.
fn user(lines: &str, name: &str) -> Option<User> {
    lines.lines().find_map(|line| {
        let mut fields = line.split(':');
        if fields.next() != Some(name) {
            return None;
        }
        let (id, group) = (fields.nth(1)?.parse().ok()?, fields.next()?.parse().ok()?);
        Some(User { name: name.to_owned(), id, group })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn user_is_found_by_its_whole_name() {
        let lines =
            "root:x:0:0:root:/root:/bin/bash\ndaemons:x:7:8::/:/bin/sh\ndaemon:x:1:2:n:/:/bin/sh\n";
        let expected = User { name: "daemon".to_owned(), id: 1, group: 2 };
        assert_eq!(user(lines, "daemon"), Some(expected));
        assert_eq!(user(lines, "postgres"), None);
        assert_eq!(user("daemon:x", "daemon"), None);
    }
}
