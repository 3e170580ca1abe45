//! Frames of `top` at two sizes, and what keys make of its model.

use std::path::Path;

use ratatui::backend::TestBackend;
use ratatui::style::{Color, Modifier};
use unicode_width::UnicodeWidthStr as _;

use super::area::Area;
use super::frame::{frame, lines};
use super::keys::Input;
use super::model::{Fit, Mode, Model, Sort, Wish};
use super::notified::Notified;
use super::snapshot::{Counts, Snapshot};
use super::{act::Act, table, terminal};
use crate::cli::samples::{self, failing, integration, now, plain, screen, silences, target};
use crate::domain::{Cause, Class, IntegrationId, ReportStatus, RunId, Status, Timestamp};
use crate::store::{
    Attributed, DeliveryRow, IntegrationRow, Mark, NodeRow, StatusRow, TargetRow, TransitionRow,
};
use crate::view::{FailingRow, Live, Liveness};

const FAILED: Status = Status::RecurringValidationError;
const HOUR_MS: i64 = 3_600_000;

/// Integrations by name, platform, status and hours until their next expiry.
const INTEGRATIONS: [(&str, &str, Status, Option<i64>); 9] = [
    ("bq-marketing", "Google BigQuery", Status::Enabled, None),
    ("demo-orders", "Native S3", FAILED, None),
    ("lake\u{1b}[2J", "Redshift", Status::Enabled, Some(-1)),
    ("new", "Trino", Status::Creating, None),
    ("old", "Trino", Status::Disabled, None),
    ("snow-analytics", "Snowflake", FAILED, None),
    ("snow-finance", "Snowflake", FAILED, Some(26)),
    ("uc-finance-of-the-whole-group-eu", "Databricks", FAILED, Some(110 * 24)),
    ("uc-prod", "Databricks", Status::Enabled, Some(30 * 24)),
];

fn ago(hours: i64) -> Timestamp {
    Timestamp(now().0 - hours * HOUR_MS)
}

fn statuses() -> Vec<StatusRow> {
    let row = |(id, one): (i64, (&str, &str, Status, Option<i64>))| {
        let (name, kind, status, expires) = one;
        StatusRow {
            id: IntegrationId(id),
            name: name.to_owned(),
            kind: kind.to_owned(),
            status,
            expires: expires.map(|hours| (ago(-hours), "the token".to_owned())),
            lease_until: (name == "uc-prod").then(|| ago(-1)),
            is_muted: name == "demo-orders",
            is_flapping: name == "bq-marketing",
            outage_id: name.starts_with("snow").then(|| "out_1".to_owned()),
            ..samples::status()
        }
    };
    (1..).zip(INTEGRATIONS).map(row).collect()
}

fn fails(name: &str, hours: i64) -> FailingRow {
    let outage_id = name.starts_with("snow").then(|| "out_1".to_owned());
    let row = IntegrationRow {
        name: name.to_owned(),
        first_failure_at: Some(ago(hours)),
        outage_id,
        ..integration()
    };
    let [_, acknowledgement, ..] = silences();
    let acknowledgement = (name == "demo-orders").then_some(acknowledgement);
    FailingRow { row, acknowledgement, ..failing() }
}

fn change(name: &str, from: Option<Status>, to: Status, hours: i64) -> Attributed<TransitionRow> {
    let row = TransitionRow {
        id: 1,
        from,
        to,
        cause: from.map(|_| Cause::ActiveFailed),
        at: ago(hours),
        run: None,
        incident_id: None,
    };
    Attributed { integration: TargetRow { name: name.to_owned(), ..target() }, row }
}

fn snapshot() -> Snapshot {
    Snapshot {
        state: Liveness::Running,
        node: NodeRow { seen_at: Some(now()), ..NodeRow::default() },
        statuses: statuses(),
        failing: vec![
            fails("snow-analytics", 1),
            fails("snow-finance", 1),
            fails("uc-finance-of-the-whole-group-eu", 2),
            fails("demo-orders", 50),
        ],
        changes: vec![
            change("snow-finance", Some(Status::Enabled), FAILED, 1),
            change("new", None, Status::Creating, 20),
        ],
        notified: Notified::of(&deliveries()),
        pending: 2,
        faults: 1,
    }
}

