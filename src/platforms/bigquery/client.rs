//! The read-only requests to Google: the nine that [`Request`] can spell, and no others.

use http::Method;
use http::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HeaderValue};
use serde_json::{Value as Json, json};

use super::classify::Failure;
use super::config::Endpoints;
use super::permissions::{BEYOND, Permission};
use crate::domain::{Class, Secret, Timestamp};
use crate::net::backoff::retry;
use crate::net::exchange::{Answer, percent_encoded, request};
use crate::net::http::Connections;

/// The largest answer that is read, in bytes; a dataset with a long access list has some 100 KiB.
const BODY_MAX: usize = 1024 * 1024;

/// Every request that is sent with a token; none of them changes anything.
#[derive(Clone, Copy, Debug)]
pub(super) enum Request<'a> {
    /// Is there a dataset? Needs no permission.
    ListDatasets {
        /// Project that runs the query.
        project: &'a str,
    },
    /// Plans `SELECT 1` without running it (dry run).
    PlanQuery {
        /// Project that plans the query.
        project: &'a str,
        /// Location where the query would run.
        location: Option<&'a str>,
    },
    /// Gets the metadata of the dataset without its access list, which needs a permission more.
    GetDataset {
        /// Project of the dataset.
        project: &'a str,
        /// Name of the dataset.
        dataset: &'a str,
    },
    /// Gets the access list of the dataset alone.
    GetAccess {
        /// Project of the dataset.
        project: &'a str,
        /// Name of the dataset.
        dataset: &'a str,
    },
    /// Asks for the granted permissions on the project.
    TestProject {
        /// Project of the dataset.
        project: &'a str,
    },
    /// Asks which permissions that no test needs are granted on the project.
    TestBeyond {
        /// Project of the dataset.
        project: &'a str,
    },
    /// Is there a table?
    ListTables {
        /// Project of the dataset.
        project: &'a str,
        /// Dataset of the tables.
        dataset: &'a str,
    },
    /// Asks for the granted permissions on the table.
    TestTable {
        /// Project of the table.
        project: &'a str,
        /// Dataset of the table.
        dataset: &'a str,
        /// Name of the table.
        table: &'a str,
    },
    /// A token of the account that a federated identity acts as.
    Impersonate {
        /// The address from the credential.
        url: &'a str,
        /// Scope of the token.
        scope: &'a str,
        /// Lifetime of the token, in seconds.
        life_seconds: u64,
        /// Service accounts in between.
        delegates: &'a [String],
    },
}

impl Request<'_> {
    fn url(&self, endpoints: &Endpoints) -> String {
        let Endpoints { bigquery, resource_manager, .. } = endpoints;
        let base =
            |project: &str| format!("{bigquery}/bigquery/v2/projects/{}", percent_encoded(project));
        let at = |project: &str, dataset: &str| {
            format!("{}/datasets/{}", base(project), percent_encoded(dataset))
        };
        match self {
            Self::ListDatasets { project } => {
                format!("{}/datasets?maxResults=1&all=true", base(project))
            }
            Self::PlanQuery { project, .. } => format!("{}/queries", base(project)),
            Self::GetDataset { project, dataset } => {
                format!("{}?datasetView=METADATA", at(project, dataset))
            }
            Self::GetAccess { project, dataset } => {
                format!("{}?datasetView=ACL", at(project, dataset))
            }
            Self::TestProject { project } | Self::TestBeyond { project } => {
                let project = percent_encoded(project);
                format!("{resource_manager}/v3/projects/{project}:testIamPermissions")
            }
            Self::ListTables { project, dataset } => {
                format!("{}/tables?maxResults=1", at(project, dataset))
            }
            Self::TestTable { project, dataset, table } => {
                let table = percent_encoded(table);
                format!("{}/tables/{table}:testIamPermissions", at(project, dataset))
            }
            Self::Impersonate { url, .. } => (*url).to_owned(),
        }
    }

    /// Returns the body of a POST; none for a GET.
    fn body(&self) -> Option<Json> {
        let names = |all: &[Permission]| {
            let names: Vec<_> = all.iter().map(|one| one.name()).collect();
            json!({ "permissions": names })
        };
        match self {
            Self::ListDatasets { .. }
            | Self::GetDataset { .. }
            | Self::GetAccess { .. }
            | Self::ListTables { .. } => None,
            Self::PlanQuery { location: None, .. } => {
                Some(json!({ "dryRun": true, "query": "SELECT 1", "useLegacySql": false }))
            }
            Self::PlanQuery { location: Some(location), .. } => Some(json!({
                "dryRun": true, "location": location, "query": "SELECT 1", "useLegacySql": false,
            })),
            Self::TestProject { .. } => Some(names(&Permission::ALL)),
            Self::TestBeyond { .. } => Some(json!({ "permissions": BEYOND })),
            Self::TestTable { .. } => Some(names(&Permission::OF_TABLES)),
            Self::Impersonate { scope, life_seconds, delegates, .. } => {
                let scopes: Vec<_> = scope.split(' ').collect();
                let mut body = json!({ "lifetime": format!("{life_seconds}s"), "scope": scopes });
                if let (Some(body), false) = (body.as_object_mut(), delegates.is_empty()) {
                    body.insert("delegates".to_owned(), json!(delegates));
                }
                Some(body)
            }
        }
    }

    fn built(&self, endpoints: &Endpoints, token: &Secret) -> http::Result<http::Request<Vec<u8>>> {
        let body = self.body();
        let method = if body.is_some() { Method::POST } else { Method::GET };
        let mut bearer = HeaderValue::try_from(format!("Bearer {}", token.expose()))?;
        bearer.set_sensitive(true);
        let built = http::Request::builder()
            .method(method)
            .uri(self.url(endpoints))
            .header(ACCEPT, "application/json")
            .header(AUTHORIZATION, bearer);
        match body {
            None => built.body(Vec::new()),
            Some(body) => {
                built.header(CONTENT_TYPE, "application/json").body(body.to_string().into_bytes())
            }
        }
    }
}

