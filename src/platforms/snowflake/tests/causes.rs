//! Remediation of every cause, and what is remembered of a log-in.

use super::*;
use crate::domain::Class;
use crate::platforms::LogInKey;
use crate::platforms::snowflake::classify::Cause;
use crate::platforms::snowflake::remedy::User;

fn with(changes: &Json) -> Snowflake {
    let mut all = json!({ "token": null, "role": "immuta_system" });
    for (key, value) in changes.as_object().unwrap() {
        all[key] = value.clone();
    }
    snowflake(&minimal(&all))
}

/// One integration of each kind of credentials.
fn kinds() -> [(&'static str, Snowflake); 5] {
    let key = json!({ "content": { "env": "K" } });
    [
        (
            "KEYPAIR",
            with(&json!({ "authenticationType": "keyPair", "username": "u", "privateKey": key })),
        ),
        (
            "PASSWORD",
            with(&json!({ "authenticationType": "userPassword", "username": "u",
                "password": { "env": "P" } })),
        ),
        (
            "OAUTH",
            with(&json!({ "authenticationType": "oAuthClientCredentials", "oAuthClientConfig": {
                "provider": "Okta", "clientId": "c", "clientSecret": { "env": "S" },
                "authorityUrl": "https://a.okta.com/oauth2/x/v1/token" } })),
        ),
        (
            "PROGRAMMATIC_ACCESS_TOKEN",
            with(
                &json!({ "authenticationType": "programmaticAccessToken", "token": { "env": "T" } }),
            ),
        ),
        (
            "WORKLOAD_IDENTITY",
            with(&json!({ "authenticationType": "workloadIdentity", "workloadIdentity": {
                "provider": "OIDC", "token": { "env": "T" } } })),
        ),
    ]
}

fn advice(snowflake: &Snowflake, cause: Cause) -> String {
    let user = User { credentials: &snowflake.credentials, role: snowflake.role.as_ref() };
    snowflake.remedy(user, cause, "")
}

#[test]
fn advice_follows_the_cause_and_the_kind_of_credentials() {
    let table = [
        (Cause::UserDisabled, "SET DISABLED = FALSE"),
        (Cause::UserLocked, "MINS_TO_UNLOCK = 0"),
        (Cause::PasswordExpired, "UNSET DAYS_TO_EXPIRY"),
        (Cause::SecondFactor, "TYPE = SERVICE"),
        (Cause::TokenMismatch, "session:role:IMMUTA_SYSTEM"),
        (Cause::RoleRefused, "GRANT ROLE \"IMMUTA_SYSTEM\" TO USER"),
        (Cause::WarehouseRefused, "GRANT USAGE ON WAREHOUSE"),
        (Cause::AddressRefused, "NETWORK POLICY"),
        (Cause::Clock, "clock"),
        (Cause::SessionLost, "session policy"),
        (Cause::Throttled, "less often"),
        (Cause::Cancelled, "query history"),
        (Cause::Internal, "status.snowflake.com"),
        (Cause::UnexpectedResponse, "is a Snowflake account"),
        (Cause::BadKey, "PKCS#8"),
    ];
    for (method, snowflake) in kinds() {
        for (cause, expected) in table {
            let found = advice(&snowflake, cause);
            assert!(found.contains(expected), "{method} {cause:?}: {found}");
        }
        let policy = advice(&snowflake, Cause::PolicyRefused);
        assert!(policy.contains(&format!("AUTHENTICATION_METHODS = ('{method}')")), "{policy}");
    }
}

/// A cause that is not about the credentials must not send people to renew them.
#[test]
fn advice_of_other_causes_does_not_speak_of_credentials() {
    let others = [
        Cause::AddressRefused,
        Cause::Clock,
        Cause::WarehouseRefused,
        Cause::Throttled,
        Cause::Cancelled,
        Cause::Internal,
        Cause::UnexpectedResponse,
        Cause::OtherAnswer,
        Cause::NoAnswer(Class::Unreachable),
    ];
    let words = ["RSA_PUBLIC_KEY", "ROTATE", "`password`", "`token`", "secret"];
    for (method, snowflake) in kinds() {
        for cause in others {
            let found = advice(&snowflake, cause);
            let spoken = words.iter().find(|word| found.contains(**word));
            assert_eq!(spoken, None, "{method} {cause:?}: {found}");
            assert!(!cause.refuses_log_in(), "{cause:?}");
        }
    }
}

#[test]
fn refusal_of_credentials_is_remembered_and_that_of_anything_else_is_not() {
    let table = [
        (Cause::LoginRefused, true),
        (Cause::UserLocked, true),
        (Cause::UserDisabled, true),
        (Cause::PasswordExpired, true),
        (Cause::SecondFactor, true),
        (Cause::PolicyRefused, true),
        (Cause::KeyRefused, true),
        (Cause::TokenRefused, true),
        (Cause::EntraRefused(Class::Denied), true),
        (Cause::EntraRefused(Class::Throttled), false),
        (Cause::ProviderRefused(Class::Expired), true),
        (Cause::ProviderRefused(Class::Unavailable), false),
        (Cause::Clock, false),
        (Cause::AddressRefused, false),
        (Cause::RoleRefused, false),
        (Cause::SessionLost, false),
        (Cause::Unreadable, false),
    ];
    for (cause, expected) in table {
        assert_eq!(cause.refuses_log_in(), expected, "{cause:?}");
    }
}

async fn key(changes: Json) -> Option<LogInKey> {
    let snowflake = with(&changes);
    snowflake.credentials.key(&snowflake.service.server, now()).await
}

#[tokio::test]
async fn integrations_that_share_user_and_secret_share_the_key_of_their_log_in() {
    let password = |changes: Json| {
        let mut config = json!({ "authenticationType": "userPassword", "username": "u",
            "password": "hunter2-hunter2" });
        for (key, value) in changes.as_object().unwrap() {
            config[key] = value.clone();
        }
        key(config)
    };
    let own = password(json!({})).await;
    assert!(own.is_some());
    for same in
        [json!({ "database": "other" }), json!({ "warehouse": "w" }), json!({ "role": "r" })]
    {
        assert_eq!(password(same.clone()).await, own, "{same}");
    }
    let others = [
        json!({ "username": "v" }),
        json!({ "password": "hunter3-hunter3" }),
        json!({ "account": "org-other" }),
        json!({ "endpoint": "https://10.0.0.9" }),
    ];
    for other in others {
        assert_ne!(password(other.clone()).await, own, "{other}");
    }
    let unreadable = json!({ "password": { "file": "/no/such/file" } });
    assert_eq!(password(unreadable).await, None, "the log-in itself reports it");
    let machine = json!({ "authenticationType": "workloadIdentity",
        "workloadIdentity": { "provider": "AZURE" } });
    assert_eq!(key(machine).await, None, "the machine has no secret");
}
