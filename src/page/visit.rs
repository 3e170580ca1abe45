//! Visit of a page: the request with its viewer, the reads that it makes, and the answers that it can get.

use std::collections::HashMap;
use std::sync::Arc;

use askama::Template;
use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};

use super::frame::{Counts, Frame};
use super::templates::ProblemPage;
use super::viewer::{Access, Viewer};
use crate::daemon::Control;
use crate::domain::{IntegrationId, Timestamp};
use crate::http::{Answer, Caller, Problem};
use crate::store::{IntegrationRow, StatusRow, StoreError, View};

/// Content type of pages.
const HTML: &str = "text/html; charset=utf-8";
/// Challenge for callers without a token: browsers ask for name and password.
const CHALLENGE: &str = "Basic realm=\"revalidated\", charset=\"UTF-8\"";

/// Means by which pages read a running daemon and act on it.
#[derive(Clone)]
pub(crate) struct Source {
    /// Reads of the store, bounded in number and time.
    pub(crate) view: View,
    /// Means to steer the daemon.
    pub(crate) control: Control,
}

/// Request for a page.
#[derive(Clone)]
pub(super) struct Visit {
    /// Reads and actions of the daemon.
    pub(super) source: Arc<Source>,
    /// Person or program behind the request.
    pub(super) caller: Caller,
    /// Viewer of the page.
    pub(super) viewer: Viewer,
    /// Query string of the request.
    pub(super) query: String,
    /// Path of the request.
    pub(super) path: String,
    headers: HeaderMap,
}

/// Answer in place of a page.
#[derive(Debug)]
pub(super) struct Refused(Box<Response>);

/// Page, or the answer in its place.
pub(super) type Shown = Result<Response, Refused>;

impl IntoResponse for Refused {
    fn into_response(self) -> Response {
        *self.0
    }
}

impl FromRequestParts<Arc<Source>> for Visit {
    type Rejection = Response;

    async fn from_request_parts(
        parts: &mut Parts,
        source: &Arc<Source>,
    ) -> Result<Self, Self::Rejection> {
        let caller = parts.extensions.get::<Caller>().cloned().unwrap_or_default();
        let query = parts.uri.query().unwrap_or_default().to_owned();
        let Some(access) = Access::of(&caller) else { return Err(unknown_caller()) };
        let viewer = Viewer::new(&caller, access, &query, source.control.now());
        let (path, headers) = (parts.uri.path().to_owned(), parts.headers.clone());
        Ok(Self { source: Arc::clone(source), caller, viewer, query, path, headers })
    }
}

/// Asks a caller who is not known for its token.
fn unknown_caller() -> Response {
    let text = "This page needs a token: give it as the password, with any name.\n";
    let answer =
        Answer::new("text/plain; charset=utf-8", text).with_status(StatusCode::UNAUTHORIZED);
    answer.with_header(header::WWW_AUTHENTICATE, CHALLENGE).response(&HeaderMap::new())
}

impl Visit {
    /// Returns the instant of the request.
    pub(super) const fn now(&self) -> Timestamp {
        self.viewer.present.now
    }

    /// Returns the view of the store.
    pub(super) fn view(&self) -> &View {
        &self.source.view
    }

    /// Returns a template as the answer: with a tag, and compressed where the browser takes that.
    pub(super) fn html(&self, template: &impl Template) -> Shown {
        match template.render() {
            Ok(text) => Ok(Answer::new(HTML, text).response(&self.headers)),
            Err(error) => {
                tracing::error!("a page cannot be written: {error}");
                Err(Refused(Box::new(StatusCode::INTERNAL_SERVER_ERROR.into_response())))
            }
        }
    }

    /// Returns text of another kind as the answer.
    pub(super) fn text(&self, kind: &'static str, text: String) -> Response {
        Answer::new(kind, text).response(&self.headers)
    }

    /// Refuses with a page that says why.
    pub(super) fn refuse(&self, status: StatusCode, heading: &str, detail: String) -> Refused {
        let frame = Frame::new(&self.viewer, "", heading, Counts::default());
        let page = ProblemPage { frame, heading: heading.to_owned(), detail };
        let text = page.render().unwrap_or_default();
        let answer = Answer::new(HTML, text).with_status(status);
        Refused(Box::new(answer.response(&self.headers)))
    }

    /// Says that there is no such thing.
    pub(super) fn missing(&self, detail: &str) -> Refused {
        self.refuse(StatusCode::NOT_FOUND, "Not found", detail.to_owned())
    }

    /// Says what is wrong with the address.
    pub(super) fn wrong(&self, problem: &Problem) -> Refused {
        self.refuse(StatusCode::BAD_REQUEST, "The address cannot be read", problem.detail())
    }

    /// Says that the store cannot be read now.
    pub(super) fn unread(&self, error: &StoreError) -> Refused {
        if matches!(error, StoreError::WrongCursor) {
            let detail = "This page of the list is of another database; begin with the first one.";
            return self.refuse(StatusCode::GONE, "Gone", detail.to_owned());
        }
        tracing::warn!("a page could not read the store: {error}");
        let detail = "The store cannot be read now; try again in a moment.";
        self.refuse(StatusCode::SERVICE_UNAVAILABLE, "Not available now", detail.to_owned())
    }

    /// Refuses viewers of the public part, and those who may not act when the page acts.
    ///
    /// # Errors
    ///
    /// Fails when the viewer's access is less than `needed`.
    pub(super) fn require(&self, needed: Access) -> Result<(), Refused> {
        if needed <= self.viewer.access {
            return Ok(());
        }
        if self.viewer.is_public() {
            return Err(Refused(Box::new(unknown_caller())));
        }
        let detail = "This needs a token of scope act, or the daemon's own socket.";
        Err(self.refuse(StatusCode::FORBIDDEN, "Not permitted", detail.to_owned()))
    }

    /// Reads the statuses of all integrations that the caller may see, by name.
    ///
    /// # Errors
    ///
    /// Fails when the store cannot be read.
    pub(super) async fn statuses(&self) -> Result<Vec<StatusRow>, Refused> {
        let rows = self.view().all_statuses().await;
        let mut rows = rows.map_err(|error| self.unread(&error))?;
        rows.retain(|row| self.caller.sees(&row.labels));
        Ok(rows)
    }

    /// Reads the integration of a name, or of an id when none is so named.
    ///
    /// # Errors
    ///
    /// Fails when there is none that the caller may see.
    pub(super) async fn integration(&self, name: &str) -> Result<IntegrationRow, Refused> {
        let found = self.view().integration(name).await;
        let mut found = found.map_err(|error| self.unread(&error))?;
        if found.is_none()
            && let Ok(id) = name.parse().map(IntegrationId)
        {
            let by_id = self.view().integration_of(id).await;
            found = by_id.map_err(|error| self.unread(&error))?;
        }
        let found = found.filter(|row| self.caller.sees(&row.labels));
        found.ok_or_else(|| self.missing("No integration has this name."))
    }

    /// Reads the names of the integrations that a caller with labels may see; none for one that sees all.
    ///
    /// # Errors
    ///
    /// Fails when the store cannot be read.
    pub(super) async fn seen(&self) -> Result<Option<HashMap<String, IntegrationId>>, Refused> {
        if !self.viewer.is_limited {
            return Ok(None);
        }
        let rows = self.statuses().await?;
        Ok(Some(rows.into_iter().map(|row| (row.name, row.id)).collect()))
    }
}
