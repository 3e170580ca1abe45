//! Document of the interface (`OpenAPI` 3.1), which is made from the table of routes.

use super::route::Reply;
use crate::http::{Answer, JSON};

/// Document as it is published; a test compares it with the table.
const DOCUMENT: &str = include_str!("../../schemas/openapi.v1.json");

/// Handler of `GET /openapi.json`.
pub(super) fn document() -> Reply {
    Answer::new(JSON, DOCUMENT).into()
}
