//! Read-only requests to Databricks: the fifteen that [`Request`] can spell, and no others.

use http::header::{ACCEPT, AUTHORIZATION, HeaderValue, InvalidHeaderValue, LOCATION};
use reqwest::Url;

use super::bearer::{Bearer, Management};
use super::classify::{Failure, WORDS_MAX};
use super::reply;
use crate::domain::{Class, Secret, Timestamp};
use crate::net::backoff::retry;
use crate::net::exchange::{self, Answer, percent_encoded};
use crate::net::http::Connections;

/// The largest answer that is read, in bytes.
const BODY_MAX: usize = 1024 * 1024;

/// Every request this platform sends, besides the forms to token endpoints. All are GET, none of
/// them changes anything, and none of them starts a warehouse or resets its timer.
#[derive(Clone, Copy, Debug)]
pub(super) enum Request<'a> {
    /// Asks for the token endpoint; sent without credentials.
    Discovery {
        /// Address that paths are below.
        base: &'a str,
    },
    /// Asks for the Microsoft Entra tenant of the workspace; sent without credentials.
    Tenant,
    /// Gets the authenticated principal.
    Me,
    /// Asks for the metastore of the workspace.
    Metastore,
    /// Is this SQL warehouse there? It is not started by the question.
    Warehouse {
        /// Id of the warehouse.
        id: &'a str,
    },
    /// Gets the metadata of a catalog.
    Catalog {
        /// Name of the catalog.
        name: &'a str,
    },
    /// Gets the metadata of a schema.
    Schema {
        /// Full name, with that of its catalog.
        full_name: &'a str,
    },
    /// Is this table there?
    TableExists {
        /// Full name, with those of catalog and schema.
        full_name: &'a str,
    },
    /// Gets the privileges of a principal on a catalog.
    Permissions {
        /// The name of the catalog.
        catalog: &'a str,
        /// A user, a service principal or a group.
        principal: &'a str,
        /// Position of the page.
        page: Option<&'a str>,
    },
    /// Gets the grants of a principal on an object, without inherited ones.
    Granted {
        /// Type of the object, such as `schema`.
        kind: &'static str,
        /// Full name, or the id of a metastore.
        name: &'a str,
        /// A user, a service principal or a group.
        principal: &'a str,
    },
    /// Gets the owner of the metastore.
    Summary,
    /// Lists the schemas of a catalog, as many as the server puts on one page.
    Schemas {
        /// Name of the catalog.
        catalog: &'a str,
    },
    /// Lists the tables of a schema, as many as the server puts on one page.
    Tables {
        /// Name of the catalog.
        catalog: &'a str,
        /// Name of the schema.
        schema: &'a str,
    },
    /// Asks for the own tokens and their expiries.
    Tokens,
    /// Lists the secrets of a service principal with their expiries, not the secrets themselves.
    Secrets {
        /// Id of the service principal in the workspace.
        principal: &'a str,
    },
}

impl Request<'_> {
    /// Returns the whole address; every name is one percent-encoded segment or value.
    pub(super) fn url(&self, server: &str) -> String {
        let unity = format!("{server}/api/2.1/unity-catalog");
        match self {
            Self::Discovery { base } => format!("{base}/.well-known/oauth-authorization-server"),
            Self::Tenant => format!("{server}/aad/auth"),
            Self::Me => format!("{server}/api/2.0/preview/scim/v2/Me"),
            Self::Metastore => format!("{unity}/current-metastore-assignment"),
            Self::Warehouse { id } => format!("{server}/api/2.0/sql/warehouses/{}", segment(id)),
            Self::Catalog { name } => format!("{unity}/catalogs/{}", segment(name)),
            Self::Schema { full_name } => format!("{unity}/schemas/{}", segment(full_name)),
            Self::TableExists { full_name } => {
                format!("{unity}/tables/{}/exists", segment(full_name))
            }
            Self::Permissions { catalog, principal, page } => {
                let page = page
                    .map_or(String::new(), |page| format!("&page_token={}", percent_encoded(page)));
                format!(
                    "{unity}/effective-permissions/catalog/{}?principal={}&max_results=0{page}",
                    segment(catalog),
                    percent_encoded(principal)
                )
            }
            Self::Granted { kind, name, principal } => format!(
                "{unity}/permissions/{kind}/{}?principal={}&max_results=0",
                segment(name),
                percent_encoded(principal)
            ),
            Self::Summary => format!("{unity}/metastore_summary"),
            Self::Schemas { catalog } => {
                format!("{unity}/schemas?catalog_name={}&max_results=0", percent_encoded(catalog))
            }
            Self::Tables { catalog, schema } => format!(
                "{unity}/tables?catalog_name={}&schema_name={}&max_results=0&omit_columns=true\
                 &omit_properties=true",
                percent_encoded(catalog),
                percent_encoded(schema)
            ),
            Self::Tokens => format!("{server}/api/2.0/token/list"),
            Self::Secrets { principal } => format!(
                "{server}/api/2.0/accounts/servicePrincipals/{}/credentials/secrets",
                segment(principal)
            ),
        }
    }
}

