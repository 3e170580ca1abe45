//! Parts of a receiver's URL that can be secrets.

use reqwest::Url;

use crate::domain::Redactor;

/// Length of the longest path that cannot be a secret, in bytes: `/hook`.
const PATH_SHOWN_MAX: usize = 16;
/// Length of the shortest path segment that can be a secret by itself, in bytes.
const SEGMENT_BYTES_MIN: usize = 8;
/// Length of the longest lower-case segment that is a word, such as `integrations`, in bytes.
const WORD_BYTES_MAX: usize = 12;
/// Length of the shortest query value that can be a secret by itself, in bytes.
const VALUE_BYTES_MIN: usize = 6;

/// Teaches `redactor` the parts of `url` that can be a secret.
pub(in crate::webhook) fn learn_url(redactor: &Redactor, url: &Url) {
    for part in secret_parts(url) {
        redactor.learn_text(&part);
    }
}

/// Returns the parts of `url` that can be a secret: the query and its values, and a path that is longer than
/// `/hook`, from the first to the last segment that is more than a word.
pub(super) fn secret_parts(url: &Url) -> Vec<String> {
    let mut parts: Vec<_> = url.query().map(str::to_owned).into_iter().collect();
    let values = url.query_pairs().map(|(_, value)| value.into_owned());
    parts.extend(values.filter(|value| VALUE_BYTES_MIN <= value.len()));
    if url.path().len() <= PATH_SHOWN_MAX {
        return parts;
    }
    let is_word = |text: &str| {
        text.len() <= WORD_BYTES_MAX && text.bytes().all(|byte| byte.is_ascii_lowercase())
    };
    let mut segments: Vec<_> = url.path().split('/').collect();
    let words = segments.iter().take_while(|text| is_word(text)).count();
    segments.drain(..words);
    while segments.pop_if(|text| is_word(text)).is_some() {}
    parts.push(segments.join("/"));
    let whole = segments.into_iter().filter(|text| SEGMENT_BYTES_MIN <= text.len());
    parts.extend(whole.filter(|text| !is_word(text)).map(str::to_owned));
    parts.retain(|part| !part.is_empty());
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_of_a_path_are_no_secret() {
        let table = [
            ("https://h.example/", false),
            ("https://h.example/revalidated", false),
            ("https://h.example/integrations/hooks/incoming", false),
            ("https://h.example/api/v2/alerts", false),
            ("https://hooks.slack.example/services/T000/B000/Zx81QpLm0s9d", true),
            ("https://h.example/hook?token=t0ken", true),
        ];
        for (url, expected) in table {
            assert_eq!(!secret_parts(&url.parse().unwrap()).is_empty(), expected, "{url}");
        }
    }
}
