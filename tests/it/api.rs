//! The interface over HTTP of the program as a process: what it answers equals what commands print, and events are
//! caught up with across its ends.

use std::process::Command;
use std::time::Duration;

use serde_json::Value;

use crate::daemon::lake;
use crate::support::{Config, Daemon, Receiver, wait_for};

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
    format!("[http]\nlisten = [\"unix:DIR/api.sock\"]\n{audit}{}{off}", seldom("one"))
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
    let url = ask(&config, "/api/v1/receivers/audit")["url"].as_str().unwrap().to_owned();
    assert!(receiver.url.starts_with(&url) && url.starts_with("http://127.0.0.1:"), "{url}");
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
