//! Rights of the principal beyond the needs of the tests: on the catalog, its metastore, schemas and tables.
//!
//! Sources: Databricks REST API reference, Grants ("Get permissions", which leaves inherited ones out), Metastores
//! ("Get a metastore summary"), Schemas and Tables (lists); `databricks grants get --help`.

use tokio::time::{Instant, timeout_at};

use super::bearer::Bearer;
use super::classify::Failure;
use super::client::{Client, Request};
use super::grants::TO_LOOK;
use super::integration::{Databricks, NAME_MAX};
use super::lookup::quoted;
use super::reply::{self, Granted, Listing, Me, Summary};
use crate::domain::{Class, Fact, FactKind, Observed};
use crate::platforms::{RunContext, Surplus, principal};

/// Most schemas whose grants are asked for.
const SCHEMAS_MAX: usize = 20;
/// Most tables whose grants are asked for, those of all schemas together.
const TABLES_MAX: usize = 50;
/// Most rights that are listed.
const LISTED_MAX: usize = 40;
/// Schema that every catalog has, in which nothing can be granted.
const INFORMATION: &str = "information_schema";

/// Object whose grants are asked for.
#[derive(Clone, Copy, Debug)]
struct Target<'a> {
    /// Type of it, as the interface names it.
    kind: &'static str,
    /// Name or id, as the interface knows it.
    name: &'a str,
    /// Object as a statement has it, such as `CATALOG x`.
    statement: &'a str,
}

/// Search for rights in a session of its own.
struct Search<'a> {
    client: Client<'a>,
    bearer: &'a Bearer,
    me: &'a Me,
    integration: &'a Databricks,
    surplus: Surplus,
}

impl Databricks {
    /// Returns what the principal has beyond the needs of the tests: by what the run saw, and by the grants that the
    /// interface shows it.
    pub(super) async fn beyond(&self, run: &RunContext, observed: &Observed) -> Surplus {
        // An answer in time is worth more than a complete one.
        let end = Instant::now() + run.test_limit.min(run.run_limit) * 3 / 4;
        let surplus = self.seen_beyond(observed);
        let unreadable = |mut surplus: Surplus, failure: &Failure| {
            let detail = &failure.detail;
            surplus.unseen.push(format!(
                "Grants on the metastore, schemas and tables could not be read: {detail}"
            ));
            surplus
        };
        let connections = self.config.endpoint.connections(&run.redactor).await;
        let connections = match connections.map_err(Failure::from) {
            Ok(connections) => connections,
            Err(failure) => return unreadable(surplus, &failure),
        };
        let client = self.client(&connections, run);
        let (bearer, me) = match self.identified(client, run).await {
            Ok(identified) => identified,
            Err(failure) => return unreadable(surplus, &failure),
        };
        let mut search = Search { client, bearer: &bearer, me: &me, integration: self, surplus };
        if timeout_at(end, search.all(observed)).await.is_err() {
            let late = "Not all schemas and tables were looked at within the time limit.";
            search.surplus.unseen.push(late.to_owned());
        }
        search.listed()
    }

    /// Returns what a run saw of rights beyond the needs: privileges on the catalog and groups.
    fn seen_beyond(&self, observed: &Observed) -> Surplus {
        let catalog = &self.config.catalog;
        let who = principal(observed, "").map_or_else(|| "`<principal>`".to_owned(), quoted);
        let mut surplus = Surplus::unseen(
            "Only the principal's own grants are looked at, which those of its groups may exceed.",
        );
        for value in granted(observed, &format!("catalog {catalog}")) {
            if value.starts_with("owner ") || self.is_needed(value) {
                continue;
            }
            let privilege = value.replace('_', " ");
            let revoke = format!("REVOKE {privilege} ON CATALOG {} FROM {who};", quoted(catalog));
            surplus.add(format!("{privilege} on catalog {catalog}"), Some(revoke));
        }
        if granted(observed, "groups").any(|group| group == "admins") {
            surplus.add("administrator of the workspace (group admins)", None);
        }
        surplus
    }

    /// True for a privilege that the tests need, here or on the catalog.
    fn is_needed(&self, privilege: &str) -> bool {
        let required = self.config.required.iter().map(String::as_str);
        TO_LOOK.into_iter().chain(["BROWSE"]).chain(required).any(|one| one == privilege)
    }
}

/// Returns the grants of one object that a run saw.
fn granted<'o>(observed: &'o Observed, of: &str) -> impl Iterator<Item = &'o String> {
    let fact = Fact { kind: FactKind::Grant, of: of.to_owned() };
    observed.facts.get(&fact).into_iter().flatten()
}

