//! Failures to open a session, and the time until they are reported.

use super::*;
use crate::platforms::testing::StandIn;

#[tokio::test]
async fn tls_is_verified_and_never_left_out() {
    let server = Server::shared();
    let key = rcgen::KeyPair::generate().unwrap();
    let stranger = rcgen::CertificateParams::default().self_signed(&key).unwrap();
    let other_ca = server.dir.path().join("other-ca.pem");
    fs::write(&other_ca, stranger.pem()).unwrap();
    let cases = [
        (
            json!({"tls": {"caFile": other_ca}}),
            "Error performing TLS handshake: invalid peer certificate: UnknownIssuer",
        ),
        (
            json!({"tls": {"caFile": server.ca, "serverName": "redshift.example.com"}}),
            "Error performing TLS handshake: invalid peer certificate: certificate not valid for \
            name \"redshift.example.com\"; certificate is only valid for DnsName(\"localhost\") or \
            IpAddress(127.0.0.1)",
        ),
        (
            json!({"tls": {}}),
            "Error performing TLS handshake: invalid peer certificate: UnknownIssuer",
        ),
    ];
    for (changes, detail) in cases {
        assert_refused(&recurring(&*server.redshift(changes)).await, Class::Invalid, detail);
    }
    let named = json!({"tls": {"caFile": server.ca, "serverName": "localhost"}});
    assert_eq!(lines(&recurring(&*server.redshift(named)).await)[0], PASSED);

    let plain = Server::start(&["--no-tls"]);
    let report = recurring(&*plain.redshift(json!({}))).await;
    let detail = "Error performing TLS handshake: server does not support TLS";
    assert_refused(&report, Class::Invalid, detail);
}

#[tokio::test]
async fn connections_go_through_the_proxy_with_its_credentials() {
    let (server, proxy) = (Server::shared(), StandIn::start("proxy"));
    let through = |url: &str, password: &str| {
        let proxy = json!({
            "url": url, "username": proxy.value("username"), "password": password,
        });
        server.redshift(json!({ "proxy": proxy }))
    };
    let (url, password) = (proxy.value("url"), proxy.value("password"));
    assert_eq!(lines(&recurring(&*through(url, password)).await)[0], PASSED);
    let denied = recurring(&*through(url, "hunter2-wrong")).await;
    assert_refused(&denied, Class::Denied, "The proxy does not accept the user or the password");
    let nowhere = recurring(&*through("http://127.0.0.1:1", password)).await;
    let detail = "The proxy 127.0.0.1:1 cannot be reached: Connection refused (os error 111)";
    assert_refused(&nowhere, Class::Unreachable, detail);
}

#[tokio::test]
async fn unreadable_file_is_a_local_fault() {
    let dir = tempfile::tempdir().unwrap();
    let ca = dir.path().join("ca.pem");
    let password = dir.path().join("password");
    let shown = (ca.display().to_string(), password.display().to_string());
    let changes = json!({"password": {"file": password}});
    let report = recurring(&*redshift(1, &ca, changes.clone())).await;
    let detail =
        format!("Secret file {} cannot be read: No such file or directory (os error 2)", shown.1);
    assert_refused(&report, Class::Local, &detail);
    fs::write(&password, "pw-scram\n").unwrap();
    fs::write(&ca, "").unwrap();
    let report = recurring(&*redshift(1, &ca, changes)).await;
    let detail =
        format!("Certificate authorities in {} cannot be read: it holds no certificate", shown.0);
    assert_refused(&report, Class::Local, &detail);
}

#[tokio::test]
async fn a_rotated_password_file_needs_no_new_validator() {
    let server = Server::shared();
    let file = server.dir.path().join("rotated");
    let validator = server.redshift(json!({"password": {"file": file}}));
    fs::write(&file, "pw-old").unwrap();
    let detail = "[28P01] password authentication failed for user \"u_scram\"";
    assert_refused(&recurring(&*validator).await, Class::Denied, detail);
    fs::write(&file, "pw-scram\n").unwrap();
    assert_eq!(lines(&recurring(&*validator).await)[0], PASSED);
}

#[tokio::test]
async fn no_connection_and_no_answer_are_bounded() {
    let server = Server::shared();
    let closed = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap().port();
    let refused = recurring(&*redshift(closed, &server.ca, json!({}))).await;
    assert_refused(
        &refused,
        Class::Unreachable,
        "No connection: Connection refused (os error 111)",
    );

    let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = silent.local_addr().unwrap().port();
    let validator = redshift(port, &server.ca, json!({"connectTimeout": "1s"}));
    let mut context = context(Mode::Recurring);
    context.test_limit = Duration::from_secs(2);
    let start = Instant::now();
    assert_refused(
        &validator.validate(&context).await.report,
        Class::Unreachable,
        "No answer within 1s",
    );
    assert!(start.elapsed() < context.test_limit, "{:?}", start.elapsed());
}

#[tokio::test]
async fn a_cut_connection_is_tried_again_and_a_refused_password_is_not() {
    let server = Server::shared();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let cutter = tokio::spawn(async move {
        let mut cut = 0;
        loop {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut request = [0; 8];
            stream.read_exact(&mut request).await.unwrap();
            cut += 1;
            if cut == 2 {
                return cut;
            }
        }
    });
    let validator = redshift(port, &server.ca, json!({"connectTimeout": "3s"}));
    let mut context = context(Mode::Recurring);
    context.test_limit = Duration::from_secs(5);
    let report = validator.validate(&context).await.report;
    assert_eq!(report.tests[0].outcome.finding().unwrap().class, Class::Unreachable);
    assert_eq!(timeout(Duration::from_secs(5), cutter).await.unwrap().unwrap(), 2);

    let validator = server.redshift(json!({"username": "u_retry", "password": "pw-wrong"}));
    context.test_limit = Duration::from_secs(30);
    validator.validate(&context).await;
    let refusals = server
        .log()
        .into_iter()
        .filter(|line| line["state_code"] == "28P01" && line["user"] == "u_retry");
    assert_eq!(refusals.count(), 1);
}

#[tokio::test]
async fn a_refused_password_is_not_sent_by_later_runs_until_it_changes() {
    let server = Server::shared();
    let file = server.dir.path().join("remembered");
    fs::write(&file, "pw-wrong").unwrap();
    let changes = json!({"username": "u_remembered", "password": {"file": file}});
    let (first, second) = (server.redshift(changes.clone()), server.redshift(changes));
    let run = context(Mode::Recurring);
    let refusals = || {
        let log = server.log();
        let is_refusal = |line: &&serde_json::Value| {
            line["state_code"] == "28P01" && line["user"] == "u_remembered"
        };
        log.iter().filter(is_refusal).count()
    };
    let before = first.validate(&run).await;
    assert_eq!(before.report.class(), Some(Class::Denied));
    run.log_ins.stored();
    for validator in [&first, &second, &first] {
        let after = validator.validate(&run).await;
        assert_eq!(lines(&after.report), lines(&before.report));
        assert!(after.observed.is_repeat);
    }
    assert_eq!(refusals(), 1);
    fs::write(&file, "pw-wrong-too").unwrap();
    assert!(!first.validate(&run).await.observed.is_repeat);
    assert_eq!(refusals(), 2);
}
