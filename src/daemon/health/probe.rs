//! Connection probe: whether any of several hosts can be reached.

use std::time::Duration;

use tokio::task::JoinSet;
use tokio::time::timeout;

use crate::net::tcp;

/// Time limit of a connection to one host.
const CANARY_WAIT: Duration = Duration::from_secs(3);

/// Returns true when one of `hosts` takes a connection.
pub(super) async fn any_answers(hosts: &[String]) -> bool {
    let mut attempts = JoinSet::new();
    for host in hosts {
        let (host, port) = match host.rsplit_once(':') {
            Some((name, port)) => (name.to_owned(), port.parse().unwrap_or(443)),
            None => (host.clone(), 443),
        };
        attempts.spawn(async move {
            let host = host.trim_matches(['[', ']']).to_owned();
            timeout(CANARY_WAIT, tcp::connect(&host, port)).await.is_ok_and(|found| found.is_ok())
        });
    }
    while let Some(attempt) = attempts.join_next().await {
        if attempt.is_ok_and(|answers| answers) {
            return true;
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_host_answers_when_it_takes_a_connection() {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let open = listener.local_addr().unwrap().to_string();
        assert!(any_answers(&["127.0.0.1:1".to_owned(), open.clone()]).await);
        drop(listener);
        assert!(!any_answers(&["127.0.0.1:1".to_owned(), open]).await);
        assert!(!any_answers(&[]).await);
    }
}
