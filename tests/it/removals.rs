//! Removals of integrations: the guard against mass removals, and names that come back.

use std::fs;
use std::process::{Command, Stdio};
use std::time::Duration;

use serde_json::Value;

use crate::daemon::lake;
use crate::operations::text;
use crate::receivers::receiver;
use crate::support::{Config, Daemon, Receiver, wait_for};

const SOON: Duration = Duration::from_secs(20);

/// Writes so many drop-ins into the folder of `config`.
fn drop_ins(config: &Config, count: usize) -> std::path::PathBuf {
    let folder = config.dir().join("integrations.d");
    fs::create_dir_all(&folder).unwrap();
    let secret = config.dir().join("aws-secret");
    for number in 0..count {
        let table = lake(&format!("i{number:02}"), &format!("p{number}"));
        let table = table.replace("DIR/aws-secret", secret.to_str().unwrap());
        let table = table.replace("* * * * * *", "0 0 1 1 *");
        fs::write(folder.join(format!("{number:02}.toml")), table).unwrap();
    }
    folder
}

/// Returns the ids of all integrations that are not deleted, by name.
fn ids(config: &Config) -> Vec<(String, i64)> {
    let listed = config.json(&["list", "--json"]);
    let id = |one: &Value| (one["name"].as_str().unwrap().to_owned(), one["id"].as_i64().unwrap());
    listed.as_array().unwrap().iter().map(id).collect()
}

/// Waits until so many integrations are in `createError`: each had its first run, and none is interrupted.
fn wait_for_errors(config: &Config, count: usize) {
    wait_for("first results", SOON, || {
        let listed = config.json(&["list", "--json", "--status", "createError"]);
        (listed.as_array().unwrap().len() == count).then_some(())
    });
}

#[test]
fn vanished_drop_ins_remove_nothing_at_a_reload() {
    let config = Config::new("");
    let folder = drop_ins(&config, 12);
    let daemon = Daemon::start(&config);
    wait_for_errors(&config, 12);
    let before = ids(&config);
    fs::rename(&folder, config.dir().join("away")).unwrap();
    let refused = config.run(&["reload"]);
    assert_eq!(refused.status.code(), Some(78), "{}", text(&refused));
    assert!(text(&refused).contains("held drop-ins and is gone"), "{}", text(&refused));
    assert!(text(&config.run(&["list"])).contains("The latest reload was refused"));
    assert_eq!(ids(&config), before);
    fs::create_dir(&folder).unwrap();
    let refused = config.run(&["reload"]);
    assert_eq!(refused.status.code(), Some(78), "{}", text(&refused));
    assert!(
        text(&refused).contains("12 of 12 integrations would be removed"),
        "{}",
        text(&refused)
    );
    fs::remove_dir(&folder).unwrap();
    fs::rename(config.dir().join("away"), &folder).unwrap();
    assert_eq!(text(&config.run(&["reload"])), "Configuration reloaded: nothing changed.\n");
    assert_eq!(ids(&config), before);
    assert!(daemon.stop().success());
}

#[test]
fn removals_beyond_the_limit_are_made_once_they_are_allowed() {
    let config = Config::new("");
    let folder = drop_ins(&config, 12);
    let daemon = Daemon::start(&config);
    let remove = |numbers: std::ops::Range<usize>| {
        numbers
            .for_each(|number| fs::remove_file(folder.join(format!("{number:02}.toml"))).unwrap());
    };
    remove(0..3);
    let output = config.run(&["reload"]);
    assert!(text(&output).contains("3 removed (i00, i01, i02)"), "{}", text(&output));
    remove(3..7);
    let refused = config.run(&["reload"]);
    assert_eq!(refused.status.code(), Some(78), "{}", text(&refused));
    assert!(text(&refused).contains("4 of 9 integrations would be removed (i03, i04, i05, i06)"));
    let few = config.run(&["reload", "--allow-removals", "3"]);
    assert_eq!(few.status.code(), Some(78), "{}", text(&few));
    let allowed = config.run(&["reload", "--allow-removals", "4"]);
    assert_eq!(allowed.status.code(), Some(0), "{}", text(&allowed));
    wait_for("end of the removals", SOON, || (ids(&config).len() == 5).then_some(()));
    remove(7..11);
    let again = config.run(&["reload"]);
    assert_eq!(again.status.code(), Some(78), "allowed once only: {}", text(&again));
    assert!(daemon.stop().success());
}

