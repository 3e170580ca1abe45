//! Numbers and durations in words for the page; they read as those that `page.js` writes when time passes.

use std::time::Duration;

/// Returns a number with its thousands apart: `10,000`.
pub(super) fn grouped(number: usize) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (at, digit) in digits.chars().enumerate() {
        if 0 < at && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// Returns a number with its noun: `1 receiver`, `10,000 integrations`.
pub(super) fn counted(number: usize, noun: &str) -> String {
    format!("{} {noun}{}", grouped(number), if number == 1 { "" } else { "s" })
}

/// Returns a distance in time with the precision that a person wants: `42s`, `3m`, `2h 14m`, `12 d`.
pub(super) fn brief(duration: Duration) -> String {
    let secs = duration.as_secs();
    let (mins, hours) = (secs / 60, secs / 3600);
    match secs {
        0..60 => format!("{secs}s"),
        60..3600 => format!("{mins}m"),
        3600..86_400 if mins.is_multiple_of(60) => format!("{hours}h"),
        3600..86_400 => format!("{hours}h {}m", mins % 60),
        86_400.. => format!("{} d", hours / 24),
    }
}

/// Returns a measured time: `84 ms`, `1.2 s`, `2m`.
pub(super) fn took(duration: Duration) -> String {
    let millis = duration.as_millis();
    match millis {
        0..1000 => format!("{millis} ms"),
        1000..60_000 => format!("{}.{} s", millis / 1000, millis % 1000 / 100),
        60_000.. => brief(duration),
    }
}

/// Returns `text` with its first letter in upper case.
pub(super) fn sentence(text: &str) -> String {
    let mut letters = text.chars();
    let first = letters.next().into_iter().flat_map(char::to_uppercase);
    first.chain(letters).collect()
}

/// Returns names as a clause: `a`, `a and b`, `a, b and c`.
pub(super) fn listed(names: &[String]) -> String {
    match names {
        [] => String::new(),
        [one] => one.clone(),
        [most @ .., last] => format!("{} and {last}", most.join(", ")),
    }
}

/// Returns `text` with an ellipsis in place of what is beyond so many characters.
pub(super) fn shortened(text: &str, most: usize) -> String {
    if text.chars().nth(most).is_none() {
        return text.to_owned();
    }
    text.chars().take(most.saturating_sub(1)).chain(['…']).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_text_ends_in_an_ellipsis() {
        let table = [("", ""), ("four", "four"), ("fives", "fiv…"), ("漢字漢字漢", "漢字漢…")];
        for (text, expected) in table {
            assert_eq!(shortened(text, 4), expected);
        }
    }

    #[test]
    fn numbers_have_their_thousands_apart() {
        let table =
            [(0, "0"), (999, "999"), (1000, "1,000"), (48_211, "48,211"), (1_234_567, "1,234,567")];
        for (number, expected) in table {
            assert_eq!(grouped(number), expected);
        }
        assert_eq!([counted(1, "cause"), counted(2000, "cause")], ["1 cause", "2,000 causes"]);
    }

    #[test]
    fn distances_have_the_precision_that_a_person_wants() {
        let table = [
            (0, "0s"),
            (59, "59s"),
            (60, "1m"),
            (3599, "59m"),
            (3600, "1h"),
            (8040, "2h 14m"),
            (86_399, "23h 59m"),
            (86_400, "1 d"),
            (1_100_000, "12 d"),
        ];
        for (secs, expected) in table {
            assert_eq!(brief(Duration::from_secs(secs)), expected);
        }
    }

    #[test]
    fn measured_times_have_a_unit() {
        let table = [
            (0, "0 ms"),
            (84, "84 ms"),
            (999, "999 ms"),
            (1240, "1.2 s"),
            (59_999, "59.9 s"),
            (125_000, "2m"),
        ];
        for (millis, expected) in table {
            assert_eq!(took(Duration::from_millis(millis)), expected);
        }
    }

    #[test]
    fn names_become_a_clause() {
        let names = |count: usize| ["a", "b", "c"].map(str::to_owned)[..count].to_vec();
        assert_eq!([listed(&names(0)), listed(&names(1))], ["", "a"]);
        assert_eq!([listed(&names(2)), listed(&names(3))], ["a and b", "a, b and c"]);
        assert_eq!(sentence("élan is lost"), "Élan is lost");
    }
}
