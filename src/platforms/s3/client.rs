//! The requests of this platform: the four that [`Request`] can spell, and no others.

use std::collections::BTreeMap;
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

/// Number of gates below which none is forgotten.
const FORGET_AT_LEAST: usize = 64;

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

/// Gates by account and server: those in use, and at most as many that were.
#[derive(Debug)]
struct Gates {
    known: BTreeMap<[String; 2], Weak<Semaphore>>,
    /// Number of gates at which those that are no longer in use are forgotten.
    forget_at: usize,
}

static GATES: Mutex<Gates> =
    Mutex::new(Gates { known: BTreeMap::new(), forget_at: FORGET_AT_LEAST });

impl Gates {
    fn get(&mut self, of: [String; 2]) -> Arc<Semaphore> {
        if let Some(gate) = self.known.get(&of).and_then(Weak::upgrade) {
            return gate;
        }
        if self.forget_at <= self.known.len() {
            self.known.retain(|_, gate| gate.strong_count() != 0);
            // A look at all of them for each new one took half of a start with 10,000 accounts.
            self.forget_at = FORGET_AT_LEAST.max(2 * self.known.len());
        }
        let gate = Arc::new(Semaphore::new(CALLS_MAX));
        self.known.insert(of, Arc::downgrade(&gate));
        gate
    }
}

/// Returns the semaphore of an account's Access Grants at a server, shared by all integrations with
/// it.
fn gate(of: [String; 2]) -> Arc<Semaphore> {
    GATES.lock().unwrap_or_else(PoisonError::into_inner).get(of)
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
    fn a_gate_is_shared_by_account_and_server_and_forgotten_after_its_last_user() {
        let of = |account: usize| [account.to_string(), "https://gate.example".to_owned()];
        let mut gates = Gates { known: BTreeMap::new(), forget_at: FORGET_AT_LEAST };
        let (first, other) = (gates.get(of(0)), gates.get(of(1)));
        assert!(Arc::ptr_eq(&first, &gates.get(of(0))) && !Arc::ptr_eq(&first, &other));
        let turns = [first.try_acquire(), first.try_acquire(), first.try_acquire()];
        assert_eq!(turns.map(|turn| turn.is_ok()), [true, true, false]);
        drop(other);
        (2..=FORGET_AT_LEAST).for_each(|account| drop(gates.get(of(account))));
        assert!(Arc::ptr_eq(&first, &gates.get(of(0))));
        assert_eq!(gates.known.len(), 2, "the one in use and the latest");
    }
}
