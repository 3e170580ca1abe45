//! Token endpoints of Microsoft Entra: their addresses and their error codes.

#[cfg(feature = "snowflake")]
use reqwest::Url;

use crate::domain::Class;
use crate::net::oauth::{NoToken, Refusal};

/// Error codes in the descriptions of Entra that say more than the `error` beside them ("Microsoft Entra
/// authentication and authorization error codes").
const CODES: [(&str, Class); 17] = [
    // `RetryableError`, `ExternalServerRetryableError`, `RequestTimeout`, `RequestBudgetExceededError`,
    // `MsodsServiceUnavailable`, `GraphRetryableError`, `GraphServiceUnreachable`.
    ("AADSTS50033", Class::Unavailable),
    ("AADSTS90006", Class::Unavailable),
    ("AADSTS90012", Class::Unavailable),
    ("AADSTS90024", Class::Unavailable),
    ("AADSTS90033", Class::Unavailable),
    ("AADSTS90090", Class::Unavailable),
    ("AADSTS90091", Class::Unavailable),
    // `TenantThrottlingError`; `LoopDetected`, too many of the same request for some minutes.
    ("AADSTS90055", Class::Throttled),
    ("AADSTS50196", Class::Throttled),
    // The application is disabled, or conditional access keeps it out.
    ("AADSTS7000112", Class::Denied),
    ("AADSTS53003", Class::Denied),
    ("AADSTS530032", Class::Denied),
    // The tenant does not know the resource.
    ("AADSTS500011", Class::Invalid),
    // The client secret, or the assertion, has expired.
    ("AADSTS7000222", Class::Expired),
    ("AADSTS700024", Class::Expired),
    // No such tenant, no such application.
    ("AADSTS90002", Class::Missing),
    ("AADSTS700016", Class::Missing),
];

/// Gives a refusal the class of its `AADSTS` code; those of other providers have none.
pub(crate) fn classified(none: NoToken) -> NoToken {
    none.reclassified(|Refusal { class, description, .. }| match class {
        // The endpoint asks to come again, whatever else it says.
        Class::Throttled | Class::Unavailable | Class::Unreachable => *class,
        Class::Denied | Class::Missing | Class::Invalid | Class::Expired | Class::Local => {
            let known = CODES.iter().find(|(code, _)| has_code(description, code));
            known.map_or(*class, |(_, class)| *class)
        }
    })
}

/// True for a text with this code in it, and not only with a longer one that begins like it.
pub(super) fn has_code(text: &str, code: &str) -> bool {
    text.match_indices(code).any(|(at, _)| {
        let rest = text.get(at..).and_then(|rest| rest.strip_prefix(code)).unwrap_or_default();
        !rest.starts_with(|c: char| c.is_ascii_digit())
    })
}

/// True for a refusal by Entra, whose descriptions contain an `AADSTS` code.
#[cfg(feature = "snowflake")]
pub(crate) fn is_refusal(none: &NoToken) -> bool {
    matches!(none, NoToken::Refused(refusal) if refusal.description.contains("AADSTS"))
}

/// Completes an authority of Entra with a tenant, such as `https://login.microsoftonline.com/t`, to the
/// address of its token endpoint; other addresses stay as they are.
#[cfg(feature = "snowflake")]
pub(crate) fn completed(mut url: Url) -> Url {
    let is_entra = url.host_str().is_some_and(|host| {
        host.starts_with("login.microsoftonline.") || host == "login.partner.microsoftonline.cn"
    });
    let tenant = url.path().trim_matches('/').to_owned();
    if is_entra && !tenant.is_empty() && !tenant.contains('/') {
        url.set_path(&format!("/{tenant}/oauth2/v2.0/token"));
    }
    url
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Timestamp;
    use crate::net::exchange::Answer;
    use crate::net::oauth::read;

    #[test]
    fn refusal_has_the_class_of_its_code() {
        let table = [
            (401, "invalid_client", "AADSTS7000215: Invalid client secret.", Class::Denied),
            (401, "invalid_client", "AADSTS7000222: The secret keys are expired.", Class::Expired),
            (401, "invalid_client", "AADSTS700024: The assertion is out of time.", Class::Expired),
            (400, "unauthorized_client", "AADSTS700016: Application not found.", Class::Missing),
            (400, "invalid_request", "AADSTS90002: Tenant not found.", Class::Missing),
            (400, "invalid_scope", "AADSTS70011: The scope is not valid.", Class::Invalid),
            (503, "temporarily_unavailable", "AADSTS90002: as if.", Class::Unavailable),
            (400, "invalid_request", "AADSTS90033: A transient error.", Class::Unavailable),
            (400, "invalid_request", "AADSTS90024: A transient error.", Class::Unavailable),
            (401, "invalid_client", "AADSTS90006: Unavailable for now.", Class::Unavailable),
            (400, "invalid_request", "AADSTS90012: Timed out.", Class::Unavailable),
            (400, "invalid_request", "AADSTS90055: Too many requests.", Class::Throttled),
            (400, "invalid_request", "AADSTS900551: another code.", Class::Invalid),
            (400, "invalid_grant", "AADSTS50196: A client request loop.", Class::Throttled),
            (401, "unauthorized_client", "AADSTS7000112: Disabled.", Class::Denied),
            (400, "invalid_grant", "AADSTS53003: Blocked.", Class::Denied),
            (400, "invalid_request", "AADSTS530032: Blocked.", Class::Denied),
            (400, "invalid_resource", "AADSTS500011: Not found.", Class::Invalid),
        ];
        for (status, error, description, class) in table {
            let body = serde_json::json!({ "error": error, "error_description": description });
            let headers = http::HeaderMap::new();
            let answer = Answer {
                status,
                headers,
                body: body.to_string().into_bytes(),
                ..Answer::default()
            };
            let none = read(&answer, Timestamp(0)).unwrap_err();
            #[cfg(feature = "snowflake")]
            assert!(is_refusal(&none), "{description}");
            assert_eq!(classified(none).class(), class, "{description}");
        }
    }

    #[cfg(feature = "snowflake")]
    #[test]
    fn authority_with_a_tenant_is_completed_to_its_token_endpoint() {
        let table = [
            (
                "https://login.microsoftonline.com/t",
                "https://login.microsoftonline.com/t/oauth2/v2.0/token",
            ),
            (
                "https://login.microsoftonline.us/t/",
                "https://login.microsoftonline.us/t/oauth2/v2.0/token",
            ),
            (
                "https://login.partner.microsoftonline.cn/t",
                "https://login.partner.microsoftonline.cn/t/oauth2/v2.0/token",
            ),
            (
                "https://login.microsoftonline.com/t/oauth2/token",
                "https://login.microsoftonline.com/t/oauth2/token",
            ),
            ("https://login.microsoftonline.com/", "https://login.microsoftonline.com/"),
            ("https://idp.example.com/t", "https://idp.example.com/t"),
        ];
        for (text, expected) in table {
            assert_eq!(completed(text.parse().unwrap()).as_str(), expected, "{text}");
        }
    }
}
