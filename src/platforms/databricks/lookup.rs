//! The catalog: that it is there, what is in it, and what we may do with it.

use super::classify::Failure;
use super::client::{Client, Request};
use super::config::{Config, Object};
use super::integration::{Databricks, NAME_MAX};
use super::reply::{self, Existence, Permissions, Securable};
use super::session::Session;
use crate::domain::{Class, FactKind, Finding};
use crate::platforms::failure::Cause as _;
use crate::platforms::tested::Passed;
use crate::platforms::{Seen, UNVERIFIED};

/// The most pages of privileges that are read for one principal.
const PAGES_MAX: usize = 20;
/// The most groups of a principal whose privileges are looked at.
const GROUPS_MAX: usize = 20;
/// The most missing objects that a message lists.
const LISTED_MAX: usize = 5;
/// Group of everybody in the account, which no list of groups contains.
const EVERYBODY: &str = "account users";
/// Groups of the workspace alone: Unity Catalog does not know them, and nothing can be granted to them
/// (docs.databricks.com/sql/language-manual/sql-ref-principal).
const LOCAL_GROUPS: [&str; 2] = ["users", "admins"];
/// Table that query audit reads.
const AUDIT_TABLE: &str = "system.access.audit";
/// Privileges that `ALL_PRIVILEGES` does not include.
const NOT_IN_ALL: [&str; 3] = ["MANAGE", "EXTERNAL_USE_LOCATION", "EXTERNAL_USE_SCHEMA"];

impl Databricks {
    /// Checks that the catalog exists with the expected objects, and is owned by the principal or
    /// open to it.
    ///
    /// # Errors
    ///
    /// Returns the finding for a missing object, or the reason why it cannot be known.
    pub(super) async fn catalog(
        &self,
        client: Client<'_>,
        session: &Session,
        seen: &mut Seen,
    ) -> Result<Passed<()>, Finding> {
        let name = &self.config.catalog;
        let request = Request::Catalog { name };
        let answer = client.call(request, Some(&session.bearer), reply::json::<Securable>);
        let found = answer.await.map_err(|failure| {
            let finding = failure.finding(&self.doing(), self.host());
            match failure.class {
                Class::Denied => finding.fix(self.grant(session, &failure)),
                Class::Missing => finding.fix(self.named_remedy(&failure).unwrap_or_else(|| {
                    let name = quoted(name);
                    format!(
                        "Create catalog {name}, or correct `catalog`; without USE CATALOG on it, it \
                         may also be hidden."
                    )
                })),
                Class::Invalid
                | Class::Expired
                | Class::Unreachable
                | Class::Throttled
                | Class::Unavailable
                | Class::Local => finding,
            }
        })?;
        if let Some(owner) = &found.owner {
            let owner = client.line(owner, NAME_MAX);
            self.granted(&format!("owner {owner}"), seen);
        }
        self.objects(client, session).await?;
        if found.owner.as_deref().is_some_and(|owner| session.me.is(owner)) {
            return Ok(().into());
        }
        self.privileges(client, session, seen).await
    }

    /// Adds a grant on the catalog.
    fn granted(&self, value: &str, seen: &mut Seen) {
        seen.fact(FactKind::Grant, &format!("catalog {}", self.config.catalog), value);
    }

    /// Returns the published sentence, its slot filled.
    fn doing(&self) -> String {
        let name = &self.config.catalog;
        format!("Encountered an error looking up catalog metadata for catalog [{name}].")
    }

    /// Returns the remediation of a refusal to show the catalog.
    fn grant(&self, session: &Session, failure: &Failure) -> String {
        if let Some(remedy) = self.named_remedy(failure) {
            return remedy;
        }
        let who = quoted(&session.who());
        match failure.missing() {
            Some(missing) => format!("Grant {missing} to {who}."),
            None => format!(
                "GRANT USE CATALOG, USE SCHEMA, BROWSE ON CATALOG {} TO {who};",
                quoted(&self.config.catalog)
            ),
        }
    }

