//! Grants of a configuration on a real `PostgreSQL`, as far as its SQL is that of Redshift.

use super::*;
use crate::domain::{Fact, Observed};
use crate::platforms::{Form, State, documents, judged, needs};

#[tokio::test]
async fn printed_statements_are_enough_and_a_revoked_one_is_named() {
    let server = Server::start(&[]);
    server.sql("postgres", "CREATE DATABASE immuta; CREATE GROUP immuta_impersonation;");
    let changes = json!({ "username": "fresh \"user\"", "password": "pw-fresh",
        "impersonation": { "enabled": true } });
    let redshift = server.redshift(changes);
    let names = redshift.names();
    let all = needs(GRANTS, &names);
    let sql = documents(&all, &names).into_iter().find(|one| one.form == Form::Sql).unwrap();
    assert_eq!(sql.text, "CREATE USER \"fresh \"\"user\"\"\" PASSWORD '<password>';");
    server.sql("postgres", &sql.text.replace("<password>", "pw-fresh"));
    let report = recurring(&*redshift).await;
    let states = |report: &Report| -> Vec<_> {
        judged(&all, report).into_iter().map(|(state, _)| state).collect()
    };
    // The others are needed in situations alone.
    assert_eq!(states(&report), [State::Present, State::Unknown, State::Unknown], "{report:?}");
    server.sql("postgres", "REVOKE CONNECT ON DATABASE immuta FROM PUBLIC");
    let report = recurring(&*redshift).await;
    assert_eq!(states(&report)[1], State::Missing, "{report:?}");
    let usage = "GRANT USAGE ON DATABASE \"immuta\" TO \"fresh \"\"user\"\"\";";
    assert_eq!(all[1].text, usage);
    server.sql(
        "postgres",
        "GRANT CONNECT ON DATABASE immuta TO PUBLIC; DROP GROUP immuta_impersonation",
    );
    let report = recurring(&*redshift).await;
    assert_eq!(states(&report)[2], State::Missing, "{report:?}");
    let role = "GRANT ROLE \"immuta_impersonation\" TO \"fresh \"\"user\"\"\";";
    assert_eq!(all[2].text, role);
}

#[tokio::test]
async fn superuser_and_right_to_create_databases_are_more_than_is_needed() {
    let server = Server::shared();
    server.sql("postgres", "CREATE ROLE u_much LOGIN PASSWORD 'pw-much' NOCREATEDB");
    let redshift = server.redshift(json!({ "username": "u_much", "password": "pw-much" }));
    let mut observed = Observed::default();
    let run = context(Mode::Recurring);
    assert_eq!(redshift.surplus(&run, &observed).await.found, []);
    server.sql("postgres", "ALTER ROLE u_much CREATEDB");
    let fact = Fact { kind: FactKind::Grant, of: "immuta".to_owned() };
    observed.facts.insert(fact, ["superuser".to_owned()].into());
    let found = redshift.surplus(&run, &observed).await.found;
    let revoke: Vec<_> = found.iter().map(|one| one.revoke.as_deref().unwrap()).collect();
    let expected = ["ALTER USER \"u_much\" NOCREATEUSER;", "ALTER USER \"u_much\" NOCREATEDB;"];
    assert_eq!(revoke, expected);
}

#[test]
fn policy_of_iam_names_the_user_the_cluster_and_the_database() {
    let changes = json!({
        "host": "lake.abc123.eu-west-1.redshift.amazonaws.com", "authenticationType": "accessKey",
        "username": null, "password": null, "databaseUser": "immuta",
        "awsRoleToAssume": "arn:aws:iam::123456789012:role/reader", "externalId": "lake:1",
    });
    let names = redshift(5439, Path::new("/ca.pem"), changes).names();
    let texts: Vec<_> = needs(GRANTS, &names).into_iter().map(|need| need.text).collect();
    assert_eq!(texts[0], "CREATE USER \"immuta\" PASSWORD DISABLE;");
    let user = "arn:aws:redshift:eu-west-1:123456789012:dbuser:lake/immuta";
    let policy: Json = serde_json::from_str(&texts[2]).unwrap();
    assert_eq!(policy["Resource"][0], user);
    let role: Json = serde_json::from_str(&texts[3]).unwrap();
    assert_eq!(role["Resource"], "arn:aws:iam::123456789012:role/reader");
    let trust: Json = serde_json::from_str(&texts[4]).unwrap();
    assert_eq!(trust["Condition"]["StringEquals"]["sts:ExternalId"], "lake:1");
    let all = needs(GRANTS, &names);
    let forms: Vec<_> = documents(&all, &names).into_iter().map(|one| one.form).collect();
    assert_eq!(forms, [Form::Sql, Form::Policy, Form::Caller, Form::Trust]);
}
