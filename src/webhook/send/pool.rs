//! Connection pool of one receiver, with bounds on what a kept connection may cost.
//!
//! A server may close a connection in the moment in which the next request goes out on it. That is no
//! failure of the receiver, so such a request is repeated once, at once, on a new connection. And a
//! connection outlives a change of the receiver's address for as long as it is used, so all of them are
//! replaced every half a minute.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use reqwest::{Client, RequestBuilder, Response};
use tokio::time::Instant;

use super::access::Way;
use crate::net::http::{self, Connections, HttpError, HttpOptions, Proxy};

/// Time after which connections are replaced.
const AGE_MAX: Duration = Duration::from_secs(30);

/// Connections to one receiver.
#[derive(Debug)]
pub(super) struct Pool {
    options: HttpOptions,
    kept: Mutex<Kept>,
}

/// Client with its age.
#[derive(Clone, Debug)]
struct Kept {
    client: Client,
    /// Credentials that it was made with.
    way: Way,
    since: Instant,
    /// An answer has come, so that there may be a connection that is used again.
    has_answered: Arc<AtomicBool>,
}

impl Kept {
    fn new(client: Client, way: Way) -> Self {
        Self { client, way, since: Instant::now(), has_answered: Arc::default() }
    }
}

impl Pool {
    /// Creates a pool without connections.
    ///
    /// # Errors
    ///
    /// Fails when the client cannot be built.
    pub(super) fn new(options: HttpOptions) -> Result<Self, HttpError> {
        let kept = Mutex::new(Kept::new(http::client(&options)?, Way::default()));
        Ok(Self { options, kept })
    }

    /// Sends the request that `build` makes, and once more on a new connection when a kept one was closed.
    /// Connections that were made with other credentials than those of `way` are replaced.
    ///
    /// # Errors
    ///
    /// Fails when the credentials cannot be used; the inner error is for want of an answer.
    pub(super) async fn send(
        &self,
        build: impl Fn(&Client) -> RequestBuilder,
        way: &Way,
    ) -> Result<Result<Response, reqwest::Error>, HttpError> {
        let mut kept = self.kept();
        if !kept.way.is(way) {
            kept = self.made(way).await?;
        } else if AGE_MAX <= kept.since.elapsed() {
            kept = self.renewed(kept).await;
        }
        let sent = build(&kept.client).send().await;
        let is_reused = kept.has_answered.load(Ordering::Relaxed);
        let sent = match sent {
            Err(error) if is_reused && !error.is_timeout() && !error.is_connect() => {
                kept = self.renewed(kept).await;
                build(&kept.client).send().await
            }
            sent => sent,
        };
        if sent.is_ok() {
            kept.has_answered.store(true, Ordering::Relaxed);
        }
        Ok(sent)
    }

    /// Checks that connections can be made with the credentials of `way`.
    ///
    /// # Errors
    ///
    /// Fails when they cannot be used.
    pub(super) async fn examine(&self, way: &Way) -> Result<(), HttpError> {
        self.made(way).await.map(|_kept| ())
    }

    fn kept(&self) -> Kept {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Replaces the connections; if no client can be built, `former` goes on.
    async fn renewed(&self, former: Kept) -> Kept {
        self.made(&former.way).await.unwrap_or(former)
    }

    /// Replaces the connections by those with the credentials of `way`.
    async fn made(&self, way: &Way) -> Result<Kept, HttpError> {
        let Way { proxy: credentials, identity } = way.clone();
        let proxy = self.options.proxy.clone().map(|proxy| Proxy { credentials, ..proxy });
        let options = HttpOptions { proxy, identity, ..self.options.clone() };
        let made = Connections::read(&options).await?;
        let fresh = Kept::new(made.into_client(), way.clone());
        *self.kept.lock().unwrap_or_else(PoisonError::into_inner) = fresh.clone();
        Ok(fresh)
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::net::TcpListener;

    use super::*;

    /// Answers the first `answers` requests of each connection, and reads the next one without an answer.
    async fn closing_after(answers: usize) -> (String, Arc<Mutex<Vec<usize>>>) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/", listener.local_addr().unwrap());
        let requests = Arc::new(Mutex::new(Vec::new()));
        let seen = Arc::clone(&requests);
        tokio::spawn(async move {
            for connection in 0.. {
                let (mut stream, _) = listener.accept().await.unwrap();
                let seen = Arc::clone(&seen);
                tokio::spawn(async move {
                    for number in 0..=answers {
                        let mut bytes = [0; 4096];
                        if stream.read(&mut bytes).await.unwrap() == 0 {
                            return;
                        }
                        seen.lock().unwrap().push(connection);
                        if number < answers {
                            let answer = b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n";
                            stream.write_all(answer).await.unwrap();
                        }
                    }
                });
            }
        });
        (url, requests)
    }

    async fn post(pool: &Pool, url: &str) -> bool {
        let way = Way::default();
        let answer = pool.send(|client| client.post(url).body("x"), &way).await.unwrap();
        answer.is_ok_and(|answer| answer.status().is_success())
    }

    #[tokio::test]
    async fn request_on_a_connection_that_was_just_closed_is_repeated_once_on_a_new_one() {
        let (url, requests) = closing_after(1).await;
        let pool = Pool::new(HttpOptions::default()).unwrap();
        for _ in 0..3 {
            assert!(post(&pool, &url).await);
        }
        assert_eq!(*requests.lock().unwrap(), [0, 0, 1, 1, 2]);
    }

    #[tokio::test]
    async fn request_on_a_new_connection_is_not_repeated() {
        let (url, requests) = closing_after(0).await;
        let pool = Pool::new(HttpOptions::default()).unwrap();
        assert!(!post(&pool, &url).await);
        assert_eq!(*requests.lock().unwrap(), [0]);
    }

    #[tokio::test]
    async fn connections_are_replaced_within_a_minute() {
        let (url, requests) = closing_after(9).await;
        let pool = Pool::new(HttpOptions::default()).unwrap();
        assert!(post(&pool, &url).await && post(&pool, &url).await);
        tokio::time::pause();
        tokio::time::advance(AGE_MAX).await;
        tokio::time::resume();
        assert!(post(&pool, &url).await);
        assert_eq!(*requests.lock().unwrap(), [0, 0, 1]);
    }
}
