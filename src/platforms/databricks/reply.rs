//! Answers of Databricks, reduced to what is used.

use http::StatusCode;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer};
use serde_json::Value as Json;

use super::classify::{NONE, Refusal};
use super::named::Named;
use crate::net::exchange::Answer;

/// Headers that Databricks adds to its answers, and a proxy in front of it does not.
const MARKS: [&str; 2] = ["x-databricks-org-id", "x-databricks-reason-phrase"];
/// A body of 20 bytes that Databricks sends as `text/html` to those whose token it refuses.
const REFUSED_TOKEN: &str = "Invalid access token";

/// Authenticated principal of the workspace.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq)]
#[serde(rename_all = "camelCase")]
pub(super) struct Me {
    /// The user's name, or the application id of a service principal.
    pub(super) user_name: String,
    /// False for one that was deactivated.
    pub(super) active: Option<bool>,
    /// Id in the workspace; a principal that was made anew has another. See [`text_of`].
    #[serde(default)]
    pub(super) id: Json,
    #[serde(default, deserialize_with = "entries")]
    groups: Vec<Group>,
}

#[derive(Clone, Debug, Deserialize, Eq, PartialEq)]
struct Group {
    display: Option<String>,
}

impl Me {
    /// Returns the names of the groups that the principal belongs to.
    pub(super) fn groups(&self) -> impl Iterator<Item = &str> {
        self.groups.iter().filter_map(|group| group.display.as_deref())
    }

    /// True when `owner` is the principal, or a group of it.
    pub(super) fn is(&self, owner: &str) -> bool {
        let mut names = self.groups().chain([self.user_name.as_str()]);
        names.any(|name| name.eq_ignore_ascii_case(owner))
    }
}

/// Metastore of a workspace.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq)]
pub(super) struct Assignment {
    /// Id of the metastore; none, or empty, without one.
    pub(super) metastore_id: Option<String>,
    workspace_id: Option<Number>,
}

impl Assignment {
    /// Returns the id of the workspace.
    pub(super) fn workspace_id(&self) -> Option<String> {
        self.workspace_id.as_ref().map(Number::text)
    }
}

/// A number that may be sent as text.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq)]
#[serde(untagged)]
enum Number {
    Whole(i64),
    Text(String),
}

impl Number {
    fn text(&self) -> String {
        match self {
            Self::Whole(number) => number.to_string(),
            Self::Text(text) => text.clone(),
        }
    }
}

/// A catalog or a schema.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq)]
pub(super) struct Securable {
    /// Name of the object; an answer without one is not one of Unity Catalog.
    name: String,
    /// A user, a service principal or a group.
    pub(super) owner: Option<String>,
}

/// Existence of a table.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq)]
pub(super) struct Existence {
    /// True when it is.
    pub(super) table_exists: bool,
}

/// SQL warehouse with its health.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq)]
pub(super) struct Warehouse {
    /// `RUNNING`, `STOPPED`, `DELETED` ...
    pub(super) state: String,
    health: Option<Health>,
}

#[derive(Clone, Debug, Deserialize, Eq, PartialEq)]
struct Health {
    status: Option<String>,
    summary: Option<String>,
}

impl Warehouse {
    /// Returns the reason why it is not healthy, in the words of Databricks.
    pub(super) fn defect(&self) -> Option<String> {
        let Health { status, summary } = self.health.as_ref()?;
        let status = status.as_deref().filter(|status| matches!(*status, "DEGRADED" | "FAILED"))?;
        Some(format!("{status}: {}", summary.as_deref().unwrap_or("no reason given")))
    }
}

/// A page of effective privileges.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq)]
pub(super) struct Permissions {
    #[serde(default, deserialize_with = "entries")]
    privilege_assignments: Vec<Assigned>,
    next_page_token: Option<String>,
}

#[derive(Clone, Debug, Deserialize, Eq, PartialEq)]
struct Assigned {
    #[serde(default, deserialize_with = "entries")]
    privileges: Vec<Privilege>,
}

