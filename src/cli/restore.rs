//! `restore`: a backup takes the place of the database, while no daemon runs.

use std::path::Path;

use super::args::{self, Global};
use super::backup::BY_SERVER;
use super::confirm::confirmed;
use super::error::CommandError;
use super::print::{Answer, Screen, ago, counted, sanitise};
use super::read;
use crate::store::{Restore, RestorePlan};
use crate::view::Restored;

/// Verifies a backup, says what follows from its restore, and restores it once that was confirmed.
pub(super) fn answer(
    global: &Global,
    args: &args::Restore,
    screen: Screen,
) -> Result<Answer, CommandError> {
    let args::Restore { from, yes, change } = args;
    let failed = |error| CommandError::of_store(error, "restoring a backup");
    let path = read::file(global, &change.source, BY_SERVER)?;
    let restore = Restore::prepare(&path, from, &change.by.name(), screen.now).map_err(failed)?;
    confirmed(*yes, &summary(restore.plan(), screen))?;
    let plan = restore.apply().map_err(failed)?;
    if change.form.json {
        return Ok(Answer::json(&Restored::from(&plan))?);
    }
    Ok(Answer::good(done(&plan)))
}

fn shown(path: &Path) -> String {
    sanitise(&path.display().to_string()).into_owned()
}

fn number(number: u64, thing: &str) -> String {
    counted(usize::try_from(number).unwrap_or(usize::MAX), thing)
}

/// Says what is in the backup, and what follows from its restore.
fn summary(plan: &RestorePlan, screen: Screen) -> String {
    let RestorePlan { from, store, aside, contents, epoch, latest_at, pending } = plan;
    let rows = number(contents.total(), "row");
    let latest = match latest_at {
        Some(at) => {
            format!("the latest from {} ({})", screen.instant(Some(*at)), ago(screen.now, *at))
        }
        None => "without a run or event".to_owned(),
    };
    let mut lines = vec![format!(
        "{}: {rows}, {latest}, schema {}, epoch {}; verified.",
        shown(from),
        contents.schema,
        sanitise(&contents.epoch)
    )];
    let place = shown(store);
    lines.push(match aside {
        Some(aside) => format!(
            "It becomes {place}; the present database is set aside as {}. What was stored since is not in it: runs, \
             status changes, messages, mutes.",
            shown(aside)
        ),
        None => format!("It becomes {place}, where there is no database."),
    });
    lines.push(resent(plan.pending_total(), pending));
    lines.push(format!(
        "Receivers see the new epoch {}: numbers of events and sequences go on from the backup.",
        sanitise(epoch)
    ));
    lines.join("\n")
}

fn resent(total: u64, pending: &[(String, u64)]) -> String {
    let receivers: Vec<_> =
        pending.iter().map(|(name, number)| format!("{} {number}", sanitise(name))).collect();
    match total {
        0 => "No message was pending then.".to_owned(),
        1 => format!(
            "1 message that was pending then is sent again under its old id ({}).",
            receivers.join(", ")
        ),
        more => format!(
            "{more} messages that were pending then are sent again under their old ids ({}).",
            receivers.join(", ")
        ),
    }
}

fn done(plan: &RestorePlan) -> String {
    let RestorePlan { from, store, aside, epoch, pending, .. } = plan;
    let aside = aside.as_ref().map(|path| format!("; the former one is {}", shown(path)));
    format!(
        "{} is restored from {}{}.\n{}\nThe new epoch is {}. Start the daemon: systemctl start revalidated\n",
        shown(store),
        shown(from),
        aside.unwrap_or_default(),
        resent(plan.pending_total(), pending),
        sanitise(epoch)
    )
}

#[cfg(test)]
mod tests {
    use super::super::samples;
    use super::*;

    #[test]
    fn summary_says_what_is_set_aside_and_what_is_sent_again() {
        let expected = "\
/b/state.db: 12345 rows, the latest from 2026-11-23T09:00:00Z (1h ago), schema 17, epoch 1a2b3c4d-0000; verified.
It becomes /s/state.db; the present database is set aside as /s/state.db.before-restore-20261123T100000Z. What was \
stored since is not in it: runs, status changes, messages, mutes.
37 messages that were pending then are sent again under their old ids (chat 7, on-\\u{1b}call 30).
Receivers see the new epoch 9f8e7d6c-0000: numbers of events and sequences go on from the backup.";
        let plan = samples::restore();
        assert_eq!(summary(&plan, samples::screen()), expected);
        let first = RestorePlan {
            aside: None,
            latest_at: None,
            pending: vec![("chat".to_owned(), 1)],
            ..plan
        };
        let text = summary(&first, samples::screen());
        for expected in [
            "12345 rows, without a run or event, schema 17",
            "It becomes /s/state.db, where there is no database.",
            "1 message that was pending then is sent again under its old id (chat 1).",
        ] {
            assert!(text.contains(expected), "{text}");
        }
    }

    #[test]
    fn restored_database_is_named_with_the_former_one_and_the_next_step() {
        let expected = "\
/s/state.db is restored from /b/state.db; the former one is /s/state.db.before-restore-20261123T100000Z.
No message was pending then.
The new epoch is 9f8e7d6c-0000. Start the daemon: systemctl start revalidated
";
        let plan = RestorePlan { pending: Vec::new(), ..samples::restore() };
        assert_eq!(done(&plan), expected);
    }
}
