//! The clouds of Azure: where their Entra answers, and what it gives tokens for.

/// One of the clouds of Azure.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Cloud {
    /// The one for everybody.
    Public,
    /// Of the United States' government.
    UsGovernment,
    /// Run by 21Vianet.
    China,
}

impl Cloud {
    /// The cloud of a workspace, by its host.
    pub(super) fn of(host: &str) -> Self {
        if host.ends_with(".databricks.azure.us") {
            Self::UsGovernment
        } else if host.ends_with(".databricks.azure.cn") {
            Self::China
        } else {
            Self::Public
        }
    }

    /// Where its Entra answers.
    pub(super) const fn authority(self) -> &'static str {
        match self {
            Self::Public => "https://login.microsoftonline.com",
            Self::UsGovernment => "https://login.microsoftonline.us",
            Self::China => "https://login.chinacloudapi.cn",
        }
    }

    /// The scope of the management of Azure's resources.
    pub(super) const fn management(self) -> &'static str {
        match self {
            Self::Public => "https://management.core.windows.net/.default",
            Self::UsGovernment => "https://management.core.usgovcloudapi.net/.default",
            Self::China => "https://management.core.chinacloudapi.cn/.default",
        }
    }
}
