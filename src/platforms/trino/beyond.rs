//! Rights of the account beyond the needs of the tests: its roles, its grants on the probe table, and changes that access
//! control permits there.
//!
//! Sources: trino.io/docs/current/sql, "SHOW ROLE GRANTS", "SHOW GRANTS" (which reads `table_privileges`) and "EXPLAIN";
//! `tests/real.rs` tries them on a real server.

use std::collections::BTreeSet;

use serde_json::Value as Json;

use super::classify::Failure;
use super::config::Probe;
use super::statement::{Change, Statement, Table, quoted};
use super::{NAME_MAX, Session, Trino};
use crate::domain::{Class, one_line};
use crate::platforms::{RunContext, Seen, Surplus};

/// Most catalogs whose roles are asked for.
const CATALOGS_MAX: usize = 20;
/// Role that every user has in connectors with roles.
const PUBLIC: &str = "public";
/// Code of a statement that a connector, or the access control, does not have.
const NOT_SUPPORTED: &str = "NOT_SUPPORTED";

/// Search for rights in a session of its own.
struct Search<'a> {
    session: Session<'a>,
    trino: &'a Trino,
    /// Account as statements name it, such as `USER "immuta"`.
    grantee: String,
    surplus: Surplus,
}

impl Trino {
    /// Returns what the account has beyond the needs of the tests, as far as statements show it.
    pub(super) async fn beyond(&self, run: &RunContext) -> Surplus {
        let surplus = Surplus::unseen(
            "Trino shows no client the rules of its access control: compare them with those above \
             (security.config-file, or the policies of Immuta, Ranger or OPA).",
        );
        if let Some(host) = &self.config.asleep {
            return Surplus::unseen(format!(
                "Nothing was asked, since a query would start the cluster [{host}]."
            ));
        }
        let mut session = match self.session(run).await {
            Ok(session) => session,
            Err(finding) => return unread(surplus, &finding.message),
        };
        if let Err(failure) = self.authorise(&mut session, &mut Seen::default()).await {
            return unread(surplus, &failure.detail);
        }
        session.is_logged_in = true;
        let grantee = format!("USER {}", quoted(self.config.user_name()));
        let mut search = Search { session, trino: self, grantee, surplus };
        search.roles(None).await;
        let probe = self.config.probe.as_ref().map(|Probe { table, .. }| table);
        let catalogs = self.config.catalogs.iter().map(|name| name.to_lowercase());
        let catalogs: BTreeSet<_> =
            catalogs.chain(probe.map(|table| table.catalog().to_lowercase())).collect();
        for catalog in catalogs.iter().take(CATALOGS_MAX) {
            search.roles(Some(catalog)).await;
        }
        match probe {
            Some(table) => search.table(table).await,
            None => search.surplus.unseen.push(
                "Without `accessControlProbe.table` there is no table whose grants are looked at."
                    .to_owned(),
            ),
        }
        search.queries_of_others().await;
        search.surplus
    }
}

fn unread(mut surplus: Surplus, detail: &str) -> Surplus {
    surplus.unseen.push(format!("Roles and grants could not be read: {detail}"));
    surplus
}

