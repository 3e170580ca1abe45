//! Remediation of refusals by Microsoft Entra, with the configuration keys of each platform.

use super::token_endpoint::has_code;
use crate::domain::Class;

/// Configuration keys of a platform that remediation names.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Keys {
    /// Key that names the tenant.
    pub(crate) tenant: &'static str,
    /// Key of the application's client id.
    pub(crate) client_id: &'static str,
    /// Key of the application's proof.
    pub(crate) proof: Proof,
    /// Key that decides for which resource a token is requested.
    pub(crate) resource: &'static str,
    /// Key of the proxy to the token endpoint.
    pub(crate) proxy: &'static str,
}

/// Key of the proof of an application's identity, by its kind.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Proof {
    /// Key of a client secret.
    Secret(&'static str),
    /// Key of the private key of a certificate.
    Certificate(&'static str),
    /// Key of the token of a provider that the application trusts.
    #[cfg(any(feature = "databricks", feature = "synapse"))]
    Assertion(&'static str),
}

/// Returns the remedy for a failure at the token endpoint: by the `AADSTS` code in its `detail` where that says
/// more than its class.
pub(crate) fn remedy(class: Class, detail: &str, keys: Keys) -> String {
    named(detail, keys).unwrap_or_else(|| of_class(class, detail, keys))
}

fn of_class(class: Class, detail: &str, keys: Keys) -> String {
    let Keys { tenant, client_id, proof, resource, proxy } = keys;
    match class {
        Class::Denied => match proof {
            Proof::Secret(secret) => format!(
                "Check `{client_id}` and `{secret}`, which is the secret's value and not its id."
            ),
            Proof::Certificate(key) => format!(
                "Check `{client_id}`, and that the certificate of `{key}` is registered with the \
                application in Microsoft Entra ID."
            ),
            #[cfg(any(feature = "databricks", feature = "synapse"))]
            Proof::Assertion(token) => format!(
                "Check `{client_id}`, and that issuer, subject and audience of the token in `{token}` are \
                those of a federated credential of the application: az ad app federated-credential list."
            ),
        },
        Class::Missing => format!("Check `{tenant}` and `{client_id}`."),
        Class::Expired => match proof {
            Proof::Secret(_) => {
                "Make a new client secret for the application in Microsoft Entra ID.".to_owned()
            }
            Proof::Certificate(key) => format!(
                "Register a new certificate with the application in Microsoft Entra ID, put its \
                key into `{key}`, and check this machine's clock."
            ),
            #[cfg(any(feature = "databricks", feature = "synapse"))]
            Proof::Assertion(token) => format!(
                "Let the provider renew the token in `{token}` in time, and check this machine's clock."
            ),
        },
        Class::Invalid => format!("Check `{tenant}`, `{client_id}` and `{resource}`."),
        Class::Throttled => format!(
            "Wait until Microsoft Entra ID takes requests again. If it stays, see in its sign-in logs \
             which other programs ask for tokens of `{client_id}` again and again."
        ),
        Class::Unavailable if detail.contains("AADSTS") => {
            "Wait: Microsoft Entra ID has a passing \
            failure. If it stays, see its state in the Azure portal (Service health)."
                .to_owned()
        }
        Class::Unreachable | Class::Unavailable => format!(
            "Check that this machine reaches the token endpoint, perhaps through `{proxy}`."
        ),
        Class::Local => "Fix this host: the file, variable or network named above.".to_owned(),
    }
}

/// Returns the remedy for the cause that an `AADSTS` code in `detail` names; none for codes whose class
/// says enough.
fn named(detail: &str, keys: Keys) -> Option<String> {
    let Keys { tenant, resource, .. } = keys;
    let has = |code| has_code(detail, code);
    if has("AADSTS7000112") {
        return Some(
            "Enable the application in Microsoft Entra ID: Enterprise applications, Properties, \
            Enabled for users to sign-in."
                .to_owned(),
        );
    }
    if has("AADSTS53003") || has("AADSTS530032") {
        return Some(
            "Let Conditional Access admit the application from this address: Microsoft Entra ID, \
            Conditional Access, policies for workload identities."
                .to_owned(),
        );
    }
    if has("AADSTS500011") {
        return Some(format!(
            "Check `{resource}` and `{tenant}`: the tenant does not know the resource that the token \
            is for."
        ));
    }
    if ["AADSTS90038", "AADSTS900382", "AADSTS900432"].into_iter().any(has) {
        return Some(format!("Check `{tenant}` and `{resource}`: the tenant is in another cloud."));
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEYS: Keys = Keys {
        tenant: "azure.tenantId",
        client_id: "azure.clientId",
        proof: Proof::Secret("azure.clientSecret"),
        resource: "azure.cloud",
        proxy: "azure.proxy",
    };

    #[test]
    fn code_of_entra_names_its_remedy() {
        let table = [
            (
                "AADSTS7000112: Application is disabled.",
                "Enable the application in Microsoft Entra",
            ),
            ("AADSTS53003: Access has been blocked.", "Let Conditional Access admit"),
            ("AADSTS530032: Blocked by a security policy.", "Let Conditional Access admit"),
            ("AADSTS500011: The resource principal was not found.", "Check `azure.cloud` and"),
            ("AADSTS90038: The tenant belongs to another cloud.", "Check `azure.tenantId` and"),
            ("AADSTS900432: Confidential Client isn't supported.", "Check `azure.tenantId` and"),
        ];
        for (detail, expected) in table {
            let found = named(detail, KEYS).unwrap();
            assert!(found.starts_with(expected), "{detail}: {found}");
        }
        for detail in ["AADSTS7000215: Invalid client secret.", "AADSTS5000111: x", "no code"] {
            assert_eq!(named(detail, KEYS), None, "{detail}");
        }
    }

    #[test]
    fn every_class_has_a_remedy_that_names_its_keys() {
        for (class, expected) in [
            (Class::Denied, "`azure.clientSecret`"),
            (Class::Missing, "`azure.tenantId`"),
            (Class::Expired, "new client secret"),
            (Class::Invalid, "`azure.cloud`"),
            (Class::Unreachable, "`azure.proxy`"),
            (Class::Throttled, "`azure.clientId`"),
            (Class::Unavailable, "`azure.proxy`"),
            (Class::Local, "Fix this host"),
        ] {
            let passing = remedy(Class::Unavailable, "AADSTS90033: A transient error.", KEYS);
            assert!(passing.starts_with("Wait: "), "{passing}");
            assert!(remedy(class, "no code", KEYS).contains(expected), "{class:?}");
            let disabled = remedy(class, "AADSTS7000112: Application is disabled.", KEYS);
            assert!(disabled.starts_with("Enable the application"), "{class:?}: {disabled}");
        }
    }
}
