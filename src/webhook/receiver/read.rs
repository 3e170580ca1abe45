//! Reads `[[receiver]]` tables of the configuration.

use std::time::Duration;

use super::access::access;
use super::timing::timing;
use super::url::parse_url;
use super::{Receiver, Target};
use crate::domain::Format;
use crate::domain::{
    EventType, Pool, RetryPolicy, SecretRef, Selection, Subscription, duration_text, is_unseen,
};
use crate::input::{Kind, Reader, labels_of, nearest};
use crate::net::address::Allow;
use crate::webhook::sign::Key;

/// Length limit of a name, in characters.
const NAME_CHARS_MAX: usize = 100;
/// Number of secrets at a time: each adds a signature to every request.
const SECRETS_MAX: usize = 8;
/// Number of waits in a retry schedule.
const WAITS_MAX: usize = 50;
/// Shortest and longest wait between two attempts.
const WAIT_RANGE: (Duration, Duration) = (Duration::from_millis(100), Duration::from_hours(7 * 24));
/// Shortest and longest time limit of an attempt.
pub(super) const TIMEOUT_RANGE: (Duration, Duration) =
    (Duration::from_millis(100), Duration::from_mins(1));
/// Default time limit of an attempt.
const TIMEOUT: Duration = Duration::from_secs(10);
/// Default time limit of a connection, with name resolution and TLS.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// Shortest and longest time of failures that can disable a receiver.
const DISABLE_RANGE: (Duration, Duration) =
    (Duration::from_hours(1), Duration::from_hours(90 * 24));
/// Default time of failures that disables a receiver.
const DISABLE_AFTER: Duration = Duration::from_hours(5 * 24);
/// Largest number of concurrent requests.
const CONCURRENCY_MAX: i64 = 64;
/// Key of the labels that a node must have to send to it.
pub(crate) const SEND_FROM: &str = "send_from";
/// Default number of concurrent requests.
const CONCURRENCY: usize = 8;

impl Receiver {
    /// Reads a `[[receiver]]` table; faults go to the reader.
    pub(crate) fn parse(mut reader: Reader<'_>) -> Option<Self> {
        let name = name(&mut reader);
        let allow = allow(&mut reader);
        let target = target(&mut reader, &allow);
        let format = format(&mut reader);
        let secrets = secrets(&mut reader, format);
        let routing_key = routing_key(&mut reader, format);
        let events = events(&mut reader, format);
        let selection = Selection {
            integrations: reader.strings("integrations").unwrap_or_default(),
            types: reader.strings("types").unwrap_or_default(),
            labels: reader.string_map("labels").unwrap_or_default(),
        };
        let timing = timing(&mut reader, format);
        let individual = reader.boolean("individual").unwrap_or(false);
        let (timeout, connect_timeout) = timeouts(&mut reader);
        let retry = retry(&mut reader);
        let (min, max) = DISABLE_RANGE;
        let disable_after = reader.duration("disable_after", min, max).unwrap_or(DISABLE_AFTER);
        let concurrency = reader.integer("concurrency", 1, CONCURRENCY_MAX);
        let send_from = Pool::of(labels_of(&mut reader, SEND_FROM).unwrap_or_default());
        let access = access(&mut reader);
        reader.finish();
        let name = name?;
        let receiver = name.clone();
        let (events, format) = (events?, format?);
        Some(Self {
            format,
            target: target?,
            secrets: secrets?,
            routing_key: routing_key?,
            subscription: Subscription {
                receiver,
                events,
                selection,
                individual,
                format,
                timing: timing?,
            },
            name,
            timeout,
            connect_timeout,
            retry: retry?,
            disable_after,
            concurrency: concurrency
                .and_then(|number| usize::try_from(number).ok())
                .unwrap_or(CONCURRENCY),
            send_from,
            allow,
            access,
            #[cfg(test)]
            wire: None,
        })
    }
}

fn name(reader: &mut Reader<'_>) -> Option<String> {
    let name = reader.required_string("name")?;
    if name.chars().any(is_unseen) || name.trim() != name {
        reader.fault("name", "must not contain control characters nor begin or end with a space");
        return None;
    }
    if NAME_CHARS_MAX < name.chars().count() {
        reader.fault("name", format!("must not be longer than {NAME_CHARS_MAX} characters"));
        return None;
    }
    Some(name)
}

/// Reads the networks and hosts that may be reached although they are not public.
pub(super) fn allow(reader: &mut Reader<'_>) -> Allow {
    let mut allow = Allow::default();
    for entry in reader.strings("allow").unwrap_or_default() {
        if let Err(fault) = allow.add(&entry) {
            reader.fault("allow", fault.to_string());
        }
    }
    allow
}

