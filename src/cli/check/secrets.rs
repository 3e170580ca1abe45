//! Looks at the secrets of a configuration: whether they are there, can be read, and have the form that their use
//! needs.

use std::collections::BTreeMap;

use tokio::task::JoinSet;

use crate::daemon::Assembly;
use crate::domain::SecretRef;
use crate::input::{Fault, Reference};
use crate::secrets::{self, SecretError};
use crate::webhook::{HeartbeatSender, Sender};

/// Number of secrets that are read at the same time.
const READS_MAX: usize = 32;

/// Problems of secrets, and those that cannot be seen from here.
#[derive(Debug, Default)]
pub(in crate::cli) struct Looked {
    /// Secrets that cannot be used.
    pub(in crate::cli) problems: Vec<Fault>,
    /// Secrets that cannot be seen from here, though the service may see them.
    pub(in crate::cli) warnings: Vec<Fault>,
}

/// Reads every secret that `assembly` refers to, and opens the keys and certificates among them.
pub(super) async fn look(assembly: &Assembly) -> Looked {
    let mut looked = Looked::default();
    let failed = unreadable(&assembly.references).await;
    let mut unseen = Vec::new();
    for reference in &assembly.references {
        match failed.get(&key(&reference.secret)) {
            None => {}
            Some(SecretError::NoCredentials { name, line }) => {
                match secrets::unknown_credential(name) {
                    Some(problem) => looked.problems.push(fault(reference, problem)),
                    None => unseen.push((name.as_str(), line.as_str())),
                }
            }
            Some(error @ SecretError::Env(_)) => {
                let message = format!("{error} here; the service may have it");
                looked.warnings.push(fault(reference, message));
            }
            Some(error @ (SecretError::File { .. } | SecretError::Empty(_))) => {
                looked.problems.push(fault(reference, error.to_string()));
            }
        }
    }
    looked.warnings.extend(unseen_credentials(&unseen));
    looked.problems.extend(unusable(assembly).await);
    looked
}

/// Returns the same text for references to the same secret.
fn key(secret: &SecretRef) -> String {
    format!("{secret:?}")
}

fn fault(reference: &Reference, message: String) -> Fault {
    let Reference { origin, path, secret: _ } = reference;
    Fault { origin: origin.clone(), path: path.clone(), message }
}

/// Returns the errors of the secrets that cannot be read, each of which is read once.
async fn unreadable(references: &[Reference]) -> BTreeMap<String, SecretError> {
    let mut secrets: BTreeMap<String, SecretRef> =
        references.iter().map(|one| (key(&one.secret), one.secret.clone())).collect();
    let (mut failed, mut reads) = (BTreeMap::new(), JoinSet::new());
    loop {
        while reads.len() < READS_MAX
            && let Some((key, secret)) = secrets.pop_first()
        {
            reads.spawn(async move { (key, secrets::resolve(&secret).await.err()) });
        }
        match reads.join_next().await {
            Some(Ok((key, Some(error)))) => drop(failed.insert(key, error)),
            Some(Ok((_, None)) | Err(_)) => {}
            None => return failed,
        }
    }
}

/// Returns one warning for all credentials that only the service can read, with the line that has them.
fn unseen_credentials(unseen: &[(&str, &str)]) -> Option<Fault> {
    let (_, line) = unseen.first()?;
    let mut names: Vec<_> = unseen.iter().map(|(name, _)| *name).collect();
    names.sort_unstable();
    names.dedup();
    let message = format!(
        "{} can be read by the service alone; to look at them, run this as `{line}`",
        names.join(", ")
    );
    Some(Fault { origin: "credentials".to_owned(), path: String::new(), message })
}