    /// Checks that the expected objects of the catalog exist.
    async fn objects(&self, client: Client<'_>, session: &Session) -> Result<(), Finding> {
        let (mut missing, mut is_doubtful) = (Vec::new(), false);
        for Object { schema, table } in &self.config.expected {
            let full_name = format!("{}.{schema}", self.config.catalog);
            let (full_name, found) = match table {
                None => {
                    let request = Request::Schema { full_name: &full_name };
                    let read = reply::json::<Securable>;
                    let found = client.call(request, Some(&session.bearer), read).await;
                    (full_name, found.map(|_there| true))
                }
                Some(table) => {
                    let full_name = format!("{full_name}.{table}");
                    let found = self.has_table(client, session, &full_name).await;
                    (full_name, found)
                }
            };
            match found {
                Ok(true) => {}
                Ok(false) => missing.push(full_name),
                Err(failure) if failure.class == Class::Missing => {
                    is_doubtful |= failure.cause.is_doubtful();
                    missing.push(full_name);
                }
                Err(failure) => {
                    let doing = format!("{} [{full_name}] could not be looked up.", self.doing());
                    let finding = failure.finding(&doing, self.host());
                    if failure.class == Class::Denied {
                        return Err(finding.fix(self.grant(session, &failure)));
                    }
                    return Err(finding);
                }
            }
        }
        let Some(first) = missing.first() else { return Ok(()) };
        let shown: Vec<_> =
            missing.iter().take(LISTED_MAX).map(|name| format!("[{name}]")).collect();
        let verb = if missing.len() == 1 { "was" } else { "were" };
        let more = missing.len().saturating_sub(shown.len());
        let more = if more == 0 { String::new() } else { format!(" and {more} more") };
        let message = format!("{} {}{more} {verb} not found.", self.doing(), shown.join(", "));
        let fix = format!("Restore {first}, or take it out of `expectedObjects`.");
        let finding = Finding::new(Class::Missing, message).fix(fix);
        Err(if is_doubtful { finding.doubtful() } else { finding })
    }

    async fn has_table(
        &self,
        client: Client<'_>,
        session: &Session,
        full_name: &str,
    ) -> Result<bool, Failure> {
        let request = Request::TableExists { full_name };
        let answer = client.call(request, Some(&session.bearer), reply::json::<Existence>);
        Ok(answer.await?.table_exists)
    }

    /// Checks that the principal has the privileges, itself or by a group, where it does not own
    /// the catalog.
    pub(super) async fn privileges(
        &self,
        client: Client<'_>,
        session: &Session,
        seen: &mut Seen,
    ) -> Result<Passed<()>, Finding> {
        let Config { catalog, required, .. } = &self.config;
        if required.is_empty() {
            return Ok(().into());
        }
        let (me, who) = (&session.me, session.who());
        let mut held = Vec::new();
        let groups = || me.groups().filter(|group| !LOCAL_GROUPS.contains(group));
        let mut is_known = groups().count() <= GROUPS_MAX;
        let groups = groups().take(GROUPS_MAX).chain([EVERYBODY]);
        for (index, principal) in [me.user_name.as_str()].into_iter().chain(groups).enumerate() {
            match self.effective(client, session, principal).await {
                Ok(more) => {
                    // Those of groups are asked for only while something is missing.
                    if index == 0 {
                        for privilege in &more {
                            self.granted(privilege, seen);
                        }
                    }
                    held.extend(more);
                }
                Err(failure) if failure.class == Class::Denied && index == 0 => {
                    let fix = format!(
                        "GRANT MANAGE ON CATALOG {} TO {}; or set `requiredPrivileges` to [].",
                        quoted(catalog),
                        quoted(&who)
                    );
                    let finding = failure.finding("Privileges could not be read:", self.host());
                    return Ok(reserved(finding.fix(fix)));
                }
                Err(failure) if failure.class == Class::Denied => is_known = false,
                // A group of the workspace alone, to which nothing can be granted.
                Err(failure)
                    if matches!(failure.class, Class::Missing | Class::Invalid) && index != 0 => {}
                Err(failure) => {
                    let doing = format!("{} Privileges could not be read:", self.doing());
                    return Err(failure.finding(&doing, self.host()));
                }
            }
            if lacking(required, &held).is_empty() {
                return Ok(().into());
            }
        }
        let lacking = lacking(required, &held);
        let listed = lacking.join(", ");
        // A group that could not be looked at may have what is missing here.
        let message = if is_known {
            format!("Principal [{who}] lacks [{listed}] on catalog [{catalog}].")
        } else {
            format!(
                "[{listed}] of principal [{who}] on catalog [{catalog}] {UNVERIFIED}: the privileges of \
                 its groups cannot be seen."
            )
        };
        let fix = format!(
            "GRANT {} ON CATALOG {} TO {};",
            lacking.join(", ").replace('_', " "),
            quoted(catalog),
            quoted(&who)
        );
        let finding = Finding::new(Class::Denied, message).fix(fix);
        if is_known { Err(finding) } else { Ok(reserved(finding)) }
    }

