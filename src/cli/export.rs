//! `export`: runs, status changes, events and deliveries of a time, written as they are read.
//!
//! Records are read page by page, so that neither memory nor the daemon's log grows with their number.

use std::io::{self, Write};

use serde::Serialize;
use serde_json::Value;

use super::args::{Export, ExportFormat, Global, Records};
use super::error::CommandError;
use super::print::{Answer, Screen, escaped_json, sanitise};
use super::read;
use crate::domain::Timestamp;
use crate::store::{
    Cursor, DeliveryFilter, EventRow, Listed, PAGE_MAX, Page, RunFilter, StoreError,
    TransitionFilter, View,
};
use crate::view::{AttributedRun, AttributedTransition, Delivery, Exported, StoredEvent};

/// Number of records that are read at once.
const BATCH: u32 = PAGE_MAX;

/// Column of a table: its name, and where its value is in the JSON of the record.
type Column = (&'static str, &'static str);

const RUN: &[Column] = &[
    ("id", "/id"),
    ("integration_id", "/integration/id"),
    ("integration", "/integration/name"),
    ("type", "/integration/type"),
    ("started_at", "/startedAt"),
    ("duration_ms", "/durationMs"),
    ("configuration", "/configuration"),
    ("trigger", "/trigger"),
    ("status", "/status"),
    ("class", "/class"),
    ("rule", "/rule"),
];
const TRANSITION: &[Column] = &[
    ("integration_id", "/integration/id"),
    ("integration", "/integration/name"),
    ("type", "/integration/type"),
    ("at", "/at"),
    ("from", "/from"),
    ("to", "/to"),
    ("cause", "/cause"),
    ("run", "/run"),
    ("incident_id", "/incidentId"),
];
const EVENT: &[Column] = &[
    ("number", "/number"),
    ("id", "/id"),
    ("type", "/type"),
    ("integration", "/integration"),
    ("created_at", "/createdAt"),
    ("body", "/body"),
];
const DELIVERY: &[Column] = &[
    ("id", "/id"),
    ("event_id", "/eventId"),
    ("type", "/type"),
    ("receiver", "/receiver"),
    ("integration", "/integration"),
    ("sequence", "/sequence"),
    ("state", "/state"),
    ("created_at", "/createdAt"),
    ("attempts", "/attempts"),
];

impl Records {
    /// Returns the columns of these records in a table.
    const fn columns(self) -> &'static [Column] {
        match self {
            Self::Runs => RUN,
            Self::Transitions => TRANSITION,
            Self::Events => EVENT,
            Self::Deliveries => DELIVERY,
        }
    }
}

/// Writes the records of a time to standard output.
pub(super) async fn answer(
    global: &Global,
    args: Export,
    screen: Screen,
) -> Result<Answer, CommandError> {
    let Export { since, until, only, format, source } = args;
    if format == ExportFormat::Csv && only.len() != 1 {
        let message = "--format csv takes one kind of records: --only runs, transitions, events or \
                       deliveries";
        return Err(CommandError::Usage(message.to_owned()));
    }
    let every = [Records::Runs, Records::Transitions, Records::Events, Records::Deliveries];
    let kinds = if only.is_empty() { every.to_vec() } else { only };
    let view = read::view(global, &source).await?;
    let until = until.map(|until| until.from(screen.now));
    let span = Span { since: since.from(screen.now), until };
    let out = io::BufWriter::new(io::stdout().lock());
    let mut writer = Writer { out, format, columns: &[] };
    for kind in kinds {
        let written = export(&view, kind, span, &mut writer).await;
        match written.and_then(|()| Ok(writer.out.flush()?)) {
            Ok(()) => {}
            Err(Failed::Output(error)) if error.kind() == io::ErrorKind::BrokenPipe => break,
            Err(Failed::Output(error)) => {
                return Err(anyhow::Error::new(error).context("writing the records").into());
            }
            Err(Failed::Store(error)) => {
                return Err(CommandError::of_store(error, "reading the store"));
            }
        }
    }
    Ok(Answer::good(String::new()))
}

/// Span of time of the records.
#[derive(Clone, Copy)]
struct Span {
    since: Timestamp,
    until: Option<Timestamp>,
}

