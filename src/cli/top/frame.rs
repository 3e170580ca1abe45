//! Frame: the whole screen as lines, made of the model alone.

use unicode_width::UnicodeWidthStr as _;

use super::area::Area;
use super::cell::{both, clock, cut, left, rule};
use super::failing;
use super::keys;
use super::model::{Mode, Model};
use super::snapshot::Snapshot;
use super::table;
use crate::cli::print::{Tone, counted, sanitise, status_word, toned};
use crate::domain::Cause;
use crate::store::{Attributed, TransitionRow};
use crate::view::{Live, Liveness};

/// Time after which a daemon that writes nothing is called silent: it notes every minute that it lives.
const SILENT_MS: i64 = 3 * 60_000;
/// Width of a name in the list of changes.
const NAME: usize = 22;

/// Lines of a screen; they may hold marks of tones.
#[derive(Debug)]
pub(super) struct Frame {
    /// Lines of text, as many as the screen has.
    pub(super) lines: Vec<String>,
    /// Number of the line of the chosen row.
    pub(super) chosen: Option<usize>,
}

/// Returns the number of lines between the first one and the last one.
pub(super) fn lines(area: Area) -> usize {
    usize::from(area.height).saturating_sub(2)
}

/// Makes the frame of an area.
pub(super) fn frame(model: &Model, area: Area) -> Frame {
    let width = area.columns();
    let mut frame = Frame { lines: vec![head(model, width)], chosen: None };
    if let Mode::Text(text, first) = &model.mode {
        let shown = text.iter().skip(*first).take(lines(area));
        frame.lines.extend(shown.cloned());
    } else {
        frame.add_list(model, area);
    }
    if !model.is_printed {
        frame.lines.resize(usize::from(area.height).saturating_sub(1), String::new());
        frame.lines.push(foot(model, width));
    }
    frame
}

impl Frame {
    fn add_list(&mut self, model: &Model, area: Area) {
        let width = area.columns();
        let rows = model.rows();
        let causes = failing::groups(model);
        let changes = model.snapshot.as_ref().map_or(&[][..], |snapshot| &snapshot.changes);
        let parts = area.parts(causes.len(), rows.len(), changes.len());
        if 0 < parts.failing {
            let more = causes.len() - parts.failing;
            let title = match more {
                0 => "Failing now".to_owned(),
                more => format!("Failing now, and {more} more"),
            };
            self.lines.push(rule(width, &[(0, &title)]));
            let shown = causes.iter().take(parts.failing);
            self.lines.extend(shown.map(|cause| cause.line(model.screen, width)));
        }
        self.lines.push(table::heading(model, width));
        let place = model.place(&rows);
        for (number, row) in rows.iter().enumerate().skip(model.first).take(parts.rows) {
            if number == place && !model.is_printed {
                self.chosen = Some(self.lines.len());
            }
            self.lines.push(table::line(model, row, width));
        }
        if 0 < parts.changes && !changes.is_empty() {
            self.lines.push(rule(width, &[(0, "Status changes")]));
            let shown = changes.iter().take(parts.changes);
            self.lines.extend(shown.map(|change| self::change(model, change, width)));
        }
    }
}

/// Returns the first line: the daemon, the numbers, and the present.
fn head(model: &Model, width: usize) -> String {
    let Some(snapshot) = &model.snapshot else { return " revalidated".to_owned() };
    let counts = snapshot.counts();
    let words = [
        (counts.failing, "failing", Tone::Bad),
        (counts.enabled, "enabled", Tone::Good),
        (counts.in_flight, "in flight", Tone::Caution),
        (counts.idle, "not in use", Tone::Quiet),
    ];
    let words = words.iter().filter(|(count, ..)| 0 < *count);
    let words =
        words.map(|(count, word, tone)| format!("  {} {word}", toned(&count.to_string(), *tone)));
    let words: Vec<_> = words.collect();
    let faults = match snapshot.faults {
        0 => String::new(),
        faults => format!("{}  ", toned(&counted(faults, "daemon fault"), Tone::Bad)),
    };
    let now = model.screen.instant(Some(model.screen.now));
    let time = now.split(['T', ' ']).nth(1).unwrap_or_default();
    let pending = match snapshot.pending {
        0 => String::new(),
        pending => format!("pending {pending}  "),
    };
    let end = format!("{pending}{time} ");
    let figures = model.live.as_ref().map(figures).unwrap_or_default();
    let mut first = format!(" revalidated · {}", daemon(model, snapshot));
    // Figures give way to the first two numbers of integrations where not all of them fit.
    let numbers: usize = words.iter().take(2).map(|word| word.width()).sum();
    let taken = first.width() + numbers + faults.width() + figures.width() + end.width();
    let figures = if taken < width { figures } else { String::new() };
    let last = format!("{faults}{figures}{end}");
    // What is not shown here is in the list.
    for word in words {
        if first.width() + word.width() + last.width() < width {
            first.push_str(&word);
        }
    }
    both(&first, &last, width)
}