/// Client that sends requests to Google.
#[derive(Clone, Copy, Debug)]
pub(super) struct Client<'a> {
    /// Connections to send over.
    pub(super) connections: &'a Connections,
    /// Servers to send to.
    pub(super) endpoints: &'a Endpoints,
    /// The time of the run.
    pub(super) now: Timestamp,
}

impl Client<'_> {
    /// Sends `asked` with `token` and reads the answer with `read`. What may go better is tried
    /// three times.
    ///
    /// # Errors
    ///
    /// Returns the refusal of Google, or the reason why there is no answer.
    pub(super) async fn call<T>(
        &self,
        asked: Request<'_>,
        token: &Secret,
        read: fn(&Answer) -> Result<T, String>,
    ) -> Result<T, Failure> {
        retry(|| async {
            let built = request(asked.built(self.endpoints, token));
            let built = built.map_err(|error| Failure::silent(Class::Invalid, error.detail))?;
            let answer = self.connections.fetch(built, BODY_MAX).await?;
            if answer.is_success() {
                let unexpected = |reason: String| Failure::unexpected(answer.status, &reason);
                return read(&answer).map_err(unexpected);
            }
            Err(Failure::read(&answer, answer.retry_after(self.now)))
        })
        .await
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn endpoints() -> Endpoints {
        Endpoints {
            bigquery: "https://bigquery.googleapis.com".to_owned(),
            resource_manager: "https://cloudresourcemanager.googleapis.com".to_owned(),
            token: None,
            sts: None,
            iam_credentials: None,
            metadata: "http://metadata.google.internal".to_owned(),
        }
    }

    /// Returns method, target and body of a request as they would be sent.
    fn sent(asked: Request<'_>) -> String {
        let built = asked.built(&endpoints(), &Secret::new("t".to_owned())).unwrap();
        let (parts, body) = built.into_parts();
        format!("{} {} {}", parts.method, parts.uri, String::from_utf8(body).unwrap())
    }

    #[test]
    fn a_query_is_only_ever_planned() {
        let plan = |location| sent(Request::PlanQuery { project: "p", location });
        let url = "POST https://bigquery.googleapis.com/bigquery/v2/projects/p/queries";
        let body = r#"{"dryRun":true,"query":"SELECT 1","useLegacySql":false}"#;
        assert_eq!(plan(None), format!("{url} {body}"));
        let body = r#"{"dryRun":true,"location":"EU","query":"SELECT 1","useLegacySql":false}"#;
        assert_eq!(plan(Some("EU")), format!("{url} {body}"));
    }

    #[test]
    fn permissions_are_asked_about_in_one_request() {
        assert_eq!(
            sent(Request::TestProject { project: "example.com:p" }),
            "POST https://cloudresourcemanager.googleapis.com/v3/projects/example.com%3Ap:\
             testIamPermissions {\"permissions\":[\"bigquery.datasets.create\",\
             \"bigquery.datasets.delete\",\"bigquery.tables.create\",\"bigquery.tables.delete\",\
             \"bigquery.tables.get\",\"bigquery.tables.updateData\",\"bigquery.tables.update\"]}"
        );
    }

    proptest! {
        #[test]
        fn names_stay_one_segment_of_the_path(project in ".{1,40}", dataset in ".{1,40}", table in ".{1,40}") {
            let url = Request::TestTable { project: &project, dataset: &dataset, table: &table }
                .url(&endpoints());
            let url = reqwest::Url::parse(&url).unwrap();
            prop_assert_eq!(url.host_str(), Some("bigquery.googleapis.com"));
            prop_assert!(url.query().is_none() && url.fragment().is_none());
            let dots = ["projects", "datasets", "tables"].into_iter().zip([&project, &dataset]);
            if dots.into_iter().all(|(_, name)| name != "." && name != "..") {
                prop_assert_eq!(url.path_segments().unwrap().count(), 8);
            }
        }
    }
}
