//! `import`: a drop-in from the integrations of another program.

mod diff;
mod fetch;
mod outcome;
mod source;
#[cfg(test)]
mod tests;

use std::fs::{File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use anyhow::Context as _;

use super::args::{Global, Import, ImportAction};
use super::error::{CommandError, fault_lines, print_error};
use super::print::{Answer, sanitise};
use crate::daemon;

/// Mode of the drop-in, which others than its owner and group need not read.
const MODE: u32 = 0o640;

/// Checks the configuration as it would be with the imported integrations, and writes their drop-in only when
/// there is no fault.
pub(super) async fn answer(global: &Global, args: &Import) -> Result<Answer, CommandError> {
    let source = match &args.action {
        Some(ImportAction::Immuta(args)) => {
            let text = fetch::integrations(args).await?;
            source::fetched(args, text)
        }
        _ => source::of_file(args)?,
    };
    let into = source::into(args);
    let main = global.config.as_deref();
    let opened = daemon::open_with(main, &source, into.output.as_deref());
    let (assembly, import) = opened.map_err(CommandError::Configuration)?;
    let before = std::fs::read_to_string(&import.path).ok();
    if into.dry_run {
        let change = diff::diff(before.as_deref().unwrap_or_default(), &import.text);
        print_error(&fault_lines(&assembly.warnings, "warning: "));
        return Ok(Answer::good(outcome::shown(&import, &change)));
    }
    if !into.replace && import.path.try_exists().unwrap_or(false) {
        let path = import.path.display().to_string();
        let message = format!("{} is there already; --replace writes it anew", sanitise(&path));
        return Err(CommandError::Usage(message));
    }
    write(&import.path, &import.text)
        .with_context(|| format!("{} cannot be written", import.path.display()))?;
    print_error(&fault_lines(&assembly.warnings, "warning: "));
    Ok(Answer::good(outcome::written(&import)))
}

/// Writes a file as a whole or not at all: a daemon that reloads meanwhile reads the old or the new one.
fn write(path: &Path, text: &str) -> io::Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    let folder = folder.unwrap_or(Path::new("."));
    std::fs::create_dir_all(folder)?;
    // Hidden files are no drop-ins.
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let draft = path.with_file_name(format!(".{name}.new"));
    let mut file =
        OpenOptions::new().write(true).create(true).truncate(true).mode(MODE).open(&draft)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()?;
    std::fs::rename(&draft, path)?;
    File::open(folder)?.sync_all()
}