impl Search<'_> {
    /// Looks for roles that no key names: those of the cluster, or of one catalog.
    async fn roles(&mut self, catalog: Option<&str>) {
        let asked = self.session.ask(Statement::RoleGrants(catalog)).await;
        let found = match asked {
            Ok(found) => found,
            Err(failure) if is_without(&failure) => return,
            Err(failure) => {
                let of = catalog.map_or("the cluster".to_owned(), |name| format!("catalog {name}"));
                return self.unseen(&format!("Roles of {of} could not be read"), &failure);
            }
        };
        let place = catalog.unwrap_or("system");
        let named = self.trino.config.headers.named_roles();
        let is_named = |role: &str| {
            named.iter().any(|(of, name)| of == place && name.eq_ignore_ascii_case(role))
        };
        let extra = found.into_iter().filter(|role| role != PUBLIC && !is_named(role));
        for role in extra.collect::<Vec<_>>() {
            let (of, within) = match catalog {
                Some(name) => (format!("of catalog {name}"), format!(" IN {}", quoted(name))),
                None => ("of the cluster".to_owned(), String::new()),
            };
            let revoke = format!("REVOKE {} FROM {}{within};", quoted(&role), self.grantee);
            let role = one_line(&role, NAME_MAX);
            self.surplus.add(format!("role {role} {of}"), Some(one_line(&revoke, 4 * NAME_MAX)));
        }
    }

    /// Looks for grants on the probe table, and for changes of it that access control permits.
    async fn table(&mut self, table: &Table) {
        let shown = one_line(&table.shown, NAME_MAX);
        let mut granted = BTreeSet::new();
        match self.session.ask(Statement::TablePrivileges(table)).await {
            Ok(rows) => granted.extend(rows.iter().filter_map(|row| OnTable::parse(row))),
            Err(failure) if is_without(&failure) => {}
            Err(failure) => self.unseen(&format!("Grants on {shown} could not be read"), &failure),
        }
        for OnTable { privilege, grantee } in granted.iter().filter(|one| one.privilege != "SELECT")
        {
            let revoke = format!("REVOKE {privilege} ON {} FROM {grantee};", table.quoted());
            self.surplus.add(format!("{privilege} on {shown}"), Some(revoke));
        }
        for change in [Change::Insert, Change::Delete] {
            let name = change.privilege();
            if granted.iter().any(|one| one.privilege == name) {
                continue;
            }
            match self.session.ask(Statement::MayChange(change, table)).await {
                Ok(_analysed) => {
                    let what =
                        format!("{name} on {shown}: the cluster's access control permits it");
                    self.surplus.add(what, None);
                }
                Err(failure) if failure.class == Class::Denied || is_without(&failure) => {}
                Err(failure) => {
                    self.unseen(&format!("Whether {name} on {shown} is permitted"), &failure);
                }
            }
        }
    }

    /// Looks for queries of other users, which are seen only by an account that may view them.
    async fn queries_of_others(&mut self) {
        let Ok(rows) = self.session.ask(Statement::QueriesOfOthers).await else { return };
        let count = rows.first().and_then(|count| count.parse::<u64>().ok()).unwrap_or(0);
        if 0 < count {
            let what = "queries of other users, which it may view";
            self.surplus.add(what, None);
        }
    }

    fn unseen(&mut self, what: &str, failure: &Failure) {
        self.surplus.unseen.push(format!("{what}: {}", failure.detail));
    }
}

/// Returns true where the connector or the access control has no such thing.
fn is_without(failure: &Failure) -> bool {
    failure.detail.contains(NOT_SUPPORTED)
}

/// Privilege on the probe table, with its holder as statements name it.
#[derive(Debug, Eq, Ord, PartialEq, PartialOrd)]
struct OnTable {
    privilege: String,
    grantee: String,
}

impl OnTable {
    /// Reads a row of `Statement::TablePrivileges`: an array of the privilege, the holder and its kind.
    fn parse(row: &str) -> Option<Self> {
        let Ok(Json::Array(parts)) = serde_json::from_str(row) else { return None };
        let [privilege, grantee, kind] = parts.as_slice() else { return None };
        let text = |part: &Json| Some(one_line(part.as_str()?, NAME_MAX));
        let grantee = quoted(&text(grantee)?);
        let kind = if kind.as_str() == Some("ROLE") { "ROLE" } else { "USER" };
        Some(Self { privilege: text(privilege)?, grantee: format!("{kind} {grantee}") })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn row_of_a_privilege_is_read_or_left_out() {
        let granted = |privilege: &str, grantee: &str| {
            Some(OnTable { privilege: privilege.to_owned(), grantee: grantee.to_owned() })
        };
        let table = [
            (r#"["INSERT","immuta","USER"]"#, granted("INSERT", "USER \"immuta\"")),
            (r#"["DELETE","a\"b","ROLE"]"#, granted("DELETE", "ROLE \"a\"\"b\"")),
            (r#"["DELETE",null,"ROLE"]"#, None),
            (r#"["DELETE"]"#, None),
            ("INSERT", None),
        ];
        for (row, expected) in table {
            assert_eq!(OnTable::parse(row), expected, "{row}");
        }
    }
}
