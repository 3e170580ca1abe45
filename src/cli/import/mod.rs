//! `import csv`: a drop-in from a table of comma-separated values.

use std::fs::{File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use anyhow::Context as _;

use super::args::{Global, ImportCsv};
use super::error::{CommandError, fault_lines, print_error};
use super::print::{Answer, counted, sanitise};
use crate::daemon;

/// Mode of the drop-in, which others than its owner and group need not read.
const MODE: u32 = 0o640;

/// Checks the configuration as it would be with the table's integrations, and writes their drop-in only when
/// there is no fault.
pub(super) fn answer(global: &Global, args: &ImportCsv) -> Result<Answer, CommandError> {
    let (main, template) = (global.config.as_deref(), args.template.as_deref());
    let opened = daemon::open_with(main, &args.file, template, args.output.as_deref());
    let (assembly, import) = opened.map_err(CommandError::Configuration)?;
    if !args.replace && import.path.try_exists().unwrap_or(false) {
        let path = import.path.display().to_string();
        let message = format!("{} is there already; --replace writes it anew", sanitise(&path));
        return Err(CommandError::Usage(message));
    }
    write(&import.path, &import.text)
        .with_context(|| format!("{} cannot be written", import.path.display()))?;
    print_error(&fault_lines(&assembly.warnings, "warning: "));
    let path = import.path.display().to_string();
    Ok(Answer::good(format!(
        "{} written to {}. A reload puts them in force: systemctl reload revalidated\n",
        counted(import.integrations, "integration"),
        sanitise(&path),
    )))
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

#[cfg(test)]
mod tests {
    use super::super::args::{Arguments, Command, ImportAction};
    use super::*;
    use clap::Parser as _;

    const MAIN: &str = "\
[[template]]
name = \"eu\"
type = \"Redshift\"
autoBootstrap = false
[template.config]
host = \"h\"
initialDatabase = \"dev\"
authenticationType = \"userPassword\"
username = \"u\"
password = { env = \"PASSWORD\" }
";

    fn import(folder: &Path, rest: &str) -> Result<Answer, CommandError> {
        let line = format!(
            "revalidated --config {0}/main.toml import csv {0}/fleet.csv {rest}",
            folder.display()
        );
        let Arguments { global, command } = Arguments::try_parse_from(line.split(' ')).unwrap();
        let Some(Command::Import(ImportAction::Csv(args))) = command else { panic!("{line}") };
        answer(&global, &args)
    }

    #[test]
    fn three_hundred_integrations_come_from_one_table() {
        let folder = tempfile::tempdir().unwrap();
        let (main, table) = (folder.path().join("main.toml"), folder.path().join("fleet.csv"));
        std::fs::write(&main, MAIN).unwrap();
        let lines = (0..300).map(|number| format!("w{number},db{number}\n"));
        let lines: String =
            std::iter::once("name,config.database\n".to_owned()).chain(lines).collect();
        std::fs::write(table, lines).unwrap();
        let said = import(folder.path(), "--template eu").unwrap().text;
        let drop_in = folder.path().join("integrations.d/fleet.toml");
        assert!(said.starts_with("300 integrations written to "), "{said}");
        let assembly = daemon::open(Some(&main)).unwrap();
        assert_eq!(assembly.integrations.len(), 300);
        let again = import(folder.path(), "--template eu").unwrap_err().to_string();
        assert!(again.contains("--replace"), "{again}");
        let before = std::fs::read(&drop_in).unwrap();
        import(folder.path(), "--template eu --replace").unwrap();
        assert_eq!(std::fs::read(drop_in).unwrap(), before);
    }

    #[test]
    fn table_with_a_fault_writes_nothing() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("main.toml"), MAIN).unwrap();
        let table = "name,config.database,config.prot\na,db,5439\na,db,\n";
        std::fs::write(folder.path().join("fleet.csv"), table).unwrap();
        let said = import(folder.path(), "--template eu").unwrap_err().text();
        assert!(
            said.contains("fleet.csv:2: config.prot: unknown key; did you mean `port`?"),
            "{said}"
        );
        assert!(said.contains("fleet.csv:3: name: duplicate name"), "{said}");
        assert!(!folder.path().join("integrations.d").exists());
    }
}
