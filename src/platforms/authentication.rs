//! Published key `authenticationType`: the kind of credentials, and the keys that belong to it.
//!
//! Every platform uses the same names. `Credentials` are those of the configuration, by kind, with
//! references to secrets. `RunCredentials` are those of one run, with the secrets; a `Bearer` is the token
//! that a run sends instead. An `Endpoint` is the way to a server.

use strum::VariantArray;

use crate::input::Reader;

/// Name of the key.
pub(crate) const KEY: &str = "authenticationType";

/// Kind of credentials of a platform, with its word in the configuration.
pub(crate) trait Kind: VariantArray + Into<&'static str> + Copy + PartialEq {
    /// Returns the word of the kind.
    fn word(self) -> &'static str {
        self.into()
    }
}

impl<K: VariantArray + Into<&'static str> + Copy + PartialEq> Kind for K {}

/// Reads the kind, or `default` where the key is absent; without a default the key is required.
pub(crate) fn read<K: Kind>(reader: &mut Reader<'_>, default: Option<K>) -> Option<K> {
    let words: Vec<_> = K::VARIANTS.iter().map(|kind| (kind.word(), *kind)).collect();
    if reader.has(KEY) {
        return reader.choice(KEY, &words);
    }
    if default.is_none() {
        let words: Vec<_> = words.iter().map(|(word, _)| format!("`{word}`")).collect();
        reader.fault(KEY, format!("missing; add one of {}", words.join(", ")));
    }
    default
}

/// Reads the kind, which is required. A word of `instead`, in any spelling, is refused by name, with what to use
/// in its place.
pub(crate) fn read_or_instead<K: Kind>(
    reader: &mut Reader<'_>,
    instead: &[(&str, &str)],
) -> Option<K> {
    let plain = |text: &str| {
        let letters = text.chars().filter(char::is_ascii_alphanumeric);
        letters.collect::<String>().to_ascii_lowercase()
    };
    let given = reader.raw(KEY).and_then(|value| value.text()).map(plain);
    let known = instead.iter().find(|(word, _)| given.as_deref() == Some(plain(word).as_str()));
    let Some((word, advice)) = known else { return read(reader, None) };
    reader.fault(KEY, format!("`{word}` cannot be used: {advice}"));
    None
}

/// Refuses `keys` that are given although they belong to the kind `owner` and another is chosen.
pub(crate) fn refuse_unless<K: Kind>(
    reader: &mut Reader<'_>,
    chosen: K,
    owner: K,
    keys: &[&'static str],
) {
    if chosen == owner {
        return;
    }
    for key in keys {
        if reader.has(key) {
            let word = owner.word();
            reader.fault(key, format!("is only used with authenticationType `{word}`"));
        }
    }
}

/// Warns about `keys` that are given although the kind `chosen` does not use them.
pub(crate) fn warn_unused<K: Kind>(
    reader: &mut Reader<'_>,
    chosen: K,
    keys: impl IntoIterator<Item = &'static str>,
) {
    for key in keys {
        if reader.has(key) {
            reader.warn(key, format!("not used with `{}`; remove it", chosen.word()));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::input::{Faults, Value};
    use serde_json::json;

    #[derive(Clone, Copy, Debug, PartialEq, strum::IntoStaticStr, strum::VariantArray)]
    #[strum(serialize_all = "camelCase")]
    enum Example {
        UserPassword,
        Token,
    }

    /// Returns what is read of `config`, and its faults and warnings.
    fn found(
        config: &serde_json::Value,
        work: impl FnOnce(&mut Reader<'_>) -> Option<Example>,
    ) -> (Option<Example>, Vec<String>) {
        let (value, faults) = (Value::from_json(config, &"f".into()), Faults::default());
        let mut reader = Reader::new(&value, "config", &faults).unwrap();
        let kind = work(&mut reader);
        let (faults, warnings) = faults.into_parts();
        (kind, faults.iter().chain(&warnings).map(ToString::to_string).collect())
    }

    #[test]
    fn kind_is_one_of_the_words_or_the_default() {
        let (given, absent) = (json!({ "authenticationType": "token" }), json!({}));
        let other = json!({ "authenticationType": "userpassword" });
        let read = |config, default| found(config, |reader| read(reader, default));
        assert_eq!(read(&given, None), (Some(Example::Token), vec![]));
        let default = Some(Example::UserPassword);
        assert_eq!(read(&given, default), (Some(Example::Token), vec![]));
        assert_eq!(read(&absent, default), (default, vec![]));
        let (kind, faults) = read(&absent, None);
        assert_eq!(kind, None);
        assert!(faults[0].contains("missing; add one of `userPassword`, `token`"), "{faults:?}");
        let (kind, faults) = read(&other, default);
        assert_eq!(kind, None);
        assert!(faults[0].contains("did you mean `userPassword`?"), "{faults:?}");
    }

    #[test]
    fn kind_that_cannot_be_used_is_refused_by_name() {
        let instead = [("externalBrowser", "use `token`")];
        let read = |word: &str| {
            let config = json!({ "authenticationType": word });
            found(&config, |reader| read_or_instead(reader, &instead))
        };
        for word in ["externalBrowser", "EXTERNALBROWSER", "external-browser", "external_browser"] {
            let (kind, faults) = read(word);
            assert_eq!(kind, None);
            let expected = "`externalBrowser` cannot be used: use `token`";
            assert!(faults.len() == 1 && faults[0].contains(expected), "{faults:?}");
        }
        assert_eq!(read("token"), (Some(Example::Token), vec![]));
        assert!(read("other").1[0].contains("expected one of"));
        let (kind, faults) = found(&json!({}), |reader| read_or_instead(reader, &instead));
        assert!(kind.is_none() && faults[0].contains("missing; add one of"), "{faults:?}");
    }

    #[test]
    fn key_of_another_kind_is_refused_or_warned_about() {
        let config = json!({ "authenticationType": "token", "password": "p" });
        let refused = |chosen| {
            let read = |reader: &mut Reader<'_>| {
                refuse_unless(reader, chosen, Example::UserPassword, &["password", "username"]);
                None
            };
            found(&config, read).1
        };
        assert!(refused(Example::UserPassword).is_empty());
        let faults = refused(Example::Token);
        assert_eq!(faults.len(), 1, "{faults:?}");
        let expected = "config.password: is only used with authenticationType `userPassword`";
        assert!(faults[0].contains(expected), "{faults:?}");
        let warn = |reader: &mut Reader<'_>| {
            warn_unused(reader, Example::Token, ["password", "username"]);
            None
        };
        let (_, warnings) = found(&config, warn);
        assert_eq!(warnings.len(), 1, "{warnings:?}");
        assert!(warnings[0].contains("not used with `token`; remove it"), "{warnings:?}");
    }
}
