//! Words of answers that refuse: the same from run to run, without stack traces, pages for browsers and
//! one-time addresses.

use http::header::{CONTENT_TYPE, WWW_AUTHENTICATE};
use reqwest::Url;
use serde_json::Value as Json;

use super::classify::{Offers, Refusal};
use crate::net::exchange::Answer;

/// Members of JSON errors that hold a sentence, the best first.
const SENTENCES: [&str; 5] = ["message", "error_description", "detail", "title", "error"];
/// Longest part of a title or challenge that is shown, in characters.
const PART_MAX: usize = 100;

/// Reads an answer whose status refuses; `is_of_page` is true when a page of a query was asked for.
pub(super) fn read(answer: &Answer, is_of_page: bool, chars_max: usize) -> Refusal {
    let challenges = answer.headers.get_all(WWW_AUTHENTICATE).iter();
    let challenges: Vec<_> = challenges.filter_map(|value| value.to_str().ok()).collect();
    let shown = challenges.iter().map(|challenge| shown(answer, challenge));
    Refusal {
        status: answer.status,
        words: words(answer, chars_max),
        is_html: is_html(answer),
        is_of_page,
        offers: Offers::of(&challenges),
        challenges: shown.collect::<Vec<_>>().join("; "),
    }
}

/// Returns the title of a page for browsers.
pub(super) fn title(answer: &Answer, chars_max: usize) -> Option<String> {
    let text = text(answer);
    let (_, rest) = text.split_once("<title>").or_else(|| text.split_once("<TITLE>"))?;
    let title = rest.split('<').next().unwrap_or_default().trim();
    Some(answer.line(title, chars_max.min(PART_MAX))).filter(|title| !title.is_empty())
}

fn words(answer: &Answer, chars_max: usize) -> String {
    if answer.is_redirect() {
        let to = answer.header("location").and_then(|text| Url::parse(&text).ok());
        let to = to.map_or_else(|| "elsewhere".to_owned(), |to| to.origin().ascii_serialization());
        let why = format!("the server sends to [{to}], which is not followed");
        return answer.line(&why, chars_max);
    }
    if is_html(answer) {
        return match title(answer, chars_max) {
            Some(title) => format!("a page for a browser, titled [{title}]"),
            None => "a page for a browser".to_owned(),
        };
    }
    let text = text(answer);
    let sentence = serde_json::from_str::<Json>(&text).ok().and_then(|json| sentence(&json));
    answer.line(&steady(&sentence.unwrap_or(text)), chars_max)
}

fn sentence(json: &Json) -> Option<String> {
    let found = SENTENCES.iter().find_map(|name| json.get(name)?.as_str());
    found.map(str::to_owned)
}

/// Returns the body as text. Servers echo a password in the encoding of Basic credentials.
fn text(answer: &Answer) -> String {
    let body = answer.body.clone();
    String::from_utf8(body)
        .unwrap_or_else(|error| error.into_bytes().iter().map(|byte| char::from(*byte)).collect())
}

fn is_html(answer: &Answer) -> bool {
    let kind = answer.headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
    kind.is_some_and(|kind| kind.to_ascii_lowercase().contains("text/html"))
        || text(answer).trim_start().starts_with('<')
}

/// Returns a challenge without the addresses of a sign-in, which work once and for anybody.
fn shown(answer: &Answer, challenge: &str) -> String {
    if challenge.contains("x_redirect_server") || challenge.contains("x_token_server") {
        return "Bearer, sign-in at a browser".to_owned();
    }
    answer.line(challenge, PART_MAX)
}

/// Returns `text` without what differs from run to run: stack traces, clocks and ids of queries.
pub(super) fn steady(text: &str) -> String {
    let mut text = match text.split_once("\n\tat ") {
        Some((first, _trace)) => first,
        None => text,
    };
    if let Some((class, rest)) = text.split_once(": ") {
        let is_class = class.contains('.')
            && (class.ends_with("Exception") || class.ends_with("Error"))
            && class.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._$".contains(&byte));
        text = if is_class { rest } else { text };
    }
    if let Some((ended, _clock)) = text.split_once(". Current time: ") {
        text = ended;
    }
    // "JWT expired 60675 milliseconds ago at ..."
    let mut text = text.to_owned();
    for age in [" milliseconds ago", " milliseconds before"] {
        if let Some((head, tail)) = text.split_once(age) {
            let head = head.trim_end_matches(|c: char| c.is_ascii_digit()).trim_end();
            text = format!("{head}{tail}");
        }
    }
    let words = text.split(' ').map(|word| {
        let name = word.trim_matches(|c: char| !c.is_ascii_alphanumeric());
        if is_query_id(name) { word.replace(name, "…") } else { word.to_owned() }
    });
    words.collect::<Vec<_>>().join(" ")
}

