//! Integrations from a table, as an operator makes them.

use std::path::Path;

use crate::support::revalidated;

const MAIN: &str = "\
[[template]]
name = \"lakes\"
type = \"Native S3\"
autoBootstrap = false
labels = { team = \"data\" }
[template.config]
awsAccountId = \"111122223333\"
awsRegion = \"eu-central-1\"
awsLocationRole = \"arn:aws:iam::111122223333:role/access-grants\"
authenticationType = \"auto\"
";

/// Runs the program on the configuration in `folder`; returns its exit code and both outputs.
fn run(folder: &Path, arguments: &[&str]) -> (Option<i32>, String, String) {
    let main = folder.join("revalidated.toml").display().to_string();
    let output = revalidated(&[&["--config", &main], arguments].concat());
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (output.status.code(), text(output.stdout), text(output.stderr))
}

#[test]
fn table_of_300_lines_is_300_integrations_and_a_faulty_one_changes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("revalidated.toml"), MAIN).unwrap();
    let lines = (0..300).map(|number| format!("lake-{number},l{number},s3://bucket-{number}/x/\n"));
    let heading = "name,config.name,config.awsLocationPath\n".to_owned();
    let table = folder.path().join("fleet.csv");
    std::fs::write(&table, std::iter::once(heading).chain(lines).collect::<String>()).unwrap();
    let import = ["import", "csv", table.to_str().unwrap(), "--template", "lakes"];

    let (code, said, problems) = run(folder.path(), &import);
    assert_eq!(code, Some(0), "{problems}");
    assert!(said.starts_with("300 integrations written to "), "{said}");
    let (code, checked, problems) = run(folder.path(), &["check", "--json"]);
    assert_eq!(code, Some(0), "{problems}");
    let checked: serde_json::Value = serde_json::from_str(&checked).unwrap();
    assert_eq!(checked["integrations"].as_array().unwrap().len(), 300);

    let drop_in = folder.path().join("integrations.d/fleet.toml");
    let before = std::fs::read(&drop_in).unwrap();
    std::fs::write(&table, "name,config.awsRegoin\nlake-0,eu-central-1\n").unwrap();
    let (code, _, problems) = run(folder.path(), &[&import[..], &["--replace"]].concat());
    assert_eq!(code, Some(78), "{problems}");
    assert!(problems.contains("fleet.csv:2: config.awsRegoin: unknown key"), "{problems}");
    assert_eq!(std::fs::read(&drop_in).unwrap(), before);
}
