//! Arguments of the command line, with the texts of its help.

mod audit;
mod backup;
mod bundle;
mod common;
mod deliveries;
mod doctor;
mod files;
mod fitting;
mod grants;
mod health;
mod history;
mod import;
mod list;
mod nodes;
mod receivers;
mod rehearse;
mod reload;
mod report;
mod restore;
mod revalidate;
mod silences;
mod store;
mod token;
#[cfg(feature = "top")]
mod top;
mod validate;

use std::path::PathBuf;

use clap::{ArgAction, Args, Parser, Subcommand};

pub(super) use audit::Audit;
pub(super) use backup::Backup;
pub(super) use bundle::Bundle;
pub(super) use common::{Change, Json, Moment, Named, Source};
pub(super) use deliveries::{Deliveries, DeliverySort};
pub(super) use doctor::Doctor;
#[cfg(test)]
pub(super) use files::Shell;
pub(super) use files::{Completions, Sample, Schema, SchemaOf, Version};
pub(super) use fitting::Fitting;
pub(super) use grants::Grants;
pub(super) use health::Health;
pub(super) use history::{Entries, History};
pub(super) use import::{Import, ImportAction, ImportImmuta, ImportInto};
pub(super) use list::{List, Sort};
pub(super) use nodes::{NodeAction, NodeChange, Nodes};
pub(super) use receivers::{
    Disable, Enable, ReceiverAction, ReceiverSort, Receivers, Redeliver, Replay, WebhookAction,
    WebhookTest,
};
pub(super) use rehearse::Rehearse;
pub(super) use reload::{ConfigAction, Reload};
pub(super) use report::{Report, ReportFormat};
pub(super) use restore::Restore;
pub(super) use revalidate::Revalidate;
pub(super) use silences::{
    Acknowledge, EndSilence, Silence, SilenceAction, SilenceSort, Silences, Span,
};
pub(super) use store::{
    CheckStore, CompactStore, Export, ExportFormat, MoveStore, Records, StoreAction,
};
pub(super) use token::Token;
#[cfg(test)]
pub(super) use token::TokenScope;

#[cfg(feature = "top")]
pub(super) use top::Top;
pub(super) use validate::Validate;

use super::logging;
use crate::domain::Timestamp;

const AFTER_HELP: &str = "\
Without a command, the daemon runs.

Exit status:
  0   all is well, warnings included
  1   something failed
  2   the command line is wrong
  3   the daemon does not run
  65  the database is damaged
  69  an address is in use
  73  the database is of a newer version
  75  another daemon uses the database
  78  the configuration is wrong
  130 a signal interrupted the command";

/// Narrowest width that text is laid out to, in columns.
const COLUMNS_MIN: u16 = 20;
/// Widest width that text is laid out to, in columns.
const COLUMNS_MAX: u16 = 1000;

/// Reruns the validation tests of data-platform integrations on schedule and notifies webhook
/// receivers of every change
///
/// Every integration is validated on its own cron schedule, strictly read-only. A failure changes
/// its status from `enabled` to `recurringValidationError`, a later pass changes it back, and receivers
/// are notified of each change by signed webhooks, at least once and in order. The commands read the
/// daemon's database beside it; only `receivers enable`, `receivers disable`, `silences add`,
/// `silences end`, `acknowledge`, `redeliver`, `replay` and `revalidate` change it, and only which messages
/// are sent and when, and when an integration is validated. `restore` replaces it while no daemon runs.
/// `audit` shows who did.
#[derive(Debug, Parser)]
#[command(name = "revalidated", version, after_help = AFTER_HELP, max_term_width = 100,
          disable_help_subcommand = true,
          subcommand_value_name = "COMMAND")]
pub(super) struct Arguments {
    /// Arguments of every command.
    #[command(flatten)]
    pub(super) global: Global,
    /// Command, with its arguments.
    #[command(subcommand)]
    pub(super) command: Option<Command>,
}

