//! The interface over HTTP of the program as a process: what it answers equals what commands print, and events are
//! caught up with across its ends.

use std::process::Command;
use std::time::Duration;

use serde_json::Value;

use crate::daemon::lake;
use crate::support::{Config, Daemon, Delivery, Receiver, revalidated, wait_for};

const SOON: Duration = Duration::from_secs(20);

/// Returns the answer to a request over the daemon's own socket, asked by curl.
fn ask(config: &Config, path: &str) -> Value {
    let socket = config.dir().join("api.sock");
    let output = Command::new("curl")
        .args(["--silent", "--show-error", "--max-time", "20", "--unix-socket"])
        .arg(socket)
        .arg(format!("http://localhost{path}"))
        .output()
        .unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    serde_json::from_str(&text).unwrap_or_else(|error| {
        panic!("{path}: {error}: {text}{}", String::from_utf8_lossy(&output.stderr))
    })
}

/// Returns a configuration with a socket, a receiver, and two integrations; `off` is disabled or not.
fn text(receiver: &Receiver, is_off: bool) -> String {
    let seldom = |name: &str| lake(name, name).replace("* * * * * *", "0 0 1 1 *");
    let off = format!("disabled = {is_off}\nautoBootstrap");
    let off = seldom("off").replace("autoBootstrap", &off);
    let audit = format!(
        "[[receiver]]\nname = \"audit\"\nurl = \"{}\"\nallow = [\"127.0.0.0/8\"]\n\
         events = [\"*\"]\nsecrets = [{{ file = \"DIR/webhook-secret\" }}]\n",
        receiver.url
    );
    let http =
        "[http]\nlisten = [\"unix:DIR/api.sock\"]\nurl = \"https://status.example.com/up\"\n";
    format!("{http}{audit}{}{off}", seldom("one"))
}

#[test]
fn interface_and_commands_say_the_same() {
    let receiver = Receiver::start();
    let config = Config::new(&text(&receiver, true));
    let daemon = Daemon::start(&config);
    wait_for("two messages", SOON, || (2 <= receiver.deliveries().len()).then_some(()));
    let run = || {
        let shown = ask(&config, "/api/v1/integrations/one");
        shown["revalidated"]["lastRun"].is_object().then_some(())
    };
    wait_for("a run", SOON, run);
    assert!(
        config.run(&["silences", "add", "--type", "Native S3", "--for", "2h"]).status.success()
    );
    let pairs: &[(&[&str], &str)] = &[
        (&["list", "--json"], "/api/v1/integrations?view=full"),
        (&["show", "one", "--json"], "/api/v1/integrations/one"),
        (&["show", "off", "--json"], "/api/v1/integrations/off"),
        (&["explain", "one", "--json"], "/api/v1/integrations/one/explain"),
        (&["receivers", "--json"], "/api/v1/receivers"),
        (&["deliveries", "--json"], "/api/v1/deliveries"),
        (&["silences", "--json"], "/api/v1/silences"),
        (&["audit", "--json"], "/api/v1/audit"),
    ];
    for (command, path) in pairs {
        let (printed, answered) = (config.json(command), ask(&config, path));
        let answered = if answered["items"].is_array() { &answered["items"] } else { &answered };
        assert_eq!(&printed, answered, "{command:?} {path}");
    }
    let linked = |one: &Delivery| {
        let data = &one.json()["data"];
        (data["integration"]["name"] == "one").then(|| data["links"]["page"].clone())
    };
    let links: Vec<_> = receiver.deliveries().iter().filter_map(linked).collect();
    assert!(
        !links.is_empty() && links.iter().all(|link| link == "https://status.example.com/up/i/one")
    );
    let url = ask(&config, "/api/v1/receivers/audit")["url"].as_str().unwrap().to_owned();
    assert!(receiver.url.starts_with(&url) && url.starts_with("http://127.0.0.1:"), "{url}");
    assert!(daemon.stop().success());
}

