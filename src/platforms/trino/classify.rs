//! Failed calls to Trino: their causes and the text of each.

use super::codes::{Code, Remedy};
use super::reply::{QueryError, RefusedPage};
use crate::domain::Class;
use crate::net::backoff::Backoff;
use crate::net::exchange::NoAnswer;
use crate::net::http::OWN_CERTIFICATE_REFUSED;
use crate::net::oauth::NoToken;
use crate::platforms::failure::{self, sentence};

/// First code of `INTERNAL_ERROR`.
const INTERNAL_MIN: i64 = 0x1_0000;
/// First code of `INSUFFICIENT_RESOURCES`.
const RESOURCES_MIN: i64 = 0x2_0000;
/// First code that belongs to a connector.
const CONNECTOR_MIN: i64 = 0x100_0000;
/// Texts of refused permissions that are not about the queried table.
const NOT_ABOUT_TABLES: [&str; 4] =
    ["cannot impersonate user", "cannot execute query", "cannot become user", "cannot set role"];

/// Failure of a call to Trino.
pub(super) type Failure = failure::Failure<Cause>;

/// Cause of a failed call, and how far it got.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Cause {
    /// Kind of the failure.
    pub(super) kind: Kind,
    /// True when Trino had taken the statement, and so the credentials.
    pub(super) is_taken: bool,
}

/// Kind of a failed call.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Kind {
    /// The credentials were refused.
    Refused(Offers),
    /// The certificate of the client was refused during the TLS handshake.
    Certificate,
    /// The forward proxy refused its user or password.
    Proxy,
    /// The coordinator does not know the query whose page was asked for.
    Forgotten,
    /// Something else than Trino answered.
    Unexpected,
    /// The answer leads elsewhere, perhaps to a login page.
    Redirected,
    /// The coordinator does not process the headers of the proxy before it.
    Forwarded,
    /// Any other answer with a status that refuses.
    Answered,
    /// The query ran into an error.
    Query {
        /// Remedy by the table of codes.
        remedy: Remedy,
        /// True when reading a table was refused, rather than running queries or impersonation.
        is_about_table: bool,
    },
    /// The address of the next page is not one that may be asked, for this remedy.
    NextPage(&'static str),
    /// The query did not end in time.
    Waiting,
    /// The token endpoint issued no token.
    Token,
    /// The secret cannot be read or sent.
    Secret,
    /// No answer came at all.
    Silence,
}

/// Ways to log in that a refusal offers in its `WWW-Authenticate` headers.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(super) struct Offers(u8);

impl Offers {
    /// Password in a `Basic` header.
    pub(super) const PASSWORD: Self = Self(1);
    /// Bearer token in a `Bearer` header.
    pub(super) const TOKEN: Self = Self(2);
    /// Sign-in at a browser, with the access token of its issuer as bearer token.
    pub(super) const BROWSER: Self = Self(4);
    /// Kerberos ticket in a `Negotiate` header.
    pub(super) const TICKET: Self = Self(8);

    /// Returns the offers of all challenges.
    pub(super) fn of(challenges: &[&str]) -> Self {
        let one = |challenge: &str| {
            let challenge = challenge.trim_start().to_ascii_lowercase();
            match challenge.split([' ', ',']).next().unwrap_or_default() {
                "basic" => Self::PASSWORD.0,
                "bearer" if challenge.contains("x_redirect_server") => Self::BROWSER.0,
                "bearer" => Self::TOKEN.0,
                "negotiate" => Self::TICKET.0,
                _ => 0,
            }
        };
        Self(challenges.iter().fold(0, |all, challenge| all | one(challenge)))
    }

    /// True when all of `other` is offered.
    pub(super) const fn has(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }

    /// True when nothing is offered, as where a proxy drops the headers.
    pub(super) const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// Returns the offers as values of `http-server.authentication.type`.
    pub(super) fn names(self) -> String {
        let all = [
            (Self::PASSWORD, "PASSWORD"),
            (Self::TOKEN, "JWT"),
            (Self::BROWSER, "OAUTH2"),
            (Self::TICKET, "KERBEROS"),
        ];
        let names = all.into_iter().filter(|(one, _)| self.has(*one)).map(|(_, name)| name);
        names.collect::<Vec<_>>().join(", ")
    }
}

