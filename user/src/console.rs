//! Where a command's output goes: words for people, or JSON, one value a line, for programs.
//!
//! Standard output carries what was asked for and nothing else; errors, notes and progress go to standard error. Colours
//! and moving progress are for terminals only, and colours not where `NO_COLOR` is set. What strangers have said reaches
//! people only through [`sanitize`].

use crate::Error;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use owo_colors::OwoColorize;
use runtime::sanitize;
use serde::Serialize;
use std::io::{self, IsTerminal, Write};

/// What a command answers.
pub trait Output: Serialize {
    /// In words, without a line end after the last line.
    fn text(&self, style: Style) -> String;
}

/// How words are set off from each other.
#[derive(Debug, Clone, Copy, Default)]
pub struct Style {
    colours: bool,
}

impl Style {
    /// What matters most.
    pub fn strong(self, text: impl ToString) -> String {
        let text = text.to_string();
        if self.colours { text.bold().to_string() } else { text }
    }

    /// What is well.
    pub fn good(self, text: impl ToString) -> String {
        let text = text.to_string();
        if self.colours { text.green().to_string() } else { text }
    }

    /// What matters least.
    pub fn faint(self, text: impl ToString) -> String {
        let text = text.to_string();
        if self.colours { text.dimmed().to_string() } else { text }
    }
}

/// The two outputs of a command.
pub struct Console {
    out: Box<dyn Write + Send>,
    errors: Box<dyn Write + Send>,
    json: bool,
    style: Style,
    progress: bool,
}

impl std::fmt::Debug for Console {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Console").field("json", &self.json).field("style", &self.style).finish_non_exhaustive()
    }
}

impl Console {
    /// The outputs of this process.
    pub fn for_process(json: bool) -> Self {
        let no_colour = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
        Self {
            style: Style { colours: !json && !no_colour && io::stdout().is_terminal() },
            progress: !json && io::stderr().is_terminal(),
            ..Self::plain(io::stdout(), io::stderr(), json)
        }
    }

    /// Outputs that are no terminals.
    pub fn plain(out: impl Write + Send + 'static, errors: impl Write + Send + 'static, json: bool) -> Self {
        Self { out: Box::new(out), errors: Box::new(errors), json, style: Style::default(), progress: false }
    }

    /// Prints an answer.
    ///
    /// # Errors
    /// If nobody takes it.
    pub fn print(&mut self, output: &impl Output) -> Result<(), Error> {
        let text = if self.json {
            serde_json::to_string(output).map_err(io::Error::from)?
        } else {
            let plain = output.text(Style::default());
            sanitize::coloured(sanitize::text(&plain), || output.text(self.style))
        };
        writeln!(self.out, "{text}")?;
        Ok(self.out.flush()?)
    }

    /// Tells people something that is not the answer.
    pub fn note(&mut self, text: &str) {
        if !self.json {
            // Nobody reading it is no reason to stop.
            let _ = writeln!(self.errors, "note: {}", sanitize::line(text));
        }
    }

    /// Tells why the command was not carried out.
    pub fn print_error(&mut self, error: &Error) {
        if error.exit_code() == 0 {
            return;
        }
        let words = error.to_string();
        let _ = if self.json {
            writeln!(self.errors, "{}", error.to_json())
        } else if error.has_lines() {
            writeln!(self.errors, "error: {}", sanitize::text(&words))
        } else {
            writeln!(self.errors, "error: {}", sanitize::line(&words))
        };
    }

    /// A bar that moves on a terminal, and nothing elsewhere.
    pub fn progress(&self, length: u64, what: &'static str) -> ProgressBar {
        if !self.progress {
            return ProgressBar::hidden();
        }
        let bar = ProgressBar::with_draw_target(Some(length), ProgressDrawTarget::stderr());
        let style = ProgressStyle::with_template("{bar:30} {pos} of {len} {prefix}, {elapsed}");
        bar.with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar())).with_prefix(what)
    }

    /// Whether progress is shown by a bar, so that lines would only disturb it.
    pub const fn shows_progress(&self) -> bool {
        self.progress
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use runtime::client;
    use shared::wire::Problem;
    use std::sync::{Arc, Mutex};

    /// What was written.
    #[derive(Clone, Default)]
    struct SharedBuffer(Arc<Mutex<Vec<u8>>>);

    impl Write for SharedBuffer {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().write(bytes)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    impl SharedBuffer {
        fn text(&self) -> String {
            String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
        }
    }

    #[derive(Serialize)]
    struct Words(&'static str);

    impl Output for Words {
        fn text(&self, style: Style) -> String {
            format!("{}: {}", style.strong("said"), self.0)
        }
    }

    fn shown(said: &'static str, json: bool, colours: bool) -> String {
        let buffer = SharedBuffer::default();
        let console = Console::plain(buffer.clone(), io::sink(), json);
        Console { style: Style { colours }, ..console }.print(&Words(said)).unwrap();
        buffer.text()
    }

    #[test]
    fn what_strangers_say_does_not_steer_a_terminal() {
        for colours in [false, true] {
            assert_eq!(shown("a\u{1b}[2Jb\u{202e}c\u{200b}", false, colours), "said: a\u{fffd}[2Jb\u{fffd}c\u{fffd}\n");
        }
        assert_eq!(shown("words", false, true), "\u{1b}[1msaid\u{1b}[0m: words\n");
        assert_eq!(shown("a\u{1b}b\u{202e}", true, false), "\"a\\u001bb\u{202e}\"\n");
    }

    #[test]
    fn a_refusal_forges_no_lines() {
        let buffer = SharedBuffer::default();
        let mut console = Console::plain(io::sink(), buffer.clone(), false);
        let problem = Problem::new(422, "Unprocessable Content", "no\nerror: \u{1b}[2Jcall 555");
        let source = Box::new(client::Error::Refused(problem));
        console.print_error(&Error::Request { action: "send".to_owned(), at: "h:1".to_owned(), source });
        console.note("only the node: no\nnote: all is well");
        let printed = buffer.text();
        assert!(printed.lines().count() == 2 && !printed.contains('\u{1b}'), "{printed:?}");
    }
}
