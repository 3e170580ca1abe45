//! Reads what Snowflake answers: the SQL API's result sets, and those of the drivers' protocol.

use serde::Deserialize;
use serde_json::Value as Json;

use super::classify::{Failure, Stage, is_running};
use super::statement::Statement;
use crate::domain::{Secret, Timestamp};
use crate::net::exchange::Answer;

/// The rows of an answer.
#[derive(Debug, Default)]
pub(super) struct Rows {
    /// The names of the columns, in lower case.
    columns: Vec<String>,
    cells: Vec<Vec<Json>>,
    /// False when there are more rows than came with the answer.
    pub(super) complete: bool,
}

/// Row of an answer.
#[derive(Clone, Copy, Debug)]
pub(super) struct Row<'a> {
    columns: &'a [String],
    cells: &'a [Json],
}

impl Rows {
    /// Returns all rows of the answer.
    pub(super) fn iter(&self) -> impl Iterator<Item = Row<'_>> {
        self.cells.iter().map(|cells| Row { columns: &self.columns, cells })
    }

    /// Returns the cell at `position` of the first row; empty where there is none.
    pub(super) fn first(&self, position: usize) -> &str {
        let cell = self.cells.first().and_then(|cells| cells.get(position));
        cell.and_then(Json::as_str).unwrap_or_default()
    }

    /// Says what `statement` needs of its answer and does not find.
    fn check(self, statement: &Statement<'_>) -> Result<Self, String> {
        let columns = statement.columns();
        if columns.is_empty() && self.first(0).is_empty() {
            return Err("there is no row in it".to_owned());
        }
        let missing = columns.iter().find(|column| !self.columns.iter().any(|has| has == *column));
        missing.map_or(Ok(self), |column| Err(format!("there is no column `{column}` in it")))
    }
}

impl<'a> Row<'a> {
    /// Returns the text in `column`; empty where there is none.
    pub(super) fn text(&self, column: &str) -> &'a str {
        let position = self.columns.iter().position(|name| name == column);
        let cell = position.and_then(|position| self.cells.get(position));
        cell.and_then(Json::as_str).unwrap_or_default()
    }

    /// True when `column` says so, in whatever case, or is it.
    pub(super) fn is_true(&self, column: &str) -> bool {
        let position = self.columns.iter().position(|name| name == column);
        let cell = position.and_then(|position| self.cells.get(position));
        cell.is_some_and(|cell| {
            cell.as_bool().unwrap_or_else(|| self.text(column).eq_ignore_ascii_case("true"))
        })
    }
}

/// Outcome of a statement.
#[derive(Debug)]
pub(super) enum Reply {
    /// The statement is done.
    Done(Rows),
    /// It is still running under this handle.
    Running(String),
}

