//! Temporary folder with a configuration file as a newcomer would write it, and its secrets.

use std::fs::{self, DirBuilder, OpenOptions};
use std::io::{self, Write};
use std::net::SocketAddr;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use aws_lc_rs::rand;
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};

use super::around;
use super::stand_in::{ACCOUNT, PREFIX, REGION, ROLE};
use crate::domain::Timestamp;

/// Schedule of every two seconds: six fields, seconds first.
pub(super) const SCHEDULE: &str = "*/2 * * * * *";

/// File of the receiver's secret.
pub(super) const WEBHOOK_SECRET: &str = "webhook-secret";

/// Length of the receiver's secret, in bytes.
const SECRET_BYTES: usize = 32;

/// Folder that only its owner can read and that is removed when this value is dropped.
#[derive(Debug)]
pub(super) struct Folder {
    path: PathBuf,
}

/// Addresses of the stand-in servers and the receiver.
#[derive(Clone, Copy, Debug)]
pub(super) struct Addresses {
    /// Address of the stand-in for AWS.
    pub(super) platform: SocketAddr,
    /// Address of the webhook receiver.
    pub(super) receiver: SocketAddr,
    /// Address of the cluster.
    pub(super) cluster: SocketAddr,
    /// Address at which the daemon is to serve its page.
    pub(super) page: SocketAddr,
}

impl Folder {
    /// Creates the folder under the system's folder for temporary files.
    ///
    /// # Errors
    ///
    /// Fails when that folder cannot be written to.
    pub(super) fn create() -> io::Result<Self> {
        let name = URL_SAFE_NO_PAD.encode(random::<9>()?);
        let path = std::env::temp_dir().join(format!("revalidated-demo-{name}"));
        DirBuilder::new().mode(0o700).create(&path)?;
        Ok(Self { path })
    }

    /// Returns the path of the configuration file.
    pub(super) fn config(&self) -> PathBuf {
        self.path.join("revalidated.toml")
    }

    /// Returns the path of the database.
    pub(super) fn database(&self) -> PathBuf {
        self.path.join("state.db")
    }

    /// Writes the secret of a receiver, and returns it.
    ///
    /// # Errors
    ///
    /// Fails when the folder cannot be written to.
    pub(super) fn write_webhook_secret(&self) -> io::Result<Vec<u8>> {
        let secret = random::<SECRET_BYTES>()?;
        self.write(WEBHOOK_SECRET, &format!("whsec_{}\n", STANDARD.encode(secret)))?;
        Ok(secret.to_vec())
    }

    /// Writes the secrets of a receiver, an AWS user and a cluster, and returns the receiver's.
    ///
    /// # Errors
    ///
    /// Fails when the folder cannot be written to.
    pub(super) fn write_secrets(&self, now: Timestamp) -> io::Result<Vec<u8>> {
        let secret = self.write_webhook_secret()?;
        self.write("aws-secret-key", &format!("{}\n", STANDARD.encode(random::<30>()?)))?;
        self.write("cluster-token", &format!("{}\n", around::token(now, around::TOKEN_LEFT)))?;
        Ok(secret)
    }

    /// Writes the configuration file for integrations named like their buckets.
    ///
    /// # Errors
    ///
    /// Fails when the folder cannot be written to, or has a name that is not Unicode.
    pub(super) fn write_config(
        &self,
        addresses: Addresses,
        access_key_id: &str,
        names: &[&str],
    ) -> io::Result<()> {
        let (store, socket, webhook_secret, aws_secret) = (
            quoted(&self.database())?,
            quoted_text(&format!("unix:{}", text(&self.path.join("api.sock"))?))?,
            quoted(&self.path.join(WEBHOOK_SECRET))?,
            quoted(&self.path.join("aws-secret-key"))?,
        );
        let head = format!(
            r#"# Written by `revalidated demo`, and removed when it ends.
[store]
path = {store}

[http]
listen = ["{page}", {socket}]
url = "http://{page}" # links in messages begin with it

[defaults]
schedule = "{SCHEDULE}" # six fields, seconds first: every two seconds

[[receiver]]
name = "demo-receiver"
url = "http://{receiver}/hooks"
secrets = [{{ file = {webhook_secret} }}]
events = ["integration.*"]
allow = ["127.0.0.0/8"] # addresses that are not public must be named
"#,
            receiver = addresses.receiver,
            page = addresses.page,
        );
        let integration = |name: &&str| {
            format!(
                r#"
[[integration]]
name = "{name}"
type = "Native S3"
autoBootstrap = false

[integration.config]
name = "{name}"
awsAccountId = "{ACCOUNT}"
awsRegion = "{REGION}"
awsLocationRole = "{ROLE}"
awsLocationPath = "s3://{name}/{PREFIX}"
authenticationType = "accessKey"
awsAccessKeyId = "{access_key_id}"
awsSecretAccessKey = {{ file = {aws_secret} }}

[integration.config.endpoints] # in place of Amazon's own
sts = "http://{platform}"
s3 = "http://{platform}"
s3Control = "http://{platform}"
"#,
                platform = addresses.platform,
            )
        };
        let integrations: String = names.iter().map(integration).collect();
        let token = quoted(&self.path.join("cluster-token"))?;
        let around = around::tables(addresses.cluster, &token);
        self.write("revalidated.toml", &(head + &integrations + &around))
    }

