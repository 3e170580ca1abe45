//! Schema of the JSON of every command, published as `schemas/commands.v1.schema.json`.

use std::path::Path;

use schemars::JsonSchema;
use schemars::generate::SchemaSettings;

use super::audit::Audited;
use super::backup::{MadeBackup, Restored};
use super::check::Checked;
use super::condition::{CompactedStore, MovedStore, StoreCondition};
use super::daemon::DaemonStatus;
use super::delivery::{Delivery, ReplayPlan, Requeued};
use super::doctor::Diagnosis;
use super::explanation::Explained;
use super::export::Exported;
use super::grants::Granted;
use super::history::Entry;
use super::integration::Integration;
use super::nodes::Node;
use super::ping::Pinged;
use super::receiver::Receiver;
use super::rehearsal::Rehearsed;
use super::report::MonthlyReport;
use super::request::Revalidated;
use super::run::Run;
use super::silence::Silence;
use super::validation::OnDemand;
use super::version::ProgramVersion;
use super::{PlatformTests, samples};
use crate::domain::{Reload, Timestamp};

/// JSON that each command prints with `--json`, by the command. Members and values of lists are only added.
#[derive(JsonSchema)]
#[expect(dead_code, reason = "only its schema is of interest")]
struct Commands<'a> {
    /// One silence or acknowledgement, as it is then.
    acknowledge: Silence<'a>,
    /// Commands by which people changed something, the latest first.
    audit: Vec<Audited<'a>>,
    /// Backup that was made.
    backup: MadeBackup<'a>,
    /// Platforms with their validation tests.
    catalog: Vec<PlatformTests>,
    /// Result of reading the configuration.
    check: Checked<'a>,
    /// Deliveries with their attempts, the latest first.
    deliveries: Vec<Delivery<'a>>,
    /// Findings about the installation.
    doctor: Diagnosis,
    /// Status of an integration with its evidence.
    explain: Explained<'a>,
    /// Record of an export, one in each line.
    export: Exported<'a>,
    /// Grants that an integration needs, with their states.
    grants: Granted<'a>,
    /// Runs and status changes, the latest first.
    history: Vec<Entry<'a>>,
    /// Integrations as published, with an extension.
    list: Vec<Integration<'a>>,
    /// Instants at which an expression comes due.
    next: Vec<Timestamp>,
    /// Daemons of the database, by name.
    nodes: Vec<Node<'a>>,
    /// Receivers with their states.
    receivers: Vec<Receiver<'a>>,
    /// Deliveries that are queued again.
    redeliver: Vec<Requeued<'a>>,
    /// Present and next credential of an integration, side by side.
    rehearse: Rehearsed<'a>,
    /// Outcome of the reload that it asked for.
    reload: Reload,
    /// Events that are queued again.
    replay: ReplayPlan<'a>,
    /// Report of a month.
    report: MonthlyReport<'a>,
    /// Backup that took the place of the database.
    restore: Restored<'a>,
    /// Runs that were asked for, with results when those were waited for.
    revalidate: Vec<Revalidated<'a>>,
    /// One integration as published, with an extension.
    show: Integration<'a>,
    /// One run of the integration, with its results.
    #[schemars(rename = "show --run")]
    show_run: Run<'a>,
    /// Silences and acknowledgements, by their ids.
    silences: Vec<Silence<'a>>,
    /// State of the daemon as a whole.
    status: DaemonStatus<'a>,
    /// Condition of the database.
    #[schemars(rename = "store check")]
    store_check: StoreCondition<'a>,
    /// Result of a compaction.
    #[schemars(rename = "store compact")]
    store_compact: CompactedStore,
    /// Result of a move to another engine.
    #[schemars(rename = "store move")]
    store_move: MovedStore<'a>,
    /// Report of one validation; with `--all`, a list of them.
    validate: OnDemand<'a>,
    /// Version of the program, and of what it was built from.
    version: ProgramVersion,
    /// Result of a test message.
    #[schemars(rename = "webhook test")]
    webhook_test: Pinged<'a>,
}

fn schema() -> serde_json::Value {
    let settings = SchemaSettings::draft2020_12().for_serialize();
    settings.into_generator().into_root_schema_for::<Commands<'_>>().to_value()
}

#[test]
fn published_schema_of_the_commands_equals_that_of_the_types() {
    let found = format!("{:#}\n", schema());
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let file = "commands.v1.schema.json";
    let published = std::fs::read_to_string(root.join("schemas").join(file));
    if published.unwrap_or_default() != found {
        std::fs::write(root.join("target").join(file), found).unwrap();
        panic!("schemas/{file} differs; the types give target/{file}");
    }
}

/// Returns the names of the members that a schema gives an object, looked up where it refers.
fn members<'a>(schema: &'a serde_json::Value, of: &'a serde_json::Value) -> Vec<&'a str> {
    let of = match of["$ref"].as_str() {
        Some(name) => &schema["$defs"][name.trim_start_matches("#/$defs/")],
        None => of,
    };
    let own = of["properties"].as_object().unwrap();
    let mut names: Vec<_> = own.keys().map(String::as_str).collect();
    names.sort_unstable();
    names
}

/// Asserts that `value` has just the members that the schema gives `command`.
fn assert_members(command: &str, value: &impl serde::Serialize) {
    let schema = schema();
    let of = &schema["properties"][command];
    let of = if of["items"].is_null() { of } else { &of["items"] };
    let value = serde_json::to_value(value).unwrap();
    let mut found: Vec<_> = value.as_object().unwrap().keys().map(String::as_str).collect();
    found.sort_unstable();
    assert_eq!(found, members(&schema, of), "{command}");
}

#[test]
fn printed_json_has_the_members_of_the_schema() {
    let (row, situation) = samples::troubled();
    assert_members("list", &Integration::from(&row));
    assert_members("show", &Integration::with(&row, &situation, samples::now()));
    assert_members("explain", &samples::explanation().shown(samples::now()));
    assert_members("deliveries", &Delivery::from(&samples::deliveries()[0]));
    assert_members("receivers", &Receiver::from(&samples::receivers()[0]));
    let silence = &samples::silences()[0];
    assert_members("silences", &Silence::new(silence, &[samples::target()], samples::now()));
    let node = &samples::nodes()[0];
    assert_members("nodes", &Node::new(node, super::Liveness::Running));
    assert_members("audit", &Audited::from(&samples::audit()[0]));
    let backup = samples::backup();
    assert_members("backup", &MadeBackup::new(&backup, true, std::time::Duration::ZERO));
    assert_members("store check", &StoreCondition::from(&samples::condition()));
    assert_members("restore", &Restored::from(&samples::restore()));
    assert_members("revalidate", &Revalidated::from(&samples::requested()));
    let timelines = samples::timelines();
    assert_members("report", &samples::monthly(&timelines));
    let platform = samples::platform("Redshift");
    assert_members("catalog", &PlatformTests::from(&platform));
}