/// Answer whose status refuses, each text in one bounded line without secrets.
#[derive(Debug, Default)]
pub(super) struct Refusal {
    /// Status code of the answer.
    pub(super) status: u16,
    /// Words of the server, the same from run to run.
    pub(super) words: String,
    /// True for a page that a browser is to show.
    pub(super) is_html: bool,
    /// True when a page of a query was asked for.
    pub(super) is_of_page: bool,
    /// Ways to log in that the answer offers.
    pub(super) offers: Offers,
    /// Challenges as they are shown, without one-time addresses.
    pub(super) challenges: String,
}

impl From<Kind> for Cause {
    fn from(kind: Kind) -> Self {
        Self { kind, is_taken: false }
    }
}

impl failure::Cause for Cause {
    fn no_answer(_class: Class) -> Self {
        Kind::Silence.into()
    }

    fn describe(detail: &str) -> String {
        sentence(detail)
    }

    /// Only queries fail in Trino's own words: every status may be that of a gateway or a proxy before it, and tokens
    /// come from an identity provider.
    fn is_doubtful(&self) -> bool {
        match self.kind {
            Kind::Query { .. } | Kind::NextPage(_) | Kind::Secret => false,
            Kind::Refused(_)
            | Kind::Certificate
            | Kind::Proxy
            | Kind::Forgotten
            | Kind::Unexpected
            | Kind::Redirected
            | Kind::Forwarded
            | Kind::Answered
            | Kind::Waiting
            | Kind::Token
            | Kind::Silence => true,
        }
    }

    fn backoff(&self, class: Class) -> Backoff {
        // The query is posted again instead, or a redirect would lead there again.
        if matches!(self.kind, Kind::Forgotten | Kind::Redirected | Kind::Waiting) {
            return Backoff::new(&[]);
        }
        Backoff::of(class)
    }
}

impl Failure {
    /// Returns a failure of this `kind`; `why` says it in one line.
    pub(super) fn of(kind: Kind, class: Class, why: &str) -> Self {
        Self::new(kind.into(), class, sentence(why))
    }

    /// Returns the failure of an exchange without an answer.
    pub(super) fn silent(none: NoAnswer) -> Self {
        if none.detail.starts_with(OWN_CERTIFICATE_REFUSED) {
            return Self::of(Kind::Certificate, none.class, &none.detail);
        }
        // What answers with more than it may is not Trino.
        if none.class == Class::Unavailable {
            return Self::of(Kind::Unexpected, none.class, &none.detail);
        }
        none.into()
    }

    /// Returns the failure of a token endpoint.
    pub(super) fn no_token(none: &NoToken) -> Self {
        Self::of(Kind::Token, none.class(), &none.detail())
    }

    /// Returns the failure of an answer whose next page is not asked for.
    pub(super) fn next_page(page: &RefusedPage, why: &str) -> Self {
        Self::of(Kind::NextPage(page.remedy), Class::Invalid, why)
    }

    /// Returns the failure of an answer whose status refuses.
    pub(super) fn refused(refusal: &Refusal) -> Self {
        let Refusal { status, words, challenges, .. } = refusal;
        let (kind, class) = judged(refusal);
        let said = match words.as_str() {
            "" => format!("HTTP {status}"),
            words => format!("HTTP {status}: {words}"),
        };
        let detail = if kind == Kind::Forgotten {
            format!("the cluster has forgotten the query, {said}")
        } else if kind == Kind::Unexpected {
            format!("what answered is not Trino, {said}")
        } else {
            said
        };
        let shown = if challenges.is_empty() { "none" } else { challenges };
        let evidence = format!("HTTP {status}, WWW-Authenticate [{shown}]: {words}");
        Self::of(kind, class, &detail).because(evidence)
    }

    /// Returns the failure of the query `id`, with Trino's words, each bounded and without secrets.
    pub(super) fn query(id: &str, error: &QueryError) -> Self {
        let QueryError { message, error_code, error_name, error_type } = error;
        let (class, remedy) = class_of(error);
        let words = message.as_deref().unwrap_or_default().to_lowercase();
        let is_other = NOT_ABOUT_TABLES.iter().any(|other| words.contains(other));
        let is_about_table = class == Class::Denied && !is_other;
        let words = message.as_deref().unwrap_or("no reason given");
        let detail = match (error_name.as_deref(), error_code) {
            (Some(name), _) => format!("{name}: {words}"),
            (None, Some(code)) => format!("error {code}: {words}"),
            (None, None) => words.to_owned(),
        };
        let or = |text: &Option<String>| text.clone().unwrap_or_else(|| "none".to_owned());
        let code = error_code.map_or_else(|| "none".to_owned(), |code| code.to_string());
        let (name, kind) = (or(error_name), or(error_type));
        let evidence = format!("query {id}, {kind}, {name} ({code}): {}", or(message));
        let kind = Kind::Query { remedy, is_about_table };
        let failure = Self::of(kind, class, &detail).because(evidence);
        failure.taken(true)
    }

