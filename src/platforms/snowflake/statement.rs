//! Statements that are sent to Snowflake, and no others, with the names in them.

use std::fmt;

use crate::domain::one_line;

/// The longest name Snowflake has for anything, in characters.
const NAME_MAX: usize = 255;
/// Number of roles that one statement lists; as many fit into the first part of its answer.
pub(super) const ROLES_PER_PAGE: u16 = 1000;

/// The name of an object as Snowflake stores it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Name(String);

impl Name {
    /// Reads an identifier: in upper case, unless it stands in double quotes.
    ///
    /// # Errors
    ///
    /// Says what was expected.
    pub(super) fn read(text: &str) -> Result<Self, &'static str> {
        let inner = text.strip_prefix('"').and_then(|rest| rest.strip_suffix('"'));
        let name = match inner {
            Some(inner) if inner.replace("\"\"", "").contains('"') => {
                return Err("expected a name; a quote within double quotes is written twice");
            }
            Some(inner) => inner.replace("\"\"", "\""),
            None if text.contains('"') => {
                return Err("expected a name, all of it or nothing in double quotes");
            }
            None => text.to_uppercase(),
        };
        let fits = (1..=NAME_MAX).contains(&name.chars().count());
        if !fits || name.trim().is_empty() || name.contains(char::is_control) {
            return Err("expected a name of 1 to 255 characters without control characters");
        }
        Ok(Self(name))
    }

    /// Returns a name that Snowflake itself gave.
    pub(super) fn stored(name: &str) -> Self {
        Self(name.to_owned())
    }

    /// Returns the name as it is stored.
    pub(super) fn as_str(&self) -> &str {
        &self.0
    }

    /// Returns the name as an identifier in a statement, in double quotes.
    pub(super) fn quoted(&self) -> String {
        format!("\"{}\"", self.0.replace('"', "\"\""))
    }

    /// Returns the name as a parameter of a log-in, which is read like an identifier: in quotes
    /// only when it needs them.
    pub(super) fn identifier(&self) -> String {
        let plain = |c: char| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_';
        let begins = self.0.starts_with(|c: char| c.is_ascii_uppercase() || c == '_');
        if begins && self.0.chars().all(plain) { self.0.clone() } else { self.quoted() }
    }

    /// True when an answer means this name by `text`, which may be in quotes.
    pub(super) fn is(&self, text: &str) -> bool {
        self.0 == text || self.quoted() == text
    }
}

/// On one line, as people read it.
impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&one_line(&self.0, NAME_MAX))
    }
}

/// Returns `text` as one literal: the only way that text gets into a statement, besides
/// [`Name::quoted`].
fn literal(text: &str) -> String {
    format!("'{}'", text.replace('\\', "\\\\").replace('\'', "''"))
}

/// `name` as the literal of a pattern that matches it, and perhaps others: `_` and `%` match
/// themselves anyway, and a backslash, which may or may not escape what follows, becomes `_`, which
/// matches it. Rows of other names are left out when the answer is read.
fn pattern(name: &Name) -> String {
    literal(&name.0.replace('\\', "_"))
}

