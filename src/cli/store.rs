//! `store check`, `store compact` and `store move`: the condition of the database, its compaction, and its move to
//! another engine.

use super::args::{CheckStore, CompactStore, Global, MoveStore, StoreAction};
use super::error::CommandError;
use super::print::{Answer, Column, End, Screen, Table, counted, sanitise, size};
use super::read;
use crate::config;
use crate::domain::Location;
use crate::store::{self, Compacted, Condition, Moved};
use crate::view::{CompactedStore, MovedStore, StoreCondition};

/// Means to verify a database on a server.
const CHECKED: &str = "PostgreSQL verifies its files itself: use `pg_amcheck`, and data checksums";
/// Means to compact a database on a server.
const COMPACTED: &str = "PostgreSQL's autovacuum uses free space again; `VACUUM (FULL)` gives it back, while no daemon runs";

/// Means to name the file that is moved.
const MOVED: &str = "name the file that is moved by --store FILE";

/// Verifies, compacts or moves the database.
pub(super) async fn answer(
    global: &Global,
    action: &StoreAction,
    screen: Screen,
) -> Result<Answer, CommandError> {
    match action {
        StoreAction::Check(args) => check(global, args, screen),
        StoreAction::Compact(args) => compact(global, args),
        StoreAction::Move(args) => Box::pin(move_everything(global, args, screen)).await,
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

async fn move_everything(
    global: &Global,
    args: &MoveStore,
    screen: Screen,
) -> Result<Answer, CommandError> {
    let failed = |error| CommandError::of_store(error, "moving the store");
    let done = if let Some(url) = &args.to {
        let path = read::file(global, &args.source, MOVED)?;
        let address = config::store_address(global.config.as_deref(), url);
        let address = address.map_err(|problem| CommandError::Usage(format!("--to: {problem}")))?;
        store::to_server(&path, &address, screen.now).await.map_err(failed)?
    } else {
        let location = read::location(global, &args.source)?;
        let (Location::Postgres(address), Some(path)) = (&location, &args.back) else {
            let problem = format!("the store is {location}, a file already");
            return Err(CommandError::Usage(problem));
        };
        store::to_file(address, path, screen.now).await.map_err(failed)?
    };
    if args.form.json {
        return Ok(Answer::json(&MovedStore::from(&done))?);
    }
    let key = if args.to.is_some() { "url" } else { "path" };
    Ok(Answer::good(moved(&done, key, screen)))
}

fn moved(done: &Moved, key: &str, screen: Screen) -> String {
    let (from, to) = (sanitise(&done.from), sanitise(&done.to));
    let next = format!(
        "{from} is not used any more. Write {key} = \"{to}\" into the table [store], and start the daemon: systemctl \
         start revalidated\n"
    );
    if done.is_resumed {
        return format!(
            "{from} had been moved to {to} already, on {}; the move is complete now.\n{next}",
            screen.instant(Some(done.at))
        );
    }
    let rows = number(done.total(), "row");
    let counts = done.rows.iter().filter(|(_, rows)| 0 < *rows);
    let counts: Vec<_> = counts.map(|(table, rows)| format!("{table} {rows}")).collect();
    let counts = if counts.is_empty() { "empty".to_owned() } else { counts.join(", ") };
    format!("{from} is moved to {to}: {rows}, and all of them were compared ({counts}).\n{next}")
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
    fn move_says_what_was_moved_and_what_is_next() {
        let done = Moved {
            from: "/s/state\u{1b}.db".to_owned(),
            to: "postgres://revalidated@db1/revalidated".to_owned(),
            at: samples::screen().now,
            rows: vec![("integration", 1), ("outage", 0), ("run", 12)],
            is_resumed: false,
        };
        let expected = "\
/s/state\\u{1b}.db is moved to postgres://revalidated@db1/revalidated: 13 rows, and all of them were compared \
(integration 1, run 12).
/s/state\\u{1b}.db is not used any more. Write url = \"postgres://revalidated@db1/revalidated\" into the table [store], and \
start the daemon: systemctl start revalidated
";
        assert_eq!(moved(&done, "url", samples::screen()), expected);
        let none = moved(&Moved { rows: Vec::new(), ..done.clone() }, "path", samples::screen());
        assert!(none.contains(": 0 rows, and all of them were compared (empty)."), "{none}");
        assert!(none.contains("Write path = "), "{none}");
        let ended = moved(&Moved { is_resumed: true, ..done }, "url", samples::screen());
        let first = "had been moved to postgres://revalidated@db1/revalidated already, on 2026-11-23T10:00:00Z;";
        assert!(ended.contains(first), "{ended}");
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
