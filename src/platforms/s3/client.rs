//! The requests of this platform: the four that [`Request`] can spell, and no others.

use std::sync::{Arc, Mutex, PoisonError, Weak};

use reqsign_aws_v4::Credential;
use tokio::sync::Semaphore;

use super::endpoint::Endpoints;
use crate::domain::Class;
use crate::net::permit::Kept;
use crate::platforms::aws::classify::Failure;
use crate::platforms::aws::client::{Call, Client, encoded};
use crate::platforms::aws::sts;
use crate::platforms::aws::xml::{Element, ReplyError};

/// Session policy of an assumed role, which limits it to reading whatever else it is allowed.
pub(super) const SESSION_POLICY: &str = concat!(
    r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["s3:ListBucket","#,
    r#""s3:GetAccessGrantsInstance","s3:ListAccessGrantsLocations"],"Resource":"*"}]}"#
);

/// The most calls at a time to the Access Grants of one account and region, whose limits AWS does
/// not publish.
const CALLS_MAX: usize = 2;

/// Every request this platform sends. All are GET, and none of them changes anything.
#[derive(Clone, Copy, Debug)]
pub(super) enum Request<'a> {
    /// Whose credentials are these?
    GetCallerIdentity,
    /// Is there an Access Grants instance?
    GetAccessGrantsInstance,
    /// Asks for the registered locations.
    ListAccessGrantsLocations {
        /// Position of the page.
        next: Option<&'a str>,
    },
    /// Is there anything below the prefix?
    ListObjectsV2 {
        /// Name of the bucket.
        bucket: &'a str,
        /// Key prefix, possibly empty.
        prefix: &'a str,
    },
}

impl Request<'_> {
    fn call(self, endpoints: &Endpoints) -> Call {
        let control =
            |path| format!("{}/v20180820/accessgrantsinstance{path}", endpoints.s3_control());
        match self {
            Self::GetCallerIdentity => {
                let query = encoded(&[("Action", "GetCallerIdentity"), sts::VERSION]);
                Call::get("sts", format!("{}/?{query}", endpoints.sts())).log_in()
            }
            Self::GetAccessGrantsInstance => {
                Call::get("s3", control("")).about(endpoints.account())
            }
            Self::ListAccessGrantsLocations { next } => {
                let mut query = vec![("maxResults", "1000")];
                query.extend(next.map(|token| ("nextToken", token)));
                let url = format!("{}?{}", control("/locations"), encoded(&query));
                Call::get("s3", url).about(endpoints.account())
            }
            Self::ListObjectsV2 { bucket, prefix } => {
                let query = encoded(&[
                    ("list-type", "2"),
                    ("prefix", prefix),
                    ("delimiter", "/"),
                    ("max-keys", "1"),
                    ("encoding-type", "url"),
                ]);
                Call::get("s3", format!("{}?{query}", endpoints.bucket(bucket)))
            }
        }
    }

    const fn is_access_grants(self) -> bool {
        match self {
            Self::GetAccessGrantsInstance | Self::ListAccessGrantsLocations { .. } => true,
            Self::GetCallerIdentity | Self::ListObjectsV2 { .. } => false,
        }
    }
}

/// Servers for the requests of one integration.
#[derive(Debug)]
pub(super) struct Servers {
    endpoints: Endpoints,
    gate: Arc<Semaphore>,
}

impl Servers {
    /// Returns the servers at `endpoints`.
    pub(super) fn new(endpoints: Endpoints) -> Self {
        let gate = gate(endpoints.access_grants());
        Self { endpoints, gate }
    }

    /// Sends `request` over `client`, signed with `credential`, and reads the answer with `read`.
    ///
    /// # Errors
    ///
    /// Returns the refusal of AWS, or the reason why there is no answer.
    pub(super) async fn ask<T>(
        &self,
        client: &Client,
        request: Request<'_>,
        credential: &Credential,
        read: fn(&Element) -> Result<T, ReplyError>,
    ) -> Result<T, Failure> {
        let _turn = if request.is_access_grants() {
            let turn = self.gate.acquire().await;
            // The semaphore is never closed.
            let turn = turn.map_err(|closed| Failure::silent(Class::Local, closed.to_string()))?;
            Some((turn, Kept::new()))
        } else {
            None
        };
        client.call(&request.call(&self.endpoints), credential, read).await
    }
}

/// The gates that are in use, by account and server.
static GATES: Mutex<Vec<([String; 2], Weak<Semaphore>)>> = Mutex::new(Vec::new());

/// Returns the semaphore of an account's Access Grants at a server, shared by all integrations with
/// it.
fn gate(of: [String; 2]) -> Arc<Semaphore> {
    let mut gates = GATES.lock().unwrap_or_else(PoisonError::into_inner);
    gates.retain(|(_, gate)| gate.strong_count() != 0);
    let known = gates.iter().find(|(known, _)| *known == of);
    if let Some(gate) = known.and_then(|(_, gate)| gate.upgrade()) {
        return gate;
    }
    let gate = Arc::new(Semaphore::new(CALLS_MAX));
    gates.push((of, Arc::downgrade(&gate)));
    gate
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_session_policy_is_json_that_only_reads() {
        let policy: serde_json::Value = serde_json::from_str(SESSION_POLICY).unwrap();
        for action in policy["Statement"][0]["Action"].as_array().unwrap() {
            let action = action.as_str().unwrap();
            assert!(action.starts_with("s3:List") || action.starts_with("s3:Get"), "{action}");
            assert!(!action.contains("DataAccess") && !action.contains('*'), "{action}");
        }
    }

    #[test]
    fn a_gate_is_shared_by_account_and_server_and_forgotten_with_its_last_user() {
        let of = |account: &str| [account.to_owned(), "https://gate.example".to_owned()];
        let (first, other) = (gate(of("1")), gate(of("2")));
        assert!(Arc::ptr_eq(&first, &gate(of("1"))) && !Arc::ptr_eq(&first, &other));
        let turns = [first.try_acquire(), first.try_acquire(), first.try_acquire()];
        assert_eq!(turns.map(|turn| turn.is_ok()), [true, true, false]);
        drop((first, other));
        gate(of("3"));
        let gates = GATES.lock().unwrap();
        let left = gates.iter().filter(|([_, server], _)| server == "https://gate.example");
        assert_eq!(left.count(), 1);
    }
}
