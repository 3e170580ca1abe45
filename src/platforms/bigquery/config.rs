//! Reads the `config` table of a Google `BigQuery` integration.

use reqwest::Url;
use strum::{IntoStaticStr, VariantArray};

use super::names::{is_account, is_project};
use crate::domain::SecretRef;
use crate::input::Reader;
use crate::platforms::authentication;
use crate::platforms::connection::{Endpoint, is_host, is_loopback, origin, server};

/// Scope that is enough for every call, and only reads.
const SCOPE_DEFAULT: &str = "https://www.googleapis.com/auth/cloud-platform.read-only";
/// Google's domain outside of sovereign clouds.
pub(super) const UNIVERSE_DEFAULT: &str = "googleapis.com";
/// Name of the dataset that the published interface creates by default.
const DATASET_DEFAULT: &str = "immuta";
/// Longest name of a dataset, in bytes.
const DATASET_MAX: usize = 1024;
/// Metadata server of Google's virtual machines and workloads.
const METADATA_DEFAULT: &str = "http://metadata.google.internal";

/// Configuration of an integration.
#[derive(Debug)]
pub(super) struct Config {
    /// Project of the dataset, when it is not that of the key.
    pub(super) project: Option<String>,
    /// Name of the managed dataset.
    pub(super) dataset: String,
    /// Expected location of the dataset.
    pub(super) location: Option<String>,
    /// Role of the service account, which remediation names.
    pub(super) role: Option<String>,
    /// Service account that the key must belong to.
    pub(super) service_account: Option<String>,
    /// Service accounts that data sources connect as.
    pub(super) data_sources: Vec<String>,
    /// True where missing permissions that the integration depends on fail a recurring run.
    pub(super) strict: bool,
    /// Credentials to get tokens with.
    pub(super) credentials: Credentials,
    /// Scope of requested tokens.
    pub(super) scope: String,
    /// Universe domain of Google.
    pub(super) universe: String,
    /// Addresses of Google's servers.
    pub(super) endpoints: Endpoints,
    /// Settings of the connections to the servers.
    pub(super) endpoint: Endpoint,
}

/// Credentials as configured, by kind.
#[derive(Debug)]
pub(super) enum Credentials {
    /// Key of a service account.
    Key(SecretRef),
    /// External account: federated identity of a workload.
    Workload(SecretRef),
    /// Service account of the machine, from its metadata server.
    Machine,
}

impl Credentials {
    /// Returns the reference to the credential; none for the machine's own.
    pub(super) const fn reference(&self) -> Option<&SecretRef> {
        match self {
            Self::Key(reference) | Self::Workload(reference) => Some(reference),
            Self::Machine => None,
        }
    }
}

/// Addresses of servers, each without a final slash; none where the credential names it.
#[derive(Debug)]
pub(super) struct Endpoints {
    /// Address of the `BigQuery` API.
    pub(super) bigquery: String,
    /// Address of the Resource Manager API.
    pub(super) resource_manager: String,
    /// Token endpoint for assertions, instead of the key's.
    pub(super) token: Option<String>,
    /// Endpoint that exchanges tokens of workloads, instead of the credential's.
    pub(super) sts: Option<String>,
    /// Endpoint that impersonates service accounts, instead of the credential's.
    pub(super) iam_credentials: Option<String>,
    /// Address of the metadata server.
    pub(super) metadata: String,
}

impl Endpoints {
    /// Returns the configured servers that anchor the guard of discovered endpoints.
    pub(super) fn anchors(&self) -> [&str; 2] {
        [&self.bigquery, &self.resource_manager]
    }
}

/// Kinds of credentials as configured.
#[derive(Clone, Copy, IntoStaticStr, PartialEq, VariantArray)]
enum Mode {
    #[strum(serialize = "serviceAccountKey")]
    Key,
    #[strum(serialize = "workloadIdentity")]
    Workload,
    #[strum(serialize = "metadataServer")]
    Machine,
}

