//! Metrics of a running daemon, read by the Prometheus project's own library.

use std::collections::BTreeSet;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::Command;
use std::time::Duration;

use serde_json::Value;

use crate::daemon::lake;
use crate::support::{Config, Daemon, Receiver, SECRETS, wait_for};

const SOON: Duration = Duration::from_secs(20);
const SERVED: &str = "[metrics]\nlisten = \"127.0.0.1:0\"\n";

/// Returns the address at which the daemon serves its metrics, from its log.
fn address(daemon: &Daemon<'_>) -> String {
    let log = daemon.log();
    let (_, rest) = log.split_once("metrics at http://").unwrap();
    rest.split_once("/metrics").unwrap().0.to_owned()
}

/// Returns the text of one scrape, in `OpenMetrics` or in the classic format.
fn scraped(address: &str, is_classic: bool) -> String {
    let mut stream = TcpStream::connect(address).unwrap();
    let accept = if is_classic { "accept: text/plain\r\n" } else { "" };
    let request =
        format!("GET /metrics HTTP/1.1\r\nhost: {address}\r\n{accept}connection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    assert!(head.starts_with("HTTP/1.1 200 OK"), "{head}");
    let kind =
        if is_classic { "text/plain; version=0.0.4" } else { "application/openmetrics-text" };
    assert!(head.contains(&format!("content-type: {kind}; ")), "{head}");
    body.to_owned()
}

/// Samples of one scrape, as the Prometheus library reads them.
struct Samples(Vec<Value>);

impl Samples {
    fn of(daemon: &Daemon<'_>) -> Self {
        Self::read(&scraped(&address(daemon), false), &[])
    }

    fn classic(daemon: &Daemon<'_>) -> Self {
        Self::read(&scraped(&address(daemon), true), &["classic"])
    }

    fn read(text: &str, form: &[&str]) -> Self {
        let leaked = SECRETS.iter().position(|secret| text.contains(secret));
        assert_eq!(leaked, None, "a secret of this number is in the metrics");
        assert!(!text.contains("hook-token"), "a part of a URL is in the metrics");
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("metrics.txt");
        std::fs::write(&path, text).unwrap();
        let mut read = Command::new("tests/verify/metrics.sh");
        let read = read.arg(&path).args(form).output().unwrap();
        let error = String::from_utf8_lossy(&read.stderr);
        assert!(read.status.success(), "{error}\n{text}");
        Self(serde_json::from_slice(&read.stdout).unwrap())
    }

    /// Returns the names of the samples; the classic format has no instants of creation.
    fn names(&self) -> BTreeSet<&str> {
        let names = self.0.iter().map(|one| one["name"].as_str().unwrap());
        names.filter(|name| !name.ends_with("_created")).collect()
    }

    /// Returns the sum of the samples of this name that have these labels.
    fn value(&self, name: &str, labels: &[(&str, &str)]) -> f64 {
        let fits = |one: &&Value| {
            one["name"] == name && labels.iter().all(|(key, value)| one["labels"][key] == *value)
        };
        let found: Vec<_> = self.0.iter().filter(fits).collect();
        assert!(!found.is_empty(), "no {name} {labels:?} in {:#?}", self.0);
        found.iter().map(|one| one["value"].as_f64().unwrap()).sum()
    }

    /// Returns the same sum for a whole number.
    fn count(&self, name: &str, labels: &[(&str, &str)]) -> u64 {
        self.value(name, labels).to_string().parse().unwrap()
    }
}

fn install() {
    let installed = Command::new("tests/verify/install.sh").output().unwrap();
    assert!(installed.status.success(), "{}", String::from_utf8_lossy(&installed.stderr));
}

#[test]
fn running_daemon_serves_metrics_without_secrets() {
    install();
    let (well, gone) = (Receiver::start(), Receiver::start());
    gone.answer(&[410]);
    let receiver = |name: &str, url: &str| {
        format!(
            "[[receiver]]\nname = \"{name}\"\nurl = \"{url}?hook-token\"\n\
             allow = [\"127.0.0.0/8\"]\nsecrets = [{{ file = \"DIR/webhook-secret\" }}]\n"
        )
    };
    let receivers = receiver("well", &well.url) + &receiver("gone", &gone.url);
    let config = Config::new(&(SERVED.to_owned() + &receivers + &lake("one \\\"quoted\\\"", "a")));
    let daemon = Daemon::start(&config);
    let samples = wait_for("failed run and its messages", SOON, || {
        let samples = Samples::of(&daemon);
        let failed = samples.count("revalidated_integrations", &[("status", "createError")]);
        let disabled = samples.count("revalidated_receiver_disabled", &[("receiver", "gone")]);
        let is_delivered = |one: &&Value| one["labels"]["outcome"] == "delivered";
        let delivered = samples.0.iter().find(is_delivered);
        let both = delivered.is_some_and(|one| 2.0 <= one["value"].as_f64().unwrap());
        (0 < failed && 0 < disabled && both).then_some(samples)
    });
    let one = [("integration", "one \"quoted\"")];
    let status = [one[0], ("status", "createError"), ("platform", "Native S3")];
    assert_eq!(samples.count("revalidated_integration_status", &status), 1);
    let ran_at = samples.value("revalidated_integration_last_run_timestamp_seconds", &one);
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
    assert!((now.as_secs_f64() - ran_at).abs() < 60.0, "{ran_at}");
    let failed = [("result", "failed"), ("class", "unreachable")];
    assert!(1 <= samples.count("revalidated_runs_total", &failed));
    for name in ["revalidated_run_duration_seconds_count", "revalidated_run_lateness_seconds_count"]
    {
        assert_eq!(samples.count(name, &[]), samples.count("revalidated_runs_total", &[]));
    }
    let outcome = |receiver, outcome| {
        let labels = [("receiver", receiver), ("outcome", outcome)];
        samples.count("revalidated_delivery_attempts_total", &labels)
    };
    assert_eq!(outcome("gone", "gone"), 1);
    assert!(2 <= outcome("well", "delivered"));
    // The configuration that was put in force, and the failure.
    assert_eq!(samples.count("revalidated_deliveries_pending", &[("receiver", "gone")]), 2);
    let age =
        samples.value("revalidated_deliveries_oldest_pending_age_seconds", &[("receiver", "gone")]);
    assert!(0.0 < age && age < 60.0, "{age}");
    assert_eq!(samples.count("revalidated_runs_limit", &[("limit", "runs")]), 64);
    assert_eq!(samples.count("revalidated_runs_waiting", &[]), 0);
    assert_eq!(samples.count("revalidated_store_readable", &[]), 1);
    assert_eq!(samples.count("revalidated_store_failures_total", &[]), 0);
    assert_eq!(samples.count("revalidated_daemon_fault", &[]), 0);
    assert!(0 < samples.count("revalidated_planner_rounds_total", &[]));
    assert!(0 < samples.count("revalidated_outbox_rounds_total", &[]));
    let version = [("version", env!("CARGO_PKG_VERSION"))];
    assert_eq!(samples.count("revalidated_build_info", &version), 1);
    let classic = Samples::classic(&daemon);
    assert_eq!(classic.names(), samples.names());
    assert!(1 <= classic.count("revalidated_runs_total", &failed));
    // A request that never ends does not delay the shutdown.
    let mut open = TcpStream::connect(address(&daemon)).unwrap();
    open.write_all(b"GET /metrics HTTP/1.1\r\n").unwrap();
    assert!(daemon.stop().success());
}

#[test]
fn runs_that_wait_for_a_busy_host_are_counted_and_logged() {
    install();
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let host = silent.local_addr().unwrap().to_string();
    let limits = "[limits]\nruns_per_host = 1\n[shutdown]\ndrain = \"0s\"\n";
    let lakes = ["one", "two", "three"]
        .map(|name| lake(name, name).replace("http://127.0.0.1:1", &format!("http://{host}")));
    let keyless = lake("four", "four").replace("DIR/aws-secret", "DIR/missing");
    let config = Config::new(&(SERVED.to_owned() + limits + &lakes.concat() + &keyless));
    let daemon = Daemon::start(&config);
    let waiting = [("limit", "runs_per_host")];
    wait_for("runs that wait", SOON, || {
        let samples = Samples::of(&daemon);
        let waiting = samples.count("revalidated_runs_waiting", &waiting);
        let fault = samples.count("revalidated_daemon_fault", &[("fault", "validation")]);
        (fault == 1 && waiting == 2 && samples.count("revalidated_runs_in_flight", &[]) == 1)
            .then_some(())
    });
    let logged = format!("runs wait for a permit at {host}: 2, since");
    wait_for("warning", SOON, || daemon.log().contains(&logged).then_some(()));
    assert_eq!(daemon.log().matches("runs wait for a permit").count(), 1);
    assert!(daemon.stop().success());
}

#[test]
fn port_in_use_ends_the_start_with_an_error() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap();
    let served = |listen: &str| format!("[metrics]\nlisten = \"{listen}\"\n");
    let config = Config::new(&(served(&address.to_string()) + &lake("one", "a")));
    let output = config.run(&["run"]);
    let text = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(69), "{text}");
    let said = format!("metrics cannot be served at {address}: Address already in use");
    assert!(text.contains(&said), "{text}");
    assert!(!config.dir().join("state.db").exists(), "nothing was begun");
    config.write(&served("9464"));
    let output = config.run(&["run"]);
    assert_eq!(output.status.code(), Some(78), "{}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn refused_reload_is_a_metric_until_one_is_applied() {
    install();
    let served = SERVED.to_owned() + &lake("one", "a");
    let config = Config::new(&served);
    let daemon = Daemon::start(&config);
    let success = |daemon: &Daemon<'_>| {
        let samples = Samples::of(daemon);
        let loaded_at = samples.value("revalidated_config_loaded_timestamp_seconds", &[]);
        (samples.count("revalidated_config_reload_success", &[]), loaded_at)
    };
    let (first, started_at) = success(&daemon);
    assert_eq!(first, 1);
    config.write(&(served.clone() + "surprise = true\n"));
    let store = config.dir().join("state.db");
    let store = store.to_str().unwrap();
    assert_eq!(config.run(&["reload", "--store", store]).status.code(), Some(78));
    let (refused, loaded_at) = success(&daemon);
    assert_eq!(refused, 0);
    assert!((loaded_at - started_at).abs() < f64::EPSILON, "{loaded_at}, not {started_at}");
    config.write(&(served + &lake("two", "b")));
    let output = config.run(&["reload", "--json"]);
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    let json: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(json["number"], 2);
    assert_eq!(json["changes"]["added"]["names"], serde_json::json!(["two"]));
    let (applied, loaded_at) = success(&daemon);
    assert_eq!(applied, 1);
    assert!(started_at < loaded_at, "{loaded_at}, not after {started_at}");
    let integrations = Samples::of(&daemon);
    assert_eq!(integrations.count("revalidated_integration_status", &[]), 2);
}
