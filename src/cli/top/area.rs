//! Size of a frame, and the parts into which it is divided.

/// Size of a frame in characters.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Area {
    /// Number of columns of the screen.
    pub(super) width: u16,
    /// Number of lines of the screen.
    pub(super) height: u16,
}

/// Numbers of lines below the headings of a frame.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Parts {
    /// Lines about what fails; without any there is no heading either.
    pub(super) failing: usize,
    /// Rows of the list.
    pub(super) rows: usize,
    /// Lines about the latest status changes; without any there is no heading either.
    pub(super) changes: usize,
}

/// Height from which on status changes are shown.
const CHANGES_HEIGHT: usize = 16;
/// Part of the lines that each of the other parts may take.
const PART: usize = 4;

impl Area {
    /// Returns the number of columns.
    pub(super) fn columns(self) -> usize {
        usize::from(self.width)
    }

    /// Divides the lines between the first one and the last one, given how much there is to show.
    pub(super) fn parts(self, failing: usize, rows: usize, changes: usize) -> Parts {
        let lines = usize::from(self.height).saturating_sub(2);
        let part = (lines / PART).max(1);
        let failing = failing.min(part);
        let changes = if lines + 2 < CHANGES_HEIGHT { 0 } else { changes.min(part) };
        let heading = |lines: usize| if lines == 0 { 0 } else { lines + 1 };
        let left = lines.saturating_sub(heading(failing) + heading(changes) + 1);
        // The list leaves to the changes what it does not need.
        let spare = left.saturating_sub(rows);
        let changes = if changes == 0 { 0 } else { changes + spare };
        Parts { failing, rows: left.min(rows), changes }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn list_gets_the_lines_that_failures_and_changes_leave() {
        let parts = |height, failing, rows, changes| {
            let Parts { failing, rows, changes } =
                Area { width: 80, height }.parts(failing, rows, changes);
            (failing, rows, changes)
        };
        assert_eq!(parts(24, 0, 100, 0), (0, 21, 0));
        assert_eq!(parts(24, 2, 100, 50), (2, 12, 5));
        assert_eq!(parts(24, 9, 100, 50), (5, 9, 5));
        assert_eq!(parts(50, 3, 10, 50), (3, 10, 32), "few rows leave more to the changes");
        assert_eq!(parts(12, 3, 100, 50), (2, 6, 0), "too low for changes");
        assert_eq!(parts(2, 3, 100, 50), (1, 0, 0));
    }
}
