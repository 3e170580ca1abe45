//! Scenario of a server, as a test writes it in JSON: its encryption, log-ins and answers.

use std::collections::HashMap;

use mssql_mock_tds::{
    ColumnDefinition, ColumnValue, QueryResponse, Row, SqlDataType, TerminalError,
};
use serde::Deserialize;
use serde_json::Value;

/// Content of a file `scenario.json`.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Scenario {
    /// Public document that says that servers answer so.
    #[allow(dead_code)]
    pub source: String,
    #[serde(default)]
    pub encryption: Encryption,
    /// Name of the certificate that the server shows, a file of the folder.
    #[serde(default = "trusted")]
    pub certificate: String,
    /// Passwords by the name of the user.
    #[serde(default)]
    pub users: HashMap<String, String>,
    /// Access token that is accepted.
    #[serde(default)]
    pub token: Option<String>,
    /// Reactions to the first log-in, the second, and so on; the last one is repeated.
    #[serde(default)]
    pub logins: Vec<Login>,
    /// Answers by the text of the batch; `SELECT 1` needs none.
    #[serde(default)]
    pub batches: HashMap<String, Answer>,
}

fn trusted() -> String {
    "trusted".to_owned()
}

/// Beginning of a connection: kind of TLS, or its failure.
#[derive(Clone, Copy, Default, Deserialize, Eq, PartialEq)]
#[serde(rename_all = "camelCase")]
pub enum Encryption {
    /// TDS 7.4: TLS inside of pre-login packets.
    #[default]
    Required,
    /// TDS 8.0: TLS at once.
    Strict,
    /// The server does not do TLS.
    Refused,
    /// The server never answers.
    Silent,
    /// The server answers in another protocol.
    OtherProtocol,
    /// The connection is closed when the first packet has come.
    Closed,
}

/// Reaction to one log-in with good credentials.
#[derive(Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Login {
    Accepted,
    Error(Fault),
    /// Redirects to another scenario of this process, by its name.
    RedirectTo(String),
    /// Redirects to any host and port.
    Redirect {
        host: String,
        port: u16,
    },
    Silent,
    Closed,
}

/// Error token of a server.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fault {
    pub number: u32,
    pub severity: u8,
    pub message: String,
}

/// Answer to a batch.
#[derive(Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Answer {
    Rows(Vec<Vec<Value>>),
    Error(Fault),
    /// Result set of one row, repeated so many times, without an end.
    Endless(Vec<Value>, usize),
    Silent,
    Closed,
}

impl Fault {
    pub fn token(&self) -> TerminalError {
        TerminalError::new(self.number, self.severity, self.message.clone())
    }
}

/// Returns a result set of columns without names.
pub fn result(rows: &[Vec<Value>]) -> QueryResponse {
    let columns = rows.first().map_or(&[][..], Vec::as_slice).iter();
    let columns = columns.map(|value| ColumnDefinition::new("", value_of(value).data_type()));
    let rows = rows.iter().map(|row| Row::new(row.iter().map(value_of).collect()));
    let mut columns: Vec<_> = columns.collect();
    if columns.is_empty() {
        columns.push(ColumnDefinition::new("", SqlDataType::Int));
    }
    QueryResponse::new(columns, rows.collect())
}

fn value_of(value: &Value) -> ColumnValue {
    match value {
        Value::Number(number) => {
            let number = number.as_i64().and_then(|number| i32::try_from(number).ok());
            ColumnValue::Int(number.expect("a number of 32 bits"))
        }
        Value::String(text) => ColumnValue::NVarChar(text.clone()),
        Value::Null => ColumnValue::Null,
        other => panic!("no column has the value {other}"),
    }
}
