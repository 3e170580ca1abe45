//! Strip of the latest runs: one path per kind of result, made of dashes, so that ninety runs that passed are one
//! short line.

use std::fmt::Write as _;
use std::time::Duration;

use super::text::{grouped, took};
use crate::domain::{Class, ReportStatus};
use crate::store::Mark;

/// Number of runs on a strip.
pub(crate) const MARKS: u32 = 90;
/// Width of a mark with its gap.
const STEP: usize = 3;

/// Kind of a mark, which has a height and a colour of its own.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Kind {
    /// Every test of it passed.
    Passed,
    /// A test failed on the platform's side.
    Failed,
    /// A test warned and none failed.
    Warned,
    /// Nothing is known of the platform: the daemon was at fault, or nothing ran.
    Unknown,
}

impl Kind {
    /// Returns the kind of a run's result.
    pub(crate) const fn of(mark: &Mark) -> Self {
        match (mark.status, mark.class) {
            (ReportStatus::Failed, Some(Class::Local)) | (ReportStatus::Skipped, _) => {
                Self::Unknown
            }
            (ReportStatus::Failed, _) => Self::Failed,
            (ReportStatus::Warning, _) => Self::Warned,
            (ReportStatus::Passed, _) => Self::Passed,
        }
    }
}

/// Returns result, class and duration of a run in words: `failed (denied), 312 ms`.
pub(crate) fn words(mark: &Mark) -> String {
    let class = mark.class.map_or_else(String::new, |class| format!(" ({})", class.as_str()));
    format!("{}{class}, {}", mark.status.as_str(), took(mark.duration))
}

impl Kind {
    const ALL: [Self; 4] = [Self::Passed, Self::Failed, Self::Warned, Self::Unknown];

    /// Returns the class of the style sheet for its path.
    const fn style(self) -> &'static str {
        match self {
            Self::Passed => "sp",
            Self::Failed => "sf",
            Self::Warned => "sw",
            Self::Unknown => "so",
        }
    }

    /// Returns the heights at which its line is drawn: a warning is a broken mark.
    const fn heights(self) -> &'static [u32] {
        match self {
            Self::Passed | Self::Failed | Self::Unknown => &[10],
            Self::Warned => &[6, 14],
        }
    }

    /// Returns the word for its result.
    const fn word(self) -> &'static str {
        match self {
            Self::Passed => "passed",
            Self::Failed => "failed",
            Self::Warned => "warned",
            Self::Unknown => "unknown",
        }
    }
}

/// Strip of an integration, ready to be drawn.
#[derive(Clone, Debug, Default)]
pub(crate) struct Strip {
    /// Paths with the classes of their kinds.
    pub(crate) paths: Vec<(&'static str, String)>,
    /// Numbers of results, in words.
    pub(crate) label: String,
    /// Median of the durations; empty without a run.
    pub(crate) median: String,
}

impl Strip {
    /// Returns the strip of some runs, oldest first; only the latest ninety are drawn.
    pub(crate) fn of(marks: &[Mark]) -> Self {
        let most = usize::try_from(MARKS).unwrap_or(usize::MAX);
        let marks = marks.get(marks.len().saturating_sub(most)..).unwrap_or_default();
        let empty = most.saturating_sub(marks.len());
        let kinds: Vec<_> = marks.iter().map(Kind::of).collect();
        let path = |kind: Kind| {
            let path = path(&kinds, kind, empty);
            (!path.is_empty()).then(|| (kind.style(), path))
        };
        let count = |kind: Kind| {
            let count = kinds.iter().filter(|one| **one == kind).count();
            (0 < count).then(|| format!("{count} {}", kind.word()))
        };
        let counts: Vec<_> = Kind::ALL.into_iter().filter_map(count).collect();
        let label = match marks.len() {
            0 => "No run yet".to_owned(),
            1 => format!("Last run: {}", counts.join(", ")),
            number => format!("Last {} runs: {}", grouped(number), counts.join(", ")),
        };
        let median = median(marks).map_or_else(String::new, took);
        Self { paths: Kind::ALL.into_iter().filter_map(path).collect(), label, median }
    }
}

/// Returns the path of one kind: a dashed line for each row of neighbours.
fn path(kinds: &[Kind], kind: Kind, empty: usize) -> String {
    let mut path = String::new();
    for height in kind.heights() {
        let mut at = empty;
        for run in kinds.chunk_by(|one, next| one == next) {
            if run.first() == Some(&kind) {
                let (from, length) = (at * STEP, run.len() * STEP - 1);
                // Writing to a string cannot fail.
                write!(path, "M{from} {height}h{length}").unwrap_or_default();
            }
            at += run.len();
        }
    }
    path
}

/// Returns the median duration of runs that say something about the platform.
pub(crate) fn median(marks: &[Mark]) -> Option<Duration> {
    share(marks, 50)
}

/// Returns the duration that a share of the runs stays under, in percent.
pub(crate) fn share(marks: &[Mark], percent: usize) -> Option<Duration> {
    let known = marks.iter().filter(|mark| Kind::of(mark) != Kind::Unknown);
    let mut durations: Vec<_> = known.map(|mark| mark.duration).collect();
    durations.sort_unstable();
    let at = (durations.len() * percent / 100).min(durations.len().saturating_sub(1));
    durations.get(at).copied()
}

#[cfg(test)]
pub(crate) mod samples {
    use super::*;
    use crate::domain::{RunId, Timestamp};

