//! Every template, printed from samples: sizes, escaping, the public view, and what the policy of content forbids.

mod fleet;
mod hostile;
mod public;
mod served;
mod sizes;

use std::fs;

use askama::Template;

use super::address::Pairs;
use super::assets::{CSS, JS};
use super::frame::{Counts, Frame, Renewal};
use super::integration::{DeliveryItem, Detail, Rows};
use super::lists::{EventItem, OutageItem, Plan, RunItem, RunPage, SilenceItem, WindowItem, weeks};
use super::mutes::Mutes;
use super::overview::{Asked, Overview, Reads, ReceiverItem, Row, Selection};
use super::report::samples::{choice, report};
use super::spans;
use super::strip::samples::marks;
use super::templates::{
    DeliveriesPage, EventsPage, ExpiryPage, HeadFragment, IntegrationPage, OutagePage,
    OverviewPage, ProblemPage, ReceiverPage, ReceiversPage, ReportPage, RowFragment,
    RunOfIntegration, RunsPage, SilencesPage,
};
use super::viewer::{Access, Viewer};
use crate::domain::{EventType, Facts, Status};
use crate::store::{Attributed, EventRow, HistoryRow, IntegrationRow, StatusRow, TimelineRow};
use crate::view::{Situation, samples};

use fleet::Fleet;

/// Viewer of the samples whose address chooses colours.
fn viewer(access: Access) -> Viewer {
    super::viewer::samples::viewer(access)
}

fn frame(viewer: &Viewer, key: &str) -> Frame {
    let frame = Frame::new(viewer, key, "Sample", Counts::default());
    frame.renewed(Renewal::Whole).themed("/", &Pairs::default())
}

/// Overview of a fleet for a query.
fn overview(fleet: &Fleet, viewer: &Viewer, query: &str) -> Overview {
    let asked = Asked::read(query).unwrap();
    let now = viewer.present.now;
    let mutes = Mutes::at(&fleet.silences, &fleet.maintenance, now);
    let selection = Selection::of(fleet.rows.iter(), &asked, &mutes, now);
    let reads: Reads = fleet.reads(&selection);
    Overview::new(&selection, &asked, &mutes, &reads, viewer)
}

fn overview_page(fleet: &Fleet, viewer: &Viewer, query: &str) -> String {
    let page = overview(fleet, viewer, query);
    let counts = Counts {
        integrations: Some(fleet.rows.len()),
        failing: page.failing,
        pending: Some(2),
        receivers: Some(3),
        expiries: Some(page.expiries.len()),
    };
    let frame = Frame::new(viewer, "integrations", page.headline.title.clone(), counts);
    let frame = frame.renewed(Renewal::Rows).themed("/", &Pairs::parse(query));
    OverviewPage { frame, page }.render().unwrap()
}

fn integration_page(rows: Rows, viewer: &Viewer) -> String {
    let page = Detail::new(rows, viewer);
    let frame = frame(viewer, "integrations").about(&page.name);
    let acts = viewer.acts();
    IntegrationPage { frame, page, acts, spans: spans::CHOICES }.render().unwrap()
}

/// Report of the sample month about these integrations for a query.
fn report_page(rows: &[TimelineRow], viewer: &Viewer, query: &str) -> String {
    let page = ReportPage {
        frame: frame(viewer, "report"),
        kept: vec![("theme".to_owned(), "dark".to_owned())],
        choice: choice(query, "Europe/Berlin"),
        report: report(rows, viewer, query),
        first: None,
        next: Some("/report?after=500".to_owned()),
    };
    page.render().unwrap()
}

/// Rows of an integration in trouble of every kind.
fn troubled() -> Rows {
    let mut explanation = samples::explanation();
    (explanation.row, explanation.situation) = samples::troubled();
    let [_, acknowledgement, ..] = samples::silences();
    explanation.situation.acknowledgement = Some(acknowledgement);
    let [flipped, created] = samples::transitions();
    Rows {
        explanation,
        marks: marks(&format!("{}pwlff", "p".repeat(80))),
        deliveries: samples::deliveries().into(),
        history: vec![
            HistoryRow::Run(samples::run()),
            HistoryRow::Transition(flipped),
            HistoryRow::Transition(created),
        ],
        sharing: fleet::sharing(),
        passed: Facts::new(),
    }
}

