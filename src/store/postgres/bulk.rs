//! Rows of whole tables: written in bulk (arrays), read by a cursor.

use tokio_postgres::Row as Found;
use tokio_postgres::types::{FromSql, ToSql, Type};

use super::StoreError;
use super::tx::Tx;
use crate::store::forms::tables::{Column, Kind, Row, Table, Value};

/// Statement that reads the next rows of a table.
const NEXT: &str = "FETCH 500 FROM revalidated_moving";

/// Part of a table's rows, as a table here keeps it.
struct Part {
    /// Name of the table.
    into: &'static str,
    /// Columns of that table.
    columns: String,
    /// Their values out of the row that is moved.
    values: String,
    /// Condition on rows of which it keeps a part.
    only: &'static str,
}

/// Columns of an integration that are in `work`.
const WORK: [&str; 8] = [
    "next_run_at_ms",
    "next_trigger",
    "failures",
    "passes",
    "last_run_id",
    "fingerprint_at_ms",
    "expires_at_ms",
    "expires_what",
];

/// Returns the parts of a table's rows.
fn parts(table: &Table) -> Vec<Part> {
    let but = |left_out: &[&str]| {
        let names = table.columns.iter().map(|column| column.name);
        names.filter(|name| !left_out.contains(name)).collect::<Vec<_>>().join(", ")
    };
    let whole = |left_out: &[&str]| {
        let columns = but(left_out);
        Part { into: table.name, values: columns.clone(), columns, only: "" }
    };
    // No lease has this token, and a report that no run uses is deleted a day after it was used.
    let with_zero = |column: &str| {
        let names = table.names();
        let (columns, values) = (format!("{names}, {column}"), format!("{names}, 0"));
        vec![Part { into: table.name, columns, values, only: "" }]
    };
    match table.name {
        "integration" => {
            let work = WORK.join(", ");
            let (columns, values) = (format!("integration_id, {work}"), format!("id, {work}"));
            vec![whole(&WORK), Part { into: "work", columns, values, only: "" }]
        }
        "delivery" => {
            let lane = Part {
                into: "lane",
                columns: "receiver, integration_id, head_id, due_at_ms".to_owned(),
                values: "receiver, COALESCE(integration_id, 0), id, due_at_ms".to_owned(),
                only: "WHERE state = 'pending' AND due_at_ms IS NOT NULL",
            };
            vec![whole(&["due_at_ms"]), lane]
        }
        "own_fault" => {
            // Of all nodes: the first one that starts finds out whether it still is.
            let names = table.names();
            let (columns, values) = (format!("{names}, node"), format!("{names}, ''"));
            vec![Part { into: table.name, columns, values, only: "" }]
        }
        "run" | "attempt" => with_zero("token"),
        "report" => with_zero("used_at_ms"),
        _ => vec![whole(&[])],
    }
}

/// Returns the rows of a table as they are moved, for a statement.
fn rows_of(table: &Table) -> String {
    match table.name {
        "integration" => {
            "revalidated.integration JOIN revalidated.work ON work.integration_id = integration.id"
                .to_owned()
        }
        "delivery" => "(SELECT delivery.*, lane.due_at_ms FROM revalidated.delivery
            LEFT JOIN revalidated.lane ON lane.head_id = delivery.id) AS delivery"
            .to_owned(),
        // Of several nodes with one fault, the first.
        "own_fault" => {
            "(SELECT DISTINCT ON (fault) fault, since_ms, message FROM revalidated.own_fault
            ORDER BY fault, since_ms) AS own_fault"
                .to_owned()
        }
        name => format!("revalidated.{name}"),
    }
}

