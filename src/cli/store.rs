//! `store check` and `store compact`: the condition of the database, and its compaction.

use super::args::{CheckStore, CompactStore, Global, StoreAction};
use super::error::CommandError;
use super::print::{Answer, Column, End, Screen, Table, counted, sanitise, size};
use super::read;
use crate::store::{self, Compacted, Condition};
use crate::view::{CompactedStore, StoreCondition};

/// Means to verify a database on a server.
const CHECKED: &str = "PostgreSQL verifies its files itself: use `pg_amcheck`, and data checksums";
/// Means to compact a database on a server.
const COMPACTED: &str = "PostgreSQL's autovacuum uses free space again; `VACUUM (FULL)` gives it back, while no daemon runs";

/// Verifies or compacts the database.
pub(super) fn answer(
    global: &Global,
    action: &StoreAction,
    screen: Screen,
) -> Result<Answer, CommandError> {
    match action {
        StoreAction::Check(args) => check(global, args, screen),
        StoreAction::Compact(args) => compact(global, args),
    }
}

fn check(global: &Global, args: &CheckStore, screen: Screen) -> Result<Answer, CommandError> {
    let path = read::file(global, &args.source, CHECKED)?;
    let found = store::examine(&path, args.full)
        .map_err(|error| CommandError::of_store(error, "verifying the store"))?;
    let end =
        if found.damage.is_empty() { End::success_if(found.is_sound()) } else { End::Damaged };
    let answer = if args.form.json {
        Answer::json(&StoreCondition::from(&found))?
    } else {
        Answer::good(text(&path.display().to_string(), &found, screen))
    };
    Ok(Answer { end, ..answer })
}

fn number(number: u64, thing: &str) -> String {
    counted(usize::try_from(number).unwrap_or(usize::MAX), thing)
}

fn text(path: &str, found: &Condition, screen: Screen) -> String {
    let path = sanitise(path);
    let Some(contents) = &found.contents else {
        let first =
            format!("{path} is damaged; `revalidated restore` puts a backup in its place:\n");
        return found.damage.iter().fold(first, |text, line| text + "  " + &sanitise(line) + "\n");
    };
    let space = found.space;
    let mut lines = vec![format!(
        "{path}: {}, {}, schema {}, epoch {}.",
        size(space.bytes),
        number(contents.total(), "row"),
        contents.schema,
        sanitise(&contents.epoch)
    )];
    let oldest = screen.instant(found.oldest_at);
    lines.push(format!(
        "{} of it free, {} in the log, history since {oldest}.",
        size(space.free_bytes),
        size(space.log_bytes)
    ));
    for broken in &found.broken {
        lines.push(format!("Rule broken by {}: {}.", number(broken.rows, "row"), broken.rule));
    }
    if found.is_sound() {
        lines.push("The database is sound.".to_owned());
    }
    let columns = [Column::name("TABLE"), Column::whole("ROWS"), Column::whole("SIZE")];
    let mut table = Table::new(screen, columns);
    for one in &found.tables {
        let rows = contents.rows.get(&one.name).map_or_else(String::new, ToString::to_string);
        table.row([sanitise(&one.name).into_owned(), rows, size(one.bytes)]);
    }
    format!("{}\n\n{}", lines.join("\n"), table.text())
}

fn compact(global: &Global, args: &CompactStore) -> Result<Answer, CommandError> {
    let path = read::file(global, &args.source, COMPACTED)?;
    let done = store::compact(&path)
        .map_err(|error| CommandError::of_store(error, "compacting the store"))?;
    if args.form.json {
        return Ok(Answer::json(&CompactedStore::from(done))?);
    }
    Ok(Answer::good(compacted(done)))
}

fn compacted(Compacted { before, after, is_rewritten }: Compacted) -> String {
    let given = size(before.bytes.saturating_sub(after.bytes));
    let (before, after) = (size(before.bytes), size(after.bytes));
    let how = if is_rewritten { ", by writing the database anew" } else { "" };
    format!("Given back: {given}{how}; the database had {before} and has {after}.\n")
}

#[cfg(test)]
mod tests {
    use super::super::samples;
    use super::*;
    use crate::store::Space;

    #[test]
    fn condition_has_sizes_broken_rules_and_a_line_per_table() {
        let found = samples::condition();
        let expected = "\
/s/state\\u{1b}.db: 1.5 MiB, 12345 rows, schema 17, epoch 1a2b3c4d-0000.
512.0 KiB of it free, 4.0 KiB in the log, history since 2026-11-23T09:00:00Z.
Rule broken by 2 rows: the latest status change ends at the status.

";
        let text = samples::plain(&text("/s/state\u{1b}.db", &found, samples::screen()));
        assert!(text.starts_with(expected), "{text}");
        let last: Vec<_> =
            text.lines().skip(4).map(|line| line.split_whitespace().collect::<Vec<_>>()).collect();
        assert_eq!(
            last[1..],
            [vec!["event", "12000", "1.0", "MiB"], vec!["run", "345", "8.0", "KiB"]]
        );
        let sound = Condition { broken: Vec::new(), ..found };
        let text = self::text("s", &sound, samples::screen());
        assert!(text.contains("\nThe database is sound.\n"), "{text}");
    }

    #[test]
    fn damage_is_listed_alone() {
        let damage = vec!["Tree 7 page 9: btreeInitPage() returns error code 11".to_owned()];
        let found = Condition { damage, contents: None, ..samples::condition() };
        assert_eq!(
            text("s", &found, samples::screen()),
            "s is damaged; `revalidated restore` puts a backup in its place:\n  Tree 7 page 9: btreeInitPage() \
             returns error code 11\n"
        );
    }

    #[test]
    fn compaction_says_what_it_gave_back() {
        let space = |bytes| Space { bytes, ..Space::default() };
        let done = Compacted { before: space(3 << 20), after: space(1 << 20), is_rewritten: false };
        assert_eq!(
            compacted(done),
            "Given back: 2.0 MiB; the database had 3.0 MiB and has 1.0 MiB.\n"
        );
        let anew = compacted(Compacted { is_rewritten: true, ..done });
        assert!(anew.contains("2.0 MiB, by writing the database anew;"), "{anew}");
    }
}
