//! Soak test of at-least-once delivery: many integrations that flip, receivers in every mood, and a daemon
//! that is killed again and again. Every receiver has every event, once by its id and in order.
//!
//! `SOAK_SEED` in the environment repeats the same dice; their effect differs from run to run.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::fmt::Write as _;
use std::path::Path;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use aws_lc_rs::hmac;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rusqlite::{Connection, OpenFlags};
use serde_json::Value;

use crate::support::{
    Config, Daemon, Delivery, Dice, Lakes, Mood, Moody, SECRETS, Taken, wait_for,
};

const INTEGRATIONS: usize = 200;
const KILLS: u32 = 40;
/// Time after which the daemon is not killed any more, however slow the machine is.
const STORM_MAX: Duration = Duration::from_secs(50);
/// Time limit for the deliveries that are pending at the end.
const DRAIN_MAX: Duration = Duration::from_secs(40);
/// Time limit of a message to the fine receiver while the daemon is up: far less than any of the others
/// could delay it.
const DELAY_MAX: Duration = Duration::from_secs(5);
const DEAD_FOR: Duration = Duration::from_secs(20);

const RECEIVERS: [(&str, Mood); 5] = [
    ("fine", Mood::Fine),
    ("slow", Mood::Slow),
    ("flapping", Mood::Flapping),
    ("dead", Mood::Dead(DEAD_FOR)),
    ("throttling", Mood::Throttling),
];

/// Periods in which no message can be sent: from a kill to the line `started` of the next daemon.
type Downtime = Vec<(SystemTime, SystemTime)>;

#[test]
fn killed_daemon_notifies_every_receiver_of_exactly_the_transitions() {
    let seed = seed();
    eprintln!("SOAK_SEED={seed}");
    let lakes = Lakes::start(seed);
    let start = |(name, mood)| (name, Moody::start(mood, seed));
    let receivers: Vec<(&str, Moody)> = RECEIVERS.into_iter().map(start).collect();
    let config = Config::new(&settings(&lakes, &receivers));
    let mut dice = Dice::new(seed);
    let (mut kills, mut down, begun) = (0, Downtime::new(), Instant::now());
    while kills < KILLS && begun.elapsed() < STORM_MAX {
        let daemon = up(&config, &mut down);
        std::thread::sleep(Duration::from_millis(300 + dice.below(1000)));
        daemon.kill();
        down.push((SystemTime::now(), SystemTime::now()));
        kills += 1;
    }
    let stormed = begun.elapsed();
    lakes.stabilise();
    let daemon = up(&config, &mut down);
    let database = config.dir().join("state.db");
    drain(&database);
    let ended = daemon.stop();
    let store = Store::read(&database);
    store.check();
    let taken: Vec<_> = receivers.iter().map(|(name, moody)| (*name, moody.taken())).collect();
    for (name, taken) in &taken {
        store.check_taken(name, taken);
    }
    assert!(ended.success(), "{ended}");
    let delays = delays(&taken[0].1, &down);
    let requests: Vec<_> =
        taken.iter().map(|(name, taken)| format!("{name} {}", taken.len())).collect();
    eprintln!(
        "{kills} kills in {stormed:?}, {} changes of the platform, {} events; requests: {}; \
         the fine receiver was notified after {:?} (median), {:?} (99 %), {:?} (worst)",
        lakes.changes(),
        store.events.len(),
        requests.join(", "),
        delays[delays.len() / 2],
        delays[delays.len() * 99 / 100],
        delays[delays.len() - 1],
    );
    assert!(KILLS / 2 <= kills, "the machine is too slow to kill the daemon often");
    assert!(INTEGRATIONS * 2 < store.events.len(), "too little happened: {}", store.events.len());
    assert!(delays[delays.len() * 99 / 100] < DELAY_MAX, "others hold up the fine receiver");
}

fn seed() -> u64 {
    let fresh = || u64::from(SystemTime::now().duration_since(UNIX_EPOCH).unwrap().subsec_nanos());
    std::env::var("SOAK_SEED").map_or_else(|_| fresh(), |seed| seed.parse().unwrap())
}

