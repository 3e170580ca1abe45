//! The published interface: integrations by their numbers, to the letter.

use std::sync::Arc;

use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::{IntoResponse as _, Response};
use bytes::Bytes;
use serde::Serialize;

use super::asked::{Asked, json, unread};
use super::route::{Handled, Reply};
use super::state::Api;
use crate::domain::IntegrationId;
use crate::http::{Answer, Caller, Code, Packing, Problem, written};
use crate::store::{IntegrationRow, StoreError};
use crate::view::{Published, PublishedStatus};

/// Integrations that are read at once: their objects stay far below 2 MiB.
const AT_ONCE: u32 = 100;
/// Bytes of the compressed list that are kept, so that its tag is known before it is sent: about 60,000 integrations.
const PACKED_MAX: usize = 4 * 1024 * 1024;

/// Handler of `GET /integrations`: all but the deleted ones, by id.
pub(super) async fn list(asked: Asked) -> Handled {
    let yaml = wants_yaml(&asked.headers);
    let mut parts = Parts::new(&asked, yaml);
    let mut packing = Packing::new();
    while let Some(part) = parts.next().await.map_err(unread)? {
        packing.add(&part).map_err(unwritten)?;
        if PACKED_MAX < packing.kept() {
            return Ok(Reply::Streamed(streamed(Parts::new(&asked, yaml), yaml)));
        }
    }
    let kind = if yaml { YAML } else { crate::http::JSON };
    Ok(Reply::Packed(packing.finish(kind).map_err(unwritten)?))
}

fn unwritten(_error: std::io::Error) -> Problem {
    Problem::new(Code::Internal, "the answer cannot be written")
}

/// Text of the list, read and written part by part.
struct Parts {
    api: Arc<Api>,
    caller: Caller,
    yaml: bool,
    /// Id after which the next part begins; none once the list has ended.
    after: Option<i64>,
    is_first: bool,
}

impl Parts {
    fn new(asked: &Asked, yaml: bool) -> Self {
        let (api, caller) = (Arc::clone(&asked.api), asked.caller.clone());
        Self { api, caller, yaml, after: Some(0), is_first: true }
    }

    /// Reads the next part; none after the last one.
    async fn next(&mut self) -> Result<Option<String>, StoreError> {
        let Some(after) = self.after else { return Ok(None) };
        let rows = self.api.view.integrations_by_id(IntegrationId(after), AT_ONCE).await?;
        let mut text = String::new();
        for row in rows.rows.iter().filter(|row| self.caller.sees(&row.labels)) {
            text.push_str(&element(row, self.yaml, self.is_first));
            self.is_first = false;
        }
        let last = rows.rows.last().filter(|_| rows.next.is_some());
        self.after = last.map(|row| row.id.0);
        if self.after.is_none() {
            text.push_str(match (self.yaml, self.is_first) {
                (false, true) => "[]",
                (false, false) => "]",
                (true, true) => "[]\n",
                (true, false) => "",
            });
        }
        Ok(Some(text))
    }
}

/// Returns an element of the list, with what stands between it and the one before.
fn element(row: &IntegrationRow, yaml: bool, is_first: bool) -> String {
    let object = serde_json::to_string(&Published::from(row)).unwrap_or_default();
    if yaml {
        return crate::http::yaml(&format!("[{object}]"));
    }
    format!("{}{object}", if is_first { "[" } else { "," })
}

/// Returns a list that is too long to be kept: it is sent while it is read, without a tag.
fn streamed(mut parts: Parts, yaml: bool) -> Response {
    let (sender, body) = written();
    tokio::spawn(async move {
        // A body that ends without its bracket is no JSON: the caller sees that it is not whole.
        while let Ok(Some(part)) = parts.next().await {
            if sender.send(Bytes::from(part)).await.is_err() {
                return;
            }
        }
    });
    let kind = if yaml { YAML } else { crate::http::JSON };
    let mut response = body.into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("private, no-cache"));
    response
}

/// Handler of `GET /integrations/{id}`: one of them, of a deleted one too, while its row is kept.
pub(super) async fn show(asked: Asked) -> Handled {
    let row = of(&asked).await?;
    object(&asked, &Published::from(&row))
}

/// Handler of `GET /integrations/{id}/status`: its status with the results that led to it.
pub(super) async fn status(asked: Asked) -> Handled {
    let row = of(&asked).await?;
    object(&asked, &PublishedStatus::from(&row))
}

async fn of(asked: &Asked) -> Result<IntegrationRow, Problem> {
    let id = asked.part("id");
    let unknown =
        || Problem::new(Code::NotFound, format!("No Integration found with ID {}.", shown(id)));
    let is_plain = !id.is_empty() && id.bytes().all(|byte| byte.is_ascii_digit());
    let number = id.parse().ok().filter(|_| is_plain).ok_or_else(unknown)?;
    let found = asked.api.view.integration_of(IntegrationId(number)).await.map_err(unread)?;
    found.filter(|row| asked.caller.sees(&row.labels)).ok_or_else(unknown)
}

/// Returns an id in a message, cut and escaped.
fn shown(id: &str) -> String {
    crate::input::quoted(id).trim_matches('"').to_owned()
}

/// Content type of YAML.
const YAML: &str = "application/yaml; charset=utf-8";

fn object(asked: &Asked, value: &impl Serialize) -> Handled {
    if wants_yaml(&asked.headers) {
        let text = serde_json::to_string(value).unwrap_or_default();
        return Ok(Answer::new(YAML, crate::http::yaml(&text)).into());
    }
    Ok(json(value)?.into())
}

/// Returns true when YAML is named in what the caller accepts, before JSON.
fn wants_yaml(headers: &HeaderMap) -> bool {
    let accepted = headers.get(header::ACCEPT).and_then(|value| value.to_str().ok());
    let accepted = accepted.unwrap_or_default();
    let yaml = accepted.find("application/yaml");
    let json = accepted.find("application/json");
    yaml.is_some_and(|yaml| json.is_none_or(|json| yaml < json))
}
