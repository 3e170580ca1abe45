//! Route: what is asked, by whom, and what is answered, in one value.

use std::future::Future;
use std::pin::Pin;

use axum::response::Response;

use super::asked::Asked;
use crate::http::{Answer, Code, Packed, Parameter, Problem, Public, Scope};

/// Method of a request. A route that is read is also asked by HEAD.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd, strum::IntoStaticStr)]
#[strum(serialize_all = "UPPERCASE", const_into_str)]
pub(super) enum Method {
    /// Reads and changes nothing.
    Get,
    /// Changes something, or begins it.
    Post,
    /// Ends something before its time.
    Delete,
}

/// Form of an answer, for the document.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Shape {
    /// Object of a schema.
    Object(&'static str),
    /// Array of objects of a schema.
    Array(&'static str),
    /// Page of objects of a schema, with the cursor of the next one.
    Page(&'static str),
    /// Text of this content type.
    Text(&'static str),
    /// Stream of server-sent events.
    Stream,
}

impl Shape {
    /// Returns the content types of the answer.
    pub(super) fn kinds(&self) -> &[&'static str] {
        match self {
            Self::Object(_) | Self::Array(_) | Self::Page(_) => &["application/json"],
            Self::Text(kind) => std::slice::from_ref(kind),
            Self::Stream => &["text/event-stream"],
        }
    }
}

/// Answers of a route with one object of a schema.
macro_rules! object {
    ($name:literal) => {
        &[(200, Shape::Object($name))]
    };
}
/// Answers of a route with pages of objects of a schema.
macro_rules! page {
    ($name:literal) => {
        &[(200, Shape::Page($name))]
    };
}
pub(super) use {object, page};

/// Result of a handler that has one.
pub(super) enum Reply {
    /// Body that is complete.
    Whole(Answer),
    /// Long body that is complete and kept compressed.
    Packed(Packed),
    /// Response that is made while it is sent.
    Streamed(Response),
}

impl From<Answer> for Reply {
    fn from(answer: Answer) -> Self {
        Self::Whole(answer)
    }
}

/// Result of a handler.
pub(super) type Handled = Result<Reply, Problem>;
/// Function that answers a request.
pub(super) type Handler = fn(Asked) -> Pin<Box<dyn Future<Output = Handled> + Send>>;

/// Route of the interface.
#[derive(Clone, Copy)]
pub(super) struct Route {
    /// Method of the request.
    pub(super) method: Method,
    /// Path, with the names of its parameters in braces.
    pub(super) path: &'static str,
    /// Least permission of a caller.
    pub(super) scope: Scope,
    /// Says whether the route is open to everybody.
    pub(super) public: fn(Public) -> bool,
    /// Groups of parameters in the query.
    pub(super) query: &'static [&'static [Parameter]],
    /// Schema of the body; none where the route takes none.
    pub(super) body: Option<&'static str>,
    /// Status code and form of the answer.
    pub(super) answers: &'static [(u16, Shape)],
    /// Problems beside those that every route has.
    pub(super) problems: &'static [Code],
    /// Sentence about it for the document.
    #[cfg_attr(not(test), expect(dead_code, reason = "only the document says it"))]
    pub(super) about: &'static str,
    /// Function that answers the request.
    pub(super) handler: Handler,
}

impl Route {
    /// Route that reads and changes nothing.
    pub(super) const fn get(
        path: &'static str,
        about: &'static str,
        answers: &'static [(u16, Shape)],
        handler: Handler,
    ) -> Self {
        Self {
            method: Method::Get,
            path,
            scope: Scope::Read,
            public: |_| false,
            query: &[],
            body: None,
            answers,
            problems: &[],
            about,
            handler,
        }
    }

    /// Route that needs the permission to act.
    pub(super) const fn act(
        method: Method,
        path: &'static str,
        about: &'static str,
        answers: &'static [(u16, Shape)],
        handler: Handler,
    ) -> Self {
        Self { method, scope: Scope::Act, ..Self::get(path, about, answers, handler) }
    }

    /// Gives it parameters in the query.
    pub(super) const fn takes(mut self, query: &'static [&'static [Parameter]]) -> Self {
        self.query = query;
        self
    }

    /// Gives it a body.
    pub(super) const fn body(mut self, schema: &'static str) -> Self {
        self.body = Some(schema);
        self
    }

    /// Names problems that it has beside the common ones.
    pub(super) const fn fails(mut self, problems: &'static [Code]) -> Self {
        self.problems = problems;
        self
    }

    /// Gives it another permission.
    pub(super) const fn scope(mut self, scope: Scope) -> Self {
        self.scope = scope;
        self
    }

    /// Opens it to everybody where the configuration says so.
    pub(super) const fn public(mut self, public: fn(Public) -> bool) -> Self {
        self.public = public;
        self
    }

    /// Returns all parameters of its query.
    pub(super) fn parameters(&self) -> Vec<Parameter> {
        self.query.iter().flat_map(|group| group.iter().copied()).collect()
    }

    /// Returns true for the routes of the published interface, whose problems have its form.
    pub(super) fn is_published(&self) -> bool {
        self.path.starts_with("/integrations")
    }
}
