//! Exchanges of the protocol in recordings (cassette): the parts of an answer that are kept, and the failures that a
//! replay gives back. The tape is `net::tape`, the server of a replay `platforms::record`.

use super::call::{CallError, database_error};
use super::cause::Cause;
use super::classify::Failure;
use crate::net::record::NO_ANSWER;
use crate::net::tape::{self, Outcome, Sql, SqlAnswer};

/// Text of the question that a log-in is.
pub(super) const LOG_IN: &str = "log-in";
/// Parameters of a session that tests look at.
pub(super) const PARAMETERS: [&str; 4] =
    ["padb_version", "server_version", "session_authorization", "is_superuser"];
/// Causes of failures without an answer of the server; silence has none.
const FAULTS: [Cause; 13] = [
    Cause::DigestAuthentication,
    Cause::OtherAuthentication,
    Cause::Unresolved,
    Cause::ProxyDenied,
    Cause::NoTunnel,
    Cause::NoConnection,
    Cause::Interrupted,
    Cause::NoTls,
    Cause::TlsRefused,
    Cause::ExpiredCertificate,
    Cause::TlsFailed,
    Cause::Excess,
    Cause::Local,
];

/// Returns a log-in that succeeded, with the parameters of its session.
pub(super) fn logged_in(parameters: &[(&'static str, String)]) -> Outcome {
    let fields = parameters.to_vec();
    Outcome::Sql(SqlAnswer { said: Sql::LoggedIn, fields, text: String::new() })
}

/// Returns the result of a statement.
pub(super) fn rows(is_found: bool) -> Outcome {
    let fields = if is_found { vec![("value", "1".to_owned())] } else { Vec::new() };
    Outcome::Sql(SqlAnswer { said: Sql::Rows, fields, text: String::new() })
}

/// Returns an error of the server, or `failure` as what there was in place of an answer.
pub(super) fn failed(error: &CallError, failure: &Failure) -> Outcome {
    if let CallError::Silent(_) = error {
        return Outcome::Silence;
    }
    let Some(said) = database_error(error) else {
        return Outcome::Sql(SqlAnswer {
            said: Sql::Fault(failure.class),
            fields: vec![("cause", failure.cause.as_str().to_owned())],
            text: failure.evidence.clone().unwrap_or_default(),
        });
    };
    let mut fields =
        vec![("severity", said.severity().to_owned()), ("sqlstate", said.code().code().to_owned())];
    fields.extend(said.detail().map(|text| ("detail", text.to_owned())));
    fields.extend(said.hint().map(|text| ("hint", text.to_owned())));
    Outcome::Sql(SqlAnswer { said: Sql::Error, fields, text: said.message().to_owned() })
}

/// Returns the failure that an error stands for in a replay, or else the error itself.
pub(super) fn restored(error: CallError) -> CallError {
    let said = database_error(&error).filter(|said| said.routine() == Some(NO_ANSWER));
    let Some(said) = said.filter(|_| tape::is_replayed()) else { return error };
    let known = FAULTS.iter().find(|cause| said.hint() == Some(cause.as_str()));
    CallError::Replayed {
        cause: known.copied().unwrap_or(Cause::UnexpectedResponse),
        evidence: said.message().to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Redactor;
    use crate::platforms::redshift::classify::Stage;
    use std::collections::BTreeSet;
    use std::time::Duration;

    #[test]
    fn silence_is_no_fault_and_everything_else_has_its_cause() {
        let failure = |error: &CallError| Failure::of(error, Stage::LogIn, &Redactor::default());
        let silent = CallError::Silent(Duration::from_secs(1));
        assert!(matches!(failed(&silent, &failure(&silent)), Outcome::Silence));
        let cut = CallError::NoRow;
        let Outcome::Sql(answer) = failed(&cut, &failure(&cut)) else { panic!("no fault") };
        assert_eq!(answer.fields[0], ("cause", "unexpectedResponse".to_owned()));
        let names: BTreeSet<_> = FAULTS.iter().map(|cause| cause.as_str()).collect();
        assert_eq!(names.len(), FAULTS.len());
    }
}
