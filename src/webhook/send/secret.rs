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

/// Teaches `redactor` the parts of `url` that can be a secret: the query and its values, and a path
/// that is longer than `/hook`, from the first to the last segment that is more than a word.
pub(super) fn learn_url(redactor: &Redactor, url: &Url) {
    redactor.learn_text(url.query().unwrap_or_default());
    for (_, value) in url.query_pairs().filter(|(_, value)| VALUE_BYTES_MIN <= value.len()) {
        redactor.learn_text(&value);
    }
    if url.path().len() <= PATH_SHOWN_MAX {
        return;
    }
    let is_word = |text: &str| {
        text.len() <= WORD_BYTES_MAX && text.bytes().all(|byte| byte.is_ascii_lowercase())
    };
    let mut segments: Vec<_> = url.path().split('/').collect();
    let words = segments.iter().take_while(|text| is_word(text)).count();
    segments.drain(..words);
    while segments.pop_if(|text| is_word(text)).is_some() {}
    redactor.learn_text(&segments.join("/"));
    for segment in segments.into_iter().filter(|text| SEGMENT_BYTES_MIN <= text.len()) {
        if !is_word(segment) {
            redactor.learn_text(segment);
        }
    }
}