/// Reads the URL; messages about it do not show it, since it may contain a token.
pub(super) fn target(reader: &mut Reader<'_>, allow: &Allow) -> Option<Target> {
    if matches!(reader.raw("url").map(|value| &value.kind), Some(Kind::Table(_))) {
        return reader.secret("url").map(Target::Kept);
    }
    let text = reader.required_string("url")?;
    let parsed = parse_url(&text, allow);
    parsed.map(Target::Fixed).map_err(|message| reader.fault("url", message)).ok()
}

fn format(reader: &mut Reader<'_>) -> Option<Format> {
    let choices: Vec<_> = Format::ALL.iter().map(|format| (format.as_str(), *format)).collect();
    if reader.has("format") { reader.choice("format", &choices) } else { Some(Format::default()) }
}

/// Reads the routing key; the outer option is none when it is faulty.
#[expect(clippy::option_option, reason = "absent is not wrong")]
fn routing_key(reader: &mut Reader<'_>, format: Option<Format>) -> Option<Option<SecretRef>> {
    let key = reader.secret("routing_key");
    let is_used = format == Some(Format::PagerDuty);
    if is_used && !reader.has("routing_key") {
        reader.fault("routing_key", "missing; add the integration key of a PagerDuty service");
        return None;
    }
    if !is_used && format.is_some() && reader.has("routing_key") {
        reader.fault("routing_key", "is only used with format `pagerduty`; remove it");
    }
    (!is_used || key.is_some()).then_some(key)
}

fn secrets(reader: &mut Reader<'_>, format: Option<Format>) -> Option<Vec<SecretRef>> {
    let given = match reader.raw("secrets").map(|value| &value.kind) {
        None => 0,
        Some(Kind::Array(items)) => items.len(),
        Some(_other) => 1,
    };
    let secrets = reader.secrets("secrets");
    let is_signed = format.is_none_or(Format::is_signed);
    if !is_signed && given == 0 {
        return Some(secrets);
    }
    if !is_signed {
        reader.warn("secrets", "unused: messages of this format are not signed; remove it");
    }
    if given == 0 {
        let message = "at least one secret is needed, since every message is signed; \
            add `secrets = [{ credential = \"name\" }]`";
        reader.fault("secrets", message);
    }
    if SECRETS_MAX < given {
        reader.fault("secrets", format!("at most {SECRETS_MAX} secrets can be in use at a time"));
    }
    let mut usable = (1..=SECRETS_MAX).contains(&given) && secrets.len() == given;
    for secret in &secrets {
        if let SecretRef::Literal(secret) = secret
            && let Err(fault) = Key::parse(secret)
        {
            reader.fault("secrets", fault.to_string());
            usable = false;
        }
    }
    usable.then_some(secrets)
}

fn events(reader: &mut Reader<'_>, format: Option<Format>) -> Option<Vec<String>> {
    let format = format.unwrap_or_default();
    let expressible = || EventType::ALL.iter().copied().filter(|kind| format.takes(*kind));
    let names = || expressible().map(EventType::as_str);
    let Some(patterns) = reader.strings("events") else {
        // A status change has to be named.
        let usual = expressible().filter(|kind| *kind != EventType::StatusChanged);
        let usual = usual.map(|kind| kind.as_str().to_owned());
        return (!reader.has("events")).then(|| usual.collect());
    };
    if patterns.is_empty() {
        reader.fault("events", "must not be empty; remove it to receive every event");
        return None;
    }
    let unknown: Vec<_> =
        patterns.iter().filter(|pattern| !expressible().any(|kind| is_of(kind, pattern))).collect();
    for pattern in &unknown {
        let hint = nearest(pattern, names()).map_or_else(
            || format!("events are {}", names().collect::<Vec<_>>().join(", ")),
            |near| format!("did you mean `{near}`?"),
        );
        reader.fault("events", format!("unknown event {pattern:?}; {hint}"));
    }
    if !unknown.is_empty() {
        return None;
    }
    // A pattern such as `*` may match more than the format can express.
    let wanted = expressible().filter(|kind| patterns.iter().any(|pattern| is_of(*kind, pattern)));
    Some(wanted.map(|kind| kind.as_str().to_owned()).collect())
}

/// True when `kind` matches `pattern`.
fn is_of(kind: EventType, pattern: &str) -> bool {
    Subscription { events: vec![pattern.to_owned()], ..Subscription::default() }.wants_kind(kind)
}

