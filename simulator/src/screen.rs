//! Where events are written: to a terminal with a status line at the bottom, as plain lines (a file, Docker's log), or
//! as JSON. Texts from other machines reach people only through [`sanitize`].

use crate::event::{RunEvent, RunStatus, TimedEvent};
use crate::event_text::LineFormatter;
use crate::wrap::wrapped;
use runtime::sanitize;
use std::io::{self, IsTerminal, Write};

/// How often the status is written where it has no line of its own.
const STATUS_EVERY_MS: u64 = 10_000;
/// How often the status line is replaced.
const REPAINT_MS: u64 = 500;

/// How events are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OutputFormat {
    /// Coloured lines over a status line.
    Terminal { coloured: bool },
    /// Lines, with the status among them now and then.
    Plain,
    /// One JSON object a line.
    Json,
}

impl OutputFormat {
    /// The format that fits standard output, unless JSON was asked for.
    pub fn of_stdout(json: bool) -> Self {
        let no_colour = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
        match (json, io::stdout().is_terminal()) {
            (true, _) => Self::Json,
            (false, true) => Self::Terminal { coloured: !no_colour },
            (false, false) => Self::Plain,
        }
    }
}

pub struct Screen<W> {
    out: W,
    format: OutputFormat,
    lines: LineFormatter,
    status: String,
    shown_at_ms: u64,
    /// Payments and receptions are left out.
    is_quiet: bool,
}

impl<W: Write> Screen<W> {
    /// For nodes and members of these names.
    pub fn new(out: W, format: OutputFormat, nodes: &[String], members: &[String]) -> Self {
        let is_coloured = format == OutputFormat::Terminal { coloured: true };
        let lines = LineFormatter::new(nodes, members, is_coloured);
        Self { out, format, lines, status: String::new(), shown_at_ms: 0, is_quiet: false }
    }

    /// Leaves payments and receptions out, if `is_quiet`.
    #[must_use]
    pub fn quiet(self, is_quiet: bool) -> Self {
        Self { is_quiet, ..self }
    }

    pub fn add_node(&mut self, name: String) {
        self.lines.add_node(name);
    }

    pub const fn set_present(&mut self, present: usize) {
        self.lines.set_present(present);
    }

    /// Writes events above the status line.
    ///
    /// # Errors
    /// If the output cannot be written.
    pub fn show(&mut self, events: &[TimedEvent]) -> io::Result<()> {
        if events.is_empty() {
            return Ok(());
        }
        self.wipe()?;
        for timed in events.iter().filter(|timed| !self.is_quiet || !is_detail(&timed.event)) {
            match self.format {
                OutputFormat::Json => writeln!(self.out, "{}", serde_json::to_string(timed)?)?,
                OutputFormat::Plain | OutputFormat::Terminal { .. } => writeln!(self.out, "{}", self.text(timed))?,
            }
        }
        self.paint()
    }

    /// Writes the status, if it is time to.
    ///
    /// # Errors
    /// If the output cannot be written.
    pub fn show_status(&mut self, at_ms: u64, status: impl FnOnce() -> RunStatus) -> io::Result<()> {
        let every_ms = if matches!(self.format, OutputFormat::Terminal { .. }) { REPAINT_MS } else { STATUS_EVERY_MS };
        if at_ms < self.shown_at_ms + every_ms {
            return Ok(());
        }
        self.shown_at_ms = at_ms;
        if !matches!(self.format, OutputFormat::Terminal { .. }) {
            return self.show(&[TimedEvent { at_ms, event: RunEvent::Status(status()) }]);
        }
        self.wipe()?;
        // A line that wraps could not be wiped again.
        self.status = self.lines.status(at_ms, &status()).chars().take(columns().saturating_sub(1)).collect();
        self.paint()
    }

    /// Removes the status line for good.
    ///
    /// # Errors
    /// If the output cannot be written.
    pub fn end_status(&mut self) -> io::Result<()> {
        self.wipe()?;
        self.status.clear();
        self.out.flush()
    }

