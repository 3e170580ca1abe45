//! Manual page of the configuration, in the language of roff.

use std::fmt::Write as _;

use super::Tables;
use super::tree::{Node, words};

const HEAD: &str = r#".SH NAME
revalidated.toml \- configuration of revalidated
.SH SYNOPSIS
\fI/etc/revalidated/revalidated.toml\fR
.br
\fI/etc/revalidated/integrations.d/*.toml\fR, \fI*.yaml\fR, \fI*.json\fR
.SH DESCRIPTION
The daemon reads, each layer over the one before it, its built\-in defaults, the main file, and variables of the
environment such as \fBREVALIDATED__LIMITS__RUNS\fR. Integrations and receivers are read from the main file and from the
files beside it. A duration is text such as "30s", "1h 30m" or "90d"; a day has 24 hours. A cron expression has 5 fields, or 6
with the seconds first, or is a nickname such as "@hourly". A secret is { file = "path" }, { env = "NAME" } or
{ credential = "name" }; the text itself is accepted with a warning. \fBrevalidated check\fR shows every fault with its file and
line, \fBrevalidated sample\fR prints a sample for each platform, and \fBrevalidated schema config\fR the JSON Schema of all this.
"#;

const TAIL: &str = r".SH SEE ALSO
.BR revalidated (1)
";

/// Returns the page about these tables.
pub(super) fn page(tables: &Tables) -> String {
    let version = env!("CARGO_PKG_VERSION");
    let mut page = format!(
        ".TH revalidated.toml 5 \"\" \"revalidated {version}\" \"revalidated\"\n{HEAD}.SH SETTINGS\n"
    );
    let is_table = |node: &Node| !node.table().keys.is_empty();
    let own = tables.settings.keys.iter().filter(|(_, node)| !is_table(node));
    page.extend(own.map(|(key, node)| entry(key, node)));
    for (key, node) in tables.settings.keys.iter().filter(|(_, node)| is_table(node)) {
        page.push_str(&section(key, node));
    }
    page.push_str(".SH RECEIVERS\n");
    page.push_str(&list("receiver", &tables.receiver));
    page.push_str(".SH INTEGRATIONS\nA \\fB[[template]]\\fR has the same keys; an integration gets those that it does not have.\n");
    page.push_str(&list("integration", &tables.integration));
    page.push_str(".SH PLATFORMS\n");
    for (platform, config) in &tables.configs {
        let heading = format!("[integration.config] of {}", platform.kind);
        write!(page, ".SS {}\n{}", escaped(&heading), entries("", config)).unwrap();
    }
    page.push_str(TAIL);
    page
}

fn section(key: &str, node: &Node) -> String {
    if node.items.is_some() {
        return list(key, node.table());
    }
    format!(".SS [{}]\n{}", escaped(key), entries("", node))
}

fn list(key: &str, node: &Node) -> String {
    format!(".SS [[{}]]\n{}", escaped(key), entries("", node))
}

/// Returns the keys of a table, and below each those of the tables in it.
fn entries(path: &str, node: &Node) -> String {
    node.keys
        .iter()
        .map(|(key, node)| {
            let path = format!("{path}{key}");
            let below = entries(&format!("{path}."), node.table());
            entry(&path, node) + &below
        })
        .collect()
}

fn entry(path: &str, node: &Node) -> String {
    let mut shapes: Vec<_> = node.said().into_iter().map(words).collect();
    if node.items.is_some() {
        shapes.push("a list of tables".to_owned());
    }
    if !node.keys.is_empty() {
        shapes.push("a table".to_owned());
    }
    let mut said = shapes.join(", or ");
    if node.is_required() {
        said.push_str("; required");
    }
    if let Some(default) = &node.default {
        write!(said, "; default {default}").unwrap();
    }
    let mut entry = format!(".TP\n\\fB{}\\fR ({})\n", escaped(path), escaped(&said));
    let text =
        if node.text.is_empty() { "\\&".to_owned() } else { escaped(&node.text.replace('`', "")) };
    writeln!(entry, "{text}").unwrap();
    entry
}

/// Returns text in which nothing is an order to roff.
fn escaped(text: &str) -> String {
    let text = text.replace('\\', "\\e").replace('-', "\\-");
    if text.starts_with(['.', '\'']) { format!("\\&{text}") } else { text }
}
