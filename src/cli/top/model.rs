//! Model of `top`: what is known, what is chosen, and what a key makes of it.

use std::collections::BTreeMap;

use super::act::Act;
use super::keys::Input;
use super::snapshot::Snapshot;
use crate::cli::print::Screen;
use crate::domain::{IntegrationId, Timestamp};
use crate::store::{Mark, StatusRow};
use crate::view::Live;

/// Number of runs of a strip.
pub(super) const RUNS: u32 = 60;
/// Longest text to search for, in characters.
const SEARCH_MAX: usize = 100;

/// Numbers of lines that fit on the screen.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Fit {
    /// Number of rows of the list.
    pub(super) rows: usize,
    /// Number of lines of a text.
    pub(super) lines: usize,
}

/// Everything that a frame is made of.
#[derive(Debug)]
pub(super) struct Model {
    /// Present, and the zone in which instants are shown.
    pub(super) screen: Screen,
    /// Figures of the daemon, when it answers.
    pub(super) live: Option<Live>,
    /// State of the store at the latest look.
    pub(super) snapshot: Option<Snapshot>,
    /// Latest runs of rows, by their numbers, since the latest look.
    pub(super) strips: BTreeMap<i64, Vec<Mark>>,
    /// Choice and order of the rows.
    pub(super) filter: Filter,
    /// Part of the screen that keys are for.
    pub(super) mode: Mode,
    /// Name of the chosen row; the first one without.
    pub(super) chosen: Option<String>,
    /// Number of the first row that is shown.
    pub(super) first: usize,
    /// Outcome of the latest action.
    pub(super) note: Option<String>,
    /// True for a frame that is printed instead of drawn: nothing is chosen in it.
    pub(super) is_printed: bool,
}

/// Choice and order of the rows.
#[derive(Clone, Debug, Default)]
pub(super) struct Filter {
    /// Text that a name, a platform or a status must have.
    pub(super) text: String,
    /// True when only those in an error status are shown.
    pub(super) is_failing: bool,
    /// Only platform that is shown.
    pub(super) kind: Option<String>,
    /// Order of the rows.
    pub(super) sort: Sort,
}

/// Order of the rows.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, strum::IntoStaticStr)]
#[strum(serialize_all = "lowercase", const_into_str)]
pub(super) enum Sort {
    /// Those that fail first, then by name.
    #[default]
    Status,
    /// Name, from a to z.
    Name,
    /// Latest run, the one that lies back furthest first.
    Run,
    /// Next expiry, the earliest first.
    Expiry,
}

impl Sort {
    const fn next(self) -> Self {
        match self {
            Self::Status => Self::Name,
            Self::Name => Self::Run,
            Self::Run => Self::Expiry,
            Self::Expiry => Self::Status,
        }
    }

    /// Returns the name for people.
    pub(super) const fn as_str(self) -> &'static str {
        self.into_str()
    }
}

/// Part of the screen that keys are for.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) enum Mode {
    /// List of the integrations.
    List,
    /// Text that is searched for, while it is typed.
    Search,
    /// Question about an action on an integration.
    Ask(Act, String),
    /// Text about one integration, from a line on.
    Text(Vec<String>, usize),
}

/// Wish of a person that the model alone does not fulfil.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) enum Wish {
    /// End of the program.
    Quit,
    /// Explanation of an integration.
    Explain(String),
    /// Confirmed action on an integration.
    Act(Act, String),
}

impl Model {
    /// Model before the first look.
    pub(super) fn new(screen: Screen) -> Self {
        Self {
            screen,
            live: None,
            snapshot: None,
            strips: BTreeMap::new(),
            filter: Filter::default(),
            mode: Mode::List,
            chosen: None,
            first: 0,
            note: None,
            is_printed: false,
        }
    }

    /// Takes over what a look has found; latest runs are read anew.
    pub(super) fn show(&mut self, snapshot: Snapshot) {
        self.snapshot = Some(snapshot);
        self.strips.clear();
    }

    /// Shows a text about one integration.
    pub(super) fn explain(&mut self, text: &str) {
        self.mode = Mode::Text(text.lines().map(str::to_owned).collect(), 0);
    }

    /// Returns the rows that the filter takes, in its order.
    pub(super) fn rows(&self) -> Vec<&StatusRow> {
        let all = self.snapshot.as_ref().map_or(&[][..], |snapshot| &snapshot.statuses);
        let mut rows: Vec<_> = all.iter().filter(|row| self.filter.takes(row)).collect();
        let last = Timestamp(i64::MAX);
        match self.filter.sort {
            Sort::Status => rows.sort_by_key(|row| !row.status.is_error()),
            Sort::Name => {}
            Sort::Run => rows.sort_by_key(|row| row.last_run.map(|run| run.started_at)),
            Sort::Expiry => {
                rows.sort_by_key(|row| row.expires.as_ref().map_or(last, |(at, _)| *at));
            }
        }
        rows
    }

    /// Returns the place of the chosen row.
    pub(super) fn place(&self, rows: &[&StatusRow]) -> usize {
        let chosen = self.chosen.as_deref();
        rows.iter().position(|row| Some(row.name.as_str()) == chosen).unwrap_or(0)
    }

    /// Returns the rows in the first lines whose latest runs are not known yet.
    pub(super) fn missing(&self, lines: usize) -> Vec<IntegrationId> {
        let rows = self.rows();
        let shown = rows.iter().skip(self.first).take(lines);
        shown.map(|row| row.id).filter(|id| !self.strips.contains_key(&id.0)).collect()
    }

