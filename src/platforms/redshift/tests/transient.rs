//! SQLSTATEs for which Npgsql tries again (`PostgresException.IsTransient`), as answers to a log-in: none may flip
//! an integration.

use tokio::io::AsyncWriteExt as _;
use tokio_rustls::TlsAcceptor;

use super::*;
use crate::platforms::testing;

const STATES: [&str; 22] = [
    "53000", "53100", "53200", "53300", "53400", "57P03", "58000", "58030", "40001", "40P01",
    "55P03", "55006", "55000", "08000", "08003", "08006", "08001", "08004", "08007", "57P01",
    "57P02", "57P05",
];

/// Starts a server that answers every log-in with an error of this state, and returns its port and its
/// authority in a file of `dir`.
async fn refusing(state: &'static str, dir: &Path) -> (u16, PathBuf) {
    let pair = rcgen::generate_simple_self_signed(["127.0.0.1".to_owned()]).unwrap();
    let ca = dir.join(format!("{state}.pem"));
    fs::write(&ca, pair.cert.pem()).unwrap();
    let key = rustls::pki_types::PrivateKeyDer::try_from(pair.signing_key.serialize_der());
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![pair.cert.der().clone()], key.unwrap())
        .unwrap();
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut wants_tls = [0; 8];
            stream.read_exact(&mut wants_tls).await.unwrap();
            stream.write_all(b"S").await.unwrap();
            let mut stream = acceptor.accept(stream).await.unwrap();
            let mut start = [0; 512];
            assert!(0 < stream.read(&mut start).await.unwrap());
            let fields = format!("SFATAL\0VFATAL\0C{state}\0Mtry again\0\0");
            let length = u32::try_from(fields.len() + 4).unwrap().to_be_bytes();
            let packet = [&b"E"[..], &length, fields.as_bytes()].concat();
            stream.write_all(&packet).await.unwrap();
            let _closed = stream.shutdown().await;
        }
    });
    (port, ca)
}

#[tokio::test]
async fn states_that_the_driver_retries_never_flip() {
    let dir = tempfile::tempdir().unwrap();
    let mut wrong = Vec::new();
    for state in STATES {
        let (port, ca) = refusing(state, dir.path()).await;
        let mut run = testing::context(Mode::Recurring);
        // There is no time to try again.
        run.test_limit = Duration::from_secs(3);
        let report = redshift(port, &ca, json!({})).validate(&run).await.report;
        let message = report.tests[0].outcome.message().unwrap_or_default();
        let is_right = report.class().is_some_and(|class| !class.is_definitive())
            && message.contains(&format!("[{state}] try again"));
        wrong.extend((!is_right).then(|| format!("{state}: {:?} {message}", report.class())));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
