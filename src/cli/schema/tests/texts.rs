//! Sentences about keys, from the documents that people read: the default configuration and the pages of platforms.

use std::collections::BTreeMap;

use super::tree::Node;

/// Sentences by paths such as `limits.runs` and `receiver.url`.
pub(super) type Texts = BTreeMap<String, String>;

/// Returns the comments above the keys of the default configuration. A comment is about each key up to the next one.
pub(super) fn of_defaults() -> Texts {
    let (mut texts, mut table, mut comment) = (Texts::new(), String::new(), Vec::new());
    let mut is_done = false;
    for line in include_str!("../../../../config/revalidated.toml").lines() {
        let sample = line.strip_prefix("# ").filter(|text| is_code(text) || text.starts_with('#'));
        let line = sample.unwrap_or(line);
        if let Some(text) = line.strip_prefix('#') {
            if is_done {
                comment.clear();
            }
            is_done = false;
            comment.push(text.trim());
        } else if line.starts_with('[') {
            table = line.trim_matches(['[', ']']).to_owned();
            comment.clear();
        } else if let Some((key, _)) = line.split_once(" = ") {
            is_done = true;
            let path = format!("{table}.{key}");
            let path = path.trim_start_matches('.').to_owned();
            texts.entry(path).or_insert_with(|| comment.join(" ").trim().to_owned());
        } else if line.is_empty() {
            comment.clear();
        }
    }
    texts
}

/// Returns true for a line of TOML.
fn is_code(text: &str) -> bool {
    let is_name = |key: &str| key.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    text.starts_with('[') || text.split_once(" = ").is_some_and(|(key, _)| is_name(key))
}

/// Returns the rows of the table of keys on a platform's page, with paths from `config` on.
pub(super) fn of_page(page: &str) -> Texts {
    let mut texts = Texts::new();
    let tables = page.split("\n| key |").skip(1);
    for row in
        tables.flat_map(|table| table.lines().skip(2).take_while(|row| row.starts_with("| ")))
    {
        let mut cells = row.trim_matches(['|', ' ']).splitn(2, " | ");
        let (Some(keys), Some(text)) = (cells.next(), cells.next()) else { continue };
        let mut table = "";
        for key in keys.split('`').skip(1).step_by(2) {
            let path = match key.strip_prefix('.') {
                Some(key) => format!("{table}.{key}"),
                None => key.to_owned(),
            };
            table = key.rsplit_once('.').map_or(table, |(table, _)| table);
            texts.insert(path, text.trim_end_matches(" |").to_owned());
        }
    }
    texts
}

/// Returns the comments behind the keys of a platform's sample, with paths from `config` on.
pub(super) fn of_sample(sample: &str) -> Texts {
    let (mut texts, mut table) = (Texts::new(), None);
    for line in sample.lines() {
        let line = line.strip_prefix("# ").filter(|text| is_code(text)).unwrap_or(line);
        if line.starts_with('[') {
            let name = line.trim_matches(['[', ']']).strip_prefix("integration.config");
            table = name.map(|name| name.trim_start_matches('.').to_owned());
        }
        let Some(table) = &table else { continue };
        let comment =
            line.rsplit_once(" # ").filter(|(code, _)| code.matches('"').count() % 2 == 0);
        if let Some(((key, _), text)) =
            comment.and_then(|(code, text)| Some((code.split_once(" = ")?, text)))
        {
            let path = format!("{table}.{key}");
            texts.insert(path.trim_start_matches('.').to_owned(), text.trim().to_owned());
        }
    }
    texts
}

/// Puts the sentences and the default values at their keys.
pub(super) fn describe(root: &mut Node, texts: &Texts) {
    for (path, text) in texts {
        if let Some(node) = find(root, path) {
            node.text.clone_from(text);
        }
    }
}

/// Returns the key at `path`; lists are passed through.
fn find<'n>(root: &'n mut Node, path: &str) -> Option<&'n mut Node> {
    let mut node = root;
    for key in path.split('.') {
        if node.items.is_some() {
            node = node.items.as_deref_mut()?;
        }
        node = node.keys.get_mut(key)?;
    }
    Some(node)
}

#[test]
fn comments_and_rows_are_those_of_their_keys() {
    let texts = of_defaults();
    assert_eq!(texts["limits.runs"], "Runs at the same time (1 to 1024).");
    assert_eq!(texts["defaults.flap_window"], texts["defaults.flap_flips"]);
    assert!(texts["receiver.url"].starts_with("Address, https only"), "{}", texts["receiver.url"]);
    assert!(texts["http.token.scope"].starts_with("Permission: "), "{}", texts["http.token.scope"]);
    let rows =
        "\n| key | meaning |\n|---|---|\n| `a`, `b.c`, `.d` | words of it |\n\n| `e` | no |\n";
    let texts = of_page(rows);
    assert_eq!(texts.keys().collect::<Vec<_>>(), ["a", "b.c", "b.d"]);
    assert_eq!(texts["a"], "words of it");
    let sample = "x = 1 # no\n[integration.config]\na = \"b # c\"\n# d = 1    # of d\n\
        # [integration.config.tls]\n# e = \"f\" # of e\n";
    let texts = of_sample(sample);
    assert_eq!(
        texts.into_iter().collect::<Vec<_>>(),
        [("d".to_owned(), "of d".to_owned()), ("tls.e".to_owned(), "of e".to_owned()),]
    );
}