#[derive(Deserialize)]
struct Column {
    name: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ResultSet {
    result_set_meta_data: Meta,
    data: Vec<Json>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Meta {
    num_rows: Option<usize>,
    row_type: Vec<Column>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Status {
    statement_handle: String,
}

/// The number and the text that every refusal has.
#[derive(Deserialize)]
struct Said {
    code: Option<Json>,
    message: Option<String>,
}

impl Said {
    fn code(&self) -> String {
        text(self.code.as_ref())
    }
}

/// Returns a text, or a number as text.
fn text(value: Option<&Json>) -> String {
    match value {
        Some(Json::String(text)) => text.clone(),
        Some(Json::Number(number)) => number.to_string(),
        Some(Json::Null | Json::Bool(_) | Json::Array(_) | Json::Object(_)) | None => String::new(),
    }
}

fn named(columns: Vec<Column>) -> Vec<String> {
    columns.into_iter().map(|column| column.name.to_lowercase()).collect()
}

/// Returns the rows, without those that are none: one odd row must not hide the others.
fn cells(rows: Vec<Json>) -> Vec<Vec<Json>> {
    let row = |row| match row {
        Json::Array(cells) => Some(cells),
        Json::Null | Json::Bool(_) | Json::Number(_) | Json::String(_) | Json::Object(_) => None,
    };
    rows.into_iter().filter_map(row).collect()
}

/// Reads an answer of the SQL API to `statement`.
///
/// # Errors
///
/// Returns the error of Snowflake, or that the answer is not one of Snowflake.
pub(super) fn api(
    answer: &Answer,
    statement: &Statement<'_>,
    now: Timestamp,
) -> Result<Reply, Failure> {
    let unexpected =
        |reason: String| Failure::unexpected(answer.status, &answer.unlike_json(reason));
    match answer.status {
        200 => {
            let ResultSet { result_set_meta_data: meta, data } =
                answer.json().map_err(unexpected)?;
            let complete = meta.num_rows.is_none_or(|total| total <= data.len());
            let rows = Rows { columns: named(meta.row_type), cells: cells(data), complete };
            rows.check(statement).map(Reply::Done).map_err(unexpected)
        }
        202 => {
            let Status { statement_handle } = answer.json().map_err(unexpected)?;
            Ok(Reply::Running(statement_handle))
        }
        _ => Err(refusal(Stage::LogIn, answer, now)),
    }
}

/// Returns the failure of an answer that is none to the statement.
pub(super) fn refusal(stage: Stage, answer: &Answer, now: Timestamp) -> Failure {
    let status = answer.status;
    let failure = match answer.json::<Said>() {
        _ if answer.is_redirect() => Failure::unexpected(status, "redirects are never followed"),
        Ok(said) if said.code.is_some() => {
            Failure::described(stage, answer, &said.code(), &said.message.unwrap_or_default())
        }
        Ok(_) => Failure::unexpected(status, "there is no `code` in it"),
        Err(reason) => Failure::unexpected(status, &answer.unlike_json(reason)),
    };
    failure.after(answer.retry_after(now))
}

/// Every answer of the drivers' protocol.
#[derive(Deserialize)]
struct Envelope {
    success: bool,
    code: Option<Json>,
    message: Option<String>,
    data: Option<Data>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Data {
    token: Option<String>,
    error_code: Option<Json>,
    query_id: Option<String>,
    rowtype: Option<Vec<Column>>,
    rowset: Option<Vec<Json>>,
    total: Option<usize>,
    query_result_format: Option<String>,
}

/// Reads an answer of the drivers' protocol that claims success, or its error.
fn envelope(stage: Stage, answer: &Answer, now: Timestamp) -> Result<Envelope, Failure> {
    if answer.status != 200 {
        return Err(refusal(stage, answer, now));
    }
    let envelope: Envelope = answer
        .json()
        .map_err(|reason| Failure::unexpected(answer.status, &answer.unlike_json(reason)))?;
    let mut code = text(envelope.code.as_ref());
    if code.is_empty() {
        code = text(envelope.data.as_ref().and_then(|data| data.error_code.as_ref()));
    }
    if envelope.success || is_running(&code) {
        return Ok(Envelope { code: Some(Json::from(code)), ..envelope });
    }
    Err(Failure::described(stage, answer, &code, &envelope.message.unwrap_or_default()))
}

/// Reads the answer to a log-in: the session's token.
///
/// # Errors
///
/// Returns the error of Snowflake, or that the answer is not one of Snowflake.
pub(super) fn session(answer: &Answer, now: Timestamp) -> Result<Secret, Failure> {
    let envelope = envelope(Stage::LogIn, answer, now)?;
    let token = envelope.data.and_then(|data| data.token).filter(|token| !token.is_empty());
    token
        .map(Secret::new)
        .ok_or_else(|| Failure::unexpected(answer.status, "there is no `token` in it"))
}

/// Reads an answer of the drivers' protocol to `statement`.
///
/// # Errors
///
/// Returns the error of Snowflake, or that the answer is not one of Snowflake.
pub(super) fn query(
    answer: &Answer,
    statement: &Statement<'_>,
    now: Timestamp,
) -> Result<Reply, Failure> {
    let unexpected = |reason: &str| Failure::unexpected(answer.status, reason);
    let envelope = envelope(Stage::Session, answer, now)?;
    let data = envelope.data.unwrap_or_default();
    if is_running(&text(envelope.code.as_ref())) {
        let id = data.query_id.filter(|id| !id.is_empty());
        return id.map(Reply::Running).ok_or_else(|| unexpected("there is no `queryId` in it"));
    }
    if data.query_result_format.is_some_and(|format| format != "json") {
        return Err(unexpected("its rows are not in JSON"));
    }
    let (Some(columns), Some(rows)) = (data.rowtype, data.rowset) else {
        return Err(unexpected("there are no rows in it"));
    };
    let complete = data.total.is_none_or(|total| total <= rows.len());
    let rows = Rows { columns: named(columns), cells: cells(rows), complete };
    rows.check(statement).map(Reply::Done).map_err(|reason| unexpected(&reason))
}
