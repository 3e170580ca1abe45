//! Words, names and shapes of recordings; each platform records its own cases again.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use proptest::prelude::*;

use super::pseudonym::{Kind, Pseudonyms, Reading};
use super::words::{is_prose, is_protocol};
use super::*;
use crate::domain::echo::echoes;
use crate::domain::{Class, Redactor};
use crate::net::tape::Outcome;

/// Every file below `folder`.
fn files(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { files(&path, found) } else { found.push(path) }
    }
}

/// Texts of one word in the code that reads answers: what it compares them with must be kept.
fn words_of_code() -> BTreeSet<String> {
    let mut found = Vec::new();
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    for folder in ["platforms", "net", "domain"] {
        files(&source.join(folder), &mut found);
    }
    let is_code = |path: &PathBuf| {
        let text = path.to_str().unwrap();
        let others = [
            "/tests",
            "/testing",
            "/example/",
            "/echo.rs",
            "/simulated",
            "/testcases/",
            "/record/",
        ];
        path.extension().is_some_and(|end| end == "rs")
            && !others.iter().any(|part| text.contains(part))
    };
    let mut words = BTreeSet::new();
    for path in found.iter().filter(|path| is_code(path)) {
        let text = fs::read_to_string(path).unwrap();
        let is_test = |(at, _): &(usize, &str)| {
            let rest = text[*at..].lines().take(4).collect::<String>();
            rest.contains("mod ") && rest.contains(" {") && !rest.contains("mod tests;")
        };
        let end = text.match_indices("#[cfg(test)]").find(is_test);
        let code = &text[..end.map_or(text.len(), |(at, _)| at)];
        for line in code.lines().filter(|line| !line.trim().starts_with("//")) {
            let is_of_code = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
            let literals = line.split('"').skip(1).step_by(2);
            let codes = literals.filter(|text| text.chars().all(is_of_code));
            let codes = codes.map(|code| code.trim_matches(['_', '-']).to_lowercase());
            words.extend(codes.filter(|code| {
                (2..60).contains(&code.len()) && code.contains(|c: char| c.is_ascii_alphabetic())
            }));
        }
    }
    words
}

#[test]
fn each_word_that_answers_are_compared_with_is_public() {
    let missing: Vec<_> = words_of_code().into_iter().filter(|word| !is_protocol(word)).collect();
    let text = missing.join("\n");
    assert!(missing.is_empty(), "add to src/platforms/record/words/protocol.txt:\n{text}");
}

#[test]
fn lists_of_words_are_sorted_and_in_lower_case() {
    for list in [include_str!("words/protocol.txt"), include_str!("words/prose.txt")] {
        let words: Vec<_> = list.lines().collect();
        assert!(words.is_sorted());
        assert!(words.iter().all(|word| *word == word.to_lowercase() && 1 < word.len()));
    }
    assert!(!is_prose("hunter2") && !is_prose("acme"));
}

fn names() -> Pseudonyms {
    let redactor = Redactor::default();
    redactor.learn_text("pLanted-passw0rd");
    let mut names = Pseudonyms::new(&redactor);
    for (kind, name) in [
        (Kind::Host, "trino.corp-acme.com"),
        (Kind::User, "jdoe"),
        (Kind::Catalog, "finance"),
        (Kind::Name, "ACME_PROD"),
        (Kind::Account, "acme-project"),
        (Kind::Role, "auditors"),
    ] {
        names.named(name, kind);
    }
    names
}

