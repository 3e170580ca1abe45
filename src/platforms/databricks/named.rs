//! Causes that Databricks names in its own words, and the remediation of each.
//!
//! The codes beside these words are too wide: `PERMISSION_DENIED` and 403 stand for a missing grant, a blocked
//! address, a scope and a catalog of another workspace alike. `docs/platforms/databricks.md` has the source of
//! every line.

/// Cause that an answer names.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Named {
    /// The address of this machine is on no IP access list.
    AddressList,
    /// The workspace does not accept connections from public networks, or from this one.
    Network,
    /// The token has not the scope of the API.
    TokenScope,
    /// The client secret has not the scope that was requested.
    SecretScope,
    /// The catalog is not bound to the workspace.
    Binding,
    /// The token belongs to another workspace, or the workspace is gone.
    OtherWorkspace,
    /// The workspace is gone, or was cancelled.
    Gone,
    /// The principal has none of the entitlements that the API needs.
    Entitlement,
    /// Personal access tokens are not allowed for the principal, or in the workspace.
    TokensForbidden,
    /// The principal is not in the workspace.
    NotMember,
    /// No federation policy fits the token of the identity provider.
    Federation,
}

/// Words by which a cause is recognised, in lower case; the first that fit decide.
const WORDS: [(&str, Named); 24] = [
    ("databricks ip acl", Named::AddressList),
    ("ip access list", Named::AddressList),
    ("blocked by ip acl", Named::AddressList),
    ("unauthorized network access", Named::Network),
    ("public access is not allowed", Named::Network),
    ("public network access", Named::Network),
    ("does not have required scopes", Named::TokenScope),
    ("insufficient_scope", Named::TokenScope),
    ("are not assigned to the client", Named::SecretScope),
    ("is not assigned to the client", Named::SecretScope),
    ("is not accessible in current workspace", Named::Binding),
    ("no binding to this workspace", Named::Binding),
    ("not bound to", Named::Binding),
    ("invalid access to org", Named::OtherWorkspace),
    ("unauthorized access to org", Named::OtherWorkspace),
    ("workspace has been deleted", Named::Gone),
    ("workspace is cancelled", Named::Gone),
    ("workspace does not exist", Named::Gone),
    ("api is disabled for users without", Named::Entitlement),
    ("permission to use tokens", Named::TokensForbidden),
    ("tokens are disabled", Named::TokensForbidden),
    ("user not authorized", Named::NotMember),
    ("federation policy", Named::Federation),
    ("federation policies", Named::Federation),
];

/// Names that remediation contains.
#[derive(Clone, Copy, Debug)]
pub(super) struct Place<'a> {
    /// Host of the workspace.
    pub(super) host: &'a str,
    /// Id of the workspace, where it is configured.
    pub(super) workspace_id: Option<&'a str>,
    /// Catalog of the integration.
    pub(super) catalog: &'a str,
    /// Principal, as far as it is known.
    pub(super) who: &'a str,
    /// Key that names the scopes, where the credentials have one.
    pub(super) scope_key: Option<&'a str>,
}

impl Named {
    /// Returns the cause that `text` names.
    pub(super) fn of(text: &str) -> Option<Self> {
        let lower = text.to_lowercase();
        WORDS.iter().find(|(words, _)| lower.contains(words)).map(|(_, named)| *named)
    }

    /// True when the credential was accepted or not looked at, so that another one is refused as well.
    pub(super) const fn spares_credential(self) -> bool {
        match self {
            Self::AddressList
            | Self::Network
            | Self::TokenScope
            | Self::Binding
            | Self::Entitlement
            | Self::Gone => true,
            Self::SecretScope
            | Self::OtherWorkspace
            | Self::TokensForbidden
            | Self::NotMember
            | Self::Federation => false,
        }
    }

