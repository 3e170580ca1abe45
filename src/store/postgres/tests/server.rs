//! Databases that cannot be used as they are: the error says what to do.

use crate::store::conformance::server::Database;
use crate::store::{Opening, Store, StoreError};

/// Returns what is said of a database on which these statements of its administrator were run.
async fn said_after(statements: &str) -> String {
    let database = Database::create();
    database.administer(&statements.replace("NAME", database.name()));
    match Store::open_as(&database.location(), &Opening::default()).await {
        Err(StoreError::Server { problem, .. }) => problem,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn error_for_a_role_that_may_not_create_the_schema_names_the_grant() {
    let problem = said_after("ALTER DATABASE NAME OWNER TO CURRENT_USER").await;
    assert!(problem.contains("GRANT CREATE ON DATABASE"), "{problem}");
}

#[tokio::test]
async fn schema_of_another_program_is_left_alone() {
    let problem = said_after("CREATE SCHEMA revalidated AUTHORIZATION revalidated").await;
    assert!(problem.contains("not of this program"), "{problem}");
}