#[test]
fn start_without_the_drop_ins_goes_on_with_the_stored_configuration() {
    let config = Config::new("");
    let folder = drop_ins(&config, 6);
    let first = Daemon::start(&config);
    wait_for_errors(&config, 6);
    assert!(first.stop().success());
    let before = ids(&config);
    assert_eq!(before.len(), 6);
    fs::rename(&folder, config.dir().join("away")).unwrap();
    let daemon = Daemon::start(&config);
    assert_eq!(ids(&config), before);
    let status = config.run(&["status"]);
    assert_eq!(status.status.code(), Some(1), "{}", text(&status));
    assert!(text(&status).contains("The configuration was refused at "), "{}", text(&status));
    daemon.wait_status("i00", "createError", SOON);
    assert!(daemon.stop().success());
    let mut allowed = Command::new(env!("CARGO_BIN_EXE_revalidated"))
        .args(["run", "--allow-removals", "6", "--config", config.path().to_str().unwrap()])
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    wait_for("removal of all", SOON, || {
        let output = config.run(&["status", "--json"]);
        let json: Value = serde_json::from_slice(&output.stdout).ok()?;
        let own = json["daemon"]["pid"].as_u64() == Some(u64::from(allowed.id()));
        (own && json["integrations"].as_object().unwrap().is_empty()).then_some(())
    });
    allowed.kill().unwrap();
    allowed.wait().unwrap();
}

#[test]
fn name_that_comes_back_keeps_its_id() {
    let config = Config::new(&(lake("one", "a") + &lake("two", "b")));
    let daemon = Daemon::start(&config);
    daemon.wait_status("one", "createError", SOON);
    let before = ids(&config);
    config.write(&lake("two", "b"));
    assert!(text(&config.run(&["reload"])).contains("1 removed (one)"));
    daemon.wait_status("one", "deleted", SOON);
    config.write(&(lake("one", "a") + &lake("two", "b")));
    assert!(text(&config.run(&["reload"])).contains("1 added (one)"));
    assert_eq!(ids(&config), before);
    daemon.wait_status("one", "createError", SOON);
    assert!(daemon.stop().success());
}

#[test]
fn receivers_go_on_as_stored_when_a_start_would_remove_them() {
    let listening = Receiver::start();
    let receivers: String =
        (0..4).map(|number| receiver(&format!("r{number}"), &listening.url)).collect();
    let config = Config::new(&(receivers + &lake("one", "a")));
    let first = Daemon::start(&config);
    first.wait_status("one", "createError", SOON);
    listening.wait("one", "createError", 0);
    assert!(first.stop().success());
    let disabled =
        lake("one", "a").replace("confirm_runs = 1", "confirm_runs = 1\ndisabled = true");
    config.write(&disabled);
    let before = listening.deliveries().len();
    let daemon = Daemon::start(&config);
    assert!(daemon.log().contains("4 of 4 receivers would be removed"), "{}", daemon.log());
    listening.wait("one", "disabled", before);
    let shown = config.json(&["receivers", "--json"]);
    let states: Vec<_> = shown.as_array().unwrap().iter().map(|one| one["state"].clone()).collect();
    assert_eq!(states, ["enabled"; 4]);
    assert!(daemon.stop().success());
}

#[test]
fn id_that_another_has_is_refused_and_one_that_is_free_is_given() {
    let with_id = |name: &str, id: u32| {
        lake(name, name)
            .replace("[integration.config]", &format!("id = {id}\n[integration.config]"))
    };
    let config = Config::new(&with_id("one", 5));
    let daemon = Daemon::start(&config);
    assert_eq!(ids(&config), [("one".to_owned(), 5)]);
    config.write(&(with_id("one", 5) + &with_id("two", 9)));
    assert!(text(&config.run(&["reload"])).contains("1 added (two)"));
    for (changed, expected) in [
        (with_id("one", 5) + &with_id("three", 9), "three cannot have the id 9: two has or had it"),
        (with_id("one", 6) + &with_id("two", 9), "one keeps the id 5"),
        (with_id("one", 5) + &with_id("two", 5), "duplicate id 5: the integration at"),
    ] {
        config.write(&changed);
        let refused = config.run(&["reload"]);
        assert_eq!(refused.status.code(), Some(78), "{}", text(&refused));
        let said = text(&refused) + &daemon.log();
        assert!(said.contains(expected), "{expected}: {said}");
    }
    assert_eq!(ids(&config), [("one".to_owned(), 5), ("two".to_owned(), 9)]);
    assert!(daemon.stop().success());
}
