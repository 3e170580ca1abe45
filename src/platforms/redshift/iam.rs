//! Temporary credentials of a database user, given by AWS to whom IAM allows it.
//!
//! The one request is [`Request`]: it never asks for a user to be created, and nothing else that could
//! create one is ever called.

use std::time::Duration;

use reqsign_aws_v4::Credential;
use tokio::sync::Mutex;

use super::client::RunCredentials;
use crate::domain::{Class, Finding, Secret, Timestamp};
use crate::platforms::RunContext;
use crate::platforms::aws::classify::{Failure, Refusal};
use crate::platforms::aws::client::{Call, Client, encoded, shown_key};
use crate::platforms::aws::credentials::CredentialChain;
use crate::platforms::aws::endpoint::partition_of;
use crate::platforms::aws::xml::{Element, ReplyError};
use crate::platforms::connection::Endpoint;

/// Session policy of an assumed role, which limits it whatever else it is allowed. Creating users
/// would need `redshift:CreateClusterUser`.
pub(super) const SESSION_POLICY: &str = concat!(
    r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","#,
    r#""Action":["redshift:GetClusterCredentials"],"Resource":"*"}]}"#
);
/// Prefix that AWS puts before the name of a user that exists; `IAMA:` would be one to be created.
const EXISTING: &str = "IAM:";
/// Time before their expiry at which credentials are no longer used: logging in must fit in
/// between.
const MARGIN: Duration = Duration::from_mins(2);

/// Every request that is sent to AWS, besides taking up a role.
#[derive(Clone, Copy, Debug)]
pub(super) enum Request<'a> {
    /// Credentials, for 15 minutes, of a user who exists.
    GetClusterCredentials {
        /// The cluster to log in to.
        cluster: &'a str,
        /// Name of the database user.
        user: &'a str,
        /// The database to log in to.
        database: &'a str,
    },
}

impl Request<'_> {
    fn call(self, origin: &str) -> Call {
        match self {
            Self::GetClusterCredentials { cluster, user, database } => {
                let query = encoded(&[
                    ("Action", "GetClusterCredentials"),
                    ("Version", "2012-12-01"),
                    ("ClusterIdentifier", cluster),
                    ("DbUser", user),
                    ("DbName", database),
                    ("AutoCreate", "false"),
                    ("DurationSeconds", "900"),
                ]);
                Call::get("redshift", format!("{origin}/?{query}")).log_in()
            }
        }
    }
}

/// Temporary credentials of a database user, by `GetClusterCredentials` of AWS.
#[derive(Debug)]
pub(super) struct Iam {
    /// Identifier of the cluster.
    pub(super) cluster: String,
    /// Region of the cluster.
    pub(super) region: String,
    /// Name of the database user, who must exist.
    pub(super) user: String,
    /// Database to log in to.
    pub(super) database: String,
    /// Address of Redshift's API.
    pub(super) origin: String,
    /// Settings of the connections to Redshift's API and the Security Token Service.
    pub(super) endpoint: Endpoint,
    /// Credentials to sign requests with.
    pub(super) credentials: CredentialChain,
    /// Credentials of an earlier run, until shortly before their expiry.
    pub(super) kept: Mutex<Option<ClusterCredentials>>,
}

/// Temporary user and password of a cluster, with their expiry.
#[derive(Debug)]
pub(super) struct ClusterCredentials {
    username: String,
    password: Secret,
    expires_at: Timestamp,
}

impl Iam {
    /// Returns the credentials to log in with now, which several runs share.
    ///
    /// # Errors
    ///
    /// Returns a finding with the answer of AWS, or the reason why there is none.
    pub(super) async fn credentials(&self, run: &RunContext) -> Result<RunCredentials, Finding> {
        let mut kept = self.kept.lock().await;
        let (given, is_kept) = match kept.take() {
            Some(given) if run.now.plus(MARGIN) < given.expires_at => (given, true),
            Some(_) | None => (self.ask(run).await?, false),
        };
        let ClusterCredentials { username, password, .. } = kept.insert(given);
        Ok(RunCredentials { username: username.clone(), password: password.clone(), is_kept })
    }

    /// Drops the kept credentials, which the cluster refused.
    pub(super) async fn forget(&self) {
        *self.kept.lock().await = None;
    }

    async fn ask(&self, run: &RunContext) -> Result<ClusterCredentials, Finding> {
        let connections = self.endpoint.connections(&run.redactor).await;
        let connections = connections.map_err(|no| self.finding(&no.into(), None))?;
        let client = Client::new(connections, &self.region, run.now);
        let credential = self.credentials.current(&client, run).await?;
        let mut answer = self.given(&client, &credential).await;
        let mut used = credential;
        if matches!(&answer, Err(failure) if failure.class == Class::Expired)
            && let Some(other) = self.credentials.renewed(&used, &client, run).await?
        {
            answer = self.given(&client, &other).await;
            used = other;
        }
        answer.map_err(|failure| self.finding(&failure, Some(&used)))
    }

    async fn given(
        &self,
        client: &Client,
        credential: &Credential,
    ) -> Result<ClusterCredentials, Failure> {
        let Self { cluster, user, database, .. } = self;
        let request = Request::GetClusterCredentials { cluster, user, database };
        client.call(&request.call(&self.origin), credential, given).await
    }

