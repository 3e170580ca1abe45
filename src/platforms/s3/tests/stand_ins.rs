//! S3 against moto, which verifies signatures and policies.

use super::*;

/// A running moto server.
struct Moto {
    endpoint: String,
    _server: StandIn,
}

impl Moto {
    fn start() -> Self {
        let server = StandIn::start("moto");
        Self { endpoint: server.value("endpoint").to_owned(), _server: server }
    }

    /// Sends a request that moto does not check, for setting up.
    async fn prepare(&self, method: &str, target: &str, service: &str, body: &str) -> String {
        let client = crate::net::http::client(&HttpOptions::default()).unwrap();
        let scope = format!("Credential=setup/20261122/us-east-1/{service}/aws4_request");
        let url = format!("{}{target}", self.endpoint);
        let sent = client
            .request(method.parse().unwrap(), url)
            .header("authorization", format!("AWS4-HMAC-SHA256 {scope}, Signature=0"))
            .header("content-type", "application/x-www-form-urlencoded")
            .body(body.to_owned())
            .send()
            .await
            .unwrap();
        assert!(sent.status().is_success(), "{target} {body}: {}", sent.status());
        String::from_utf8(crate::net::http::read_capped(sent, 100_000).await.unwrap()).unwrap()
    }

    async fn iam(&self, parameters: &[(&str, &str)], name: &str, document: &Json) -> String {
        let mut body = "Version=2010-05-08".to_owned();
        let document = document.to_string();
        for (key, value) in parameters.iter().copied().chain([(name, document.as_str())]) {
            body = format!("{body}&{key}={}", percent_encoded(value));
        }
        self.prepare("POST", "/", "iam", &body).await
    }

    /// A user with a policy; the answer is its key and the key's secret.
    async fn user(&self, name: &str, policy: &Json) -> (String, String) {
        let user = ("UserName", name);
        self.iam(&[("Action", "CreateUser"), user], "Tags", &Json::Null).await;
        let put = [("Action", "PutUserPolicy"), user, ("PolicyName", "p")];
        self.iam(&put, "PolicyDocument", policy).await;
        let made = self.iam(&[("Action", "CreateAccessKey"), user], "Tags", &Json::Null).await;
        let made = Element::parse(made.as_bytes()).unwrap();
        let part = |name| made.first(name).unwrap().to_owned();
        (part("AccessKeyId"), part("SecretAccessKey"))
    }
}

/// Keys of a user who may list and take up the role `reader`, and of one who may do neither; from
/// then on moto checks every signature and policy.
async fn seed(moto: &Moto) -> [(String, String); 2] {
    moto.prepare("PUT", "/lake", "s3", "").await;
    moto.prepare("PUT", "/lake/raw/%C3%BC%20ber+%26/part-1", "s3", "x").await;
    let allow = |actions: Json| {
        let statement = json!({ "Effect": "Allow", "Action": actions, "Resource": "*" });
        json!({ "Version": "2012-10-17", "Statement": [statement] })
    };
    let good = moto.user("good", &allow(json!(["s3:ListBucket", "sts:AssumeRole"]))).await;
    let bare = moto.user("bare", &allow(json!("s3:GetObject"))).await;
    let trust = json!({ "Version": "2012-10-17", "Statement": [{
        "Effect": "Allow", "Action": "sts:AssumeRole",
        "Principal": { "AWS": "arn:aws:iam::123456789012:user/good" },
        "Condition": { "StringEquals": { "sts:ExternalId": "lake:1" } },
    }]});
    let role = ("RoleName", "reader");
    moto.iam(&[("Action", "CreateRole"), role], "AssumeRolePolicyDocument", &trust).await;
    let put = [("Action", "PutRolePolicy"), role, ("PolicyName", "p")];
    moto.iam(&put, "PolicyDocument", &allow(json!("s3:ListBucket"))).await;
    let client = crate::net::http::client(&HttpOptions::default()).unwrap();
    let reset = client.post(format!("{}/moto-api/reset-auth", moto.endpoint));
    let reset = reset.header("content-type", "text/plain").body("0").send().await.unwrap();
    assert!(reset.status().is_success());
    [good, bare]
}

/// Name, changes of the configuration, test, and what it reports.
type MotoCase = (&'static str, Json, Test, ReportStatus, &'static str);

