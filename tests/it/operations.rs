//! Operation of a daemon from outside: commands beside it, signals, reloads, locks and exit statuses.

use std::fs;
use std::net::TcpListener;
use std::os::unix::fs::symlink;
use std::process::{Command, Output, Stdio};
use std::time::Duration;

use serde_json::Value;

use crate::daemon::lake;
use crate::support::{Config, Daemon, Receiver, wait_for};

const SOON: Duration = Duration::from_secs(20);

/// Returns both streams of a command as text.
pub(crate) fn text(output: &Output) -> String {
    let streams = [&output.stdout, &output.stderr].map(|bytes| String::from_utf8_lossy(bytes));
    streams.concat()
}

/// Returns a receiver's table.
fn receiver(name: &str, url: &str) -> String {
    format!(
        "[[receiver]]\nname = \"{name}\"\nurl = \"{url}\"\nallow = [\"127.0.0.0/8\"]\n\
         secrets = [{{ file = \"DIR/webhook-secret\" }}]\n"
    )
}

/// Returns a configuration like `config` whose database is `path`.
fn elsewhere(text: &str, path: &std::path::Path) -> Config {
    let config = Config::new("");
    let store = format!("[store]\npath = \"{}\"\n", path.display());
    fs::write(config.path(), store + text).unwrap();
    config
}

#[test]
fn commands_with_a_broken_configuration_print_its_faults_and_go_on() {
    let hook = Receiver::start();
    let well = receiver("on-call", &hook.url) + &lake("one", "a");
    let config = Config::new(&well);
    let daemon = Daemon::start(&config);
    daemon.wait_status("one", "createError", SOON);
    let drop_ins = config.dir().join("integrations.d");
    fs::create_dir(&drop_ins).unwrap();
    let broken_key = || config.write(&(well.clone() + "surprise = true\n"));
    let broken_drop_in = || {
        config.write(&well);
        fs::write(drop_ins.join("new.toml"), "[[integration\nname = ").unwrap();
    };
    let broken_main = || {
        let text = fs::read_to_string(config.path()).unwrap();
        fs::write(config.path(), text + "[[integration\n").unwrap();
    };
    let breaks: [(&str, &dyn Fn()); 3] =
        [("unknown key", &broken_key), ("new.toml", &broken_drop_in), ("unclosed", &broken_main)];
    for (fault, make) in breaks {
        make();
        let commands: [(&[&str], &str); 8] = [
            (&["list"], "one"),
            (&["show", "one"], "createError"),
            (&["history", "one"], "createError"),
            (&["explain", "one"], "createError"),
            (&["deliveries"], "on-call"),
            (&["receivers"], "on-call"),
            (&["silences"], ""),
            (&["silences", "add", "--integration", "none", "--for", "1h", "--yes"], "none"),
        ];
        for (command, expected) in commands {
            let output = config.run(command);
            assert_eq!(output.status.code(), Some(0), "{fault} {command:?}: {}", text(&output));
            let (out, err) = (
                String::from_utf8_lossy(&output.stdout).into_owned(),
                String::from_utf8_lossy(&output.stderr).into_owned(),
            );
            assert!(out.contains(expected), "{fault} {command:?}: {out}");
            // Faults of integrations concern only what reads them all.
            let is_read = fault == "unclosed" || command == ["receivers"];
            assert_eq!(err.contains(fault), is_read, "{fault} {command:?}: {err}");
            assert_eq!(err.contains("going on with the database"), is_read, "{command:?}: {err}");
        }
        for command in ["webhook test on-call", "replay on-call --since 1h", "validate one"] {
            let said = text(&config.run(&command.split(' ').collect::<Vec<_>>()));
            let goes_on = said.contains("going on with the part that can be read");
            assert!(goes_on && said.contains(fault), "{fault} {command}: {said}");
        }
    }
}

