//! Failures to open a session, and the way through a proxy.

use super::*;

#[tokio::test(flavor = "multi_thread")]
async fn connections_go_through_the_proxy_with_its_credentials() {
    let (server, proxy) = (StandIn::start("tds"), StandIn::start("proxy"));
    let table = [
        (proxy.value("password"), ReportStatus::Passed, None, ""),
        (
            "hunter2-wrong",
            ReportStatus::Failed,
            Some(Class::Denied),
            "The proxy does not accept the user or the password",
        ),
    ];
    for (password, status, class, words) in table {
        let changes = json!({ "proxy": {
            "url": proxy.value("url"), "username": proxy.value("username"), "password": password,
        } });
        let config = config_of(server.value("all-well"), server.value("ca"), &changes);
        let report = validator(&PLATFORM, &config).validate(&context(Mode::Recurring)).await.report;
        assert_eq!((report.status(), report.class()), (status, class), "{report:?}");
        let message = report.tests[0].outcome.message().unwrap_or_default();
        assert!(message.contains(words), "{message}");
    }
}

#[tokio::test]
async fn missing_connection_differs_from_unreadable_authorities() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port().to_string();
    drop(listener);
    let table = [
        ("/no/such.pem", Class::Local, "certificate authorities in /no/such.pem cannot be read"),
        ("", Class::Unreachable, "No connection: Connection refused"),
    ];
    for (ca, class, words) in table {
        let changes = if ca.is_empty() { json!({ "tls": null }) } else { json!({}) };
        let mut run = context(Mode::Recurring);
        run.test_limit = Duration::from_secs(2);
        let report =
            validator(&PLATFORM, &config_of(&port, ca, &changes)).validate(&run).await.report;
        assert_eq!(report.class(), Some(class), "{report:?}");
        let message = report.tests[0].outcome.message().unwrap().to_lowercase();
        assert!(message.contains(&words.to_lowercase()), "{message}");
        assert_eq!(report.tests[1].outcome.status(), ReportStatus::Passed);
    }
}