#[derive(Clone, Debug, Deserialize, Eq, PartialEq)]
struct Privilege {
    privilege: Option<String>,
}

impl Permissions {
    /// Returns the names of the privileges, with `_` between their words.
    pub(super) fn privileges(&self) -> impl Iterator<Item = String> {
        let privileges = self.privilege_assignments.iter().flat_map(|held| &held.privileges);
        let names = privileges.filter_map(|held| held.privilege.as_deref());
        names.map(|name| name.to_ascii_uppercase().replace(' ', "_"))
    }

    /// Returns the position of the next page; none on the last one.
    pub(super) fn next(self) -> Option<String> {
        self.next_page_token.filter(|token| !token.is_empty())
    }
}

/// Grants on an object, without inherited ones.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq)]
pub(super) struct Granted {
    #[serde(default, deserialize_with = "entries")]
    privilege_assignments: Vec<Holder>,
}

/// Principal with the privileges that it was granted.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq)]
struct Holder {
    principal: Option<String>,
    #[serde(default, deserialize_with = "entries")]
    privileges: Vec<String>,
}

impl Granted {
    /// Returns the names of the privileges of `principal`, with `_` between their words.
    pub(super) fn of(&self, principal: &str) -> impl Iterator<Item = String> {
        let is_own = move |holder: &&Holder| {
            holder.principal.as_deref().is_none_or(|name| name.eq_ignore_ascii_case(principal))
        };
        let own = self.privilege_assignments.iter().filter(is_own);
        own.flat_map(|holder| &holder.privileges)
            .map(|name| name.to_ascii_uppercase().replace(' ', "_"))
    }
}

/// Summary of the metastore.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq)]
pub(super) struct Summary {
    /// A user, a service principal or a group.
    pub(super) owner: Option<String>,
}

/// First page of the schemas of a catalog, or of the tables of a schema.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq)]
pub(super) struct Listing {
    #[serde(default, alias = "schemas", alias = "tables", deserialize_with = "entries")]
    objects: Vec<Listed>,
    next_page_token: Option<String>,
}

/// Object of a list.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq)]
struct Listed {
    name: String,
}

impl Listing {
    /// Returns the names, and true where there are more pages.
    pub(super) fn names(self) -> (Vec<String>, bool) {
        let is_cut = self.next_page_token.is_some_and(|token| !token.is_empty());
        (self.objects.into_iter().map(|one| one.name).collect(), is_cut)
    }
}

/// Reads a list without the entries that are of another shape: one odd entry must not hide the others.
pub(super) fn entries<'de, D: Deserializer<'de>, T: DeserializeOwned>(
    from: D,
) -> Result<Vec<T>, D::Error> {
    let all = Option::<Vec<Json>>::deserialize(from)?.unwrap_or_default();
    Ok(all.into_iter().filter_map(|entry| serde_json::from_value(entry).ok()).collect())
}

/// Returns an id, which is text or a number.
pub(super) fn text_of(id: &Json) -> Option<String> {
    match id {
        Json::String(text) => Some(text.clone()),
        Json::Number(number) => Some(number.to_string()),
        Json::Null | Json::Bool(_) | Json::Array(_) | Json::Object(_) => None,
    }
}

/// Reads an answer as JSON of the shape `T`.
///
/// # Errors
///
/// Says what is wrong without showing any of the body.
pub(super) fn json<T: DeserializeOwned>(answer: &Answer) -> Result<T, String> {
    answer.json()
}

/// Returns the title of a sign-in page of Databricks, where `answer` is one.
pub(super) fn sign_in(answer: &Answer) -> Option<String> {
    let title = answer.title()?;
    let lower = title.to_lowercase();
    let is_own = lower.contains("databricks")
        || answer.header("server").is_some_and(|server| server == "databricks");
    let is_sign_in =
        ["sign in", "sign-in", "login", "log in"].iter().any(|words| lower.contains(words));
    (is_own && is_sign_in).then_some(title)
}