#[test]
fn text_keeps_its_shape_and_its_public_words() {
    let table = [
        (
            "Access Denied: Cannot select from finance.raw.x9k",
            "Access Denied: Cannot select from catalog1.raw.name2",
        ),
        ("user 'JDOE' is not allowed", "user 'USER1' is not allowed"),
        (
            "https://trino.corp-acme.com:8443/v1/statement/queued/1?x=jdoe",
            "https://host1.host2.example:8443/v1/statement/queued/1?x=user1",
        ),
        ("jdoe@corp-acme.com", "user1@host2.example"),
        ("immuta@acme-project.iam.gserviceaccount.com", "immuta@account1.iam.gserviceaccount.com"),
        ("arn:aws:iam::123456789012:role/auditors", "arn:aws:iam::100000000001:role/role1"),
        ("acme_prod_USER_zoe", "name1_USER_name2"),
        ("ACME_PROD_USER_ZOE", "NAME1_USER_NAME2"),
        ("acme42.eu-central-1.snowflakecomputing.com", "host3.eu-central-1.snowflakecomputing.com"),
        (
            "adb-1234567890123456.7.azuredatabricks.net",
            "adb-1000000000000001.7.azuredatabricks.net",
        ),
        (
            "from 10.1.2.3 and 8.8.8.8, [::1] and 127.0.0.1:80",
            "from 10.0.0.2 and 203.0.113.3, [::1] and 127.0.0.1:80",
        ),
        ("id 7a91c3c9-6f6c-4b8b-9f4b-0e9b6a3f2d10", "id 00000000-0000-4000-8000-000000000001"),
        ("AKIAIOSFODNN7ABCDEFG", "AKIAEXAMPLE000000001"),
        (
            "at 2026-11-22T21:00:00.123Z or 20261122T210000Z",
            "at 2026-11-22T21:00:00.123Z or 20261122T210000Z",
        ),
        ("error 390144 after 12ms", "error 390144 after 12ms"),
        ("pLanted-passw0rd was refused", "[REDACTED] was refused"),
        ("%2Ffinance%20", "%2Fcatalog1%20"),
        ("", ""),
        ("s3://", "s3://"),
        ("googleapis.com", "googleapis.com"),
    ];
    for (text, expected) in table {
        assert_eq!(names().text(text), expected, "{text}");
    }
}

#[test]
fn unknown_word_is_replaced_by_the_same_placeholder_everywhere() {
    let mut names = names();
    let first = names.text("the view kwx7q of Kwx7q is KWX7Q");
    assert_eq!(first, "the view name2 of Name2 is NAME2");
    assert_eq!(names.text("kwx7q"), "name2");
    assert_eq!(names.word("kwx7q", Reading::Identifier), "name2");
    let uses: u64 = names.into_table().iter().map(|entry| entry.uses).sum();
    assert_eq!(uses, 6 + 6);
}

fn answer(headers: &[(&'static str, &str)], body: &str) -> Outcome {
    let headers =
        headers.iter().map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap()));
    let body = body.as_bytes().to_vec();
    Outcome::Answer { status: 200, headers: headers.collect(), body }
}

#[test]
fn answer_keeps_its_form_and_the_headers_that_platforms_read() {
    let headers = [("content-type", "application/json"), ("set-cookie", "kwx7q"), ("x-zoe", "1")];
    let table = [
        (
            r#"{"kwx7q":{"name":"finance","expiry_time":1795381200000,"workspace_id":1234567890123456,"n":7}}"#,
            r#"{"name2":{"expiry_time":1795381200000,"n":7,"name":"catalog1","workspace_id":1000000000000001}}"#,
        ),
        (
            "<Error><Code>AccessDenied</Code><Message>User jdoe of kwx7q</Message></Error>",
            "<Error><Code>AccessDenied</Code><Message>User user1 of name2</Message></Error>",
        ),
        (
            r#"{"owner":"readers","displayName":"kwx7q","name":"readers"}"#,
            r#"{"displayName":"user2","name":"readers","owner":"user3"}"#,
        ),
        (
            r#"{"error_code":"SOME_NEW_CODE","status":"finance","reason":"kwx7q"}"#,
            r#"{"error_code":"SOME_NEW_CODE","reason":"name2","status":"catalog1"}"#,
        ),
        (
            "<Error><Code>NoSuchThing</Code><Key>NoSuchThing</Key>",
            "<Error><Code>NoSuchThing</Code><Key>Name2</Key>",
        ),
        ("kwx7q", "name2"),
        ("{\"cut\": \"kwx7q", "{\"cut\": \"name2"),
    ];
    for (body, expected) in table {
        let found = answers::reply(&mut names(), &answer(&headers, body));
        assert_eq!(found.said, Said::Status(200));
        assert_eq!(found.headers, [("content-type".to_owned(), "application/json".to_owned())]);
        assert_eq!(found.body, expected);
    }
    let none = Outcome::NoAnswer {
        class: Class::Unreachable,
        detail: "connection refused by kwx7q".to_owned(),
    };
    let found = answers::reply(&mut names(), &none);
    assert_eq!(
        found,
        Reply {
            said: Said::NoAnswer(Class::Unreachable),
            headers: vec![],
            body: "connection refused by name2".to_owned()
        }
    );
}

