//! Difference of two texts, by lines: what they have in common at both ends is left out but for a few lines.

/// Lines around the change that are shown.
const AROUND: usize = 3;

/// Returns the change of a text: lines that go begin with `-`, those that come with `+`. Empty for no change.
pub(super) fn diff(before: &str, after: &str) -> String {
    let (before, after): (Vec<_>, Vec<_>) = (before.lines().collect(), after.lines().collect());
    let equal = |(one, two): &(&&str, &&str)| one == two;
    let head = before.iter().zip(&after).take_while(equal).count();
    let both = before.len().min(after.len()) - head;
    let tail = before.iter().rev().zip(after.iter().rev()).take(both).take_while(equal).count();
    if head == before.len() && head == after.len() {
        return String::new();
    }
    let changed = |lines: &[&str], mark: char| -> String {
        let end = lines.len().saturating_sub(tail);
        let lines = lines.iter().take(end).skip(head);
        lines.map(|line| format!("{mark}{line}\n")).collect::<Vec<_>>().concat()
    };
    let context = |line: &&str| format!(" {line}\n");
    let above = after.iter().take(head).skip(head.saturating_sub(AROUND)).map(context);
    let below = after.iter().skip(after.len().saturating_sub(tail)).take(AROUND).map(context);
    let (above, below): (String, String) = (above.collect(), below.collect());
    [above, changed(&before, '-'), changed(&after, '+'), below].concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn change_is_shown_with_a_few_lines_around_it() {
        let table = [
            ("", "a\nb\n", "+a\n+b\n"),
            ("a\n", "a\n", ""),
            ("a\nb\nc\n", "a\nx\nc\n", " a\n-b\n+x\n c\n"),
            ("a\nb\n", "a\n", " a\n-b\n"),
            ("a\n", "a\na\n", " a\n+a\n"),
            (
                "1\n2\n3\n4\n5\n6\n7\n8\n9\n",
                "1\n2\n3\n4\nx\n6\n7\n8\n9\n",
                " 2\n 3\n 4\n-5\n+x\n 6\n 7\n 8\n",
            ),
        ];
        for (before, after, expected) in table {
            assert_eq!(diff(before, after), expected, "{before:?} {after:?}");
        }
    }
}