#[test]
fn list_and_status_say_that_the_daemon_does_not_run_and_since_when() {
    let config = Config::new("");
    let status = |config: &Config| {
        let output = config.run(&["status", "--json"]);
        let json: Value = serde_json::from_slice(&output.stdout).unwrap();
        (output.status.code(), json["daemon"]["state"].as_str().unwrap().to_owned(), json)
    };
    let daemon = Daemon::start(&config);
    let pid = i64::from(daemon.pid());
    let (code, state, json) = wait_for("status", SOON, || {
        Some(status(&config)).filter(|(_, _, json)| json["isWell"] == true)
    });
    assert_eq!(
        (code, state.as_str(), json["daemon"]["pid"].as_i64()),
        (Some(0), "running", Some(pid))
    );
    assert!(text(&config.run(&["status"])).contains("The daemon runs since "));
    daemon.kill();
    let listed = text(&config.run(&["list"]));
    assert!(listed.starts_with("The daemon is not running; it was last seen at "), "{listed}");
    let (code, state, json) = status(&config);
    assert_eq!((code, state.as_str()), (Some(3), "stopped"));
    assert!(json["daemon"]["pid"].is_null() && json["daemon"]["stoppedCleanly"] == false);
    let daemon = Daemon::start(&config);
    assert!(text(&config.run(&["list"])).starts_with("The daemon runs since "));
    assert!(daemon.stop().success());
    let listed = text(&config.run(&["list"]));
    assert!(listed.starts_with("The daemon is not running; it stopped at "), "{listed}");
    let (code, _, json) = status(&config);
    assert_eq!((code, &json["daemon"]["stoppedCleanly"]), (Some(3), &Value::Bool(true)));
    let reload = config.run(&["reload"]);
    assert_eq!(reload.status.code(), Some(3), "{}", text(&reload));
    assert!(text(&reload).contains("the daemon does not run"));
}

#[test]
fn status_is_1_while_an_integration_fails() {
    let config = Config::new(&lake("one", "a"));
    let daemon = Daemon::start(&config);
    daemon.wait_status("one", "createError", SOON);
    let output = config.run(&["status"]);
    let said = text(&output);
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(said.contains("1 integration: 1 createError.\n"), "{said}");
    assert!(said.contains("\n\none (Native S3)\n  Status    createError\n"), "{said}");
    assert_eq!(config.run(&["status", "--frobnicate"]).status.code(), Some(2));
}

#[test]
fn reload_waits_and_prints_changes_or_the_faults_that_refuse_it() {
    let config = Config::new(&lake("one", "a"));
    let daemon = Daemon::start(&config);
    daemon.wait_status("one", "createError", SOON);
    config.write(&(lake("one", "a") + &lake("two", "b") + &lake("three", "c")));
    let output = config.run(&["reload"]);
    let said = text(&output);
    assert_eq!(output.status.code(), Some(0), "{said}");
    assert_eq!(said, "Configuration reloaded: 2 added (three, two).\n");
    let again = config.run(&["reload"]);
    assert_eq!(text(&again), "Configuration reloaded: nothing changed.\n");
    config.write(&(lake("one", "z") + &lake("three", "c")));
    let json = config.json(&["reload", "--json"]);
    assert_eq!(json["changes"]["changed"]["names"], serde_json::json!(["one"]));
    assert_eq!(json["changes"]["removed"]["names"], serde_json::json!(["two"]));
    assert!(json["refused"].is_null(), "{json}");

    config.write(&(lake("one", "z") + "surprise = true\n"));
    let refused = config.run(&["reload"]);
    let said = text(&refused);
    assert_eq!(refused.status.code(), Some(78), "{said}");
    assert!(said.contains("unknown key"), "{said}");
    assert!(said.contains("reload refused, the old configuration stays"), "{said}");
    let store = config.dir().join("state.db");
    let listed = text(&config.run(&["list", "--store", store.to_str().unwrap()]));
    assert!(listed.contains("The latest reload was refused at "), "{listed}");
    let json = config.json(&["status", "--json", "--store", store.to_str().unwrap()]);
    assert_eq!((&json["isWell"], &json["reload"]["number"]), (&false.into(), &4.into()));
    assert!(json["reload"]["faults"][0].as_str().unwrap().contains("unknown key"), "{json}");
    config.write(&lake("one", "z"));
    daemon.signal("HUP");
    wait_for("reload by a signal alone", SOON, || {
        let json = config.json(&["status", "--json"]);
        (json["reload"]["number"] == 5 && json["reload"]["refused"].is_null()).then_some(())
    });
    let listed = text(&config.run(&["list"]));
    assert!(!listed.contains("refused"), "{listed}");
}

