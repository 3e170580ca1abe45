//! `top`: integrations, failures and status changes on one screen that follows the store.
//!
//! Elm architecture: a key changes the model, a frame is made of the model alone, and the terminal draws it. The
//! store is read when its position has moved, at most four times a second; latest runs only of the rows that are shown.
//! A running daemon is asked once a second, over its socket, for the figures that the store does not know.

mod act;
mod area;
#[cfg(test)]
mod asks;
mod cell;
mod failing;
mod frame;
mod keys;
mod model;
mod notified;
mod snapshot;
mod table;
mod terminal;
#[cfg(test)]
mod tests;

use std::io::{IsTerminal as _, stdin, stdout};
use std::time::Duration;

use anyhow::Context as _;
use tokio::time::Instant;

use super::args::{Global, Top};
use super::ask::{Figures, Sockets};
use super::error::CommandError;
use super::explain;
use super::print::{Answer, Screen, wrapped};
use super::read;
use crate::daemon::Clock;
use crate::domain::Location;
use crate::store::{Position, View, is_in_use};
use crate::view::{Configured, Explanation, Liveness};
use act::{Act, Place};
use area::Area;
use frame::frame;
use model::{Fit, Model, RUNS, Wish};
use snapshot::Snapshot;
use terminal::Terminal;

/// Shortest time between two looks at the store.
const LOOK: Duration = Duration::from_millis(250);
/// Shortest time between two questions to the daemon, and between two searches for one.
const FIGURES: Duration = Duration::from_secs(1);
const FIND: Duration = Duration::from_secs(10);
/// Part of the time that reading may take: a look is followed by a pause of this many times its duration.
const PAUSES: u32 = 4;
/// Width of a frame that is printed where no terminal has one, in columns.
const COLUMNS: u16 = 80;
/// Height of a frame that is printed where no terminal has one, in lines.
const LINES: u16 = 24;

/// Shows the store on the terminal until it is left, or prints one frame.
pub(super) async fn answer(
    global: &Global,
    args: &Top,
    screen: Screen,
) -> Result<Answer, CommandError> {
    if !(args.once || stdin().is_terminal() && stdout().is_terminal()) {
        let message = "top needs a terminal; --once prints one frame".to_owned();
        return Err(CommandError::Usage(message));
    }
    let (location, sockets) = read::place(global, &args.source)?;
    // Before the database is opened: see there.
    let state = Liveness::from(is_in_use(&location).await);
    let view = View::open(&location).await.context("opening the store")?;
    let figures = sockets.daemon(&view).await.map(|(figures, _)| figures);
    let author = args.by.name();
    let mut watched = Watched {
        view,
        location: &location,
        author,
        state,
        figures,
        sockets,
        asked: None,
        seen: None,
    };
    let mut model = Model::new(screen);
    watched.look(&mut model).await?;
    if args.once {
        return watched.once(&mut model, args.lines, screen).await;
    }
    watched.follow(&mut model).await?;
    Ok(Answer::good(String::new()))
}

/// Store that is watched, with the position that was seen last.
struct Watched<'a> {
    view: View,
    location: &'a Location,
    author: String,
    state: Liveness,
    sockets: Sockets,
    /// Daemon whose figures are shown, while it answers.
    figures: Option<Figures>,
    /// Instant at which it was asked last.
    asked: Option<Instant>,
    seen: Option<Position>,
}

impl Watched<'_> {
    /// Reads the store when something was committed since the last look, and asks the daemon for its figures.
    async fn look(&mut self, model: &mut Model) -> Result<(), CommandError> {
        self.ask(model).await;
        let position = self.view.position().await.context("reading the store")?;
        if self.seen == Some(position) {
            return Ok(());
        }
        self.seen = Some(position);
        let read = Snapshot::read(&self.view, self.state, model.screen.now).await;
        model.show(read.context("reading the store")?);
        Ok(())
    }

    /// Asks the daemon for its figures once in a while; one that does not answer is looked for again.
    async fn ask(&mut self, model: &mut Model) {
        let pause = if self.figures.is_some() { FIGURES } else { FIND };
        if self.asked.is_some_and(|asked| asked.elapsed() < pause) {
            return;
        }
        model.live = match &self.figures {
            Some(figures) => figures.read().await,
            None => None,
        };
        if model.live.is_none() {
            let found = self.sockets.daemon(&self.view).await;
            (self.figures, model.live) = found.unzip();
        }
        self.asked = Some(Instant::now());
    }

    /// Reads the latest runs of rows that are shown, where they are not known yet.
    async fn complete(&self, model: &mut Model, area: Area) -> Result<(), CommandError> {
        let missing = model.missing(table::rows(model, area));
        if missing.is_empty() {
            return Ok(());
        }
        let strips = self.view.strips(missing, RUNS).await.context("reading the store")?;
        model.strips.extend(strips.into_iter().map(|(id, marks)| (id.0, marks)));
        Ok(())
    }

    /// Returns one frame as text.
    async fn once(
        self,
        model: &mut Model,
        lines: Option<u16>,
        screen: Screen,
    ) -> Result<Answer, CommandError> {
        let size = terminal_size::terminal_size_of(stdout());
        let height = lines.or(size.map(|(_, height)| height.0)).unwrap_or(LINES);
        let area = Area { width: screen.width.unwrap_or(COLUMNS), height };
        model.is_printed = true;
        self.complete(model, area).await?;
        let lines = frame(model, area).lines;
        let lines: Vec<_> = lines.iter().map(|line| line.trim_end()).collect();
        Ok(Answer { is_json: true, ..Answer::good(lines.join("\n") + "\n") })
    }

    /// Follows the store until a key or a signal ends it.
    async fn follow(mut self, model: &mut Model) -> Result<(), CommandError> {
        let mut terminal = Terminal::open().context("opening the terminal")?;
        let (mut pause, mut looked) = (LOOK, Instant::now());
        loop {
            model.screen.now = Clock::default().now();
            if pause <= looked.elapsed() {
                let begun = Instant::now();
                self.look(model).await?;
                (pause, looked) = (LOOK.max(begun.elapsed() * PAUSES), Instant::now());
            }
            let area = terminal.area().context("asking the terminal for its size")?;
            self.complete(model, area).await?;
            terminal.draw(&frame(model, area)).context("drawing on the terminal")?;
            let Some(input) = terminal.input(LOOK).await else { continue };
            let fit = Fit { rows: table::rows(model, area), lines: frame::lines(area) };
            match model.press(input, fit) {
                None => {}
                Some(Wish::Quit) => return Ok(()),
                Some(Wish::Explain(name)) => self.explain(model, &name, area).await?,
                Some(Wish::Act(act, name)) => self.act(model, act, &name).await,
            }
        }
    }

    /// Shows the explanation of an integration.
    async fn explain(&self, model: &mut Model, name: &str, area: Area) -> Result<(), CommandError> {
        let row = self.view.integration(name).await.context("reading the store")?;
        let Some(row) = row else { return Ok(()) };
        let now = model.screen.now;
        let read = Explanation::read(&self.view, row, &Configured::default(), now).await;
        let screen = Screen { width: Some(area.width), ..model.screen };
        let text = explain::text(&read.context("reading the store")?, screen);
        model.explain(&wrapped(&text, screen.width));
        Ok(())
    }

    /// Does what was asked for and confirmed; the outcome is shown in the last line.
    async fn act(&self, model: &mut Model, act: Act, name: &str) {
        let place = Place { view: &self.view, location: self.location, author: &self.author };
        let done = act::perform(place, act, name, model.screen.now).await;
        model.note = Some(done.unwrap_or_else(|error| format!("{error:#}")));
    }
}
