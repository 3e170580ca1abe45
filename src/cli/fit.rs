//! Tests that what people are shown fits terminals from a phone's to a wide screen's.

use unicode_width::UnicodeWidthStr as _;

use super::print::{Screen, wrapped};
use super::samples;
use super::{
    audit, deliveries, explain, failing, history, list, receivers, report, show, silences,
};

/// Returns the text of every command that shows stored things, by the command's name.
fn texts(screen: Screen) -> Vec<(&'static str, String)> {
    let (row, situation) = samples::troubled();
    let mut long = row.clone();
    long.name = "warehouse-of-the-finance-department-eu-central-1".to_owned();
    let history: Vec<_> = samples::transitions().map(crate::store::HistoryRow::Transition).into();
    vec![
        (
            "list",
            list::text(
                &[row.clone(), long.clone()],
                &samples::silences(),
                &list::Filter::default(),
                screen,
            ),
        ),
        ("show", show::text(&long, &situation, screen)),
        ("explain", explain::text(&samples::explanation(), screen)),
        ("audit", audit::text(&samples::audit(), screen)),
        ("report", report::text::tables(&samples::monthly(&samples::timelines()), screen)),
        ("status", failing::block(&samples::failing(), screen)),
        ("show --run", show::run_text(&long, &samples::run(), screen)),
        ("history", history::text(&history, screen)),
        ("deliveries", deliveries::text(&samples::deliveries(), screen)),
        ("receivers", receivers::text(&samples::receivers(), screen)),
        ("silences", silences::text(&samples::silences(), &[samples::target()], screen)),
    ]
}

#[test]
fn every_command_fits_terminals_from_40_to_160_columns() {
    for width in 40..=160 {
        let screen = Screen { width: Some(width), ..samples::screen() };
        for (command, text) in texts(screen) {
            for line in samples::plain(&wrapped(&text, screen.width)).lines() {
                assert!(line.width() <= usize::from(width), "{command} at {width}: {line}");
            }
        }
    }
}

#[test]
fn deliveries_need_few_lines_at_80_columns() {
    let screen = Screen { width: Some(80), ..samples::screen() };
    let rows = samples::deliveries();
    let lines = deliveries::text(&rows, screen).lines().count();
    assert!(lines <= 1 + 3 * rows.len(), "{lines} lines for {} deliveries", rows.len());
}

#[test]
fn phone_shows_what_broke_since_when_and_how_to_fix_it() {
    let screen = Screen { width: Some(40), ..samples::screen() };
    let (row, situation) = samples::troubled();
    let text = samples::plain(&wrapped(&show::text(&row, &situation, screen), screen.width));
    for part in ["recurringValidationError", "2026-11-23T08:00:00Z", "silence 3", "Open port 5439."]
    {
        assert!(text.contains(part), "{part} is not in:\n{text}");
    }
}
