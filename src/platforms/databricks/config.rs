//! The `config` table of a Databricks integration.

use reqwest::Url;

use super::credential_keys::credentials;
use super::credentials::Credentials;
use crate::input::Reader;
use crate::platforms::connection::{self, Endpoint, origin};

/// The longest name of a catalog, schema or table that Unity Catalog allows, in characters.
const NAME_MAX: usize = 255;
/// The most objects that one integration can expect; each is a request of every run.
const OBJECTS_MAX: usize = 50;
/// Privileges that the owner of a catalog has and others need a grant for.
const PRIVILEGES_DEFAULT: [&str; 6] =
    ["USE_CATALOG", "USE_SCHEMA", "SELECT", "MODIFY", "CREATE_TABLE", "CREATE_SCHEMA"];

/// Configuration of an integration, checked.
#[derive(Debug)]
pub(super) struct Config {
    /// The address that requests go to.
    pub(super) server: String,
    /// The address of the workspace, which is `server` unless `endpoint` replaces it.
    pub(super) workspace: String,
    /// Way to the servers.
    pub(super) endpoint: Endpoint,
    /// Credentials for the workspace.
    pub(super) credentials: Credentials,
    /// The catalog that the integration keeps its objects in.
    pub(super) catalog: String,
    /// The SQL warehouse to look at, if it is to be looked at.
    pub(super) warehouse: Option<String>,
    /// Names the workspace where several share a host.
    pub(super) workspace_id: Option<String>,
    /// The metastore that the workspace is expected to have.
    pub(super) metastore_id: Option<String>,
    /// Objects that must be in the catalog.
    pub(super) expected: Vec<Object>,
    /// The privileges that one who does not own the catalog must have on it, `USE_CATALOG` style.
    pub(super) required: Vec<String>,
    /// True where query audit is enabled.
    pub(super) audit: bool,
}

/// A schema, or a table in a schema, of the catalog.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Object {
    /// Name of the schema.
    pub(super) schema: String,
    /// The table or view.
    pub(super) table: Option<String>,
}

impl Object {
    fn parse(text: &str) -> Option<Self> {
        let (schema, table) = match text.split_once('.') {
            Some((schema, table)) => (schema, Some(table)),
            None => (text, None),
        };
        let fits = is_name(schema) && table.is_none_or(is_name);
        fits.then(|| Self { schema: schema.to_owned(), table: table.map(str::to_owned) })
    }
}

/// Reads the table; what is wrong is left with the reader.
pub(super) fn parse(mut reader: Reader<'_>) -> Option<Config> {
    let (workspace, found_id) = workspace(&mut reader).unzip();
    let given = reader.has("endpoint").then(|| connection::server(&mut reader, "endpoint"));
    let mut server = match given {
        Some(given) => given,
        None => workspace.clone(),
    };
    let endpoint = Endpoint::read_with_proxy_options(&mut reader, server.as_mut());
    let credentials = credentials(&mut reader, workspace.as_deref());
    let catalog = catalog(&mut reader);
    let warehouse = warehouse(&mut reader);
    let workspace_id = workspace_id(&mut reader).or(found_id.flatten());
    let metastore_id = reader.string("metastoreId");
    let expected = expected(&mut reader);
    let required = required(&mut reader);
    let audit = reader.table("audit").and_then(|mut table| {
        let enabled = table.boolean("enabled");
        table.finish();
        enabled
    });
    if let Some(mut table) = reader.table("groupPattern") {
        // Which groups are passed over is of no concern here.
        table.string("deny");
        table.finish();
    }
    reader.finish();
    Some(Config {
        server: server?,
        workspace: workspace?,
        endpoint: endpoint?,
        credentials: credentials?,
        catalog: catalog?,
        warehouse: warehouse.ok()?,
        workspace_id,
        metastore_id,
        expected: expected?,
        required: required?,
        audit: audit.unwrap_or_default(),
    })
}

