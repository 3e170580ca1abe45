//! Log records for the systemd journal, in its native protocol.
//!
//! A field is its name, a newline, the length of its value in eight bytes (little endian), the value
//! and a newline, so that a value may hold any byte. A record is one datagram, or, when it is larger
//! than the socket takes, the descriptor of a sealed file in memory. The records are queued like
//! lines, since a journal that hangs would block the code that logs.

use std::fmt::{self, Write as _};
use std::fs::File;
use std::io::{self, Write as _};
use std::mem::MaybeUninit;
use std::os::fd::AsFd;
use std::os::unix::net::UnixDatagram;
use std::path::Path;

use rustix::fs::{MemfdFlags, SealFlags, fcntl_add_seals, memfd_create};
use rustix::io::Errno;
use rustix::net::{SendAncillaryBuffer, SendAncillaryMessage, SendFlags, sendmsg};
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
    sink_at(Path::new(SOCKET))
}

fn sink_at(path: &Path) -> io::Result<Sink> {
    let socket = UnixDatagram::unbound()?;
    socket.connect(path)?;
    Ok(Box::new(move |record| send(&socket, record)))
}

/// Sends `record`; blocks while the journal takes nothing.
fn send(socket: &UnixDatagram, record: &[u8]) -> io::Result<()> {
    match socket.send(record) {
        Ok(_sent) => Ok(()),
        Err(error) if is_too_large(&error) => send_as_file(socket, record),
        Err(error) => Err(error),
    }
}

/// True when a record does not fit into a datagram.
fn is_too_large(error: &io::Error) -> bool {
    matches!(Errno::from_io_error(error), Some(Errno::MSGSIZE | Errno::NOBUFS))
}