    /// Notes whether Trino had taken the statement.
    pub(super) const fn taken(mut self, is_taken: bool) -> Self {
        self.cause.is_taken = is_taken || self.cause.is_taken;
        self
    }

    /// True when the query itself ran into an error.
    pub(super) const fn is_of_query(&self) -> bool {
        matches!(self.cause.kind, Kind::Query { .. })
    }

    /// True when the log-in was accepted before it failed.
    pub(super) const fn is_logged_in(&self) -> bool {
        let is_refused = matches!(self.cause.kind, Kind::Refused(_) | Kind::Certificate);
        self.cause.is_taken && !is_refused
    }

    /// True when the statement is worth being posted once more.
    pub(super) const fn is_passing(&self) -> bool {
        let is_answer = matches!(
            self.cause.kind,
            Kind::Query { .. } | Kind::Forgotten | Kind::Unexpected | Kind::Answered
        );
        self.cause.is_taken && is_answer && !self.class.is_definitive()
    }

    /// True when what a connector reads from failed, and not Trino.
    pub(super) const fn is_external(&self) -> bool {
        matches!(self.cause.kind, Kind::Query { remedy: Remedy::External, .. })
    }

    /// True when the table of codes names this remedy.
    pub(super) fn has_remedy(&self, wanted: Remedy) -> bool {
        matches!(self.cause.kind, Kind::Query { remedy, .. } if remedy == wanted)
    }

    /// True when reading a table was refused, rather than running queries or impersonation.
    pub(super) const fn is_about_table(&self) -> bool {
        matches!(self.cause.kind, Kind::Query { is_about_table: true, .. })
    }

    /// True when credentials that were sent are at fault, other than a certificate.
    pub(super) const fn is_of_sent_credentials(&self) -> bool {
        matches!(self.cause.kind, Kind::Refused(_) | Kind::Token)
    }

    /// True when the credentials are at fault.
    pub(super) const fn is_of_credentials(&self) -> bool {
        match self.cause.kind {
            Kind::Refused(_) | Kind::Certificate | Kind::Secret => true,
            // A provider that does not answer says nothing about them.
            Kind::Token => self.class.is_definitive(),
            Kind::Proxy
            | Kind::Forgotten
            | Kind::Unexpected
            | Kind::Redirected
            | Kind::Forwarded
            | Kind::Answered
            | Kind::Query { .. }
            | Kind::NextPage(_)
            | Kind::Waiting
            | Kind::Silence => false,
        }
    }
}

/// Returns kind and class of a refusal. A status that no version of Trino answers with may pass: a
/// gateway or ingress sends it while it has no coordinator.
fn judged(refusal: &Refusal) -> (Kind, Class) {
    let Refusal { status, words, is_html, is_of_page, offers, .. } = refusal;
    let has = |text: &str| words.to_lowercase().contains(text);
    let denied = Kind::Query { remedy: Remedy::Permission, is_about_table: false };
    match status {
        401 if has("expired") => (Kind::Refused(*offers), Class::Expired),
        401 => (Kind::Refused(*offers), Class::Denied),
        403 if has("over http is not enabled") => (Kind::Forwarded, Class::Invalid),
        403 if !is_html => (Kind::Refused(*offers), Class::Denied),
        406 if has("forwarded") => (Kind::Forwarded, Class::Invalid),
        407 => (Kind::Proxy, Class::Denied),
        404 | 410 if *is_of_page => (Kind::Forgotten, Class::Unavailable),
        300..=399 => (Kind::Redirected, Class::Unavailable),
        400 if !is_html && has("header") => (Kind::Answered, Class::Invalid),
        429 => (Kind::Answered, Class::Throttled),
        // A role that is not granted is refused before there is a query.
        500 if has("access denied: ") => (denied, Class::Denied),
        408 | 500..=599 if !is_html => (Kind::Answered, Class::Unavailable),
        _ => (Kind::Unexpected, Class::Unavailable),
    }
}

