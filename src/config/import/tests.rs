//! Imports of single values: what is kept, what becomes a reference, what is said.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use serde_json::{Value as Json, json};

use super::*;
use crate::config::format::Format;

/// Returns the integrations of a text, the notes and the faults.
fn imported(form: Form, text: &str, changes: fn(&mut Source)) -> (Vec<Json>, Import, Vec<String>) {
    let mut source = Source {
        form,
        command: "import x".to_owned(),
        file: PathBuf::from("/x/t.csv"),
        text: Some(text.to_owned()),
        template: None,
        only: None,
        target: None,
        stem: None,
        variables: [("HOME", "/srv/u"), ("HOST", "h.example"), ("PASSWORD", "hunter2")]
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .into(),
    };
    changes(&mut source);
    let faults = Faults::default();
    let made = read(&source, &faults);
    let (entries, import) = made.into_import(&source, PathBuf::from("/d/t.toml"), &BTreeSet::new());
    let root = Format::Toml.parse(&import.text, "f").unwrap().to_json();
    let json: Vec<_> = entries.iter().map(|entry| entry.value.to_json()).collect();
    if !json.is_empty() {
        assert_eq!(root["integration"], json!(json), "the drop-in means the same");
    }
    let faults = faults.into_parts().0.iter().map(ToString::to_string).collect();
    (json, import, faults)
}

#[test]
fn variables_stay_references_where_they_are_secrets_and_are_looked_up_elsewhere() {
    let profile = r#"
shop:
  target: "{{ env_var('TARGET', 'prod') }}"
  outputs:
    prod:
      type: redshift
      host: "{{ env_var('HOST') }}"
      port: "{{ env_var('PORT', '5440') | as_number }}"
      dbname: "db_{{ env_var('HOST') }}"
      user: "{{ env_var(\"USERNAME\", 'u') }}"
      password: "{{ env_var('DB_PASSWORD') }}"
    dev: { type: redshift }
"#;
    let (json, import, faults) = imported(Form::Dbt, profile, |_same| {});
    assert_eq!(faults, [""; 0]);
    let config = json!({
        "host": "h.example", "port": 5440, "database": "db_h.example", "username": "u",
        "authenticationType": "userPassword", "password": { "env": "DB_PASSWORD" },
    });
    assert_eq!(json[0]["config"], config);
    assert_eq!(json[0]["name"], "shop-prod");
    assert!(import.notes[0].contains("only its default target prod"), "{:?}", import.notes);
    assert_eq!(import.needed[0].place, Place::Variable("DB_PASSWORD".to_owned()));
}

#[test]
fn missing_parts_of_a_profile_are_named() {
    let profile = |values: &str| {
        format!("a:\n  target: t\n  outputs:\n    t:\n      type: redshift\n      {values}\n")
    };
    let missing = profile("host: \"{{ env_var('NOWHERE') }}\"");
    let (_, _, faults) = imported(Form::Dbt, &missing, |_same| {});
    assert!(faults[0].contains("environment variable NOWHERE is not set"), "{faults:?}");
    let odd = profile("host: \"{{ var('x') }}\"");
    let (_, _, faults) = imported(Form::Dbt, &odd, |_same| {});
    assert!(faults[0].contains("[var('x')] is not understood"), "{faults:?}");
    let (_, _, faults) = imported(Form::Dbt, &odd, |source| source.only = Some("b".to_owned()));
    assert!(faults[0].contains("there is no profile \"b\"; known are: a"), "{faults:?}");
    let other = profile("host: h").replace("redshift", "postgres");
    let (_, _, faults) = imported(Form::Dbt, &other, |_same| {});
    assert!(faults[0].contains("nothing to import. a-t: left out: \"postgres\""), "{faults:?}");
}

#[test]
fn ways_to_log_in_that_take_a_person_are_left_out_with_what_to_use_instead() {
    let table = [
        ("type: snowflake\n      authenticator: externalbrowser", "takes a person"),
        ("type: snowflake\n      authenticator: oauth", "renewed by a person's"),
        ("type: redshift\n      method: browser_identity_center", "takes a person"),
        ("type: databricks\n      host: h\n      auth_type: oauth", "takes a person"),
        ("type: databricks\n      host: https://accounts.cloud.databricks.com", "of the account"),
        ("type: bigquery\n      method: oauth-secrets", "refresh token of a person"),
        ("type: trino\n      method: kerberos", "Kerberos is not supported"),
        ("type: trino\n      method: oauth", "signs in at a browser"),
        (
            "type: synapse\n      server: w.sql.azuresynapse.net\n      windows_login: true",
            "Windows",
        ),
        (
            "type: synapse\n      server: w.sql.azuresynapse.net\n      authentication: CLI",
            "takes a",
        ),
        ("type: sqlserver\n      server: sql.example.com", "is no server of Azure"),
    ];
    for (values, expected) in table {
        let text = format!("a:\n  target: t\n  outputs:\n    t:\n      {values}\n");
        let (json, import, _) = imported(Form::Dbt, &text, |_same| {});
        assert_eq!(json.len(), 0, "{values}");
        assert!(import.notes[0].contains(expected), "{values}: {:?}", import.notes);
    }
}