    /// Removes the folder now, so that a failure can be reported.
    ///
    /// # Errors
    ///
    /// Fails when something in it cannot be removed.
    pub(super) fn remove(mut self) -> io::Result<()> {
        fs::remove_dir_all(std::mem::take(&mut self.path))
    }

    /// Returns the path of the folder.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Writes a file that only its owner can read.
    ///
    /// # Errors
    ///
    /// Fails when the folder cannot be written to, or has the file already.
    pub(super) fn write(&self, name: &str, text: &str) -> io::Result<()> {
        let mut options = OpenOptions::new();
        let mut file =
            options.write(true).create_new(true).mode(0o600).open(self.path.join(name))?;
        file.write_all(text.as_bytes())
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let removed = self.path.as_os_str().is_empty();
        if !removed && let Err(error) = fs::remove_dir_all(&self.path) {
            let path = self.path.display();
            tracing::warn!(%path, %error, "the demo's temporary folder could not be removed");
        }
    }
}

/// Returns the path as a TOML string.
pub(super) fn quoted(path: &Path) -> io::Result<String> {
    quoted_text(text(path)?)
}

fn text(path: &Path) -> io::Result<&str> {
    Ok(path.to_str().ok_or(io::ErrorKind::InvalidFilename)?)
}

/// Returns a text as a TOML string; JSON's escapes are also TOML's.
fn quoted_text(text: &str) -> io::Result<String> {
    serde_json::to_string(text).map_err(io::Error::from)
}

fn random<const N: usize>() -> io::Result<[u8; N]> {
    let mut bytes = [0; N];
    rand::fill(&mut bytes).map_err(|_unspecified| io::Error::other("no randomness"))?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn folder_is_private_and_removed_on_drop() {
        let folder = Folder::create().unwrap();
        let secret = folder.write_secrets(Timestamp(0)).unwrap();
        assert_eq!(secret.len(), SECRET_BYTES);
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode(&folder.path), 0o700);
        for name in ["webhook-secret", "aws-secret-key", "cluster-token"] {
            assert_eq!(mode(&folder.path.join(name)), 0o600, "{name}");
        }
        let written = fs::read_to_string(folder.path.join("webhook-secret")).unwrap();
        assert_eq!(written.trim(), format!("whsec_{}", STANDARD.encode(&secret)));
        let path = folder.path.clone();
        drop(folder);
        assert!(!path.exists());
    }

    /// Writes the secrets and a configuration with these integrations.
    fn written(names: &[&str]) -> Folder {
        let folder = Folder::create().unwrap();
        folder.write_secrets(Timestamp(0)).unwrap();
        let address = |port| SocketAddr::from(([127, 0, 0, 1], port));
        let addresses = Addresses {
            platform: address(4711),
            receiver: address(4712),
            cluster: address(4713),
            page: address(4714),
        };
        folder.write_config(addresses, super::super::ACCESS_KEY_ID, names).unwrap();
        folder
    }

    #[test]
    fn configuration_is_read_without_a_fault_and_serves_the_page() {
        let folder = written(&["one", "two"]);
        let assembly = crate::daemon::open(Some(&folder.config())).unwrap();
        let http = &assembly.settings.http;
        let listen: Vec<_> = http.listen.iter().map(ToString::to_string).collect();
        let socket = format!("unix:{}", folder.path.join("api.sock").display());
        assert_eq!(listen, ["127.0.0.1:4714", &socket]);
        assert_eq!(http.url.as_deref(), Some("http://127.0.0.1:4714"));
        assert!(http.page, "{http:?}");
        assert_eq!(assembly.settings.store, folder.database().into());
    }

    #[test]
    fn configuration_is_toml_without_secrets() {
        let folder = written(&["one", "two"]);
        let text = fs::read_to_string(folder.config()).unwrap();
        let document: toml_edit::Document<_> = text.parse().unwrap();
        let integrations = document["integration"].as_array_of_tables().unwrap();
        let others = around::clustered().len() + 1;
        assert_eq!(integrations.len(), 2 + others);
        for name in ["webhook-secret", "aws-secret-key", "cluster-token"] {
            let secret = fs::read_to_string(folder.path.join(name)).unwrap();
            assert!(!text.contains(secret.trim()), "{name}");
        }
    }
}