/// A statement. There are no others: all of them read, and none names a warehouse to run in.
#[derive(Clone, Copy, Debug)]
pub(super) enum Statement<'a> {
    /// Asks for user, role, account and region of the session.
    Hello,
    /// The role the statement runs as.
    CurrentRole,
    /// Warehouses of about this name that the role may use.
    UsableWarehouses(&'a Name),
    /// Warehouses of about this name that the role sees.
    Warehouses(&'a Name),
    /// Databases of about this name.
    Databases(&'a Name),
    /// Roles of about this name.
    Roles(&'a Name),
    /// Roles whose names begin with a prefix, some at a time, from after a name on.
    RolesFrom(&'a str, Option<&'a str>),
    /// Asks for the grants of a role.
    Grants(&'a Name),
}

impl Statement<'_> {
    /// Returns the columns that the answer must have; none where they go by position.
    pub(super) const fn columns(&self) -> &'static [&'static str] {
        match self {
            Self::Hello | Self::CurrentRole => &[],
            Self::UsableWarehouses(_) | Self::Warehouses(_) => &["name", "state", "auto_resume"],
            Self::Databases(_) | Self::Roles(_) => &["name"],
            Self::RolesFrom(..) => &["name", "owner"],
            Self::Grants(_) => &["privilege", "granted_on", "name", "grant_option"],
        }
    }
}

impl fmt::Display for Statement<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Hello => f.write_str(
                "SELECT CURRENT_VERSION(), CURRENT_ACCOUNT(), CURRENT_USER(), CURRENT_ROLE()",
            ),
            Self::CurrentRole => f.write_str("SELECT CURRENT_ROLE()"),
            Self::UsableWarehouses(name) => {
                write!(f, "SHOW WAREHOUSES LIKE {} WITH PRIVILEGES USAGE", pattern(name))
            }
            Self::Warehouses(name) => write!(f, "SHOW WAREHOUSES LIKE {}", pattern(name)),
            Self::Databases(name) => write!(f, "SHOW DATABASES LIKE {}", pattern(name)),
            Self::Roles(name) => write!(f, "SHOW ROLES LIKE {}", pattern(name)),
            Self::RolesFrom(prefix, after) => {
                let prefix = literal(prefix);
                write!(f, "SHOW ROLES STARTS WITH {prefix} LIMIT {ROLES_PER_PAGE}")?;
                after.map_or(Ok(()), |after| write!(f, " FROM {}", literal(after)))
            }
            Self::Grants(name) => write!(f, "SHOW GRANTS TO ROLE {}", name.quoted()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn names_are_upper_case_unless_quoted() {
        let table = [
            ("immuta", Ok("IMMUTA")),
            ("My_wh$1", Ok("MY_WH$1")),
            ("\"My wh\"", Ok("My wh")),
            ("\"a\"\"b\"", Ok("a\"b")),
            ("straße", Ok("STRASSE")),
            ("\"a\"b\"", Err("written twice")),
            ("a\"b", Err("all of it or nothing")),
            ("\"", Err("all of it or nothing")),
            ("\"\"", Err("1 to 255")),
            ("", Err("1 to 255")),
            ("a\nb", Err("control characters")),
        ];
        for (text, expected) in table {
            match (Name::read(text), expected) {
                (Ok(name), Ok(expected)) => assert_eq!(name.as_str(), expected, "{text}"),
                (Err(wanted), Err(part)) => assert!(wanted.contains(part), "{text}: {wanted}"),
                (found, _) => panic!("{text}: {found:?}"),
            }
        }
        assert!(Name::read(&"x".repeat(256)).is_err());
        let identifiers =
            [("R_1", "R_1"), ("1R", "\"1R\""), ("r", "\"r\""), ("A\"B", "\"A\"\"B\"")];
        for (stored, expected) in identifiers {
            assert_eq!(Name::stored(stored).identifier(), expected);
        }
        assert!(Name::stored("a b").is("\"a b\"") && !Name::stored("A").is("a"));
    }

    #[test]
    fn statements_are_these() {
        let name = Name::read("\"O'Neil\\x_%\"").unwrap();
        let table = [
            (Statement::CurrentRole, "SELECT CURRENT_ROLE()"),
            (
                Statement::UsableWarehouses(&name),
                "SHOW WAREHOUSES LIKE 'O''Neil_x_%' WITH PRIVILEGES USAGE",
            ),
            (Statement::Warehouses(&name), "SHOW WAREHOUSES LIKE 'O''Neil_x_%'"),
            (Statement::Databases(&name), "SHOW DATABASES LIKE 'O''Neil_x_%'"),
            (Statement::Roles(&name), "SHOW ROLES LIKE 'O''Neil_x_%'"),
            (Statement::RolesFrom("A'_", None), "SHOW ROLES STARTS WITH 'A''_' LIMIT 1000"),
            (
                Statement::RolesFrom("A_", Some("A_\\")),
                "SHOW ROLES STARTS WITH 'A_' LIMIT 1000 FROM 'A_\\\\'",
            ),
            (Statement::Grants(&name), "SHOW GRANTS TO ROLE \"O'Neil\\x_%\""),
        ];
        for (statement, expected) in table {
            assert_eq!(statement.to_string(), expected);
        }
    }

    /// Reads one literal or quoted identifier at the start of `text` as Snowflake's reference has it
    /// (string constants: `''`, and `\` before any character; identifiers: `""`): its value and
    /// what follows.
    fn unquoted(text: &str) -> Option<(String, &str)> {
        let quote = text.chars().next().filter(|c| matches!(c, '\'' | '"'))?;
        let mut value = String::new();
        let mut chars = text.char_indices().skip(1).peekable();
        while let Some((at, c)) = chars.next() {
            match c {
                '\\' if quote == '\'' => value.push(chars.next()?.1),
                _ if c == quote && chars.peek().is_some_and(|(_, next)| *next == quote) => {
                    chars.next();
                    value.push(quote);
                }
                _ if c == quote => return Some((value, &text[at + 1..])),
                _ => value.push(c),
            }
        }
        None
    }

    /// Returns true if `LIKE` with `pattern`, where a backslash does not escape, matches `text`.
    fn matches(pattern: &[char], text: &[char]) -> bool {
        match pattern.split_first() {
            None => text.is_empty(),
            Some(('%', rest)) => (0..=text.len()).any(|skip| matches(rest, &text[skip..])),
            Some((c, rest)) => text
                .split_first()
                .is_some_and(|(t, left)| (*c == '_' || c == t) && matches(rest, left)),
        }
    }

    proptest! {
        #[test]
        fn every_name_is_one_literal_of_a_statement(
            text in "[\\PC'\"\\\\;%_-]{1,12}|(';| OR |--|/\\*|\\\\'|''|\\$\\$){1,6}",
        ) {
            let name = Name::stored(&text);
            let after = |statement: String, head: &str| {
                let rest = statement.strip_prefix(head).unwrap().to_owned();
                let (value, rest) = unquoted(&rest).unwrap();
                (value, rest.to_owned())
            };
            let like = [
                (Statement::UsableWarehouses(&name), "SHOW WAREHOUSES LIKE ", " WITH PRIVILEGES USAGE"),
                (Statement::Warehouses(&name), "SHOW WAREHOUSES LIKE ", ""),
                (Statement::Databases(&name), "SHOW DATABASES LIKE ", ""),
                (Statement::Roles(&name), "SHOW ROLES LIKE ", ""),
            ];
            for (statement, head, tail) in like {
                let (value, rest) = after(statement.to_string(), head);
                prop_assert_eq!(rest, tail);
                prop_assert!(!value.contains('\\'));
                let chars = |text: &str| text.chars().collect::<Vec<_>>();
                prop_assert!(matches(&chars(&value), &chars(&text)), "{} {}", value, text);
            }
            let (value, rest) =
                after(Statement::RolesFrom(&text, Some(&text)).to_string(), "SHOW ROLES STARTS WITH ");
            prop_assert_eq!(&value, &text);
            let (value, rest) = after(rest, " LIMIT 1000 FROM ");
            prop_assert_eq!((value, rest), (text.clone(), String::new()));
            let (value, rest) = after(Statement::Grants(&name).to_string(), "SHOW GRANTS TO ROLE ");
            prop_assert_eq!((value, rest), (text.clone(), String::new()));
        }
    }
}
