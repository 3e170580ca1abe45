//! All errors of Trino's `StandardErrorCode`, each with its class and its remedy.
//!
//! The source is the class file of Trino 476 (`testcases/codes-476.txt`). Statements that every cluster
//! understands are sent, so most `USER_ERROR`s can only come from something that rewrites them.

use Class::{Denied, Invalid, Missing, Throttled, Unavailable};
use Remedy::{
    Catalog, Configuration, Filter, Group, Killed, Limit, Log, Name, Permission, Queue, Role,
    Session, Statement, View, Wait, Workers,
};

use crate::domain::Class;

/// Error of Trino: name, number, class and remedy.
pub(super) type Code = (&'static str, i64, Class, Remedy);

/// Remedy of an error, as [`super::advice`] words it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Remedy {
    /// A catalog that did not start.
    Catalog,
    /// Configuration files of the cluster.
    Configuration,
    /// What a connector reads from.
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

/// Returns the error with this name, or with this number where it has no name.
pub(super) fn find(name: &str, number: Option<i64>) -> Option<&'static Code> {
    let is_meant = |code: &&Code| {
        if name.is_empty() { Some(code.1) == number } else { code.0 == name }
    };
    CODES.iter().find(is_meant)
}

/// Errors in the order of their numbers.
const CODES: &[Code] = &[
    ("GENERIC_USER_ERROR", 0, Invalid, Log),
    ("SYNTAX_ERROR", 1, Invalid, Statement),
    ("ABANDONED_QUERY", 2, Unavailable, Killed),
    ("USER_CANCELED", 3, Unavailable, Killed),
    ("PERMISSION_DENIED", 4, Denied, Permission),
    ("NOT_FOUND", 5, Missing, Name),
    ("FUNCTION_NOT_FOUND", 6, Invalid, Statement),
    ("INVALID_FUNCTION_ARGUMENT", 7, Invalid, Statement),
    ("DIVISION_BY_ZERO", 8, Invalid, Statement),
    ("INVALID_CAST_ARGUMENT", 9, Invalid, Statement),
    ("OPERATOR_NOT_FOUND", 10, Invalid, Statement),
    ("INVALID_VIEW", 11, Invalid, View),
    ("ALREADY_EXISTS", 12, Invalid, Statement),
    ("NOT_SUPPORTED", 13, Invalid, Statement),
    ("INVALID_SESSION_PROPERTY", 14, Invalid, Session),
    ("INVALID_WINDOW_FRAME", 15, Invalid, Statement),
    ("CONSTRAINT_VIOLATION", 16, Invalid, Statement),
    ("TRANSACTION_CONFLICT", 17, Unavailable, Wait),
    ("INVALID_TABLE_PROPERTY", 18, Invalid, Statement),
    ("NUMERIC_VALUE_OUT_OF_RANGE", 19, Invalid, Statement),
    ("UNKNOWN_TRANSACTION", 20, Unavailable, Wait),
    ("NOT_IN_TRANSACTION", 21, Invalid, Statement),
    ("TRANSACTION_ALREADY_ABORTED", 22, Unavailable, Wait),
    ("READ_ONLY_VIOLATION", 23, Invalid, Statement),
    ("MULTI_CATALOG_WRITE_CONFLICT", 24, Invalid, Statement),
    ("AUTOCOMMIT_WRITE_CONFLICT", 25, Invalid, Statement),
    ("UNSUPPORTED_ISOLATION_LEVEL", 26, Invalid, Statement),
    ("INCOMPATIBLE_CLIENT", 27, Invalid, Statement),
    ("SUBQUERY_MULTIPLE_ROWS", 28, Invalid, Statement),
    ("PROCEDURE_NOT_FOUND", 29, Invalid, Statement),
    ("INVALID_PROCEDURE_ARGUMENT", 30, Invalid, Statement),
    ("QUERY_REJECTED", 31, Unavailable, Group),
    ("AMBIGUOUS_FUNCTION_CALL", 32, Invalid, Statement),
    ("INVALID_SCHEMA_PROPERTY", 33, Invalid, Statement),
    ("SCHEMA_NOT_EMPTY", 34, Invalid, Statement),
    ("QUERY_TEXT_TOO_LARGE", 35, Invalid, Statement),
    ("UNSUPPORTED_SUBQUERY", 36, Invalid, Statement),
    ("EXCEEDED_FUNCTION_MEMORY_LIMIT", 37, Unavailable, Limit),
    ("ADMINISTRATIVELY_KILLED", 38, Unavailable, Killed),
    ("INVALID_COLUMN_PROPERTY", 39, Invalid, Statement),
    ("QUERY_HAS_TOO_MANY_STAGES", 40, Invalid, Statement),
    ("INVALID_SPATIAL_PARTITIONING", 41, Invalid, Statement),
    ("INVALID_ANALYZE_PROPERTY", 42, Invalid, Statement),
    ("TYPE_NOT_FOUND", 43, Invalid, Statement),
    ("CATALOG_NOT_FOUND", 44, Missing, Name),
    ("SCHEMA_NOT_FOUND", 45, Missing, Name),
    ("TABLE_NOT_FOUND", 46, Missing, Name),
    ("COLUMN_NOT_FOUND", 47, Missing, Name),
    ("ROLE_NOT_FOUND", 48, Missing, Role),
    ("SCHEMA_ALREADY_EXISTS", 49, Invalid, Statement),
    ("TABLE_ALREADY_EXISTS", 50, Invalid, Statement),
    ("COLUMN_ALREADY_EXISTS", 51, Invalid, Statement),
    ("ROLE_ALREADY_EXISTS", 52, Invalid, Statement),
    ("DUPLICATE_NAMED_QUERY", 53, Invalid, Statement),
    ("DUPLICATE_COLUMN_NAME", 54, Invalid, Statement),
    ("MISSING_COLUMN_NAME", 55, Invalid, Statement),
    ("MISSING_CATALOG_NAME", 56, Invalid, Statement),
    ("MISSING_SCHEMA_NAME", 57, Invalid, Statement),
    ("TYPE_MISMATCH", 58, Invalid, Statement),
    ("INVALID_LITERAL", 59, Invalid, Statement),
    ("COLUMN_TYPE_UNKNOWN", 60, Invalid, Statement),
    ("MISMATCHED_COLUMN_ALIASES", 61, Invalid, Statement),
    ("AMBIGUOUS_NAME", 62, Invalid, Statement),
    ("INVALID_COLUMN_REFERENCE", 63, Invalid, Statement),
    ("MISSING_GROUP_BY", 64, Invalid, Statement),
    ("MISSING_ORDER_BY", 65, Invalid, Statement),
    ("MISSING_OVER", 66, Invalid, Statement),
    ("NESTED_AGGREGATION", 67, Invalid, Statement),
    ("NESTED_WINDOW", 68, Invalid, Statement),
    ("EXPRESSION_NOT_IN_DISTINCT", 69, Invalid, Statement),
    ("TOO_MANY_GROUPING_SETS", 70, Invalid, Statement),
    ("FUNCTION_NOT_WINDOW", 71, Invalid, Statement),
    ("FUNCTION_NOT_AGGREGATE", 72, Invalid, Statement),
    ("EXPRESSION_NOT_AGGREGATE", 73, Invalid, Statement),
    ("EXPRESSION_NOT_SCALAR", 74, Invalid, Statement),
    ("EXPRESSION_NOT_CONSTANT", 75, Invalid, Statement),
    ("INVALID_ARGUMENTS", 76, Invalid, Statement),
    ("TOO_MANY_ARGUMENTS", 77, Invalid, Statement),
    ("INVALID_PRIVILEGE", 78, Invalid, Statement),
    ("DUPLICATE_PROPERTY", 79, Invalid, Statement),
    ("INVALID_PARAMETER_USAGE", 80, Invalid, Statement),
    ("VIEW_IS_STALE", 81, Invalid, View),
    ("VIEW_IS_RECURSIVE", 82, Invalid, View),
    ("NULL_TREATMENT_NOT_ALLOWED", 83, Invalid, Statement),
    ("INVALID_ROW_FILTER", 84, Invalid, Filter),
    ("INVALID_COLUMN_MASK", 85, Invalid, Filter),
    ("MISSING_TABLE", 86, Invalid, Statement),
    ("INVALID_RECURSIVE_REFERENCE", 87, Invalid, Statement),
    ("MISSING_COLUMN_ALIASES", 88, Invalid, Statement),
    ("NESTED_RECURSIVE", 89, Invalid, Statement),
    ("INVALID_LIMIT_CLAUSE", 90, Invalid, Statement),
    ("INVALID_ORDER_BY", 91, Invalid, Statement),
    ("DUPLICATE_WINDOW_NAME", 92, Invalid, Statement),
    ("INVALID_WINDOW_REFERENCE", 93, Invalid, Statement),
    ("INVALID_PARTITION_BY", 94, Invalid, Statement),
    ("INVALID_MATERIALIZED_VIEW_PROPERTY", 95, Invalid, View),
    ("INVALID_LABEL", 96, Invalid, Statement),
    ("INVALID_PROCESSING_MODE", 97, Invalid, Statement),
    ("INVALID_NAVIGATION_NESTING", 98, Invalid, Statement),
    ("INVALID_ROW_PATTERN", 99, Invalid, Statement),
    ("NESTED_ROW_PATTERN_RECOGNITION", 100, Invalid, Statement),
    ("TABLE_HAS_NO_COLUMNS", 101, Invalid, Name),
    ("INVALID_RANGE", 102, Invalid, Statement),
    ("INVALID_PATTERN_RECOGNITION_FUNCTION", 103, Invalid, Statement),
    ("TABLE_REDIRECTION_ERROR", 104, Invalid, View),
    ("MISSING_VARIABLE_DEFINITIONS", 105, Invalid, Statement),
    ("MISSING_ROW_PATTERN", 106, Invalid, Statement),
    ("INVALID_WINDOW_MEASURE", 107, Invalid, Statement),
    ("STACK_OVERFLOW", 108, Unavailable, Log),
    ("MISSING_RETURN_TYPE", 109, Invalid, Statement),
    ("AMBIGUOUS_RETURN_TYPE", 110, Invalid, Statement),
    ("MISSING_ARGUMENT", 111, Invalid, Statement),
    ("DUPLICATE_PARAMETER_NAME", 112, Invalid, Statement),
    ("INVALID_PATH", 113, Invalid, Statement),
    ("JSON_INPUT_CONVERSION_ERROR", 114, Invalid, Statement),
    ("JSON_OUTPUT_CONVERSION_ERROR", 115, Invalid, Statement),
    ("PATH_EVALUATION_ERROR", 116, Invalid, Statement),
    ("INVALID_JSON_LITERAL", 117, Invalid, Statement),
    ("JSON_VALUE_RESULT_ERROR", 118, Invalid, Statement),
    ("MERGE_TARGET_ROW_MULTIPLE_MATCHES", 119, Invalid, Statement),
    ("INVALID_COPARTITIONING", 120, Invalid, Statement),
    ("INVALID_TABLE_FUNCTION_INVOCATION", 121, Invalid, Statement),
    ("DUPLICATE_RANGE_VARIABLE", 122, Invalid, Statement),
    ("INVALID_CHECK_CONSTRAINT", 123, Invalid, Filter),
    ("INVALID_CATALOG_PROPERTY", 124, Invalid, Configuration),
    ("CATALOG_UNAVAILABLE", 125, Unavailable, Catalog),
    ("MISSING_RETURN", 126, Invalid, Statement),
    ("DUPLICATE_COLUMN_OR_PATH_NAME", 127, Invalid, Statement),
    ("MISSING_PATH_NAME", 128, Invalid, Statement),
    ("INVALID_PLAN", 129, Invalid, Statement),
    ("INVALID_VIEW_PROPERTY", 130, Invalid, View),
    ("INVALID_ENTITY_KIND", 131, Invalid, Statement),
    ("QUERY_EXCEEDED_COMPILER_LIMIT", 132, Unavailable, Limit),
    ("INVALID_FUNCTION_PROPERTY", 133, Invalid, Statement),
    ("GENERIC_INTERNAL_ERROR", 65_536, Unavailable, Log),
    ("TOO_MANY_REQUESTS_FAILED", 65_537, Unavailable, Workers),
    ("PAGE_TOO_LARGE", 65_538, Unavailable, Log),
    ("PAGE_TRANSPORT_ERROR", 65_539, Unavailable, Workers),
    ("PAGE_TRANSPORT_TIMEOUT", 65_540, Unavailable, Workers),
    ("NO_NODES_AVAILABLE", 65_541, Unavailable, Workers),
    ("REMOTE_TASK_ERROR", 65_542, Unavailable, Workers),
    ("COMPILER_ERROR", 65_543, Unavailable, Log),
    ("REMOTE_TASK_MISMATCH", 65_544, Unavailable, Workers),
    ("SERVER_SHUTTING_DOWN", 65_545, Unavailable, Wait),
    ("FUNCTION_IMPLEMENTATION_MISSING", 65_546, Unavailable, Log),
    ("REMOTE_BUFFER_CLOSE_FAILED", 65_547, Unavailable, Workers),
    ("SERVER_STARTING_UP", 65_548, Unavailable, Wait),
    ("FUNCTION_IMPLEMENTATION_ERROR", 65_549, Unavailable, Log),
    ("INVALID_PROCEDURE_DEFINITION", 65_550, Unavailable, Log),
    ("PROCEDURE_CALL_FAILED", 65_551, Unavailable, Log),
    ("AMBIGUOUS_FUNCTION_IMPLEMENTATION", 65_552, Unavailable, Log),
    ("ABANDONED_TASK", 65_553, Unavailable, Workers),
    ("CORRUPT_SERIALIZED_IDENTITY", 65_554, Unavailable, Log),
    ("CORRUPT_PAGE", 65_555, Unavailable, Log),
    ("OPTIMIZER_TIMEOUT", 65_556, Unavailable, Limit),
    ("OUT_OF_SPILL_SPACE", 65_557, Unavailable, Limit),
    ("REMOTE_HOST_GONE", 65_558, Unavailable, Workers),
    ("CONFIGURATION_INVALID", 65_559, Invalid, Configuration),
    ("CONFIGURATION_UNAVAILABLE", 65_560, Unavailable, Configuration),
    ("INVALID_RESOURCE_GROUP", 65_561, Invalid, Group),
    ("SERIALIZATION_ERROR", 65_562, Unavailable, Log),
    ("REMOTE_TASK_FAILED", 65_563, Unavailable, Workers),
    ("EXCHANGE_MANAGER_NOT_CONFIGURED", 65_564, Unavailable, Configuration),
    ("CATALOG_NOT_AVAILABLE", 65_565, Unavailable, Catalog),
    ("CATALOG_STORE_ERROR", 65_566, Unavailable, Configuration),
    ("GENERIC_INSUFFICIENT_RESOURCES", 131_072, Unavailable, Workers),
    ("EXCEEDED_GLOBAL_MEMORY_LIMIT", 131_073, Unavailable, Limit),
    ("QUERY_QUEUE_FULL", 131_074, Throttled, Queue),
    ("EXCEEDED_TIME_LIMIT", 131_075, Unavailable, Limit),
    ("CLUSTER_OUT_OF_MEMORY", 131_076, Unavailable, Limit),
    ("EXCEEDED_CPU_LIMIT", 131_077, Unavailable, Limit),
    ("EXCEEDED_SPILL_LIMIT", 131_078, Unavailable, Limit),
    ("EXCEEDED_LOCAL_MEMORY_LIMIT", 131_079, Unavailable, Limit),
    ("ADMINISTRATIVELY_PREEMPTED", 131_080, Unavailable, Killed),
    ("EXCEEDED_SCAN_LIMIT", 131_081, Unavailable, Limit),
    ("EXCEEDED_TASK_DESCRIPTOR_STORAGE_CAPACITY", 131_082, Unavailable, Limit),
    ("UNSUPPORTED_TABLE_TYPE", 133_001, Invalid, Name),
];

