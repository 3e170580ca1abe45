//! Integrations that fail, for whoever is on call: a few short lines each, which a phone can show.

use super::print::{Screen, Tone, ago, ahead, sanitise, status_word, toned};
use super::situation;
use crate::domain::{Class, Drift};
use crate::store::{NoticeRow, StoredTest};
use crate::view::{FailingRow, Notice};

/// Lays out what broke, since when, why, what changed, how to repair it, who was notified and who works on it.
pub(super) fn block(failing: &FailingRow, screen: Screen) -> String {
    let FailingRow { row, outage, acknowledgement, .. } = failing;
    let problems = failing.problems();
    let fix = problems.iter().find_map(|test| test.remediation.as_deref());
    let drift = failing.run().map_or(&[][..], |run| &run.drift);
    let since = row
        .failing_since()
        .map(|since| format!("{} ({})", ago(screen.now, since), screen.instant(Some(since))));
    let handled = acknowledgement.as_ref().map(|one| situation::acknowledged(one, screen));
    let facts = [
        ("Status", Some(status_word(row.status))),
        ("Since", since),
        ("Why", why(&problems)),
        ("Changed", changed(drift)),
        ("Fix", fix.map(|fix| sanitise(fix).into_owned())),
        ("Outage", outage.as_ref().map(|outage| situation::outage_text(outage, screen))),
        ("Notified", Some(notified(failing, screen))),
        ("Handled", Some(handled.unwrap_or_else(|| "not acknowledged".to_owned()))),
        ("Next run", Some(situation::next_run(row, screen))),
    ];
    let facts = facts.into_iter().filter_map(|(name, value)| Some((name, value?)));
    let facts: Vec<_> = facts.map(|(name, value)| format!("  {name:<10}{value}\n")).collect();
    let facts = facts.concat();
    let name = toned(&sanitise(&row.name), Tone::Bad);
    format!("{name} ({})\n{facts}", sanitise(&row.kind))
}

/// Returns the first test that failed with its message, and how many others did.
fn why(problems: &[&StoredTest]) -> Option<String> {
    let (first, others) = problems.split_first()?;
    let class = first.class.map_or(String::new(), |class| format!(" ({})", Class::as_str(class)));
    let said = first.message.as_deref().unwrap_or_default();
    let more = match others.len() {
        0 => String::new(),
        1 => "; another test failed as well".to_owned(),
        more => format!("; {more} other tests failed as well"),
    };
    Some(format!("{}: {}{class}{more}", sanitise(&first.name), sanitise(said)))
}

/// Returns what differs from the last passing run.
fn changed(drift: &[Drift]) -> Option<String> {
    let texts: Vec<_> = drift.iter().map(|one| sanitise(&one.text()).into_owned()).collect();
    (!texts.is_empty()).then(|| texts.join("; "))
}

/// Returns what became of the notification of each receiver.
fn notified(failing: &FailingRow, screen: Screen) -> String {
    if failing.notices.is_empty() {
        return match &failing.row.mute {
            Some(mute) => {
                let until = screen.instant(Some(mute.until));
                format!("none; muted by {} until {until}", sanitise(&mute.by))
            }
            None => "none; no receiver subscribes to it".to_owned(),
        };
    }
    let texts: Vec<_> = failing.notices.iter().map(|one| notice(one, screen)).collect();
    texts.join(", ")
}

fn notice(row: &NoticeRow, screen: Screen) -> String {
    let name = sanitise(&row.receiver);
    let due = || row.due_at.map_or(String::new(), |at| format!(" {}", ahead(screen.now, at)));
    match Notice::from(row) {
        Notice::Delivered => {
            let when = row.ended_at.map(|at| format!(" {}", ago(screen.now, at)));
            format!("{name}{}", when.unwrap_or_default())
        }
        Notice::Pending => {
            format!("{name} {} (next try{})", toned("not yet", Tone::Caution), due())
        }
        Notice::Dead => format!("{name} {} (every attempt failed)", toned("not", Tone::Bad)),
        Notice::Waiting => format!("{name}{} if it lasts", due()),
    }
}

#[cfg(test)]
mod tests {
    use super::super::print::wrapped;
    use super::super::samples::{failing, plain, screen, troubled};
    use super::*;
    use crate::store::NoticeState;

    #[test]
    fn block_shows_cause_repair_receivers_and_acknowledgement() {
        let expected = "\
lake (Redshift)
  Status    recurringValidationError
  Since     2h ago (2026-11-23T08:00:00Z)
  Why       Connect to host: Unable\\nto connect to host. (unreachable)
  Changed   version of h: 1.3 instead of 1.2\\u{9b}
  Fix       Open port 5439.
  Notified  audit not yet (next try in 30s), night in 15m if it lasts, on-call 1h 59m ago
  Handled   by anna until 2026-11-23T12:00:00Z (in 2h)
  Next run  in 5m
";
        assert_eq!(plain(&block(&failing(), screen())), expected);
    }

    #[test]
    fn phone_shows_the_block_in_lines_that_fit() {
        let screen = Screen { width: Some(40), ..screen() };
        let expected = "\
lake (Redshift)
  Status    recurringValidationError
  Since     2h ago
            (2026-11-23T08:00:00Z)
  Why       Connect to host: Unable\\nto
            connect to host.
            (unreachable)
  Changed   version of h: 1.3 instead of
            1.2\\u{9b}
  Fix       Open port 5439.
  Notified  audit not yet (next try in
            30s), night in 15m if it
            lasts, on-call 1h 59m ago
  Handled   by anna until
            2026-11-23T12:00:00Z (in 2h)
  Next run  in 5m
";
        assert_eq!(plain(&wrapped(&block(&failing(), screen), screen.width)), expected);
    }

    #[test]
    fn failure_without_notification_has_a_reason() {
        let (row, situation) = troubled();
        let outage = situation.outage;
        let unknown = FailingRow { row, notices: Vec::new(), outage, acknowledgement: None };
        let shown = plain(&block(&unknown, screen()));
        for expected in [
            "  Notified  none; muted by silence 3 until 2026-11-23T12:00:00Z\n",
            "  Handled   not acknowledged\n",
            "  Outage    out_1 of host db\\u{1b} since 2026-11-23T08:00:00Z (2h ago)\n",
        ] {
            assert!(shown.contains(expected), "{expected} is not in:\n{shown}");
        }
        let alone = FailingRow { notices: Vec::new(), ..failing() };
        let shown = plain(&block(&alone, screen()));
        assert!(shown.contains("  Notified  none; no receiver subscribes to it\n"), "{shown}");
        let mut dead = failing();
        dead.notices.truncate(1);
        dead.notices[0].state = NoticeState::Dead;
        let shown = plain(&block(&dead, screen()));
        assert!(shown.contains("  Notified  audit not (every attempt failed)\n"), "{shown}");
    }
}