    /// An event as text. Parts of it come from other machines, for example from nodes that registered at the tracker.
    fn text(&self, timed: &TimedEvent) -> String {
        let plain = self.lines.plain().line(timed);
        let fit = match timed.event {
            RunEvent::Started(_) | RunEvent::Report(_) => sanitize::text(&plain),
            _ => sanitize::line(&plain),
        };
        let text = sanitize::coloured(fit, || self.lines.line(timed));
        if matches!(self.format, OutputFormat::Terminal { .. }) { wrapped(&text, columns()) } else { text }
    }

    fn wipe(&mut self) -> io::Result<()> {
        if self.status.is_empty() { Ok(()) } else { write!(self.out, "\r\x1b[2K") }
    }

    fn paint(&mut self) -> io::Result<()> {
        write!(self.out, "{}", self.status)?;
        self.out.flush()
    }
}

/// The width of the terminal.
fn columns() -> usize {
    terminal_size::terminal_size().map_or(80, |(width, _)| usize::from(width.0))
}

/// What happens so often that it hides the rest: payments, and who received a block.
const fn is_detail(event: &RunEvent) -> bool {
    matches!(
        event,
        RunEvent::Payment { .. }
            | RunEvent::Coins { .. }
            | RunEvent::Payments { .. }
            | RunEvent::Refused { .. }
            | RunEvent::GivenUp { .. }
            | RunEvent::Confirmed { .. }
            | RunEvent::Received { .. }
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(format: OutputFormat, reason: &str) -> String {
        let mut screen = Screen::new(Vec::new(), format, &["N1".to_owned()], &[]);
        let (node, reason) = ("N1".to_owned(), reason.to_owned());
        screen.show(&[TimedEvent { at_ms: 1000, event: RunEvent::Silent { node, reason } }]).unwrap();
        String::from_utf8(screen.out).unwrap()
    }

    #[test]
    fn reasons_from_other_machines_do_not_control_the_terminal() {
        let hostile = "unknown field `\u{1b}[2J\u{202e}`\n    2.0 s  all agree\u{200b}";
        for format in
            [OutputFormat::Plain, OutputFormat::Terminal { coloured: false }, OutputFormat::Terminal { coloured: true }]
        {
            let text = shown(format, hostile);
            assert!(text.contains("unknown field `\u{fffd}[2J\u{fffd}`\u{fffd}"), "{text:?}");
            assert!(!text.contains(['\u{1b}', '\u{202e}', '\u{200b}']), "{text:?}");
            // What wraps stays under the text of its line, where no time of an event can be.
            assert!(text.lines().skip(1).all(|line| line.starts_with(&" ".repeat(11))), "{text:?}");
        }
        assert!(shown(OutputFormat::Json, hostile).contains("\\u001b[2J\u{202e}"), "JSON spells them itself");
    }

    #[test]
    fn a_quiet_run_tells_of_blocks_and_not_of_payments() {
        let block = |index: u64| shared::block::BlockId {
            index: shared::block::Height(index),
            hash: shared::block::BlockHash::ZERO,
        };
        let events = [
            RunEvent::Found { node: "A".to_owned(), block: block(1), difficulty: 1, after_ms: None, best: true },
            RunEvent::Payments { count: 3, amount: 9, refused: 0 },
            RunEvent::Confirmed { block: block(1), payments: 3, amount: 9, miner: "Ada".to_owned(), earned: 5 },
        ];
        let events = events.map(|event| TimedEvent { at_ms: 0, event });
        let lines = |is_quiet| {
            let mut screen = Screen::new(Vec::new(), OutputFormat::Plain, &[], &["Ada".to_owned()]).quiet(is_quiet);
            screen.show(&events).unwrap();
            String::from_utf8(screen.out).unwrap().lines().count()
        };
        assert_eq!([false, true].map(lines), [3, 1]);
    }

    #[test]
    fn our_own_colours_are_shown() {
        let coloured = OutputFormat::Terminal { coloured: true };
        assert!(shown(coloured, "gone").contains("\u{1b}[") && !shown(OutputFormat::Plain, "gone").contains('\u{1b}'));
    }
}
