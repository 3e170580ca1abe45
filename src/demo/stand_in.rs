//! Stand-in for the three AWS services that an S3 integration is validated against.
//!
//! It is no platform code: it answers the few read requests of the catalog, on loopback, for the demo
//! alone. Every bucket has a switch that makes it disappear and come back.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use axum::Router;
use axum::extract::State;
use axum::http::{HeaderMap, Method, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};

/// Account that owns the buckets.
pub(super) const ACCOUNT: &str = "111122223333";
/// Region of the buckets.
pub(super) const REGION: &str = "eu-central-1";
/// Role that is registered with every Access Grants location.
pub(super) const ROLE: &str = "arn:aws:iam::111122223333:role/demo-access-grants";
/// Prefix of each bucket that is registered.
pub(super) const PREFIX: &str = "lake/";

/// Services with the number of their requests.
#[derive(Debug)]
pub(super) struct StandIn {
    access_key_id: String,
    buckets: Vec<Bucket>,
    reads: AtomicU64,
    writes: AtomicU64,
}

#[derive(Debug)]
struct Bucket {
    name: String,
    missing: AtomicBool,
}

/// Answer of the stand-in: status code and XML.
type Answer = (StatusCode, String);

impl StandIn {
    /// Returns services with these buckets that accept one access key.
    pub(super) fn new(access_key_id: &str, buckets: &[&str]) -> Arc<Self> {
        let bucket = |&name: &&str| Bucket { name: name.to_owned(), missing: false.into() };
        Arc::new(Self {
            access_key_id: access_key_id.to_owned(),
            buckets: buckets.iter().map(bucket).collect(),
            reads: AtomicU64::new(0),
            writes: AtomicU64::new(0),
        })
    }

    /// Makes the bucket disappear, or come back.
    pub(super) fn set_missing(&self, bucket: &str, missing: bool) {
        if let Some(found) = self.buckets.iter().find(|one| one.name == bucket) {
            found.missing.store(missing, Ordering::Relaxed);
        }
    }

    /// Returns the number of requests that only read, and of those that would have changed something.
    pub(super) fn requests(&self) -> (u64, u64) {
        (self.reads.load(Ordering::Relaxed), self.writes.load(Ordering::Relaxed))
    }

    /// Returns the routes; every address is answered by one function.
    pub(super) fn router(self: Arc<Self>) -> Router {
        Router::new().fallback(serve).with_state(self)
    }

    fn answer(&self, method: &Method, uri: &Uri, headers: &HeaderMap) -> Answer {
        let (path, query) = (uri.path(), uri.query().unwrap_or_default());
        if method != Method::GET {
            self.writes.fetch_add(1, Ordering::Relaxed);
            return refusal(405, "MethodNotAllowed", "The stand-in only answers what reads.");
        }
        self.reads.fetch_add(1, Ordering::Relaxed);
        if !self.knows_caller(headers) {
            let message = "The access key ID does not exist in the records of the stand-in.";
            return refusal(403, "InvalidAccessKeyId", message);
        }
        match path {
            "/" if query.contains("Action=GetCallerIdentity") => caller_identity(),
            "/v20180820/accessgrantsinstance" => instance(),
            "/v20180820/accessgrantsinstance/locations" => self.locations(),
            _ => self.list(path.trim_matches('/')),
        }
    }

    /// Compares the key's id only: signatures are tested elsewhere, against better stand-ins.
    fn knows_caller(&self, headers: &HeaderMap) -> bool {
        let sent = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
        sent.is_some_and(|text| text.contains(&format!("Credential={}/", self.access_key_id)))
    }

    fn list(&self, name: &str) -> Answer {
        let found = self.buckets.iter().find(|bucket| bucket.name == name);
        if found.is_none_or(|bucket| bucket.missing.load(Ordering::Relaxed)) {
            return refusal(404, "NoSuchBucket", "The specified bucket does not exist");
        }
        accepted(&format!(
            "<ListBucketResult><Name>{name}</Name><Prefix>{PREFIX}</Prefix><KeyCount>1</KeyCount>\
             <MaxKeys>1</MaxKeys><IsTruncated>false</IsTruncated><Contents>\
             <Key>{PREFIX}part-0001.parquet</Key><Size>1</Size></Contents></ListBucketResult>"
        ))
    }

    fn locations(&self) -> Answer {
        let location = |(number, bucket): (usize, &Bucket)| {
            let name = &bucket.name;
            format!(
                "<AccessGrantsLocation><AccessGrantsLocationId>location-{number}\
                 </AccessGrantsLocationId><LocationScope>s3://{name}/{PREFIX}*</LocationScope>\
                 <IAMRoleArn>{ROLE}</IAMRoleArn></AccessGrantsLocation>"
            )
        };
        let all: String = (1..).zip(&self.buckets).map(location).collect();
        accepted(&format!(
            "<ListAccessGrantsLocationsResult><AccessGrantsLocationsList>{all}\
             </AccessGrantsLocationsList></ListAccessGrantsLocationsResult>"
        ))
    }
}