/// Returns the secrets that can be read and have another form than their use needs.
async fn unusable(assembly: &Assembly) -> Vec<Fault> {
    let served = crate::http::examine(&assembly.settings.http).await.into_iter();
    let of = |(path, message)| Fault { origin: "configuration".to_owned(), path, message };
    let mut found: Vec<_> = served.map(of).collect();
    for receiver in &assembly.receivers {
        let origin = format!("receiver {}", receiver.name);
        let problems = match Sender::new(receiver.clone()) {
            Ok(sender) => sender.examine().await,
            Err(error) => vec![format!("{:#}", anyhow::Error::new(error))],
        };
        let of = |message| Fault { origin: origin.clone(), path: String::new(), message };
        found.extend(problems.into_iter().map(of));
    }
    if let Some(heartbeat) = &assembly.heartbeat {
        let problems = match HeartbeatSender::new(heartbeat.clone()) {
            Ok(sender) => sender.examine().await,
            Err(error) => vec![format!("{:#}", anyhow::Error::new(error))],
        };
        found.extend(problems.into_iter().map(|problem| of(("heartbeat".to_owned(), problem))));
    }
    for (name, one) in &assembly.integrations {
        let origin = format!("integration {name}");
        let of = |(path, message)| Fault { origin: origin.clone(), path, message };
        found.extend(one.validator.examine().await.into_iter().map(of));
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::daemon;

    /// Looks at the secrets of a configuration in a folder with these files.
    async fn looked(main: &str, files: &[(&str, &str)]) -> (Vec<String>, Vec<String>) {
        let folder = tempfile::tempdir().unwrap();
        for (name, text) in files {
            std::fs::write(folder.path().join(name), text).unwrap();
        }
        let path = folder.path().join("main.toml");
        let place = folder.path().display().to_string();
        std::fs::write(&path, main.replace("DIR", &place)).unwrap();
        let looked = look(&daemon::open(Some(&path)).unwrap()).await;
        let texts = |faults: Vec<Fault>| {
            let text = |fault: Fault| fault.to_string().replace(&format!("{place}/"), "");
            faults.into_iter().map(text).collect()
        };
        (texts(looked.problems), texts(looked.warnings))
    }

    const RECEIVER: &str = "[[receiver]]\nname = \"r\"\nurl = \"https://hooks.example.com/\"\n\
        secrets = [{ file = \"DIR/secret\" }]\n";

    #[tokio::test]
    async fn malformed_hash_and_certificate_are_found_without_being_shown() {
        let main = "[http]\ntls = { certificate = \"DIR/c\", key = { file = \"DIR/k\" } }\n\
                    [[http.token]]\nname = \"a\"\nscope = \"read\"\nhash = { file = \"DIR/hash\" }\n";
        let files = [("c", "hunter2"), ("k", "hunter2"), ("hash", "rvt_hunter2")];
        let (problems, _) = looked(main, &files).await;
        let expected = [
            "configuration: http.token[0].hash: it is not `sha256:` and 64 hexadecimal digits",
            "configuration: http.tls: `tls.certificate` is not in PEM form",
        ];
        assert_eq!(problems, expected);
        let (problems, _) = looked(main, &files[1..2]).await;
        assert_eq!(problems.len(), 2, "what is missing is found once: {problems:?}");
    }

    #[tokio::test]
    async fn missing_empty_and_malformed_secrets_are_found_with_their_places() {
        let good = ("secret", "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw\n");
        assert_eq!(looked(RECEIVER, &[good]).await, (vec![], vec![]));
        let (problems, _) = looked(RECEIVER, &[]).await;
        let expected = "main.toml:4: receiver[0].secrets[0]: secret file secret cannot be read: \
                        No such file or directory (os error 2)";
        assert_eq!(problems, [expected]);
        let (problems, _) = looked(RECEIVER, &[("secret", "\n")]).await;
        assert_eq!(
            problems,
            ["main.toml:4: receiver[0].secrets[0]: the secret in secret is empty"]
        );
        let (problems, _) = looked(RECEIVER, &[("secret", "hunter2")]).await;
        assert_eq!(problems.len(), 1, "{problems:?}");
        assert!(problems[0].contains("a webhook secret begins with `whsec_`"), "{problems:?}");
        assert!(!problems[0].contains("hunter2"));
    }

    #[tokio::test]
    async fn url_of_the_heartbeat_is_looked_at_without_being_shown() {
        let main = "[heartbeat]\nurl = { file = \"DIR/url\" }\n";
        assert_eq!(looked(main, &[("url", "https://hc.example.com/t0ken")]).await.0, [""; 0]);
        let expected =
            ["configuration: heartbeat: not sent, since the URL in file url must begin with \
                         https://, unless `allow` names hc.example.com"];
        assert_eq!(looked(main, &[("url", "http://hc.example.com/t0ken")]).await.0, expected);
        let (problems, _) = looked(main, &[]).await;
        assert_eq!(problems.len(), 1, "what is missing is found once: {problems:?}");
    }

    #[tokio::test]
    async fn credentials_of_a_receiver_are_opened() {
        let secret = ("secret", "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw\n");
        let own = rcgen::generate_simple_self_signed(["a.example".to_owned()]).unwrap();
        let other = rcgen::generate_simple_self_signed(["a.example".to_owned()]).unwrap();
        let (chain, key) = (own.cert.pem(), own.signing_key.serialize_pem());
        let tls = "tls = { certificate = \"DIR/own.pem\", key = \"DIR/own.key\" }\n";
        let with = |rest: &str| format!("{RECEIVER}{rest}");
        let files = [secret, ("own.pem", &chain), ("own.key", &key)];
        assert_eq!(looked(&with(tls), &files).await.0, [""; 0]);
        let mismatched = other.signing_key.serialize_pem();
        let bearer = "bearer = { file = \"DIR/token\" }\n";
        let table = [
            (tls, ("own.key", mismatched.as_str()), "TLS cannot be set up"),
            (tls, ("own.key", "hunter2"), "its key is not in PEM form"),
            (tls, ("own.pem", "hunter2"), "it is not in PEM form"),
            (bearer, ("token", "hunter2\nhunter2"), "the header `authorization` cannot hold"),
        ];
        for (rest, file, expected) in table {
            let (problems, _) = looked(&with(rest), &[&files[..], &[file]].concat()).await;
            assert_eq!(problems.len(), 1, "{expected}: {problems:?}");
            assert!(problems[0].contains(expected), "{expected}: {problems:?}");
            assert!(!problems[0].contains("hunter2"), "{problems:?}");
        }
        let (problems, _) = looked(&with("ca_file = \"DIR/none.pem\"\n"), &files).await;
        assert!(problems[0].contains("none.pem cannot be read"), "{problems:?}");
    }

    #[tokio::test]
    async fn secrets_that_only_the_service_sees_are_warnings() {
        let main = "[[receiver]]\nname = \"r\"\nurl = { credential = \"hook-url\" }\n\
            secrets = [{ env = \"REVALIDATED_NO_SUCH\" }]\nbearer = { credential = \"hook-token\" }\n";
        let (problems, warnings) = looked(main, &[]).await;
        assert_eq!(problems, [""; 0]);
        assert!(warnings[0].contains("is not set here; the service may have it"), "{warnings:?}");
        assert!(
            warnings[1].starts_with("credentials: hook-token, hook-url can be read by the service")
        );
    }

    #[tokio::test]
    async fn private_key_of_an_integration_is_opened() {
        let key = rcgen::KeyPair::generate().unwrap().serialize_pem();
        let main = "[[integration]]\nname = \"sf\"\ntype = \"Snowflake\"\nautoBootstrap = false\n\
            [integration.config]\nhost = \"org-acct.snowflakecomputing.com\"\nwarehouse = \"W\"\n\
            database = \"D\"\nrole = \"R\"\nauthenticationType = \"keyPair\"\nusername = \"U\"\n\
            [integration.config.privateKey]\nkeyName = \"PRIV_KEY_FILE\"\nuserFilename = \"k\"\n\
            content = { file = \"DIR/key\" }\n";
        assert_eq!(looked(main, &[("key", &key)]).await, (vec![], vec![]));
        let escaped = key.replace('\n', "\\n");
        assert_eq!(looked(main, &[("key", &escaped)]).await.0, [""; 0], "as it was pasted");
        for file in ["hunter2", &key[..key.len() / 2]] {
            let (problems, _) = looked(main, &[("key", file)]).await;
            assert_eq!(problems.len(), 1, "{problems:?}");
            let expected =
                "integration sf: config.privateKey.content: The private key cannot be used";
            assert!(problems[0].starts_with(expected), "{problems:?}");
            assert!(!problems[0].contains("hunter2"), "{problems:?}");
        }
        let (problems, _) = looked(main, &[]).await;
        assert_eq!(problems.len(), 1, "it is named once: {problems:?}");
    }
}
