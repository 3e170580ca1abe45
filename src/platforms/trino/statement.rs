//! The statements, which are all that is ever sent. None of them changes or starts anything.

use std::borrow::Cow;

/// The longest part of a table's name, in characters.
const PART_MAX: usize = 255;

/// Every statement this platform sends.
#[derive(Clone, Copy, Debug)]
pub(super) enum Statement<'a> {
    /// Asks for the user of the session.
    CurrentUser,
    /// Asks for the number of active nodes.
    ActiveNodes,
    /// Asks for a constant, where the nodes may not be counted.
    One,
    /// Asks for the visible catalogs.
    Catalogs,
    /// Asks whether this catalog works: a statement on its `information_schema` is analysed, which needs its
    /// connector but nothing behind it.
    Catalog(&'a str),
    /// Asks whether this table may be read: the statement is analysed, access checks included, and not run.
    MayRead(&'a Table),
    /// Asks whether this table may be changed: the statement is analysed, access checks included, and not run.
    MayChange(Change, &'a Table),
    /// Asks for the roles of the account: those of the cluster, or of a catalog.
    RoleGrants(Option<&'a str>),
    /// Asks for the grants on this table that the account sees, each as an array in JSON.
    TablePrivileges(&'a Table),
    /// Asks for the number of queries of other users, which only those see who may view them.
    QueriesOfOthers,
}

/// Change of a table that is analysed and never run.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Change {
    /// Insertion of rows into the table.
    Insert,
    /// Deletion of rows from the table.
    Delete,
}

impl Change {
    /// Returns the privilege that it needs.
    pub(super) const fn privilege(self) -> &'static str {
        match self {
            Self::Insert => "INSERT",
            Self::Delete => "DELETE",
        }
    }
}

impl Statement<'_> {
    /// Returns the text that is sent.
    pub(super) fn text(self) -> Cow<'static, str> {
        match self {
            Self::CurrentUser => "SELECT current_user".into(),
            Self::ActiveNodes => {
                "SELECT count(*) FROM system.runtime.nodes WHERE state = 'active'".into()
            }
            Self::One => "SELECT 1".into(),
            Self::Catalogs => "SHOW CATALOGS".into(),
            Self::Catalog(name) => format!(
                "EXPLAIN (TYPE VALIDATE) SELECT * FROM {}.information_schema.schemata",
                quoted(name)
            )
            .into(),
            Self::MayRead(table) => {
                format!("EXPLAIN (TYPE VALIDATE) SELECT * FROM {}", table.quoted()).into()
            }
            Self::MayChange(Change::Insert, table) => {
                let table = table.quoted();
                format!("EXPLAIN (TYPE VALIDATE) INSERT INTO {table} SELECT * FROM {table}").into()
            }
            Self::MayChange(Change::Delete, table) => {
                format!("EXPLAIN (TYPE VALIDATE) DELETE FROM {}", table.quoted()).into()
            }
            Self::RoleGrants(None) => "SHOW ROLE GRANTS".into(),
            Self::RoleGrants(Some(catalog)) => {
                format!("SHOW ROLE GRANTS FROM {}", quoted(catalog)).into()
            }
            Self::TablePrivileges(table) => format!(
                "SELECT json_format(CAST(ARRAY[privilege_type, grantee, grantee_type] AS JSON)) \
                 FROM {}.information_schema.table_privileges WHERE table_schema = {} AND \
                 table_name = {}",
                quoted(table.catalog()),
                literal(table.schema()),
                literal(table.table())
            )
            .into(),
            Self::QueriesOfOthers => {
                "SELECT count(*) FROM system.runtime.queries WHERE \"user\" <> current_user".into()
            }
        }
    }
}

/// The full name of a table.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Table {
    parts: [String; 3],
    /// Name of the table, as configured.
    pub(super) shown: String,
}

impl Table {
    /// Reads `catalog.schema.table`; a part that holds a dot stands in double quotes, as in SQL.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let mut rest = text;
        let mut parts = Vec::with_capacity(3);
        loop {
            let (part, after) = part(rest)?;
            let fits = !part.is_empty()
                && part.chars().count() <= PART_MAX
                && !part.chars().any(char::is_control);
            if !fits {
                return None;
            }
            parts.push(part);
            if after.is_empty() {
                break;
            }
            rest = after.strip_prefix('.')?;
        }
        Some(Self { parts: parts.try_into().ok()?, shown: text.to_owned() })
    }

    /// Returns the name of its catalog.
    pub(super) fn catalog(&self) -> &str {
        let [catalog, _, _] = &self.parts;
        catalog
    }

    /// Returns the name of its schema.
    pub(super) fn schema(&self) -> &str {
        let [_, schema, _] = &self.parts;
        schema
    }

    /// Returns its name within the schema.
    pub(super) fn table(&self) -> &str {
        let [_, _, table] = &self.parts;
        table
    }

    /// Returns the name as a statement contains it.
    pub(super) fn quoted(&self) -> String {
        self.parts.each_ref().map(|part| quoted(part)).join(".")
    }
}

