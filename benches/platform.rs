//! Stand-in platform of `benches/load.py`: STS, S3 Control and S3 on one port of the loopback, quick
//! enough to leave the processor to the daemon.
//!
//! Usage: `load-platform DELAY_MS`: prints its URL and serves until it is ended. Every account has
//! one access grants location, as in `tests/crash/standin.py`; listing a bucket takes the delay.

#![expect(clippy::print_stdout, reason = "the URL is its output")]

use std::time::Duration;

use anyhow::Context as _;
use axum::Router;
use axum::extract::State;
use axum::http::header::AUTHORIZATION;
use axum::http::{HeaderMap, Uri};
use tokio::net::TcpListener;

#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<()> {
    let delay = std::env::args().nth(1).context("usage: load-platform DELAY_MS")?;
    let delay = Duration::from_millis(delay.parse()?);
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    println!("http://{}", listener.local_addr()?);
    let router = Router::new().fallback(answer).with_state(delay);
    axum::serve(listener, router).await?;
    Ok(())
}

async fn answer(State(delay): State<Duration>, uri: Uri, headers: HeaderMap) -> String {
    let account = account(&headers).unwrap_or_default();
    match uri.path() {
        "/v20180820/accessgrantsinstance/locations" => locations(account),
        "/v20180820/accessgrantsinstance" => instance(account),
        "/" => identity(account),
        bucket => {
            tokio::time::sleep(delay).await;
            listing(bucket.trim_matches('/'))
        }
    }
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