/// Deliveries of the first change.
fn deliveries() -> [DeliveryRow; 2] {
    samples::deliveries().map(|row| DeliveryRow {
        integration: Some("snow-finance".to_owned()),
        created_at: ago(1),
        ..row
    })
}

fn marks(name: &str) -> Vec<Mark> {
    let mark = |run: i64| Mark {
        run: RunId(run),
        started_at: now(),
        duration: std::time::Duration::from_millis(312),
        status: if name.contains("fin") && 65 < run {
            ReportStatus::Failed
        } else {
            ReportStatus::Passed
        },
        class: (run == 40).then_some(Class::Local),
    };
    if name == "new" { Vec::new() } else { (1..=70).map(mark).collect() }
}

fn model() -> Model {
    let mut model = Model::new(screen());
    model.show(snapshot());
    model.live = Some(Live { loops: Vec::new(), ..Live::sample() });
    for (id, (name, ..)) in (1..).zip(INTEGRATIONS) {
        model.strips.insert(id, marks(name));
    }
    model
}

/// Presses keys; returns the wish that the last one expresses.
fn press(model: &mut Model, inputs: &[Input]) -> Option<Wish> {
    let area = Area { width: 80, height: 24 };
    let mut wish = None;
    for input in inputs {
        let fit = Fit { rows: table::rows(model, area), lines: lines(area) };
        wish = model.press(*input, fit);
    }
    wish
}

fn typed(text: &str) -> Vec<Input> {
    text.chars().map(Input::Sign).collect()
}

/// Compares with the frame in `src/cli/top/frames`; one that differs is written beside the build.
fn assert_frame(name: &str, shown: &str) {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let committed = root.join("src/cli/top/frames").join(name);
    if std::fs::read_to_string(&committed).unwrap_or_default() != shown {
        let fresh = root.join("target").join(name);
        std::fs::write(&fresh, shown).unwrap();
        panic!("differs: diff {} {}\n{shown}", committed.display(), fresh.display());
    }
}

#[test]
fn frame_shows_failures_integrations_and_changes() {
    for (width, height) in [(80, 24), (160, 50)] {
        let made = frame(&model(), Area { width, height });
        assert_eq!(made.lines.len(), usize::from(height));
        let lines: Vec<_> = made.lines.iter().map(|line| plain(line)).collect();
        for line in &lines {
            assert!(line.width() <= usize::from(width), "{width}: {line}");
            assert!(!line.contains('\u{1b}'), "{line:?}");
        }
        let trimmed: Vec<_> = lines.iter().map(|line| line.trim_end()).collect();
        assert_frame(&format!("{width}x{height}.txt"), &(trimmed.join("\n") + "\n"));
    }
}

#[test]
fn first_line_has_the_figures_of_the_daemon_where_they_fit() {
    let mut model = model();
    model.live = Some(Live::sample());
    let head = |model: &Model, width| plain(&frame(model, Area { width, height: 24 }).lines[0]);
    let expected = "outbox stands still  late p99 0.08s  in flight 3/64  pending 2  10:00:00Z";
    assert!(head(&model, 200).trim_end().ends_with(expected), "{}", head(&model, 200));
    assert!(!head(&model, 80).contains("p99"), "{}", head(&model, 80));
    model.live = None;
    assert!(!head(&model, 200).contains("in flight 3"), "the daemon does not answer");
}

