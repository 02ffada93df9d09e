//! Where tales go: a terminal with a status line at the bottom, plain lines (a file, Docker's log), or JSON. What strangers
//! have said reaches people only through [`printable`].

use crate::event::{RunEvent, RunStatus, TimedEvent};
use crate::event_text::LineFormatter;
use runtime::printable;
use std::io::{self, IsTerminal, Write};

/// How often the status is told where it has no line of its own.
const STATUS_EVERY_MS: u64 = 10_000;
/// How often the status line is painted anew.
const REPAINT_MS: u64 = 500;

/// How tales are shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OutputFormat {
    /// Coloured lines over a status line.
    Terminal {
        /// Whether with colours.
        coloured: bool,
    },
    /// Lines, the status now and then among them.
    Plain,
    /// One JSON object a line.
    Json,
}

impl OutputFormat {
    /// What standard output wants.
    pub fn of_stdout(json: bool) -> Self {
        let no_colour = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
        match (json, io::stdout().is_terminal()) {
            (true, _) => Self::Json,
            (false, true) => Self::Terminal { coloured: !no_colour },
            (false, false) => Self::Plain,
        }
    }
}

/// Shows tales.
pub struct Screen<W> {
    out: W,
    look: OutputFormat,
    style: LineFormatter,
    status: String,
    shown_at_ms: u64,
}

impl<W: Write> Screen<W> {
    /// Shows tales of nodes and members of these names on `out`.
    pub fn new(out: W, look: OutputFormat, names: Vec<String>, members: Vec<String>) -> Self {
        let style = LineFormatter::new(names, members, look == OutputFormat::Terminal { coloured: true });
        Self { out, look, style, status: String::new(), shown_at_ms: 0 }
    }

    /// One more node of this name.
    pub fn join(&mut self, name: String) {
        self.style.join(name);
    }

    /// How many nodes take part now.
    pub const fn set_present(&mut self, present: usize) {
        self.style.set_present(present);
    }

    /// Shows tales, the status line below them.
    ///
    /// # Errors
    /// If nobody takes the output any more.
    pub fn show(&mut self, timed: &[TimedEvent]) -> io::Result<()> {
        if timed.is_empty() {
            return Ok(());
        }
        self.wipe()?;
        for timed in timed {
            match self.look {
                OutputFormat::Json => writeln!(self.out, "{}", serde_json::to_string(timed)?)?,
                OutputFormat::Plain | OutputFormat::Terminal { .. } => writeln!(self.out, "{}", self.words(timed))?,
            }
        }
        self.paint()
    }

    /// Shows how things are, if it is time to.
    ///
    /// # Errors
    /// If nobody takes the output any more.
    pub fn show_status(&mut self, at_ms: u64, status: impl FnOnce() -> RunStatus) -> io::Result<()> {
        let every_ms = if matches!(self.look, OutputFormat::Terminal { .. }) { REPAINT_MS } else { STATUS_EVERY_MS };
        if at_ms < self.shown_at_ms + every_ms {
            return Ok(());
        }
        self.shown_at_ms = at_ms;
        if !matches!(self.look, OutputFormat::Terminal { .. }) {
            return self.show(&[TimedEvent { at_ms, event: RunEvent::Status(status()) }]);
        }
        self.wipe()?;
        // A line that wraps could not be wiped again.
        let width = terminal_size::terminal_size().map_or(80, |(width, _)| usize::from(width.0));
        self.status = self.style.status(at_ms, &status()).chars().take(width.saturating_sub(1)).collect();
        self.paint()
    }

    /// Takes the status line away for good.
    ///
    /// # Errors
    /// If nobody takes the output any more.
    pub fn end_status(&mut self) -> io::Result<()> {
        self.wipe()?;
        self.status.clear();
        self.out.flush()
    }

    /// A tale in words; whoever registers at our tracker gets a say in them.
    fn words(&self, timed: &TimedEvent) -> String {
        let plain = self.style.plain().line(timed);
        let fit = match timed.event {
            RunEvent::Started(_) | RunEvent::Report(_) => printable::text(&plain),
            _ => printable::line(&plain),
        };
        printable::painted(fit, || self.style.line(timed))
    }

    fn wipe(&mut self) -> io::Result<()> {
        if self.status.is_empty() { Ok(()) } else { write!(self.out, "\r\x1b[2K") }
    }

    fn paint(&mut self) -> io::Result<()> {
        write!(self.out, "{}", self.status)?;
        self.out.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(look: OutputFormat, reason: &str) -> String {
        let mut screen = Screen::new(Vec::new(), look, vec!["N1".to_owned()], Vec::new());
        let (node, reason) = ("N1".to_owned(), reason.to_owned());
        screen.show(&[TimedEvent { at_ms: 1000, event: RunEvent::Silent { node, reason } }]).unwrap();
        String::from_utf8(screen.out).unwrap()
    }

    #[test]
    fn reasons_of_strangers_do_not_steer_the_terminal() {
        let hostile = "unknown field `\u{1b}[2J\u{202e}`\n    2.0 s  all agree\u{200b}";
        for look in
            [OutputFormat::Plain, OutputFormat::Terminal { coloured: false }, OutputFormat::Terminal { coloured: true }]
        {
            let text = shown(look, hostile);
            assert!(text.contains("unknown field `\u{fffd}[2J\u{fffd}`\u{fffd}"), "{text:?}");
            assert!(text.lines().count() == 1 && !text.contains(['\u{1b}', '\u{202e}', '\u{200b}']), "{text:?}");
        }
        assert!(shown(OutputFormat::Json, hostile).contains("\\u001b[2J\u{202e}"), "JSON spells them itself");
    }

    #[test]
    fn our_own_colours_are_shown() {
        let coloured = OutputFormat::Terminal { coloured: true };
        assert!(shown(coloured, "gone").contains("\u{1b}[") && !shown(OutputFormat::Plain, "gone").contains('\u{1b}'));
    }
}