/// Arguments of every command.
#[derive(Args, Clone, Debug)]
pub(super) struct Global {
    /// Main configuration file; drop-ins are in `integrations.d` beside it
    /// [default: /etc/revalidated/revalidated.toml]
    #[arg(
        long,
        global = true,
        value_name = "FILE",
        env = "REVALIDATED_CONFIG",
        hide_env_values = true
    )]
    pub(super) config: Option<PathBuf>,
    /// Level of the log: `error`, `warn`, `info`, `debug`, `trace`, or filters such as
    /// `info,revalidated::store=debug`; overrides the configuration
    #[arg(long, global = true, value_name = "FILTER", env = "REVALIDATED_LOG",
          value_parser = logging::checked_filter, hide_env_values = true)]
    pub(super) log_level: Option<String>,
    /// Form of the log on standard error; overrides the configuration
    #[arg(long, global = true, value_enum, value_name = "FORMAT")]
    pub(super) log_format: Option<logging::Format>,
    /// Zone in which people are shown instants: an IANA name, or `local` for that of this machine
    /// [default: UTC]
    #[arg(long = "tz", global = true, value_name = "ZONE", value_parser = common::zone)]
    pub(super) zone: Option<jiff::tz::TimeZone>,
    /// Width to which text for people is laid out, in columns, instead of that of the terminal
    #[arg(long = "columns", global = true, value_name = "N", env = "COLUMNS", hide = true)]
    pub(super) columns: Option<String>,
    /// Log in more detail; twice for everything
    #[arg(short, long, global = true, action = ArgAction::Count)]
    pub(super) verbose: u8,
}

impl Global {
    /// Returns the width that was asked for; other values of the environment are passed over.
    pub(super) fn columns(&self) -> Option<u16> {
        let columns = self.columns.as_deref()?.trim().parse().ok();
        columns.filter(|columns| (COLUMNS_MIN..=COLUMNS_MAX).contains(columns))
    }
}