    /// Marks by letters: `p` passed, `f` failed, `w` warned, `l` the daemon's fault, `s` skipped.
    pub(crate) fn marks(letters: &str) -> Vec<Mark> {
        let mark = |(at, letter): (usize, char)| {
            let (status, class) = match letter {
                'p' => (ReportStatus::Passed, None),
                'f' => (ReportStatus::Failed, Some(Class::Denied)),
                'w' => (ReportStatus::Warning, Some(Class::Expired)),
                'l' => (ReportStatus::Failed, Some(Class::Local)),
                _ => (ReportStatus::Skipped, None),
            };
            let number = i64::try_from(at).unwrap();
            let at = Timestamp(1_795_428_000_000 + number * 60_000);
            let duration = Duration::from_millis(300 + u64::try_from(number).unwrap());
            Mark { run: RunId(number + 1), started_at: at, duration, status, class }
        };
        letters.chars().enumerate().map(mark).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::samples::marks;
    use super::*;

    #[test]
    fn neighbours_of_one_kind_are_one_dashed_line() {
        let table = [
            ("p".repeat(90), vec![("sp", "M0 10h269")], "Last 90 runs: 90 passed"),
            ("p".repeat(200), vec![("sp", "M0 10h269")], "Last 90 runs: 90 passed"),
            (
                format!("{}ff", "p".repeat(88)),
                vec![("sp", "M0 10h263"), ("sf", "M264 10h5")],
                "Last 90 runs: 88 passed, 2 failed",
            ),
            (
                "pfp".to_owned(),
                vec![("sp", "M261 10h2M267 10h2"), ("sf", "M264 10h2")],
                "Last 3 runs: 2 passed, 1 failed",
            ),
            (
                "wls".to_owned(),
                vec![("sw", "M261 6h2M261 14h2"), ("so", "M264 10h5")],
                "Last 3 runs: 1 warned, 2 unknown",
            ),
            ("p".to_owned(), vec![("sp", "M267 10h2")], "Last run: 1 passed"),
            (String::new(), vec![], "No run yet"),
        ];
        for (letters, paths, label) in table {
            let strip = Strip::of(&marks(&letters));
            let drawn: Vec<_> =
                strip.paths.iter().map(|(kind, path)| (*kind, path.as_str())).collect();
            assert_eq!((drawn, strip.label.as_str()), (paths, label), "{letters}");
        }
    }

    #[test]
    fn strip_of_any_runs_is_smaller_than_a_kilobyte() {
        let worst = "pf".repeat(45);
        let size: usize = Strip::of(&marks(&worst)).paths.iter().map(|(_, path)| path.len()).sum();
        assert!(size < 1024, "{size}");
    }

    #[test]
    fn shares_of_durations_leave_out_runs_that_say_nothing() {
        assert_eq!(median(&[]), None);
        assert_eq!(median(&marks("ls")), None);
        assert_eq!(median(&marks("pppl")), Some(Duration::from_millis(301)));
        assert_eq!(share(&marks(&"p".repeat(100)), 99), Some(Duration::from_millis(399)));
        assert_eq!(Strip::of(&marks("p")).median, "300 ms");
    }

    #[test]
    fn mark_says_result_class_and_duration() {
        let words: Vec<_> = marks("pf").iter().map(words).collect();
        assert_eq!(words, ["passed, 300 ms", "failed (denied), 301 ms"]);
    }
}