/// Returns one segment of a path; a name that would lead upwards is escaped.
fn segment(name: &str) -> String {
    match name {
        "." | ".." => "%00".to_owned(),
        _ => percent_encoded(name),
    }
}

/// Sends requests for one workspace during one run.
#[derive(Clone, Copy, Debug)]
pub(super) struct Client<'a> {
    /// Connections to send over.
    pub(super) connections: &'a Connections,
    /// The address that requests go to.
    pub(super) server: &'a str,
    /// The address of the workspace as it is published.
    pub(super) workspace: &'a str,
    /// Names the workspace where several share a host.
    pub(super) workspace_id: Option<&'a str>,
    /// The wall clock at the start of the run.
    pub(super) now: Timestamp,
}

impl Client<'_> {
    /// Sends `request` and reads the answer with `read`; what may go better is tried three times.
    ///
    /// # Errors
    ///
    /// Returns the refusal of Databricks, or the reason why there is no answer.
    pub(super) async fn call<T>(
        &self,
        request: Request<'_>,
        bearer: Option<&Bearer>,
        read: fn(&Answer) -> Result<T, String>,
    ) -> Result<T, Failure> {
        retry(|| self.attempt(request, bearer, read)).await
    }

    /// Calls like [`Self::call`], but only once: for answers that nothing depends on.
    ///
    /// # Errors
    ///
    /// Returns the refusal of Databricks, or the reason why there is no answer.
    pub(super) async fn call_once<T>(
        &self,
        request: Request<'_>,
        bearer: &Bearer,
        read: fn(&Answer) -> Result<T, String>,
    ) -> Result<T, Failure> {
        self.attempt(request, Some(bearer), read).await
    }

    /// Returns the address that `request` is redirected to; none when it is not.
    ///
    /// # Errors
    ///
    /// Says why there is no answer, or that it is about private links.
    pub(super) async fn redirect(&self, request: Request<'_>) -> Result<Option<String>, Failure> {
        let answer = retry(|| self.send(request, None)).await?;
        if is_private_link(&answer, self.server) {
            return Err(Failure::private_link());
        }
        Ok(location(&answer).filter(|_| answer.is_redirect()))
    }

    /// Returns `text`, which is a part of an answer, without secrets on one line of at most
    /// `chars_max` characters.
    pub(super) fn line(&self, text: &str, chars_max: usize) -> String {
        self.connections.redactor().line(text, chars_max)
    }

    async fn send(&self, request: Request<'_>, bearer: Option<&Bearer>) -> Result<Answer, Failure> {
        let request = self.built(request, bearer)?;
        Ok(self.connections.fetch(request, BODY_MAX).await?)
    }

    async fn attempt<T>(
        &self,
        request: Request<'_>,
        bearer: Option<&Bearer>,
        read: fn(&Answer) -> Result<T, String>,
    ) -> Result<T, Failure> {
        let answer = self.send(request, bearer).await?;
        let hint = answer.retry_after(self.now);
        let unexpected = |reason: String| match reply::sign_in(&answer) {
            Some(title) => Failure::sign_in(&title),
            None => Failure::unexpected(answer.status, &answer.unlike_json(reason), hint),
        };
        if answer.is_success() {
            return read(&answer).map_err(unexpected);
        }
        if answer.is_redirect() {
            return Err(self.redirected(&answer));
        }
        let refusal = reply::refusal(&answer).map_err(unexpected)?;
        Err(Failure::refused(refusal.cleaned(&answer), hint))
    }

    /// Returns the failure of a redirect. One of Databricks is definite; one to another host is a
    /// portal's.
    fn redirected(&self, answer: &Answer) -> Failure {
        if is_private_link(answer, self.server) {
            return Failure::private_link();
        }
        let target = location(answer).and_then(|target| joined(self.server, &target));
        let own = [self.server, self.workspace].map(|own| Url::parse(own).ok());
        let host = target.as_ref().and_then(Url::host_str).unwrap_or("nowhere").to_owned();
        let is_own = |url: &Url| own.iter().flatten().any(|own| own.host_str() == url.host_str());
        match target {
            Some(url) if is_own(&url) && url.path().starts_with("/login") => Failure::login_page(),
            Some(_) | None => {
                let host = answer.line(&host, WORDS_MAX);
                Failure::unexpected(answer.status, &format!("it leads to [{host}]"), None)
            }
        }
    }

    fn built(
        &self,
        request: Request<'_>,
        bearer: Option<&Bearer>,
    ) -> Result<reqwest::Request, Failure> {
        let mut built =
            http::Request::get(request.url(self.server)).header(ACCEPT, "application/json");
        if let Some(Bearer { token, azure, .. }) = bearer {
            let token = hidden_value(&format!("Bearer {}", token.expose()));
            built = built.header(AUTHORIZATION, token.map_err(|_wrong| unsendable())?);
            if let Some(id) = self.workspace_id {
                built = built.header("x-databricks-workspace-id", id);
            }
            if let Some(Management { resource_id: resource, token }) = azure {
                let token = management(token).map_err(|_wrong| unsendable())?;
                built = built
                    .header("x-databricks-azure-workspace-resource-id", resource)
                    .header("x-databricks-azure-sp-management-token", token);
            }
        }
        Ok(exchange::request(built.body(Vec::new()))?)
    }
}

