//! Log records for the systemd journal, in its native protocol.
//!
//! A field is its name, a newline, the length of its value in eight bytes, the value and a newline; a
//! record is one datagram. The records are queued like lines, since a journal that hangs would block
//! the code that logs.

use std::fmt::{self, Write as _};
use std::io;
use std::os::unix::net::UnixDatagram;

use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Level, Metadata, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::layer::Context;
use tracing_subscriber::registry::{LookupSpan, Scope};

use super::log_queue::{LogQueue, Sink};

/// Socket that the journal listens at.
const SOCKET: &str = "/run/systemd/journal/socket";
/// Prefix of the fields of events and spans, which keeps them apart from the journal's own.
const PREFIX: &str = "F_";
/// Name of this program in the journal.
const IDENTIFIER: &str = env!("CARGO_PKG_NAME");

/// Connects to the journal.
///
/// # Errors
///
/// Fails when there is none.
pub(super) fn sink() -> io::Result<Sink> {
    let socket = UnixDatagram::unbound()?;
    socket.connect(SOCKET)?;
    Ok(Box::new(move |record| socket.send(record).map(drop)))
}

/// Layer that queues each event as a record.
#[derive(Debug)]
pub(super) struct Journal(pub(super) LogQueue);

/// Fields of a span, encoded once.
struct SpanFields(Fields);

impl<S: Subscriber + for<'s> LookupSpan<'s>> Layer<S> for Journal {
    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, context: Context<'_, S>) {
        let Some(span) = context.span(id) else { return };
        let mut fields = Fields::default();
        fields.put("SPAN_NAME", span.name());
        fields.place(span.metadata(), "SPAN_");
        fields.prefix = PREFIX;
        attributes.record(&mut fields);
        span.extensions_mut().insert(SpanFields(fields));
    }

    fn on_record(&self, id: &Id, values: &Record<'_>, context: Context<'_, S>) {
        let Some(span) = context.span(id) else { return };
        let mut extensions = span.extensions_mut();
        if let Some(SpanFields(fields)) = extensions.get_mut() {
            values.record(fields);
        }
    }

    fn on_event(&self, event: &Event<'_>, context: Context<'_, S>) {
        let mut record = Fields::default();
        let spans = context.event_scope(event).into_iter().flat_map(Scope::from_root);
        for span in spans {
            if let Some(SpanFields(fields)) = span.extensions().get() {
                record.bytes.extend_from_slice(&fields.bytes);
            }
        }
        record.put("PRIORITY", priority(*event.metadata().level()));
        record.place(event.metadata(), "");
        record.put("SYSLOG_IDENTIFIER", IDENTIFIER);
        record.prefix = PREFIX;
        event.record(&mut record);
        self.0.push(&record.bytes);
    }
}

/// Returns the priority of syslog: error, warning, notice, informational, debug.
fn priority(level: Level) -> &'static str {
    match level {
        Level::ERROR => "3",
        Level::WARN => "4",
        Level::INFO => "5",
        Level::DEBUG => "6",
        Level::TRACE => "7",
    }
}

/// Encoded fields of a record.
#[derive(Default)]
struct Fields {
    bytes: Vec<u8>,
    prefix: &'static str,
}

impl Fields {
    fn put(&mut self, name: &str, value: &str) {
        self.bytes.extend_from_slice(name.as_bytes());
        self.bytes.push(b'\n');
        let length = u64::try_from(value.len()).unwrap_or(u64::MAX);
        self.bytes.extend_from_slice(&length.to_le_bytes());
        self.bytes.extend_from_slice(value.as_bytes());
        self.bytes.push(b'\n');
    }

    /// Puts the place in the code that `metadata` is about.
    fn place(&mut self, metadata: &Metadata<'_>, prefix: &str) {
        self.put(&format!("{prefix}TARGET"), metadata.target());
        if let Some(file) = metadata.file() {
            self.put(&format!("{prefix}CODE_FILE"), file);
        }
        if let Some(line) = metadata.line() {
            self.put(&format!("{prefix}CODE_LINE"), &line.to_string());
        }
    }

    fn put_field(&mut self, field: &Field, value: &str) {
        // The journal has a field of its own for the message.
        let prefix = if field.name() == "message" { "" } else { self.prefix };
        self.put(&format!("{prefix}{}", journal_name(field.name())), value);
    }
}

/// Returns `name` in the letters that the journal allows.
fn journal_name(name: &str) -> String {
    let name = name.replace('.', "_");
    let name = name.trim_start_matches('_').chars();
    name.filter(|c| *c == '_' || c.is_ascii_alphanumeric())
        .map(|c| c.to_ascii_uppercase())
        .collect()
}

impl Visit for Fields {
    fn record_str(&mut self, field: &Field, value: &str) {
        self.put_field(field, value);
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        let mut text = String::new();
        // Writing to a string cannot fail; a `Debug` that does leaves what it has written.
        let _complete = write!(text, "{value:?}");
        self.put_field(field, &text);
    }
}