/// True for ids such as `20261128_193303_00136_bsk9s`.
fn is_query_id(text: &str) -> bool {
    let parts: Vec<_> = text.split('_').collect();
    let [day, time, number, coordinator] = parts.as_slice() else { return false };
    let is_number =
        |text: &str, length| text.len() == length && text.bytes().all(|byte| byte.is_ascii_digit());
    is_number(day, 8)
        && is_number(time, 6)
        && is_number(number, 5)
        && coordinator.len() == 5
        && coordinator.bytes().all(|byte| byte.is_ascii_alphanumeric())
}

#[cfg(test)]
mod tests {
    use http::{HeaderMap, HeaderName, HeaderValue};

    use super::*;

    fn answer(status: u16, headers: &[(&str, &str)], body: &[u8]) -> Answer {
        let headers = headers.iter().map(|(name, value)| {
            let name = HeaderName::from_bytes(name.as_bytes()).unwrap();
            (name, HeaderValue::from_str(value).unwrap())
        });
        let mut all = HeaderMap::new();
        for (name, value) in headers {
            all.append(name, value);
        }
        Answer { status, headers: all, body: body.to_vec(), ..Answer::default() }
    }

    #[test]
    fn words_are_the_sentence_of_the_server() {
        let trace = "io.trino.spi.security.AccessDeniedException: Access Denied: Cannot set role \
            nope\n\tat io.trino.spi.security.AccessDeniedException.denySetRole(A.java:708)\n\tat b";
        let page = "<html><head><title>502 Bad Gateway</title></head><body>x</body></html>";
        let json = r#"{"message":"No X-Forwarded-Proto","url":"http://a/b","status":"406"}"#;
        let table: [(&str, &str); 7] = [
            ("Error 404 Not Found: Query not found\n", "Error 404 Not Found: Query not found"),
            (trace, "Access Denied: Cannot set role nope"),
            (page, "a page for a browser, titled [502 Bad Gateway]"),
            ("<html>", "a page for a browser"),
            (json, "No X-Forwarded-Proto"),
            (r#"{"a":1}"#, r#"{"a":1}"#),
            ("", ""),
        ];
        for (body, expected) in table {
            assert_eq!(words(&answer(500, &[], body.as_bytes()), 300), expected);
        }
        let to_login = answer(302, &[("location", "https://login.example.com/a?b=c")], b"<html>");
        assert!(words(&to_login, 300).contains("[https://login.example.com]"));
    }

    #[test]
    fn words_do_not_change_from_run_to_run() {
        let jwt = |age: u32, now: &str| {
            format!(
                "JWT expired {age} milliseconds ago at 2026-11-28T19:27:05.000Z. Current time: \
                 2026-11-28T{now}Z. Allowed clock skew: 0 milliseconds."
            )
        };
        let expected = "JWT expired at 2026-11-28T19:27:05.000Z";
        assert_eq!(steady(&jwt(60_675, "19:28:05.675")), expected);
        assert_eq!(steady(&jwt(7, "19:27:05.007")), expected);
        let query = "Query [20261128_193303_00136_bsk9s] is unknown";
        assert_eq!(steady(query), "Query […] is unknown");
        let kept = [
            "20261128_193303",
            "limit of 5 milliseconds",
            "line 1:39: Table 'a' does not exist",
            "JDBC Error: a.b: c",
            "two  spaces",
        ];
        for text in kept {
            assert_eq!(steady(text), text);
        }
    }

    #[test]
    fn one_time_addresses_are_not_shown() {
        let browser = "Bearer x_redirect_server=\"https://t/oauth2/token/initiate/1f\", \
            x_token_server=\"https://t/oauth2/token/2e\"";
        let headers =
            [("www-authenticate", browser), ("www-authenticate", "Basic realm=\"Trino\"")];
        let read = read(&answer(401, &headers, b"Unauthorized"), false, 300);
        assert_eq!(read.challenges, "Bearer, sign-in at a browser; Basic realm=\"Trino\"");
        assert_eq!(read.offers.names(), "PASSWORD, OAUTH2");
        assert!(!format!("{read:?}").contains("oauth2/token"));
    }

    #[test]
    fn echo_of_a_password_in_latin_1_is_redacted() {
        let mut answer = answer(401, &[], b"bad: p\xe4ssw\xf6rd-hunter2");
        answer.redactor.learn_text("pässwörd-hunter2");
        assert_eq!(words(&answer, 300), "bad: [REDACTED]");
        answer.body = "bad: pässwörd-hunter2".into();
        assert_eq!(words(&answer, 300), "bad: [REDACTED]");
    }
}