async fn serve(
    State(stand_in): State<Arc<StandIn>>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
) -> Response {
    let (code, xml) = stand_in.answer(&method, &uri, &headers);
    let headers = [(header::CONTENT_TYPE.as_str(), "application/xml")];
    (code, headers, [("x-amz-request-id", "DEMO00000001")], xml).into_response()
}

fn caller_identity() -> Answer {
    accepted(&format!(
        "<GetCallerIdentityResponse><GetCallerIdentityResult>\
         <Arn>arn:aws:iam::{ACCOUNT}:user/demo</Arn><UserId>AIDADEMODEMODEMODEMO</UserId>\
         <Account>{ACCOUNT}</Account></GetCallerIdentityResult></GetCallerIdentityResponse>"
    ))
}

fn instance() -> Answer {
    accepted(&format!(
        "<GetAccessGrantsInstanceResult><AccessGrantsInstanceArn>arn:aws:s3:{REGION}:{ACCOUNT}:\
         access-grants/default</AccessGrantsInstanceArn><AccessGrantsInstanceId>default\
         </AccessGrantsInstanceId></GetAccessGrantsInstanceResult>"
    ))
}

fn accepted(body: &str) -> Answer {
    (StatusCode::OK, format!("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n{body}"))
}

fn refusal(code: u16, name: &str, message: &str) -> Answer {
    let code = StatusCode::from_u16(code).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let xml = format!(
        "<Error><Code>{name}</Code><Message>{message}</Message>\
         <RequestId>DEMO00000001</RequestId></Error>"
    );
    (code, xml)
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::HeaderValue;

    fn ask(stand_in: &StandIn, method: &Method, address: &'static str) -> (u16, String) {
        let mut headers = HeaderMap::new();
        let sent = "AWS4-HMAC-SHA256 Credential=AKIADEMO/20261122/eu-central-1/s3/aws4_request";
        headers.insert(header::AUTHORIZATION, HeaderValue::from_static(sent));
        let (code, xml) = stand_in.answer(method, &Uri::from_static(address), &headers);
        (code.as_u16(), xml)
    }

    #[test]
    fn each_service_answers_in_its_own_shape() {
        let stand_in = StandIn::new("AKIADEMO", &["orders", "people"]);
        let cases = [
            (
                "/?Action=GetCallerIdentity&Version=2011-06-15",
                "<Arn>arn:aws:iam::111122223333:user/demo<",
            ),
            ("/v20180820/accessgrantsinstance", ":access-grants/default<"),
            ("/v20180820/accessgrantsinstance/locations?maxResults=1000", "s3://people/lake/*<"),
            ("/orders/?list-type=2&prefix=lake%2F", "<KeyCount>1<"),
            ("/orders?list-type=2", "<Name>orders<"),
        ];
        for (address, expected) in cases {
            let (code, xml) = ask(&stand_in, &Method::GET, address);
            assert_eq!(code, 200, "{address}");
            assert!(xml.contains(expected), "{address}: {xml}");
        }
        assert_eq!(ask(&stand_in, &Method::GET, "/others?list-type=2").0, 404);
    }

    #[test]
    fn missing_bucket_affects_no_other() {
        let stand_in = StandIn::new("AKIADEMO", &["orders", "people"]);
        stand_in.set_missing("orders", true);
        let (code, xml) = ask(&stand_in, &Method::GET, "/orders?list-type=2");
        assert_eq!(code, 404);
        assert!(xml.contains("<Code>NoSuchBucket</Code>"), "{xml}");
        assert_eq!(ask(&stand_in, &Method::GET, "/people?list-type=2").0, 200);
        stand_in.set_missing("orders", false);
        assert_eq!(ask(&stand_in, &Method::GET, "/orders?list-type=2").0, 200);
    }

    #[test]
    fn writing_request_is_refused_and_counted() {
        let stand_in = StandIn::new("AKIADEMO", &["orders"]);
        assert_eq!(ask(&stand_in, &Method::GET, "/orders?list-type=2").0, 200);
        assert_eq!(ask(&stand_in, &Method::PUT, "/orders").0, 405);
        assert_eq!(ask(&stand_in, &Method::POST, "/v20180820/accessgrantsinstance").0, 405);
        assert_eq!(stand_in.requests(), (1, 2));
    }

    #[test]
    fn unknown_access_key_is_refused() {
        let stand_in = StandIn::new("AKIAOTHER", &["orders"]);
        let (code, xml) = ask(&stand_in, &Method::GET, "/orders?list-type=2");
        assert_eq!(code, 403);
        assert!(xml.contains("<Code>InvalidAccessKeyId</Code>"), "{xml}");
        let unsigned = stand_in.answer(&Method::GET, &Uri::from_static("/"), &HeaderMap::new());
        assert_eq!(unsigned.0, StatusCode::FORBIDDEN);
    }
}
