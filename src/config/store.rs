//! Location of the store: `path` of a file, or `url` of a `PostgreSQL` database with its password and TLS.
//!
//! Rules about several keys are applied only where the keys are: a layer may leave some to another.

use std::path::PathBuf;
use std::sync::Arc;

use percent_encoding::percent_decode_str;

use super::entry::BUILT_IN;
use crate::domain::{Durability, Location, PostgresAddress, PostgresHost, PostgresTls, SecretRef};
use crate::input::Reader;

/// Beginnings of the URLs that are read.
const SCHEMES: [&str; 2] = ["postgres://", "postgresql://"];
/// Number of servers that a URL can name.
const HOSTS_MAX: usize = 16;
/// Form of a URL, for messages.
const FORM: &str = "expected a URL such as \"postgres://revalidated@db1,db2:5433/revalidated\"";
/// Way to write a password, for messages.
const PASSWORD: &str = "a password is not written in the URL, which is shown in logs and messages; take it out, and \
    write password = { credential = \"name\" }, { file = \"path\" } or { env = \"NAME\" } beside it";

/// Words for the protection of the connections.
#[derive(Clone, Copy)]
enum Tls {
    VerifyFull,
    Off,
}

/// Parts of a URL.
#[derive(Debug, Eq, PartialEq)]
struct Parts {
    user: String,
    hosts: Vec<PostgresHost>,
    database: String,
}

/// Password, protection and authorities of a database on a server, as the table has them beside its URL.
struct Access {
    password: Option<SecretRef>,
    tls: Option<Tls>,
    ca: Option<PathBuf>,
    durability: Durability,
}

impl Access {
    fn read(reader: &mut Reader<'_>) -> Self {
        let password = reader.secret("password");
        let tls = reader.choice("tls", &[("verify-full", Tls::VerifyFull), ("off", Tls::Off)]);
        let ca = reader.string("ca").map(PathBuf::from);
        let words = [("crash", Durability::Crash), ("failover", Durability::Failover)];
        let durability = reader.choice("durability", &words).unwrap_or_default();
        Self { password, tls, ca, durability }
    }

    /// Returns the address of a database with these parts, if they have no fault.
    fn address(self, parts: Option<Parts>, reader: &Reader<'_>) -> Option<Arc<PostgresAddress>> {
        let tls = match (self.tls.unwrap_or(Tls::VerifyFull), self.ca.clone()) {
            (Tls::VerifyFull, ca) => PostgresTls::VerifyFull { ca },
            (Tls::Off, None) => PostgresTls::Off,
            (Tls::Off, Some(_)) => {
                let problem = "has no meaning while `store.tls` is \"off\"; take one of both out";
                reader.fault("ca", problem);
                PostgresTls::Off
            }
        };
        let Self { password, durability, .. } = self;
        let Parts { user, hosts, database } = parts?;
        Some(Arc::new(PostgresAddress {
            hosts,
            user,
            database,
            password,
            tls,
            durability,
            node: String::new(),
        }))
    }
}

/// Reads how a database is reached that is given by its URL elsewhere, whatever location the table names.
///
/// # Errors
///
/// Fails with what is wrong with the URL, which is not shown.
pub(super) fn read_for(
    url: &str,
    mut reader: Reader<'_>,
) -> Result<Option<Arc<PostgresAddress>>, String> {
    let parts = parsed(url)?;
    Ok(Access::read(&mut reader).address(Some(parts), &reader))
}

/// Reads the table; none when it names no location.
pub(super) fn read(mut reader: Reader<'_>) -> Option<Location> {
    let own_path = reader.origin("path").filter(|origin| !origin.starts_with(BUILT_IN));
    let path = path(&mut reader);
    let url = reader.string("url");
    let access = Access::read(&mut reader);
    let Some(url) = url else {
        let given =
            ["password", "tls", "ca", "durability"].into_iter().filter(|key| reader.has(key));
        if path.is_some()
            && let Some(key) = given.last()
        {
            reader.fault(key, "belongs to a database that `store.url` names, and there is none");
        }
        reader.finish();
        return path.map(Location::File);
    };
    let parts = parsed(&url).inspect_err(|problem| reader.fault("url", problem.clone())).ok();
    if let Some(origin) = own_path {
        let problem =
            format!("excludes `store.path`, which is given at {origin}; take one of both out");
        reader.fault("url", problem);
    }
    let address = access.address(parts, &reader);
    reader.finish();
    address.map(Location::Postgres)
}