/// Command, with its arguments.
#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Run the daemon until it is stopped
    Run(Run),
    /// Show whether the daemon runs, what it could not load, and what fails; the exit status says it too
    Status(DaemonStatus),
    /// Watch integrations, failures and status changes on one screen, and act on them
    ///
    /// Keys: up and down choose a row, Enter explains it, `/` filters, `f` shows only what fails, `s` sorts, `t`
    /// goes from platform to platform. `v` validates now, `a` acknowledges for 4 hours and `S` mutes for an hour,
    /// each after a yes. `q` leaves.
    #[cfg(feature = "top")]
    Top(Top),
    /// Ask the running daemon whether it is well, for supervisors of containers
    ///
    /// Asked by its socket. The exit status is 0 when its loops make progress and its database answers, else 1.
    Health(Health),
    /// Have the running daemon read its configuration again, and show what changed
    Reload(Reload),
    /// Check the configuration; all faults are shown at once
    Check(Check),
    /// Look for what is wrong with this installation; nothing is changed
    ///
    /// Looks at the unit, the configuration, the database, the machine and the daemon, for half a minute at most. Each
    /// finding says why it matters and what to type. The exit status is 0 when nothing was found.
    Doctor(Doctor),
    /// Write an archive for those who help: findings of `doctor`, configuration, log, metrics, statistics; no secrets
    Bundle(Bundle),
    /// Validate now, print the report and change nothing
    Validate(Validate),
    /// Validate with the next credential beside the present one, before it is rotated
    ///
    /// The next values are read from files, so that they are in no list of processes. Both credentials are
    /// validated, one after the other; nothing is stored, no status changes and no receiver is notified. A refused
    /// credential is not sent twice. The exit status is 0 when the next one passes everything that the
    /// present one passes.
    Rehearse(Rehearse),
    /// Show what an integration needs on its platform, what of it is missing, and what it has too much
    ///
    /// The statements, rules or policies have the names of the configuration, each with the tests that need it.
    /// One validation by hand says which of them are missing; nothing is stored and nothing is granted. Rights
    /// beyond the needs are listed as far as the platform shows them. The exit status is 0 when none is missing.
    Grants(Grants),
    /// Have the running daemon validate integrations now, out of turn
    ///
    /// The runs are stored and judged as any others, and receivers are notified of what changes, unless that
    /// is muted. `validate` stores nothing instead, and needs no daemon.
    Revalidate(Revalidate),
    /// List the integrations with their latest results
    List(List),
    /// Show one integration: configuration, results, open incident
    Show(Show),
    /// Show the runs and status changes of an integration, newest first
    History(History),
    /// Explain why an integration has its status and when it runs next
    Explain(Named),
    /// List messages to receivers: delivered, pending and failed, with every attempt
    Deliveries(Deliveries),
    /// List the receivers with their states and pending messages; enable or disable one
    Receivers(Receivers),
    /// List silences and acknowledgements; mute some integrations, or end a mute
    Silences(Silences),
    /// Mute an integration that is failing while a person works on it
    ///
    /// It is validated as before, and its status follows. Messages about it wait until the end, or
    /// until `silences end`; receivers are then notified of what differs from what they know.
    Acknowledge(Acknowledge),
    /// Send a test message to a receiver
    #[command(subcommand)]
    Webhook(WebhookAction),
    /// Queue deliveries again that were delivered or have failed, under their old ids and in order
    Redeliver(Redeliver),
    /// Queue the events of a time for a receiver again, under their old ids and in order
    Replay(Replay),
    /// List the daemons of the database, and whether each is alive; drain one
    Nodes(Nodes),
    /// Put a configuration in force on all daemons of the database
    #[command(subcommand)]
    Config(ConfigAction),
    /// List who changed something by a command, newest first
    Audit(Audit),
    /// Copy the database to a file, also while the daemon runs, and verify the copy
    ///
    /// The file is one state of the database, and has its name only when it is complete, verified and on the disk.
    /// It is written over no other. In a folder its name is `state-<time>-<epoch>.db`, and the newest are kept.
    /// `restore` puts it in place of the database.
    Backup(Backup),
    /// Put a backup in place of the database, while no daemon runs
    ///
    /// The backup is verified first. The present database is set aside under another name. The restored one has a
    /// new epoch, by which receivers see that it goes on from an earlier state; messages that were pending then are
    /// sent again under their old ids. What follows is shown, and the command asks.
    Restore(Restore),
    /// Verify the database, or give free pages back to the file system
    #[command(subcommand)]
    Store(StoreAction),
    /// Write runs, status changes, events and deliveries of a time, for audits and warehouses
    ///
    /// Each kind of records comes for itself: events by their numbers, all others the newest first. They are written as
    /// they are read, so that their number does not matter.
    Export(Export),
    /// Report a month: how long each integration was enabled, its incidents, and what expires next
    ///
    /// Figures are summed up by platform and by label. Incidents count in the month of their beginning, recoveries
    /// and acknowledgements in theirs. Time of which no status changes are kept any more is counted as unknown.
    Report(Report),
    /// List the platforms of this program with their validation tests
    Catalog(Json),
    /// Show when a cron expression comes due, by the daemon's own arithmetic
    Next(Next),
    /// Print a sample configuration for a platform
    Sample(Sample),
    /// Make a drop-in from the integrations of another program: answers of `GET /integrations`, a table, profiles
    ///
    /// Nothing is written while the configuration would have a fault, and nothing is overwritten. Secrets are never
    /// copied: the drop-in refers to them, and what to add to the unit is printed.
    Import(Import),
    /// Make a token for the HTTP server; it is shown once, with its hash and the lines of the configuration
    Token(Token),
    /// Print the script by which a shell completes command lines, and names of integrations and receivers
    ///
    /// Packages install it. Elsewhere: `source <(revalidated completions bash)`, the same with `zsh` after `compinit`, or
    /// `revalidated completions fish | source`.
    Completions(Completions),
    /// Print a JSON Schema: of configuration files, messages, the interface over HTTP, or the JSON of commands
    Schema(Schema),
    /// Show the version of the program, and of what it was built from
    Version(Version),
    /// Demonstrate the daemon with a platform and a receiver of its own
    Demo(Demo),
}

/// Arguments of the command `demo`.
#[derive(Args, Clone, Copy, Debug)]
pub(super) struct Demo {
    /// End after the recovery instead of going on until Ctrl-C
    #[arg(long)]
    pub(super) once: bool,
    /// Show so many daemons, 2 to 8, on one database of the demo's own, and kill one of them
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u8).range(2..=8))]
    pub(super) nodes: Option<u8>,
}

impl From<Demo> for crate::demo::Options {
    fn from(Demo { once, nodes }: Demo) -> Self {
        Self { once, nodes }
    }
}

