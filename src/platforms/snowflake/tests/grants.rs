//! Grants of a configuration, and what a role has beyond them.

use super::*;
use crate::domain::Observed;
use crate::platforms::testing::config;
use crate::platforms::{State, judged, needs};

fn texts(config: &Json) -> Vec<String> {
    let names = snowflake(config).names();
    needs(GRANTS, &names).into_iter().map(|need| need.text).collect()
}

#[test]
fn grants_have_the_names_of_the_configuration() {
    let config = minimal(&json!({ "warehouse": "\"my wh\"", "role": "r" }));
    let token = [
        "GRANT ROLE \"R\" TO USER <user>;",
        "GRANT USAGE ON WAREHOUSE \"my wh\" TO ROLE \"R\";",
        "GRANT USAGE ON DATABASE \"IMMUTA\" TO ROLE \"R\";",
    ];
    assert_eq!(texts(&config), token);
    let without = texts(&minimal(&json!({})));
    assert_eq!(without[0], "GRANT USAGE ON WAREHOUSE \"WH\" TO ROLE <role>;");
    let bootstrap = json!({ "role": "setup", "authenticationType": "programmaticAccessToken",
        "token": { "env": "T" } });
    let with = texts(&minimal(&json!({ "bootstrap": bootstrap })));
    assert!(with[2].ends_with("ON ACCOUNT TO ROLE \"SETUP\" WITH GRANT OPTION;"), "{with:?}");
    assert_eq!(with[3], "GRANT ROLE \"SETUP\" TO USER <user>;");
}

/// A server that answers as the case does, with the validator for it.
async fn served(case: &str) -> (Server, Box<dyn Validator>, tempfile::TempDir) {
    let dir = tempfile::tempdir().unwrap();
    let folder = cases("snowflake").join(case);
    let server = Server::start(&SUBJECT, &folder, None).await;
    let read = |case: &str| {
        std::fs::read_to_string(cases("snowflake").join(case).join("integration.json"))
    };
    let given = read(case).or_else(|_none| read("all-well")).unwrap();
    let config = config(&serde_json::from_str(&given).unwrap(), &server, dir.path());
    (server, of_case(&config), dir)
}

#[tokio::test]
async fn rights_beyond_the_needs_are_listed_with_what_takes_them_away() {
    let (server, validator, _dir) = served("all-well").await;
    let found = validator.surplus(&context(Mode::Recurring), &Observed::default()).await;
    let lines = found.found.into_iter().map(|one| (one.what, one.revoke.unwrap_or_default()));
    let lines: Vec<_> = lines.collect();
    let line = |what: &str, revoke: &str| (what.to_owned(), revoke.to_owned());
    let of = "FROM ROLE \"IMMUTA_SYSTEM\";";
    let expected = [
        line(
            "OPERATE on WAREHOUSE IMMUTA_WH",
            &format!("REVOKE OPERATE ON WAREHOUSE \"IMMUTA_WH\" {of}"),
        ),
        line("MANAGE GRANTS on the account", &format!("REVOKE MANAGE GRANTS ON ACCOUNT {of}")),
        line(
            "role ACCOUNTADMIN, which has every privilege",
            &format!("REVOKE ROLE \"ACCOUNTADMIN\" {of}"),
        ),
        line(
            "SELECT on TABLE SALES.PUBLIC.\"Orders\"",
            &format!("REVOKE SELECT ON TABLE SALES.PUBLIC.\"Orders\" {of}"),
        ),
        line("ownership of SCHEMA IMMUTA.IMMUTA_POLICIES", ""),
    ];
    assert_eq!(lines, expected);
    server.seen().iter().for_each(check_request);
    assert!(server.seen().iter().any(|seen| asked_for(seen).as_deref() == Some("own-grants")));
}

#[tokio::test]
async fn refused_case_names_the_grant_that_is_missing() {
    let warehouse = "GRANT USAGE ON WAREHOUSE \"IMMUTA_WH\" TO ROLE \"IMMUTA_SYSTEM\";";
    let role = "GRANT ROLE \"IMMUTA_SYSTEM\" TO USER IMMUTA_SYSTEM_ACCOUNT;";
    let database = "GRANT USAGE ON DATABASE \"IMMUTA\" TO ROLE \"IMMUTA_SYSTEM\";";
    let table = [
        ("all-well", None),
        ("warehouse-not-granted", Some(warehouse)),
        ("database-and-role-missing", Some(database)),
        ("role-not-granted", Some(role)),
    ];
    for (case, expected) in table {
        let (_server, validator, _dir) = served(case).await;
        let report = validator.validate(&context(Mode::Recurring)).await.report;
        let needs = needs(GRANTS, &validator.names());
        let states = judged(&needs, &report);
        let missing = needs.iter().zip(&states).filter(|(_, (state, _))| *state == State::Missing);
        let missing: Vec<_> = missing.map(|(need, _)| need.text.as_str()).collect();
        assert_eq!(missing.first().copied(), expected, "{case}: {report:?}");
        assert!(missing.len() <= 1, "{case}: {missing:?}");
    }
}
