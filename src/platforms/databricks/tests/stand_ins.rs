//! Databricks tests against minilake, an emulator.

use super::*;
use crate::platforms::needs;

/// Running minilake with its address.
struct Lake {
    endpoint: String,
    _server: StandIn,
}

impl Lake {
    fn start() -> Self {
        let server = StandIn::start("minilake");
        Self { endpoint: server.value("endpoint").to_owned(), _server: server }
    }

    /// Changes something there by its own interface.
    async fn change(&self, method: &str, path: &str, body: Json) -> Json {
        let client = client(&HttpOptions::default()).unwrap();
        let sent = client
            .request(method.parse().unwrap(), format!("{}{path}", self.endpoint))
            .header("content-type", "application/json")
            .body(body.to_string())
            .send()
            .await
            .unwrap();
        assert!(sent.status().is_success(), "{method} {path}: {}", sent.status());
        let body = crate::net::http::read_capped(sent, 100_000).await.unwrap();
        serde_json::from_slice(&body).unwrap()
    }

    async fn unity(&self, method: &str, path: &str, body: Json) {
        self.change(method, &format!("/api/2.1/unity-catalog/{path}"), body).await;
    }

    async fn report(&self, changes: &Json) -> Report {
        let mut config = json!({
            "workspaceUrl": self.endpoint, "authenticationType": "token",
            "token": "hunter2-token", "catalog": "immuta",
            "expectedObjects": ["policies", "policies.masking"],
        });
        for (key, value) in changes.as_object().unwrap() {
            config[key] = value.clone();
        }
        integration(&config).validate(&context(Mode::Recurring)).await.report
    }
}

#[tokio::test]
async fn catalogs_grants_and_warehouses_of_minilake_are_seen_as_they_are() {
    use ReportStatus::{Failed, Passed, Warning};
    let lake = Lake::start();
    let missing = "Encountered an error looking up catalog metadata for catalog [immuta]. \
        [immuta.policies], [immuta.policies.masking] were not found.";
    let report = lake.report(&json!({})).await;
    let none = outcome(&report, MANUAL);
    assert!(none.0 == Failed && none.1.contains("Catalog 'immuta' not found"), "{none:?}");
    assert_eq!(report.class(), Some(Class::Missing));
    lake.unity("POST", "catalogs", json!({ "name": "immuta" })).await;
    assert_eq!(outcome(&lake.report(&json!({})).await, MANUAL), (Failed, missing.to_owned()));
    lake.unity("POST", "schemas", json!({ "name": "policies", "catalog_name": "immuta" })).await;
    let table = json!({
        "name": "masking", "catalog_name": "immuta", "schema_name": "policies",
        "table_type": "MANAGED", "data_source_format": "DELTA",
        "columns": [{ "name": "id", "type_name": "INT", "type_text": "int", "position": 0 }],
    });
    lake.unity("POST", "tables", table).await;
    let report = lake.report(&json!({})).await;
    let found = outcome(&report, BASIC).1;
    assert!(found.ends_with("as [minilake-user]."), "{found}");
    assert_eq!(outcome(&report, MANUAL), (Passed, String::new()));
    assert_eq!(report.status(), Passed, "{report:?}");
    let automatic = lake.report(&json!({ "autoBootstrap": true })).await;
    assert_eq!(outcome(&automatic, PRESENT), (Passed, String::new()));

    privileges(&lake).await;
    let changed = lake.report(&json!({ "metastoreId": "another" })).await;
    assert_eq!(outcome(&changed, METASTORE).0, Warning);
    let audited = lake.report(&json!({ "audit": { "enabled": true } })).await;
    let audit = "Audit table [system.access.audit] was not found.";
    assert_eq!(outcome(&audited, AUDIT), (Warning, audit.to_owned()));
    warehouses(&lake).await;
}

/// Every catalog there is owned by the one user there is, so the grants are asked for directly.
async fn privileges(lake: &Lake) {
    let config = json!({
        "workspaceUrl": lake.endpoint, "authenticationType": "token", "token": "hunter2-token",
    });
    let value = Value::from_json(&config, &"f".into());
    let faults = Faults::default();
    let config = config::parse(Reader::new(&value, "config", &faults).unwrap()).unwrap();
    let lakehouse =
        Databricks { config, auto_bootstrap: false, expiry: CredentialExpiry::default() };
    let run = context(Mode::Recurring);
    let session =
        lakehouse.session(&run, &mut crate::platforms::Seen::default()).await.unwrap().value;
    let found = async || {
        let client = lakehouse.client(&session.connections, &run);
        let held =
            lakehouse.privileges(client, &session, &mut crate::platforms::Seen::default()).await;
        held.map(|held| held.warning).map_err(|finding| {
            let all = needs(GRANTS, &lakehouse.names());
            let named = all.into_iter().filter(|need| need.is_named(&finding));
            let named: Vec<_> = named.map(|need| need.text).collect();
            (finding.message, finding.remediation, named)
        })
    };
    let grant = async |path: &str, privileges: Json| {
        let change = json!({ "principal": "minilake-user", "add": privileges });
        lake.unity("PATCH", &format!("permissions/{path}"), json!({ "changes": [change] })).await;
    };
    let some = json!(["USE_CATALOG", "SELECT", "CREATE_TABLE", "CREATE_SCHEMA"]);
    grant("catalog/immuta", some).await;
    let lacks = "Principal [minilake-user] lacks [USE_SCHEMA, MODIFY] on catalog [immuta].";
    let fix = "GRANT USE SCHEMA, MODIFY ON CATALOG `immuta` TO `minilake-user`;";
    let of = |privilege: &str| format!("GRANT {privilege} ON CATALOG `immuta` TO `<principal>`;");
    let named = vec![of("USE SCHEMA"), of("MODIFY")];
    assert_eq!(found().await, Err((lacks.to_owned(), Some(fix.to_owned()), named)));
    grant("catalog/immuta", json!(["USE_SCHEMA", "MODIFY"])).await;
    assert_eq!(found().await, Ok(None));
    grant("schema/immuta.policies", json!(["SELECT", "MANAGE"])).await;
    grant("table/immuta.policies.masking", json!(["APPLY_TAG"])).await;
    let observed = lakehouse.validate(&run).await.observed;
    let surplus = lakehouse.surplus(&run, &observed).await;
    let found: Vec<_> = surplus.found.iter().map(|one| one.what.as_str()).collect();
    let own = "owner of the metastore, who may do everything in it";
    let of = ["MANAGE on schema immuta.policies", "APPLY TAG on table immuta.policies.masking"];
    assert!(found.iter().filter(|what| **what != own).eq(&of), "{surplus:?}");
}

/// A warehouse is looked at and left as it is.
async fn warehouses(lake: &Lake) {
    let path = "/api/2.0/sql/warehouses";
    let made = json!({ "name": "lake", "cluster_size": "2X-Small" });
    let made = lake.change("POST", path, made).await;
    let id = made["id"].as_str().unwrap();
    let path = format!("{path}/{id}");
    lake.change("POST", &format!("{path}/stop"), json!({})).await;
    let config = |id: &str| json!({ "httpPath": format!("/sql/1.0/warehouses/{id}"), "checkWarehouse": true });
    assert_eq!(lake.report(&config(id)).await.status(), ReportStatus::Passed);
    let state = lake.change("GET", &path, json!({})).await;
    assert_eq!(state["state"], "STOPPED");
    let found = outcome(&lake.report(&config("none")).await, BASIC);
    assert_eq!(found.0, ReportStatus::Failed);
    assert!(found.1.ends_with("SQL warehouse [none] does not exist."), "{found:?}");
}
