//! Bars of how long the latest runs took, with a grid of round numbers and the median.

use std::fmt::Write as _;
use std::time::Duration;

use crate::page::moment::Moment;
use crate::page::strip::{Kind, MARKS, median, share};
use crate::page::text::{counted, took};
use crate::page::viewer::Viewer;
use crate::store::Mark;

/// Height of the drawing.
const HEIGHT: u128 = 150;
/// Width of a bar with its gap.
const STEP: usize = 10;

/// Plot as it is drawn.
#[derive(Clone, Debug, Default)]
pub(crate) struct Plot {
    /// Bars by the classes of their kinds.
    pub(crate) bars: Vec<(&'static str, String)>,
    /// Texts beside the grid, the highest first.
    pub(crate) labels: Vec<String>,
    /// Height of the median; none without a run.
    pub(crate) median: Option<u128>,
    /// Median and 99 % in words.
    pub(crate) summary: String,
    /// Instants of the first, a middle and the last run.
    pub(crate) times: Vec<Moment>,
}

impl Plot {
    /// Plot of some runs, oldest first.
    pub(crate) fn of(marks: &[Mark], viewer: &Viewer) -> Self {
        let Some(longest) = marks.iter().map(|mark| mark.duration).max() else {
            return Self::default();
        };
        let step = round_step(longest);
        let top = step.saturating_mul(3).as_millis().max(1);
        let height = |duration: Duration| (duration.as_millis() * HEIGHT / top).clamp(1, HEIGHT);
        let most = usize::try_from(MARKS).unwrap_or(usize::MAX);
        let empty = most.saturating_sub(marks.len());
        let bars = [Kind::Passed, Kind::Failed, Kind::Warned, Kind::Unknown].map(|kind| {
            let mut path = String::new();
            for (at, mark) in marks.iter().enumerate().filter(|(_, mark)| Kind::of(mark) == kind) {
                let (x, y) = ((empty + at) * STEP + 1, HEIGHT - height(mark.duration));
                // Writing to a string cannot fail.
                write!(path, "M{x} {HEIGHT}V{y}h7V{HEIGHT}z").unwrap_or_default();
            }
            (letter(kind), path)
        });
        let middle = median(marks);
        let summary = middle
            .zip(share(marks, 99))
            .map(|(middle, most)| format!("median {}, 99 % within {}", took(middle), took(most)));
        let places = [0, marks.len() / 2, marks.len().saturating_sub(1)];
        let times = places.iter().filter_map(|at| marks.get(*at));
        Self {
            bars: bars.into_iter().filter(|(_, path)| !path.is_empty()).collect(),
            labels: [3, 2, 1].map(|times| took(step.saturating_mul(times))).into(),
            median: middle.map(|middle| HEIGHT - height(middle)),
            summary: summary.unwrap_or_else(|| counted(marks.len(), "run")),
            times: times.map(|mark| viewer.present.clock(mark.started_at)).collect(),
        }
    }
}

/// Returns the letter of a kind's tone.
const fn letter(kind: Kind) -> &'static str {
    match kind {
        Kind::Passed => "g",
        Kind::Failed => "b",
        Kind::Warned => "w",
        Kind::Unknown => "o",
    }
}

/// Returns the least of 1, 2, 5, 10, 20 ... milliseconds of which three reach `longest`.
fn round_step(longest: Duration) -> Duration {
    let mut unit = 1;
    loop {
        for times in [1, 2, 5] {
            let step = Duration::from_millis(unit * times);
            if longest <= step.saturating_mul(3) || 1_000_000_000 < unit {
                return step;
            }
        }
        unit *= 10;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::page::strip::samples::marks;
    use crate::page::viewer::Access;
    use crate::page::viewer::samples::viewer;

    #[test]
    fn grid_has_round_numbers_that_reach_the_longest_run() {
        let table = [(0, 1), (3, 1), (4, 2), (312, 200), (601, 500), (1500, 500), (1501, 1000)];
        for (longest, step) in table {
            assert_eq!(round_step(Duration::from_millis(longest)), Duration::from_millis(step));
        }
        assert!(Duration::from_hours(1) < round_step(Duration::MAX));
    }

    #[test]
    fn bars_are_one_path_per_kind_and_newest_on_the_right() {
        let plot = Plot::of(&marks("pf"), &viewer(Access::Read));
        let bars: Vec<_> = plot.bars.iter().map(|(kind, path)| (*kind, path.as_str())).collect();
        assert_eq!(bars, [("g", "M881 150V75h7V150z"), ("b", "M891 150V75h7V150z")]);
        assert_eq!(plot.labels, ["600 ms", "400 ms", "200 ms"]);
        assert_eq!(plot.summary, "median 301 ms, 99 % within 301 ms");
        assert_eq!((plot.median, plot.times.len()), (Some(75), 3));
    }

    #[test]
    fn plot_without_runs_is_empty() {
        let plot = Plot::of(&[], &viewer(Access::Read));
        assert!(plot.bars.is_empty() && plot.labels.is_empty());
        assert_eq!(Plot::of(&marks("s"), &viewer(Access::Read)).summary, "1 run");
    }
}
