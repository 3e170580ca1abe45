//! Grants of a configuration, and what a principal has beyond them.

use super::super::grants::GRANTS;
use super::*;
use crate::domain::Observed;
use crate::platforms::{Form, State, documents, judged, needs};

#[tokio::test]
async fn permissions_that_give_much_are_asked_for_and_listed() {
    let dir = tempfile::tempdir().unwrap();
    let (server, config) = served("all-well", dir.path()).await;
    let validator = validator(&PLATFORM, &config);
    let found = validator.surplus(&context(Mode::Recurring), &Observed::default()).await;
    let found: Vec<_> = found.found.into_iter().map(|one| one.what).collect();
    let expected = [
        "bigquery.tables.getData on project example-project",
        "resourcemanager.projects.setIamPolicy on project example-project",
    ];
    assert_eq!(found, expected);
    assert_eq!(count(&server, "beyond"), 1);
    server.seen().iter().for_each(check_request);
}

#[tokio::test]
async fn missing_permission_is_a_missing_grant() {
    let dir = tempfile::tempdir().unwrap();
    let (_server, config) = served("permissions-missing", dir.path()).await;
    let validator = validator(&PLATFORM, &config);
    let report = validator.validate(&context(Mode::Recurring)).await.report;
    let needs = needs(GRANTS, &validator.names());
    let states = judged(&needs, &report);
    for (need, (state, _)) in needs.iter().zip(&states) {
        let is_missing = report.tests.iter().any(|result| {
            let finding = result.outcome.finding();
            finding.is_some_and(|one| one.message.contains(&format!("permission [{}]", need.text)))
        });
        assert_eq!(*state == State::Missing, is_missing, "{}: {report:?}", need.text);
    }
    assert!(states.iter().any(|(state, _)| *state == State::Missing), "{report:?}");
}

#[tokio::test]
async fn permission_that_depends_on_a_group_may_be_missing() {
    let dir = tempfile::tempdir().unwrap();
    let (_server, config) = served("permissions-of-a-group", dir.path()).await;
    let validator = validator(&PLATFORM, &config);
    let report = validator.validate(&context(Mode::Recurring)).await.report;
    let needs = needs(GRANTS, &validator.names());
    let states = judged(&needs, &report);
    let of_tables = needs.iter().zip(&states).filter(|(need, _)| {
        need.grant.only.is_empty() && need.text.starts_with("bigquery.tables.")
    });
    let of_tables: Vec<_> = of_tables.map(|(_, (state, _))| *state).collect();
    assert_eq!(of_tables, [State::Suspect; 5], "{report:?}");
}

#[tokio::test]
async fn custom_role_has_the_permissions_of_every_run_and_the_account_of_the_key() {
    let dir = tempfile::tempdir().unwrap();
    let (_server, config) = served("all-well", dir.path()).await;
    let names = validator(&PLATFORM, &config).names();
    let all = needs(GRANTS, &names);
    let found = documents(&all, &names);
    assert_eq!(found.len(), 1, "{found:?}");
    let (create, bind) = found[0].text.split_once('\n').unwrap();
    let create = create.split_once(" --permissions=").unwrap();
    assert_eq!(create.0, "gcloud iam roles create revalidated --project=example-project");
    let expected = "bigquery.jobs.create,bigquery.datasets.get,bigquery.datasets.delete,\
        bigquery.tables.create,bigquery.tables.delete,bigquery.tables.get,\
        bigquery.tables.updateData,bigquery.tables.update";
    assert_eq!(create.1, expected);
    let member = "serviceAccount:immuta@example-project.iam.gserviceaccount.com";
    assert!(bind.contains(&format!("--member='{member}'")), "{bind}");
    assert_eq!(found[0].form, Form::Permission);
}

#[tokio::test]
async fn principal_without_a_known_name_is_left_to_people() {
    let table = [
        (
            json!({ "authenticationType": "metadataServer", "projectId": "p-roject", "dataset": "d" }),
            "serviceAccount:<service account>",
        ),
        (
            json!({ "authenticationType": "metadataServer", "dataset": "d",
            "projectId": "p-roject", "serviceAccount": "a@p-roject.iam.gserviceaccount.com" }),
            "serviceAccount:a@p-roject.iam.gserviceaccount.com",
        ),
    ];
    for (config, member) in table {
        let names = validator(&PLATFORM, &config).names();
        assert_eq!(names.of("MEMBER"), [member]);
        assert_eq!(names.of("PROJECT"), ["p-roject"]);
    }
}
