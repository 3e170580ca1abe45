//! Stand-in for a platform with many unstable buckets: STS, S3 Control and S3 on one port.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::extract::{ConnectInfo, Request, State};
use axum::http::StatusCode;
use axum::http::header::{AUTHORIZATION, CONTENT_TYPE};
use axum::response::{IntoResponse, Response};

use super::Dice;

/// Average number of listings of a bucket until it disappears, or comes back.
const LISTINGS_PER_CHANGE: u64 = 2;

/// Server of one location per account, stopped when dropped: `s3://bucket-N/prefix*` for the account
/// whose number is N.
pub(crate) struct Lakes {
    pub(crate) endpoint: String,
    buckets: Arc<Buckets>,
    _runtime: tokio::runtime::Runtime,
}

struct Buckets {
    is_stable: AtomicBool,
    changes: AtomicU64,
    delay_ms: AtomicU64,
    /// Process that gets no answer; zero for none.
    cut_off: AtomicU32,
    /// Dice of each bucket, and true when it is gone.
    by_name: Mutex<HashMap<String, (Dice, bool)>>,
    seed: u64,
}

impl Lakes {
    pub(crate) fn start(seed: u64) -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .unwrap();
        let buckets = Arc::new(Buckets {
            is_stable: AtomicBool::new(false),
            changes: AtomicU64::new(0),
            delay_ms: AtomicU64::new(0),
            cut_off: AtomicU32::new(0),
            by_name: Mutex::default(),
            seed,
        });
        let router = Router::new().fallback(answer).with_state(Arc::clone(&buckets));
        let listener = runtime.block_on(tokio::net::TcpListener::bind("127.0.0.1:0")).unwrap();
        let endpoint = format!("http://{}", listener.local_addr().unwrap());
        let service = router.into_make_service_with_connect_info::<SocketAddr>();
        runtime.spawn(async move { axum::serve(listener, service).await.unwrap() });
        Self { endpoint, buckets, _runtime: runtime }
    }

    /// Takes so many milliseconds for each answer from now on.
    pub(crate) fn slow_down(&self, millis: u64) {
        self.buckets.delay_ms.store(millis, Ordering::SeqCst);
    }

    /// Answers no request of this process from now on; zero for all processes.
    pub(crate) fn cut_off(&self, pid: u32) {
        self.buckets.cut_off.store(pid, Ordering::SeqCst);
    }

    /// Keeps every bucket as it is from now on.
    pub(crate) fn stabilise(&self) {
        self.buckets.is_stable.store(true, Ordering::SeqCst);
    }

    /// Returns the number of times that a bucket came or went.
    pub(crate) fn changes(&self) -> u64 {
        self.buckets.changes.load(Ordering::SeqCst)
    }

    /// Returns the table of integration `number`.
    pub(crate) fn integration(&self, number: usize) -> String {
        format!(
            r#"
            [[integration]]
            name = "lake-{number}"
            type = "Native S3"
            autoBootstrap = false
            schedule = "* * * * * *"
            [integration.config]
            name = "lake-{number}"
            awsAccountId = "{number:012}"
            awsRegion = "us-east-1"
            awsLocationRole = "arn:aws:iam::{number:012}:role/grants"
            awsLocationPath = "s3://bucket-{number}/prefix/"
            authenticationType = "accessKey"
            awsAccessKeyId = "AKIATEST{number:012}"
            awsSecretAccessKey = {{ file = "DIR/aws-secret" }}
            endpoints = {{ sts = "{0}", s3 = "{0}", s3Control = "{0}" }}
            "#,
            self.endpoint
        )
    }
}

impl Buckets {
    /// Returns true when `bucket` is gone now.
    fn is_gone(&self, bucket: &str) -> bool {
        let mut by_name = self.by_name.lock().unwrap();
        let (dice, gone) = by_name.entry(bucket.to_owned()).or_insert_with(|| {
            let number: u64 = bucket.trim_start_matches("bucket-").parse().unwrap_or(0);
            (Dice::new(self.seed.wrapping_add(number)), false)
        });
        if !self.is_stable.load(Ordering::SeqCst) && dice.below(LISTINGS_PER_CHANGE) == 0 {
            *gone = !*gone;
            self.changes.fetch_add(1, Ordering::SeqCst);
        }
        *gone
    }
}

