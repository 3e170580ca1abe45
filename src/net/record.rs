//! Record and replay of exchanges at the one place where they are made (a cassette).
//!
//! While a tape records, each answer is kept under the name of its request, and the request itself is not: it has
//! the secrets. While one replays, every request goes to one server on this machine, whatever address it
//! names, and no name is resolved. The tape itself is in `tape`.

use std::sync::Arc;
use std::time::Duration;

use super::exchange::{Answer, NoAnswer};
use super::farewell;
use super::http::{Connections, HttpOptions};
use super::tape::{self, Asked, Namer, Outcome, Recorder, Recording, Tape, World};
use crate::domain::Class;

/// Header by which the server of a replay says that there was no answer: its value is the class, and the
/// body is the reason.
pub(crate) const NO_ANSWER: &str = "x-revalidated-no-answer";

/// Longest wait for one answer of a replay; the limits of the run end earlier.
const REPLAY_MAX: Duration = Duration::from_mins(15);

/// Runs `work` and records its exchanges, those of its end included.
pub(crate) async fn recorded<T>(name: Namer, work: impl Future<Output = T>) -> (T, Recording) {
    let recorder = Arc::new(Recorder::new(name));
    let value = tape::on(Tape::Recording(Arc::clone(&recorder)), work).await;
    farewell::finished().await;
    (value, recorder.take())
}

/// Runs `work` in the world of a replay.
pub(crate) async fn replayed<T>(world: World, work: impl Future<Output = T>) -> T {
    let value = tape::on(Tape::Replaying(Arc::new(world)), work).await;
    farewell::finished().await;
    value
}

impl Connections {
    /// Sends `request` and reads the answer, at most `bytes_max` of its body. This is the one way to a
    /// server of HTTP.
    ///
    /// # Errors
    ///
    /// Fails without a whole answer. A body that is too large is [`Class::Unavailable`]: what
    /// sends one is not the platform.
    pub(crate) async fn fetch(
        &self,
        request: reqwest::Request,
        bytes_max: usize,
    ) -> Result<Answer, NoAnswer> {
        match tape::tape() {
            None => self.exchanged(request, bytes_max).await,
            Some(Tape::Recording(recorder)) => {
                let place = recorder.begin(Asked {
                    method: request.method().as_str(),
                    target: &target(request.url()),
                    body: &String::from_utf8_lossy(body(&request)),
                });
                let found = self.exchanged(request, bytes_max).await;
                recorder.end(place, outcome(&found));
                found
            }
            Some(Tape::Replaying(world)) => self.replayed(&world, request, bytes_max).await,
        }
    }

    async fn replayed(
        &self,
        world: &World,
        mut request: reqwest::Request,
        bytes_max: usize,
    ) -> Result<Answer, NoAnswer> {
        let failed = |class, detail: String| NoAnswer { class, detail };
        let aimed = format!("http://{}{}", world.server, target(request.url()));
        let aimed = aimed.parse().map_err(|_shown| {
            failed(Class::Invalid, "the request is not valid: its URL cannot be used".to_owned())
        });
        *request.url_mut() = aimed?;
        let options = HttpOptions { total_timeout: REPLAY_MAX, ..HttpOptions::default() };
        let own = Self::new(&options).map_err(|error| failed(Class::Local, error.to_string()))?;
        let answer = own.redacted_by(self.redactor()).exchanged(request, bytes_max).await?;
        let Some(class) = answer.headers.get(NO_ANSWER) else { return Ok(answer) };
        let class = Class::ALL.iter().find(|known| class == known.as_str());
        let detail = String::from_utf8_lossy(&answer.body).into_owned();
        Err(failed(*class.unwrap_or(&Class::Unreachable), detail))
    }
}

fn body(request: &reqwest::Request) -> &[u8] {
    request.body().and_then(reqwest::Body::as_bytes).unwrap_or_default()
}

fn outcome(found: &Result<Answer, NoAnswer>) -> Outcome {
    match found {
        Ok(Answer { status, headers, body, redactor: _ }) => {
            Outcome::Answer { status: *status, headers: headers.clone(), body: body.clone() }
        }
        Err(NoAnswer { class, detail }) => {
            Outcome::NoAnswer { class: *class, detail: detail.clone() }
        }
    }
}

