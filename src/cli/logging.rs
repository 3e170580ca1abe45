//! Structured logging: destination and form of the log.
//!
//! Messages and fields may hold text of platforms, so control characters in them reach neither a
//! terminal nor a file, and one event is one line. Lines go through a [queue](super::log_queue), so
//! that logging never blocks.

use std::fmt;
use std::fs::File;
use std::io::{self, Write};
use std::os::fd::AsFd;
use std::os::unix::fs::MetadataExt;
use std::panic;

use tracing_subscriber::field::{MakeExt, RecordFields};
use tracing_subscriber::fmt::format::{Writer, debug_fn};
use tracing_subscriber::fmt::{FormatFields, MakeWriter};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{EnvFilter, Layer, Registry, fmt as lines};

use super::journal::{self, Journal};
use super::log_queue::{Sink, queue};
use super::print::{escaped_json, sanitise};
use crate::config::LogFormat;
use crate::daemon::QUIET;

/// Form of the log.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, clap::ValueEnum)]
pub(super) enum Format {
    /// Text on a terminal, the journal under systemd, JSON everywhere else
    #[default]
    Auto,
    /// One line of text per event
    Text,
    /// One JSON object per line
    Json,
    /// The systemd journal, with every field searchable
    Journald,
}

impl From<LogFormat> for Format {
    fn from(format: LogFormat) -> Self {
        match format {
            LogFormat::Auto => Self::Auto,
            LogFormat::Text => Self::Text,
            LogFormat::Json => Self::Json,
            LogFormat::Journald => Self::Journald,
        }
    }
}

/// Checks a filter on the command line.
pub(super) fn checked_filter(text: &str) -> Result<String, String> {
    EnvFilter::try_new(text).map_err(|error| error.to_string())?;
    Ok(text.to_owned())
}

/// Returns the filter in force: `text` and the detail that `verbose` asks for, without the scheduler's
/// own events unless `text` names it.
#[must_use]
pub(super) fn filter(text: &str, verbose: u8) -> String {
    match verbose {
        0 => format!("{QUIET},{text}"),
        1 => format!("{QUIET},{text},revalidated=debug"),
        _ => format!("{QUIET},{text},revalidated=trace"),
    }
}

/// Starts logging to standard error, once per process.
///
/// # Errors
///
/// Fails when the filter cannot be read, when the journal is demanded and not there, or when
/// logging has been started before.
pub(super) fn start(filter: &str, format: Format) -> anyhow::Result<()> {
    let layer = match chosen(format) {
        Format::Journald => match journal::sink() {
            Ok(sink) => Journal(queue(sink)?).boxed(),
            Err(_missing) if format == Format::Auto => json(queue(stderr()?)?),
            Err(missing) => return Err(anyhow::Error::new(missing).context("reaching journald")),
        },
        Format::Json => json(queue(stderr()?)?),
        Format::Text | Format::Auto => {
            let colour = anstream::AutoStream::choice(&io::stderr());
            text(queue(stderr()?)?, colour != anstream::ColorChoice::Never)
        }
    };
    let filter = EnvFilter::try_new(filter)?;
    tracing_subscriber::registry().with(layer.with_filter(filter)).try_init()?;
    // The usual hook writes to standard error, and would block when nothing reads that.
    panic::set_hook(Box::new(|panicked| {
        let place = panicked.location().map(ToString::to_string).unwrap_or_default();
        let message = panicked.payload_as_str().unwrap_or("a panic");
        tracing::error!(place, "a fault in revalidated: {message}");
    }));
    Ok(())
}

/// Returns standard error without its lock, which a writer that hangs would keep.
fn stderr() -> io::Result<Sink> {
    let mut stream = File::from(io::stderr().as_fd().try_clone_to_owned()?);
    Ok(Box::new(move |line| stream.write_all(line)))
}

/// Returns the form that `auto` means for this process.
fn chosen(format: Format) -> Format {
    let stderr = io::stderr();
    if format != Format::Auto {
        format
    } else if io::IsTerminal::is_terminal(&stderr) {
        Format::Text
    } else if journal_stream().is_some_and(|wanted| identity(&stderr).ok() == Some(wanted)) {
        Format::Journald
    } else {
        Format::Json
    }
}

/// Returns device and inode of the stream that systemd connected to the journal.
#[expect(clippy::disallowed_methods, reason = "systemd's own protocol, not a setting")]
fn journal_stream() -> Option<(u64, u64)> {
    parsed_stream(&std::env::var("JOURNAL_STREAM").ok()?)
}

fn parsed_stream(text: &str) -> Option<(u64, u64)> {
    let (device, inode) = text.split_once(':')?;
    Some((device.parse().ok()?, inode.parse().ok()?))
}

/// Returns device and inode of an open stream.
fn identity(stream: &impl AsFd) -> io::Result<(u64, u64)> {
    let file = File::from(stream.as_fd().try_clone_to_owned()?);
    let metadata = file.metadata()?;
    Ok((metadata.dev(), metadata.ino()))
}

/// Returns a layer that writes one JSON object per line, the event's fields beside `timestamp`, `level`,
/// `message` and `target`.
fn json<W>(writer: W) -> Box<dyn Layer<Registry> + Send + Sync>
where
    W: for<'w> MakeWriter<'w> + Send + Sync + 'static,
{
    let writer = Escaping(writer);
    lines::layer().json().flatten_event(true).with_current_span(false).with_writer(writer).boxed()
}