impl Search<'_> {
    /// Looks at the metastore, then at schemas and tables of the catalog.
    async fn all(&mut self, observed: &Observed) {
        if let Some(id) = granted(observed, "metastore").next() {
            self.metastore(id).await;
        }
        let catalog = &self.integration.config.catalog;
        let request = Request::Schemas { catalog };
        let found = self.client.call(request, Some(self.bearer), reply::json::<Listing>).await;
        let (names, is_cut) = match found {
            Ok(found) => found.names(),
            Err(failure) => return self.unseen("The schemas could not be listed", &failure),
        };
        let names: Vec<_> = names.into_iter().filter(|name| name != INFORMATION).collect();
        if is_cut || SCHEMAS_MAX < names.len() {
            let cut = format!("The catalog has more than the {SCHEMAS_MAX} schemas looked at.");
            self.surplus.unseen.push(cut);
        }
        let mut tables_left = TABLES_MAX;
        for schema in names.iter().take(SCHEMAS_MAX) {
            if !self.schema(schema, &mut tables_left).await {
                return;
            }
        }
        if tables_left == 0 {
            let cut = format!("Of all tables, {TABLES_MAX} were looked at.");
            self.surplus.unseen.push(cut);
        }
    }

    /// Looks at the owner of the metastore and at grants on it.
    async fn metastore(&mut self, id: &str) {
        let call = self.client.call(Request::Summary, Some(self.bearer), reply::json::<Summary>);
        match call.await {
            Ok(Summary { owner: Some(owner) }) if self.me.is(&owner) => {
                let move_to = format!("databricks metastores update {id} --owner <group>");
                let what = "owner of the metastore, who may do everything in it";
                self.surplus.add(what, Some(move_to));
            }
            Ok(_) => {}
            Err(failure) => self.unseen("The owner of the metastore could not be read", &failure),
        }
        let target = Target { kind: "metastore", name: id, statement: "METASTORE" };
        self.grants(target, |_none| false).await;
    }

    /// Looks at a schema and at as many tables in it as are left; false where the platform does not answer.
    async fn schema(&mut self, schema: &str, tables_left: &mut usize) -> bool {
        let integration = self.integration;
        let catalog = &integration.config.catalog;
        let (full_name, shown) =
            (format!("{catalog}.{schema}"), [catalog, schema].map(quoted).join("."));
        let statement = format!("SCHEMA {shown}");
        let target = Target { kind: "schema", name: &full_name, statement: &statement };
        let needed = |privilege: &str| integration.is_needed(privilege);
        if !self.grants(target, needed).await {
            return false;
        }
        if *tables_left == 0 {
            return true;
        }
        let request = Request::Tables { catalog, schema };
        let found = self.client.call(request, Some(self.bearer), reply::json::<Listing>).await;
        let (names, is_cut) = match found {
            Ok(found) => found.names(),
            Err(failure) => {
                self.unseen(&format!("The tables of {full_name} could not be listed"), &failure);
                return failure.class == Class::Denied;
            }
        };
        if is_cut {
            self.surplus.unseen.push(format!("Schema {full_name} has more tables than listed."));
        }
        for table in names.iter().take(*tables_left) {
            let (full_name, statement) =
                (format!("{full_name}.{table}"), format!("TABLE {shown}.{}", quoted(table)));
            let target = Target { kind: "table", name: &full_name, statement: &statement };
            if !self.grants(target, needed).await {
                return false;
            }
        }
        *tables_left = tables_left.saturating_sub(names.len());
        true
    }

    /// Adds the principal's own grants on an object, inherited ones left out, unless they are needed. False where the
    /// platform does not answer.
    async fn grants(&mut self, target: Target<'_>, is_needed: impl Fn(&str) -> bool) -> bool {
        let Target { kind, name, statement } = target;
        let principal = &self.me.user_name;
        let request = Request::Granted { kind, name, principal };
        let found = self.client.call(request, Some(self.bearer), reply::json::<Granted>).await;
        let found = match found {
            Ok(found) => found,
            Err(failure) => {
                self.unseen(&format!("Grants on {kind} {name} could not be read"), &failure);
                return failure.class.is_definitive();
            }
        };
        for privilege in found.of(principal).filter(|privilege| !is_needed(privilege)) {
            let privilege = self.client.line(&privilege, NAME_MAX).replace('_', " ");
            let who = quoted(&self.client.line(principal, NAME_MAX));
            let revoke = format!("REVOKE {privilege} ON {statement} FROM {who};");
            self.surplus.add(format!("{privilege} on {kind} {name}"), Some(revoke));
        }
        true
    }

    fn unseen(&mut self, what: &str, failure: &Failure) {
        let line = format!("{what}: {}", failure.detail);
        if !self.surplus.unseen.contains(&line) {
            self.surplus.unseen.push(line);
        }
    }

    /// Returns what was found, within its bounds.
    fn listed(mut self) -> Surplus {
        let more = self.surplus.found.len().saturating_sub(LISTED_MAX);
        self.surplus.found.truncate(LISTED_MAX);
        let more_unseen = self.surplus.unseen.len().saturating_sub(LISTED_MAX);
        self.surplus.unseen.truncate(LISTED_MAX);
        for (count, what) in [(more, "rights"), (more_unseen, "objects without an answer")] {
            if 0 < count {
                self.surplus.unseen.push(format!("{count} more {what} are not listed."));
            }
        }
        self.surplus
    }
}