#[cfg(test)]
mod tests {
    use super::*;

    /// Compares the table with the list of a real server.
    #[test]
    fn every_error_of_the_server_has_a_class_and_a_remedy() {
        let listed = include_str!("testcases/codes-476.txt");
        let listed = listed.lines().filter(|line| !line.starts_with('#'));
        let listed: Vec<_> = listed.map(|line| line.split_once(' ').unwrap()).collect();
        assert_eq!(listed.len(), 177);
        let numbers = listed.iter().map(|(_, rest)| rest.split(' ').next().unwrap());
        let known = CODES.iter().map(|(_, number, ..)| number.to_string());
        assert!(numbers.eq(known), "other numbers than those of the server");
        for ((name, rest), code) in listed.iter().zip(CODES) {
            assert_eq!(code.0, *name);
            assert_eq!(find(name, None), Some(code));
            assert_eq!(find("", Some(code.1)), Some(code));
            assert_eq!(find(name, Some(-1)), Some(code), "the name decides");
            let is_passing = !matches!(code.2, Denied | Invalid | Missing);
            let is_user = rest.ends_with("USER_ERROR");
            assert!(is_user || is_passing || code.3 != Log, "{name} is of the server");
        }
        assert_eq!(find("NEW_ERROR", Some(4)), None);
        assert_eq!(find("", Some(-1)), None);
    }

    #[test]
    fn errors_that_pass_by_themselves_are_transient() {
        for name in [
            "ABANDONED_QUERY",
            "USER_CANCELED",
            "ADMINISTRATIVELY_KILLED",
            "QUERY_REJECTED",
            "TRANSACTION_CONFLICT",
            "UNKNOWN_TRANSACTION",
            "CATALOG_UNAVAILABLE",
            "GENERIC_INTERNAL_ERROR",
            "NO_NODES_AVAILABLE",
            "SERVER_STARTING_UP",
            "SERVER_SHUTTING_DOWN",
            "REMOTE_HOST_GONE",
            "QUERY_QUEUE_FULL",
            "CLUSTER_OUT_OF_MEMORY",
            "EXCEEDED_TIME_LIMIT",
            "GENERIC_INSUFFICIENT_RESOURCES",
        ] {
            let (_, _, class, _) = find(name, None).unwrap();
            assert!(!class.is_definitive(), "{name}");
        }
    }
}