/// Arguments of the command `run`.
#[derive(Args, Clone, Copy, Debug, Default)]
pub(super) struct Run {
    /// Allow the removal of so many integrations and receivers, this time
    #[arg(long, value_name = "N")]
    pub(super) allow_removals: Option<u32>,
    /// Migrate a database of an older version without a copy of it
    #[arg(long)]
    pub(super) no_copy: bool,
}

/// Arguments of the command `status`.
#[derive(Args, Debug)]
pub(super) struct DaemonStatus {
    /// Integration whose state is shown, with `--nagios`
    #[arg(requires = "nagios")]
    pub(super) name: Option<String>,
    /// Show the state of an integration as a plugin of Nagios and Icinga does; the exit status is 0 for OK, 1 for a
    /// warning or an unconfirmed failure, 2 for a failure, 3 when nothing can be said
    #[arg(long, requires = "name", conflicts_with = "json")]
    pub(super) nagios: bool,
    /// Database to read from.
    #[command(flatten)]
    pub(super) source: Source,
    /// Choice between text and JSON.
    #[command(flatten)]
    pub(super) form: Json,
}

/// Arguments of the command `check`.
#[derive(Args, Debug)]
pub(super) struct Check {
    /// Also connect to every platform and validate its integrations
    #[arg(long)]
    pub(super) online: bool,
    /// Choice between text and JSON.
    #[command(flatten)]
    pub(super) form: Json,
}

/// Arguments of the command `show`.
#[derive(Args, Debug)]
pub(super) struct Show {
    /// Integration to show, and the form.
    #[command(flatten)]
    pub(super) named: Named,
    /// Only this run, with all that its tests said; `history` lists the runs
    #[arg(long, value_name = "ID")]
    pub(super) run: Option<i64>,
}