    fn finding(&self, failure: &Failure, credential: Option<&Credential>) -> Finding {
        let Self { cluster, region, user, database, .. } = self;
        let doing =
            format!("Unable to get credentials of database user [{user}] for cluster [{cluster}]");
        let finding = failure.finding_of_log_in(&doing);
        if let Some(fix) = failure.remedy(region) {
            return finding.fix(fix);
        }
        match failure.class {
            Class::Denied if failure.refusal().is_some_and(Refusal::is_permission) => {
                let partition = partition_of(region).id;
                let arn = format!("arn:{partition}:redshift:{region}:*");
                finding.fix(format!(
                    "Allow redshift:GetClusterCredentials on {arn}:dbuser:{cluster}/{user} and \
                     {arn}:dbname:{cluster}/{database}."
                ))
            }
            Class::Denied | Class::Expired => {
                let key = credential.map(|key| shown_key(&key.access_key_id)).unwrap_or_default();
                finding.fix(format!("Renew access key {key}, its secret or its session token."))
            }
            Class::Missing => finding.fix(format!(
                "Check `clusterIdentifier` ({cluster}), `awsRegion` ({region}) and the account \
                 that the access key belongs to."
            )),
            Class::Invalid if failure.refusal().is_some() => finding.fix(format!(
                "Check `databaseUser` and `clusterIdentifier`; {cluster} must be a provisioned \
                 cluster that is available."
            )),
            Class::Local => finding.fix("Set the clock of this machine, and keep it set."),
            Class::Invalid => {
                finding.fix("Name the authority of AWS's certificate in `api.tls.caFile`.")
            }
            Class::Unreachable => finding.fix(format!(
                "Let this machine reach {}, directly or through `api.proxy`.",
                self.origin
            )),
            Class::Throttled | Class::Unavailable => finding,
        }
    }
}

/// Reads the body of `GetClusterCredentials`.
fn given(root: &Element) -> Result<ClusterCredentials, ReplyError> {
    let result = root.expect("GetClusterCredentialsResponse")?;
    let result = result.child("GetClusterCredentialsResult")?;
    let username = result.text("DbUser")?;
    if !username.starts_with(EXISTING) {
        return Err(ReplyError::Part("DbUser"));
    }
    let expiration = result.text("Expiration")?;
    let expires_at = expiration.parse().map_err(|_invalid| ReplyError::Part("Expiration"))?;
    let password = Secret::new(result.text("DbPassword")?);
    Ok(ClusterCredentials { username, password, expires_at })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::platforms::testing::{fuzz, recorded_bodies};
    use proptest::prelude::*;

    #[test]
    fn the_session_policy_allows_one_action_that_cannot_create_a_user() {
        let policy: serde_json::Value = serde_json::from_str(SESSION_POLICY).unwrap();
        let expected = serde_json::json!(["redshift:GetClusterCredentials"]);
        assert_eq!(policy["Statement"][0]["Action"], expected);
        assert_eq!(policy["Statement"].as_array().unwrap().len(), 1);
    }

    #[test]
    fn only_users_who_exist_are_accepted() {
        let read = |user: &str| {
            let body = format!(
                "<GetClusterCredentialsResponse><GetClusterCredentialsResult><DbUser>{user}\
                 </DbUser><DbPassword>hunter2</DbPassword><Expiration>2026-11-22T21:15:00Z\
                 </Expiration></GetClusterCredentialsResult></GetClusterCredentialsResponse>"
            );
            given(&Element::parse(body.as_bytes()).unwrap())
        };
        let found = read("IAM:immuta").unwrap();
        assert_eq!(found.username, "IAM:immuta");
        assert!(!format!("{found:?}").contains("hunter2"));
        for user in ["IAMA:immuta", "IAMR:immuta", "immuta", ""] {
            assert_eq!(read(user).unwrap_err().to_string(), "<DbUser> is missing or wrong");
        }
    }

    proptest! {
        #[test]
        fn every_name_makes_one_request_that_creates_nothing(
            cluster in ".*", user in ".*", database in ".*"
        ) {
            let (cluster, user, database) = (cluster.as_str(), user.as_str(), database.as_str());
            let request = Request::GetClusterCredentials { cluster, user, database };
            let call = format!("{:?}", request.call("https://r"));
            let query = call.split_once("https://r/?").unwrap().1.split_once('"').unwrap().0;
            let pairs: Vec<_> = form_urlencoded::parse(query.as_bytes()).collect();
            let expected = [
                ("Action", "GetClusterCredentials"), ("Version", "2012-12-01"),
                ("ClusterIdentifier", cluster), ("DbUser", user), ("DbName", database),
                ("AutoCreate", "false"), ("DurationSeconds", "900"),
            ];
            prop_assert!(pairs.iter().map(|(key, value)| (&**key, &**value)).eq(expected));
        }
    }

    #[test]
    fn fuzz_credentials() {
        fuzz(&recorded_bodies("redshift"), |bytes| {
            let _read = Element::parse(bytes).and_then(|root| given(&root));
        });
    }
}