#[test]
fn hangup_during_the_start_is_a_reload_after_it() {
    let config = Config::new("");
    let drop_ins = config.dir().join("integrations.d");
    fs::create_dir(&drop_ins).unwrap();
    let password = config.dir().join("aws-secret");
    for number in 0..100 {
        let table = lake(&format!("i{number}"), &format!("p{number}"));
        let table = table.replace("DIR/aws-secret", password.to_str().unwrap());
        fs::write(drop_ins.join(format!("{number}.toml")), table).unwrap();
    }
    // From the reading of the files on: a process that has not come so far cannot receive a signal.
    for wait_ms in [30, 60, 120, 240] {
        let mut child = Command::new(env!("CARGO_BIN_EXE_revalidated"))
            .args(["run", "--config", config.path().to_str().unwrap()])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let pid = child.id();
        wait_for("handler of the signal", SOON, || {
            let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
            let caught = status.lines().find_map(|line| line.strip_prefix("SigCgt:\t")).unwrap();
            let is_caught = u64::from_str_radix(caught, 16).unwrap() & 1 == 1;
            is_caught.then_some(())
        });
        std::thread::sleep(Duration::from_millis(wait_ms));
        let kill = |signal: &str| {
            assert!(
                Command::new("kill").args([signal, &pid.to_string()]).status().unwrap().success()
            );
        };
        kill("-HUP");
        wait_for("reload after the start", SOON, || {
            assert_eq!(child.try_wait().unwrap(), None, "after {wait_ms} ms");
            let output = config.run(&["status", "--json"]);
            let json: Value = serde_json::from_slice(&output.stdout).ok()?;
            let is_own = json["daemon"]["pid"].as_i64() == Some(i64::from(pid));
            (is_own && json["reload"]["number"] == 1).then_some(())
        });
        kill("-TERM");
        assert!(child.wait().unwrap().success());
    }
}

#[test]
fn second_daemon_is_refused_by_whatever_name_it_reaches_the_database() {
    let config = Config::new(&lake("one", "a"));
    let daemon = Daemon::start(&config);
    let database = config.dir().join("state.db");
    let refused = |path: &std::path::Path| {
        let output = elsewhere("", path).run(&["run"]);
        assert_eq!(output.status.code(), Some(75), "{}: {}", path.display(), text(&output));
        assert!(text(&output).contains("in use by another daemon"), "{}", text(&output));
    };
    refused(&database);
    let (link, hard) = (config.dir().join("link.db"), config.dir().join("hard.db"));
    symlink(&database, &link).unwrap();
    refused(&link);
    fs::remove_file(config.dir().join("state.db.lock")).unwrap();
    refused(&database);
    fs::hard_link(&database, &hard).unwrap();
    refused(&hard);
    fs::remove_file(&hard).unwrap();
    daemon.wait_status("one", "createError", SOON);
    assert!(daemon.stop().success());
}

#[test]
fn each_reason_not_to_start_has_its_exit_status() {
    let damaged = Config::new("");
    fs::write(damaged.dir().join("state.db"), "no database ".repeat(999)).unwrap();
    let output = damaged.run(&["run"]);
    assert_eq!(output.status.code(), Some(65), "{}", text(&output));

    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let taken = Config::new(&format!("[metrics]\nlisten = \"{address}\"\n"));
    let output = taken.run(&["run"]);
    assert_eq!(output.status.code(), Some(69), "{}", text(&output));

    let newer = Config::new("");
    assert!(Daemon::start(&newer).stop().success());
    let database = newer.dir().join("state.db");
    let mut bytes = fs::read(&database).unwrap();
    // The version that a program gave its schema, in the header of the file.
    bytes[60..64].copy_from_slice(&999_u32.to_be_bytes());
    fs::write(&database, bytes).unwrap();
    let output = newer.run(&["run"]);
    assert_eq!(output.status.code(), Some(73), "{}", text(&output));
    assert!(text(&output).contains("database schema 999 is newer"), "{}", text(&output));
}

#[test]
fn removed_files_of_the_database_are_logged_within_seconds() {
    for file in ["state.db", "state.db-wal"] {
        let config = Config::new("");
        let daemon = Daemon::start(&config);
        fs::rename(config.dir().join(file), config.dir().join("aside")).unwrap();
        let expected = format!("{file} was removed or replaced while in use");
        wait_for("line of the log", Duration::from_secs(6), || {
            let log = daemon.log();
            (log.contains("the database cannot be used") && log.contains(&expected)).then_some(())
        });
    }
}

#[test]
fn credential_out_of_reach_is_refused_with_the_line_that_has_it() {
    let table =
        lake("one", "a").replace("file = \"DIR/aws-secret\"", "credential = \"no-such-secret\"");
    let config = Config::new(&table);
    let output = config.run(&["validate", "one"]);
    let said = text(&output);
    let line = "systemd-run --pty --wait --collect -p \
                LoadCredential=no-such-secret:/etc/revalidated/secrets/no-such-secret";
    let folded: String = said.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(folded.contains(line), "{said}");
}

