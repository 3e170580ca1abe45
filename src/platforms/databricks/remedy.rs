//! Remediation of failed calls: what the answer names first, then what its class allows.

use super::classify::{Cause, Failure};
use super::integration::Databricks;
use super::named::Place;
use crate::domain::Class;

impl Databricks {
    /// Returns the remediation of the cause that the answer names in words.
    pub(super) fn named_remedy(&self, failure: &Failure) -> Option<String> {
        let config = &self.config;
        let place = Place {
            host: self.host(),
            workspace_id: config.workspace_id.as_deref(),
            catalog: &config.catalog,
            who: config.credentials.name(),
            scope_key: config.credentials.scope_key(),
        };
        failure.named().map(|named| named.advice(place))
    }

    /// Returns the remediation of a failure to connect, if one is known.
    pub(super) fn remedy(&self, failure: &Failure) -> Option<String> {
        let credentials = &self.config.credentials;
        if let Some(remedy) = self.named_remedy(failure) {
            return Some(remedy);
        }
        if failure.cause == Cause::NoToken
            && let Some(remedy) = credentials.token_remedy(failure)
        {
            return Some(remedy);
        }
        let host = self.host();
        match (&failure.cause, failure.class) {
            (Cause::SignIn, _) => Some(
                "Set `workspaceUrl` to the workspace's own host, such as dbc-<id>.cloud.databricks.com \
                or adb-<id>.<n>.azuredatabricks.net, or set `workspaceId` where several workspaces \
                share the host."
                    .to_owned(),
            ),
            (Cause::Unexpected, _) => Some(format!(
                "Find out what answers in place of {host}: a proxy, a portal or a load balancer; set \
                 `proxy` or `endpoint` where requests must go another way."
            )),
            (_, Class::Denied | Class::Expired) => Some(credentials.remedy()),
            (_, Class::Unreachable) => Some(format!(
                "Check that this machine reaches {host} by name and port, perhaps through `proxy`."
            )),
            (_, Class::Throttled) => Some(
                "Validate less often, or fewer integrations of this workspace at once.".to_owned(),
            ),
            (_, Class::Missing | Class::Invalid | Class::Unavailable | Class::Local) => None,
        }
    }
}