/// Every page and fragment by a name, printed from samples.
fn pages(access: Access) -> Vec<(&'static str, String)> {
    let viewer = viewer(access);
    let fleet = Fleet::of_forty();
    let mut pages = vec![
        ("overview", overview_page(&fleet, &viewer, "")),
        ("overview-filtered", overview_page(&fleet, &viewer, "type=Databricks&q=uc&closed=Trino")),
        ("integration", integration_page(troubled(), &viewer)),
    ];
    let mut edited = troubled();
    edited.explanation.row = samples::edited();
    pages.push(("integration-edited", integration_page(edited, &viewer)));
    pages.push(("integration-new", integration_page(new_integration(), &viewer)));
    let run = RunPage::new(&samples::target(), &samples::run(), &viewer);
    let run =
        RunOfIntegration { frame: frame(&viewer, "runs"), page: run, runs_href: String::new() };
    pages.push(("run", run.render().unwrap()));
    let detail = "There is nothing here.".to_owned();
    let heading = "Not found".to_owned();
    let problem = ProblemPage { frame: frame(&viewer, ""), heading, detail };
    pages.push(("problem", problem.render().unwrap()));
    let frame = frame(&viewer, "integrations");
    let page = overview(&fleet, &viewer, "");
    pages.push(("fragment-head", HeadFragment { frame, page }.render().unwrap()));
    let row = Row::new(&samples::status(), &marks("pf"), None, &viewer);
    pages.push(("fragment-row", RowFragment { row }.render().unwrap()));
    if access != Access::Public {
        pages.extend(lists(&viewer));
    }
    pages
}

fn new_integration() -> Rows {
    let mut rows = troubled();
    let explanation = samples::explanation();
    rows.explanation.row = IntegrationRow {
        status: Status::Creating,
        last_run: None,
        incident_id: None,
        fingerprint_at: None,
        ..explanation.row
    };
    rows.explanation.situation = Situation::default();
    (rows.marks, rows.deliveries, rows.history) = (Vec::new(), Vec::new(), Vec::new());
    rows
}

/// The pages that are not public.
fn lists(viewer: &Viewer) -> Vec<(&'static str, String)> {
    let run = Attributed { integration: samples::target(), row: samples::run() };
    let event = EventRow {
        number: 7,
        id: "evt_1".to_owned(),
        kind: EventType::ValidationFailed,
        integration: Some("lake".to_owned()),
        created_at: samples::now(),
        body: String::new(),
    };
    let runs = RunsPage {
        frame: frame(viewer, "runs"),
        heading: "Runs".to_owned(),
        detail: "Newest first.",
        integration: "lake".to_owned(),
        kept: vec![("theme".to_owned(), "dark".to_owned())],
        result_words: vec![("passed", true), ("failed", false)],
        classes: vec![("denied", false)],
        runs: vec![RunItem::new(&run, viewer)],
        first: Some("/runs".to_owned()),
        next: Some("/runs?after=x".to_owned()),
    };
    let (first, next) = (None, None);
    let events = EventsPage {
        frame: frame(viewer, "events"),
        latest: 7,
        events: vec![EventItem::new(&event, viewer)],
        first,
        next,
    };
    let outage = samples::troubled().1.outage.unwrap();
    let outage = OutagePage {
        frame: frame(viewer, "integrations"),
        outage: OutageItem::new(&outage, &[], viewer),
        list_href: "/?outage=out_1".to_owned(),
    };
    let expiry = ExpiryPage {
        frame: frame(viewer, "expiry"),
        detail: "2 expiries.".to_owned(),
        weeks: weeks(&fleet::expiries(), viewer),
        first: None,
        next: None,
    };
    let mut all = vec![
        ("runs", runs.render().unwrap()),
        ("events", events.render().unwrap()),
        ("outage", outage.render().unwrap()),
        ("expiry", expiry.render().unwrap()),
        ("silences", silences(viewer)),
        ("report", report_page(&samples::timelines(), viewer, "label=team%3Ddata")),
        ("report-empty", report_page(&[], viewer, "type=Trino")),
    ];
    all.extend(messages(viewer));
    all
}

