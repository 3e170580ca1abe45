//! Memory of refused log-ins (negative cache, single flight): credentials that a platform refused are not sent to
//! it again while nothing has changed, because platforms lock users for that.
//!
//! It is kept in the process alone, by a digest of principal and secret, so that integrations which share them
//! share it. [`Recorder::log_in`](super::Recorder::log_in) asks it before the test that logs in. Credentials that
//! are found on the machine, such as the token of a metadata service, are not known by then: [`LogIns::found`] asks
//! it in the middle of the test. A refusal ends with a new secret, with another configuration of the integration, and
//! after a pause that grows.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use aws_lc_rs::digest::{Context, SHA256};
use tokio::sync::OwnedMutexGuard;
use tokio::time::{Instant, timeout};

use crate::domain::{Finding, SecretRef, Timestamp};
use crate::net::exchange::NoAnswer;
use crate::net::permit::Kept;
use crate::secrets;

/// Time for which a log-in that was not refused lets others with the same credentials log in at once.
const OPEN: Duration = Duration::from_secs(10);
/// Longest wait for the log-in of another integration with the same credentials.
const WAIT_MAX: Duration = Duration::from_secs(10);
/// Most credentials that are remembered; with more, those without a refusal are forgotten.
const ENTRIES_MAX: usize = 16 * 1024;
/// Pauses before a refused log-in is tried again, where none are configured; the last one repeats.
const PAUSES: [Duration; 3] =
    [Duration::from_mins(10), Duration::from_mins(30), Duration::from_hours(1)];

/// Digest of a principal, its place and its secrets.
#[derive(Clone, Copy, Eq, Hash, PartialEq)]
pub(crate) struct LogInKey([u8; 32]);

/// Never shows the digest, by which a short secret could be guessed.
impl fmt::Debug for LogInKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("LogInKey")
    }
}

impl LogInKey {
    /// Returns the key of the log-in with these names, such as platform, server and user, and secrets. There is
    /// none without a secret, and where one cannot be read, which the log-in itself reports.
    pub(crate) async fn of(names: &[&str], secrets: &[&SecretRef]) -> Option<Self> {
        if secrets.is_empty() {
            return None;
        }
        let mut digest = Digest::new();
        for name in names {
            digest.add(name);
        }
        for reference in secrets {
            digest.add(secrets::resolve_ahead(reference).await.ok()?.expose());
        }
        Some(Self(digest.end()))
    }

    /// Returns the key of a log-in with secrets that are known already.
    fn known(names: &[&str], secrets: &[&str]) -> Self {
        let mut digest = Digest::new();
        names.iter().chain(secrets).for_each(|text| digest.add(text));
        Self(digest.end())
    }
}

/// Digest of texts in order, separated by their lengths.
struct Digest(Context);

impl Digest {
    fn new() -> Self {
        Self(Context::new(&SHA256))
    }

    fn add(&mut self, text: &str) {
        self.0.update(&u64::try_from(text.len()).unwrap_or(u64::MAX).to_be_bytes());
        self.0.update(text.as_bytes());
    }

    fn end(self) -> [u8; 32] {
        let mut bytes = [0; 32];
        let digest = self.0.finish();
        for (to, from) in bytes.iter_mut().zip(digest.as_ref()) {
            *to = *from;
        }
        bytes
    }
}

/// Memory of refused log-ins, shared by all runs of a process.
#[derive(Debug, Default)]
pub(crate) struct LogInMemory(Mutex<HashMap<LogInKey, Arc<Entry>>>);

/// Memory of one log-in.
#[derive(Debug, Default)]
struct Entry {
    /// Held by the run that logs in while the others wait for its outcome.
    flight: Arc<tokio::sync::Mutex<()>>,
    known: Mutex<Known>,
}

#[derive(Debug, Default)]
struct Known {
    /// Instant until which others may log in without waiting.
    open_until: Option<Instant>,
    refusal: Option<Refusal>,
    /// Number of consecutive refusals.
    refusals: usize,
}

