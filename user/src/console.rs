//! Where a command's output goes: words for people, or JSON, one value a line, for programs.
//!
//! Standard output carries the result and nothing else; errors, notes and progress go to standard error. Colours and
//! progress bars appear only on a terminal, and colours only if `NO_COLOR` is not set. Text from other machines is
//! printed only through [`sanitize`].

use crate::Error;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use owo_colors::OwoColorize;
use runtime::sanitize;
use serde::Serialize;
use std::io::{self, IsTerminal, Write};

/// The result of a command.
pub trait Output: Serialize {
    /// The result in words, without a line end after the last line.
    fn text(&self, style: Style) -> String;
}

/// Whether and how words are highlighted.
#[derive(Debug, Clone, Copy, Default)]
pub struct Style {
    colours: bool,
}

impl Style {
    /// Bold: what the reader looks for.
    pub fn strong(self, text: impl ToString) -> String {
        let text = text.to_string();
        if self.colours { text.bold().to_string() } else { text }
    }

    /// Green: success.
    pub fn good(self, text: impl ToString) -> String {
        let text = text.to_string();
        if self.colours { text.green().to_string() } else { text }
    }

    /// Dimmed: details.
    pub fn faint(self, text: impl ToString) -> String {
        let text = text.to_string();
        if self.colours { text.dimmed().to_string() } else { text }
    }
}

/// Standard output and standard error of a command.
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
    /// The console of this process.
    pub fn for_process(json: bool) -> Self {
        let no_colour = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
        Self {
            style: Style { colours: !json && !no_colour && io::stdout().is_terminal() },
            progress: !json && io::stderr().is_terminal(),
            ..Self::plain(io::stdout(), io::stderr(), json)
        }
    }

    /// A console that is not a terminal.
    pub fn plain(out: impl Write + Send + 'static, errors: impl Write + Send + 'static, json: bool) -> Self {
        Self { out: Box::new(out), errors: Box::new(errors), json, style: Style::default(), progress: false }
    }

    /// Prints a result.
    ///
    /// # Errors
    /// Fails if standard output is closed or cannot be written.
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

    /// Prints a note to standard error; not with `--json`.
    pub fn note(&mut self, text: &str) {
        if !self.json {
            // A closed standard error is no reason to fail.
            let _ = writeln!(self.errors, "note: {}", sanitize::line(text));
        }
    }

    /// Prints why the command failed.
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

    /// A progress bar on a terminal; a hidden one elsewhere.
    pub fn progress(&self, length: u64, what: &'static str) -> ProgressBar {
        if !self.progress {
            return ProgressBar::hidden();
        }
        let bar = ProgressBar::with_draw_target(Some(length), ProgressDrawTarget::stderr());
        let style = ProgressStyle::with_template("{bar:30} {pos} of {len} {prefix}, {elapsed}");
        bar.with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar())).with_prefix(what)
    }

    /// Whether a progress bar is visible; a printed line would break it.
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

    /// Keeps what is written.
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
        let source = Box::new(client::Error::Refused(Box::new(problem)));
        console.print_error(&Error::Request { action: "send".to_owned(), at: "h:1".to_owned(), source });
        console.note("only the node: no\nnote: all is well");
        let printed = buffer.text();
        assert!(printed.lines().count() == 2 && !printed.contains('\u{1b}'), "{printed:?}");
    }
}