fn moto_cases(bare: &(String, String)) -> [MotoCase; 10] {
    use ReportStatus::{Failed, Passed, Warning};
    let role = |external_id: &str| {
        json!({
            "authenticationType": "auto", "awsAccessKeyId": null, "awsSecretAccessKey": null,
            "awsRoleToAssume": "arn:aws:iam::123456789012:role/reader", "externalId": external_id,
        })
    };
    let path = |path: &str| json!({ "awsLocationPath": path });
    let wrong = json!({ "awsSecretAccessKey": "0000" });
    let unknown = json!({ "awsAccessKeyId": "AKIAIOSFODNN7EXAMPLE" });
    let bare = json!({ "awsAccessKeyId": bare.0, "awsSecretAccessKey": bare.1 });
    let good = "ARN [arn:aws:iam::123456789012:user/good] using STS.";
    let denied = "Immuta does not have access to the requested path [s3://lake/raw/";
    let assumed = ":assumed-role/reader/revalidated-lake] using STS.";
    let refused = "AccessDenied: Unable to assume the role [arn:";
    let empty = "No objects were found under [s3://lake/none/].";
    [
        ("good key", json!({}), CALLER, Passed, good),
        ("good key", json!({}), PATH, Passed, ""),
        ("wrong secret", wrong, CALLER, Failed, "name [SignatureDoesNotMatch]"),
        ("unknown key", unknown, CALLER, Failed, "name [InvalidClientTokenId]"),
        ("no permission", bare, PATH, Warning, denied),
        ("no bucket", path("s3://pond/raw"), PATH, Failed, "code [404], name [NoSuchBucket]"),
        ("nothing there", path("s3://lake/none/"), PATH, Warning, empty),
        ("role", role("lake:1"), CALLER, Passed, assumed),
        ("role", role("lake:1"), PATH, Passed, ""),
        ("role with a wrong external ID", role("pond:2"), CALLER, Failed, refused),
    ]
}

#[tokio::test]
async fn moto_accepts_signatures_policies_and_roles() {
    let moto = Moto::start();
    let control = healthy().await;
    let [good, bare] = seed(&moto).await;
    let env = [("AWS_ACCESS_KEY_ID", good.0.as_str()), ("AWS_SECRET_ACCESS_KEY", &good.1)];
    for (name, changes, test, status, expected) in moto_cases(&bare) {
        let mut config = json!({
            "name": "lake", "awsAccountId": "123456789012", "awsRegion": "us-east-1",
            "awsLocationRole": "arn:aws:iam::123456789012:role/grants",
            "awsLocationPath": "s3://lake/raw/\u{fc} ber+&/", "authenticationType": "accessKey",
            "awsAccessKeyId": good.0, "awsSecretAccessKey": good.1,
            "endpoints": {
                "sts": moto.endpoint, "s3": moto.endpoint, "s3Control": control.address,
            },
        });
        for (key, value) in changes.as_object().unwrap() {
            config[key] = value.clone();
        }
        let report = integration(&config, &env).validate(&context(Mode::Recurring)).await.report;
        let found = message(&report, test);
        assert!(found.0 == status && found.1.contains(expected), "{name}: {found:?} {report:?}");
    }
}

/// The policy as it is printed lets a fresh user list the path, and without its statement that is named as missing.
#[tokio::test]
async fn moto_accepts_the_policy_that_is_printed() {
    use crate::platforms::{Form, State, documents, judged, needs};
    let moto = Moto::start();
    let control = healthy().await;
    moto.prepare("PUT", "/lake", "s3", "").await;
    moto.prepare("PUT", "/lake/raw/part-1", "s3", "x").await;
    let config = |key: &(String, String)| {
        json!({
            "name": "lake", "awsAccountId": "123456789012", "awsRegion": "us-east-1",
            "awsLocationRole": "arn:aws:iam::123456789012:role/grants",
            "awsLocationPath": "s3://lake/raw/*", "authenticationType": "accessKey",
            "awsAccessKeyId": key.0, "awsSecretAccessKey": key.1,
            "endpoints": {
                "sts": moto.endpoint, "s3": moto.endpoint, "s3Control": control.address,
            },
        })
    };
    let of = |key: &(String, String)| integration(&config(key), &[]);
    let unknown = ("AKIAIOSFODNN7EXAMPLE".to_owned(), "x".to_owned());
    let names = of(&unknown).names();
    let all = needs(GRANTS, &names);
    let printed = |needs: &[_]| {
        let document = documents(needs, &names).into_iter().find(|one| one.form == Form::Policy);
        serde_json::from_str::<Json>(&document.unwrap().text).unwrap()
    };
    // moto takes no policy about Access Grants.
    let list: Vec<_> =
        all.iter().filter(|need| need.text.contains("s3:ListBucket")).cloned().collect();
    assert_eq!((list.len(), all.len()), (1, 3), "{all:?}");
    let other = json!({ "Effect": "Allow", "Action": "s3:GetObject", "Resource": "*" });
    let other = json!({ "Version": "2012-10-17", "Statement": [other] });
    let fresh = moto.user("fresh", &printed(&list)).await;
    let revoked = moto.user("revoked", &other).await;
    let client = crate::net::http::client(&HttpOptions::default()).unwrap();
    let reset = client.post(format!("{}/moto-api/reset-auth", moto.endpoint));
    reset.header("content-type", "text/plain").body("0").send().await.unwrap();
    for (key, expected) in [(fresh, vec![]), (revoked, vec![list[0].text.as_str()])] {
        let report = of(&key).validate(&context(Mode::Recurring)).await.report;
        let states = judged(&all, &report);
        let missing = all.iter().zip(&states).filter(|(_, (state, _))| *state == State::Missing);
        let missing: Vec<_> = missing.map(|(need, _)| need.text.as_str()).collect();
        assert_eq!(missing, expected, "{report:?}");
        let (found, text) = message(&report, PATH);
        assert_eq!(found == ReportStatus::Passed, expected.is_empty(), "{text}");
    }
}
