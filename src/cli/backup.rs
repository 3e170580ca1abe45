//! `backup`: a verified copy of the database, also while the daemon runs.

use std::time::Duration;

use tokio::time::Instant;

use super::args::{self, Global};
use super::error::CommandError;
use super::print::{Answer, Screen, counted, sanitise, size};
use super::read;
use crate::domain::duration_text;
use crate::store::{self, Backup, Manner, NewBackup};
use crate::view::MadeBackup;

/// Number of backups that stay in a folder unless another one is asked for.
const KEEP: u32 = 14;
/// Means to back up a database on a server.
pub(super) const BY_SERVER: &str = "back it up and restore it with the tools of PostgreSQL, such as `pg_dump --schema=revalidated`";

/// Makes a backup and prints what is in it.
pub(super) fn answer(
    global: &Global,
    args: &args::Backup,
    screen: Screen,
) -> Result<Answer, CommandError> {
    let args::Backup { to, keep, verify, compact, source, form } = args;
    if keep.is_some() && !to.is_dir() {
        let message = format!("--keep is for a folder, and {} is none", to.display());
        return Err(CommandError::Usage(sanitise(&message).into_owned()));
    }
    let path = read::file(global, source, BY_SERVER)?;
    let new = NewBackup {
        to: to.clone(),
        keep: usize::try_from(keep.unwrap_or(KEEP)).unwrap_or(usize::MAX),
        manner: Manner { is_compact: *compact, is_thorough: *verify },
        now: screen.now,
    };
    let began = Instant::now();
    let made = store::make_backup(&path, &new, &|| false)
        .map_err(|error| CommandError::of_store(error, "making a backup"))?;
    let took = began.elapsed();
    if form.json {
        return Ok(Answer::json(&MadeBackup::new(&made, *verify, took))?);
    }
    Ok(Answer::good(text(&made, took)))
}

fn text(Backup { path, bytes, contents, removed }: &Backup, took: Duration) -> String {
    let path = path.display().to_string();
    let rows = counted(usize::try_from(contents.total()).unwrap_or(usize::MAX), "row");
    let (size, epoch) = (size(*bytes), sanitise(&contents.epoch));
    let took = duration_text(Duration::from_millis(u64::try_from(took.as_millis()).unwrap_or(0)));
    let made =
        format!("{}: {size}, {rows}, epoch {epoch}, in {took}; verified.\n", sanitise(&path));
    match removed.len() {
        0 => made,
        number => format!("{made}Deleted {}.\n", counted(number, "older backup")),
    }
}

#[cfg(test)]
mod tests {
    use super::super::samples;
    use super::*;

    #[test]
    fn backup_is_a_line_with_size_rows_epoch_and_time() {
        let made = "/b/state-20261123T100000Z-1a2b3c4d.db: 1.5 MiB, 12345 rows, epoch 1a2b3c4d-0000, in 1s 250ms; \
                    verified.\n";
        let took = Duration::from_micros(1_250_400);
        let backup = samples::backup();
        assert_eq!(text(&backup, took), format!("{made}Deleted 1 older backup.\n"));
        assert_eq!(text(&Backup { removed: Vec::new(), ..backup }, took), made);
    }
}