/// Returns the origin that `workspaceUrl` and `port` name, without the rest of a browser's address
/// line, and the workspace id of its parameter `o`.
fn workspace(reader: &mut Reader<'_>) -> Option<(String, Option<String>)> {
    let text = reader.required_string("workspaceUrl");
    let port = reader.port("port");
    let text = text?;
    let text = text.trim();
    let text = if text.contains("://") { text.to_owned() } else { format!("https://{text}") };
    let parsed = Url::parse(&text).map_err(|_unreadable| "must be the host of a workspace");
    let found = parsed.and_then(|mut url| {
        let id = url.query_pairs().find(|(key, id)| key == "o" && is_number(id));
        let id = id.map(|(_, id)| id.into_owned());
        url.set_path("");
        url.set_query(None);
        url.set_fragment(None);
        if let (Some(port), None) = (port, url.port()) {
            url.set_port(Some(port)).map_err(|()| "must be the host of a workspace")?;
        }
        if port.is_some_and(|port| url.port_or_known_default() != Some(port)) {
            return Err("has another port than `port`; give it once");
        }
        Ok((origin(url.as_str())?, id))
    });
    found.map_err(|fault| reader.refuse("workspaceUrl", fault)).ok()
}

fn workspace_id(reader: &mut Reader<'_>) -> Option<String> {
    let value = reader.raw("workspaceId")?;
    let id = match value.text() {
        Some(text) => Some(text.to_owned()),
        None => reader.integer("workspaceId", 1, i64::MAX).map(|id| id.to_string()),
    }?;
    if !is_number(&id) {
        reader.refuse("workspaceId", "must be the number behind `?o=` in the workspace's address");
        return None;
    }
    Some(id)
}

fn catalog(reader: &mut Reader<'_>) -> Option<String> {
    let name = reader.string("catalog").unwrap_or_else(|| "immuta".to_owned());
    if !is_name(&name) {
        reader.refuse("catalog", "must be the name of a catalog, without `.` and `/`");
        return None;
    }
    Some(name)
}

/// Returns the id of the warehouse, if it is to be checked.
///
/// # Errors
///
/// Faults are left with the reader.
fn warehouse(reader: &mut Reader<'_>) -> Result<Option<String>, ()> {
    let path = reader.string("httpPath");
    if !reader.boolean("checkWarehouse").unwrap_or_default() {
        return Ok(None);
    }
    let id = path.as_deref().and_then(|path| {
        let (before, id) = path.trim_end_matches('/').rsplit_once('/')?;
        let is_warehouse = before.ends_with("/warehouses") || before.ends_with("/endpoints");
        let is_id = !id.is_empty() && id.chars().all(|c| c.is_ascii_alphanumeric() || c == '-');
        (is_warehouse && is_id).then(|| id.to_owned())
    });
    if id.is_none() {
        let wanted = "must be /sql/1.0/warehouses/<id> for `checkWarehouse`";
        reader.refuse("httpPath", wanted);
        return Err(());
    }
    Ok(id)
}

fn expected(reader: &mut Reader<'_>) -> Option<Vec<Object>> {
    let texts = reader.strings("expectedObjects").unwrap_or_default();
    if OBJECTS_MAX < texts.len() {
        reader.fault("expectedObjects", format!("more than {OBJECTS_MAX} objects"));
        return None;
    }
    let parsed: Vec<_> = texts.iter().filter_map(|text| Object::parse(text)).collect();
    if parsed.len() != texts.len() {
        let fault = "must be `schema` or `schema.table`, without the catalog";
        reader.fault("expectedObjects", fault);
        return None;
    }
    Some(parsed)
}

fn required(reader: &mut Reader<'_>) -> Option<Vec<String>> {
    let Some(words) = reader.strings("requiredPrivileges") else {
        return Some(PRIVILEGES_DEFAULT.map(str::to_owned).to_vec());
    };
    let is_privilege =
        |word: &str| !word.is_empty() && word.chars().all(|c| c.is_ascii_uppercase() || c == '_');
    let words: Vec<_> =
        words.iter().map(|word| word.trim().to_ascii_uppercase().replace(' ', "_")).collect();
    if !words.iter().all(|word| is_privilege(word)) {
        reader.fault("requiredPrivileges", "must be privileges such as \"USE CATALOG\"");
        return None;
    }
    Some(words)
}

/// True for what Unity Catalog accepts as name: no `.`, no `/`, no space, no control character.
fn is_name(text: &str) -> bool {
    let allowed = |c: char| !c.is_control() && !c.is_whitespace() && c != '.' && c != '/';
    !text.is_empty() && text.chars().count() <= NAME_MAX && text.chars().all(allowed)
}

fn is_number(text: &str) -> bool {
    (1..=20).contains(&text.len()) && text.chars().all(|c| c.is_ascii_digit())
}