/// Reads the token endpoint in a metadata document (RFC 8414).
///
/// # Errors
///
/// Says what is wrong without showing any of the body.
pub(super) fn token_endpoint(answer: &Answer) -> Result<String, String> {
    #[derive(Deserialize)]
    struct Metadata {
        token_endpoint: String,
    }
    answer.json().map(|Metadata { token_endpoint }| token_endpoint)
}

/// Reads an answer that is no success as one of Databricks, in any of the shapes that its APIs
/// have.
///
/// # Errors
///
/// Says why it is not one of Databricks.
pub(super) fn refusal(answer: &Answer) -> Result<Refusal, String> {
    let status = answer.status;
    let header = answer.header("x-request-id");
    let of = |name: Option<String>, message: Option<String>, json: Option<&Json>| {
        let reason = StatusCode::from_u16(status).ok().and_then(|code| code.canonical_reason());
        let written = || detail(json?, "RequestInfo", "request_id");
        Refusal {
            status,
            name: name.unwrap_or_else(|| NONE.to_owned()),
            message: message.unwrap_or_else(|| reason.unwrap_or(NONE).to_owned()),
            request_id: header.clone().or_else(written).unwrap_or_else(|| NONE.to_owned()),
            missing: json.and_then(missing),
        }
    };
    let marked = MARKS.iter().any(|mark| answer.headers.contains_key(*mark));
    let text = String::from_utf8_lossy(&answer.body);
    let text = text.trim();
    if text.is_empty() {
        let phrase = answer.header("x-databricks-reason-phrase");
        return if marked { Ok(of(None, phrase, None)) } else { Err("it is empty".to_owned()) };
    }
    match answer.json::<Json>() {
        Ok(json @ Json::Object(_)) => {
            let (name, message) = words(&json);
            if name.is_none() && message.is_none() && !marked {
                return Err("there is no error in it".to_owned());
            }
            Ok(of(name, message, Some(&json)))
        }
        Ok(_) => Err("it is JSON of another shape".to_owned()),
        Err(reason) => {
            let plain = plain(text);
            if let Some((name, message)) = plain {
                return Ok(of(Some(name), Some(message), None));
            }
            // Refusals of the network come as plain text, without the marks.
            let is_own = || {
                text.trim_end_matches('.') == REFUSED_TOKEN
                    || (!text.starts_with('<') && Named::of(text).is_some())
            };
            if marked || is_own() {
                let message = title(text).unwrap_or(text);
                return Ok(of(None, Some(message.to_owned()), None));
            }
            Err(answer.unlike_json(reason))
        }
    }
}

/// Returns code and message of a JSON error: the present form, API 1.2, and SCIM (RFC 7644).
fn words(json: &Json) -> (Option<String>, Option<String>) {
    let text = |name: &str| match json.get(name) {
        Some(Json::String(text)) if !text.is_empty() => Some(text.clone()),
        Some(Json::Number(number)) => Some(number.to_string()),
        Some(_) | None => None,
    };
    if let Some(detail) = text("detail") {
        let detail = if detail == "null" { "SCIM API Internal Error".to_owned() } else { detail };
        let kind = text("scimType").map_or(String::new(), |kind| format!("{kind} "));
        let status = text("status").map(|status| format!("SCIM_{status}"));
        return (text("error_code").or(status), Some(format!("{kind}{detail}")));
    }
    let message = text("message").or_else(|| text("error"));
    let code = text("error_code").or_else(|| text("message").and_then(|_| text("error")));
    (code, message)
}

/// Returns the text at `field` of the entry of `details` whose type ends in `kind`.
fn detail(json: &Json, kind: &str, field: &str) -> Option<String> {
    entry(json, kind)?.get(field)?.as_str().map(str::to_owned)
}

fn entry<'j>(json: &'j Json, kind: &str) -> Option<&'j Json> {
    let details = json.get("details")?.as_array()?;
    let is_kind = |entry: &&Json| {
        entry.get("@type").and_then(Json::as_str).is_some_and(|name| name.ends_with(kind))
    };
    details.iter().find(is_kind)
}