/// Returns a layer that writes one line of text per event.
fn text<W>(writer: W, colour: bool) -> Box<dyn Layer<Registry> + Send + Sync>
where
    W: for<'w> MakeWriter<'w> + Send + Sync + 'static,
{
    lines::layer().fmt_fields(Fields).with_ansi(colour).with_writer(writer).boxed()
}

/// Format of fields: `message` as it is and others as `name=value`, sanitised.
struct Fields;

impl<'w> FormatFields<'w> for Fields {
    fn format_fields<R: RecordFields>(&self, writer: Writer<'w>, fields: R) -> fmt::Result {
        let one = debug_fn(|writer, field, value| {
            let shown = format!("{value:?}");
            match field.name() {
                "message" => write!(writer, "{}", sanitise(&shown)),
                name => write!(writer, "{name}={}", sanitise(&shown)),
            }
        });
        one.delimited(" ").format_fields(writer, fields)
    }
}

/// Maker of writers that escape the characters which JSON itself would let through.
#[derive(Debug)]
struct Escaping<W>(W);

impl<'w, W: MakeWriter<'w>> MakeWriter<'w> for Escaping<W> {
    type Writer = EscapingWriter<W::Writer>;

    fn make_writer(&'w self) -> Self::Writer {
        EscapingWriter(self.0.make_writer())
    }
}

/// Writer of one event, which arrives in one piece.
struct EscapingWriter<W>(W);

impl<W: Write> Write for EscapingWriter<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match std::str::from_utf8(bytes) {
            Ok(text) => self.0.write_all(escaped_json(text).as_bytes())?,
            Err(_torn) => self.0.write_all(bytes)?,
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::{Arc, Mutex};

    /// Collects the lines of the log in memory.
    #[derive(Clone, Default)]
    struct Log(Arc<Mutex<Vec<u8>>>);

    impl Write for Log {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().write(bytes)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn logged(
        layer: impl FnOnce(Box<dyn Fn() -> Log + Send + Sync>) -> Box<dyn Layer<Registry> + Send + Sync>,
    ) -> String {
        let log = Log::default();
        let sink = log.clone();
        let layer = layer(Box::new(move || sink.clone()));
        let subscriber = tracing_subscriber::registry().with(layer);
        tracing::subscriber::with_default(subscriber, || {
            let foreign = "a\nb\u{1b}[31m\u{202e}\u{9b}";
            let span = tracing::info_span!("run", integration = %foreign);
            span.in_scope(|| tracing::warn!(detail = %foreign, attempt = 2, "said {foreign}"));
        });
        let bytes = log.0.lock().unwrap().clone();
        String::from_utf8(bytes).unwrap()
    }

    #[test]
    fn hostile_event_is_one_harmless_json_line() {
        let line = logged(|writer| json(writer));
        let (line, rest) = line.split_once('\n').unwrap();
        assert_eq!(rest, "");
        assert!(!line.chars().any(crate::domain::is_unseen), "{line:?}");
        let value: serde_json::Value = serde_json::from_str(line).unwrap();
        assert_eq!(value["level"], "WARN");
        assert_eq!(value["message"], "said a\nb\u{1b}[31m\u{202e}\u{9b}");
        assert_eq!(value["detail"], "a\nb\u{1b}[31m\u{202e}\u{9b}");
        assert_eq!(value["attempt"], 2);
        assert_eq!(value["spans"][0]["name"], "run");
    }

    #[test]
    fn hostile_event_is_one_harmless_text_line() {
        let line = logged(|writer| text(writer, false));
        let (line, rest) = line.split_once('\n').unwrap();
        assert_eq!(rest, "");
        assert!(!line.chars().any(crate::domain::is_unseen), "{line:?}");
        let event = "said a\\nb\\u{1b}[31m\\u{202e}\\u{9b} detail=a\\nb\\u{1b}[31m";
        assert!(line.contains(event) && line.ends_with("attempt=2"), "{line}");
    }

    #[test]
    fn scheduler_is_quiet_unless_a_filter_names_it() {
        let directives = |text, verbose| {
            let filter = EnvFilter::new(filter(text, verbose)).to_string();
            let mut directives: Vec<_> = filter.split(',').map(str::to_owned).collect();
            directives.sort();
            directives
        };
        assert_eq!(directives("info", 0), ["info", "tokio_cron_scheduler=warn"]);
        assert_eq!(directives("trace", 0), ["tokio_cron_scheduler=warn", "trace"]);
        assert_eq!(directives("tokio_cron_scheduler=info", 0), ["tokio_cron_scheduler=info"]);
        let detailed = ["revalidated=debug", "tokio_cron_scheduler=warn", "warn"];
        assert_eq!(directives("warn", 1), detailed);
        assert!(directives("warn", 3).contains(&"revalidated=trace".to_owned()));
    }

    #[test]
    fn journal_is_recognised_by_device_and_inode() {
        assert_eq!(parsed_stream("8:12345"), Some((8, 12345)));
        assert_eq!(parsed_stream("8"), None);
        assert_eq!(parsed_stream("8:x"), None);
        let file = tempfile::tempfile().unwrap();
        let metadata = file.metadata().unwrap();
        assert_eq!(identity(&file).unwrap(), (metadata.dev(), metadata.ino()));
    }
}