    /// Returns the remediation of the cause, with the names of `place`.
    pub(super) fn advice(self, place: Place<'_>) -> String {
        let Place { host, workspace_id, catalog, who, .. } = place;
        let id = workspace_id.unwrap_or("<workspace id>");
        match self {
            Self::AddressList => format!(
                "Allow the address of this machine, as {host} sees it, in the IP access list of the \
                 workspace or of the account: databricks ip-access-lists create <label> ALLOW \
                 --json '{{\"ip_addresses\": [\"<address>/32\"]}}'."
            ),
            Self::Network => format!(
                "Run this in a network with a private endpoint of {host}, and set `endpoint` if its \
                 name leads elsewhere; or allow public network access in the workspace's private \
                 access settings or network policy."
            ),
            Self::TokenScope => token_scope(place.scope_key),
            Self::SecretScope => {
                let key = place.scope_key.unwrap_or("oAuthClientConfig.scope");
                format!(
                    "Set `{key}` to scopes that the secret has, separated by spaces, such as \
                     \"scim unity-catalog sql\"; or allow the secret the scope `all-apis`."
                )
            }
            Self::Binding => format!(
                "Bind the catalog to the workspace: databricks workspace-bindings update-bindings \
                 catalog {catalog} --json '{{\"add\": [{{\"workspace_id\": {id}, \"binding_type\": \
                 \"BINDING_TYPE_READ_WRITE\"}}]}}'; or open it to all: databricks catalogs update \
                 {catalog} --isolation-mode OPEN."
            ),
            Self::OtherWorkspace => format!(
                "Check that `workspaceUrl` [{host}] and `workspaceId` name the workspace that the \
                 token was made in, and that it was not deleted or replaced by another."
            ),
            Self::Gone => format!(
                "The workspace behind {host} is gone. Set `workspaceUrl` to the one that replaces \
                 it, or remove the integration."
            ),
            Self::Entitlement => format!(
                "Give {who} the entitlement that the answer names (`workspace-access` or \
                 `databricks-sql-access`) in the workspace's settings, Identity and access."
            ),
            Self::TokensForbidden => format!(
                "Give {who} CAN USE on personal access tokens (settings, Advanced, Personal access \
                 tokens), or use authenticationType `oAuthM2M`."
            ),
            Self::NotMember => format!(
                "Add {who} to the workspace {host} (account console, Workspaces, Permissions)."
            ),
            Self::Federation => format!(
                "Compare issuer, audience and subject of the token with the federation policy of \
                 {who}: databricks account service-principal-federation-policy list <id>."
            ),
        }
    }
}

/// Returns the remediation of a token without a scope, which `key` asks for.
fn token_scope(key: Option<&str>) -> String {
    match key {
        Some(key) => format!(
            "Add the scope that the answer names to `{key}`; `all-apis` has every one. The \
             principal, or its secret, must be allowed the scope as well."
        ),
        None => "Replace the token by one whose scopes contain that which the answer names: \
                 `scim`, `unity-catalog` and, with `checkWarehouse`, `sql`."
            .to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Words of public reports; their addresses are in `docs/platforms/databricks.md`.
    #[test]
    fn cause_is_read_off_the_words_of_reports() {
        let table = [
            (
                "Source IP address: 203.0.113.7 is blocked by Databricks IP ACL for workspace: 1",
                Some(Named::AddressList),
            ),
            ("Unauthorized network access to workspace: 1234567890123456", Some(Named::Network)),
            ("Provided OAuth token does not have required scopes: scim", Some(Named::TokenScope)),
            ("Scopes 'all-apis' are not assigned to the client", Some(Named::SecretScope)),
            ("Catalog 'immuta' is not accessible in current workspace", Some(Named::Binding)),
            ("Invalid access to Org: 4567", Some(Named::OtherWorkspace)),
            (
                "Unauthorized access to Org: 3382109464960313 [ReqId: f5cb0cb6]",
                Some(Named::OtherWorkspace),
            ),
            (
                "This API is disabled for users without the databricks-sql-access entitlement.",
                Some(Named::Entitlement),
            ),
            ("User does not have permission to use tokens.", Some(Named::TokensForbidden)),
            ("User not authorized", Some(Named::NotMember)),
            ("User does not have USE CATALOG on Catalog 'main'.", None),
            ("Invalid access token.", None),
        ];
        for (text, expected) in table {
            assert_eq!(Named::of(text), expected, "{text}");
        }
    }

    #[test]
    fn advice_names_the_key_or_the_command() {
        let place = Place {
            host: "w.cloud.databricks.com",
            workspace_id: Some("7"),
            catalog: "immuta",
            who: "app",
            scope_key: Some("oAuthClientConfig.scope"),
        };
        let table = [
            (Named::AddressList, "ip-access-lists create"),
            (Named::Network, "private endpoint"),
            (Named::TokenScope, "`oAuthClientConfig.scope`"),
            (Named::SecretScope, "`oAuthClientConfig.scope`"),
            (Named::Binding, "\"workspace_id\": 7"),
            (Named::OtherWorkspace, "`workspaceId`"),
            (Named::Gone, "`workspaceUrl`"),
            (Named::Entitlement, "`workspace-access`"),
            (Named::TokensForbidden, "`oAuthM2M`"),
            (Named::NotMember, "Add app to the workspace"),
            (Named::Federation, "service-principal-federation-policy"),
        ];
        for (named, expected) in table {
            let advice = named.advice(place);
            assert!(advice.contains(expected), "{named:?}: {advice}");
            assert!(
                !advice.contains("secret")
                    || named == Named::SecretScope
                    || named == Named::TokenScope,
                "{advice}"
            );
        }
        let token = Place { scope_key: None, ..place };
        assert!(Named::TokenScope.advice(token).contains("`unity-catalog`"));
    }
}
