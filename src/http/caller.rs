//! Caller of a request: its scope, its name for the audit, and what it may see.

use std::collections::BTreeMap;

use super::refusal::Refusal;
pub(crate) use crate::domain::{Public, Scope};

/// Person or program that asks; every handler finds it among the extensions of the request.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(crate) struct Caller {
    /// Permissions that were proved.
    pub(crate) scope: Scope,
    /// Author noted with actions: `uid:1000` of the socket, name of the token, common name of the
    /// certificate, name of systemd's socket, or user that the log-in proxy names.
    pub(crate) by: String,
    /// Labels that an integration must have to be seen; empty for all.
    pub(crate) labels: BTreeMap<String, String>,
    /// Parts that are shown without a token.
    pub(crate) public: Public,
}

impl Caller {
    /// Returns an error unless it has at least this scope: the way to prove one, or that it is not enough.
    ///
    /// # Errors
    ///
    /// Fails with the refusal to answer.
    pub(crate) fn needs(&self, scope: Scope) -> Result<(), Refusal> {
        if scope <= self.scope {
            Ok(())
        } else if self.scope == Scope::Anonymous {
            Err(Refusal::NoToken)
        } else {
            Err(Refusal::Scope)
        }
    }

    /// Returns an error unless it has at least this scope, and for all integrations.
    ///
    /// # Errors
    ///
    /// Fails with the refusal to answer.
    pub(crate) fn needs_all(&self, scope: Scope) -> Result<(), Refusal> {
        self.needs(scope)?;
        if self.labels.is_empty() { Ok(()) } else { Err(Refusal::Labels) }
    }

    /// Returns true when an integration with `labels` is shown to it.
    pub(crate) fn sees(&self, labels: &BTreeMap<String, String>) -> bool {
        self.labels.iter().all(|(name, value)| labels.get(name) == Some(value))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn caller_sees_integrations_with_all_of_its_labels() {
        let labels = |pairs: &[(&str, &str)]| -> BTreeMap<String, String> {
            pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
        };
        let table = [
            (vec![], vec![], true),
            (vec![], vec![("team", "data")], true),
            (vec![("team", "data")], vec![("team", "data"), ("stage", "prod")], true),
            (vec![("team", "data")], vec![("team", "web")], false),
            (vec![("team", "data")], vec![], false),
            (vec![("team", "data"), ("stage", "prod")], vec![("team", "data")], false),
        ];
        for (own, integration, expected) in table {
            let caller = Caller { labels: labels(&own), ..Caller::default() };
            assert_eq!(caller.sees(&labels(&integration)), expected, "{own:?} {integration:?}");
        }
    }
}
