//! Rotation: a secret that is replaced where it is kept is used at the next run, without a reload.

use std::fs;
use std::os::unix::fs::symlink;
use std::time::Duration;

use crate::support::{Config, Daemon, Postgres, SECRETS, configs};

const SOON: Duration = Duration::from_secs(20);

/// Returns the table of a Redshift integration whose password is in `place`.
fn integration(postgres: &Postgres, name: &str, place: &str) -> String {
    let table = configs::redshift(postgres, name).replace("DIR/password", place);
    format!(
        "[[integration]]\nname = \"{name}\"\ntype = \"Redshift\"\nautoBootstrap = false\n\
         schedule = \"* * * * * *\"\n[integration.config]\n{table}"
    )
}

/// Puts a secret into a folder as Kubernetes mounts one: by one rename for all files of it.
fn mount(config: &Config, version: &str, secret: &str) {
    let folder = config.dir().join("mounted");
    fs::create_dir_all(folder.join(version)).unwrap();
    fs::write(folder.join(version).join("password"), secret).unwrap();
    symlink(version, folder.join("..data_tmp")).unwrap();
    fs::rename(folder.join("..data_tmp"), folder.join("..data")).unwrap();
    if !folder.join("password").exists() {
        symlink("..data/password", folder.join("password")).unwrap();
    }
}

#[test]
fn replaced_secret_is_used_at_the_next_run_without_a_reload() {
    const NEW: &str = "second-hunter2-password";
    let postgres = Postgres::start();
    postgres.sql("postgres", &format!("CREATE ROLE watcher LOGIN PASSWORD '{}'", SECRETS[0]));
    for database in ["filed", "mounted"] {
        postgres.sql("postgres", &format!("CREATE DATABASE {database}"));
    }
    let tables = [("filed", "DIR/agent/password"), ("mounted", "DIR/mounted/password")];
    let tables = tables.map(|(name, place)| integration(&postgres, name, place));
    let config = Config::new(&tables.concat());
    fs::create_dir(config.dir().join("agent")).unwrap();
    config.secret("agent/password", SECRETS[0]);
    mount(&config, "..v1", SECRETS[0]);
    let daemon = Daemon::start(&config);
    daemon.wait_status("filed", "enabled", SOON);
    daemon.wait_status("mounted", "enabled", SOON);
    postgres.sql("postgres", &format!("ALTER ROLE watcher PASSWORD '{NEW}'"));
    daemon.wait_status("filed", "recurringValidationError", SOON);
    daemon.wait_status("mounted", "recurringValidationError", SOON);
    // As agents do: a new file in the place of the old one.
    config.secret("agent/.password.new", &format!("{NEW}\n"));
    let agent = config.dir().join("agent");
    fs::rename(agent.join(".password.new"), agent.join("password")).unwrap();
    mount(&config, "..v2", NEW);
    daemon.wait_status("filed", "enabled", SOON);
    daemon.wait_status("mounted", "enabled", SOON);
    assert!(!daemon.log().contains("configuration reloaded"), "{}", daemon.log());
    assert!(!daemon.log().contains("hunter2"));
    assert!(daemon.stop().success());
}

#[test]
fn secret_that_is_away_for_a_moment_changes_no_status() {
    let postgres = Postgres::start();
    postgres.sql("postgres", &format!("CREATE ROLE watcher LOGIN PASSWORD '{}'", SECRETS[0]));
    postgres.sql("postgres", "CREATE DATABASE filed");
    let config = Config::new(&integration(&postgres, "filed", "DIR/password"));
    let daemon = Daemon::start(&config);
    daemon.wait_status("filed", "enabled", SOON);
    fs::remove_file(config.dir().join("password")).unwrap();
    let runs = || {
        let history = config.json(&["history", "filed", "--json", "-n", "50"]);
        let all = history.as_array().unwrap();
        all.iter().filter(|one| one["class"] == "local").count()
    };
    crate::support::wait_for("a run without its secret", SOON, || (0 < runs()).then_some(()));
    assert_eq!(config.json(&["show", "filed", "--json"])["status"], "enabled");
    config.secret("password", SECRETS[0]);
    daemon.wait_status("filed", "enabled", SOON);
    assert!(daemon.stop().success());
}

#[test]
fn next_credential_is_tried_beside_the_present_one_before_it_is_rotated() {
    let postgres = Postgres::start();
    for (user, password) in [("watcher", SECRETS[0]), ("successor", "second-hunter2-password")] {
        postgres.sql("postgres", &format!("CREATE ROLE {user} LOGIN PASSWORD '{password}'"));
    }
    postgres.sql("postgres", "CREATE DATABASE filed");
    let config = Config::new(&integration(&postgres, "filed", "DIR/password"));
    config.secret("next-user", "successor\n");
    config.secret("next", "second-hunter2-password\n");
    config.secret("wrong", "third-hunter2-password\n");
    let file = |name: &str| config.dir().join(name).display().to_string();
    let user = format!("config.username={}", file("next-user"));
    let password = |name: &str| format!("config.password={}", file(name));
    let rehearse = |with: &[&str]| {
        let with = with.iter().flat_map(|with| ["--with", with]);
        let words: Vec<_> = ["rehearse", "filed"].into_iter().chain(with).collect();
        let output = config.run(&words);
        let text = [output.stdout, output.stderr].concat();
        (output.status.code(), String::from_utf8(text).unwrap())
    };
    let (end, text) = rehearse(&[&user, &password("next")]);
    assert_eq!(end, Some(0), "{text}");
    assert!(text.contains("now:  watcher\n    next: successor\n"), "{text}");
    assert!(text.ends_with("The next credential passes all tests; rotate it.\n"), "{text}");
    let (end, text) = rehearse(&[&user, &password("wrong")]);
    assert_eq!(end, Some(1), "{text}");
    let last = "The next credential fails Initial validation: basic connection test; do not rotate";
    assert!(text.contains(last) && text.contains("it. Fix: Check `username`"), "{text}");
    let (end, text) = rehearse(&[&password("password")]);
    assert_eq!(end, Some(2), "{text}");
    assert!(text.contains("would have the value that it has now"), "{text}");
    let (end, text) = rehearse(&[&format!("config.pasword={}", file("next"))]);
    assert_eq!(end, Some(2), "{text}");
    assert!(text.contains("did you mean `config.password`?"), "{text}");
    assert!(!config.dir().join("state.db").exists(), "nothing is stored");
    // The same user and secret, which are refused: the second run does not send them again.
    config.secret("password", "stale-hunter2-password\n");
    config.secret("database", "mounted\n");
    let refused = || {
        let log = fs::read_to_string(&postgres.facts["log"]).unwrap();
        log.matches("password authentication failed for user \\\"watcher\\\"").count()
    };
    let before = refused();
    let (end, text) = rehearse(&[&format!("config.database={}", file("database"))]);
    assert_eq!(end, Some(1), "{text}");
    assert_eq!(refused() - before, 1, "{text}");
}