/// Reads the table; what is wrong is left with the reader.
pub(super) fn parse(reader: &mut Reader<'_>) -> Option<Config> {
    let table = &mut *reader;
    let dataset = named(table, "dataset", is_dataset, "must be letters, digits and _");
    let dataset = dataset.unwrap_or_else(|| DATASET_DEFAULT.to_owned());
    let suffix = "must begin with _ and go on with letters, digits and _";
    named(table, "datasetSuffix", is_suffix, suffix);
    let location = named(table, "location", is_location, "must be a location such as EU");
    let role = named(table, "role", is_role, "must be a role such as projects/p/roles/immuta");
    let project =
        named(table, "projectId", is_project, "must be a project such as example-project");
    let account = "must be a service account such as name@project.iam.gserviceaccount.com";
    let service_account = named(table, "serviceAccount", is_account, account);
    let data_sources = reader.strings("dataSourceServiceAccounts").unwrap_or_default();
    if !data_sources.iter().all(|one| is_account(one)) {
        reader.fault("dataSourceServiceAccounts", format!("each {account}"));
    }
    let strict = reader.boolean("strictPermissions").unwrap_or_default();
    let credentials = credentials(reader);
    if project.is_none()
        && matches!(credentials, Some(Credentials::Workload(_) | Credentials::Machine))
    {
        reader.required("projectId");
    }
    let scope = named(reader, "scope", is_scope, "must be scopes separated by single spaces");
    let universe = named(reader, "universeDomain", is_host, "must be a domain");
    let universe = universe.unwrap_or_else(|| UNIVERSE_DEFAULT.to_owned());
    let endpoints = endpoints(reader, &universe);
    if reader.port("port").is_some_and(|port| port != 443) {
        reader
            .warn("port", "is not used: Google answers on 443; `endpoints` takes other addresses");
    }
    let endpoint = Endpoint::read(reader, None);
    Some(Config {
        project,
        dataset,
        location,
        role,
        service_account,
        data_sources,
        strict,
        credentials: credentials?,
        scope: scope.unwrap_or_else(|| SCOPE_DEFAULT.to_owned()),
        universe,
        endpoints,
        endpoint: endpoint?,
    })
}

fn named(
    reader: &mut Reader<'_>,
    key: &'static str,
    is_right: fn(&str) -> bool,
    wanted: &str,
) -> Option<String> {
    let text = reader.string(key)?;
    if !is_right(&text) {
        reader.refuse(key, wanted);
        return None;
    }
    Some(text)
}

fn credentials(reader: &mut Reader<'_>) -> Option<Credentials> {
    let credential = reader.secret("credential");
    let mode = authentication::read(reader, Some(Mode::Key))?;
    match mode {
        Mode::Machine => {
            if credential.is_some() {
                let fault = "is not used with authenticationType `metadataServer`";
                reader.fault("credential", fault);
            }
            Some(Credentials::Machine)
        }
        Mode::Key | Mode::Workload => {
            reader.required("credential")?;
            let make = if mode == Mode::Key { Credentials::Key } else { Credentials::Workload };
            credential.map(make)
        }
    }
}

fn endpoints(reader: &mut Reader<'_>, universe: &str) -> Endpoints {
    let mut found = Endpoints {
        bigquery: format!("https://bigquery.{universe}"),
        resource_manager: format!("https://cloudresourcemanager.{universe}"),
        token: None,
        sts: None,
        iam_credentials: None,
        metadata: METADATA_DEFAULT.to_owned(),
    };
    let Some(mut table) = reader.table("endpoints") else { return found };
    found.token = server(&mut table, "token");
    found.sts = server(&mut table, "sts");
    found.iam_credentials = server(&mut table, "iamCredentials");
    let bigquery = server(&mut table, "bigquery");
    let resource_manager = server(&mut table, "resourceManager");
    let metadata = metadata(&mut table);
    table.finish();
    found.bigquery = bigquery.unwrap_or(found.bigquery);
    found.resource_manager = resource_manager.unwrap_or(found.resource_manager);
    found.metadata = metadata.unwrap_or(found.metadata);
    found
}

/// Reads the address of the metadata server, which is asked over plain HTTP: it is the machine's own,
/// on a link-local address.
fn metadata(table: &mut Reader<'_>) -> Option<String> {
    let text = table.string("metadata")?;
    let near = ["http://metadata.google.internal", "http://169.254.169.254"];
    let bare = text.trim_end_matches('/');
    if near.contains(&bare) {
        return Some(bare.to_owned());
    }
    let local = Url::parse(&text).ok().filter(is_loopback).and_then(|_url| origin(&text).ok());
    if local.is_none() {
        let wanted = "must be http://169.254.169.254, or an address of this machine itself";
        table.refuse("metadata", wanted);
    }
    local
}

fn is_word(text: &str) -> bool {
    !text.is_empty() && text.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
}

fn is_dataset(text: &str) -> bool {
    text.len() <= DATASET_MAX && is_word(text)
}

fn is_suffix(text: &str) -> bool {
    text.starts_with('_') && is_dataset(text)
}

fn is_location(text: &str) -> bool {
    let allowed = |c: char| c.is_ascii_alphanumeric() || c == '-';
    (1..=64).contains(&text.len()) && text.chars().all(allowed)
}