/// Returns path and query of `url`.
fn target(url: &reqwest::Url) -> String {
    let query = url.query().map(|query| format!("?{query}")).unwrap_or_default();
    format!("{}{query}", url.path())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashMap;
    use std::net::SocketAddr;

    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::net::TcpListener;

    use crate::net::exchange::request;

    /// Serves `answer`, and returns the first lines of requests on demand.
    async fn serve(answer: &'static str) -> (SocketAddr, tokio::task::JoinHandle<Vec<String>>) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let serving = tokio::spawn(async move {
            let mut lines = Vec::new();
            for _ in 0..2 {
                let (mut stream, _) = listener.accept().await.unwrap();
                let mut head = [0; 4096];
                let read = stream.read(&mut head).await.unwrap();
                let text = String::from_utf8_lossy(&head[..read]).into_owned();
                lines.push(text.lines().next().unwrap().to_owned());
                stream.write_all(answer.as_bytes()).await.unwrap();
            }
            lines
        });
        (address, serving)
    }

    fn world(server: SocketAddr) -> World {
        World { server, database: server, variables: HashMap::new(), home: "/none".into() }
    }

    async fn fetch(url: &str) -> Result<Answer, NoAnswer> {
        let built = http::Request::post(url).body(b"secret body".to_vec());
        let connections = Connections::new(&HttpOptions::default()).unwrap();
        connections.fetch(request(built)?, 1000).await
    }

    const OK: &str = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\nconnection: close\r\n\r\nok";

    #[tokio::test]
    async fn answer_is_recorded_under_the_name_of_its_request() {
        let (server, _serving) = serve(OK).await;
        let name: Namer = Box::new(|asked| {
            assert_eq!((asked.method, asked.body), ("POST", "secret body"));
            asked.target.to_owned()
        });
        let work = async {
            assert_eq!(fetch(&format!("http://{server}/a?b=c")).await.unwrap().body, b"ok");
            assert!(fetch("http://127.0.0.1:1/x").await.is_err());
        };
        let ((), Recording { exchanges, .. }) = recorded(name, work).await;
        let found: Vec<_> = exchanges.iter().map(|one| one.operation.as_str()).collect();
        assert_eq!(found, ["/a?b=c", "/x"]);
        assert!(matches!(&exchanges[0].outcome, Outcome::Answer { status: 200, .. }));
        assert!(matches!(
            &exchanges[1].outcome,
            Outcome::NoAnswer { class: Class::Unreachable, .. }
        ));
    }

    #[tokio::test]
    async fn every_request_of_a_replay_goes_to_its_server() {
        let (server, serving) = serve(OK).await;
        replayed(world(server), async {
            assert_eq!(fetch("https://platform.example/a?b=c").await.unwrap().body, b"ok");
            assert_eq!(fetch("http://169.254.169.254/token").await.unwrap().status, 200);
        })
        .await;
        let lines = serving.await.unwrap();
        assert_eq!(lines, ["POST /a?b=c HTTP/1.1", "POST /token HTTP/1.1"]);
    }

    #[tokio::test]
    async fn no_name_is_resolved_in_a_replay() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let server = listener.local_addr().unwrap();
        let connected =
            replayed(world(server), crate::net::tcp::connect("nowhere.invalid", 1)).await;
        assert_eq!(connected.unwrap().peer_addr().unwrap(), server);
    }

    #[tokio::test]
    async fn failure_of_a_replay_is_that_of_the_recording() {
        let (server, _serving) = serve(
            "HTTP/1.1 599 X\r\nx-revalidated-no-answer: throttled\r\ncontent-length: 4\r\n\
             connection: close\r\n\r\nwait",
        )
        .await;
        let failed = replayed(world(server), fetch("https://platform.example/")).await.unwrap_err();
        assert_eq!((failed.class, failed.detail.as_str()), (Class::Throttled, "wait"));
    }
}
