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

/// Stage of a request at Snowflake, which decides what an unknown answer means.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Stage {
    /// The request carries the credentials: a log-in of the drivers' protocol, or any request to the SQL
    /// API.
    LogIn,
    /// The request carries the token of a session.
    Session,
}

/// Causes of failures, by what fixes them.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Cause {
    /// User or password is wrong, or the user may not log in like this.
    LoginRefused,
    /// The user is disabled.
    UserDisabled,
    /// The user is locked, for a while or until it is unlocked.
    UserLocked,
    /// The password, or the user itself, has expired.
    PasswordExpired,
    /// A second factor is required.
    SecondFactor,
    /// An authentication policy does not let this kind of credentials in.
    PolicyRefused,
    /// The access token is limited to other roles, or names another user.
    TokenMismatch,
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
    /// Another identity provider refused to issue a token.
    ProviderRefused(Class),
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
            | Self::UserDisabled
            | Self::UserLocked
            | Self::SecondFactor
            | Self::PolicyRefused
            | Self::TokenMismatch
            | Self::KeyRefused
            | Self::TokenRefused
            | Self::RoleRefused
            | Self::AddressRefused
            | Self::NoPrivilege => Class::Denied,
            // Snowflake says the same about what is not there and what is not granted.
            Self::WarehouseRefused | Self::NoObject => Class::Missing,
            Self::TokenExpired | Self::SessionLost | Self::PasswordExpired => Class::Expired,
            Self::BadRequest | Self::NoWarehouse | Self::Syntax | Self::BadKey => Class::Invalid,
            Self::Throttled => Class::Throttled,
            // An answer that is not listed may pass by itself.
            Self::OtherAnswer | Self::Cancelled | Self::Internal | Self::UnexpectedResponse => {
                Class::Unavailable
            }
            Self::NoAnswer(class) | Self::EntraRefused(class) | Self::ProviderRefused(class) => {
                class
            }
            Self::Clock | Self::Unreadable => Class::Local,
        }
    }

    /// True when the credentials themselves were refused, so that they must not be sent again unchanged. The
    /// clock and the network of this machine may change without them.
    pub(super) const fn refuses_log_in(self) -> bool {
        let of_provider = if let Self::EntraRefused(class) | Self::ProviderRefused(class) = self {
            class.is_definitive()
        } else {
            false
        };
        let may_change = matches!(self, Self::Clock | Self::AddressRefused);
        of_provider || (self.is_about_login() && !may_change)
    }

    /// True when the same credentials must not be tried again in this run.
    pub(super) const fn is_about_login(self) -> bool {
        match self {
            Self::LoginRefused
            | Self::UserDisabled
            | Self::UserLocked
            | Self::PasswordExpired
            | Self::SecondFactor
            | Self::PolicyRefused
            | Self::TokenMismatch
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
            | Self::ProviderRefused(_)
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

    /// Snowflake's answers have codes of its own; tokens come from identity providers.
    fn is_doubtful(&self) -> bool {
        matches!(self, Self::NoAnswer(_) | Self::EntraRefused(_) | Self::ProviderRefused(_))
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
    pub(super) fn described(stage: Stage, answer: &Answer, code: &str, message: &str) -> Self {
        let status = answer.status;
        let cause = cause(stage, status, code, message);
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

/// Words by which Snowflake names a cause, in lower case; they go before numbers that stand for several
/// causes. `docs/platforms/snowflake.md` has the source of each.
const WORDS: [(&str, Cause); 18] = [
    ("user access disabled", Cause::UserDisabled),
    ("user is disabled", Cause::UserDisabled),
    ("temporarily locked", Cause::UserLocked),
    ("user login has been locked", Cause::UserLocked),
    ("password has expired", Cause::PasswordExpired),
    ("access has expired", Cause::PasswordExpired),
    ("authentication policy", Cause::PolicyRefused),
    ("multi-factor authentication", Cause::SecondFactor),
    ("mfa authentication is required", Cause::SecondFactor),
    ("mfa is required", Cause::SecondFactor),
    ("mfa with totp is required", Cause::SecondFactor),
    ("duo security", Cause::SecondFactor),
    ("is not allowed to access snowflake", Cause::AddressRefused),
    ("network policy is required", Cause::AddressRefused),
    ("is not listed in the access token", Cause::TokenMismatch),
    ("differs from the user tied to the access token", Cause::TokenMismatch),
    ("default role", Cause::RoleRefused),
    ("specified in the connect string is not granted", Cause::RoleRefused),
];

/// Returns the cause by Snowflake's code, by its words where the code stands for several causes, and by the
/// status where both are unknown: an unknown refusal of credentials is one, and any other unknown answer may
/// pass. The codes are those of Snowflake's own drivers (snowflake-connector-python 4.8.1, `network.py`;
/// snowflake-connector-nodejs, `gs_errors.js`) and of its documentation.
fn cause(stage: Stage, status: u16, code: &str, message: &str) -> Cause {
    match code {
        _ if status == 429 => Cause::Throttled,
        _ if status >= 500 => Cause::Internal,
        "390102" => Cause::UserLocked,
        "390106" | "390140" => Cause::PasswordExpired,
        "390202" => Cause::PolicyRefused,
        "390309" | "390317" => Cause::TokenMismatch,
        // Errors of the second factor, `EXT_AUTHN_..`.
        "390120" | "390121" | "390122" | "390123" | "390124" | "390125" | "390127" | "390128"
        | "390129" => Cause::SecondFactor,
        "390144" | "394300" | "394304" | "394305" | "394306" => Cause::KeyRefused,
        "394301" | "394302" | "394303" => Cause::Clock,
        "390318" => Cause::TokenExpired,
        "390303" | "394400" if message.contains("expired") => Cause::TokenExpired,
        "390303" | "394400" => Cause::TokenRefused,
        "390422" | "390432" | "390420" => Cause::AddressRefused,
        "390186" | "390189" => Cause::RoleRefused,
        "390201" | "090106" => Cause::WarehouseRefused,
        "000606" => Cause::NoWarehouse,
        "002003" | "002043" => Cause::NoObject,
        "003001" => Cause::NoPrivilege,
        "001003" | "000002" => Cause::Syntax,
        "000604" | "000630" => Cause::Cancelled,
        _ => named(stage, status, message).unwrap_or_else(|| unnamed(stage, status, code, message)),
    }
}

/// Returns the cause that the words of a refused log-in name. Those of a statement contain names of others.
fn named(stage: Stage, status: u16, message: &str) -> Option<Cause> {
    let lower = message.to_lowercase();
    let found = WORDS.iter().find(|(words, _)| lower.contains(words));
    let is_log_in = stage == Stage::LogIn && matches!(status, 200 | 400 | 401 | 403);
    found.filter(|_| is_log_in).map(|(_, cause)| *cause)
}

fn unnamed(stage: Stage, status: u16, code: &str, message: &str) -> Cause {
    let lower = message.to_lowercase();
    let passes = ["try again", "internal error", "temporarily unavailable", "timed out"];
    match (code, stage) {
        ("390100" | "390197", _) => Cause::LoginRefused,
        ("390101", Stage::LogIn) if status != 401 => Cause::UserDisabled,
        (
            "390101" | "390104" | "390110" | "390111" | "390112" | "390113" | "390114" | "390115"
            | "390195",
            _,
        ) => Cause::SessionLost,
        ("390400", _) => Cause::BadRequest,
        _ if status == 408 => Cause::Cancelled,
        _ if passes.iter().any(|words| lower.contains(words)) => Cause::Internal,
        // A log-in of the drivers' protocol is refused with 200.
        (_, Stage::LogIn) if matches!(status, 200 | 401 | 403) => Cause::LoginRefused,
        _ => Cause::OtherAnswer,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NUMBERS: &[(u16, &str, Cause, Class)] = &[
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
        (200, "390101", Cause::UserDisabled, Class::Denied),
        (200, "390102", Cause::UserLocked, Class::Denied),
        (200, "390120", Cause::SecondFactor, Class::Denied),
        (200, "390140", Cause::PasswordExpired, Class::Expired),
        (401, "390202", Cause::PolicyRefused, Class::Denied),
        (401, "390309", Cause::TokenMismatch, Class::Denied),
        (401, "390317", Cause::TokenMismatch, Class::Denied),
        (200, "399999", Cause::LoginRefused, Class::Denied),
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
        (400, "?", Cause::OtherAnswer, Class::Unavailable),
        (404, "?", Cause::OtherAnswer, Class::Unavailable),
        (405, "?", Cause::OtherAnswer, Class::Unavailable),
        (422, "000002", Cause::Syntax, Class::Invalid),
        (422, "370001", Cause::OtherAnswer, Class::Unavailable),
        (429, "390100", Cause::Throttled, Class::Throttled),
        (500, "390100", Cause::Internal, Class::Unavailable),
        (503, "", Cause::Internal, Class::Unavailable),
        (504, "", Cause::Internal, Class::Unavailable),
    ];

    #[test]
    fn every_number_has_a_class() {
        for &(status, code, expected, class) in NUMBERS {
            let found = cause(Stage::LogIn, status, code, "no");
            assert_eq!((found, found.class()), (expected, class), "{status} {code}");
        }
        assert_eq!(cause(Stage::LogIn, 401, "394400", "token is expired"), Cause::TokenExpired);
        for (status, code) in [(200, "399999"), (401, "?"), (403, "?"), (200, "370001")] {
            assert_eq!(cause(Stage::Session, status, code, "no"), Cause::OtherAnswer, "{code}");
        }
        assert!(is_running("333334") && is_running("333333") && !is_running("090001"));
    }

    /// Words of public reports; their addresses are in `docs/platforms/snowflake.md`.
    #[test]
    fn only_answers_of_others_are_doubtful() {
        use crate::platforms::failure::Cause as _;
        for &(.., cause, _) in NUMBERS {
            assert!(!cause.is_doubtful(), "{cause:?}");
        }
        let denied = Class::Denied;
        for cause in
            [Cause::EntraRefused(denied), Cause::ProviderRefused(denied), Cause::NoAnswer(denied)]
        {
            assert!(cause.is_doubtful(), "{cause:?}");
        }
    }

    #[test]
    fn refused_log_in_has_the_cause_that_its_words_name() {
        let table = [
            ("390100", "Incorrect username or password was specified.", Cause::LoginRefused),
            (
                "390100",
                "Specified password has expired.  Password must be changed using the Snowflake web console.",
                Cause::PasswordExpired,
            ),
            (
                "390101",
                "User access disabled. Contact your local system administrator.",
                Cause::UserDisabled,
            ),
            (
                "390102",
                "Your user account has been temporarily locked due to too many failed attempts.",
                Cause::UserLocked,
            ),
            (
                "",
                "Failed to authenticate: MFA authentication is required, but none of your current MFA methods are supported for programmatic authentication.",
                Cause::SecondFactor,
            ),
            (
                "390197",
                "Multi-factor authentication is required for this account. Log in to Snowsight to enroll.",
                Cause::SecondFactor,
            ),
            (
                "",
                "Authentication attempt rejected by the current authentication policy.",
                Cause::PolicyRefused,
            ),
            (
                "",
                "Incoming request with IP/Token 1.2.3.4 is not allowed to access Snowflake.",
                Cause::AddressRefused,
            ),
            ("", "Fail : Network policy is required.", Cause::AddressRefused),
            (
                "",
                "The role requested in the connection, or the default role if none was requested in the connection ('PUBLIC'), is not listed in the Access Token or was filtered.",
                Cause::TokenMismatch,
            ),
            (
                "",
                "User's configured default role 'SYSADMIN' is not granted to this user.",
                Cause::RoleRefused,
            ),
            ("", "Something that is not listed.", Cause::LoginRefused),
            ("", "Internal error. Please try again later.", Cause::Internal),
        ];
        for (code, message, expected) in table {
            assert_eq!(cause(Stage::LogIn, 200, code, message), expected, "{message}");
        }
        let text = "SQL compilation error: syntax error near 'authentication policy'";
        assert_eq!(cause(Stage::Session, 200, "001003", text), Cause::Syntax);
        assert_eq!(cause(Stage::Session, 422, "?", text), Cause::OtherAnswer);
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
        let failure = Failure::described(Stage::LogIn, &answer, "000002", &message);
        assert!(!format!("{failure:?}").contains("hunt"), "{failure:?}");
        assert!(failure.evidence.unwrap().contains("[REDACTED] and more"));
    }
}