fn timeouts(reader: &mut Reader<'_>) -> (Duration, Duration) {
    let (min, max) = TIMEOUT_RANGE;
    let timeout = reader.duration("timeout", min, max).unwrap_or(TIMEOUT);
    let connect = reader.duration("connect_timeout", min, max);
    if let Some(connect) = connect
        && timeout < connect
    {
        let timeout = duration_text(timeout);
        reader.fault("connect_timeout", format!("must not be longer than `timeout`, {timeout}"));
    }
    (timeout, connect.unwrap_or(CONNECT_TIMEOUT).min(timeout))
}

fn retry(reader: &mut Reader<'_>) -> Option<RetryPolicy> {
    let default = RetryPolicy::default();
    let hint_max = reader.duration("retry_after_max", Duration::ZERO, WAIT_RANGE.1);
    let hint_max = hint_max.unwrap_or(default.hint_max);
    let (min, max) = WAIT_RANGE;
    let Some(waits) = reader.durations("retry", min, max) else {
        return (!reader.has("retry")).then_some(RetryPolicy { hint_max, ..default });
    };
    if WAITS_MAX < waits.len() {
        reader.fault("retry", format!("must not have more than {WAITS_MAX} waits"));
    }
    Some(RetryPolicy { waits, hint_max })
}

#[cfg(test)]
mod tests {
    use serde_json::{Value as Json, json};

    use super::*;
    use crate::input::{Faults, Value};

    const LITERAL: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

    /// Reads a valid table with `changes` made to it; null removes a key.
    fn parse(changes: Json) -> (Option<Receiver>, Vec<String>) {
        let mut table = json!({
            "name": "on-call",
            "url": "https://hooks.example.com/revalidated",
            "secrets": [{ "credential": "webhook-secret" }],
        });
        let Json::Object(changes) = changes else { panic!("a table of changes") };
        for (key, value) in changes {
            table[key] = value;
        }
        let value = Value::from_json(&table, &"f.toml:7".into());
        let faults = Faults::default();
        let receiver = Receiver::parse(Reader::new(&value, "receiver[0]", &faults).unwrap());
        (receiver, faults.into_parts().0.iter().map(ToString::to_string).collect())
    }

    #[test]
    fn missing_keys_have_defaults() {
        let (receiver, faults) = parse(json!({}));
        assert_eq!(faults, [""; 0]);
        let receiver = receiver.unwrap();
        let Target::Fixed(url) = &receiver.target else { panic!("{receiver:?}") };
        assert_eq!(url.as_str(), "https://hooks.example.com/revalidated");
        assert_eq!(receiver.subscription.receiver, "on-call");
        let usual = EventType::ALL.iter().filter(|kind| **kind != EventType::StatusChanged);
        let usual: Vec<_> = usual.map(|kind| kind.as_str()).collect();
        assert_eq!(receiver.subscription.events, usual);
        assert_eq!(receiver.format, Format::Standard);
        assert_eq!(receiver.timeout, Duration::from_secs(10));
        assert_eq!(receiver.connect_timeout, Duration::from_secs(5));
        assert_eq!(receiver.retry, RetryPolicy::default());
        assert_eq!(receiver.disable_after, Duration::from_hours(120));
        assert_eq!(receiver.concurrency, 8);
        assert_eq!(receiver.allow, Allow::default());
        assert_eq!(receiver.access.ca_file, None);
    }

