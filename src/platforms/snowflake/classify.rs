//! Meaning of Snowflake's error codes, with class and retries.

use crate::domain::Class;
use crate::net::exchange::Answer;
use crate::platforms::failure::{self, sentence};

/// Longest text of Snowflake that is shown, in characters.
const WORDS_MAX: usize = 200;
/// Longest evidence, in characters.
const EVIDENCE_MAX: usize = 1000;
/// Longest code that is shown, in characters.
const CODE_MAX: usize = 20;
/// Codes of answers about a statement that is still running.
const RUNNING: [&str; 2] = ["333333", "333334"];

/// Causes of failures, by what fixes them.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Cause {
    /// User or password is wrong, or the user may not log in like this.
    LoginRefused,
    /// The signed token does not fit the account, the user or the public key.
    KeyRefused,
    /// The signed token is not valid at Snowflake's time.
    Clock,
    /// The access token is not accepted.
    TokenRefused,
    /// The access token has expired.
    TokenExpired,
    /// The session has ended.
    SessionLost,
    /// The role does not exist, or is not granted to the user.
    RoleRefused,
    /// The warehouse does not exist, or may not be used.
    WarehouseRefused,
    /// A network policy refuses this address, or is missing for the token.
    AddressRefused,
    /// The request itself is refused.
    BadRequest,
    /// The statement would need a warehouse.
    NoWarehouse,
    /// The object does not exist, or may not be seen.
    NoObject,
    /// A privilege is missing.
    NoPrivilege,
    /// The statement is not understood.
    Syntax,
    /// Any other error about the statement.
    OtherAnswer,
    /// The statement was stopped, or took too long.
    Cancelled,
    /// Too many requests were sent.
    Throttled,
    /// Snowflake cannot serve now.
    Internal,
    /// The answer is not one of Snowflake.
    UnexpectedResponse,
    /// There is no answer, or no token from elsewhere.
    NoAnswer(Class),
    /// Microsoft Entra refused to issue a token.
    EntraRefused(Class),
    /// A configured secret cannot be read.
    Unreadable,
    /// The private key cannot be used.
    BadKey,
}

impl Cause {
    /// Returns the class, which says if a retry can help.
    pub(super) const fn class(self) -> Class {
        match self {
            Self::LoginRefused
            | Self::KeyRefused
            | Self::TokenRefused
            | Self::RoleRefused
            | Self::AddressRefused
            | Self::NoPrivilege => Class::Denied,
            // Snowflake says the same about what is not there and what is not granted.
            Self::WarehouseRefused | Self::NoObject => Class::Missing,
            Self::TokenExpired | Self::SessionLost => Class::Expired,
            Self::BadRequest
            | Self::NoWarehouse
            | Self::Syntax
            | Self::OtherAnswer
            | Self::BadKey => Class::Invalid,
            Self::Throttled => Class::Throttled,
            Self::Cancelled | Self::Internal | Self::UnexpectedResponse => Class::Unavailable,
            Self::NoAnswer(class) | Self::EntraRefused(class) => class,
            Self::Clock | Self::Unreadable => Class::Local,
        }
    }

    /// True when the same credentials must not be tried again in this run.
    pub(super) const fn is_about_login(self) -> bool {
        match self {
            Self::LoginRefused
            | Self::KeyRefused
            | Self::Clock
            | Self::TokenRefused
            | Self::TokenExpired
            | Self::AddressRefused => true,
            Self::SessionLost
            | Self::RoleRefused
            | Self::WarehouseRefused
            | Self::BadRequest
            | Self::NoWarehouse
            | Self::NoObject
            | Self::NoPrivilege
            | Self::Syntax
            | Self::OtherAnswer
            | Self::Cancelled
            | Self::Throttled
            | Self::Internal
            | Self::UnexpectedResponse
            | Self::NoAnswer(_)
            | Self::EntraRefused(_)
            | Self::Unreadable
            | Self::BadKey => false,
        }
    }
}

/// Failure of a call to Snowflake.
pub(super) type Failure = failure::Failure<Cause>;

