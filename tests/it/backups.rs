//! Backups of a damaged database, and the way back by the line that the daemon prints.

use std::fs;

use crate::operations::text;
use crate::support::{Config, Daemon, revalidated};

#[test]
fn damaged_database_is_left_as_it_is_and_restored_by_the_printed_line() {
    let config = Config::new("");
    assert!(Daemon::start(&config).stop().success());
    let database = config.dir().join("state.db");
    let backups = config.dir().join("backups");
    fs::create_dir(&backups).unwrap();
    let made = config.run(&["backup", "--verify", backups.to_str().unwrap()]);
    assert!(made.status.success(), "{}", text(&made));
    let mut bytes = fs::read(&database).unwrap();
    bytes[..16].copy_from_slice(b"no database here");
    fs::write(&database, &bytes).unwrap();
    for command in ["run", "list", "status"] {
        let output = config.run(&[command]);
        assert!(text(&output).contains("is damaged, and was left as it is"), "{}", text(&output));
    }
    assert_eq!(fs::read(&database).unwrap(), bytes);

    let said = text(&config.run(&["run"]));
    let (_, line) = said.split_once("to restore it: revalidated ").unwrap();
    let words: Vec<_> = line.split_whitespace().chain(["--yes"]).collect();
    let restored = revalidated(&words);
    assert!(restored.status.success(), "{line}: {}", text(&restored));
    assert!(Daemon::start(&config).stop().success());
    let kept = fs::read_dir(config.dir()).unwrap().map(|entry| entry.unwrap().file_name());
    // Its log and its index have names that go on after the instant.
    let is_aside = |name: &std::ffi::OsString| {
        let name = name.to_str().unwrap();
        name.starts_with("state.db.before-restore-") && name.ends_with('Z')
    };
    assert_eq!(kept.filter(is_aside).count(), 1);
}