fn path(reader: &mut Reader<'_>) -> Option<PathBuf> {
    let path = reader.string("path").filter(|path| {
        if path.trim().is_empty() {
            reader.fault("path", "must not be empty");
        } else if path.contains("://") {
            reader.refuse("path", "expected the path of a file; a URL is written as `store.url`");
        } else {
            return true;
        }
        false
    });
    path.map(PathBuf::from)
}

/// Returns the parts of a URL, or what is wrong with it. The problem never shows the URL, which may contain a password.
fn parsed(url: &str) -> Result<Parts, String> {
    let rest = SCHEMES.iter().find_map(|scheme| url.strip_prefix(scheme)).ok_or(FORM)?;
    let (user, rest) = match rest.rsplit_once('@') {
        Some((user, _)) if user.contains(':') => return Err(PASSWORD.to_owned()),
        Some((user, rest)) => (decoded(user)?, rest),
        None => return Err(format!("names no role before an `@`; {FORM}")),
    };
    let (hosts, database) = rest.split_once('/').unwrap_or((rest, ""));
    if rest.contains(['?', '#']) {
        return Err(
            "options are not read from the URL; `store.tls`, `store.ca` and `store.password` \
                    are keys of their own"
                .to_owned(),
        );
    }
    let database = decoded(database)?;
    if user.is_empty() || database.is_empty() {
        let what = if user.is_empty() { "role" } else { "database" };
        return Err(format!("names no {what}; {FORM}"));
    }
    let hosts: Vec<_> = hosts.split(',').map(host).collect::<Result<_, _>>()?;
    if HOSTS_MAX < hosts.len() {
        return Err(format!("names {} hosts; at most {HOSTS_MAX} are tried", hosts.len()));
    }
    Ok(Parts { user, hosts, database })
}

fn host(text: &str) -> Result<PostgresHost, String> {
    let bracketed = text.strip_prefix('[').and_then(|rest| rest.split_once(']'));
    let (name, port) = if let Some((address, rest)) = bracketed {
        let port = (!rest.is_empty()).then(|| rest.strip_prefix(':').unwrap_or_default());
        (address.to_owned(), port)
    } else {
        let named = text.split_once(':');
        let (name, port) = named.map_or((text, None), |(name, port)| (name, Some(port)));
        (decoded(name)?, port)
    };
    if name.is_empty() {
        return Err(format!("names no host; {FORM}"));
    }
    let port = port.map_or(Ok(PostgresHost::PORT), str::parse);
    let port = port.ok().filter(|port| *port != 0);
    let port =
        port.ok_or_else(|| format!("has a port that is no number from 1 to 65535; {FORM}"))?;
    Ok(PostgresHost { name, port })
}

