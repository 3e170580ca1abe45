//! Exchanges of the protocol in recordings (cassette): the parts of an answer that are kept, and the failures that a
//! replay gives back. The tape is `net::tape`, the server of a replay `platforms::record`.

use tiberius::error::Error as TdsError;

use super::call::CallError;
use super::cause::Cause;
use super::classify::Failure;
use super::statement::Found;
use crate::net::record::NO_ANSWER;
use crate::net::tape::{self, Outcome, Sql, SqlAnswer};

/// Text of the question that a log-in is.
pub(super) const LOG_IN: &str = "log-in";
/// Causes of failures without an answer of the server; silence has none.
const FAULTS: [Cause; 10] = [
    Cause::Unresolved,
    Cause::ProxyDenied,
    Cause::NoTunnel,
    Cause::NoConnection,
    Cause::Interrupted,
    Cause::NoTls,
    Cause::TlsRefused,
    Cause::ExpiredCertificate,
    Cause::TlsFailed,
    Cause::Local,
];

/// Returns the outcome of a log-in.
pub(super) fn log_in<T>(
    result: &Result<T, CallError>,
    failure: impl FnOnce(&CallError) -> Failure,
) -> Outcome {
    match result {
        Ok(_) => answer(Sql::LoggedIn, Vec::new()),
        Err(CallError::Tds(TdsError::Routing { host, port })) => {
            answer(Sql::Redirected, vec![("host", host.clone()), ("port", port.to_string())])
        }
        Err(error) => failed(error, failure),
    }
}

/// Returns the outcome of a statement, of whose result the first value counts.
pub(super) fn statement(
    result: &Result<Found, CallError>,
    failure: impl FnOnce(&CallError) -> Failure,
) -> Outcome {
    let value = match result {
        Ok(Found::Nothing) => return answer(Sql::Rows, Vec::new()),
        Ok(Found::Null) => "null".to_owned(),
        Ok(Found::Number(number)) => number.to_string(),
        Ok(Found::Other) => "text".to_owned(),
        Err(error) => return failed(error, failure),
    };
    answer(Sql::Rows, vec![("value", value)])
}

const fn answer(said: Sql, fields: Vec<(&'static str, String)>) -> Outcome {
    Outcome::Sql(SqlAnswer { said, fields, text: String::new() })
}

/// Returns an error of the server, or the failure as what there was in place of an answer.
fn failed(error: &CallError, failure: impl FnOnce(&CallError) -> Failure) -> Outcome {
    match error {
        CallError::Silent(_) => Outcome::Silence,
        CallError::Tds(TdsError::Server(said)) => Outcome::Sql(SqlAnswer {
            said: Sql::Error,
            fields: vec![
                ("number", said.code().to_string()),
                ("state", said.state().to_string()),
                ("class", said.class().to_string()),
            ],
            text: said.message().to_owned(),
        }),
        error @ (CallError::Secret(_)
        | CallError::Authorities(_)
        | CallError::Resolve(_)
        | CallError::Connect(_)
        | CallError::Tunnel(_)
        | CallError::NoRow
        | CallError::Redirected { .. }
        | CallError::RedirectedAgain(_)
        | CallError::GaveUp
        | CallError::Tds(_)
        | CallError::Replayed { .. }) => {
            let Failure { cause, class, detail, evidence, .. } = failure(error);
            let evidence = evidence.unwrap_or_default();
            Outcome::Sql(SqlAnswer {
                said: Sql::Fault(class),
                fields: vec![("cause", cause.as_str().to_owned()), ("evidence", evidence)],
                text: detail,
            })
        }
    }
}

/// Returns the failure that an error stands for in a replay, or else the error itself.
pub(super) fn restored(error: CallError) -> CallError {
    let CallError::Tds(TdsError::Server(said)) = &error else { return error };
    if said.procedure() != NO_ANSWER || !tape::is_replayed() {
        return error;
    }
    let known = FAULTS.iter().find(|cause| cause.as_str() == said.server());
    let (evidence, detail) = said.message().split_once('\n').unwrap_or_default();
    CallError::Replayed {
        cause: known.copied().unwrap_or(Cause::UnexpectedResponse),
        detail: detail.to_owned(),
        evidence: evidence.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Redactor;
    use crate::platforms::synapse::classify::Stage;
    use std::time::Duration;

    #[test]
    fn outcome_of_a_statement_is_its_first_value_or_what_came_instead() {
        let failure =
            |error: &CallError| Failure::of(error, Stage::Statement, &Redactor::default());
        let fields = |result: Result<Found, CallError>| match statement(&result, failure) {
            Outcome::Sql(SqlAnswer { fields, .. }) => {
                fields.iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>()
            }
            Outcome::Silence | Outcome::NoAnswer { .. } | Outcome::Answer { .. } => {
                vec!["silence".to_owned()]
            }
        };
        let table = [
            (Ok(Found::Nothing), vec![]),
            (Ok(Found::Null), vec!["value=null"]),
            (Ok(Found::Number(1)), vec!["value=1"]),
            (Ok(Found::Other), vec!["value=text"]),
            (Err(CallError::Silent(Duration::from_secs(1))), vec!["silence"]),
            (
                Err(CallError::GaveUp),
                vec![
                    "cause=unexpectedResponse",
                    "evidence=what answers does not speak TDS: the library gave up",
                ],
            ),
        ];
        for (result, expected) in table {
            assert_eq!(fields(result), expected);
        }
    }

    #[test]
    fn error_is_itself_outside_of_a_replay() {
        let error = restored(CallError::NoRow);
        assert!(matches!(error, CallError::NoRow), "{error:?}");
        let names: std::collections::BTreeSet<_> =
            FAULTS.iter().map(|cause| cause.as_str()).collect();
        assert_eq!(names.len(), FAULTS.len());
    }
}