/// The pages of deliveries and receivers.
fn messages(viewer: &Viewer) -> [(&'static str, String); 3] {
    let acts = viewer.acts();
    let deliveries =
        || samples::deliveries().iter().map(|row| DeliveryItem::new(row, viewer)).collect();
    let receivers: Vec<_> =
        samples::receivers().iter().map(|row| ReceiverItem::new(row, viewer)).collect();
    let messages = DeliveriesPage {
        frame: frame(viewer, "deliveries"),
        detail: "Newest first.",
        integration: String::new(),
        kept: Vec::new(),
        states: vec![("pending", true)],
        receivers: vec![("on-call".to_owned(), false)],
        deliveries: deliveries(),
        acts,
        back: "/deliveries".to_owned(),
        first: None,
        next: None,
    };
    let receiver = ReceiverPage {
        frame: frame(viewer, "receivers"),
        receiver: receivers[1].clone(),
        receivers_href: "/receivers".to_owned(),
        deliveries: deliveries(),
        deliveries_href: "/deliveries".to_owned(),
        acts,
        back: "/receivers/on-call".to_owned(),
    };
    let all =
        ReceiversPage { frame: frame(viewer, "receivers"), detail: "All of them.", receivers };
    [
        ("deliveries", messages.render().unwrap()),
        ("receiver", receiver.render().unwrap()),
        ("receivers", all.render().unwrap()),
    ]
}

fn silences(viewer: &Viewer) -> String {
    let targets = [samples::target()];
    let silence = |row| SilenceItem::new(row, &targets, viewer);
    let plan = Plan {
        names: "la*".to_owned(),
        is_asked: true,
        is_useful: true,
        text: "It covers 1 integration now: lake.".to_owned(),
        ..Plan::default()
    };
    let page = SilencesPage {
        frame: frame(viewer, "silences"),
        silences: samples::silences().iter().map(silence).collect(),
        windows: vec![WindowItem::new(&fleet::window(), viewer)],
        ended_href: Some("/silences?ended=true".to_owned()),
        kept: Vec::new(),
        plan,
        spans: spans::CHOICES,
        acts: viewer.acts(),
        back: "/silences".to_owned(),
        first: None,
        next: None,
    };
    page.render().unwrap()
}

#[test]
fn report_names_what_it_shows_for_people_and_programs() {
    let viewer = viewer(Access::Read);
    let page = report_page(&samples::timelines(), &viewer, "label=team%3Ddata");
    for part in [
        "<h1>Report of 2026-11</h1><p>From 2026-11-01 00:00 to 2026-11-23 10:00 in UTC, so far.</p>",
        "<p>Some status changes before 2026-11-05 00:00 are no longer kept",
        "<dt>Mean time to recover</dt><dd>1h 30m</dd>",
        "<caption class=\"sr\">Integrations in 2026-11</caption>",
        "<th scope=\"row\"><a href=\"/i/lake\">lake</a></th><td>Redshift</td><td class=\"r\">442.0 h</td>",
        "<td class=\"r bad\">1</td>",
        "<time datetime=\"2026-12-03T10:00:00Z\">2026-12-03</time> the token ci\\u{9b}</td>",
        "<a href=\"/report?label=team%3Ddata&amp;month=2026-10\">2026-10</a>",
        "<textarea name=\"label\" rows=\"3\" cols=\"24\" placeholder=\"team=data\">team=data</textarea>",
        "revalidated report --month 2026-11 --zone=Europe/Berlin --label=team=data --format csv</code>",
        "<a href=\"/report?after=500\" rel=\"next\">",
    ] {
        assert!(page.contains(part), "{part} is not in:\n{page}");
    }
    assert_eq!(page.matches("<table").count(), page.matches("<caption").count());
    let empty = |query| report_page(&[], &viewer, query);
    assert!(empty("").contains("No integration was in use."));
    assert!(empty("type=Trino").contains("No integration that fits was in use."));
    assert!(!empty("").contains("<table"));
}

#[test]
fn pages_are_written_for_the_browser() {
    let folder = std::path::Path::new("target/page");
    fs::create_dir_all(folder.join("assets")).unwrap();
    for asset in [&*CSS, &*JS] {
        fs::write(folder.join(asset.path.trim_start_matches('/')), &asset.text).unwrap();
    }
    for (access, prefix) in [(Access::Act, ""), (Access::Public, "public-")] {
        for (name, text) in pages(access) {
            fs::write(folder.join(format!("{prefix}{name}.html")), text).unwrap();
        }
    }
}

#[test]
fn no_page_has_style_or_script_of_its_own() {
    for (name, text) in pages(Access::Act) {
        let scripts = text.matches("<script").count();
        let own = usize::from(!name.starts_with("fragment"));
        assert_eq!(scripts, own, "{name}");
        for word in [" style=", "<style", " onclick=", " onload=", "javascript:"] {
            assert!(!text.contains(word), "{name}: {word}");
        }
    }
}

#[test]
fn every_element_that_is_renewed_has_an_id_of_its_own() {
    for (name, text) in pages(Access::Act) {
        let mut ids = std::collections::BTreeSet::new();
        for (_, rest) in text.match_indices(" id=\"").map(|(at, _)| text.split_at(at + 5)) {
            let (id, after) = rest.split_once('"').unwrap();
            assert!(ids.insert(id), "{name}: {id} occurs twice");
            assert!(!id.is_empty() && !after.is_empty());
        }
        let mut whole = text.split(" data-live");
        for before in whole.by_ref().take(text.matches(" data-live").count()) {
            let tag = before.rsplit('<').next().unwrap();
            assert!(tag.contains(" id=\""), "{name}: <{tag} data-live");
        }
    }
}

#[test]
fn buttons_are_shown_to_those_who_may_act_only() {
    let forms = |access| {
        let all =
            pages(access).into_iter().map(|(_, text)| text.matches("method=\"post\"").count());
        all.sum::<usize>()
    };
    assert!(5 < forms(Access::Act));
    assert_eq!((forms(Access::Read), forms(Access::Public)), (0, 0));
}

#[test]
fn overview_of_a_query_counts_what_fits() {
    let page = overview(&Fleet::of_forty(), &viewer(Access::Read), "type=Databricks");
    assert_eq!(page.headline.first, "1 of 6 matching integrations is failing");
    assert_eq!(page.tiles.len(), 1);
    let rows: Vec<StatusRow> = Fleet::of_forty().rows;
    assert_eq!(rows.len(), 41);
}
