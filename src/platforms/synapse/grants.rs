//! Grants that an Azure Synapse Analytics integration needs; `beyond.rs` looks for those that it does not need.
//!
//! Sources: learn.microsoft.com, "GRANT database permissions" (CONTROL), `sys.fn_my_permissions`, `CREATE USER` and
//! "Metadata visibility configuration".

use super::catalog::{CONNECT, DELIMITERS, MANAGE, ROLE_ABSENT, ROLE_EXISTS};
use super::credentials::Credentials;
use super::integration::Synapse;
use super::statement::identifier;
use crate::platforms::{Form, Grant, Names};

/// Grants of the tests.
pub(super) const GRANTS: &[Grant] = &[
    Grant::of(
        Form::Sql,
        "CREATE USER <SQL USER> FOR LOGIN <SQL USER>;",
        &[CONNECT],
        "to connect to the database",
    ),
    Grant::of(
        Form::Sql,
        "CREATE USER <ENTRA USER> FROM EXTERNAL PROVIDER;",
        &[CONNECT],
        "to connect to the database as an identity of Microsoft Entra",
    ),
    Grant::of(
        Form::Sql,
        "GRANT CONTROL ON DATABASE::<DATABASE> TO <USER>;",
        &[MANAGE],
        "to manage the database, and to see every role in it",
    ),
    Grant::none(&[DELIMITERS], "it is about the configuration alone"),
    Grant::none(&[ROLE_ABSENT, ROLE_EXISTS], "CONTROL shows the role; VIEW DEFINITION is enough"),
];

impl Synapse {
    /// Returns the names of the configuration, as statements have them.
    pub(super) fn granted_names(&self) -> Names {
        let credentials = &self.server.credentials;
        let user = match credentials {
            Credentials::Password { .. } => identifier(credentials.grantee()),
            Credentials::Principal(_) | Credentials::Managed(_) | Credentials::Token(_) => {
                // The configuration does not give the name.
                format!("[<{}>]", credentials.grantee())
            }
        };
        let names = Names::default()
            .with("DATABASE", identifier(&self.server.database))
            .with("USER", user.clone());
        match credentials {
            Credentials::Password { .. } => names.with("SQL USER", user),
            Credentials::Principal(_) | Credentials::Managed(_) | Credentials::Token(_) => {
                names.with("ENTRA USER", user)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::platforms::synapse::PLATFORM;
    use crate::platforms::testing::validator;
    use crate::platforms::{Need, needs};

    #[test]
    fn user_is_that_of_a_log_in_or_of_an_external_identity() {
        let texts = |config: &serde_json::Value| -> Vec<String> {
            let all = needs(GRANTS, &validator(&PLATFORM, config).names());
            all.into_iter().map(|Need { text, .. }| text).collect()
        };
        let mut config = json!({
            "host": "w.sql.azuresynapse.net", "database": "po]ol", "schema": "immuta",
            "authenticationType": "userPassword", "username": "immuta@w", "password": "p",
        });
        let password = [
            "CREATE USER [immuta] FOR LOGIN [immuta];",
            "GRANT CONTROL ON DATABASE::[po]]ol] TO [immuta];",
        ];
        assert_eq!(texts(&config), password);
        for key in ["username", "password"] {
            config[key] = serde_json::Value::Null;
        }
        config["authenticationType"] = "entraManagedIdentity".into();
        let found = texts(&config);
        assert_eq!(
            found[0],
            "CREATE USER [<name of the managed identity>] FROM EXTERNAL PROVIDER;"
        );
    }
}
