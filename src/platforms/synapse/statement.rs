//! The only statements that may be sent, and their results.

/// Statements that are sent, each as one batch, and no others: reads of the system catalog.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Statement<'a> {
    /// Asks for an answer to a trivial statement.
    Ping,
    /// Asks for the user's control of the database; documented for Azure Synapse Analytics, but not for its
    /// dedicated SQL pools.
    Control,
    /// Asks the same of servers that do not answer [`Self::Control`].
    ControlByName,
    /// Asks for the user's membership in the role that has control.
    Owner,
    /// Asks for a database role of this name that the user may see; the collation of the database
    /// says if case counts.
    Role(&'a str),
    /// Asks for the name of the user in the database; `dbo` is its owner, or the administrator of the server.
    User,
    /// Asks for the roles that the user was added to.
    Roles,
    /// Asks for the permissions that the user was granted or denied: class, schema, object, permission, state.
    Permissions,
}

/// Result of a statement: its first value.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Found {
    /// The statement returned no row.
    Nothing,
    /// A row whose first column is empty.
    Null,
    /// A row whose first column is this number.
    Number(i64),
    /// A row with anything else in it.
    Other,
}

impl Statement<'_> {
    /// Returns the text of the batch.
    pub(super) fn sql(self) -> String {
        match self {
            Self::Ping => "SELECT 1".to_owned(),
            Self::Control => "SELECT permission_name FROM sys.fn_my_permissions(NULL, 'DATABASE') \
                WHERE permission_name = 'CONTROL'"
                .to_owned(),
            Self::ControlByName => {
                "SELECT HAS_PERMS_BY_NAME(DB_NAME(), 'DATABASE', 'CONTROL')".to_owned()
            }
            Self::Owner => "SELECT IS_ROLEMEMBER('db_owner')".to_owned(),
            Self::Role(name) => format!(
                "SELECT 1 FROM sys.database_principals WHERE name = {} AND type = 'R'",
                literal(name)
            ),
            Self::User => "SELECT USER_NAME()".to_owned(),
            Self::Roles => "SELECT r.name FROM sys.database_role_members AS m \
                JOIN sys.database_principals AS r ON r.principal_id = m.role_principal_id \
                JOIN sys.database_principals AS u ON u.principal_id = m.member_principal_id \
                WHERE u.name = USER_NAME()"
                .to_owned(),
            Self::Permissions => "SELECT p.class_desc, COALESCE(s.name, os.name), o.name, \
                p.permission_name, p.state_desc FROM sys.database_permissions AS p \
                JOIN sys.database_principals AS u ON u.principal_id = p.grantee_principal_id \
                LEFT JOIN sys.schemas AS s ON p.class = 3 AND s.schema_id = p.major_id \
                LEFT JOIN sys.objects AS o ON p.class = 1 AND o.object_id = p.major_id \
                LEFT JOIN sys.schemas AS os ON os.schema_id = o.schema_id \
                WHERE u.name = USER_NAME()"
                .to_owned(),
        }
    }
}

/// Returns `text` as a Unicode literal. Doubling the quote is the whole rule of Transact-SQL: a
/// backslash means nothing, except before a line end, and names have no line ends.
pub(super) fn literal(text: &str) -> String {
    format!("N'{}'", text.replace('\'', "''"))
}

/// Returns `name` as a delimited identifier, in a statement that people are to run.
pub(super) fn identifier(name: &str) -> String {
    format!("[{}]", name.replace(']', "]]"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// The value of the one literal that `sql` holds besides `'R'`, and what stands around it.
    fn read_back(sql: &str) -> Option<(String, &str)> {
        let rest = sql.strip_prefix("SELECT 1 FROM sys.database_principals WHERE name = N'")?;
        let mut value = String::new();
        let mut quoted = rest.char_indices().peekable();
        while let Some((at, char)) = quoted.next() {
            if char != '\'' {
                value.push(char);
            } else if quoted.next_if(|(_, next)| *next == '\'').is_some() {
                value.push('\'');
            } else {
                return rest.get(at + 1..).map(|rest| (value, rest));
            }
        }
        None
    }

    proptest! {
        #[test]
        fn a_name_is_a_value_and_never_text(
            name in prop_oneof![any::<String>(), "['\\\\\\-;/*\\]\\[N \"%_\u{2019}]{0,40}"],
        ) {
            let sql = Statement::Role(&name).sql();
            prop_assert_eq!(read_back(&sql), Some((name, " AND type = 'R'")));
        }

        #[test]
        fn an_identifier_ends_at_its_end_only(name in "[\\]\\[a'\" ]{0,20}") {
            let shown = identifier(&name);
            let inner = shown.strip_prefix('[').unwrap().strip_suffix(']').unwrap();
            prop_assert_eq!(inner.replace("]]", "").contains(']'), false);
            prop_assert_eq!(inner.replace("]]", "]"), name);
        }
    }

    #[test]
    fn hostile_names_stay_inside_of_the_literal() {
        let sql = Statement::Role("x'; DROP ROLE [y]; --").sql();
        let expected = "SELECT 1 FROM sys.database_principals WHERE name = \
            N'x''; DROP ROLE [y]; --' AND type = 'R'";
        assert_eq!(sql, expected);
    }
}