/// Returns the configuration: retries that outlast the dead receiver, so that no message is dead-lettered;
/// no flapping, so that all flips are notified; a log without the lines of deliveries and runs.
fn settings(lakes: &Lakes, receivers: &[(&str, Moody)]) -> String {
    let mut text = "filter = \"warn,revalidated::daemon=info,revalidated::daemon::deliver=off,\
                    revalidated::daemon::summary=off\"\n\
                    [defaults]\nconfirm_runs = 1\nrecovery_runs = 1\nflap_flips = 0\n\
                    [limits]\nruns = 64\nruns_per_host = 64\n"
        .to_owned();
    let waits: Vec<_> = [("500ms", 10), ("1s", 10), ("2s", 30)]
        .iter()
        .flat_map(|&(wait, times)| std::iter::repeat_n(format!("\"{wait}\""), times))
        .collect();
    for (name, moody) in receivers {
        write!(
            text,
            r#"
            [[receiver]]
            name = "{name}"
            url = "{}"
            secrets = [{{ file = "DIR/webhook-secret" }}]
            allow = ["127.0.0.0/8"]
            events = ["*", "integration.status.*"]
            concurrency = 64
            timeout = "5s"
            retry = [{}]
            "#,
            moody.url,
            waits.join(", ")
        )
        .unwrap();
    }
    (1..=INTEGRATIONS).for_each(|number| text.push_str(&lakes.integration(number)));
    text
}

/// Starts the daemon and ends the downtime.
fn up<'c>(config: &'c Config, down: &mut Downtime) -> Daemon<'c> {
    let daemon = Daemon::start(config);
    if let Some((_, until)) = down.last_mut() {
        *until = SystemTime::now();
    }
    daemon
}

/// Waits until nothing is pending and, for several periods of the schedules, there is no new event.
fn drain(database: &Path) {
    let conn = open(database);
    let count = |sql: &str| conn.query_row(sql, [], |row| row.get::<_, u32>(0)).unwrap();
    let (mut before, mut since) = (0, Instant::now());
    wait_for("end of the deliveries", DRAIN_MAX, || {
        let events = count("SELECT count(*) FROM event");
        let pending = count("SELECT count(*) FROM delivery WHERE state = 'pending'");
        if events != before || pending != 0 {
            (before, since) = (events, Instant::now());
        }
        (Duration::from_secs(4) < since.elapsed()).then_some(())
    });
}

fn open(database: &Path) -> Connection {
    let conn = Connection::open_with_flags(database, OpenFlags::SQLITE_OPEN_READ_ONLY).unwrap();
    conn.busy_timeout(Duration::from_secs(5)).unwrap();
    conn
}

/// Returns the time from each event to its first message, without the downtime in between, the shortest
/// first.
fn delays(taken: &[Taken], down: &Downtime) -> Vec<Duration> {
    let mut first = HashMap::new();
    for one in taken {
        first.entry(one.delivery.headers["webhook-id"].as_str()).or_insert(one);
    }
    let delay = |one: &&Taken| {
        let text = one.delivery.json()["timestamp"].as_str().unwrap().to_owned();
        let happened = SystemTime::from(text.parse::<jiff::Timestamp>().unwrap());
        let overlap = |&(from, until): &(SystemTime, SystemTime)| {
            let (from, until) = (from.max(happened), until.min(one.at));
            until.duration_since(from).unwrap_or_default()
        };
        let lost: Duration = down.iter().map(overlap).sum();
        one.at.duration_since(happened).unwrap_or_default().saturating_sub(lost)
    };
    let mut delays: Vec<_> = first.values().map(delay).collect();
    delays.sort_unstable();
    delays
}

/// Event as the store has it.
struct Event {
    integration: Option<i64>,
    /// Place among the events of its integration, from 1.
    place: i64,
    sequence: i64,
    body: String,
}

/// The database after the end of the daemon, with all its events by id.
struct Store {
    conn: Connection,
    events: HashMap<String, Event>,
}

impl Store {
    fn read(database: &Path) -> Self {
        const SQL: &str = "
            SELECT id, integration_id,
                   row_number() OVER (PARTITION BY integration_id ORDER BY number), sequence, body
            FROM event";
        let conn = open(database);
        let mut statement = conn.prepare(SQL).unwrap();
        let rows = statement.query_map([], |row| {
            let event = Event {
                integration: row.get(1)?,
                place: row.get(2)?,
                sequence: row.get(3)?,
                body: row.get(4)?,
            };
            Ok((row.get(0)?, event))
        });
        let events = rows.unwrap().map(Result::unwrap).collect();
        drop(statement);
        Self { conn, events }
    }