    /// Takes a key; returns the wish that it expresses.
    pub(super) fn press(&mut self, input: Input, fit: Fit) -> Option<Wish> {
        if input == Input::Interrupt {
            return Some(Wish::Quit);
        }
        self.note = None;
        match std::mem::replace(&mut self.mode, Mode::List) {
            Mode::List => self.press_in_list(input, fit.rows),
            Mode::Search => self.search(input),
            Mode::Ask(act, name) => {
                let is_yes = matches!(input, Input::Sign('y' | 'Y'));
                if !is_yes {
                    self.note = Some("Nothing was changed.".to_owned());
                }
                is_yes.then_some(Wish::Act(act, name))
            }
            Mode::Text(lines, first) => {
                if matches!(input, Input::Leave | Input::Enter | Input::Sign('q')) {
                    return None;
                }
                let page = fit.lines.max(1);
                let last = lines.len().saturating_sub(page);
                self.mode = Mode::Text(lines, moved(first, input, page).min(last));
                None
            }
        }
    }

    fn press_in_list(&mut self, input: Input, lines: usize) -> Option<Wish> {
        let ask = |act, name: Option<String>| name.map_or(Mode::List, |name| Mode::Ask(act, name));
        match input {
            Input::Sign('q') => return Some(Wish::Quit),
            Input::Enter => return self.name().map(Wish::Explain),
            Input::Sign('/') => self.mode = Mode::Search,
            Input::Sign('f') => self.filter.is_failing = !self.filter.is_failing,
            Input::Sign('s') => self.filter.sort = self.filter.sort.next(),
            Input::Sign('t') => self.filter.kind = self.next_kind(),
            Input::Sign('v') => self.mode = ask(Act::Validate, self.name()),
            Input::Sign('a') => self.mode = ask(Act::Acknowledge, self.name()),
            Input::Sign('S') => self.mode = ask(Act::Silence, self.name()),
            Input::Leave => self.filter = Filter { sort: self.filter.sort, ..Filter::default() },
            Input::Step(_) | Input::Page(_) | Input::Sign('j' | 'k') => {
                self.step(input, lines);
            }
            Input::Sign(_) | Input::Erase | Input::Interrupt => {}
        }
        self.keep_shown(lines);
        None
    }

    fn search(&mut self, input: Input) -> Option<Wish> {
        match input {
            Input::Enter => return None,
            Input::Leave => {
                self.filter.text.clear();
                return None;
            }
            Input::Erase => {
                self.filter.text.pop();
            }
            Input::Sign(sign) if self.filter.text.chars().count() < SEARCH_MAX => {
                self.filter.text.push(sign);
            }
            Input::Sign(_) | Input::Step(_) | Input::Page(_) | Input::Interrupt => {}
        }
        self.mode = Mode::Search;
        self.first = 0;
        None
    }

    /// Returns the name of the chosen row.
    fn name(&self) -> Option<String> {
        let rows = self.rows();
        rows.get(self.place(&rows)).map(|row| row.name.clone())
    }

    /// Returns the platform after the one that is shown; after the last one all are.
    fn next_kind(&self) -> Option<String> {
        let kinds = self.snapshot.as_ref().map(Snapshot::kinds).unwrap_or_default();
        let next = match &self.filter.kind {
            None => 0,
            Some(kind) => kinds.iter().position(|one| one == kind).map_or(0, |place| place + 1),
        };
        kinds.get(next).map(|kind| (*kind).to_owned())
    }

    /// Chooses the row at another place.
    fn step(&mut self, input: Input, lines: usize) {
        let rows = self.rows();
        let last = rows.len().saturating_sub(1);
        let place = moved(self.place(&rows), input, lines.max(1)).min(last);
        self.chosen = rows.get(place).map(|row| row.name.clone());
    }

    /// Moves the first row that is shown so that the chosen one is.
    fn keep_shown(&mut self, lines: usize) {
        let rows = self.rows();
        let place = self.place(&rows);
        let least = (place + 1).saturating_sub(lines.max(1));
        let most = rows.len().saturating_sub(lines);
        self.first = self.first.clamp(least, place.max(least)).min(most.max(least));
    }
}

/// Returns the place after a step of rows or pages.
fn moved(place: usize, input: Input, page: usize) -> usize {
    let by = match input {
        Input::Step(rows) => i64::from(rows),
        Input::Page(pages) => i64::from(pages).saturating_mul(i64::try_from(page).unwrap_or(1)),
        Input::Sign('j' | ' ') => 1,
        Input::Sign('k') => -1,
        Input::Sign(_) | Input::Enter | Input::Leave | Input::Erase | Input::Interrupt => 0,
    };
    let place = i64::try_from(place).unwrap_or(i64::MAX);
    usize::try_from(place.saturating_add(by).max(0)).unwrap_or(usize::MAX)
}

impl Filter {
    fn takes(&self, row: &StatusRow) -> bool {
        let text = self.text.to_lowercase();
        let has = |part: &str| part.to_lowercase().contains(&text);
        (!self.is_failing || row.status.is_error())
            && self.kind.as_ref().is_none_or(|kind| *kind == row.kind)
            && (has(&row.name) || has(&row.kind) || has(row.status.as_str()))
    }

    /// Returns the words that say what is shown, and in which order.
    pub(super) fn words(&self) -> String {
        let parts = [
            (!self.text.is_empty()).then(|| format!("/{}", self.text)),
            self.is_failing.then(|| "failing".to_owned()),
            self.kind.clone(),
            (self.sort != Sort::default()).then(|| format!("by {}", self.sort.as_str())),
        ];
        parts.into_iter().flatten().collect::<Vec<_>>().join(", ")
    }
}