#[test]
fn frame_fits_every_size_and_mode() {
    for mode in [
        Mode::List,
        Mode::Search,
        Mode::Ask(Act::Acknowledge, "uc-finance\u{1b}".repeat(20)),
        Mode::Text(vec!["x".to_owned(); 99], 3),
    ] {
        let mut model = model();
        model.mode = mode;
        for width in [20, 40, 60, 80, 109, 110, 200] {
            for height in [2, 3, 5, 10, 16, 24, 60] {
                let made = frame(&model, Area { width, height });
                assert_eq!(made.lines.len(), usize::from(height), "{width}x{height}");
                for line in made.lines.iter().map(|line| plain(line)).skip(1) {
                    assert!(line.width() <= usize::from(width).max(60), "{width}x{height}: {line}");
                }
            }
        }
    }
}

#[test]
fn terminal_shows_the_chosen_row_reversed_and_colours_unless_they_are_off() {
    let area = Area { width: 80, height: 24 };
    let mut terminal = ratatui::Terminal::new(TestBackend::new(80, 24)).unwrap();
    for has_colours in [true, false] {
        let made = frame(&model(), area);
        terminal::draw(&mut terminal, &made, has_colours).unwrap();
        let buffer = terminal.backend().buffer();
        let row = u16::try_from(made.chosen.unwrap()).unwrap();
        let cell = buffer.cell((5, row)).unwrap();
        assert!(cell.modifier.contains(Modifier::REVERSED));
        let has_red = buffer.content().iter().any(|cell| cell.fg == Color::Red);
        assert_eq!(has_red, has_colours);
        let text: String = buffer.content().iter().map(ratatui::buffer::Cell::symbol).collect();
        assert!(text.contains("Integrations (9)") && text.contains("demo-orders"), "{text}");
    }
}

#[test]
fn printed_frame_has_no_keys_and_no_chosen_row() {
    let mut model = model();
    model.is_printed = true;
    let made = frame(&model, Area { width: 80, height: 24 });
    assert_eq!(made.chosen, None);
    let text = made.lines.join("\n");
    assert!(!text.contains("quit"), "{text}");
}

#[test]
fn daemon_is_running_silent_or_stopped() {
    let shown = |state, seen: i64, stopped: Option<Timestamp>| {
        let mut model = model();
        let snapshot = model.snapshot.as_mut().unwrap();
        snapshot.state = state;
        snapshot.node.seen_at = Some(Timestamp(now().0 - seen * 60_000));
        snapshot.node.stopped_at = stopped;
        let line = plain(&frame(&model, Area { width: 120, height: 24 }).lines[0]);
        line.split_whitespace().nth(2).unwrap().to_owned()
    };
    let table = [
        (Liveness::Running, 1, None, "running"),
        (Liveness::Running, 5, None, "silent"),
        (Liveness::Stopped, 5, None, "stopped"),
        (Liveness::Stopped, 0, None, "running"),
        (Liveness::Running, 1, Some(now()), "stopped"),
    ];
    for (state, seen, stopped, expected) in table {
        assert_eq!(shown(state, seen, stopped), expected, "{state:?} {seen}");
    }
    let counts = Counts { enabled: 3, failing: 4, idle: 1, in_flight: 1 };
    assert_eq!(snapshot().counts(), counts);
}

#[test]
fn rows_are_chosen_filtered_and_sorted() {
    let mut model = model();
    let names = |model: &Model| -> Vec<String> {
        model.rows().iter().map(|row| row.name.clone()).collect()
    };
    assert_eq!(names(&model)[..2], ["demo-orders", "snow-analytics"], "what fails is first");
    press(&mut model, &[Input::Sign('s')]);
    assert_eq!((model.filter.sort, names(&model)[0].as_str()), (Sort::Name, "bq-marketing"));
    press(&mut model, &[Input::Sign('s'), Input::Sign('s')]);
    assert_eq!(names(&model)[0], "lake\u{1b}[2J", "it has expired");
    press(&mut model, &[Input::Sign('f')]);
    assert_eq!(names(&model).len(), 4);
    press(&mut model, &[Input::Leave]);
    assert_eq!(names(&model).len(), 9);
    let mut keys = vec![Input::Sign('/')];
    keys.extend(typed("DATAx"));
    keys.extend([Input::Erase, Input::Enter]);
    press(&mut model, &keys);
    assert_eq!(names(&model), ["uc-prod", "uc-finance-of-the-whole-group-eu"]);
    assert_eq!(model.filter.words(), "/DATA, by expiry");
    press(&mut model, &[Input::Sign('/'), Input::Leave, Input::Sign('t')]);
    assert_eq!(model.filter.kind.as_deref(), Some("Databricks"));
    press(&mut model, &[Input::Sign('t'); 6]);
    assert_eq!(model.filter.kind, None, "after the last platform all are shown");
}

