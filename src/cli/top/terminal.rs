//! Terminal: alternate screen, raw keys, and the way back, also after a panic or a signal.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use ratatui::DefaultTerminal;
use ratatui::backend::Backend;
use ratatui::crossterm::event;
use ratatui::style::{Color, Modifier, Style};
use ratatui::text::{Line, Span, Text};
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::mpsc;

use super::area::Area;
use super::frame::Frame;
use super::keys::Input;
use crate::cli::print::{Tone, parts};

/// Keys that may wait to be taken.
const KEYS_MAX: usize = 64;
/// Time between two looks whether the thread that reads keys is still wanted.
const POLL: Duration = Duration::from_millis(100);

/// Terminal that shows frames; dropping it gives the screen back.
#[derive(Debug)]
pub(super) struct Terminal {
    screen: DefaultTerminal,
    keys: mpsc::Receiver<Input>,
    is_over: Arc<AtomicBool>,
    ended: Signal,
    has_colours: bool,
}

impl Terminal {
    /// Takes the terminal over; after a panic its hook gives the terminal back before the message.
    pub(super) fn open() -> io::Result<Self> {
        let ended = signal(SignalKind::terminate())?;
        let screen = ratatui::try_init()?;
        let (sender, keys) = mpsc::channel(KEYS_MAX);
        let is_over = Arc::new(AtomicBool::new(false));
        let flag = Arc::clone(&is_over);
        let has_colours =
            anstream::AutoStream::choice(&io::stdout()) != anstream::ColorChoice::Never;
        let terminal = Self { screen, keys, is_over, ended, has_colours };
        std::thread::Builder::new()
            .name("keys".to_owned())
            .spawn(move || read_keys(&sender, &flag))?;
        Ok(terminal)
    }

    /// Returns the present size.
    pub(super) fn area(&self) -> io::Result<Area> {
        let size = self.screen.size()?;
        Ok(Area { width: size.width, height: size.height })
    }

    /// Draws a frame on the screen.
    pub(super) fn draw(&mut self, frame: &Frame) -> io::Result<()> {
        draw(&mut self.screen, frame, self.has_colours)
    }

    /// Waits for a key, or for a signal to end; none when none came in time.
    pub(super) async fn input(&mut self, wait: Duration) -> Option<Input> {
        let (keys, ended) = (&mut self.keys, &mut self.ended);
        let first = async {
            tokio::select! {
                key = keys.recv() => key.unwrap_or(Input::Interrupt),
                _ = ended.recv() => Input::Interrupt,
            }
        };
        tokio::time::timeout(wait, first).await.ok()
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        self.is_over.store(true, Ordering::Relaxed);
        ratatui::restore();
    }
}

/// Reads keys until the terminal is given back, or they are no longer taken.
fn read_keys(sender: &mpsc::Sender<Input>, is_over: &AtomicBool) {
    while !is_over.load(Ordering::Relaxed) {
        match event::poll(POLL) {
            Ok(false) => continue,
            Ok(true) => {}
            Err(_gone) => break,
        }
        let Ok(event) = event::read() else { break };
        let Some(input) = Input::of(&event) else { continue };
        if sender.blocking_send(input).is_err() {
            break;
        }
    }
}

/// Draws a frame on any terminal.
pub(super) fn draw<B: Backend>(
    screen: &mut ratatui::Terminal<B>,
    frame: &Frame,
    has_colours: bool,
) -> Result<(), B::Error> {
    let line = |(number, line): (usize, &String)| {
        let spans = parts(line).into_iter().map(|(tone, text)| {
            let style = tone.map_or_else(Style::new, |tone| style(tone, has_colours));
            Span::styled(text, style)
        });
        let line = spans.collect::<Line<'_>>();
        let is_chosen = frame.chosen == Some(number);
        if is_chosen { line.style(Style::new().add_modifier(Modifier::REVERSED)) } else { line }
    };
    let lines: Vec<_> = frame.lines.iter().enumerate().map(line).collect();
    screen.draw(|to| to.render_widget(Text::from(lines), to.area()))?;
    Ok(())
}

/// Returns the style of a tone; without colours only its weight.
const fn style(tone: Tone, has_colours: bool) -> Style {
    let style = Style::new();
    match (tone, has_colours) {
        (Tone::Good, true) => style.fg(Color::Green),
        (Tone::Bad, true) => style.fg(Color::Red).add_modifier(Modifier::BOLD),
        (Tone::Caution, true) => style.fg(Color::Yellow),
        (Tone::Bad, false) => style.add_modifier(Modifier::BOLD),
        (Tone::Quiet, _) => style.add_modifier(Modifier::DIM),
        (Tone::Good | Tone::Caution, false) => style,
    }
}

#[cfg(test)]
mod tests {
    use std::process::{Command, Stdio};

    use super::*;

    const ENTER: &str = "\u{1b}[?1049h";
    const LEAVE: &str = "\u{1b}[?1049l";

    #[tokio::test]
    #[ignore = "it needs a terminal of its own, in which another test runs it"]
    async fn planted_panic_ends_the_program() {
        let _terminal = Terminal::open().unwrap();
        panic!("planted");
    }

    #[test]
    fn terminal_is_as_before_after_a_panic() {
        let folder = tempfile::tempdir().unwrap();
        let own = std::env::current_exe().unwrap();
        let planted = "cli::top::terminal::tests::planted_panic_ends_the_program";
        let command = format!(
            "stty -a >before; '{}' --ignored --exact --nocapture {planted}; stty -a >after",
            own.display()
        );
        let mut script = Command::new("script");
        let script = script.args(["--quiet", "--command", &command, "/dev/null"]);
        let shown = script.current_dir(folder.path()).stdin(Stdio::null()).output().unwrap();
        let shown = String::from_utf8_lossy(&shown.stdout).into_owned();
        let [entered, left, said] = [ENTER, LEAVE, "planted\r\n"].map(|part| shown.find(part));
        assert!(entered.is_some() && entered < left && left < said, "{shown:?}");
        let modes = |name| std::fs::read_to_string(folder.path().join(name)).unwrap();
        assert!(modes("before").contains("icanon"), "{}", modes("before"));
        assert_eq!(modes("before"), modes("after"));
    }
}