#[derive(Debug)]
struct Refusal {
    finding: Finding,
    at: Timestamp,
    /// Instant from which on it is tried again.
    again: Instant,
    /// Configurations that have met it, by the integration and its configuration's role.
    readers: HashMap<Arc<str>, Reader>,
}

#[derive(Debug)]
struct Reader {
    configuration: [u8; 32],
    /// True when a run that reported the refusal has been stored.
    knows: bool,
}

impl LogInMemory {
    fn entry(&self, key: LogInKey) -> Option<Arc<Entry>> {
        let mut entries = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if ENTRIES_MAX <= entries.len() && !entries.contains_key(&key) {
            entries.retain(|_, entry| 1 < Arc::strong_count(entry) || entry.is_refused());
            if ENTRIES_MAX <= entries.len() {
                return None;
            }
        }
        Some(Arc::clone(entries.entry(key).or_default()))
    }
}

impl Entry {
    fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn is_refused(&self) -> bool {
        self.known().refusal.is_some()
    }

    fn is_open(&self) -> bool {
        self.known().open_until.is_some_and(|until| Instant::now() < until)
    }

    /// Returns the refusal that still holds for the configuration of `run`.
    fn refused(&self, run: &LogIns) -> Option<Remembered> {
        let mut known = self.known();
        let holds = |refusal: &&mut Refusal| {
            let is_asked = run.asked_at.is_some_and(|at| refusal.at < at);
            Instant::now() < refusal.again && !is_asked
        };
        let refusal = known.refusal.as_mut().filter(holds)?;
        let is_known = match refusal.readers.get(&run.reader) {
            Some(reader) if reader.configuration != run.configuration => return None,
            Some(reader) => reader.knows,
            None => {
                let reader = Reader { configuration: run.configuration, knows: false };
                refusal.readers.insert(Arc::clone(&run.reader), reader);
                false
            }
        };
        let mut finding = refusal.finding.clone();
        let time = refusal.at.in_zone(jiff::tz::TimeZone::UTC);
        let time = time.get(11..16).unwrap_or(&time).to_owned();
        let note = format!("not tried again: refused at {time}, unchanged");
        finding.evidence = Some(match finding.evidence {
            Some(evidence) => format!("{note}; {evidence}"),
            None => note,
        });
        Some(Remembered { finding, is_known })
    }
}

/// Refusal that is reported without a log-in.
#[derive(Debug)]
pub(super) struct Remembered {
    /// Finding of the refused log-in, with a note in its evidence.
    pub(super) finding: Finding,
    /// True when an earlier run of the same configuration has reported it already, so that it is no new
    /// evidence.
    pub(super) is_known: bool,
}

/// Log-ins of one run.
#[derive(Clone, Debug)]
pub(crate) struct LogIns {
    memory: Arc<LogInMemory>,
    pauses: Arc<[Duration]>,
    reader: Arc<str>,
    configuration: [u8; 32],
    now: Timestamp,
    /// Instant at which a person asked for the run: refusals of runs that began before it do not hold.
    asked_at: Option<Timestamp>,
    /// Refusals that this run reported.
    reported: Arc<Mutex<Vec<Arc<Entry>>>>,
    /// Log-in with credentials that the present test found.
    found: Arc<Mutex<Option<Found>>>,
}

/// Log-in with credentials that a test found while it logged in.
#[derive(Debug)]
enum Found {
    /// They are being tried.
    Tried(LogInKey, Ticket),
    /// They are not tried, because they were refused before.
    Remembered(Remembered),
}

/// Without memory of other runs, as for a run that a person asked for.
impl Default for LogIns {
    fn default() -> Self {
        Self::of(&Arc::default(), &Arc::from(PAUSES), Timestamp(0))
    }
}

impl LogIns {
    /// Returns the log-ins of a run at `now`, of a configuration that has no name yet.
    pub(crate) fn of(memory: &Arc<LogInMemory>, pauses: &Arc<[Duration]>, now: Timestamp) -> Self {
        Self {
            memory: Arc::clone(memory),
            pauses: Arc::clone(pauses),
            reader: Arc::from(""),
            configuration: [0; 32],
            now,
            asked_at: None,
            reported: Arc::default(),
            found: Arc::default(),
        }
    }

