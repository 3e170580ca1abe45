//! Location of the store: a file of this machine, or a database of a `PostgreSQL` server.

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::SecretRef;

/// Location of the store.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) enum Location {
    /// File of this machine, the embedded engine's.
    File(PathBuf),
    /// Database of a `PostgreSQL` server.
    Postgres(Arc<PostgresAddress>),
}

/// Address of a `PostgreSQL` database, with what is needed to log in.
#[derive(Clone, Debug)]
pub(crate) struct PostgresAddress {
    /// Servers that are tried in this order; the first that takes writes is used.
    pub(crate) hosts: Vec<PostgresHost>,
    /// Name of the role.
    pub(crate) user: String,
    /// Name of the database.
    pub(crate) database: String,
    /// Place of the password; none where the server asks for none.
    pub(crate) password: Option<SecretRef>,
    /// Protection of the connections.
    pub(crate) tls: PostgresTls,
    /// Name of the node that the configuration is about, which commands mean by the daemon; empty where it is not known.
    pub(crate) node: String,
    /// Event that what is stored has to survive.
    pub(crate) durability: Durability,
}

/// Event that what is stored has to survive.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(crate) enum Durability {
    /// Crash of the server.
    #[default]
    Crash,
    /// Failover to a standby, for which commits have to wait.
    Failover,
}

/// One server of a `PostgreSQL` address.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct PostgresHost {
    /// Name or address; a folder of sockets when it begins with a slash.
    pub(crate) name: String,
    /// Port of the server.
    pub(crate) port: u16,
}

/// Protection of connections to `PostgreSQL`.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) enum PostgresTls {
    /// TLS, with a certificate that is valid for the name of the host.
    VerifyFull {
        /// File of the authorities that are trusted; none for those of the system.
        ca: Option<PathBuf>,
    },
    /// No TLS: for sockets, and networks that are trusted.
    Off,
}

/// Identity of a node: a daemon among those of one database.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(crate) struct NodeIdentity {
    /// Name, which no other node of the database has.
    pub(crate) name: String,
    /// Labels, such as its region.
    pub(crate) labels: BTreeMap<String, String>,
}

impl Location {
    /// Returns the path of a store that is a file.
    pub(crate) fn file(&self) -> Option<&Path> {
        match self {
            Self::File(path) => Some(path),
            Self::Postgres(_) => None,
        }
    }

    /// Returns the location as the node of this name uses it.
    pub(crate) fn of_node(self, name: &str) -> Self {
        match self {
            Self::File(path) => Self::File(path),
            Self::Postgres(address) => {
                let address = PostgresAddress { node: name.to_owned(), ..(*address).clone() };
                Self::Postgres(Arc::new(address))
            }
        }
    }
}

impl From<PathBuf> for Location {
    fn from(path: PathBuf) -> Self {
        Self::File(path)
    }
}

impl From<&Path> for Location {
    fn from(path: &Path) -> Self {
        Self::File(path.to_owned())
    }
}

impl fmt::Display for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path) => path.display().fmt(f),
            Self::Postgres(address) => address.fmt(f),
        }
    }
}

impl PostgresHost {
    /// Port of a host that names none.
    pub(crate) const PORT: u16 = 5432;
}

impl fmt::Display for PostgresHost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = self.name.replace('/', "%2F");
        match (name.contains(':'), self.port) {
            (true, port) => write!(f, "[{name}]:{port}"),
            (false, Self::PORT) => f.write_str(&name),
            (false, port) => write!(f, "{name}:{port}"),
        }
    }
}

impl fmt::Display for PostgresAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let hosts: Vec<_> = self.hosts.iter().map(ToString::to_string).collect();
        write!(f, "postgres://{}@{}/{}", self.user, hosts.join(","), self.database)
    }
}

/// Addresses are the same when they name the same database; a password may have another place.
impl PartialEq for PostgresAddress {
    fn eq(&self, other: &Self) -> bool {
        (&self.hosts, &self.user, &self.database, &self.tls)
            == (&other.hosts, &other.user, &other.database, &other.tls)
    }
}

impl Eq for PostgresAddress {}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Secret;

    #[test]
    fn location_is_shown_without_the_password() {
        let host = |name: &str, port| PostgresHost { name: name.to_owned(), port };
        let address = PostgresAddress {
            hosts: vec![host("db1", 5432), host("/run/postgresql", 5433), host("::1", 5432)],
            user: "revalidated".to_owned(),
            database: "ops".to_owned(),
            password: Some(SecretRef::Literal(Secret::new("hunter2".to_owned()))),
            tls: PostgresTls::Off,
            node: String::new(),
            durability: Durability::Crash,
        };
        let location = Location::Postgres(Arc::new(address));
        let shown = "postgres://revalidated@db1,%2Frun%2Fpostgresql:5433,[::1]:5432/ops";
        assert_eq!(location.to_string(), shown);
        assert!(!format!("{location:?}").contains("hunter2"));
        assert_eq!(location.file(), None);
        let file = Location::from(PathBuf::from("/s/state.db"));
        assert_eq!(
            (file.to_string().as_str(), file.file()),
            ("/s/state.db", Some(Path::new("/s/state.db")))
        );
    }
}
