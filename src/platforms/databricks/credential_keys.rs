//! Reads the keys of credentials.

use reqwest::Url;
use strum::{IntoStaticStr, VariantArray};

use super::authority::Authority;
use super::bearer::AzureTokens;
use super::credentials::{Credentials, Entra, Machine};
use super::workload::{Federated, Managed};
use crate::input::Reader;
use crate::platforms::authentication;
use crate::platforms::azure::{
    ClientCredential, Cloud, METADATA, ManagedIdentity, ServicePrincipal, is_tenant,
};
use crate::platforms::connection::{self, authority};

/// Kinds of `credentials` as configured.
#[derive(Clone, Copy, IntoStaticStr, PartialEq, VariantArray)]
enum Kind {
    /// Personal access token of a user or service principal.
    #[strum(serialize = "token")]
    Token,
    /// Service principal of Databricks.
    #[strum(serialize = "oAuthM2M")]
    Machine,
    /// Service principal of Microsoft Entra.
    #[strum(serialize = "azureServicePrincipal")]
    Entra,
    /// Managed identity of this machine, in Azure.
    #[strum(serialize = "azureManagedIdentity")]
    Managed,
    /// Token of an identity provider, which Databricks exchanges.
    #[strum(serialize = "oidcFederation")]
    Federated,
}

/// Ways of Databricks' own tools that take a person or a program, and what does without.
const INSTEAD: [(&str, &str); 9] = [
    ("basic", "Databricks has ended it; use `oAuthM2M`"),
    ("userPassword", "Databricks has ended it; use `oAuthM2M`"),
    ("oAuthU2M", "it takes a person at a browser; use `oAuthM2M`"),
    ("externalBrowser", "it takes a person at a browser; use `oAuthM2M`"),
    ("databricksCli", "it takes the log-in of a person; use `oAuthM2M`"),
    ("azureCli", "it takes the log-in of a person; use `azureManagedIdentity`"),
    ("azureClientCertificate", "use `azureServicePrincipal` with `azure.clientCertificate`"),
    (
        "googleCredentials",
        "not supported; use `oAuthM2M`, or `oidcFederation` with a Google ID token",
    ),
    ("googleId", "not supported; use `oAuthM2M`, or `oidcFederation` with a Google ID token"),
];

pub(super) fn credentials(reader: &mut Reader<'_>, workspace: Option<&str>) -> Option<Credentials> {
    let kind = authentication::read_or_instead::<Kind>(reader, &INSTEAD);
    let is_managed = kind == Some(Kind::Managed);
    let token = reader.secret("token");
    let machine = reader.table("oAuthClientConfig").map(machine);
    let azure = reader.table("azure");
    let (azure, managed) = if is_managed { (None, Some(azure)) } else { (azure, None) };
    let entra = azure.map(|table| entra(table, workspace));
    let managed = managed.and_then(|table| managed_identity(reader, table, workspace));
    let federated = reader.table("oidc").map(federated);
    let kind = kind?;
    let owners = [
        ("token", Kind::Token),
        ("oAuthClientConfig", Kind::Machine),
        ("azure", if is_managed { Kind::Managed } else { Kind::Entra }),
        ("oidc", Kind::Federated),
    ];
    for (key, owner) in owners {
        // The identity of the machine itself needs no key.
        if owner == kind && !is_managed {
            reader.required(key);
        }
        authentication::refuse_unless(reader, kind, owner, &[key]);
    }
    match kind {
        Kind::Managed => Some(Credentials::Managed(managed?)),
        Kind::Federated => Some(Credentials::Federated(federated??)),
        Kind::Token => Some(Credentials::Token(token?)),
        Kind::Machine => Some(Credentials::Machine(machine??)),
        Kind::Entra => Some(Credentials::Entra(entra??)),
    }
}

