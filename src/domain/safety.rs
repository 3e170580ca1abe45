//! Guard against mass removals: a slip with a file or folder must not remove what people rely on.

/// The fewest removals that a share allows.
const SHARE_MIN: usize = 3;
/// The most names that a refusal shows.
const NAMES_MAX: usize = 5;

/// Number of removals that one start or reload may make without being asked to.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum RemovalsMax {
    /// Share of what is in use, in percent, and at least 3.
    Percent(u32),
    /// Number, whatever is in use.
    Count(u32),
}

impl RemovalsMax {
    /// Returns the number of removals that are allowed among `total`.
    #[must_use]
    pub(crate) fn among(self, total: usize) -> usize {
        let number = |number| usize::try_from(number).unwrap_or(usize::MAX);
        match self {
            Self::Percent(percent) => (total.saturating_mul(number(percent)) / 100).max(SHARE_MIN),
            Self::Count(count) => number(count),
        }
    }
}

/// Removals of one kind that a configuration would make.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Removals<'a> {
    /// Name of one of them: `integration` or `receiver`.
    pub(crate) kind: &'a str,
    /// Names of those that would be removed.
    pub(crate) gone: &'a [String],
    /// Number of those in use.
    pub(crate) total: usize,
}

/// Returns the reason to refuse `removals`; none when they are few enough, or were allowed.
#[must_use]
pub(crate) fn refusal(
    removals: Removals<'_>,
    max: RemovalsMax,
    allowed: Option<u32>,
) -> Option<String> {
    let Removals { kind, gone, total } = removals;
    let allowed = allowed.map_or(0, |number| usize::try_from(number).unwrap_or(usize::MAX));
    let most = max.among(total).max(allowed);
    let count = gone.len();
    if count <= most {
        return None;
    }
    let names: Vec<_> = gone.iter().take(NAMES_MAX).map(String::as_str).collect();
    let more = match count.saturating_sub(names.len()) {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    Some(format!(
        "{count} of {total} {kind}s would be removed ({}{more}), more than the {most} that \
         safety.removals_max allows; allow it once with `revalidated reload --allow-removals {count}`, \
         or that option of `run`",
        names.join(", ")
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(count: usize) -> Vec<String> {
        (0..count).map(|number| format!("i{number}")).collect()
    }

    #[test]
    fn fifth_and_at_least_three_may_go() {
        let max = RemovalsMax::Percent(20);
        let table =
            [(0, 3), (1, 3), (15, 3), (20, 4), (30, 6), (300, 60), (usize::MAX, usize::MAX / 100)];
        for (total, expected) in table {
            assert_eq!(max.among(total), expected, "{total}");
        }
        assert_eq!(RemovalsMax::Count(0).among(300), 0);
        assert_eq!(RemovalsMax::Count(7).among(1), 7);
    }

    #[test]
    fn more_removals_than_allowed_are_refused_with_the_first_names() {
        let max = RemovalsMax::Percent(20);
        let refused = |count: usize, allowed| {
            let gone = names(count);
            let removals = Removals { kind: "integration", gone: &gone, total: 30 };
            refusal(removals, max, allowed)
        };
        assert_eq!(refused(6, None), None);
        let reason = refused(7, None).unwrap();
        assert!(reason.starts_with("7 of 30 integrations would be removed (i0, i1, i2, i3, i4 and 2 more), more than the 6"), "{reason}");
        assert!(reason.contains("reload --allow-removals 7`"), "{reason}");
        assert_eq!(refused(7, Some(7)), None);
        assert!(refused(9, Some(8)).is_some());
        assert_eq!(refused(6, Some(0)), None, "an allowance forbids nothing");
    }
}