/// Values of one column of several rows.
enum Values<'r> {
    Whole(Vec<Option<i64>>),
    Small(Vec<Option<i32>>),
    Flag(Vec<Option<bool>>),
    Text(Vec<Option<&'r str>>),
    Bytes(Vec<Option<&'r [u8]>>),
}

impl<'r> Values<'r> {
    fn of(column: &Column, place: usize, rows: &'r [Row]) -> Self {
        let values = rows.iter().map(|row| row.get(place).unwrap_or(&Value::Null));
        let whole = |value: &Value| match value {
            Value::Whole(number) => Some(*number),
            Value::Null | Value::Text(_) | Value::Bytes(_) => None,
        };
        match column.kind {
            Kind::Whole => Self::Whole(values.map(whole).collect()),
            Kind::Small => {
                let small = |number| i32::try_from(number).ok();
                Self::Small(values.map(|value| whole(value).and_then(small)).collect())
            }
            Kind::Flag => {
                Self::Flag(values.map(|value| whole(value).map(|number| number != 0)).collect())
            }
            Kind::Text => {
                let text = |value: &'r Value| match value {
                    Value::Text(text) => Some(text.as_str()),
                    Value::Null | Value::Whole(_) | Value::Bytes(_) => None,
                };
                Self::Text(values.map(text).collect())
            }
            Kind::Bytes => {
                let bytes = |value: &'r Value| match value {
                    Value::Bytes(bytes) => Some(bytes.as_slice()),
                    Value::Null | Value::Whole(_) | Value::Text(_) => None,
                };
                Self::Bytes(values.map(bytes).collect())
            }
        }
    }

    fn param(&self) -> (&(dyn ToSql + Sync), Type) {
        match self {
            Self::Whole(values) => (values, Type::INT8_ARRAY),
            Self::Small(values) => (values, Type::INT4_ARRAY),
            Self::Flag(values) => (values, Type::BOOL_ARRAY),
            Self::Text(values) => (values, Type::TEXT_ARRAY),
            Self::Bytes(values) => (values, Type::BYTEA_ARRAY),
        }
    }
}

/// Adds rows to a table, in all of its parts.
pub(super) async fn put(tx: &Tx, table: &Table, rows: &[Row]) -> Result<(), StoreError> {
    let columns = table.columns.iter().enumerate();
    let values: Vec<_> = columns.map(|(at, column)| Values::of(column, at, rows)).collect();
    let given: Vec<_> = values.iter().map(Values::param).collect();
    let places: Vec<_> = (1..=given.len()).map(|place| format!("${place}")).collect();
    let (places, names) = (places.join(", "), table.names());
    for Part { into, columns, values, only } in parts(table) {
        let sql = format!(
            "INSERT INTO revalidated.{into} ({columns}) OVERRIDING SYSTEM VALUE
             SELECT {values} FROM unnest({places}) AS given ({names}) {only}"
        );
        tx.execute(&sql, &given).await?;
    }
    Ok(())
}

/// Reads a row of a table.
fn read(table: &Table, found: &Found) -> Result<Row, StoreError> {
    fn one<'r, T: FromSql<'r>>(
        found: &'r Found,
        place: usize,
        made: impl FnOnce(T) -> Value,
    ) -> Result<Value, StoreError> {
        Ok(found.try_get::<_, Option<T>>(place)?.map_or(Value::Null, made))
    }
    let value = |(place, column): (usize, &Column)| match column.kind {
        Kind::Whole => one(found, place, Value::Whole),
        Kind::Small => one(found, place, |number: i32| Value::Whole(number.into())),
        Kind::Flag => one(found, place, |flag: bool| Value::Whole(flag.into())),
        Kind::Text => one(found, place, Value::Text),
        Kind::Bytes => one(found, place, Value::Bytes),
    };
    table.columns.iter().enumerate().map(value).collect()
}

/// Begins to read the rows of a table; those of a move out of here are without the reports that no run uses.
pub(super) async fn open_cursor(tx: &Tx, table: &Table, is_source: bool) -> Result<(), StoreError> {
    let only = match (table.name, is_source) {
        ("report", true) => {
            " WHERE EXISTS (SELECT 1 FROM revalidated.run WHERE report_id = report.id)"
        }
        // A file has no server that could lose commits, and one node.
        ("own_fault", true) => " WHERE fault NOT IN ('store', 'region')",
        _ => "",
    };
    let (names, rows) = (table.names(), rows_of(table));
    let sql =
        format!("DECLARE revalidated_moving NO SCROLL CURSOR FOR SELECT {names} FROM {rows}{only}");
    tx.batch(&sql).await
}

/// Returns the next rows; the cursor is closed after the last.
pub(super) async fn next(tx: &Tx, table: &Table) -> Result<Vec<Row>, StoreError> {
    let found = tx.rows(NEXT, &[]).await?;
    if found.is_empty() {
        tx.batch("CLOSE revalidated_moving").await?;
    }
    found.iter().map(|row| read(table, row)).collect()
}
