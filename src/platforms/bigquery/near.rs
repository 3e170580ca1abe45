//! Answers of services on this machine or its link, such as metadata services.

use super::classify::{Cause, Failure};
use crate::domain::Class;
use crate::net::exchange::Answer;

/// Largest answer of a metadata service that is read, in bytes.
pub(super) const BODY_MAX: usize = 64 * 1024;

/// Longest part of the text of a refusal near by, in characters.
const WORDS_MAX: usize = 300;

/// Returns `answer` of a service on this machine or its link, if it is a success.
///
/// # Errors
///
/// Says what the service answered, without the secrets that are known; a page is not shown.
pub(super) fn near_answer(answer: Answer, who: &str) -> Result<Answer, Failure> {
    let class = match answer.status {
        200..=299 => return Ok(answer),
        401 | 403 => Class::Denied,
        404 => Class::Missing,
        429 => Class::Throttled,
        // google-auth asks again (`transport`, `DEFAULT_RETRYABLE_STATUS_CODES`).
        408 => Class::Unavailable,
        400..=499 => Class::Invalid,
        _ => Class::Unavailable,
    };
    let text = String::from_utf8_lossy(&answer.body);
    let text = answer.line(&text, WORDS_MAX);
    let is_none = text.is_empty() || text == "{}" || text.starts_with('<');
    let words = if is_none { String::new() } else { format!(" and message [{text}]") };
    let detail = format!("{who}: it answered with code [{}]{words}.", answer.status);
    Err(Failure::new(Cause::Near, class, detail))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn status_decides_and_only_plain_words_are_shown() {
        let table = [
            (401, "no", Class::Denied, " and message [no]."),
            (403, "", Class::Denied, "code [403]."),
            (404, "Not found\n", Class::Missing, " and message [Not found]."),
            (429, "{}", Class::Throttled, "code [429]."),
            (408, "", Class::Unavailable, "code [408]."),
            (400, "<html>Sign in</html>", Class::Invalid, "code [400]."),
            (500, "hunter2-hunter2", Class::Unavailable, " and message [[REDACTED]]."),
            (302, "", Class::Unavailable, "code [302]."),
        ];
        for (status, body, class, end) in table {
            let answer = Answer { status, body: body.as_bytes().to_vec(), ..Answer::default() };
            answer.redactor.learn_text("hunter2-hunter2");
            let failure = near_answer(answer, "Metadata service").unwrap_err();
            assert!(failure.class == class && matches!(failure.cause, Cause::Near), "{failure:?}");
            assert!(
                failure.detail.starts_with("Metadata service: it answered with"),
                "{failure:?}"
            );
            assert!(failure.detail.ends_with(end), "{status}: {failure:?}");
        }
        let answer = Answer { status: 204, ..Answer::default() };
        assert_eq!(near_answer(answer, "Metadata service").unwrap().status, 204);
    }

    #[test]
    fn words_of_a_refusal_are_bounded() {
        let body = "é".repeat(9999).into_bytes();
        let answer = Answer { status: 403, body, ..Answer::default() };
        let failure = near_answer(answer, "Metadata service").unwrap_err();
        assert!(failure.detail.chars().count() < WORDS_MAX + 100, "{failure:?}");
    }
}