/// Returns the privilege that Unity Catalog says is missing.
fn missing(json: &Json) -> Option<String> {
    let metadata = entry(json, "ErrorInfo")?.get("metadata")?;
    let text = |name: &str| metadata.get(name).and_then(Json::as_str);
    let (privilege, kind) = (text("msg")?, text("resourceType")?);
    let name = text("resourceName").map_or(String::new(), |name| format!(" {name}"));
    Some(format!("{privilege} on {kind}{name}"))
}

/// Parses an error of the form `CODE: message`.
fn plain(text: &str) -> Option<(String, String)> {
    let (code, message) = text.split_once(": ")?;
    let is_code = !code.is_empty() && code.chars().all(|c| c.is_ascii_uppercase() || c == '_');
    is_code.then(|| (code.to_owned(), message.to_owned()))
}

/// Returns the text of a page's `<pre>`, or else of its `<title>`.
fn title(text: &str) -> Option<&str> {
    let between = |start: &str, end: &str| {
        let (_, rest) = text.split_once(start)?;
        rest.split_once(end).map(|(inner, _)| inner.trim())
    };
    let found = between("<pre>", "</pre>").or_else(|| between("<title>", "</title>"));
    found.filter(|found| !found.is_empty())
}

#[cfg(test)]
mod tests {
    use http::{HeaderMap, HeaderName, HeaderValue};

    use super::*;
    use crate::platforms::testing;

    const ORG: &[(&str, &str)] = &[("x-databricks-org-id", "7")];

    fn answer(status: u16, headers: &[(&'static str, &'static str)], body: &[u8]) -> Answer {
        let pair = |(name, value): &(&'static str, &'static str)| {
            (HeaderName::from_static(name), HeaderValue::from_static(value))
        };
        let headers: HeaderMap = headers.iter().map(pair).collect();
        Answer { status, headers, body: body.to_vec(), ..Answer::default() }
    }

