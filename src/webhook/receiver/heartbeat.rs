//! Reads the `[heartbeat]` table of the configuration.

use std::fmt;
use std::time::Duration;

use super::Target;
use super::access::{Access, access};
use super::read::{TIMEOUT_RANGE, allow, target};
use crate::input::Reader;
use crate::net::address::Allow;

/// Shortest and longest time from one heartbeat to the next.
const EVERY_RANGE: (Duration, Duration) = (Duration::from_secs(1), Duration::from_hours(1));

/// Heartbeat as the configuration has it.
#[derive(Clone)]
pub(crate) struct Heartbeat {
    /// URL that requests are sent to.
    pub(crate) target: Target,
    /// Time from one request to the next.
    pub(crate) every: Duration,
    /// Time limit of a request.
    pub(crate) timeout: Duration,
    /// Addresses and hosts that are allowed besides public ones.
    pub(crate) allow: Allow,
    /// Way to the service, and the credentials that it is shown.
    pub(crate) access: Access,
}

impl Heartbeat {
    /// Reads the table; none without a URL, or when it has a fault, which goes to the reader.
    pub(crate) fn parse(mut reader: Reader<'_>) -> Option<Self> {
        let is_off = reader.raw("url").is_none_or(|url| url.text() == Some(""));
        let allow = allow(&mut reader);
        let target = if is_off { None } else { target(&mut reader, &allow) };
        let (min, max) = EVERY_RANGE;
        let every = reader.duration("every", min, max);
        let (min, max) = TIMEOUT_RANGE;
        let timeout = reader.duration("timeout", min, max);
        let access = access(&mut reader);
        reader.finish();
        let (target, every) = (target?, every?);
        Some(Self { target, every, timeout: timeout?.min(every), allow, access })
    }
}

impl fmt::Debug for Heartbeat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Heartbeat").field("every", &self.every).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value as Json, json};

    use super::*;
    use crate::input::{Faults, Value};

    /// Reads a valid table with `changes` made to it.
    fn parse(changes: Json) -> (Option<Heartbeat>, Vec<String>) {
        let mut table =
            json!({ "url": "https://hc.example.com/t0ken", "every": "1m", "timeout": "10s" });
        let Json::Object(changes) = changes else { panic!("a table of changes") };
        for (key, value) in changes {
            table[key] = value;
        }
        let value = Value::from_json(&table, &"f.toml:7".into());
        let faults = Faults::default();
        let heartbeat = Heartbeat::parse(Reader::new(&value, "heartbeat", &faults).unwrap());
        (heartbeat, faults.into_parts().0.iter().map(ToString::to_string).collect())
    }

    #[test]
    fn heartbeat_without_a_url_is_off() {
        let (heartbeat, faults) = parse(json!({ "url": "" }));
        assert!(heartbeat.is_none() && faults.is_empty(), "{faults:?}");
    }

    #[test]
    fn every_key_is_read_and_the_url_is_never_shown() {
        let (heartbeat, faults) = parse(json!({
            "url": { "credential": "hc" }, "every": "5s", "timeout": "1m", "allow": ["10.0.0.0/8"],
            "ca_file": "/ca.pem", "headers": { "X-Api-Key": { "env": "KEY" } }, "bearer": { "env": "TOKEN" },
            "proxy": { "url": "http://proxy.example.com:3128" },
        }));
        assert_eq!(faults, [""; 0]);
        let heartbeat = heartbeat.unwrap();
        assert!(matches!(heartbeat.target, Target::Kept(_)));
        assert_eq!(
            (heartbeat.every, heartbeat.timeout),
            (Duration::from_secs(5), Duration::from_secs(5))
        );
        assert!(heartbeat.access.proxy.is_some() && heartbeat.access.ca_file.is_some());
        assert_eq!((heartbeat.access.headers.len(), heartbeat.access.bearer.is_some()), (1, true));
        let fixed = parse(json!({})).0.unwrap();
        assert!(!format!("{fixed:?}").contains("t0ken"), "{fixed:?}");
    }

    #[test]
    fn faulty_values_are_refused_without_showing_the_url() {
        let table = [
            (json!({ "url": "http://hc.example.com/t0ken" }), "must begin with https://"),
            (json!({ "url": "https://10.0.0.1/t0ken" }), "10.0.0.1 is a private address"),
            (json!({ "url": "t0ken" }), "is not a URL such as"),
            (json!({ "url": 7 }), "expected text"),
            (json!({ "every": "999ms" }), "expected a duration from 1s to 1h"),
            (json!({ "every": "61m" }), "expected a duration from 1s to 1h"),
            (json!({ "timeout": "2m" }), "expected a duration from 100ms to 1m"),
            (json!({ "allow": ["anywhere/0"] }), "heartbeat.allow"),
            (json!({ "period": "1m" }), "heartbeat.period: unknown key"),
        ];
        for (changes, expected) in table {
            let (_, faults) = parse(changes.clone());
            assert_eq!(faults.len(), 1, "{changes}: {faults:?}");
            assert!(faults[0].contains(expected), "{changes}: {faults:?}");
            assert!(!faults[0].contains("t0ken"), "{faults:?}");
        }
    }
}