/// Reason for which an export ended early.
#[derive(Debug, thiserror::Error)]
enum Failed {
    #[error("the database cannot be read")]
    Store(#[from] StoreError),
    #[error("the records cannot be written")]
    Output(#[from] io::Error),
}

/// Output of records in one form.
struct Writer<W> {
    out: W,
    format: ExportFormat,
    columns: &'static [Column],
}

impl<W: Write> Writer<W> {
    /// Begins the records of a kind.
    fn begin(&mut self, kind: Records) -> io::Result<()> {
        self.columns = kind.columns();
        match self.format {
            ExportFormat::Ndjson => Ok(()),
            ExportFormat::Csv => self.line(self.columns.iter().map(|(name, _)| (*name).to_owned())),
        }
    }

    /// Writes one record as a line.
    fn write(&mut self, record: &impl Serialize) -> io::Result<()> {
        match self.format {
            ExportFormat::Ndjson => {
                writeln!(self.out, "{}", escaped_json(&serde_json::to_string(record)?))
            }
            ExportFormat::Csv => {
                let record = serde_json::to_value(record)?;
                self.line(self.columns.iter().map(|(_, path)| cell(record.pointer(path))))
            }
        }
    }

    fn line(&mut self, cells: impl Iterator<Item = String>) -> io::Result<()> {
        let mut line = csv::Writer::from_writer(Vec::new());
        line.write_record(cells).map_err(io::Error::other)?;
        let bytes = line.into_inner().map_err(|error| io::Error::other(error.to_string()))?;
        self.out.write_all(&bytes)
    }
}

/// Returns the text of a value in a table; of attempts their number.
fn cell(value: Option<&Value>) -> String {
    match value {
        None | Some(Value::Null) => String::new(),
        Some(Value::String(text)) => sanitise(text).into_owned(),
        Some(Value::Array(items)) => items.len().to_string(),
        Some(value @ (Value::Bool(_) | Value::Number(_) | Value::Object(_))) => {
            escaped_json(&value.to_string())
        }
    }
}

async fn export<W: Write>(
    view: &View,
    kind: Records,
    span: Span,
    writer: &mut Writer<W>,
) -> Result<(), Failed> {
    let Span { since, until } = span;
    writer.begin(kind)?;
    match kind {
        Records::Runs => {
            let filter = RunFilter { since: Some(since), until, ..RunFilter::default() };
            let read = async |page| view.all_runs(filter, page).await;
            pages(read, |row| writer.write(&Exported::Run(AttributedRun::from(row)))).await
        }
        Records::Transitions => {
            let filter = TransitionFilter { since: Some(since), until };
            let read = async |page| view.all_transitions(filter, page).await;
            pages(read, |row| writer.write(&Exported::Transition(AttributedTransition::from(row))))
                .await
        }
        Records::Events => events(view, span, writer).await,
        Records::Deliveries => {
            let filter = DeliveryFilter { since: Some(since), until, ..DeliveryFilter::default() };
            let read = async |page| view.deliveries(filter.clone(), page).await;
            pages(read, |row| writer.write(&Exported::Delivery(Delivery::from(row)))).await
        }
    }
}

/// Reads page by page and writes each row.
async fn pages<T>(
    read: impl AsyncFn(Page) -> Result<Listed<T>, StoreError>,
    mut write: impl FnMut(&T) -> io::Result<()>,
) -> Result<(), Failed> {
    let mut after: Option<Cursor> = None;
    loop {
        let Listed { rows, next } = read(Page { after, limit: BATCH }).await?;
        for row in &rows {
            write(row)?;
        }
        if next.is_none() {
            return Ok(());
        }
        after = next;
    }
}

/// Writes the events of a time, by their numbers.
async fn events<W: Write>(view: &View, span: Span, writer: &mut Writer<W>) -> Result<(), Failed> {
    let Span { since, until } = span;
    let mut after = 0;
    loop {
        let rows = view.events(after, BATCH).await?.rows;
        let Some(last) = rows.last() else { return Ok(()) };
        after = last.number;
        let is_in = |row: &&EventRow| {
            since <= row.created_at && until.is_none_or(|until| row.created_at < until)
        };
        for row in rows.iter().filter(is_in) {
            let event = StoredEvent::new(row)
                .ok_or_else(|| io::Error::other(format!("the body of {} is no JSON", row.id)))?;
            writer.write(&Exported::Event(event))?;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::samples;
    use super::*;

    fn written(format: ExportFormat) -> String {
        let mut writer = Writer { out: Vec::new(), format, columns: &[] };
        writer.begin(Records::Deliveries).unwrap();
        for row in &samples::deliveries()[..2] {
            writer.write(&Exported::Delivery(Delivery::from(row))).unwrap();
        }
        String::from_utf8(writer.out).unwrap()
    }

    #[test]
    fn each_record_is_a_line_of_json_with_its_kind() {
        let text = written(ExportFormat::Ndjson);
        assert_eq!(text.lines().count(), 2);
        for line in text.lines() {
            let value: Value = serde_json::from_str(line).unwrap();
            assert_eq!(value["record"], "delivery");
            for (name, path) in DELIVERY {
                assert!(value.pointer(path).is_some(), "{name}: {line}");
            }
        }
    }

    #[test]
    fn table_has_a_line_of_names_and_no_control_characters() {
        let text = written(ExportFormat::Csv);
        assert!(text.starts_with(
            "id,event_id,type,receiver,integration,sequence,state,created_at,attempts\n"
        ));
        let mut reader = csv::Reader::from_reader(text.as_bytes());
        let rows: Vec<_> = reader.records().map(Result::unwrap).collect();
        assert_eq!(rows.len(), 2);
        let attempts = samples::deliveries()[0].attempts.len().to_string();
        assert_eq!(rows[0].get(8), Some(attempts.as_str()));
        assert!(!text.contains('\u{1b}'), "{text}");
    }

    #[test]
    fn cell_of_each_kind_of_value_is_text() {
        let table = [
            (Value::Null, ""),
            (Value::from("a\u{1b}"), "a\\u{1b}"),
            (Value::from(7), "7"),
            (serde_json::json!([1, 2]), "2"),
            (serde_json::json!({"a": true}), "{\"a\":true}"),
        ];
        for (value, expected) in table {
            assert_eq!(cell(Some(&value)), expected);
        }
        assert_eq!(cell(None), "");
    }
}