    /// Checks that the events are numbered without gaps and are exactly the transitions, which form a chain,
    /// and that all of them have been delivered.
    fn check(&self) {
        type Step = (Option<String>, String);
        let mut chains: BTreeMap<i64, Vec<Step>> = BTreeMap::new();
        let sql = "SELECT integration_id, from_status, to_status FROM transition ORDER BY id";
        let mut statement = self.conn.prepare(sql).unwrap();
        let mut rows = statement.query([]).unwrap();
        while let Some(row) = rows.next().unwrap() {
            let (id, step): (i64, Step) =
                (row.get(0).unwrap(), (row.get(1).unwrap(), row.get(2).unwrap()));
            let chain = chains.entry(id).or_default();
            assert_eq!(
                chain.last().map(|(_, to)| to),
                step.0.as_ref(),
                "integration {id}: a chain"
            );
            chain.push(step);
        }
        assert_eq!(chains.len(), INTEGRATIONS);
        let mut events: Vec<_> = self.events.values().collect();
        events.sort_by_key(|event| (event.integration, event.place));
        let mut notified: BTreeMap<i64, Vec<Step>> = BTreeMap::new();
        let mut counted: BTreeMap<i64, i64> = BTreeMap::new();
        for event in events {
            // That a configuration was put in force is about no single one.
            let Some(id) = event.integration else { continue };
            let body: Value = serde_json::from_str(&event.body).unwrap();
            let text = |key: &str| body["data"][key].as_str().map(str::to_owned);
            let steps = notified.entry(id).or_default();
            let step = (text("previousStatus"), text("status").unwrap());
            // The end of an incident by an operation is two events of one transition.
            if steps.last() != Some(&step) {
                steps.push(step);
            }
            let number = counted.entry(id).or_default();
            *number += i64::from(body["type"] != "integration.status.changed");
            let found = (event.sequence, body["data"]["sequence"].as_i64());
            assert_eq!(found, (*number, Some(*number)));
        }
        assert_eq!(notified, chains, "the events are the transitions");
        let sql = "SELECT count(*), coalesce(sum(state = 'delivered'), 0) FROM delivery";
        let (all, delivered): (u32, u32) =
            self.conn.query_row(sql, [], |row| Ok((row.get(0)?, row.get(1)?))).unwrap();
        let expected = u32::try_from(self.events.len() * RECEIVERS.len()).unwrap();
        assert_eq!((all, delivered), (expected, expected));
    }

    /// Checks that a receiver that drops repetitions by their id has every event once, in order, with the
    /// body of the store, and that every request is signed.
    fn check_taken(&self, receiver: &str, taken: &[Taken]) {
        let mut latest: HashMap<Option<i64>, i64> = HashMap::new();
        let mut seen = HashSet::new();
        for Taken { delivery, at } in taken {
            let id = delivery.headers["webhook-id"].as_str();
            let Some(event) = self.events.get(id) else {
                panic!("{receiver} was sent {id}, which the store does not have");
            };
            assert!(delivery.body == event.body, "{receiver}: {id} has another body");
            assert!(is_signed(delivery, *at), "{receiver}: {id} is not signed as it should be");
            if seen.insert(id) {
                let before = latest.insert(event.integration, event.place).unwrap_or(0);
                let place = (receiver, event.integration, event.place);
                assert_eq!(event.place, before + 1, "{place:?} comes in its turn");
            }
        }
        assert_eq!(seen.len(), self.events.len(), "{receiver}: nothing is missing");
    }
}

/// Returns true when a verifier would accept it: the signature fits id, timestamp and body, and the
/// timestamp is at most five minutes old.
fn is_signed(delivery: &Delivery, at: SystemTime) -> bool {
    let Delivery { headers, body } = delivery;
    let (id, stamp) = (&headers["webhook-id"], &headers["webhook-timestamp"]);
    let key = hmac::Key::new(hmac::HMAC_SHA256, &STANDARD.decode(SECRETS[2]).unwrap());
    let signature = headers["webhook-signature"].strip_prefix("v1,").unwrap();
    let tag = STANDARD.decode(signature).unwrap();
    let sent = UNIX_EPOCH + Duration::from_secs(stamp.parse().unwrap());
    hmac::verify(&key, format!("{id}.{stamp}.{body}").as_bytes(), &tag).is_ok()
        && at.duration_since(sent).unwrap_or_default() < Duration::from_mins(5)
}