    /// Names the configuration of the run: `reader` stays, and `text` changes with the configuration.
    #[must_use]
    pub(crate) fn by(self, reader: &str, text: &str) -> Self {
        let mut digest = Digest::new();
        digest.add(text);
        Self { reader: Arc::from(reader), configuration: digest.end(), ..self }
    }

    /// Lets refusals of runs that began before the instant at which a person asked for this run not hold:
    /// of many runs that one request is about, the first is the only one that tries.
    #[must_use]
    pub(crate) fn asked(self, at: Option<Timestamp>) -> Self {
        Self { asked_at: at, ..self }
    }

    /// Notes that the run was stored: what it reported is no new evidence from now on.
    pub(crate) fn stored(&self) {
        let reported = self.reported.lock().unwrap_or_else(PoisonError::into_inner);
        for entry in reported.iter() {
            let mut known = entry.known();
            let readers = known.refusal.as_mut().map(|refusal| &mut refusal.readers);
            if let Some(reader) = readers.and_then(|readers| readers.get_mut(&self.reader)) {
                reader.knows = true;
            }
        }
    }

    /// Returns the refusal that is remembered, or the permission to log in once it is known that no other
    /// integration is just being refused.
    pub(super) async fn begin(&self, key: Option<LogInKey>) -> Result<Ticket, Remembered> {
        let free = Ticket { run: self.clone(), entry: None, flight: None };
        let Some(entry) = key.and_then(|key| self.memory.entry(key)) else { return Ok(free) };
        let mut ticket = Ticket { entry: Some(Arc::clone(&entry)), ..free };
        self.remembered(&entry)?;
        if entry.is_open() {
            return Ok(ticket);
        }
        let flight = timeout(WAIT_MAX, Arc::clone(&entry.flight).lock_owned()).await;
        self.remembered(&entry)?;
        if !entry.is_open() {
            ticket.flight = flight.ok().map(|turn| (turn, Kept::new()));
        }
        Ok(ticket)
    }

    /// Asks for permission to send credentials that were found only now, and to which these names belong. The ones
    /// that were found before are no longer sent.
    ///
    /// # Errors
    ///
    /// The platform has refused the very same ones. The test ends with the finding of that refusal, whatever
    /// the caller makes of this.
    pub(crate) async fn found(&self, names: &[&str], secrets: &[&str]) -> Result<(), NoAnswer> {
        let key = LogInKey::known(names, secrets);
        match self.take_found() {
            Some(Found::Tried(former, ticket)) if former == key => {
                self.keep_found(Found::Tried(key, ticket));
                return Ok(());
            }
            Some(Found::Tried(_, ticket)) => ticket.end(None, false),
            Some(Found::Remembered(_)) | None => {}
        }
        match self.begin(Some(key)).await {
            Ok(ticket) => {
                self.keep_found(Found::Tried(key, ticket));
                Ok(())
            }
            Err(remembered) => {
                let class = remembered.finding.class;
                self.keep_found(Found::Remembered(remembered));
                Err(NoAnswer { class, detail: "the same credentials were refused".to_owned() })
            }
        }
    }

    /// Remembers the outcome of a test for the credentials that it found, and returns the refusal for which they
    /// were not tried.
    pub(super) fn end_found(
        &self,
        refused: Option<&Finding>,
        succeeded: bool,
    ) -> Option<Remembered> {
        match self.take_found()? {
            Found::Tried(_, ticket) => {
                ticket.end(refused, succeeded);
                None
            }
            Found::Remembered(remembered) => Some(remembered),
        }
    }

