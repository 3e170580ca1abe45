//! Configurations, valid and invalid, and the faults that are reported.

use super::*;

#[test]
fn an_integration_is_its_host_and_database() {
    let identity = |changes| snowflake(&minimal(&changes)).identity();
    let found = identity(json!({}));
    assert_eq!(found.host, "org-account.snowflakecomputing.com");
    assert_eq!(found.target.as_deref(), Some("org-account.snowflakecomputing.com/IMMUTA"));
    assert_eq!(identity(json!({ "port": 8443 })).host, "org-account.snowflakecomputing.com:8443");
    let private = identity(json!({ "endpoint": "https://10.0.0.9:444" }));
    assert_eq!(private.host, "10.0.0.9:444");
    let named = json!({ "endpoint": "https://10.0.0.9", "tls": { "serverName": "a.example.com" } });
    assert_eq!(identity(named).host, "a.example.com");
}

#[test]
fn accounts_are_read_off_their_hosts() {
    let key = json!({ "file": "/k" });
    let table = [
        ("org-account.snowflakecomputing.com", None, "ORG-ACCOUNT"),
        ("xy12345.eu-central-1.snowflakecomputing.com", None, "XY12345"),
        ("org-account.privatelink.snowflakecomputing.com", None, "ORG-ACCOUNT"),
        ("xy12345.eu-west-1.privatelink.snowflakecomputing.com", None, "XY12345"),
        ("xy12345.cn-north-1.snowflakecomputing.cn", None, "XY12345"),
        ("acme-7f3.global.snowflakecomputing.com", None, "ACME"),
        ("snowflake.internal", Some("org-my_account"), "ORG-MY_ACCOUNT"),
        ("org-my-account.snowflakecomputing.com", Some("org-my_account"), "ORG-MY_ACCOUNT"),
    ];
    for (host, account, expected) in table {
        let config = minimal(&json!({
            "host": host, "account": account, "authenticationType": "keyPair", "token": null,
            "username": "anna", "privateKey": { "content": key },
        }));
        let Credentials::KeyPair(pair) = snowflake(&config).credentials else { panic!("{host}") };
        assert_eq!((pair.account.as_str(), pair.user.as_str()), (expected, "ANNA"), "{host}");
    }
}

fn oauth(changes: &Json) -> Json {
    let mut client = json!({ "clientId": "c", "clientSecret": { "env": "S" },
        "authorityUrl": "https://login.example.com/token" });
    for (key, value) in changes.as_object().unwrap() {
        client[key] = value.clone();
    }
    json!({ "token": null, "authenticationType": "oAuthClientCredentials",
        "oAuthClientConfig": client })
}

fn with(kind: &str) -> Json {
    json!({ "token": null, "authenticationType": kind })
}

fn workload(table: &Json) -> Json {
    json!({ "token": null, "authenticationType": "workloadIdentity", "workloadIdentity": table })
}

#[test]
fn fault_is_named_with_its_key() {
    let table = [
        (json!({ "host": "https://a" }), "config.host: expected a host name alone"),
        (json!({ "host": null }), "config.host: missing"),
        (json!({ "warehouse": null }), "config.warehouse: missing; add `warehouse`"),
        (json!({ "database": "a\"b" }), "config.database: expected a name, all of it or nothing"),
        (json!({ "role": "" }), "config.role: expected a name of 1 to 255"),
        (json!({ "port": 0 }), "config.port: expected a whole number"),
        (json!({ "authenticationType": null }), "config.authenticationType: missing; add one of"),
        (json!({ "authenticationType": "kerberos" }), "config.authenticationType: expected one of"),
        (with("okta"), "config.authenticationType: `okta` cannot be used: it takes the password"),
        (with("EXTERNALBROWSER"), "`externalBrowser` cannot be used: it takes a person"),
        (with("SNOWFLAKE_JWT"), "`snowflakeJwt` cannot be used: use `keyPair`"),
        (with("workloadIdentity"), "config.workloadIdentity: missing"),
        (workload(&json!({ "provider": "OIDC" })), "config.workloadIdentity.token: missing"),
        (workload(&json!({ "provider": "AWS" })), "the token of sts:GetWebIdentityToken"),
        (workload(&json!({ "provider": "SPIFFE" })), "workloadIdentity.provider: expected one of"),
        (json!({ "token": null }), "config.token: missing"),
        (with("keyPair"), "config.privateKey: missing"),
        (with("userPassword"), "config.password: missing"),
        (with("oAuthClientCredentials"), "config.oAuthClientConfig: missing"),
        (
            oauth(&json!({ "authorityUrl": "http://login.example.com" })),
            "authorityUrl: expected the",
        ),
        (oauth(&json!({ "clientSecret": null })), "oAuthClientConfig.clientSecret: missing"),
        (oauth(&json!({ "useCertificate": true })), "oAuthClientConfig.oAuthPrivateKey: missing"),
        (oauth(&json!({ "publicCertificateThumbprint": "zz" })), "Thumbprint: expected the SHA-1"),
        (json!({ "account": "a/b" }), "config.account: expected an account identifier"),
        (
            json!({ "endpoint": "http://a.example.com" }),
            "config.endpoint: must begin with https://",
        ),
        (json!({ "bootstrap": {} }), "config.bootstrap.role: missing"),
        (json!({ "tableGrants": { "prefix": "x" } }), "unknown key; did you mean `rolePrefix`?"),
        (
            json!({ "audit": { "enabled": "often" } }),
            "config.audit.enabled: expected true or false",
        ),
        (json!({ "workspaces": { "warehouses": "w" } }), "warehouses: expected a list of texts"),
        (json!({ "lineage": 7 }), "config.lineage: expected a table"),
        (json!({ "wharehouse": "w" }), "config.wharehouse: unknown key; did you mean `warehouse`?"),
    ];
    for (changes, expected) in table {
        let (_, faults) = parsed(&PLATFORM, &minimal(&changes));
        assert!(faults.iter().any(|fault| fault.contains(expected)), "{changes}: {faults:?}");
    }
    let unknown = json!({ "host": "a.example.com", "authenticationType": "userPassword",
        "username": "u", "password": { "env": "P" }, "token": null });
    let (_, faults) = parsed(&PLATFORM, &minimal(&unknown));
    assert_eq!(
        faults,
        ["case: config.account: missing; `host` does not contain it: add `account`"]
    );
}

#[test]
fn the_sample_is_a_configuration_with_every_key() {
    let lines = PLATFORM.sample.lines().map(|line| match line.strip_prefix("# ") {
        Some(code) if code.starts_with('[') || code.split_once(" = ").is_some() => code,
        _ => line,
    });
    let enabled = lines.collect::<Vec<_>>().join("\n");
    for text in [PLATFORM.sample, &enabled] {
        let (_, faults) = parsed(&PLATFORM, &sample_config(&PLATFORM, text));
        // The file of the authority is an example.
        let faults: Vec<_> =
            faults.iter().filter(|fault| !fault.contains("snowflake-ca.pem")).collect();
        assert!(faults.is_empty(), "{faults:?}");
    }
}