/// Asserts that connections, as they stand in `profiles.yml`, become these configurations.
fn assert_log_ins(table: &[(&str, Json)]) {
    for (values, expected) in table {
        let text = format!("a:\n  target: t\n  outputs:\n    t:\n      {values}\n");
        let (json, import, faults) = imported(Form::Dbt, &text, |_same| {});
        assert_eq!(faults, [""; 0], "{values}");
        assert_eq!(json[0]["config"], *expected, "{values}");
        assert!(!format!("{import:?}").contains("hunter2"), "{values}: {import:?}");
    }
}

#[test]
fn each_way_to_log_in_to_a_warehouse_has_its_counterpart() {
    assert_log_ins(&[
        (
            "type: snowflake\n      account: Org-Acc_1\n      private_key_path: ~/k.p8\n      private_key_passphrase: hunter2",
            json!({ "host": "org-acc-1.snowflakecomputing.com", "authenticationType": "keyPair",
                "privateKey": { "keyName": "PRIV_KEY_FILE", "userFilename": "k.p8",
                    "content": { "file": "/srv/u/k.p8" } },
                "privateKeyPassword": { "credential": "a-t-privateKeyPassword" } }),
        ),
        (
            "type: snowflake\n      account: xy1.eu-central-1\n      authenticator: programmatic_access_token\n      token: hunter2",
            json!({ "host": "xy1.eu-central-1.snowflakecomputing.com",
                "authenticationType": "programmaticAccessToken", "token": { "credential": "a-t-token" } }),
        ),
        (
            "type: redshift\n      method: iam\n      host: h\n      user: u\n      cluster_id: c\n      region: eu-west-1",
            json!({ "authenticationType": "accessKey", "host": "h", "databaseUser": "u",
                "clusterIdentifier": "c", "awsRegion": "eu-west-1" }),
        ),
        (
            "type: bigquery\n      method: service-account\n      project: p\n      dataset: d\n      keyfile: /k.json",
            json!({ "projectId": "p", "dataset": "d", "authenticationType": "serviceAccountKey",
                "credential": { "file": "/k.json" } }),
        ),
        (
            "type: bigquery\n      method: oauth\n      project: p",
            json!({ "projectId": "p", "authenticationType": "metadataServer" }),
        ),
        (
            "type: snowflake\n      account: x\n      authenticator: workload_identity\n      workload_identity_provider: azure",
            json!({ "host": "x.snowflakecomputing.com", "authenticationType": "workloadIdentity",
                "workloadIdentity": { "provider": "azure" } }),
        ),
        (
            "type: bigquery\n      method: service-account-json\n      project: p\n      keyfile_json: hunter2",
            json!({ "projectId": "p", "authenticationType": "serviceAccountKey",
                "credential": { "credential": "a-t-credential" } }),
        ),
    ]);
}

#[test]
fn each_way_to_log_in_to_an_engine_has_its_counterpart() {
    assert_log_ins(&[
        (
            "type: databricks\n      host: h\n      http_path: /p\n      auth_type: oauth\n      client_id: i\n      client_secret: hunter2",
            json!({ "workspaceUrl": "h", "httpPath": "/p", "authenticationType": "oAuthM2M",
                "oAuthClientConfig": { "clientId": "i", "clientSecret": { "credential": "a-t-clientSecret" } } }),
        ),
        (
            "type: trino\n      method: ldap\n      host: t\n      port: 8443\n      user: u\n      password: hunter2\n      database: lake\n      roles: { system: reader }",
            json!({ "authenticationType": "userPassword", "host": "t", "port": 8443, "username": "u",
                "password": { "credential": "a-t-password" }, "catalogs": ["lake"],
                "roles": { "system": "reader" } }),
        ),
        (
            "type: trino\n      method: certificate\n      host: t\n      client_certificate: /c\n      client_private_key: /k\n      cert: /ca",
            json!({ "authenticationType": "certificate", "host": "t", "tls": { "caFile": "/ca",
                "certificate": { "file": "/c" }, "key": { "file": "/k" } } }),
        ),
        (
            "type: synapse\n      server: tcp:w.sql.azuresynapse.net,1433\n      database: pool\n      schema: s\n      authentication: ServicePrincipal\n      tenant_id: t\n      client_id: i\n      client_secret: hunter2",
            json!({ "host": "w.sql.azuresynapse.net", "port": 1433, "database": "pool", "schema": "s",
                "authenticationType": "entraServicePrincipal", "azure": { "tenantId": "t",
                    "clientId": "i", "clientSecret": { "credential": "a-t-clientSecret" } } }),
        ),
        (
            "type: trino\n      method: jwt\n      host: t\n      jwt_token: hunter2",
            json!({ "authenticationType": "jwt", "host": "t", "token": { "credential": "a-t-token" } }),
        ),
        (
            "type: databricks\n      host: h\n      catalog: c\n      token: hunter2",
            json!({ "workspaceUrl": "h", "catalog": "c", "authenticationType": "token",
                "token": { "credential": "a-t-token" } }),
        ),
        (
            "type: synapse\n      server: w.sql.azuresynapse.net\n      database: pool\n      schema: s\n      authentication: ActiveDirectoryMsi",
            json!({ "host": "w.sql.azuresynapse.net", "database": "pool", "schema": "s",
                "authenticationType": "entraManagedIdentity" }),
        ),
    ]);
}

