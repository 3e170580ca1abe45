//! The published interface: integrations by their numbers, to the letter.

use std::sync::Arc;

use axum::body::Body;
use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::{IntoResponse as _, Response};
use bytes::Bytes;
use serde::Serialize;

use super::asked::{Asked, json, unread};
use super::route::{Handled, Reply};
use super::state::Api;
use crate::domain::IntegrationId;
use crate::http::{Answer, Code, Problem, written};
use crate::store::{IntegrationRow, Listed, StoreError};
use crate::view::{Published, PublishedStatus};

/// Integrations that are read at once: their objects stay far below 2 MiB.
const AT_ONCE: u32 = 100;

/// Handler of `GET /integrations`: all but the deleted ones, by id, made while they are sent.
pub(super) async fn list(asked: Asked) -> Handled {
    let first = by_id(&asked.api, 0).await.map_err(unread)?;
    let yaml = wants_yaml(&asked.headers);
    let (sender, body) = written();
    let (api, caller) = (Arc::clone(&asked.api), asked.caller);
    tokio::spawn(async move {
        let (mut rows, mut is_first) = (first, true);
        loop {
            let last = rows.rows.last().map(|row| row.id.0);
            let seen = rows.rows.iter().filter(|row| caller.sees(&row.labels));
            let mut text = String::new();
            for row in seen {
                text.push_str(&element(row, yaml, is_first));
                is_first = false;
            }
            if sender.send(Bytes::from(text)).await.is_err() {
                return;
            }
            let (true, Some(last)) = (rows.next.is_some(), last) else { break };
            // A body that ends without its bracket is no JSON: the caller sees that it is not whole.
            let Ok(next) = by_id(&api, last).await else { return };
            rows = next;
        }
        let end = match (yaml, is_first) {
            (false, true) => "[]",
            (false, false) => "]",
            (true, true) => "[]\n",
            (true, false) => "",
        };
        let _closed = sender.send(Bytes::from_static(end.as_bytes())).await;
    });
    Ok(Reply::Streamed(streamed(body, yaml)))
}

/// Reads integrations that are not deleted after an id.
async fn by_id(api: &Api, after: i64) -> Result<Listed<IntegrationRow>, StoreError> {
    api.view.integrations_by_id(IntegrationId(after), AT_ONCE).await
}

/// Returns an element of the list, with what stands between it and the one before.
fn element(row: &IntegrationRow, yaml: bool, is_first: bool) -> String {
    let object = serde_json::to_string(&Published::from(row)).unwrap_or_default();
    if yaml {
        return crate::http::yaml(&format!("[{object}]"));
    }
    format!("{}{object}", if is_first { "[" } else { "," })
}

fn streamed(body: Body, yaml: bool) -> Response {
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