impl failure::Cause for Cause {
    fn no_answer(class: Class) -> Self {
        Self::NoAnswer(class)
    }

    fn describe(detail: &str) -> String {
        sentence(detail)
    }
}

impl Failure {
    /// Returns a failure of `cause`, with a sentence about it.
    pub(super) fn of(cause: Cause, detail: impl Into<String>) -> Self {
        Self::new(cause, cause.class(), detail)
    }

    /// Returns the same failure for another cause.
    pub(super) fn caused_by(self, cause: Cause) -> Self {
        Self { cause, class: cause.class(), ..self }
    }

    /// Returns the failure of an answer with `status` that is not one of Snowflake, for `reason`.
    pub(super) fn unexpected(status: u16, reason: &str) -> Self {
        let silent = format!("The answer has code [{status}].");
        let (cause, detail) = match status {
            429 => (Cause::Throttled, silent),
            408 | 500..=599 => (Cause::Internal, silent),
            _ => {
                let answer = format!("The answer with code [{status}]");
                (Cause::UnexpectedResponse, format!("{answer} is not one of Snowflake: {reason}."))
            }
        };
        Self::of(cause, detail)
    }

    /// Returns the failure that Snowflake describes in `answer` by `code` and `message`.
    pub(super) fn described(answer: &Answer, code: &str, message: &str) -> Self {
        let status = answer.status;
        let cause = cause(status, code, message);
        let code = answer.line(code, CODE_MAX);
        let words = answer.line(message, WORDS_MAX);
        let detail = format!("Snowflake responded with code [{code}] and message [{words}].");
        let evidence = answer.line(&format!("HTTP {status} {code}: {message}"), EVIDENCE_MAX);
        Self::of(cause, detail).because(evidence)
    }
}

/// True when `code` says that a statement is still running.
pub(super) fn is_running(code: &str) -> bool {
    RUNNING.contains(&code)
}