#[test]
fn answers_keep_their_ids_and_lose_their_secrets() {
    let answers = json!({ "integrations": [
        { "id": "5", "status": "recurringValidationError", "type": "Snowflake", "autoBootstrap": true,
          "validationResults": { "validationTests": [{ "name": "A", "status": "failed", "message": "no" }] },
          "config": { "authenticationType": "keyPair", "host": "h", "port": null,
              "privateKey": { "keyName": "K", "content": "[REDACTED]" } } },
        { "id": 6, "status": "disabled", "type": "Redshift", "config": { "password": "hunter2" } },
        { "id": 7, "status": "deleted", "type": "Redshift", "config": {} },
        { "id": 8, "type": "Google BigQuery", "config": { "name": "x", "dataset": "d" } },
    ] });
    let (json, import, faults) = imported(Form::Answers, &answers.to_string(), |source| {
        source.template = Some("eu".to_owned());
    });
    assert_eq!(faults, [""; 0]);
    let expected = json!([
        { "name": "snowflake-5", "type": "Snowflake", "id": "5", "autoBootstrap": true, "template": "eu",
          "config": { "authenticationType": "keyPair", "host": "h", "privateKey": { "keyName": "K",
              "content": { "credential": "snowflake-5-privateKey" } } } },
        { "name": "redshift-6", "type": "Redshift", "disabled": true, "id": 6, "template": "eu",
          "config": { "password": { "credential": "redshift-6-password" } } },
        { "name": "x", "type": "Google BigQuery", "id": 8, "template": "eu",
          "config": { "name": "x", "dataset": "d", "credential": { "credential": "x-credential" } } },
    ]);
    assert_eq!(json!(json), expected);
    assert!(import.notes.iter().any(|note| note == "redshift-7: left out, since it is deleted."));
    let in_clear: Vec<_> = import.needed.iter().filter(|one| one.is_in_clear).collect();
    assert!(in_clear.len() == 1 && in_clear[0].integration == "redshift-6", "{in_clear:?}");
    assert_eq!(import.previous[0].tests.len(), 1);
    assert!(!import.text.contains("hunter2"));
    for text in ["5", "{\"a\": 1}", "\"x\""] {
        let (_, _, faults) = imported(Form::Answers, text, |_same| {});
        assert!(faults[0].contains("expected a list of integrations"), "{text}: {faults:?}");
    }
    let (_, _, faults) = imported(Form::Answers, "[{\"id\": 1}]", |_same| {});
    assert!(faults[0].contains("type: missing"), "{faults:?}");
}

#[test]
fn keys_that_are_unknown_are_taken_out_and_named() {
    let text =
        json!([{ "id": 1, "type": "Redshift", "links": {}, "config": { "new": 1, "host": "h" } }]);
    let source = Source {
        form: Form::Answers,
        command: "import".to_owned(),
        file: PathBuf::from("a.json"),
        text: Some(text.to_string()),
        template: None,
        only: None,
        target: None,
        stem: None,
        variables: BTreeMap::new(),
    };
    let faults = Faults::default();
    let unknown = ["[0].links", "[0].config.new"].map(str::to_owned).into();
    let (entries, import) = read(&source, &faults).into_import(&source, PathBuf::new(), &unknown);
    let json = entries[0].value.to_json();
    let password = json!({ "credential": "redshift-1-password" });
    assert_eq!(json["config"], json!({ "host": "h", "password": password }));
    assert_eq!(import.notes, ["redshift-1: unknown keys left out: config.new, links."]);
}

#[test]
fn profiles_and_connections_are_read_with_their_lines() {
    let profiles = "; comment\n[DEFAULT]\n\n[prod]\nhost = https://w.example\ntoken = hunter2\n\
        cluster_id = 7\n[__settings__]\ndefault_profile = prod\n";
    let (json, import, faults) = imported(Form::Databricks, profiles, |_same| {});
    assert_eq!(faults, [""; 0]);
    assert_eq!((json.len(), json[0]["name"].as_str()), (1, Some("prod")));
    assert_eq!(json[0]["config"]["token"], json!({ "credential": "prod-token" }));
    assert_eq!(import.notes, ["prod: keys without use here: cluster_id."]);
    let (_, _, faults) = imported(Form::Databricks, "host = x\n", |_same| {});
    assert!(faults[0].contains("t.csv:1: expected [profile] or key = value"), "{faults:?}");
    let connections =
        "default_connection_name = \"a\"\n[connections.a]\naccount = \"x\"\nuser = \"u\"\n";
    let (json, ..) = imported(Form::Snowflake, connections, |_same| {});
    assert_eq!(json[0]["config"]["password"], json!({ "credential": "a-password" }));
    let (_, _, faults) = imported(Form::Snowflake, "[a\n", |_same| {});
    assert!(faults[0].starts_with("/x/t.csv:1: "), "{faults:?}");
}
