//! Remediation of failures: the exact statement or setting.

use super::classify::Cause;
use super::credentials::{Credentials, OAuth, Proof};
use super::integration::Snowflake;
use super::statement::Name;
use crate::domain::{Class, one_line};
use crate::platforms::azure;
use crate::platforms::connection::authority;

/// Longest user name that is shown, in characters.
const USER_MAX: usize = 80;

/// User that statements are run as.
#[derive(Clone, Copy, Debug)]
pub(super) struct User<'a> {
    /// Credentials of the user.
    pub(super) credentials: &'a Credentials,
    /// Role of the session; none for the user's default role.
    pub(super) role: Option<&'a Name>,
}

impl Snowflake {
    /// Returns the remediation of `cause` for `user`.
    pub(super) fn remedy(&self, user: User<'_>, cause: Cause, detail: &str) -> String {
        let User { credentials, role } = user;
        let user =
            credentials.user().map_or_else(|| "<user>".to_owned(), |user| one_line(user, USER_MAX));
        let host = authority(&self.service.server);
        match cause {
            Cause::LoginRefused => login_refused(credentials, &user),
            Cause::UserDisabled => user_disabled(&user),
            Cause::UserLocked => user_locked(&user),
            Cause::PasswordExpired => password_expired(&user),
            Cause::SecondFactor => second_factor(&user),
            Cause::PolicyRefused => policy_refused(&user, method(credentials)),
            Cause::TokenMismatch => token_mismatch(role),
            Cause::KeyRefused => key_refused(credentials, &user),
            Cause::Clock => {
                "Set this host's clock; Snowflake does not accept what it signs.".to_owned()
            }
            Cause::TokenRefused | Cause::TokenExpired => token_refused(credentials, &user),
            Cause::SessionLost => {
                "Look for a session policy that ends sessions within seconds.".to_owned()
            }
            Cause::RoleRefused => match role {
                Some(role) => format!("GRANT ROLE {} TO USER {user};", role.quoted()),
                None => format!("ALTER USER {user} SET DEFAULT_ROLE = <role>;"),
            },
            Cause::WarehouseRefused | Cause::NoWarehouse => format!(
                "GRANT USAGE ON WAREHOUSE {} TO ROLE {};",
                self.warehouse.quoted(),
                role.map_or_else(|| "<role>".to_owned(), Name::quoted)
            ),
            Cause::AddressRefused => address_refused(&user),
            Cause::NoObject | Cause::NoPrivilege => unseen(&user, role),
            Cause::OtherAnswer => {
                format!(
                    "Look up the number in Snowflake's documentation, or ask its support about {host}."
                )
            }
            Cause::BadRequest | Cause::Syntax | Cause::UnexpectedResponse => format!(
                "Check that {host} is a Snowflake account and that nothing in between answers."
            ),
            Cause::Cancelled => {
                "Look in the query history for statements tagged `revalidated` that wait or take \
                long."
                    .to_owned()
            }
            Cause::Throttled => "Validate less often, or fewer integrations at once.".to_owned(),
            Cause::Internal => "Wait, and look at status.snowflake.com.".to_owned(),
            Cause::NoAnswer(class) | Cause::ProviderRefused(class) => no_answer(class, host),
            Cause::EntraRefused(class) => entra_refused(credentials, class, detail),
            Cause::Unreadable => {
                "Fix this host: the file, variable or credential named above.".to_owned()
            }
            Cause::BadKey => "Store the key as PKCS#8 in PEM form, and its passphrase in \
                `privateKeyPassword`: openssl genrsa 2048 | openssl pkcs8 -topk8 -v2 aes256 \
                -inform PEM -out rsa_key.p8"
                .to_owned(),
        }
    }
}

/// Returns the remediation for a user that is disabled.
fn user_disabled(user: &str) -> String {
    format!(
        "Enable the user: ALTER USER {user} SET DISABLED = FALSE; DESCRIBE USER {user}; shows \
         DISABLED and DAYS_TO_EXPIRY."
    )
}

/// Returns the remediation for a user that is locked.
fn user_locked(user: &str) -> String {
    format!(
        "Correct the stored secret first, then unlock the user: ALTER USER {user} SET \
         MINS_TO_UNLOCK = 0; without that the lock ends by itself, after 15 minutes by default."
    )
}

/// Returns the remediation for a password that has expired.
fn password_expired(user: &str) -> String {
    format!(
        "Renew it: ALTER USER {user} SET PASSWORD = '<new>' MUST_CHANGE_PASSWORD = FALSE; or \
         ALTER USER {user} UNSET DAYS_TO_EXPIRY; better use keyPair, which does not expire."
    )
}

/// Returns the remediation for a user that needs a second factor.
fn second_factor(user: &str) -> String {
    format!(
        "A daemon has no second factor: use keyPair, oAuthClientCredentials or a \
         programmatic access token, and make it a service user: ALTER USER {user} SET TYPE = \
         SERVICE;"
    )
}

/// Returns the remediation for a method that an authentication policy refuses.
fn policy_refused(user: &str, method: &str) -> String {
    format!(
        "Let the authentication policy of {user} or of the account allow {method}: ALTER \
                    AUTHENTICATION POLICY <policy> SET AUTHENTICATION_METHODS = ('{method}'); SELECT * \
                    FROM TABLE(INFORMATION_SCHEMA.POLICY_REFERENCES(REF_ENTITY_NAME => '{user}', \
                    REF_ENTITY_DOMAIN => 'USER')); finds it."
    )
}