    /// Status, headers and body of an answer, and the code and the message in it.
    type Shape = (u16, &'static [(&'static str, &'static str)], &'static str, [&'static str; 2]);

    fn assert_read(table: &[Shape]) {
        for (status, headers, body, [name, message]) in table {
            let found = refusal(&answer(*status, headers, body.as_bytes())).unwrap();
            assert_eq!((found.name.as_str(), found.message.as_str()), (*name, *message), "{body}");
        }
    }

    #[test]
    fn every_shape_of_a_json_error_is_read() {
        assert_read(&[
            (
                403,
                &[],
                r#"{"error_code":"PERMISSION_DENIED","message":"m"}"#,
                ["PERMISSION_DENIED", "m"],
            ),
            (403, &[], r#"{"error_code":403,"message":"no"}"#, ["403", "no"]),
            (
                404,
                &[],
                r#"{"message":"Catalog 'x' does not exist."}"#,
                ["none", "Catalog 'x' does not exist."],
            ),
            (400, &[], r#"{"error":"ValueError: bad"}"#, ["none", "ValueError: bad"]),
            (400, &[], r#"{"error":"BAD","message":"m"}"#, ["BAD", "m"]),
            (404, &[], r#"{"detail":"no such user","status":"404"}"#, ["SCIM_404", "no such user"]),
            (
                400,
                &[],
                r#"{"detail":"d","status":400,"scimType":"invalidFilter"}"#,
                ["SCIM_400", "invalidFilter d"],
            ),
            (
                500,
                &[],
                r#"{"detail":"null","status":"500"}"#,
                ["SCIM_500", "SCIM API Internal Error"],
            ),
        ]);
    }

    #[test]
    fn every_shape_of_another_error_is_read() {
        assert_read(&[
            (400, &[], "MALFORMED_REQUEST: not so", ["MALFORMED_REQUEST", "not so"]),
            (403, &[], "Invalid access token", ["none", "Invalid access token"]),
            (
                403,
                &[],
                "Unauthorized network access to workspace: 7",
                ["none", "Unauthorized network access to workspace: 7"],
            ),
            (403, ORG, "<html><title>Error 403</title><pre>Not you</pre>", ["none", "Not you"]),
            (401, ORG, "<html><title>Error 401</title></html>", ["none", "Error 401"]),
            (403, &[("x-databricks-reason-phrase", "Blocked")], "", ["none", "Blocked"]),
            (404, ORG, "", ["none", "Not Found"]),
        ]);
    }

    #[test]
    fn errors_of_others_are_read() {
        let table = [
            ("", "it is empty"),
            ("{}", "there is no error in it"),
            ("[]", "it is JSON of another shape"),
            ("<title>Proxy\n denied</title>", "it is a page titled [Proxy denied]"),
            ("Access Denied: by proxy", "it is not JSON (no content type, line 1)"),
        ];
        for (body, expected) in table {
            assert_eq!(
                refusal(&answer(403, &[], body.as_bytes())).unwrap_err(),
                expected,
                "{body}"
            );
        }
    }

    #[test]
    fn odd_entry_does_not_hide_the_others() {
        let body = br#"{"userName":"me","groups":[null,7,{"display":3},{"display":"a"}]}"#;
        let me: Me = json(&answer(200, &[], body)).unwrap();
        assert_eq!(me.groups().collect::<Vec<_>>(), ["a"]);
        let body = br#"{"privilege_assignments":["x",{"privileges":null},{"privileges":[null,
            {"privilege":"USE CATALOG"},{"privilege":{}}]}],"next_page_token":"n"}"#;
        let page: Permissions = json(&answer(200, &[], body)).unwrap();
        assert_eq!(page.privileges().collect::<Vec<_>>(), ["USE_CATALOG"]);
        assert_eq!(page.next().as_deref(), Some("n"));
    }

    #[test]
    fn sign_in_page_is_distinguished_from_other_pages() {
        let table = [
            ("<title>Databricks - Sign In</title>", &[][..], true),
            ("<title>Login</title>", &[("server", "databricks")], true),
            ("<title>Login</title>", &[("server", "squid")], false),
            ("<title>Databricks is down</title>", &[], false),
            ("{}", &[("server", "databricks")], false),
        ];
        for (body, headers, expected) in table {
            let found = sign_in(&answer(200, headers, body.as_bytes()));
            assert_eq!(found.is_some(), expected, "{body}");
        }
    }

    #[test]
    fn request_ids_and_missing_privileges_are_found() {
        let body = br#"{"error_code":"PERMISSION_DENIED","message":"m","details":[
            {"@type":"type.googleapis.com/google.rpc.RequestInfo","request_id":"r-1"},
            {"@type":"type.googleapis.com/google.rpc.ErrorInfo","metadata":
             {"msg":"USE CATALOG","resourceType":"CATALOG","resourceName":"main"}}]}"#;
        let found = refusal(&answer(403, &[], body)).unwrap();
        assert_eq!(found.request_id, "r-1");
        assert_eq!(found.missing.as_deref(), Some("USE CATALOG on CATALOG main"));
        let found = refusal(&answer(403, &[("x-request-id", "h-1")], body)).unwrap();
        assert_eq!(found.request_id, "h-1");
    }

    #[test]
    fn fuzz_every_reader_of_answers() {
        testing::fuzz(&testing::recorded_bodies("databricks"), |bytes| {
            for headers in [&[][..], ORG] {
                let answer = answer(403, headers, bytes);
                let _found = refusal(&answer);
                let _found = token_endpoint(&answer);
                let _found = json::<Me>(&answer).map(|me| me.is("x"));
                let _found = json::<Assignment>(&answer).map(|found| found.workspace_id());
                let _found = json::<Securable>(&answer);
                let _found = json::<Existence>(&answer);
                let _found = json::<Warehouse>(&answer).map(|found| found.defect());
                let page = json::<Permissions>(&answer);
                let _found = page.map(|page| (page.privileges().count(), page.next()));
            }
        });
    }
}