/// Returns the cause by Snowflake's code, or by the status where the code is unknown. The codes
/// are those of Snowflake's own drivers (`network.py`, `gs_errors.js`) and of its documentation.
fn cause(status: u16, code: &str, message: &str) -> Cause {
    match code {
        _ if status == 429 => Cause::Throttled,
        _ if status >= 500 => Cause::Internal,
        "390100" | "390197" => Cause::LoginRefused,
        "390144" | "394300" | "394304" | "394305" | "394306" => Cause::KeyRefused,
        "394301" | "394302" | "394303" => Cause::Clock,
        "390318" => Cause::TokenExpired,
        "390303" | "394400" if message.contains("expired") => Cause::TokenExpired,
        "390303" | "394400" => Cause::TokenRefused,
        "390101" | "390104" | "390110" | "390111" | "390112" | "390113" | "390114" | "390115"
        | "390195" => Cause::SessionLost,
        "390186" | "390189" => Cause::RoleRefused,
        "390201" | "090106" => Cause::WarehouseRefused,
        "390422" | "390432" => Cause::AddressRefused,
        _ if message.contains("is not allowed to access Snowflake") => Cause::AddressRefused,
        "390400" => Cause::BadRequest,
        "000606" => Cause::NoWarehouse,
        "002003" | "002043" => Cause::NoObject,
        "003001" => Cause::NoPrivilege,
        "001003" => Cause::Syntax,
        "000604" => Cause::Cancelled,
        _ => match status {
            401 | 403 => Cause::LoginRefused,
            408 => Cause::Cancelled,
            400 | 404 | 405 | 415 => Cause::BadRequest,
            _ => Cause::OtherAnswer,
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_number_has_a_class() {
        let table = [
            (401, "390100", Cause::LoginRefused, Class::Denied),
            (200, "390197", Cause::LoginRefused, Class::Denied),
            (401, "390144", Cause::KeyRefused, Class::Denied),
            (401, "394300", Cause::KeyRefused, Class::Denied),
            (401, "394301", Cause::Clock, Class::Local),
            (401, "394302", Cause::Clock, Class::Local),
            (401, "394303", Cause::Clock, Class::Local),
            (401, "394304", Cause::KeyRefused, Class::Denied),
            (401, "394305", Cause::KeyRefused, Class::Denied),
            (401, "394306", Cause::KeyRefused, Class::Denied),
            (401, "390303", Cause::TokenRefused, Class::Denied),
            (401, "390318", Cause::TokenExpired, Class::Expired),
            (401, "394400", Cause::TokenRefused, Class::Denied),
            (401, "390101", Cause::SessionLost, Class::Expired),
            (401, "390104", Cause::SessionLost, Class::Expired),
            (200, "390110", Cause::SessionLost, Class::Expired),
            (200, "390111", Cause::SessionLost, Class::Expired),
            (200, "390112", Cause::SessionLost, Class::Expired),
            (200, "390113", Cause::SessionLost, Class::Expired),
            (200, "390114", Cause::SessionLost, Class::Expired),
            (200, "390115", Cause::SessionLost, Class::Expired),
            (200, "390195", Cause::SessionLost, Class::Expired),
            (422, "390186", Cause::RoleRefused, Class::Denied),
            (422, "390189", Cause::RoleRefused, Class::Denied),
            (422, "390201", Cause::WarehouseRefused, Class::Missing),
            (422, "090106", Cause::WarehouseRefused, Class::Missing),
            (403, "390422", Cause::AddressRefused, Class::Denied),
            (401, "390432", Cause::AddressRefused, Class::Denied),
            (400, "390400", Cause::BadRequest, Class::Invalid),
            (422, "000606", Cause::NoWarehouse, Class::Invalid),
            (422, "002003", Cause::NoObject, Class::Missing),
            (422, "002043", Cause::NoObject, Class::Missing),
            (422, "003001", Cause::NoPrivilege, Class::Denied),
            (422, "001003", Cause::Syntax, Class::Invalid),
            (422, "000604", Cause::Cancelled, Class::Unavailable),
            (408, "000630", Cause::Cancelled, Class::Unavailable),
            (401, "", Cause::LoginRefused, Class::Denied),
            (403, "?", Cause::LoginRefused, Class::Denied),
            (400, "?", Cause::BadRequest, Class::Invalid),
            (404, "?", Cause::BadRequest, Class::Invalid),
            (422, "000002", Cause::OtherAnswer, Class::Invalid),
            (429, "390100", Cause::Throttled, Class::Throttled),
            (500, "390100", Cause::Internal, Class::Unavailable),
            (503, "", Cause::Internal, Class::Unavailable),
            (504, "", Cause::Internal, Class::Unavailable),
        ];
        for (status, code, expected, class) in table {
            let found = cause(status, code, "no");
            assert_eq!((found, found.class()), (expected, class), "{status} {code}");
        }
        assert_eq!(cause(401, "394400", "token is expired"), Cause::TokenExpired);
        let address = "Incoming request with IP/Token 1.2.3.4 is not allowed to access Snowflake.";
        assert_eq!(cause(403, "", address), Cause::AddressRefused);
        assert!(is_running("333334") && is_running("333333") && !is_running("090001"));
    }

    #[test]
    fn answer_of_another_server_never_decides() {
        let table = [
            (200, Class::Unavailable),
            (302, Class::Unavailable),
            (401, Class::Unavailable),
            (403, Class::Unavailable),
            (404, Class::Unavailable),
            (408, Class::Unavailable),
            (429, Class::Throttled),
            (502, Class::Unavailable),
        ];
        for (status, class) in table {
            assert_eq!(
                Failure::unexpected(status, "it is not JSON").cause.class(),
                class,
                "{status}"
            );
        }
    }

    #[test]
    fn secret_across_the_cut_of_a_message_is_removed() {
        let answer = Answer { status: 422, ..Answer::default() };
        answer.redactor.learn_text("hunter2-hunter2");
        let message = format!("{} hunter2-hunter2 and more", "x".repeat(188));
        let failure = Failure::described(&answer, "000002", &message);
        assert!(!format!("{failure:?}").contains("hunt"), "{failure:?}");
        assert!(failure.evidence.unwrap().contains("[REDACTED] and more"));
    }
}