/// Returns the figures of the daemon: how late runs are, how many are under way, and a loop that stands still.
fn figures(live: &Live) -> String {
    let late = live.lateness_p99_ms.map(|ms| {
        let hundredths = ms.saturating_add(5) / 10;
        format!("late p99 {}.{:02}s  ", hundredths / 100, hundredths % 100)
    });
    let still = live.loops.iter().find(|one| one.stands_still);
    let still =
        still.map(|one| format!("{}  ", toned(&format!("{} stands still", one.name), Tone::Bad)));
    format!(
        "{}{}in flight {}/{}  ",
        still.unwrap_or_default(),
        late.unwrap_or_default(),
        live.runs_in_flight,
        live.runs_limit
    )
}

/// Returns the state of the daemon in a word or two.
fn daemon(model: &Model, snapshot: &Snapshot) -> String {
    let node = &snapshot.node;
    let is_silent = node
        .seen_at
        .max(node.started_at)
        .is_none_or(|seen| SILENT_MS < model.screen.now.0.saturating_sub(seen.0));
    match (snapshot.state, node.stopped_at) {
        (_, Some(_)) => toned("stopped", Tone::Bad),
        (Liveness::Stopped, None) if is_silent => toned("stopped", Tone::Bad),
        (Liveness::Running | Liveness::Unknown, None) if is_silent => toned("silent", Tone::Bad),
        (Liveness::Running | Liveness::Stopped | Liveness::Unknown, None) => {
            toned("running", Tone::Good)
        }
    }
}

/// Returns the line of a status change.
fn change(model: &Model, change: &Attributed<TransitionRow>, width: usize) -> String {
    let TransitionRow { from, to, cause, at, .. } = &change.row;
    let time = clock(model.screen, *at);
    let from = from.map_or("new", |from| from.as_str());
    let cause = cause.map_or_else(String::new, |cause| format!(" ({})", Cause::as_str(cause)));
    let name = left(&change.integration.name, NAME);
    let plain = left("", width.saturating_sub(13 + NAME + 2));
    let notified = model.snapshot.as_ref();
    let notified = notified.map(|all| all.notified.about(&change.integration.name, *at));
    let notified = notified.filter(|words| !words.is_empty());
    let notified = notified.map_or_else(String::new, |words| format!("  {words}"));
    let text = format!("{from} → {to}{cause}{notified}");
    let text = cut(&text, plain.len());
    let to = to.as_str();
    // Toned once it is cut, since a mark must not be cut away from its end.
    let text = match text.split_once(&format!("→ {to}")) {
        Some((before, after)) => format!("{before}→ {}{after}", status_word(change.row.to)),
        None => text,
    };
    format!(" {} {name} {text}", left(&time, 10))
}

/// Returns the last line: a question, what is typed, what came of an action, or the keys.
fn foot(model: &Model, width: usize) -> String {
    match (&model.mode, &model.note) {
        (Mode::Ask(act, name), _) => {
            let question = act.question(&sanitise(name));
            toned(&cut(&format!(" {question} y/n"), width), Tone::Caution)
        }
        (Mode::Search, _) => cut(&format!(" /{}▏", model.filter.text), width),
        (Mode::Text(..), _) => cut(" ↑↓ move  ⏎ back", width),
        (Mode::List, Some(note)) => cut(&format!(" {note}"), width),
        (Mode::List, None) => toned(&keys::line(width), Tone::Quiet),
    }
}