    #[test]
    fn every_key_is_read() {
        let (receiver, faults) = parse(json!({
            "url": "http://10.1.2.3:8080/hook?token=t0ken",
            "secrets": [{ "file": "/new" }, { "env": "OLD" }, LITERAL],
            "events": ["integration.validation.*", "integration.status.changed"],
            "timeout": "3s",
            "retry": ["1s", "1m 30s"],
            "retry_after_max": "1h",
            "disable_after": "1h",
            "concurrency": 2,
            "allow": ["10.0.0.0/8", "hooks.corp.example"],
            "ca_file": "/etc/ca.pem",
        }));
        assert_eq!(faults, [""; 0]);
        let receiver = receiver.unwrap();
        assert_eq!(receiver.secrets.len(), 3);
        assert!(receiver.subscription.wants_kind(EventType::ValidationWarning));
        let timeouts = (receiver.timeout, receiver.connect_timeout);
        assert_eq!(timeouts, (Duration::from_secs(3), Duration::from_secs(3)));
        let secs = Duration::from_secs;
        let retry = RetryPolicy { waits: vec![secs(1), secs(90)], hint_max: secs(3600) };
        assert_eq!(receiver.retry, retry);
        assert_eq!(receiver.disable_after, Duration::from_hours(1));
        assert_eq!(receiver.concurrency, 2);
        assert_eq!(receiver.access.ca_file, Some(std::path::PathBuf::from("/etc/ca.pem")));
        let shown = format!("{receiver:?}");
        assert_eq!(shown, r#"Receiver { name: "on-call", host: "10.1.2.3", .. }"#);
        assert_eq!(parse(json!({ "retry": [] })).0.unwrap().retry.waits, [Duration::ZERO; 0]);
    }

    #[test]
    fn unsigned_formats_need_no_secret_and_get_only_expressible_events() {
        let of = |changes: Json| {
            let (receiver, faults) = parse(changes);
            assert_eq!(faults, [""; 0]);
            receiver.unwrap()
        };
        let url = json!({ "credential": "slack-url" });
        let slack = of(json!({ "format": "slack", "secrets": null, "url": url }));
        assert!(matches!(slack.target, Target::Kept(_)));
        assert_eq!(slack.subscription.events.len(), EventType::ALL.len() - 1);
        assert!(!format!("{slack:?}").contains("slack-url"));
        let key = json!({ "file": "/key" });
        let events = json!(["*"]);
        let pager = of(json!({
            "format": "pagerduty", "secrets": null, "routing_key": key, "events": events,
            "integrations": ["prod-*"], "types": ["Snowflake"], "labels": { "team": "data" },
        }));
        let alarms = [
            "integration.validation.failed",
            "integration.validation.recovered",
            "integration.validation.reminder",
            "integration.flapping.started",
            "integration.flapping.ended",
            "integrations.outage",
            "integrations.outage.resolved",
            "daemon.degraded",
            "daemon.recovered",
        ];
        assert_eq!(pager.subscription.events, alarms);
        assert_eq!(pager.subscription.selection.integrations, ["prod-*"]);
        let table = [
            (json!({ "format": "pagerduty", "secrets": null }), "routing_key: missing; add"),
            (json!({ "routing_key": key }), "routing_key: is only used with format"),
            (json!({ "format": "slak" }), "did you mean `slack`?"),
            (
                json!({ "format": "alertmanager", "events": ["integration.status.changed"] }),
                "unknown event \"integration.status.changed\"",
            ),
            (json!({ "url": { "credentail": "x" } }), "url"),
        ];
        for (changes, expected) in table {
            let faults = parse(changes).1.concat();
            assert!(faults.contains(expected), "{expected}: {faults}");
        }
    }

    #[test]
    #[expect(clippy::too_many_lines, reason = "one table")]
    fn each_faulty_key_is_one_fault() {
        let long = "n".repeat(101);
        let short = "whsec_aHVudGVyMmh1bnRlcjI=";
        let nine = vec![json!({ "env": "S" }); 9];
        let waits = vec!["1s"; 51];
        #[rustfmt::skip]
        let table = [
            (json!({ "name": null }), "name: missing; add `name`"),
            (json!({ "name": "a\nb" }), "name: must not contain control characters"),
            (json!({ "name": " a" }), "name: must not contain control characters nor begin"),
            (json!({ "name": long }), "name: must not be longer than 100"),
            (json!({ "url": null }), "url: missing; add `url`"),
            (json!({ "url": "hooks.example.com" }), "url: is not a URL such as \"https://"),
            (json!({ "url": "https://" }), "url: is not a URL such as"),
            (json!({ "url": "https://a b.example/" }), "url: must not contain white space or control"),
            (json!({ "url": "https://a.example/\r\nx: y" }), "url: must not contain white space"),
            (json!({ "url": "https://a.example/\tx" }), "url: must not contain white space"),
            (json!({ "url": "ftp://a.example/" }), "url: must begin with https://"),
            (json!({ "url": "file:///etc/passwd" }), "url: must begin with https://"),
            (json!({ "url": "gopher://a.example/" }), "url: must begin with https://"),
            (json!({ "url": "https://u:hunter2@a.example/" }), "url: must not contain a user name or"),
            (json!({ "url": "https://hunter2@a.example/" }), "url: must not contain a user name or"),
            (json!({ "url": "https://a.example/#f" }), "url: must not contain a fragment"),
            (json!({ "url": "https://127.1/" }), "url: 127.0.0.1 is a loopback address; name it"),
            (json!({ "url": "https://[::1]/", "allow": ["::2"] }), "url: ::1 is a loopback address"),
            (json!({ "url": "https://169.254.169.254/", "allow": ["169.254.0.0/16"] }),
                "url: 169.254.169.254 is a link-local address; only an entry in `allow` that is"),
            (json!({ "url": "http://a.example/" }),
                "url: must begin with https://, unless `allow` names a.example"),
            (json!({ "url": "http://8.8.8.8/", "allow": ["10.0.0.0/8"] }),
                "url: must begin with https://, unless `allow` names 8.8.8.8"),
            (json!({ "secrets": null }), "secrets: at least one secret is needed"),
            (json!({ "secrets": [] }), "secrets: at least one secret is needed"),
            (json!({ "secrets": "hunter2" }), "secrets: expected a list of secrets"),
            (json!({ "secrets": ["hunter2"] }), "secrets: a webhook secret begins with `whsec_`"),
            (json!({ "secrets": [LITERAL, short] }),
                "secrets: a webhook secret holds 24 to 64 bytes, not 14"),
            (json!({ "secrets": [{ "vault": "hunter2" }] }), "secrets[0]: expected { file ="),
            (json!({ "secrets": nine }), "secrets: at most 8 secrets"),
            (json!({ "events": [] }), "events: must not be empty"),
            (json!({ "events": "*" }), "events: expected a list of texts"),
            (json!({ "events": ["*", "integration.validation.faild"] }),
                "events: unknown event \"integration.validation.faild\"; \
                 did you mean `integration.validation.failed`?"),
            (json!({ "events": ["zzz.*"] }),
                "events: unknown event \"zzz.*\"; events are integration.validation.failed, "),
            (json!({ "timeout": "0s" }), "timeout: expected a duration from 100ms to 1m"),
            (json!({ "timeout": "61s" }), "timeout: expected a duration from 100ms to 1m"),
            (json!({ "connect_timeout": "11s" }),
                "connect_timeout: must not be longer than `timeout`, 10s"),
            (json!({ "retry": "5s" }), "retry: expected a list of durations"),
            (json!({ "retry": ["5s", "soon"] }),
                "retry[1]: expected a duration from 100ms to 7d such as \"30s\" or \"1h 30m\", found \"soon\""),
            (json!({ "retry": ["-5s"] }), "retry[0]: expected a duration from 100ms to 7d"),
            (json!({ "retry": ["8d"] }), "retry[0]: expected a duration from 100ms to 7d"),
            (json!({ "retry": waits }), "retry: must not have more than 50 waits"),
            (json!({ "retry_after_max": "8d" }), "retry_after_max: expected a duration from 0s to 7d"),
            (json!({ "disable_after": "59m" }), "disable_after: expected a duration from 1h to 90d"),
            (json!({ "disable_after": "91d" }), "disable_after: expected a duration from 1h to 90d"),
            (json!({ "concurrency": 0 }), "concurrency: expected a whole number from 1 to 64"),
            (json!({ "concurrency": 65 }), "concurrency: expected a whole number from 1 to 64"),
            (json!({ "allow": ["10.0.0.5/8"] }), "allow: `10.0.0.5/8` does not begin its range"),
            (json!({ "allow": ["*.corp.example"] }), "allow: `*.corp.example` is neither an address"),
            (json!({ "secret": LITERAL }), "secret: unknown key; did you mean `secrets`?"),
            (json!({ "retries": 3 }), "retries: unknown key; did you mean `retry`?"),
        ];
        for (changes, wanted) in table {
            let shown = changes.to_string();
            let (_, faults) = parse(changes);
            let [fault] = faults.as_slice() else { panic!("{shown}: {faults:#?}") };
            let wanted = format!("f.toml:7: receiver[0].{wanted}");
            assert!(fault.starts_with(&wanted), "{shown}: {fault}");
            assert!(!fault.contains("hunter2") && !fault.contains("MfKQ9r8G"), "{fault}");
        }
    }

    #[test]
    fn all_faults_are_reported_together() {
        let wrong = json!({ "name": 7, "url": "x", "secrets": [], "events": ["x"], "timeout": 1 });
        let (receiver, faults) = parse(wrong);
        assert!(receiver.is_none());
        assert_eq!(faults.len(), 5, "{faults:#?}");
    }

    #[test]
    fn plain_http_is_allowed_for_named_hosts() {
        let hosts = [
            ("http://hooks.corp.example/", "hooks.corp.example"),
            ("http://HOOKS.corp.example:81/", "hooks.corp.example"),
            ("http://localhost:8080/", "localhost"),
            ("http://127.0.0.1:8080/", "127.0.0.1"),
            ("http://[::1]:8080/", "::1"),
            ("http://192.168.1.1/", "192.168.0.0/16"),
        ];
        for (url, entry) in hosts {
            let (receiver, faults) = parse(json!({ "url": url, "allow": [entry] }));
            assert!(receiver.is_some(), "{url}: {faults:?}");
            assert!(parse(json!({ "url": url })).0.is_none(), "{url}");
        }
    }
}
