//! Test of the prefix of table grants: whose roles bear it.

use super::catalog::PREFIX;
use super::checks::{Checks, owner};
use super::integration::Snowflake;
use super::statement::{ROLES_PER_PAGE, Statement};
use crate::domain::{Class, Finding};
use crate::platforms::Seen;
use crate::platforms::tested::Passed;

/// Largest number of pages of roles that are read.
const PAGES_MAX: usize = 20;
/// Number of names that a message lists.
const NAMES_SHOWN: usize = 5;

impl Checks<'_> {
    /// Checks that no foreign role is named like those of the integration's table grants.
    pub(super) async fn prefix(
        &self,
        prefix: &str,
        seen: &mut Seen,
    ) -> Result<Passed<()>, Finding> {
        let start = format!("{prefix}_");
        let (mut foreign, mut unowned) = (Vec::new(), Vec::new());
        let mut after: Option<String> = None;
        let mut complete = false;
        for _ in 0..PAGES_MAX {
            let rows = self.ask(Statement::RolesFrom(&start, after.as_deref())).await;
            let what = format!("Unable to look up roles that begin with [{}].", self.shown(&start));
            let rows = rows.map_err(|failure| self.unknown(&what, &failure))?;
            let all: Vec<_> = rows.iter().map(|row| row.text("name")).collect();
            for row in rows.iter() {
                let (name, owner_name) = (row.text("name"), row.text("owner"));
                let Some(form) = RoleForm::of(name, prefix) else { continue };
                // Their number is that of the users, and changes with them.
                seen.extend(owner(&format!("roles {start}*"), row));
                match owner_name {
                    _ if self.is_own(name) => {}
                    "" if form == RoleForm::User => unowned.push(name.to_owned()),
                    owner if self.owns(owner) || !form.is_of_table_grants(owner) => {}
                    owner => foreign.push((name.to_owned(), owner.to_owned())),
                }
            }
            let full = usize::from(ROLES_PER_PAGE) <= all.len();
            let last = all.iter().rfind(|name| !name.is_empty()).map(|name| (*name).to_owned());
            if !full && rows.complete {
                complete = true;
                break;
            }
            if last.is_none() || last == after {
                break;
            }
            after = last;
        }
        self.judge_prefix(prefix, &foreign, &unowned, complete)
    }

    fn judge_prefix(
        &self,
        prefix: &str,
        foreign: &[(String, String)],
        unowned: &[String],
        complete: bool,
    ) -> Result<Passed<()>, Finding> {
        let text =
            PREFIX.message.replacen("prefix IMMUTA", &format!("prefix {}", self.shown(prefix)), 1);
        if !foreign.is_empty() {
            let names = foreign
                .iter()
                .map(|(name, owner)| format!("[{}] of [{}]", self.shown(name), self.shown(owner)));
            let message = format!("{text} Found {}.", listed(names, foreign.len()));
            return Err(Finding::new(Class::Invalid, message).fix(
                "Choose another prefix and set it in `tableGrants.rolePrefix`; if these roles are \
                this instance's own, name their owner in `tableGrants.ownerRole`.",
            ));
        }
        let names = unowned.iter().map(|name| format!("[{}]", self.shown(name)));
        let warning = if !unowned.is_empty() {
            let names = listed(names, unowned.len());
            let message =
                format!("No owner is visible for {names}, which may be another instance's.");
            Some(Finding::new(Class::Invalid, message).fix(format!(
                "GRANT OWNERSHIP ON ROLE <name> TO ROLE {} COPY CURRENT GRANTS;",
                self.own.quoted()
            )))
        } else if complete {
            None
        } else {
            let message = format!(
                "There are more roles that begin with [{}_] than were looked at.",
                self.shown(prefix)
            );
            Some(Finding::new(Class::Unavailable, message))
        };
        Ok(Passed::from(()).warning(warning))
    }

    /// True for the roles that set-up itself makes, which may begin with the prefix too.
    fn is_own(&self, role: &str) -> bool {
        let Snowflake { database, role: own, impersonation, .. } = self.snowflake;
        let named = [own.as_ref(), impersonation.as_ref()];
        named.into_iter().flatten().any(|name| name.as_str() == role)
            || role == format!("{}_SYSTEM", database.as_str())
    }

    fn owns(&self, owner: &str) -> bool {
        let Snowflake { database, owner: named, .. } = self.snowflake;
        named.as_ref().is_some_and(|named| named.is(owner))
            || self.own.is(owner)
            || owner == format!("{}_SYSTEM", database.as_str())
    }
}

/// Form of a role's name that begins with the prefix of table grants.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum RoleForm {
    /// `<PREFIX>_USER_<name>`, as table grants name their roles.
    User,
    /// `<PREFIX>_<name>`, as they did in 2023, and as any other role may be named.
    Plain,
}

impl RoleForm {
    /// Returns the form of `role`; none for a name that does not begin with `prefix`.
    fn of(role: &str, prefix: &str) -> Option<Self> {
        let rest = role.strip_prefix(prefix)?.strip_prefix('_').filter(|rest| !rest.is_empty())?;
        let is_user = rest.strip_prefix("USER_").is_some_and(|name| !name.is_empty());
        Some(if is_user { Self::User } else { Self::Plain })
    }

    /// Returns true for a role that `owner` made for table grants: a plain name says nothing, unless the
    /// owner is the system role of an instance, `<DATABASE>_SYSTEM`.
    fn is_of_table_grants(self, owner: &str) -> bool {
        match self {
            Self::User => true,
            Self::Plain => owner.ends_with("_SYSTEM"),
        }
    }
}

fn listed(names: impl Iterator<Item = String>, count: usize) -> String {
    let list = names.take(NAMES_SHOWN).collect::<Vec<_>>().join(", ");
    if count <= NAMES_SHOWN {
        return list;
    }
    format!("{list} and {} more", count.saturating_sub(NAMES_SHOWN))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn role_is_of_table_grants_by_its_exact_form_and_its_owner() {
        let table = [
            ("IMMUTA_USER_JANE", "OTHER_SYSTEM", Some(true)),
            ("IMMUTA_USER_JANE", "ACCOUNTADMIN", Some(true)),
            ("IMMUTA_JANE", "OTHER_SYSTEM", Some(true)),
            ("IMMUTA_SETUP", "ACCOUNTADMIN", Some(false)),
            ("IMMUTA_SETUP", "", Some(false)),
            ("IMMUTA_USER_", "ACCOUNTADMIN", Some(false)),
            ("IMMUTA_USER", "SYSADMIN", Some(false)),
            ("IMMUTA_", "OTHER_SYSTEM", None),
            ("IMMUTATION_USER_X", "OTHER_SYSTEM", None),
            ("IMMUTA", "OTHER_SYSTEM", None),
            ("", "OTHER_SYSTEM", None),
        ];
        for (role, owner, expected) in table {
            let found = RoleForm::of(role, "IMMUTA").map(|form| form.is_of_table_grants(owner));
            assert_eq!(found, expected, "{role} of {owner}");
        }
    }
}
