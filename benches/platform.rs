//! Stand-in platform of the benches: STS, S3 Control and S3 on one port of the loopback, quick
//! enough to leave the processor to the daemon.
//!
//! Usage: `load-platform DELAY_MS`: prints its URL and serves until it is ended. Every account has
//! one access grants location, as in `tests/crash/standin.py`; listing a bucket takes the delay.
//!
//! `benches/peers` checks the same buckets by plain requests, and uses three more paths:
//! `PUT /gone/FIRST/LAST` removes the buckets of these numbers, `PUT /back/FIRST/LAST` brings them
//! back, and `GET /checks` answers how often buckets were listed, and how many different ones.

#![expect(clippy::print_stdout, reason = "the URL is its output")]

use std::collections::HashSet;
use std::ops::RangeInclusive;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::Context as _;
use axum::Router;
use axum::extract::{Path, State};
use axum::http::header::AUTHORIZATION;
use axum::http::{HeaderMap, StatusCode, Uri};
use axum::routing::{get, put};
use tokio::net::TcpListener;

/// Buckets of the platform, as its requests changed and saw them.
#[derive(Debug, Default)]
struct Buckets {
    gone: HashSet<String>,
    checks: u64,
    checked: HashSet<String>,
}

/// State of the platform: the delay of a listing, and its buckets.
#[derive(Clone, Debug)]
struct Platform {
    delay: Duration,
    buckets: Arc<Mutex<Buckets>>,
}

impl Platform {
    fn with<T>(&self, act: impl FnOnce(&mut Buckets) -> T) -> T {
        act(&mut self.buckets.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Lists a bucket after the delay; the answer is of the instant at which it is sent.
    async fn list(&self, bucket: &str) -> (StatusCode, String) {
        self.with(|buckets| {
            buckets.checks += 1;
            if !buckets.checked.contains(bucket) {
                buckets.checked.insert(bucket.to_owned());
            }
        });
        tokio::time::sleep(self.delay).await;
        if self.with(|buckets| buckets.gone.contains(bucket)) {
            return (StatusCode::NOT_FOUND, MISSING.to_owned());
        }
        (StatusCode::OK, listing(bucket))
    }
}

const MISSING: &str = "<Error><Code>NoSuchBucket</Code>\
    <Message>The specified bucket does not exist</Message></Error>";

#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<()> {
    let delay = std::env::args().nth(1).context("usage: load-platform DELAY_MS")?;
    let delay = Duration::from_millis(delay.parse()?);
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    println!("http://{}", listener.local_addr()?);
    let router = Router::new()
        .route("/gone/{first}/{last}", put(remove))
        .route("/back/{first}/{last}", put(bring_back))
        .route("/checks", get(checks))
        .fallback(answer)
        .with_state(Platform { delay, buckets: Arc::default() });
    axum::serve(listener, router).await?;
    Ok(())
}

fn names(numbers: RangeInclusive<u32>) -> impl Iterator<Item = String> {
    numbers.map(|number| format!("bucket-{number}"))
}

async fn remove(State(platform): State<Platform>, Path((first, last)): Path<(u32, u32)>) {
    platform.with(|buckets| buckets.gone.extend(names(first..=last)));
}

async fn bring_back(State(platform): State<Platform>, Path((first, last)): Path<(u32, u32)>) {
    platform.with(|buckets| {
        for name in names(first..=last) {
            buckets.gone.remove(&name);
        }
    });
}

async fn checks(State(platform): State<Platform>) -> String {
    platform.with(|buckets| format!("{} {}", buckets.checks, buckets.checked.len()))
}

async fn answer(
    State(platform): State<Platform>,
    uri: Uri,
    headers: HeaderMap,
) -> (StatusCode, String) {
    let account = account(&headers).unwrap_or_default();
    let found = match uri.path() {
        "/v20180820/accessgrantsinstance/locations" => locations(account),
        "/v20180820/accessgrantsinstance" => instance(account),
        "/" => identity(account),
        bucket => return platform.list(bucket.trim_matches('/')).await,
    };
    (StatusCode::OK, found)
}

/// Returns the account that the signing key belongs to: the twelve digits at its end.
fn account(headers: &HeaderMap) -> Option<&str> {
    let sent = headers.get(AUTHORIZATION)?.to_str().ok()?;
    let (_, credential) = sent.split_once("Credential=")?;
    let (key, _) = credential.split_once('/')?;
    key.get(key.len().checked_sub(12)?..)
}

fn identity(account: &str) -> String {
    format!(
        "<GetCallerIdentityResponse><GetCallerIdentityResult>\
         <Arn>arn:aws:iam::{account}:user/reader</Arn><UserId>AIDATEST</UserId>\
         <Account>{account}</Account></GetCallerIdentityResult></GetCallerIdentityResponse>"
    )
}

fn instance(account: &str) -> String {
    format!(
        "<GetAccessGrantsInstanceResult><AccessGrantsInstanceArn>arn:aws:s3:eu-central-1:{account}\
         :access-grants/default</AccessGrantsInstanceArn><AccessGrantsInstanceId>default\
         </AccessGrantsInstanceId></GetAccessGrantsInstanceResult>"
    )
}

fn locations(account: &str) -> String {
    let number = account.trim_start_matches('0');
    format!(
        "<ListAccessGrantsLocationsResult><AccessGrantsLocationsList><AccessGrantsLocation>\
         <AccessGrantsLocationId>{number}</AccessGrantsLocationId>\
         <LocationScope>s3://bucket-{number}/prefix*</LocationScope>\
         <IAMRoleArn>arn:aws:iam::{account}:role/locations</IAMRoleArn></AccessGrantsLocation>\
         </AccessGrantsLocationsList></ListAccessGrantsLocationsResult>"
    )
}

fn listing(bucket: &str) -> String {
    format!(
        "<ListBucketResult><Name>{bucket}</Name><Prefix>prefix</Prefix><KeyCount>1</KeyCount>\
         <MaxKeys>1</MaxKeys><IsTruncated>false</IsTruncated><Contents><Key>prefix/object</Key>\
         <Size>1</Size></Contents></ListBucketResult>"
    )
}
