//! Imports as commands: golden drop-ins by source, tables, differences, and a tenant that answers.

use std::collections::BTreeMap;
use std::path::PathBuf;

use clap::Parser as _;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use super::super::args::{Arguments, Command};
use super::*;

const MAIN: &str = "\
[[template]]
name = \"eu\"
type = \"Redshift\"
autoBootstrap = false
[template.config]
host = \"h\"
initialDatabase = \"dev\"
authenticationType = \"userPassword\"
username = \"u\"
password = { env = \"PASSWORD\" }
";

fn parsed(folder: &Path, rest: &str) -> (Global, Import) {
    let folder = folder.display().to_string();
    let line =
        format!("revalidated --config {folder}/main.toml import {rest}").replace('@', &folder);
    let Arguments { global, command } = Arguments::try_parse_from(line.split(' ')).unwrap();
    let Some(Command::Import(args)) = command else { panic!("{line}") };
    (global, args)
}

async fn import(folder: &Path, rest: &str) -> Result<Answer, CommandError> {
    let (global, args) = parsed(folder, rest);
    answer(&global, &args).await
}

#[tokio::test]
async fn three_hundred_integrations_come_from_one_table() {
    let folder = tempfile::tempdir().unwrap();
    let (main, table) = (folder.path().join("main.toml"), folder.path().join("fleet.csv"));
    std::fs::write(&main, MAIN).unwrap();
    let lines = (0..300).map(|number| format!("w{number},db{number}\n"));
    let lines: String = std::iter::once("name,config.database\n".to_owned()).chain(lines).collect();
    std::fs::write(table, lines).unwrap();
    let csv = "csv @/fleet.csv --template eu";
    let dry = import(folder.path(), &format!("{csv} --dry-run")).await.unwrap().text;
    assert!(dry.contains("+name = \"w0\"\n") && dry.contains("Nothing is written."), "{dry}");
    let drop_in = folder.path().join("integrations.d/fleet.toml");
    assert!(!drop_in.exists());
    let said = import(folder.path(), csv).await.unwrap().text;
    assert!(said.starts_with("300 integrations written to "), "{said}");
    let assembly = daemon::open(Some(&main)).unwrap();
    assert_eq!(assembly.integrations.len(), 300);
    let again = import(folder.path(), csv).await.unwrap_err().to_string();
    assert!(again.contains("--replace"), "{again}");
    let before = std::fs::read(&drop_in).unwrap();
    import(folder.path(), &format!("{csv} --replace")).await.unwrap();
    assert_eq!(std::fs::read(drop_in).unwrap(), before);
    let dry = import(folder.path(), &format!("{csv} --dry-run")).await.unwrap().text;
    assert!(dry.contains("is there already, and the same."), "{dry}");
}

#[tokio::test]
async fn table_with_a_fault_writes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("main.toml"), MAIN).unwrap();
    let table = "name,config.database,config.prot\na,db,5439\na,db,\n";
    std::fs::write(folder.path().join("fleet.csv"), table).unwrap();
    let said = import(folder.path(), "csv @/fleet.csv --template eu").await.unwrap_err().text();
    assert!(said.contains("fleet.csv:2: config.prot: unknown key; did you mean `port`?"), "{said}");
    assert!(said.contains("fleet.csv:3: name: duplicate name"), "{said}");
    assert!(!folder.path().join("integrations.d").exists());
}

/// Sources with a golden drop-in in `tests/import`: the folder and its input, with the command.
const GOLDEN: [(&str, &str, &str); 5] = [
    ("answers", "integrations.json", ""),
    ("dbt", "profiles.yml", "dbt "),
    ("databricks-cli", "databrickscfg", "databricks-cli "),
    ("snowflake-cli", "connections.toml", "snowflake-cli "),
    ("airflow", "connections.json", "airflow "),
];

#[test]
fn drop_ins_of_documented_samples_are_as_expected_and_accepted() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut wrong = Vec::new();
    for (name, input, command) in GOLDEN {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("main.toml"), "").unwrap();
        let case = root.join("tests/import").join(name);
        let file = case.join(input);
        let (global, args) = parsed(folder.path(), &format!("{command}{}", file.display()));
        let mut source = source::of_file(&args).unwrap();
        let variables =
            [("HOME", "/srv/dbt"), ("DBT_USER", "dbt_user"), ("SNOWFLAKE_ACCOUNT", "org-account")];
        source.variables = variables
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .into_iter()
            .collect::<BTreeMap<_, _>>();
        let output = PathBuf::from("/etc/revalidated/integrations.d/out.toml");
        let opened = daemon::open_with(global.config.as_deref(), &source, Some(&output));
        let (_assembly, import) = opened.unwrap_or_else(|faulty| panic!("{name}: {faulty}"));
        let said = outcome::written(&import);
        for (file, found) in [("expected.toml", &import.text), ("expected.txt", &said)] {
            if std::fs::read_to_string(case.join(file)).ok().as_ref() != Some(found) {
                let target = root.join("target/import").join(name);
                std::fs::create_dir_all(&target).unwrap();
                std::fs::write(target.join(file), found).unwrap();
                wrong.push(format!("{name}/{file}"));
            }
        }
        assert!(!format!("{import:?}{said}").contains("hunter2"), "{name} shows a secret");
    }
    assert!(wrong.is_empty(), "see target/import: {wrong:?}");
}

#[tokio::test]
async fn tenant_is_asked_with_its_key_and_a_refusal_is_shown_without_it() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("main.toml"), "").unwrap();
    std::fs::write(folder.path().join("key"), "hunter2-key\n").unwrap();
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let body = r#"[{"id":3,"status":"enabled","type":"Redshift","autoBootstrap":false,"config":{"host":"h","database":"d","username":"u"}}]"#;
    let answers = [
        format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n{body}", body.len()),
        "HTTP/1.1 403 No\r\ncontent-length: 15\r\n\r\nno: hunter2-key".to_owned(),
    ];
    let server = tokio::spawn(async move {
        let mut asked = Vec::new();
        for answer in answers {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut request = vec![0; 4096];
            let read = stream.read(&mut request).await.unwrap();
            asked.push(String::from_utf8_lossy(&request[..read]).into_owned());
            stream.write_all(answer.as_bytes()).await.unwrap();
            stream.shutdown().await.unwrap();
        }
        asked
    });
    let command = format!("immuta --url {url} --token @/key");
    let said = import(folder.path(), &command).await.unwrap().text;
    assert!(said.starts_with("1 integration written to "), "{said}");
    assert!(said.contains("LoadCredential=redshift-3-password:"), "{said}");
    let text = std::fs::read_to_string(folder.path().join("integrations.d/immuta.toml")).unwrap();
    assert!(text.contains("id = 3\n") && !text.contains("hunter2"), "{text}");
    let refused = import(folder.path(), &format!("{command} --replace")).await.unwrap_err().text();
    assert!(refused.contains("code [403]") && !refused.contains("hunter2"), "{refused}");
    let asked = server.await.unwrap();
    assert!(asked[0].starts_with("GET /integrations HTTP/1.1\r\n"), "{asked:?}");
    assert!(asked[0].to_lowercase().contains("\r\nauthorization: hunter2-key\r\n"), "{asked:?}");
}