fn management(token: &Secret) -> Result<HeaderValue, InvalidHeaderValue> {
    hidden_value(token.expose())
}

fn hidden_value(text: &str) -> Result<HeaderValue, InvalidHeaderValue> {
    let mut value = HeaderValue::try_from(text)?;
    value.set_sensitive(true);
    Ok(value)
}

fn unsendable() -> Failure {
    let detail = "the token has characters that cannot be sent; check where it is kept";
    Failure::silent(Class::Local, detail)
}

fn location(answer: &Answer) -> Option<String> {
    answer.headers.get(LOCATION)?.to_str().ok().map(str::to_owned)
}

fn joined(server: &str, target: &str) -> Option<Url> {
    Url::parse(server).ok()?.join(target).ok()
}

/// True for the redirect of Databricks for a workspace that is only reached over private links.
fn is_private_link(answer: &Answer, server: &str) -> bool {
    let target = location(answer).and_then(|target| joined(server, &target));
    answer.is_redirect()
        && target.is_some_and(|url| {
            let query = url.query().unwrap_or_default();
            url.path() == "/login.html" && query.contains("error=private-link-validation-error")
        })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        /// Hostile names stay in their place: the address has the same segments and the same
        /// query keys as with a harmless name.
        #[test]
        fn names_cannot_leave_their_place(name in any::<String>(), other in any::<String>()) {
            let (name, other) = (name.as_str(), other.as_str());
            prop_assume!(!matches!(name, "." | ".."));
            let requests = [
                (Request::Warehouse { id: name }, 5, 5),
                (Request::Catalog { name }, 5, 5),
                (Request::Schema { full_name: name }, 5, 5),
                (Request::TableExists { full_name: name }, 6, 5),
                (Request::Secrets { principal: name }, 7, 5),
                (Request::Permissions { catalog: name, principal: other, page: Some(other) }, 6, 6),
                (Request::Granted { kind: "table", name, principal: other }, 6, 6),
            ];
            for (request, segments, at) in requests {
                let url = Url::parse(&request.url("https://w.example.com")).unwrap();
                prop_assert_eq!(url.host_str(), Some("w.example.com"));
                let found: Vec<_> = url.path_segments().unwrap().collect();
                prop_assert_eq!(found.len(), segments, "{}", url);
                prop_assert_eq!(found[at - 1], percent_encoded(name));
                prop_assert_eq!(url.fragment(), None);
                if let Some(query) = url.query() {
                    let pairs: Vec<_> = form_urlencoded::parse(query.as_bytes()).collect();
                    let keys: Vec<_> = pairs.iter().map(|(key, _)| key.as_ref()).collect();
                    prop_assert!(["principal", "max_results", "page_token"].starts_with(&keys));
                    prop_assert_eq!(pairs[0].1.as_ref(), other);
                }
            }
        }
    }

    proptest! {
        #[test]
        fn names_in_lists_are_values_of_their_keys(name in any::<String>()) {
            let keys = |request: Request<'_>| {
                let url = Url::parse(&request.url("https://w.example.com")).unwrap();
                let pairs = url.query_pairs().into_owned();
                pairs.filter(|(_, value)| *value == name).map(|(key, _)| key).collect::<Vec<_>>()
            };
            prop_assume!(name != "0" && name != "true");
            prop_assert_eq!(keys(Request::Schemas { catalog: &name }), ["catalog_name"]);
            let both = keys(Request::Tables { catalog: &name, schema: &name });
            prop_assert_eq!(both, ["catalog_name", "schema_name"]);
        }
    }

    #[test]
    fn a_step_upwards_is_no_name() {
        for name in [".", ".."] {
            let url = Request::Catalog { name }.url("https://w.example.com");
            assert_eq!(url, "https://w.example.com/api/2.1/unity-catalog/catalogs/%00");
        }
    }
}