#[test]
fn commands_print_the_same_from_the_socket_and_from_the_database() {
    let receiver = Receiver::start();
    let config = Config::new(&text(&receiver, true));
    let daemon = Daemon::start(&config);
    let run = || {
        let shown = ask(&config, "/api/v1/integrations/one");
        shown["revalidated"]["lastRun"].is_object().then_some(())
    };
    wait_for("a run", SOON, run);
    // The database of this one cannot be opened, and its daemon is the same.
    let other = config.dir().join("other.toml");
    let socket = config.dir().join("api.sock");
    let lines = format!(
        "[store]\npath = \"{}\"\n[http]\nlisten = [\"unix:{}\"]\n",
        config.dir().join("none/state.db").display(),
        socket.display()
    );
    std::fs::write(&other, lines).unwrap();
    let over_socket =
        |command: &[&str]| revalidated(&[command, &["--config", other.to_str().unwrap()]].concat());
    let commands: [&[&str]; 7] = [
        &["list", "--json"],
        &["list", "--json", "--failing"],
        &["list", "--json", "--type", "Native S3", "--sort", "next"],
        &["show", "one", "--json"],
        &["show", "off", "--json"],
        &["explain", "one", "--json"],
        &["explain", "off", "--json"],
    ];
    for command in commands {
        let (from_store, from_socket) = (config.run(command), over_socket(command));
        assert!(2 < from_store.stdout.len(), "{command:?}");
        assert_eq!(
            String::from_utf8_lossy(&from_socket.stdout),
            String::from_utf8_lossy(&from_store.stdout),
            "{command:?}: {}",
            String::from_utf8_lossy(&from_socket.stderr)
        );
        assert_eq!(from_socket.status.code(), from_store.status.code(), "{command:?}");
    }
    let status =
        |output: std::process::Output| -> Value { serde_json::from_slice(&output.stdout).unwrap() };
    let mut both =
        [config.run(&["status", "--json"]), over_socket(&["status", "--json"])].map(status);
    for one in &mut both {
        let live = one.as_object_mut().unwrap().remove("live").unwrap();
        assert!(live["runsLimit"].as_u64().is_some_and(|limit| 0 < limit), "{live}");
        assert_eq!(live["loops"][0]["standsStill"], false, "{live}");
    }
    assert_eq!(both[0], both[1]);
    let database = config.dir().join("state.db");
    let without = status(revalidated(&["status", "--json", "--store", database.to_str().unwrap()]));
    assert_eq!(without["live"], Value::Null, "a database that is named may be of any daemon");
    let unknown = over_socket(&["show", "two", "--json"]);
    assert_eq!(unknown.status.code(), Some(2), "{unknown:?}");
    let text = over_socket(&["list"]);
    let said = String::from_utf8_lossy(&text.stderr).into_owned();
    assert!(!text.status.success() && said.contains("with --json the running daemon"), "{said}");
    assert!(daemon.stop().success());
}

#[test]
fn events_are_caught_up_with_across_kills() {
    let receiver = Receiver::start();
    let config = Config::new(&text(&receiver, false));
    let (mut seen, mut after) = (Vec::<i64>::new(), "0".to_owned());
    for life in 0..6 {
        config.write(&text(&receiver, life % 2 == 0));
        let daemon = Daemon::start(&config);
        let latest = || ask(&config, "/api/v1/version")["latestEvent"].as_i64().unwrap();
        let known = seen.last().copied().unwrap_or(0);
        wait_for("an event", SOON, || (known < latest()).then_some(()));
        let epoch = ask(&config, "/api/v1/version")["epoch"].as_str().unwrap().to_owned();
        loop {
            let page = ask(&config, &format!("/api/v1/events?after={after}&limit=2"));
            for event in page["items"].as_array().unwrap() {
                let number = event["number"].as_i64().unwrap();
                seen.push(number);
                after = format!("{epoch}.{number}");
            }
            if page["next"].is_null() {
                break;
            }
        }
        daemon.kill();
    }
    assert!(6 <= seen.len(), "{seen:?}");
    let expected: Vec<_> = (1..).take(seen.len()).collect();
    assert_eq!(seen, expected, "each number once, in order");
}