    /// Returns the privileges of `principal` on the catalog, read to the last page.
    async fn effective(
        &self,
        client: Client<'_>,
        session: &Session,
        principal: &str,
    ) -> Result<Vec<String>, Failure> {
        let catalog = &self.config.catalog;
        let (mut held, mut next) = (Vec::new(), None);
        for _page in 0..PAGES_MAX {
            let request = Request::Permissions { catalog, principal, page: next.as_deref() };
            let read = reply::json::<Permissions>;
            let page = client.call(request, Some(&session.bearer), read).await?;
            held.extend(page.privileges());
            next = page.next();
            if next.is_none() {
                return Ok(held);
            }
        }
        let detail = format!("there are more than {PAGES_MAX} pages of privileges");
        Err(Failure::silent(Class::Unavailable, detail))
    }

    /// Checks the query audit, which is optional: every failure is a warning.
    pub(super) async fn audit(&self, client: Client<'_>, session: &Session) -> Passed<()> {
        let who = quoted(&session.who());
        let fix = format!(
            "Enable system schema access for the metastore; GRANT USE CATALOG ON CATALOG system \
             TO {who}; GRANT USE SCHEMA ON SCHEMA system.access TO {who}; GRANT SELECT ON TABLE \
             {AUDIT_TABLE} TO {who};"
        );
        let missing = format!("Audit table [{AUDIT_TABLE}] was not found.");
        let finding = match self.has_table(client, session, AUDIT_TABLE).await {
            Ok(true) => return ().into(),
            Ok(false) => Finding::new(Class::Missing, missing),
            Err(failure) if failure.class == Class::Missing => {
                failure.evident(Finding::new(Class::Missing, missing))
            }
            Err(failure) => {
                let doing = format!("Audit table [{AUDIT_TABLE}] could not be looked up.");
                failure.finding(&doing, self.host())
            }
        };
        reserved(finding.fix(fix))
    }
}

/// Returns the required privileges that were not granted.
fn lacking(required: &[String], held: &[String]) -> Vec<String> {
    let has = |name: &str| held.iter().any(|held| held == name);
    let is_held = |name: &&String| {
        has(name) || (has("ALL_PRIVILEGES") && !NOT_IN_ALL.contains(&name.as_str()))
    };
    required.iter().filter(|name| !is_held(name)).cloned().collect()
}

/// Returns `name` as an identifier of SQL. It is only shown in statements for people; no SQL is
/// sent.
pub(super) fn quoted(name: &str) -> String {
    format!("`{}`", name.replace('`', "``"))
}

fn reserved(warning: Finding) -> Passed<()> {
    Passed::from(()).warning(Some(warning))
}
