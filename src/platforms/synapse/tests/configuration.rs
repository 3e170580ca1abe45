//! Configuration keys: what they mean and what is wrong with them.

use super::*;

fn faults(changes: &Json) -> Vec<String> {
    parsed(&PLATFORM, &config_of("1433", "/ca.pem", changes)).1
}

#[test]
fn an_integration_is_identified_by_server_and_database() {
    let changes = json!({ "host": "WS.sql.azuresynapse.net", "database": "Pool" });
    let identity = validator(&PLATFORM, &config_of("1433", "/ca.pem", &changes)).identity();
    assert_eq!(identity.host, "ws.sql.azuresynapse.net:1433");
    assert_eq!(identity.target.as_deref(), Some("ws.sql.azuresynapse.net:1433/pool"));
    assert_eq!(identity.config_name, None);
}

/// Every change leads to the fault that begins as expected.
fn assert_faults<const N: usize>(table: [(Json, &str); N]) {
    for (changes, expected) in table {
        let found = faults(&changes);
        let expected = format!("case: config.{expected}");
        assert!(found.iter().any(|fault| fault.starts_with(&expected)), "{changes}: {found:?}");
    }
}

#[test]
fn each_mistake_is_named_exactly() {
    assert_faults([
        (json!({"host": null}), "host: missing; add `host`"),
        (json!({"database": null}), "database: missing; add `database`"),
        (json!({"schema": null}), "schema: missing; add `schema`"),
        (json!({"username": null}), "username: missing; add `username`"),
        (json!({"password": null}), "password: missing; add `password`"),
        (
            json!({"host": "tcp:ws,1433"}),
            "host: expected a host name or address alone, without scheme, port or path, found \
            \"tcp:ws,1433\"",
        ),
        (
            json!({"encryption": "off"}),
            "encryption: expected one of `required`, `strict`, found \"off\"",
        ),
        (
            json!({"pausedPool": "fail"}),
            "pausedPool: expected one of `warning`, `failed`, found \"fail\"; did you mean \
            `failed`?",
        ),
        (
            json!({"metadataDelimiters": {"hashDelimiter": ""}}),
            "metadataDelimiters.hashDelimiter: expected 1 to 16 characters, found \"\"",
        ),
        (
            json!({"impersonation": {"role": "a\nb"}}),
            "impersonation.role: expected a name of 1 to 128 characters without control \
            characters, found \"a\\nb\"",
        ),
        (json!({"trustServerCertificate": true}), "trustServerCertificate: unknown key; known"),
        (json!({"tls": {"verify": false}}), "tls.verify: unknown key"),
    ]);
}

#[test]
fn each_mistake_about_the_account_is_named_exactly() {
    let principal = |azure: Json| {
        json!({
            "authenticationType": "entraServicePrincipal", "username": null, "password": null,
            "azure": azure,
        })
    };
    assert_faults([
        (principal(Json::Null), "azure: missing; add `azure`"),
        (principal(json!({})), "azure.tenantId: missing; add `tenantId`"),
        (
            principal(json!({"tenantId": "t", "clientId": " ", "clientSecret": {"env": "S"}})),
            "azure.clientId: must not be empty",
        ),
        (
            principal(json!({
                "tenantId": "t", "clientId": "c", "clientSecret": {"env": "S"},
                "authority": "http://login.example.com",
            })),
            "azure.authority: must begin with https://",
        ),
        (
            json!({"authenticationType": "entraToken", "username": null, "password": null}),
            "token: missing; add `token`",
        ),
        (
            json!({"authenticationType": "token"}),
            "authenticationType: expected one of `userPassword`, `entraServicePrincipal`, \
            `entraManagedIdentity`, `entraToken`, found \"token\"",
        ),
        (
            json!({"authenticationType": "ActiveDirectoryInteractive"}),
            "authenticationType: `activeDirectoryInteractive` cannot be used: it takes the log-in of \
            a person; use `entraServicePrincipal`",
        ),
        (
            json!({
                "authenticationType": "entraManagedIdentity", "username": null, "password": null,
                "azure": {"metadataEndpoint": "no address"},
            }),
            "azure.metadataEndpoint: must be an address such as http://169.254.169.254",
        ),
    ]);
}

/// Stands for the file that the sample names: it is read with the configuration.
const PROXY_CA: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/target/synapse-sample-ca.pem");

#[test]
fn the_sample_and_its_commented_keys_are_accepted() {
    let uncommented = |way: &str| {
        let lines = PLATFORM.sample.lines().map(|line| {
            let bare = line.strip_prefix("# ").unwrap_or(line);
            let is_key = bare.starts_with('[') || bare.contains(" = ");
            let other_way = bare.starts_with("authenticationType") && !bare.contains(way);
            if is_key && !other_way { bare } else { "" }
        });
        lines.collect::<Vec<_>>().join("\n").replace("/etc/revalidated/proxy-ca.pem", PROXY_CA)
    };
    let pair = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    fs::write(PROXY_CA, pair.cert.pem()).unwrap();
    let mut texts = vec![PLATFORM.sample.to_owned()];
    let ways =
        ["\"userPassword", "\"entraServicePrincipal", "\"entraManagedIdentity", "\"entraToken"];
    texts.extend(ways.map(uncommented));
    for text in texts {
        let (validator, faults) = parsed(&PLATFORM, &sample_config(&PLATFORM, &text));
        assert_eq!(faults, Vec::<String>::new());
        assert!(validator.is_some());
    }
}