#[test]
fn chosen_row_stays_chosen_and_on_the_screen() {
    let mut model = model();
    let chosen = |model: &Model| model.chosen.clone().unwrap();
    press(&mut model, &[Input::Step(1), Input::Sign('j')]);
    assert_eq!(chosen(&model), "snow-finance");
    press(&mut model, &[Input::Sign('s')]);
    let rows = model.rows();
    assert_eq!(model.place(&rows), 6, "the order changes around it");
    press(&mut model, &[Input::Step(i32::MAX)]);
    assert_eq!(chosen(&model), "uc-prod");
    let shown = table::rows(&model, Area { width: 80, height: 12 });
    let fit = Fit { rows: shown, lines: 10 };
    model.press(Input::Step(0), fit);
    assert_eq!(model.first + shown, 9, "the last row is in the last line");
    model.press(Input::Page(-9), fit);
    assert_eq!((chosen(&model).as_str(), model.first), ("bq-marketing", 0));
    model.strips.clear();
    assert_eq!(model.missing(2), [IntegrationId(1), IntegrationId(2)]);
}

#[test]
fn actions_are_done_after_a_yes_only() {
    let name = || "demo-orders".to_owned();
    let table = [('v', Act::Validate), ('a', Act::Acknowledge), ('S', Act::Silence)];
    for (key, act) in table {
        let mut model = model();
        assert_eq!(press(&mut model, &[Input::Sign(key)]), None);
        assert_eq!(model.mode, Mode::Ask(act, name()));
        let done = press(&mut model, &[Input::Sign('y')]);
        assert_eq!(done, Some(Wish::Act(act, name())));
        press(&mut model, &[Input::Sign(key)]);
        assert_eq!(press(&mut model, &[Input::Enter]), None, "only y is a yes");
        assert_eq!(model.note.as_deref(), Some("Nothing was changed."));
        assert_eq!(model.mode, Mode::List);
    }
}

#[test]
fn explanation_is_read_in_pages_and_left_and_the_program_is_left_from_everywhere() {
    let mut model = model();
    assert_eq!(press(&mut model, &[Input::Enter]), Some(Wish::Explain("demo-orders".to_owned())));
    model.explain(&"line\n".repeat(50));
    press(&mut model, &[Input::Page(1), Input::Step(1)]);
    assert!(matches!(model.mode, Mode::Text(_, 23)), "{:?}", model.mode);
    press(&mut model, &[Input::Page(9)]);
    assert!(matches!(model.mode, Mode::Text(_, 28)), "the last line is at the end");
    assert_eq!(press(&mut model, &[Input::Sign('q')]), None);
    assert_eq!(model.mode, Mode::List);
    for mode in [Mode::List, Mode::Search, Mode::Text(Vec::new(), 0)] {
        model.mode = mode;
        assert_eq!(press(&mut model, &[Input::Interrupt]), Some(Wish::Quit));
    }
    model.mode = Mode::List;
    assert_eq!(press(&mut model, &[Input::Sign('q')]), Some(Wish::Quit));
    let mut empty = Model::new(screen());
    assert_eq!(press(&mut empty, &[Input::Enter, Input::Sign('v'), Input::Step(1)]), None);
    assert_eq!(frame(&empty, Area { width: 80, height: 24 }).lines.len(), 24);
}