/// Returns the first part of a name, and the rest after it.
fn part(text: &str) -> Option<(String, &str)> {
    let Some(mut rest) = text.strip_prefix('"') else {
        let (part, after) = text.split_at(text.find('.').unwrap_or(text.len()));
        return (!part.contains('"')).then(|| (part.to_owned(), after));
    };
    let mut part = String::new();
    loop {
        let (before, after) = rest.split_once('"')?;
        part.push_str(before);
        match after.strip_prefix('"') {
            Some(more) => {
                part.push('"');
                rest = more;
            }
            None => return Some((part, after)),
        }
    }
}

/// Returns `name` as one identifier, whatever characters it has.
pub(super) fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// Returns the name of an object as a literal, in the lower case that Trino keeps names in.
fn literal(name: &str) -> String {
    format!("'{}'", name.to_lowercase().replace('\'', "''"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn names_have_three_parts() {
        let good = [
            ("lake.raw.orders", "\"lake\".\"raw\".\"orders\""),
            ("lake.\"a.b\".\"c\"\"d\"", "\"lake\".\"a.b\".\"c\"\"d\""),
            ("l.s.t; DROP TABLE x --", "\"l\".\"s\".\"t; DROP TABLE x --\""),
        ];
        for (text, expected) in good {
            assert_eq!(Table::parse(text).unwrap().quoted(), expected, "{text}");
        }
        let bad = [
            "",
            "a",
            "a.b",
            "a.b.c.d",
            "a..c",
            ".b.c",
            "a.b.",
            "a.b.\"\"",
            "a.b.\"c",
            "a.b\"c.d",
            "a.\"b\"x.c",
            "a.b.c\n",
        ];
        for text in bad {
            assert_eq!(Table::parse(text), None, "{text:?}");
        }
        assert_eq!(Table::parse(&format!("a.b.{}", "x".repeat(PART_MAX + 1))), None);
    }

    #[test]
    fn every_statement_only_reads() {
        let table = Table::parse("c.s.t").unwrap();
        let all = [
            Statement::CurrentUser,
            Statement::ActiveNodes,
            Statement::One,
            Statement::Catalogs,
            Statement::Catalog("c\"; DROP CATALOG c --"),
            Statement::MayRead(&table),
            Statement::MayChange(Change::Insert, &table),
            Statement::MayChange(Change::Delete, &table),
            Statement::RoleGrants(None),
            Statement::RoleGrants(Some("c\"; DROP ROLE r --")),
            Statement::TablePrivileges(&table),
            Statement::QueriesOfOthers,
        ];
        for statement in all {
            let text = statement.text();
            let reads = ["SELECT ", "SHOW ", "EXPLAIN (TYPE VALIDATE) "];
            assert!(reads.iter().any(|start| text.starts_with(start)), "{text}");
            let (outside, _names) = tokens(&text);
            assert!(!outside.contains(';') && !text.contains("ANALYZE"), "{text}");
        }
    }

    /// Reads a statement as SQL does: what stands outside of quoted identifiers, and those.
    fn tokens(text: &str) -> (String, Vec<String>) {
        let (mut outside, mut names) = (String::new(), Vec::new());
        let mut chars = text.chars().peekable();
        while let Some(char) = chars.next() {
            if char != '"' {
                outside.push(char);
                continue;
            }
            let mut name = String::new();
            loop {
                match chars.next().expect("an identifier ends") {
                    '"' if chars.peek() == Some(&'"') => name.push(chars.next().unwrap()),
                    '"' => break,
                    char => name.push(char),
                }
            }
            names.push(name);
        }
        (outside, names)
    }

    proptest! {
        #[test]
        fn hostile_names_stay_names(parts in prop::array::uniform3("[^\\p{Cc}]{1,20}|[\"';. -]{1,9}")) {
            prop_assume!(!parts.iter().any(|part| part.contains('=')));
            let written = parts.each_ref().map(|part| quoted(part)).join(".");
            let table = Table::parse(&written).unwrap();
            let text = Statement::MayRead(&table).text();
            let (outside, names) = tokens(&text);
            prop_assert_eq!(outside, "EXPLAIN (TYPE VALIDATE) SELECT * FROM ..");
            prop_assert_eq!(&names, &parts);
            let text = Statement::MayChange(Change::Delete, &table).text();
            let (outside, names) = tokens(&text);
            prop_assert_eq!(outside, "EXPLAIN (TYPE VALIDATE) DELETE FROM ..");
            prop_assert_eq!(&names, &parts);
            let text = Statement::TablePrivileges(&table).text();
            let values: Vec<_> = text.split(" = '").skip(1).collect();
            let ends = ["' AND table_name", "'"];
            for ((value, end), part) in values.into_iter().zip(ends).zip(&parts[1..]) {
                let value = value.strip_suffix(end).unwrap().replace("''", "\u{0}");
                prop_assert!(!value.contains('\''));
                prop_assert_eq!(value.replace('\u{0}', "'"), part.to_lowercase());
            }
        }

        #[test]
        fn any_text_is_a_name_of_three_parts_or_refused(text in "[a\". ;'-]{0,24}|\\PC{0,40}") {
            if let Some(table) = Table::parse(&text) {
                let (outside, names) = tokens(&table.quoted());
                prop_assert_eq!(outside, "..");
                prop_assert_eq!(names.len(), 3);
            }
        }
    }
}