#[test]
fn file_of_an_answer_is_read_as_it_was_written() {
    let headers = vec![("a".to_owned(), "b: c".to_owned())];
    let all = [
        Reply { said: Said::Status(404), headers, body: "x\n\ny\n".to_owned() },
        Reply { said: Said::NoAnswer(Class::Local), headers: vec![], body: "why".to_owned() },
        Reply { said: Said::Silence, headers: vec![], body: String::new() },
    ];
    let replies = BTreeMap::from([
        ("one".to_owned(), all[..1].to_vec()),
        ("many".to_owned(), all.iter().cycle().take(12).cloned().collect()),
    ]);
    let case = Case { integration: Json::from(1), replies, expected: Json::Null };
    let mut files = case.files();
    assert_eq!(Case::read(&files).unwrap(), case);
    files.insert("one.http".to_owned(), "no source".to_owned());
    assert_eq!(Case::read(&files).unwrap_err(), "one.http is not a recorded answer");
    files.remove("expected.json");
    assert_eq!(Case::read(&files).unwrap_err(), "expected.json is missing");
}

#[test]
fn folder_is_private_and_nothing_is_written_over() {
    use std::os::unix::fs::PermissionsExt as _;
    let dir = tempfile::tempdir().unwrap();
    let folder = dir.path().join("case");
    let case = Case { integration: Json::from(1), replies: BTreeMap::new(), expected: Json::Null };
    write(&case, &folder).unwrap();
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!((mode(&folder), mode(&folder.join("expected.json"))), (0o700, 0o600));
    assert_eq!(read(&folder).unwrap(), case);
    assert!(write(&case, &folder).unwrap_err().contains("is not empty"));
    assert!(check_absent(&folder.join("expected.json")).unwrap_err().contains("cannot be used"));
}

proptest! {
    #[test]
    fn no_name_of_an_answer_is_left(name in "[a-z]{3}[0-9][a-z0-9]{6,20}", before in "[a-z \"'/.:@_-]{0,12}", after in "[ \"'/.:@_-]{0,12}") {
        prop_assume!(!is_prose(&name));
        let mut names = Pseudonyms::default();
        let shown = names.text(&format!("{before}{name}{after}"));
        prop_assert!(!shown.contains(&name), "{shown}");
        let json = serde_json::json!({ "name": [&name], &name: 1 }).to_string();
        let body = answers::reply(&mut names, &answer(&[], &json)).body;
        prop_assert!(!body.contains(&name), "{body}");
    }

    #[test]
    fn no_echo_of_a_secret_is_left(secret in "[a-zA-Z0-9/+]{20,60}", is_json in any::<bool>()) {
        let redactor = Redactor::default();
        redactor.learn_text(&secret);
        let mut names = Pseudonyms::new(&redactor);
        for echo in echoes(&secret) {
            let body = if is_json { serde_json::json!({ "message": &echo }).to_string() } else { format!("<p>{echo}</p>") };
            let shown = answers::reply(&mut names, &answer(&[("location", "x")], &body)).body;
            let is_shown = |piece| str::from_utf8(piece).is_ok_and(|piece| shown.contains(piece));
            prop_assert!(!echo.as_bytes().windows(12).any(is_shown), "{echo} is in {shown}");
        }
    }

    #[test]
    fn any_text_is_replaced_without_a_panic(text in "\\PC{0,60}", json in "\\PC{0,60}") {
        let mut names = names();
        let once = names.text(&text);
        let _again = names.text(&once);
        answers::reply(&mut names, &answer(&[], &json));
    }
}