/// Returns the remediation for an address that a network policy refuses.
fn address_refused(user: &str) -> String {
    format!(
        "Let a network policy of {user} or of the account allow this host's address; \
         programmatic access tokens need one: CREATE NETWORK RULE <rule> TYPE = IPV4 MODE = \
         INGRESS VALUE_LIST = ('<address>'); ALTER NETWORK POLICY <policy> ADD \
         ALLOWED_NETWORK_RULE_LIST = ('<rule>'); ALTER USER {user} SET NETWORK_POLICY = \
         <policy>;"
    )
}

/// Returns the remediation for objects that the role does not see.
fn unseen(user: &str, role: Option<&Name>) -> String {
    match role {
        Some(role) => format!(
            "Check that role {} exists and is granted: GRANT ROLE {} TO USER {user};",
            role.quoted(),
            role.quoted()
        ),
        None => "Name the role that sees the integration's objects in `role`.".to_owned(),
    }
}

/// Returns the name of the kind of credentials in authentication policies.
const fn method(credentials: &Credentials) -> &'static str {
    match credentials {
        Credentials::KeyPair(_) => "KEYPAIR",
        Credentials::OAuth(_) => "OAUTH",
        Credentials::Token(_) => "PROGRAMMATIC_ACCESS_TOKEN",
        Credentials::Password(_) => "PASSWORD",
        Credentials::Workload(_) => "WORKLOAD_IDENTITY",
    }
}

fn token_mismatch(role: Option<&Name>) -> String {
    match role {
        Some(role) => format!(
            "Let the identity provider issue a token for role {role}: set \
            `oAuthClientConfig.scope` to \"session:role:{role}\" or \"session:role-any\", and map \
            the token to the user (EXTERNAL_OAUTH_TOKEN_USER_MAPPING_CLAIM of the security \
            integration)."
        ),
        None => "Name the role that the token is limited to in `role`; without it, the user's \
            default role is asked for."
            .to_owned(),
    }
}

fn login_refused(credentials: &Credentials, user: &str) -> String {
    match credentials {
        Credentials::Password(_) => format!(
            "Snowflake no longer accepts single-factor passwords; use keyPair, \
            oAuthClientCredentials or a programmatic access token. Otherwise check `username` and \
            `password`: DESCRIBE USER {user};"
        ),
        Credentials::Workload(_) => "Compare issuer, subject and audience of the token with WORKLOAD_IDENTITY \
            in DESCRIBE USER <user>; ALTER USER <user> SET TYPE = SERVICE WORKLOAD_IDENTITY = (TYPE = \
            OIDC ISSUER = '<issuer>' SUBJECT = '<subject>');"
            .to_owned(),
        Credentials::KeyPair(_) => key_refused(credentials, user),
        Credentials::OAuth(_) | Credentials::Token(_) => token_refused(credentials, user),
    }
}

fn key_refused(credentials: &Credentials, user: &str) -> String {
    let account = match credentials {
        Credentials::KeyPair(pair) => pair.account.as_str(),
        Credentials::Password(password) => password.account.as_str(),
        Credentials::Workload(workload) => workload.account.as_str(),
        Credentials::OAuth(_) | Credentials::Token(_) => "<account>",
    };
    format!(
        "Compare RSA_PUBLIC_KEY_FP in DESCRIBE USER {user}; with the key, check the account \
        [{account}] and this host's clock; ALTER USER {user} SET RSA_PUBLIC_KEY = '<public key>';"
    )
}

fn token_refused(credentials: &Credentials, user: &str) -> String {
    match credentials {
        Credentials::Token(_) => format!(
            "ALTER USER {user} ROTATE PROGRAMMATIC ACCESS TOKEN <name>; or ADD PROGRAMMATIC ACCESS \
            TOKEN, and store the new one in `token`."
        ),
        Credentials::OAuth(_) => {
            "Check the issuer, the audience and the user mapping of the security \
            integration: DESCRIBE SECURITY INTEGRATION <name>; and that the provider's `scope` \
            names a role granted to the user."
                .to_owned()
        }
        Credentials::Workload(_) => login_refused(credentials, user),
        Credentials::KeyPair(_) | Credentials::Password(_) => key_refused(credentials, user),
    }
}

/// Returns the remediation of a refusal by Microsoft Entra, with the keys of `oAuthClientConfig`.
fn entra_refused(credentials: &Credentials, class: Class, detail: &str) -> String {
    let proof = match credentials {
        Credentials::OAuth(OAuth { proof: Proof::Certificate { .. }, .. }) => {
            azure::Proof::Certificate("oAuthClientConfig.oAuthPrivateKey")
        }
        Credentials::OAuth(OAuth { proof: Proof::Secret(_), .. })
        | Credentials::KeyPair(_)
        | Credentials::Password(_)
        | Credentials::Workload(_)
        | Credentials::Token(_) => azure::Proof::Secret("oAuthClientConfig.clientSecret"),
    };
    let keys = azure::Keys {
        tenant: "oAuthClientConfig.authorityUrl",
        client_id: "oAuthClientConfig.clientId",
        proof,
        resource: "oAuthClientConfig.scope",
        proxy: "proxy",
    };
    azure::remedy(class, detail, keys)
}

fn no_answer(class: Class, host: &str) -> String {
    match class {
        Class::Local => "Fix this host's network or the setting named above.".to_owned(),
        Class::Denied | Class::Missing | Class::Expired => {
            "Check `oAuthClientConfig` and the client at the identity provider.".to_owned()
        }
        Class::Invalid => "Name the authority's certificate in `tls.caFile`, or correct \
            `oAuthClientConfig` where the identity provider refuses."
            .to_owned(),
        Class::Unreachable | Class::Throttled | Class::Unavailable => {
            format!(
                "Check that this host reaches {host}, and the identity provider where one is used."
            )
        }
    }
}
