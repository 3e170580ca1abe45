//! Failures: one line for each cause, which is an outage or an integration of its own.

use super::cell::{both, clock, cut, left, short};
use super::model::Model;
use crate::cli::print::{Screen, Tone, sanitise, toned};
use crate::view::FailingRow;

/// Width of the time since when, and of the name.
const SINCE: usize = 6;
const NAME: usize = 22;

/// Failure with the number of others that have the same cause.
#[derive(Debug)]
pub(super) struct Cause<'a> {
    first: &'a FailingRow,
    others: usize,
}

/// Returns the causes in the order in which they are shown.
pub(super) fn groups(model: &Model) -> Vec<Cause<'_>> {
    let all = model.snapshot.as_ref().map_or(&[][..], |snapshot| &snapshot.failing);
    let mut causes: Vec<Cause<'_>> = Vec::new();
    for one in all {
        let outage = one.row.outage_id.as_ref();
        let is_same = |cause: &&mut Cause<'_>| {
            outage.is_some() && cause.first.row.outage_id.as_ref() == outage
        };
        match causes.iter_mut().find(is_same) {
            Some(cause) => cause.others += 1,
            None => causes.push(Cause { first: one, others: 0 }),
        }
    }
    causes
}

impl Cause<'_> {
    /// Returns the line of the cause: since when, which, why, and who works on it.
    pub(super) fn line(&self, screen: Screen, width: usize) -> String {
        let now = screen.now;
        let FailingRow { row, acknowledgement, .. } = self.first;
        let is_handled = acknowledgement.is_some();
        let sign = if is_handled { toned("‖", Tone::Caution) } else { toned("▲", Tone::Bad) };
        let since = row.failing_since().map(|since| short(now.since(since))).unwrap_or_default();
        let more = if self.others == 0 { String::new() } else { format!(" +{}", self.others) };
        let name = cut(&row.name, NAME - more.len()) + &more;
        let why = self.first.problems().first().map_or_else(String::new, |test| {
            test.message.clone().unwrap_or_else(|| test.name.clone())
        });
        let by = acknowledgement.as_ref().map(|one| {
            let by = if one.author.is_empty() {
                String::new()
            } else {
                format!(", {}", sanitise(&one.author))
            };
            format!("acknowledged until {}{by} ", clock(screen, one.until))
        });
        let by = by.unwrap_or_default();
        let head = format!(" {sign} {} {} ", left(&since, SINCE), left(&name, NAME));
        let taken = 3 + SINCE + 1 + NAME + 1 + by.chars().count();
        let text = cut(&why, width.saturating_sub(taken + 1));
        both(&(head + &text), &by, width)
    }
}
