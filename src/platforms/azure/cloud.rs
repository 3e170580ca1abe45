//! Clouds of Azure, each with host names of its own.

/// Cloud of Azure, apart from the others.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Cloud {
    /// Public cloud of Azure.
    Public,
    /// Azure for the US government.
    UsGovernment,
    /// Azure operated by 21Vianet in China.
    China,
}

impl Cloud {
    /// Words of the configuration.
    pub(crate) const WORDS: [(&'static str, Self); 3] =
        [("public", Self::Public), ("usGovernment", Self::UsGovernment), ("china", Self::China)];

    /// Returns the authority that Microsoft Entra documents: the server of its token endpoints.
    #[cfg(feature = "synapse")]
    pub(crate) const fn authority(self) -> &'static str {
        match self {
            Self::Public => "https://login.microsoftonline.com",
            Self::UsGovernment => "https://login.microsoftonline.us",
            Self::China => "https://login.partner.microsoftonline.cn",
        }
    }
}

/// Names of Azure Databricks.
#[cfg(feature = "databricks")]
impl Cloud {
    /// Returns the cloud of a workspace, by its host.
    pub(crate) fn of_workspace(host: &str) -> Self {
        if host.ends_with(".databricks.azure.us") {
            Self::UsGovernment
        } else if host.ends_with(".databricks.azure.cn") {
            Self::China
        } else {
            Self::Public
        }
    }

    /// Returns the authority that the SDKs of Azure and Databricks use; only that of China is not the
    /// documented one.
    pub(crate) const fn sdk_authority(self) -> &'static str {
        match self {
            Self::Public => "https://login.microsoftonline.com",
            Self::UsGovernment => "https://login.microsoftonline.us",
            Self::China => "https://login.chinacloudapi.cn",
        }
    }

    /// Returns the scope of tokens for the management of Azure's resources.
    pub(crate) const fn management_scope(self) -> &'static str {
        match self {
            Self::Public => "https://management.core.windows.net/.default",
            Self::UsGovernment => "https://management.core.usgovcloudapi.net/.default",
            Self::China => "https://management.core.chinacloudapi.cn/.default",
        }
    }
}

/// Names of Azure SQL.
#[cfg(feature = "synapse")]
impl Cloud {
    const ALL: [Self; 3] = [Self::Public, Self::UsGovernment, Self::China];

    /// Returns the scope of tokens for SQL servers.
    pub(crate) const fn sql_scope(self) -> &'static str {
        match self {
            Self::Public => "https://database.windows.net/.default",
            Self::UsGovernment => "https://database.usgovcloudapi.net/.default",
            Self::China => "https://database.chinacloudapi.cn/.default",
        }
    }

    /// Returns the domains of SQL servers.
    const fn sql_domains(self) -> [&'static str; 2] {
        match self {
            Self::Public => [".sql.azuresynapse.net", ".database.windows.net"],
            Self::UsGovernment => {
                [".sql.azuresynapse.usgovcloudapi.net", ".database.usgovcloudapi.net"]
            }
            Self::China => [".sql.azuresynapse.azure.cn", ".database.chinacloudapi.cn"],
        }
    }

    /// True for the host of a SQL server of this cloud, in lower case.
    pub(crate) fn has_sql_host(self, host: &str) -> bool {
        self.sql_domains().iter().any(|domain| host.ends_with(domain) && domain.len() < host.len())
    }

    /// Returns the workspace or logical server that `host` names, with or without its serverless pool.
    pub(crate) fn sql_server(self, host: &str) -> Option<&str> {
        let mut domains = self.sql_domains().into_iter();
        let name = domains.find_map(|domain| host.strip_suffix(domain))?;
        let name = name.strip_suffix("-ondemand").unwrap_or(name);
        let is_label = !name.is_empty() && !name.contains('.');
        is_label.then_some(name)
    }

    /// Returns the cloud of a SQL server, by its host; none for a host that is not Azure's own.
    pub(crate) fn of_sql_host(host: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|cloud| cloud.has_sql_host(host))
    }
}

#[cfg(all(test, feature = "synapse"))]
mod tests {
    use super::*;

    #[test]
    fn sql_host_belongs_to_one_cloud() {
        let table = [
            ("ws.sql.azuresynapse.net", Some(Cloud::Public)),
            ("ws-ondemand.sql.azuresynapse.net", Some(Cloud::Public)),
            ("server.database.windows.net", Some(Cloud::Public)),
            ("e1.tr42.westeurope1-a.worker.database.windows.net", Some(Cloud::Public)),
            ("ws.sql.azuresynapse.usgovcloudapi.net", Some(Cloud::UsGovernment)),
            ("server.database.usgovcloudapi.net", Some(Cloud::UsGovernment)),
            ("ws.sql.azuresynapse.azure.cn", Some(Cloud::China)),
            ("server.database.chinacloudapi.cn", Some(Cloud::China)),
            (".database.windows.net", None),
            ("database.windows.net", None),
            ("evildatabase.windows.net", None),
            ("server.database.windows.net.evil.example", None),
            ("10.0.0.1", None),
            ("localhost", None),
        ];
        for (host, cloud) in table {
            assert_eq!(Cloud::of_sql_host(host), cloud, "{host}");
        }
    }

    #[test]
    fn workspace_or_server_is_read_from_its_host() {
        let table = [
            ("ws.sql.azuresynapse.net", Some("ws")),
            ("ws-ondemand.sql.azuresynapse.net", Some("ws")),
            ("server.database.windows.net", Some("server")),
            ("e1.tr42.westeurope1-a.worker.database.windows.net", None),
            ("ws.sql.azuresynapse.azure.cn", None),
            (".sql.azuresynapse.net", None),
            ("10.0.0.1", None),
        ];
        for (host, expected) in table {
            assert_eq!(Cloud::Public.sql_server(host), expected, "{host}");
        }
    }

    #[test]
    fn every_cloud_has_names_of_its_own() {
        let words: Vec<_> = Cloud::WORDS.iter().map(|(_, cloud)| *cloud).collect();
        assert_eq!(words, Cloud::ALL);
        for cloud in Cloud::ALL {
            assert!(cloud.authority().starts_with("https://login."));
            let scope = cloud.sql_scope().strip_prefix("https://").unwrap();
            let host = scope.strip_suffix("/.default").unwrap();
            assert!(cloud.has_sql_host(&format!("x.{host}")), "{cloud:?}");
        }
    }
}