    fn take_found(&self) -> Option<Found> {
        self.found.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    fn keep_found(&self, found: Found) {
        *self.found.lock().unwrap_or_else(PoisonError::into_inner) = Some(found);
    }

    fn remembered(&self, entry: &Arc<Entry>) -> Result<(), Remembered> {
        let Some(remembered) = entry.refused(self) else { return Ok(()) };
        self.report(entry);
        Err(remembered)
    }

    fn report(&self, entry: &Arc<Entry>) {
        let mut reported = self.reported.lock().unwrap_or_else(PoisonError::into_inner);
        reported.push(Arc::clone(entry));
    }

    /// Returns the pause after so many refusals.
    fn pause(&self, refusals: usize) -> Duration {
        let place = refusals.saturating_sub(1);
        let pause = self.pauses.get(place).or(self.pauses.last());
        pause.copied().unwrap_or_default()
    }
}

/// Permission to log in; without an end, as of a run that was aborted, nothing is remembered.
#[derive(Debug)]
pub(super) struct Ticket {
    run: LogIns,
    entry: Option<Arc<Entry>>,
    /// Turn that others wait for, and the permits that it therefore keeps.
    flight: Option<(OwnedMutexGuard<()>, Kept)>,
}

impl Ticket {
    /// Remembers the outcome: a refusal, or none and whether the log-in succeeded.
    pub(super) fn end(self, refused: Option<&Finding>, succeeded: bool) {
        let Self { run, entry: Some(entry), flight } = self else { return };
        let mut known = entry.known();
        if let Some(finding) = refused {
            known.refusals = known.refusals.saturating_add(1);
            let reader = Reader { configuration: run.configuration, knows: false };
            known.refusal = Some(Refusal {
                finding: finding.clone(),
                at: run.now,
                again: Instant::now() + run.pause(known.refusals),
                readers: [(Arc::clone(&run.reader), reader)].into(),
            });
            known.open_until = None;
        } else {
            known.refusal = None;
            known.refusals = if succeeded { 0 } else { known.refusals };
            known.open_until = Some(Instant::now() + OPEN);
        }
        drop(known);
        if refused.is_some() {
            run.report(&entry);
        }
        drop(flight);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{Class, Secret};

    fn refused() -> Finding {
        Finding::new(Class::Denied, "no").because("HTTP 401").refusing_log_in()
    }

    /// Runs that share a memory, and the instants at which they begin.
    struct Process {
        memory: Arc<LogInMemory>,
        pauses: Arc<[Duration]>,
    }

    impl Process {
        fn new() -> Self {
            Self { memory: Arc::default(), pauses: Arc::from(PAUSES) }
        }

        fn run(&self, reader: &str, text: &str) -> LogIns {
            let now = "2026-11-29T12:00:00Z".parse().unwrap();
            LogIns::of(&self.memory, &self.pauses, now).by(reader, text)
        }
    }

    async fn key(secret: &str) -> Option<LogInKey> {
        let secret = SecretRef::Literal(Secret::new(secret.to_owned()));
        LogInKey::of(&["P", "h", "u"], &[&secret]).await
    }

    /// Returns true when the run was allowed to log in, where it is refused.
    async fn tries(run: &LogIns, secret: &str) -> bool {
        let begun = run.begin(key(secret).await).await;
        let tried = begun.is_ok();
        if let Ok(ticket) = begun {
            ticket.end(Some(&refused()), false);
        }
        run.stored();
        tried
    }

    #[tokio::test(start_paused = true)]
    async fn refused_secret_is_sent_at_most_27_times_a_day() {
        let process = Process::new();
        let mut sent = 0;
        for _minute in 0..24 * 60 {
            for name in ["a", "b", "c", "d", "e", "f"] {
                sent += u32::from(tries(&process.run(name, "x"), "wrong").await);
            }
            tokio::time::advance(Duration::from_mins(1)).await;
        }
        assert!((20..=27).contains(&sent), "{sent}");
    }

    #[tokio::test(start_paused = true)]
    async fn refusal_ends_with_the_secret_the_configuration_or_the_pause() {
        let process = Process::new();
        assert!(tries(&process.run("a", "x"), "wrong").await);
        assert!(!tries(&process.run("a", "x"), "wrong").await);
        assert!(!tries(&process.run("b", "y"), "wrong").await);
        assert!(tries(&process.run("a", "x"), "other").await, "another secret");
        assert!(tries(&process.run("b", "z"), "wrong").await, "another configuration");
        assert!(!tries(&process.run("b", "z"), "wrong").await);
        tokio::time::advance(Duration::from_mins(31)).await;
        assert!(tries(&process.run("a", "x"), "wrong").await, "after the second pause");
        assert!(tries(&LogIns::default(), "wrong").await, "a process of its own");
        let asked = |minutes| process.run("a", "x").now.plus(Duration::from_mins(minutes));
        let run = |began, at| {
            LogIns { now: asked(began), ..process.run("a", "x") }.asked(Some(asked(at)))
        };
        assert!(tries(&run(40, 40), "wrong").await, "a person asked");
        assert!(!tries(&run(45, 40), "wrong").await, "it was refused since that person asked");
        assert!(!tries(&process.run("a", "x"), "wrong").await, "by its schedule");
        assert!(tries(&run(46, 46), "wrong").await, "a person asked again");
    }

    #[tokio::test(start_paused = true)]
    async fn refusal_is_new_evidence_once_for_each_configuration() {
        let process = Process::new();
        let first = process.run("a", "x");
        let ticket = first.begin(key("wrong").await).await.unwrap();
        ticket.end(Some(&refused()), false);
        let again = process.run("a", "x").begin(key("wrong").await).await.unwrap_err();
        assert!(!again.is_known, "the first run was not stored");
        first.stored();
        let again = process.run("a", "x").begin(key("wrong").await).await.unwrap_err();
        assert!(again.is_known);
        let finding = again.finding;
        assert_eq!((finding.class, finding.message.as_str()), (Class::Denied, "no"));
        let evidence = "not tried again: refused at 12:00, unchanged; HTTP 401";
        assert_eq!(finding.evidence.as_deref(), Some(evidence));
        let other = process.run("b", "x");
        assert!(!other.begin(key("wrong").await).await.unwrap_err().is_known);
        other.stored();
        let other = process.run("b", "x");
        assert!(other.begin(key("wrong").await).await.unwrap_err().is_known);
    }

    #[tokio::test(start_paused = true)]
    async fn six_at_once_send_one_refused_log_in_and_all_that_succeed() {
        for is_refused in [true, false] {
            let process = Process::new();
            let sent = Arc::new(Mutex::new(0));
            let mut all = tokio::task::JoinSet::new();
            for name in ["a", "b", "c", "d", "e", "f"] {
                let (run, sent) = (process.run(name, "x"), Arc::clone(&sent));
                all.spawn(async move {
                    let Ok(ticket) = run.begin(key("s").await).await else { return };
                    *sent.lock().unwrap() += 1;
                    tokio::time::sleep(Duration::from_secs(2)).await;
                    let finding = refused();
                    ticket.end(is_refused.then_some(&finding), !is_refused);
                });
            }
            let begin = Instant::now();
            all.join_all().await;
            assert_eq!(*sent.lock().unwrap(), if is_refused { 1 } else { 6 });
            assert!(begin.elapsed() <= Duration::from_secs(4), "{:?}", begin.elapsed());
        }
    }

    #[tokio::test(start_paused = true)]
    async fn aborted_log_in_lets_the_next_one_try() {
        let process = Process::new();
        let ticket = process.run("a", "x").begin(key("s").await).await.unwrap();
        drop(ticket);
        assert!(tries(&process.run("b", "x"), "s").await);
        let (slow, begin) = (process.run("a", "x"), Instant::now());
        let held = slow.begin(key("t").await).await.unwrap();
        assert!(tries(&process.run("b", "x"), "t").await, "it does not wait for ever");
        assert_eq!(begin.elapsed(), WAIT_MAX);
        drop(held);
    }

    /// Returns true when the run sent `token`, which it found and which is refused.
    async fn sends(run: &LogIns, token: &str) -> bool {
        let is_sent = run.found(&["P", "h"], &[token]).await.is_ok();
        let remembered = run.end_found(is_sent.then(refused).as_ref(), false);
        run.stored();
        assert_eq!(remembered.is_none(), is_sent);
        is_sent
    }

    #[tokio::test(start_paused = true)]
    async fn found_token_is_sent_again_only_when_it_is_another() {
        let process = Process::new();
        let mut sent = 0;
        for minute in 0..24 * 60 {
            for name in ["a", "b", "c"] {
                sent += u32::from(sends(&process.run(name, "x"), "token").await);
            }
            if minute == 700 {
                assert!(sends(&process.run("a", "x"), "renewed").await, "new evidence");
                assert!(!sends(&process.run("b", "x"), "renewed").await);
            }
            tokio::time::advance(Duration::from_mins(1)).await;
        }
        assert!((20..=27).contains(&sent), "{sent}");
    }

    #[tokio::test(start_paused = true)]
    async fn credentials_that_follow_others_in_one_test_have_a_memory_of_their_own() {
        let process = Process::new();
        let run = process.run("a", "x");
        run.found(&["P"], &["kept"]).await.unwrap();
        run.found(&["P"], &["kept"]).await.unwrap();
        run.found(&["P"], &["renewed"]).await.unwrap();
        assert!(run.end_found(Some(&refused()), false).is_none());
        assert!(run.end_found(None, true).is_none(), "nothing is left");
        let other = process.run("b", "x");
        let none = other.found(&["P"], &["renewed"]).await.unwrap_err();
        assert_eq!(none.class, Class::Denied);
        let remembered = other.end_found(None, false).unwrap();
        let evidence = remembered.finding.evidence.unwrap();
        assert!(evidence.starts_with("not tried again: refused at 12:00"), "{evidence}");
        assert!(other.found(&["P"], &["kept"]).await.is_ok(), "it was another that was refused");
        assert!(other.found(&["Q"], &["renewed"]).await.is_ok(), "another place");
    }

    #[tokio::test(start_paused = true)]
    async fn full_memory_forgets_what_was_not_refused() {
        let memory = LogInMemory::default();
        let key = |number: usize| {
            let mut bytes = [0; 32];
            bytes[..8].copy_from_slice(&number.to_be_bytes());
            LogInKey(bytes)
        };
        let refusal = || Refusal {
            finding: refused(),
            at: Timestamp(0),
            again: Instant::now(),
            readers: HashMap::new(),
        };
        for number in 0..ENTRIES_MAX {
            let entry = memory.entry(key(number)).unwrap();
            entry.known().refusal = (number % 2 == 0).then(refusal);
        }
        assert!(memory.entry(key(ENTRIES_MAX)).is_some(), "there is room again");
        assert_eq!(memory.0.lock().unwrap().len(), ENTRIES_MAX / 2 + 1);
        for number in ENTRIES_MAX..2 * ENTRIES_MAX {
            let Some(entry) = memory.entry(key(number)) else { break };
            entry.known().refusal = Some(refusal());
        }
        assert!(memory.entry(key(3 * ENTRIES_MAX)).is_none(), "it is full of refusals");
        let run = LogIns::of(&Arc::new(memory), &Arc::from(PAUSES), Timestamp(0));
        assert!(run.begin(Some(key(3 * ENTRIES_MAX))).await.is_ok(), "without memory it is tried");
    }

    #[tokio::test]
    async fn key_hides_its_digest_and_needs_a_secret() {
        assert_eq!(LogInKey::of(&["P"], &[]).await, None);
        let missing = SecretRef::File("/no/such/file".into());
        assert_eq!(LogInKey::of(&["P"], &[&missing]).await, None);
        let secret = |text: &str| SecretRef::Literal(Secret::new(text.to_owned()));
        let (ab, c) = (secret("ab"), secret("c"));
        let (a, bc) = (secret("a"), secret("bc"));
        let joined = LogInKey::of(&[], &[&ab, &c]).await;
        assert_ne!(joined, LogInKey::of(&[], &[&a, &bc]).await);
        assert_eq!(format!("{:?}", joined.unwrap()), "LogInKey");
    }
}