/// Sends `record` as a file in memory, which the journal only takes sealed against changes.
fn send_as_file(socket: &UnixDatagram, record: &[u8]) -> io::Result<()> {
    let flags = MemfdFlags::CLOEXEC | MemfdFlags::ALLOW_SEALING;
    let mut file = File::from(memfd_create("journal-record", flags)?);
    file.write_all(record)?;
    fcntl_add_seals(
        &file,
        SealFlags::SHRINK | SealFlags::GROW | SealFlags::WRITE | SealFlags::SEAL,
    )?;
    let descriptors = [file.as_fd()];
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
    let mut control = SendAncillaryBuffer::new(&mut space);
    control.push(SendAncillaryMessage::ScmRights(&descriptors));
    sendmsg(socket, &[], &mut control, SendFlags::empty())?;
    Ok(())
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

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::{IoSliceMut, Read, Seek};
    use std::os::fd::OwnedFd;
    use std::time::Duration;

    use rustix::fs::fcntl_get_seals;
    use rustix::net::{RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, recvmsg};
    use tracing_subscriber::layer::SubscriberExt;

    /// Longest wait for a record.
    const SOON: Duration = Duration::from_secs(10);

    /// Socket that stands in the place of the journal's.
    struct Socket {
        socket: UnixDatagram,
        dir: tempfile::TempDir,
    }

    impl Socket {
        fn bind() -> Self {
            let dir = tempfile::tempdir().unwrap();
            let socket = UnixDatagram::bind(dir.path().join("socket")).unwrap();
            socket.set_read_timeout(Some(SOON)).unwrap();
            Self { socket, dir }
        }

        fn sink(&self) -> Sink {
            sink_at(&self.dir.path().join("socket")).unwrap()
        }

        /// Returns the next record and the file that it came as, if it did.
        fn record(&self) -> (Vec<u8>, Option<OwnedFd>) {
            let mut bytes = vec![0; 1024 * 1024];
            let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
            let mut control = RecvAncillaryBuffer::new(&mut space);
            let mut slices = [IoSliceMut::new(&mut bytes)];
            let flags = RecvFlags::CMSG_CLOEXEC;
            let received = recvmsg(&self.socket, &mut slices, &mut control, flags).unwrap().bytes;
            bytes.truncate(received);
            let file = control.drain().find_map(|message| {
                let RecvAncillaryMessage::ScmRights(mut files) = message else { return None };
                files.next()
            });
            (bytes, file)
        }
    }

    /// Reads a record as the protocol says: `NAME=value` or `NAME`, the length and the value.
    fn decoded(mut record: &[u8]) -> Vec<(String, Vec<u8>)> {
        let mut fields = Vec::new();
        while !record.is_empty() {
            let end = record.iter().position(|byte| b"=\n".contains(byte)).unwrap();
            let name = String::from_utf8(record[..end].to_vec()).unwrap();
            let is_text = record[end] == b'=';
            record = &record[end + 1..];
            let length = if is_text {
                record.iter().position(|byte| *byte == b'\n').unwrap()
            } else {
                let (length, rest) = record.split_first_chunk().unwrap();
                record = rest;
                usize::try_from(u64::from_le_bytes(*length)).unwrap()
            };
            fields.push((name, record[..length].to_vec()));
            assert_eq!(record[length], b'\n');
            record = &record[length + 1..];
        }
        fields
    }

    fn values<'f>(fields: &'f [(String, Vec<u8>)], name: &str) -> Vec<&'f str> {
        let named = fields.iter().filter(|(known, _)| known == name);
        named.map(|(_, value)| std::str::from_utf8(value).unwrap()).collect()
    }

    /// Returns the fields of the one event that `log` writes.
    fn logged(log: impl FnOnce()) -> Vec<(String, Vec<u8>)> {
        let journal = Socket::bind();
        let queue = LogQueue::start(journal.sink()).unwrap();
        let subscriber = tracing_subscriber::registry().with(Journal(queue));
        tracing::subscriber::with_default(subscriber, log);
        let (record, file) = journal.record();
        assert!(file.is_none());
        decoded(&record)
    }

    #[test]
    fn event_has_its_message_priority_place_and_fields() {
        let fields = logged(|| tracing::warn!(run.id = 7, ok = true, "all is well"));
        for (name, value) in [
            ("MESSAGE", "all is well"),
            ("PRIORITY", "4"),
            ("SYSLOG_IDENTIFIER", "revalidated"),
            ("TARGET", module_path!()),
            ("CODE_FILE", file!()),
            ("F_RUN_ID", "7"),
            ("F_OK", "true"),
        ] {
            assert_eq!(values(&fields, name), [value], "{name}");
        }
    }

    #[test]
    fn value_with_newlines_and_an_assignment_stays_one_field() {
        let hostile = "first\nPRIORITY=0\n\nMESSAGE\n\0=\u{1b}[31m";
        let fields = logged(|| tracing::error!(answer = hostile, "one\ntwo"));
        assert_eq!(values(&fields, "F_ANSWER"), [hostile]);
        assert_eq!(values(&fields, "MESSAGE"), ["one\ntwo"]);
        assert_eq!(values(&fields, "PRIORITY"), ["3"]);
    }

    #[test]
    fn event_has_the_fields_of_its_spans_outermost_first() {
        let fields = logged(|| {
            let outer =
                tracing::info_span!("run", integration = "lake", number = tracing::field::Empty);
            let _outer = outer.enter();
            let _inner = tracing::info_span!("test", integration = "inner").entered();
            outer.record("number", 3);
            tracing::info!("done");
        });
        assert_eq!(values(&fields, "SPAN_NAME"), ["run", "test"]);
        assert_eq!(values(&fields, "F_INTEGRATION"), ["lake", "inner"]);
        assert_eq!(values(&fields, "F_NUMBER"), ["3"]);
    }

    #[test]
    fn name_of_a_field_has_letters_of_the_journal_only() {
        for (name, expected) in
            [("http.status_code", "HTTP_STATUS_CODE"), ("__trusted", "TRUSTED"), ("a-é=\nb", "AB")]
        {
            assert_eq!(journal_name(name), expected);
        }
    }

    #[test]
    fn record_beyond_the_size_of_a_datagram_arrives_as_a_sealed_file() {
        let journal = Socket::bind();
        let mut sink = journal.sink();
        let mut record = Fields::default();
        record.put("MESSAGE", &"x".repeat(900_000));
        sink(&record.bytes).unwrap();
        let (bytes, file) = journal.record();
        assert_eq!(bytes, b"");
        let mut file = File::from(file.unwrap());
        let seals = SealFlags::SHRINK | SealFlags::GROW | SealFlags::WRITE | SealFlags::SEAL;
        assert!(fcntl_get_seals(&file).unwrap().contains(seals));
        let mut bytes = Vec::new();
        file.rewind().unwrap();
        file.read_to_end(&mut bytes).unwrap();
        assert_eq!(bytes, record.bytes);
        // The connection takes further records.
        sink(b"MESSAGE=next\n").unwrap();
        assert_eq!(values(&decoded(&journal.record().0), "MESSAGE"), ["next"]);
    }
}
