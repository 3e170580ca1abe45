//! Tape of a run: what it asked and was answered, or the world that it is replayed in.
//!
//! A run is one task, and a task-local holds its tape, as in `observe`, so that no client or session has
//! to hand it on. `record` puts it there; whatever reaches out of the process looks at it here.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use http::HeaderMap;
use tokio::task_local;

use crate::domain::Class;

/// Most exchanges of one recording.
const EXCHANGES_MAX: usize = 1000;
/// Method of questions to database servers.
pub(crate) const SQL: &str = "SQL";
/// Most bytes of bodies and files of one recording.
const BYTES_MAX: usize = 16 * 1024 * 1024;

task_local! {
    static TAPE: Tape;
}

/// Request as its name is found by.
#[derive(Clone, Copy)]
pub(crate) struct Asked<'a> {
    /// Method, such as `GET`.
    pub(crate) method: &'a str,
    /// Path and query of the request.
    pub(crate) target: &'a str,
    /// Body, which may hold secrets.
    pub(crate) body: &'a str,
}

/// Outcome of one exchange. It may hold secrets.
#[derive(Clone)]
pub(crate) enum Outcome {
    /// The answer was not waited for any longer.
    Silence,
    /// There was no whole answer.
    NoAnswer {
        /// Error class of the failure.
        class: Class,
        /// Reason in one line.
        detail: String,
    },
    /// A whole answer came.
    Answer {
        /// Status code of the answer.
        status: u16,
        /// Headers as they were sent.
        headers: HeaderMap,
        /// Body as it was sent.
        body: Vec<u8>,
    },
    /// A database server answered in a protocol of its own, or failed.
    Sql(SqlAnswer),
}

/// Answer of a database server. It may hold secrets.
#[derive(Clone, Debug)]
pub(crate) struct SqlAnswer {
    /// Kind of the answer.
    pub(crate) said: Sql,
    /// Parts of the answer by their names, such as the number of an error.
    pub(crate) fields: Vec<(&'static str, String)>,
    /// Words of an error or of a failure.
    pub(crate) text: String,
}

/// Kinds of answers of database servers.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Sql {
    /// The user is logged in.
    LoggedIn,
    /// The log-in continues at another address.
    Redirected,
    /// The statement found a row, or none.
    Rows,
    /// The server refuses the log-in or the statement.
    Error,
    /// There was no answer of the protocol, for a failure of this class.
    Fault(Class),
}

/// Exchange as it is recorded.
pub(crate) struct Exchange {
    /// Name of the request.
    pub(crate) operation: String,
    /// Outcome of the request.
    pub(crate) outcome: Outcome,
}

/// Recording of one run. Answers, variables and files may hold secrets.
#[derive(Default)]
pub(crate) struct Recording {
    /// Exchanges in the order in which they began.
    pub(crate) exchanges: Vec<Exchange>,
    /// Environment variables that were read, with their values.
    pub(crate) variables: HashMap<String, String>,
    /// Files of credentials that were read, with their content.
    pub(crate) files: Vec<(String, Vec<u8>)>,
    /// The run was larger than a recording may be.
    pub(crate) is_cut: bool,
    bytes: usize,
}