/// Arguments of the command `next`.
#[derive(Args, Debug)]
pub(super) struct Next {
    /// Cron expression of 5 or 6 fields (seconds first), or `@hourly` and the like
    pub(super) cron: String,
    /// Instant after which to begin, RFC 3339 [default: now]
    #[arg(long, value_name = "RFC3339")]
    pub(super) after: Option<Timestamp>,
    /// Number of instants to show
    #[arg(short = 'n', long, value_name = "N", default_value_t = 5,
          value_parser = clap::value_parser!(u32).range(1..=10_000))]
    pub(super) number: u32,
    /// Choice between text and JSON.
    #[command(flatten)]
    pub(super) form: Json,
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    fn parsed(line: &str) -> Arguments {
        Arguments::try_parse_from(line.split(' ')).unwrap_or_else(|error| panic!("{line}: {error}"))
    }

    #[test]
    fn command_line_definition_is_consistent() {
        Arguments::command().debug_assert();
    }

    const LINES: &[(&str, &str)] = &[
        ("run", "Run"),
        ("status --json", "Status(DaemonStatus"),
        ("status lake --nagios", "name: Some(\"lake\"), nagios: true"),
        ("validate lake --nagios", "nagios: true"),
        ("health --live", "Health(Health { live: true })"),
        ("run --allow-removals 3", "allow_removals: Some(3)"),
        ("run --no-copy", "no_copy: true"),
        ("reload --allow-removals 3", "allow_removals: Some(3)"),
        ("check", "Check(Check { online: false"),
        ("check --online --json", "Check(Check { online: true, form: Json { json: true } })"),
        ("validate lake --preflight", "preflight: true"),
        ("validate --all --json", "all: true"),
        ("grants lake --offline --json", "offline: true, preflight: false"),
        ("rehearse lake --with config.password=/run/next --json", "key: \"config.password\", file"),
        ("validate lake --record case --yes", "record: Some(\"case\"), yes: true"),
        ("validate --replay case --json", "replay: Some(\"case\")"),
        ("list --json --deleted", "deleted: true"),
        ("list --failing --label team=data --sort since", "label: [(\"team\", \"data\")]"),
        ("list --status editError", "status: Some(EditError)"),
        ("list --store /tmp/state.db", "store: Some(\"/tmp/state.db\")"),
        ("show lake --json", "Show(Show { named: Named { name: \"lake\""),
        ("show lake --run 31", "run: Some(31)"),
        ("history lake --only changes", "only: Some(Changes)"),
        ("history lake --result failed --since 2h", "result: Some(Failed), since: Some(Ago"),
        ("deliveries --event daemon.degraded --sort next", "kind: Some(DaemonDegraded)"),
        ("receivers --state disabled --sort oldest", "state: Some(Disabled)"),
        ("silences --integration lake --author anna --sort until", "sort: Until"),
        ("silences add --all --from 1970-01-01T00:00:01Z --for 2h", "from: Some(Timestamp(1000))"),
        ("audit --command reload --about lake --csv", "act: Some(Reload), target: Some(\"lake\")"),
        ("nodes --json", "Nodes(Nodes"),
        ("nodes drain b --author anna", "Drain(NodeChange { name: \"b\""),
        ("nodes resume b", "Resume(NodeChange { name: \"b\""),
        ("config publish --allow-removals 3", "Config(Publish(Reload { allow_removals: Some(3)"),
        ("backup /b --keep 7 --verify --compact", "keep: Some(7), verify: true, compact: true"),
        ("restore /b/state.db --yes --author anna", "from: \"/b/state.db\", yes: true"),
        ("store check --full --json", "full: true"),
        ("store compact", "Compact(CompactStore"),
        ("store move --to postgres://a@db/b --json", "to: Some(\"postgres://a@db/b\"), back: None"),
        ("store move --back /s/new.db", "to: None, back: Some(\"/s/new.db\")"),
        ("export --since 720h --only runs,events", "only: [Runs, Events], format: Ndjson"),
        ("export --since 1h --only deliveries --format csv", "format: Csv"),
        ("report --month 2026-11 --label team=data --format html", "format: Html"),
        #[cfg(feature = "top")]
        ("top --once --author anna", "once: true"),
        ("webhook test on-call --event daemon.degraded", "kind: DaemonDegraded"),
        ("revalidate lake mart --wait 1m", "names: [\"lake\", \"mart\"], failing: false"),
        ("reload --author anna", "given: Some(\"anna\")"),
        ("history lake -n 5", "limit: 5"),
        ("history lake --limit 7 --json", "limit: 7"),
        ("explain lake", "Explain(Named { name: \"lake\""),
        ("deliveries", "limit: 50"),
        ("deliveries --state failed --receiver on-call", "state: Some(Failed)"),
        ("deliveries --integration lake --since 2h --limit 9", "since: Some(Ago(7200s))"),
        ("deliveries --until 1970-01-01T00:00:01Z", "until: Some(At(Timestamp(1000)))"),
        ("receivers --json", "Receivers(Receivers { action: None"),
        ("receivers enable on-call --yes", "Enable(Enable { name: \"on-call\", yes: true"),
        ("receivers disable on-call", "Disable(Disable { name: \"on-call\""),
        ("silences --ended --json", "Silences(Silences { action: None, ended: true"),
        (
            "silences add --integration a* --integration b --type Trino --label k=v --for 2h",
            "integration: [\"a*\", \"b\"], kind: [\"Trino\"], label: [(\"k\", \"v\")]",
        ),
        ("silences add --all --until 1970-01-01T00:00:01Z --yes", "until: Some(Timestamp(1000))"),
        ("silences end 3 --json", "End(EndSilence { id: 3"),
        ("acknowledge lake --for 4h --comment moving", "during: Some(14400s)"),
        ("webhook test on-call", "Test(WebhookTest { receiver: \"on-call\""),
        ("redeliver 7 8 --json", "ids: [7, 8]"),
        ("replay on-call --since 2h --yes", "since: Ago(7200s), until: None, yes: true"),
        ("catalog --json", "Catalog(Json { json: true })"),
        ("next @hourly --tz Europe/Berlin -n 3", "number: 3"),
        ("next @daily --after 1970-01-01T00:00:01Z --json", "after: Some(Timestamp(1000))"),
        ("import csv fleet.csv --template eu --replace", "template: Some(\"eu\")"),
        ("sample s3", "Sample(Sample { platform: \"s3\" })"),
        ("completions zsh", "shell: Zsh"),
        ("schema config", "of: Config"),
        ("version --json", "Version(Version { form: Json { json: true } })"),
        ("demo", "Demo"),
    ];

    #[test]
    fn every_command_line_of_the_manual_is_read() {
        for &(line, expected) in LINES {
            let command = format!("{:?}", parsed(&format!("revalidated {line}")).command.unwrap());
            assert!(command.contains(expected), "{line}: {command}");
        }
    }

    #[test]
    fn config_option_is_read_before_or_after_the_command() {
        for line in ["revalidated --config x list", "revalidated list --config x"] {
            assert_eq!(parsed(line).global.config, Some(PathBuf::from("x")), "{line}");
        }
        let alone = parsed("revalidated --config x");
        assert!(alone.command.is_none());
        assert_eq!(alone.global.config, Some(PathBuf::from("x")));
    }

    #[test]
    fn wrong_command_lines_are_refused() {
        let lines = [
            ("validate", "<NAME>"),
            ("validate a --all", "cannot be used with"),
            ("validate --all --record case", "cannot be used with"),
            ("validate --record case", "<NAME>"),
            ("validate a --yes", "--record <DIR>"),
            ("validate a --replay case", "cannot be used with"),
            ("show", "<NAME>"),
            ("lst", "'list'"),
            ("deliveries --state lost", "pending, delivered, failed"),
            ("deliveries --since yesterday", "an age such as 2h or 1d"),
            ("deliveries --limit 0", "0 is not in 1..=10000"),
            ("next @daily -n 0", "0 is not in 1..=10000"),
            ("history lake --after 7", "not a cursor"),
            ("list --tz Berlin", "did you mean `Europe/Berlin`?"),
            ("list --failing --status enabled", "cannot be used with"),
            ("next @daily --after noon", "invalid value 'noon'"),
            ("receivers enable", "<NAME>"),
            ("webhook", "test"),
            ("silences end", "<ID>"),
            ("acknowledge --for 2h", "<NAME>"),
            ("redeliver", "<ID>..."),
            ("redeliver seven", "invalid value 'seven'"),
            ("replay on-call", "--since <WHEN>"),
            ("backup", "<FILE|DIR>"),
            ("restore --yes", "<FILE>"),
            ("store", "check"),
            ("export", "--since <WHEN>"),
            ("export --since 1h --only rows", "invalid value 'rows'"),
            ("backup /b --keep 0", "0 is not in 1..=10000"),
            ("completions tcsh", "invalid value 'tcsh'"),
            ("schema", "<OF>"),
            ("run --log-level a=b=c", "invalid value 'a=b=c'"),
        ];
        for (line, expected) in lines {
            let line = format!("revalidated {line}");
            let error = Arguments::try_parse_from(line.split(' ')).unwrap_err();
            assert!(error.to_string().contains(expected), "{line}: {error}");
            assert_eq!(error.exit_code(), 2, "{line}");
        }
    }

    #[test]
    fn help_names_every_command_and_the_exit_codes() {
        let help = Arguments::command().render_long_help().to_string();
        for command in Arguments::command().get_subcommands() {
            assert!(help.contains(&format!("\n  {} ", command.get_name())), "{help}");
            assert!(command.get_about().is_some(), "{}", command.get_name());
        }
        assert!(help.contains("\n  78  the configuration is wrong"), "{help}");
        assert!(help.contains("[env: REVALIDATED_CONFIG]"), "{help}");
    }

    #[test]
    fn width_that_makes_no_sense_is_passed_over() {
        let columns = |text: &str| {
            let line = format!("revalidated list --columns={text}");
            parsed(&line).global.columns()
        };
        assert_eq!(["40", "160"].map(columns), [Some(40), Some(160)]);
        assert_eq!(["", "0", "wide", "9999"].map(columns), [None; 4]);
    }

    #[test]
    fn ages_count_back_from_now() {
        let now = Timestamp(10_000_000);
        assert_eq!("1h 30m".parse::<Moment>().unwrap().from(now), Timestamp(4_600_000));
        let instant = "1970-01-01T01:00:00+01:00".parse::<Moment>().unwrap();
        assert_eq!(instant.from(now), Timestamp(0));
        assert!("-2h".parse::<Moment>().is_err());
    }
}