/// Returns true when a process has the local end of a connection at this port.
fn owns(pid: u32, port: u16) -> bool {
    let table = std::fs::read_to_string("/proc/net/tcp").unwrap();
    let end = format!(":{port:04X}");
    let inodes = table.lines().filter_map(|line| {
        let cells: Vec<_> = line.split_whitespace().collect();
        (cells.get(1)?.ends_with(&end)).then(|| format!("socket:[{}]", cells[9]))
    });
    let inodes: Vec<_> = inodes.collect();
    let Ok(open) = std::fs::read_dir(format!("/proc/{pid}/fd")) else { return false };
    let links = open.flatten().filter_map(|one| std::fs::read_link(one.path()).ok());
    links.map(|link| link.display().to_string()).any(|link| inodes.contains(&link))
}

async fn answer(
    State(buckets): State<Arc<Buckets>>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    request: Request,
) -> Response {
    let cut_off = buckets.cut_off.load(Ordering::SeqCst);
    if cut_off != 0 && owns(cut_off, peer.port()) {
        return std::future::pending().await;
    }
    let delay = buckets.delay_ms.load(Ordering::SeqCst);
    tokio::time::sleep(std::time::Duration::from_millis(delay)).await;
    let signed = request.headers().get(AUTHORIZATION).map_or("", |value| value.to_str().unwrap());
    let account: String = signed
        .split_once("Credential=")
        .and_then(|(_, rest)| rest.split_once('/'))
        .map_or_else(String::new, |(key, _)| key.chars().filter(char::is_ascii_digit).collect());
    let (status, body) = match request.uri().path().trim_matches('/') {
        "" => (StatusCode::OK, identity(&account)),
        "v20180820/accessgrantsinstance" => (StatusCode::OK, instance(&account)),
        "v20180820/accessgrantsinstance/locations" => (StatusCode::OK, locations(&account)),
        bucket if buckets.is_gone(bucket) => (StatusCode::NOT_FOUND, NO_BUCKET.to_owned()),
        _ => (StatusCode::OK, LISTED.to_owned()),
    };
    (status, [(CONTENT_TYPE, "application/xml")], body).into_response()
}

const LISTED: &str = "<ListBucketResult><Name>b</Name><Prefix>p</Prefix><KeyCount>1</KeyCount><MaxKeys>1</MaxKeys><IsTruncated>false</IsTruncated><Contents><Key>p/k</Key></Contents></ListBucketResult>";
const NO_BUCKET: &str = "<Error><Code>NoSuchBucket</Code><Message>The specified bucket does not exist</Message><RequestId>2</RequestId></Error>";

fn identity(account: &str) -> String {
    format!(
        "<GetCallerIdentityResponse><GetCallerIdentityResult><Arn>arn:aws:iam::{account}:user/watcher</Arn><UserId>AIDAEXAMPLE</UserId><Account>{account}</Account></GetCallerIdentityResult><ResponseMetadata><RequestId>1</RequestId></ResponseMetadata></GetCallerIdentityResponse>"
    )
}

fn instance(account: &str) -> String {
    format!(
        "<GetAccessGrantsInstanceResult><CreatedAt>2026-01-01T00:00:00Z</CreatedAt><AccessGrantsInstanceId>default</AccessGrantsInstanceId><AccessGrantsInstanceArn>arn:aws:s3:us-east-1:{account}:access-grants/default</AccessGrantsInstanceArn></GetAccessGrantsInstanceResult>"
    )
}

fn locations(account: &str) -> String {
    let number: u64 = account.parse().unwrap_or(0);
    format!(
        "<ListAccessGrantsLocationsResult><AccessGrantsLocationsList><AccessGrantsLocation><CreatedAt>2026-01-01T00:00:00Z</CreatedAt><AccessGrantsLocationId>a1b2</AccessGrantsLocationId><AccessGrantsLocationArn>arn:aws:s3:us-east-1:{account}:access-grants/default/location/a1b2</AccessGrantsLocationArn><LocationScope>s3://bucket-{number}/prefix/*</LocationScope><IAMRoleArn>arn:aws:iam::{account}:role/grants</IAMRoleArn></AccessGrantsLocation></AccessGrantsLocationsList></ListAccessGrantsLocationsResult>"
    )
}
