//! All errors of Trino's `StandardErrorCode`, each with its class and its remedy.
//!
//! The table is `codes.txt`, made from the class file of Trino 476. Statements that every cluster understands
//! are sent, so most `USER_ERROR`s can only come from something that rewrites them.

use std::sync::LazyLock;

use strum::VariantArray;

use crate::domain::Class;

/// Entry of the table of errors.
#[derive(Debug, Eq, PartialEq)]
pub(super) struct Code {
    /// Name of the error.
    name: &'static str,
    /// Number of the error.
    number: i64,
    /// Class of a query that fails by it.
    pub(super) class: Class,
    /// Remedy that advice is worded by.
    pub(super) remedy: Remedy,
}

/// Remedy of an error, as [`super::advice`] words it.
#[derive(Clone, Copy, Debug, Eq, PartialEq, strum::IntoStaticStr, VariantArray)]
#[strum(serialize_all = "lowercase")]
pub(super) enum Remedy {
    /// A catalog that did not start.
    Catalog,
    /// Configuration files of the cluster.
    Configuration,
    /// Source that a connector reads from.
    External,
    /// Row filter or column mask of the access control.
    Filter,
    /// Selection of a resource group.
    Group,
    /// Query that was ended by others.
    Killed,
    /// Limit of the cluster for queries.
    Limit,
    /// Log of the coordinator.
    Log,
    /// Name of an object.
    Name,
    /// Rule of the access control.
    Permission,
    /// Queue of a resource group.
    Queue,
    /// Role of the session.
    Role,
    /// Property of the session.
    Session,
    /// Statement that was changed on its way.
    Statement,
    /// View or redirection behind the table.
    View,
    /// Wait until it passes.
    Wait,
    /// Workers and the network between them.
    Workers,
}

/// Errors in the order of their numbers.
static CODES: LazyLock<Vec<Code>> =
    LazyLock::new(|| include_str!("codes.txt").lines().filter_map(Code::parse).collect());

impl Code {
    /// Reads a line of the table; none for comments.
    fn parse(line: &'static str) -> Option<Self> {
        let mut words = line.split(' ');
        let (name, number) = (words.next()?, words.next()?.parse().ok()?);
        let (class, remedy) = (words.next()?, words.next()?);
        let class = Class::ALL.iter().copied().find(|known| known.as_str() == class)?;
        let word = |remedy: Remedy| -> &'static str { remedy.into() };
        let remedy = Remedy::VARIANTS.iter().copied().find(|known| word(*known) == remedy)?;
        Some(Self { name, number, class, remedy })
    }

    /// Returns the error with this name, or with this number where it has no name.
    pub(super) fn find(name: &str, number: Option<i64>) -> Option<&'static Self> {
        let is_meant = |code: &&Self| {
            if name.is_empty() { Some(code.number) == number } else { code.name == name }
        };
        CODES.iter().find(is_meant)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Compares the table with the list of a real server.
    #[test]
    fn every_error_of_the_server_has_a_class_and_a_remedy() {
        let listed = include_str!("testcases/codes-476.txt");
        let listed = listed.lines().filter(|line| !line.starts_with('#'));
        let listed: Vec<_> = listed.map(|line| line.split(' ').collect::<Vec<_>>()).collect();
        assert_eq!((listed.len(), CODES.len()), (177, 177));
        for (listed, code) in listed.iter().zip(CODES.iter()) {
            let [name, number, kind] = listed[..] else { panic!("{listed:?}") };
            assert_eq!((code.name, code.number.to_string()), (name, number.to_owned()));
            assert_eq!(Code::find(name, None), Some(code));
            assert_eq!(Code::find("", Some(code.number)), Some(code));
            assert_eq!(Code::find(name, Some(-1)), Some(code), "the name decides");
            let is_known = code.remedy != Remedy::Log || kind != "USER_ERROR";
            assert!(is_known || ["GENERIC_USER_ERROR", "STACK_OVERFLOW"].contains(&name), "{name}");
            // What is the server's own trouble may pass.
            let is_fixed = ["CONFIGURATION_INVALID", "INVALID_RESOURCE_GROUP"].contains(&name);
            let may_pass = !code.class.is_definitive();
            assert!(kind != "INTERNAL_ERROR" || may_pass || is_fixed, "{name}");
            assert!(kind != "INSUFFICIENT_RESOURCES" || may_pass, "{name}");
        }
        assert_eq!(Code::find("NEW_ERROR", Some(4)), None);
        assert_eq!(Code::find("", Some(-1)), None);
        assert_eq!(Code::parse("# a comment of some words"), None);
    }

    #[test]
    fn errors_that_pass_by_themselves_are_transient() {
        let names = [
            "ABANDONED_QUERY",
            "USER_CANCELED",
            "ADMINISTRATIVELY_KILLED",
            "ADMINISTRATIVELY_PREEMPTED",
            "QUERY_REJECTED",
            "TRANSACTION_CONFLICT",
            "UNKNOWN_TRANSACTION",
            "TRANSACTION_ALREADY_ABORTED",
            "CATALOG_UNAVAILABLE",
            "CATALOG_NOT_AVAILABLE",
            "STACK_OVERFLOW",
            "QUERY_EXCEEDED_COMPILER_LIMIT",
        ];
        for name in names {
            assert!(!Code::find(name, None).unwrap().class.is_definitive(), "{name}");
        }
        let definitive =
            ["PERMISSION_DENIED", "CATALOG_NOT_FOUND", "TABLE_NOT_FOUND", "SYNTAX_ERROR"];
        for name in definitive {
            assert!(Code::find(name, None).unwrap().class.is_definitive(), "{name}");
        }
    }
}