fn is_role(text: &str) -> bool {
    let allowed = |c: char| c.is_ascii_alphanumeric() || "_.-/:".contains(c);
    (1..=300).contains(&text.len()) && text.chars().all(allowed)
}

fn is_scope(text: &str) -> bool {
    let is_one = |scope: &str| scope.starts_with("https://") && scope.chars().all(is_token);
    text.len() <= 1000 && text.split(' ').all(is_one)
}

/// True for a character of a scope (RFC 6749, section 3.3).
const fn is_token(c: char) -> bool {
    matches!(c, '!' | '#'..='[' | ']'..='~')
}

#[cfg(test)]
mod tests {
    use crate::platforms::testing::parsed;
    use serde_json::{Value as Json, json};

    fn faults(changes: &Json) -> Vec<String> {
        let mut config = json!({ "credential": { "file": "/run/key.json" } });
        for (key, value) in changes.as_object().unwrap() {
            config[key] = value.clone();
        }
        let (validator, faults) = parsed(&crate::platforms::bigquery::PLATFORM, &config);
        assert!(validator.is_some() || !faults.is_empty(), "nothing read, and no reason");
        faults
    }

    #[test]
    fn valid_configuration_is_read() {
        let machine = json!({
            "authenticationType": "metadataServer", "credential": null, "projectId": "example",
            "endpoints": { "metadata": "http://169.254.169.254/" },
        });
        let good = [
            json!({}),
            json!({ "datasetSuffix": "_secure", "dataset": "immuta", "location": "EU", "port": 443 }),
            json!({ "role": "projects/p/roles/immuta", "projectId": "example.com:p" }),
            json!({ "scope": "https://a/b https://c/d", "strictPermissions": true }),
            json!({ "authenticationType": "workloadIdentity", "projectId": "example" }),
            json!({ "endpoints": { "bigquery": "https://bigquery.europe-west3.rep.googleapis.com" } }),
            json!({ "dataSourceServiceAccounts": ["a@b.iam.gserviceaccount.com"] }),
            json!({ "port": 8443 }),
            machine,
        ];
        for changes in good {
            assert_eq!(faults(&changes), [""; 0], "{changes}");
        }
    }

    #[test]
    fn invalid_keys_are_named() {
        let machine = json!({ "authenticationType": "metadataServer", "projectId": "example" });
        let workload = json!({ "authenticationType": "workloadIdentity" });
        let wide = json!({ "endpoints": { "metadata": "https://metadata.example.com" } });
        let table = [
            (json!({ "credential": null }), "config.credential: missing; add `credential`"),
            (json!({ "datasetSuffix": "secure" }), "config.datasetSuffix: must begin with _"),
            (json!({ "dataset": "a-b" }), "config.dataset: must be letters, digits and _, found"),
            (json!({ "dataset": "a/b" }), "config.dataset: must be letters"),
            (json!({ "location": "EU/.." }), "config.location: must be a location"),
            (json!({ "projectId": "Example" }), "config.projectId: must be a project"),
            (json!({ "projectId": "a/b" }), "config.projectId: must be a project"),
            (json!({ "role": "a b" }), "config.role: must be a role"),
            (json!({ "serviceAccount": "x" }), "config.serviceAccount: must be a service account"),
            (json!({ "dataSourceServiceAccounts": ["x"] }), "dataSourceServiceAccounts: each must"),
            (json!({ "scope": "a  b" }), "config.scope: must be scopes"),
            (json!({ "universeDomain": "a/b" }), "config.universeDomain: must be a domain"),
            (json!({ "authenticationType": "key" }), "config.authenticationType: expected one of"),
            (machine, "config.credential: is not used with authenticationType `metadataServer`"),
            (workload, "config.projectId: missing; add `projectId`"),
            (wide, "config.endpoints.metadata: must be http://169.254.169.254"),
            (
                json!({ "endpoints": { "sts": "http://a.example.com" } }),
                "endpoints.sts: must begin",
            ),
            (json!({ "endpoints": { "stss": "https://a" } }), "did you mean `sts`?"),
            (
                json!({ "tls": { "serverName": "a" } }),
                "config.tls: `serverName` cannot be used here",
            ),
            (json!({ "locatoin": "EU" }), "did you mean `location`?"),
        ];
        for (changes, expected) in table {
            let found = faults(&changes);
            assert_eq!(found.len(), 1, "{changes}: {found:?}");
            assert!(found[0].contains(expected), "{changes}: {found:?}");
        }
    }
}
