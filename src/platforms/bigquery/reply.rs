//! Answers of Google, reduced to what is used.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::domain::{Secret, Timestamp, one_line};
use crate::net::exchange::Answer;

/// The longest name that is shown, in characters.
const SHOWN_MAX: usize = 100;

/// Metadata of a dataset.
#[derive(Debug, Eq, PartialEq)]
pub(super) struct Dataset {
    /// Location of the dataset.
    pub(super) location: Option<String>,
}

/// Entry of a dataset's access list.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq)]
#[serde(rename_all = "camelCase")]
pub(super) struct Access {
    /// Role of those named; views, routines and datasets have none.
    pub(super) role: Option<String>,
    /// Address of an account.
    pub(super) user_by_email: Option<String>,
    /// Address of a group.
    pub(super) group_by_email: Option<String>,
    /// Members of a domain.
    pub(super) domain: Option<String>,
    /// Special group, such as `projectOwners`.
    pub(super) special_group: Option<String>,
    /// Any other member of an IAM policy.
    pub(super) iam_member: Option<String>,
}

/// A token of an impersonated account.
pub(super) struct Impersonated {
    /// Access token that was made.
    pub(super) token: Secret,
    /// Expiry of the token.
    pub(super) until: Timestamp,
}

#[derive(Deserialize)]
struct Kind {
    kind: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Planned {
    job_complete: bool,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct DatasetShape {
    dataset_reference: DatasetReference,
    location: Option<String>,
}

#[derive(Deserialize)]
struct AccessShape {
    kind: String,
    #[serde(default)]
    access: Vec<serde_json::Value>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct DatasetReference {
    dataset_id: String,
}

#[derive(Deserialize)]
struct TableList {
    kind: String,
    #[serde(default)]
    tables: Vec<Table>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Table {
    table_reference: TableReference,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct TableReference {
    table_id: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ImpersonatedShape {
    access_token: String,
    expire_time: String,
}

/// Checks that the answer is a list of datasets; its content does not matter.
///
/// # Errors
///
/// Returns the reason why the answer is another one.
pub(super) fn dataset_list(answer: &Answer) -> Result<(), String> {
    let Kind { kind } = answer.json()?;
    expected(answer, &kind, "bigquery#datasetList")
}

/// Checks that the answer is one to a query that was only planned.
///
/// # Errors
///
/// Returns the reason why the answer is another one.
pub(super) fn planned(answer: &Answer) -> Result<(), String> {
    let Planned { job_complete } = answer.json()?;
    if job_complete { Ok(()) } else { Err("the plan in it is not complete".to_owned()) }
}

/// Reads a dataset.
///
/// # Errors
///
/// Returns the reason why the answer is another one.
pub(super) fn dataset(answer: &Answer) -> Result<Dataset, String> {
    let DatasetShape { dataset_reference, location } = answer.json()?;
    if dataset_reference.dataset_id.is_empty() {
        return Err("the dataset in it has no name".to_owned());
    }
    Ok(Dataset { location: location.map(|text| answer.line(&text, SHOWN_MAX)) })
}

/// Reads the access list of a dataset. An entry of another shape is left out, and spoils no other.
///
/// # Errors
///
/// Returns the reason why the answer is another one.
pub(super) fn access(answer: &Answer) -> Result<Vec<Access>, String> {
    let AccessShape { kind, access } = answer.json()?;
    expected(answer, &kind, "bigquery#dataset")?;
    Ok(access.into_iter().filter_map(|entry| serde_json::from_value(entry).ok()).collect())
}

/// Reads the granted permissions among those that were asked for.
///
/// # Errors
///
/// Returns the reason why the answer is another one.
pub(super) fn permissions(answer: &Answer) -> Result<Vec<String>, String> {
    // An empty object says that nothing is granted, so nothing else may be in it.
    let mut found: BTreeMap<String, Vec<String>> = answer.json()?;
    let granted = found.remove("permissions").unwrap_or_default();
    if found.is_empty() { Ok(granted) } else { Err("it is JSON of another shape".to_owned()) }
}

/// Reads the first table, if there is one.
///
/// # Errors
///
/// Returns the reason why the answer is another one.
pub(super) fn first_table(answer: &Answer) -> Result<Option<String>, String> {
    let TableList { kind, tables } = answer.json()?;
    expected(answer, &kind, "bigquery#tableList")?;
    let first = tables.into_iter().next();
    Ok(first.map(|table| table.table_reference.table_id))
}

/// Reads a token of an impersonated account.
///
/// # Errors
///
/// Returns the reason why the answer is another one.
pub(super) fn impersonated(answer: &Answer) -> Result<Impersonated, String> {
    let ImpersonatedShape { access_token, expire_time } = answer.json()?;
    let until = expire_time.parse().ok().filter(|_until| !access_token.is_empty());
    let until = until.ok_or("there is no token with an end in it")?;
    Ok(Impersonated { token: Secret::new(access_token), until })
}

/// Returns the token in the text of a workload's own source: the `field` of a JSON document, or the
/// whole text.
///
/// # Errors
///
/// Says what is missing, without showing anything.
pub(super) fn subject_token(text: &str, field: Option<&str>) -> Result<Secret, String> {
    let Some(field) = field else {
        let token = text.trim();
        return if token.is_empty() {
            Err("it is empty".to_owned())
        } else {
            Ok(Secret::new(token.to_owned()))
        };
    };
    let json: serde_json::Value =
        serde_json::from_str(text).map_err(|_shown| "it is not JSON".to_owned())?;
    let token = json.get(field).and_then(serde_json::Value::as_str);
    let token = token.filter(|token| !token.is_empty());
    token
        .map(|token| Secret::new(token.to_owned()))
        .ok_or_else(|| format!("there is no text in its field [{}]", one_line(field, SHOWN_MAX)))
}

fn expected(answer: &Answer, kind: &str, wanted: &str) -> Result<(), String> {
    if kind == wanted {
        return Ok(());
    }
    Err(format!("it is a [{}] instead of a [{wanted}]", answer.line(kind, SHOWN_MAX)))
}

#[cfg(test)]
mod tests {
    use super::super::classify::Failure;
    use super::super::key::{ACCOUNT, AnyCredential, EXTERNAL, Trust};
    use super::*;
    use crate::platforms::testing::{fuzz, recorded_bodies};

    fn answer(status: u16, bytes: &[u8]) -> Answer {
        Answer { status, body: bytes.to_vec(), ..Answer::default() }
    }

    #[test]
    fn other_answers_are_not_taken_for_what_was_asked() {
        let html = "<html>";
        let list = r#"{"kind":"bigquery#datasetList"}"#;
        for body in [html, "{}", "[]", r#"{"kind":"x"}"#] {
            assert!(dataset_list(&answer(200, body.as_bytes())).is_err(), "{body}");
        }
        dataset_list(&answer(200, list.as_bytes())).unwrap();
        for body in [html, list, "[]", r#"{"permissions":7}"#, r#"{"portal":"x"}"#] {
            assert!(permissions(&answer(200, body.as_bytes())).is_err(), "{body}");
        }
        assert_eq!(permissions(&answer(200, b"{}")), Ok(Vec::new()));
        for body in [html, "{}", list, r#"{"datasetReference":{"datasetId":""}}"#] {
            assert!(dataset(&answer(200, body.as_bytes())).is_err(), "{body}");
        }
        assert_eq!(first_table(&answer(200, br#"{"kind":"bigquery#tableList"}"#)), Ok(None));
        for body in [r#"{"accessToken":"","expireTime":"2026-11-22T21:00:00Z"}"#, "{}"] {
            assert!(impersonated(&answer(200, body.as_bytes())).is_err(), "{body}");
        }
    }

    #[test]
    fn odd_entry_of_an_access_list_spoils_no_other() {
        let body = br#"{"kind":"bigquery#dataset","access":[7,{"role":{}},{"role":"OWNER"}]}"#;
        let found = access(&answer(200, body)).unwrap();
        assert_eq!(found, [Access { role: Some("OWNER".to_owned()), ..Access::default() }]);
        assert!(access(&answer(200, b"{}")).is_err());
    }

    #[test]
    fn the_token_of_a_workload_is_text_or_a_field() {
        assert_eq!(subject_token(" t\n", None).unwrap().expose(), "t");
        assert_eq!(subject_token(r#"{"a":"t"}"#, Some("a")).unwrap().expose(), "t");
        for (text, field) in [("", None), ("t", Some("a")), (r#"{"a":7}"#, Some("a"))] {
            assert!(subject_token(text, field).is_err(), "{text}");
        }
    }

    #[test]
    fn fuzz_every_reader_of_what_others_wrote() {
        let trust = Trust {
            universe: "googleapis.com",
            own_token: true,
            own_sts: true,
            own_impersonation: true,
        };
        let mut seeds = recorded_bodies("bigquery");
        let key = r#"{"type":"service_account","client_email":"a@b","private_key":"x"}"#;
        let external = r#"{"type":"external_account","audience":"a","subject_token_type":"t","credential_source":{"url":"https://a","format":{"type":"json","subject_token_field_name":"t"}}}"#;
        seeds.extend([key, external].map(|text| text.as_bytes().to_vec()));
        fuzz(&seeds, |bytes| {
            for status in [200, 403] {
                let answer = answer(status, bytes);
                let _read = (dataset_list(&answer), planned(&answer), dataset(&answer));
                let _read =
                    (permissions(&answer), first_table(&answer), impersonated(&answer).is_ok());
                let _read = access(&answer);
                let failure = Failure::read(&answer, None);
                assert!(failure.detail.chars().count() < 2_000);
            }
            let text = String::from_utf8_lossy(bytes).into_owned();
            let _read =
                (subject_token(&text, None).is_ok(), subject_token(&text, Some("t")).is_ok());
            let text = Secret::new(text);
            let _read =
                [ACCOUNT, EXTERNAL].map(|kind| AnyCredential::read(&text, kind, trust).is_ok());
        });
    }
}