#[test]
fn reload_names_receivers_and_status_those_that_fail() {
    let hook = Receiver::start();
    let config = Config::new(&(receiver("on-call", &hook.url) + &lake("one", "a")));
    let daemon = Daemon::start(&config);
    daemon.wait_status("one", "createError", SOON);
    let closed = receiver("closed", "http://127.0.0.1:1/hook");
    config.write(&(receiver("on-call", &hook.url) + &closed + &lake("one", "a")));
    let said = text(&config.run(&["reload"]));
    assert_eq!(said, "Configuration reloaded: 1 receiver added (closed).\n");
    config
        .write(&(receiver("on-call", &hook.url) + &closed + &lake("one", "a") + &lake("two", "b")));
    let said = text(&config.run(&["reload"]));
    assert_eq!(said, "Configuration reloaded: 1 added (two).\n");
    let shown = wait_for("failing receiver", SOON, || {
        let shown = text(&config.run(&["status"]));
        shown.contains("Receiver closed: failing, ").then_some(shown)
    });
    assert!(!shown.contains("Receiver on-call"), "{shown}");
    assert!(!shown.contains("All is well"), "{shown}");
    let json = config.json(&["status", "--json"]);
    assert_eq!(json["receivers"][0]["name"], "closed", "{json}");
    assert_eq!(json["receivers"].as_array().unwrap().len(), 1, "{json}");
    config.write(&(receiver("on-call", &hook.url) + &lake("one", "a") + &lake("two", "b")));
    let said = text(&config.run(&["reload"]));
    assert_eq!(said, "Configuration reloaded: 1 receiver removed (closed).\n");
    let json = config.json(&["status", "--json"]);
    assert_eq!(json["receivers"].as_array().unwrap().len(), 0, "{json}");
    assert!(daemon.stop().success());
}

#[test]
fn database_that_is_put_back_is_used_again() {
    let config = Config::new(&lake("one", "a"));
    let daemon = Daemon::start(&config);
    daemon.wait_status("one", "createError", SOON);
    let (database, aside) = (config.dir().join("state.db"), config.dir().join("aside"));
    fs::rename(&database, &aside).unwrap();
    wait_for("line of the log", SOON, || {
        daemon.log().contains("state.db was removed or replaced").then_some(())
    });
    fs::rename(&aside, &database).unwrap();
    config.write(&(lake("one", "a") + &lake("two", "b")));
    let reloaded = wait_for("reload", SOON, || {
        let output = config.run(&["reload"]);
        (output.status.code() == Some(0)).then(|| text(&output))
    });
    assert_eq!(reloaded, "Configuration reloaded: 1 added (two).\n");
    daemon.wait_status("two", "createError", SOON);
    assert!(daemon.stop().success());
}

#[test]
fn json_of_list_is_the_same_array_whether_the_daemon_runs_or_not() {
    let config = Config::new(&lake("one", "a").replace("* * * * * *", "0 0 1 1 *"));
    let daemon = Daemon::start(&config);
    daemon.wait_status("one", "createError", SOON);
    let running = config.json(&["list", "--json"]);
    assert!(daemon.stop().success());
    let stopped = config.json(&["list", "--json"]);
    assert_eq!(running, stopped);
    assert_eq!(stopped.as_array().unwrap().len(), 1);
    assert_eq!(stopped[0]["name"], "one");
}

#[test]
fn folder_that_is_no_folder_is_not_called_missing() {
    let config = Config::new("");
    let file = config.dir().join("file");
    fs::write(&file, "").unwrap();
    let inside = elsewhere("", &file.join("sub/state.db"));
    let said = text(&inside.run(&["run"]));
    assert!(said.contains("may not be entered: Not a directory"), "{said}");
    let nowhere = elsewhere("", &config.dir().join("no/such/state.db"));
    let said = text(&nowhere.run(&["run"]));
    assert!(said.contains("there is no such folder; create it"), "{said}");
    let dangling = config.dir().join("link.db");
    symlink(config.dir().join("not-mounted/state.db"), &dangling).unwrap();
    let said = text(&elsewhere("", &dangling).run(&["run"]));
    assert!(said.contains("is a link that leads to no file"), "{said}");
    assert!(dangling.is_symlink(), "it was left as it is");
}