/// Returns class and remedy of a query's error. The type of an unknown error says whether it is a
/// connector's; what is not known otherwise may pass.
fn class_of(error: &QueryError) -> (Class, Remedy) {
    let name = error.error_name.as_deref().unwrap_or_default();
    let of_type = match (error.error_type.as_deref(), error.error_code) {
        (Some("EXTERNAL"), _) | (None, Some(CONNECTOR_MIN..)) => Remedy::External,
        (Some("INSUFFICIENT_RESOURCES"), _) | (None, Some(RESOURCES_MIN..)) => Remedy::Limit,
        _ => Remedy::Log,
    };
    let number = error.error_code.filter(|code| {
        let of_number = match *code {
            ..INTERNAL_MIN => "USER_ERROR",
            INTERNAL_MIN..RESOURCES_MIN => "INTERNAL_ERROR",
            RESOURCES_MIN.. => "INSUFFICIENT_RESOURCES",
        };
        error.error_type.as_deref().is_none_or(|given| given == of_number)
    });
    match Code::find(name, number) {
        Some(code) => (code.class, code.remedy),
        None => (Class::Unavailable, of_type),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(kind: &str, name: &str, code: i64) -> QueryError {
        let given = |text: &str| (!text.is_empty()).then(|| text.to_owned());
        QueryError {
            message: Some("m".to_owned()),
            error_code: Some(code),
            error_name: given(name),
            error_type: given(kind),
        }
    }

    #[test]
    fn error_is_known_by_its_name_or_else_its_number_and_unknown_ones_may_pass() {
        use Class::{Denied, Invalid, Unavailable};
        let table = [
            (error("USER_ERROR", "PERMISSION_DENIED", -1), Denied, Remedy::Permission),
            (error("", "", 4), Denied, Remedy::Permission),
            (error("USER_ERROR", "", 4), Denied, Remedy::Permission),
            (error("EXTERNAL", "", 4), Unavailable, Remedy::External),
            (error("NEW_TYPE", "", 4), Unavailable, Remedy::Log),
            (error("EXTERNAL", "HIVE_METASTORE_ERROR", 0x100_0000), Unavailable, Remedy::External),
            (error("EXTERNAL", "UNSUPPORTED_TABLE_TYPE", 133_001), Invalid, Remedy::Name),
            (error("", "", 0x100_0000), Unavailable, Remedy::External),
            (error("INTERNAL_ERROR", "NEW_ERROR", 65_700), Unavailable, Remedy::Log),
            (error("INSUFFICIENT_RESOURCES", "NEW", 131_200), Unavailable, Remedy::Limit),
            (error("USER_ERROR", "NEW_MISTAKE", 200), Unavailable, Remedy::Log),
            (error("USER_ERROR", "CATALOG_UNAVAILABLE", 125), Unavailable, Remedy::Catalog),
            (error("", "", -1), Unavailable, Remedy::Log),
            (QueryError::default(), Unavailable, Remedy::Log),
        ];
        for (error, class, remedy) in table {
            assert_eq!(class_of(&error), (class, remedy), "{error:?}");
        }
    }

    fn refusal(status: u16, words: &str) -> Refusal {
        Refusal { status, words: words.to_owned(), ..Refusal::default() }
    }

    #[test]
    fn only_statuses_of_trino_are_definitive() {
        for status in 300..=599 {
            let expected = match status {
                401 | 403 | 407 => Class::Denied,
                429 => Class::Throttled,
                _ => Class::Unavailable,
            };
            assert_eq!(Failure::refused(&refusal(status, "")).class, expected, "{status}");
            let page = Refusal { is_html: true, ..refusal(status, "a page") };
            let is_unexpected = !matches!(status, 300..=399 | 401 | 407 | 429);
            let found = judged(&page);
            assert_eq!(found.0 == Kind::Unexpected, is_unexpected, "{status}: {found:?}");
        }
    }

    #[test]
    fn words_of_trino_decide() {
        let forwarded = "Server configuration does not allow processing of the X-Forwarded-Proto \
            header";
        let refused = Kind::Refused(Offers::default());
        let denied = Kind::Query { remedy: Remedy::Permission, is_about_table: false };
        let table = [
            (401, "JWT expired at 2026-11-28T19:27:05.000Z", refused, Class::Expired),
            (403, "expired", refused, Class::Denied),
            (403, "Authentication over HTTP is not enabled", Kind::Forwarded, Class::Invalid),
            (406, forwarded, Kind::Forwarded, Class::Invalid),
            (406, "Not Acceptable", Kind::Unexpected, Class::Unavailable),
            (400, "Invalid X-Trino-Role header", Kind::Answered, Class::Invalid),
            (400, "Bad Request", Kind::Unexpected, Class::Unavailable),
            (404, "HTTP 404 Not Found", Kind::Unexpected, Class::Unavailable),
            (500, "Access Denied: Cannot set role nope", denied, Class::Denied),
            (500, "authenticators were not loaded", Kind::Answered, Class::Unavailable),
        ];
        for (status, words, kind, class) in table {
            assert_eq!(judged(&refusal(status, words)), (kind, class), "{status} {words}");
        }
        for status in [404, 410] {
            let page = Refusal { is_of_page: true, ..refusal(status, "Query not found") };
            let failure = Failure::refused(&page);
            assert_eq!(failure.cause.kind, Kind::Forgotten);
            assert!(failure.class == Class::Unavailable && failure.taken(true).is_passing());
        }
    }

    #[test]
    fn only_queries_fail_in_words_of_trino_alone() {
        let query = Failure::query("q", &error("USER_ERROR", "TABLE_NOT_FOUND", 46));
        assert!(query.finding_that("No.").is_certain);
        for status in [401, 403, 404, 407] {
            let failure = Failure::refused(&refusal(status, "no"));
            assert!(!failure.finding_that("No.").is_certain, "{failure:?}");
        }
    }

    #[test]
    fn every_challenge_is_an_offer() {
        let browser = "Bearer x_redirect_server=\"https://a/b\", x_token_server=\"https://a/c\"";
        let table: [(&[&str], &str); 5] = [
            (&["Basic realm=\"Trino\"", "Bearer realm=\"Trino\""], "PASSWORD, JWT"),
            (&[browser, "basic"], "PASSWORD, OAUTH2"),
            (&[browser], "OAUTH2"),
            (&["Negotiate"], "KERBEROS"),
            (&["Digest realm=\"x\""], ""),
        ];
        for (challenges, expected) in table {
            let offers = Offers::of(challenges);
            assert_eq!(offers.names(), expected);
            assert_eq!(offers.is_empty(), expected.is_empty());
        }
    }

    #[test]
    fn only_a_table_that_is_refused_proves_anything() {
        let said = |message: &str, code| {
            let error =
                QueryError { message: Some(message.to_owned()), ..error("USER_ERROR", "", code) };
            Failure::query("q", &error).is_about_table()
        };
        assert!(said("Access Denied: Cannot select from table raw.orders", 4));
        assert!(said("Access Denied: Cannot access catalog lake", 4));
        assert!(!said("Access Denied: User a cannot impersonate user b", 4));
        assert!(!said("Access Denied: Cannot execute query", 4));
        assert!(!said("Access Denied: Cannot set role reader", 4));
        assert!(!said("Access Denied: Principal a cannot become user b", 4));
        assert!(!said("Table does not exist", 46));
        assert!(!Failure::refused(&refusal(403, "Access Denied")).is_about_table());
    }

    #[test]
    fn details_are_sentences() {
        let forgotten = Refusal { is_of_page: true, ..refusal(404, "Query not found") };
        let table = [
            (Failure::refused(&refusal(502, "")), "HTTP 502."),
            (Failure::refused(&refusal(401, "Unauthorized")), "HTTP 401: Unauthorized."),
            (Failure::refused(&refusal(404, "")), "What answered is not Trino, HTTP 404."),
            (
                Failure::refused(&forgotten),
                "The cluster has forgotten the query, HTTP 404: Query not found.",
            ),
            (Failure::of(Kind::Silence, Class::Local, "no network"), "No network."),
            (Failure::query("q", &error("", "X", 1)), "X: m."),
            (Failure::query("q", &error("", "", -1)), "Error -1: m."),
            (Failure::query("q", &QueryError::default()), "No reason given."),
        ];
        for (failure, expected) in table {
            assert_eq!(failure.detail, expected);
        }
    }
}
