//! Stand-in for S3 Control's Access Grants, which no third-party server has.
//!
//! The bodies are those of the API reference of `GetAccessGrantsInstance` and
//! `ListAccessGrantsLocations`. STS and one bucket answer beside them, for tests that are about the
//! daemon and not about a platform.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use axum::Router;
use axum::extract::Path;
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::routing::get;

const INSTANCE: &str = r#"<?xml version="1.0" encoding="UTF-8"?>
<GetAccessGrantsInstanceResult><CreatedAt>2026-01-01T00:00:00Z</CreatedAt><AccessGrantsInstanceId>default</AccessGrantsInstanceId><AccessGrantsInstanceArn>arn:aws:s3:us-east-1:123456789012:access-grants/default</AccessGrantsInstanceArn></GetAccessGrantsInstanceResult>"#;

const IDENTITY: &str = r#"<GetCallerIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><GetCallerIdentityResult><Arn>arn:aws:iam::123456789012:user/watcher</Arn><UserId>AIDAEXAMPLE</UserId><Account>123456789012</Account></GetCallerIdentityResult><ResponseMetadata><RequestId>1</RequestId></ResponseMetadata></GetCallerIdentityResponse>"#;
const LISTED: &str = "<ListBucketResult><Name>b</Name><Prefix>p</Prefix><KeyCount>1</KeyCount><MaxKeys>1</MaxKeys><IsTruncated>false</IsTruncated><Contents><Key>p/k</Key></Contents></ListBucketResult>";
const NO_BUCKET: &str = "<Error><Code>NoSuchBucket</Code><Message>The specified bucket does not exist</Message><RequestId>2</RequestId></Error>";

/// Server of one instance with one location, stopped when dropped.
pub(crate) struct AccessGrants {
    pub(crate) endpoint: String,
    gone: Arc<AtomicBool>,
    _runtime: tokio::runtime::Runtime,
}

impl AccessGrants {
    /// Serves a location for `scope` (`s3://bucket/prefix*`) with `role`.
    pub(crate) fn start(scope: &str, role: &str) -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .unwrap();
        let locations = format!(
            r#"<?xml version="1.0" encoding="UTF-8"?>
<ListAccessGrantsLocationsResult><AccessGrantsLocationsList><AccessGrantsLocation><CreatedAt>2026-01-01T00:00:00Z</CreatedAt><AccessGrantsLocationId>a1b2</AccessGrantsLocationId><AccessGrantsLocationArn>arn:aws:s3:us-east-1:123456789012:access-grants/default/location/a1b2</AccessGrantsLocationArn><LocationScope>{scope}</LocationScope><IAMRoleArn>{role}</IAMRoleArn></AccessGrantsLocation></AccessGrantsLocationsList></ListAccessGrantsLocationsResult>"#
        );
        let xml =
            |body: String| get(move || async move { ([(CONTENT_TYPE, "application/xml")], body) });
        let bucket = scope.trim_start_matches("s3://").split('/').next().unwrap().to_owned();
        let gone = Arc::new(AtomicBool::new(false));
        let is_gone = Arc::clone(&gone);
        let list = move |Path(asked): Path<String>| async move {
            let found = asked == bucket && !is_gone.load(Ordering::SeqCst);
            let status = if found { StatusCode::OK } else { StatusCode::NOT_FOUND };
            (status, [(CONTENT_TYPE, "application/xml")], if found { LISTED } else { NO_BUCKET })
        };
        let router = Router::new()
            .route("/", xml(IDENTITY.to_owned()))
            .route("/{bucket}", get(list.clone()))
            .route("/{bucket}/", get(list))
            .route("/v20180820/accessgrantsinstance", xml(INSTANCE.to_owned()))
            .route("/v20180820/accessgrantsinstance/locations", xml(locations));
        let listener = runtime.block_on(tokio::net::TcpListener::bind("127.0.0.1:0")).unwrap();
        let endpoint = format!("http://{}", listener.local_addr().unwrap());
        runtime.spawn(async move { axum::serve(listener, router).await.unwrap() });
        Self { endpoint, gone, _runtime: runtime }
    }

    /// Removes the bucket, or puts it back.
    pub(crate) fn set_gone(&self, gone: bool) {
        self.gone.store(gone, Ordering::SeqCst);
    }
}
