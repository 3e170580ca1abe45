//! Start of the program: reads the command line, runs the command and prints its answer.

use std::io::{self, Write};
use std::panic::{self, PanicHookInfo};
use std::process::{self, ExitCode};
use std::time::Duration;

use anyhow::Context as _;
use clap::Parser;
use tokio::runtime::{Builder, Runtime};

use super::args::{
    Arguments, Command, ConfigAction, DaemonStatus, Global, Run, Validate, WebhookAction,
};
use super::error::{CommandError, print_error};
use super::print::{Answer, End, Screen};
use super::serve::Servers;
#[cfg(feature = "top")]
use super::top;
use super::{
    audit, backup, bundle, catalog, check, completions, deliveries, doctor, explain, export,
    grants, health, history, import, list, log, log_queue, nagios, next, nodes, print, receivers,
    record, redeliver, rehearse, reload, report, restore, revalidate, run, sample, schema, show,
    silences, status, store, token, version, webhook,
};
use crate::daemon::Clock;
use crate::demo;

/// Longest wait for blocking work (a name that is being resolved), and for the log to be written, when the
/// program ends.
const SHUTDOWN_WAIT: Duration = Duration::from_millis(500);

type PanicHook = Box<dyn Fn(&PanicHookInfo<'_>) + Send + Sync>;

/// Runs the program with the arguments of the process.
pub(crate) fn main() -> ExitCode {
    match completions::complete() {
        Ok(false) => {}
        Ok(true) => return End::Success.code().into(),
        Err(error) => return print_clap(&error),
    }
    let arguments = match Arguments::try_parse() {
        Ok(arguments) => arguments,
        Err(ended) => return print_clap(&ended),
    };
    let is_plugin = nagios::is_asked();
    let width = width(&arguments.global);
    let answered = answer(arguments);
    let answered = match answered {
        Err(error) if is_plugin => Ok(nagios::failed(&error)),
        answered => answered,
    };
    let ended = answered.and_then(|answer| {
        let width = width.filter(|_| !answer.is_json);
        write_to(anstream::stdout().lock(), &print::wrapped(&answer.text, width))?;
        print_error(&answer.note);
        Ok(answer.end)
    });
    let end = ended.unwrap_or_else(|error| {
        print_error(&error.text());
        error.end()
    });
    end.code().into()
}

/// Prints help, the version, or the error in the command line.
fn print_clap(ended: &clap::Error) -> ExitCode {
    if nagios::is_asked() {
        let is_error = ended.use_stderr();
        let said =
            if is_error { nagios::unknown(&ended.to_string()).text } else { ended.to_string() };
        let _unread = write_to(io::stdout().lock(), &said);
        return nagios::State::Unknown.code().into();
    }
    match ended.print() {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => End::Failure.code().into(),
        Ok(()) | Err(_) => u8::try_from(ended.exit_code()).unwrap_or(End::Usage.code()).into(),
    }
}

/// Starts the runtime and runs the command on it.
fn answer(arguments: Arguments) -> Result<Answer, CommandError> {
    let Arguments { global, command } = arguments;
    let command = command.unwrap_or(Command::Run(Run::default()));
    match &command {
        // The configuration says how it logs; a thread may panic before.
        Command::Run(_) => panic::set_hook(end_at_panic("starting")),
        Command::Demo(_) => log::start(&global, None, demo::LOG_FILTER)?,
        // Icinga shows standard error too.
        Command::Status(DaemonStatus { nagios: true, .. })
        | Command::Validate(Validate { nagios: true, .. }) => log::start(&global, None, "off")?,
        // Lines of a log would spoil the screen; a panic ends it, and is written.
        #[cfg(feature = "top")]
        Command::Top(_) => log::start(&global, None, "off,revalidated::cli::logging=error")?,
        Command::Status(_)
        | Command::Health(_)
        | Command::Reload(_)
        | Command::Check(_)
        | Command::Doctor(_)
        | Command::Bundle(_)
        | Command::Validate(_)
        | Command::Rehearse(_)
        | Command::Grants(_)
        | Command::Revalidate(_)
        | Command::List(_)
        | Command::Show(_)
        | Command::History(_)
        | Command::Explain(_)
        | Command::Deliveries(_)
        | Command::Receivers(_)
        | Command::Silences(_)
        | Command::Acknowledge(_)
        | Command::Webhook(_)
        | Command::Redeliver(_)
        | Command::Replay(_)
        | Command::Nodes(_)
        | Command::Config(_)
        | Command::Audit(_)
        | Command::Backup(_)
        | Command::Restore(_)
        | Command::Store(_)
        | Command::Export(_)
        | Command::Report(_)
        | Command::Catalog(_)
        | Command::Next(_)
        | Command::Sample(_)
        | Command::Token(_)
        | Command::Completions(_)
        | Command::Schema(_)
        | Command::Version(_)
        | Command::Import(_) => log::start(&global, None, "warn")?,
    }
    let runtime = runtime()?;
    let answer = runtime.block_on(dispatch(&global, command));
    // A dropped runtime would wait for every name that is still being resolved.
    runtime.shutdown_timeout(SHUTDOWN_WAIT);
    log_queue::flush(SHUTDOWN_WAIT);
    answer
}

/// Starts the runtime. Where the system refuses it a thread, it panics and would then wait for those that it has: the
/// process ends at once instead, as for any reason not to start.
fn runtime() -> Result<Runtime, CommandError> {
    let usual = panic::take_hook();
    panic::set_hook(end_at_panic("starting the runtime"));
    let made = Builder::new_multi_thread().enable_all().build();
    panic::set_hook(usual);
    Ok(made.context("starting the runtime")?)
}

/// Returns a hook that ends the process with the reason of a panic. It needs no memory for a backtrace: where the system
/// gives none, the usual hook would wait for itself.
#[expect(clippy::exit, reason = "threads may be half made")]
fn end_at_panic(doing: &'static str) -> PanicHook {
    Box::new(move |panicked| {
        let why = panicked.payload_as_str().unwrap_or("it panicked").to_owned();
        print_error(&CommandError::from(anyhow::Error::msg(why).context(doing)).text());
        process::exit(End::Failure.code().into());
    })
}

/// Runs the command, and returns its answer.
async fn dispatch(global: &Global, command: Command) -> Result<Answer, CommandError> {
    // It is needed until the process ends.
    let zone = global.zone.clone().map(|zone| &*Box::leak(Box::new(zone)));
    let screen = Screen { now: Clock::default().now(), width: width(global), zone };
    match command {
        Command::Run(args) => Box::pin(run::answer(global, args)).await,
        Command::Status(args) if args.nagios => nagios::status(global, &args, screen.now).await,
        Command::Status(args) => status::answer(global, &args, screen).await,
        #[cfg(feature = "top")]
        Command::Top(args) => top::answer(global, &args, screen).await,
        Command::Health(args) => health::answer(global, args).await,
        Command::Reload(args) => reload::answer(global, &args, screen).await,
        Command::Check(args) => check::answer(global, &args).await,
        Command::Doctor(args) => doctor::answer(global, &args, screen).await,
        Command::Bundle(args) => bundle::answer(global, &args, screen).await,
        Command::Validate(args) if args.nagios => {
            Box::pin(nagios::validate(global, &args, screen.now)).await
        }
        Command::Validate(args) => record::answer(global, &args, screen).await,
        Command::Rehearse(args) => rehearse::answer(global, &args, screen).await,
        Command::Grants(args) => grants::answer(global, &args).await,
        Command::Revalidate(args) => revalidate::answer(global, &args, screen).await,
        Command::List(args) => list::answer(global, &args, screen).await,
        Command::Show(args) => show::answer(global, &args, screen).await,
        Command::History(args) => history::answer(global, &args, screen).await,
        Command::Explain(args) => explain::answer(global, &args, screen).await,
        Command::Deliveries(args) => deliveries::answer(global, args, screen).await,
        Command::Receivers(args) => receivers::answer(global, &args, screen).await,
        Command::Silences(args) => silences::answer(global, &args, screen).await,
        Command::Acknowledge(args) => silences::acknowledge(global, &args, screen).await,
        Command::Webhook(WebhookAction::Test(args)) => webhook::answer(global, &args, screen).await,
        Command::Redeliver(args) => redeliver::answer(global, &args, screen).await,
        Command::Replay(args) => redeliver::replay(global, &args, screen).await,
        Command::Nodes(args) => nodes::answer(global, &args, screen).await,
        Command::Config(ConfigAction::Publish(args)) => {
            reload::publish(global, &args, screen).await
        }
        Command::Audit(args) => audit::answer(global, args, screen).await,
        Command::Backup(args) => backup::answer(global, &args, screen),
        Command::Store(action) => store::answer(global, &action, screen).await,
        Command::Export(args) => export::answer(global, args, screen).await,
        Command::Restore(args) => restore::answer(global, &args, screen),
        Command::Report(args) => report::answer(global, args, screen).await,
        Command::Catalog(args) => catalog::answer(args, screen),
        Command::Next(args) => next::answer(&args, screen),
        Command::Sample(args) => sample::answer(&args),
        Command::Token(args) => token::answer(&args),
        Command::Completions(args) => completions::answer(args),
        Command::Schema(args) => Ok(schema::answer(args)),
        Command::Version(args) => version::answer(args),
        Command::Import(args) => import::answer(global, &args).await,
        Command::Demo(options) => {
            Box::pin(demo::demo::<Servers>(options.into())).await?;
            Ok(Answer::good(String::new()))
        }
    }
}

/// Columns that were asked for, else those of the terminal on standard output.
fn width(global: &Global) -> Option<u16> {
    if let Some(columns) = global.columns() {
        return Some(columns);
    }
    let (terminal_size::Width(width), _height) = terminal_size::terminal_size_of(io::stdout())?;
    Some(width)
}

/// Prints the answer; a reader that has seen enough is no failure.
fn write_to(mut out: impl Write, text: &str) -> Result<(), CommandError> {
    let written = out.write_all(print::render(text).as_bytes()).and_then(|()| out.flush());
    match written {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            Err(anyhow::Error::new(error).context("writing to standard output").into())
        }
        Ok(()) | Err(_) => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn closed_standard_output_is_no_failure() {
        struct Closed(io::ErrorKind);
        impl Write for Closed {
            fn write(&mut self, _bytes: &[u8]) -> io::Result<usize> {
                Err(self.0.into())
            }
            fn flush(&mut self) -> io::Result<()> {
                Err(self.0.into())
            }
        }
        assert!(write_to(Closed(io::ErrorKind::BrokenPipe), "text").is_ok());
        let full = write_to(Closed(io::ErrorKind::StorageFull), "text").unwrap_err();
        assert_eq!(full.end(), End::Failure);
        let mut out = Vec::new();
        write_to(&mut out, &print::toned("x", print::Tone::Good)).unwrap();
        assert_eq!(out, b"\x1b[32mx\x1b[0m");
    }
}