fn decoded(text: &str) -> Result<String, String> {
    let decoded = percent_decode_str(text).decode_utf8();
    decoded.map(std::borrow::Cow::into_owned).map_err(|_form| format!("is not text; {FORM}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::format::Format;
    use crate::input::Faults;

    /// Reads a table as TOML; returns the location with the faults.
    fn found(text: &str) -> (Option<Location>, Vec<String>) {
        let value = Format::Toml.parse(text, "f").unwrap();
        let faults = Faults::default();
        let location = read(Reader::new(&value, "store", &faults).unwrap());
        let (faults, _) = faults.into_parts();
        (location, faults.iter().map(ToString::to_string).collect())
    }

    fn address(text: &str) -> PostgresAddress {
        match found(text) {
            (Some(Location::Postgres(address)), faults) if faults.is_empty() => {
                Arc::into_inner(address).unwrap()
            }
            other => panic!("{text}: {other:?}"),
        }
    }

    #[test]
    fn url_is_read_with_its_password_and_tls() {
        let host = |name: &str, port| PostgresHost { name: name.to_owned(), port };
        let found = address(
            "url = \"postgres://re%40validated@db1,db2:5433/ops%2F1\"\npassword = { env = \"PW\" }\n",
        );
        assert_eq!(found.hosts, [host("db1", 5432), host("db2", 5433)]);
        assert_eq!((found.user.as_str(), found.database.as_str()), ("re@validated", "ops/1"));
        assert!(found.password.is_some());
        assert_eq!(found.tls, PostgresTls::VerifyFull { ca: None });
        let found = address(
            "url = \"postgresql://a@%2Frun%2Fpostgresql:5433,[::1],[fe80::1]:7/b\"\ntls = \"off\"\n",
        );
        let hosts = [host("/run/postgresql", 5433), host("::1", 5432), host("fe80::1", 7)];
        assert_eq!(found.hosts, hosts);
        assert_eq!((found.tls, found.password.is_some()), (PostgresTls::Off, false));
        assert_eq!(found.durability, Durability::Crash);
        let found = address("url = \"postgres://a@db/b\"\ndurability = \"failover\"\n");
        assert_eq!(found.durability, Durability::Failover);
        let found = address("url = \"postgres://a@db/b\"\nca = \"/ca.pem\"\n");
        assert_eq!(found.tls, PostgresTls::VerifyFull { ca: Some("/ca.pem".into()) });
    }

    #[test]
    fn path_is_a_file_and_keys_of_a_url_need_one() {
        assert_eq!(found("path = \"/s.db\"\n"), (Some(Location::File("/s.db".into())), Vec::new()));
        assert_eq!(found("tls = \"off\"\n"), (None, Vec::new()), "another layer has the url");
        let (_, faults) = found("path = \"/s.db\"\ntls = \"off\"\n");
        let expected =
            "f:2: store.tls: belongs to a database that `store.url` names, and there is none";
        assert_eq!(faults, [expected]);
    }

    #[test]
    fn faulty_url_is_refused_and_never_shown() {
        let table = [
            ("postgres://a:hunter2@db/b", "write password = { credential = \"name\" }"),
            ("postgres://a:hun@ter2@db/b", "write password = { credential = \"name\" }"),
            ("mysql://a@db/hunter2", "expected a URL such as \"postgres://"),
            ("/hunter2", "expected a URL such as \"postgres://"),
            ("postgres://db/hunter2", "names no role before an `@`"),
            ("postgres://@db/hunter2", "names no role"),
            ("postgres://a@db", "names no database"),
            ("postgres://a@/hunter2", "names no host"),
            ("postgres://a@db,/hunter2", "names no host"),
            ("postgres://a@db:0/hunter2", "has a port that is no number"),
            ("postgres://a@db:hunter2/b", "has a port that is no number"),
            ("postgres://a@[::1]hunter2/b", "has a port that is no number"),
            ("postgres://a@db/b?password=hunter2", "options are not read from the URL"),
            ("postgres://a%ff@db/hunter2", "is not text"),
        ];
        for (url, expected) in table {
            let (location, faults) = found(&format!("url = \"{url}\"\n"));
            assert_eq!((location, faults.len()), (None, 1), "{url}: {faults:?}");
            assert!(faults[0].starts_with("f:1: store.url: "), "{faults:?}");
            assert!(faults[0].contains(expected), "{url}: {faults:?}");
            assert!(!faults[0].contains("hunter2"), "{url}: {faults:?}");
        }
        let (_, faults) = found(&format!("url = \"postgres://a@{}/b\"\n", ["x"; 17].join(",")));
        assert!(faults[0].contains("names 17 hosts; at most 16 are tried"), "{faults:?}");
    }

    #[test]
    fn keys_that_exclude_each_other_are_refused() {
        let (_, faults) = found("path = \"/s.db\"\nurl = \"postgres://a@db/b\"\n");
        let expected =
            "f:2: store.url: excludes `store.path`, which is given at f:1; take one of both out";
        assert_eq!(faults, [expected]);
        let (_, faults) = found("url = \"postgres://a@db/b\"\ntls = \"off\"\nca = \"/c\"\n");
        assert_eq!(faults.len(), 1, "{faults:?}");
        assert!(faults[0].contains("while `store.tls` is \"off\""), "{faults:?}");
        let (_, faults) = found("url = \"postgres://a@db/b\"\ntls = \"require\"\n");
        assert!(faults[0].contains("expected one of `verify-full`, `off`"), "{faults:?}");
        let (_, faults) = found("path = \"postgres://db/x\"\n");
        assert!(faults[0].contains("a URL is written as `store.url`"), "{faults:?}");
    }
}
