//! The manual page, written from the command line's own definition.
//!
//! `man/revalidated.1` is committed; the test below prints how to renew it after a change of the
//! command line.

use std::io::Write;
use std::path::PathBuf;

use clap::{Command, CommandFactory};
use clap_mangen::Man;

use super::args::Arguments;

const REST: &str = r".SH EXIT STATUS
.TP
\fB0\fR
All is well, warnings included.
.TP
\fB1\fR
Something failed, or a validation gave no verdict.
.TP
\fB2\fR
The command line is wrong, or names an integration that does not exist.
.TP
\fB3\fR
The daemon does not run.
.TP
\fB65\fR
The database is damaged.
.TP
\fB69\fR
An address is in use.
.TP
\fB73\fR
The database is of a newer version.
.TP
\fB75\fR
Another daemon uses the database.
.TP
\fB78\fR
The configuration is wrong.
.TP
\fB130\fR
A signal interrupted the command.
.SH FILES
.TP
\fI/etc/revalidated/revalidated.toml\fR
The main configuration file.
.TP
\fI/etc/revalidated/integrations.d/\fR
More configuration, one file per integration or several.
.SH ENVIRONMENT
.TP
\fBREVALIDATED_CONFIG\fR, \fBREVALIDATED_LOG\fR
Equivalent to \fB\-\-config\fR and \fB\-\-log\-level\fR.
.TP
\fBREVALIDATED__\fISECTION\fB__\fIKEY\fR
A setting of the configuration, such as \fBREVALIDATED__DEFAULTS__SCHEDULE\fR.
.TP
\fBCOLUMNS\fR
Width of text for people, instead of that of the terminal.
.TP
\fBNO_COLOR\fR
Turns colours off, even on a terminal.
.SH SIGNALS
.TP
\fBSIGHUP\fR
The daemon reads its configuration again.
.TP
\fBSIGTERM\fR, \fBSIGINT\fR
The daemon lets running validations end, and stops.
.SH SEE ALSO
.BR revalidated.toml (5)
";

/// One page: the program, then a section per command.
fn page() -> String {
    let command = Arguments::command().disable_help_flag(true);
    let version = concat!("revalidated ", env!("CARGO_PKG_VERSION"));
    let man = Man::new(command.clone()).source(version).manual("revalidated");
    let parts = [
        rendered(|to| man.render_title(to)),
        rendered(|to| man.render_name_section(to)),
        rendered(|to| man.render_synopsis_section(to)),
        rendered(|to| man.render_description_section(to)),
        rendered(|to| man.render_options_section(to)),
        ".SH COMMANDS\n".to_owned(),
        command.get_subcommands().map(|sub| section(sub, "revalidated")).collect(),
        REST.to_owned(),
    ];
    // Every part of clap_mangen's defines the apostrophe anew.
    let apostrophe = |line: &&str| line.starts_with(".ie ") || line.starts_with(".el ");
    let text = parts.concat();
    let lines = text.lines().filter(|line| !apostrophe(line));
    let head = text.lines().take_while(apostrophe);
    head.chain(lines).flat_map(|line| [line.trim_end(), "\n"]).collect()
}

/// A command's synopsis, sentence and own options under a heading of its own.
fn section(command: &Command, parent: &str) -> String {
    let name = &format!("{parent} {}", command.get_name());
    let own = command.clone().disable_help_flag(true).bin_name(name.clone());
    let man = Man::new(own);
    let synopsis = rendered(|to| man.render_synopsis_section(to));
    let description = rendered(|to| man.render_description_section(to));
    let options = rendered(|to| man.render_options_section(to));
    let has_options = command.get_arguments().next().is_some();
    let heading = name.replace("revalidated ", "");
    let parts = [
        format!(
            ".SS {heading}\n{synopsis}.PP\n{}.\n",
            description.trim_end().trim_end_matches('.')
        ),
        if has_options { options } else { String::new() },
        command.get_subcommands().map(|sub| section(sub, name)).collect(),
    ];
    let text = parts.concat();
    let lines = text.lines().filter(|line| !line.starts_with(".SH"));
    lines.flat_map(|line| [line, "\n"]).collect()
}

fn rendered(part: impl FnOnce(&mut dyn Write) -> std::io::Result<()>) -> String {
    let mut bytes = Vec::new();
    part(&mut bytes).unwrap();
    String::from_utf8(bytes).unwrap()
}

/// The committed page is what clap says; one that is out of date is written anew beside the build.
#[test]
fn manual_page_agrees_with_the_command_line() {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    let (committed, fresh) = (root.join("man/revalidated.1"), root.join("target/revalidated.1"));
    if std::fs::read_to_string(&committed).unwrap() != page() {
        std::fs::write(&fresh, page()).unwrap();
        panic!("out of date: cp {} {}", fresh.display(), committed.display());
    }
}