/// Names the requests of a run.
pub(crate) type Namer = Box<dyn Fn(Asked<'_>) -> String + Send + Sync>;

/// World of a replay.
pub(crate) struct World {
    /// Address of the server on this machine that answers everything over HTTP.
    pub(crate) server: SocketAddr,
    /// Address of the one that answers in place of database servers.
    pub(crate) database: SocketAddr,
    /// Environment variables in place of those of the process.
    pub(crate) variables: HashMap<String, String>,
    /// Folder in place of the user's own.
    pub(crate) home: PathBuf,
}

/// Tape that a run is on.
#[derive(Clone)]
pub(super) enum Tape {
    /// The run is recorded.
    Recording(Arc<Recorder>),
    /// The run is replayed.
    Replaying(Arc<World>),
}

/// Recorder of one run.
pub(super) struct Recorder {
    name: Namer,
    recording: Mutex<Recording>,
}

/// Runs `work` on `tape`.
pub(super) fn on<T>(tape: Tape, work: impl Future<Output = T>) -> impl Future<Output = T> {
    TAPE.scope(tape, work)
}

/// Returns the tape of this task.
pub(super) fn tape() -> Option<Tape> {
    TAPE.try_with(Clone::clone).ok()
}

/// Returns `work` with the tape of this task, for a task of its own.
pub(super) fn carried<T>(work: impl Future<Output = T>) -> impl Future<Output = T> {
    let tape = tape();
    async move {
        match tape {
            Some(tape) => TAPE.scope(tape, work).await,
            None => work.await,
        }
    }
}

/// Returns the server that every connection goes to in a replay.
pub(super) fn replay_server() -> Option<SocketAddr> {
    match tape()? {
        Tape::Recording(_) => None,
        Tape::Replaying(world) => Some(world.server),
    }
}

/// Returns the server that connections to databases and their proxies go to in a replay.
pub(super) fn replay_database() -> Option<SocketAddr> {
    match tape()? {
        Tape::Recording(_) => None,
        Tape::Replaying(world) => Some(world.database),
    }
}

/// True when the run is replayed, where no connection has TLS.
pub(crate) fn is_replayed() -> bool {
    replay_server().is_some()
}

/// Question to a database server, whose answer is recorded where the run is.
pub(crate) struct Question(Option<(Arc<Recorder>, usize)>);

/// Begins a question to a database server: a log-in, or a statement with its text.
pub(crate) fn question(text: &str) -> Question {
    let Some(Tape::Recording(recorder)) = tape() else { return Question(None) };
    let place = recorder.begin(Asked { method: SQL, target: text, body: "" });
    Question(Some((recorder, place)))
}

impl Question {
    /// Records the outcome; without one it is silence.
    pub(crate) fn end(self, outcome: impl FnOnce() -> Outcome) {
        if let Some((recorder, place)) = self.0 {
            recorder.end(place, outcome());
        }
    }
}

/// Returns the environment variables of the run: those of the process, which are recorded, or those of a
/// replay.
pub(crate) fn variables(
    process: impl FnOnce() -> HashMap<String, String>,
) -> HashMap<String, String> {
    match tape() {
        None => process(),
        Some(Tape::Recording(recorder)) => {
            let found = process();
            recorder.change(|recording| recording.variables.extend(found.clone()));
            found
        }
        Some(Tape::Replaying(world)) => world.variables.clone(),
    }
}

/// Returns the folder of the user, or that of a replay.
pub(crate) fn home(own: impl FnOnce() -> Option<PathBuf>) -> Option<PathBuf> {
    match tape() {
        None | Some(Tape::Recording(_)) => own(),
        Some(Tape::Replaying(world)) => Some(world.home.clone()),
    }
}

/// Records a file of credentials that was read.
pub(crate) fn file(path: &str, content: &[u8]) {
    let Some(Tape::Recording(recorder)) = tape() else { return };
    recorder.change(|recording| {
        let is_known = recording.files.iter().any(|(known, _)| known == path);
        if !is_known && recording.fits(content.len()) {
            recording.files.push((path.to_owned(), content.to_vec()));
        }
    });
}

impl Recorder {
    /// Returns a recorder that names requests by `name`.
    pub(super) fn new(name: Namer) -> Self {
        Self { name, recording: Mutex::default() }
    }

    /// Returns what was recorded.
    pub(super) fn take(&self) -> Recording {
        self.change(std::mem::take)
    }

    fn change<T>(&self, change: impl FnOnce(&mut Recording) -> T) -> T {
        change(&mut self.recording.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Records that a request is sent, and returns its place.
    pub(super) fn begin(&self, asked: Asked<'_>) -> usize {
        let operation = (self.name)(asked);
        self.change(|recording| {
            let place = recording.exchanges.len();
            if place < EXCHANGES_MAX {
                recording.exchanges.push(Exchange { operation, outcome: Outcome::Silence });
            } else {
                recording.is_cut = true;
            }
            place
        })
    }

    /// Records the outcome of the request at `place`.
    pub(super) fn end(&self, place: usize, outcome: Outcome) {
        self.change(|recording| {
            let bytes = match &outcome {
                Outcome::Silence | Outcome::NoAnswer { .. } => 0,
                Outcome::Answer { body, .. } => body.len(),
                Outcome::Sql(SqlAnswer { text, .. }) => text.len(),
            };
            if !recording.fits(bytes) {
                return;
            }
            if let Some(exchange) = recording.exchanges.get_mut(place) {
                exchange.outcome = outcome;
            }
        });
    }
}

impl Recording {
    /// Counts `bytes`; false when they are too many.
    fn fits(&mut self, bytes: usize) -> bool {
        self.bytes = self.bytes.saturating_add(bytes);
        self.is_cut |= BYTES_MAX < self.bytes;
        !self.is_cut
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn recorder() -> Arc<Recorder> {
        Arc::new(Recorder::new(Box::new(|asked| format!("{} {}", asked.method, asked.target))))
    }

    fn asked(target: &str) -> Asked<'_> {
        Asked { method: "GET", target, body: "" }
    }

    #[test]
    fn request_without_an_outcome_is_silence() {
        let recorder = recorder();
        let first = recorder.begin(asked("/a"));
        recorder.begin(asked("/b"));
        let none = || Outcome::NoAnswer { class: Class::Unreachable, detail: "no".to_owned() };
        recorder.end(first, none());
        recorder.end(99, none());
        let Recording { exchanges, is_cut, .. } = recorder.take();
        let names: Vec<_> = exchanges.iter().map(|one| one.operation.as_str()).collect();
        assert_eq!((names, is_cut), (vec!["GET /a", "GET /b"], false));
        assert!(matches!(exchanges[0].outcome, Outcome::NoAnswer { .. }));
        assert!(matches!(exchanges[1].outcome, Outcome::Silence));
    }

    #[test]
    fn recording_is_bounded_in_exchanges_and_bytes() {
        let recorder = recorder();
        for _ in 0..=EXCHANGES_MAX {
            recorder.begin(asked("/"));
        }
        let found = recorder.take();
        assert_eq!((found.exchanges.len(), found.is_cut), (EXCHANGES_MAX, true));
        let answer = |length| Outcome::Answer {
            status: 200,
            headers: HeaderMap::new(),
            body: vec![0; length],
        };
        for (length, is_cut) in [(BYTES_MAX, false), (1, true)] {
            let place = recorder.begin(asked("/"));
            recorder.end(place, answer(length));
            assert_eq!(recorder.change(|recording| recording.is_cut), is_cut, "{length}");
        }
    }

    #[tokio::test]
    async fn question_to_a_database_is_recorded_under_the_name_of_its_text() {
        let answer = |text: &str| SqlAnswer {
            said: Sql::Error,
            fields: vec![("number", "7".to_owned())],
            text: text.to_owned(),
        };
        // Nothing is kept of a run that is not recorded.
        question("SELECT 1").end(|| unreachable!());
        let recorder = recorder();
        on(Tape::Recording(Arc::clone(&recorder)), async {
            assert_eq!((is_replayed(), replay_database()), (false, None));
            question("SELECT 1").end(|| Outcome::Sql(answer("no")));
            drop(question("SELECT 2"));
        })
        .await;
        let found = recorder.take().exchanges;
        let names: Vec<_> = found.iter().map(|one| one.operation.as_str()).collect();
        assert_eq!(names, ["SQL SELECT 1", "SQL SELECT 2"]);
        assert!(matches!(&found[0].outcome, Outcome::Sql(said) if said.text == "no"));
        assert!(matches!(found[1].outcome, Outcome::Silence));
    }

    #[tokio::test]
    async fn variables_and_files_are_those_of_the_tape() {
        let own = || HashMap::from([("A".to_owned(), "1".to_owned())]);
        assert_eq!(variables(own), own());
        let recorder = recorder();
        on(Tape::Recording(Arc::clone(&recorder)), async {
            assert_eq!(variables(own), own());
            assert_eq!((home(|| None), replay_server()), (None, None));
            file("/a", b"x");
            file("/a", b"y");
        })
        .await;
        file("/b", b"z");
        let found = recorder.take();
        assert_eq!((found.variables, found.files), (own(), vec![("/a".to_owned(), b"x".to_vec())]));
        let server = "127.0.0.1:9".parse().unwrap();
        let database = "127.0.0.1:8".parse().unwrap();
        let world = World { server, database, variables: HashMap::new(), home: "/home".into() };
        on(Tape::Replaying(Arc::new(world)), async {
            assert!(variables(own).is_empty());
            assert_eq!((home(|| None), replay_server()), (Some("/home".into()), Some(server)));
            assert_eq!((replay_database(), is_replayed()), (Some(database), true));
            let other = tokio::spawn(carried(async { replay_server() }));
            assert_eq!(other.await.unwrap(), Some(server));
            assert_eq!(tokio::spawn(async { replay_server() }).await.unwrap(), None);
        })
        .await;
    }
}
