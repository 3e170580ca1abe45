//! The document is made from the table of routes and the schemas of the values.

use std::collections::BTreeMap;
use std::path::Path;

use schemars::SchemaGenerator;
use schemars::generate::SchemaSettings;
use serde_json::{Map, Value as Json, json};

use super::super::route::{Method, Route, Shape};
use super::super::routes::ROUTES;
use super::super::{act, badge, daemon};
use crate::http::{BadParameter, CURSOR_MAX, Code, Kind, Parameter, REPEATED_MAX, Scope, TEXT_MAX};
use crate::view;

/// Returns the schemas of the values by the names that routes use.
fn schemas(generator: &mut SchemaGenerator) -> BTreeMap<&'static str, Json> {
    let mut all = BTreeMap::new();
    let mut add = |name, schema: schemars::Schema| {
        all.insert(name, schema.to_value());
    };
    let g = generator;
    add("Published", g.subschema_for::<view::Published<'_>>());
    add("PublishedStatus", g.subschema_for::<view::PublishedStatus>());
    add("DaemonStatus", g.subschema_for::<view::DaemonStatus<'_>>());
    add("Live", g.subschema_for::<view::Live>());
    add("Summary", g.subschema_for::<view::Summary<'_>>());
    add("Integration", g.subschema_for::<view::Integration<'_>>());
    add("BriefIntegration", g.subschema_for::<view::BriefIntegration<'_>>());
    add("Explained", g.subschema_for::<view::Explained<'_>>());
    add("Run", g.subschema_for::<view::Run<'_>>());
    add("Transition", g.subschema_for::<view::Transition<'_>>());
    add("AttributedRun", g.subschema_for::<view::AttributedRun<'_>>());
    add("AttributedTransition", g.subschema_for::<view::AttributedTransition<'_>>());
    add("Expiry", g.subschema_for::<view::Expiry<'_>>());
    add("Strip", g.subschema_for::<view::Strip>());
    add("WholeOutage", g.subschema_for::<view::WholeOutage<'_>>());
    add("MonthlyReport", g.subschema_for::<view::MonthlyReport<'_>>());
    add("StoredEvent", g.subschema_for::<view::StoredEvent<'_>>());
    add("Delivery", g.subschema_for::<view::Delivery<'_>>());
    add("Receiver", g.subschema_for::<view::Receiver<'_>>());
    add("Silence", g.subschema_for::<view::Silence<'_>>());
    add("Window", g.subschema_for::<view::Window<'_>>());
    add("PlatformTests", g.subschema_for::<view::PlatformTests>());
    add("Audited", g.subschema_for::<view::Audited<'_>>());
    add("Version", g.subschema_for::<daemon::Version>());
    add("Revalidated", g.subschema_for::<view::Revalidated<'_>>());
    add("Requeued", g.subschema_for::<view::Requeued<'_>>());
    add("ReplayPlan", g.subschema_for::<view::ReplayPlan<'_>>());
    add("Pinged", g.subschema_for::<view::Pinged<'_>>());
    add("Badge", g.subschema_for::<badge::Badge>());
    add("BadParameter", g.subschema_for::<BadParameter>());
    all.insert("Acknowledge", body::<act::Acknowledge>());
    all.insert("NewMute", body::<act::NewMute>());
    all.insert("Replay", body::<act::Replay>());
    all.insert("TestMessage", body::<act::TestMessage>());
    let listed = [all["BriefIntegration"].clone(), all["Integration"].clone()];
    all.insert("ListedIntegration", json!({ "anyOf": listed }));
    all.insert("EventBody", json!({ "type": "object" }));
    all.insert("Document", json!({ "type": "object" }));
    all
}

/// Returns the schema of a body, by what is read of it.
fn body<T: schemars::JsonSchema>() -> Json {
    let mut settings = SchemaSettings::draft2020_12();
    settings.inline_subschemas = true;
    settings.meta_schema = None;
    settings.into_generator().into_root_schema_for::<T>().to_value()
}

fn parameter(one: &Parameter) -> Json {
    let value = match one.kind {
        Kind::Flag => json!({ "type": "boolean" }),
        Kind::Integer(first, i64::MAX) => json!({ "type": "integer", "minimum": first }),
        Kind::Integer(first, last) => {
            json!({ "type": "integer", "minimum": first, "maximum": last })
        }
        Kind::Words(words) => json!({ "type": "string", "enum": words }),
        Kind::Text => json!({ "type": "string", "minLength": 1, "maxLength": TEXT_MAX }),
        Kind::Duration => {
            let units =
                ["w", "d", "h", "m", "s", "ms"].map(|unit| format!("([0-9]{{1,6}}{unit})?"));
            let pattern = format!("^{}$", units.concat());
            json!({ "type": "string", "pattern": pattern, "minLength": 2 })
        }
        Kind::Instant => json!({ "type": "string", "format": "date-time" }),
        Kind::Label => json!({ "type": "string", "pattern": "^[^=]+=.*$", "maxLength": TEXT_MAX }),
        Kind::Month => {
            json!({ "type": "string", "pattern": "^(19[7-9][0-9]|[2-9][0-9]{3})-(0[1-9]|1[0-2])$" })
        }
        Kind::Cursor => {
            let pattern = "^[A-Za-z0-9_-]+$";
            json!({ "type": "string", "pattern": pattern, "maxLength": CURSOR_MAX })
        }
        Kind::Position => {
            let pattern = "^(evt_[A-Za-z0-9_-]{1,96}|([A-Za-z0-9_-]{1,100}\\.)?[0-9]{1,18})$";
            json!({ "type": "string", "pattern": pattern })
        }
    };
    let schema = if one.is_repeated {
        json!({ "type": "array", "items": value, "maxItems": REPEATED_MAX })
    } else {
        value
    };
    json!({ "name": one.name, "in": "query", "description": one.about, "schema": schema })
}

fn operation(route: &Route, schemas: &BTreeMap<&'static str, Json>) -> Json {
    let mut parameters: Vec<_> = Vec::new();
    for part in route.path.split('/').filter_map(|part| part.strip_prefix('{')) {
        let name = part.trim_end_matches('}');
        let schema = if name == "id"
            && !route.path.contains("/events/")
            && !route.path.contains("/outages/")
        {
            json!({ "type": "integer", "minimum": 0, "maximum": i64::MAX })
        } else {
            json!({ "type": "string", "minLength": 1 })
        };
        let mut parameter =
            json!({ "name": name, "in": "path", "required": true, "schema": schema });
        if let Some(example) = example(route.path, name) {
            parameter["example"] = json!(example);
        }
        parameters.push(parameter);
    }
    parameters.extend(route.parameters().iter().map(parameter));
    let mut operation = json!({
        "summary": route.about,
        "operationId": operation_id(route),
        "parameters": parameters,
        "responses": responses(route, schemas),
    });
    if let Some(name) = route.body {
        let schema = json!({ "$ref": format!("#/components/schemas/{name}") });
        let content = json!({ "application/json": { "schema": schema } });
        operation["requestBody"] = {
            let is_needed = !schemas[name]["required"].is_null();
            json!({ "required": is_needed, "content": content })
        };
    }
    if route.scope == Scope::Anonymous {
        operation["security"] = json!([]);
    }
    operation
}

/// Returns an example of a parameter of a path.
fn example(path: &str, name: &str) -> Option<&'static str> {
    match name {
        "name" if path.contains("/receivers/") => Some("on-call"),
        "name" => Some("lake-orders"),
        "file" => Some("lake-orders.svg"),
        "type" => Some("Native S3"),
        _ => None,
    }
}

/// Links from the answer of a route to an operation about the same thing, which tools cannot infer: path, operation,
/// its parameter, and the value of that in the answer.
const LINKS: &[(&str, &str, &str, &str)] = &[
    ("/api/v1/integrations/{name}", "getBadgeFile", "file", "{$response.body#/name}.json"),
    (
        "/api/v1/integrations/{name}",
        "postIntegrationsNameAcknowledge",
        "name",
        "$response.body#/name",
    ),
];

/// Returns the links of a route by their names.
fn links(route: &Route) -> Map<String, Json> {
    let of_route = LINKS.iter().filter(|(path, ..)| *path == route.path);
    let link = |(_, operation, parameter, value): &(&str, &str, &str, &str)| {
        let is_known = ROUTES.iter().any(|route| operation_id(route) == *operation);
        assert!(is_known, "{operation} is no operation");
        let link = json!({ "operationId": operation, "parameters": { *parameter: value } });
        ((*operation).to_owned(), link)
    };
    of_route.map(link).collect()
}

/// Returns a name for a route that generators of clients make functions of.
fn operation_id(route: &Route) -> String {
    let method: &str = route.method.into();
    let path = route.path.replace("/api/v1", "").replace(['{', '}'], "");
    let parts = path.split(['/', '.']).filter(|part| !part.is_empty());
    let mut name = method.to_lowercase();
    if !route.path.starts_with("/api/") && route.path.starts_with("/integrations") {
        name.push_str("Published");
    }
    for part in parts {
        let mut letters = part.chars();
        name.extend(letters.next().into_iter().flat_map(char::to_uppercase));
        name.extend(letters);
    }
    name
}

fn schema_of(shape: Shape, reference: impl Fn(&str) -> Json) -> Json {
    match shape {
        Shape::Object(name) => reference(name),
        Shape::Array(name) => json!({ "type": "array", "items": reference(name) }),
        Shape::Page(name) => json!({
            "type": "object",
            "required": ["items", "next"],
            "properties": {
                "items": { "type": "array", "items": reference(name) },
                "next": { "type": ["string", "null"] },
            },
        }),
        Shape::Text(_) => json!({ "type": "string" }),
        // One for each event of the stream, whose fields are text.
        Shape::Stream => json!({
            "type": "object",
            "description": "One server-sent event.",
            "required": ["event", "data"],
            "properties": {
                "id": { "type": "string" },
                "event": { "type": "string" },
                "data": { "type": "string" },
            },
        }),
    }
}

fn responses(route: &Route, schemas: &BTreeMap<&'static str, Json>) -> Json {
    let mut all = Map::new();
    for (status, shape) in route.answers {
        let reference = |name: &str| {
            assert!(schemas.contains_key(name), "{name} has no schema");
            json!({ "$ref": format!("#/components/schemas/{name}") })
        };
        let schema = schema_of(*shape, reference);
        let answer = all
            .entry(status.to_string())
            .or_insert_with(|| json!({ "description": "The answer.", "content": {} }));
        for kind in shape.kinds() {
            answer["content"][*kind] = json!({ "schema": schema });
        }
        if route.is_published() {
            answer["content"]["application/yaml"] = json!({ "schema": schema });
        }
    }
    let links = links(route);
    if let Some(answer) = all.get_mut("200").filter(|_| !links.is_empty()) {
        answer["links"] = Json::Object(links);
    }
    if route.method == Method::Get {
        all.insert("304".to_owned(), json!({ "description": "The caller has this body already." }));
    }
    let mut codes = vec![Code::BadParameter, Code::NotAcceptable, Code::Unavailable];
    if route.scope != Scope::Anonymous {
        codes.extend([Code::Unauthorized, Code::Forbidden]);
    }
    if route.body.is_some() {
        codes.extend([Code::BadBody, Code::TooLarge, Code::UnsupportedMediaType]);
    }
    codes.extend(route.problems);
    let mut by_status: BTreeMap<u16, Vec<&str>> = BTreeMap::new();
    for code in codes {
        by_status.entry(code.status().as_u16()).or_default().push(code.as_str());
    }
    let (kind, schema) = if route.path.starts_with("/api/") {
        ("application/problem+json", "#/components/schemas/Problem")
    } else {
        ("application/json", "#/components/schemas/PublishedProblem")
    };
    for (status, names) in by_status {
        let content = json!({ kind: { "schema": { "$ref": schema } } });
        let description = format!("`{}`", names.join("`, `"));
        all.insert(status.to_string(), json!({ "description": description, "content": content }));
    }
    let long = "The head of the request has more than 16 KiB; there is no body.";
    all.insert("431".to_owned(), json!({ "description": long }));
    Json::Object(all)
}

/// Returns the document that the table of routes gives.
pub(super) fn document() -> Json {
    let mut settings = SchemaSettings::draft2020_12().for_serialize();
    settings.definitions_path = "/components/schemas".into();
    let mut generator = settings.into_generator();
    let named = schemas(&mut generator);
    let mut paths = Map::new();
    for route in ROUTES {
        let method: &str = route.method.into();
        let path = paths.entry(route.path).or_insert_with(|| json!({}));
        path[method.to_lowercase()] = operation(route, &named);
    }
    let mut components: Map<String, Json> = generator.take_definitions(true);
    for (name, schema) in named {
        let is_itself = schema["$ref"] == format!("#/components/schemas/{name}");
        if !is_itself {
            components.insert(name.to_owned(), schema);
        }
    }
    components.insert("Problem".to_owned(), problem());
    components.insert("PublishedProblem".to_owned(), published_problem());
    json!({
        "openapi": "3.1.0",
        "jsonSchemaDialect": "https://json-schema.org/draft/2020-12/schema",
        "info": {
            "title": "revalidated",
            "version": "1",
            "description": "Integrations of a governance service with their validation: the published routes, and more under `/api/v1`.",
        },
        "security": [{ "bearer": [] }, { "basic": [] }],
        "paths": paths,
        "components": {
            "schemas": components,
            "securitySchemes": {
                "bearer": { "type": "http", "scheme": "bearer" },
                "basic": { "type": "http", "scheme": "basic", "description": "The token is the password." },
            },
        },
    })
}

fn problem() -> Json {
    use strum::IntoEnumIterator as _;
    let codes: Vec<_> = Code::iter().map(Code::as_str).collect();
    json!({
        "type": "object",
        "description": "Problem (RFC 9457).",
        "required": ["type", "title", "status", "detail", "code", "parameters"],
        "properties": {
            "type": { "type": "string" },
            "title": { "type": "string" },
            "status": { "type": "integer" },
            "detail": { "type": "string" },
            "code": { "type": "string", "enum": codes },
            "parameters": { "type": "array", "items": { "$ref": "#/components/schemas/BadParameter" } },
            "oldest": { "type": "string" },
            "latest": { "type": "string" },
        },
    })
}

fn published_problem() -> Json {
    json!({
        "type": "object",
        "required": ["statusCode", "error", "message"],
        "properties": {
            "statusCode": { "type": "integer" },
            "error": { "type": "string" },
            "message": { "type": "string" },
        },
    })
}

#[test]
fn published_document_equals_that_of_the_table() {
    let found = format!("{:#}\n", document());
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let file = "openapi.v1.json";
    let published = std::fs::read_to_string(root.join("schemas").join(file)).unwrap_or_default();
    if published != found {
        std::fs::write(root.join("target").join(file), found).unwrap();
        panic!("schemas/{file} differs; the table gives target/{file}");
    }
}

#[test]
fn every_route_has_a_name_of_its_own_and_a_sentence() {
    let names: std::collections::BTreeSet<_> = ROUTES.iter().map(operation_id).collect();
    assert_eq!(names.len(), ROUTES.len());
    for route in ROUTES {
        assert!(route.about.ends_with('.') && !route.answers.is_empty(), "{}", route.path);
        let acts = route.method != Method::Get;
        assert_eq!(route.scope == Scope::Act, acts, "{}", route.path);
    }
}

#[test]
fn documentation_names_every_route_and_code() {
    use strum::IntoEnumIterator as _;
    const PAGE: &str = include_str!("../../../docs/api.md");
    for code in Code::iter() {
        let (word, status) = (code.as_str(), code.status().as_u16());
        let line = format!("<a id=\"{word}\"></a>`{word}` | {status} |");
        assert!(PAGE.contains(&line), "{line}");
    }
    for route in ROUTES {
        let path = route.path.strip_prefix("/api/v1").unwrap_or(route.path);
        let last = path.rsplit_once('/').map_or(path, |(_, last)| last);
        let is_named = PAGE.contains(path) || PAGE.contains(&format!("/{last}`"));
        assert!(is_named || last == "{file}" || last == "badge.json", "{path}");
    }
}