/// Reads the identity in the table `azure`, or that of the machine itself where there is none.
fn managed_identity(
    reader: &Reader<'_>,
    table: Option<Reader<'_>>,
    workspace: Option<&str>,
) -> Option<Managed> {
    let own_cloud = Cloud::of_workspace(workspace.map_or("", authority));
    let (mut client_id, mut cloud, mut resource) = (None, None, None);
    let mut endpoint = Some(METADATA.to_owned());
    if let Some(mut table) = table {
        client_id = table.string("clientId");
        cloud = table.choice("cloud", &Cloud::WORDS);
        resource = resource_id(&mut table);
        if table.has("metadataEndpoint") {
            endpoint = metadata_endpoint(&mut table);
        }
        table.finish();
    }
    let identity = ManagedIdentity::new(client_id, endpoint?);
    let identity = identity.map_err(|error| reader.fault("azure", error)).ok()?;
    let tokens = AzureTokens::new(cloud.unwrap_or(own_cloud), resource);
    Some(Managed::new(identity, tokens))
}

/// Reads the address of a metadata service, which speaks plain HTTP.
fn metadata_endpoint(table: &mut Reader<'_>) -> Option<String> {
    let text = table.string("metadataEndpoint")?;
    let origin = Url::parse(&text).ok().filter(|url| url.host_str().is_some());
    if origin.is_none() {
        table.refuse("metadataEndpoint", "must be an address such as http://169.254.169.254");
    }
    origin.map(|url| url.origin().ascii_serialization())
}

fn federated(mut table: Reader<'_>) -> Option<Federated> {
    let client_id = table.string("clientId");
    table.required("token");
    let token = table.secret("token");
    let scope = table.string("scope").unwrap_or_else(|| "all-apis".to_owned());
    let authority = authority_url(&mut table);
    table.finish();
    Some(Federated::new(client_id, token?, scope, authority.ok()?))
}

/// Reads the issuer of tokens; none where it is the workspace itself.
///
/// # Errors
///
/// Faults are left with the reader.
fn authority_url(table: &mut Reader<'_>) -> Result<Option<Authority>, ()> {
    let Some(text) = table.string("authorityUrl") else { return Ok(None) };
    let authority = Authority::parse(&text);
    if authority.is_none() {
        table.refuse(
            "authorityUrl",
            "must be https://host of the workspace, https://host/oidc/accounts/<id> of the account, \
             or the address of a token endpoint, which ends in /token",
        );
    }
    authority.map(Some).ok_or(())
}

fn machine(mut table: Reader<'_>) -> Option<Machine> {
    let client_id = table.required_string("clientId");
    if table.boolean("useCertificate") == Some(true) {
        let fault = "`true` is not supported: Databricks takes a client secret; set it to false \
            and give `clientSecret`";
        table.fault("useCertificate", fault);
        table.secret("clientSecret");
    } else {
        table.required("clientSecret");
    }
    let client_secret = table.secret("clientSecret");
    let scope = table.string("scope");
    let authority = authority_url(&mut table);
    table.finish();
    let scope = scope.unwrap_or_else(|| "all-apis".to_owned());
    Some(Machine::new(client_id?, client_secret?, scope, authority.ok()?))
}

fn entra(mut table: Reader<'_>, workspace: Option<&str>) -> Option<Entra> {
    let tenant = table.string("tenantId");
    if tenant.as_deref().is_some_and(|tenant| !is_tenant(tenant)) {
        table.refuse("tenantId", "must be the tenant's id, or a domain of it");
    }
    let client_id = table.required_string("clientId");
    let credential = ClientCredential::read(&mut table);
    let cloud = table.choice("cloud", &Cloud::WORDS);
    let cloud = cloud.unwrap_or_else(|| Cloud::of_workspace(workspace.map_or("", authority)));
    let resource_id = resource_id(&mut table);
    let given = table.has("authorityUrl");
    let authority = connection::server(&mut table, "authorityUrl");
    table.finish();
    let authority = if given { authority? } else { cloud.sdk_authority().to_owned() };
    let (client_id, credential) = (client_id?, credential?);
    let principal = ServicePrincipal { client_id, credential, authority };
    Some(Entra::new(principal, tenant, AzureTokens::new(cloud, resource_id)))
}

/// Reads the resource id of the workspace.
fn resource_id(table: &mut Reader<'_>) -> Option<String> {
    let id = table.string("resourceId");
    let is_resource =
        |id: &str| id.starts_with("/subscriptions/") && id.chars().all(|c| c.is_ascii_graphic());
    if id.as_deref().is_some_and(|id| !is_resource(id)) {
        table.refuse(
            "resourceId",
            "must be /subscriptions/<id>/resourceGroups/<group>/providers/Microsoft.Databricks/\
             workspaces/<name>",
        );
    }
    id
}
